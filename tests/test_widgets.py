"""The explorer's pictures and readings follow every trait; the exported page holds what the kernel would draw."""

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
from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import like_mnist, mnist_sample
from infogan_helpers.evaluation import read_codes
from infogan_helpers.explorer_page import CANVAS_SCALE, SHEET_SCALES, export_explorer
from infogan_helpers.methods import infogan
from infogan_helpers.widgets import (
    INVITATION,
    OTHERS,
    Explorer,
    TrainingView,
    compare_models,
    draw_a_digit,
    explorer,
)

SPEC = CodeSpec((4, 3), 2, 5)
SIDE = 8


def pair(spec=SPEC, architecture="conv", shape=(1, SIDE, SIDE), seed=0):
    torch.manual_seed(seed)
    generator, discriminator_q = (make(spec, shape, 0.05) for make in ARCHITECTURES[architecture])
    return generator, discriminator_q


def pixels(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return np.asarray(image)


def sprite(widget, model=0):
    return widget.view["sprites"][model]


MOVES = {
    "categorical": [[1, 0], [0, 2]],
    "continuous": [[0.5, 0.0], [0.0, -2.0]],
    "seeds": [[5, 6]],
    "between": [0.3],
}


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MOVES.items() for value in values])
def test_each_control_changes_the_view_and_back(architecture, name, value):
    widget = explorer(*pair(architecture=architecture))
    before, old = widget.view, getattr(widget, name)
    setattr(widget, name, value)
    assert widget.view["readings"] != before["readings"]
    assert widget.view["line"] != before["line"]
    setattr(widget, name, old)
    assert widget.view == before


def test_a_thumbnail_stands_for_each_class_and_the_chosen_one_is_what_q_reads():
    generator, discriminator_q = pair()
    widget = explorer(generator, discriminator_q, seed=3)
    widget.categorical, widget.continuous = [2, 1], [0.4, -1.5]
    thumbnails = pixels(sprite(widget))
    assert thumbnails.shape == (SIDE, 4 * SIDE)
    for k in range(4):
        with torch.no_grad():
            image = generator.eval()(SPEC.codes_at([k, 1], [0.4, -1.5], (3, 4)))
        expected = ((1 - (image[0, 0].numpy() + 1) / 2) * 255).round()
        shown = thumbnails[:, k * SIDE : (k + 1) * SIDE]
        assert np.abs(shown - expected).max() <= 1  # a batch of four rounds otherwise than one
        if k == 2:
            posterior = read_codes(discriminator_q, image)
            reading = widget.view["readings"][0]
            for logits, shares in zip(posterior.categorical_logits, reading["categorical"], strict=True):
                np.testing.assert_allclose(shares, logits.softmax(1)[0], atol=1e-5)
            np.testing.assert_allclose(reading["mean"], posterior.mean[0], atol=1e-5)
            np.testing.assert_allclose(reading["deviation"], (posterior.log_variance[0] / 2).exp(), rtol=1e-4)
    assert widget.view["codes"] == {"categorical": [2, 1], "continuous": [0.4, -1.5], "circular": []}


def test_the_line_of_code_draws_the_picture():
    generator, discriminator_q = pair()
    widget = explorer(generator, discriminator_q, seed=7)
    widget.categorical, widget.continuous, widget.between = [3, 2], [-0.7, 1.3], 0.35
    with torch.no_grad():
        image = eval(widget.view["line"], {"generator": generator, "spec": SPEC})  # what a reader pastes into a cell
    shown = pixels(sprite(widget))[:, 3 * SIDE :]
    assert np.abs(shown - ((1 - (image[0, 0].numpy() + 1) / 2) * 255).round()).max() <= 1
    assert torch.equal(widget.codes().noise, SPEC.codes_at([3, 2], [-0.7, 1.3], (7, 8), 0.35).noise)


@pytest.mark.parametrize(
    "spec", [CodeSpec((), 2, 5), CodeSpec((10,), 0, 5), CodeSpec((2, 3, 4), 1, 0), CodeSpec((), 1)]
)
def test_any_spec_can_be_explored(spec):
    widget = explorer(*pair(spec))
    assert len(widget.categorical) == len(spec.categorical)
    assert widget.continuous == [0.0] * spec.continuous
    assert pixels(sprite(widget)).shape == (SIDE, SIDE * (spec.categorical or (1,))[0])
    before = sprite(widget)
    if spec.continuous:
        widget.continuous = [1.0] * spec.continuous
    else:
        widget.seeds = [8, 9]
    assert sprite(widget) != before
    assert widget.page["names"] == list(spec.names)


