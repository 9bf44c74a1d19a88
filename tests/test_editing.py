"""Which code to move, two other ways to edit, and the scores of edited pictures, by hand."""

import math

import numpy as np
import pytest
import torch
from small_codes import seeded

from infogan_helpers.applications.editing import (
    Shown,
    best_dial,
    digits_show,
    direction,
    rest_moved,
    score_edits,
    set_along,
    stored_scores,
    towards,
    world_shows,
)
from infogan_helpers.codes import Codes
from infogan_helpers.data import mnist_sample
from infogan_helpers.judges import load_judge
from infogan_helpers.measures import slant
from infogan_helpers.quality import load_classifier
from infogan_helpers.worlds import Chairs

NAN = math.nan


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def test_digits_show_what_the_classifier_and_the_measures_say():
    digits = mnist_sample(train=False)
    shown = digits_show(load_classifier(), digits.images[:50])
    assert (shown.identity == digits.labels[:50].numpy()).mean() > 0.95
    assert list(shown.values) == ["slant", "thickness", "width"]
    np.testing.assert_array_equal(shown.values["slant"], slant(digits.images[:50]))


def test_a_worlds_kind_is_the_identity_and_its_values_are_in_their_units():
    world = Chairs()
    factors = world.sample_factors(40, seeded())
    shown, truth = world_shows(load_judge(world), world.render(factors)), world.values(factors)
    assert (shown.identity == factors[:, 0].numpy()).mean() > 0.8
    assert list(shown.values) == ["rotation", "width", "height"]
    assert np.abs(np.exp(1j * shown.values["rotation"]) - np.exp(1j * truth["rotation"].numpy())).max() < 0.5
    assert np.abs(shown.values["height"] - truth["height"].numpy()).mean() < 0.1


@pytest.mark.parametrize("sign", [1, -1])
def test_the_dial_is_the_column_that_goes_best_with_the_property_and_has_its_sign(sign):
    columns = draws(60, 4)
    values = sign * columns[:, 2].double().numpy() ** 3  # any rising curve is a ρ of 1
    values[:5] = NAN
    column, rho = best_dial(columns, values)
    assert (column, rho) == (2, pytest.approx(sign))
    assert abs(best_dial(columns, draws(60, seed=1)).rho) < 0.5


@pytest.mark.parametrize("sense", [1, -1])
def test_of_a_property_that_goes_round_the_dial_has_the_sense(sense):
    angles = math.pi * (1 - 2 * torch.rand(200, 2, generator=seeded()))
    values = (sense * angles[:, 1] + 2.5).numpy()  # the offset does not count
    assert best_dial(angles, np.angle(np.exp(1j * values)), circular=True) == (1, pytest.approx(sense))


@pytest.mark.parametrize(("n", "values"), [(4, [1.0, 2.0, 3.0]), (4, [1.0, 2.0, NAN, NAN])])
def test_a_dial_needs_values_that_fit(n, values):
    with pytest.raises(ValueError, match=r"^columns must have shape \(n, L\) and values n numbers, three or more"):
        best_dial(draws(n, 2), values)


def test_a_direction_is_where_the_property_rises():
    latents, wanted = draws(300, 5), torch.tensor([3.0, 0.0, -4.0, 0.0, 0.0]) / 5
    values = (7 + 2 * latents @ wanted).numpy().astype(float)
    values[::50] = NAN
    along = direction(latents, values)
    assert along.norm().item() == pytest.approx(1)
    assert (along @ wanted).item() > 0.999


@pytest.mark.parametrize("along", [[1.0, 1.0, 0.0], [0.6, 0.8]])
def test_a_direction_has_length_1_and_the_rows_columns(along):
    with pytest.raises(ValueError, match=r"^along must have length 1 and shape \(3,\), got length"):
        set_along(draws(2, 3), along, [1.0])


def test_what_never_changes_has_no_direction():
    with pytest.raises(ValueError, match=r"^values must change where latents do, got values from 1.0 to 1.0"):
        direction(draws(5, 2), np.ones(5))


def test_rows_are_set_along_a_direction_and_nothing_else_moves():
    latents, along = draws(2, 3), torch.tensor([0.6, 0.0, 0.8])
    moved = set_along(latents, along, torch.tensor([-1.0, 0.0, 2.0])).unflatten(0, (2, 3))
    torch.testing.assert_close(moved @ along, torch.tensor([[-1.0, 0.0, 2.0]] * 2))
    apart = moved - latents[:, None]
    torch.testing.assert_close(apart - (apart @ along)[:, :, None] * along, torch.zeros(2, 3, 3))


def test_on_the_way_to_others_the_class_stays_and_angles_take_the_shorter_way():
    ours = Codes(torch.tensor([[3.0, 4.0]]), torch.tensor([[1]]), torch.tensor([[-1.0]]), torch.tensor([[3.0]]))
    theirs = Codes(torch.tensor([[-4.0, 3.0]]), torch.tensor([[2]]), torch.tensor([[1.0]]), torch.tensor([[-3.0]]))
    start, half, end = (towards(ours, theirs, share) for share in (0.0, 0.5, 1.0))
    for codes in (start, half, end):
        assert codes.categorical.tolist() == [[1]]
        assert codes.noise.norm().item() == pytest.approx(5)
    assert [c.continuous.item() for c in (start, half, end)] == pytest.approx([-1, 0, 1])
    assert abs(half.circular.item()) == pytest.approx(math.pi)
    assert end.circular.item() == pytest.approx(-3)
    torch.testing.assert_close(start.noise, ours.noise)
    torch.testing.assert_close(end.noise, theirs.noise)
    with pytest.raises(ValueError, match=r"^share must be a number in \[0, 1\], got 1.5"):
        towards(ours, theirs, 1.5)
    with pytest.raises(ValueError, match=r"^others must have the shapes of codes, "):
        towards(ours, theirs[torch.zeros(2, dtype=torch.long)], 0.5)


