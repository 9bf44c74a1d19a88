"""The page of notebook 07: the paper's step where nothing is added, and each thing that it adds by itself."""

import itertools
from dataclasses import replace

import pytest
import torch
from small_runs import Stop, assert_same_state, ctrl_c, same, some_images
from torch import nn

from infogan_helpers.codes import CodeSpec
from infogan_helpers.games import GAMES
from infogan_helpers.methods import infogan, noise_last
from infogan_helpers.methods.noise_last import Config, fit, follow, make, train_step
from infogan_helpers.methods.players import make_players
from infogan_helpers.schedules import Ramp

SPEC = CodeSpec((3,), 2, 4, circular=1, odd=1)
SHAPE = (1, 8, 8)
QUICK = Config(steps=12, batch_size=4, width=0.1, sample_every=5, checkpoint_every=5, seed=3)


def batch(n=4):
    return some_images(n, SHAPE).float() / 127.5 - 1


def a_step(config, done=0.0, n=4):
    torch.manual_seed(0)
    players = make(SPEC, SHAPE, config)
    metrics = train_step(players, batch(n), SPEC, config, torch.Generator().manual_seed(5), done)
    return players, metrics


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("lambda_information", -0.1, "a number of at least 0"),
        ("noise", -1, "a number of at least 0"),
        ("learning_rate_factor", None, "a number of at least 0"),
        ("norm", "batch", "'spectral' or 'none' where game is 'r1'"),
    ],
)
def test_config_names_the_field_what_it_takes_and_what_it_got(name, value, wanted):
    with pytest.raises(ValueError, match=rf"^{name} must be {wanted}.*, got {value!r}$"):
        Config(**{name: value})


def test_where_nothing_is_added_a_step_is_the_papers():
    plain = replace(QUICK, game="standard", noise=1.0, learning_rate_factor=1.0)
    ours, _ = a_step(plain, done=0.2)
    shared = {f: getattr(plain, f) for f in infogan.PlayersConfig.__dataclass_fields__}
    lambdas = {"lambda_categorical": 0.2, "lambda_continuous": 0.2}
    config = infogan.Config(**shared, **lambdas)
    torch.manual_seed(0)
    theirs = make_players(SPEC, SHAPE, config)
    infogan.train_step(theirs, batch(), SPEC, config, torch.Generator().manual_seed(5))
    for name in ("generator", "discriminator_q"):
        for a, b in zip(getattr(ours, name).parameters(), getattr(theirs, name).parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("done", "amount"), [(0.0, 0.0), (0.45, 0.5), (0.9, 1.0), (1.0, 1.0)])
def test_g_is_given_as_much_noise_as_is_due(done, amount, monkeypatch):
    seen = []
    encode = CodeSpec.encode
    monkeypatch.setattr(CodeSpec, "encode", lambda spec, codes: seen.append(codes) or encode(spec, codes))
    a_step(QUICK, done)
    drawn = SPEC.sample(4, torch.Generator().manual_seed(5))
    torch.testing.assert_close(seen[0].noise, amount * drawn.noise)
    assert torch.equal(seen[0].continuous, drawn.continuous)


def test_the_penalty_comes_every_fourth_step_and_counts_four_times(monkeypatch):
    steps = []
    game = GAMES["r1"]._replace(penalty=lambda *_: torch.tensor(float(steps[-1])))
    monkeypatch.setitem(GAMES, "r1", game)
    losses = []
    for step in range(6):
        steps.append(100 + step)
        losses.append(float(a_step(QUICK, step / QUICK.steps)[1].d_loss))
    assert [loss > 50 for loss in losses] == [True, False, False, False, True, False]
    assert losses[0] == pytest.approx(4 * 100, abs=20)


def test_g_waits_for_d_in_the_first_tenth():
    rates = [a_step(QUICK, done)[0].optimizer_g.param_groups[0]["lr"] for done in (0.0, 0.05, 0.1, 0.5)]
    assert rates == pytest.approx([2e-5, 5.1e-4, 1e-3, 1e-3])
    assert a_step(QUICK, 0.0)[0].optimizer_d.param_groups[0]["lr"] == 1e-3


def test_an_average_begins_as_a_mean_and_then_keeps_998_parts_of_a_thousand():
    average, network = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    average.requires_grad_(False)
    with torch.no_grad():
        average.weight.fill_(2.0), network.weight.fill_(4.0)
        network.running_mean.fill_(7.0)
    follow(average, network, 0)
    assert average.weight.item() == pytest.approx(3.0)
    assert average.running_mean.item() == 7.0
    follow(average, network, 10_000)
    assert average.weight.item() == pytest.approx(3.002)
    assert network.weight.item() == 4.0


def test_averages_follow_and_no_optimiser_owns_them():
    players, _ = a_step(QUICK)
    owned = {
        id(p)
        for optimizer in (players.optimizer_g, players.optimizer_d, players.optimizer_q)
        for group in optimizer.param_groups
        for p in group["params"]
    }
    for average, network in ((players.average_g, players.generator), (players.average_dq, players.discriminator_q)):
        assert not owned & {id(p) for p in average.parameters()}
        assert not any(p.requires_grad for p in average.parameters())
        assert not same(average.parameters(), network.parameters())


def test_batch_norm_of_gs_average_is_measured_anew_over_twenty_batches_of_128():
    players, _ = a_step(QUICK)
    before = [p.clone() for p in players.average_g.parameters()]
    norms = [m for m in players.average_g.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    seen = []
    norms[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    noise_last.finish(players, batch(), SPEC, QUICK)
    assert [len(x) for x in seen] == [128] * 20
    assert not any(torch.equal(a, b) for a, b in itertools.pairwise(seen))
    over = [dim for dim in range(seen[0].ndim) if dim != 1]
    torch.testing.assert_close(norms[0].running_mean, torch.stack([x.mean(over) for x in seen]).mean(0))
    torch.testing.assert_close(norms[0].running_var, torch.stack([x.var(over) for x in seen]).mean(0))
    assert same(before, players.average_g.parameters())
    assert not players.average_g.training
    twin, _ = a_step(QUICK)
    noise_last.finish(twin, batch(), SPEC, QUICK)
    assert same(twin.average_g.buffers(), players.average_g.buffers())


def test_a_run_returns_the_averages_and_resumes_bit_for_bit(tmp_path):
    options = {"device": "cpu", "progress": False}
    whole = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=tmp_path / "whole.safetensors", **options)
    file = tmp_path / "run.safetensors"
    part = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=file, callback=Stop(5, ctrl_c), **options)
    assert part.interrupted
    again = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=file, **options)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert same(again.generator.parameters(), whole.generator.parameters())
    assert not any(p.requires_grad for p in whole.discriminator_q.parameters())
    assert not whole.generator.training


def test_weights_may_be_numbers_or_ramps_and_a_stored_ramp_is_one_again():
    config = Config(noise={"start": 0.0, "end": 0.5, "before": 0.0, "after": 1.0})
    assert config.noise == Ramp(0.0, 0.5, 0.0, 1.0)
    assert Config(noise=0.5).noise == 0.5
    assert noise_last.METHOD.name == "noise_last"
