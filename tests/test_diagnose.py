"""``diagnose``: each sign by itself, the stored runs of known illness, and a few illnesses trained here and now."""

import math
from collections import Counter
from dataclasses import replace

import pytest
import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.exercises.clinic import (
    EARLIEST,
    ILLNESSES,
    NOTHING,
    TOO_EARLY,
    diagnose,
    nearest,
    signs,
    stored_runs,
)
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import StepMetrics
from infogan_helpers.training import History

HEALTHY = {  # what a good run says at its end; each illness changes a few numbers
    "d_loss": 1.1, "g_loss": 0.95, "bound_categorical": 2.2, "bound_continuous": 1.6, "d_accuracy": 0.75,
    "code_recovery": 0.98,
}  # fmt: skip
TRACES = {
    "rates too high": {"bound_categorical": -3.0, "code_recovery": 0.1, "d_accuracy": 0.99},
    "D not trained": {"d_accuracy": 0.5, "d_loss": 1.39, "g_loss": 0.69},
    "lambda too large": {"d_accuracy": 1.0, "d_loss": 0.05, "g_loss": 5.0},
    "D won": {"d_accuracy": 1.0, "d_loss": 0.05, "g_loss": 5.0, "bound_categorical": 1.5, "code_recovery": 0.8},
    "Q not trained": {"bound_categorical": 0.1, "bound_continuous": -0.78, "code_recovery": 0.5},
    "softmax twice": {"bound_categorical": 0.84},
    "codes not asked for": {"bound_categorical": 0.02, "bound_continuous": -0.35, "code_recovery": 0.12},
    "sigma fixed": {"bound_continuous": -0.6},
    "continuous asleep": {"bound_continuous": -0.35},
}


def history_of(spec=None, steps=600, alike=False, **changes):
    """A history of constant curves, and sample pictures that are all different, or all the same."""
    spec = spec or CodeSpec((10,), 2, 8)
    codes = spec.sample(10, torch.Generator().manual_seed(0))
    if spec.categorical:
        codes = codes.sweep_categorical(0, range(spec.categorical[0]))
    pictures = torch.randint(0, 256, (len(codes), 1, 7, 7), generator=torch.Generator().manual_seed(1))
    pictures = pictures[:1].expand_as(pictures) if alike else pictures
    metrics = StepMetrics(*([value] * steps for value in (HEALTHY | changes).values()))
    return History(64, codes, metrics, [steps], [pictures.to(torch.uint8)])


@pytest.mark.parametrize("illness", TRACES)
def test_each_illness_is_known_by_its_trace_and_says_what_it_saw(illness):
    said = diagnose(history_of(**TRACES[illness]))
    assert said.illness == illness
    assert any(digit in said.evidence for digit in "0123456789")
    assert str(said).startswith(f"{illness}: ")
    assert said.remedy in str(said)


def test_classes_that_stay_silent_beside_a_number_that_speaks_were_squeezed():
    trace = {"bound_categorical": 0.02, "code_recovery": 0.12}
    assert diagnose(history_of(**trace, bound_continuous=1.6)).illness == "softmax twice"
    assert diagnose(history_of(**trace, bound_continuous=0.2)).illness == "codes not asked for"


def test_a_q_that_knows_classes_from_labels_before_g_draws_them_is_not_ill():
    trace = {"bound_categorical": -0.6, "code_recovery": 0.12, "d_accuracy": 0.9}
    assert diagnose(history_of(**trace, bound_continuous=1.6)).illness == NOTHING
    assert diagnose(history_of(**trace, bound_continuous=-0.1)).illness == NOTHING


def test_full_codes_in_pictures_that_hardly_differ_are_too_much_lambda():
    assert diagnose(history_of(alike=True)).illness == "lambda too large"


