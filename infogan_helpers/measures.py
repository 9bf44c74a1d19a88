"""What can be measured of a drawn digit without knowing which it is: ink, slant, width, thickness of the stroke.

Not here: what a code has to do with it, which is ``evaluation``.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt

from infogan_helpers.arguments import images, takes
from infogan_helpers.data import to_ink

ROUNDING = 1e-9  # square pixels: a second moment below it is one row and rounding
UPSCALING = 4  # distances are measured on a finer grid than the pixels'


@takes(images=images(None))
def ink(images):
    """Ink of each image, in pixels: the sum of its brightness, a full pixel counting 1.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, 1, height, width)`` or ``(n, height, width)``.

    Returns:
        Float array of shape ``(n,)``.

    Raises:
        ValueError: the images have another shape or range.
    """
    return _brightness(images).sum(axis=(1, 2))


@takes(images=images(None))
def slant(images):
    """Slant of each image, in radians: 0 is upright, positive leans to the right, from second moments of the ink.

    A stroke sheared so that its top moves right by ``tan(slant)`` times its height measures ``slant``.

    Args:
        images: as in ``ink``.

    Returns:
        Float array of shape ``(n,)``; NaN for an image without ink or of a single row.

    Raises:
        ValueError: the images have another shape or range.
    """
    _, xy, yy = _second_moments(images)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.arctan(-xy / np.where(yy > ROUNDING, yy, np.nan))  # y points down in an image


@takes(images=images(None))
def width(images):
    """Width of each image, in pixels, once its slant is sheared away: of the bar with the same second moment.

    Args:
        images: as in ``ink``.

    Returns:
        Float array of shape ``(n,)``: ``w`` for an upright bar ``w`` pixels wide; NaN for an image without ink.

    Raises:
        ValueError: the images have another shape or range.
    """
    xx, xy, yy = _second_moments(images)
    with np.errstate(invalid="ignore", divide="ignore"):
        across = xx - np.where(yy > ROUNDING, xy**2 / np.where(yy > ROUNDING, yy, np.nan), 0.0)
    return np.sqrt(12 * np.maximum(across, 0) + 1)


@takes(images=images(None))
def thickness(images):
    """Stroke thickness of each image, in pixels, from the distance of the ink to the nearest paper.

    In a long stroke ``t`` wide these distances average ``t / 4``; its two ends, which lie nearer to the paper, are made
    up for. Blobs measure less.

    Args:
        images: as in ``ink``; ink is where the brightness passes one half.

    Returns:
        Float array of shape ``(n,)``; NaN for an image without ink.

    Raises:
        ValueError: the images have another shape or range.
    """
    fine = torch.from_numpy(_brightness(images)).unsqueeze(1).float()
    fine = F.interpolate(fine, scale_factor=UPSCALING, mode="bilinear", align_corners=False)[:, 0]
    strokes = np.pad(fine.numpy() > 0.5, ((0, 0), (1, 1), (1, 1)))
    mean = np.array([distance_transform_edt(s)[s].mean() if s.any() else np.nan for s in strokes])
    endless = 4 * mean - 2  # the nearest paper pixel's centre lies half a fine pixel beyond the edge
    # In a bar of area a = t * length the mean is exactly t / 4 - t**2 / (12 * length), so t = endless + t**3 / (3 * a).
    return (endless + endless**3 / (3 * np.maximum(strokes.sum(axis=(1, 2)), 1))) / UPSCALING


MEASURES = {"slant": slant, "thickness": thickness, "width": width, "ink": ink}


def _brightness(images):
    """Images as a float64 array ``(n, height, width)`` of ink in [0, 1]."""
    got = tuple(images.shape)
    images = images.unsqueeze(1) if images.ndim == 3 else images
    if images.ndim != 4 or images.shape[1] != 1 or images.numel() == 0:
        raise ValueError(f"images must have shape (n, 1, height, width) or (n, height, width), got {got}")
    if images.is_floating_point() and images.abs().max() > 1:
        raise ValueError(f"images must be uint8, or finite floats in [-1, 1], got {images.dtype} outside that range")
    return to_ink(images)


def _second_moments(images):
    """Central second moments of the ink, in square pixels: ``xx, xy, yy``, NaN without ink."""
    brightness = _brightness(images)
    y, x = np.mgrid[: brightness.shape[1], : brightness.shape[2]]
    total = brightness.sum(axis=(1, 2))
    weights = brightness / np.where(total > 1e-9, total, math.nan)[:, None, None]
    dx = x - (weights * x).sum(axis=(1, 2))[:, None, None]
    dy = y - (weights * y).sum(axis=(1, 2))[:, None, None]
    return tuple((weights * product).sum(axis=(1, 2)) for product in (dx * dx, dx * dy, dy * dy))
