"""Networks that grow: what takes part at which size, how a layer fades in, and a run at full size from the start."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from small_runs import Stop, assert_same_state, ctrl_c, same, some_images

from infogan_helpers.checkpoints import load_networks, save_networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.growing_networks import STAGES, GrowingDiscriminatorQ, GrowingGenerator
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import make_players
from infogan_helpers.methods.progressive import Config, fit, train_step
from infogan_helpers.schedules import Ramp

SPEC, SHAPE = CodeSpec((3,), 1, 4), (1, 16, 16)
QUICK = Config(steps=12, batch_size=4, width=0.1, sample_every=5, checkpoint_every=5, seed=3)


def networks():
    torch.manual_seed(0)
    return GrowingGenerator(SPEC, SHAPE, 0.1).eval(), GrowingDiscriminatorQ(SPEC, SHAPE, 0.1)


def drawn(g, grown):
    g.grow(grown)
    return g(SPEC.sample(4, torch.Generator().manual_seed(1))).detach()


def judged(dq, grown, images):
    dq.grow(grown)
    return dq(images)[0].detach()


@pytest.mark.parametrize(("grown", "pixel"), [(0.0, 4), (0.5, 2), (1.0, 2), (1.5, 1), (2.0, 1)])
def test_a_picture_has_full_size_and_pixels_as_large_as_the_size_grown_to(grown, pixel):
    images = drawn(networks()[0], grown)
    assert images.shape == (4, *SHAPE)
    small = images[:, :, ::pixel, ::pixel]
    assert torch.equal(F.interpolate(small, scale_factor=float(pixel)), images)
    if pixel > 1:
        assert not torch.equal(images[:, :, :: 2 * pixel, :: 2 * pixel].repeat_interleave(2, 2), small[:, :, :, ::2])


@pytest.mark.parametrize("stage", [0, 1])
def test_a_new_size_fades_in_on_both_sides_and_has_all_its_say_half_way(stage):
    g, dq = networks()
    images = some_images(4, SHAPE).float() / 127.5 - 1
    for network in (lambda grown: drawn(g, grown), lambda grown: judged(dq, grown, images)):
        before, whole = network(stage), network(stage + 0.5)
        assert torch.allclose(network(stage + 1e-6), before, atol=1e-4)
        assert torch.equal(network(stage + 1.0), whole)
        assert not torch.allclose(whole, before, atol=1e-5)
    faded = drawn(g, stage + 0.25)
    torch.testing.assert_close(faded, (drawn(g, stage) + drawn(g, stage + 0.5)) / 2)


def test_a_d_that_has_not_grown_sees_no_detail_that_is_averaged_away():
    _, dq = networks()
    images = some_images(4, SHAPE).float() / 127.5 - 1
    coarse = F.interpolate(F.avg_pool2d(images, 4), scale_factor=4.0)
    torch.testing.assert_close(judged(dq, 0, images), judged(dq, 0, coarse))
    assert not torch.allclose(judged(dq, 2, images), judged(dq, 2, coarse), atol=1e-4)


def test_what_has_not_grown_yet_does_not_learn():
    torch.manual_seed(0)
    players = make_players(SPEC, SHAPE, QUICK)
    before = {name: p.clone() for name, p in players.generator.named_parameters()}
    real = some_images(4, SHAPE).float() / 127.5 - 1
    train_step(players, real, SPEC, QUICK, torch.Generator().manual_seed(5), done=0.0)
    moved = {name for name, p in players.generator.named_parameters() if not torch.equal(p, before[name])}
    resting = {name for name in before if name.startswith(("blocks.1", "blocks.2", "to_image.1", "to_image.2"))}
    assert moved.isdisjoint(resting)
    assert any(name.startswith("start") for name in moved)
    assert any(name.startswith("to_image.0") for name in moved)


def test_at_full_size_a_step_is_the_papers():
    config, real = replace(QUICK, grown=STAGES), some_images(4, SHAPE).float() / 127.5 - 1
    players = []
    for step in (train_step, infogan.train_step):
        torch.manual_seed(0)
        players.append(make_players(SPEC, SHAPE, config))
        step(players[-1], real, SPEC, config, torch.Generator().manual_seed(5), 0.0)
    assert same(*(p.generator.parameters() for p in players))


def test_a_run_resumes_bit_for_bit_while_it_grows(tmp_path):
    options = {"device": "cpu", "progress": False}
    whole = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=tmp_path / "whole.safetensors", **options)
    file = tmp_path / "run.safetensors"
    part = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=file, callback=Stop(5, ctrl_c), **options)
    assert part.interrupted
    assert 0 < float(part.generator.grown) < STAGES
    again = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=file, **options)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert same(again.generator.parameters(), whole.generator.parameters())
    assert float(again.generator.grown) == STAGES


def test_how_far_they_have_grown_is_saved_with_the_weights(tmp_path):
    g, dq = networks()
    g.grow(1.25), dq.grow(1.25)
    save_networks(tmp_path / "networks.safetensors", g, dq)
    assert [float(x.grown) for x in load_networks(tmp_path / "networks.safetensors")] == [1.25, 1.25]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"grown": 2.5}, "grown must be at most 2, got 2.5"),
        ({"grown": Ramp(0.0, 1.0, 0.0, 3.0)}, "grown must be at most 2, got Ramp"),
        ({"architecture": "deep"}, "architecture must be 'growing', got 'deep'"),
        ({"norm": "batch"}, "norm must be 'spectral' or 'none' where game is 'r1'"),
    ],
)
def test_config_names_the_field_what_it_takes_and_what_it_got(fields, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Config(**fields)


def test_growing_beyond_full_size_is_refused():
    with pytest.raises(ValueError, match=r"^grown must be a number in \[0, 2\].*, got 3"):
        networks()[0].grow(3)
