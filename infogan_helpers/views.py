"""What Q is shown instead of a picture of a world: one aspect is kept, the rest is measured out or drawn anew.

A view is an assumption about a world, written as code; no label and no factor enters it. Notebooks 06 and 07 say which
code is read from which view, and what becomes of the codes without them. Not here: views of digits (``transforms.py``),
and anything learned.
"""

import math

import torch
import torch.nn.functional as F

ANYWHERE = 0.5  # of a picture's half either way: where a shape whose place is drawn anew may lie
CRISPNESS = 6.0  # times the contrast at an edge, so that a zoomed shape is no blurrier than another
LIT = 0.08  # brightness from which a pixel belongs to a head, whatever light falls on it
FILLED = 0.05  # the same for a chair
BACK_REACHES = 0.28  # of a picture's half: how far to the side a chair's back is seen at most
BAR = 0.8  # half the width of a bar that shows an angle, in halves of a picture: broad, so that its place varies most
SEAT, TOP = (0.654, 0.13), (0.68, 0.19)  # middle and spread, over chairs, of what tells the front from the rear


def view(images, name, generator=None):
    """One view of a batch of images; gradients flow through.

    Args:
        images: floats in [-1, 1], shape ``(n, 1, side, side)``, background at -1.
        name: a key of ``VIEWS``.
        generator: a ``torch.Generator`` on the images' device; torch's own where it is ``None``.

    Returns:
        Floats of the images' shape; most views have a standard deviation of about 0.3 over a world's pictures.

    Raises:
        ValueError: the images have another shape or are not floats, or there is no such view.
    """
    if images.ndim != 4 or images.shape[1] != 1 or not images.is_floating_point():
        raise ValueError(f"images must be floats of shape (n, 1, side, side), got {tuple(images.shape)}")
    if name not in VIEWS:
        raise ValueError(f"name must be one of the views {sorted(VIEWS)}, got {name!r}")
    return VIEWS[name]((images + 1) / 2, generator)


def _posed(keep):
    """A bright shape on black, moved, zoomed and turned about its own middle, but for one aspect.

    Place and size are measured and taken out; what can't be measured without knowing the shape, its turn, is random.
    """

    def shown(ink, generator):
        n = len(ink)
        with torch.no_grad():
            x0, y0, size, _ = _measured(ink)

        def uniform(limit):
            return (2 * torch.rand(n, generator=generator, device=ink.device) - 1) * limit

        angle = uniform(math.pi)
        zoom = torch.ones_like(size) if keep == "scale" else size / (0.85 if keep == "shape" else 0.45)
        free = ANYWHERE if keep in ("x", "y") else 0.0  # x and y lose the other of the two, the rest lose both
        x, y = uniform(free), uniform(free)
        x, y = x0 if keep == "x" else x, y0 if keep == "y" else y
        cos, sin = zoom * angle.cos(), zoom * angle.sin()
        row_x = torch.stack([cos, -sin, x0 - cos * x + sin * y], dim=1)
        row_y = torch.stack([sin, cos, y0 - sin * x - cos * y], dim=1)
        grid = F.affine_grid(torch.stack([row_x, row_y], dim=1), list(ink.shape), align_corners=False)
        moved = F.grid_sample(ink, grid, align_corners=False)
        return 2 * _with_slope_of(moved, (CRISPNESS * (moved - 0.5) + 0.5).clamp(0, 1)) - 1

    return shown


def _measured(ink):
    """Middle across and down, size (the side of a square of that area), and the long axis in [-π/2, π/2]."""
    across = _ticks(ink.shape[3], ink)
    down = _ticks(ink.shape[2], ink)
    mass = ink.clamp_min(0)[:, 0] + 1e-6
    total = mass.sum(dim=(1, 2))
    x = (mass.sum(dim=1) * across).sum(dim=1) / total
    y = (mass.sum(dim=2) * down).sum(dim=1) / total
    dx, dy = across - x[:, None], down - y[:, None]
    xx = (mass.sum(dim=1) * dx**2).sum(dim=1) / total
    yy = (mass.sum(dim=2) * dy**2).sum(dim=1) / total
    xy = (mass * dy[:, :, None] * dx[:, None, :]).sum(dim=(1, 2)) / total
    axis = torch.atan2(2 * xy, xx - yy + 1e-9) / 2
    return x, y, (4 * total / mass[0].numel()).sqrt().clamp(0.15, 1.2), axis


def _ticks(size, like):
    """Middles of pixels in halves of the picture."""
    return (torch.arange(size, device=like.device) + 0.5) * 2 / size - 1


def _axis(ink, generator):
    """The direction of a shape's long axis, from its second moments, as the place of a broad bar.

    A shape and the same turned by half a turn have one axis; a square's is a matter of rounding.
    """
    return _bar(_measured(ink)[3] * 2 / math.pi, ink)


