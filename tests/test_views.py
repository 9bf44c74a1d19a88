"""Views: what each keeps and what it takes out, on pictures of the worlds; and a run in which Q reads them."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from infogan_helpers import losses, training
from infogan_helpers.code_factors import circular_correlation
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range
from infogan_helpers.losses import (
    answer_information,
    answer_spread,
    answer_unevenness,
    distance_disagreement,
    lower_bound,
)
from infogan_helpers.networks import Generator, Posterior
from infogan_helpers.training import (
    PRESETS,
    TEACHING,
    TrainingConfig,
    _disagreement,
    _OnView,
    _read_copies,
    fit,
    make_players,
    settle_batch_norm,
    train_step,
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


def level(seen):
    """The place in [-1, 1] up to which a level is filled."""
    return seen[:, 0, 0].mean(dim=1)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("side", [32, 64])
def test_a_view_has_the_pictures_shape_and_lets_a_gradient_through(name, side):
    world = Sprites(side) if name in ("shape", "x", "y", "scale", "axis") else Chairs(side)
    images = (drawn(world, 12)[0] * 0.98).requires_grad_()
    seen = view(images, name)
    assert seen.shape == images.shape
    assert seen.std() > 0.01
    seen.square().sum().backward()
    assert torch.isfinite(images.grad).all()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("name", VIEWS)
def test_a_blank_picture_has_a_view_too_and_a_gradient(name):
    blank = torch.full((2, 1, 32, 32), -1.0, requires_grad=True)
    seen = view(blank, name)
    assert torch.isfinite(seen).all()
    seen.square().sum().backward()
    assert torch.isfinite(blank.grad).all()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_one_picture_does_not_depend_on_the_others(name):
    world = Faces() if name in ("outline", "features", "shading", "coarse") else Chairs()
    images, _ = drawn(world, 6)
    torch.testing.assert_close(view(images[2:3], name), view(images, name)[2:3], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("name", "axis"), [("x", 0), ("y", 1)])
def test_a_place_is_kept_and_all_else_lost(name, axis):
    images, values = drawn(Sprites())
    at = level(view(images, name))
    assert spearmanr(at, centre(images)[:, axis]).statistic > 0.999
    for other in ("shape", "scale", "orientation", "x", "y"):
        assert other == name or abs(spearmanr(at, values[other]).statistic) < 0.2


def test_the_view_of_scale_keeps_the_area_and_loses_the_place():
    images, values = drawn(Sprites(), shape=0)
    at = level(view(images, "scale"))
    assert spearmanr(at, values["scale"]).statistic > 0.98
    assert max(abs(spearmanr(at, values[other]).statistic) for other in ("x", "y")) < 0.2


def test_a_shape_in_full_black_and_white_can_still_be_moved():
    images = torch.where(drawn(Sprites(), 8)[0] > 0, 1.0, -1.0).requires_grad_()
    view(images, "x").sum().backward()
    changed = (images.grad != 0).float().mean(dim=(1, 2, 3))
    assert changed.min() > 0.9  # not the outline alone
    right, left = images.grad[..., 16:].mean(), images.grad[..., :16].mean()
    assert right > 0 > left  # ink on the right moves it to the right


def test_the_axis_follows_an_ellipse_and_leaves_place_and_scale_alone():
    world = Sprites()
    images, values = drawn(world, shape=1)
    turn = math.pi * (level(view(images, "axis")).argsort().argsort() * 2 / len(images) - 1)
    assert circular_correlation(turn, 2 * values["orientation"]) > 0.95  # twice: half a turn is none
    seen = view(drawn(world, 60, shape=1, orientation=7)[0], "axis")
    assert seen.std(dim=0).max() < 0.15


def test_the_view_of_shape_tells_shapes_apart_and_loses_all_else():
    world = Sprites()
    images, values = drawn(world, 400)
    seen, shape = view(images, "shape").flatten(1), values["shape"].astype(int)
    middles = torch.stack([seen[shape == kind].mean(dim=0) for kind in range(3)])
    assert (torch.cdist(seen, middles).argmin(dim=1).numpy() == shape).all()
    for factor in ("orientation", "x", "y"):
        low, high = (view(drawn(world, 30, shape=1, **{factor: index})[0], "shape").mean(dim=0) for index in (1, 15))
        apart = (middles[0] - middles[1]).abs().mean()
        assert (low - high).abs().mean() < 0.25 * apart


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
    assert s[0] ** 2 / (s**2).sum() > 0.8
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
    turn = math.pi * level(view(images, "dial"))
    assert circular_correlation(turn, values["rotation"]) > 0.95
    ends = level(view(images, "dial")).abs() > 0.6  # both ends are one direction: which of them is a matter of rounding
    seen, mirrored = view(images, "dial"), -view(images.flip(3), "dial").flip(3)
    torch.testing.assert_close(mirrored[~ends], seen[~ends], atol=1e-3, rtol=0)
    assert seen.std(dim=2).max() < 1e-6


def test_the_views_of_a_chairs_parts_tell_its_parts_apart():
    parts = {"back": (lambda kind: kind // 6, 0.75), "arms": (lambda kind: kind % 2, 0.9)}
    parts["base"] = (lambda kind: kind // 2 % 3, 0.9)
    images, values = drawn(Chairs(), 900)
    for name, (part, share) in parts.items():
        seen, kinds = view(images, name).flatten(1), part(values["type"].astype(int))
        nearest = torch.cdist(seen[600:], seen[:600]).argmin(dim=1).numpy()
        assert np.mean(kinds[600:] == kinds[:600][nearest]) > share


@pytest.mark.parametrize("turned", [3, 6, 9, 27, 30])
def test_what_is_above_the_seat_and_no_arm_is_not_seen_as_one(turned):
    armless, armed = (drawn(Chairs(), 40, type=kind, rotation=turned)[0] for kind in (0, 1))
    armless, armed = (view(images, "arms")[:, 0, 0, 8:24].mean(dim=0).max() for images in (armless, armed))
    assert armless < 0.12
    assert armed > 0.2


@pytest.mark.parametrize("turned", [3, 9, 15, 21, 27, 33])
def test_the_upper_edge_of_a_back_tells_the_front_from_the_rear(turned):
    images, values = drawn(Chairs(), 100, rotation=turned)
    turn = math.pi * level(view(images, "dial"))
    expected = -torch.as_tensor(values["rotation"])  # the dial runs the other way round
    assert (turn - expected).cos().gt(0.5).float().mean() > (0.6 if turned in (9, 27) else 0.85)


@pytest.mark.parametrize("turned", [0, 3, 15, 21, 33])
def test_a_closed_back_is_a_board_in_the_light_and_posts_are_not(turned):
    """The lower half of the view says how far the back is from a board, however the light falls on it."""
    panel, posts = (drawn(Chairs(), 20, type=kind, rotation=turned, height=5, width=5)[0] for kind in (0, 6))
    panel, posts = (view(images, "back")[:, 0, 18:28, 8:24].mean() for images in (panel, posts))
    assert panel < -0.9
    assert posts > panel + 0.1


def test_what_stands_on_the_floor_looks_alike_however_the_chair_is_turned():
    """A star's middle post and a sled's two rails are seen from above, where they are."""
    sled = drawn(Chairs(), 40, type=4, width=3, height=3)[0]
    columns = view(sled, "base").mean(dim=(0, 1, 2))
    assert columns[12:20].mean() < 0.6 * max(columns[4:10].mean(), columns[22:28].mean())


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


def test_each_code_is_read_from_its_view_and_real_images_are_asked_about():
    spec = CodeSpec(categorical=(3,), continuous=2, noise=4)
    config, players, fake, real = a_pair(("shape", "x", "shape"), spec, view_noise=0.0)
    dq = players.discriminator_q
    read, read_from, on_view = _read_copies(dq, fake, real, dq(fake)[1], config, seeded(5))
    assert read_from.tolist() == [[True, False, True], [False, True, False]] * 8
    for i, name in enumerate(("shape", "x")):
        _, expected = dq(view(fake[i::2], name))
        torch.testing.assert_close(read.mean[i::2], expected.mean, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            read.categorical_logits[0][i::2], expected.categorical_logits[0], atol=1e-5, rtol=1e-4
        )
        asked = on_view[name]
        assert asked.images.tolist() == (list(range(16)) if name == "shape" else list(range(1, 16, 2)))
        torch.testing.assert_close(asked.shown, view(real[asked.images], name))
        _, expected = dq(asked.shown)
        torch.testing.assert_close(asked.posterior.mean, expected.mean, atol=1e-5, rtol=1e-4)


def test_noise_falls_on_views():
    spec = CodeSpec(categorical=(), continuous=1, noise=4)
    config, players, fake, real = a_pair(("coarse",), spec, view_noise=0.0)
    quiet, noisy = (
        _read_copies(
            players.discriminator_q,
            fake,
            real,
            players.discriminator_q(fake)[1],
            replace(config, view_noise=noise),
            seeded(),
        )[0].mean
        for noise in (0.0, 0.5)
    )
    assert not torch.allclose(quiet, noisy)


def answers(seed, n=8):
    logits = torch.randn(n, 3, generator=seeded(seed), requires_grad=True)
    mean = torch.randn(n, 1, generator=seeded(seed + 10), requires_grad=True)
    return Posterior((logits,), mean, torch.zeros(n, 1))


def on_views(seed=1):
    """Answers on two views: of all eight images, and of every other one."""
    everything, half = torch.arange(8), torch.arange(1, 8, 2)
    shown = torch.randn(8, 1, 4, 4, generator=seeded(seed + 20))
    return {
        "shape": _OnView(everything, shown, answers(seed)),
        "x": _OnView(half, shown[half], answers(seed + 1, n=4)),
    }


def test_disagreement_on_views_by_hand_and_what_it_moves():
    image, on_view = answers(0), on_views()
    loss = _disagreement(image, on_view, replace(VIEWED, views=("shape", "x")))
    i, seen = image.categorical_logits[0], on_view["shape"].posterior.categorical_logits[0]
    taught = -(seen.detach().softmax(1) * i.log_softmax(1)).sum(1).mean()
    categorical = TEACHING * taught - 3 * answer_information(seen)
    categorical = categorical + distance_disagreement(seen.softmax(1), on_view["shape"].shown)
    i, seen = image.mean[1::2, 0], on_view["x"].posterior.mean[:, 0]
    continuous = 2 * ((seen.detach() - i).abs().mean() + answer_spread(seen))
    continuous = continuous + distance_disagreement(seen, on_view["x"].shown)
    torch.testing.assert_close(loss, categorical + continuous)
    loss.backward()
    assert image.categorical_logits[0].grad.any(dim=1).all()
    assert image.mean.grad[1::2].all()
    assert not image.mean.grad[::2].any()
    assert on_view["shape"].posterior.categorical_logits[0].grad.any(dim=1).all()
    assert on_view["x"].posterior.mean.grad.all()


def test_an_image_learns_from_a_view_and_not_the_other_way_about():
    image, on_view = answers(0), on_views()
    config = replace(VIEWED, views=("shape", "x"))
    _disagreement(image, on_view, config).backward()
    before = on_view["x"].posterior.mean.grad.clone()
    on_view["x"].posterior.mean.grad = None
    _disagreement(answers(7), on_view, config).backward()
    torch.testing.assert_close(on_view["x"].posterior.mean.grad, before)


def test_views_that_show_too_much_ask_nothing_of_real_images():
    image, on_view = answers(0), on_views()
    on_view["coarse"] = on_view.pop("x")
    _disagreement(image, on_view, replace(VIEWED, views=("shape", "coarse"))).backward()
    assert image.mean.grad is None or not image.mean.grad.any()
    assert set(UNANSWERED) <= set(VIEWS)


def test_gradients_of_a_view_reach_g_and_those_of_agreement_do_not():
    spec = CodeSpec(categorical=(), continuous=1, noise=4)
    config, players, fake, real = a_pair(("x",), spec)
    dq = players.discriminator_q
    posterior, rows, on_view = _read_copies(dq, fake, real, dq(fake)[1], config, seeded())
    _, on_image = dq(real)
    lower_bound(posterior, spec.sample(16, seeded()), spec, rows).total.backward(retain_graph=True)
    assert all(p.grad is not None for p in players.generator.parameters())
    players.generator.zero_grad()
    _disagreement(on_image, on_view, config).backward()
    assert not any(p.grad is not None and p.grad.any() for p in players.generator.parameters())


def test_distances_disagree_by_hand():
    shown = torch.tensor([[0.0], [1.0], [3.0]])
    assert distance_disagreement(shown * -2 + 7, shown).item() == pytest.approx(0, abs=1e-6)
    folded = torch.tensor([0.0, 1.0, 0.0], requires_grad=True)
    here, there = np.array([1, 0, 1.0]), np.array([1, 3, 2.0])
    loss = distance_disagreement(folded, shown)
    assert loss.item() == pytest.approx(1 - np.corrcoef(here, there)[0, 1], abs=1e-3)
    loss.backward()
    assert folded.grad.any()
    assert distance_disagreement(torch.zeros(3), shown).item() == pytest.approx(1)
    pictures = shown.reshape(3, 1, 1, 1).requires_grad_()
    assert distance_disagreement(folded, pictures).item() == pytest.approx(loss.item(), abs=1e-6)
    distance_disagreement(folded, pictures).backward()
    assert pictures.grad is None
    for answers_, shown_ in ((torch.zeros(3), torch.zeros(4, 1)), (torch.zeros(2), torch.zeros(2, 1))):
        with pytest.raises(ValueError, match="answers and shown must be as many, at least 3"):
            distance_disagreement(answers_, shown_)


@pytest.mark.parametrize("in_cache", [1, 70, 2**19])
def test_distances_are_the_same_however_many_are_taken_at_a_time(monkeypatch, in_cache):
    answers_, shown = torch.randn(9, 3, generator=seeded()), torch.randn(9, 1, 4, 4, generator=seeded(1))
    expected = 1 - np.corrcoef(torch.pdist(answers_).numpy(), torch.pdist(shown.flatten(1)).numpy())[0, 1]
    monkeypatch.setattr(losses, "IN_CACHE", in_cache)
    assert distance_disagreement(answers_, shown).item() == pytest.approx(expected, abs=1e-5)


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
    config = replace(VIEWED, head_start=0.2)
    start, taught, whole, end = (weights_at(config, done) for done in (0.2, 0.3, 0.5, 1.0))
    assert (start.continuous, start.categorical, start.reading, start.agreement) == (0, 0, 0, 0)  # G learns to draw
    assert taught.continuous == pytest.approx(0, abs=1e-9)
    assert taught.agreement == pytest.approx(config.agreement)  # Q learns what an answer is
    assert whole.continuous == pytest.approx(config.lambda_continuous)
    assert whole.categorical == pytest.approx(config.lambda_categorical)
    assert whole.reading == pytest.approx(0.2)
    assert (whole.learning_rate, end.learning_rate) == (1.0, pytest.approx(0.02))
    assert weights_at(replace(config, head_start=0.0), 0.3).continuous == pytest.approx(whole.continuous)
    assert weights_at(replace(config, scheduled=False), 0.0).continuous == config.lambda_continuous
    assert weights_at(TrainingConfig(), 0.0).reading == 1.0


def after_a_step(done, monkeypatch, quiet=False, **changes):
    """Parameters of the trunk and of D's head after one step of a small run."""
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    config, players, _, real = a_pair(("shape", "x"), spec, **changes)
    players.discriminator_q.train()
    if quiet:
        monkeypatch.setattr(training, "READING", 0.0)
    train_step(players, real, spec, config, seeded(), done)
    return torch.cat([p.detach().flatten() for p in players.optimizer_d.param_groups[0]["params"]])


