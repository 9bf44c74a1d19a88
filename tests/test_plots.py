"""Figures: returned, never shown, labelled, captioned, with the prior's support marked where it ends."""

import base64
import html
import io
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
import torch
from IPython.core.formatters import DisplayFormatter
from PIL import Image

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from infogan_helpers import plots, training_plots
from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods.players import StepMetrics
from infogan_helpers.pictures import GAP, to_colours
from infogan_helpers.schedules import Ramp
from infogan_helpers.training import History

SPEC = CodeSpec((10,), 2, 4)


@pytest.fixture(autouse=True)
def _nothing_is_shown_and_nothing_warns(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("shown")

    monkeypatch.setattr(plt, "show", refuse)
    monkeypatch.setattr(Figure, "show", refuse)
    before = dict(mpl.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def images(n, height=8, width=8):
    return torch.randint(0, 256, (n, 1, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def history(steps=60, pictures=3, rows=10):
    record = History(8, SPEC.sample(10), StepMetrics(*([] for _ in StepMetrics._fields)))
    for name in StepMetrics._fields:
        getattr(record, name).extend(float(x) for x in np.linspace(0.1, 0.9, steps))
    record.samples = [images(rows * 10) for _ in range(pictures)]
    record.sample_steps = [steps * (i + 1) // pictures for i in range(pictures)]
    return record


MEASURED = {"slant (rad)": np.eye(5), "width (px)": torch.eye(5)}
FIGURES = {
    "image_grid": lambda **o: plots.image_grid(images(20), 5, **o),
    "curves": lambda **o: plots.curves(range(5), {"a": np.ones(5), "b": torch.ones(5)}, xlabel="x", ylabel="y", **o),
    "heatmap": lambda **o: plots.heatmap(torch.eye(3), xlabel="x", ylabel="y", unit="share", **o),
    "dots": lambda **o: plots.dots({"a": torch.rand(5), "b": [0.5]}, xlabel="accuracy", ylabel="run", **o),
    "scatter": lambda **o: plots.scatter({"a": torch.rand(5, 2), "b": np.zeros((3, 2))}, xlabel="x", ylabel="y", **o),
    "measure_curves": lambda **o: plots.measure_curves(np.linspace(-2, 2, 5), MEASURED, code="c2", **o),
    "bound_curves": lambda **o: training_plots.bound_curves({"InfoGAN": history(), "λ = 0": history(40)}, SPEC, **o),
    "training_overview": lambda **o: training_plots.training_overview(history(), SPEC, **o),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_returned_drawn_and_captioned(name):
    figure = FIGURES[name](caption="Look at the\nlower left corner.")
    assert isinstance(figure, Figure)
    assert "lower left corner" in figure.get_supxlabel().replace("\n", " ")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    pixels = np.asarray(Image.open(buffer).convert("L"))
    assert pixels.std() > 5
    bare = FIGURES[name]()
    assert bare.get_supxlabel() == ""


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_describes_itself_and_a_notebook_stores_that_beside_the_picture(name, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.publish_display_data", lambda *bundle: shown.append(bundle))
    figure = FIGURES[name](caption="Look at the lower left corner.")
    assert figure.alt[0] == figure.alt[0].upper()
    assert figure.alt.endswith(". Look at the lower left corner.")
    assert DisplayFormatter().format(figure) == ({}, {})  # it shows itself
    [(data, metadata), (words,)] = shown
    assert metadata == {"image/png": {"alt": figure.alt}}
    assert set(data) == {"image/png", "text/plain"}
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.size[0] > 100
    in_words = html.escape(figure.alt, quote=False)
    assert words == {"text/html": f"<details><summary>In words</summary>{in_words}</details>"}
    assert FIGURES[name]().alt.endswith(".")


def test_descriptions_say_what_a_seeing_reader_sees():
    grid = plots.image_grid(images(6), 3, row_labels=["a", "b"], row_name="c1", column_labels=[-1.0, 0.0, 1.0])
    assert grid.alt == "6 pictures in 2 rows and 3 columns, rows: c1 a, b, columns: -1.0, +0.0, +1.0."
    many = plots.image_grid(images(20), 1, row_labels=range(20), column_name="noise")
    assert many.alt == "20 pictures in 20 rows and 1 columns, rows: 0 to 19, columns: noise."
    table = pd.DataFrame([[0.123, 1.0]], index=["c2"], columns=["slant", "width"])
    alt = plots.heatmap(table, xlabel="measure", ylabel="code", unit="ρ").alt
    assert (
        alt == "Table of ρ, 1 rows by 2 columns, rows: code c2, columns: measure slant, width, row by row: 0.12, 1.00."
    )
    assert "row by row" not in plots.heatmap(np.zeros((9, 9)), xlabel="x", ylabel="y").alt
    lines = plots.curves([0, 1], {"ours": [0, 1]}, xlabel="steps", ylabel="nats", levels={"H(c)": 2.3})
    assert lines.alt == "Nats against steps: ours, levels: H(c)."


def test_the_palette_is_seaborns_for_colour_blind_readers():
    assert sns.color_palette("colorblind") == plots.PALETTE
    assert len(set(plots.LINE_STYLES)) >= 4
    assert len(set(plots.MARKERS)) == len(plots.MARKERS) >= 10


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled(name):
    axes = [ax for ax in FIGURES[name]().axes if ax.axison and not ax.images and ax.get_label() != "<colorbar>"]
    assert all(ax.get_ylabel() for ax in axes)
    assert all(ax.get_xlabel() for ax in axes)


@pytest.mark.parametrize("name", ["image_grid", "curves", "heatmap", "scatter", "dots"])
def test_titles_are_written(name):
    assert FIGURES[name](title="A title").axes[0].get_title() == "A title"


# --- grids


def test_a_grid_puts_each_image_in_its_place_row_by_row():
    stack = images(6)
    canvas = plots.image_grid(stack, 3).axes[0].images[0].get_array()
    pitch = 8 + GAP
    assert canvas.shape == (2 * pitch - GAP, 3 * pitch - GAP)
    for i in range(6):
        y, x = (i // 3) * pitch, (i % 3) * pitch
        np.testing.assert_allclose(canvas[y : y + 8, x : x + 8], stack[i, 0] / 255, atol=1e-6)
    assert (canvas[8:10] == 0).all()


def test_a_grid_of_floats_is_that_of_the_bytes_and_ink_is_dark():
    stack = images(4)
    picture = plots.image_grid(stack, 2).axes[0].images[0]
    other = plots.image_grid(stack / 127.5 - 1, 2).axes[0].images[0]
    np.testing.assert_allclose(picture.get_array(), other.get_array(), atol=1e-6)
    assert picture.get_clim() == (0, 1)
    assert picture.cmap(0.0)[:3] == (1, 1, 1)
    assert picture.cmap(1.0)[:3] == (0, 0, 0)


def test_light_is_shown_as_light_on_white_paper():
    stack = images(6)
    lit, dark = (plots.image_grid(stack, 3, ink=ink).axes[0].images[0] for ink in (False, True))
    np.testing.assert_allclose(lit.get_array()[:8, :8], 1 - dark.get_array()[:8, :8], atol=1e-6)
    assert lit.cmap is dark.cmap or lit.cmap(1.0) == dark.cmap(1.0)
    assert (lit.get_array()[8:10] == 0).all()  # the gaps stay white


def test_labels_stand_at_the_centre_of_their_images():
    values = np.linspace(-2, 2, 5)
    figure = plots.image_grid(images(10), 5, column_labels=values, row_labels=[3, 7], column_name="c2", row_name="c1")
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["-2.0", "-1.0", "+0.0", "+1.0", "+2.0"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["3", "7"]
    assert ax.get_xticks().tolist() == [3.5, 13.5, 23.5, 33.5, 43.5]
    assert ax.get_yticks().tolist() == [3.5, 13.5]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("c2", "c1")


@pytest.mark.parametrize("zero", [-0.0, -1e-9, torch.tensor(-1e-9).item()])
def test_a_zero_has_no_minus(zero):
    ax = plots.image_grid(images(1), 1, column_labels=[zero]).axes[0]
    assert ax.get_xticklabels()[0].get_text() == "+0.0"


@pytest.mark.parametrize("kind", [np.array, list, torch.tensor, np.float32])
def test_the_support_is_marked_between_the_right_columns(kind):
    values = kind(np.linspace(-2, 2, 9))  # -2 -1.5 | -1 … 1 | 1.5 2
    ax = plots.image_grid(images(18), 9, column_labels=values, support=(-1, 1)).axes[0]
    # Image 1 ends with pixel 17, image 2 begins with pixel 20: the middle between them is 18.5.
    assert sorted(line.get_xdata()[0] for line in ax.lines) == [18.5, 68.5]
    assert all(list(line.get_ydata()) == [0, 1] for line in ax.lines)


def test_the_support_is_marked_between_rows_too():
    values = torch.linspace(-2, 2, 5)
    ax = plots.image_grid(images(10), 2, row_labels=values, support=(-1, 1)).axes[0]
    assert sorted(line.get_ydata()[0] for line in ax.lines) == [8.5, 38.5]


def test_nothing_is_marked_inside_the_support_nor_for_classes_and_words():
    inside = plots.image_grid(images(5), 5, column_labels=np.linspace(-1, 1, 5), support=(-1, 1))
    classes = plots.image_grid(images(10), 1, row_labels=range(10), support=(-1, 1))
    words = plots.image_grid(images(2), 2, column_labels=["before", "after"], support=(-1, 1))
    unasked = plots.image_grid(images(5), 5, column_labels=np.linspace(-2, 2, 5))
    assert [len(f.axes[0].lines) for f in (inside, classes, words, unasked)] == [0, 0, 0, 0]


@pytest.mark.parametrize("columns", [0, -1, 3, 11, 2.0, None])
def test_columns_must_divide_the_images(columns):
    with pytest.raises(ValueError, match=rf"^columns must divide the number of images, 10, got {columns!r}"):
        plots.image_grid(images(10), columns)


@pytest.mark.parametrize(("name", "count"), [("row_labels", 2), ("column_labels", 5)])
def test_labels_must_fit_the_grid(name, count):
    with pytest.raises(ValueError, match=rf"^{name} must have {count} entries, got 3"):
        plots.image_grid(images(10), 5, **{name: [1, 2, 3]})


@pytest.mark.parametrize("shape", [(4, 2, 8, 8), (4, 8, 8), (8, 8)])
def test_a_grid_takes_ink_or_colours(shape):
    with pytest.raises(ValueError, match=r"^images must have shape \(n, 1, height, width\), got "):
        plots.image_grid(torch.zeros(shape), 2)


def test_a_grid_of_colours_shows_them_as_they_are_on_white():
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).reshape(1, 3, 1, 1).expand(4, 3, 5, 6)
    (axes,) = plots.image_grid(red, 2).axes
    shown = axes.images[0].get_array()
    assert shown.shape == (2 * 5 + GAP, 2 * 6 + GAP, 3)
    assert shown[0, 0].tolist() == [1, 0, 0]
    assert shown[5, 0].tolist() == [1, 1, 1]
    assert to_colours(red.float() / 127.5 - 1).tolist() == to_colours(red).tolist()
    with pytest.raises(ValueError, match=r"images must have shape \(n, 3, height, width\), got \(2, 8, 8\)"):
        to_colours(torch.zeros(2, 8, 8))


def test_schedules_are_drawn_as_shares_of_their_largest_value():
    figure = plots.schedules({"λ": Ramp(0.25, 0.75, 0.0, 4.0), "noise": Ramp(0.0, 0.5, 0.3, 0.15), "constant": 2.0})
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    assert [lines["λ"][i] for i in (0, 50, 100, 150, 200)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert [lines["noise"][i] for i in (0, 50, 100, 200)] == pytest.approx([1, 0.75, 0.5, 0.5])
    assert set(lines["constant"]) == {1.0}
    with pytest.raises(ValueError, match=r"weights must be above 0 at some time, got 0 for \['off'\]"):
        plots.schedules({"off": 0.0, "on": 1.0})


def test_a_grid_of_nothing_is_refused():
    with pytest.raises(ValueError, match="columns must divide the number of images, 0, got 1"):
        plots.image_grid(images(0), 1)


# --- curves and tables


def test_curves_differ_in_line_style_and_draw_their_levels():
    figure = plots.curves(
        {"a": [0, 1], "b": [0, 1, 2]}, {"a": [1, 2], "b": torch.tensor([3.0, 4, 5], requires_grad=True)},
        xlabel="x", ylabel="y", levels={"ln 10": 2.3}, xscale="linear", yscale="log",
    )  # fmt: skip
    ax = figure.axes[0]
    lines = ax.lines
    assert [line.get_linestyle() for line in lines[:2]] == ["-", "--"]
    assert lines[1].get_ydata().tolist() == [3, 4, 5]
    assert lines[2].get_ydata() == [2.3, 2.3]
    assert [t.get_text() for t in ax.texts] == ["ln 10"]
    assert ax.get_yscale() == "log"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b"]


def test_one_curve_needs_no_legend():
    assert plots.curves([0, 1], {"a": [1, 2]}, xlabel="x", ylabel="y").axes[0].get_legend() is None


def test_a_heatmap_writes_its_numbers_and_a_frames_labels():
    frame = pd.DataFrame([[0.5, -0.25], [1, 0]], index=["c2", "c3"], columns=["slant", "width"])
    ax = plots.heatmap(frame, xlabel="measure", ylabel="code", limits=(-1, 1), decimals=2, unit="ρ").axes[0]
    assert [t.get_text() for t in ax.texts] == ["0.50", "-0.25", "1.00", "0.00"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["slant", "width"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["c2", "c3"]


def test_a_heatmap_takes_tensors_with_gradients_and_integers():
    assert plots.heatmap(torch.ones(2, 2, requires_grad=True), xlabel="x", ylabel="y").axes[0].texts
    ax = plots.heatmap(np.array([[10, 2000]]), xlabel="x", ylabel="y", decimals=0).axes[0]
    assert [t.get_text() for t in ax.texts] == ["10", "2000"]


def test_every_value_is_a_dot_on_its_groups_line_and_the_median_a_tick():
    fig = plots.dots({"plain": [0.2, 0.9, 0.4], "recipe": torch.tensor([0.98, 0.97])}, xlabel="accuracy", ylabel="run")
    ax = fig.axes[0]
    ticks, points = ax.lines[::2], ax.lines[1::2]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["plain", "recipe"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first group is on top"
    assert [list(line.get_xdata()) for line in ticks] == [[0.4], [pytest.approx(0.975)]]
    assert sorted(points[0].get_xdata()) == [0.2, 0.4, 0.9]
    assert set(points[0].get_ydata()) == {0}
    assert set(points[1].get_ydata()) == {1}
    assert "plain, 3 dots, median 0.40" in fig.alt


def test_a_group_without_a_value_is_refused():
    with pytest.raises(ValueError, match=r"groups must have at least one value each, got none for \['b'\]"):
        plots.dots({"a": [1.0], "b": []}, xlabel="accuracy", ylabel="run")


def test_several_seeds_are_a_curve_of_medians_in_a_band_from_the_lowest_to_the_highest():
    values = np.array([[0.0, 5.0], [1.0, 6.0], [8.0, 7.0]])
    ax = plots.curves([0, 1], {"ours": values, "one": [2, 3]}, xlabel="labels", ylabel="accuracy").axes[0]
    assert ax.lines[0].get_ydata().tolist() == [1.0, 6.0]
    assert ax.lines[1].get_ydata().tolist() == [2.0, 3.0]
    [band] = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.0, 8.0)


def test_one_group_of_points_needs_no_legend():
    assert plots.scatter({"a": np.zeros((3, 2))}, xlabel="x", ylabel="y").axes[0].get_legend() is None
    both = {"a": np.zeros((3, 2)), "b": np.ones((3, 2))}
    assert plots.scatter(both, xlabel="x", ylabel="y").axes[0].get_legend() is not None


def test_a_scatter_has_a_marker_a_group():
    groups = {str(i): np.full((4, 2), i / 10) for i in range(10)}
    ax = plots.scatter(groups, xlabel="x", ylabel="y", limits=(-2, 2)).axes[0]
    assert len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 10
    assert ax.get_xlim() == ax.get_ylim() == (-2, 2)


def test_measure_curves_draw_mean_and_spread_without_images_that_had_no_ink():
    measured = np.array([[1.0, 2, 3], [3, 4, np.nan]])
    figure = plots.measure_curves([-2, 0, 2], {"slant (rad)": measured}, code="c2")
    ax = figure.axes[0]
    assert ax.lines[0].get_ydata().tolist() == [2, 3, 3]
    assert ax.get_ylabel() == "slant (rad)"
    assert ax.get_xlabel() == "c2"
    band = next(c for c in ax.collections if c.get_label().startswith("±")).get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(1)
    assert band[:, 1].max() == pytest.approx(4)
    support = ax.patches[0].get_window_extent().transformed(ax.transData.inverted())  # a Polygon before matplotlib 3.9
    assert (support.x0, support.x1) == (pytest.approx(-1), pytest.approx(1))


def test_measure_curves_bear_a_value_at_which_nothing_had_ink():
    plots.measure_curves([0.0, 2.0], {"width (px)": np.array([[1.0, np.nan], [2.0, np.nan]])}, code="c2")


# --- runs


def test_bound_curves_average_over_the_window_and_show_the_ceiling():
    run = history(60)
    ax = training_plots.bound_curves({"InfoGAN": run}, SPEC, window=10).axes[0]
    x, y = ax.lines[0].get_data()
    assert (x[0], x[-1], len(x)) == (10, 60, 51)
    assert y[0] == pytest.approx(np.mean(run.bound_categorical[:10]))
    assert y[-1] == pytest.approx(np.mean(run.bound_categorical[-10:]))
    assert ax.lines[1].get_ydata()[0] == pytest.approx(np.log(10))
    assert [t.get_text() for t in ax.texts] == ["H(c) = 2.30", "nothing known"]


def test_an_overview_of_a_run_shorter_than_the_window():
    figure = training_plots.training_overview(history(steps=3, pictures=1), SPEC)
    assert len(figure.axes) == 4
    assert figure.axes[3].get_title() == "fixed codes, step 3"


@pytest.mark.parametrize("spec", [CodeSpec((), 2, 4), CodeSpec((3,), 0, 4)])
def test_an_overview_bears_a_missing_kind_of_code(spec):
    run = history(rows=3)
    if not spec.categorical:
        run.code_recovery = [float("nan")] * len(run)
    training_plots.training_overview(run, spec).canvas.draw()


def test_a_run_without_a_picture_is_refused():
    with pytest.raises(ValueError, match=r"^history must hold a sample picture, got none after 7 steps"):
        training_plots.training_overview(history(steps=7, pictures=0), SPEC)
