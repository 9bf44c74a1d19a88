"""Worlds whose factors are known: pictures rendered on the fly from shape, pose and light.

``Sprites`` plays the part of dSprites, ``Faces`` and ``Chairs`` those of the Basel faces and the 3D chairs of Chen et
al. 2016, none of which can be shipped. Every world has the same three methods: ``sample_factors``, ``render`` and
``images_and_factors``. Not here: metrics (``disentanglement.py``), and anything that learns.

Scenes are ellipsoids and boxes seen from far away, along parallel rays: each ray meets each part in closed form.
"""

import hashlib
import math
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from infogan_helpers import checks
from infogan_helpers.checkpoints import load_tensors, save_tensors
from infogan_helpers.data import DEFAULT_ROOT, ImageData, to_uint8

OVERSAMPLING = 2  # rays along each side of a pixel of a scene
AT_ONCE = 32  # images that are rendered together: enough to share the overhead, few enough to stay in the cache
AMBIENT, DIFFUSE = 0.3, 0.7  # light from everywhere, and from one direction
BACKGROUND = 0.0  # black


class Factor(NamedTuple):
    """What varies in a world, one value at a time.

    Attributes:
        name: what it is.
        values: the values that it takes, one for each integer that ``sample_factors`` may draw.
        unit: of the values; empty for a kind that has none, whose values are its names' positions.
        circular: whether the value after the last is the first.
    """

    name: str
    values: tuple
    unit: str
    circular: bool = False


