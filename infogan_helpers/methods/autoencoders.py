"""What a VAE and its relatives share: an encoder and a decoder; what a step measures and what a run returns.

The decoder is G, the encoder D's trunk with Q's head: a comparison with InfoGAN is one of methods, not of networks. Not
here: any step, and any weight β. Each method has a file of its own beside this one.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from infogan_helpers import checks
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.arguments import config_of, floats, images, instance, number, scalar, takes
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.data import check_images
from infogan_helpers.methods.players import MAKE, adam, takes_players
from infogan_helpers.networks import check_images as check_shape
from infogan_helpers.training import History, Method, RunConfig, run

FINITE = ("elbo", "distortion", "rate")  # of ``StepMetrics``
PLAIN = ("conv", "mlp", "deep")  # architectures; a mirrored Q reads a picture twice


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig(RunConfig):
    """The networks of a run and their optimiser; see ``training.RunConfig`` for the run itself.

    Args:
        latents: dimensions of z, drawn from N(0, 1).
        learning_rate: Adam's, for encoder and decoder.
        betas: Adam's two decay rates.
        architecture: a key of ``architectures.ARCHITECTURES`` other than ``"mirrored"``.
        norm: of the encoder, from ``networks.NORMS``.
        width: scales the hidden layers; 1.0 is InfoGAN's paper's.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    batch_size: int = 64
    latents: int = 10
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    architecture: str = "conv"
    norm: str = "batch"
    width: float = 0.25

    def __post_init__(self):
        super().__post_init__()
        checks.integer("latents", self.latents, least=1)
        for name in ("learning_rate", "width"):
            checks.number(name, getattr(self, name), above=0)
        object.__setattr__(self, "betas", checks.decay_rates("betas", self.betas))
        checks.choice("architecture", self.architecture, PLAIN)
        checks.choice("norm", self.norm, ("batch", "none"))

    @property
    def spec(self):
        """The latents as the ``CodeSpec`` of the decoder."""
        return CodeSpec((), self.latents, 0, continuous_prior="normal")


class Encoder(nn.Module):
    """From images to q(z | x): D's trunk and Q's head, in a network of its own.

    Args:
        spec: the latents, as continuous codes.
        image_shape: as the architecture takes it.
        config: an ``AutoencoderConfig``.
    """

    @takes(spec=instance(CodeSpec), config=config_of(AutoencoderConfig))
    def __init__(self, spec, image_shape, config):
        super().__init__()
        dq = ARCHITECTURES[config.architecture][1](spec, image_shape, config.width, norm=config.norm)
        self.image_shape, self.trunk, self.head = dq.image_shape, dq.trunk, dq.q_head

    def forward(self, images):
        """``(mean, log_variance)``, shape ``(n, latents)`` each; the latter between -6 and 2, as Q's are."""
        answer = self.head(self.trunk(check_shape(images, self.image_shape)))
        return answer.mean, answer.log_variance


class Decoder(nn.Module):
    """From latents to pictures: G, all of whose codes are continuous and normal.

    Args:
        spec, image_shape, config: as in ``Encoder``.
    """

    @takes(spec=instance(CodeSpec), config=config_of(AutoencoderConfig))
    def __init__(self, spec, image_shape, config):
        super().__init__()
        self.latents = spec.continuous
        self.generator = ARCHITECTURES[config.architecture][0](spec, image_shape, config.width)

    def forward(self, z):
        """Pictures in [-1, 1], shape ``(n, *image_shape)``, of ``z``, shape ``(n, latents)``."""
        z = floats(f"n, {self.latents}")("z", z).float()
        none = z.new_empty(len(z), 0)
        return self.generator(Codes(none, none.long(), z))


@dataclass
class Autoencoder:
    """Encoder and decoder, and the optimiser of both."""

    encoder: nn.Module
    decoder: nn.Module
    optimizer: torch.optim.Optimizer


class StepMetrics(NamedTuple):
    """What one step measured, scalars on the training device, in nats per image.

    Attributes:
        elbo: -distortion - rate, whatever the weights are: at most the log-likelihood of the images.
        distortion: minus the log-likelihood of an image under what was decoded from a draw of its z.
        rate: KL(q(z | x) ‖ p(z)), mean over the batch: at least I(z; x).
        beta: the weight on the rate, or on the part of it that the method weighs.
        total_correlation: the method's estimate of it, NaN where it makes none.
    """

    elbo: torch.Tensor
    distortion: torch.Tensor
    rate: torch.Tensor
    beta: torch.Tensor
    total_correlation: torch.Tensor

    def summary(self):
        """The state of a run in a few words, for a progress bar."""
        return f"distortion {self.distortion:.1f}, rate {self.rate:.2f}, β {self.beta:.2f}"


class AutoencoderResult(NamedTuple):
    """What ``fit`` returns, both networks in eval mode.

    Attributes:
        encoder: images to ``(mean, log_variance)``.
        decoder: latents to pictures.
        interrupted: whether the run was stopped before its last step.
    """

    encoder: Encoder
    decoder: Decoder
    history: History
    interrupted: bool


@takes(config=config_of(AutoencoderConfig), **MAKE)
def make_autoencoder(spec, image_shape, config, device="cpu"):
    """Networks and optimiser for a run, in training mode; weights come from torch's own generator.

    Raises:
        ValueError: the image shape does not fit the architecture.
    """
    encoder = Encoder(spec, image_shape, config).to(device)
    decoder = Decoder(spec, image_shape, config).to(device)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    return Autoencoder(encoder, decoder, adam(parameters, config.learning_rate, config.betas, device))


def _scalar_or_number(name, value):
    if isinstance(value, float) and math.isnan(value):
        return value  # there is none
    return scalar(name, value) if torch.is_tensor(value) else number(name, value)


@takes(distortion=scalar, rate=scalar, beta=_scalar_or_number, total_correlation=_scalar_or_number)
def step_metrics(distortion, rate, beta, total_correlation=float("nan")):
    """``StepMetrics`` of one step, still on the device; weights may be numbers."""
    with torch.no_grad():  # a number is filled in on the device: copying it there would make a GPU wait
        values = (-distortion - rate, distortion, rate, beta, total_correlation)
        return StepMetrics(*(x.detach() if torch.is_tensor(x) else rate.new_full((), x) for x in values))


@takes(players=instance(Autoencoder), codes=instance(Codes))
def decode(players, codes):
    """The decoder's pictures of ``codes``."""
    latents, got = players.decoder.latents, tuple(codes.continuous.shape)
    if got[1] != latents:
        raise ValueError(f"codes.continuous must have shape (n, {latents}), got {got}")
    return players.decoder(codes.continuous)


@takes_players(Autoencoder, AutoencoderConfig, images(None))
def finish(players, images, spec, config):
    """Nothing: batch norm was measured on images and on z drawn from the encoder's answers, as it is used."""


@takes(method=instance(Method), config=config_of(AutoencoderConfig))
def fit_by(method, images, config, **options):
    """Train an autoencoder by a ``training.Method``; what each method's ``fit`` does.

    Returns:
        ``AutoencoderResult``.
    """
    players, history, interrupted = run(method, check_images(images), config.spec, config, **options)
    return AutoencoderResult(players.encoder, players.decoder, history, interrupted)
