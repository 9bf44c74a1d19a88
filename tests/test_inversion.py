"""A picture's codes are Q's, its noise is searched for, and the networks stay as they were."""

import copy
import math

import pytest
import torch
from small_codes import seeded

from infogan_helpers.applications.inversion import find_codes, likeliest_codes
from infogan_helpers.checkpoints import named_tensors
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.networks import MLPDiscriminatorQ, MLPGenerator
from infogan_helpers.posteriors import Posterior, VonMises
from infogan_helpers.runtime import isolated_randomness

SPEC = CodeSpec(categorical=(3, 2), continuous=2, noise=4, circular=1)
SHAPE = (1, 6, 6)


def pair(spec=SPEC, seed=0):
    with isolated_randomness():
        torch.manual_seed(seed)
        return MLPGenerator(spec, SHAPE, 0.1), MLPDiscriminatorQ(spec, SHAPE, 0.1)


@pytest.fixture(scope="module")
def networks():
    """A pair in training mode, with batch norm and dropout to be left alone."""
    return pair()


@pytest.fixture(scope="module")
def pictures():
    return torch.randint(0, 256, (7, *SHAPE), dtype=torch.uint8, generator=seeded())


def test_codes_are_the_likeliest_and_lie_in_the_priors_support():
    direction = torch.tensor([[math.cos(3.0), math.sin(3.0)], [-1.0, -0.0]])
    answer = Posterior(
        (torch.tensor([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])),
        torch.tensor([[0.5, -1.7], [1.2, 0.1]]),
        torch.zeros(2, 2),
        (VonMises(direction, torch.ones(2)),),
    )
    codes = likeliest_codes(answer, SPEC)
    assert codes.categorical.tolist() == [[1, 1], [0, 0]]
    assert codes.continuous.tolist() == [[0.5, -1.0], [1.0, pytest.approx(0.1)]]
    assert codes.circular[:, 0].tolist() == pytest.approx([3.0, math.pi])  # and not -π, which is outside (-π, π]
    assert torch.equal(codes.noise, torch.zeros(2, 4))
    normal = likeliest_codes(answer, CodeSpec((3, 2), 2, 4, "normal", 1))
    assert torch.equal(normal.continuous, answer.mean)  # N(0, 1) has no end


def test_codes_stay_as_q_read_them(networks, pictures):
    found, read = find_codes(*networks, pictures, steps=3), read_codes(networks[1], pictures)
    asked = likeliest_codes(read, SPEC)
    for part in ("categorical", "continuous", "circular"):
        assert torch.equal(getattr(found.codes, part), getattr(asked, part)), part
    assert found.codes.noise.shape == (7, 4)
    assert not found.codes.noise.requires_grad


def test_what_is_returned_is_what_g_draws_and_how_far_its_ink_lies(networks, pictures):
    found = find_codes(*networks, pictures, steps=5)
    torch.testing.assert_close(found.images, draw_images(networks[0], found.codes))
    ink = (found.images + 1) / 2
    by_hand = [math.sqrt(((ink[i] - pictures[i] / 255) ** 2).mean().item()) for i in range(7)]
    assert found.error.tolist() == pytest.approx(by_hand, abs=1e-5)


def test_the_first_step_goes_down_the_squared_error_by_the_learning_rate(networks, pictures):
    generator = copy.deepcopy(networks[0]).eval()
    codes = find_codes(*networks, pictures, steps=0).codes
    assert torch.equal(codes.noise, torch.zeros(7, 4))
    noise = torch.zeros(7, 4, requires_grad=True)
    (generator(codes.replace(noise=noise)) - as_model_range(pictures)).square().sum().backward()
    found = find_codes(*networks, pictures, steps=1, learning_rate=0.03)
    torch.testing.assert_close(found.codes.noise, -0.03 * noise.grad.sign(), atol=1e-5, rtol=0)  # Adam's first step


@pytest.mark.parametrize("seed", range(10))
def test_the_search_finds_pictures_that_g_can_draw(seed):
    """Q's answers are G's own codes here, so that noise is all that is missing."""
    generator, dq = pair(seed=seed)
    torch.nn.init.normal_(generator.layers[0].weight, std=0.3, generator=seeded(seed))  # noise matters from the start
    asked = likeliest_codes(read_codes(dq, torch.zeros(5, *SHAPE)), SPEC)
    wanted = draw_images(generator, asked.replace(noise=torch.randn(5, 4, generator=seeded(seed))))

    class Knows(torch.nn.Module):
        spec = SPEC

        def forward(self, images):
            return dq(torch.zeros_like(images))

    before, after = (find_codes(generator, Knows(), wanted, steps).error.mean() for steps in (0, 200))
    assert after < 0.5 * before


def test_a_picture_does_not_depend_on_its_neighbours_and_nothing_is_random(networks, pictures):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    found, again, split = (find_codes(*networks, pictures, 20, batch_size=size) for size in (7, 7, 3))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(found.codes.noise, again.codes.noise)
    torch.testing.assert_close(split.codes.noise, found.codes.noise, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("learns", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_the_networks_stay_as_they_are(pictures, learns, training):
    generator, dq = (network.train(training).requires_grad_(learns) for network in pair())
    before = {name: x.clone() for name, x in named_tensors(g=generator, dq=dq).items()}
    with torch.no_grad():  # as a caller may: the search turns gradients on for itself
        moved = find_codes(generator, dq, pictures, steps=3).codes.noise
    assert moved.abs().max() > 0
    assert all(torch.equal(x, before[name]) for name, x in named_tensors(g=generator, dq=dq).items())
    for network in (generator, dq):
        assert network.training is training
        assert all(p.requires_grad is learns and p.grad is None for p in network.parameters())


def test_a_vae_has_no_noise_and_draws_what_it_read(pictures):
    generator, dq = pair(CodeSpec((), 3, 0, "normal"))
    found, read = find_codes(generator, dq, pictures), read_codes(dq, pictures)
    assert torch.equal(found.codes.continuous, read.mean)
    torch.testing.assert_close(found.images, draw_images(generator, found.codes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": -1}, r"^steps must be an integer of at least 0, got -1"),
        ({"learning_rate": 0}, r"^learning_rate must be a number above 0, got 0"),
        ({"batch_size": 0}, r"^batch_size must be an integer of at least 1, got 0"),
        ({"images": torch.zeros(0, *SHAPE)}, r"^images must have shape \(n, …\) with n of at least 1, got"),
        ({"images": torch.zeros(2, 1, 5, 5)}, r"^images must have shape \(n, 1, 6, 6\), got \(2, 1, 5, 5\)"),
        ({"discriminator_q": pair(CodeSpec((), 1, 2))[1]}, r"^discriminator_q must read the generator's codes, "),
    ],
)
def test_what_cannot_be_searched_is_refused(networks, pictures, change, message):
    generator, dq = networks
    arguments = {"generator": generator, "discriminator_q": dq, "images": pictures} | change
    with pytest.raises(ValueError, match=message):
        find_codes(**arguments)
