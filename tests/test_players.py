"""What methods share: who owns which parameter, and batch norm measured anew when the weights are at rest."""

from dataclasses import replace

import pytest
import torch
from small_runs import QUICK, QUICK_OF, SHAPE, SPEC, some_images, train

from infogan_helpers.methods import digits, infogan
from infogan_helpers.methods.players import RECALIBRATION_BATCHES, make_players
from infogan_helpers.tensor_files import load_tensors

# --- who owns what


@pytest.mark.parametrize("architecture", QUICK_OF)
def test_three_optimisers_share_out_all_parameters_at_their_own_rates(architecture):
    config = replace(
        QUICK_OF[architecture], betas=(0.1, 0.7), learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3
    )
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


def test_players_have_the_configured_width_variance_norm_and_shape():
    players = make_players(SPEC, (1, 12, 8), replace(QUICK, variance="fixed", width=0.1, norm="spectral"))
    assert players.discriminator_q.norm == "spectral"
    assert players.generator.width == players.discriminator_q.width == 0.1
    assert players.discriminator_q.q_head.variance == "fixed"
    assert players.generator.image_shape == (1, 12, 8)


# --- batch norm at rest


@pytest.mark.parametrize(("method", "config", "kinds"), [(infogan, QUICK, 2), (digits, digits.Config(), 3)])
def test_recalibrated_statistics_are_those_of_what_training_showed(method, config, kinds):
    """The first batch norm's input, averaged by hand over what D and Q are shown, gives its running mean."""
    result = train()
    dq, seen = result.players.discriminator_q, []
    norm = next(m for m in dq.modules() if isinstance(m, torch.nn.BatchNorm2d))
    norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].mean(dim=(0, 2, 3))))
    method.finish(result.players, some_images(), SPEC, config)
    assert len(seen) == kinds * RECALIBRATION_BATCHES
    torch.testing.assert_close(norm.running_mean, torch.stack(seen).mean(dim=0), rtol=1e-4, atol=1e-6)
    assert norm.momentum == 0.1
    assert not dq.training
    assert not result.players.generator.training


def test_recalibrating_again_changes_nothing_and_leaves_the_weights_alone():
    result = train()
    before = {name: tensor.clone() for name, tensor in result.players.discriminator_q.state_dict().items()}
    infogan.finish(result.players, some_images(), SPEC, QUICK)
    after = result.players.discriminator_q.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_run_returns_recalibrated_statistics_and_its_file_keeps_those_of_training(tmp_path):
    result = train(checkpoint=tmp_path / "run.safetensors")
    saved, _ = load_tensors(tmp_path / "run.safetensors")
    name = next(n for n in result.players.discriminator_q.state_dict() if n.endswith("running_mean"))
    assert not torch.equal(result.players.discriminator_q.state_dict()[name], saved[f"discriminator_q.{name}"])


def test_a_single_image_keeps_the_training_statistics():
    result = train()
    before = {name: tensor.clone() for name, tensor in result.players.discriminator_q.state_dict().items()}
    infogan.finish(result.players, some_images(1), SPEC, QUICK)
    after = result.players.discriminator_q.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
