"""Weights on disk: finished networks, runs that can go on, and the pretrained models that ship.

Everything is safetensors with a JSON header; nothing here reads or writes a pickle. Not here: when to save, which is
``training``.
"""

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import NamedTuple

import torch

from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.codes import CodeSpec
from infogan_helpers.runtime import isolated_randomness
from infogan_helpers.tensor_files import load_tensors, save_tensors

FREE_TO_CHANGE = ("sample_every", "checkpoint_every")  # fields that move no weight: a resumed run may differ
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


def save_run(path, run):
    """Write all that a run of ``training`` needs to go on, bit for bit."""
    run.check_weights()
    history = run.history
    tensors = named_tensors(**vars(run.players))
    tensors |= {f"history.{name}": torch.tensor(x) for name, x in history.metrics._asdict().items()}
    tensors |= {f"sample.{step}": picture for step, picture in zip(history.sample_steps, history.samples, strict=True)}
    tensors |= {"random.draws": run.random.get_state(), "random.torch": torch.get_rng_state()}
    if run.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state(run.device)
    tensors["order"] = run.sampler.order
    metadata = {
        "run": {"method": run.method.name, "spec": asdict(run.spec), "config": asdict(run.config)},
        "images": run.fingerprint,
        "position": run.sampler.position,
        "steps": len(history),
        "seconds": history.seconds,
        "attempt": run.attempt,
        "given up": history.given_up,
    }
    save_tensors(path, tensors, metadata)


def load_run(path, run):
    """Put what ``save_run`` wrote back into a run that has just been made, in place.

    Raises:
        ValueError: the file is of another run, of another kind of device, or no checkpoint.
    """
    tensors, metadata = load_tensors(path)
    _check_same_run(run, path, metadata)
    if tensors["random.draws"].shape != run.random.get_state().shape:
        raise ValueError(
            f"device must be of the kind that checkpoint {path} was trained on, got {run.device}: another kind "
            "draws other random numbers. Give that device, or start again in another file"
        )
    history = run.history
    load_named_tensors(tensors, **vars(run.players))
    for name, recorded in history.metrics._asdict().items():
        recorded.extend(tensors[f"history.{name}"].tolist())
    steps = sorted(int(name.removeprefix("sample.")) for name in tensors if name.startswith("sample."))
    steps = [step for step in steps if step % run.config.sample_every == 0]  # not the last of a shorter run
    history.sample_steps, history.samples = steps, [tensors[f"sample.{step}"] for step in steps]
    history.seconds = metadata["seconds"]
    run.attempt, history.given_up = metadata.get("attempt", 0), metadata.get("given up", 0)
    run.random.set_state(tensors["random.draws"])
    torch.set_rng_state(tensors["random.torch"])
    if run.device.type == "cuda" and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"], run.device)
    run.sampler.order, run.sampler.position = tensors["order"].to(run.device), metadata["position"]
    print(f"Going on from step {len(history)} of {run.config.steps}, saved in {Path(path).name}.")


def _check_same_run(run, path, metadata):
    if "run" not in metadata:
        raise ValueError(f"checkpoint must be a file that fit wrote, {path} holds something else")

    def require(name, there, here):
        if here != there:
            raise ValueError(f"checkpoint {path} is of another run: {name} was {there} there and is {here} here")

    require("method", metadata["run"].get("method"), run.method.name)
    saved = type(run.config)(**metadata["run"]["config"])
    free = FREE_TO_CHANGE if run.config.scheduled else (*FREE_TO_CHANGE, "steps")
    for item in fields(run.config):
        if item.name not in free:
            require(item.name, repr(getattr(saved, item.name)), repr(getattr(run.config, item.name)))
    if metadata["steps"] > run.config.steps:
        raise ValueError(
            f"steps must be at least {metadata['steps']}, what checkpoint {path} has behind it, got {run.config.steps}"
        )
    require("spec", asdict(type(run.spec)(**metadata["run"]["spec"])), asdict(run.spec))
    require("images", metadata["images"], run.fingerprint)
