"""The adversarial pairs: values against their formulas, gradients, and the critic's penalty measured by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from infogan_helpers.codes import CodeSpec
from infogan_helpers.games import (
    GAMES,
    GRADIENT_PENALTY,
    LIGHT_GAMMA,
    R1_GAMMA,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    r1_penalty,
)
from infogan_helpers.networks import DiscriminatorQ

LN2 = math.log(2)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_discriminator_that_knows_nothing_loses_two_log_two():
    assert discriminator_loss(torch.zeros(4), torch.zeros(6)).item() == pytest.approx(2 * LN2, abs=1e-6)
    assert generator_loss(torch.zeros(4)).item() == pytest.approx(LN2, abs=1e-6)


def test_adversarial_losses_equal_their_formulas():
    real = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
    fake = torch.tensor([0.3, -2.0], dtype=torch.float64)
    d_real, d_fake = 1 / (1 + torch.exp(-real)), 1 / (1 + torch.exp(-fake))
    expected = -d_real.log().mean() - (1 - d_fake).log().mean()
    torch.testing.assert_close(discriminator_loss(real, fake), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(generator_loss(fake), -d_fake.log().mean(), rtol=0, atol=1e-12)


def test_adversarial_losses_equal_binary_cross_entropy():
    real, fake = torch.randn(8, generator=seeded()), torch.randn(8, generator=seeded(1))
    bce = F.binary_cross_entropy_with_logits
    expected = bce(real, torch.ones(8)) + bce(fake, torch.zeros(8))
    torch.testing.assert_close(discriminator_loss(real, fake), expected)
    torch.testing.assert_close(generator_loss(fake), bce(fake, torch.ones(8)))


def test_each_batch_is_averaged_on_its_own():
    real, fake = torch.tensor([1.0]), torch.tensor([-1.0, -1.0, -1.0, -1.0])
    assert discriminator_loss(real, fake).item() == pytest.approx(2 * math.log1p(math.exp(-1)), abs=1e-6)


@pytest.mark.parametrize("shape", [(), (5,), (5, 1), (2, 3, 4)])
def test_adversarial_losses_are_scalars_for_logits_of_any_shape(shape):
    assert discriminator_loss(torch.zeros(shape), torch.zeros(shape)).shape == ()
    assert generator_loss(torch.zeros(shape)).shape == ()


def test_adversarial_losses_are_finite_and_linear_at_extreme_logits():
    far = torch.tensor([1000.0], requires_grad=True)
    assert discriminator_loss(-far, far).item() == pytest.approx(2000)
    assert discriminator_loss(far, -far).item() == 0
    assert generator_loss(-far).item() == pytest.approx(1000)
    (discriminator_loss(-far, far) + generator_loss(-far)).backward()
    assert far.grad.item() == pytest.approx(3)


def test_non_saturating_loss_keeps_its_gradient_while_d_wins():
    logit = torch.tensor([-20.0], requires_grad=True)
    generator_loss(logit).backward()
    assert logit.grad.item() == pytest.approx(-1, abs=1e-6)


def test_discriminator_pulls_real_up_and_fake_down():
    real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    discriminator_loss(real, fake).backward()
    assert torch.equal(real.grad, torch.full((4,), -0.125))
    assert torch.equal(fake.grad, torch.full((4,), 0.125))


def test_empty_batches_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^real_logit must hold at least one logit, got shape \(0,\)"):
        discriminator_loss(torch.zeros(0), torch.zeros(2))
    with pytest.raises(ValueError, match=r"^fake_logit must hold at least one logit, got shape \(0, 1\)"):
        discriminator_loss(torch.zeros(2), torch.zeros(0, 1))
    with pytest.raises(ValueError, match=r"^fake_logit must hold at least one logit, got shape \(0,\)"):
        generator_loss(torch.zeros(0))


# --- other games


def test_the_hinge_game_stops_teaching_at_a_margin_of_one():
    game = GAMES["hinge"]
    real, fake = torch.tensor([2.0, 0.5, -1.0], requires_grad=True), torch.tensor([-3.0, 0.25], requires_grad=True)
    loss = game.discriminator(real, fake)
    assert loss.item() == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 1.25) / 2)
    loss.backward()
    assert real.grad.tolist() == pytest.approx([0, -1 / 3, -1 / 3])
    assert fake.grad.tolist() == pytest.approx([0, 1 / 2])
    assert game.generator(fake).item() == pytest.approx(2.75 / 2)


def test_the_wasserstein_game_is_a_difference_of_means():
    game = GAMES["wasserstein"]
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.25, 1.25])
    assert game.discriminator(real, fake).item() == pytest.approx(-0.5 - 1.25)
    assert game.generator(fake).item() == pytest.approx(0.5)


@pytest.mark.parametrize("name", GAMES)
def test_every_game_pulls_real_up_and_fakes_down_and_g_pulls_them_up(name):
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    GAMES[name].discriminator(real, fake).backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()
    fake.grad = None
    GAMES[name].generator(fake).backward()
    assert (fake.grad < 0).all()
    with pytest.raises(ValueError, match="real_logit must hold at least one logit"):
        GAMES[name].discriminator(torch.zeros(0), torch.zeros(2))
    with pytest.raises(ValueError, match="fake_logit must hold at least one logit"):
        GAMES[name].generator(torch.zeros(0))


class Linear(torch.nn.Module):
    """D(x) = w · x: the same slope w everywhere."""

    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))

    def forward(self, images):
        return images.flatten(1) @ self.weight, None


@pytest.mark.parametrize("length", [0.5, 1.0, 3.0])
def test_the_penalty_of_a_linear_critic_by_hand_is_two_sided(length):
    critic = Linear([0.6 * length, 0.8 * length])
    loss = gradient_penalty(critic, torch.ones(4, 2), -torch.ones(4, 2), seeded())
    assert loss.item() == pytest.approx(GRADIENT_PENALTY * (length - 1) ** 2, abs=1e-5)
    loss.backward()
    expected = GRADIENT_PENALTY * 2 * (length - 1) * torch.tensor([0.6, 0.8])
    torch.testing.assert_close(critic.weight.grad, expected, atol=1e-4, rtol=1e-4)


def test_the_penalty_looks_between_fakes_and_real_images_each_at_a_point_of_its_own():
    seen = []

    def critic(images):
        seen.append(images.detach())
        return images.sum(dim=(1, 2, 3)), None

    real, fake = torch.ones(64, 1, 2, 2), torch.full((64, 1, 2, 2), -1.0)
    gradient_penalty(critic, real, fake, seeded())
    (points,) = seen
    assert points.flatten(1).std(dim=1).max() < 1e-6  # one point on the line per image
    assert -1 <= points.min() < -0.8
    assert 0.8 < points.max() <= 1


def test_the_penalty_moves_the_trunk_and_ds_head_and_neither_g_nor_q():
    dq = DiscriminatorQ(CodeSpec(), (1, 8, 8), 0.05, norm="none")
    fake = torch.rand(6, 1, 8, 8, requires_grad=True)
    gradient_penalty(dq, torch.rand(6, 1, 8, 8), fake, seeded()).backward()
    assert fake.grad is None
    assert all(p.grad is None for p in dq.q_head.parameters())
    assert dq.real_head.weight.grad.any()
    assert dq.trunk[0].weight.grad.any()
    with pytest.raises(ValueError, match=r"real and fake must have one shape, got \(6, 1, 8, 8\) and \(5, 1, 8, 8\)"):
        gradient_penalty(dq, torch.rand(6, 1, 8, 8), fake[:5], None)


def test_r1_of_a_linear_critic_is_half_gamma_times_its_slope_squared_whatever_the_images():
    critic = Linear([0.6, 1.2])
    loss = r1_penalty(critic, torch.rand(4, 2), None, None)
    assert loss.item() == pytest.approx(R1_GAMMA / 2 * (0.36 + 1.44), abs=1e-6)
    loss.backward()
    torch.testing.assert_close(critic.weight.grad, R1_GAMMA * torch.tensor([0.6, 1.2]))


def test_light_r1_is_r1_with_a_smaller_gamma():
    dq = DiscriminatorQ(CodeSpec((3,), 1, 2), (1, 8, 8), width=0.1, norm="none")
    real = torch.rand(4, 1, 8, 8, generator=seeded())
    light, whole = (GAMES[name].penalty(dq, real, None, None) for name in ("r1_light", "r1"))
    torch.testing.assert_close(light / LIGHT_GAMMA, whole / R1_GAMMA)


def test_r1_looks_at_real_images_alone_each_by_its_own_slope():
    def critic(images):
        return images.square().sum(dim=1) / 2, None  # its slope at x is x

    real = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert r1_penalty(critic, real, None, None).item() == pytest.approx(R1_GAMMA / 2 * (25 + 1) / 2)
    assert not real.requires_grad


def test_r1_moves_the_trunk_and_ds_head_and_not_q():
    dq = DiscriminatorQ(CodeSpec(), (1, 8, 8), 0.05, norm="none")
    r1_penalty(dq, torch.rand(6, 1, 8, 8), None, None).backward()
    assert all(p.grad is None for p in dq.q_head.parameters())
    assert dq.real_head.weight.grad.any()
    assert dq.trunk[0].weight.grad.any()
