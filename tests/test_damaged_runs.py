"""Damaged checkpoints, networks and worlds are named, always: bits, ends, and parts that do not go together."""

import json
import random

import pytest
import torch
from safetensors.torch import save_file
from small_runs import SPEC, Stop, assert_same_run, ctrl_c, raising, train, with_step

from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.checkpoints import load_named_tensors, load_networks, save_networks
from infogan_helpers.tensor_files import load_tensors, save_tensors
from infogan_helpers.worlds import Sprites
from infogan_helpers.worlds import world as all_worlds

NEVER = with_step(lambda _: raising(AssertionError("a step was taken")))
TRIES = 100  # flips, and truncations, of each kind of file; tests/benchmarks/faults.py has more


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint of step 5 of 12; a test changes a copy."""
    file = tmp_path_factory.mktemp("saved") / "run.safetensors"
    train(checkpoint=file, callback=Stop(5, ctrl_c))
    return file.read_bytes()


@pytest.fixture
def file(saved, tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_bytes(saved)
    return path


def assert_named(path, load):
    with pytest.raises(ValueError, match=r"(delete it and run what wrote it again|or name another file)$") as error:
        load()
    assert path.name in str(error.value)
    return str(error.value)


def go_on(path):
    return lambda: train(checkpoint=path, method=NEVER)


# --- bits and ends


def damages(content, tries):
    """``tries`` copies with a flipped bit, and as many that end too early."""
    for _ in range(tries):
        flipped = bytearray(content)
        flipped[random.randrange(len(content))] ^= 1 << random.randrange(8)
        yield bytes(flipped)
        yield content[: random.randrange(len(content))]


def assert_all_named(path, load, tries=TRIES):
    random.seed(0)
    content = path.read_bytes()
    for damaged in damages(content, tries):
        path.write_bytes(damaged)
        assert_named(path, load)
    path.write_bytes(content)


def test_each_damaged_checkpoint_is_named(file):
    assert_all_named(file, lambda: load_tensors(file))
    assert_all_named(file, go_on(file), tries=10)
    assert_same_run(train(checkpoint=file), train())


def test_each_bit_of_what_says_what_a_checkpoint_holds_counts(file):
    """Its header, in which random flips seldom fall: a byte in fifty of the digest, the configuration, the order."""
    content = file.read_bytes()
    for place in range(0, 8 + int.from_bytes(content[:8], "little"), 50):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert_named(file, lambda: load_tensors(file))


def test_each_damaged_file_of_networks_is_named(tmp_path):
    path = tmp_path / "networks.safetensors"
    save_networks(path, *(make(SPEC, (1, 8, 8), 0.05) for make in ARCHITECTURES["conv"]))
    assert_all_named(path, lambda: load_networks(path))
    load_networks(path)


def test_a_file_without_a_digest_is_named_and_said_to_be_older(file):
    tensors, metadata = load_tensors(file)
    save_file(tensors, file, {"infogan_helpers": json.dumps(metadata)})
    assert "(it holds no SHA-256, as files of earlier versions): delete it" in assert_named(file, go_on(file))


# --- parts that do not go together, in a file whose digest is right


def without(name):
    return lambda tensors, note: tensors.pop(name)


def with_tensor(name, change):
    return lambda tensors, note: tensors.update({name: change(tensors.get(name))})


def noted(*path, value):
    def change(tensors, note):
        for name in path[:-1]:
            note = note[name]
        note[path[-1]] = value

    return change


def forgotten(*path):
    def change(tensors, note):
        for name in path[:-1]:
            note = note[name]
        del note[path[-1]]

    return change


def listed(change):
    """A change that the list of tensors knows of."""

    def both(tensors, note):
        change(tensors, note)
        note["tensors"] = sorted(tensors)

    return both


WEIGHT, MOMENT = "generator.fully_connected.0.weight", "optimizer_d.0.exp_avg"
FOREIGN = {
    "a missing weight": (without(WEIGHT), "missing or foreign is generator"),
    "a missing moment": (without(MOMENT), "missing or foreign is optimizer_d.0.exp_avg"),
    "a missing metric": (without("history.g_loss"), "missing or foreign is history.g_loss"),
    "a missing state": (without("random.torch"), "missing or foreign is random.torch"),
    "a foreign tensor": (with_tensor("more", lambda _: torch.zeros(3)), "missing or foreign is more"),
    "a weight less": (listed(without(WEIGHT)), "generator has missing or foreign tensors: fully_connected.0.weight"),
    "a weight more": (listed(with_tensor("generator.x", lambda _: torch.zeros(3))), "generator has missing or foreign"),
    "no order": (listed(without("order")), "'order'"),
    "no pictures' step": (listed(with_tensor("sample.x", lambda _: torch.zeros(3))), "'x'"),
    "a weight of another shape": (
        with_tensor(WEIGHT, lambda x: x[:-1]),
        "generator must hold fully_connected.0.weight",
    ),
    "a weight of integers": (with_tensor(WEIGHT, lambda x: x.long()), "'integers'"),
    "a weight that is no number": (with_tensor(WEIGHT, lambda x: x * torch.nan), f"{WEIGHT} is not finite"),
    "a moment of another shape": (with_tensor(MOMENT, lambda x: x[:-1]), "optimizer_d has no parameter to which"),
    "a moment of nobody": (
        listed(with_tensor("optimizer_d.99.step", lambda _: torch.tensor(1.0))),
        "optimizer_d has no parameter to which 99.step",
    ),
    "a negative count": (with_tensor("optimizer_d.0.step", lambda x: -x), "optimizer_d must count at least 0 steps"),
    "a metric too short": (
        with_tensor("history.g_loss", lambda x: x[:-1]),
        "history.g_loss must have a value for each",
    ),
    "a picture of another shape": (with_tensor("sample.5", lambda x: x[:, :, 1:]), "sample.5 must hold pictures"),
    "a picture of floats": (with_tensor("sample.5", lambda x: x.float()), "sample.5 must hold pictures"),
    "a picture of a later step": (
        listed(with_tensor("sample.10", lambda _: torch.zeros(30, 1, 8, 8, dtype=torch.uint8))),
        "sample.10 must hold pictures of one of 5 steps",
    ),
    "an order of twins": (with_tensor("order", lambda x: x.clone().index_fill(0, torch.tensor(0), int(x[1]))), "order"),
    "an order too short": (with_tensor("order", lambda x: x[:-1]), "order must be a permutation of 18 rows"),
    "an order of others": (with_tensor("order", lambda x: x + 1), "order must be a permutation of 18 rows"),
    "an order of floats": (with_tensor("order", lambda x: x.double()), "order must be a permutation of 18 rows"),
    "random numbers of nobody": (with_tensor("random.torch", lambda x: x[:-8]), "RNG state"),
    "a position too far": (noted("position", value=10**6), "position must be 4 after 5 steps, got 1000000"),
    "a negative position": (noted("position", value=-4), "position must be 4 after 5 steps, got -4"),
    "half a position": (noted("position", value=4.5), "position must be 4 after 5 steps, got 4.5"),
    "negative steps": (noted("steps", value=-1), "steps must be an integer of at least 0, got -1"),
    "half a step": (noted("steps", value=4.5), "steps must be an integer of at least 0, got 4.5"),
    "a step less": (noted("steps", value=4), "position must be 16 after 4 steps, got 4"),
    "a round more": (noted("steps", value=9), "history.d_loss must have a value for each of 9 steps"),
    "no steps": (forgotten("steps"), "'steps'"),
    "seconds of no number": (noted("seconds", value=float("nan")), "seconds must be a number of at least 0, got nan"),
    "attempts of a word": (noted("attempt", value="first"), "attempt must be an integer of at least 0, got 'first'"),
    "an unknown field": (noted("run", "config", "temperature", value=1.0), "Config has no field temperature"),
    "a field out of range": (noted("run", "config", "width", value=-1), "width must be a number above 0, got -1"),
    "an unknown field of codes": (noted("run", "spec", "ordinal", value=3), "CodeSpec has no field ordinal"),
    "a configuration of nothing": (noted("run", "config", value=None), "NoneType"),
    "a run of nothing": (noted("run", value=None), "NoneType"),
    "no method": (forgotten("run", "method"), "'method'"),
    "no list of tensors": (forgotten("tensors"), "'tensors'"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_part_of_a_checkpoint_that_does_not_fit_is_named_with_its_file(what, file):
    change, message = FOREIGN[what]
    tensors, note = load_tensors(file)
    change(tensors, note)
    save_tensors(file, tensors, note)
    assert message in assert_named(file, go_on(file))


def test_an_unchanged_checkpoint_that_was_written_anew_is_gone_on_from(file):
    save_tensors(file, *load_tensors(file))
    assert_same_run(train(checkpoint=file), train())


@pytest.mark.parametrize(
    "change",
    [
        noted("architecture", value="perceptron"),
        noted("spec", "ordinal", value=1),
        noted("widths", value=[0.05]),
        noted("norm", value="group"),
        noted("image_shape", value=[1, 8]),
        without("generator.fully_connected.0.weight"),
        with_tensor("more", lambda _: torch.zeros(1)),
        with_tensor("generator.fully_connected.0.weight", lambda x: x * torch.inf),
        with_tensor("generator.fully_connected.0.weight", lambda x: x.T),
    ],
)
def test_a_part_of_networks_that_does_not_fit_is_named_with_its_file(change, tmp_path):
    path = tmp_path / "networks.safetensors"
    save_networks(path, *(make(SPEC, (1, 8, 8), 0.05) for make in ARCHITECTURES["conv"]))
    tensors, note = load_tensors(path)
    change(tensors, note)
    save_tensors(path, tensors, note)
    assert_named(path, lambda: load_networks(path))


def test_a_tensor_of_another_shape_is_not_broadcast():
    with pytest.raises(
        ValueError, match=r"^what is kept must hold x of \(\(3,\), 'floats'\), got \(\(1,\), 'floats'\)"
    ):
        load_named_tensors({"x": torch.zeros(1)}, x=torch.ones(3))
    with pytest.raises(ValueError, match=r"^what is kept has missing or foreign tensors: x"):
        load_named_tensors({}, x=torch.ones(3))


# --- worlds that were kept


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(all_worlds, "DEFAULT_ROOT", tmp_path)
    images = Sprites(16).images_and_factors(50, seed=2, progress=False).images
    (path,) = (tmp_path / "worlds").iterdir()
    monkeypatch.setattr(Sprites, "draw", raising(AssertionError("rendered")))
    return path, images


def again():
    return Sprites(16).images_and_factors(50, seed=2, progress=False)


def test_each_damaged_world_is_named(kept):
    path, images = kept
    assert_all_named(path, again, tries=20)
    assert torch.equal(again().images, images)


@pytest.mark.parametrize(
    "change",
    [
        with_tensor("images", lambda x: x[:7]),
        with_tensor("images", lambda x: x.float()),
        with_tensor("images", lambda x: x[:, :, :8]),
        without("images"),
        forgotten("renderer"),
    ],
    ids=["7 images", "floats", "other pictures", "no images", "no renderer"],
)
def test_a_world_of_other_contents_is_named(change, kept):
    path, _ = kept
    tensors, note = load_tensors(path)
    change(tensors, note)
    save_tensors(path, tensors, note)
    assert_named(path, again)


def test_where_nothing_can_be_kept_a_world_is_rendered_all_the_same(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setattr(all_worlds, "DEFAULT_ROOT", tmp_path / "file")
    data = again()
    assert data.images.shape == (50, 1, 16, 16)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "could not be written (" in out
    assert "next time it is rendered again" in out
    monkeypatch.setattr(all_worlds, "DEFAULT_ROOT", tmp_path)
    assert torch.equal(again().images, data.images)


@pytest.mark.parametrize("bad", [{"n": 0}, {"n": 2.5}, {"n": None}, {"seed": -1}, {"seed": "one"}, {"progress": 1}])
def test_a_world_says_which_argument_is_of_no_use(bad):
    with pytest.raises(ValueError, match=f"^{next(iter(bad))} must be "):
        Sprites(16).images_and_factors(**{"n": 3} | bad)
