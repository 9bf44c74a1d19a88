"""What InfoGAN and its relatives share: G, D with Q, an optimiser each; what a step measures and what a run returns.

Not here: any step, and any weight λ. Each method has a file of its own beside this one.
"""

import functools
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from infogan_helpers import arguments, checks
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.arguments import (
    ANSWER,
    RANDOM,
    G,
    above,
    between,
    config_of,
    function,
    instance,
    maybe,
    number,
    refuse,
    scalar,
    seed,
    takes,
    tuple_of,
)
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.data import BatchSampler, as_model_range
from infogan_helpers.games import GAMES
from infogan_helpers.losses import Nats, code_recovery
from infogan_helpers.networks import NORMS, VARIANCES
from infogan_helpers.training import History, RunConfig

RATES = ("learning_rate_g", "learning_rate_d", "learning_rate_q")
RECALIBRATION_BATCH, RECALIBRATION_BATCHES = 128, 20  # images per batch, and batches, that batch norm is measured over
FINITE = ("d_loss", "g_loss", "bound_categorical", "bound_continuous")  # of ``StepMetrics``
MAKE = {"spec": instance(CodeSpec), "device": arguments.device}  # what every method's ``make`` takes


@dataclass(frozen=True, kw_only=True)
class PlayersConfig(RunConfig):
    """The players of a run and what they play; see ``training.RunConfig`` for the run itself.

    Args:
        learning_rate_g: Adam's learning rate for G.
        learning_rate_d: for D, which owns the trunk and its own head.
        learning_rate_q: for Q's head.
        betas: Adam's two decay rates.
        game: a key of ``games.GAMES``.
        architecture: a key of ``architectures.ARCHITECTURES``; ``"conv"`` is the paper's.
        norm: of D and Q, from ``networks.NORMS``.
        width: scales the hidden layers; 1.0 is the paper's.
        variance: of Q's continuous codes, ``"learned"`` or ``"fixed"``; of circular codes the concentration.

    Raises:
        ValueError: a field is out of range, or the game does not go with the norm; the message names it.
    """

    learning_rate_g: float = 5e-4
    learning_rate_d: float = 5e-4
    learning_rate_q: float = 5e-4
    betas: tuple[float, float] = (0.5, 0.999)
    game: str = "standard"
    architecture: str = "conv"
    norm: str = "batch"
    width: float = 0.25
    variance: str = "learned"

    def __post_init__(self):
        super().__post_init__()
        for name in (*RATES, "width"):
            checks.number(name, getattr(self, name), above=0)
        object.__setattr__(self, "betas", checks.decay_rates("betas", self.betas))
        choices = {"game": GAMES, "architecture": ARCHITECTURES, "norm": NORMS, "variance": VARIANCES}
        for name, known in choices.items():
            checks.choice(name, getattr(self, name), known)
        if self.game in ("wasserstein", "r1", "r1_light") and self.norm == "batch":
            raise ValueError(
                f"norm must be 'spectral' or 'none' where game is {self.game!r}, whose penalty is on each image by "
                "itself, got 'batch'"
            )


@dataclass
class Players:
    """G, D with Q, and the three optimisers; every parameter belongs to exactly one of them."""

    generator: nn.Module
    discriminator_q: nn.Module
    optimizer_g: torch.optim.Optimizer
    optimizer_d: torch.optim.Optimizer
    optimizer_q: torch.optim.Optimizer


class StepMetrics(NamedTuple):
    """What one step measured, scalars on the training device.

    Attributes:
        d_loss: D's loss, its penalty included; in nats in the standard game.
        g_loss: G's adversarial loss, likewise.
        bound_categorical: L_I of the categorical codes, in nats, on this batch of fakes.
        bound_continuous: L_I of the continuous and the circular codes, likewise.
        d_accuracy: share of real and fake images on the right side of D's logit 0; 0.5 is a coin.
        code_recovery: share of categorical codes that Q's best guess got right (NaN where there are none).
    """

    d_loss: torch.Tensor
    g_loss: torch.Tensor
    bound_categorical: torch.Tensor
    bound_continuous: torch.Tensor
    d_accuracy: torch.Tensor
    code_recovery: torch.Tensor

    def summary(self):
        """What the progress bar says."""
        return f"L_I {self.bound_categorical + self.bound_continuous:.2f} nats"