def test_the_trunk_is_taught_as_much_as_its_share(monkeypatch):
    alone = after_a_step(0.9, monkeypatch, quiet=True, trunk_share=0.0)
    without = {"lambda_categorical": 0.0, "lambda_continuous": 0.0, "agreement": 0.0}
    torch.testing.assert_close(alone, after_a_step(0.9, monkeypatch, quiet=True, **without), atol=0, rtol=0)
    assert not torch.equal(alone, after_a_step(0.9, monkeypatch, quiet=True, trunk_share=0.1))


def test_evenness_is_asked_of_answers_on_views_alone():
    image, (config, on_view) = answers(0), (replace(VIEWED, views=("shape", "x")), on_views())
    everything = torch.arange(8)
    on_view["x"] = _OnView(everything, on_view["shape"].shown, answers(2))  # where evenness is asked, all are shown
    seen = on_view["shape"].posterior.categorical_logits[0]
    beside = on_view["x"].posterior.mean
    without = _disagreement(image, on_view, config)
    even = _disagreement(image, on_view, replace(config, evenness=3.0))
    torch.testing.assert_close(even - without, 3 * answer_unevenness(seen, beside))
    (even - without).backward()
    assert beside.grad is None or not beside.grad.any()
    alone = {"shape": on_view["shape"], "coarse": on_view["x"]}  # its answers mean nothing: all are near
    config = replace(config, views=("shape", "coarse"))
    torch.testing.assert_close(
        _disagreement(image, alone, replace(config, evenness=3.0)) - _disagreement(image, alone, config),
        3 * answer_unevenness(seen, torch.zeros(8, 0)),
    )