def _bar(place, like):
    """A broad upright bar, at a place in [-1, 1]."""
    away = _ticks(like.shape[3], like) - place[:, None, None, None]
    return (2 * torch.exp(-((away / BAR) ** 2)) - 1).expand_as(like)


def _outline(ink, generator):
    """How the outline of a head leans to one side: filled share of each column, right less left."""
    filled = _with_slope_of(ink, (ink / LIT).clamp(0, 1))
    return 3 * _one_sided(F.avg_pool2d(filled.mean(dim=2, keepdim=True), (1, 3), 1, (0, 1)), 3, ink)


def _features(ink, generator):
    """Where small dark marks lie, high or low: what closing fills in, each row's share of it, lower less upper."""
    marks = -F.max_pool2d(-F.max_pool2d(ink, 3, 1, 1), 3, 1, 1) - ink
    rows = marks.mean(dim=3, keepdim=True)
    rows = F.avg_pool2d(rows / (rows.sum(dim=2, keepdim=True) + 1e-3), (9, 1), 1, (4, 0))
    return 25 * _one_sided(F.avg_pool2d(rows, (9, 1), 1, (4, 0)), 2, ink)


def _shading(ink, generator):
    """Which side is lit: the brightest pixel of each column, in four steps, right less left."""
    columns = F.adaptive_avg_pool2d(ink.amax(dim=2, keepdim=True), (1, 4))
    columns = F.interpolate(columns, (1, ink.shape[3]), mode="bilinear", align_corners=False)
    return 4 * _one_sided(columns, 3, ink)


def _with_slope_of(smooth, clamped):
    """``clamped``, with the gradient of ``smooth``: a clamp has no slope, and G could not learn to move an edge.

    Source: the straight-through estimator, Bengio et al. 2013.
    """
    return smooth + (clamped - smooth).detach()


def _one_sided(profile, axis, like):
    return ((profile - profile.flip(axis)) / 2).expand_as(like)


def _dial(ink, generator):
    """An angle made of two measurements, as the place of a broad upright bar: both ends are the same way round.

    How far to the side the back lies is the sine. The cosine's sign is guessed: from the front more of the bright seat
    shows, and the back, being farther from a camera that looks down, reaches higher.
    """
    side = ink.shape[3]
    across = _ticks(side, ink)
    there = (ink / FILLED).clamp(0, 1)[:, 0]
    back = there[:, : side * 5 // 16]
    sine = (back * across).sum(dim=(1, 2)) / back.sum(dim=(1, 2)).clamp_min(1e-3) / BACK_REACHES
    sine = sine.clamp(-1, 1)
    seat = ink[:, 0, side * 7 // 16 : side * 9 // 16, side * 3 // 8 : side * 5 // 8].mean(dim=(1, 2))
    rows = there[:, : side * 3 // 8].amax(dim=2).mean(dim=1)  # share of the upper rows that hold anything
    front = (seat - SEAT[0]) / SEAT[1] + 0.4 * (rows - TOP[0]) / TOP[1]
    cosine = ((1 - sine**2).clamp_min(1e-3).sqrt() + 0.05) * torch.tanh(3 * front)
    return _bar(torch.atan2(sine, cosine) / math.pi, ink)


def _back(ink, generator):
    """Edges in the top quarter of a chair, wherever it begins: upright ones left, level ones right, row by row."""
    side = ink.shape[3]
    rows = side // 4
    top = (ink > FILLED).any(dim=3)[:, 0].float().argmax(dim=1)
    chosen = (top[:, None] + torch.arange(rows + 1, device=ink.device)).clamp(max=side - 1)
    part = ink.gather(2, chosen[:, None, :, None].expand(-1, 1, -1, side))
    upright = (part[..., 1:] - part[..., :-1]).abs()[:, :, :-1].mean(dim=3, keepdim=True)
    level = (part[:, :, 1:] - part[:, :, :-1]).abs().mean(dim=3, keepdim=True)
    return 8 * _stretched(torch.cat([upright, level], dim=3), ink)


def _arms(ink, generator):
    """Upright edges about the seat, each row's in order of strength, so that it hardly matters where they lie."""
    side = ink.shape[3]
    part = ink[:, :, side * 5 // 16 : side * 11 // 16]
    return 4 * _stretched((part[..., 1:] - part[..., :-1]).abs().sort(dim=3).values, ink)


def _base(ink, generator):
    """What lies below the seat, each row's pixels in order of brightness."""
    return 2 * _stretched(ink[:, :, ink.shape[2] * 17 // 32 :].sort(dim=3).values, ink)


def _stretched(part, like):
    return F.interpolate(part, like.shape[2:], mode="nearest").expand_as(like)


def _coarse(ink, generator):
    """The picture in eight by eight blocks, so that nothing can be written into fine patterns."""
    blocks = F.avg_pool2d(ink, ink.shape[3] // 8)
    return 2 * F.interpolate(blocks, ink.shape[2:], mode="bilinear", align_corners=False) - 1


VIEWS = {
    **{keep: _posed(keep) for keep in ("shape", "scale", "x", "y")},
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
