"""Generator, and discriminator and Q on one trunk; convolutional as in the paper, and their fully connected twins.

Taken apart in notebook 03. Not here: losses and optimisers. D and Q return logits; nothing is squashed in a network.
"""

import math
from contextlib import nullcontext
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from infogan_helpers import checks
from infogan_helpers.arguments import FLOATS, at_least, floats, instance, network, one_of, refuse, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.posteriors import Posterior, VonMises

NORMS = ("batch", "spectral", "none")  # of D: batch norm, weights of spectral norm 1 (Miyato et al. 2018), neither
VARIANCES = ("learned", "fixed")
MIN_LOG_VARIANCE = -6.0
MAX_LOG_VARIANCE = 2.0
WIDEST = 64  # times the paper's layers
MIN_NORM = 1e-4  # a shorter direction is not stretched to 1: the slope would grow without end


class BatchNorm1d(nn.BatchNorm1d):
    """Batch norm that takes a batch of one: it has no variance of its own, so the running statistics stand in."""

    def forward(self, x):
        if self.training and len(x) == 1:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(x)


class QHead(nn.Module):
    """From the trunk's features to ``Posterior``.

    Args:
        spec: the codes to read.
        features: columns of the trunk's output.
        hidden: units of the hidden layer, or 0 for linear heads on the features themselves.
        variance: ``"learned"`` or ``"fixed"`` (at 1, which makes the log-likelihood a mean squared error); of circular
            codes the concentration, likewise.
        norm: of the hidden layer, one of ``NORMS``. Q's weights are never bounded: a bounded Q could not be sure.
    """

    @takes(spec=instance(CodeSpec), features=at_least(1), hidden=at_least(0), norm=one_of(*NORMS))
    def __init__(self, spec, features, hidden, variance, norm):
        super().__init__()
        self.columns = features
        self.variance = checks.choice("variance", variance, VARIANCES)
        self.hidden = nn.Sequential()
        if hidden:
            self.hidden.extend([nn.Linear(features, hidden), *batch_norm(BatchNorm1d, hidden, norm), nn.LeakyReLU(0.1)])
        width = hidden or features
        self.categorical = nn.ModuleList(nn.Linear(width, classes) for classes in spec.categorical)
        self.mean = nn.Linear(width, spec.continuous) if spec.continuous else None
        learned = variance == "learned"
        self.raw_log_variance = nn.Linear(width, spec.continuous) if spec.continuous and learned else None
        self.direction = nn.Linear(width, 2 * spec.circular) if spec.circular else None
        self.raw_spread = nn.Linear(width, spec.circular) if spec.circular and learned else None

    def forward(self, features):
        h = self.hidden(check_columns("features", features, self.columns))
        logits = tuple(head(h) for head in self.categorical)
        mean = self.mean(h) if self.mean is not None else h.new_zeros(len(h), 0)
        log_variance = torch.zeros_like(mean)
        if self.raw_log_variance is not None:
            log_variance = bounded_log_variance(self.raw_log_variance(h).float())
        circular = self._circular(h) if self.direction is not None else ()
        return Posterior(tuple(x.float() for x in logits), mean.float(), log_variance.float(), circular)

    def _circular(self, h):
        """A ``VonMises`` per circular code; its concentration is bounded as one over a variance is."""
        directions = F.normalize(self.direction(h).float().unflatten(1, (-1, 2)), dim=2, eps=MIN_NORM)
        concentrations = torch.ones_like(directions[:, :, 0])
        if self.raw_spread is not None:
            concentrations = torch.exp(-bounded_log_variance(self.raw_spread(h).float()))
        return tuple(VonMises(*code) for code in zip(directions.unbind(1), concentrations.unbind(1), strict=True))


@takes(raw=floats())
def bounded_log_variance(raw):
    """Squash a network's output into ``(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)``, 0 to 0, smoothly.

    A generator that draws a code without noise would let the likelihood grow without end as the variance shrinks; a
    hard clamp would stop that and the gradient with it.
    """
    span = MAX_LOG_VARIANCE - MIN_LOG_VARIANCE
    at_zero = math.log(-MIN_LOG_VARIANCE / MAX_LOG_VARIANCE)
    return MIN_LOG_VARIANCE + span * torch.sigmoid(raw + at_zero)