class World:
    """What all worlds share; each says what its factors are and how a batch of them looks.

    Attributes:
        factors: a tuple of ``Factor``.
        image_shape: ``(1, side, side)``.
    """

    def __init__(self, factors, side):
        side = checks.integer("side", side, least=8)
        self.factors, self.image_shape = tuple(factors), (1, side, side)

    @property
    def names(self):
        return tuple(factor.name for factor in self.factors)

    def sample_factors(self, n, generator=None):
        """Draw factors, each value as likely as any other.

        Args:
            n: how many images.
            generator: a ``torch.Generator`` on the CPU; torch's own where it is ``None``.

        Returns:
            Integers, shape ``(n, K)``, positions in each factor's ``values``.
        """
        sizes = torch.tensor([len(factor.values) for factor in self.factors])
        draws = torch.rand(n, len(sizes), generator=generator, dtype=torch.float64)
        return (draws * sizes).long()

    def values(self, factors):
        """What the integers stand for.

        Args:
            factors: integers, shape ``(n, K)``.

        Returns:
            A dictionary from name to floats of shape ``(n,)``, in the factor's unit.

        Raises:
            ValueError: the factors have another shape, or an integer lies outside its factor's values.
        """
        factors = torch.as_tensor(factors)
        if factors.ndim != 2 or factors.shape[1] != len(self.factors) or factors.is_floating_point():
            raise ValueError(
                f"factors must be integers of shape (n, {len(self.factors)}), "
                f"got {tuple(factors.shape)} of {factors.dtype}"
            )
        result = {}
        for column, factor in zip(factors.T, self.factors, strict=True):
            if len(column) and not 0 <= int(column.min()) <= int(column.max()) < len(factor.values):
                raise ValueError(
                    f"factors must hold {factor.name} in [0, {len(factor.values)}), "
                    f"got {int(column.min())} to {int(column.max())}"
                )
            result[factor.name] = torch.tensor(factor.values, dtype=torch.float32, device=column.device)[column]
        return result

    def render(self, factors):
        """The pictures of some factors.

        Args:
            factors: integers, shape ``(n, K)``, on the device that is to render.

        Returns:
            Floats in [-1, 1], shape ``(n, 1, side, side)``.

        Raises:
            ValueError: as in ``values``.
        """
        values = self.values(factors)
        parts = [
            self._draw({k: v[i : i + AT_ONCE] for k, v in values.items()}) for i in range(0, len(factors), AT_ONCE)
        ]
        return 2 * torch.cat(parts)[:, None] - 1 if parts else torch.zeros(0, *self.image_shape)

    def images_and_factors(self, n, seed=0, progress=True):
        """A seeded set of pictures, rendered once and kept under ``data/``.

        Args:
            n: how many images.
            seed: of the factors.
            progress: whether to show a progress bar.

        Returns:
            ``ImageData``: ``uint8`` images, shape ``(n, 1, side, side)``; the factors in place of labels, shape
            ``(n, K)``; and where they came from.
        """
        factors = self.sample_factors(n, torch.Generator().manual_seed(seed))
        file = DEFAULT_ROOT / "worlds" / f"{self._name()}-{n}-{seed}.safetensors"
        source = f"{n:,} pictures of {type(self).__name__}, seed {seed}"
        if file.is_file():
            tensors, metadata = load_tensors(file)
            if metadata["renderer"] == _renderer():
                return ImageData(tensors["images"], factors, source)
        bar = tqdm(factors.split(10 * AT_ONCE), desc=type(self).__name__, unit="batch", disable=not progress)
        images = torch.cat([to_uint8(self.render(part)) for part in bar])
        save_tensors(file, {"images": images}, {"renderer": _renderer()})
        return ImageData(images, factors, source)

    def _draw(self, values):
        """Brightness in [0, 1], shape ``(n, side, side)``."""
        raise NotImplementedError


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
                Factor("scale", _steps(0.5, 1.0, 6), "of the largest"),
                Factor("orientation", tuple(turn * i / 40 for i in range(40)), "radians", circular=symmetries),
                Factor("x", _steps(-0.5, 0.5, 32), "half a picture"),
                Factor("y", _steps(-0.5, 0.5, 32), "half a picture"),
            ),
            side,
        )

    def _name(self):
        return f"sprites{self.image_shape[1]}{'' if self.factors[2].circular else '-quarter'}"

    def _draw(self, values):
        n, side = len(values["x"]), self.image_shape[1]
        x, y = _pixels(side, values["x"].device)
        shape, scale, angle, right, up = (values[name].reshape(n, 1, 1) for name in self.names)
        x, y = x - right, y - up
        cos, sin = angle.cos(), angle.sin()
        x, y = (cos * x + sin * y) / scale, (cos * y - sin * x) / scale
        distance = torch.where(shape == 0, _square(x, y), torch.where(shape == 1, _ellipse(x, y), _heart(x, y)))
        return (0.5 - distance * scale * side / 2).clamp(0, 1)


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
                Factor("azimuth", _steps(-math.radians(60), math.radians(60), 31), "radians"),
                Factor("elevation", _steps(-math.radians(30), math.radians(30), 21), "radians"),
                Factor("light", _steps(-math.radians(75), math.radians(75), 21), "radians"),
                Factor("expression", _steps(-1.0, 1.0, 11), "frown to smile"),
            ),
            side,
        )
        random = torch.Generator().manual_seed(0)
        self._traits = 2 * torch.rand(self.IDENTITIES, 8, generator=random) - 1

    def _name(self):
        return f"faces{self.image_shape[1]}"

    def _draw(self, values):
        traits = self._traits.to(values["azimuth"].device)[values["identity"].long()].T
        wide, long, jaw, nose, eyes, ears, hair, brow = traits
        smile = values["expression"]
        skin, dark = 0.9, 0.12
        width, height = 0.6 + 0.07 * wide, 0.72 + 0.06 * long
        apart, up = 0.23 + 0.03 * eyes, 0.06 + 0.03 * long
        parts = [
            _ellipsoid((0, 0.1, -0.05), (width, height, 0.68), skin),
            _ellipsoid((0, -0.36 - 0.05 * long, 0.12), (0.42 + 0.1 * jaw, 0.46, 0.46), skin),
            _ellipsoid((0, -0.08, 0.66), (0.1 + 0.03 * nose, 0.2 + 0.04 * long, 0.17 + 0.05 * nose), skin),
            _ellipsoid((0, 0.36 + 0.1 * hair, -0.2), (width + 0.06, 0.58 + 0.05 * hair, 0.68), 0.3 + 0.25 * hair),
            _ellipsoid((0, -0.5 - 0.05 * long, 0.45), (0.1, 0.03 + 0.03 * smile.abs(), 0.14), dark),
        ]
        for sign in (-1.0, 1.0):
            parts += [
                _ellipsoid((sign * (width + 0.02), 0, -0.05), (0.09, 0.18 + 0.05 * ears, 0.13 + 0.03 * ears), skin),
                _ellipsoid((sign * apart, up, 0.5), (0.13, 0.085, 0.12), 1.0),
                _ellipsoid((sign * apart, up, 0.57), (0.055, 0.06, 0.07), 0.05),
                _ellipsoid(
                    (sign * apart, up + 0.19, 0.52), (0.17, 0.045 + 0.02 * brow, 0.1), dark, -sign * 0.15 * brow
                ),
                _ellipsoid(
                    (sign * 0.13, -0.5 - 0.05 * long + 0.05 * smile, 0.42), (0.13, 0.05, 0.15), dark, sign * 0.5 * smile
                ),
            ]
        light = values["light"]
        towards = torch.stack([light.sin(), 0.25 * torch.ones_like(light), light.cos()], dim=1)
        pose = _turn_x(values["elevation"]) @ _turn_y(values["azimuth"])
        return _cast(parts, pose, F.normalize(towards, dim=1), self.image_shape[1])


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
                Factor("width", _steps(0.75, 1.25, 7), "of the mean"),
                Factor("height", _steps(0.75, 1.25, 7), "of the mean"),
            ),
            side,
        )

    def _name(self):
        return f"chairs{self.image_shape[1]}"

    def type_name(self, kind):
        """A type in words: back, base, and arms if there are any."""
        back, base, arms = kind // 2 // len(self.BASES), kind // 2 % len(self.BASES), kind % 2
        return f"{self.BACKS[back]}, {self.BASES[base]}{', arms' if arms else ''}"

    def _draw(self, values):
        kind, w, h = values["type"].long(), 0.42 * values["width"], 0.45 * values["height"]
        back, base, arms = kind // 2 // len(self.BASES), kind // 2 % len(self.BASES), kind % 2
        top = 2 * h  # of the back, above the seat
        parts = [_box((0, -0.1, 0), (w, 0.07, 0.4), 0.9)]
        parts += [_box((0, h, -0.36), (w, h, 0.05), 0.8, there=back == 0)]
        parts += [_ellipsoid((0, h, -0.36), (w, h + 0.05, 0.1), 0.8, there=back == 3)]
        for x in (-0.9, -0.3, 0.3, 0.9):
            parts += [_box((x * w, h, -0.36), (0.05, h, 0.05), 0.8, there=(back == 1) | ((back == 2) & (abs(x) > 0.5)))]
        parts += [_box((0, top - 0.06, -0.36), (w, 0.07, 0.05), 0.8, there=(back == 1) | (back == 2))]
        for y in (0.3, 0.62):
            parts += [_box((0, y * top, -0.36), (w, 0.07, 0.05), 0.8, there=back == 2)]
        for x in (-1.0, 1.0):
            for z in (-0.33, 0.33):
                stands = (base == 0) | ((base == 2) & (z > 0))
                parts += [_box((x * (w - 0.05), -0.5, z), (0.055, 0.36, 0.055), 0.6, there=stands)]
            parts += [_box((x * (w - 0.05), -0.84, 0), (0.055, 0.05, 0.4), 0.6, there=base == 2)]
            parts += [_box((0, -0.8, 0), (0.5, 0.055, 0.06), 0.6, turned=x * math.pi / 4, there=base == 1)]
            parts += [_box((x * w, 0.2, 0.02), (0.055, 0.05, 0.34), 0.7, there=arms == 1)]
            parts += [_box((x * w, 0.06, 0.3), (0.05, 0.12, 0.05), 0.7, there=arms == 1)]
        parts += [_box((0, -0.45, 0), (0.075, 0.36, 0.075), 0.6, there=base == 1)]
        rotation = values["rotation"]
        pose = _turn_x(torch.full_like(rotation, math.radians(25))) @ _turn_y(rotation)
        towards = F.normalize(torch.tensor([[0.4, 0.7, 0.6]], device=rotation.device), dim=1)
        return _cast(parts, pose, towards.expand(len(rotation), 3), self.image_shape[1], reach=1.25)