class TrainingResult(NamedTuple):
    """What ``fit`` returns, both networks in eval mode.

    Attributes:
        interrupted: whether the run was stopped before its last step.
    """

    generator: nn.Module
    discriminator_q: nn.Module
    history: History
    interrupted: bool


def pictures(name, value):
    """A batch of images in single precision, one at least; NaN goes through, since the loop names the step."""
    return arguments.floats(rows=1)(name, value).float()


def takes_players(players, config, batch=pictures):
    """``arguments.takes`` for a method's ``train_step`` and ``finish``, and whether all of it goes together.

    The images must have the shape and the spec the codes of the players' networks. In a step nothing is read from a
    tensor: a GPU would wait for it.

    Args:
        players: the class of the method's players.
        config: the class of its configuration.
        batch: the validator of the second argument; where that is a tuple, its first part are the images.
    """
    known = {"players": instance(players), "config": config_of(config), "spec": instance(CodeSpec), "generator": RANDOM}
    known["done"] = between(0, 1)

    def decorate(step):
        signature = inspect.signature(step)
        name = list(signature.parameters)[1]

        @takes(**{name: batch}, **{n: known[n] for n in signature.parameters if n in known})
        @functools.wraps(step)
        def checked(*args, **kwargs):
            given = signature.bind(*args, **kwargs).arguments
            real = given[name][0] if isinstance(given[name], tuple) else given[name]
            _check_fit(given["players"], name, real, given["spec"])
            return step(*args, **kwargs)

        return checked

    return decorate


def _check_fit(players, name, real, spec):
    network = players.discriminator_q if isinstance(players, Players) else players.encoder
    shape = tuple(getattr(network, "image_shape", real.shape[1:]))  # a network of the reader's own may have none
    if tuple(real.shape[1:]) != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"{name} must have the players' shape (n, {wanted}), got {tuple(real.shape)}")
    own = getattr(getattr(players, "generator", None), "spec", spec)
    kinds = [(x.categorical, x.continuous, x.circular, x.noise) for x in (own, spec)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"spec must have the players' codes, {own}, got {spec}")


@takes(config=config_of(PlayersConfig), **MAKE)
def make_players(spec, image_shape, config, device="cpu"):
    """Networks and optimisers for a run, in training mode; weights come from torch's own generator.

    Args:
        spec: the ``CodeSpec``.
        image_shape: ``(channels, height, width)``; any shape for ``architecture="mlp"``.
        config: a ``PlayersConfig``.
        device: where the networks live.

    Returns:
        ``Players``: G's optimiser owns G, D's owns the trunk and D's head, Q's owns Q's head.

    Raises:
        ValueError: the image shape does not fit the architecture.
    """
    make_generator, make_discriminator_q = ARCHITECTURES[config.architecture]
    generator = make_generator(spec, image_shape, config.width).to(device)
    dq = make_discriminator_q(spec, image_shape, config.width, config.variance, config.norm).to(device)

    of_d = [*dq.trunk.parameters(), *dq.real_head.parameters()]
    return Players(
        generator,
        dq,
        adam(generator.parameters(), config.learning_rate_g, config.betas, device),
        adam(of_d, config.learning_rate_d, config.betas, device),
        adam(dq.q_head.parameters(), config.learning_rate_q, config.betas, device),
    )


def _weights(name, value):
    """A list of tensors, of any sequence of them."""
    given = list(value) if isinstance(value, (list, tuple, Iterator)) else []
    fits = given and all(isinstance(weights, torch.Tensor) for weights in given)
    return given if fits else refuse(name, "a network's weights, a list of tensors", value)


@takes(parameters=_weights, learning_rate=above(0), betas=checks.decay_rates, device=arguments.device)
def adam(parameters, learning_rate, betas, device):
    """Adam, in one pass over all weights where the device has that."""
    fused = torch.device(device).type in ("cpu", "cuda")
    return torch.optim.Adam(parameters, lr=learning_rate, betas=betas, fused=fused)


