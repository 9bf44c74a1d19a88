"""Digits with something laid on them that is no digit: stripes behind, or a colour, drawn independently of the digit.

What a picture got is returned as a known factor, to score by and for nothing else. Not here: any training.
"""

import math
from typing import NamedTuple

import torch

from infogan_helpers.arguments import between, images, seed, takes
from infogan_helpers.data import as_model_range

KINDS = 10  # of stripes, and of colours: as many as digits
PERIOD = 7.0  # pixels from one stripe to the next


class Textured(NamedTuple):
    """Pictures and what was laid on each.

    Attributes:
        images: ``uint8``.
        textures: which of the ``KINDS`` each got, ``int64``, shape ``(n,)``; for scoring only.
    """

    images: torch.Tensor
    textures: torch.Tensor


@takes(images=images("n, 1, height, width", 0), strength=between(0, 1), seed=seed)
def striped(images, strength, seed=0):
    """Lay each digit on stripes at one of ten angles, 18 degrees apart; ink stays where it is.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, 1, height, width)``, paper dark.
        strength: brightness of the stripes as a share of the ink's, in [0, 1]; at 0 there are none.
        seed: of the draw of the angles.

    Returns:
        ``Textured``, images of the same shape.

    Raises:
        ValueError: the images have another shape, ``strength`` is out of range, or ``seed`` is no seed.
    """
    ink, textures = _ink_and_draw(images, strength, seed)
    angle = math.pi * torch.arange(KINDS).reshape(-1, 1, 1) / KINDS
    rows, columns = (torch.arange(side) - (side - 1) / 2 for side in ink.shape[2:])
    across = columns * angle.cos() + rows[:, None] * angle.sin()
    stripes = (1 + torch.cos(2 * math.pi * across / PERIOD)) / 2  # (KINDS, height, width)
    picture = torch.maximum(ink, strength * stripes[textures][:, None])
    return Textured((255 * picture).round().to(torch.uint8), textures)


@takes(images=images("n, 1, height, width", 0), strength=between(0, 1), seed=seed)
def dyed(images, strength, seed=0):
    """Give each digit one of ten colours, as far apart around the circle of hues; paper stays black.

    Args:
        images: as in ``striped``.
        strength: saturation, in [0, 1]; at 0 all are white.
        seed: of the draw of the colours.

    Returns:
        ``Textured``, images of shape ``(n, 3, height, width)``.

    Raises:
        ValueError: as in ``striped``.
    """
    ink, textures = _ink_and_draw(images, strength, seed)
    sixths = (6 * torch.arange(KINDS)[:, None] / KINDS + torch.tensor([5.0, 3.0, 1.0])) % 6  # for red, green and blue
    colours = 1 - strength * torch.minimum(sixths, 4 - sixths).clamp(0, 1)  # hue, saturation, value to RGB
    return Textured((255 * ink * colours[textures][:, :, None, None]).round().to(torch.uint8), textures)


def _ink_and_draw(images, strength, seed):
    """The ink of one-channel images in [0, 1], and a draw of one of ``KINDS`` for each."""
    random = torch.Generator().manual_seed(seed)
    ink = (as_model_range(images) + 1) / 2
    return ink, torch.randint(KINDS, (len(images),), generator=random)
