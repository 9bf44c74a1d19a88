"""The page of notebook 07: the paper's step where all of the noise is there, and what is due of it elsewhere."""

from dataclasses import replace

import pytest
import torch
from small_runs import Stop, assert_same_state, ctrl_c, same, some_images

from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods import infogan, noise_last
from infogan_helpers.methods.noise_last import Config, fit
from infogan_helpers.methods.players import make_players
from infogan_helpers.schedules import Ramp

SPEC = CodeSpec((3,), 2, 4, circular=1, odd=1)
SHAPE = (1, 8, 8)
QUICK = Config(steps=12, batch_size=4, width=0.1, sample_every=5, checkpoint_every=5, seed=3)


def a_step(method, config, done=0.0):
    torch.manual_seed(0)
    players = make_players(SPEC, SHAPE, config)
    real = some_images(4, SHAPE).float() / 127.5 - 1
    method.train_step(players, real, SPEC, config, torch.Generator().manual_seed(5), done)
    return players


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("lambda_categorical", -0.1, "a number of at least 0"),
        ("lambda_continuous", "1", "a number of at least 0"),
        ("noise", -1, "a number of at least 0"),
        ("noise", None, "a number of at least 0"),
    ],
)
def test_config_names_the_field_what_it_takes_and_what_it_got(name, value, wanted):
    with pytest.raises(ValueError, match=rf"^{name} must be {wanted}.*, got {value!r}$"):
        Config(**{name: value})


@pytest.mark.parametrize(("config", "done"), [(replace(QUICK, noise=1.0), 0.0), (QUICK, 0.95)])
def test_with_all_of_the_noise_a_step_is_the_papers_to_the_bit(config, done):
    kept = {name: getattr(config, name) for name in vars(infogan.Config()) if hasattr(config, name)}
    ours, theirs = a_step(noise_last, config, done), a_step(infogan, infogan.Config(**kept))
    early = a_step(noise_last, QUICK, 0.5)
    for name in ("generator", "discriminator_q"):
        assert same(getattr(ours, name).parameters(), getattr(theirs, name).parameters())
        assert not same(getattr(early, name).parameters(), getattr(theirs, name).parameters())


@pytest.mark.parametrize(("done", "amount"), [(0.0, 0.0), (0.45, 0.5), (0.9, 1.0), (1.0, 1.0)])
def test_g_is_given_as_much_noise_as_is_due(done, amount, monkeypatch):
    seen = []
    encode = CodeSpec.encode
    monkeypatch.setattr(CodeSpec, "encode", lambda spec, codes: seen.append(codes) or encode(spec, codes))
    a_step(noise_last, QUICK, done)
    drawn = SPEC.sample(4, torch.Generator().manual_seed(5))
    torch.testing.assert_close(seen[0].noise, amount * drawn.noise)
    assert torch.equal(seen[0].continuous, drawn.continuous)


def test_a_killed_run_resumes_bit_for_bit(tmp_path):
    options = {"device": "cpu", "progress": False}
    whole = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=tmp_path / "whole.safetensors", **options)
    file = tmp_path / "run.safetensors"
    part = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=file, callback=Stop(5, ctrl_c), **options)
    assert part.interrupted
    again = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=file, **options)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert same(again.generator.parameters(), whole.generator.parameters())
    assert not whole.generator.training


def test_weights_may_be_numbers_or_ramps_and_a_stored_ramp_is_one_again():
    config = Config(noise={"start": 0.0, "end": 0.5, "before": 0.0, "after": 1.0})
    assert config.noise == Ramp(0.0, 0.5, 0.0, 1.0)
    assert Config(noise=0.5).noise == 0.5
    assert noise_last.METHOD.name == "noise_last"