def shown(identity, **values):
    return Shown(np.array(identity), {name: np.array(x, dtype=float) for name, x in values.items()})


REAL = shown([4, 9], slant=[0.0, 0.2], width=[10.0, 14.0])  # the widths' standard deviation is 2
EDITED = shown([1, 4, 4, 9, 1, 9], slant=[-0.3, 0.0, 0.5, 0.2, 0.0, 0.4], width=[10, 11, 12, 14, 14, 10])


def test_edits_are_scored_by_hand():
    score = score_edits([-1.0, 0.0, 1.0], EDITED, REAL, "slant")
    assert score.rho == pytest.approx((1 + 0.5) / 2)  # the second ranks 2, 1, 3
    assert score.moved == pytest.approx((0.8 + 0.2) / 2)
    assert score.kept == pytest.approx(4 / 6)  # not 1, 4, 4, then 9, not 1, 9
    assert score.rest == pytest.approx(np.mean([0, 1, 2, 0, 0, 4]) / 2)


def test_what_cannot_be_measured_or_never_moves_has_not_followed():
    still = shown([4] * 3 + [9] * 3, slant=[0, NAN, 1, 0.2, 0.2, 0.2], width=[10, NAN, 12, 14, 14, 14])
    score = score_edits([-1.0, 0.0, 1.0], still, REAL, "slant")
    assert score[:3] == (0, 0, 1)
    assert score.rest == pytest.approx((0 + 2 + 0 + 0 + 0) / 5 / 2)


def test_pictures_as_they_were_found_are_edited_nowhere():
    assert rest_moved(REAL, REAL, "slant") == 0
    assert rest_moved(shown([0, 0], slant=[9, 9], width=[11, 13]), REAL, "slant") == pytest.approx(0.5)


def test_a_property_that_goes_round_is_followed_round():
    stands = np.array([-2.0, 0.0, 2.0])
    real = shown([1, 1], rotation=[0.0, 0.0], height=[1.0, 2.0])

    def scored(rotation):
        edited = shown([1] * 6, rotation=np.tile(rotation, 2), height=[1, 1, 1, 2, 2, 2])
        return score_edits(stands, edited, real, "rotation", ("rotation",))

    for offset in (0.0, 2.0):  # over π it goes on from -π
        assert scored(np.angle(np.exp(1j * (stands + offset)))) == pytest.approx((1, 4, 1, 0))
    against = scored(-stands)
    assert against.moved == pytest.approx(-4)
    assert against.rho == pytest.approx(abs(np.exp(2j * stands).mean()))


def test_an_angle_that_should_have_stayed_counts_the_shorter_way():
    real = shown([1, 1], rotation=[3.0, 0.0], height=[1.0, 2.0])
    edited = shown([1] * 4, rotation=[-3.0, 3.0, 0.0, 0.0], height=[1, 2, 1, 2])
    score = score_edits([0.0, 1.0], edited, real, "height", ("rotation",))
    assert score.rest == pytest.approx((2 * math.pi - 6) / 4 / (math.pi / math.sqrt(3)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"circular": ["ink"]}, r"^circular must be one of \['slant', 'width'\], got 'ink'"),
        ({"edited": shown([1] * 6, slant=range(6))}, r"^edited must show .*'width': 6.*, got {'slant': 6}"),
        ({"real": shown([4, 9], slant=range(3))}, r"^real must show {'slant': 2} values, .*, got {'slant': 3}"),
        ({"name": "ink"}, r"^name must be one of \['slant', 'width'\], got 'ink'"),
        ({"stands": [0.0]}, r"^edited must show 2 pictures at each of 1 stands, 2 or more, got 6"),
        ({"stands": [0.0, 1.0]}, r"^edited must show 2 pictures at each of 2 stands, 2 or more, got 6"),
    ],
)
def test_edits_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        score_edits(**({"stands": [0.0, 1.0, 2.0], "edited": EDITED, "real": REAL, "name": "slant"} | change))


def test_stored_scores_are_the_median_over_seeds_with_both_ends():
    def run(seed, rho, **found):
        score = {"rho": rho, "moved": 2.0, "kept": 0.5, "rest": 0.25}
        return {"run": "mnist", "seed": seed, "edits": {"slant": {"code": score}}, **found}

    records = [run(s, rho, error=0.1, kept=0.9) for s, rho in enumerate((0.5, 0.9, 0.8))]
    records += [{**run(0, 1.0), "run": "shear"}]
    ways = {"ours": ("mnist", "code"), "shear": ("shear", "code"), "none": ("mnist", "direction")}
    table = stored_scores(records, "slant", ways)
    assert list(table.index) == ["ours", "shear"]
    assert list(table.columns) == ["error", "found", "rho", "moved", "kept", "rest", "seeds"]
    assert table.loc["ours", "rho"] == "0.80 (0.50 to 0.90)"
    assert table.loc["ours", "found"] == "0.90 (0.90 to 0.90)"
    assert table.loc["shear", "error"] == "0.00"  # of one run
    assert table["seeds"].tolist() == [3, 1]
    assert stored_scores(records, "thickness", ways).empty