@takes(generator=G, spec=instance(CodeSpec), gain=number, columns=maybe(instance(slice)))
def amplify_codes(generator, spec, gain, columns=None):
    """Multiply G's first weights on its codes; those on the noise stay.

    Args:
        generator: changed in place.
        spec: its ``CodeSpec``.
        gain: what to multiply by.
        columns: a slice of G's input (``CodeSpec.encode``); all codes, which come first there, where it is ``None``.
    """
    with torch.no_grad():
        first = next(layer for layer in generator.modules() if isinstance(layer, nn.Linear))
        first.weight[:, slice(spec.dim - spec.noise) if columns is None else columns] *= gain


@takes(players=instance(Players), config=config_of(PlayersConfig), factor=between(0, None))
def set_learning_rates(players, config, factor):
    """Each optimiser's rate is its own of the configuration times ``factor``."""
    for letter in "gdq":
        rate = getattr(config, f"learning_rate_{letter}") * factor
        getattr(players, f"optimizer_{letter}").param_groups[0]["lr"] = rate


def _losses(name, value):
    """A dictionary from optimisers to scalars that depend on weights."""
    fits = isinstance(value, Mapping) and value and all(isinstance(key, torch.optim.Optimizer) for key in value)
    if not fits or not all(scalar(name, loss).requires_grad for loss in value.values()):
        refuse(name, "a dictionary from optimisers to scalar tensors with a gradient", value)
    return value


@takes(losses=_losses)
def descend(losses):
    """One step of each optimiser on its own loss: all gradients first, at the same weights, then all move.

    Args:
        losses: optimiser to the scalar that the parameters it owns, and no others, follow downwards.
    """
    for optimizer, loss in losses.items():
        optimizer.zero_grad(set_to_none=True)
        owned = [p for group in optimizer.param_groups for p in group["params"]]
        loss.backward(inputs=owned, retain_graph=True)
    for optimizer in losses:
        optimizer.step()


@takes(
    d_loss=scalar,
    g_loss=scalar,
    bound=instance(Nats),
    logits=tuple_of(real=arguments.floats(), fake=arguments.floats()),
    posterior=ANSWER,
    codes=instance(Codes),
)
def step_metrics(d_loss, g_loss, bound, logits, posterior, codes):
    """``StepMetrics`` of one step, still on the device: reading one is what costs time on a GPU.

    Args:
        logits: D's, on real images and on fakes.
        posterior: Q's answers on fakes, or on what stands in for them.
        codes: that made them.
    """
    real_logit, fake_logit = logits
    with torch.no_grad():
        d_accuracy = ((real_logit > 0).float().mean() + (fake_logit <= 0).float().mean()) / 2
        continuous = bound.continuous + bound.circular
        metrics = (d_loss, g_loss, bound.categorical, continuous, d_accuracy, code_recovery(posterior, codes))
        return StepMetrics(*(value.detach() for value in metrics))


@takes(players=instance(Players), codes=instance(Codes))
def generate(players, codes):
    """G's images of ``codes``."""
    return players.generator(codes)


@takes(players=instance(Players), seed=seed, shown=function, images=arguments.images(None), spec=instance(CodeSpec))
def recalibrate_batch_norm(players, images, spec, seed, shown):
    """Measure D and Q's batch-norm statistics anew, on what Q will be asked about, with the weights at rest.

    The moving averages of a training lag behind its weights and lean towards whatever batch came last; for D and Q, who
    read real images, fakes and copies in turn, that can cost a tenth of c1's accuracy and more.

    Args:
        players: D and Q are changed in place; both networks are put in eval mode.
        images: the training images, ``uint8`` or floats in [-1, 1], on the networks' device; no labels.
        spec: the ``CodeSpec``.
        seed: of the batches.
        shown: ``(real, fake, generator)`` to the batches that D and Q are shown, in turn.
    """
    generator, discriminator_q = players.generator.eval(), players.discriminator_q
    layers = [m for m in discriminator_q.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    size = min(len(images), RECALIBRATION_BATCH)
    if layers and size > 1:  # a single image has no statistics
        momentum = layers[0].momentum
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # a plain average over all batches
        discriminator_q.train()
        random = torch.Generator(images.device).manual_seed(seed)
        sampler = BatchSampler(images, size, random)
        with torch.no_grad():
            for _ in range(RECALIBRATION_BATCHES):
                real, fake = as_model_range(sampler.next()), generator(spec.sample(size, random, images.device))
                for batch in shown(real, fake, random):
                    discriminator_q(batch)
        for layer in layers:
            layer.momentum = momentum
    discriminator_q.eval()
