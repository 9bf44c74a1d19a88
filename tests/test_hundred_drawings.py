"""The explorer reads a hundred drawings, which it never learned from: how many are right, and which are not."""

from collections import Counter

import pytest
import torch
from hundred_drawings import SIDE, drawings

from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.data import like_mnist, mnist_sample
from infogan_helpers.evaluation import match_codes_to_labels, read_codes


@pytest.fixture(scope="module")
def read():
    """What was meant, and what Q says, of every drawing: form, digit, digit that c1 is matched to, its probability."""
    model, digits, drawn = load_pretrained("mnist"), mnist_sample(train=None), drawings()
    codes = read_codes(model.discriminator_q, digits.images).categorical_logits[0].argmax(1)
    matching = match_codes_to_labels(codes, digits.labels)  # labels enter to name the codes
    pictures = torch.cat([like_mnist(drawing.ink) for drawing in drawn])
    sure, c1 = read_codes(model.discriminator_q, pictures).categorical_logits[0].softmax(1).max(1)
    return [(d.form, d.digit, int(matching[k]), float(p)) for d, k, p in zip(drawn, c1, sure, strict=True)]


def test_there_are_ten_drawings_of_each_digit():
    drawn = drawings()
    assert Counter(drawing.digit for drawing in drawn) == dict.fromkeys(range(10), 10)
    assert all(drawing.ink.shape == (SIDE, SIDE) and drawing.ink.max() == 255 for drawing in drawn)
    assert len({drawing.ink.numpy().tobytes() for drawing in drawn}) == 100


def test_most_drawings_are_read_as_what_was_meant(read):
    assert sum(meant == said for _, meant, said, _ in read) >= 85


def test_what_is_read_wrong_is_a_form_that_is_rare_in_mnist(read):
    wrong = {(meant, form) for form, meant, said, _ in read if meant != said}
    assert wrong <= {(1, "flag"), (1, "long flag"), (1, "base"), (1, "flag and base"), (6, "large loop"), (9, "hooked")}
