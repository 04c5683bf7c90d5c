"""The truth by poking: change the input, run the model, see which units change.

subject.py prepares the model and its inputs, watching.py looks at the run, strategy.py chooses the values, poking.py
does the poking; measuring.py answers for one unit, verifying.py holds a whole analysis against it.
"""
