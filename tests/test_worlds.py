"""Rendered worlds: known answers for area, place, moments and light, one factor at a time, and a checked cache."""

import itertools
import math

import numpy as np
import pytest
import torch

from infogan_helpers.worlds import Chairs, Faces, Sprites, rendering
from infogan_helpers.worlds import world as all_worlds

WORLDS = (Sprites, Faces, Chairs)


def drawn(world, **indices):
    """One picture as brightness in [0, 1]: every factor at its middle value but for those that are given."""
    middle = {factor.name: len(factor.values) // 2 for factor in world.factors}
    row = [(middle | indices)[name] for name in world.names]
    return (world.render(torch.tensor([row]))[0, 0].double() + 1) / 2


def centre(picture):
    """Centroid, x to the right and y upwards, in halves of the picture."""
    side = len(picture)
    ticks = (torch.arange(side, dtype=torch.float64) + 0.5) * 2 / side - 1
    mass = picture.sum()
    return float((picture.sum(dim=0) * ticks).sum() / mass), float(-(picture.sum(dim=1) * ticks).sum() / mass)


def direction(picture):
    """Angle of the long axis, from second moments, in radians from upright, against the clock."""
    side = len(picture)
    ticks = (torch.arange(side, dtype=torch.float64) + 0.5) * 2 / side - 1
    x, y = centre(picture)
    dx, dy = ticks[None, :] - x, -ticks[:, None] - y
    xx, yy, xy = ((picture * moment).sum() for moment in (dx**2, dy**2, dx * dy))
    return float(0.5 * torch.atan2(-2 * xy, yy - xx))


@pytest.mark.parametrize("make", WORLDS)
@pytest.mark.parametrize("side", [32, 64])
def test_pictures_have_their_shape_and_range_and_one_seed_gives_one_set(make, side):
    world = make(side)
    factors = world.sample_factors(40, torch.Generator().manual_seed(3))
    images = world.render(factors)
    assert images.shape == (40, *world.image_shape) == (40, 1, side, side)
    assert -1 <= images.min() < -0.99
    assert 0.3 < images.max() <= 1
    assert torch.equal(factors, world.sample_factors(40, torch.Generator().manual_seed(3)))
    assert torch.equal(images, world.render(factors))
    # Batches do not matter, but for rounding: AVX2 adds up eight numbers at a time, and the rest one by one.
    torch.testing.assert_close(images[35:], world.render(factors[35:]), rtol=0, atol=1e-3)
    assert not torch.equal(factors, world.sample_factors(40, torch.Generator().manual_seed(4)))
    border = torch.cat([images[:, :, 0].flatten(), images[:, :, :, 0].flatten()])
    assert (border < -0.9).float().mean() > 0.99  # nothing is cut off


@pytest.mark.parametrize("make", WORLDS)
def test_each_value_of_each_factor_is_drawn_equally_often(make):
    world = make()
    factors = world.sample_factors(20_000, torch.Generator().manual_seed(0))
    for column, factor in zip(factors.T, world.factors, strict=True):
        share = torch.bincount(column, minlength=len(factor.values)) / 20_000 * len(factor.values)
        assert len(share) == len(factor.values)
        assert share.min() > 0.8
        assert share.max() < 1.2


@pytest.mark.parametrize("make", WORLDS)
def test_each_factor_changes_the_picture_step_by_step(make):
    world = make(64)
    for factor in world.factors:
        pictures = [drawn(world, **{factor.name: i}) for i in range(len(factor.values))]
        steps = [float((a - b).abs().mean()) for a, b in itertools.pairwise(pictures)]
        if factor.name in ("shape", "identity", "type"):
            assert len({picture.numpy().tobytes() for picture in pictures}) == len(pictures)
        else:
            assert min(steps) > 0, factor.name
            assert max(steps) < 20 * np.median(steps), factor.name
        if factor.circular:
            assert float((pictures[-1] - pictures[0]).abs().mean()) < 3 * np.median(steps)


@pytest.mark.parametrize("shape", range(3))
def test_a_sprites_area_goes_with_the_square_of_its_scale(shape):
    world = Sprites(64)
    areas = [float(drawn(world, shape=shape, scale=i).sum()) for i in range(6)]
    scales = np.array(world.factors[1].values)
    np.testing.assert_allclose(np.sqrt(areas) / scales, np.sqrt(areas[-1]), rtol=0.03)


def test_a_squares_and_an_ellipses_area_are_those_of_geometry():
    world, pixels = Sprites(64), 32**2
    assert float(drawn(world, shape=0, scale=5, orientation=0).sum()) == pytest.approx(0.56**2 * pixels, rel=0.02)
    assert float(drawn(world, shape=1, scale=5).sum()) == pytest.approx(math.pi * 0.2 * 0.4 * pixels, rel=0.02)


@pytest.mark.parametrize("shape", [0, 1])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (31, 5), (16, 31), (9, 20)])
def test_a_sprite_lies_where_its_factors_say(shape, x, y):
    world = Sprites(64)
    place = centre(drawn(world, shape=shape, x=x, y=y, orientation=7))
    assert place == pytest.approx((world.factors[3].values[x], world.factors[4].values[y]), abs=0.01)


