"""A world of chairs made of boxes, in the part of the 3D chairs. Not here: how a ray meets one."""

import math

import torch
import torch.nn.functional as F

from infogan_helpers.arguments import at_least, takes
from infogan_helpers.worlds.rendering import box, cast, ellipsoid, turn_x, turn_y
from infogan_helpers.worlds.world import BY_FACTOR, Factor, World, steps


class Chairs(World):
    """A chair made of boxes, seen from above: type, rotation, width, height.

    A type is one of four backs, three bases and arms or none: 24 in all. Every type has a back, because a stool looks
    the same after half a turn.

    Args:
        side: of the pictures, in pixels.

    Raises:
        ValueError: ``side`` is not an integer of at least 8.
    """

    BACKS = ("panel", "slats", "ladder", "round")
    BASES = ("four legs", "star", "sled")

    def __init__(self, side=32):
        super().__init__(
            (
                Factor("type", tuple(range(2 * len(self.BACKS) * len(self.BASES))), ""),
                Factor("rotation", tuple(2 * math.pi * i / 36 for i in range(36)), "radians", circular=True),
                Factor("width", steps(0.75, 1.25, 7), "of the mean"),
                Factor("height", steps(0.75, 1.25, 7), "of the mean"),
            ),
            side,
        )

    def file_stem(self):
        return f"chairs{self.image_shape[1]}"

    @takes(kind=at_least(0))
    def type_name(self, kind):
        """A type in words: back, base, and arms if there are any."""
        back, base, arms = kind // 2 // len(self.BASES), kind // 2 % len(self.BASES), kind % 2
        return f"{self.BACKS[back]}, {self.BASES[base]}{', arms' if arms else ''}"

    @takes(values=BY_FACTOR)
    def draw(self, values):
        kind, w, h = values["type"].long(), 0.42 * values["width"], 0.45 * values["height"]
        back, base, arms = kind // 2 // len(self.BASES), kind // 2 % len(self.BASES), kind % 2
        top = 2 * h  # of the back, above the seat
        parts = [box((0, -0.1, 0), (w, 0.07, 0.4), 0.9)]
        parts += [box((0, h, -0.36), (w, h, 0.05), 0.8, there=back == 0)]
        parts += [ellipsoid((0, h, -0.36), (w, h + 0.05, 0.1), 0.8, there=back == 3)]
        for x in (-0.9, -0.3, 0.3, 0.9):
            parts += [box((x * w, h, -0.36), (0.05, h, 0.05), 0.8, there=(back == 1) | ((back == 2) & (abs(x) > 0.5)))]
        parts += [box((0, top - 0.06, -0.36), (w, 0.07, 0.05), 0.8, there=(back == 1) | (back == 2))]
        for y in (0.3, 0.62):
            parts += [box((0, y * top, -0.36), (w, 0.07, 0.05), 0.8, there=back == 2)]
        for x in (-1.0, 1.0):
            for z in (-0.33, 0.33):
                stands = (base == 0) | ((base == 2) & (z > 0))
                parts += [box((x * (w - 0.05), -0.5, z), (0.055, 0.36, 0.055), 0.6, there=stands)]
            parts += [box((x * (w - 0.05), -0.84, 0), (0.055, 0.05, 0.4), 0.6, there=base == 2)]
            parts += [box((0, -0.8, 0), (0.5, 0.055, 0.06), 0.6, turned=x * math.pi / 4, there=base == 1)]
            parts += [box((x * w, 0.2, 0.02), (0.055, 0.05, 0.34), 0.7, there=arms == 1)]
            parts += [box((x * w, 0.06, 0.3), (0.05, 0.12, 0.05), 0.7, there=arms == 1)]
        parts += [box((0, -0.45, 0), (0.075, 0.36, 0.075), 0.6, there=base == 1)]
        rotation = values["rotation"]
        pose = turn_x(torch.full_like(rotation, math.radians(25))) @ turn_y(rotation)
        towards = F.normalize(torch.tensor([[0.4, 0.7, 0.6]], device=rotation.device), dim=1)
        return cast(parts, pose, towards.expand(len(rotation), 3), self.image_shape[1], reach=1.25)
