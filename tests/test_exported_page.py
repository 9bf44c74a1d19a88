"""The exported page: it holds what the kernel would draw, says what the codes turned out to be, and has no Python."""

import base64
import re

import numpy as np
import publish_page
import pytest
import torch
from small_explorers import SIDE, SPEC, exported, pair, pixels, sprite

from infogan_helpers.codes import CodeSpec
from infogan_helpers.explorer_page import SERIES, SHEET_SCALES, export_explorer
from infogan_helpers.widgets import explorer


@pytest.mark.parametrize("spec", [SPEC, CodeSpec((), 2, 5), CodeSpec((3,), 0, 5), CodeSpec((3,), 1), CodeSpec((), 3)])
def test_an_exported_page_holds_what_the_kernel_would_draw(tmp_path, spec):
    generator, discriminator_q = pair(spec)
    with torch.no_grad():  # each code is answered in its own way
        for head in (discriminator_q.q_head.mean, discriminator_q.q_head.raw_log_variance):
            if head is not None:
                head.bias.copy_(torch.linspace(-1, 1, spec.continuous))
    path = export_explorer(tmp_path / "page.html", generator, discriminator_q, seed=4)
    text, data = exported(path)
    assert not re.search(r"src\s*=\s*[\"']?https?:|<link|import\(|from \"http|fetch\(", text)  # nothing to load
    page, axes = data["page"], min(2, spec.continuous)
    classes, [stored] = max(1, page["classes"]), data["sheets"]
    assert len(stored["axes"]) == axes
    for values in stored["axes"]:
        assert (values[0], values[-1], len(values)) == (-2, 2, 21)
        assert {-1.0, 0.0, 1.0} <= set(values)
    sheet = pixels(base64.b64decode(stored["sheet"]))
    columns, rows = (21 if axes > 0 else 1), (21 if axes > 1 else 1)
    assert sheet.shape == (rows * SIDE, classes * columns * SIDE)
    readings = np.frombuffer(base64.b64decode(stored["readings"]), np.uint8).reshape(classes, columns, rows, -1) / 255
    k, i, j = classes - 1, min(3, columns - 1), min(17, rows - 1)
    chosen = [values[n] for n, values in zip((i, j), stored["axes"], strict=False)] + [0.0] * (spec.continuous - axes)
    widget = explorer(generator, discriminator_q, seed=4)
    widget.continuous = chosen
    if spec.categorical:
        widget.categorical = [k] + [0] * (len(spec.categorical) - 1)
    expected = pixels(sprite(widget))[:, k * SIDE : (k + 1) * SIDE].astype(int)
    left = (k * columns + i) * SIDE
    assert np.abs(sheet[j * SIDE : (j + 1) * SIDE, left : left + SIDE] - expected).max() <= 1
    shown, reading = readings[k, i, j], widget.view["readings"][0]
    if spec.categorical:
        np.testing.assert_allclose(shown[: page["classes"]], reading["categorical"][0], atol=0.01)
    for axis in range(axes):
        mean, deviation = shown[page["classes"] + 2 * axis :][:2]
        assert (2 * mean - 1) * SHEET_SCALES["mean"] == pytest.approx(reading["mean"][axis], abs=0.03)
        largest = SHEET_SCALES["deviation"]
        assert deviation * largest == pytest.approx(min(largest, reading["deviation"][axis]), abs=0.01)
    nats = 2 * SHEET_SCALES["nats"] * (shown[page["classes"] + 2 * axes :] - 0.5)
    kept = [widget.page["names"].index(name) for name in page["names"]]
    np.testing.assert_allclose(nats, [reading["nats"][i] for i in kept], atol=0.03)
    assert not page["live"]
    assert len(page["names"]) == axes + bool(spec.categorical)


def words(text):
    """What a visitor reads: the page without its style and its script."""
    return re.sub(r"(?s)<(style|script)\b.*?</\1>|<[^>]+>", " ", text)


def test_an_exported_page_says_what_is_known_what_to_try_and_where_the_series_is(tmp_path):
    facts = {"matching": [7, -1, 1, 3], "meanings": {"c1": "which digit", "c3": "slant <leaning>"}}
    text, data = exported(export_explorer(tmp_path / "page.html", *pair(), **facts))
    said = words(text)
    for part in ("c1: which digit", "c3: slant &lt;leaning&gt;", "0 draws 7, 2 draws 1, 3 draws 3"):
        assert part in said
    assert len(re.findall("<li>", text.partition("Three things to try")[2])) == 3
    assert f'<a href="{SERIES}">' in text
    assert data["page"]["meanings"] == ["which digit", "slant <leaning>", ""]


def test_an_exported_page_says_nothing_that_nobody_knows(tmp_path):
    assert "turned out" not in words(exported(export_explorer(tmp_path / "page.html", *pair()))[0])


def test_no_line_of_python_is_on_an_exported_page(tmp_path):
    text, _ = exported(export_explorer(tmp_path / "page.html", *pair()))
    assert "codes_at(" not in text


def test_no_code_ends_the_script_early(tmp_path):
    text, data = exported(export_explorer(tmp_path / "page.html", *pair(), meanings={"c1": "</script>"}))
    assert text.count("</script>") == 1
    assert data["page"]["meanings"][0] == "</script>"


def test_the_page_that_a_forks_pages_show_is_the_one_that_would_be_written_now(tmp_path):
    """Whoever changes the explorer's page runs ``python tests/publish_page.py`` and commits the file."""
    there, data = exported(publish_page.PAGE)
    now, again = exported(publish_page.write(tmp_path / "page.html"))
    before = [text.partition("build(await sheetModel(")[0] for text in (there, now)]
    assert before[0] == before[1]
    assert data["page"] == again["page"]
    assert publish_page.PAGE.stat().st_size <= publish_page.MOST
