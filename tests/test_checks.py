"""The shared validators: what they let through, what they refuse, and in which words."""

import math
import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from infogan_helpers import checks


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_an_integer_is_pythons_or_numpys_and_comes_back_as_pythons(value):
    assert checks.is_integer(value)
    assert checks.integer("n", value, least=3) == 3
    assert type(checks.integer("n", value, least=3)) is int
    assert type(checks.seed("seed", value)) is int


@pytest.mark.parametrize("value", [True, np.bool_(True), 3.0, np.float64(3), "3", None, [3], torch.tensor(3)])
def test_what_is_no_integer_is_refused(value):
    assert not checks.is_integer(value)
    with pytest.raises(ValueError, match=rf"^steps must be an integer of at least 1, got {re.escape(repr(value))}$"):
        checks.integer("steps", value, least=1)
    with pytest.raises(ValueError, match=r"^seed must be an integer in \[0, 2\*\*32\), got "):
        checks.seed("seed", value)


def test_integers_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"^n must be an integer of at least 3, got 2$"):
        checks.integer("n", 2, least=3)
    assert checks.seed("seed", 2**32 - 1) == 2**32 - 1
    for value in (-1, 2**32):
        with pytest.raises(ValueError, match=rf"^noise seed must be an integer in \[0, 2\*\*32\), got {value}$"):
            checks.seed("noise seed", value)


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "wanted"),
    [
        ({}, (-1e9, 0, 1e9), (), "a finite number"),
        ({"least": 0}, (0, 1e9), (-1e-9,), "a number of at least 0"),
        ({"above": 0}, (1e-9,), (0, -1), "a number above 0"),
        ({"least": 0, "most": 1}, (0, 0.5, 1), (-1e-9, 1.1), "a number in [0, 1]"),
        ({"above": 0, "most": 1}, (1e-9, 1), (0, 1.1), "a number in (0, 1]"),
    ],
)
def test_numbers_within_their_bounds_come_back_and_all_else_is_refused(bounds, inside, outside, wanted):
    for value in (*inside, np.float32(0.5), Fraction(1, 2)):
        assert checks.number("rate", value, **bounds) is value
    for value in (*outside, math.nan, math.inf, -math.inf, True, "0.5", None, 0.5j, torch.tensor(0.5)):
        message = re.escape(f"rate must be {wanted}, got {value!r}")
        with pytest.raises(ValueError, match=f"^{message}$"):
            checks.number("rate", value, **bounds)


def test_a_choice_names_all_that_there_is():
    assert checks.choice("game", "hinge", {"standard": 1, "hinge": 2}) == "hinge"
    with pytest.raises(ValueError, match=r"^game must be 'standard', 'hinge' or 'wasserstein', got 'hing'$"):
        checks.choice("game", "hing", ("standard", "hinge", "wasserstein"))
    for value in (None, ["standard"], np.array(["standard", "hinge"])):
        with pytest.raises(ValueError, match=r"^game must be 'standard' or 'hinge', got "):
            checks.choice("game", value, ("standard", "hinge"))


def test_a_boolean_is_no_number_and_no_word():
    assert checks.boolean("shuffle", False) is False
    for value in (0, 1, "no", None, np.bool_(True)):
        with pytest.raises(ValueError, match=r"^shuffle must be True or False, got "):
            checks.boolean("shuffle", value)


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]]),
        pd.DataFrame([[1, 2], [3, 4]]),
        torch.tensor([[1, 2], [3, 4]]),
        torch.tensor([[1.0, 2], [3, 4]], requires_grad=True),
    ],
)
def test_an_array_of_anything_that_holds_numbers(values):
    array = checks.array(values)
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [[1, 2], [3, 4]]
