"""The loop: deterministic, whatever is watched; histories, pictures, bad images, a stop on NaN; any method at all."""

import random
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_runs import (
    METRICS,
    QUICK,
    QUICK_OF,
    SPEC,
    assert_same_run,
    raising,
    some_images,
    train,
    weights,
    with_step,
)

from infogan_helpers import training
from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods import digits, infogan
from infogan_helpers.schedules import Ramp
from infogan_helpers.tensor_files import load_tensors
from infogan_helpers.training import RunConfig, run

# --- a run


@pytest.mark.parametrize("architecture", QUICK_OF)
def test_one_seed_gives_one_run_and_another_seed_another(architecture):
    config = QUICK_OF[architecture]
    first, second = train(config), train(config)
    assert_same_run(first, second)
    other = train(replace(config, seed=4))
    assert other.history.d_loss != first.history.d_loss
    assert other.history.d_loss[0] != first.history.d_loss[0]


@pytest.mark.parametrize("architecture", QUICK_OF)
def test_neither_pictures_checkpoints_callbacks_nor_the_readers_seed_change_a_run(architecture, tmp_path, capsys):
    config = QUICK_OF[architecture]

    def noisy(history):
        torch.manual_seed(99)
        torch.rand(3), np.random.rand(), random.random()

    plain = train(config)
    torch.manual_seed(1234)
    torch.rand(7)
    watched = run(
        infogan.METHOD, some_images(), SPEC, replace(config, sample_every=1, checkpoint_every=2), device="cpu",
        checkpoint=tmp_path / "run.safetensors", callback=noisy, progress=True,
    )  # fmt: skip
    there = weights(watched)
    assert all(torch.equal(t, there[name]) for name, t in weights(plain).items())
    for name in METRICS:
        assert getattr(plain.history, name) == getattr(watched.history, name)
    assert torch.equal(plain.history.samples[-1], watched.history.samples[-1])
    assert "12/12" in capsys.readouterr().err


def test_progress_can_be_switched_off(capfd):
    train()
    captured = capfd.readouterr()
    assert captured.err == captured.out == ""


@pytest.mark.parametrize("architecture", QUICK_OF)
def test_a_run_leaves_the_readers_random_numbers_and_images_alone(architecture):
    images, states = some_images(), (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())
    train(QUICK_OF[architecture], images)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]
    assert torch.equal(images, some_images())


def test_a_run_that_fails_leaves_random_numbers_and_ctrl_c_as_they_were(monkeypatch):
    state, handler = torch.get_rng_state(), signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError, match="on purpose"):
        train(callback=raising(RuntimeError("on purpose")))
    assert torch.equal(torch.get_rng_state(), state)
    assert signal.getsignal(signal.SIGINT) is handler


def test_networks_come_back_in_eval_mode():
    result = train()
    players = result.players
    assert not any(m.training for network in (players.generator, players.discriminator_q) for m in network.modules())
    assert result.interrupted is False


def test_the_history_has_an_entry_per_step_in_every_field():
    history = train(replace(QUICK, steps=7)).history
    assert len(history) == 7
    for name in METRICS:
        values = getattr(history, name)
        assert len(values) == 7
        assert all(type(value) is float and np.isfinite(value) for value in values)
    assert set(history.code_recovery) <= {0, 0.25, 0.5, 0.75, 1}
    assert history.batch_size == 4
    assert history.images_per_second > 0
    assert history.images_per_second == pytest.approx(7 * 4 / history.seconds)


def test_the_history_is_complete_where_steps_are_not_a_multiple_of_the_reading_interval(monkeypatch):
    whole = train(replace(QUICK, steps=9, sample_every=100)).history
    monkeypatch.setattr(training, "READ_EVERY", 4)
    pieces = train(replace(QUICK, steps=9, sample_every=100)).history
    assert whole.d_loss == pieces.d_loss
    assert len(pieces) == 9


def test_metrics_of_a_run_are_those_of_its_steps():
    recorded = []
    method = with_step(lambda step: lambda *a: recorded.append(step(*a)) or recorded[-1])
    history = train(method=method).history
    for i, name in enumerate(METRICS):
        assert getattr(history, name) == [float(metrics[i]) for metrics in recorded]


def test_a_history_has_no_other_names():
    with pytest.raises(AttributeError, match="has no 'accuracy'"):
        _ = train(replace(QUICK, steps=1)).history.accuracy


def test_each_epoch_shows_each_image_once():
    seen = []
    method = with_step(lambda step: lambda players, real, *rest: seen.append(real) or step(players, real, *rest))
    images = some_images(8)
    train(replace(QUICK, steps=4), images, method=method)
    wanted = sorted((images.float() / 127.5 - 1).flatten(1).tolist())
    for epoch in (seen[:2], seen[2:]):
        assert sorted(torch.cat(epoch).flatten(1).tolist()) == wanted
    assert not torch.equal(torch.cat(seen[:2]), torch.cat(seen[2:]))


