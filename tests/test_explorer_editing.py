"""A reader's picture is found again, its noise stays while the sliders edit it, and an exported page can hold that."""

import base64
import re

import numpy as np
import pytest
import torch
from small_explorers import SIDE, SPEC, exported, pair, pixels, sprite

from infogan_helpers import editing
from infogan_helpers.applications.inversion import find_codes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import like_mnist
from infogan_helpers.evaluation import draw_images
from infogan_helpers.explorer_page import CANVAS_SCALE, EXAMPLE_STEP, SHEET_STEP, export_explorer
from infogan_helpers.pictures import side_by_side
from infogan_helpers.widgets import edit_a_digit, edit_a_picture

LARGE = SIDE * CANVAS_SCALE


def stroke(left=10):
    canvas = np.zeros((LARGE, LARGE), np.uint8)
    canvas[6:26, left : left + 4] = 255
    canvas[6:10, left : left + 12] = 255
    return canvas


def searched(networks, canvas):
    return find_codes(*networks, like_mnist(torch.from_numpy(canvas), SIDE))


def assert_shows(widget, found):
    """The controls stand at what was found, and the picture is the one that the search ended at."""
    assert widget.categorical == found.codes.categorical[0].tolist()
    np.testing.assert_allclose(widget.continuous, found.codes.continuous[0], atol=0.006)
    assert torch.equal(widget.codes().noise, found.codes.noise)
    k = widget.categorical[0]
    shown = pixels(sprite(widget))[:, k * SIDE : (k + 1) * SIDE].astype(int)
    assert np.abs(shown - pixels(side_by_side(found.images))).max() <= 2  # sliders have two decimals


def test_a_digit_is_found_again_and_its_noise_stays_while_the_sliders_move():
    networks = pair()
    widget, found = edit_a_digit(*networks), searched(networks, stroke())
    assert widget.page["keeps"]
    assert widget.view["drawing"] == widget.page["nothing"]
    seeded = widget.codes().noise
    widget.drawing = stroke().tobytes()
    assert_shows(widget, found)
    drawing = widget.view["drawing"]
    assert np.array_equal(pixels(drawing["others"]), pixels(side_by_side(found.images)))
    assert np.array_equal(255 - pixels(drawing["seen"]), like_mnist(torch.from_numpy(stroke()), SIDE)[0, 0])
    assert f"an error of {float(found.error):.2f}" in drawing["text"]
    assert drawing["heading"].endswith(f"error {float(found.error):.2f}")

    widget.continuous = [1.5, -1.5]
    assert torch.equal(widget.codes().noise, found.codes.noise)
    assert widget.view["drawing"] == drawing
    image = eval(widget.view["line"], {"generator": networks[0].eval(), "editor": widget}).detach()
    k = widget.categorical[0]
    shown = pixels(sprite(widget))[:, k * SIDE : (k + 1) * SIDE].astype(int)
    assert np.abs(shown - pixels(side_by_side(image))).max() <= 1

    widget.set_state({"categorical": [0, 0], "continuous": [0.0, 0.0], "drawing": memoryview(b"")})  # a reset
    assert torch.equal(widget.codes().noise, seeded)
    assert "seeds" in widget.view["line"]


def test_the_later_of_two_pictures_counts():
    networks = pair()
    widget = edit_a_digit(*networks)
    widget.drawing = stroke().tobytes()
    widget.drawing = stroke(2).T.tobytes()
    assert_shows(widget, searched(networks, np.ascontiguousarray(stroke(2).T)))


