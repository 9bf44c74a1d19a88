"""What is measured of a digit: bars of known slant, width and thickness, blanks, and real digits turned."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import rotate

from infogan_helpers.data import to_model_range
from infogan_helpers.measures import MEASURES, ink, slant, thickness, width

pytestmark = pytest.mark.usefixtures("warnings_are_errors")
RNG = np.random.default_rng(0)


def bar(angle=0.0, thick=3.0, height=20, size=28, dx=0, dy=0):
    """A bar ``thick`` wide, its top sheared to the right by ``tan(angle)`` times its height; floats in [-1, 1]."""
    y, x = torch.meshgrid(torch.arange(size) - (size - 1) / 2, torch.arange(size) - (size - 1) / 2, indexing="ij")
    offset = (x - dx) + math.tan(angle) * (y - dy)  # y points down: the top, y < 0, lies to the right
    inside = (thick / 2 + 0.5 - offset.abs()).clamp(0, 1) * ((y - dy).abs() < height / 2)
    return 2 * inside[None, None].float() - 1


def box(left, right, top=4, bottom=24):
    image = torch.full((1, 1, 28, 28), -1.0)
    image[..., top:bottom, left:right] = 1
    return image


@pytest.mark.parametrize("angle", [-0.6, -0.3, -0.1, 0.0, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("thick", [2.0, 4.0])
def test_slant_of_a_sheared_bar(angle, thick):
    assert slant(bar(angle, thick, height=16)) == pytest.approx([angle], abs=0.02)


def test_slant_leans_right_where_the_top_does():
    image = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    for row in range(28):
        image[0, 0, row, 27 - row] = 255  # "/"
    assert slant(image) == pytest.approx([math.pi / 4])
    assert slant(image.flip(3)) == pytest.approx([-math.pi / 4])


@pytest.mark.parametrize("thick", [1, 2, 3, 4, 6])
def test_thickness_of_a_bar_upright_or_lying(thick):
    image = box(10, 10 + thick, 3, 25)
    assert thickness(image) == pytest.approx([thick], abs=0.35)
    assert thickness(image.transpose(2, 3)) == pytest.approx([thick], abs=0.35)


@pytest.mark.parametrize("thick", [1, 2, 3])
def test_ends_of_a_bar_are_made_up_for(thick):
    image = torch.zeros(1, 1, 28, 28)
    image[:, :, 4:24, 10 : 10 + thick] = 1
    assert thickness(2 * image - 1) == pytest.approx([thick], abs=0.01)


@pytest.mark.parametrize("thick", [2, 3, 4])
def test_thickness_of_a_slanted_bar_is_measured_across_it(thick):
    assert thickness(bar(0.4, thick / math.cos(0.4))) == pytest.approx([thick], abs=0.35)


@pytest.mark.parametrize(("brightness", "is_ink"), [(0.48, False), (0.52, True)])
def test_a_stroke_is_ink_from_one_half_on(brightness, is_ink):
    faint = 2 * brightness * (box(10, 16) + 1) / 2 - 1
    assert np.isfinite(thickness(faint)).all() == is_ink


@pytest.mark.parametrize("wide", [1, 2, 3, 7, 28])
def test_width_of_an_upright_bar_is_exact(wide):
    assert width(box(0, wide)) == pytest.approx([wide], abs=1e-9)


def test_width_shears_the_slant_away():
    upright, slanted = bar(0.0, 4.0), bar(0.5, 4.0)
    assert width(slanted) == pytest.approx(width(upright), abs=0.3)
    assert width(bar(-0.5, 4.0)) == pytest.approx(width(slanted), abs=1e-6)


def test_ink_counts_full_pixels():
    assert ink(box(3, 6)) == pytest.approx([60], abs=1e-12)
    grey = torch.full((2, 5, 4), 51, dtype=torch.uint8)
    assert ink(grey) == pytest.approx([4.0, 4.0], abs=1e-12)
    assert ink(torch.full((1, 1, 28, 28), -1.0)).tolist() == [0.0]


@pytest.mark.parametrize(("dx", "dy"), [(5, 0), (-4, 2), (0, -3), (3, 3)])
@pytest.mark.parametrize("measure", [slant, thickness, width, ink])
def test_measures_do_not_depend_on_where_a_digit_stands(measure, dx, dy):
    image = bar(0.2, 3.0, height=14)
    moved = image.roll((dy, dx), (2, 3))
    assert measure(moved) == pytest.approx(measure(image), abs=1e-6)


def test_a_stroke_at_the_very_edge_is_measured_like_any_other():
    assert thickness(box(0, 3)) == pytest.approx(thickness(box(10, 13)), abs=0.1)


@pytest.mark.parametrize("blank", [torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.full((2, 28, 28), -1.0)])
def test_a_blank_image_has_no_measure_but_its_ink(blank):
    for measure in (slant, thickness, width):
        assert np.isnan(measure(blank)).all()
    assert ink(blank).tolist() == [0, 0]


def test_a_blank_image_leaves_its_neighbours_alone():
    stack = torch.cat([box(5, 8), torch.full((1, 1, 28, 28), -1.0), bar(0.3)])
    for measure in MEASURES.values():
        values = measure(stack)
        assert values[[0, 2]] == pytest.approx([measure(box(5, 8))[0], measure(bar(0.3))[0]], abs=1e-9)


def test_an_image_of_one_row_has_no_slant():
    row = torch.zeros(28, 1, 28, 28, dtype=torch.uint8)
    for i in range(28):
        row[i, 0, i, 5:14] = torch.from_numpy(RNG.integers(1, 256, 9))
    assert np.isnan(slant(row)).all()
    assert np.isfinite(width(row)).all()


def test_bytes_floats_arrays_and_either_shape_measure_the_same(digits):
    images = digits[:20]
    for measure in MEASURES.values():
        wanted = measure(images)
        assert wanted.shape == (20,)
        assert wanted.dtype == np.float64
        for other in (to_model_range(images), images[:, 0], images.numpy(), to_model_range(images)[:, 0].numpy()):
            assert measure(other) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("measure", [slant, thickness, width, ink])
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(28, 28), r"shape \(n, 1, height, width\) or \(n, height, width\), got \(28, 28\)"),
        (torch.zeros(2, 3, 28, 28), r"got \(2, 3, 28, 28\)"),
        (torch.zeros(0, 1, 28, 28), r"got \(0, 28, 28\)|got \(0, 1, 28, 28\)"),
        (torch.full((1, 1, 28, 28), 1.5), "uint8, or finite floats"),
        (torch.full((1, 1, 28, 28), math.nan), "uint8, or finite floats"),
        (torch.zeros(1, 1, 28, 28, dtype=torch.long), r"uint8 in \[0, 255\] or floats in \[-1, 1\], got torch.int64"),
    ],
)
def test_images_that_cannot_be_measured_are_refused(measure, images, message):
    with pytest.raises(ValueError, match=f"^images must .*{message}"):
        measure(images)


def test_turning_real_digits_raises_their_slant(digits):
    chosen = digits[:40].numpy()[:, 0]
    means = []
    for degrees in (-20, -10, 0, 10, 20):  # to the right: clockwise, which scipy counts as negative
        turned = rotate(chosen, -degrees, axes=(1, 2), reshape=False, order=1)
        means.append(slant(turned))
    steps = np.diff(np.array(means), axis=0)
    assert (steps.mean(axis=1) > 0.05).all()
    assert (steps > 0).mean() > 0.9