class Generator(nn.Module):
    """The paper's MNIST generator: two fully connected layers, two transposed convolutions, tanh.

    Args:
        spec: the codes it takes.
        image_shape: ``(channels, height, width)``; height and width divisible by 4.
        width: scales the hidden layers; 1.0 is the paper's (1024, then 128 and 64 channels).

    Raises:
        ValueError: ``image_shape`` or ``width`` is not such a value.

    Source: Chen et al. 2016, table 1 (appendix C.1); layer sizes as in the authors' code.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(1, 28, 28), width=1.0):
        super().__init__()
        channels, height, image_width = check_image_shape(image_shape)
        full, wide, narrow = (scaled(units, width) for units in (1024, 128, 64))
        self.spec, self.image_shape, self.width = spec, (channels, height, image_width), width
        self._map_shape = (wide, height // 4, image_width // 4)
        self.fully_connected = nn.Sequential(
            nn.Linear(spec.dim, full),
            BatchNorm1d(full),
            nn.ReLU(),
            nn.Linear(full, math.prod(self._map_shape)),
            BatchNorm1d(math.prod(self._map_shape)),
            nn.ReLU(),
        )
        self.upsample = nn.Sequential(
            nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            nn.ConvTranspose2d(narrow, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        initialise(self)

    def forward(self, codes):
        """Images in [-1, 1], shape ``(n, *image_shape)``."""
        with reduced_precision(self):
            h = self.fully_connected(self.spec.encode(codes))
            h = h.unflatten(1, self._map_shape)  # (n, 128 * 7 * 7) -> (n, 128, 7, 7)
            return self.upsample(h).float()


class DiscriminatorQ(nn.Module):
    """D and Q on one trunk: is this image real, and which codes made it?

    Args:
        spec: the codes that Q reads.
        image_shape: ``(channels, height, width)``; height and width divisible by 4.
        width: scales the hidden layers; 1.0 is the paper's (64 and 128 channels, 1024, and 128 in Q's head).
        variance: of Q's continuous codes, ``"learned"`` or ``"fixed"`` at 1.
        norm: of the trunk and both heads, one of ``NORMS``; ``"batch"`` is the paper's. ``"spectral"`` bounds the
            trunk and D's head; without batch norm there, Q's head has none either, so that no image's answer depends
            on its neighbours in the batch.

    Raises:
        ValueError: an argument is not such a value; in a call, the images have another shape.

    Source: Chen et al. 2016, table 1 (appendix C.1).
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(1, 28, 28), width=1.0, variance="learned", norm="batch"):
        super().__init__()
        channels, height, image_width = check_image_shape(image_shape)
        full, wide, narrow, hidden = (scaled(units, width) for units in (1024, 128, 64, 128))
        self.spec, self.image_shape, self.width = spec, (channels, height, image_width), width
        self.norm = checks.choice("norm", norm, NORMS)
        self.trunk = nn.Sequential(
            nn.Conv2d(channels, narrow, 4, stride=2, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1),
            *batch_norm(nn.BatchNorm2d, wide, norm),
            nn.LeakyReLU(0.1),
            nn.Flatten(),  # (n, 128, 7, 7) -> (n, 6272)
            nn.Linear(wide * (height // 4) * (image_width // 4), full),
            *batch_norm(BatchNorm1d, full, norm),
            nn.LeakyReLU(0.1),
        )
        self.real_head = nn.Linear(full, 1)
        self.q_head = QHead(spec, full, hidden, variance, norm)
        initialise(self)
        if norm == "spectral":
            bound_weights(self.trunk, self.real_head)

    def forward(self, images):
        """``(real_logit, posterior)``: shape ``(n,)``, and a ``Posterior``."""
        with reduced_precision(self):
            features = self.trunk(check_images(images, self.image_shape))
            return self.real_head(features)[:, 0].float(), self.q_head(features)


class MLPGenerator(nn.Module):
    """The fully connected generator of many tutorials: 256, 512, 1024, tanh.

    Args:
        spec: the codes it takes.
        image_shape: any shape; ``(2,)`` makes points in the plane.
        width: scales the hidden layers.

    Raises:
        ValueError: ``image_shape`` or ``width`` is not such a value.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(1, 28, 28), width=1.0):
        super().__init__()
        self.spec, self.image_shape, self.width = spec, check_shape(image_shape), width
        sizes = [spec.dim, *(scaled(units, width) for units in (256, 512, 1024))]
        layers = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), BatchNorm1d(after), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], math.prod(image_shape)), nn.Tanh())

    def forward(self, codes):
        """Images in [-1, 1], shape ``(n, *image_shape)``."""
        with reduced_precision(self):
            return self.layers(self.spec.encode(codes)).unflatten(1, self.image_shape).float()


class MLPDiscriminatorQ(nn.Module):
    """The fully connected twin of ``DiscriminatorQ``: 1024, 512, 256 with dropout, linear heads.

    Args:
        spec: the codes that Q reads.
        image_shape: any shape.
        width: scales the hidden layers.
        variance: of Q's continuous codes, ``"learned"`` or ``"fixed"`` at 1.
        norm: of the trunk, one of ``NORMS``; the tutorials have ``"none"``. ``"spectral"`` bounds D's head too.

    Raises:
        ValueError: an argument is not such a value; in a call, the images have another shape.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(1, 28, 28), width=1.0, variance="learned", norm="none"):
        super().__init__()
        self.spec, self.image_shape, self.width = spec, check_shape(image_shape), width
        self.norm = checks.choice("norm", norm, NORMS)
        sizes = [math.prod(image_shape), *(scaled(units, width) for units in (1024, 512, 256))]
        layers = [nn.Flatten()]
        for i, (before, after) in enumerate(pairwise(sizes)):
            layers += [nn.Linear(before, after), *batch_norm(BatchNorm1d, after, norm), nn.LeakyReLU(0.2)]
            layers += [nn.Dropout(0.3)] if i < 2 else []
        self.trunk = nn.Sequential(*layers)
        self.real_head = nn.Linear(sizes[-1], 1)
        self.q_head = QHead(spec, sizes[-1], 0, variance, norm)
        if norm == "spectral":
            bound_weights(self.trunk, self.real_head)

    def forward(self, images):
        """``(real_logit, posterior)``: shape ``(n,)``, and a ``Posterior``."""
        with reduced_precision(self):
            features = self.trunk(check_images(images, self.image_shape))
            return self.real_head(features)[:, 0].float(), self.q_head(features)


@takes(network=network())
def reduced_precision(network):
    """A context for one call of a network: on CUDA, while it learns, layers compute in bf16; else nothing changes.

    One context per call: autocast keeps bf16 copies of the weights until the context ends, and a step changes them.
    """
    learns = network.training and torch.is_grad_enabled()
    on_cuda = learns and next(network.parameters()).device.type == "cuda"
    return torch.autocast("cuda", torch.bfloat16) if on_cuda else nullcontext()


@takes(module=network())
def initialise(module):
    """Draw weights from N(0, 0.02), batch-norm gains from N(1, 0.02), and set biases to 0.

    Source: the authors' code (openai/InfoGAN, ``custom_ops.py``), after Radford et al. 2016.
    """
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(layer.weight, 1.0, 0.02)


@takes(module=network())
def count_parameters(module):
    """How many trainable numbers ``module`` holds."""
    return sum(p.numel() for p in module.parameters())


@takes(units=at_least(1))
def scaled(units, width):
    """``units`` of the full-width network at another width, at least 1."""
    return max(1, round(units * checks.number("width", width, above=0, most=WIDEST)))


def _kind_of_layer(name, value):
    fits = isinstance(value, type) and issubclass(value, nn.Module)
    return value if fits else refuse(name, "a class of layers", value)


@takes(layer=_kind_of_layer, units=at_least(1), norm=one_of(*NORMS))
def batch_norm(layer, units, norm):
    """The layer's batch norm as a list, which is empty where D has another norm or none."""
    return [layer(units)] if norm == "batch" else []


def bound_weights(*modules):
    """Divide each layer's weights by their largest singular value, after they were drawn: none stretches its input."""
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                spectral_norm(layer)


def check_shape(image_shape):
    """``image_shape`` as a tuple of integers, if it is a tuple or list of positive ones."""
    sizes = image_shape if isinstance(image_shape, (tuple, list)) else ()
    if not sizes or not all(checks.is_integer(s) and s > 0 for s in sizes):
        raise ValueError(f"image_shape must be a tuple of positive integers, got {image_shape!r}")
    return tuple(int(s) for s in sizes)


@takes(divisor=at_least(1))
def check_image_shape(image_shape, divisor=4):
    """``image_shape`` as three integers, if it is such a shape, its sides divisible by ``divisor``."""
    sizes = check_shape(image_shape)
    if len(sizes) != 3 or sizes[1] % divisor or sizes[2] % divisor:
        raise ValueError(
            f"image_shape must be (channels, height, width) with height and width divisible by {divisor}, "
            f"got {image_shape!r}"
        )
    return sizes


def check_columns(name, features, columns):
    """Features in the precision that layers take, if they are floats of as many columns; it looks at no value."""
    if not isinstance(features, torch.Tensor) or features.dtype not in FLOATS or features.ndim != 2:
        refuse(name, f"floats of shape (n, {columns})", features)
    if features.shape[1] != columns or not len(features):
        raise ValueError(f"{name} must have shape (n, {columns}), got {tuple(features.shape)}")
    return features if features.dtype == torch.bfloat16 else features.float()  # bf16 is autocast's own


@takes(image_shape=lambda name, value: check_shape(value))
def check_images(images, image_shape):
    """``images`` in single precision, if they are floats of this shape, and at least one."""
    if not isinstance(images, torch.Tensor):
        raise ValueError(f"images must be a tensor of floats in [-1, 1], got {type(images).__name__}")
    if images.ndim != len(image_shape) + 1 or tuple(images.shape[1:]) != image_shape or not len(images):
        raise ValueError(f"images must have shape (n, {', '.join(map(str, image_shape))}), got {tuple(images.shape)}")
    if not images.is_floating_point():
        raise ValueError(f"images must be floats in [-1, 1], got {images.dtype}; call data.to_model_range first")
    return images.float()
