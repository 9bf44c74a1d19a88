"""The ladder of notebook 04: from line to line only what its name says is added, and the last line is the recipe."""

import itertools
import sys
from dataclasses import fields
from pathlib import Path

from infogan_helpers.methods import digits, infogan

sys.path.insert(0, str(Path(__file__).resolve().parent / "benchmarks"))
from additions import ADDITIONS, OMISSIONS

RATES = {"learning_rate_g", "learning_rate_d", "learning_rate_q", "learning_rate_factor"}
ADDED = {
    "start": {"instance_noise", "code_gain"},
    "keep": {"keep", "lambda_continuous"},
    "schedule": {"lambda_categorical", "lambda_continuous", *RATES},
    "real_digits": {"consistency", "answer_information"},
    "strokes": {"stray_strokes"},
}


def differing(one, other):
    return {field.name for field in fields(one) if getattr(one, field.name) != getattr(other, field.name)}


def test_each_line_adds_what_its_name_says():
    names = list(ADDITIONS)
    for before, name in itertools.pairwise(names[names.index("copies") :]):
        assert differing(ADDITIONS[before], ADDITIONS[name]) == ADDED[name], name


def test_the_first_line_is_the_plain_algorithm_and_the_second_trains_the_trunk():
    assert differing(ADDITIONS["nothing"], infogan.PRESETS["plain"]) == {"steps"}
    assert differing(ADDITIONS["nothing"], ADDITIONS["trunk"]) == {"information_trains_trunk"}


def test_copies_add_nothing_but_copies_to_the_trained_trunk():
    """Another ``Config``: what both have is equal, and the rest is off."""
    trunk, copies = ADDITIONS["trunk"], ADDITIONS["copies"]
    assert all(getattr(copies, field.name) == getattr(trunk, field.name) for field in fields(trunk))
    off = dict.fromkeys(("stray_strokes", "consistency", "answer_information", "instance_noise"), 0)
    off |= {"keep": (), "code_gain": 1, "learning_rate_factor": 1}
    assert {name: getattr(copies, name) for name in off} == off
    own = {field.name for field in fields(copies)} - {field.name for field in fields(trunk)}
    assert own == {*off, "augment", "class_balance", "restarts"}  # which change nothing here


def test_the_last_line_is_the_recipe():
    assert differing(list(ADDITIONS.values())[-1], digits.PRESETS["recipe"]) == {"restarts"}


def test_each_omission_leaves_out_what_its_name_says():
    left_out = {name: differing(ADDITIONS["strokes"], config) for name, config in OMISSIONS.items()}
    assert left_out == {
        "without_copies": {"augment", "keep"},
        "without_consistency": {"consistency"},
        "without_information": {"answer_information"},
        "without_balance": {"class_balance"},
        "without_noise": {"instance_noise"},
        "without_gain": {"code_gain"},
        "without_waiting": {"lambda_categorical", "lambda_continuous"},
        "without_trunk": {"information_trains_trunk"},
    }
