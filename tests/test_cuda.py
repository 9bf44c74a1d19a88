"""What only a GPU can show: the same algorithm there, nothing waited for, pictures that agree with the CPU's.

Skipped where torch finds no CUDA device; CI has none.
"""

from dataclasses import fields, replace

import pytest
import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import mnist_sample, to_model_range
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.methods import digits, infogan
from infogan_helpers.tensor_files import load_tensors
from infogan_helpers.world_presets import WORLD_PRESETS
from infogan_helpers.worlds import Chairs, Faces, Sprites

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")


EVERYTHING = [
    pytest.param(None, CodeSpec(), method, config, id=name)
    for method in (infogan, digits)
    for name, config in method.PRESETS.items()
]
EVERYTHING += [
    pytest.param(
        None, CodeSpec(), infogan, replace(infogan.PRESETS["plain"], game=game, norm=norm), id=f"{game} {norm}"
    )
    for game, norm in (("hinge", "spectral"), ("wasserstein", "none"))
]
EVERYTHING += [
    pytest.param(preset.world, preset.spec, preset.method, preset.config, id=name)
    for name, preset in WORLD_PRESETS.items()
]


def batch(world, n):
    images = mnist_sample().images if world is None else world().images_and_factors(500, 3, progress=False)[0]
    return to_model_range(images[:n])


@pytest.mark.parametrize(("world", "spec", "method", "config"), EVERYTHING)
def test_a_step_waits_for_nothing(world, spec, method, config):
    images = batch(world, config.batch_size).cuda()
    players = method.METHOD.make(spec, images.shape[1:], config, "cuda")
    random = torch.Generator("cuda").manual_seed(0)
    for done in (0.4, 0.4, 0.99):  # the first step of all allocates
        metrics = method.train_step(players, images, spec, config, random, done)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for done in (0.0, 0.4, 0.99):
            metrics = method.train_step(players, images, spec, config, random, done)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(torch.isfinite(value) for value in metrics[:4])
    assert metrics.d_loss.device.type == "cuda"


@pytest.mark.parametrize(("world", "spec", "method", "config"), EVERYTHING)
def test_a_step_measures_what_it_measures_on_the_cpu(world, spec, method, config):
    noises = [item.name for item in fields(config) if item.name == "instance_noise"]
    config = replace(config, **dict.fromkeys(noises, 0.0))
    images = batch(world, config.batch_size)
    torch.manual_seed(0)
    players = method.METHOD.make(spec, images.shape[1:], config)
    state = [network.state_dict() for network in (players.generator, players.discriminator_q)]
    on_cuda = method.METHOD.make(spec, images.shape[1:], config, "cuda")
    for network, tensors in zip((on_cuda.generator, on_cuda.discriminator_q), state, strict=True):
        network.load_state_dict(tensors)
    here = method.train_step(players, images, spec, config, torch.Generator().manual_seed(0), 0.4)
    there = method.train_step(on_cuda, images.cuda(), spec, config, torch.Generator("cuda").manual_seed(0), 0.4)
    # Other random codes, copies and dropout, and bf16: at the first weights D and Q know next to nothing.
    assert float(there.d_loss) == pytest.approx(float(here.d_loss), abs=0.15)
    assert float(there.g_loss) == pytest.approx(float(here.g_loss), abs=0.15)
    assert float(there.bound_categorical) == pytest.approx(float(here.bound_categorical), abs=0.5)


def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    config = replace(digits.PRESETS["recipe"], steps=6, batch_size=16, checkpoint_every=3, sample_every=3)
    images, kept = mnist_sample().images[:200], tmp_path / "kept.safetensors"

    def keep(history):
        if len(history) == 3:
            kept.write_bytes(file.read_bytes())

    file = tmp_path / "run.safetensors"
    whole = digits.fit(images, CodeSpec(), config, device="cuda", checkpoint=file, callback=keep, progress=False)
    end, _ = load_tensors(file)
    again = digits.fit(images, CodeSpec(), config, device="cuda", checkpoint=kept, progress=False)
    tensors, _ = load_tensors(kept)
    assert len(whole.history) == len(again.history) == 6
    for name in ("order", "random.draws", "random.cuda", "random.torch"):
        assert torch.equal(end[name], tensors[name])
    assert again.history.d_loss == pytest.approx(whole.history.d_loss, abs=0.02)  # sums on a GPU have no fixed order


def test_a_checkpoint_of_the_cpu_is_refused(tmp_path):
    config, images = replace(infogan.PRESETS["plain"], steps=2, batch_size=8), mnist_sample().images[:40]
    file = tmp_path / "run.safetensors"
    infogan.fit(images, CodeSpec(), config, device="cpu", checkpoint=file, progress=False)
    with pytest.raises(ValueError, match="device must be of the kind"):
        infogan.fit(images, CodeSpec(), config, device="cuda", checkpoint=file, progress=False)


@pytest.mark.parametrize("world", [Sprites(), Faces(), Chairs()], ids=["sprites", "faces", "chairs"])
def test_worlds_render_the_same(world):
    factors = world.sample_factors(64, torch.Generator().manual_seed(0))
    here, there = world.render(factors), world.render(factors.cuda())
    assert there.device.type == "cuda"
    # A ray that grazes an edge falls on one side or the other.
    assert ((here.float() - there.cpu().float()).abs() > 0.01 * float(here.max())).float().mean() < 0.002


def test_pictures_and_answers_come_back_to_the_cpu():
    spec = CodeSpec()
    players = digits.make(spec, (1, 28, 28), digits.PRESETS["recipe"], "cuda")
    images = draw_images(players.generator, spec.sample(5, torch.Generator().manual_seed(0)))
    assert images.device.type == "cpu"
    assert read_codes(players.discriminator_q, images).mean.device.type == "cpu"
