"""InfoGAN with a Q that can say more than one bell per continuous code: a mixture, or a flow. No labels here.

The page of ``infogan``, whose step stays as it is, to the letter: it asks Q for ``log_prob`` and for nothing else. What
is added is another head for Q. Not here: the bound, which is ``losses``, and exact information to compare it with,
which is ``channels``.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import zuko
from torch import nn
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, Normal

from infogan_helpers import checks
from infogan_helpers.arguments import config_of, configured, floats, instance, takes
from infogan_helpers.codes import Codes
from infogan_helpers.data import check_images
from infogan_helpers.methods import infogan
from infogan_helpers.methods.infogan import train_step
from infogan_helpers.methods.players import FINITE, MAKE, StepMetrics, TrainingResult, generate, make_players
from infogan_helpers.networks import QHead, bounded_log_variance, check_columns
from infogan_helpers.posteriors import Posterior
from infogan_helpers.runtime import isolated_randomness
from infogan_helpers.training import Method, run

COMPONENTS = 8  # bells of a mixture
TRANSFORMS, BINS, HIDDEN = 2, 16, (64,)  # of a flow: monotone splines in a row, their bins, the layers that set them
DRAWS = 256  # that a flow's moments are taken from


class FlexiblePosterior(NamedTuple):
    """Q(c | x) for a batch of images: each categorical code by itself, all continuous codes together.

    Attributes:
        categorical_logits: one tensor per categorical code, shape ``(n, classes)``, before softmax.
        continuous: the joint distribution of the continuous codes, batch shape ``(n,)``, event shape ``(codes,)``.
        circular: empty: such codes are not read here.
    """

    categorical_logits: tuple[torch.Tensor, ...]
    continuous: Distribution
    circular: tuple = ()

    @takes(codes=instance(Codes))
    def log_prob(self, codes):
        """log Q(c | x), in nats.

        Args:
            codes: the ``Codes`` that made the images, ``n`` rows.

        Returns:
            Shape ``(n, codes)``, in the order of ``CodeSpec.names``. A joint density has no share for each code: that
            of all continuous codes stands in the first of their columns, and 0 in the others.

        Raises:
            ValueError: the shapes disagree, or a class lies outside its code.
        """
        shape = (*self.continuous.batch_shape, *self.continuous.event_shape)
        if codes.continuous.shape != shape:
            raise ValueError(f"codes.continuous must have shape {shape}, got {tuple(codes.continuous.shape)}")
        none = codes.continuous[:, :0]
        categorical = Posterior(self.categorical_logits, none, none).log_prob(codes.replace(continuous=none))
        joint = self.continuous.log_prob(codes.continuous)[:, None]
        return torch.cat([categorical, joint, torch.zeros_like(codes.continuous[:, 1:])], dim=1)

    @property
    def mean(self):
        """Means of the continuous codes, shape ``(n, codes)``: what ``evaluation.read_codes`` keeps of Q's answer."""
        return _moments(self.continuous)[0]

    @property
    def log_variance(self):
        """Their log-variances, same shape. A mean and a variance do not say how many humps there are."""
        return _moments(self.continuous)[1]


def _moments(distribution):
    """Mean and log-variance of each code; a flow knows no formula for them: those of draws that are always the same."""
    try:
        return distribution.mean, distribution.variance.log()
    except NotImplementedError:
        with isolated_randomness():
            torch.manual_seed(0)
            drawn = distribution.sample((DRAWS,))
        return drawn.mean(dim=0), drawn.var(dim=0).log()


@takes(posterior=instance(FlexiblePosterior))
def draw_continuous(posterior):
    """Continuous codes c' ~ Q(c | x), drawn so that a gradient on them reaches Q: by reparameterisation.

    c' is a smooth function of Q's answer and of noise that does not depend on it, μ + σε for a Gaussian. InfoGAN itself
    needs no such draw: by its lemma 5.1 the code that L_I scores comes from the prior, not from Q. Whatever asks what
    Q would say (its entropy, a picture drawn again from c') does.

    Args:
        posterior: a ``FlexiblePosterior`` of the family ``"gaussian"`` or ``"flow"``.

    Returns:
        Shape ``(n, codes)``.

    Raises:
        ValueError: the posterior is a mixture: which of its bells a code is drawn from can't be differentiated.

    Source: Kingma & Welling 2014, section 2.4; Rezende & Mohamed 2015 for flows.
    """
    if not posterior.continuous.has_rsample:
        raise ValueError(
            "posterior must be of the family 'gaussian' or 'flow', since which component of a mixture is drawn can't "
            f"be differentiated, got {type(posterior.continuous).__name__}"
        )
    return posterior.continuous.rsample()


class Gaussian(nn.Module):
    """From features to one bell, a variance for each code: what the plain head says, in its own layers."""

    @takes(plain=instance(QHead))
    def __init__(self, plain):
        super().__init__()
        self.mean, self.raw_log_variance = plain.mean, plain.raw_log_variance

    def forward(self, h):
        h = check_columns("h", h, self.mean.in_features)
        return bells(self.mean(h), self.raw_log_variance(h))