@pytest.mark.parametrize("orientation", [0, 3, 11, 17])
def test_an_ellipse_turns_by_its_orientation(orientation):
    world = Sprites(64)
    angle = world.factors[2].values[orientation]
    found = direction(drawn(world, shape=1, scale=5, orientation=orientation))
    assert math.remainder(found - angle, math.pi) == pytest.approx(0, abs=0.02)


def test_symmetric_sprites_look_the_same_and_can_be_excluded():
    world = Sprites(64)
    torch.testing.assert_close(
        drawn(world, shape=0, orientation=3), drawn(world, shape=0, orientation=13), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        drawn(world, shape=1, orientation=3), drawn(world, shape=1, orientation=23), atol=1e-4, rtol=0
    )
    assert (drawn(world, shape=2, orientation=3) - drawn(world, shape=2, orientation=23)).abs().max() > 0.5
    quarter = Sprites(64, symmetries=False)
    assert max(quarter.factors[2].values) < math.pi / 2
    for shape in range(3):
        pictures = torch.stack([drawn(quarter, shape=shape, orientation=i).flatten() for i in range(40)])
        differ = torch.cdist(pictures, pictures) + 10 * torch.eye(40)
        assert differ.min() > 0.1


def test_a_face_is_brighter_on_the_side_of_the_light():
    world = Faces(64)
    halves = [
        [float(part.sum()) for part in drawn(world, light=i).split(32, dim=1)]
        for i in range(len(world.factors[3].values))
    ]
    balance = [(right - left) / (right + left) for left, right in halves]
    assert balance == sorted(balance)
    assert balance[0] < -0.2
    assert balance[-1] > 0.2
    assert balance[10] == pytest.approx(0, abs=0.02)


def test_a_face_turned_the_other_way_under_the_mirrored_light_is_the_mirror_image():
    world = Faces(64)
    for azimuth, light in ((3, 5), (12, 19)):
        one, other = drawn(world, azimuth=azimuth, light=light), drawn(world, azimuth=30 - azimuth, light=20 - light)
        torch.testing.assert_close(one, other.flip(1), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("name", "axis"), [("azimuth", 0), ("elevation", 1)])
def test_the_mouth_moves_with_the_pose(name, axis):
    """The mouth is where the expression changes the picture. Azimuth takes it to the right, elevation down."""
    world = Faces(64)
    pairs = [[drawn(world, **{name: i}, expression=e) for e in (0, 10)] for i in (4, 8, 12, 16, 20)]
    places = [centre((frown - smile).abs())[axis] for frown, smile in pairs]
    assert places == sorted(places, reverse=name == "elevation")
    assert abs(places[-1] - places[0]) > 0.15


def test_a_smile_turns_the_corners_of_the_mouth_up():
    world, rows, columns = Faces(64), torch.arange(64.0)[:, None], torch.arange(64.0)[None, :]
    bends = []
    for expression in (0, 5, 10):
        mouth = (drawn(world, expression=expression) < 0.3) & (rows >= 42) & (rows < 51) & ((columns - 31.5).abs() < 8)
        middle, corners = (mouth & part for part in ((columns - 31.5).abs() < 3, (columns - 31.5).abs() > 5))
        bends.append(float((rows * middle).sum() / middle.sum() - (rows * corners).sum() / corners.sum()))
    assert bends == sorted(bends)
    assert bends[0] < -1
    assert bends[-1] > 1


def test_a_chair_is_wider_and_taller_as_its_factors_grow():
    world = Chairs(64)
    extents = {}
    for name, axis in (("width", 0), ("height", 1)):
        lit = [(drawn(world, rotation=0, **{name: i}) > 0.05).any(dim=axis).sum() for i in range(7)]
        extents[name] = [int(n) for n in lit]
    assert extents["width"] == sorted(extents["width"])
    assert extents["width"][-1] / extents["width"][0] == pytest.approx(1.25 / 0.75, rel=0.1)
    assert extents["height"] == sorted(extents["height"])
    assert extents["height"][-1] > extents["height"][0] + 8


def test_a_chair_turned_half_way_shows_its_back():
    world = Chairs(64)
    for kind in range(24):
        front, back = drawn(world, type=kind, rotation=0), drawn(world, type=kind, rotation=18)
        assert (front - back).abs().mean() > 0.02
    assert len({world.type_name(kind) for kind in range(24)}) == 24


