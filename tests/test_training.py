"""The algorithm step by step, and the loop: deterministic, resumable bit for bit, interruptible, stopped by NaN."""

import copy
import inspect
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from infogan_helpers import training
from infogan_helpers.checkpoints import load_tensors, save_networks, save_tensors
from infogan_helpers.codes import CodeSpec
from infogan_helpers.training import (
    PRESETS,
    SETTLING_BATCHES,
    StepMetrics,
    TrainingConfig,
    fit,
    make_players,
    settle_batch_norm,
    train_step,
)

SPEC = CodeSpec(categorical=(3,), continuous=1, noise=4)
SHAPE = (1, 8, 8)
FAST = {
    "learning_rate_g": 0.01,
    "learning_rate_d": 0.01,
    "learning_rate_q": 0.01,
}  # so that pictures move in a few steps
QUICK = replace(
    PRESETS["plain"], steps=12, batch_size=4, width=0.05, sample_every=5, checkpoint_every=5, seed=3, **FAST
)
ARCHITECTURES = ("conv", "mlp")
METRICS = StepMetrics._fields


def some_images(n=18, shape=SHAPE, seed=0):
    return torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def train(config=QUICK, images=None, spec=SPEC, **options):
    images = some_images() if images is None else images
    return fit(images, spec, config, device="cpu", progress=False, **options)


def parameters(*modules):
    return [p.detach().clone() for module in modules for p in module.parameters()]


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def weights(result):
    networks = (result.generator, result.discriminator_q)
    return {f"{i}.{name}": t for i, network in enumerate(networks) for name, t in network.state_dict().items()}


def assert_same_run(first, second):
    """Weights, running statistics, records and pictures agree to the bit."""
    there = weights(second)
    assert {name for name, t in weights(first).items() if not torch.equal(t, there[name])} == set()
    for name in METRICS:
        a, b = (np.array(getattr(result.history, name)) for result in (first, second))
        np.testing.assert_array_equal(a, b, err_msg=name)
    assert first.history.sample_steps == second.history.sample_steps
    assert len(first.history.samples) == len(first.history.sample_steps)
    assert same(first.history.samples, second.history.samples)


def assert_same_state(first_file, second_file):
    """Two checkpoints hold the same: optimisers, random states, order and position too; only the clock may differ."""
    (first, first_note), (second, second_note) = load_tensors(first_file), load_tensors(second_file)
    assert first.keys() == second.keys()
    assert {k for k in first if not torch.equal(first[k].nan_to_num(-1), second[k].nan_to_num(-1))} == set()
    first_note.pop("seconds"), second_note.pop("seconds")
    assert first_note == second_note


# --- the configuration


