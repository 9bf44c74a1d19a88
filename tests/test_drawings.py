"""A digit drawn by hand: Q reads it, the controls follow, and what is said belongs to the picture that is there."""

import re

import numpy as np
import pytest
import torch
from small_explorers import SIDE, SPEC, pair, pixels, sprite

from infogan_helpers.data import like_mnist, mnist_sample
from infogan_helpers.drawings import INVITATION, OTHERS, spelled
from infogan_helpers.evaluation import read_codes
from infogan_helpers.explorer_page import CANVAS_SCALE
from infogan_helpers.widgets import draw_a_digit, explorer


def stroke():
    canvas = np.zeros((SIDE * CANVAS_SCALE, SIDE * CANVAS_SCALE), np.uint8)
    canvas[6:26, 10:14] = 255
    return canvas


def test_a_drawing_sets_the_codes_that_q_reads_from_it_and_clearing_it_keeps_them():
    generator, discriminator_q = pair()
    widget = draw_a_digit(generator, discriminator_q)
    assert widget.page["canvas"] == CANVAS_SCALE
    assert widget.view["drawing"] == {"text": INVITATION, "heading": "", "seen": None, "others": None, "reading": None}
    widget.drawing = stroke().tobytes()
    seen = like_mnist(torch.from_numpy(stroke()), SIDE)
    posterior = read_codes(discriminator_q, seen)
    assert widget.categorical == [int(logits.argmax()) for logits in posterior.categorical_logits]
    np.testing.assert_allclose(widget.continuous, posterior.mean[0].clamp(-2, 2), atol=0.006)
    drawing = widget.view["drawing"]
    assert pixels(drawing["seen"]).tolist() == (255 - seen[0, 0]).tolist()
    others = pixels(drawing["others"])
    assert others.shape == (SIDE, OTHERS * SIDE)
    assert not np.array_equal(others[:, :SIDE], others[:, SIDE : 2 * SIDE])
    assert f"c1 = {widget.categorical[0]} (" in drawing["text"]
    assert "no encoder for the noise" in drawing["text"]
    assert re.search(r"share \d+% of their ink", drawing["text"])
    codes = (widget.categorical, widget.continuous)
    widget.drawing = b""
    assert (widget.categorical, widget.continuous) == codes
    assert widget.view["drawing"]["text"] == INVITATION


def test_turning_a_redrawn_digit_keeps_the_drawing():
    widget = draw_a_digit(*pair())
    widget.set_state({"drawing": memoryview(stroke().tobytes())})  # as the page sends it
    drawing, before = widget.view["drawing"], sprite(widget)
    widget.continuous = [1.9, -1.9]
    now = widget.view["drawing"]
    assert (now["seen"], now["reading"]) == (drawing["seen"], drawing["reading"])
    assert now["text"].partition(" share ")[0] == drawing["text"].partition(" share ")[0]
    assert now["others"] != drawing["others"]  # the same codes: those of the sliders
    assert sprite(widget) != before


def test_an_explorer_without_a_canvas_shows_none():
    assert explorer(*pair()).page["canvas"] == 0


def test_a_drawing_is_scaled_and_centred_as_mnist_is():
    small = torch.zeros(112, 112, dtype=torch.uint8)
    small[10:20, 60:65] = 255  # ten high, five wide, in a corner
    made = like_mnist(small)
    assert made.shape == (1, 1, 28, 28)
    ink = made[0, 0].float() / 255
    rows, columns = (ink.amax(dim=d).nonzero()[:, 0] for d in (1, 0))
    assert (len(rows), len(columns)) == (20, 10)
    for axis, n in ((0, 28), (1, 28)):
        centre = (ink.sum(dim=1 - axis) * torch.arange(float(n))).sum() / ink.sum()
        assert abs(float(centre) - 14) <= 0.51
    assert torch.equal(like_mnist(small.roll((40, -30), dims=(0, 1))), made)  # wherever it was drawn
    assert not like_mnist(torch.zeros(9, 9, dtype=torch.uint8)).any()
    for image in (torch.zeros(1, 9, 9, dtype=torch.uint8), torch.zeros(9, 9)):
        with pytest.raises(ValueError, match=r"image must be uint8 of shape \(height, width\), got"):
            like_mnist(image)


def test_mnists_own_digits_come_back_as_they_were():
    images = mnist_sample(train=False).images[:50, 0]
    again = torch.cat([like_mnist(image) for image in images])[:, 0]
    assert (again.float() - images.float()).abs().mean() < 0.1  # of 255: they are in their place already
    lopsided = torch.zeros(28, 28, dtype=torch.uint8)
    lopsided[0, :], lopsided[:, 0] = 255, 1
    assert like_mnist(lopsided).any()


def test_a_drawing_is_named_after_the_digit_that_its_class_was_matched_to():
    generator, discriminator_q = pair()
    seen = like_mnist(torch.from_numpy(stroke()), SIDE)
    posterior = read_codes(discriminator_q, seen)
    k = int(posterior.categorical_logits[0].argmax())
    digits = [-1] * 4
    assert spelled(SPEC, posterior, digits).startswith(f"c1 = {k} (")
    digits[k] = 9
    assert spelled(SPEC, posterior, digits).startswith(f"c1 = {k}, your 9 (")
    widget = draw_a_digit(generator, discriminator_q, matching=digits)
    widget.drawing = stroke().tobytes()
    assert widget.view["drawing"]["text"].startswith(f"Q reads c1 = {k}, your 9 (")


def test_a_reset_takes_drawing_and_reading_away_in_one_message():
    widget = draw_a_digit(*pair())
    widget.drawing = stroke().tobytes()
    views = []
    widget.observe(lambda change: views.append(change.new), names="view")
    widget.set_state({"categorical": [0, 0], "continuous": [0.0, 0.0], "drawing": memoryview(b"")})
    assert [view["drawing"] for view in views] == [widget.page["nothing"]]
    assert (widget.categorical, widget.continuous) == ([0, 0], [0.0, 0.0])


def test_the_real_digits_are_those_that_the_shipped_model_never_saw():
    real = draw_a_digit(*pair()).page["real"]
    shown = pixels(real["png"])
    assert shown.shape == (28, 28 * real["count"])
    unseen = {(255 - image).numpy().tobytes() for image in mnist_sample(train=False).images[:, 0]}
    assert all(np.ascontiguousarray(digit).tobytes() in unseen for digit in np.split(shown, real["count"], axis=1))