def test_a_normal_prior_has_no_support_to_mark():
    assert explorer(*pair(CodeSpec((), 1, 2, "normal"))).page["support"] is None
    assert explorer(*pair(CodeSpec((), 1, 2))).page["support"] == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "categorical",
            [4, 0],
            r"categorical must be 2 integers, each below its code's \(4, 3\) classes, got \[4, 0\]",
        ),
        ("categorical", [-1, 0], "categorical must be"),
        ("categorical", [0], "categorical must be"),
        ("continuous", [2.5, 0.0], r"continuous must be 2 numbers in \[-2, 2\], got \[2.5, 0.0\]"),
        ("continuous", [math.nan, 0.0], "continuous must be"),
        ("continuous", [0.0, 0.0, 0.0], "continuous must be"),
        ("seeds", [1], "seeds must be two integers of at least 0, got"),
        ("seeds", [1, -2], "seeds must be"),
        ("between", 1.5, r"between must be a number in \[0, 1\], got 1.5"),
        ("drawing", b"abc", "drawing must be empty or 1024 bytes, one per pixel, got 3"),
    ],
)
def test_what_no_control_can_show_is_refused_and_the_view_stays(name, value, message):
    widget = explorer(*pair())
    before = widget.view
    with pytest.raises(ValueError, match=message):
        setattr(widget, name, value)
    assert widget.view == before
    widget.between = 0.5
    assert widget.view != before


def test_several_traits_in_one_message_are_drawn_once(monkeypatch):
    widget, draws = explorer(*pair()), []
    widget.observe(lambda change: draws.append(change.new), names="view")
    widget.set_state({"categorical": [1, 1], "continuous": [0.5, 0.5], "seeds": [3, 4], "between": 0.5})
    assert len(draws) == 1
    assert draws[0]["codes"] == {"categorical": [1, 1], "continuous": [0.5, 0.5], "circular": []}


@pytest.mark.parametrize(
    "other",
    [
        pair(CodeSpec((4,), 2, 5))[1],
        pair(CodeSpec((4, 3), 1, 5))[1],
        pair(shape=(1, 12, 12))[1],
    ],
)
def test_networks_that_do_not_belong_together_are_refused(other):
    with pytest.raises(ValueError, match=r"^discriminator_q must have the first generator's (spec|image_shape), .*got"):
        explorer(pair()[0], other)


def test_colours_are_explored_as_they_are_and_no_canvas_is_beside_them():
    generator, discriminator_q = pair(shape=(3, SIDE, SIDE))
    shown = pixels(sprite(explorer(generator, discriminator_q)))
    assert shown.shape == (SIDE, 4 * SIDE, 3)
    drawn = generator.eval()(SPEC.codes_at([0, 0], [0.0, 0.0], (0, 1)))[0].detach()
    expected = ((drawn.permute(1, 2, 0) + 1) * 127.5).round().numpy()
    assert np.abs(shown[:, :SIDE].astype(float) - expected).max() <= 1
    with pytest.raises(ValueError, match=r"square images of one channel, got \(3, 8, 8\)"):
        draw_a_digit(generator, discriminator_q)


def test_a_generator_of_two_channels_and_no_model_at_all_are_refused():
    with pytest.raises(
        ValueError, match=r"^generator must draw images of shape \(1 or 3, height, width\), got \(2, 8, 8\)"
    ):
        explorer(*pair(shape=(2, 8, 8)))
    with pytest.raises(ValueError, match="models must hold at least one pair"):
        compare_models({})
    with pytest.raises(ValueError, match=r"generator of 'b' must have the first generator's spec"):
        compare_models({"a": pair(), "b": pair(CodeSpec((4,), 2, 5))})
    with pytest.raises(ValueError, match="generator must draw square images"):
        draw_a_digit(*pair(shape=(1, 8, 12)))


def test_the_networks_keep_their_mode_and_statistics_and_the_reader_his_seed():
    generator, discriminator_q = pair()
    generator.train()
    discriminator_q.eval()
    state = {name: t.clone() for net in (generator, discriminator_q) for name, t in net.state_dict().items()}
    random = torch.get_rng_state()
    widget = explorer(generator, discriminator_q)
    widget.continuous = [1.0, 1.0]
    assert torch.equal(torch.get_rng_state(), random)
    assert generator.training
    assert not discriminator_q.training
    now = {name: t for net in (generator, discriminator_q) for name, t in net.state_dict().items()}
    assert all(torch.equal(t, state[name]) for name, t in now.items())


def test_two_models_are_drawn_from_the_same_codes():
    first, second = pair(), pair(seed=1)
    widget = compare_models({"one": first, "other": second}, seed=2)
    widget.categorical, widget.continuous = [1, 2], [0.5, -0.5]
    assert widget.page["titles"] == ["one", "other"]
    assert len(widget.view["readings"]) == 2
    for model, networks in enumerate((first, second)):
        alone = explorer(*networks, seed=2)
        alone.categorical, alone.continuous = [1, 2], [0.5, -0.5]
        assert sprite(widget, model) == sprite(alone)
        assert widget.view["readings"][model] == alone.view["readings"][0]
    assert sprite(widget, 0) != sprite(widget, 1)


