"""Scenes of ellipsoids and boxes seen from far away, along parallel rays: each ray meets each part in closed form.

Not here: what stands in a scene.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from infogan_helpers.arguments import above, at_least, device, finite, instance, list_of, takes

OVERSAMPLING = 2  # rays along each side of a pixel of a scene
AMBIENT, DIFFUSE = 0.3, 0.7  # light from everywhere, and from one direction
BACKGROUND = 0.0  # black


class Part(NamedTuple):
    """One convex part of a scene; numbers or tensors of shape ``(n,)``."""

    is_box: bool
    centre: tuple
    size: tuple  # radii, or halves of the edges
    brightness: object
    rolled: object  # radians about the line of sight of a face, z
    turned: object  # radians about the upright, y
    there: object


def ellipsoid(centre, radii, brightness, rolled=0.0, there=True):
    """A ``Part`` with three radii; all arguments may be numbers or tensors of shape ``(n,)``, one per picture."""
    return Part(False, centre, radii, brightness, rolled, 0.0, there)


def box(centre, halves, brightness, turned=0.0, there=True):
    """A ``Part`` with flat faces, likewise; ``halves`` of its edges."""
    return Part(True, centre, halves, brightness, 0.0, turned, there)


@takes(
    parts=list_of(instance(Part), 1), pose=finite("n, 3, 3"), towards=finite("n, 3"), side=at_least(1), reach=above(0)
)
def cast(parts, pose, towards, side, reach=1.1):
    """Parallel rays along -z at parts that ``pose`` has turned, shaded by Lambert's law.

    Args:
        parts: a list of ``Part``.
        pose: rotation of the scene, shape ``(n, 3, 3)``.
        towards: unit vectors to the light as the camera sees it, shape ``(n, 3)``.
        side: of the pictures, in pixels.
        reach: what lies at the picture's border, in the scene's unit.

    Returns:
        Brightness in [0, 1], shape ``(n, side, side)``.
    """
    pose, towards = pose.float(), towards.float()
    n, device = len(pose), pose.device
    if len(towards) != n:
        raise ValueError(f"pose and towards must have as many rows, got {n} and {len(towards)}")

    def column(*numbers):
        return torch.stack([torch.as_tensor(x, dtype=torch.float32, device=device).expand(n) for x in numbers], dim=1)

    x, y = pixels(OVERSAMPLING * side, device)
    plane = torch.stack([reach * x.flatten(), reach * y.flatten(), torch.ones(x.numel(), device=device)])  # (3, rays)
    nearest = torch.full((n, plane.shape[1]), -math.inf, device=device)
    picture = torch.full_like(nearest, BACKGROUND)
    for part in parts:
        axes = pose @ _turn_z(column(part.rolled)[:, 0]) @ turn_y(column(part.turned)[:, 0])
        size = column(*part.size)
        to_part = (
            axes.transpose(1, 2) / size[:, :, None]
        )  # from the camera's frame to the one in which the part is a unit
        origin = -to_part @ (pose @ column(*part.centre)[:, :, None])
        start = torch.cat([to_part[:, :, :2], origin], dim=2)  # where the ray through (x, y) meets z = 0: start @ plane
        along = to_part[:, :, 2:]
        lit = (axes.transpose(1, 2) @ towards[:, :, None]) / size[:, :, None]
        z, cosine = (_meet_box if part.is_box else _meet_ellipsoid)(start @ plane, along, lit, size[:, :, None])
        seen = (z > nearest) & column(part.there).bool()
        nearest = torch.where(seen, z, nearest)
        shade = column(part.brightness) * (AMBIENT + DIFFUSE * cosine.clamp_min(0))
        picture = torch.where(seen, shade, picture)
    return F.avg_pool2d(picture.reshape(n, OVERSAMPLING * side, -1), OVERSAMPLING).clamp(0, 1)


def _meet_ellipsoid(start, along, lit, size):
    """Nearest z at which rays meet the unit ball, -inf where they miss, and the cosine to the light there."""
    a, b = (along**2).sum(dim=1), (along * start).sum(dim=1)
    under_root = b**2 - a * ((start**2).sum(dim=1) - 1)
    z = (under_root.clamp_min(0).sqrt() - b) / a
    point = start + along * z[:, None]
    cosine = (lit * point).sum(dim=1) / ((point / size) ** 2).sum(dim=1).clamp_min(1e-12).sqrt()
    return torch.where(under_root > 0, z, -math.inf), cosine


def _meet_box(start, along, lit, size):
    """The same for the cube from -1 to 1: the ray is inside between the last entry and the first exit."""
    along = torch.where(along.abs() < 1e-6, 1e-6, along)
    ends = along.sign() / along
    middle = start / along
    enters, face = (ends - middle).min(dim=1)  # z falls along the ray, so the nearest face is where the least end lies
    leaves = (-ends - middle).amax(dim=1)
    cosine = torch.gather((along.sign() * lit * size)[:, :, 0], 1, face)
    return torch.where(enters > leaves, enters, -math.inf), cosine


@takes(side=at_least(1), device=device)
def pixels(side, device):
    """x to the right and y upwards of the pixels' middles, in halves of the picture."""
    ticks = (torch.arange(side, device=device) + 0.5) * 2 / side - 1
    return ticks[None, :].expand(side, side), -ticks[:, None].expand(side, side)


def _rotation(angle, first, second):
    cos, sin = angle.cos(), angle.sin()
    matrix = torch.eye(3, device=angle.device).repeat(len(angle), 1, 1)
    matrix[:, first, first], matrix[:, second, second] = cos, cos
    matrix[:, first, second], matrix[:, second, first] = -sin, sin
    return matrix


@takes(angle=finite("n"))
def turn_x(angle):
    """Positive: what faces the camera turns down."""
    return _rotation(angle, 1, 2)


@takes(angle=finite("n"))
def turn_y(angle):
    """Positive: what faces the camera turns to the right."""
    return _rotation(angle, 2, 0)


def _turn_z(angle):
    """Positive: against the clock."""
    return _rotation(angle, 0, 1)
