"""The code cells whose output nbval runs but does not compare, each with its reason; every other code cell is compared.

``test_notebooks.py`` holds this table and the notebooks' ``nbval-ignore-output`` tags equal.
"""

REASONS = {}