def test_evenness_looks_at_each_uniform_code_on_its_own_view():
    shown = torch.randn(8, 1, 4, 4, generator=seeded())
    means = 0.05 * torch.randn(2, 8, 2, generator=seeded(1))  # of either view, of either code; all near
    logits = torch.randn(8, 3, generator=seeded(2))
    on_view = {
        name: _OnView(torch.arange(8), shown, Posterior((logits,), mean, torch.zeros(8, 2)))
        for name, mean in {"shape": means[0], "x": means[0], "y": means[1]}.items()
    }
    image, config = (
        Posterior((logits,), torch.zeros(8, 2), torch.zeros(8, 2)),
        replace(VIEWED, views=("shape", "x", "y")),
    )
    asked = _disagreement(image, on_view, replace(config, evenness=1.0)) - _disagreement(image, on_view, config)
    beside = torch.stack([means[0, :, 0], means[1, :, 1]], dim=1)
    torch.testing.assert_close(asked, answer_unevenness(logits, beside))


@pytest.mark.parametrize(("evenness", "of_x"), [(0.0, 5), (1.0, 16)])
def test_all_real_images_are_shown_where_answers_on_them_are_compared(evenness, of_x):
    spec = CodeSpec(categorical=(3,), continuous=2, noise=4)
    config, players, fake, real = a_pair(("shape", "x", "coarse"), spec, evenness=evenness)
    dq = players.discriminator_q
    posterior, read_from, on_view = _read_copies(dq, fake, real, dq(fake)[1], config, seeded())
    expected = {"shape": 16, "x": of_x, "coarse": 5}
    assert {name: len(answer.images) for name, answer in on_view.items()} == expected
    assert {name: len(answer.posterior.mean) for name, answer in on_view.items()} == expected
    assert len(posterior.mean) == 16
    assert read_from.sum(dim=0).tolist() == [6, 5, 5]


