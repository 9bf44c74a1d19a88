"""What Q is shown instead of a picture of a world: one thing is measured, the rest is left out.

A view is an assumption about a world, written as code; no label and no factor enters it. Notebooks 06 and 07 say which
code is read from which view, and what becomes of the codes without them. Every view is smooth in the picture, so that a
gradient tells G which way to change it. Not here: copies of digits (``transforms.py``), and anything learned.
"""

import math

import torch
import torch.nn.functional as F

STEEP = 2.0  # of a level's edge: soft, so that pictures lie as far apart as what they show
ANYWHERE = 0.5  # of half a picture: how far a sprite's middle moves
SIZES = (0.41, 0.25)  # middle and reach of sprites' sizes
RINGS, TICKS_A_TURN = 16, 32
RIPPLES = 8.0  # how much more a ring's waves weigh than its fill: they are that much fainter
LIT = 0.08  # brightness from which a pixel belongs to a head, whatever light falls on it
FILLED = 0.05  # the same for a chair
# A chair as its camera sees it: lengths in the scene's unit, of which REACH fit in half a picture.
CAMERA, REACH = math.radians(25), 1.25
SHOWN = 0.6  # half the width of what is seen from above
FLOOR, SEAT_TOP, ARMS = -0.8, 0.1, 0.25
ARMS_REACH = 1.6  # how far from the middle is looked, in that spread
LIGHT, AMBIENT, BOARD = (0.4, 0.7, 0.6), 0.3, 0.8  # where it comes from; what is lit without it; a back's brightness
# The same in halves of a picture.
BACK_REACHES = 0.28  # how far to the side a back is seen at most
BACK_LEANS = 0.31  # how much lower one end of its upper edge is seen than the other, at most
SEAT_EDGE = 0.06
SEAT, TOP = (0.654, 0.13), (0.68, 0.19)  # middle and spread, over chairs, of what tells the front from the rear
FALLS = 0.0036  # how much the upper edge falls, times the sine: as much counts as one spread of those


def view(images, name):
    """One view of a batch of images; gradients flow through.

    Args:
        images: floats in [-1, 1], shape ``(n, 1, side, side)``, background at -1.
        name: a key of ``VIEWS``.

    Returns:
        Floats of the images' shape; most views have a standard deviation of about 0.3 over a world's pictures.

    Raises:
        ValueError: the images have another shape or are not floats, or there is no such view.
    """
    if images.ndim != 4 or images.shape[1] != 1 or not images.is_floating_point():
        raise ValueError(f"images must be floats of shape (n, 1, side, side), got {tuple(images.shape)}")
    if name not in VIEWS:
        raise ValueError(f"name must be one of the views {sorted(VIEWS)}, got {name!r}")
    return VIEWS[name]((images + 1) / 2)


def _shape(ink):
    """A shape ring by ring about its middle, its size taken out; how it is turned leaves no trace.

    A row is a ring, the innermost on top. Its columns say how full it is, and how strongly that goes up and down two,
    three, four and five times along it.
    """
    x, y, size, _ = _measured(ink)
    radius = ((torch.arange(RINGS, device=ink.device) + 0.5) / RINGS)[:, None]
    angle = torch.arange(TICKS_A_TURN, device=ink.device) * 2 * math.pi / TICKS_A_TURN
    there = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=2)  # (rings, angles, 2)
    grid = torch.stack([x, y], dim=1)[:, None, None] + size[:, None, None, None] * there
    polar = F.grid_sample(ink, grid, align_corners=False)[:, 0]
    waves = torch.fft.rfft(polar, dim=2) / TICKS_A_TURN
    strength = (waves.real.square() + waves.imag.square() + 1e-6).sqrt()
    strength = torch.cat([strength[:, :, :1], RIPPLES * strength[:, :, 2:6]], dim=2)
    return 2 * _stretched(strength[:, None], ink) - 1


def _x(ink):
    return _level(_measured(ink)[0] / ANYWHERE, ink)


def _y(ink):
    return _level(_measured(ink)[1] / ANYWHERE, ink)


def _scale(ink):
    return _level((_measured(ink)[2] - SIZES[0]) / SIZES[1], ink)


def _measured(ink):
    """Middle across and down, size (the side of a square of that area), and the long axis in [-π/2, π/2]."""
    x, y, xx, yy, xy = _moments(ink[:, 0])
    axis = torch.atan2(2 * xy, xx - yy + 1e-9) / 2
    side = (4 * (ink[:, 0] + 1e-6).sum(dim=(1, 2)) / ink[0, 0].numel()).sqrt()
    return x, y, side.clamp(0.15, 1.2), axis


def _moments(ink):
    """Middle across and down, and the second moments about it: across, down, mixed; in halves of the width and height.

    The last two of ``ink``'s three axes are the picture's.
    """
    across, down = _ticks(ink.shape[2], ink), _ticks(ink.shape[1], ink)
    mass = ink + 1e-6
    total = mass.sum(dim=(1, 2))
    x = (mass.sum(dim=1) * across).sum(dim=1) / total
    y = (mass.sum(dim=2) * down).sum(dim=1) / total
    dx, dy = across - x[:, None], down - y[:, None]
    xx = (mass.sum(dim=1) * dx**2).sum(dim=1) / total
    yy = (mass.sum(dim=2) * dy**2).sum(dim=1) / total
    xy = (mass * dy[:, :, None] * dx[:, None, :]).sum(dim=(1, 2)) / total
    return x, y, xx, yy, xy


