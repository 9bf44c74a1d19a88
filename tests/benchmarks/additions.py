"""Notebook 04's ladder, each addition of the recipe on top of those before, and the recipe less one part at a time.

A name of the ladder is what is added last. ``compare`` ends these runs after ``STEPS`` steps, half of the recipe's own:
by then c1, c2 and c3 have found what they stand for, or not. They are read beside each other, not beside whole runs.
"""

from dataclasses import replace

from infogan_helpers.methods import digits, infogan

RECIPE = replace(digits.PRESETS["recipe"], restarts=0)  # what fails shall be seen
STEPS = RECIPE.steps // 2
CONSTANT = {"lambda_categorical": 1.0, "lambda_continuous": 0.1, "learning_rate_factor": 1.0}
RATES = {f"learning_rate_{player}": 5e-4 for player in "gdq"}
PLAIN = replace(infogan.PRESETS["plain"], steps=RECIPE.steps)
OFF = {"stray_strokes": 0.0, "consistency": 0.0, "answer_information": 0.0, "instance_noise": 0.0, "code_gain": 1.0}

COPIES = replace(RECIPE, **CONSTANT, **RATES, **OFF, keep=())
START = replace(COPIES, instance_noise=RECIPE.instance_noise, code_gain=RECIPE.code_gain)
KEEP = replace(START, keep=RECIPE.keep, lambda_continuous=0.5)
# λ waits, rates are doubled and fall.
SCHEDULE = replace(KEEP, **{name: getattr(RECIPE, name) for name in (*CONSTANT, *RATES)})
REAL = replace(SCHEDULE, consistency=RECIPE.consistency, answer_information=RECIPE.answer_information)

ADDITIONS = {
    "nothing": PLAIN,
    "trunk": replace(PLAIN, information_trains_trunk=True),
    "copies": COPIES,
    "start": START,
    "keep": KEEP,
    "schedule": SCHEDULE,
    "real_digits": REAL,
    "strokes": RECIPE,
}

OMISSIONS = {  # without strokes it is the ladder's last line but one; rates fall in the other half of the run
    # Copies have to be made: a change of a millionth leaves every pixel where it is.
    "without_copies": replace(RECIPE, augment=1e-6, keep=()),
    "without_consistency": replace(RECIPE, consistency=0.0),
    "without_information": replace(RECIPE, answer_information=0.0),
    "without_balance": replace(RECIPE, class_balance=1.0),
    "without_noise": replace(RECIPE, instance_noise=0.0),
    "without_gain": replace(RECIPE, code_gain=1.0),
    "without_waiting": replace(
        RECIPE, **{name: getattr(RECIPE, name).after for name in ("lambda_categorical", "lambda_continuous")}
    ),
    "without_trunk": replace(RECIPE, information_trains_trunk=False),
}
