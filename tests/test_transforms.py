"""Restyling: small changes that keep the digit, gradients that reach the generator, and who reads the copy."""

import math

import pytest
import torch

from infogan_helpers import transforms
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist, to_model_range
from infogan_helpers.evaluation import ink, slant, thickness, width
from infogan_helpers.networks import DiscriminatorQ, Generator
from infogan_helpers.training import TrainingConfig, _read_restyled, fit, make_players, train_step
from infogan_helpers.transforms import SHIFT, random_style


@pytest.fixture(scope="module")
def digits():
    return to_model_range(load_mnist(train=False).images[:200])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_strength_zero_changes_nothing(digits):
    torch.testing.assert_close(random_style(digits, seeded(), strength=0.0), digits, atol=1e-5, rtol=0)


def test_shape_and_range_are_kept(digits):
    restyled = random_style(digits, seeded())
    assert restyled.shape == digits.shape
    assert restyled.min() >= -1
    assert restyled.max() <= 1


def test_one_seed_gives_one_result_and_another_seed_another(digits):
    assert torch.equal(random_style(digits, seeded(1)), random_style(digits, seeded(1)))
    assert not torch.equal(random_style(digits, seeded(1)), random_style(digits, seeded(2)))


def test_each_image_is_changed_in_its_own_way(digits):
    same = digits[:1].expand(50, -1, -1, -1)
    assert len(random_style(same, seeded()).flatten(1).unique(dim=0)) == 50


def test_slant_thickness_and_place_move_and_ink_stays_on_the_page(digits):
    same = digits[:1].expand(300, -1, -1, -1)
    restyled = random_style(same, seeded())
    assert slant(restyled).std() > 0.1
    assert thickness(restyled).std() > 0.2
    mass = (restyled[:, 0] + 1) / 2
    x = (mass * torch.arange(28.0)).sum(dim=(1, 2)) / mass.sum(dim=(1, 2))
    assert 0.3 < x.std() < 2 * SHIFT
    assert mass.sum(dim=(1, 2)).min() > 20


def test_a_stronger_change_moves_more(digits):
    weak, strong = (random_style(digits, seeded(), strength) for strength in (0.3, 1.0))
    assert (strong - digits).abs().mean() > 1.5 * (weak - digits).abs().mean()


def test_a_shift_by_hand_is_where_it_belongs(monkeypatch):
    """With every other range at 0, a shift of one pixel moves a dot by one pixel."""
    for name in ("ROTATION", "SHEAR", "LOG_SCALE", "THICKENING"):
        monkeypatch.setattr(f"infogan_helpers.transforms.{name}", 0.0)
    dot = torch.full((1, 1, 28, 28), -1.0)
    dot[0, 0, 14, 14] = 1.0
    draws = (2 * torch.rand(4, generator=seeded(3)) - 1).tolist()  # rotation, shear, then the two shifts, a draw each
    moved = (random_style(dot, seeded(3))[0, 0] + 1) / 2
    x = (moved.sum(dim=0) * torch.arange(28)).sum() / moved.sum()
    y = (moved.sum(dim=1) * torch.arange(28)).sum() / moved.sum()
    assert float(x) == pytest.approx(14 - SHIFT * draws[2], abs=1e-3)
    assert float(y) == pytest.approx(14 - SHIFT * draws[3], abs=1e-3)


def test_gradients_reach_the_images(digits):
    images = digits[:8].clone().requires_grad_(True)
    random_style(images, seeded()).sum().backward()
    assert (images.grad != 0).float().mean() > 0.3


