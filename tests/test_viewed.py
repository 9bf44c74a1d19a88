"""The worlds' method: what Q reads from views, what real pictures teach it, and how a run with lessons goes."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from scipy.stats import spearmanr

from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range
from infogan_helpers.losses import answer_information, lower_bound
from infogan_helpers.methods import infogan, viewed
from infogan_helpers.methods.viewed import TEACHING, OnView, inconsistency, read_views, train_step, weights_at
from infogan_helpers.methods.viewed_losses import answer_spread, class_imbalance, distance_disagreement
from infogan_helpers.networks import Generator
from infogan_helpers.posteriors import Posterior
from infogan_helpers.training import run
from infogan_helpers.views import UNANSWERED, VIEWS, view
from infogan_helpers.world_presets import WORLD_PRESETS, without_views
from infogan_helpers.worlds import Sprites

VIEWED = WORLD_PRESETS["sprites"].config


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(world, n=300):
    """Pictures of random factors, and the factors' values."""
    factors = world.sample_factors(n, seeded())
    return world.render(factors), {k: v.numpy() for k, v in world.values(factors).items()}


def a_pair(views, spec, **changes):
    torch.manual_seed(0)
    config = replace(VIEWED, width=0.05, batch_size=16, views=views, **changes)
    players = viewed.make(spec, (1, 32, 32), config)
    fake = players.generator(spec.sample(16, seeded()))
    real = drawn(Sprites(), 16)[0]
    players.discriminator_q.eval()
    return config, players, fake, real


def test_each_code_is_read_from_its_view_and_real_images_are_asked_about():
    spec = CodeSpec(categorical=(3,), continuous=2, noise=4)
    config, players, fake, real = a_pair(("shape", "x", "shape"), spec, view_noise=0.0)
    dq = players.discriminator_q
    read, read_from, on_view = read_views(dq, fake, real, dq(fake)[1], config, seeded(5))
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
        read_views(
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
        "shape": OnView(everything, shown, answers(seed)),
        "x": OnView(half, shown[half], answers(seed + 1, n=4)),
    }


def test_inconsistency_on_views_by_hand_and_what_it_moves():
    image, on_view = answers(0), on_views()
    loss = inconsistency(image, on_view, replace(VIEWED, views=("shape", "x")))
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
    inconsistency(image, on_view, config).backward()
    before = on_view["x"].posterior.mean.grad.clone()
    on_view["x"].posterior.mean.grad = None
    inconsistency(answers(7), on_view, config).backward()
    torch.testing.assert_close(on_view["x"].posterior.mean.grad, before)


def test_views_that_show_too_much_ask_nothing_of_real_images():
    image, on_view = answers(0), on_views()
    on_view["coarse"] = on_view.pop("x")
    inconsistency(image, on_view, replace(VIEWED, views=("shape", "coarse"))).backward()
    assert image.mean.grad is None or not image.mean.grad.any()
    assert set(UNANSWERED) <= set(VIEWS)


def test_gradients_of_a_view_reach_g_and_those_of_consistency_do_not():
    spec = CodeSpec(categorical=(), continuous=1, noise=4)
    config, players, fake, real = a_pair(("x",), spec)
    dq = players.discriminator_q
    posterior, rows, on_view = read_views(dq, fake, real, dq(fake)[1], config, seeded())
    _, on_image = dq(real)
    lower_bound(posterior, spec.sample(16, seeded()), spec, rows).total.backward(retain_graph=True)
    assert all(p.grad is not None for p in players.generator.parameters())
    players.generator.zero_grad()
    inconsistency(on_image, on_view, config).backward()
    assert not any(p.grad is not None and p.grad.any() for p in players.generator.parameters())