def test_fixed_codes_are_drawn_every_so_often_and_at_the_end():
    history = train().history
    assert history.sample_steps == [5, 10, 12]
    assert train(replace(QUICK, steps=10)).history.sample_steps == [5, 10]
    assert [(s.dtype, s.shape) for s in history.samples] == [(torch.uint8, (30, 1, 8, 8))] * 3
    assert not torch.equal(history.samples[0], history.samples[-1])


def test_the_last_picture_is_what_the_returned_generator_draws():
    result = train()
    with torch.no_grad():
        pictures = result.players.generator(result.history.sample_codes)
    assert torch.equal(((pictures + 1) * 127.5).round().to(torch.uint8), result.history.samples[-1])


def test_sample_codes_have_a_row_per_class_and_one_noise_per_column():
    codes = train(replace(QUICK, steps=1)).history.sample_codes
    assert codes.categorical[:, 0].tolist() == [c for c in range(3) for _ in range(10)]
    for part in (codes.noise, codes.continuous):
        rows = part.reshape(3, 10, -1)
        assert torch.equal(rows[0], rows[1])
        assert torch.equal(rows[0], rows[2])
        assert len(rows[0].unique(dim=0)) == 10


def test_the_callback_sees_the_history_before_the_first_step_and_after_each_picture():
    seen = []
    result = train(callback=lambda h: seen.append((len(h), list(h.sample_steps), h.seconds, h)))
    assert [s[:2] for s in seen] == [(0, [0]), (5, [5]), (10, [5, 10]), (12, [5, 10, 12])]
    assert 0 == seen[0][2] < seen[1][2] < seen[2][2] < seen[3][2] <= result.history.seconds
    assert seen[1][3] is result.history


@pytest.mark.parametrize("architecture", QUICK_OF)
@pytest.mark.parametrize(
    ("spec", "pictures"),
    [
        (CodeSpec(categorical=(), continuous=2, noise=3), 100),
        (CodeSpec(categorical=(4,), continuous=0, noise=3), 40),
        (CodeSpec(categorical=(2, 5), continuous=1, noise=0), 20),
        (CodeSpec(categorical=(12,), continuous=1, noise=2, continuous_prior="normal"), 100),
    ],
)
def test_codes_of_every_kind_train(spec, pictures, architecture):
    config = replace(QUICK_OF[architecture], steps=3, information_trains_trunk=True)
    history = train(config, spec=spec).history
    assert len(history.samples[-1]) == pictures
    assert np.isfinite(history.g_loss).all()
    assert np.isnan(history.code_recovery).all() == (not spec.categorical)
    assert (np.array(history.bound_categorical) == 0).all() == (not spec.categorical)
    assert (np.array(history.bound_continuous) == 0).all() == (not spec.continuous)


def test_fixed_variance_keeps_the_continuous_bound_below_its_ceiling():
    history = train(replace(QUICK, variance="fixed")).history
    assert max(history.bound_continuous) <= np.log(2) - 0.5 * np.log(2 * np.pi) + 1e-6


def test_float_images_train_as_the_same_uint8_images_do():
    images = some_images()
    assert_same_run(train(images=images), train(images=images.float() / 127.5 - 1))
    assert_same_run(train(images=images), train(images=(images.float() / 127.5 - 1).double()))


@pytest.mark.parametrize(("architecture", "shape"), [("conv", (3, 8, 12)), ("mlp", (2,)), ("mlp", (1, 7, 5))])
def test_other_image_shapes_train(architecture, shape):
    result = train(replace(QUICK_OF[architecture], steps=2), some_images(shape=shape))
    assert result.history.samples[-1].shape == (30, *shape)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((18, 1, 8, 8), dtype=np.int64), r"be uint8 or floats in \[-1, 1\], got torch.int64"),
        (None, "got NoneType"),
        (some_images()[0, 0, 0], r"got \(8,\)"),
        (some_images()[:0], r"got \(0, 1, 8, 8\)"),
        (torch.zeros(18, 1, 0, 8), r"got \(18, 1, 0, 8\)"),
        (some_images().long(), r"uint8 or floats in \[-1, 1\], got torch.int64"),
        (some_images() > 5, r"uint8 or floats in \[-1, 1\], got torch.bool"),
        (some_images().float(), r"floats in \[-1, 1\], got values from 0 to 255"),
        (torch.full((18, 1, 8, 8), -1.01), r"floats in \[-1, 1\], got values from -1.01 to -1.01"),
        (torch.zeros(18, 1, 8, 8).index_fill(0, torch.tensor(3), float("nan")), r"\[-1, 1\], got values from nan"),
        (torch.zeros(18, 1, 8, 8).index_fill(0, torch.tensor(3), float("inf")), r"\[-1, 1\], got values from 0 to inf"),
    ],
)
def test_images_that_do_not_fit_are_refused(images, message):
    with pytest.raises(ValueError, match=rf"^images must .*{message}"):
        run(infogan.METHOD, images, SPEC, QUICK, device="cpu", progress=False)


