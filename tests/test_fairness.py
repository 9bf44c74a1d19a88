"""Fairness: measures by hand, the coloured digits, the prior of two codes that go together, data drawn without that."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from infogan_helpers.applications import fairness, leakage
from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import mnist_sample
from infogan_helpers.networks import Generator

#             class 0          class 1
LABELS = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
GROUPS = [0, 0, 0, 0, 1, 0, 1, 1, 1, 1]
SAID = [0, 0, 0, 0, 1, 0, 1, 1, 1, 0]


@pytest.fixture(scope="module")
def digits():
    return mnist_sample()


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return Generator(fairness.ClassThenColour((2, 2), 1, 4), (3, fairness.SIDE, fairness.SIDE), width=0.05)


def test_measures_by_hand():
    assert fairness.demographic_parity(SAID, GROUPS) == pytest.approx(4 / 5 - 0)
    assert fairness.equal_opportunity(SAID, LABELS, GROUPS) == pytest.approx(3 / 4 - 0)
    cells = fairness.cell_accuracy(SAID, LABELS, GROUPS)
    assert cells.to_numpy().tolist() == [[1.0, 0.0], [0.0, 0.75]]
    assert (cells.index.name, cells.columns.name) == ("class", "group")


def test_opportunity_counts_those_of_class_1_alone():
    labels, groups = [1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 0]
    assert fairness.equal_opportunity([1, 1, 1, 0, 1, 1], labels, groups) == pytest.approx(0.5)
    assert fairness.equal_opportunity([1, 0, 1, 0, 0, 1], labels, groups) == pytest.approx(0.0)


def test_a_classifier_takes_grey_pictures_and_has_the_layers_that_it_is_said_to_have():
    shapes = [tuple(p.shape) for p in fairness.SmallClassifier(1).parameters() if p.ndim > 1]
    assert shapes == [(16, 1, 3, 3), (32, 16, 3, 3), (64, 512), (2, 64)]


def test_measures_do_not_depend_on_which_group_comes_first():
    turned = 1 - np.array(GROUPS)
    assert fairness.demographic_parity(SAID, turned) == pytest.approx(0.8)
    assert fairness.equal_opportunity(torch.tensor(SAID), LABELS, turned) == pytest.approx(0.75)


def test_parity_of_three_groups_is_the_largest_difference():
    assert fairness.demographic_parity([0, 1, 1, 1, 0, 0], [0, 0, 1, 1, 2, 2]) == 1.0


def test_without_a_mistake_parity_is_that_of_the_data_and_opportunity_is_equal():
    assert fairness.demographic_parity(LABELS, GROUPS) == pytest.approx(4 / 5 - 1 / 5)
    assert fairness.equal_opportunity(LABELS, LABELS, GROUPS) == 0


def test_an_empty_cell_has_no_accuracy():
    assert math.isnan(fairness.cell_accuracy([0, 1, 1], [0, 1, 1], [0, 0, 1]).loc[0, 1])


def test_unfairness_by_hand():
    assert fairness.unfairness([[0, 0, 0, 1], [0, 1, 1, 1]]) == pytest.approx(0.25)  # half of 3/4 - 1/4
    assert fairness.unfairness([[0, 1, 2], [0, 1, 2]]) == 0
    assert fairness.unfairness([[0, 1], [1, 0]]) == 0  # answers that cancel out do not show
    # Shares of three classes with the attribute at three values; their mean is (1/3, 1/3, 1/3).
    assert fairness.unfairness([[0, 0], [1, 1], [2, 2]]) == pytest.approx(2 / 3)


def test_cell_weights_make_cells_count_alike():
    weights = fairness.cell_weights(LABELS, GROUPS)
    assert weights.mean().item() == pytest.approx(1)
    cell = 2 * np.array(LABELS) + GROUPS
    assert np.bincount(cell, weights=weights) == pytest.approx([2.5] * 4)


def test_resampled_rows_fill_the_cells_evenly():
    labels, groups = torch.tensor(LABELS), torch.tensor(GROUPS)
    rows = fairness.resampled(labels, groups, 8000, seed=1)
    counts = torch.bincount((2 * labels + groups)[rows], minlength=4)
    assert counts.tolist() == pytest.approx([2000] * 4, abs=200)
    assert len(rows.unique()) == len(labels)


def test_colours_go_with_the_class_as_often_as_asked(digits):
    for agreement in (0.0, 0.5, 0.9, 1.0):
        data = fairness.coloured_digits(digits, 3000, agreement, seed=1)
        assert (data.labels == data.colours).float().mean().item() == pytest.approx(agreement, abs=0.03)
    assert data.images.shape == (3000, 3, fairness.SIDE, fairness.SIDE)
    again = fairness.coloured_digits(digits, 3000, 1.0, seed=1)
    assert all(torch.equal(*pair) for pair in zip(data, again, strict=True))
    assert not torch.equal(data.labels, fairness.coloured_digits(digits, 3000, 1.0, seed=2).labels)


def test_pictures_are_small_digits_whose_class_is_that_of_the_digit(digits):
    ordered = digits._replace(images=digits.images[:300], labels=digits.labels[:300])
    data = fairness.coloured_digits(ordered, 300, 1.0, seed=0)
    rows = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    assert torch.equal(data.labels, (ordered.labels[rows] >= 5).long())
    sums = ordered.images[rows].float().sum(dim=(1, 2, 3)) / 4
    assert fairness.grey(data.images).sum(dim=(1, 2, 3)).float() == pytest.approx(sums, rel=0.02)


def test_an_intervention_changes_the_colour_and_nothing_else(digits):
    data = fairness.coloured_digits(digits, 200, 0.5)
    for colour, (silent, loud) in enumerate([(2, 0), (0, 2)]):
        changed = fairness.in_colours(data.images, torch.full((200,), colour))
        assert torch.equal(fairness.grey(changed), fairness.grey(data.images))
        assert torch.equal(changed[:, [loud]], fairness.grey(data.images))
        assert not changed[:, silent].any()
        kept = data.colours == colour
        assert torch.equal(changed[kept], data.images[kept])


def test_the_second_code_goes_with_the_first_as_often_as_asked():
    for agreement in (0.0, 0.5, 0.9):
        codes = fairness.ClassThenColour((2, 2), 1, 4, agreement=agreement).sample(
            20_000, torch.Generator().manual_seed(0)
        )
        first, second = codes.categorical.unbind(1)
        assert (first == second).float().mean().item() == pytest.approx(agreement, abs=0.01)
        assert codes.categorical.float().mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.02)


def test_entropy_is_that_of_the_joint_prior():
    plain = CodeSpec((2, 2), 1, 4).entropy()
    assert fairness.ClassThenColour((2, 2), 1, 4, agreement=0.5).entropy() == pytest.approx(plain)
    joint = np.array([0.45, 0.45, 0.05, 0.05])
    nats = fairness.ClassThenColour((2, 2), 1, 4, agreement=0.9).entropy()
    assert nats.categorical == pytest.approx(-np.sum(joint * np.log(joint)))
    assert nats.continuous == plain.continuous
    assert fairness.ClassThenColour(agreement=1.0).entropy().categorical == pytest.approx(math.log(2))


def test_rebalancing_adds_what_makes_class_and_colour_independent(digits, generator):
    data = fairness.coloured_digits(digits, 500, 0.9)
    images, labels = fairness.rebalance(data._replace(colours=None), generator)
    assert images.shape == (900, 3, fairness.SIDE, fairness.SIDE)
    assert torch.equal(images[:500], data.images)
    assert torch.equal(labels[:500], data.labels)
    drawn = fairness.draw_coloured(generator, 400, 0.0)
    assert torch.equal(drawn.labels, 1 - drawn.colours)
    assert torch.equal(images[500:], drawn.images)
    assert torch.equal(labels[500:], drawn.labels)


def test_drawn_pictures_are_those_of_their_codes(generator):
    drawn = fairness.draw_coloured(generator, 50, seed=3)
    codes = replace(generator.spec, agreement=0.5).sample(50, torch.Generator().manual_seed(3))
    with torch.no_grad():
        pictures = generator.eval()(codes)
    assert torch.equal(drawn.images, ((pictures + 1) * 127.5).round().to(torch.uint8))
    assert torch.equal(torch.stack(drawn[1:], dim=1), codes.categorical)


def test_weights_of_nothing_hide_an_example():
    """Pictures of one grey each: where those of class 1 weigh nothing, all is class 0."""
    images = torch.arange(0, 256, 4, dtype=torch.uint8).reshape(-1, 1, 1, 1).expand(-1, 3, 16, 16)
    labels = (torch.arange(64) >= 32).long()
    learned = fairness.train_classifier(images, labels, steps=60)
    assert (fairness.predict(learned, images) == labels).float().mean() > 0.9
    one_sided = fairness.train_classifier(images, labels, (labels == 0).float(), steps=60)
    assert not fairness.predict(one_sided, images).any()


def test_training_leaves_the_callers_random_numbers_alone(digits):
    data = fairness.coloured_digits(digits, 200, 0.9)
    torch.manual_seed(5)
    first = torch.rand(1)
    torch.manual_seed(5)
    answers = [fairness.predict(fairness.train_classifier(*data[:2], steps=3), data.images) for _ in range(2)]
    assert torch.equal(torch.rand(1), first)
    assert torch.equal(*answers)


def test_a_code_that_tells_the_group_leaks_and_noise_does_not():
    random = np.random.default_rng(0)
    groups, noise = random.integers(2, size=2000), random.normal(size=(2000, 3))
    assert leakage.leak(noise, groups) == pytest.approx(0.5, abs=0.06)
    told = np.column_stack([noise, groups + 0.1 * noise[:, 0]])
    assert leakage.leak(told, groups) > 0.98
    assert leakage.leak(told, random.permutation(groups)) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fairness.demographic_parity([0, 2], [0, 1]), r"^predictions must be 0 or 1, got \[0, 2\]"),
        (lambda: fairness.demographic_parity([0, 1], [1, 1]), r"^groups must hold two values or more, got \[1\]"),
        (lambda: fairness.demographic_parity([0, 1], [0]), r"^predictions and groups must have one shape \(n,\)"),
        (lambda: fairness.equal_opportunity([1, 1], [1, 0], [0, 1]), r"^groups must hold two values or more"),
        (
            lambda: fairness.cell_accuracy(*np.zeros((3, 0), int)),
            r"^predictions and labels and groups must have one shape",
        ),
        (lambda: fairness.cell_weights([[0, 1]], [[0, 1]]), r"^labels and groups must have one shape \(n,\)"),
        (
            lambda: fairness.unfairness([[0, 1]]),
            r"^predictions must have shape \(values, n\) with values of at least 2",
        ),
        (lambda: fairness.unfairness([[0.2], [0.1]]), r"^predictions must be integers of shape \(values, n\)"),
        (
            lambda: fairness.ClassThenColour((10,)),
            r"^categorical must begin with two codes of two",
        ),
        (lambda: fairness.ClassThenColour(agreement=1.5), r"^agreement must be a number in \[0, 1\], got 1.5"),
        (lambda: fairness.coloured_digits(mnist_sample(False), 1001, 0.9), r"^n must be an integer in \[1, 1000\]"),
        (lambda: fairness.train_classifier(torch.zeros(2, 3, 16, 16), [0, 2]), r"^labels must be 0 or 1, got \[0, 2\]"),
        (lambda: fairness.unfairness(np.zeros((2, 0), int)), r"^predictions must be of one example at least"),
        (
            lambda: fairness.draw_coloured(load_pretrained("mnist").generator, 3),
            r"^generator must have a spec of class, ",
        ),
        (lambda: leakage.leak(np.zeros((4, 2)), [0, 1, 0]), r"^groups must be as many as the rows of codes, 4, got 3"),
        (lambda: fairness.in_colours(torch.zeros(2, 1, 4, 4), torch.tensor([0, 2])), "^colours must be 0 or 1"),
        (
            lambda: fairness.train_classifier(torch.zeros(2, 3, 16, 16), [0, 1, 0]),
            r"^labels must have shape \(2,\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_even_prior_has_nothing_to_rebalance(digits, generator):
    even = Generator(replace(generator.spec, agreement=0.5), (3, fairness.SIDE, fairness.SIDE), width=0.05)
    with pytest.raises(ValueError, match=r"^generator must have a spec whose agreement is above 0\.5, got 0\.5"):
        fairness.rebalance(fairness.coloured_digits(digits, 10, 0.9), even)
