"""Views: what each keeps and what it takes out, on pictures of the worlds; and a run in which Q reads them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range
from infogan_helpers.disentanglement import circular_correlation
from infogan_helpers.losses import answer_information, answer_spread, lower_bound
from infogan_helpers.networks import Generator, Posterior
from infogan_helpers.training import (
    PRESETS,
    TrainingConfig,
    _disagreement,
    _read_copies,
    fit,
    make_players,
    settle_batch_norm,
    weights_at,
)
from infogan_helpers.views import UNANSWERED, VIEWS, view
from infogan_helpers.world_presets import WORLD_PRESETS, without_views
from infogan_helpers.worlds import Chairs, Faces, Sprites

VIEWED = WORLD_PRESETS["sprites"].config


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(world, n=300, **held):
    """Pictures of random factors, some of them held at one index."""
    factors = world.sample_factors(n, seeded())
    for name, index in held.items():
        factors[:, world.names.index(name)] = index
    return world.render(factors), {k: v.numpy() for k, v in world.values(factors).items()}


def centre(pictures):
    """Centroids in halves of the picture, x to the right and y downwards."""
    ink = (pictures[:, 0].double() + 1) / 2
    ticks = (torch.arange(ink.shape[1]) + 0.5) * 2 / ink.shape[1] - 1
    mass = ink.sum(dim=(1, 2))
    return torch.stack([(ink.sum(1) * ticks).sum(1) / mass, (ink.sum(2) * ticks).sum(1) / mass], dim=1)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("side", [32, 64])
def test_a_view_has_the_pictures_shape_is_seeded_and_lets_a_gradient_through(name, side):
    world = Sprites(side) if name in ("shape", "x", "y", "scale", "axis") else Chairs(side)
    images = (drawn(world, 12)[0] * 0.98).requires_grad_()
    seen = view(images, name, seeded())
    assert seen.shape == images.shape
    assert torch.equal(seen, view(images, name, seeded()))
    assert seen.std() > 0.01
    seen.square().sum().backward()
    assert torch.isfinite(images.grad).all()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("name", VIEWS)
def test_a_blank_picture_has_a_view_too(name):
    assert torch.isfinite(view(torch.full((2, 1, 32, 32), -1.0), name, seeded())).all()


@pytest.mark.parametrize(("name", "axis"), [("x", 0), ("y", 1)])
def test_a_place_is_kept_and_the_other_lost(name, axis):
    images, _ = drawn(Sprites())
    before, after = centre(images), centre(view(images, name, seeded()))
    assert (before - after)[:, axis].abs().max() < 0.05
    assert abs(spearmanr(before[:, 1 - axis], after[:, 1 - axis]).statistic) < 0.2
    assert after[:, 1 - axis].std() > 0.2


def test_the_view_of_scale_keeps_the_area_and_loses_the_place():
    images, values = drawn(Sprites(), shape=0)
    seen = view(images, "scale", seeded())
    area = ((seen + 1) / 2).mean(dim=(1, 2, 3))
    assert spearmanr(area, values["scale"]).statistic > 0.95
    assert centre(seen).abs().max() < 0.05


@pytest.mark.parametrize("name", ["shape", "x", "y"])
def test_other_views_of_sprites_lose_the_scale(name):
    images, values = drawn(Sprites(), shape=0)
    area = ((view(images, name, seeded()) + 1) / 2).mean(dim=(1, 2, 3))
    small = area[values["scale"] < 0.7].mean()
    large = area[values["scale"] > 0.8].mean()
    assert small / large == pytest.approx(1, abs=0.12)


def test_a_shape_in_full_black_and_white_can_still_be_moved():
    images = torch.where(drawn(Sprites(), 8)[0] > 0, 1.0, -1.0).requires_grad_()
    seen = view(images, "x", seeded())
    (seen * torch.arange(32.0)).sum().backward()
    changed = (images.grad != 0).float().mean(dim=(1, 2, 3))
    assert changed.min() > 0.2  # not the outline alone


def test_the_axis_follows_an_ellipse_and_leaves_place_and_scale_alone():
    world = Sprites()
    images, values = drawn(world, shape=1)
    place = (view(images, "axis")[:, 0, 0].argmax(dim=1) + 0.5) / 16 - 1
    assert circular_correlation(math.pi * place, 2 * values["orientation"]) > 0.98  # twice: half a turn is none
    seen = view(drawn(world, 60, shape=1, orientation=7)[0], "axis")
    assert seen.std(dim=0).max() < 0.15


def test_the_view_of_shape_loses_the_orientation():
    seen = view(drawn(Sprites(), 60, shape=1, orientation=7)[0], "shape", seeded())
    apart = view(drawn(Sprites(), 60, shape=0, orientation=7)[0], "shape", seeded())
    assert seen.std(dim=0).mean() > 0.15
    inner = (seen[..., 12:20, 12:20].mean(), apart[..., 12:20, 12:20].mean())
    assert abs(inner[0] - inner[1]) < 0.2  # both are as large


@pytest.mark.parametrize(
    ("name", "factor", "others"),
    [
        ("outline", "azimuth", ("elevation",)),
        ("features", "elevation", ("azimuth", "light")),
        ("shading", "light", ("elevation", "azimuth")),
    ],
)
def test_what_varies_most_in_a_view_of_faces_is_its_factor(name, factor, others):
    images, values = drawn(Faces())
    seen = view(images, name).flatten(1)
    u, s, _ = torch.linalg.svd(seen - seen.mean(dim=0), full_matrices=False)
    assert s[0] ** 2 / (s**2).sum() > 0.85
    assert abs(spearmanr(u[:, 0], values[factor]).statistic) > 0.85
    assert max(abs(spearmanr(u[:, 0], values[other]).statistic) for other in others) < 0.25


def test_views_of_faces_turn_over_with_the_picture():
    images, _ = drawn(Faces(), 20)
    for name in ("outline", "shading"):
        torch.testing.assert_close(view(images.flip(3), name), -view(images, name), atol=1e-5, rtol=0)
    torch.testing.assert_close(view(images.flip(2), "features"), -view(images, "features"), atol=1e-4, rtol=0)


def test_the_light_leaves_no_trace_in_the_outline():
    dark, bright = drawn(Faces(), 20, light=0)[0], drawn(Faces(), 20, light=10)[0]
    assert (view(dark, "outline") - view(bright, "outline")).abs().mean() < 0.05


def test_the_dial_follows_the_rotation_and_mirrors_with_the_picture():
    images, values = drawn(Chairs())
    seen = view(images, "dial")
    place = (seen[:, 0, 0].argmax(dim=1) + 0.5) / 16 - 1
    assert circular_correlation(math.pi * place, values["rotation"]) > 0.88
    mirrored = view(images.flip(3), "dial").flip(3)
    ends = place.abs() > 0.9  # both ends are one direction: which of them is a matter of rounding
    torch.testing.assert_close(mirrored[~ends], seen[~ends], atol=1e-3, rtol=0)
    assert seen.std(dim=2).max() < 1e-6


def test_the_views_of_a_chairs_parts_tell_its_parts_apart():
    for name, part in (("back", lambda kind: kind // 6), ("base", lambda kind: kind // 2 % 3)):
        images, values = drawn(Chairs(), 600)
        seen, kinds = view(images, name).flatten(1), part(values["type"].astype(int))
        nearest = torch.cdist(seen[300:], seen[:300]).argmin(dim=1).numpy()
        assert np.mean(kinds[300:] == kinds[:300][nearest]) > 1.6 / (kinds.max() + 1)


def test_a_fine_pattern_is_not_seen_in_blocks():
    board = (torch.arange(32)[:, None] + torch.arange(32)) % 2 * 0.5 - 0.25
    assert view(board.expand(1, 1, 32, 32), "coarse").abs().max() < 1e-6


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"images must be floats of shape \(n, 1, side, side\), got \(2, 32, 32\)"):
        view(torch.zeros(2, 32, 32), "x")
    with pytest.raises(ValueError, match="images must be floats"):
        view(torch.zeros(2, 1, 32, 32, dtype=torch.uint8), "x")
    with pytest.raises(ValueError, match=r"name must be one of the views .*got 'z'"):
        view(torch.zeros(2, 1, 32, 32), "z")


# --- in a run


def a_pair(views, spec, **changes):
    torch.manual_seed(0)
    config = replace(VIEWED, width=0.05, batch_size=16, views=views, **changes)
    players = make_players(spec, (1, 32, 32), config)
    fake = players.generator(spec.sample(16, seeded()))
    real = drawn(Sprites(), 16)[0]
    players.discriminator_q.eval()
    return config, players, fake, real


def test_each_code_is_read_from_its_view_and_real_images_are_shown_twice():
    spec = CodeSpec(categorical=(3,), continuous=2, noise=4)
    config, players, fake, real = a_pair(("shape", "x", "shape"), spec, view_noise=0.0)
    dq, random, again = players.discriminator_q, seeded(5), seeded(5)
    read, read_from, on_copy = _read_copies(dq, fake, real, None, config, random)
    assert read_from.tolist() == [[True, False, True], [False, True, False]] * 8
    shown = [view(images[i::2], name, again) for images in (fake, real, real) for i, name in enumerate(("shape", "x"))]
    for part, posterior in enumerate((read, *on_copy)):
        for i in range(2):
            _, expected = dq(shown[2 * part + i])
            torch.testing.assert_close(posterior.mean[i::2], expected.mean, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(
                posterior.categorical_logits[0][i::2], expected.categorical_logits[0], atol=1e-5, rtol=1e-4
            )


def test_noise_falls_on_views():
    spec = CodeSpec(categorical=(), continuous=1, noise=4)
    config, players, fake, real = a_pair(("coarse",), spec, view_noise=0.0)
    quiet, noisy = (
        _read_copies(players.discriminator_q, fake, real, None, replace(config, view_noise=noise), seeded())[0].mean
        for noise in (0.0, 0.5)
    )
    assert not torch.allclose(quiet, noisy)


def answers(seed, n=8):
    logits = torch.randn(n, 3, generator=seeded(seed), requires_grad=True)
    mean = torch.randn(n, 1, generator=seeded(seed + 10), requires_grad=True)
    return Posterior((logits,), mean, torch.zeros(n, 1))


def test_disagreement_on_views_by_hand_and_what_it_moves():
    image, once, again = answers(0), answers(1), answers(2)
    rows = torch.tensor([[True, False], [False, True]] * 4)
    loss = _disagreement(image, (once, again), rows, replace(VIEWED, views=("shape", "x")))

    def cross(target, other):
        return -(target.detach().softmax(1) * other.log_softmax(1)).sum(1).mean()

    i, a, b = (p.categorical_logits[0][::2] for p in (image, once, again))
    categorical = cross(a, i) + (cross(a, b) + cross(b, a)) / 2 - 3 * answer_information(torch.cat([a, b]))
    i, a, b = (p.mean[1::2, 0] for p in (image, once, again))
    distance = ((a.detach() - i).abs().mean() + (b.detach() - i).abs().mean()) / 2 + (a - b).abs().mean()
    torch.testing.assert_close(loss, categorical + 2 * (distance + answer_spread(torch.cat([a, b]))))
    loss.backward()
    for p in (image, once, again):
        assert torch.equal((p.categorical_logits[0].grad != 0).any(dim=1), rows[:, 0])
        assert p.mean.grad[1::2].any()  # a sign can cancel in one row, not in all
        assert not p.mean.grad[::2].any()


def test_views_that_show_too_much_ask_nothing_of_real_images():
    config = replace(VIEWED, views=("shape", "coarse"))
    rows = torch.ones(8, 2, dtype=torch.bool)
    image, once, again = answers(0), answers(1), answers(2)
    _disagreement(image, (once, again), rows, config).backward()
    assert image.mean.grad is None or not image.mean.grad.any()
    assert set(UNANSWERED) <= set(VIEWS)


def test_gradients_of_a_view_reach_g_and_those_of_agreement_do_not():
    spec = CodeSpec(categorical=(), continuous=1, noise=4)
    config, players, fake, real = a_pair(("x",), spec)
    posterior, rows, on_copy = _read_copies(players.discriminator_q, fake, real, None, config, seeded())
    _, on_image = players.discriminator_q(real)
    lower_bound(posterior, spec.sample(16, seeded()), spec, rows).total.backward(retain_graph=True)
    assert all(p.grad is not None for p in players.generator.parameters())
    players.generator.zero_grad()
    _disagreement(on_image, on_copy, rows, config).backward()
    assert not any(p.grad is not None and p.grad.any() for p in players.generator.parameters())


def test_answers_spread_by_hand():
    assert answer_spread(torch.tensor([0.5, -0.5])).item() == pytest.approx(0, abs=1e-12)
    assert answer_spread(torch.zeros(2)).item() == pytest.approx(0.25)
    assert answer_spread(torch.zeros(1000)).item() == pytest.approx(1 / 3, abs=1e-3)
    means = torch.tensor([0.9, 0.1, -0.2, -0.6], requires_grad=True)
    expected = np.mean((np.array([-0.6, -0.2, 0.1, 0.9]) - np.array([-0.75, -0.25, 0.25, 0.75])) ** 2)
    loss = answer_spread(means)
    assert loss.item() == pytest.approx(expected, abs=1e-7)
    loss.backward()
    torch.testing.assert_close(means.grad, torch.tensor([0.075, -0.075, 0.025, 0.075]))
    for wrong in (torch.zeros(0), torch.zeros(2, 2)):
        with pytest.raises(ValueError, match=r"means must have shape \(n,\) with n of at least 1"):
            answer_spread(wrong)


def test_seasons_of_a_run_that_reads_views():
    start, taught, whole = (weights_at(VIEWED, done) for done in (0.0, 0.07, 0.35))
    assert (start.continuous, start.categorical, start.reading, start.agreement) == (0, 0, 0, 0)
    assert (taught.continuous, taught.agreement) == (0, VIEWED.agreement)  # first what an answer is, then the game
    assert (whole.continuous, whole.categorical) == (VIEWED.lambda_continuous, VIEWED.lambda_categorical)
    assert whole.reading == pytest.approx(0.2)
    assert weights_at(replace(VIEWED, scheduled=False), 0.0).continuous == VIEWED.lambda_continuous
    assert weights_at(TrainingConfig(), 0.0).reading == 1.0


def test_batch_norm_is_settled_on_real_images_alone():
    spec = CodeSpec(categorical=(), continuous=1, noise=4)
    config, players, _, real = a_pair(("x",), spec)

    def settled(config, seed):
        torch.manual_seed(seed)
        generator = Generator(spec, (1, 32, 32), config.width)
        settle_batch_norm(players.discriminator_q, generator, real, spec, config)
        layer = next(m for m in players.discriminator_q.modules() if isinstance(m, torch.nn.BatchNorm2d))
        return layer.running_mean.clone()

    torch.testing.assert_close(settled(config, 1), settled(config, 2), atol=0, rtol=0)
    without = replace(config, views=(), agreement=0.0)
    assert not torch.allclose(settled(without, 1), settled(without, 2))


def test_a_run_learns_a_place_from_its_view_alone_and_forgets_nothing():
    """Real training: 250 steps on sprites, and Q's answer follows x on pictures that training never saw."""
    world, spec = Sprites(), CodeSpec(categorical=(), continuous=1, noise=8)
    images, _, _ = world.images_and_factors(2000, seed=1, progress=False)
    config = replace(VIEWED, views=("x",), steps=250, batch_size=64, width=0.1)
    result = fit(images, spec, config, device="cpu", progress=False)
    test, values = drawn(world)
    with torch.no_grad():
        _, posterior = result.discriminator_q(test)
    assert abs(spearmanr(posterior.mean[:, 0], values["x"]).statistic) > 0.9
    again = fit(images, spec, config, device="cpu", progress=False)
    for one, two in zip(result.generator.parameters(), again.generator.parameters(), strict=True):
        assert torch.equal(one, two)
    assert as_model_range(images).shape == images.shape


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"views": ("nothing",)}, "views must be a tuple of views from"),
        ({"views": "x"}, "views must be a tuple"),
        ({"view_noise": -1}, "view_noise must be a number of at least 0"),
        ({"views": ("x", "y"), "batch_size": 3}, "batch_size must be at least 4, two a view"),
    ],
)
def test_settings_that_do_not_hold_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(VIEWED, **changes)


def test_views_and_copies_exclude_each_other():
    with pytest.raises(ValueError, match=r"views must be empty where restyle is above 0"):
        replace(PRESETS["recipe"], views=("x",))


def test_every_code_needs_a_view():
    with pytest.raises(ValueError, match="views must name one view for each of 2 codes, got 1"):
        make_players(CodeSpec((), 2, 4), (1, 32, 32), replace(VIEWED, views=("x",)))


@pytest.mark.parametrize("name", WORLD_PRESETS)
def test_presets_fit_their_worlds(name):
    preset = WORLD_PRESETS[name]
    assert len(preset.config.views) == len(preset.spec.categorical) + preset.spec.continuous
    for each in (preset, without_views(preset), without_views(preset, 0.0)):
        make_players(each.spec, each.world().image_shape, replace(each.config, width=0.05))
    plain, control = without_views(preset).config, without_views(preset, 0.0).config
    assert (plain.views, plain.lambda_categorical, plain.lambda_continuous, plain.agreement) == ((), 1.0, 0.1, 0.0)
    assert (control.views, control.lambda_categorical, control.lambda_continuous) == ((), 0.0, 0.0)
