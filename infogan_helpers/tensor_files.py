"""Named tensors and a JSON header in one safetensors file, whole or not at all. Not here: what the tensors mean.

A file holds the SHA-256 of all its other bytes, so that no damaged one is read as other numbers.
"""

import hashlib
import json
import os
from contextlib import contextmanager

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from infogan_helpers import checks

UNSIGNED = "0" * 64  # stands for the SHA-256 while it is taken


def save_tensors(path, tensors, metadata):
    """Write named tensors and a JSON-able ``metadata`` to one safetensors file, whole or not at all.

    Raises:
        ValueError: ``tensors`` or ``metadata`` are something else.
        OSError: the file can't be written; an older one is there as it was.
    """
    path = checks.path("path", path)
    named = isinstance(tensors, dict) and all(isinstance(name, str) for name in tensors)
    if not named or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise ValueError(f"tensors must be a dictionary of tensors, got {type(tensors).__name__}")
    try:
        header = json.dumps({"sha256": UNSIGNED, **metadata})
    except (TypeError, ValueError) as error:
        raise ValueError(f"metadata must be a dictionary that JSON can write, got {metadata!r}") from error
    content = save({name: x.detach().cpu().contiguous() for name, x in tensors.items()}, {"infogan_helpers": header})
    content = content.replace(UNSIGNED.encode(), hashlib.sha256(content).hexdigest().encode(), 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)  # a run killed while saving leaves the older file
    finally:
        partial.unlink(missing_ok=True)


def load_tensors(path, sha256=None):
    """``(tensors, metadata)`` of a file that ``save_tensors`` wrote, if no bit of it has changed.

    Args:
        path: of the file.
        sha256: of the whole file, where a card says it; the one that it holds itself where it is ``None``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, corrupted, or not one of ours.
    """
    path = checks.path("path", path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there")
    content = path.read_bytes()
    with contents_of(path):
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        metadata = json.loads(header["__metadata__"]["infogan_helpers"])
        own = metadata.pop("sha256", None)
        if sha256 is None:
            if own is None:
                raise ValueError("it holds no SHA-256, as files of earlier versions")
            content = content.replace(own.encode(), UNSIGNED.encode(), 1)
        if hashlib.sha256(content).hexdigest() != (sha256 or own):
            raise ValueError("its SHA-256 is another")
        with safe_open(path, framework="pt") as file:
            # Copies: Windows replaces no file that is still mapped, and a run that goes on saves to the one it read.
            return {name: file.get_tensor(name).clone() for name in file.keys()}, metadata  # noqa: SIM118


@contextmanager
def contents_of(path):
    """What does not fit in a file is a ``ValueError`` that names the file and the cure."""
    try:
        yield
    except (AttributeError, LookupError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is truncated, corrupted or not a file of this version ({error}): "
            "delete it and run what wrote it again, or name another file"
        ) from error