@pytest.mark.parametrize("name", ["steps", "batch_size", "sample_every", "checkpoint_every"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "5", None, True, False, 100.0])
def test_config_refuses_counts_that_are_none(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be an integer of at least 1, got {value!r}$"):
        TrainingConfig(**{name: value})


@pytest.mark.parametrize("name", ["learning_rate_g", "learning_rate_d", "learning_rate_q", "width"])
@pytest.mark.parametrize("value", [0, -1e-3, float("nan"), float("inf"), "1e-3", None, True])
def test_config_refuses_rates_and_widths_that_are_not_positive(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be a positive number, got {value!r}$"):
        TrainingConfig(**{name: value})


@pytest.mark.parametrize("name", ["lambda_categorical", "lambda_continuous"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "1", None, False])
def test_config_refuses_weights_below_zero(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be a number of at least 0 .*, got {value!r}$"):
        TrainingConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("seed", -1, r"an integer in \[0, 2\*\*32\)"),
        ("seed", 2**32, r"an integer in \[0, 2\*\*32\)"),
        ("seed", 1.0, r"an integer in \[0, 2\*\*32\)"),
        ("seed", True, r"an integer in \[0, 2\*\*32\)"),
        ("betas", (0.5,), r"two numbers in \[0, 1\)"),
        ("betas", (0.5, 1.0), r"two numbers in \[0, 1\)"),
        ("betas", (-0.1, 0.9), r"two numbers in \[0, 1\)"),
        ("betas", 0.5, r"two numbers in \[0, 1\)"),
        ("betas", ("0", 0.9), r"two numbers in \[0, 1\)"),
        ("information_trains_trunk", 1, "True or False"),
        ("information_trains_trunk", None, "True or False"),
        ("architecture", "resnet", r"one of \['conv', 'mlp'\]"),
        ("architecture", ["conv"], r"one of \['conv', 'mlp'\]"),
        ("variance", "free", "'learned' or 'fixed'"),
        ("variance", ["fixed"], "'learned' or 'fixed'"),
    ],
)
def test_config_names_the_field_what_it_takes_and_what_it_got(name, value, wanted):
    with pytest.raises(ValueError, match=rf"^{name} must be {wanted}, got ") as error:
        TrainingConfig(**{name: value})
    assert str(error.value).endswith(repr(value))


def test_config_takes_its_own_limits_and_is_frozen():
    config = TrainingConfig(seed=2**32 - 1, lambda_categorical=0, lambda_continuous=0.0, betas=[0, 0.9], steps=1)
    assert config.betas == (0, 0.9)
    with pytest.raises(AttributeError):
        config.steps = 2


# --- who owns what


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_three_optimisers_share_out_all_parameters_at_their_own_rates(architecture):
    config = replace(
        QUICK, architecture=architecture, betas=(0.1, 0.7),
        learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3,
    )  # fmt: skip
    players = make_players(SPEC, SHAPE, config)
    dq = players.discriminator_q
    owners = {
        1e-3: (players.optimizer_g, [players.generator]),
        2e-3: (players.optimizer_d, [dq.trunk, dq.real_head]),
        3e-3: (players.optimizer_q, [dq.q_head]),
    }
    seen = []
    for rate, (optimizer, modules) in owners.items():
        owned = [id(p) for group in optimizer.param_groups for p in group["params"]]
        assert sorted(owned) == sorted(id(p) for module in modules for p in module.parameters())
        assert {(group["lr"], group["betas"]) for group in optimizer.param_groups} == {(rate, (0.1, 0.7))}
        seen += owned
    assert len(seen) == len(set(seen))
    assert set(seen) == {id(p) for network in (players.generator, dq) for p in network.parameters()}
    assert players.generator.training
    assert dq.training


def test_players_have_the_configured_width_variance_and_shape():
    players = make_players(SPEC, (1, 12, 8), replace(QUICK, variance="fixed", width=0.1))
    assert players.generator.width == players.discriminator_q.width == 0.1
    assert players.discriminator_q.q_head.variance == "fixed"
    assert players.generator.image_shape == (1, 12, 8)


# --- one step


def a_step(config=QUICK, spec=SPEC, steps=1, before=None):
    """``(players before, players after, metrics)`` of steps on one fixed batch."""
    torch.manual_seed(0)
    players = make_players(spec, SHAPE, config)
    if before is not None:
        before(players)
    start = copy.deepcopy((players.generator, players.discriminator_q))
    draws = torch.Generator().manual_seed(5)
    real = some_images(config.batch_size).float() / 127.5 - 1
    torch.manual_seed(1)  # of the dropout
    for _ in range(steps):
        metrics = train_step(players, real, spec, config, draws)
    return start, players, metrics


def by_hand(start, config):
    """The same step written out: gradients by ``torch.autograd.grad``, losses from the paper's formulas."""
    g, dq = copy.deepcopy(start)
    draws = torch.Generator().manual_seed(5)
    real = some_images(config.batch_size).float() / 127.5 - 1
    torch.manual_seed(1)

    def update(owned, objective, rate):
        gradients = torch.autograd.grad(objective, owned, retain_graph=True, allow_unused=True)
        adam = torch.optim.Adam(owned, lr=rate, betas=config.betas, fused=True)
        for p, gradient in zip(owned, gradients, strict=True):
            p.grad = gradient
        return adam.step

    def bounds(posterior, codes):
        log_q = F.log_softmax(posterior.categorical_logits[0], dim=1)[torch.arange(len(codes)), codes.categorical[:, 0]]
        gaussian = torch.distributions.Normal(posterior.mean, (0.5 * posterior.log_variance).exp())
        return log_q.mean() + np.log(3), gaussian.log_prob(codes.continuous).sum(1).mean() + np.log(2)

    def weighted(bound):
        return config.lambda_categorical * bound[0] + config.lambda_continuous * bound[1]

    codes = SPEC.sample(len(real), draws)
    fake = g(codes)
    real_logit, _ = dq(real)
    fake_logit, posterior = dq(fake)
    d_loss = -(F.logsigmoid(real_logit).mean() + F.logsigmoid(-fake_logit).mean())
    g_loss, bound = -F.logsigmoid(fake_logit).mean(), bounds(posterior, codes)
    of_d = d_loss - (weighted(bound) if config.information_trains_trunk else 0)
    steps = [
        update([*dq.trunk.parameters(), *dq.real_head.parameters()], of_d, config.learning_rate_d),
        update([*g.parameters()], g_loss - weighted(bound), config.learning_rate_g),
        update([*dq.q_head.parameters()], -(bound[0] + bound[1]), config.learning_rate_q),
    ]
    for step in steps:
        step()
    recovery = (posterior.categorical_logits[0].argmax(1) == codes.categorical[:, 0]).float().mean()
    accuracy = ((real_logit > 0).sum() + (fake_logit <= 0).sum()) / (2 * len(real))
    return g, dq, (d_loss, g_loss, *bound, accuracy, recovery)


@pytest.mark.parametrize("trunk", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_step_agrees_with_the_algorithm_written_out(architecture, trunk):
    # A large batch keeps gradients well above rounding, which Adam's first step would blow up; biases before a batch
    # norm have no gradient but rounding, so they are left out.
    config = replace(
        QUICK, architecture=architecture, information_trains_trunk=trunk, batch_size=16, width=0.1,
        lambda_categorical=0.7, lambda_continuous=0.2, learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3,
    )  # fmt: skip
    start, players, metrics = a_step(config)
    g, dq, expected = by_hand(start, config)
    for got, wanted in zip(metrics, expected, strict=True):
        assert float(got) == pytest.approx(float(wanted.detach()), abs=1e-5)
    compared = 0
    for done, wanted, began in ((players.generator, g, start[0]), (players.discriminator_q, dq, start[1])):
        for name, p in wanted.named_parameters():
            moved, difference = (p - began.get_parameter(name)).abs(), (p - done.get_parameter(name)).abs()
            if not name.endswith("bias"):
                assert moved.max() > 1e-4, name
                assert (difference > 1e-5).float().mean() < 0.01, name
                compared += 1
    assert compared > 8


def test_the_discriminators_update_moves_the_trunk_and_its_head_only(monkeypatch):
    monkeypatch.setattr(torch.optim.Adam, "step", _only_steps_of({2e-3}))
    config = replace(QUICK, learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3)
    (g, dq), players, _ = a_step(config)
    assert same(parameters(g, dq.q_head), parameters(players.generator, players.discriminator_q.q_head))
    assert not same(parameters(dq.trunk), parameters(players.discriminator_q.trunk))
    assert not same(parameters(dq.real_head), parameters(players.discriminator_q.real_head))


def test_the_update_of_g_and_q_moves_neither_the_trunk_nor_ds_head(monkeypatch):
    monkeypatch.setattr(torch.optim.Adam, "step", _only_steps_of({1e-3, 3e-3}))
    config = replace(QUICK, learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3)
    (g, dq), players, _ = a_step(config, steps=2)
    after = players.discriminator_q
    assert same(parameters(dq.trunk, dq.real_head), parameters(after.trunk, after.real_head))
    assert not same(parameters(g), parameters(players.generator))
    assert not same(parameters(dq.q_head), parameters(after.q_head))


def _only_steps_of(rates):
    step = torch.optim.Adam.step

    def chosen(self, closure=None):
        if self.param_groups[0]["lr"] in rates:
            return step(self, closure)
        return None

    return chosen


def test_without_the_option_information_leaves_no_trace_in_the_trunks_first_update():
    trunks = [
        parameters(a_step(replace(QUICK, lambda_categorical=c, lambda_continuous=c))[1].discriminator_q.trunk)
        for c in (0.0, 5.0)
    ]
    assert same(*trunks)


def test_with_the_option_information_trains_the_trunk_and_not_ds_head():
    plain, informed = (
        a_step(replace(QUICK, information_trains_trunk=trains))[1].discriminator_q for trains in (False, True)
    )
    assert not same(parameters(plain.trunk), parameters(informed.trunk))
    assert same(parameters(plain.real_head), parameters(informed.real_head))


def test_with_the_option_and_no_weight_the_trunk_learns_as_in_a_plain_gan():
    silent = {"lambda_categorical": 0, "lambda_continuous": 0}
    plain, weightless = (
        a_step(replace(QUICK, information_trains_trunk=t, **silent))[1].discriminator_q for t in (False, True)
    )
    assert same(parameters(plain.trunk), parameters(weightless.trunk))


def test_lambda_decides_how_g_is_pushed_while_q_reads_in_any_case():
    control = a_step(replace(QUICK, lambda_categorical=0, lambda_continuous=0))
    pushed = a_step(replace(QUICK, lambda_categorical=1, lambda_continuous=1))
    assert not same(parameters(control[1].generator), parameters(pushed[1].generator))
    q = [players.discriminator_q.q_head for _, players, _ in (control, pushed)]
    assert same(parameters(q[0]), parameters(q[1]))
    assert not same(parameters(q[0]), parameters(control[0][1].q_head))


@pytest.mark.parametrize("name", ["lambda_categorical", "lambda_continuous"])
def test_each_lambda_reaches_g(name):
    low, high = (a_step(replace(QUICK, **{name: weight}))[1].generator for weight in (0.0, 2.0))
    assert not same(parameters(low), parameters(high))


def test_a_step_draws_its_codes_from_the_given_generator():
    first, second = (a_step()[2], a_step()[2])
    assert torch.equal(torch.stack(first), torch.stack(second))
    torch.manual_seed(0)
    players = make_players(SPEC, SHAPE, QUICK)
    before = torch.get_rng_state()
    train_step(players, some_images(4).float() / 127.5 - 1, SPEC, QUICK, torch.Generator().manual_seed(6))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_step_measures_losses_bounds_and_shares():
    metrics = a_step()[2]
    assert all(value.ndim == 0 and not value.requires_grad for value in metrics)
    assert all(torch.isfinite(value) for value in metrics)
    assert float(metrics.d_loss) == pytest.approx(2 * np.log(2), abs=0.3)
    assert float(metrics.g_loss) == pytest.approx(np.log(2), abs=0.3)
    assert 0 <= metrics.d_accuracy <= 1
    assert float(metrics.code_recovery) in (0, 0.25, 0.5, 0.75, 1)


def test_gradients_are_switched_on_for_every_weight_after_a_step():
    _, players, _ = a_step()
    assert all(p.requires_grad for p in [*players.generator.parameters(), *players.discriminator_q.parameters()])


@pytest.mark.parametrize("failing", ["discriminator_loss", "generator_loss", "lower_bound", "code_recovery"])
def test_gradients_are_switched_on_after_a_step_that_failed(monkeypatch, failing):
    players = make_players(SPEC, SHAPE, QUICK)
    monkeypatch.setattr(training, failing, _raise(RuntimeError("on purpose")))
    with pytest.raises(RuntimeError, match="on purpose"):
        train_step(players, some_images(4).float() / 127.5 - 1, SPEC, QUICK)
    assert all(p.requires_grad for p in [*players.generator.parameters(), *players.discriminator_q.parameters()])


def _raise(error):
    def raising(*_, **__):
        raise error

    return raising


def test_a_batch_of_one_trains():
    metrics = a_step(replace(QUICK, batch_size=1), steps=2)[2]
    assert all(torch.isfinite(value) for value in metrics)


def test_nothing_takes_labels():
    for function in (fit, train_step, make_players):
        assert not [name for name in inspect.signature(function).parameters if "label" in name or "target" in name]
    assert not [item.name for item in fields(TrainingConfig) if "label" in item.name]
    with pytest.raises(ValueError, match=r"^images must be a tensor"):
        train(images=(some_images(), torch.zeros(18)))


def test_code_recovery_averages_over_codes_and_is_nan_without_any():
    spec = CodeSpec(categorical=(2, 3), continuous=0, noise=1)
    codes = spec.sample(4).replace(categorical=torch.tensor([[0, 2], [1, 1], [0, 0], [1, 2]]))
    right = [F.one_hot(codes.categorical[:, 0], 2).float(), F.one_hot(codes.categorical[:, 1], 3).float()]
    posterior = training_posterior(right[0], right[1])
    assert training.code_recovery(posterior, codes) == 1.0
    assert training.code_recovery(training_posterior(right[0], right[1].roll(1, 1)), codes) == 0.5
    none = CodeSpec(categorical=(), continuous=1, noise=1).sample(4)
    assert torch.isnan(training.code_recovery(training_posterior(), none))


def training_posterior(*logits):
    from infogan_helpers.networks import Posterior

    return Posterior(tuple(logits), torch.zeros(4, 0), torch.zeros(4, 0))


# --- a run


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_one_seed_gives_one_run_and_another_seed_another(architecture):
    config = replace(QUICK, architecture=architecture)
    first, second = train(config), train(config)
    assert_same_run(first, second)
    other = train(replace(config, seed=4))
    assert other.history.d_loss != first.history.d_loss
    assert other.history.d_loss[0] != first.history.d_loss[0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_neither_pictures_checkpoints_callbacks_nor_the_readers_seed_change_a_run(architecture, tmp_path, capsys):
    config = replace(QUICK, architecture=architecture)

    def noisy(history):
        torch.manual_seed(99)
        torch.rand(3), np.random.rand(), random.random()

    plain = train(config)
    torch.manual_seed(1234)
    torch.rand(7)
    watched = fit(
        some_images(), SPEC, replace(config, sample_every=1, checkpoint_every=2), device="cpu",
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


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_run_leaves_the_readers_random_numbers_and_images_alone(architecture):
    images, states = some_images(), (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())
    train(replace(QUICK, architecture=architecture), images)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]
    assert torch.equal(images, some_images())


def test_a_run_that_fails_leaves_random_numbers_and_ctrl_c_as_they_were(monkeypatch):
    state, handler = torch.get_rng_state(), signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError, match="on purpose"):
        train(callback=_raise(RuntimeError("on purpose")))
    assert torch.equal(torch.get_rng_state(), state)
    assert signal.getsignal(signal.SIGINT) is handler


def test_networks_come_back_in_eval_mode():
    result = train()
    assert not any(m.training for network in result[:2] for m in network.modules())
    assert result.interrupted is False


def test_the_history_has_an_entry_a_step_in_every_field():
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


def test_metrics_of_a_run_are_those_of_its_steps(monkeypatch):
    recorded, step = [], training.train_step
    monkeypatch.setattr(training, "train_step", lambda *a: recorded.append(step(*a)) or recorded[-1])
    history = train().history
    for i, name in enumerate(METRICS):
        assert getattr(history, name) == [float(metrics[i]) for metrics in recorded]


def test_each_epoch_shows_each_image_once(monkeypatch):
    seen, step = [], training.train_step

    def noting(players, real, *rest):
        seen.append(real)
        return step(players, real, *rest)

    monkeypatch.setattr(training, "train_step", noting)
    images = some_images(8)
    train(replace(QUICK, steps=4), images)
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
        pictures = result.generator(result.history.sample_codes)
    assert torch.equal(((pictures + 1) * 127.5).round().to(torch.uint8), result.history.samples[-1])


def test_sample_codes_have_a_row_a_class_and_one_noise_a_column():
    codes = train(replace(QUICK, steps=1)).history.sample_codes
    assert codes.categorical[:, 0].tolist() == [c for c in range(3) for _ in range(10)]
    for part in (codes.noise, codes.continuous):
        rows = part.reshape(3, 10, -1)
        assert torch.equal(rows[0], rows[1])
        assert torch.equal(rows[0], rows[2])
        assert len(rows[0].unique(dim=0)) == 10


def test_the_callback_sees_the_history_after_each_picture():
    seen = []
    result = train(callback=lambda h: seen.append((len(h), list(h.sample_steps), h.seconds, h)))
    assert [s[:2] for s in seen] == [(5, [5]), (10, [5, 10]), (12, [5, 10, 12])]
    assert 0 < seen[0][2] < seen[1][2] < seen[2][2] <= result.history.seconds
    assert seen[0][3] is result.history


@pytest.mark.parametrize("architecture", ARCHITECTURES)
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
    config = replace(QUICK, steps=3, architecture=architecture, information_trains_trunk=True)
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
    result = train(replace(QUICK, steps=2, architecture=architecture), some_images(shape=shape))
    assert result.history.samples[-1].shape == (30, *shape)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((18, 1, 8, 8), dtype=np.uint8), r"shape \(n, channels, height, width\), got ndarray"),
        (None, "got NoneType"),
        (some_images()[:, 0], r"shape \(n, channels, height, width\), got \(18, 8, 8\)"),
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
        fit(images, SPEC, QUICK, device="cpu", progress=False)


def test_fewer_images_than_a_batch_are_refused():
    with pytest.raises(ValueError, match=r"batch_size must be an integer in \[1, 3\], .* got 4"):
        train(images=some_images(3))


def test_a_side_that_is_no_multiple_of_four_is_refused():
    with pytest.raises(ValueError, match="divisible by 4"):
        train(images=some_images(shape=(1, 7, 8)))


def test_the_default_configuration_stands_in_for_none():
    with pytest.raises(ValueError, match=r"^batch_size must be an integer in \[1, 18\].* got 128$"):
        fit(some_images(), SPEC, progress=False)


def test_a_run_can_happen_in_a_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(train()))
    thread.start()
    thread.join()
    assert_same_run(results[0], train())


