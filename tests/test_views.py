"""Views: what each keeps and what it takes out, on pictures of the worlds."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from infogan_helpers.code_factors import circular_correlation
from infogan_helpers.views import VIEWS, view
from infogan_helpers.worlds import Chairs, Faces, Sprites


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(world, n=300, **held):
    """Pictures of random factors, some of them held at one index."""
    factors = world.sample_factors(n, seeded())
    for name, index in held.items():
        factors[:, world.names.index(name)] = index
    return world.render(factors), {k: v.numpy() for k, v in world.values(factors).items()}


def centre(pictures):
    """Centroids in halves of the picture, x to the right and y downwards."""
    ink = (pictures[:, 0].double() + 1) / 2
    ticks = (torch.arange(ink.shape[1]) + 0.5) * 2 / ink.shape[1] - 1
    mass = ink.sum(dim=(1, 2))
    return torch.stack([(ink.sum(1) * ticks).sum(1) / mass, (ink.sum(2) * ticks).sum(1) / mass], dim=1)


def level(seen):
    """The place in [-1, 1] up to which a level is filled."""
    return seen[:, 0, 0].mean(dim=1)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("side", [32, 64])
def test_a_view_has_the_pictures_shape_and_lets_a_gradient_through(name, side):
    world = Sprites(side) if name in ("shape", "x", "y", "scale", "axis") else Chairs(side)
    images = (drawn(world, 12)[0] * 0.98).requires_grad_()
    seen = view(images, name)
    assert seen.shape == images.shape
    assert seen.std() > 0.01
    seen.square().sum().backward()
    assert torch.isfinite(images.grad).all()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("name", VIEWS)
def test_a_blank_picture_has_a_view_too_and_a_gradient(name):
    blank = torch.full((2, 1, 32, 32), -1.0, requires_grad=True)
    seen = view(blank, name)
    assert torch.isfinite(seen).all()
    seen.square().sum().backward()
    assert torch.isfinite(blank.grad).all()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_one_picture_does_not_depend_on_the_others(name):
    world = Faces() if name in ("outline", "features", "shading", "coarse") else Chairs()
    images, _ = drawn(world, 6)
    torch.testing.assert_close(view(images[2:3], name), view(images, name)[2:3], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("name", "axis"), [("x", 0), ("y", 1)])
def test_a_place_is_kept_and_all_else_lost(name, axis):
    images, values = drawn(Sprites())
    at = level(view(images, name))
    assert spearmanr(at, centre(images)[:, axis]).statistic > 0.999
    for other in ("shape", "scale", "orientation", "x", "y"):
        assert other == name or abs(spearmanr(at, values[other]).statistic) < 0.2


def test_the_view_of_scale_keeps_the_area_and_loses_the_place():
    images, values = drawn(Sprites(), shape=0)
    at = level(view(images, "scale"))
    assert spearmanr(at, values["scale"]).statistic > 0.98
    assert max(abs(spearmanr(at, values[other]).statistic) for other in ("x", "y")) < 0.2


def test_a_shape_in_full_black_and_white_can_still_be_moved():
    images = torch.where(drawn(Sprites(), 8)[0] > 0, 1.0, -1.0).requires_grad_()
    view(images, "x").sum().backward()
    changed = (images.grad != 0).float().mean(dim=(1, 2, 3))
    assert changed.min() > 0.9  # not the outline alone
    right, left = images.grad[..., 16:].mean(), images.grad[..., :16].mean()
    assert right > 0 > left  # ink on the right moves it to the right


def test_the_axis_follows_an_ellipse_and_leaves_place_and_scale_alone():
    world = Sprites()
    images, values = drawn(world, shape=1)
    turn = math.pi * (level(view(images, "axis")).argsort().argsort() * 2 / len(images) - 1)
    assert circular_correlation(turn, 2 * values["orientation"]) > 0.95  # twice: half a turn is none
    seen = view(drawn(world, 60, shape=1, orientation=7)[0], "axis")
    assert seen.std(dim=0).max() < 0.15


def test_the_view_of_shape_tells_shapes_apart_and_loses_all_else():
    world = Sprites()
    images, values = drawn(world, 400)
    seen, shape = view(images, "shape").flatten(1), values["shape"].astype(int)
    middles = torch.stack([seen[shape == kind].mean(dim=0) for kind in range(3)])
    assert (torch.cdist(seen, middles).argmin(dim=1).numpy() == shape).all()
    for factor in ("orientation", "x", "y"):
        low, high = (view(drawn(world, 30, shape=1, **{factor: index})[0], "shape").mean(dim=0) for index in (1, 15))
        apart = (middles[0] - middles[1]).abs().mean()
        assert (low - high).abs().mean() < 0.25 * apart


@pytest.mark.parametrize(
    ("name", "factor", "others"),
    [
        ("outline", "azimuth", ("elevation",)),
        ("features", "elevation", ("azimuth", "light")),
        ("shading", "light", ("elevation", "azimuth")),
    ],
)
def test_what_varies_most_in_a_view_of_faces_is_its_factor(name, factor, others):
    images, values = drawn(Faces())
    seen = view(images, name).flatten(1)
    u, s, _ = torch.linalg.svd(seen - seen.mean(dim=0), full_matrices=False)
    assert s[0] ** 2 / (s**2).sum() > 0.8
    assert abs(spearmanr(u[:, 0], values[factor]).statistic) > 0.85
    assert max(abs(spearmanr(u[:, 0], values[other]).statistic) for other in others) < 0.25


def test_views_of_faces_turn_over_with_the_picture():
    images, _ = drawn(Faces(), 20)
    for name in ("outline", "shading"):
        torch.testing.assert_close(view(images.flip(3), name), -view(images, name), atol=1e-5, rtol=0)
    torch.testing.assert_close(view(images.flip(2), "features"), -view(images, "features"), atol=1e-4, rtol=0)


def test_the_light_leaves_no_trace_in_the_outline():
    dark, bright = drawn(Faces(), 20, light=0)[0], drawn(Faces(), 20, light=10)[0]
    assert (view(dark, "outline") - view(bright, "outline")).abs().mean() < 0.05


def test_the_dial_follows_the_rotation_and_mirrors_with_the_picture():
    images, values = drawn(Chairs())
    turn = math.pi * level(view(images, "dial"))
    assert circular_correlation(turn, values["rotation"]) > 0.95
    ends = level(view(images, "dial")).abs() > 0.6  # both ends are one direction: which of them is a matter of rounding
    seen, mirrored = view(images, "dial"), -view(images.flip(3), "dial").flip(3)
    torch.testing.assert_close(mirrored[~ends], seen[~ends], atol=1e-3, rtol=0)
    assert seen.std(dim=2).max() < 1e-6


def test_the_views_of_a_chairs_parts_tell_its_parts_apart():
    parts = {"back": (lambda kind: kind // 6, 0.75), "arms": (lambda kind: kind % 2, 0.9)}
    parts["base"] = (lambda kind: kind // 2 % 3, 0.9)
    images, values = drawn(Chairs(), 900)
    for name, (part, share) in parts.items():
        seen, kinds = view(images, name).flatten(1), part(values["type"].astype(int))
        nearest = torch.cdist(seen[600:], seen[:600]).argmin(dim=1).numpy()
        assert np.mean(kinds[600:] == kinds[:600][nearest]) > share


@pytest.mark.parametrize("turned", [3, 6, 9, 27, 30])
def test_what_is_above_the_seat_and_no_arm_is_not_seen_as_one(turned):
    armless, armed = (drawn(Chairs(), 40, type=kind, rotation=turned)[0] for kind in (0, 1))
    armless, armed = (view(images, "arms")[:, 0, 0, 8:24].mean(dim=0).max() for images in (armless, armed))
    assert armless < 0.12
    assert armed > 0.2


@pytest.mark.parametrize("turned", [3, 9, 15, 21, 27, 33])
def test_the_upper_edge_of_a_back_tells_the_front_from_the_rear(turned):
    images, values = drawn(Chairs(), 100, rotation=turned)
    turn = math.pi * level(view(images, "dial"))
    expected = -torch.as_tensor(values["rotation"])  # the dial runs the other way round
    assert (turn - expected).cos().gt(0.5).float().mean() > (0.6 if turned in (9, 27) else 0.85)


@pytest.mark.parametrize("turned", [0, 3, 15, 21, 33])
def test_a_closed_back_is_a_board_in_the_light_and_posts_are_not(turned):
    """The lower half of the view says how far the back is from a board, however the light falls on it."""
    panel, posts = (drawn(Chairs(), 20, type=kind, rotation=turned, height=5, width=5)[0] for kind in (0, 6))
    panel, posts = (view(images, "back")[:, 0, 18:28, 8:24].mean() for images in (panel, posts))
    assert panel < -0.9
    assert posts > panel + 0.1


def test_what_stands_on_the_floor_looks_alike_however_the_chair_is_turned():
    """A star's middle post and a sled's two rails are seen from above, where they are."""
    sled = drawn(Chairs(), 40, type=4, width=3, height=3)[0]
    columns = view(sled, "base").mean(dim=(0, 1, 2))
    assert columns[12:20].mean() < 0.6 * max(columns[4:10].mean(), columns[22:28].mean())


def test_a_fine_pattern_is_not_seen_in_blocks():
    board = (torch.arange(32)[:, None] + torch.arange(32)) % 2 * 0.5 - 0.25
    assert view(board.expand(1, 1, 32, 32), "coarse").abs().max() < 1e-6


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"images must be floats of shape \(n, 1, side, side\), got \(2, 32, 32\)"):
        view(torch.zeros(2, 32, 32), "x")
    with pytest.raises(ValueError, match="images must be floats"):
        view(torch.zeros(2, 1, 32, 32, dtype=torch.uint8), "x")
    with pytest.raises(ValueError, match=r"name must be one of the views .*got 'z'"):
        view(torch.zeros(2, 1, 32, 32), "z")
