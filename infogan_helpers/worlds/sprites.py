"""A world of flat shapes, as in dSprites: signed distances to their outlines. Not here: scenes with depth."""

import math

import torch

from infogan_helpers import checks
from infogan_helpers.arguments import takes
from infogan_helpers.worlds.rendering import pixels
from infogan_helpers.worlds.world import BY_FACTOR, Factor, World, steps


class Sprites(World):
    """A white square, ellipse or heart on black: shape, scale, orientation, x and y, as in dSprites.

    A square looks the same after a quarter of a turn and an ellipse after half of one, so that their orientation can be
    known only up to that. ``symmetries=False`` leaves a quarter of a turn, in which every orientation is seen.

    Args:
        side: of the pictures, in pixels.
        symmetries: whether orientations run through a whole turn.

    Raises:
        ValueError: ``side`` is not an integer of at least 8, or ``symmetries`` neither true nor false.
    """

    SHAPES = ("square", "ellipse", "heart")

    def __init__(self, side=32, symmetries=True):
        turn = 2 * math.pi if checks.boolean("symmetries", symmetries) else math.pi / 2
        super().__init__(
            (
                Factor("shape", tuple(range(3)), ""),
                Factor("scale", steps(0.5, 1.0, 6), "of the largest"),
                Factor("orientation", tuple(turn * i / 40 for i in range(40)), "radians", circular=symmetries),
                Factor("x", steps(-0.5, 0.5, 32), "half a picture"),
                Factor("y", steps(-0.5, 0.5, 32), "half a picture"),
            ),
            side,
        )

    def file_stem(self):
        return f"sprites{self.image_shape[1]}{'' if self.factors[2].circular else '-quarter'}"

    @takes(values=BY_FACTOR)
    def draw(self, values):
        n, side = len(values["x"]), self.image_shape[1]
        x, y = pixels(side, values["x"].device)
        shape, scale, angle, right, up = (values[name].reshape(n, 1, 1) for name in self.names)
        x, y = x - right, y - up
        cos, sin = angle.cos(), angle.sin()
        x, y = (cos * x + sin * y) / scale, (cos * y - sin * x) / scale
        distance = torch.where(shape == 0, _square(x, y), torch.where(shape == 1, _ellipse(x, y), _heart(x, y)))
        return (0.5 - distance * scale * side / 2).clamp(0, 1)


def _square(x, y):
    """Signed distances from outlines, here and below, in the sprite's unit; negative inside."""
    x, y = x.abs() - 0.28, y.abs() - 0.28
    return torch.hypot(x.clamp_min(0), y.clamp_min(0)) + torch.maximum(x, y).clamp_max(0)


def _ellipse(x, y):
    x, y = x / 0.2, y / 0.4
    value = x**2 + y**2 - 1  # first-order distance: value over the size of its gradient
    return value / (2 * torch.hypot(x / 0.2, y / 0.4)).clamp_min(1e-3)


def _heart(x, y):
    x, y = x.abs() / 0.6, y / 0.6 + 0.55  # the heart stands on its tip
    lobe = torch.hypot(x - 0.25, y - 0.75) - math.sqrt(2) / 4
    half = 0.5 * (x + y).clamp_min(0)
    edge = torch.minimum(x**2 + (y - 1) ** 2, (x - half) ** 2 + (y - half) ** 2).sqrt() * (x - y).sign()
    return 0.6 * torch.where(x + y > 1, lobe, edge)
