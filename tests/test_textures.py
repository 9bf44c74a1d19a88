"""Digits on stripes and in colours: what was laid on is known, independent of the digit, and as strong as asked."""

import math

import pytest
import torch

from infogan_helpers.data import mnist_sample
from infogan_helpers.textures import KINDS, dyed, striped

LAID = {"stripes": striped, "colours": dyed}


@pytest.fixture(scope="module")
def digits():
    return mnist_sample()


@pytest.mark.parametrize("lay", LAID.values(), ids=LAID)
def test_at_strength_nothing_a_digit_stays_as_it_is(lay, digits):
    pictures, textures = lay(digits.images[:50], 0.0)
    assert torch.equal(pictures, digits.images[:50].expand_as(pictures))
    assert textures.shape == (50,)
    assert pictures.dtype == torch.uint8


@pytest.mark.parametrize("lay", LAID.values(), ids=LAID)
def test_textures_are_even_independent_of_the_digit_and_the_seeds(lay, digits):
    _, textures = lay(digits.images, 1.0, 3)
    joint = torch.bincount(10 * digits.labels + textures, minlength=100).reshape(10, KINDS).double() / len(textures)
    product = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    assert (joint.sum(0) - 0.1).abs().max() < 0.02
    assert (joint * (joint / product).log()).nansum() < 0.02  # nats; counting alone gives 81 / 8000
    assert torch.equal(lay(digits.images, 0.5, 3).textures, textures)
    assert not torch.equal(lay(digits.images, 1.0, 4).textures, textures)


def test_stripes_lie_behind_the_ink_and_are_as_bright_as_asked(digits):
    pictures, _ = striped(digits.images, 0.5)
    assert (pictures >= digits.images).all()
    paper = pictures[digits.images == 0]
    assert (paper.max() / 255).item() == pytest.approx(0.5, abs=0.01)
    assert paper.min() < 3
    inked = digits.images > 128
    assert torch.equal(pictures[inked], digits.images[inked])
    blank, which = striped(torch.zeros(200, 1, 28, 28, dtype=torch.uint8), 1.0)
    for k in range(KINDS):
        assert len(blank[which == k].unique(dim=0)) == 1
    assert len(blank.unique(dim=0)) == KINDS


def test_stripes_run_at_ten_angles_18_degrees_apart():
    blank, which = striped(torch.zeros(200, 1, 28, 28, dtype=torch.uint8), 1.0)
    for k in range(KINDS):
        picture = blank[which == k][0, 0].double()
        spectrum = torch.fft.fft2(picture - picture.mean(), s=(280, 280)).abs()[:140]
        row, column = divmod(int(spectrum.argmax()), 280)
        column = column - 280 if column > 140 else column
        angle = math.atan2(row, column) % math.pi
        difference = abs(angle - math.pi * k / KINDS) % math.pi
        assert min(difference, math.pi - difference) < 0.07
        assert 280 / math.hypot(row, column) == pytest.approx(7, abs=0.5)  # pixels from stripe to stripe


def test_colours_multiply_the_ink(digits):
    pictures, textures = dyed(digits.images, 1.0)
    assert pictures.shape == (len(digits.images), 3, 28, 28)
    for k, colour in {0: (1, 0, 0), 5: (0, 1, 1), 1: (1, 0.6, 0)}.items():
        ink = digits.images[textures == k].float()
        expected = ink * torch.tensor(colour).reshape(1, 3, 1, 1)
        assert (pictures[textures == k].float() - expected).abs().max() <= 0.51
    pale = dyed(digits.images, 0.4).images
    assert (pale.amax(dim=1) == digits.images[:, 0]).all()
    assert (pale.amin(dim=1).float() - 0.6 * digits.images[:, 0].float()).abs().max() <= 0.51


@pytest.mark.parametrize("lay", LAID.values(), ids=LAID)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(2, 3, 28, 28), 0.5), r"^images must have shape \(n, 1, height, width\), got \(2, 3, 28, 28\)"),
        ((torch.zeros(2, 1, 28, 28), 1.5), r"^strength must be a number in \[0, 1\], got 1.5"),
        ((torch.zeros(2, 1, 28, 28), 0.5, -1), r"^seed must be an integer in \[0, 2\*\*32\), got -1"),
    ],
)
def test_what_cannot_be_laid_on_is_refused(lay, arguments, message):
    with pytest.raises(ValueError, match=message):
        lay(*arguments)
