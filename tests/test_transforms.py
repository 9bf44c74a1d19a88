"""Random changes of style: small ones that keep the digit, strokes that mean nothing, noise; each by what was drawn."""

import math

import pytest
import torch

from infogan_helpers import transforms
from infogan_helpers.data import load_mnist, to_model_range
from infogan_helpers.measures import ink, slant, thickness, width
from infogan_helpers.transforms import ASPECTS, SHIFT, add_noise, add_stray_strokes, random_style


@pytest.fixture(scope="module")
def digits():
    return to_model_range(load_mnist(train=False).images[:200])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_strength_zero_changes_nothing(digits):
    torch.testing.assert_close(random_style(digits, seeded(), strength=0.0), digits, atol=1e-5, rtol=0)


def test_shape_and_range_are_kept(digits):
    restyled = random_style(digits, seeded())
    assert restyled.shape == digits.shape
    assert restyled.min() >= -1
    assert restyled.max() <= 1


def test_one_seed_gives_one_result_and_another_seed_another(digits):
    assert torch.equal(random_style(digits, seeded(1)), random_style(digits, seeded(1)))
    assert not torch.equal(random_style(digits, seeded(1)), random_style(digits, seeded(2)))


def test_each_image_is_changed_in_its_own_way(digits):
    same = digits[:1].expand(50, -1, -1, -1)
    assert len(random_style(same, seeded()).flatten(1).unique(dim=0)) == 50


def test_slant_thickness_and_place_move_and_ink_stays_on_the_page(digits):
    same = digits[:1].expand(300, -1, -1, -1)
    restyled = random_style(same, seeded())
    assert slant(restyled).std() > 0.1
    assert thickness(restyled).std() > 0.2
    mass = (restyled[:, 0] + 1) / 2
    x = (mass * torch.arange(28.0)).sum(dim=(1, 2)) / mass.sum(dim=(1, 2))
    assert 0.3 < x.std() < 2 * SHIFT
    assert mass.sum(dim=(1, 2)).min() > 20


def test_a_stronger_change_moves_more(digits):
    weak, strong = (random_style(digits, seeded(), strength) for strength in (0.3, 1.0))
    assert (strong - digits).abs().mean() > 1.5 * (weak - digits).abs().mean()


def test_a_shift_by_hand_is_where_it_belongs(monkeypatch):
    """With every other range at 0, a shift of one pixel moves a dot by one pixel."""
    for name in ("ROTATION", "SHEAR", "LOG_SCALE", "BEND", "THICKENING"):
        monkeypatch.setattr(f"infogan_helpers.transforms.{name}", 0.0)
    dot = torch.full((1, 1, 28, 28), -1.0)
    dot[0, 0, 14, 14] = 1.0
    draws = (2 * torch.rand(4, generator=seeded(3)) - 1).tolist()  # rotation, shear, then the two shifts, a draw each
    moved = (random_style(dot, seeded(3))[0, 0] + 1) / 2
    x = (moved.sum(dim=0) * torch.arange(28)).sum() / moved.sum()
    y = (moved.sum(dim=1) * torch.arange(28)).sum() / moved.sum()
    assert float(x) == pytest.approx(14 - SHIFT * draws[2], abs=1e-3)
    assert float(y) == pytest.approx(14 - SHIFT * draws[3], abs=1e-3)


def test_what_comes_from_beyond_the_border_is_paper(monkeypatch):
    for name in ("ROTATION", "SHEAR", "LOG_SCALE", "BEND", "THICKENING"):
        monkeypatch.setattr(f"infogan_helpers.transforms.{name}", 0.0)
    monkeypatch.setattr("infogan_helpers.transforms.SHIFT", 6.0)
    right, down = (6 * (2 * torch.rand(4, generator=seeded(3)) - 1))[2:].abs().tolist()
    left_over = (random_style(torch.ones(1, 1, 28, 28), seeded(3)) + 1) / 2
    assert left_over.sum().item() == pytest.approx((28 - right) * (28 - down), rel=1e-4)


def test_gradients_reach_the_images(digits):
    images = digits[:8].clone().requires_grad_(True)
    random_style(images, seeded()).sum().backward()
    assert (images.grad != 0).float().mean() > 0.3


def test_bad_input_is_refused(digits):
    with pytest.raises(ValueError, match=r"images must have shape .*got \(5, 2\)"):
        random_style(torch.zeros(5, 2))
    with pytest.raises(ValueError, match="images must be floats"):
        random_style(torch.zeros(1, 1, 28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match="strength must be a number of at least 0, got -1"):
        random_style(digits, strength=-1)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_a_kept_aspect_stays_in_its_images_and_no_other(aspect, monkeypatch):
    """Image 0 keeps the aspect, image 1 does not; every other change is switched off."""
    limits = {
        "lean": ("ROTATION", "SHEAR"),
        "stroke": ("THICKENING",),
        "size": ("LOG_SCALE",),
        "place": ("SHIFT",),
        "bend": ("BEND",),
    }
    for other, names in limits.items():
        for name in names if other != aspect else ():
            monkeypatch.setattr(transforms, name, 0.0)
    pair = upright_bar().repeat(2, 1, 1, 1)
    kept, changed = random_style(pair, seeded(), keep=(aspect, next(a for a in ASPECTS if a != aspect)))
    torch.testing.assert_close(kept, pair[0], atol=1e-5, rtol=0)
    assert not torch.allclose(changed, pair[1], atol=0.05)


def test_an_unknown_aspect_is_refused():
    with pytest.raises(ValueError, match=r"keep must hold aspects from \('lean', .*got \['colour'\]"):
        random_style(torch.zeros(2, 1, 28, 28), keep=("lean", "colour"))


def upright_bar():
    bar = torch.full((1, 1, 28, 28), -1.0)
    bar[0, 0, 4:24, 12:16] = 1.0
    return bar


DRAWS = (  # in the order of random_style
    *("ROTATION", "SHEAR", "SHIFT", "SHIFT", "LOG_SCALE", "LOG_SCALE", "BEND", "BEND", "THICKENING"),
)


def only(monkeypatch, kept, seed):
    """Switch every change off but one, and say what the seed draws for it, in its own unit."""
    draw = 2 * torch.rand(len(DRAWS), generator=seeded(seed)) - 1
    for name in set(DRAWS) - {kept}:
        monkeypatch.setattr(transforms, name, 0.0)
    return float(draw[DRAWS.index(kept)]) * getattr(transforms, kept)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("kept", "leans"), [("ROTATION", lambda a: -a), ("SHEAR", math.atan)])
