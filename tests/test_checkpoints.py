"""Weights on disk: what is saved comes back, damage is named, nothing is a pickle, the reader's seed stays."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from infogan_helpers import tensor_files
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.checkpoints import (
    PRETRAINED_FOLDER,
    load_named_tensors,
    load_networks,
    load_pretrained,
    named_tensors,
    save_networks,
    save_pretrained,
)
from infogan_helpers.codes import CodeSpec
from infogan_helpers.evaluation import read_codes
from infogan_helpers.networks import MLPGenerator
from infogan_helpers.tensor_files import load_tensors, save_tensors

SPEC = CodeSpec(categorical=(3, 2), continuous=1, noise=4, continuous_prior="normal")


def networks(architecture="conv", variance="learned"):
    torch.manual_seed(0)
    make_generator, make_discriminator_q = ARCHITECTURES[architecture]
    generator = make_generator(SPEC, (1, 8, 16), 0.05)
    discriminator_q = make_discriminator_q(SPEC, (1, 8, 16), 0.1, variance)
    generator(SPEC.sample(8))  # so that running statistics are not those of a new network
    return generator, discriminator_q


@pytest.mark.parametrize("variance", ["learned", "fixed"])
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_networks_come_back_as_they_were(architecture, variance, tmp_path):
    saved = networks(architecture, variance)
    save_networks(tmp_path / "n.safetensors", *saved)
    loaded = load_networks(tmp_path / "n.safetensors")
    for there, here in zip(saved, loaded, strict=True):
        assert type(here) is type(there)
        assert (here.spec, here.image_shape, here.width) == (SPEC, (1, 8, 16), there.width)
        assert not any(m.training for m in here.modules())
        state = there.state_dict()
        assert state.keys() == here.state_dict().keys()
        assert all(torch.equal(t, state[name]) for name, t in here.state_dict().items())
    codes = SPEC.sample(3)
    images, wanted = loaded[0](codes), saved[0].eval()(codes)
    assert torch.equal(images, wanted)
    assert torch.equal(loaded[1](images)[1].log_variance, saved[1].eval()(images)[1].log_variance)


def test_saving_leaves_the_networks_mode_alone(tmp_path):
    saved = networks()
    save_networks(tmp_path / "n.safetensors", *saved)
    assert saved[0].training
    assert saved[1].training


def test_a_file_of_networks_is_plain_safetensors_with_a_json_header(tmp_path):
    save_networks(tmp_path / "n.safetensors", *networks())
    content = (tmp_path / "n.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert json.loads(header["__metadata__"]["infogan_helpers"])["architecture"] == "conv"
    assert load_file(tmp_path / "n.safetensors").keys() == header.keys() - {"__metadata__"}


def test_nothing_is_pickled(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise AssertionError("a pickle")

    for name in ("save", "load"):
        monkeypatch.setattr(torch, name, refuse)
    monkeypatch.setattr("pickle.dumps", refuse)
    monkeypatch.setattr("pickle.loads", refuse)
    save_networks(tmp_path / "n.safetensors", *networks())
    assert len(load_networks(tmp_path / "n.safetensors")) == 2


def test_loading_leaves_random_numbers_alone(tmp_path):
    save_networks(tmp_path / "n.safetensors", *networks())
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    load_networks(tmp_path / "n.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)


def test_networks_that_are_no_pair_are_refused(tmp_path):
    generator, discriminator_q = networks()
    for pair in ((MLPGenerator(SPEC, (1, 8, 16), 0.05), discriminator_q), (discriminator_q, generator)):
        with pytest.raises(ValueError, match=r"generator and discriminator_q must be a pair .*ARCHITECTURES, got"):
            save_networks(tmp_path / "n.safetensors", *pair)
    assert not list(tmp_path.iterdir())


def test_tensors_and_metadata_come_back_with_type_and_shape(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    tensors = {
        "float": base, "transposed": base.T, "bytes": torch.arange(5, dtype=torch.uint8), "empty": torch.empty(0),
        "scalar": torch.tensor(2.5), "long": torch.tensor([1, 2]), "with_gradient": torch.ones(2, requires_grad=True),
    }  # fmt: skip
    note = {"a": [1, 2.5, None, "λ"], "b": {"c": True}}
    save_tensors(tmp_path / "new" / "folder" / "t.safetensors", tensors, note)
    loaded, metadata = load_tensors(str(tmp_path / "new" / "folder" / "t.safetensors"))
    assert metadata == note
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert loaded[name].shape == tensor.shape
        assert torch.equal(loaded[name], tensor.detach())


@pytest.mark.parametrize("length", range(8))
def test_a_header_may_be_of_any_length(length, tmp_path):
    save_tensors(tmp_path / "t.safetensors", {"x": torch.ones(2)}, {"note": "a" * length})
    assert load_tensors(tmp_path / "t.safetensors")[1] == {"note": "a" * length}


def test_a_picture_that_looks_like_the_place_of_the_digest_is_kept(tmp_path):
    zeros = torch.full((256,), ord("0"), dtype=torch.uint8)
    save_tensors(tmp_path / "t.safetensors", {"picture": zeros}, {})
    assert torch.equal(load_tensors(tmp_path / "t.safetensors")[0]["picture"], zeros)


def test_a_save_that_fails_leaves_the_older_file_whole(tmp_path, monkeypatch):
    file = tmp_path / "t.safetensors"
    save_tensors(file, {"x": torch.zeros(1000)}, {"version": 1})

    def half(path, content):
        with open(path, "wb") as opened:
            opened.write(content[: len(content) // 2])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="disk full"):
        save_tensors(file, {"x": torch.ones(1000)}, {"version": 2})
    tensors, note = load_tensors(file)
    assert note == {"version": 1}
    assert tensors["x"].sum() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["t.safetensors"]


def test_a_save_replaces_the_older_file_in_one_move(tmp_path, monkeypatch):
    file, moves, replace = tmp_path / "t.safetensors", [], tensor_files.os.replace
    monkeypatch.setattr(tensor_files.os, "replace", lambda a, b: moves.append((a.name, b.name)) or replace(a, b))
    save_tensors(file, {"x": torch.zeros(2)}, {})
    save_tensors(file, {"x": torch.ones(2)}, {})
    assert moves == [("t.safetensors.partial", "t.safetensors")] * 2
    assert [p.name for p in tmp_path.iterdir()] == ["t.safetensors"]
    assert load_tensors(file)[0]["x"].tolist() == [1, 1]


def test_tensors_do_not_hang_on_the_file_that_they_came_from(tmp_path):
    """Windows would refuse to replace it, and a run that goes on saves to the file that it read."""
    file = tmp_path / "t.safetensors"
    save_tensors(file, {"x": torch.ones(1000)}, {})
    tensors, size = load_tensors(file)[0], file.stat().st_size
    with file.open("r+b") as opened:
        opened.write(bytes(size))
    assert tensors["x"].sum() == 1000


@pytest.mark.parametrize("load", [load_tensors, load_networks])
def test_a_file_that_is_not_there_is_named(load, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors is not there"):
        load(tmp_path / "nowhere.safetensors")


def _torch_file(path, content):
    torch.save({"x": torch.zeros(3)}, path)


def _foreign_file(path, content):
    save_file({"x": torch.zeros(3)}, path)


@pytest.mark.parametrize("load", [load_tensors, load_networks])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path, content: path.write_bytes(content[: len(content) // 2]),
        lambda path, content: path.write_bytes(content[:-1]),
        lambda path, content: path.write_bytes(content[:3]),
        lambda path, content: path.write_bytes(b""),
        lambda path, content: path.write_bytes(bytes(len(content))),
        lambda path, content: path.write_bytes(content + b"more"),
        lambda path, content: path.write_bytes(content.replace(b"infogan_helpers", b"infogan_hel{ers")),
        lambda path, content: path.write_bytes(content.replace(b'{\\"sha', b"?\\'sha")),
        _torch_file,
        _foreign_file,
    ],
    ids=["half", "byte short", "3 bytes", "empty", "zeros", "longer", "other key", "not JSON", "pickle", "foreign"],
)
def test_a_damaged_file_is_an_error_that_names_it_and_the_cure(load, damage, tmp_path):
    file = tmp_path / "n.safetensors"
    save_networks(file, *networks())
    content = file.read_bytes()
    damage(file, content)
    assert file.read_bytes() != content
    with pytest.raises(ValueError, match=r"n\.safetensors is truncated, corrupted .*: delete it and run what wrote it"):
        load(file)


def test_a_checkpoint_of_a_run_is_no_file_of_networks(tmp_path):
    save_tensors(tmp_path / "run.safetensors", {"x": torch.zeros(1)}, {"run": {}})
    with pytest.raises(ValueError, match=r"run\.safetensors holds no networks; .* fit\(\.\.\., checkpoint=\.\.\.\)"):
        load_networks(tmp_path / "run.safetensors")


# --- pretrained models


@pytest.fixture
def shelf(tmp_path):
    save_pretrained("tiny", *networks(), {"seed": 7, "accuracy": 0.9}, tmp_path)
    return tmp_path


def test_a_pretrained_model_comes_back_with_its_card(shelf):
    model = load_pretrained("tiny", shelf)
    digest = hashlib.sha256((shelf / "tiny.safetensors").read_bytes()).hexdigest()
    assert model.card == {"seed": 7, "accuracy": 0.9, "sha256": digest}
    assert model.spec == SPEC == model.generator.spec
    assert not model.generator.training
    assert not model.discriminator_q.training
    assert torch.equal(model.generator(SPEC.sample(1)).isfinite().all(), torch.tensor(True))
    assert load_pretrained("tiny", str(shelf)).card == model.card


@pytest.mark.parametrize("name", ["huge", "", "tiny.safetensors", "../tiny", None])
def test_an_unknown_model_is_refused_with_the_names_there_are(name, shelf):
    with pytest.raises(ValueError, match=r"^name must be one of the pretrained models \['tiny'\], got "):
        load_pretrained(name, shelf)


def test_a_folder_that_is_not_there_holds_no_models(tmp_path):
    with pytest.raises(ValueError, match=r"^name must be one of the pretrained models \[\], got 'mnist'"):
        load_pretrained(folder=tmp_path / "nowhere")


@pytest.mark.parametrize("change", [lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b[:100], lambda b: b""])
def test_weights_that_are_not_those_of_the_card_are_refused(change, shelf):
    file = shelf / "tiny.safetensors"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(
        ValueError, match=r"tiny\.safetensors must have the SHA-256 of its card, \w{64}, got \w{64}: fe"
    ):
        load_pretrained("tiny", shelf)


def test_every_digit_of_a_sha_256_counts(shelf):
    other = lambda digest: digest[:-1] + ("0" if digest[-1] != "0" else "1")  # noqa: E731
    card, weights = shelf / "tiny.json", shelf / "tiny.safetensors"
    content, digest = card.read_text(encoding="utf-8"), json.loads(card.read_text(encoding="utf-8"))["sha256"]
    card.write_text(content.replace(digest, other(digest)), encoding="utf-8")
    with pytest.raises(ValueError, match="must have the SHA-256 of its card"):
        load_pretrained("tiny", shelf)
    own = re.search(rb'sha256\\": \\"(\w{64})', weights.read_bytes()).group(1).decode()
    weights.write_bytes(weights.read_bytes().replace(own.encode(), other(own).encode()))
    with pytest.raises(ValueError, match="its SHA-256 is another"):
        load_tensors(weights)


def test_missing_weights_are_an_error_that_names_them(shelf):
    (shelf / "tiny.safetensors").unlink()
    with pytest.raises(ValueError, match=r"tiny\.safetensors must have .*, got no file: fetch"):
        load_pretrained("tiny", shelf)


def test_the_digits_that_ship_are_small_and_can_be_read_by_q():
    model = load_pretrained("mnist")
    assert sum(p.stat().st_size for p in PRETRAINED_FOLDER.glob("mnist.*")) <= 8 * 2**20
    assert model.spec == CodeSpec()
    codes = model.spec.sample(500, torch.Generator().manual_seed(0))
    with torch.no_grad():
        images = model.generator(codes)
    assert images.shape == (500, 1, 28, 28)
    assert images.std() > 0.3
    guesses = read_codes(model.discriminator_q, images).categorical_logits[0].argmax(1)
    assert (guesses == codes.categorical[:, 0]).float().mean() >= 0.9


@pytest.mark.parametrize("name", ["../tiny", "a/b", "/tmp/tiny", "", ".", "..", ".hidden", "a\\b", "a b", None, 3])
def test_a_model_is_saved_nowhere_but_in_its_folder(name, tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"^name must be a word, .* got "):
        save_pretrained(name, *networks(), {"seed": 7}, folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["shelf"]


@pytest.mark.parametrize("facts", [None, 3, ["seed"], {"seed": torch.ones(1)}, {"seed": {1}}])
def test_facts_that_no_card_can_hold_are_refused_before_anything_is_written(facts, tmp_path):
    with pytest.raises(ValueError, match=r"^facts must be a dictionary that JSON can write, got "):
        save_pretrained("tiny", *networks(), facts, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_networks_of_other_codes_or_images_are_not_saved_together(tmp_path):
    _, discriminator_q = networks()
    make_generator, _ = ARCHITECTURES["conv"]
    with pytest.raises(ValueError, match=r"^generator and discriminator_q must have one spec, got"):
        save_networks(
            tmp_path / "n.safetensors", make_generator(CodeSpec((3,), 1, 4), (1, 8, 16), 0.05), discriminator_q
        )
    with pytest.raises(ValueError, match=r"^generator and discriminator_q must have one image_shape, got"):
        save_networks(tmp_path / "n.safetensors", make_generator(SPEC, (1, 16, 8), 0.05), discriminator_q)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["", 3, None, b"n.safetensors", "a\0b"])
def test_what_is_no_path_is_named(path):
    for use in (lambda: load_tensors(path), lambda: save_tensors(path, {}, {}), lambda: load_networks(path)):
        with pytest.raises(ValueError, match=r"^path must be a path, got "):
            use()


def test_what_is_no_tensor_or_no_json_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"^tensors must be a dictionary of tensors, got "):
        save_tensors(tmp_path / "t", {"x": [1, 2]}, {})
    with pytest.raises(ValueError, match=r"^metadata must be a dictionary that JSON can write, got "):
        save_tensors(tmp_path / "t", {}, {"x": torch.ones(1)})
    assert list(tmp_path.iterdir()) == []


def test_one_content_gives_one_file(tmp_path):
    for name in ("one", "other"):
        save_tensors(tmp_path / name, {"x": torch.arange(3), "a": torch.zeros(2)}, {"note": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


# --- parts under their names


def stepped(gradient):
    """Adam after one step on three weights."""
    weight = torch.nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.Adam([weight])
    weight.grad = torch.tensor(gradient)
    optimizer.step()
    return optimizer


def test_moments_come_back_and_those_of_no_parameter_are_refused():
    tensors, fresh = (
        named_tensors(adam=stepped([-1.0, 0.0, 2.0])),
        torch.optim.Adam([torch.nn.Parameter(torch.ones(3))]),
    )
    load_named_tensors(tensors, adam=fresh)
    again = named_tensors(adam=fresh)
    assert again.keys() == tensors.keys() == {"adam.0.step", "adam.0.exp_avg", "adam.0.exp_avg_sq"}
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)
    for name in ("adam.1.step", "adam.-1.step", "adam.0.exp_avg"):
        with pytest.raises(ValueError, match="adam has no parameter to which"):
            load_named_tensors(tensors | {name: torch.zeros(4)}, adam=fresh)
    with pytest.raises(ValueError, match="adam has no parameter to which"):
        load_named_tensors(tensors | {"adam.1.step": torch.tensor(1.0)}, adam=fresh)
    with pytest.raises(ValueError, match=r"adam must count at least 0 steps in 0\.step"):
        load_named_tensors(tensors | {"adam.0.step": torch.tensor(-1.0)}, adam=fresh)


def test_weights_of_another_shape_or_kind_are_refused():
    layer = torch.nn.Linear(2, 1)
    for weight in (torch.zeros(2, 1), torch.zeros(1, 2, dtype=torch.long)):
        with pytest.raises(ValueError, match=r"layer must hold weight of \(\(1, 2\), 'floats'\)"):
            load_named_tensors({"layer.weight": weight, "layer.bias": torch.zeros(1)}, layer=layer)