def stroke():
    canvas = np.zeros((SIDE * CANVAS_SCALE, SIDE * CANVAS_SCALE), np.uint8)
    canvas[6:26, 10:14] = 255
    return canvas


def test_fashion_mnists_weights_are_explored_drawn_beside_the_digits_and_exported(tmp_path):
    garments, digits = load_pretrained("fashion_mnist"), load_pretrained("mnist")
    widget = compare_models({"garments": garments[:2], "digits": digits[:2]}, seed=2)
    before = widget.view
    widget.categorical, widget.continuous = [7], [-1.0, 0.5]
    with torch.no_grad():
        image = garments.generator(garments.spec.codes_at([7], [-1.0, 0.5], (2, 3)))
    expected = ((1 - (image[0, 0] + 1) / 2) * 255).round()
    assert np.abs(pixels(sprite(widget))[:, 7 * 28 : 8 * 28] - expected.numpy()).max() <= 1
    assert (pixels(sprite(widget, 1)) != pixels(sprite(widget))).any()
    assert widget.view != before
    assert export_explorer(tmp_path / "page.html", *garments[:2]).stat().st_size < 3e6


def test_a_drawing_sets_the_codes_that_q_reads_from_it_and_clearing_it_keeps_them():
    generator, discriminator_q = pair()
    widget = draw_a_digit(generator, discriminator_q)
    assert widget.page["canvas"] == CANVAS_SCALE
    assert widget.view["drawing"] == {"text": INVITATION, "seen": None, "others": None}
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
    assert widget.view["drawing"] == drawing
    assert sprite(widget) != before


def test_an_explorer_without_a_canvas_shows_none():
    assert explorer(*pair()).page["canvas"] == 0


def test_a_page_without_a_kernel_shows_a_sentence():
    widget = explorer(*pair())
    assert isinstance(widget, Explorer)
    sentence = "Explorer of the codes c1, c2, c3, c4: run the cell to move its sliders."
    assert repr(widget) == sentence
    assert len(sentence) <= 110  # after which ipywidgets cuts it
    assert repr(TrainingView(SPEC)) == "Live view of a training: run the cell to watch it."


def exported(path):
    text = path.read_text(encoding="utf-8")
    data = json.loads(re.search(r"sheetModel\((\{.*\})\), document", text).group(1))
    return text, data


@pytest.mark.parametrize("spec", [SPEC, CodeSpec((), 2, 5), CodeSpec((3,), 0, 5), CodeSpec((3,), 1), CodeSpec((), 3)])
def test_an_exported_page_holds_what_the_kernel_would_draw(tmp_path, spec):
    generator, discriminator_q = pair(spec)
    path = export_explorer(tmp_path / "page.html", generator, discriminator_q, seed=4)
    text, data = exported(path)
    assert not re.search(r"(src|href)\s*=\s*[\"']?https?:|import\(|from \"http|fetch\(", text)  # nothing to load
    page, axes = data["page"], min(2, spec.continuous)
    classes = max(1, page["classes"])
    assert len(data["axes"]) == axes
    for values in data["axes"]:
        assert (values[0], values[-1], len(values)) == (-2, 2, 21)
        assert {-1.0, 0.0, 1.0} <= set(values)
    sheet = pixels(base64.b64decode(data["sheet"]))
    columns, rows = (21 if axes > 0 else 1), (21 if axes > 1 else 1)
    assert sheet.shape == (rows * SIDE, classes * columns * SIDE)
    readings = np.frombuffer(base64.b64decode(data["readings"]), np.uint8).reshape(classes, columns, rows, -1) / 255
    k, i, j = classes - 1, min(3, columns - 1), min(17, rows - 1)
    chosen = [values[n] for n, values in zip((i, j), data["axes"], strict=False)] + [0.0] * (spec.continuous - axes)
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
    assert not page["live"]
    assert len(page["names"]) == axes + bool(spec.categorical)


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


def test_the_view_of_a_training_is_redrawn_while_it_trains():
    view, seen = TrainingView(SPEC), []
    assert view.value == b""

    def update(history):
        view.update(history)
        seen.append(view.value)

    images = torch.randint(0, 256, (8, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    config = infogan.Config(steps=4, batch_size=4, width=0.05, sample_every=2)
    infogan.fit(images, SPEC, config, device="cpu", callback=update, progress=False)
    assert len(seen) == 2
    assert seen[0] != seen[1]
    assert pixels(seen[1]).std() > 5
