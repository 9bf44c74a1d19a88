"""The explorer's dial: angles in, pictures and Q's reading out; one full turn on the exported page's sheet."""

import base64
import io
import json
import math
import re

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.codes import CodeSpec
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.explorer_page import CANVAS_SCALE, SHEET_SCALES, export_explorer
from infogan_helpers.widgets import draw_a_digit, explorer

SPEC = CodeSpec((3,), 1, 5, circular=2)
SIDE = 8


def pair(spec=SPEC):
    torch.manual_seed(0)
    return tuple(make(spec, (1, SIDE, SIDE), 0.05) for make in ARCHITECTURES["conv"])


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png))).astype(int)


def ink(images):
    return ((1 - (images[0, 0].numpy() + 1) / 2) * 255).round()


def test_a_dial_moves_the_picture_the_reading_and_the_line():
    generator, discriminator_q = pair()
    widget = explorer(generator, discriminator_q, seed=3)
    assert (widget.circular, widget.page["circular"]) == ([0.0, 0.0], 2)
    before = widget.view
    widget.circular = [math.pi, -1.2]
    view, codes = widget.view, SPEC.codes_at([0], [0.0], (3, 4), circular=[math.pi, -1.2])
    image = draw_images(generator, codes)
    assert view["sprites"] != before["sprites"]
    assert np.abs(pixels(view["sprites"][0])[:, :SIDE] - ink(image)).max() <= 1
    assert view["codes"]["circular"] == [math.pi, -1.2]
    reading, posterior = view["readings"][0], read_codes(discriminator_q, image)
    np.testing.assert_allclose(reading["angle"], [float(c.angle) for c in posterior.circular], atol=1e-4)
    np.testing.assert_allclose(reading["angle_deviation"], [float(c.deviation) for c in posterior.circular], rtol=1e-4)
    drawn = eval(view["line"], {"generator": generator.eval(), "spec": SPEC})  # what a reader pastes into a cell
    assert np.abs(ink(drawn.detach()) - ink(image)).max() <= 1
    widget.circular = [0.0, 0.0]
    assert widget.view == before


@pytest.mark.parametrize("value", [[0.0], [-math.pi, 0.0], [0.0, 3.2], [math.nan, 0.0]])
def test_what_no_dial_can_show_is_refused(value):
    widget = explorer(*pair())
    with pytest.raises(ValueError, match=r"circular must be 2 angles in radians, in \(-π, π\], got \["):
        widget.circular = value
    assert widget.circular == [0.0, 0.0]


def test_a_drawing_turns_the_dials_and_is_read_out_in_degrees():
    generator, discriminator_q = pair()
    widget = draw_a_digit(generator, discriminator_q)
    canvas = np.zeros((SIDE * CANVAS_SCALE, SIDE * CANVAS_SCALE), np.uint8)
    canvas[6:26, 10:14] = 255
    widget.drawing = canvas.tobytes()
    assert all(angle != 0 for angle in widget.circular)
    told = widget.view["drawing"]["text"]
    for name, angle in zip(("c3", "c4"), widget.circular, strict=True):
        shown = int(re.search(rf"{name} = (-?\d+)° ± \d+°", told).group(1))
        assert shown == pytest.approx(math.degrees(angle), abs=1)


@pytest.mark.parametrize(
    ("spec", "continuous", "circular"),
    [
        (SPEC, 1, 1),
        (CodeSpec((3,), 3, 5, circular=1), 1, 1),
        (CodeSpec((), 0, 5, circular=1), 0, 1),
        (CodeSpec((), 0, 5, circular=3), 0, 2),
    ],
)
def test_an_exported_page_holds_one_full_turn_without_its_end_twice(tmp_path, spec, continuous, circular):
    generator, discriminator_q = pair(spec)
    text = export_explorer(tmp_path / "page.html", generator, discriminator_q, seed=4).read_text(encoding="utf-8")
    data = json.loads(re.search(r"sheetModel\((\{.*\})\), document", text).group(1))
    page, axes = data["page"], data["sheets"][0]["axes"]
    assert (page["continuous"], page["circular"], len(axes)) == (continuous, circular, continuous + circular)
    others = spec.names[len(spec.categorical) :]
    assert page["names"][-circular:] == list(others[spec.continuous :][:circular])
    for turn in axes[continuous:]:
        assert len(turn) == page["turn_steps"] == 24
        assert -math.pi < turn[0]
        assert 3.14 < turn[-1] <= math.pi
        steps = np.diff([*turn, turn[0] + 2 * math.pi])  # the last step leads to the first
        np.testing.assert_allclose(steps, 2 * math.pi / 24, atol=2e-4)
        assert 0.0 in turn
    classes, columns, rows = max(1, page["classes"]), len(axes[0]), len(axes[1]) if len(axes) > 1 else 1
    sheet = pixels(base64.b64decode(data["sheets"][0]["sheet"]))
    assert sheet.shape == (rows * SIDE, classes * columns * SIDE)
    i, j = 5, min(20, rows - 1)
    at = [values[place] for values, place in zip(axes, (i, j), strict=False)]
    widget = explorer(generator, discriminator_q, seed=4)
    widget.continuous = at[:continuous] + [0.0] * (spec.continuous - continuous)
    widget.circular = at[continuous:] + [0.0] * (spec.circular - circular)
    expected = pixels(widget.view["sprites"][0])[:, :SIDE]
    assert np.abs(sheet[j * SIDE :, i * SIDE :][:SIDE, :SIDE] - expected).max() <= 1
    readings = (
        np.frombuffer(base64.b64decode(data["sheets"][0]["readings"]), np.uint8).reshape(classes, columns, rows, -1)
        / 255
    )
    angle, deviation = readings[0, i, j][page["classes"] + 2 * continuous :][:2]
    nats = 2 * SHEET_SCALES["nats"] * (readings[0, i, j][page["classes"] + 2 * len(axes) :] - 0.5)
    reading = widget.view["readings"][0]
    assert (2 * angle - 1) * SHEET_SCALES["angle"] == pytest.approx(reading["angle"][0], abs=0.02)
    assert deviation * SHEET_SCALES["angle_deviation"] == pytest.approx(reading["angle_deviation"][0], abs=0.02)
    kept = [widget.page["names"].index(name) for name in page["names"]]
    np.testing.assert_allclose(nats, [reading["nats"][k] for k in kept], atol=0.03)