def test_the_schedule_of_a_run_that_reads_views():
    config = replace(VIEWED, head_start=0.2)
    start, taught, whole, end = (weights_at(config, done) for done in (0.2, 0.3, 0.5, 1.0))
    assert (start.continuous, start.categorical, start.reading, start.consistency) == (0, 0, 0, 0)  # G learns to draw
    assert taught.continuous == pytest.approx(0, abs=1e-9)
    assert taught.consistency == pytest.approx(config.consistency)  # Q learns what an answer is
    assert whole.continuous == pytest.approx(config.lambda_continuous)
    assert whole.categorical == pytest.approx(config.lambda_categorical)
    assert whole.reading == pytest.approx(0.2)
    assert (whole.learning_rate, end.learning_rate) == (1.0, pytest.approx(0.02))
    assert weights_at(replace(config, head_start=0.0), 0.3).continuous == pytest.approx(whole.continuous)


def after_a_step(done, monkeypatch, quiet=False, **changes):
    """Parameters of the trunk and of D's head after one step of a small run."""
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    config, players, _, real = a_pair(("shape", "x"), spec, **changes)
    players.discriminator_q.train()
    if quiet:
        monkeypatch.setattr(viewed, "READING", 0.0)
    train_step(players, real, spec, config, seeded(), done)
    return torch.cat([p.detach().flatten() for p in players.optimizer_d.param_groups[0]["params"]])


def test_the_trunk_is_taught_as_much_as_its_share(monkeypatch):
    alone = after_a_step(0.9, monkeypatch, quiet=True, trunk_share=0.0)
    without = {"lambda_categorical": 0.0, "lambda_continuous": 0.0, "consistency": 0.0}
    torch.testing.assert_close(alone, after_a_step(0.9, monkeypatch, quiet=True, **without), atol=0, rtol=0)
    assert not torch.equal(alone, after_a_step(0.9, monkeypatch, quiet=True, trunk_share=0.1))


def test_class_balance_is_asked_of_answers_on_views_alone():
    image, (config, on_view) = answers(0), (replace(VIEWED, views=("shape", "x")), on_views())
    everything = torch.arange(8)
    on_view["x"] = OnView(everything, on_view["shape"].shown, answers(2))  # where class balance is asked, all are shown
    seen = on_view["shape"].posterior.categorical_logits[0]
    beside = on_view["x"].posterior.mean
    without = inconsistency(image, on_view, config)
    even = inconsistency(image, on_view, replace(config, class_balance=3.0))
    torch.testing.assert_close(even - without, 3 * class_imbalance(seen, beside))
    (even - without).backward()
    assert beside.grad is None or not beside.grad.any()
    alone = {"shape": on_view["shape"], "coarse": on_view["x"]}  # its answers mean nothing: all are near
    config = replace(config, views=("shape", "coarse"))
    torch.testing.assert_close(
        inconsistency(image, alone, replace(config, class_balance=3.0)) - inconsistency(image, alone, config),
        3 * class_imbalance(seen, torch.zeros(8, 0)),
    )


def test_class_balance_looks_at_each_uniform_code_on_its_own_view():
    shown = torch.randn(8, 1, 4, 4, generator=seeded())
    means = 0.05 * torch.randn(2, 8, 2, generator=seeded(1))  # of either view, of either code; all near
    logits = torch.randn(8, 3, generator=seeded(2))
    on_view = {
        name: OnView(torch.arange(8), shown, Posterior((logits,), mean, torch.zeros(8, 2)))
        for name, mean in {"shape": means[0], "x": means[0], "y": means[1]}.items()
    }
    image, config = (
        Posterior((logits,), torch.zeros(8, 2), torch.zeros(8, 2)),
        replace(VIEWED, views=("shape", "x", "y")),
    )
    asked = inconsistency(image, on_view, replace(config, class_balance=1.0)) - inconsistency(image, on_view, config)
    beside = torch.stack([means[0, :, 0], means[1, :, 1]], dim=1)
    torch.testing.assert_close(asked, class_imbalance(logits, beside))