def test_a_loss_that_jumps_and_a_g_that_is_dead_come_from_rates():
    jumpy = history_of()
    jumpy.metrics.d_loss[::2] = [2.0] * 300
    assert diagnose(jumpy).illness == "rates too high"
    saturated = {"d_accuracy": 1.0, "d_loss": 0.05, "g_loss": 5.0, "bound_categorical": -0.01}
    assert diagnose(history_of(alike=True, bound_continuous=-0.35, **saturated)).illness == "rates too high"
    assert diagnose(history_of(alike=True, bound_continuous=0.35, **saturated)).illness == "D won"


def test_pictures_that_are_all_alike_are_a_collapse():
    trace = {"bound_categorical": 0.0, "bound_continuous": -0.35, "code_recovery": 0.1}
    assert diagnose(history_of(alike=True, **trace)).illness == "collapsed"


def test_two_pictures_drawn_again_and_again_are_a_collapse_and_far_ones_are_not():
    trace = {"bound_categorical": 0.0, "bound_continuous": -0.35, "code_recovery": 0.1}
    few = history_of(CodeSpec((), 2, 8), **trace)
    assert signs(few).nearest > 0.5
    assert diagnose(few).illness != "collapsed"
    few.samples[-1] = few.samples[-1][:2].repeat(50, 1, 1, 1)
    assert signs(few).spread > 0.4
    assert signs(few).nearest == 0
    assert diagnose(few).illness == "collapsed"


def test_the_nearest_picture_is_looked_for_in_a_class_and_not_at_all_among_points():
    codes = CodeSpec((2,), 0, 4).sample(2).sweep_categorical(0, range(2))  # a class a row, then the other: 0, 1, 0, 1
    greys = torch.tensor([0, 0, 51, 102], dtype=torch.uint8).reshape(4, 1, 1, 1).expand(4, 1, 7, 7)
    assert codes.categorical[:, 0].tolist() == [0, 1, 0, 1]
    assert nearest(greys, codes) == pytest.approx(51 / 127.5)  # of 0.4, 0.8, 0.4 and 0.8 the lower middle
    assert math.isnan(nearest(torch.zeros(4, 2), codes))


