"""Broken data files: an error that names the file and the cure, and no fallback to other images."""

import gzip
import re

import numpy as np
import pytest
from mnist_files import FILES, idx, write

from infogan_helpers import data
from infogan_helpers.data import load_fashion_mnist, load_mnist


@pytest.fixture(autouse=True)
def no_data_but_the_tests_own(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "DEFAULT_ROOT", tmp_path / "default")


def assert_names_file_and_cure(error, path):
    assert str(path) in str(error.value)
    assert re.search("delete|copy it anew|add it", str(error.value))


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
@pytest.mark.parametrize("kind", ["images", "labels"])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("where", ["root", "environment", "default"])
def test_a_truncated_file_is_an_error_wherever_it_lies(tmp_path, monkeypatch, capsys, load, kind, train, where):
    folder = tmp_path / where
    path = write(folder, "MNIST" if load is load_mnist else "FashionMNIST") / FILES[train, kind]
    path.write_bytes(path.read_bytes()[:-1])
    if where == "environment":
        monkeypatch.setenv("INFOGAN_DATA", str(folder))
    with pytest.raises(ValueError, match=r"is truncated or corrupted: its header promises .* bytes, it has") as error:
        load(train, root=folder if where == "root" else None)
    assert_names_file_and_cure(error, path)
    assert capsys.readouterr().out == ""


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
    with pytest.raises(ValueError, match=r"is (truncated or corrupted|not an IDX file)") as error:
        load_mnist(root=tmp_path)
    assert_names_file_and_cure(error, path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"<html>404 Not Found</html>",
        b"\0\0\x08\x03\0\0\0\x01",
        idx(np.zeros(12)),
        idx(np.zeros((12, 784))),
        b"\0\0\x0d\x03" + idx(np.zeros((12, 28, 28)))[4:],  # floats
        gzip.compress(idx(np.zeros((12, 28, 28)))),  # packed, but without the ending
    ],
    ids=["empty", "short", "a web page", "half a header", "labels", "flat", "floats", "packed"],
)
def test_what_is_not_an_idx_file_of_images_is_an_error(tmp_path, content):
    path = write(tmp_path) / FILES[True, "images"]
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not an IDX file of bytes in 3 dimensions") as error:
        load_mnist(root=tmp_path)
    assert_names_file_and_cure(error, path)


@pytest.mark.parametrize("shape", [(12, 20, 28), (12, 28, 20), (0, 28, 28)])
def test_images_of_another_size_are_an_error(tmp_path, shape):
    path = write(tmp_path) / FILES[True, "images"]
    path.write_bytes(idx(np.zeros(shape)))
    with pytest.raises(ValueError, match="must hold images of 28 x 28 pixels, got shape") as error:
        load_mnist(root=tmp_path)
    assert_names_file_and_cure(error, path)


def test_bytes_too_many_are_an_error(tmp_path):
    path = write(tmp_path) / FILES[True, "images"]
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="its header promises 9408 bytes, it has 9409") as error:
        load_mnist(root=tmp_path)
    assert_names_file_and_cure(error, path)


@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_file_without_its_partner_is_an_error_that_names_the_missing_one(tmp_path, kind, gz):
    raw = write(tmp_path, gz=gz)
    path = raw / FILES[True, kind]
    (raw / f"{path.name}.gz" if gz else path).unlink()
    with pytest.raises(ValueError, match="is missing while its partner is there") as error:
        load_mnist(root=tmp_path)
    assert_names_file_and_cure(error, path)
    assert len(load_mnist(False, root=tmp_path).images) == 5


@pytest.mark.parametrize("count", [11, 13, 0])
def test_a_label_for_each_image(tmp_path, count):
    path = write(tmp_path) / FILES[True, "labels"]
    path.write_bytes(idx(np.zeros(count)))
    with pytest.raises(ValueError, match=f"must hold a label for each of the 12 images, got {count}:") as error:
        load_mnist(root=tmp_path)
    assert_names_file_and_cure(error, path)
