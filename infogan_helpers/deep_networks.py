"""G, and D with Q, of three convolutions; and their twin, whose Q reads a picture and its reflection at once.

Taken apart in notebook 07. Not here: Q's head, which is the same on every trunk (``networks``).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from infogan_helpers import checks
from infogan_helpers.arguments import instance, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.networks import (
    MIN_NORM,
    NORMS,
    BatchNorm1d,
    QHead,
    batch_norm,
    bound_weights,
    check_image_shape,
    check_images,
    initialise,
    reduced_precision,
    scaled,
)
from infogan_helpers.posteriors import Posterior, VonMises

G_CHANNELS, D_CHANNELS = (32, 64, 128), (24, 48, 96)  # at width 1, from the picture inwards
SLOPE = 0.2  # of the leaky rectifiers


class DeepGenerator(nn.Module):
    """A fully connected layer and three transposed convolutions with batch norm, tanh.

    Args:
        spec: the codes it takes.
        image_shape: ``(channels, height, width)``; height and width divisible by 8.
        width: scales the hidden layers.

    Raises:
        ValueError: ``image_shape`` or ``width`` is not such a value.

    Source: Radford et al. 2016 (DCGAN), a layer shorter.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(1, 32, 32), width=1.0):
        super().__init__()
        channels, height, image_width = check_image_shape(image_shape, 8)
        narrow, wide, widest = (scaled(units, width) for units in G_CHANNELS)
        self.spec, self.image_shape, self.width = spec, (channels, height, image_width), width
        map_shape = (widest, height // 8, image_width // 8)
        self.layers = nn.Sequential(
            nn.Linear(spec.dim, math.prod(map_shape)),
            BatchNorm1d(math.prod(map_shape)),
            nn.ReLU(),
            nn.Unflatten(1, map_shape),
            nn.ConvTranspose2d(widest, wide, 4, stride=2, padding=1),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
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
            return self.layers(self.spec.encode(codes)).float()


class DeepDiscriminatorQ(nn.Module):
    """D and Q on a trunk of three convolutions, with linear answers of D and a hidden layer for Q.

    Args:
        spec: the codes that Q reads.
        image_shape: ``(channels, height, width)``; height and width divisible by 8.
        width: scales the hidden layers.
        variance: of Q's continuous codes, ``"learned"`` or ``"fixed"`` at 1.
        norm: of the trunk, one of ``networks.NORMS``; R1 wants ``"none"``.

    Raises:
        ValueError: an argument is not such a value; in a call, the images have another shape.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(1, 32, 32), width=1.0, variance="learned", norm="none"):
        super().__init__()
        channels, height, image_width = check_image_shape(image_shape, 8)
        narrow, wide, widest = (scaled(units, width) for units in D_CHANNELS)
        self.spec, self.image_shape, self.width = spec, (channels, height, image_width), width
        self.norm = checks.choice("norm", norm, NORMS)
        self.trunk = nn.Sequential(
            nn.Conv2d(channels, narrow, 3, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(narrow, wide, 3, stride=2, padding=1),
            *batch_norm(nn.BatchNorm2d, wide, norm),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(wide, widest, 3, stride=2, padding=1),
            *batch_norm(nn.BatchNorm2d, widest, norm),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
        )
        features = widest * (height // 8) * (image_width // 8)
        self.real_head = nn.Linear(features, 1)
        self.q_head = QHead(spec, features, scaled(128, width), variance, norm)
        for layer in self.modules():  # nothing normalises D's layers: each keeps the scale of what it is given
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                nn.init.kaiming_normal_(layer.weight, SLOPE)
                nn.init.zeros_(layer.bias)
        if norm == "spectral":
            bound_weights(self.trunk, self.real_head)

    def forward(self, images):
        """``(real_logit, posterior)``: shape ``(n,)``, and a ``Posterior``."""
        with reduced_precision(self):
            features = self.trunk(check_images(images, self.image_shape))
            return self.real_head(features)[:, 0].float(), self.q_head(features)


class MirroredDiscriminatorQ(DeepDiscriminatorQ):
    """The same D; Q is asked about a picture and about its reflection, and what its two answers share is the answer.

    So an odd code (``CodeSpec.odd``) changes its sign with the reflection, a circular code's angle turns into its
    negative, and all others stay: for any weights, by construction.
    """

    def forward(self, images):
        """``(real_logit, posterior)``: shape ``(n,)``, and a ``Posterior``."""
        n = len(check_images(images, self.image_shape))
        logits, answers = super().forward(torch.cat([images, images.flip(3)]))
        here, there = answers.rows(slice(n)), answers.rows(slice(n, None))
        return logits[:n], _shared(here, _turned_back(there, self.spec))


def _shared(here, there):
    """The mean of two ``Posterior``s: of their logits, means, log-variances, directions and logarithms of κ."""
    logits = tuple((a + b) / 2 for a, b in zip(here.categorical_logits, there.categorical_logits, strict=True))
    circular = []
    for a, b in zip(here.circular, there.circular, strict=True):
        direction = F.normalize(a.direction + b.direction, dim=1, eps=MIN_NORM)
        circular.append(VonMises(direction, (a.concentration * b.concentration).sqrt()))
    mean, log_variance = (here.mean + there.mean) / 2, (here.log_variance + there.log_variance) / 2
    return Posterior(logits, mean, log_variance, tuple(circular))


def _turned_back(answers, spec):
    """Answers on reflections as they are of the pictures: odd means change their sign, angles turn to their negatives.

    Args:
        answers: a ``Posterior``.
        spec: the ``CodeSpec``.

    Returns:
        A ``Posterior``.
    """
    mean = torch.cat([-answers.mean[:, : spec.odd], answers.mean[:, spec.odd :]], dim=1)
    flipped = answers.mean.new_tensor([1.0, -1.0])
    circular = tuple(VonMises(angle.direction * flipped, angle.concentration) for angle in answers.circular)
    return answers._replace(mean=mean, circular=circular)
