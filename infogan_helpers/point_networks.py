"""G, and D with Q, for points in the plane: three hidden layers, nothing random, nothing that depends on a batch.

The fully connected pair of ``networks`` has batch norm in G and dropout in D. On Gaussians a hundredth wide either one
moves the points by more than that. Not here: Q's head, which is the same on every trunk (``networks``).
"""

import math
from itertools import pairwise

import torch
from torch import nn

from infogan_helpers import checks
from infogan_helpers.arguments import instance, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.networks import (
    NORMS,
    BatchNorm1d,
    QHead,
    batch_norm,
    bound_weights,
    check_images,
    check_shape,
    scaled,
)

UNITS = (128, 128, 128)  # of the hidden layers, at width 1
SLOPE = 0.2  # of the leaky rectifiers
STEEPNESS = 30.0  # of D's first layer: it has edges every few hundredths of [-1, 1], and Gaussians are one wide


class PointGenerator(nn.Module):
    """Three hidden layers and tanh.

    Args:
        spec: the codes it takes.
        image_shape: any shape; ``(2,)`` makes points in the plane.
        width: scales the hidden layers.

    Raises:
        ValueError: ``image_shape`` or ``width`` is not such a value.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(2,), width=1.0):
        super().__init__()
        self.spec, self.image_shape, self.width = spec, check_shape(image_shape), width
        sizes = [spec.dim, *(scaled(units, width) for units in UNITS)]
        layers = [layer for before, after in pairwise(sizes) for layer in (nn.Linear(before, after), nn.ReLU())]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], math.prod(self.image_shape)), nn.Tanh())
        _keep_scale(self)

    def forward(self, codes):
        """Points in [-1, 1], shape ``(n, *image_shape)``."""
        return self.layers(self.spec.encode(codes)).unflatten(1, self.image_shape)


class PointDiscriminatorQ(nn.Module):
    """D and Q on a trunk of three hidden layers, with linear heads.

    Args:
        spec: the codes that Q reads.
        image_shape: any shape.
        width: scales the hidden layers.
        variance: of Q's continuous codes, ``"learned"`` or ``"fixed"`` at 1.
        norm: of the trunk, one of ``networks.NORMS``. ``"spectral"`` bounds D's head too.

    Raises:
        ValueError: an argument is not such a value; in a call, the points have another shape.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(2,), width=1.0, variance="learned", norm="none"):
        super().__init__()
        self.spec, self.image_shape, self.width = spec, check_shape(image_shape), width
        self.norm = checks.choice("norm", norm, NORMS)
        sizes = [math.prod(self.image_shape), *(scaled(units, width) for units in UNITS)]
        layers = [nn.Flatten()]
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), *batch_norm(BatchNorm1d, after, norm), nn.LeakyReLU(SLOPE)]
        self.trunk = nn.Sequential(*layers)
        self.real_head = nn.Linear(sizes[-1], 1)
        self.q_head = QHead(spec, sizes[-1], 0, variance, norm)
        _keep_scale(self)
        _look_closely(self.trunk[1])
        if norm == "spectral":
            _bound_edges(self.trunk[1])
            bound_weights(self.trunk, self.real_head)

    def forward(self, images):
        """``(real_logit, posterior)``: shape ``(n,)``, and a ``Posterior``."""
        features = self.trunk(check_images(images, self.image_shape))
        return self.real_head(features)[:, 0], self.q_head(features)


def _keep_scale(module):
    """Draw each linear layer's weights so that its answers are as large as what it is given.

    Source: He et al. 2015, eq. 10.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, SLOPE)


def _look_closely(layer):
    """Make a first layer steep, with edges all over the square [-1, 1]: a D that sees a hundredth must bend there."""
    nn.init.normal_(layer.weight, 0.0, STEEPNESS)
    nn.init.uniform_(layer.bias, -STEEPNESS, STEEPNESS)


def _bound_edges(layer):
    """Divide a layer's biases by what spectral norm divides its weights by, so that its edges stay where they are."""
    with torch.no_grad():
        layer.bias /= torch.linalg.matrix_norm(layer.weight, 2)
