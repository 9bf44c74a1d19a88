"""Checks for the exercises, one file per notebook: each tries your answer and names the likely mistake.

A check tries several inputs. It returns nothing and prints one line where all is well; otherwise it raises
``AssertionError``, which says on which input, what came and what was expected. Not here: the exercises, which are in
the notebooks, and points.
"""
