"""Drawn digits as training images: labels are those that were asked for, and a batch holds what it is told to."""

import numpy as np
import pytest
import torch

from infogan_helpers.applications import augmentation
from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range, mnist_sample
from infogan_helpers.evaluation import draw_images
from infogan_helpers.labels import Labelled, few_labels, labelled_images
from infogan_helpers.quality import classify

SPEC = CodeSpec()


@pytest.fixture(scope="module")
def few():
    data = mnist_sample()
    return labelled_images(data.images, few_labels(data.labels, 10), SPEC)


@pytest.fixture(scope="module")
def shipped():
    return load_pretrained("mnist")


class Sheets(torch.nn.Module):
    """A generator that draws a sheet as grey as its class: class k at k / 10."""

    spec = CodeSpec((4, 3), 0, 1)

    def forward(self, codes):
        return (codes.categorical[:, 0].float() / 10)[:, None, None, None].expand(-1, 1, 28, 28)


def test_each_drawn_picture_has_the_label_that_its_class_is_named():
    pool = augmentation.drawn_digits(Sheets(), [2, 0, 3, 1], 60)
    assert pool.counts.sum() == 60
    images, labels = pool.draw(200, torch.Generator().manual_seed(0))
    class_of = {label: k for k, label in enumerate([2, 0, 3, 1])}
    asked = torch.tensor([class_of[label] for label in labels.tolist()])
    torch.testing.assert_close(images[:, 0, 0, 0], asked.float() / 10)
    assert set(labels.tolist()) == {0, 1, 2, 3}


def test_drawn_pictures_are_the_generators_and_the_seeds(shipped):
    pool = augmentation.drawn_digits(shipped.generator, range(10), 200, seed=4)
    codes = shipped.spec.sample(200, torch.Generator().manual_seed(4))
    order = codes.categorical[:, 0].argsort(stable=True)
    torch.testing.assert_close(pool.images, draw_images(shipped.generator, codes)[order])
    other = augmentation.drawn_digits(shipped.generator, range(10), 200, seed=5)
    assert not torch.equal(pool.counts, other.counts)


def test_few_labels_name_the_classes_as_all_labels_do(shipped, few):
    names = augmentation.names_of_classes(shipped.discriminator_q, few)
    assert names.tolist() == shipped.card["measured"]["matching"]


def constant(grey, label, n=5):
    """A source of ``n`` equal images of one label."""
    return Labelled(torch.full((n, 1, 28, 28), grey), torch.tensor([0] * label + [n] + [0] * (9 - label)))


class OfOneLabel(Labelled):
    """A source whose draws are of one label, and which remembers how many it was asked for."""

    asked = ()

    def draw(self, n, generator=None):
        OfOneLabel.asked = (*OfOneLabel.asked, n)
        label = int(self.counts.argmax())
        return self.images[:1].expand(n, -1, -1, -1), torch.full((n,), label)


def test_a_batch_holds_as_many_of_each_source_as_it_is_told():
    OfOneLabel.asked = ()
    sources = [(OfOneLabel(*constant(-1.0, 3)), 6), (OfOneLabel(*constant(1.0, 7)), 2)]
    classifier = augmentation.train_on(sources, 0.0, 40)
    assert OfOneLabel.asked == (6, 2) * 40
    pages = torch.stack([torch.full((1, 28, 28), grey) for grey in (-1.0, 1.0)])
    assert classify(classifier, pages)[0].argmax(1).tolist() == [3, 7]  # learned from both
    assert not classifier.training


def test_a_seed_repeats_and_the_callers_random_numbers_go_on(few):
    torch.manual_seed(9)
    state = torch.get_rng_state()
    first, again = (augmentation.train_on([(few, 16)], 0.5, 3, seed=1) for _ in range(2))
    other = augmentation.train_on([(few, 16)], 0.5, 3, seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    weights = [next(network.parameters()) for network in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_strength_changes_what_is_learned_from_and_nothing_leaves_as_it_came(few, monkeypatch):
    seen = []
    monkeypatch.setattr(augmentation, "random_style", lambda images, _, strength: seen.append(strength) or images)
    augmentation.train_on([(few, 8)], 0.0, 2)
    assert seen == []
    augmentation.train_on([(few, 8)], 0.7, 2)
    assert seen == [0.7, 0.7]


def test_labelled_digits_teach(few):
    classifier = augmentation.train_on([(few, 32)], 0.0, 30)
    labels = torch.arange(10).repeat_interleave(few.counts)
    read = classify(classifier, as_model_range(few.images))[0].argmax(1)
    assert (read == labels).float().mean() > 0.8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda few: augmentation.train_on([], 0.0, 3), r"^sources must be a list of at least 1, got \[\]"),
        (lambda few: augmentation.train_on([(few, 0)], 0.0, 3), r"^sources\[0\]\[1\] must be an integer of at least 1"),
        (lambda few: augmentation.train_on([(few, 4)], -1.0, 3), "strength must be a number of at least 0"),
        (lambda few: augmentation.train_on([(few, 4)], 0.0, 0), "steps must be an integer of at least 1"),
        (lambda few: augmentation.train_on([(few, 4)], 0.0, 3, seed=-1), "seed must be"),
        (lambda few: augmentation.drawn_digits(Sheets(), [0, 1, 2], 9), "names must hold each label below 4 once"),
        (lambda few: augmentation.drawn_digits(Sheets(), [0, 1, 2, 2], 9), "names must hold each label below 4 once"),
        (lambda few: augmentation.drawn_digits(Sheets(), range(4), 0), "n must be an integer of at least 1"),
        (lambda few: augmentation.drawn_digits(Sheets(), range(4), 2), "got none of"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, message, few):
    with pytest.raises(ValueError, match=message):
        call(few)


def test_numpys_names_are_as_good():
    assert augmentation.drawn_digits(Sheets(), np.arange(4), 40).counts.sum() == 40
