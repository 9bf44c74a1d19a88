"""Weights on disk: finished networks, runs that can go on, and the pretrained models that ship.

Everything is safetensors with a JSON header; nothing here reads or writes a pickle. Not here: when to save, which is
``training``.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.networks import ARCHITECTURES
from infogan_helpers.runtime import isolated_randomness
from infogan_helpers.tensor_files import load_tensors, save_tensors

PRETRAINED_FOLDER = Path(__file__).resolve().parent.parent / "data" / "pretrained"


class Pretrained(NamedTuple):
    """A model that ships: both networks in eval mode, the codes they take, and the card that says how it was made."""

    generator: torch.nn.Module
    discriminator_q: torch.nn.Module
    spec: CodeSpec
    card: dict


def save_networks(path, generator, discriminator_q):
    """Write both networks, and what is needed to build them again, to one safetensors file.

    Args:
        path: where to.
        generator: a ``Generator`` or ``MLPGenerator``.
        discriminator_q: its ``DiscriminatorQ`` or ``MLPDiscriminatorQ``.

    Raises:
        ValueError: the two are not a pair that ``networks.ARCHITECTURES`` lists.
    """
    pair = (type(generator), type(discriminator_q))
    if pair not in ARCHITECTURES.values():
        raise ValueError(f"generator and discriminator_q must be a pair from networks.ARCHITECTURES, got {pair}")
    metadata = {
        "architecture": next(name for name, types in ARCHITECTURES.items() if types == pair),
        "spec": asdict(generator.spec),
        "image_shape": generator.image_shape,
        "widths": [generator.width, discriminator_q.width],
        "variance": discriminator_q.q_head.variance,
        "norm": discriminator_q.norm,
    }
    save_tensors(path, named_tensors(generator=generator, discriminator_q=discriminator_q), metadata)


def load_networks(path):
    """``(generator, discriminator_q)`` of a file that ``save_networks`` wrote, on the CPU, in eval mode.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, corrupted, or holds something else.
    """
    tensors, metadata = load_tensors(path)
    if "architecture" not in metadata:
        raise ValueError(f"{path} holds no networks; a checkpoint of a run goes to fit(..., checkpoint=...)")
    make_generator, make_discriminator_q = ARCHITECTURES[metadata["architecture"]]
    spec, shape, widths = CodeSpec(**metadata["spec"]), metadata["image_shape"], metadata["widths"]
    options = {name: metadata[name] for name in ("variance", "norm") if name in metadata}  # files from before norm
    with isolated_randomness():  # building draws weights that are overwritten: leave the reader's seed alone
        generator = make_generator(spec, shape, widths[0])
        discriminator_q = make_discriminator_q(spec, shape, widths[1], **options)
    load_named_tensors(tensors, generator=generator, discriminator_q=discriminator_q)
    return generator.eval(), discriminator_q.eval()


def load_pretrained(name="mnist", folder=None):
    """A model that ships with this project, checked against the SHA-256 on its card.

    Args:
        name: which one; ``"mnist"``, ``"mnist_control"`` (its twin with λ = 0), ``"fashion_mnist"``, or a
            world's: ``"sprites"``, ``"faces"``, ``"chairs"``.
        folder: where weights and cards lie; ``data/pretrained`` where it is ``None``.

    Returns:
        ``Pretrained(generator, discriminator_q, spec, card)``.

    Raises:
        ValueError: there is no such model, or its weights are not those of its card.
    """
    weights, card = verified_weights(name, folder)
    generator, discriminator_q = load_networks(weights)
    return Pretrained(generator, discriminator_q, generator.spec, card)


def save_pretrained(name, generator, discriminator_q, facts, folder=None):
    """Write a model and its card: ``facts`` (configuration, seed, data, measured figures) and the SHA-256."""
    save_networks(_pretrained(folder) / f"{name}.safetensors", generator, discriminator_q)
    _write_card(name, facts, folder)


def verified_weights(name, folder=None):
    """``(path, card)`` of weights that ship, the file checked against the SHA-256 on its card.

    Raises:
        ValueError: there is no such card, or the weights are not those of the card.
    """
    folder = _pretrained(folder)
    names = sorted(path.stem for path in folder.glob("*.json"))
    if name not in names:
        raise ValueError(f"name must be one of the pretrained models {names}, got {name!r}")
    card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    weights = folder / f"{name}.safetensors"
    digest = _digest(weights) if weights.is_file() else "no file"
    if digest != card["sha256"]:
        raise ValueError(
            f"{weights} must have the SHA-256 of its card, {card['sha256']}, got {digest}: "
            "fetch the repository's file anew"
        )
    return weights, card


def save_verified(name, tensors, facts, folder=None):
    """Write named tensors and their card: ``facts`` and the SHA-256."""
    save_tensors(_pretrained(folder) / f"{name}.safetensors", tensors, {})
    _write_card(name, facts, folder)


def _pretrained(folder):
    return PRETRAINED_FOLDER if folder is None else Path(folder)


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_card(name, facts, folder):
    card = {**facts, "sha256": _digest(_pretrained(folder) / f"{name}.safetensors")}
    (_pretrained(folder) / f"{name}.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def named_tensors(**parts):
    """Everything in ``parts`` that must be on disk for them to go on as they are, under their names.

    Args:
        parts: modules (weights and buffers are taken), optimisers (moments and step counts) and tensors.

    Returns:
        A dictionary from ``"part.…"``, or ``"part"`` for a tensor, to tensors.

    Raises:
        ValueError: a part is something else, which would be forgotten.
    """
    tensors = {}
    for part, value in parts.items():
        if isinstance(value, torch.nn.Module):
            tensors |= {f"{part}.{name}": tensor for name, tensor in value.state_dict().items()}
        elif isinstance(value, torch.optim.Optimizer):
            state = value.state_dict()["state"]
            tensors |= {f"{part}.{i}.{key}": tensor for i, moments in state.items() for key, tensor in moments.items()}
        elif isinstance(value, torch.Tensor):
            tensors[part] = value
        else:
            raise ValueError(f"{part} must be a module, an optimiser or a tensor, got {type(value).__name__}")
    return tensors


def load_named_tensors(tensors, **parts):
    """Put what ``named_tensors`` gathered back into parts of the same shape, in place; other tensors are left alone."""
    for part, value in parts.items():
        ours = {name.removeprefix(f"{part}."): t for name, t in tensors.items() if name.startswith(f"{part}.")}
        if isinstance(value, torch.nn.Module):
            value.load_state_dict(ours)
        elif isinstance(value, torch.optim.Optimizer):
            state = {}
            for key, tensor in ours.items():
                index, moment = key.split(".")
                state.setdefault(int(index), {})[moment] = tensor
            value.load_state_dict({"state": state, "param_groups": value.state_dict()["param_groups"]})
        else:
            with torch.no_grad():
                value.copy_(tensors[part])
