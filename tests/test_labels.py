"""Few labels: which are kept, how labelled images are drawn, and what is refused."""

import pytest
import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.labels import UNLABELLED, check_labels, few_labels, labelled_images

SPEC = CodeSpec((3,), 1, 2)
LABELS = torch.tensor([2, -1, 0, 1, 0, -1, 2, 2, 0, -1])


def numbered(n=10):
    """Pictures that say which one they are: picture ``i`` is of grey ``i``."""
    return torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1).expand(n, 1, 2, 2)


@pytest.mark.parametrize("per_class", [1, 2])
def test_few_labels_keeps_as_many_of_each_class_and_hides_the_others(per_class):
    labels = torch.arange(60) % 3
    kept = few_labels(labels, per_class, seed=4)
    known = kept != UNLABELLED
    assert torch.bincount(kept[known]).tolist() == [per_class] * 3
    assert torch.equal(kept[known], labels[known])
    assert torch.equal(labels, torch.arange(60) % 3)


def test_few_labels_are_chosen_by_the_seed():
    labels = torch.arange(60) % 3
    first, again, other = (few_labels(labels, 2, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[:6], labels[:6])  # not the first ones


@pytest.mark.parametrize(("per_class", "message"), [(0, "an integer of at least 1, got 0"), (4, "at most 3, what")])
def test_few_labels_refuses_a_number_that_a_class_has_not(per_class, message):
    with pytest.raises(ValueError, match=rf"^per_class must be {message}"):
        few_labels(torch.tensor([0, 0, 0, 1, 1, 1, 1]), per_class)


def test_labelled_images_are_those_with_a_label_class_by_class():
    few = labelled_images(numbered(), LABELS, SPEC)
    assert few.counts.tolist() == [3, 1, 3]
    grey = ((few.images[:, 0, 0, 0] + 1) * 127.5).round().long().tolist()
    assert grey == [2, 4, 8, 3, 0, 6, 7]


def test_a_draw_has_the_right_labels_and_every_class_and_image_as_often():
    few = labelled_images(numbered(), LABELS, SPEC)
    images, labels = few.draw(30_000, torch.Generator().manual_seed(0))
    grey = ((images[:, 0, 0, 0] + 1) * 127.5).round().long()
    assert torch.equal(LABELS[grey], labels)
    share = torch.bincount(labels) / len(labels)
    torch.testing.assert_close(share, torch.full((3,), 1 / 3), atol=0.02, rtol=0)
    within = torch.bincount(grey, minlength=10)[[2, 4, 8]] / (labels == 0).sum()
    torch.testing.assert_close(within, torch.full((3,), 1 / 3), atol=0.03, rtol=0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(10), r"labels must be integers, got torch.float32 of shape"),
        (torch.zeros(9, dtype=torch.long), r"labels must be integers .*, got torch.int64 of shape \(9,\)"),
        (torch.zeros(10, dtype=torch.bool), r"labels must be integers, got torch.bool"),
        (torch.full((10,), -1), r"labels must name the class of some images, got -1, no label, for all 10"),
        (torch.full((10,), 3), r"labels must lie in \[0, 3\), or be -1 where there is none, got 3"),
        (torch.full((10,), -2), r"labels must lie in \[0, 3\), or be -1 where there is none, got -2"),
        (torch.tensor([0, 2] * 5), r"labels must name .* of each of the 3 classes, got none of \[1\]"),
    ],
)
def test_labels_that_teach_nothing_are_refused(labels, message):
    with pytest.raises(ValueError, match=rf"^{message}"):
        check_labels(labels, 10, SPEC)


def test_labels_need_a_categorical_code_and_may_be_a_list():
    with pytest.raises(ValueError, match=r"^spec must have a categorical code, .* got none$"):
        check_labels(LABELS, 10, CodeSpec((), 1, 2))
    assert torch.equal(check_labels(LABELS.tolist(), 10, SPEC), LABELS)
