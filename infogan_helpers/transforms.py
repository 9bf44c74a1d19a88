"""Random changes of a digit's style that leave its class alone: what Q may be asked to look through.

Notebook 04 says what they assume. Not here: anything learned, and anything that knows a label.
"""

import torch
import torch.nn.functional as F

ROTATION = 0.3  # radians either way
SHEAR = 0.3  # sideways shift per unit of height, either way
LOG_SCALE = 0.15  # of width and of height, separately
SHIFT = 1.5  # pixels either way
THICKENING = 0.6  # share of the way to the stroke grown, or shrunk, by a pixel on each side


ASPECTS = ("lean", "stroke", "size", "place")  # rotation and shear; thickness; scale; shift


def random_style(images, generator=None, strength=1.0, keep=()):
    """Rotate, shear, scale, shift, and thicken or thin each image a little, at random; gradients flow through.

    Args:
        images: floats in [-1, 1], shape ``(n, channels, height, width)``, paper at -1.
        generator: a ``torch.Generator`` on the images' device; torch's own where it is ``None``.
        strength: multiplies every range above; 0 changes nothing but the last bits.
        keep: aspects, from ``ASPECTS``, that images leave alone in turn: image ``i`` keeps ``keep[i % len(keep)]``.

    Returns:
        Images of the same shape, in [-1, 1].

    Raises:
        ValueError: the images have another shape or are not floats, ``strength`` is negative, or ``keep`` names an
            unknown aspect.
    """
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(f"images must be floats of shape (n, channels, height, width), got {tuple(images.shape)}")
    if strength < 0:
        raise ValueError(f"strength must be at least 0, got {strength!r}")
    if unknown := [aspect for aspect in keep if aspect not in ASPECTS]:
        raise ValueError(f"keep must hold aspects from {ASPECTS}, got {unknown}")
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
    # Where each new pixel comes from, in halves of the picture: rotated, sheared, scaled, shifted.
    row_x = torch.stack([wide * cos, wide * (shear * cos - sin), 2 * shift_x / width], dim=1)
    row_y = torch.stack([high * sin, high * (shear * sin + cos), 2 * shift_y / height], dim=1)
    grid = F.affine_grid(torch.stack([row_x, row_y], dim=1), list(images.shape), align_corners=False)
    ink = F.grid_sample((images + 1) / 2, grid, align_corners=False)  # beyond the border there is no ink
    amount = uniform(THICKENING, "stroke").reshape(n, 1, 1, 1)
    side = torch.where(amount < 0, -1.0, 1.0)  # shrinking the ink is growing the paper
    restyled = ink + amount.abs() * (side * F.max_pool2d(side * ink, 3, 1, 1) - ink)
    return 2 * restyled.clamp(0, 1) - 1