def test_bad_input_is_refused(digits):
    with pytest.raises(ValueError, match=r"images must be floats of shape .*got \(5, 2\)"):
        random_style(torch.zeros(5, 2))
    with pytest.raises(ValueError, match="images must be floats"):
        random_style(torch.zeros(1, 1, 28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match="strength must be at least 0, got -1"):
        random_style(digits, strength=-1)


def test_q_reads_the_categorical_code_from_the_copy_and_the_rest_from_the_fake():
    torch.manual_seed(0)
    spec, config = CodeSpec(), TrainingConfig(restyle=1.0)
    dq = DiscriminatorQ(spec, width=0.05).eval()
    fake = Generator(spec, width=0.05)(spec.sample(16))
    _, plain = dq(fake)
    read = _read_restyled(plain, dq, fake, config, seeded())
    _, expected = dq(random_style(fake, seeded()))
    torch.testing.assert_close(read.categorical_logits, expected.categorical_logits)
    assert read.mean is plain.mean
    assert read.log_variance is plain.log_variance
    assert not torch.allclose(read.categorical_logits[0], plain.categorical_logits[0])


def test_without_restyling_the_posterior_is_left_alone():
    spec = CodeSpec()
    dq = DiscriminatorQ(spec, width=0.05).eval()
    fake = torch.zeros(4, 1, 28, 28)
    _, posterior = dq(fake)
    assert _read_restyled(posterior, dq, fake, TrainingConfig(), None) is posterior


def test_g_learns_through_the_copy():
    """With a frozen adversary's loss left out, L_I of c1 alone still moves G."""
    spec = CodeSpec(continuous=0, noise=4)
    players = make_players(spec, (1, 28, 28), TrainingConfig(width=0.05))
    fake = players.generator(spec.sample(8))
    _, posterior = players.discriminator_q(fake)
    read = _read_restyled(posterior, players.discriminator_q, fake, TrainingConfig(restyle=1.0), None)
    read.categorical_logits[0].square().sum().backward()
    assert all(p.grad is not None for p in players.generator.parameters())
    assert sum(p.grad.abs().sum() for p in players.generator.parameters()) > 0


@pytest.mark.parametrize("trunk", [False, True])
def test_a_restyled_run_trains_and_is_deterministic(trunk):
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=seeded())
    config = TrainingConfig(steps=3, batch_size=16, width=0.05, restyle=1.0, information_trains_trunk=trunk)
    first, second = (fit(images, CodeSpec(), config, device="cpu", progress=False) for _ in range(2))
    assert first.history.bound_categorical == second.history.bound_categorical
    plain = fit(images, CodeSpec(), TrainingConfig(steps=3, batch_size=16, width=0.05), device="cpu", progress=False)
    assert plain.history.bound_categorical != first.history.bound_categorical


def test_points_in_the_plane_cannot_be_restyled():
    points = torch.zeros(64, 2)
    config = TrainingConfig(steps=1, batch_size=16, architecture="mlp", restyle=1.0)
    with pytest.raises(ValueError, match=r"images must have shape \(n, channels, height, width\), got \(64, 2\)"):
        fit(points, CodeSpec(), config, progress=False)


def test_a_step_without_categorical_codes_ignores_restyling():
    spec, config = CodeSpec(categorical=(), continuous=1, noise=3), TrainingConfig(width=0.05, restyle=1.0)
    players = make_players(spec, (1, 28, 28), config)
    assert train_step(players, torch.zeros(4, 1, 28, 28), spec, config).bound_categorical == 0


def upright_bar():
    bar = torch.full((1, 1, 28, 28), -1.0)
    bar[0, 0, 4:24, 12:16] = 1.0
    return bar


DRAWS = ("ROTATION", "SHEAR", "SHIFT", "SHIFT", "LOG_SCALE", "LOG_SCALE", "THICKENING")  # in the order of random_style


def only(monkeypatch, kept, seed):
    """Switch every change off but one, and say what the seed draws for it, in its own unit."""
    draw = 2 * torch.rand(len(DRAWS), generator=seeded(seed)) - 1
    for name in set(DRAWS) - {kept}:
        monkeypatch.setattr(transforms, name, 0.0)
    return float(draw[DRAWS.index(kept)]) * getattr(transforms, kept)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("kept", "leans"), [("ROTATION", lambda a: -a), ("SHEAR", math.atan)])
def test_a_bar_leans_by_what_was_drawn(monkeypatch, kept, leans, seed):
    drawn = only(monkeypatch, kept, seed)
    assert slant(random_style(upright_bar(), seeded(seed)))[0] == pytest.approx(leans(drawn), abs=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_grows_and_shrinks_by_up_to_a_pixel_on_each_side(monkeypatch, seed):
    drawn = only(monkeypatch, "THICKENING", seed)
    grown = ink(random_style(upright_bar(), seeded(seed)))[0] - 80
    border = 22 * 6 - 20 * 4 if drawn > 0 else 20 * 4 - 18 * 2  # pixels added, or taken, by a whole pixel on each side
    assert grown == pytest.approx(drawn * border, rel=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_is_scaled_across(monkeypatch, seed):
    drawn = only(monkeypatch, "LOG_SCALE", seed)
    bar = torch.full((1, 1, 28, 28), -1.0)
    bar[0, 0, 4:24, 8:20] = 1.0
    assert width(random_style(bar, seeded(seed)))[0] == pytest.approx(12 / math.exp(drawn), rel=0.03)
