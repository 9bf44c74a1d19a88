"""Notebook 04's ladder: the plain algorithm, and after it each addition of the recipe on top of those before.

A name is what is added last. All runs are of ``STEPS`` steps, fewer than the recipe's own 4,000, with the schedule
compressed into them: the table is read from line to line, not beside that of whole runs. ``compare`` trains them.
"""

from dataclasses import replace

from infogan_helpers.methods import digits, infogan

STEPS = 1200
RECIPE = replace(digits.PRESETS["recipe"], steps=STEPS)
CONSTANT = {"lambda_categorical": 1.0, "lambda_continuous": 0.1, "learning_rate_factor": 1.0}
RATES = {f"learning_rate_{player}": 5e-4 for player in "gdq"}
PLAIN = replace(infogan.PRESETS["plain"], steps=STEPS)

COPIES = replace(
    RECIPE, **CONSTANT, **RATES, keep=(), stray_strokes=0.0, consistency=0.0, instance_noise=0.0, code_gain=1.0
)
START = replace(COPIES, instance_noise=RECIPE.instance_noise, code_gain=RECIPE.code_gain)
KEEP = replace(START, keep=RECIPE.keep, lambda_continuous=0.5)
# λ waits, rates are doubled and fall.
SCHEDULE = replace(KEEP, **{name: getattr(RECIPE, name) for name in (*CONSTANT, *RATES)})
REAL = replace(SCHEDULE, consistency=RECIPE.consistency)

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
