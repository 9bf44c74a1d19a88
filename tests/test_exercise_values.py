"""Checks of the exercises that ask for a number or a table, not for a function."""

import numpy as np
import pytest
import torch

from infogan_helpers.exercises import notebook_01, notebook_02
from infogan_helpers.exercises.checking import TOLERANCE, Case, check_numbers


@pytest.mark.parametrize(
    ("notebook", "name"), [(notebook, name) for notebook in (notebook_01, notebook_02) for name in notebook.ANSWERS]
)
def test_values_pass_and_known_wrong_ones_are_named(notebook, name):
    right, _, mistakes = notebook.ANSWERS[name]
    notebook.check_value(name, right)
    notebook.check_value(name, torch.tensor([right]))
    for wrong, sentence in mistakes.items():
        with pytest.raises(AssertionError) as error:
            notebook.check_value(name, wrong)
        assert sentence in str(error.value)
    with pytest.raises(AssertionError, match=r"is not it$"):
        notebook.check_value(name, right + 123)
    with pytest.raises(AssertionError, match="not written"):
        notebook.check_value(name, ...)


def test_values_of_unknown_name_or_kind():
    with pytest.raises(ValueError, match="name must be one of"):
        notebook_02.check_value("the answer", 42)
    with pytest.raises(AssertionError, match="must give a number"):
        notebook_02.check_value("excess", "0.5")


@pytest.mark.parametrize("right", [0.0, 0.5, -1000.0])
def test_a_result_is_right_within_one_part_in_a_hundred_thousand(right):
    def off(parts):
        return right + parts * TOLERANCE * max(1, abs(right))

    answer = lambda parts: right  # noqa: E731
    check_numbers(off, [Case("a little", (0.9,)), Case("a little less", (-0.9,))], answer, [])
    for parts in (1.2, -1.2):
        with pytest.raises(AssertionError, match="on too much gave"):
            check_numbers(off, [Case("too much", (parts,))], answer, [])
    assert TOLERANCE == 1e-5


def test_two_coins():
    both, twice = np.eye(4) / 4, np.zeros((4, 4))
    twice[[0, 1, 2, 3], [0, 0, 3, 3]] = 1 / 4
    notebook_01.check_two_coins(both, twice)
    with pytest.raises(AssertionError, match="is it a joint table, or a channel"):
        notebook_01.check_two_coins(np.eye(4), twice)
    with pytest.raises(AssertionError, match=r"has I = 1.3863 nats, which must be 0.6931"):
        notebook_01.check_two_coins(both, both)


def test_a_table_with_more_information_and_a_lower_bound():
    channel = (np.full((10, 10), 0.02) + 0.8 * np.eye(10)) / 10
    posterior = channel / channel.sum(axis=0)
    notebook_02.check_lower_bound_above(np.roll(np.eye(10), 1, axis=1) / 10, channel, posterior)
    with pytest.raises(AssertionError, match="Q must misread it"):
        notebook_02.check_lower_bound_above(np.eye(10) / 10, channel, posterior)
    with pytest.raises(AssertionError, match="no more than"):
        notebook_02.check_lower_bound_above(np.full((10, 10), 0.01), channel, posterior)
    with pytest.raises(AssertionError, match="must sum to 1"):
        notebook_02.check_lower_bound_above(np.eye(10), channel, posterior)
