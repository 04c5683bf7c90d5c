"""Effective receptive fields: how much each input position counts.

effective.py measures one (gradients.py differentiates, spread.py is the result with its measures of size);
random_walk.py has the closed form for uniform weights, paths.py counts paths.
"""