def test_an_interrupted_search_leaves_what_was_and_the_next_move_searches_again(monkeypatch):
    networks = pair()
    widget = edit_a_digit(*networks)
    before = widget.view

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(editing, "find_codes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            widget.drawing = stroke().tobytes()
    assert widget.view == before
    widget.between = 0.5
    assert_shows(widget, searched(networks, stroke()))


def test_what_q_reads_beyond_the_sliders_is_shown_at_their_end():
    networks = pair(CodeSpec((4,), 1, 5, "normal"))
    with torch.no_grad():
        networks[1].q_head.mean.bias += 50
    widget = edit_a_digit(*networks)
    widget.drawing = stroke().tobytes()
    assert widget.continuous == [2]


def test_a_picture_in_greys_is_taken_as_it_is_and_shown_light_where_it_is_light():
    networks = pair()
    with torch.no_grad():
        [*networks[0].parameters()][-1].add_(0.5)  # brighter than its negative
    examples = draw_images(networks[0], SPEC.sample(3, torch.Generator().manual_seed(0)))
    widget = edit_a_picture(*networks, examples)
    real = widget.page["real"]
    assert (real["count"], real["width"], real["height"]) == (3, SIDE, SIDE)
    bright = ((examples + 1) * 127.5).round().to(torch.uint8)
    assert np.abs(pixels(real["png"])[:, :SIDE].astype(int) - bright[0, 0].numpy()).max() <= 1
    assert examples.mean() > 0.3
    canvas = np.kron(255 - bright[1, 0].numpy(), np.ones((CANVAS_SCALE, CANVAS_SCALE), np.uint8))  # 255 is black
    widget.drawing = canvas.tobytes()
    drawing, found = widget.view["drawing"], find_codes(*networks, bright[1:2])
    assert np.array_equal(pixels(drawing["seen"]), bright[1, 0])
    assert torch.equal(widget.codes().noise, found.codes.noise)
    k = widget.categorical[0]
    shown = pixels(sprite(widget))[:, k * SIDE : (k + 1) * SIDE].astype(int)
    assert np.abs(shown - ((found.images[0, 0] + 1) * 127.5).round().numpy()).max() <= 2
    assert f"{SIDE} × {SIDE} pixels in greys" in widget.page["nothing"]["text"]


@pytest.mark.parametrize(
    "examples", [torch.zeros(0, 1, SIDE, SIDE), torch.zeros(2, 1, SIDE, 4), torch.zeros(SIDE, SIDE)]
)
def test_examples_of_another_shape_are_refused(examples):
    with pytest.raises(ValueError, match=r"^examples must be images of shape \(n, \*\(1, 8, 8\)\), got"):
        edit_a_picture(*pair(), examples)


@pytest.mark.parametrize("shape", [(3, SIDE, SIDE), (1, SIDE, 12)])
def test_what_the_canvas_can_not_hold_is_refused(shape):
    networks = pair(shape=shape)
    for make in (edit_a_digit, lambda *both: edit_a_picture(*both, torch.zeros(1, *shape))):
        with pytest.raises(ValueError, match=r"^generator must draw square images of one channel, got"):
            make(*networks)


# --- on an exported page


@pytest.mark.parametrize("spec", [SPEC, CodeSpec((), 1, 5, circular=1), CodeSpec((3,), 3, 5)])
def test_an_exported_page_holds_a_real_picture_with_the_noise_and_the_codes_that_were_found(tmp_path, spec):
    networks = pair(spec)
    real = like_mnist(torch.from_numpy(stroke()), SIDE).repeat(2, 1, 1, 1)
    _, data = exported(export_explorer(tmp_path / "page.html", *networks, seed=4, examples=real))
    found = find_codes(*networks, real[:1])
    own, first, second = data["sheets"]
    assert (own["step"], first["step"]) == (SHEET_STEP, EXAMPLE_STEP)
    assert "drawing" not in own
    assert second["drawing"] | {"heading": ""} == first["drawing"] | {"heading": ""}
    assert data["page"]["examples"][1] == f"real picture 2 · found again, error {float(found.error):.2f}"
    start = first["start"]
    assert start["categorical"] == found.codes.categorical[0, :1].tolist()
    np.testing.assert_allclose(start["continuous"], found.codes.continuous[0, : len(start["continuous"])], atol=1e-6)
    places = [*start["continuous"], *start["circular"]]
    at = [int(np.abs(np.array(values) - x).argmin()) for values, x in zip(first["axes"], places, strict=True)]
    assert [values[i] for values, i in zip(first["axes"], at, strict=True)] == pytest.approx(places, abs=1e-4)
    rows = len(first["axes"][1]) if len(at) > 1 else 1
    k, i, j = (start["categorical"] or [0])[0], at[0], at[1] if len(at) > 1 else 0
    left, top = (k * len(first["axes"][0]) + i) * SIDE, j * SIDE
    sheet = pixels(base64.b64decode(first["sheet"]))
    assert sheet.shape == (rows * SIDE, max(1, data["page"]["classes"]) * len(first["axes"][0]) * SIDE)
    expected = pixels(side_by_side(found.images)).astype(int)
    assert np.abs(sheet[top : top + SIDE, left : left + SIDE] - expected).max() <= 1
    assert np.array_equal(pixels(base64.b64decode(first["drawing"]["others"])), expected)
    assert np.array_equal(255 - pixels(base64.b64decode(first["drawing"]["seen"])), real[0, 0])


def test_a_page_without_real_pictures_speaks_of_none(tmp_path):
    text, data = exported(export_explorer(tmp_path / "page.html", *pair()))
    assert data["page"]["examples"] == []
    assert "real picture" not in re.sub(r"(?s)<script\b.*?</script>", "", text)
    assert len(data["sheets"]) == 1
