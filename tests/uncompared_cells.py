"""The code cells whose output nbval runs but does not compare, each with its reason; every other code cell is compared.

``test_notebooks.py`` holds this table and the notebooks' ``nbval-ignore-output`` tags equal.
"""

REASONS = {
    ("01", "load-mnist"): "says where the digits came from: all of MNIST when stored, the sample in the tests",
    ("01", "digit-entropy"): "shares of the digits that were found; the cell asserts what is claimed of them",
    ("01", "pixel-entropy"): "entropies of the pixels that were found; the cell asserts what is claimed of them",
    ("01", "count-images"): "counts on the images that were found; the cell asserts what is claimed of them",
    ("03", "train-both"): "how many seeds and steps were trained depends on the budget",
    ("03", "toy-results"): "trained figures, which depend on budget and machine; the cell asserts the claims",
    ("03", "solution-5"): "a trained figure, which depends on the machine; the cell asserts what is claimed of it",
    ("04", "load"): "says where the digits came from: all of MNIST when stored, the sample in the tests",
    ("04", "train"): "a training with a live view and a progress bar",
    ("04", "control"): "a training with a progress bar",
    ("04", "facts"): "trained figures, which depend on budget, data and machine; the cell asserts the claims",
    ("04", "bound-facts"): "trained figures, which depend on budget, data and machine; the cell asserts the claims",
    ("04", "lambda-grid"): "trained figures, which depend on budget, data and machine",
    ("04", "score"): "trained figures, which depend on budget, data and machine; a later cell compares the claims",
    ("04", "copies-leave"): "correlations on the digits that were found",
    ("04", "keeps-leave"): "correlations on the digits that were found",
    ("04", "train-recipe"): "a training with a live view and a progress bar",
    ("04", "score-recipe"): "trained figures, which depend on budget, data and machine; the cell asserts the claim",
    ("04", "lost-digits"): "which digits are lost, and how many, depends on budget, data and machine",
    ("04", "cost"): "times",
    ("04", "solution-1"): "a trained figure, which depends on budget and machine; the cell asserts the claim",
    ("04", "your-step-runs"): "trained figures, which depend on budget, data and machine",
    ("07", "learned-tent"): "a trained figure, which depends on budget and machine",
    ("07", "learned-tent-figure"): "a figure of that training",
    ("07", "short-run"): "a training with a progress bar; the next cell asserts what is claimed of it",
    ("07", "short-run-facts"): "figures of that training; the cell itself asserts what is claimed of them",
}