def _ticks(size, like):
    """Middles of pixels in halves of the picture."""
    return (torch.arange(size, device=like.device) + 0.5) * 2 / size - 1


def _axis(ink):
    """The direction of a shape's long axis, from its second moments.

    A shape and the same turned by half a turn have one axis; a square's is a matter of rounding.
    """
    return _level(_measured(ink)[3] * 2 / math.pi, ink)


def _level(place, like):
    """How far a picture is filled from the left, for a place in [-1, 1]; the edge is soft."""
    return torch.tanh(STEEP * (place[:, None, None, None] - _ticks(like.shape[3], like))).expand_as(like)


def _outline(ink):
    """How the outline of a head leans to one side: filled share of each of eight by eight blocks, right less left."""
    filled = _with_slope_of(1 - torch.exp(-ink / LIT), (ink / LIT).clamp(0, 1))
    blocks = F.avg_pool2d(filled, ink.shape[3] // 8)
    return 3 * _one_sided(F.interpolate(blocks, ink.shape[2:], mode="nearest"), 3, ink)


def _features(ink):
    """Where small dark marks lie, high or low: each row's share of what is darker than about it, lower less upper."""
    marks = (F.avg_pool2d(ink, 3, 1, 1, count_include_pad=False) - ink).clamp_min(0)
    rows = marks.mean(dim=3, keepdim=True)
    rows = F.avg_pool2d(rows / (rows.sum(dim=2, keepdim=True) + 1e-3), (9, 1), 1, (4, 0))
    return 50 * _one_sided(F.avg_pool2d(rows, (9, 1), 1, (4, 0)), 2, ink)


def _shading(ink):
    """Which side is lit: the brightest place of each column, in four steps, right less left."""
    soft = F.avg_pool2d(ink, 3, 1, 1, count_include_pad=False)
    columns = F.adaptive_avg_pool2d(soft.amax(dim=2, keepdim=True), (1, 4))
    columns = F.interpolate(columns, (1, ink.shape[3]), mode="bilinear", align_corners=False)
    return 4 * _one_sided(columns, 3, ink)


def _with_slope_of(smooth, clamped):
    """``clamped``, with the gradient of ``smooth``: a clamp has no slope at its ends, and G could not move an edge.

    Source: the straight-through estimator, Bengio et al. 2013.
    """
    return smooth + (clamped - smooth).detach()


def _one_sided(profile, axis, like):
    return ((profile - profile.flip(axis)) / 2).expand_as(like)


def _dial(ink):
    """Which way round a chair stands, as a level: full and empty are the same way round."""
    return _level(_rotation(ink) / math.pi, ink)


def _rotation(ink):
    """An angle in [-π, π] made of two measurements.

    How far to the side the back lies is the sine. The cosine's sign is guessed from three: from the front more of the
    bright seat shows; the back, being farther from a camera that looks down, reaches higher; and its upper edge falls
    towards the side that the chair is turned to, from behind it rises.
    """
    side = ink.shape[3]
    there = (ink / FILLED).clamp(0, 1)[:, 0]
    upper = there[:, : side * 5 // 16]  # above the seat and the arms
    back = upper.amax(dim=1)  # columns that hold a piece of it
    sine = (back * _ticks(side, ink)).sum(dim=1) / back.sum(dim=1).clamp_min(1e-3) / BACK_REACHES
    seat = ink[:, 0, side * 7 // 16 : side * 9 // 16, side * 3 // 8 : side * 5 // 8].mean(dim=(1, 2))
    rows = there[:, : side * 3 // 8].amax(dim=2).mean(dim=1)  # share of the upper rows that hold anything
    falls = sine * _moments(upper)[4]
    front = (seat - SEAT[0]) / SEAT[1] + 0.6 * (rows - TOP[0]) / TOP[1] + falls / FALLS
    sine = sine.clamp(-1, 1)
    cosine = ((1 - sine**2).clamp_min(1e-3).sqrt() + 0.05) * torch.tanh(3 * front)
    return torch.atan2(sine, cosine)


def _back(ink):
    """A chair's back, straightened: from end to end, from its upper edge to the seat, both halves laid on each other.

    Its columns are those that reach nearly as high as the highest one, its upper edge is the line through their tops.
    Above, how bright it is beside its own brightest; below, how far it is from a closed board in the light: a row of
    posts seen at a slant leaves no gap, and is no board.
    """
    side = ink.shape[3]
    ticks = _ticks(side, ink)
    with torch.no_grad():
        solid = ink[:, 0] > FILLED
        top = torch.where(solid.any(dim=1), ticks[solid.float().argmax(dim=1)], 1.0)  # of each column
        ours = (top <= top.amin(dim=1, keepdim=True) + BACK_LEANS).float()
        n = ours.sum(dim=1, keepdim=True)
        middle, height = (ours * ticks).sum(dim=1, keepdim=True) / n, (ours * top).sum(dim=1, keepdim=True) / n
        away = ours * (ticks - middle)
        slope = (away * (top - height)).sum(dim=1, keepdim=True) / away.square().sum(dim=1, keepdim=True).clamp_min(
            1e-3
        )
        left = torch.where(ours > 0, ticks, 1.0).amin(dim=1, keepdim=True)
        right = torch.where(ours > 0, ticks, -1.0).amax(dim=1, keepdim=True)
        turn = _turned_back(ink)[:, None]
        seat = -SEAT_EDGE - BACK_REACHES * math.sin(CAMERA) * turn.cos()
        board = _board(turn)
    across = left + (right - left) * (ticks + 1) / 2  # (n, side)
    down = (height + slope * (across - middle))[:, None] + (seat - height)[..., None] * (ticks[:, None] + 1) / 2
    grid = torch.stack([across[:, None].expand_as(down), down], dim=3)
    seen = F.grid_sample(ink, grid, align_corners=False)
    seen = F.avg_pool2d((seen + seen.flip(3)) / 2, (2, 1))
    brightest = seen.detach().flatten(1).quantile(0.9, dim=1).clamp_min(0.05)
    own = (seen / brightest[:, None, None, None]).clamp(0, 1.2)
    unlike_a_board = (seen / board[:, None, None] - 1).abs().clamp(0, 1)
    return 2 * torch.cat([own, unlike_a_board / 2], dim=2) - 1


def _board(turn):
    """How bright an upright board is, seen from whichever side faces the camera: Lambert's law."""
    x, y, z = LIGHT
    facing = turn.cos().abs() * (z * math.cos(CAMERA) - y * math.sin(CAMERA))
    facing = facing + x * turn.sin() * torch.tanh(8 * turn.cos())
    return BOARD * (AMBIENT + (1 - AMBIENT) * facing.clamp_min(0))


def _arms(ink):
    """What is seen at the height of armrests that is not seen above the seat, by its distance from the middle.

    The distance is measured in the spread of what is filled just above the seat.
    """
    ticks, turn = _ticks(ink.shape[3], ink), _turned_back(ink)
    filled = _across((ink / FILLED).clamp(0, 1), SEAT_TOP, turn).detach()
    half = (3 * (filled * ticks**2).sum(dim=1) / filled.sum(dim=1).clamp_min(1e-3)).sqrt()
    there = half[:, None] * (ticks + 1) / 2 * ARMS_REACH
    grid = torch.stack([there, torch.zeros_like(there)], dim=2)[:, None]
    strip = (_across(ink, ARMS, turn) - _across(ink, SEAT_TOP, turn))[:, None, None]
    return 2 * F.grid_sample(strip, grid, align_corners=False).expand_as(ink)


def _across(ink, height, turn):
    """What a level plane holds across a chair: mean over its depth, both sides laid on each other."""
    side = ink.shape[3]
    strip = _from_above(ink, height, turn)[:, 0, side * 3 // 16 : side * 13 // 16].mean(dim=1)
    return (strip + strip.flip(1)) / 2


def _base(ink):
    """What a chair stands on, from above."""
    return 2 * _from_above(ink, FLOOR, _turned_back(ink))


def _turned_back(ink):
    """The turn that brings a chair back to the front; parts are seen from there, and G is not told to turn for them."""
    return -_rotation(ink).detach()


def _from_above(ink, height, turn):
    """A level plane through a chair, seen from above and turned.

    Where a camera that looks down by ``CAMERA`` sees a point of the plane is an affine map of the point.
    """
    cos, sin = SHOWN * turn.cos() / REACH, SHOWN * turn.sin() / REACH
    down, zero = math.sin(CAMERA), torch.zeros_like(turn)
    row_x = torch.stack([cos, sin, zero], dim=1)
    row_y = torch.stack([-down * sin, down * cos, zero - height * math.cos(CAMERA) / REACH], dim=1)
    grid = F.affine_grid(torch.stack([row_x, row_y], dim=1), list(ink.shape), align_corners=False)
    return F.grid_sample(ink, grid, align_corners=False)


def _stretched(part, like):
    return F.interpolate(part, like.shape[2:], mode="nearest").expand_as(like)


def _coarse(ink):
    """The picture in eight by eight blocks, so that nothing can be written into fine patterns."""
    blocks = F.avg_pool2d(ink, ink.shape[3] // 8)
    return 2 * F.interpolate(blocks, ink.shape[2:], mode="bilinear", align_corners=False) - 1


VIEWS = {
    "shape": _shape,
    "x": _x,
    "y": _y,
    "scale": _scale,
    "axis": _axis,
    "outline": _outline,
    "features": _features,
    "shading": _shading,
    "dial": _dial,
    "back": _back,
    "arms": _arms,
    "base": _base,
    "coarse": _coarse,
}
UNANSWERED = ("coarse",)  # views that show too much for an answer on real images to mean one thing
