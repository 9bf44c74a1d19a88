"""Data sets of random images in MNIST's files, for tests of whatever reads them."""

import gzip
import hashlib

import numpy as np

from infogan_helpers import data

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
    """A whole data set in torchvision's layout, which from now on is the genuine one; the folder of its files.

    The test restores ``data.FILES``.
    """
    raw = root / name / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for train, n in sizes:
        for kind, array in contents(train, n, seed).items():
            stem, content = FILES[train, kind], idx(array)
            data.FILES[hashlib.sha256(content).hexdigest()] = (name, stem)
            (raw / f"{stem}.gz" if gz else raw / stem).write_bytes(gzip.compress(content) if gz else content)
    return raw