# --- stopping and going on


class Stop:
    """A callback that interrupts at one step, once."""

    def __init__(self, step, how):
        self.step, self.how = step, how

    def __call__(self, history):
        if len(history) == self.step:
            self.how()


def ctrl_c():
    signal.raise_signal(signal.SIGINT)  # os.kill would end the tests on Windows


@pytest.mark.parametrize("how", [ctrl_c, _raise(KeyboardInterrupt)], ids=["signal", "exception"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    ("stop", "n"), [(3, 18), (4, 18), (5, 18), (6, 12), (10, 17), (11, 4)], ids=lambda value: str(value)
)
def test_a_run_interrupted_anywhere_goes_on_bit_for_bit(architecture, how, stop, n, tmp_path, capsys):
    # 18 images make 4 batches of 4: after 3 steps an epoch is under way, after 4 the next step reshuffles.
    config, file = replace(QUICK, architecture=architecture, sample_every=1), tmp_path / "run.safetensors"
    whole = train(config, some_images(n), checkpoint=tmp_path / "whole.safetensors")
    handler = signal.getsignal(signal.SIGINT)
    part = train(config, some_images(n), checkpoint=file, callback=Stop(stop, how))
    assert signal.getsignal(signal.SIGINT) is handler
    assert part.interrupted is True
    assert len(part.history) == stop
    assert part.history.d_loss == whole.history.d_loss[:stop]
    assert not part.generator.training
    assert f"Interrupted after step {stop} of 12" in capsys.readouterr().out
    resumed = train(config, some_images(n), checkpoint=file)
    assert resumed.interrupted is False
    assert f"Going on from step {stop} of 12, saved in run.safetensors." in capsys.readouterr().out
    assert_same_run(resumed, whole)
    assert_same_state(file, tmp_path / "whole.safetensors")


def test_an_interrupt_without_a_checkpoint_returns_what_there_is():
    part = train(callback=Stop(5, ctrl_c))
    assert part.interrupted
    assert len(part.history) == len(part.history.g_loss) == 5
    assert not any(m.training for network in part[:2] for m in network.modules())


def test_an_interrupt_ends_the_step_that_is_under_way(monkeypatch, tmp_path):
    step, file = training.train_step, tmp_path / "run.safetensors"
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 7:
            ctrl_c()
        return step(*arguments)

    monkeypatch.setattr(training, "train_step", interrupted)
    part = train(checkpoint=file)
    assert len(part.history) == 7
    assert part.interrupted
    monkeypatch.undo()
    assert_same_run(train(checkpoint=file), train())


def test_an_interrupt_before_the_first_step_can_be_resumed(monkeypatch, tmp_path):
    make, file = training.make_players, tmp_path / "run.safetensors"
    monkeypatch.setattr(training, "make_players", lambda *a: ctrl_c() or make(*a))
    part = train(checkpoint=file)
    assert part.interrupted
    assert len(part.history) == 0
    assert part.history.images_per_second == 0
    monkeypatch.undo()
    assert_same_run(train(checkpoint=file), train())


def test_a_second_interrupt_cuts_the_step_and_leaves_the_checkpoint_whole(monkeypatch, tmp_path):
    file, calls, loss = tmp_path / "run.safetensors", [], training.generator_loss

    def impatient(*arguments):  # D is updated by then, G and Q are not
        calls.append(1)
        if len(calls) == 8:
            ctrl_c()
            ctrl_c()
        return loss(*arguments)

    monkeypatch.setattr(training, "generator_loss", impatient)
    part = train(checkpoint=file)
    assert part.interrupted
    assert len(part.history) == 7
    monkeypatch.undo()
    assert len(load_tensors(file)[0]["history.d_loss"]) == 5
    assert_same_run(train(checkpoint=file), train())


def test_a_run_resumes_from_each_of_its_checkpoints(tmp_path, monkeypatch):
    config, kept = replace(QUICK, checkpoint_every=1), []
    save = training._Run.save

    def keeping(self, path):
        save(self, path)
        copied = tmp_path / f"{len(self.history)}.safetensors"
        copied.write_bytes(Path(path).read_bytes())
        kept.append(copied)

    monkeypatch.setattr(training._Run, "save", keeping)
    whole = train(config, checkpoint=tmp_path / "run.safetensors")
    monkeypatch.undo()
    assert [p.stem for p in kept] == [str(i) for i in range(1, 13)]
    for file in kept:
        assert_same_run(train(config, checkpoint=file), whole)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_finished_run_may_be_made_longer(architecture, tmp_path):
    config = replace(QUICK, architecture=architecture, sample_every=4)
    long = train(replace(config, steps=20), checkpoint=tmp_path / "long.safetensors")
    train(config, checkpoint=tmp_path / "run.safetensors")
    longer = train(replace(config, steps=20), checkpoint=tmp_path / "run.safetensors")
    assert_same_run(longer, long)
    assert_same_state(tmp_path / "run.safetensors", tmp_path / "long.safetensors")


def test_a_finished_run_is_loaded_and_not_trained_again(tmp_path, monkeypatch):
    first = train(checkpoint=tmp_path / "run.safetensors")
    monkeypatch.setattr(training, "train_step", _raise(AssertionError("trained")))
    again = train(checkpoint=tmp_path / "run.safetensors")
    assert_same_run(again, first)
    assert not again.interrupted
    assert again.history.seconds >= first.history.seconds


def test_seconds_add_up_over_sessions(tmp_path):
    part = train(checkpoint=tmp_path / "run.safetensors", callback=Stop(5, ctrl_c))
    assert train(checkpoint=tmp_path / "run.safetensors").history.seconds > part.history.seconds


def test_a_checkpoint_makes_its_folder_and_leaves_nothing_else_there(tmp_path):
    train(checkpoint=str(tmp_path / "a" / "b" / "run.safetensors"))
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["run.safetensors"]


def test_checkpoints_are_written_as_often_as_configured(tmp_path, monkeypatch):
    saved, save = [], training.save_tensors
    monkeypatch.setattr(training, "save_tensors", lambda path, t, m: saved.append(m["steps"]) or save(path, t, m))
    train(checkpoint=tmp_path / "run.safetensors")
    assert saved == [5, 10, 12]


def test_a_partial_file_left_behind_does_not_matter(tmp_path):
    file = tmp_path / "run.safetensors"
    train(checkpoint=file, callback=Stop(5, ctrl_c))
    (tmp_path / "run.safetensors.partial").write_bytes(b"half a checkpoint")
    assert_same_run(train(checkpoint=file), train())


def test_a_partial_file_alone_is_no_checkpoint(tmp_path, capsys):
    (tmp_path / "run.safetensors.partial").write_bytes(b"half a checkpoint")
    assert_same_run(train(checkpoint=tmp_path / "run.safetensors"), train())
    assert "Going on" not in capsys.readouterr().out


KILLED = """
import sys, time
import torch
from infogan_helpers.codes import CodeSpec
from dataclasses import replace
from infogan_helpers.training import PRESETS, fit

images = torch.randint(0, 256, (18, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
config = replace(PRESETS["plain"], steps={steps}, batch_size=4, width=0.05, sample_every=5, checkpoint_every=5, seed=3,
                        learning_rate_g=0.01, learning_rate_d=0.01, learning_rate_q=0.01)
torch.set_num_threads({threads})
fit(images, CodeSpec((3,), 1, 4), config, device="cpu", checkpoint=sys.argv[1], progress=False,
    callback=lambda history: time.sleep(0.02))
"""


@pytest.mark.parametrize(
    "kill", [pytest.param(s, id=s.name) for s in ([signal.SIGINT, signal.SIGKILL] if os.name == "posix" else [])]
)
def test_a_run_killed_in_another_process_goes_on_bit_for_bit(kill, tmp_path, capsys):
    file, steps = tmp_path / "run.safetensors", 100_000
    script = KILLED.format(steps=steps, threads=torch.get_num_threads())
    root = Path(training.__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", script, str(file)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, encoding="utf-8")
    try:
        deadline = time.monotonic() + 120
        while not file.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert file.exists(), "no checkpoint was written"
        time.sleep(0.1)
        process.send_signal(kill)
        printed = process.communicate(timeout=60)[0]
    finally:
        process.kill()
    done = load_tensors(file)[1]["steps"]
    assert 5 <= done < steps
    if kill == signal.SIGINT:
        assert process.returncode == 0
        assert f"Interrupted after step {done} of {steps}" in printed
    else:
        assert process.returncode == -signal.SIGKILL
        assert done % 5 == 0
    # The run is made shorter for the sake of the test: where it ends is the one thing that may differ.
    config = replace(QUICK, steps=done + 7)
    resumed = train(config, checkpoint=file)
    assert f"Going on from step {done}" in capsys.readouterr().out
    assert_same_run(resumed, train(config))


# --- checkpoints that are refused


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, "seed was 3 there and is 4 here"),
        ({"width": 0.1}, "width was 0.05 there and is 0.1 here"),
        ({"batch_size": 5}, "batch_size was 4 there and is 5 here"),
        ({"learning_rate_q": 1e-3}, "learning_rate_q was 0.01 there and is 0.001 here"),
        ({"architecture": "mlp"}, "architecture was 'conv' there and is 'mlp' here"),
        ({"betas": (0.9, 0.999)}, r"betas was \(0.5, 0.999\) there and is \(0.9, 0.999\) here"),
        ({"information_trains_trunk": True}, "information_trains_trunk was False there and is True here"),
        ({"steps": 11}, "^steps must be at least 12, .*run.safetensors.*, got 11"),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(change, named, tmp_path):
    train(checkpoint=tmp_path / "run.safetensors")
    before = (tmp_path / "run.safetensors").read_bytes()
    with pytest.raises(ValueError, match=named) as error:
        train(replace(QUICK, **change), checkpoint=tmp_path / "run.safetensors")
    assert "run.safetensors" in str(error.value)
    assert (tmp_path / "run.safetensors").read_bytes() == before


def test_a_checkpoint_of_other_codes_or_images_is_refused(tmp_path):
    train(checkpoint=tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match=r"another run: spec was .*\(3,\).* there and is .*\(4,\).* here"):
        train(spec=replace(SPEC, categorical=(4,)), checkpoint=tmp_path / "run.safetensors")
    with pytest.raises(
        ValueError, match=r"another run: images was \[18, 1, 8, 8, \d+\] there and is \[19, 1, 8, 8, \d+\]"
    ):
        train(images=some_images(19), checkpoint=tmp_path / "run.safetensors")
    with pytest.raises(
        ValueError, match=r"another run: images was \[18, 1, 8, 8, \d+\] there and is \[18, 1, 8, 4, \d+\]"
    ):
        train(images=some_images(shape=(1, 8, 4)), checkpoint=tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match="another run: images was"):
        train(images=255 - some_images(), checkpoint=tmp_path / "run.safetensors")


def test_a_checkpoint_of_another_kind_of_device_is_refused(tmp_path):
    file = tmp_path / "run.safetensors"
    train(checkpoint=file)
    tensors, note = load_tensors(file)
    save_tensors(file, tensors | {"random.draws": torch.zeros(16, dtype=torch.uint8)}, note)  # as long as a GPU's
    with pytest.raises(ValueError, match=r"^device must be of the kind that checkpoint .*run.safetensors .* got cpu"):
        train(checkpoint=file)


def test_pictures_and_checkpoints_may_come_at_another_pace_after_a_pause(tmp_path):
    file = tmp_path / "run.safetensors"
    train(replace(QUICK, steps=6), checkpoint=file)
    resumed = train(replace(QUICK, sample_every=4, checkpoint_every=3), checkpoint=file)
    whole = train(replace(QUICK, sample_every=4))
    there = weights(whole)
    assert all(torch.equal(tensor, there[name]) for name, tensor in weights(resumed).items())
    assert set(resumed.history.sample_steps) <= set(whole.history.sample_steps)


def test_an_interrupted_run_ends_with_a_picture_of_its_last_step():
    def stop(history):
        raise KeyboardInterrupt

    config = replace(QUICK, sample_every=4)
    result = train(config, callback=stop)
    assert result.interrupted
    assert result.history.sample_steps[-1] == len(result.history)


def test_the_same_run_is_recognised_however_its_spec_and_betas_were_written(tmp_path):
    first = train(checkpoint=tmp_path / "run.safetensors")
    again = train(replace(QUICK, betas=[0.5, 0.999]), spec=CodeSpec([3], 1, 4), checkpoint=tmp_path / "run.safetensors")
    assert_same_run(first, again)


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[: len(b) // 2], lambda b: b[:-1], lambda b: b[:5], lambda b: b"", lambda b: b"\xff" * len(b)],
    ids=["half", "a byte short", "five bytes", "empty", "garbage"],
)
def test_a_damaged_checkpoint_is_an_error_that_names_it_and_the_cure(damage, tmp_path):
    file = tmp_path / "run.safetensors"
    train(checkpoint=file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"run\.safetensors is truncated, corrupted .*: delete it and train again"):
        train(checkpoint=file)


def test_finished_networks_are_no_checkpoint_of_a_run(tmp_path):
    save_networks(tmp_path / "networks.safetensors", *train()[:2])
    with pytest.raises(ValueError, match=r"^checkpoint must be a file that fit wrote, .*networks.safetensors holds"):
        train(checkpoint=tmp_path / "networks.safetensors")


# --- a stop on NaN


def test_a_learning_rate_that_is_too_high_stops_the_run_with_its_name():
    config = replace(QUICK, steps=200, learning_rate_d=1e30, sample_every=200)
    with pytest.raises(
        FloatingPointError, match=r"^step \d+: .*_loss.* is not finite.*learning_rate_d=1e\+30"
    ) as error:
        train(config)
    assert int(str(error.value).split()[1].rstrip(":")) <= 5


@pytest.mark.parametrize("term", ["d_loss", "g_loss", "bound_categorical", "bound_continuous"])
def test_a_loss_that_is_not_a_number_is_named_with_its_step(monkeypatch, term, tmp_path):
    step, calls, file = training.train_step, [], tmp_path / "run.safetensors"

    def broken(*arguments):
        calls.append(1)
        metrics = step(*arguments)
        return metrics._replace(**{term: metrics.d_loss * float("nan")}) if len(calls) == 7 else metrics

    monkeypatch.setattr(training, "train_step", broken)
    with pytest.raises(FloatingPointError, match=rf"^step 7: {term} is not finite\. The likely cause: learning_rate_g"):
        train(checkpoint=file)
    monkeypatch.undo()
    tensors, note = load_tensors(file)
    assert note["steps"] == len(tensors["history.d_loss"]) == 5
    assert all(torch.isfinite(t).all() for t in tensors.values())
    assert_same_run(train(checkpoint=file), train())


def test_a_weight_that_drowns_the_rest_is_named_too(monkeypatch):
    step = training.train_step
    monkeypatch.setattr(training, "train_step", lambda *a: step(*a)._replace(g_loss=torch.tensor(float("inf"))))
    with pytest.raises(FloatingPointError, match=r"^step 1: g_loss is not.*lambda_continuous=50 drowns"):
        train(replace(QUICK, lambda_continuous=50))


def test_missing_codes_are_not_taken_for_a_loss_that_is_not_a_number():
    assert len(train(spec=CodeSpec((), 1, 3)).history) == 12


@pytest.mark.parametrize("saves", [True, False])
def test_weights_that_break_in_the_last_step_are_not_returned_as_if_all_were_well(saves, monkeypatch, tmp_path):
    step, file = training.train_step, tmp_path / "run.safetensors"
    calls = []

    def breaking(players, *rest):
        metrics = step(players, *rest)
        calls.append(1)
        if len(calls) == QUICK.steps:
            with torch.no_grad():
                next(players.generator.parameters()).fill_(float("nan"))
        return metrics

    monkeypatch.setattr(training, "train_step", breaking)
    with pytest.raises(FloatingPointError, match=r"^step 12: generator\..* is not finite.*likely cause.*learning rate"):
        train(checkpoint=file if saves else None)
    if saves:
        assert load_tensors(file)[1]["steps"] == 10


# --- what it is for


def test_a_run_of_seconds_makes_pictures_tell_their_code_and_its_control_does_not():
    """Two kinds of picture and one binary code, which Q reads off the fakes where λ made G write it there."""
    kinds = torch.arange(256) % 2
    images = (kinds * 255).to(torch.uint8).reshape(-1, 1).expand(-1, 4)
    spec = CodeSpec(categorical=(2,), continuous=0, noise=2)
    rates = {"learning_rate_g": 5e-3, "learning_rate_d": 5e-3, "learning_rate_q": 5e-3}
    config = replace(
        PRESETS["plain"], steps=600, batch_size=64, architecture="mlp", width=0.1, sample_every=300, **rates
    )
    pushed = train(config, images, spec).history
    control = train(replace(config, lambda_categorical=0), images, spec).history
    assert np.mean(pushed.code_recovery[-50:]) > 0.85
    assert np.mean(control.code_recovery[-50:]) < 0.7
    assert 0.1 < np.mean(pushed.bound_categorical[-50:]) <= np.log(2)
    assert np.mean(control.bound_categorical[-50:]) < 0.05


# --- batch norm at rest


@pytest.mark.parametrize(("restyle", "kinds"), [(0.0, 2), (1.0, 3)])
def test_settled_statistics_are_those_of_what_training_showed(restyle, kinds):
    """The first batch norm's input, averaged by hand over what D and Q are shown, gives its running mean."""
    result = train()
    dq, seen = result.discriminator_q, []
    norm = next(m for m in dq.modules() if isinstance(m, torch.nn.BatchNorm2d))
    norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].mean(dim=(0, 2, 3))))
    settle_batch_norm(dq, result.generator, some_images(), SPEC, replace(QUICK, restyle=restyle))
    assert len(seen) == kinds * SETTLING_BATCHES
    torch.testing.assert_close(norm.running_mean, torch.stack(seen).mean(dim=0), rtol=1e-4, atol=1e-6)
    assert norm.momentum == 0.1
    assert not dq.training
    assert not result.generator.training


def test_settling_again_changes_nothing_and_leaves_the_weights_alone():
    result = train()
    before = {name: tensor.clone() for name, tensor in result.discriminator_q.state_dict().items()}
    settle_batch_norm(result.discriminator_q, result.generator, some_images(), SPEC, QUICK)
    after = result.discriminator_q.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_run_returns_settled_statistics_and_its_file_keeps_those_of_training(tmp_path):
    result = train(checkpoint=tmp_path / "run.safetensors")
    saved, _ = load_tensors(tmp_path / "run.safetensors")
    name = next(n for n in result.discriminator_q.state_dict() if n.endswith("running_mean"))
    assert not torch.equal(result.discriminator_q.state_dict()[name], saved[f"discriminator_q.{name}"])


def test_a_single_image_keeps_the_training_statistics():
    result = train()
    before = {name: tensor.clone() for name, tensor in result.discriminator_q.state_dict().items()}
    settle_batch_norm(result.discriminator_q, result.generator, some_images(1), SPEC, QUICK)
    after = result.discriminator_q.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
