"""An animation plays its grids in order, without end, small and enlarged; grids that are not filled are refused."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_helpers.pictures import GAP, animation


def stripes():
    """Three grids of two images of 4 by 4: in grid k, column k of the left image and row k of the right are bright."""
    images = -torch.ones(6, 1, 4, 4)
    for k in range(3):
        images[2 * k, 0, :, k] = 1
        images[2 * k + 1, 0, k] = 1
    return images


@pytest.mark.parametrize("ink", [True, False])
def test_grids_follow_each_other_without_end(ink):
    gif = Image.open(io.BytesIO(animation(stripes(), 2, 3, ink=ink, enlarged=2, milliseconds=120)))
    assert (gif.format, gif.n_frames, gif.size) == ("GIF", 3, (2 * (8 + GAP), 2 * 4))
    assert gif.info["loop"] == 0
    for k in range(3):
        gif.seek(k)
        assert gif.info["duration"] == 120
        shown = np.asarray(gif.convert("L")) > 127
        bright = np.zeros((4, 8), bool)
        bright[:, k], bright[k, 4:] = True, True
        images = np.concatenate([shown[::2, :8:2], shown[::2, 2 * (4 + GAP) :: 2]], axis=1)
        assert (images == (bright != ink)).all()


def test_a_turn_of_four_pictures_is_small():
    images = torch.rand(144, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    smooth = torch.nn.functional.avg_pool2d(images, 9, stride=1, padding=4)
    assert len(animation(smooth, 4, 36, ink=False)) < 300_000


@pytest.mark.parametrize(
    ("columns", "frames", "message"),
    [
        (2, 4, "frames must divide the number of images, 6, got 4"),
        (2, 12, "frames must divide the number of images, 6, got 12"),
        (2, 0, "frames must be an integer of at least 1, got 0"),
        (3, 3, "columns must divide the number of images, 2, got 3"),
    ],
)
def test_grids_that_are_not_filled_are_refused(columns, frames, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        animation(stripes(), columns, frames)
