"""The explorer's pictures and readings follow every trait; what Q reads of each code, and what is known of it."""

import math

import numpy as np
import pytest
import torch
from small_explorers import SIDE, SPEC, pair, pixels, sprite

from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.explorer_page import export_explorer, nats_read
from infogan_helpers.losses import lower_bound
from infogan_helpers.posteriors import Posterior, VonMises
from infogan_helpers.widgets import (
    Explorer,
    TrainingView,
    compare_models,
    draw_a_digit,
    explorer,
)

MOVES = {
    "categorical": [[1, 0], [0, 2]],
    "continuous": [[0.5, 0.0], [0.0, -2.0]],
    "seeds": [[5, 6]],
    "between": [0.3],
}


def test_the_browser_hears_of_every_control_and_of_the_view():
    heard = {
        "page",
        "categorical",
        "continuous",
        "circular",
        "seeds",
        "between",
        "drawing",
        "asked",
        "answered",
        "view",
    }
    assert heard <= set(explorer(*pair()).keys)


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
    widget = draw_a_digit(*pair())
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


def test_a_page_without_a_kernel_shows_a_sentence():
    widget = explorer(*pair())
    assert isinstance(widget, Explorer)
    sentence = "Explorer of the codes c1, c2, c3, c4: run the cell to move its sliders."
    assert repr(widget) == sentence
    assert len(sentence) <= 110  # after which ipywidgets cuts it
    assert repr(TrainingView(SPEC)) == "Live view of a training: run the cell to watch it."


# --- what Q reads, and what is known of the codes


@pytest.mark.parametrize("spec", [SPEC, CodeSpec((3,), 1, 5, circular=1)])
def test_nats_read_are_those_whose_mean_is_the_bound(spec):
    discriminator_q = pair(spec)[1]
    codes = spec.sample(50, torch.Generator().manual_seed(0))
    images = draw_images(pair(spec)[0], codes)
    posterior = read_codes(discriminator_q, images)
    nats = nats_read(posterior, codes, spec)
    assert nats.shape == (50, len(spec.names))
    assert float(nats.sum(dim=1).mean()) == pytest.approx(float(lower_bound(posterior, codes, spec).total), abs=1e-5)


def test_the_prior_reads_nothing_and_what_is_far_is_cut():
    spec = CodeSpec((10,), 1, 0, circular=1)
    circle = VonMises(torch.tensor([[1.0, 0.0]]), torch.tensor([1e-6]))
    prior = Posterior((torch.zeros(1, 10),), torch.zeros(1, 1), torch.full((1, 1), math.log(1 / 3)), (circle,))
    for value in (-1.0, 0.0, 1.0):
        read = nats_read(prior, spec.codes_at([3], [value], circular=[2.0]), spec)[0]
        assert float(read[0]) == pytest.approx(0, abs=1e-5)
        assert float(read[1]) < 0.35 < math.log(2)
        assert float(read[2]) == pytest.approx(0, abs=1e-5)
    sure = prior._replace(log_variance=torch.full((1, 1), -12.0))
    assert float(nats_read(sure, spec.codes_at([3], [2.0], circular=[2.0]), spec)[0, 1]) == -6


def test_the_page_is_told_from_where_a_code_counts_as_read():
    page = explorer(*pair(CodeSpec((10, 2), 1, 5, circular=1))).page
    np.testing.assert_allclose(page["enough"], [math.log(10) / 2, math.log(2) / 2, math.log(2), math.log(2)])


def test_what_is_known_of_the_codes_reaches_the_page():
    page = explorer(*pair(), matching=np.array([3, -1, 0, 2]), meanings={"c3": "slant"}).page
    assert (page["digits"], page["meanings"]) == ([3, -1, 0, 2], ["", "", "slant", ""])


@pytest.mark.parametrize("make", [explorer, draw_a_digit])
@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"matching": [1, 2]}, r"^matching must be 4 integers of at least -1, one per class of c1, got \[1, 2\]"),
        ({"matching": [0, 1, 2, -2]}, "^matching must be 4 integers"),
        ({"matching": [0, 1, 2, 0.5]}, "^matching must be 4 integers"),
        ({"meanings": {"c9": "slant"}}, r"^meanings must give words to some of \('c1', .*\), got 'c9': 'slant'"),
        ({"meanings": {"c2": 3}}, r"^meanings must give words to some of .*, got 'c2': 3"),
    ],
)
def test_what_does_not_fit_the_codes_is_refused(make, known, message):
    with pytest.raises(ValueError, match=message):
        make(*pair(), **known)


def test_each_change_of_the_page_is_answered_whether_or_not_it_moves_a_picture():
    widget = explorer(*pair())
    before = widget.view
    widget.set_state({"categorical": [0, 0], "asked": 7})
    assert widget.answered == 7
    assert widget.view == before
