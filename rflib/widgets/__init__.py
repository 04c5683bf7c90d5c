"""Explorers: what can be moved with the mouse and the keyboard, and answers at once.

Each explorer is one Python file, one plain ES module and one style sheet of the same name. base.py holds what all
share in Python, common.js and common.css what they share in the browser, arithmetic.js and costs.js the arithmetic that
answers without Python; the tests hold it equal to Python's.
"""
