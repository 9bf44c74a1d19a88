"""A batch of codes: its parts stay together, rows are chosen, one code is swept and all else held."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from small_codes import SPEC, same, seeded

from infogan_helpers.codes import Codes, CodeSpec, check_classes


@pytest.fixture
def codes():
    return SPEC.sample(6, seeded())


# a batch of codes


def test_codes_are_frozen(codes):
    with pytest.raises(dataclasses.FrozenInstanceError):
        codes.noise = codes.noise


@pytest.mark.parametrize("row", [0, 3, 5, -1, -6, np.int64(3), torch.tensor(3), torch.tensor(-1)])
def test_one_row_stays_a_batch_of_one(codes, row):
    one = codes[row]
    assert len(one) == 1
    at = int(row) % 6
    assert same(one, Codes(*(part[at : at + 1] for part in (codes.noise, codes.categorical, codes.continuous))))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        (slice(1, 4), [1, 2, 3]),
        (slice(None, None, 2), [0, 2, 4]),
        (slice(-2, None), [4, 5]),
        (slice(4, 99), [4, 5]),
        (slice(2, 2), []),
        (torch.tensor([5, 0, 0]), [5, 0, 0]),
        (torch.tensor([-1]), [5]),
        (torch.tensor([True, False, False, True, False, False]), [0, 3]),
        ([2, 1], [2, 1]),
        ([True, False, False, True, False, False], [0, 3]),
        (np.array([2, 1]), [2, 1]),
    ],
)
def test_rows_are_chosen_in_all_parts_together(codes, rows, chosen):
    index = torch.tensor(chosen, dtype=torch.long)
    assert same(codes[rows], Codes(codes.noise[index], codes.categorical[index], codes.continuous[index]))


@pytest.mark.parametrize(
    "row", [6, -7, np.int64(6), torch.tensor(6), torch.tensor([0, 6]), [6], torch.tensor([True] * 5)]
)
def test_a_row_that_is_not_there_is_an_index_error(codes, row):
    with pytest.raises(IndexError):
        codes[row]


def test_codes_can_be_looped_over(codes):
    assert [row.categorical.tolist()[0] for row in codes] == codes.categorical.tolist()


def test_codes_with_a_kind_absent_are_indexed_too():
    codes = CodeSpec((), 2, 0).sample(4, seeded())
    assert codes[1].categorical.shape == (1, 0)
    assert codes[torch.tensor([0, 2])].noise.shape == (2, 0)


def test_codes_move_with_all_their_parts(codes):
    moved = codes.to("meta")
    assert {part.device.type for part in (moved.noise, moved.categorical, moved.continuous)} == {"meta"}
    assert codes.noise.device.type == "cpu"
    assert same(codes.to(torch.device("cpu")), codes)


@pytest.mark.parametrize("part", ["noise", "categorical", "continuous"])
def test_replace_exchanges_one_part_and_keeps_the_others(codes, part):
    new = getattr(SPEC.sample(6, seeded(9)), part)
    before = getattr(codes, part).clone()
    replaced = codes.replace(**{part: new})
    assert getattr(replaced, part) is new
    for other in {"noise", "categorical", "continuous"} - {part}:
        assert getattr(replaced, other) is getattr(codes, other)
    assert torch.equal(getattr(codes, part), before)


def test_replace_takes_no_unnamed_part(codes):
    with pytest.raises(TypeError):
        codes.replace(codes.noise)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("noise", torch.zeros(6), r"noise must be a tensor of shape \(n, columns\), got \(6,\)"),
        ("noise", np.zeros((6, 4)), r"noise must be a tensor of shape \(n, columns\), got ndarray"),
        ("categorical", torch.zeros(5, 2, dtype=torch.long), r"categorical must have as many rows as noise \(6\), got"),
        ("continuous", torch.zeros(7, 2), r"continuous must have as many rows as noise \(6\), got 7"),
        ("categorical", torch.zeros(6, 2), r"categorical must hold integers.*, got torch\.float32"),
        ("categorical", torch.zeros(6, 2, dtype=torch.bool), r"categorical must hold integers.*, got torch\.bool"),
        ("categorical", torch.zeros(6, 2) * 1j, r"categorical must hold integers.*, got torch\.complex64"),
        ("continuous", torch.zeros(6, 2, dtype=torch.long), r"continuous must hold floats, got torch\.int64"),
        ("noise", torch.zeros(6, 4, dtype=torch.long), r"noise must hold floats, got torch\.int64"),
    ],
)
def test_replace_refuses_a_part_that_does_not_fit(codes, part, value, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        codes.replace(**{part: value})


# traversals


@pytest.mark.parametrize(
    "values", [[-2.0, 0.0, 2.0], (-2, 0, 2), np.linspace(-2, 2, 3), torch.linspace(-2, 2, 3), [-2, 0, 2]]
)
@pytest.mark.parametrize("index", [0, 1, np.int64(1)])
def test_sweep_continuous_moves_one_code_and_holds_the_rest(codes, index, values):
    swept = codes[:2].sweep_continuous(index, values)
    assert swept.continuous.dtype == torch.float32
    assert swept.continuous[:, index].tolist() == [-2, 0, 2, -2, 0, 2]
    for row in range(6):
        held = codes[row // 3]
        assert torch.equal(swept[row].noise, held.noise)
        assert torch.equal(swept[row].categorical, held.categorical)
        assert swept[row].continuous[0, 1 - index] == held.continuous[0, 1 - index]


@pytest.mark.parametrize("classes", [range(3), [0, 1, 2], torch.arange(3), np.arange(3), [0.0, 1.0, 2.0]])
@pytest.mark.parametrize("index", [0, 1])
def test_sweep_categorical_moves_one_code_and_holds_the_rest(codes, index, classes):
    swept = codes[:2].sweep_categorical(index, classes)
    assert swept.categorical.dtype == torch.int64
    assert swept.categorical[:, index].tolist() == [0, 1, 2, 0, 1, 2]
    for row in range(6):
        held = codes[row // 3]
        assert torch.equal(swept[row].noise, held.noise)
        assert torch.equal(swept[row].continuous, held.continuous)
        assert swept[row].categorical[0, 1 - index] == held.categorical[0, 1 - index]


def test_sweeps_leave_the_codes_alone_and_can_be_chained(codes):
    before = SPEC.sample(6, seeded())
    grid = codes[:1].sweep_continuous(0, [-1, 1]).sweep_continuous(1, [-1, 0, 1])
    assert grid.continuous.tolist() == [[-1, -1], [-1, 0], [-1, 1], [1, -1], [1, 0], [1, 1]]
    assert same(codes, before)


@pytest.mark.parametrize("index", [2, -1, 0.0, None, True])
def test_sweeps_refuse_a_code_that_is_not_there(codes, index):
    with pytest.raises(ValueError, match=r"^index must name one of the 2 continuous codes, counted from 0, got"):
        codes.sweep_continuous(index, [0.0])
    with pytest.raises(ValueError, match=r"^index must name one of the 2 categorical codes, counted from 0, got"):
        codes.sweep_categorical(index, [0])


def test_sweeps_refuse_a_kind_that_is_absent():
    with pytest.raises(ValueError, match="one of the 0 continuous codes"):
        CodeSpec((3,), 0).sample(1).sweep_continuous(0, [0.0])
    with pytest.raises(ValueError, match="one of the 0 categorical codes"):
        CodeSpec((), 1).sample(1).sweep_categorical(0, [0])


def test_a_circular_code_that_is_not_there_is_refused_however_many_rows_there_are():
    with pytest.raises(ValueError, match="one of the 1 circular codes, counted from 0, got 1"):
        CodeSpec((), 0, circular=1).sample(6, seeded()).sweep_circular(1, [0.0])


def test_a_class_below_zero_is_named_and_no_rows_hold_no_wrong_class():
    with pytest.raises(ValueError, match=r"codes.categorical must lie in \[0, 3\) in column 0, got -1"):
        check_classes(torch.tensor([[2], [-1]]), (3,))
    check_classes(torch.empty(0, 1, dtype=torch.long), (3,))


@pytest.mark.parametrize("values", [0.5, [[0.5]], [[0.5], [0.5, 1.0]], ["a"], "a", [{}]])
def test_sweeps_need_a_list_of_values(codes, values):
    with pytest.raises(ValueError, match=r"^values must be a list of numbers, got"):
        codes.sweep_continuous(0, values)


@pytest.mark.parametrize("classes", [1, [[1]], [0.5, 1.0], [math.nan]])
def test_sweeps_never_round_a_class(codes, classes):
    with pytest.raises(ValueError, match=r"^classes must be a list of integers, got"):
        codes.sweep_categorical(0, classes)
