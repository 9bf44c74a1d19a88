"""Instance noise: the paper's step where there is none, and what D, Q and G see where there is."""

from dataclasses import replace

import pytest
import torch
from small_runs import Stop, assert_same_state, ctrl_c, same, some_images

from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods import infogan
from infogan_helpers.methods.instance_noise import Config, blurred, fit, train_step
from infogan_helpers.methods.players import PlayersConfig, make_players
from infogan_helpers.schedules import Ramp

SPEC = CodeSpec((3,), 0, 2)
POINTS = {"architecture": "points", "norm": "none", "width": 0.1}
QUICK = Config(steps=12, batch_size=4, sample_every=5, checkpoint_every=5, seed=3, **POINTS)
REAL = 0.5 * torch.randn(4, 2, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)


def a_step(config, done=0.0):
    torch.manual_seed(0)
    players = make_players(SPEC, (2,), config)
    seen = []
    players.discriminator_q.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    train_step(players, REAL, SPEC, config, torch.Generator().manual_seed(5), done)
    return players, seen


@pytest.mark.parametrize("game", ["standard", "r1"])
def test_without_noise_a_step_is_the_papers(game):
    still = replace(QUICK, noise=0.0, lambda_information=0.3, game=game)
    ours, _ = a_step(still)
    shared = {f: getattr(still, f) for f in PlayersConfig.__dataclass_fields__}
    config = infogan.Config(**shared, lambda_categorical=0.3, lambda_continuous=0.3)
    torch.manual_seed(0)
    theirs = make_players(SPEC, (2,), config)
    infogan.train_step(theirs, REAL, SPEC, config, torch.Generator().manual_seed(5))
    for name in ("generator", "discriminator_q"):
        for a, b in zip(getattr(ours, name).parameters(), getattr(theirs, name).parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_noise_is_of_the_deviation_asked_for_and_leaves_the_gradient_alone():
    x = torch.zeros(20_000, 2, requires_grad=True)
    noisy = blurred(x, 0.3, torch.Generator().manual_seed(0))
    assert noisy.std().item() == pytest.approx(0.3, rel=0.02)
    assert noisy.mean().item() == pytest.approx(0, abs=0.01)
    noisy.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))
    assert torch.equal(blurred(x, 0.0), x)
    torch.manual_seed(1)
    unit = torch.randn(2, 3)
    torch.manual_seed(1)
    assert torch.equal(blurred(torch.ones(2, 3), 0.5), 1 + 0.5 * unit)
    with pytest.raises(ValueError, match=r"^deviation must be a number of at least 0, got -0\.1"):
        blurred(x, -0.1)


@pytest.mark.parametrize(("done", "deviation"), [(0.0, 0.5), (0.4, 0.25), (0.8, 0.0), (1.0, 0.0)])
def test_d_sees_as_much_noise_as_is_due_on_real_and_fake(done, deviation):
    runs = {x: a_step(replace(QUICK, noise=x), done)[1] for x in (0.0, 1.0)}  # one seed: the same codes and draws
    for clean, unit, seen in zip(runs[0.0], runs[1.0], a_step(QUICK, done)[1], strict=True):
        torch.testing.assert_close(seen - clean, deviation * (unit - clean))
    of_real, of_fake = (unit - clean for clean, unit in zip(runs[0.0], runs[1.0], strict=True))
    assert torch.equal(runs[0.0][0], REAL)
    assert not torch.allclose(of_real, of_fake, atol=0.1)  # noise of its own on each


def test_rates_fall_as_asked():
    config = replace(QUICK, learning_rate_factor=Ramp(0.5, 1.0, 1.0, 0.0), learning_rate_g=2e-3)
    rates = [a_step(config, done)[0].optimizer_g.param_groups[0]["lr"] for done in (0.0, 0.5, 0.75, 1.0)]
    assert rates == pytest.approx([2e-3, 2e-3, 1e-3, 0.0])


@pytest.mark.parametrize("name", ["noise", "learning_rate_factor", "lambda_information"])
def test_config_names_the_field_what_it_takes_and_what_it_got(name):
    with pytest.raises(ValueError, match=rf"^{name} must be a number of at least 0.*, got -1"):
        Config(**{name: -1})


def test_a_run_resumes_bit_for_bit(tmp_path):
    points = (torch.rand(20, 2, generator=torch.Generator().manual_seed(0)) - 0.5).float()
    options = {"device": "cpu", "progress": False}
    whole = fit(points, SPEC, QUICK, checkpoint=tmp_path / "whole.safetensors", **options)
    file = tmp_path / "run.safetensors"
    part = fit(points, SPEC, QUICK, checkpoint=file, callback=Stop(5, ctrl_c), **options)
    assert part.interrupted
    again = fit(points, SPEC, QUICK, checkpoint=file, **options)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert same(again.generator.parameters(), whole.generator.parameters())


def test_images_are_taken_too():
    config = Config(steps=2, batch_size=4, width=0.05)
    run = fit(some_images(8, (1, 8, 8)), SPEC, config, device="cpu", progress=False)
    assert len(run.history) == 2
