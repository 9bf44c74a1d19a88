"""A world of heads made of ellipsoids, in the part of the Basel faces. Not here: how a ray meets one."""

import math

import torch
import torch.nn.functional as F

from infogan_helpers.arguments import takes
from infogan_helpers.worlds.rendering import cast, ellipsoid, turn_x, turn_y
from infogan_helpers.worlds.world import BY_FACTOR, Factor, World, steps


class Faces(World):
    """A head made of ellipsoids, shaded: identity, azimuth, elevation, direction of the light, expression.

    An identity is a fixed draw of the proportions of skull, jaw, nose, eyes, ears and hair. No two poses look the same;
    a head that is turned away from the light shows little of its expression.

    Args:
        side: of the pictures, in pixels.

    Raises:
        ValueError: ``side`` is not an integer of at least 8.
    """

    IDENTITIES = 30

    def __init__(self, side=32):
        super().__init__(
            (
                Factor("identity", tuple(range(self.IDENTITIES)), ""),
                Factor("azimuth", steps(-math.radians(60), math.radians(60), 31), "radians"),
                Factor("elevation", steps(-math.radians(30), math.radians(30), 21), "radians"),
                Factor("light", steps(-math.radians(75), math.radians(75), 21), "radians"),
                Factor("expression", steps(-1.0, 1.0, 11), "frown to smile"),
            ),
            side,
        )
        random = torch.Generator().manual_seed(0)
        self._traits = 2 * torch.rand(self.IDENTITIES, 8, generator=random) - 1

    def file_stem(self):
        return f"faces{self.image_shape[1]}"

    @takes(values=BY_FACTOR)
    def draw(self, values):
        traits = self._traits.to(values["azimuth"].device)[values["identity"].long()].T
        wide, long, jaw, nose, eyes, ears, hair, brow = traits
        smile = values["expression"]
        skin, dark = 0.9, 0.12
        width, height = 0.6 + 0.07 * wide, 0.72 + 0.06 * long
        apart, up = 0.23 + 0.03 * eyes, 0.06 + 0.03 * long
        parts = [
            ellipsoid((0, 0.1, -0.05), (width, height, 0.68), skin),
            ellipsoid((0, -0.36 - 0.05 * long, 0.12), (0.42 + 0.1 * jaw, 0.46, 0.46), skin),
            ellipsoid((0, -0.08, 0.66), (0.1 + 0.03 * nose, 0.2 + 0.04 * long, 0.17 + 0.05 * nose), skin),
            ellipsoid((0, 0.36 + 0.1 * hair, -0.2), (width + 0.06, 0.58 + 0.05 * hair, 0.68), 0.3 + 0.25 * hair),
            ellipsoid((0, -0.5 - 0.05 * long, 0.45), (0.1, 0.03 + 0.03 * smile.abs(), 0.14), dark),
        ]
        for sign in (-1.0, 1.0):
            parts += [
                ellipsoid((sign * (width + 0.02), 0, -0.05), (0.09, 0.18 + 0.05 * ears, 0.13 + 0.03 * ears), skin),
                ellipsoid((sign * apart, up, 0.5), (0.13, 0.085, 0.12), 1.0),
                ellipsoid((sign * apart, up, 0.57), (0.055, 0.06, 0.07), 0.05),
                ellipsoid((sign * apart, up + 0.19, 0.52), (0.17, 0.045 + 0.02 * brow, 0.1), dark, -sign * 0.15 * brow),
                ellipsoid(
                    (sign * 0.13, -0.5 - 0.05 * long + 0.05 * smile, 0.42), (0.13, 0.05, 0.15), dark, sign * 0.5 * smile
                ),
            ]
        light = values["light"]
        towards = torch.stack([light.sin(), 0.25 * torch.ones_like(light), light.cos()], dim=1)
        pose = turn_x(values["elevation"]) @ turn_y(values["azimuth"])
        return cast(parts, pose, F.normalize(towards, dim=1), self.image_shape[1])
