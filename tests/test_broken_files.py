"""Broken data files: an error that names the file and the cure, and no fallback to other images."""

import gzip
import random

import numpy as np
import pytest
from mnist_files import FILES, contents, idx, write

from infogan_helpers import data
from infogan_helpers.data import load_fashion_mnist, load_mnist


@pytest.fixture(autouse=True)
def no_data_but_the_tests_own(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "DEFAULT_ROOT", tmp_path / "default")
    monkeypatch.setattr(data, "FILES", dict(data.FILES))


def assert_refused(path, capsys, load=load_mnist, **options):
    """What the error says of the file, between its name and the cure."""
    with pytest.raises(ValueError, match=r": (delete the file and run this again|add it)") as error:
        load(**options)
    message = str(error.value)
    assert message.startswith(f"{path} is ")
    assert capsys.readouterr().out == ""
    return message


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
@pytest.mark.parametrize("kind", ["images", "labels"])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("where", ["root", "environment", "default"])
def test_a_truncated_file_is_an_error_wherever_it_lies(tmp_path, monkeypatch, capsys, load, kind, train, where):
    folder, name = tmp_path / where, "MNIST" if load is load_mnist else "FashionMNIST"
    path = write(folder, name) / FILES[train, kind]
    path.write_bytes(path.read_bytes()[:-1])
    if where == "environment":
        monkeypatch.setenv("INFOGAN_DATA", str(folder))
    message = assert_refused(path, capsys, load, train=train, root=folder if where == "root" else None)
    assert f"is truncated, corrupted or not {name}'s {FILES[train, kind]}: by its SHA-256, " in message
    assert "it is none of the files that we know" in message


def damaged(content):
    middle = len(content) // 2
    return {
        "cut in half": content[:middle],
        "without its checksum": content[:-8],
        "one byte flipped": content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :],
        "empty": b"",
        "a web page": b"<html>404 Not Found</html>",
    }


@pytest.mark.parametrize("damage", damaged(b"content"))
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_damaged_archive_is_an_error(tmp_path, capsys, kind, damage):
    path = write(tmp_path, gz=True) / f"{FILES[True, kind]}.gz"
    path.write_bytes(damaged(path.read_bytes())[damage])
    assert_refused(path, capsys, root=tmp_path)


GENUINE = contents(True, 12)
OTHERS = {
    "empty": b"",
    "short": b"\0\0\x08",
    "a web page": b"<html>404 Not Found</html>",
    "half a header": b"\0\0\x08\x03\0\0\0\x01",
    "floats": b"\0\0\x0d\x03" + idx(GENUINE["images"])[4:],
    "packed": gzip.compress(idx(GENUINE["images"])),  # but without the ending
    "too many bytes": idx(GENUINE["images"]) + b"\0",
    "zeroed pixels": idx(np.zeros((12, 28, 28))),
    "a pixel zeroed": idx(np.where(np.arange(12 * 784).reshape(12, 28, 28) == 5000, 0, GENUINE["images"])),
    "too few images": idx(GENUINE["images"][:7]),
    "all labels 2": idx(np.full(12, 2)),
    "labels in another order": idx(GENUINE["labels"][::-1]),
}


@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("content", OTHERS)
def test_a_file_of_other_contents_is_an_error_whatever_its_form(tmp_path, capsys, content, gz):
    kind = "labels" if "labels" in content else "images"
    path = write(tmp_path, gz=gz) / (FILES[True, kind] + gz * ".gz")
    path.write_bytes(gzip.compress(OTHERS[content]) if gz else OTHERS[content])
    message = assert_refused(path, capsys, root=tmp_path)
    assert f"not MNIST's {FILES[True, kind]}: by its SHA-256, " in message
    assert "it is none of the files that we know" in message


def test_a_file_under_another_ones_name_is_said_to_be_that_one(tmp_path, capsys):
    raw, fashion = write(tmp_path), write(tmp_path, "FashionMNIST", seed=1)
    path = raw / FILES[True, "images"]
    for other, name in ((raw / FILES[False, "images"], "MNIST"), (fashion / path.name, "FashionMNIST")):
        path.write_bytes(other.read_bytes())
        message = assert_refused(path, capsys, root=tmp_path)
        assert f"it is {name}'s {other.name}: delete the file" in message


def test_random_flips_and_truncations_of_each_file_are_all_named(tmp_path, capsys):
    random.seed(0)
    raw = write(tmp_path)
    for (train, _), stem in FILES.items():
        content = (raw / stem).read_bytes()
        for _ in range(10):
            flipped = bytearray(content)
            flipped[random.randrange(len(content))] ^= 1 << random.randrange(8)
            for wrong in (bytes(flipped), content[: random.randrange(len(content))]):
                (raw / stem).write_bytes(wrong)
                assert_refused(raw / stem, capsys, train=train, root=tmp_path)
        (raw / stem).write_bytes(content)
        load_mnist(train, root=tmp_path)


@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_file_without_its_partner_is_an_error_that_names_the_missing_one(tmp_path, capsys, kind, gz):
    raw = write(tmp_path, gz=gz)
    path = raw / FILES[True, kind]
    (raw / f"{path.name}.gz" if gz else path).unlink()
    assert "is missing while its partner is there: add it" in assert_refused(path, capsys, root=tmp_path)
    assert len(load_mnist(False, root=tmp_path).images) == 5


def test_the_files_that_are_known_are_four_of_each_data_set():
    assert sorted(data.FILES.values()) == sorted((n, f) for n in ("MNIST", "FashionMNIST") for f in FILES.values())
    assert all(len(bytes.fromhex(digest)) == 32 for digest in data.FILES)
