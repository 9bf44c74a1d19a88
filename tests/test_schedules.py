"""Ramps: their values, what they refuse, and the way through a card and back."""

import json
from dataclasses import asdict

import pytest

from infogan_helpers.schedules import Ramp, at, largest, weight


def test_a_ramp_stays_moves_in_a_straight_line_and_stays():
    ramp = Ramp(0.2, 0.6, 1.0, 3.0)
    values = [ramp(done) for done in (0.0, 0.2, 0.3, 0.4, 0.6, 1.0)]
    assert values == pytest.approx([1, 1, 1.5, 2, 3, 3])
    falling = Ramp(0.0, 0.5, 0.3, 0.0)
    assert [falling(done) for done in (0.0, 0.25, 0.5, 1.0)] == [0.3, 0.15, 0.0, 0.0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((-0.1, 0.5, 0, 1), r"start must be a number in \[0, 1\], got -0.1"),
        ((0.1, 1.5, 0, 1), r"end must be a number in \[0, 1\], got 1.5"),
        ((0.5, 0.5, 0, 1), "end must be above start, 0.5, got 0.5"),
        ((0, 1, -1, 1), "before must be a number of at least 0, got -1"),
        ((0, 1, 0, float("inf")), "after must be a number of at least 0, got inf"),
    ],
)
def test_a_ramp_that_goes_nowhere_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Ramp(*fields)


def test_a_weight_is_a_ramp_or_a_number_at_any_moment():
    ramp = Ramp(0.0, 1.0, 2.0, 1.0)
    assert (at(ramp, 0.5), at(0.7, 0.5)) == (1.5, 0.7)
    assert (largest(ramp), largest(0.7)) == (2.0, 0.7)
    assert weight("noise", ramp) is ramp
    assert weight("noise", json.loads(json.dumps(asdict(ramp)))) == ramp


@pytest.mark.parametrize("value", [-1, "1", None, True, float("nan"), {"start": 0}, {"start": 0, "end": 0}])
def test_a_weight_that_is_neither_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"^noise must (be a number of at least 0|hold the fields of a Ramp), got"):
        weight("noise", value)
