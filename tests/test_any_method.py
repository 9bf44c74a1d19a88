"""The loop takes any method: other players, other metrics, data beside the images; all of it resumes bit for bit."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from small_runs import SPEC, Stop, assert_same_state, ctrl_c, same, some_images, train

from infogan_helpers.schedules import Ramp
from infogan_helpers.tensor_files import load_tensors
from infogan_helpers.training import Method, RunConfig


class Measured(NamedTuple):
    error: torch.Tensor
    unknown: torch.Tensor

    def summary(self):
        return f"error {self.error:.2f}"


@dataclass
class Toys:
    """A module, a head beside it, an optimiser for both, and a plain tensor that a controller adds to."""

    decoder: torch.nn.Module
    head: torch.nn.Module
    optimizer: torch.optim.Optimizer
    integral: torch.Tensor


def make_toys(spec, image_shape, config, device):
    decoder = torch.nn.Sequential(torch.nn.Linear(spec.dim, 4), torch.nn.Dropout(0.5))
    head = torch.nn.Linear(4, 1)
    optimizer = torch.optim.RMSprop([*decoder.parameters(), *head.parameters()], lr=0.05, momentum=0.5)
    return Toys(decoder, head, optimizer, torch.zeros(3))


def toy_step(players, batch, spec, config, generator, done):
    images, labels = batch
    assert labels.dtype == torch.uint8
    assert images.abs().max() <= 1
    drawn = players.decoder(spec.encode(spec.sample(len(images), generator)))
    error = (drawn - images).square().mean() + (players.head(drawn)[:, 0] - labels.float()).square().mean()
    players.optimizer.zero_grad()
    (error + players.integral.sum()).backward()
    players.optimizer.step()
    players.integral = players.integral + error.detach() * torch.tensor([1.0, done, 0.0])
    return Measured(error.detach(), torch.tensor(float("nan")))


def draw_toys(players, codes):
    assert not players.decoder.training
    return players.decoder(SPEC.encode(codes)).tanh()


TOY = Method("toy", Measured, ("error",), make_toys, toy_step, draw_toys, lambda *_: None)
TOY_DATA = (some_images(18, (4,)), torch.arange(18, dtype=torch.uint8) % 3)
TOY_CONFIG = RunConfig(steps=12, batch_size=4, sample_every=5, checkpoint_every=5)


def test_a_method_of_other_players_metrics_and_data_resumes_bit_for_bit(tmp_path):
    whole = train(TOY_CONFIG, TOY_DATA, method=TOY, checkpoint=tmp_path / "whole.safetensors")
    file = tmp_path / "run.safetensors"
    part = train(TOY_CONFIG, TOY_DATA, method=TOY, checkpoint=file, callback=Stop(5, ctrl_c))
    assert part.interrupted
    again = train(TOY_CONFIG, TOY_DATA, method=TOY, checkpoint=file)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert again.history.error == whole.history.error
    assert np.isnan(again.history.unknown).all()
    assert torch.equal(again.players.integral, whole.players.integral)
    assert again.players.integral[0] > again.players.integral[1] > 0
    assert same(again.players.head.parameters(), whole.players.head.parameters())
    saved, _ = load_tensors(file)
    assert {name.split(".")[0] for name in saved} >= {"decoder", "head", "optimizer", "integral"}


def test_a_checkpoint_of_another_method_is_refused_by_name(tmp_path):
    file = tmp_path / "run.safetensors"
    train(TOY_CONFIG, TOY_DATA, method=TOY, checkpoint=file)
    with pytest.raises(ValueError, match="another run: method was toy there and is infogan here"):
        train(checkpoint=file)


def test_what_a_checkpoint_would_forget_is_refused(tmp_path):
    method = TOY._replace(make=lambda *a: replace(make_toys(*a), integral=0.0))
    with pytest.raises(ValueError, match="integral must be a module, an optimiser or a tensor, got float"):
        train(TOY_CONFIG, TOY_DATA, method=method, checkpoint=tmp_path / "run.safetensors")


def test_tensors_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"^data must be tensors of as many rows, got \[18, 17\]"):
        train(TOY_CONFIG, (TOY_DATA[0], TOY_DATA[1][:17]), method=TOY)


def test_a_configuration_is_scheduled_where_a_field_is_a_ramp():
    @dataclass(frozen=True, kw_only=True)
    class Config(RunConfig):
        rate: float | Ramp = 1.0

    assert not Config().scheduled
    assert Config(rate=Ramp(0.0, 1.0, 1.0, 0.5)).scheduled