def test_fewer_images_than_a_batch_are_refused():
    with pytest.raises(ValueError, match=r"batch_size must be an integer in \[1, 3\], .* got 4"):
        train(images=some_images(3))


def test_a_side_that_is_no_multiple_of_four_is_refused():
    for shape in ((1, 7, 8), (8, 8)):
        with pytest.raises(ValueError, match=r"\(channels, height, width\) with height and width divisible by 4"):
            train(images=some_images(shape=shape))


def test_the_default_configuration_stands_in_for_none():
    with pytest.raises(ValueError, match=r"^batch_size must be an integer in \[1, 18\].* got 128$"):
        infogan.fit(some_images(), SPEC, progress=False)


def test_a_run_can_happen_in_a_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(train()))
    thread.start()
    thread.join()
    assert_same_run(results[0], train())


# --- a stop on NaN


def test_a_learning_rate_that_is_too_high_stops_the_run_with_its_name():
    config = replace(QUICK, steps=200, learning_rate_d=1e30, sample_every=200)
    with pytest.raises(
        FloatingPointError, match=r"^step \d+: .*_loss.* is not finite.*learning_rate_d=1e\+30"
    ) as error:
        train(config)
    assert int(str(error.value).split()[1].rstrip(":")) <= 5


@pytest.mark.parametrize("term", ["d_loss", "g_loss", "bound_categorical", "bound_continuous"])
def test_a_loss_that_is_not_a_number_is_named_with_its_step(term, tmp_path):
    calls, file = [], tmp_path / "run.safetensors"

    def broken(*arguments):
        calls.append(1)
        metrics = infogan.train_step(*arguments)
        return metrics._replace(**{term: metrics.d_loss * float("nan")}) if len(calls) == 7 else metrics

    with pytest.raises(FloatingPointError, match=rf"^step 7: {term} is not finite\. The likely cause: learning_rate_g"):
        train(checkpoint=file, method=with_step(lambda _: broken))
    tensors, note = load_tensors(file)
    assert note["steps"] == len(tensors["history.d_loss"]) == 5
    assert all(torch.isfinite(t).all() for t in tensors.values())
    assert_same_run(train(checkpoint=file), train())


def test_the_field_furthest_above_its_default_is_the_likely_cause():
    method = with_step(lambda step: lambda *a: step(*a)._replace(g_loss=torch.tensor(float("inf"))))
    with pytest.raises(FloatingPointError, match=r"^step 1: g_loss is not.*lambda_continuous=50 is too high"):
        train(replace(QUICK, lambda_continuous=50), method=method)


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        (digits.Config(augment=1e38), "augment=1e+38 is too high"),
        (digits.Config(learning_rate_q=1.0, augment=20), "learning_rate_q=1 is too high"),
        (digits.Config(consistency=Ramp(0.0, 1.0, 0.0, 1e9)), "consistency=1e+09 is too high"),
        (digits.Config(steps=10**6, batch_size=10**4, restarts=90), "a learning rate that is too high"),
        (RunConfig(), "a learning rate that is too high"),
    ],
)
def test_the_likely_cause_is_a_field_of_the_configuration_that_is_far_above_its_default(config, cause):
    assert config.likely_cause() == cause


def test_missing_codes_are_not_taken_for_a_loss_that_is_not_a_number():
    assert len(train(spec=CodeSpec((), 1, 3)).history) == 12


@pytest.mark.parametrize("saves", [True, False])
def test_weights_that_break_in_the_last_step_are_not_returned_as_if_all_were_well(saves, tmp_path):
    calls, file = [], tmp_path / "run.safetensors"

    def breaking(players, *rest):
        metrics = infogan.train_step(players, *rest)
        calls.append(1)
        if len(calls) == QUICK.steps:
            with torch.no_grad():
                next(players.generator.parameters()).fill_(float("nan"))
        return metrics

    with pytest.raises(FloatingPointError, match=r"^step 12: generator\..* is not finite.*cause: learning_rate_g=0.01"):
        train(checkpoint=file if saves else None, method=with_step(lambda _: breaking))
    if saves:
        assert load_tensors(file)[1]["steps"] == 10