class Mixture(nn.Module):
    """From features to a mixture of ``COMPONENTS`` such bells, and how likely each of them is.

    Source: Bishop 1994, *Mixture density networks*.
    """

    @takes(plain=instance(QHead))
    def __init__(self, plain):
        super().__init__()
        features, codes = plain.mean.in_features, plain.mean.out_features
        self.weights = nn.Linear(features, COMPONENTS)
        self.mean, self.raw_log_variance = (nn.Linear(features, COMPONENTS * codes) for _ in range(2))

    def forward(self, h):
        h = check_columns("h", h, self.mean.in_features)
        mean, raw = (layer(h).unflatten(1, (COMPONENTS, -1)) for layer in (self.mean, self.raw_log_variance))
        chosen = Categorical(logits=self.weights(h), validate_args=False)
        return MixtureSameFamily(chosen, bells(mean, raw), validate_args=False)


@takes(mean=floats(), raw_log_variance=floats())
def bells(mean, raw_log_variance):
    """A factored Gaussian over the last dimension, its scales bounded as those of ``networks.QHead`` are.

    The distributions are told to check nothing: where a training diverges, it is the loop that says so.
    """
    if mean.shape != raw_log_variance.shape:
        shapes = f"{tuple(mean.shape)} and {tuple(raw_log_variance.shape)}"
        raise ValueError(f"mean and raw_log_variance must have one shape, got {shapes}")
    scale = (0.5 * bounded_log_variance(raw_log_variance)).exp()
    return Independent(Normal(mean, scale, validate_args=False), 1, validate_args=False)


@takes(plain=instance(QHead))
def flow(plain):
    """From features to a neural spline flow: noise from N(0, 1), bent by monotone splines that the features set.

    A ``zuko.flows.NSF``, autoregressive where there are several codes. Its splines cover [-5, 5] and keep slopes of at
    least 0.001, so that no density grows without end.

    Source: Durkan et al. 2019, *Neural spline flows*.
    """
    features, codes = plain.mean.in_features, plain.mean.out_features
    return zuko.flows.NSF(codes, features, bins=BINS, transforms=TRANSFORMS, hidden_features=HIDDEN)


FAMILIES = {"gaussian": Gaussian, "mixture": Mixture, "flow": flow}


class FlexibleQHead(nn.Module):
    """From the trunk's features to ``FlexiblePosterior``.

    Args:
        plain: the ``networks.QHead`` that it takes the place of, with a learned variance; its hidden layer and its
            categorical answers are kept.
        family: a key of ``FAMILIES``.

    Raises:
        ValueError: ``family`` is another, or ``plain`` reads circular codes, or no continuous one.
    """

    @takes(plain=instance(QHead))
    def __init__(self, plain, family):
        super().__init__()
        checks.choice("family", family, FAMILIES)
        if plain.direction is not None:
            raise ValueError(
                "spec must have no circular code where Q is flexible (its densities live on a line, not on a circle), "
                f"got {plain.direction.out_features // 2}"
            )
        if plain.mean is None:
            raise ValueError("spec must have at least one continuous code for a flexible Q to read, got none")
        self.columns, self.hidden, self.categorical = plain.columns, plain.hidden, plain.categorical
        self.continuous = FAMILIES[family](plain)

    def forward(self, features):
        h = self.hidden(check_columns("features", features, self.columns))
        logits = tuple(head(h).float() for head in self.categorical)
        with torch.autocast(h.device.type, enabled=False):  # bf16 would blur where a spline's bins begin
            return FlexiblePosterior(logits, self.continuous(h.float()))


@dataclass(frozen=True, kw_only=True)
class Config(infogan.Config):
    """Everything that decides a run, apart from the images and the codes; see ``infogan.Config``.

    Args:
        family: of Q's answer on the continuous codes, a key of ``FAMILIES``; ``"gaussian"`` is ``infogan``'s Q.

    Raises:
        ValueError: a field is out of range, or another field asks for a Q that is not flexible; the message names it.
    """

    family: str = "mixture"

    def __post_init__(self):
        super().__post_init__()
        checks.choice("family", self.family, FAMILIES)
        if self.variance != "learned":
            raise ValueError(f"variance must be 'learned' where Q is flexible, got {self.variance!r}")
        if self.architecture == "mirrored":
            raise ValueError(
                "architecture must be 'conv', 'mlp' or 'deep' where Q is flexible (a mirror averages means and "
                "variances of two answers, and these have more to them), got 'mirrored'"
            )


@takes(config=config_of(Config), **MAKE)
def make(spec, image_shape, config, device="cpu"):
    """``make_players``, with a ``FlexibleQHead`` in the place of Q's head.

    Raises:
        ValueError: the spec has circular codes or no continuous one, or the image shape does not fit the architecture.
    """
    players = make_players(spec, image_shape, config, device)
    dq, plain_adam = players.discriminator_q, players.optimizer_q
    dq.q_head = FlexibleQHead(dq.q_head, config.family).to(device)
    players.optimizer_q = torch.optim.Adam(dq.q_head.parameters(), **plain_adam.defaults)
    return players


METHOD = Method("variational", StepMetrics, FINITE, make, train_step, generate, infogan.finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN with a flexible Q on images, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``; for
            ``architecture="mlp"`` any shape ``(n, …)``.
        spec: the ``CodeSpec``, with at least one continuous code and no circular one.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew.

    Raises:
        ValueError: ``spec`` has a circular code, or no continuous one.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, configured(config, Config), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