@pytest.mark.parametrize(("class_balance", "of_x"), [(0.0, 5), (1.0, 16)])
def test_all_real_images_are_shown_where_answers_on_them_are_compared(class_balance, of_x):
    spec = CodeSpec(categorical=(3,), continuous=2, noise=4)
    config, players, fake, real = a_pair(("shape", "x", "coarse"), spec, class_balance=class_balance)
    dq = players.discriminator_q
    posterior, read_from, on_view = read_views(dq, fake, real, dq(fake)[1], config, seeded())
    expected = {"shape": 16, "x": of_x, "coarse": 5}
    assert {name: len(answer.images) for name, answer in on_view.items()} == expected
    assert {name: len(answer.posterior.mean) for name, answer in on_view.items()} == expected
    assert len(posterior.mean) == 16
    assert read_from.sum(dim=0).tolist() == [6, 5, 5]


def test_uniform_codes_are_taught_as_loudly_as_classes_in_lessons():
    image, on_view, config = answers(0), on_views(), replace(VIEWED, views=("shape", "x"))
    taught = (on_view["x"].posterior.mean - image.mean[1::2]).abs().mean()
    louder = inconsistency(image, on_view, config, TEACHING) - inconsistency(image, on_view, config, 2.0)
    torch.testing.assert_close(louder, (TEACHING - 2) * taught)
    torch.testing.assert_close(inconsistency(image, on_view, config), inconsistency(image, on_view, config, 2.0))


def test_the_schedule_of_a_run_that_ends_with_lessons():
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


def test_a_step_of_the_lessons_leaves_g_alone_whatever_its_rate_was_and_its_last_gradients():
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    config, players, _, real = a_pair(("shape", "x"), spec, lessons=0.4)
    train_step(players, real, spec, config, seeded(), done=0.1)
    before = [p.detach().clone() for p in players.generator.parameters()]
    train_step(players, real, spec, config, seeded(), done=0.9)
    assert all(torch.equal(a, b) for a, b in zip(before, players.generator.parameters(), strict=True))


@pytest.mark.parametrize(("done", "weight"), [(0.1, 2.0), (0.9, TEACHING)])
def test_a_step_teaches_uniform_codes_as_its_schedule_says(monkeypatch, done, weight):
    taught = []
    monkeypatch.setattr(viewed, "inconsistency", lambda *a: taught.append(a[3]) or inconsistency(*a))
    after_a_step(done, monkeypatch, lessons=0.4)
    assert taught == [weight]


def test_g_rests_while_q_has_lessons():
    """G's weights are the same at the end of a run as when the lessons began; Q's head is not."""
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    config = replace(VIEWED, views=("shape", "x"), steps=10, batch_size=16, width=0.05, lessons=0.5, sample_every=1)
    images = Sprites().images_and_factors(100, seed=1, progress=False)[0]
    seen = []

    def note(_):
        seen.append([p.detach().clone() for p in made[0].generator.parameters()])
        seen[-1].append(next(made[0].discriminator_q.q_head.parameters()).detach().clone())

    made = []
    method = viewed.METHOD._replace(make=lambda *a: made.append(viewed.make(*a)) or made[0])
    run(method, images, spec, config, device="cpu", callback=note, progress=False)
    moved = [[not torch.equal(a, b) for a, b in zip(before, after, strict=True)] for before, after in pairwise(seen)]
    for step, which in enumerate(moved, start=2):
        assert any(which[:-1]) == (step <= 5), step
        assert which[-1]


def test_nobody_looks_at_views_before_their_time(monkeypatch):
    def seen(*_):
        raise RuntimeError("looked")

    monkeypatch.setattr(viewed, "read_views", seen)
    after_a_step(0.1, monkeypatch, head_start=0.2)
    with pytest.raises(RuntimeError, match="looked"):
        after_a_step(0.25, monkeypatch, head_start=0.2)


def test_batch_norm_is_recalibrated_on_real_images_alone():
    spec = CodeSpec(categorical=(), continuous=1, noise=4)
    config, players, _, real = a_pair(("x",), spec)

    def recalibrated(method, seed):
        torch.manual_seed(seed)
        players.generator = Generator(spec, (1, 32, 32), config.width)
        method.finish(players, real, spec, config)
        layer = next(m for m in players.discriminator_q.modules() if isinstance(m, torch.nn.BatchNorm2d))
        return layer.running_mean.clone()

    torch.testing.assert_close(recalibrated(viewed, 1), recalibrated(viewed, 2), atol=0, rtol=0)
    assert not torch.allclose(recalibrated(infogan, 1), recalibrated(infogan, 2))