def test_a_ray_meets_a_ball_and_a_cube_where_geometry_says():
    pose, towards = torch.eye(3)[None], torch.tensor([[0.0, 0.0, 1.0]])
    ball = rendering.cast([rendering.ellipsoid((0, 0, 0), (0.5, 0.5, 0.5), 1.0)], pose, towards, 64, reach=1.0)[0]
    assert float((ball > 0.15).float().sum()) == pytest.approx(math.pi * 0.5**2 * 32**2, rel=0.03)
    assert float(ball[32, 32]) == pytest.approx(rendering.AMBIENT + rendering.DIFFUSE, abs=0.01)
    x = 15.5 / 32  # of column 47: there the normal leans by asin(x / 0.5)
    assert float(ball[32, 43]) == pytest.approx(
        rendering.AMBIENT + rendering.DIFFUSE * math.sqrt(1 - (11.5 / 32 / 0.5) ** 2), abs=0.02
    ), x
    turn = rendering.turn_y(torch.tensor([math.pi / 4]))
    cube = rendering.cast([rendering.box((0, 0, 0), (0.4, 0.4, 0.4), 1.0)], turn, towards, 64, reach=1.0)[0]
    assert int((cube[32] > 0).sum()) == pytest.approx(0.8 * math.sqrt(2) * 32, abs=1.5)
    assert float(cube[32, 40]) == pytest.approx(rendering.AMBIENT + rendering.DIFFUSE / math.sqrt(2), abs=0.01)


def test_what_lies_in_front_hides_what_lies_behind():
    pose, towards = torch.eye(3)[None], torch.tensor([[0.0, 0.0, 1.0]])
    near = rendering.box((0, 0, 0.5), (0.3, 0.3, 0.1), 0.5)
    far = rendering.box((0, 0, -0.5), (0.6, 0.6, 0.1), 1.0)
    for parts in ([near, far], [far, near]):
        picture = rendering.cast(parts, pose, towards, 32, reach=1.0)[0]
        assert float(picture[16, 16]) == pytest.approx(0.5)
        assert float(picture[16, 24]) == pytest.approx(1.0)


def test_a_set_is_rendered_once_and_again_when_the_renderer_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(all_worlds, "DEFAULT_ROOT", tmp_path)
    world, calls = Sprites(16), []
    draw = Sprites.draw
    monkeypatch.setattr(Sprites, "draw", lambda self, values: calls.append(1) or draw(self, values))
    first = world.images_and_factors(50, seed=2, progress=False)
    rendered = len(calls)
    again = world.images_and_factors(50, seed=2, progress=False)
    assert len(calls) == rendered > 0
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)
    assert first.images.dtype == torch.uint8
    assert first.source == "50 pictures of Sprites, seed 2"
    assert (first.images.float() / 127.5 - 1 - world.render(first.labels)).abs().max() < 1 / 127
    assert not torch.equal(world.images_and_factors(50, seed=3, progress=False).labels, first.labels)
    assert not torch.equal(
        Sprites(16, symmetries=False).images_and_factors(50, seed=2, progress=False).images, first.images
    )
    rendered = len(calls)
    monkeypatch.setattr(all_worlds, "renderer", lambda: "another")
    world.images_and_factors(50, seed=2, progress=False)
    assert len(calls) > rendered


def test_the_renderer_is_another_once_any_file_of_the_worlds_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(all_worlds, "__file__", str(tmp_path / "world.py"))
    digests = []
    for name in ("world", "rendering", "faces"):
        (tmp_path / f"{name}.py").write_text(f"# {name}", encoding="utf-8")
        digests += [all_worlds.renderer(), all_worlds.renderer()]
    assert digests[::2] == digests[1::2]
    assert len(set(digests)) == 3


def test_factors_mean_what_their_units_say():
    world = Faces()
    values = world.values(torch.tensor([[0, 0, 20, 10, 10], [29, 30, 0, 0, 0]]))
    assert values["azimuth"].tolist() == pytest.approx([-math.radians(60), math.radians(60)])
    assert values["elevation"].tolist() == pytest.approx([math.radians(30), -math.radians(30)])
    assert values["light"].tolist() == pytest.approx([0, -math.radians(75)])
    assert values["expression"].tolist() == pytest.approx([1, -1])
    assert [factor.unit for factor in world.factors] == ["", "radians", "radians", "radians", "frown to smile"]


@pytest.mark.parametrize("make", WORLDS)
def test_bad_factors_and_sides_are_refused(make):
    world, wide = make(), len(make().factors)
    with pytest.raises(ValueError, match=rf"factors must be integers of shape \(n, {wide}\), got \(2, 9\)"):
        world.render(torch.zeros(2, 9, dtype=torch.long))
    with pytest.raises(ValueError, match="factors must be integers"):
        world.render(torch.zeros(2, wide))
    name, size = world.names[1], len(world.factors[1].values)
    bad = torch.zeros(1, wide, dtype=torch.long)
    bad[0, 1] = size
    with pytest.raises(ValueError, match=rf"factors must hold {name} in \[0, {size}\), got {size} to {size}"):
        world.render(bad)
    for side in (7, 32.0, True):
        with pytest.raises(ValueError, match="side must be an integer of at least 8, got"):
            make(side)
    assert world.render(torch.zeros(0, wide, dtype=torch.long)).shape == (0, *world.image_shape)
