"""The explorer's picture follows every control; the view of a training holds the latest figure."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import to_uint8
from infogan_helpers.networks import ARCHITECTURES
from infogan_helpers.training import TrainingConfig, fit
from infogan_helpers.widgets import PICTURE_SIDE, Explorer, TrainingView, explorer, image_to_png

SPEC = CodeSpec((4, 3), 2, 5)


def generator(spec=SPEC, architecture="conv", shape=(1, 28, 28)):
    torch.manual_seed(0)
    return ARCHITECTURES[architecture][0](spec, shape, 0.05)


def pixels(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return np.asarray(image)


def controls(widget):
    return [*widget.categorical, *widget.continuous]


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize("index", range(4))
def test_each_control_changes_the_picture_and_back(architecture, index):
    widget = explorer(generator(architecture=architecture), SPEC)
    control, before, picture = controls(widget)[index], widget.picture.value, widget.picture
    control.value = 1
    assert widget.picture.value != before
    assert widget.picture is picture
    control.value = 0
    assert widget.picture.value == before


def test_new_noise_changes_the_picture_and_keeps_the_codes():
    widget = explorer(generator(), SPEC)
    widget.continuous[1].value = -1.5
    before, noise = widget.picture.value, widget.noise
    widget.new_noise.click()
    assert widget.picture.value != before
    assert widget.noise.shape == (1, 5)
    assert not torch.equal(widget.noise, noise)
    assert widget.codes().continuous.tolist() == [[0.0, -1.5]]


def test_one_seed_gives_one_sequence_of_pictures_and_leaves_the_readers_seed_alone():
    state = torch.get_rng_state()
    net = generator()
    torch.set_rng_state(state)
    first, second, other = (explorer(net, SPEC, seed=s) for s in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.picture.value == second.picture.value != other.picture.value
    for widget in (first, second):
        widget.new_noise.click()
        widget.categorical[1].value = 2
    assert first.picture.value == second.picture.value


def test_the_picture_is_the_generators_output_for_the_codes_shown():
    net = generator()
    widget = explorer(net, SPEC)
    widget.categorical[0].value, widget.categorical[1].value = 3, 1
    widget.continuous[0].value, widget.continuous[1].value = 1.5, -0.5
    codes = widget.codes()
    assert codes.categorical.tolist() == [[3, 1]]
    assert codes.continuous.tolist() == [[1.5, -0.5]]
    with torch.no_grad():
        ink = (net(codes)[0, 0].numpy() + 1) / 2
    expected = ((1 - ink) * 255).round().astype("uint8").repeat(10, axis=0).repeat(10, axis=1)
    assert np.array_equal(pixels(widget.picture.value), expected)


def test_a_picture_is_dark_on_light_and_scaled_up_without_smoothing():
    image = torch.full((1, 1, 4, 4), -1.0)
    image[0, 0, 1, 2] = 1
    drawn = pixels(image_to_png(image))
    assert drawn.shape == (PICTURE_SIDE, PICTURE_SIDE)
    assert set(np.unique(drawn)) == {0, 255}
    assert (drawn[70:140, 140:210] == 0).all()
    assert (drawn == 0).sum() == 70 * 70
    assert pixels(image_to_png(to_uint8(image))).tolist() == drawn.tolist()


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        (CodeSpec((), 2, 5), (0, 2)),
        (CodeSpec((10,), 0, 5), (1, 0)),
        (CodeSpec((2, 3, 4), 1, 0), (3, 1)),
    ],
)
def test_there_is_a_control_a_code_named_as_in_the_paper(spec, counts):
    widget = explorer(generator(spec), spec)
    assert (len(widget.categorical), len(widget.continuous)) == counts
    assert tuple(c.description for c in controls(widget)) == spec.names
    assert [list(c.options) for c in widget.categorical] == [list(range(k)) for k in spec.categorical]
    for control in controls(widget):
        before = widget.picture.value
        control.value = 1
        assert widget.picture.value != before


def test_sliders_reach_twice_the_support_and_begin_in_its_middle():
    for slider in explorer(generator(), SPEC).continuous:
        assert (slider.min, slider.value, slider.max) == (-2, 0, 2)


def test_everything_is_on_display():
    widget = explorer(generator(), SPEC)

    def shown(parent):
        return [parent, *(w for child in getattr(parent, "children", ()) for w in shown(child))]

    ids = {w.model_id for w in shown(widget)}
    assert {w.model_id for w in (*controls(widget), widget.picture, widget.new_noise)} <= ids
    assert any("-1 and 1" in getattr(w, "value", "") for w in shown(widget) if type(w).__name__ == "Label")


@pytest.mark.parametrize("spec", [CodeSpec((4,), 2, 5), CodeSpec((4, 3), 1, 5), CodeSpec((4, 3), 2, 6), None])
def test_another_spec_than_the_generators_is_refused(spec):
    with pytest.raises(ValueError, match=r"^spec must be the generator's own, CodeSpec\(.*\), got "):
        explorer(generator(), spec)


def test_the_generator_is_put_in_eval_mode_and_its_statistics_stay():
    net = generator().train()
    state = {name: t.clone() for name, t in net.state_dict().items()}
    widget = explorer(net, SPEC)
    widget.continuous[0].value = 1
    widget.new_noise.click()
    assert not any(m.training for m in net.modules())
    assert all(torch.equal(t, state[name]) for name, t in net.state_dict().items())


def test_a_page_without_a_kernel_shows_a_sentence():
    widget = explorer(generator(), SPEC)
    assert isinstance(widget, Explorer)
    sentence = "Explorer of the codes c1, c2, c3, c4: run the cell to move its sliders."
    assert repr(widget) == sentence
    assert widget._repr_mimebundle_()["text/plain"] == sentence
    assert repr(TrainingView(SPEC)) == "Live view of a training: run the cell to watch it."


def test_a_generator_of_colours_is_refused():
    with pytest.raises(ValueError, match=r"^images must have shape \(n, 1, height, width\), got \(1, 3, 8, 8\)"):
        explorer(generator(shape=(3, 8, 8)), SPEC)


def test_the_view_of_a_training_is_redrawn_while_it_trains():
    view, seen = TrainingView(SPEC), []
    assert view.value == b""

    def update(history):
        view.update(history)
        seen.append(view.value)

    images = torch.randint(0, 256, (8, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    config = TrainingConfig(steps=4, batch_size=4, width=0.05, sample_every=2)
    fit(images, SPEC, config, device="cpu", callback=update, progress=False)
    assert len(seen) == 2
    assert seen[0] != seen[1]
    assert pixels(seen[1]).std() > 5