def _renderer():
    """What a stored set was rendered with: it is rendered anew when this file changes."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


class _Part(NamedTuple):
    """One convex part of a scene; numbers or tensors of shape ``(n,)``."""

    is_box: bool
    centre: tuple
    size: tuple  # radii, or halves of the edges
    brightness: object
    rolled: object  # radians about the line of sight of a face, z
    turned: object  # radians about the upright, y
    there: object


def _ellipsoid(centre, radii, brightness, rolled=0.0, there=True):
    return _Part(False, centre, radii, brightness, rolled, 0.0, there)


def _box(centre, halves, brightness, turned=0.0, there=True):
    return _Part(True, centre, halves, brightness, 0.0, turned, there)


def _cast(parts, pose, towards, side, reach=1.1):
    """Parallel rays along -z at parts that ``pose`` has turned, shaded by Lambert's law.

    Args:
        parts: a list of ``_Part``.
        pose: rotation of the scene, shape ``(n, 3, 3)``.
        towards: unit vectors to the light as the camera sees it, shape ``(n, 3)``.
        side: of the pictures, in pixels.
        reach: what lies at the picture's border, in the scene's unit.

    Returns:
        Brightness in [0, 1], shape ``(n, side, side)``.
    """
    n, device = len(pose), pose.device

    def column(*numbers):
        return torch.stack([torch.as_tensor(x, dtype=torch.float32, device=device).expand(n) for x in numbers], dim=1)

    x, y = _pixels(OVERSAMPLING * side, device)
    plane = torch.stack([reach * x.flatten(), reach * y.flatten(), torch.ones(x.numel(), device=device)])  # (3, rays)
    nearest = torch.full((n, plane.shape[1]), -math.inf, device=device)
    picture = torch.full_like(nearest, BACKGROUND)
    for part in parts:
        axes = pose @ _turn_z(column(part.rolled)[:, 0]) @ _turn_y(column(part.turned)[:, 0])
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


def _pixels(side, device):
    """x to the right and y upwards of the pixels' middles, in halves of the picture."""
    ticks = (torch.arange(side, device=device) + 0.5) * 2 / side - 1
    return ticks[None, :].expand(side, side), -ticks[:, None].expand(side, side)


def _rotation(angle, first, second):
    cos, sin = angle.cos(), angle.sin()
    matrix = torch.eye(3, device=angle.device).repeat(len(angle), 1, 1)
    matrix[:, first, first], matrix[:, second, second] = cos, cos
    matrix[:, first, second], matrix[:, second, first] = -sin, sin
    return matrix


def _turn_x(angle):
    """Positive: what faces the camera turns down."""
    return _rotation(angle, 1, 2)


def _turn_y(angle):
    """Positive: what faces the camera turns to the right."""
    return _rotation(angle, 2, 0)


def _turn_z(angle):
    """Positive: against the clock."""
    return _rotation(angle, 0, 1)


def _steps(low, high, n):
    return tuple(low + (high - low) * i / (n - 1) for i in range(n))


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
