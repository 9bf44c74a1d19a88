"""Checks of notebook 05: a traversal, and a measure of what it moves."""

import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.exercises.checking import (
    Case,
    call,
    name_of,
    passed,
    require,
    short,
)

REDRAWN = (
    "the noise is redrawn: in a traversal every image must have the noise of its row, or you see two changes at once"
)


def check_traversal(function):
    """``traversal(codes, index, values)``: each row once a value of one continuous code, everything else held."""
    __tracebackhide__ = True
    name = name_of(function)
    for n, index, values in ((1, 0, [-1.0, 0.0, 1.0]), (3, 1, [-2.0, -0.5, 0.5, 2.0])):
        codes = CodeSpec(categorical=(4, 2), continuous=3, noise=5).sample(n, torch.Generator().manual_seed(n))
        case = Case(f"{n} rows, continuous code {index}, values {values}", (codes, index, values))
        right, before = codes.sweep_continuous(index, values), codes.continuous.clone()
        got = call(function, case)
        require(torch.equal(codes.continuous, before), name, "changes the codes that it was given")
        require(hasattr(got, "continuous"), name, f"must return Codes, got {type(got).__name__}")
        require(len(got) == len(right), name, f"must return {len(right)} rows on {case.what}, got {len(got)}")
        require(torch.equal(got.noise, right.noise), name, f"on {case.what}: {REDRAWN}")
        require(
            torch.equal(got.categorical, right.categorical), name, "changes a categorical code: only one code may move"
        )
        others = [i for i in range(3) if i != index]
        require(
            torch.allclose(got.continuous[:, others], right.continuous[:, others]),
            name,
            "changes another continuous code: only one code may move",
        )
        moved = got.continuous[:, index].tolist()
        require(
            torch.allclose(got.continuous, right.continuous),
            name,
            f"on {case.what} must move the code through the values for each row in turn, got {short(moved)}",
        )
    passed(name, "two traversals")


def check_height(function):
    """``height(images)``: notebook 05, exercise 2: rows from the first to the last with ink above one half."""
    __tracebackhide__ = True

    def right(images):
        rows = (images[:, 0] > 0).any(dim=2)
        place = torch.arange(1, rows.shape[1] + 1)
        return rows.mul(place).amax(1) - rows.shape[1] + rows.mul(place.flip(0)).amax(1)

    name = name_of(function)
    bars = torch.full((4, 1, 28, 28), -1.0)
    for i, (top, bottom) in enumerate(((5, 15), (0, 1), (3, 28), (10, 12))):
        bars[i, 0, top:bottom, 14] = 1.0
    bars[0, 0, 9] = -1.0  # a gap inside does not make it lower
    got = torch.as_tensor(call(function, Case("four bars", (bars,)))).float()
    require(got.shape == (4,), name, f"must return one number an image, shape (4,), got {tuple(got.shape)}")
    wanted = right(bars).float()
    if torch.allclose(got, wanted - 1):
        require(False, name, "is one row short: from row 5 to row 14 there are ten rows")
    if torch.allclose(got, (bars[:, 0] > 0).any(dim=2).sum(1).float()):
        require(False, name, "counts the rows with ink: a gap inside belongs to the height")
    require(torch.allclose(got, wanted), name, f"on bars {wanted.tolist()} rows high gave {got.tolist()}")
    passed(name, "four bars")
