"""G, and D with Q, that grow while they learn: 8 pixels a side at first, then 16, then 32. Each new layer fades in.

Pictures go in and come out at full size; what the networks have not grown to is averaged away on the way in, and pixels
are repeated on the way out. Not here: when they grow (``methods.progressive``).
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
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
    check_image_shape,
    check_images,
    scaled,
)

STAGES = 2  # doublings after the first size, a quarter of the full one
CHANNELS = (128, 64, 32, 16)  # at width 1, of maps of an eighth of the full side, a quarter, a half, all of it
SLOPE = 0.2  # of the leaky rectifiers


class Growing(nn.Module):
    """What both share: how far they have grown, a number from 0 to ``STAGES`` that is saved with the weights.

    Args:
        image_shape: ``(channels, height, width)``; height and width divisible by 8.
        width: scales the hidden layers.
    """

    def __init__(self, image_shape, width):
        super().__init__()
        self.image_shape, self.width = check_image_shape(image_shape, 8), width
        scaled(1, width)  # refuses a width that is none
        self.register_buffer("grown", torch.tensor(float(STAGES)))

    def grow(self, grown):
        """Set how far: 1.25 is the second size, whose successor is half faded in; it has all its say at 1.5.

        Raises:
            ValueError: ``grown`` is not in [0, ``STAGES``].
        """
        self.grown.fill_(checks.number("grown", grown, least=0, most=STAGES))

    def stage_and_share(self):
        """``(stage, share)``: how many doublings take part, and how much of what is said the last of them says."""
        grown = float(self.grown)
        stage = math.ceil(grown)
        return stage, min(1.0, 2 * (grown - stage + 1)) if stage else 1.0


class GrowingGenerator(Growing):
    """A fully connected layer, a transposed convolution with batch norm per size, and a picture at each size.

    Args:
        spec: the codes it takes.
        image_shape, width: as in ``Growing``.

    Raises:
        ValueError: ``image_shape`` or ``width`` is not such a value.

    Source: Karras et al. 2018, section 2 and figure 2; layers as in ``deep_networks``.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(1, 32, 32), width=1.0):
        super().__init__(image_shape, width)
        channels, height, image_width = self.image_shape
        sizes = [scaled(units, width) for units in CHANNELS]
        self.spec, map_shape = spec, (sizes[0], height // 8, image_width // 8)
        full = math.prod(map_shape)
        self.start = nn.Sequential(nn.Linear(spec.dim, full), BatchNorm1d(full), nn.ReLU(), nn.Unflatten(1, map_shape))
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())
            for before, after in pairwise(sizes)
        )
        self.to_image = nn.ModuleList(nn.Conv2d(units, channels, 3, padding=1) for units in sizes[1:])
        for layer in self.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(layer.weight, 0.0, 0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, codes):
        """Pictures in [-1, 1], shape ``(n, *image_shape)``."""
        stage, share = self.stage_and_share()
        maps = [self.blocks[0](self.start(self.spec.encode(codes)))]
        for block in self.blocks[1 : stage + 1]:
            maps.append(block(maps[-1]))
        picture = self.to_image[stage](maps[-1]).tanh()
        if share < 1:
            coarser = self.to_image[stage - 1](maps[-2]).tanh()
            picture = torch.lerp(F.interpolate(coarser, scale_factor=2.0), picture, share)
        return F.interpolate(picture, size=self.image_shape[1:])


class GrowingDiscriminatorQ(Growing):
    """D and Q on a trunk of a convolution per size, entered at the size that it has grown to.

    Args:
        spec: the codes that Q reads.
        image_shape, width: as in ``Growing``.
        variance: of Q's continuous codes, ``"learned"`` or ``"fixed"`` at 1.
        norm: of the trunk, one of ``networks.NORMS``; R1 wants ``"none"``.

    Raises:
        ValueError: an argument is not such a value; in a call, the images have another shape.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec, image_shape=(1, 32, 32), width=1.0, variance="learned", norm="none"):
        super().__init__(image_shape, width)
        channels, height, image_width = self.image_shape
        sizes = [scaled(units, width) for units in CHANNELS]
        self.spec, self.norm = spec, checks.choice("norm", norm, NORMS)
        self.trunk = nn.ModuleDict(
            {
                "from_image": nn.ModuleList(
                    nn.Sequential(nn.Conv2d(channels, units, 1), nn.LeakyReLU(SLOPE)) for units in sizes[1:]
                ),
                "blocks": nn.ModuleList(
                    nn.Sequential(
                        nn.Conv2d(before, after, 3, stride=2, padding=1),
                        *batch_norm(nn.BatchNorm2d, after, norm),
                        nn.LeakyReLU(SLOPE),
                    )
                    for after, before in pairwise(sizes)
                ),
            }
        )
        features = sizes[0] * (height // 8) * (image_width // 8)
        self.real_head = nn.Linear(features, 1)
        self.q_head = QHead(spec, features, scaled(128, width), variance, norm)
        for layer in self.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                nn.init.kaiming_normal_(layer.weight, SLOPE)
                nn.init.zeros_(layer.bias)
        if norm == "spectral":
            bound_weights(self.trunk, self.real_head)

    def forward(self, images):
        """``(real_logit, posterior)``: shape ``(n,)``, and a ``Posterior``."""
        features = self._features(check_images(images, self.image_shape))
        return self.real_head(features)[:, 0], self.q_head(features)

    def _features(self, images):
        """What the trunk makes of pictures, shape ``(n, columns)``."""
        stage, share = self.stage_and_share()
        picture = F.avg_pool2d(images, 2 ** (STAGES - stage))
        maps = self.trunk["blocks"][stage](self.trunk["from_image"][stage](picture))
        if share < 1:
            coarser = self.trunk["from_image"][stage - 1](F.avg_pool2d(picture, 2))
            maps = torch.lerp(coarser, maps, share)
        for block in reversed(self.trunk["blocks"][:stage]):
            maps = block(maps)
        return maps.flatten(1)