def test_a_bar_leans_by_what_was_drawn(monkeypatch, kept, leans, seed):
    drawn = only(monkeypatch, kept, seed)
    assert slant(random_style(upright_bar(), seeded(seed)))[0] == pytest.approx(leans(drawn), abs=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_grows_and_shrinks_by_up_to_a_pixel_on_each_side(monkeypatch, seed):
    drawn = only(monkeypatch, "THICKENING", seed)
    grown = ink(random_style(upright_bar(), seeded(seed)))[0] - 80
    border = 22 * 6 - 20 * 4 if drawn > 0 else 20 * 4 - 18 * 2  # pixels added, or taken, by a whole pixel on each side
    assert grown == pytest.approx(drawn * border, rel=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_is_scaled_across(monkeypatch, seed):
    drawn = only(monkeypatch, "LOG_SCALE", seed)
    bar = torch.full((1, 1, 28, 28), -1.0)
    bar[0, 0, 4:24, 8:20] = 1.0
    assert width(random_style(bar, seeded(seed)))[0] == pytest.approx(12 / math.exp(drawn), rel=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_is_bowed_by_the_square_of_the_height(monkeypatch, seed):
    drawn = only(monkeypatch, "BEND", seed)
    bowed = (random_style(upright_bar(), seeded(seed))[0, 0] + 1) / 2
    rows = bowed[5:23]
    x = (rows * torch.arange(28.0)).sum(dim=1) / rows.sum(dim=1)
    height = (torch.arange(5, 23) - 13.5) / 14  # halves of the picture
    expected = 13.5 - 14 * drawn * (height**2 - 1 / 6)
    torch.testing.assert_close(x, expected, atol=0.15, rtol=0)


def blank(n):
    return torch.full((n, 1, 28, 28), -1.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_stray_stroke_is_short_thin_and_near_the_middle(seed):
    crossed = add_stray_strokes(blank(200), 1.0, seeded(seed))
    shortest, longest = transforms.STRAY_LENGTH
    thinnest, thickest = transforms.STRAY_WIDTH
    round_end = math.pi * thickest**2 / 4
    assert thinnest * shortest * 0.9 < ink(crossed).min()
    assert ink(crossed).max() < 1.1 * (thickest * longest + round_end)
    assert thinnest * 0.6 < thickness(crossed).min()
    assert thickness(crossed).max() < thickest * 1.3
    leans = slant(crossed)
    assert leans.min() < -0.8
    assert leans.max() > 0.8
    mass = (crossed[:, 0] + 1) / 2
    for axis in (1, 2):
        place = (mass.sum(dim=axis) * torch.arange(28.0)).sum(dim=1) / mass.sum(dim=(1, 2)) - 13.5
        assert place.abs().max() < transforms.STRAY_REACH + 0.5
        assert place.std() > 2


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_as_many_images_are_crossed_as_were_asked_for(share):
    crossed = add_stray_strokes(blank(2000), share, seeded()).amax(dim=(1, 2, 3)) > 0
    assert float(crossed.float().mean()) == pytest.approx(share, abs=0.04 * (0 < share < 1))


def test_a_stray_stroke_hides_what_lies_under_it_and_passes_gradients_elsewhere():
    grey = torch.full((1, 1, 28, 28), -0.2, requires_grad=True)
    crossed = add_stray_strokes(grey, 1.0, seeded())
    crossed.sum().backward()
    under, beside = crossed > 0.9, crossed == -0.2
    assert under.sum() > 5
    assert (under | beside).float().mean() > 0.95
    assert (grey.grad[under] == 0).all()
    assert (grey.grad[beside] == 1).all()


def test_strokes_fit_pictures_of_any_shape_and_refuse_the_rest():
    assert add_stray_strokes(torch.zeros(3, 2, 8, 40), 0.5).shape == (3, 2, 8, 40)
    with pytest.raises(ValueError, match=r"images must have shape .*got \(5, 2\)"):
        add_stray_strokes(torch.zeros(5, 2), 0.5)
    for share in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="share must lie in"):
            add_stray_strokes(blank(1), share)


def test_each_image_may_have_a_chance_of_its_own():
    crossed = add_stray_strokes(blank(40), torch.tensor([0.0, 1.0] * 20), seeded()).amax(dim=(1, 2, 3)) > 0
    assert crossed.tolist() == [False, True] * 20
    with pytest.raises(ValueError, match="share must lie in"):
        add_stray_strokes(blank(3), torch.tensor([0.0, 1.0]))


def test_noise_is_as_strong_as_asked_and_none_gives_the_images_back():
    images = torch.zeros(8, 1, 28, 28)
    assert add_noise(images, 0.0) is images
    assert float(add_noise(images, 0.3, seeded()).std()) == pytest.approx(0.3, rel=0.05)