@pytest.mark.parametrize(("difference", "illness"), [(0.06, True), (0.15, False)])
def test_pictures_are_drawn_again_where_a_pixel_differs_by_less_than_a_tenth(difference, illness):
    few = history_of(CodeSpec((), 2, 8), bound_categorical=0.0, bound_continuous=-0.35, code_recovery=0.1)
    noise = torch.randn(few.samples[-1].shape, generator=torch.Generator().manual_seed(2)) * 127.5 * difference / 2**0.5
    twice = few.samples[-1][:2].clamp(60, 195).repeat(len(noise) // 2, 1, 1, 1)
    few.samples[-1] = (twice + noise).round().to(torch.uint8)
    assert (diagnose(few).illness == "collapsed") == illness


def test_a_number_is_not_asleep_while_classes_are_still_coming():
    trace = {"bound_continuous": -0.35, "code_recovery": 0.7}
    assert diagnose(history_of(bound_categorical=1.3, **trace)).illness == NOTHING
    assert diagnose(history_of(bound_categorical=2.0, **trace)).illness == "continuous asleep"


def test_there_are_ten_illnesses_and_each_is_tried_above():
    assert {illness.name for illness in ILLNESSES} == {*TRACES, "collapsed"}
    assert len(ILLNESSES) == 10


@pytest.mark.parametrize(
    "spec", [CodeSpec((10,), 0, 4), CodeSpec((), 3, 4), CodeSpec((3, 4), 1, 4), CodeSpec((), 1, 4, circular=1)], ids=str
)
def test_a_good_run_of_any_codes_is_nothing_that_it_knows(spec):
    entropy = sum(map(math.log, spec.categorical))
    numbers = {"bound_categorical": 0.95 * entropy, "bound_continuous": 0.8 * (spec.continuous + spec.circular)}
    recovery = 0.98 if spec.categorical else math.nan
    assert diagnose(history_of(spec, code_recovery=recovery, **numbers)).illness == NOTHING


def test_a_number_from_a_normal_prior_is_not_held_to_the_uniform_ones_limits():
    spec = CodeSpec((10,), 2, 8, "normal")
    assert diagnose(history_of(spec, bound_continuous=-0.6)).illness == NOTHING
    assert not signs(history_of(spec)).uniform


def test_a_short_run_is_too_early_whatever_it_shows():
    assert diagnose(history_of(steps=EARLIEST - 1, bound_categorical=0.0)).illness == TOO_EARLY
    assert diagnose(history_of(steps=EARLIEST, bound_categorical=0.0, code_recovery=0.1)).illness != TOO_EARLY


def test_what_is_implied_by_a_recovery_is_fanos_inequality():
    found = signs(history_of(code_recovery=0.7))
    by_hand = math.log(10) + 0.7 * math.log(0.7) + 0.3 * math.log(0.3) - 0.3 * math.log(9)
    assert found.implied == pytest.approx(by_hand)
    assert signs(history_of(code_recovery=0.1)).implied == pytest.approx(0, abs=1e-9)
    assert found.cap == pytest.approx(0.8414, abs=1e-4)


def test_other_histories_are_refused():
    with pytest.raises(ValueError, match=r"^history must be a training.History of players.StepMetrics, got dict"):
        diagnose({"d_loss": [1.0]})
    without = history_of()
    without.samples.clear()
    with pytest.raises(ValueError, match=r"^history must hold a sample picture, got none"):
        diagnose(without)


@pytest.fixture(scope="module")
def said():
    return [(run, diagnose(run.history).illness) for run in stored_runs()]


def test_there_are_five_runs_of_each_illness_and_thirty_healthy_ones(said):
    count = Counter(run.truth for run, _ in said)
    assert min(count[illness.name] for illness in ILLNESSES) >= 5
    assert count[NOTHING] >= 30


def test_nine_of_ten_runs_that_it_was_fitted_on_are_named_rightly_and_no_healthy_one_is_called_ill(said):
    ill = [(run.truth, name) for run, name in said if run.truth != NOTHING and not run.held_out]
    assert sum(truth == name for truth, name in ill) >= 0.9 * len(ill)
    assert {name for run, name in said if run.truth == NOTHING} == {NOTHING}
    held_out = [run.truth == name for run, name in said if run.truth != NOTHING and run.held_out]
    assert len(held_out) >= 20
    assert sum(held_out) >= 0.9 * len(held_out)  # 23 of 23: what it does on runs that no rule has seen
    right = Counter(truth for truth, name in ill if truth == name)
    assert min(right[illness.name] for illness in ILLNESSES) >= 5


SPEC = CodeSpec((5,), 1, 4)
PLANE = infogan.Config(
    architecture="mlp", norm="none", width=0.125, batch_size=64, steps=EARLIEST, learning_rate_g=1e-3,
    learning_rate_d=1e-3, learning_rate_q=4e-3, lambda_categorical=2.0, lambda_continuous=1.5,
)  # fmt: skip


def ring():
    """Points on the five arcs of notebook 03."""
    random = torch.Generator().manual_seed(0)
    arc = torch.randint(5, (4000,), generator=random)
    angle = 2 * math.pi * arc / 5 + 0.8 * (torch.rand(4000, generator=random) - 0.5)
    return 0.75 * torch.stack([angle.cos(), angle.sin()], dim=1)


@pytest.mark.parametrize(
    ("illness", "changes"),
    [("D not trained", {"learning_rate_d": 1e-12}), ("sigma fixed", {"variance": "fixed"})],
    ids=str,
)
def test_a_run_that_is_ill_here_and_now_is_named(illness, changes):
    history = infogan.fit(ring(), SPEC, replace(PLANE, **changes), device="cpu", progress=False).history
    assert diagnose(history).illness == illness
