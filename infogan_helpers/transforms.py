"""Random changes that leave a digit's class alone, nearly always: what Q may be asked to look through.

Notebook 04 says what they assume. Not here: anything learned, and anything that knows a label.
"""

import math
from numbers import Real

import torch
import torch.nn.functional as F

from infogan_helpers.arguments import RANDOM, TEXT, between, floats, list_of, takes

ROTATION = 0.3  # radians either way
SHEAR = 0.6  # sideways shift per unit of height, either way
LOG_SCALE = 0.15  # of width and of height, separately
SHIFT = 1.5  # pixels either way
BEND = 0.4  # sideways shift per squared unit of height, and upward per squared unit of width, either way
THICKENING = 0.6  # share of the way to the stroke grown, or shrunk, by a pixel on each side
STRAY_REACH = 6.0  # pixels from the middle of the picture to the stroke's, along each axis, at most
STRAY_LENGTH = (6.0, 12.0)  # pixels
STRAY_WIDTH = (1.6, 2.8)  # pixels

ASPECTS = ("lean", "stroke", "size", "place", "bend")  # rotation and shear; thickness; scale; shift; bow


@takes(
    images=floats("n, channels, height, width", rows=1),
    generator=RANDOM,
    strength=between(0, None),
    keep=list_of(TEXT),
)
def random_style(images, generator=None, strength=1.0, keep=()):
    """Rotate, shear, scale, shift, bend, and thicken or thin each image a little, at random; gradients flow through.

    Args:
        images: floats in [-1, 1], shape ``(n, channels, height, width)``, paper at -1.
        generator: a ``torch.Generator`` on the images' device; torch's own where it is ``None``.
        strength: multiplies every range above; 0 changes nothing but the last bits.
        keep: aspects, from ``ASPECTS``, that images leave alone in turn: image ``i`` keeps ``keep[i % len(keep)]``.

    Returns:
        Images of the same shape, in [-1, 1].

    Raises:
        ValueError: the images have another shape or are not floats, ``strength`` is no number of at least 0, or
            ``keep`` names an unknown aspect.
    """
    if unknown := [aspect for aspect in keep if aspect not in ASPECTS]:
        raise ValueError(f"keep must hold aspects from {ASPECTS}, got {unknown}")
    images = images.float()
    n, _, height, width = images.shape
    kept = torch.arange(n, device=images.device) % max(1, len(keep))

    def uniform(limit, aspect):
        change = (2 * torch.rand(n, generator=generator, device=images.device) - 1) * limit * strength
        for i, name in enumerate(keep):
            if name == aspect:
                change = change * (kept != i)
        return change

    angle, shear = uniform(ROTATION, "lean"), uniform(SHEAR, "lean")
    shift_x, shift_y = uniform(SHIFT, "place"), uniform(SHIFT, "place")
    wide, high = uniform(LOG_SCALE, "size").exp(), uniform(LOG_SCALE, "size").exp()
    cos, sin = angle.cos(), angle.sin()
    # Where each new pixel comes from, in halves of the picture: rotated, sheared, scaled, shifted, bent.
    row_x = torch.stack([wide * cos, wide * (shear * cos - sin), 2 * shift_x / width], dim=1)
    row_y = torch.stack([high * sin, high * (shear * sin + cos), 2 * shift_y / height], dim=1)
    grid = F.affine_grid(torch.stack([row_x, row_y], dim=1), list(images.shape), align_corners=False)
    bow = torch.stack([uniform(BEND, "bend"), uniform(BEND, "bend")], dim=1).reshape(n, 1, 1, 2)
    grid = grid + bow * (grid.flip(-1) ** 2 - 1 / 6)  # x by y squared, y by x squared, about the ink's place
    ink = F.grid_sample((images + 1) / 2, grid, align_corners=False)  # beyond the border there is no ink
    amount = uniform(THICKENING, "stroke").reshape(n, 1, 1, 1)
    side = torch.where(amount < 0, -1.0, 1.0)  # shrinking the ink is growing the paper
    changed = ink + amount.abs() * (side * F.max_pool2d(side * ink, 3, 1, 1) - ink)
    return 2 * changed.clamp(0, 1) - 1


@takes(images=floats("n, channels, height, width", rows=1), generator=RANDOM)
def add_stray_strokes(images, share, generator=None):
    """Cross a share of the images with one short straight stroke of full ink, near the middle, at any angle.

    Args:
        images: floats in [-1, 1], shape ``(n, channels, height, width)``, paper at -1.
        share: of the images, in [0, 1], each chosen by itself; one number, or one per image, shape ``(n,)``.
        generator: a ``torch.Generator`` on the images' device; torch's own where it is ``None``.

    Returns:
        Images of the same shape; no gradient reaches what lies under a stroke.

    Raises:
        ValueError: the images have another shape or are not floats, or ``share`` is out of range.
    """
    n, _, height, width = images.shape
    plain = isinstance(share, Real) and not isinstance(share, bool)
    shares = torch.tensor(float(share)) if plain else floats()("share", share)
    in_range = shares.device.type != "cpu" or bool(((shares >= 0) & (shares <= 1)).all())  # a GPU would have to wait
    if tuple(shares.shape) not in ((), (n,)) or not in_range:
        raise ValueError(f"share must lie in [0, 1], one number or one per image, got {share!r}")
    x, y, angle, length, thick, chance = torch.rand(6, n, 1, 1, 1, generator=generator, device=images.device)
    rows = torch.arange(height, device=images.device)[:, None] - (height - 1) / 2 - STRAY_REACH * (2 * y - 1)
    columns = torch.arange(width, device=images.device) - (width - 1) / 2 - STRAY_REACH * (2 * x - 1)
    cos, sin = (math.pi * angle).cos(), (math.pi * angle).sin()
    half_length = (STRAY_LENGTH[0] + (STRAY_LENGTH[1] - STRAY_LENGTH[0]) * length) / 2
    half_width = (STRAY_WIDTH[0] + (STRAY_WIDTH[1] - STRAY_WIDTH[0]) * thick) / 2
    beyond = ((columns * cos + rows * sin).abs() - half_length).clamp_min(0)
    distance = torch.hypot(beyond, rows * cos - columns * sin)  # to the stroke's middle line
    stroke = (half_width - distance + 0.5).clamp(0, 1) * (chance < shares.to(images.device).reshape(-1, 1, 1, 1))
    return torch.maximum(images, 2 * stroke - 1)


@takes(images=floats(), deviation=between(0, None), generator=RANDOM)
def add_noise(images, deviation, generator=None):
    """Gaussian noise on each pixel, of a standard deviation in halves of the model's range; 0 gives the images back."""
    if deviation == 0:
        return images
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return images + deviation * noise
