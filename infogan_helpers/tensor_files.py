"""Named tensors and a JSON header in one safetensors file, whole or not at all. Not here: what the tensors mean."""

import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file


def save_tensors(path, tensors, metadata):
    """Write named tensors and a JSON-able ``metadata`` to one safetensors file, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(tensors, partial, {"infogan_helpers": json.dumps(metadata)})
    os.replace(partial, path)  # a run killed while saving leaves the older file


def load_tensors(path):
    """``(tensors, metadata)`` of a file that ``save_tensors`` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, corrupted, or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {})["infogan_helpers"])
            # Copies: Windows replaces no file that is still mapped, and a run that goes on saves to the one it read.
            return {name: file.get_tensor(name).clone() for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is truncated, corrupted or not a checkpoint of this module ({error}): delete it and train again"
        ) from error