def test_uniform_codes_are_taught_as_loudly_as_classes_in_lessons():
    image, on_view, config = answers(0), on_views(), replace(VIEWED, views=("shape", "x"))
    taught = (on_view["x"].posterior.mean - image.mean[1::2]).abs().mean()
    louder = _disagreement(image, on_view, config, TEACHING) - _disagreement(image, on_view, config, 2.0)
    torch.testing.assert_close(louder, (TEACHING - 2) * taught)
    torch.testing.assert_close(_disagreement(image, on_view, config), _disagreement(image, on_view, config, 2.0))


def test_seasons_of_a_run_that_ends_with_lessons():
    config = replace(VIEWED, lessons=0.4, trunk_share=0.1)
    before, slower, taught, end = (weights_at(config, done) for done in (0.5, 0.55, 0.6, 1.0))
    assert (before.learning_rate_g, before.trunk_share) == (1.0, 0.1)
    assert slower.learning_rate_g == pytest.approx(0.5)
    assert slower.trunk_share == 0.1
    assert before.learning_rate == slower.learning_rate == 1.0
    assert (taught.learning_rate_g, taught.trunk_share, taught.learning_rate) == (0.0, 1.0, 2.0)
    assert (before.uniform_teaching, slower.uniform_teaching, taught.uniform_teaching) == (2.0, 2.0, TEACHING)
    assert (end.learning_rate_g, end.trunk_share, end.learning_rate) == (0.0, 1.0, pytest.approx(0.04))
    without = weights_at(replace(config, lessons=0.0), 0.99)
    assert (without.learning_rate_g, without.trunk_share) == (1.0, 0.1)
    assert weights_at(TrainingConfig(), 1.0).learning_rate_g == 1.0