def test_a_run_learns_a_place_from_its_view_alone_and_forgets_nothing():
    """Real training: 250 steps on sprites, and Q's answer follows x on pictures that training never saw."""
    world, spec = Sprites(), CodeSpec(categorical=(), continuous=1, noise=8)
    images, _, _ = world.images_and_factors(2000, seed=1, progress=False)
    config = replace(VIEWED, views=("x",), steps=250, batch_size=64, width=0.1)
    result = viewed.fit(images, spec, config, device="cpu", progress=False)
    test, values = drawn(world)
    with torch.no_grad():
        _, posterior = result.discriminator_q(test)
    assert abs(spearmanr(posterior.mean[:, 0], values["x"]).statistic) > 0.9
    again = viewed.fit(images, spec, config, device="cpu", progress=False)
    for one, two in zip(result.generator.parameters(), again.generator.parameters(), strict=True):
        assert torch.equal(one, two)
    assert as_model_range(images).shape == images.shape


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"views": ("nothing",)}, "views must be a tuple of views from"),
        ({"views": "x"}, "views must be a tuple"),
        ({"views": ()}, r"views must be a tuple of views from .*, got \(\)"),
        ({"view_noise": -1}, "view_noise must be a number of at least 0"),
        ({"head_start": 1.5}, r"head_start must be a number in \[0, 1\], got 1.5"),
        ({"trunk_share": -0.1}, r"trunk_share must be a number in \[0, 1\]"),
        ({"lessons": 2}, r"lessons must be a number in \[0, 1\], got 2"),
        ({"class_balance": -1}, "class_balance must be a number of at least 0"),
        ({"views": ("x", "y"), "batch_size": 5}, "batch_size must be at least 6, three per view"),
    ],
)
def test_settings_that_do_not_hold_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(VIEWED, **changes)


def test_every_code_needs_a_view():
    with pytest.raises(ValueError, match="views must name one view for each of 2 codes, got 1"):
        viewed.make(CodeSpec((), 2, 4), (1, 32, 32), replace(VIEWED, views=("x",)))


@pytest.mark.parametrize("name", WORLD_PRESETS)
def test_presets_fit_their_worlds(name):
    preset = WORLD_PRESETS[name]
    assert len(preset.config.views) == len(preset.spec.categorical) + preset.spec.continuous
    for each in (preset, without_views(preset), without_views(preset, 0.0)):
        config = replace(each.config, width=0.05)
        each.method.METHOD.make(each.spec, each.world().image_shape, config)


def test_without_views_the_plain_algorithm_trains():
    preset = WORLD_PRESETS["chairs"]
    plain, control = without_views(preset), without_views(preset, 0.0)
    assert plain.method is control.method is infogan
    ours = preset.config
    changed = {"steps": 800, "batch_size": ours.batch_size, "width": ours.width}
    changed |= {f"learning_rate_{letter}": 1e-3 for letter in "gdq"}
    assert plain.config == replace(infogan.PRESETS["plain"], **changed)
    assert control.config == replace(plain.config, lambda_categorical=0.0, lambda_continuous=0.0)


def test_a_run_with_views_cannot_be_made_longer(tmp_path):
    images = Sprites().images_and_factors(60, seed=1, progress=False)[0]
    spec, config = CodeSpec((), 1, 4), replace(VIEWED, views=("x",), steps=2, batch_size=16, width=0.05)
    file = tmp_path / "run.safetensors"
    viewed.fit(images, spec, config, device="cpu", progress=False, checkpoint=file)
    with pytest.raises(ValueError, match="steps was 2 there and is 4 here"):
        viewed.fit(images, spec, replace(config, steps=4), device="cpu", progress=False, checkpoint=file)
