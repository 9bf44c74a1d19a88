"""Images as they are shown: in colours, tiled into a grid, encoded as a PNG or as an animation.

Not here: figures with axes and labels, which are ``plots``.
"""

import io

import numpy as np
import torch
from PIL import Image

from infogan_helpers import checks
from infogan_helpers.arguments import BOOLEAN, at_least, images, list_of, takes
from infogan_helpers.data import to_ink

GAP = 2  # pixels between two images of a grid


@takes(images=images("n, 3, height, width", rows=0))
def to_colours(images):
    """``uint8`` or [-1, 1] images in red, green and blue as floats in [0, 1], shape ``(n, height, width, 3)``."""
    images = images.cpu()
    colours = images.float() / 255 if images.dtype == torch.uint8 else (images.float() + 1) / 2
    return colours.clamp(0, 1).permute(0, 2, 3, 1).numpy()


@takes(images=images(None, 0), ink=BOOLEAN)
def tile(images, columns, ink=True):
    """All images in one grid, row by row, ``GAP`` pixels apart.

    Args:
        images: ``uint8`` or floats in [-1, 1], shape ``(n, 1, height, width)`` or ``(n, 3, height, width)``.
        columns: images per row; divides ``n``.
        ink: whether what is bright in one-channel images is ink.

    Returns:
        ``(grid, rows, (height, width))``: the grid is a float array, 1 where one-channel images are shown dark, or
        colours in [0, 1]; the last is an image's size.

    Raises:
        ValueError: the images have another shape, or do not fill the grid.
    """
    if np.ndim(images) == 4 and np.shape(images)[1] == 3:
        tiles, paper = to_colours(images), 1.0
    else:
        tiles, paper = to_ink(images) if ink else 1 - to_ink(images), 0.0
    if not checks.is_integer(columns) or columns < 1 or len(tiles) % columns or len(tiles) == 0:
        raise ValueError(f"columns must divide the number of images, {len(tiles)}, got {columns!r}")
    rows, (height, width) = len(tiles) // columns, tiles.shape[1:3]
    canvas = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, *tiles.shape[3:]), paper)
    for i, image in enumerate(tiles):
        y, x = (i // columns) * (height + GAP), (i % columns) * (width + GAP)
        canvas[y : y + height, x : x + width] = image
    return canvas, rows, (height, width)


@takes(images=images(), ink=BOOLEAN)
def side_by_side(images, ink=True):
    """Images in one row, as the bytes of a PNG; ``ink`` as in ``tile``."""
    return _encode(np.concatenate(list(_shown(images, ink)), axis=1), compress_level=1)


@takes(images=images(), shape=list_of(at_least(1), 1))
def sheet(images, shape):
    """All pictures of an exported page as the bytes of a PNG: a column per class and first axis, a row per second axis.

    Args:
        images: in the order of ``shape``, the last axis fastest.
        shape: ``(classes, steps of the first axis, steps of the second)``; the last one or two may be missing.
    """
    shown = _shown(images)
    rows = shape[2] if len(shape) > 2 else 1
    shown = shown.reshape(-1, rows, *shown.shape[1:])
    columns, _, height, width, *colours = shown.shape
    ordered = np.moveaxis(shown, 0, 2)  # (rows, height, columns, width, …)
    return _encode(ordered.reshape(rows * height, columns * width, *colours), optimize=True)


@takes(
    images=images(None, 0),
    columns=at_least(1),
    frames=at_least(1),
    ink=BOOLEAN,
    enlarged=at_least(1),
    milliseconds=at_least(1),
)
def animation(images, columns, frames, ink=True, enlarged=3, milliseconds=80):
    """Grids one after another, without end, as the bytes of a GIF of 32 shades.

    Args:
        images: one-channel images as in ``tile``, a grid after another.
        columns: images per row of a grid.
        frames: how many grids; divides the number of images.
        ink: whether what is bright is ink, shown dark on light.
        enlarged: pixels that a pixel becomes, per side.
        milliseconds: that a grid is shown.

    Raises:
        ValueError: the images have another shape, or do not fill the grids.
    """
    if frames > len(images) or len(images) % frames:
        raise ValueError(f"frames must divide the number of images, {len(images)}, got {frames}")
    grids = [tile(grid, columns, ink)[0] for grid in images.chunk(frames)]
    shades = [np.kron((31 * (1 - grid)).round() / 31, np.ones((enlarged, enlarged))) for grid in grids]
    first, *others = [Image.fromarray((255 * shade).round().astype(np.uint8)) for shade in shades]
    buffer = io.BytesIO()
    first.save(buffer, format="gif", save_all=True, append_images=others, duration=milliseconds, loop=0)
    return buffer.getvalue()


def _shown(images, ink=True):
    """How bright each pixel is shown, in [0, 1]: one channel is ink, dark on light, or light; three are colours."""
    if images.shape[1] == 3:
        return to_colours(images)
    return 1 - to_ink(images) if ink else to_ink(images)


def _encode(brightness, **options):
    buffer = io.BytesIO()
    Image.fromarray((brightness * 255).round().astype(np.uint8)).save(buffer, format="png", **options)
    return buffer.getvalue()