def test_a_step_of_the_lessons_leaves_g_alone_whatever_its_rate_was_and_its_last_gradients():
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    config, players, _, real = a_pair(("shape", "x"), spec, lessons=0.4)
    train_step(players, real, spec, config, seeded(), done=0.1)
    before = [p.detach().clone() for p in players.generator.parameters()]
    train_step(players, real, spec, config, seeded(), done=0.9)
    assert all(torch.equal(a, b) for a, b in zip(before, players.generator.parameters(), strict=True))


@pytest.mark.parametrize(("done", "weight"), [(0.1, 2.0), (0.9, TEACHING)])
def test_a_step_teaches_uniform_codes_as_its_season_says(monkeypatch, done, weight):
    taught = []
    monkeypatch.setattr(training, "_disagreement", lambda *a: taught.append(a[3]) or _disagreement(*a))
    after_a_step(done, monkeypatch, lessons=0.4)
    assert taught == [weight]


def test_g_rests_while_q_has_lessons(monkeypatch):
    """G's weights are the same at the end of a run as when the lessons began; Q's head is not."""
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    config = replace(VIEWED, views=("shape", "x"), steps=10, batch_size=16, width=0.05, lessons=0.5, sample_every=1)
    images = Sprites().images_and_factors(100, seed=1, progress=False)[0]
    seen = []

    def note(_):
        seen.append([p.detach().clone() for p in made[0].generator.parameters()])
        seen[-1].append(next(made[0].discriminator_q.q_head.parameters()).detach().clone())

    made = []
    monkeypatch.setattr(training, "make_players", lambda *a: made.append(make_players(*a)) or made[0])
    fit(images, spec, config, device="cpu", callback=note, progress=False)
    moved = [[not torch.equal(a, b) for a, b in zip(before, after, strict=True)] for before, after in pairwise(seen)]
    for step, which in enumerate(moved, start=2):
        assert any(which[:-1]) == (step <= 5), step
        assert which[-1]


def test_nobody_looks_at_views_before_their_season(monkeypatch):
    def seen(*_):
        raise RuntimeError("looked")

    monkeypatch.setattr(training, "_read_views", seen)
    after_a_step(0.1, monkeypatch, head_start=0.2)
    with pytest.raises(RuntimeError, match="looked"):
        after_a_step(0.25, monkeypatch, head_start=0.2)


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
        ({"head_start": 1.5}, r"head_start must be a share in \[0, 1\], got 1.5"),
        ({"trunk_share": -0.1}, r"trunk_share must be a share in \[0, 1\]"),
        ({"lessons": 2}, r"lessons must be a share in \[0, 1\], got 2"),
        ({"evenness": -1}, "evenness must be a number of at least 0"),
        ({"views": ("x", "y"), "batch_size": 5}, "batch_size must be at least 6, three a view"),
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
