"""Weights on disk: finished networks, and the pretrained models that ship.

Everything is safetensors with a JSON header; nothing here reads or writes a pickle. Not here: runs that can go on,
which are ``run_files``.
"""

import hashlib
import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import NamedTuple

import torch

from infogan_helpers import checks
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.arguments import TENSOR, mapping_of, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.runtime import isolated_randomness
from infogan_helpers.tensor_files import contents_of, load_tensors, save_tensors

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
        ValueError: the two are not a pair that ``architectures.ARCHITECTURES`` lists.
    """
    pair = (type(generator), type(discriminator_q))
    if pair not in ARCHITECTURES.values():
        raise ValueError(f"generator and discriminator_q must be a pair from architectures.ARCHITECTURES, got {pair}")
    for name in ("spec", "image_shape"):
        of = [getattr(network, name) for network in (generator, discriminator_q)]
        if of[0] != of[1]:
            raise ValueError(f"generator and discriminator_q must have one {name}, got {of[0]} and {of[1]}")
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
    return _networks(path, *load_tensors(path))


def _networks(path, tensors, metadata):
    if "architecture" not in metadata:
        raise ValueError(f"{path} holds no networks; a checkpoint of a run goes to fit(..., checkpoint=...)")
    options = {name: metadata[name] for name in ("variance", "norm") if name in metadata}  # files from before norm
    with contents_of(path), isolated_randomness():  # building draws weights that are overwritten
        make_generator, make_discriminator_q = ARCHITECTURES[metadata["architecture"]]
        spec, shape, widths = made_of(CodeSpec, metadata["spec"]), metadata["image_shape"], metadata["widths"]
        parts = {
            "generator": make_generator(spec, shape, widths[0]),
            "discriminator_q": make_discriminator_q(spec, shape, widths[1], **options),
        }
        for name, tensor in tensors.items():
            if name.split(".")[0] not in parts or not torch.isfinite(tensor).all():
                raise ValueError(f"{name} is foreign or not finite")
        load_named_tensors(tensors, **parts)
    return tuple(network.eval() for network in parts.values())


def made_of(kind, values):
    """A dataclass of the values that a file holds; a field that came later has its default.

    Raises:
        ValueError: the dataclass has no such field, or one is out of range.
    """
    unknown = set(values) - {item.name for item in fields(kind)}
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    return kind(**values)


def load_pretrained(name="mnist", folder=None):
    """A model that ships with this project, checked against the SHA-256 on its card.

    Args:
        name: which one; ``"mnist"``, ``"mnist_control"`` (its twin with λ = 0), ``"fashion_mnist"``, or a
            world's: ``"sprites"``, ``"faces"``, ``"chairs"``, or a relative's on digits: ``"ss_infogan"``,
            ``"ac_infogan"``, or a VAE on sprites: ``"control_vae"``, whose decoder and encoder come as G and Q; or what
            goes wrong: ``"modes"``, a grid of Gaussians, ``"striped"``, digits on stripes, and ``"lit_head"``, a head
            whose factors go together.
        folder: where weights and cards lie; ``data/pretrained`` where it is ``None``.

    Returns:
        ``Pretrained(generator, discriminator_q, spec, card)``.

    Raises:
        ValueError: there is no such model, or its weights are not those of its card.
    """
    tensors, metadata, card = load_verified(name, folder)
    generator, discriminator_q = _networks(_pretrained(folder) / f"{name}.safetensors", tensors, metadata)
    return Pretrained(generator, discriminator_q, generator.spec, card)


def save_pretrained(name, generator, discriminator_q, facts, folder=None):
    """Write a model and its card: ``facts`` (configuration, seed, data, measured figures) and the SHA-256.

    Raises:
        ValueError: ``name`` would lead out of the folder, or ``facts`` are nothing that JSON can write.
    """
    _with_card(name, facts, folder, lambda weights: save_networks(weights, generator, discriminator_q))


def load_verified(name, folder=None):
    """``(tensors, metadata, card)`` of weights that ship, the file checked against the SHA-256 on its card.

    Raises:
        ValueError: there is no such card, or the weights are not those of the card.
    """
    folder = _pretrained(folder)
    names = sorted(path.stem for path in folder.glob("*.json"))
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"name must be one of the pretrained models {names}, got {name!r}")
    card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    weights = folder / f"{name}.safetensors"
    digest = _digest(weights) if weights.is_file() else "no file"
    if digest != card["sha256"]:
        raise ValueError(
            f"{weights} must have the SHA-256 of its card, {card['sha256']}, got {digest}: "
            "fetch the repository's file anew"
        )
    return *load_tensors(weights, digest), card


def save_verified(name, tensors, facts, folder=None):
    """Write named tensors and their card: ``facts`` and the SHA-256; errors as in ``save_pretrained``."""
    _with_card(name, facts, folder, lambda weights: save_tensors(weights, tensors, {}))


def _pretrained(folder):
    return PRETRAINED_FOLDER if folder is None else checks.path("folder", folder)


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _with_card(name, facts, folder, save):
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(f"name must be a word, of which a file in the folder is named, got {name!r}")
    try:
        json.dumps({**facts})
    except (TypeError, ValueError) as error:
        raise ValueError(f"facts must be a dictionary that JSON can write, got {facts!r}") from error
    weights = _pretrained(folder) / f"{name}.safetensors"
    save(weights)
    card = json.dumps({**facts, "sha256": _digest(weights)}, indent=2) + "\n"
    weights.with_name(f"{name}.json").write_text(card, encoding="utf-8")


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


@takes(tensors=mapping_of(TENSOR))
def load_named_tensors(tensors, **parts):
    """Put what ``named_tensors`` gathered back into parts of the same shape, in place; other tensors are left alone.

    Raises:
        ValueError: a tensor is missing, foreign or of another shape.
    """
    for part, value in parts.items():
        ours = {name.removeprefix(f"{part}."): t for name, t in tensors.items() if name.startswith(f"{part}.")}
        if isinstance(value, torch.nn.Module):
            _check_like(part, ours, value.state_dict())
            value.load_state_dict(ours)
        elif isinstance(value, torch.optim.Optimizer):
            _load_moments(part, ours, value)
        else:
            _check_like("what is kept", {part: tensors[part]} if part in tensors else {}, {part: value})
            with torch.no_grad():
                value.copy_(tensors[part])


def _check_like(part, tensors, wanted):
    """Whether tensors have the names, the shapes and the kind of number of those that they are to replace."""
    differ = sorted(tensors.keys() ^ wanted.keys())
    if differ:
        raise ValueError(f"{part} has missing or foreign tensors: {', '.join(differ[:5])}")
    for name, tensor in tensors.items():
        got, takes = (
            (tuple(x.shape), "floats" if x.is_floating_point() else "integers") for x in (tensor, wanted[name])
        )
        if got != takes:
            raise ValueError(f"{part} must hold {name} of {takes}, got {got}")


def _load_moments(part, tensors, optimizer):
    """An optimiser's state: of each of its parameters, tensors of its shape, and counts of at least 0."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state = {}
    for key, tensor in tensors.items():
        index, moment = key.split(".")
        if not 0 <= int(index) < len(parameters) or (tensor.ndim and tensor.shape != parameters[int(index)].shape):
            raise ValueError(f"{part} has no parameter to which {key} belongs")
        if moment == "step" and not (tensor >= 0).all():
            raise ValueError(f"{part} must count at least 0 steps in {key}, got {tensor}")
        state.setdefault(int(index), {})[moment] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
