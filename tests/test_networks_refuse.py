"""What networks refuse: sizes, shapes, variances and norms that there are not, images and codes of another spec."""

import math

import numpy as np
import pytest
import torch
from test_networks import GENERATORS, READERS, SMALL, SPEC

from infogan_helpers.codes import CodeSpec
from infogan_helpers.networks import DiscriminatorQ, Generator


@pytest.mark.parametrize("network", [*GENERATORS, *READERS])
@pytest.mark.parametrize("width", [0, -0.5, math.nan, math.inf, "1", None, True])
def test_width_is_a_positive_number(network, width):
    with pytest.raises(ValueError, match=r"^width must be a number in \(0, 64\], got "):
        network(SPEC, SMALL, width=width)


@pytest.mark.parametrize("network", [*GENERATORS, *READERS])
@pytest.mark.parametrize("shape", [(0, 8, 8), (-1, 8, 8), (1, 8.0, 8), (True, 8, 8), 28, None, "abc", ()])
def test_image_shape_holds_positive_integers(network, shape):
    with pytest.raises(ValueError, match=r"^image_shape must be a tuple of positive integers, got "):
        network(SPEC, shape)


@pytest.mark.parametrize("network", [Generator, DiscriminatorQ])
@pytest.mark.parametrize("shape", [(28, 28), (1, 1, 28, 28), (1, 30, 28), (1, 28, 30), (1, 2, 28)])
def test_convolutions_need_a_height_and_width_divisible_by_four(network, shape):
    with pytest.raises(ValueError, match=r"^image_shape must be \(channels, height, width\) .* divisible by 4, got "):
        network(SPEC, shape)


@pytest.mark.parametrize("network", READERS)
@pytest.mark.parametrize("variance", ["Learned", "", None, 1.0, True])
def test_variance_is_learned_or_fixed(network, variance):
    with pytest.raises(ValueError, match=r"^variance must be 'learned' or 'fixed', got "):
        network(SPEC, SMALL, width=0.05, variance=variance)


@pytest.mark.parametrize("network", READERS)
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(1, 8, 8), r"must have shape \(n, 1, 8, 8\), got \(1, 8, 8\)"),
        (torch.zeros(2, 8, 8, 1), r"must have shape \(n, 1, 8, 8\), got \(2, 8, 8, 1\)"),
        (torch.zeros(2, 1, 28, 28), r"must have shape \(n, 1, 8, 8\), got \(2, 1, 28, 28\)"),
        (torch.zeros(2, 64), r"must have shape \(n, 1, 8, 8\), got \(2, 64\)"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), r"must be floats in \[-1, 1\], got torch.uint8; call data.to_mod"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.long), r"must be floats in \[-1, 1\], got torch.int64"),
        (np.zeros((2, 1, 8, 8)), r"must be a tensor of floats in \[-1, 1\], got ndarray"),
    ],
)
def test_readers_refuse_what_are_not_their_images(network, images, message):
    with pytest.raises(ValueError, match=f"^images {message}"):
        network(SPEC, SMALL, width=0.05)(images)


@pytest.mark.parametrize("network", GENERATORS)
def test_generators_refuse_codes_of_another_spec(network):
    generator = network(SPEC, SMALL, width=0.05)
    with pytest.raises(ValueError, match=r"codes.categorical must have 2 columns"):
        generator(CodeSpec((3,), 2, 4).sample(2))
    with pytest.raises(ValueError, match=r"codes.noise must have 4 columns"):
        generator(CodeSpec((3, 5), 2, 5).sample(2))
    with pytest.raises(ValueError, match=r"codes.categorical must lie in \[0, 3\)"):
        generator(SPEC.sample(2).replace(categorical=torch.tensor([[3, 0], [0, 0]])))


def test_norm_is_one_of_three():
    with pytest.raises(ValueError, match=r"^norm must be 'batch', 'spectral' or 'none', got 'layer'"):
        DiscriminatorQ(CodeSpec(), SMALL, norm="layer")
