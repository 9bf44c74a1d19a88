"""Gaussians in the plane and how their modes are counted; the networks that draw points; digits stacked as RGB."""

import math

import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from infogan_helpers import mixtures
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import mnist_sample
from infogan_helpers.mixtures import GOOD_WITHIN, count_modes, grid, ring
from infogan_helpers.point_networks import PointDiscriminatorQ, PointGenerator
from infogan_helpers.stacked_digits import count_stacked, stack_digits

SPEC = CodeSpec((8,), 0, 2)
TRUE_SHARE = 1 - math.exp(-(GOOD_WITHIN**2) / 2)  # of a round Gaussian in the plane


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("mixture", "modes", "apart"), [(ring(), 8, 1 / 100), (grid(), 25, 0.05 / 2)])
def test_a_mixtures_sizes_are_the_published_ones_scaled(mixture, modes, apart):
    assert mixture.centres.shape == (modes, 2)
    assert mixture.centres.abs().max().item() == pytest.approx(0.8)
    assert mixture.centres.mean(dim=0).tolist() == pytest.approx([0, 0], abs=1e-6)
    unit = mixture.centres.norm(dim=1).min().item() if modes == 8 else torch.pdist(mixture.centres).min().item()
    assert mixture.deviation / unit == pytest.approx(apart)


@pytest.mark.parametrize("mixture", [ring(), grid()])
def test_real_points_are_good_as_often_as_a_gaussian_says_and_even(mixture):
    counted = count_modes(mixture, mixtures.sample(mixture, 50_000, seeded()))
    assert counted.caught == len(mixture.centres)
    assert counted.good == pytest.approx(TRUE_SHARE, abs=0.003)
    assert counted.shares.sum().item() == pytest.approx(counted.good)
    assert counted.shares.std() < 0.05 / len(mixture.centres)


def test_points_are_counted_by_hand():
    mixture = ring()
    just_in, just_out = (torch.tensor([k * mixture.deviation, 0.0]) for k in (2.99, 3.01))
    first, fourth, sixth = mixture.centres[[0, 3, 5]]
    counted = count_modes(mixture, torch.stack([first, fourth + just_in, sixth + just_out, torch.zeros(2)]))
    assert (counted.caught, counted.good) == (2, 0.5)
    assert counted.shares.tolist() == [0.25, 0, 0, 0.25, 0, 0, 0, 0]


def test_one_seed_draws_the_same_points():
    assert torch.equal(mixtures.sample(grid(), 9, seeded(4)), mixtures.sample(grid(), 9, seeded(4)))


@pytest.mark.parametrize("shape", [(0, 2), (3, 3), (2,)])
def test_points_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"^points must have shape \(n, 2\) with n of at least 1, got \(") as error:
        count_modes(ring(), torch.zeros(shape))
    assert str(error.value).endswith(str(shape))


def test_no_number_of_points_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^n must be an integer of at least 1, got 0"):
        mixtures.sample(ring(), 0)


# --- networks for points


def test_no_point_depends_on_its_neighbours_or_on_chance():
    torch.manual_seed(0)
    g, dq, codes = PointGenerator(SPEC), PointDiscriminatorQ(SPEC), SPEC.sample(6, seeded())
    assert g.training
    points = g(codes)
    assert points.shape == (6, 2)
    assert points.abs().max() <= 1
    torch.testing.assert_close(g(codes[2]), points[2:3])
    torch.testing.assert_close(dq(points[2:3])[0], dq(points)[0][2:3])
    assert dq(points)[1].categorical_logits[0].shape == (6, 8)


def test_a_first_generators_points_are_spread_out():
    torch.manual_seed(0)
    spread = PointGenerator(CodeSpec((), 2, 0, "normal"))(CodeSpec((), 2, 0, "normal").sample(500, seeded())).std(dim=0)
    assert (spread > 0.1).all()


@pytest.mark.parametrize("norm", ["batch", "spectral", "none"])
def test_norms_of_ds_trunk(norm):
    torch.manual_seed(0)
    dq = PointDiscriminatorQ(SPEC, norm=norm)
    layers = [layer for layer in dq.trunk if isinstance(layer, torch.nn.Linear)]
    assert len(layers) == 3
    assert sum(isinstance(layer, torch.nn.BatchNorm1d) for layer in dq.trunk) == 3 * (norm == "batch")
    assert all(is_parametrized(layer) == (norm == "spectral") for layer in [*layers, dq.real_head])
    with pytest.raises(ValueError, match=r"^norm must be 'batch', 'spectral' or 'none', got 'layer'"):
        PointDiscriminatorQ(SPEC, norm="layer")


def edges(norm):
    """Where on the first axis D's first layer bends, as a bounded layer and as one that is not."""
    torch.manual_seed(0)
    layer = PointDiscriminatorQ(SPEC, norm=norm).trunk[1]
    return layer.bias / layer.weight[:, 0]


def test_d_bends_all_over_the_square_whether_it_is_bounded_or_not():
    torch.testing.assert_close(edges("spectral"), edges("none"), rtol=1e-2, atol=1e-4)
    assert ((edges("none").abs() < 1).float().mean()) > 0.3
    steep = PointDiscriminatorQ(SPEC).trunk[1].weight.std()
    assert steep.item() == pytest.approx(30, rel=0.2)


# --- a thousand modes


def test_stacked_digits_are_three_digits():
    digits = mnist_sample(train=False).images
    stacked = stack_digits(digits, 5, seeded())
    assert (stacked.shape, stacked.dtype) == ((5, 3, 28, 28), torch.uint8)
    known = {image.numpy().tobytes() for image in digits}
    assert all(channel.numpy().tobytes() in known for channel in stacked.flatten(0, 1))
    assert len({channel.numpy().tobytes() for channel in stacked[0]}) == 3


class Reads(torch.nn.Module):
    """A classifier of pictures whose first pixel is the digit, on [-1, 1]."""

    def forward(self, images):
        digits = ((images[:, 0, 0, 0] + 1) * 5).round().long()
        return torch.nn.functional.one_hot(digits, 10).float(), images.flatten(1)


def pictures(triples):
    images = torch.zeros(len(triples), 3, 28, 28)
    images[:, :, 0, 0] = torch.tensor(triples) / 5 - 1
    return images


def test_triples_are_counted_and_their_order_matters():
    counted = count_stacked(Reads(), pictures([[1, 2, 3], [3, 2, 1], [1, 2, 3], [0, 0, 0]]))
    assert counted.caught == 3
    assert counted.divergence == pytest.approx(math.log(1000) - (1.5 * math.log(2)))


def test_all_triples_are_a_thousand_modes_without_divergence():
    every = torch.cartesian_prod(*[torch.arange(10)] * 3).tolist()
    counted = count_stacked(Reads(), pictures(every))
    assert counted.caught == 1000
    assert counted.divergence == pytest.approx(0, abs=1e-6)


def test_pictures_that_are_no_stacks_are_refused():
    with pytest.raises(ValueError, match=r"^images must have shape \(n, 3, 28, 28\), got \(2, 1, 28, 28\)"):
        count_stacked(Reads(), torch.zeros(2, 1, 28, 28))
    with pytest.raises(ValueError, match=r"^digits must have shape \(m, 1, height, width\).*, got \(2, 3, 28, 28\)"):
        stack_digits(torch.zeros(2, 3, 28, 28), 4)
