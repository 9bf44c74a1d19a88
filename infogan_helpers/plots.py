"""Static figures of images, curves, dots, tables and points: tensors in, a ``Figure`` out, never shown from here.

Digits are drawn dark on light; a caption says what to look at. Not here: figures of a training (``training_plots``),
generating, measuring.
"""

import warnings
from collections.abc import Mapping
from numbers import Real

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch

from infogan_helpers.arguments import (
    BOOLEAN,
    TEXT,
    WORDS,
    above,
    at_least,
    images,
    instance,
    list_of,
    mapping_of,
    maybe,
    number,
    numbers,
    one_of,
    refuse,
    takes,
)
from infogan_helpers.figures import LINE_STYLES, MARKERS, PALETTE, STYLE, along, draw_levels, finish
from infogan_helpers.pictures import GAP, tile
from infogan_helpers.schedules import at, largest, weight

NUMBERS_READ_OUT = 40  # of a table, at most, in its description


def _labels(name, value):
    """Words or numbers that stand along an axis."""
    return list_of(instance(str, Real, what="words or a number"))(name, value)


def _pair(name, value):
    """``(low, high)``."""
    pair = list_of(number)(name, value)
    return tuple(pair) if len(pair) == 2 and pair[0] < pair[1] else refuse(name, "(low, high), two numbers", value)


@takes(
    images=images(None, 0),
    row_labels=maybe(_labels),
    column_labels=maybe(_labels),
    row_name=WORDS,
    column_name=WORDS,
    support=maybe(_pair),
    ink=BOOLEAN,
    title=WORDS,
    caption=WORDS,
    scale=above(0, 100),
)
def image_grid(
    images,
    columns,
    *,
    row_labels=None,
    column_labels=None,
    row_name=None,
    column_name=None,
    support=None,
    ink=True,
    title=None,
    caption=None,
    scale=0.55,
):
    """Images in a grid, row by row, with what varies written along the axes.

    Args:
        images: ``uint8`` or floats in [-1, 1], shape ``(n, 1 or 3, height, width)``; ``columns`` divides ``n``.
        columns: images per row.
        row_labels: a label per row.
        column_labels: a label per column; numbers are shown with a sign and one decimal.
        row_name: what the rows are.
        column_name: what the columns are.
        support: ``(low, high)`` of the prior: a line marks where ``column_labels`` that are floats, the values of a
            continuous code, leave it, and such ``row_labels`` likewise. Integers are classes, which have no support.
        ink: whether what is bright in one-channel images is ink, shown dark on light; ``False`` shows it as light.
        title: above the figure.
        caption: below it.
        scale: inches per image.

    Returns:
        A ``Figure``, which says in ``alt`` what it shows.

    Raises:
        ValueError: the images do not fill the grid, or labels do not fit it.
    """
    canvas, rows, (height, width) = tile(images, columns, ink)
    _check_labels(row_labels, rows, "row_labels")
    _check_labels(column_labels, columns, "column_labels")
    with plt.rc_context(STYLE):
        around = 0.8 + (0.3 if title else 0) + (0.3 if caption else 0)
        fig, ax = plt.subplots(
            figsize=(columns * scale + 0.9, rows * scale * height / width + around), layout="compressed"
        )
        ax.imshow(canvas, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        centres = (
            (width + GAP) * np.arange(columns) + width / 2 - 0.5,
            (height + GAP) * np.arange(rows) + height / 2 - 0.5,
        )
        ax.set_xticks(centres[0] if column_labels is not None else [], _texts(column_labels))
        ax.set_yticks(centres[1] if row_labels is not None else [], _texts(row_labels))
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set(xlabel=column_name, ylabel=row_name, title=title)
        if support is not None:
            _mark(ax.axvline, column_labels, support, width + GAP)
            _mark(ax.axhline, row_labels, support, height + GAP)
        what = f"{rows * columns} pictures in {rows} rows and {columns} columns"
        what += along("rows", row_name, _texts(row_labels)) + along("columns", column_name, _texts(column_labels))
        return finish(fig, caption, what)


@takes(
    series=mapping_of(numbers(None, 1, gaps=True), 1),
    levels=maybe(mapping_of(number)),
    xscale=one_of("linear", "log"),
    yscale=one_of("linear", "log"),
    xlabel=WORDS,
    ylabel=WORDS,
    title=WORDS,
    caption=WORDS,
)
def curves(x, series, *, xlabel, ylabel, levels=None, title=None, caption=None, xscale="linear", yscale="linear"):
    """Named curves over one axis, with horizontal levels to compare them to.

    Args:
        x: shape ``(n,)``, or a mapping from name to its own.
        series: name to values, shape ``(n,)`` each; or ``(seeds, n)``, of which the median is drawn, and a band from
            the lowest to the highest.
        xlabel: with its unit.
        ylabel: with its unit.
        levels: name to height, drawn as thin grey lines.
        title: above the figure.
        caption: below it.
        xscale: ``"linear"`` or ``"log"``.
        yscale: likewise.

    Returns:
        A ``Figure``, which says in ``alt`` what it shows.
    """
    axis = numbers(gaps=True)
    xs = {name: axis("x", x[name] if isinstance(x, Mapping) and name in x else x) for name in series}
    series = {name: np.atleast_2d(values) for name, values in series.items()}
    if wrong := [name for name, values in series.items() if values.shape[1:] != xs[name].shape]:
        raise ValueError(f"series must have as many values as x, got others for {wrong}")
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
        for i, (name, values) in enumerate(series.items()):
            ax.plot(xs[name], np.median(values, axis=0), label=name, linestyle=LINE_STYLES[i % len(LINE_STYLES)])
            if len(values) > 1:
                ax.fill_between(xs[name], values.min(axis=0), values.max(axis=0), alpha=0.2)
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale=xscale, yscale=yscale)
        draw_levels(ax, levels)
        if len(series) > 1:
            ax.legend()
        what = f"{ylabel} against {xlabel}: {', '.join(series)}" + along("levels", None, list(levels or {}))
        return finish(fig, caption, what)


@takes(xlabel=WORDS, ylabel=WORDS, title=WORDS, caption=WORDS, decimals=at_least(0), limits=maybe(_pair), unit=WORDS)
def heatmap(matrix, *, xlabel, ylabel, title=None, caption=None, decimals=2, limits=None, unit=None):
    """A matrix with its numbers written in: a joint distribution, a channel, a table of correlations.

    Args:
        matrix: array, tensor or ``DataFrame``, shape ``(rows, columns)``; a frame's labels are used.
        xlabel: what the columns are.
        ylabel: what the rows are.
        title: above the figure.
        caption: below it.
        decimals: of the numbers in the cells.
        limits: ``(low, high)`` of the colours; the matrix's own where it is ``None``.
        unit: written along the colour bar.

    Returns:
        A ``Figure``, which says in ``alt`` what it shows.
    """
    low, high = limits if limits is not None else (None, None)
    plain = numbers("rows, columns", gaps=True)("matrix", matrix)
    matrix = matrix if hasattr(matrix, "columns") else plain  # a frame has labels
    rows, columns = np.shape(matrix)
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(0.55 * columns + 2.2, 0.42 * rows + 1.4), layout="constrained")
        sns.heatmap(
            matrix, ax=ax, annot=True, fmt=f".{decimals}f", cmap="Blues" if low is None or low >= 0 else "vlag",
            vmin=low, vmax=high, linewidths=0.5, annot_kws={"size": 8}, cbar_kws={"label": unit},
        )  # fmt: skip
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
        ax.tick_params(length=0)
        ax.tick_params(axis="y", rotation=0)
        heads = [_texts(axis) for axis in (matrix.index, matrix.columns)] if hasattr(matrix, "columns") else [[], []]
        what = f"table of {unit or 'numbers'}, {rows} rows by {columns} columns"
        what += along("rows", ylabel, heads[0]) + along("columns", xlabel, heads[1])
        if rows * columns <= NUMBERS_READ_OUT:
            what += ", row by row: " + "; ".join(
                ", ".join(f"{value:.{decimals}f}" for value in row) for row in np.asarray(matrix, dtype=float)
            )
        return finish(fig, caption, what)


@takes(groups=mapping_of(numbers("n, 2"), 1), limits=_pair, xlabel=WORDS, ylabel=WORDS, title=WORDS, caption=WORDS)
def scatter(groups, *, xlabel, ylabel, title=None, caption=None, limits=(-1.1, 1.1)):
    """Points in the plane, a marker and a colour per group.

    Args:
        groups: name to points, shape ``(n, 2)`` each.
        xlabel: of the first coordinate.
        ylabel: of the second.
        title: above the figure.
        caption: below it.
        limits: of both axes.

    Returns:
        A ``Figure``, which says in ``alt`` what it shows.
    """
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(4.8, 3.8), layout="constrained")
        for i, (name, points) in enumerate(groups.items()):
            x, y = points.T
            colour, marker = PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]
            ax.scatter(x, y, s=12, color=colour, marker=marker, alpha=0.6, linewidths=0, label=name)
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title, xlim=limits, ylim=limits, aspect="equal")
        if len(groups) > 1:
            ax.legend(bbox_to_anchor=(1.02, 1), loc="upper left", markerscale=1.6)
        return finish(fig, caption, f"points of {', '.join(groups)}: {ylabel} against {xlabel}")


@takes(groups=mapping_of(numbers("n", 0), 1), xlabel=WORDS, ylabel=WORDS, title=WORDS, caption=WORDS)
def dots(groups, *, xlabel, ylabel, title=None, caption=None):
    """Every value as a dot on its group's own line, and the group's median as a tick: seeds, setting beside setting.

    Args:
        groups: name to values, shape ``(n,)`` each, from the top line down.
        xlabel: what the values are, with their unit.
        ylabel: what the groups are.
        title: above the figure.
        caption: below it.

    Returns:
        A ``Figure``, which says in ``alt`` what it shows, medians included.

    Raises:
        ValueError: a group has no values.
    """
    if empty := [name for name, values in groups.items() if not len(values)]:
        raise ValueError(f"groups must have at least one value each, got none for {empty}")
    medians = {name: float(np.median(values)) for name, values in groups.items()}
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(6.4, 0.36 * len(groups) + 1.2), layout="constrained")
        for line, (name, values) in enumerate(groups.items()):
            ax.plot(medians[name], line, marker="|", markersize=18, color="0.4", linestyle="none", zorder=1)
            ax.plot(values, np.full(len(values), line), "o", markersize=5, alpha=0.6, color=PALETTE[0])
        ax.set_yticks(range(len(groups)), list(groups))
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title, ylim=(len(groups) - 0.5, -0.5))
        what = "; ".join(f"{name}, {len(groups[name])} dots, median {medians[name]:.2f}" for name in groups)
        return finish(fig, caption, f"{xlabel}, a dot per value: {what}")


@takes(
    values=numbers("m"), measured=mapping_of(numbers("samples, m", gaps=True), 1), code=TEXT, support=_pair,
    caption=WORDS,
)  # fmt: skip
def measure_curves(values, measured, *, code, support=(-1, 1), caption=None):
    """Measures of the images against the value of the code that made them: mean and spread over samples.

    Args:
        values: the values that the code took, shape ``(m,)``.
        measured: name with unit to measurements, shape ``(samples, m)`` each.
        code: the code's name.
        support: of the prior, shaded.
        caption: below the figure.

    Returns:
        A ``Figure``: a panel per measure; the band is one standard deviation over samples.
    """
    if wrong := [name for name, samples in measured.items() if samples.shape[1] != len(values)]:
        raise ValueError(f"measured must have a column per value, {len(values)}, got others for {wrong}")
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(
            1, len(measured), figsize=(3.1 * len(measured), 2.9), layout="constrained", squeeze=False
        )
        for ax, (name, samples) in zip(axes[0], measured.items(), strict=True):
            mean, spread = _mean_and_spread(samples)
            ax.axvspan(*support, color="0.88", zorder=0, label="prior's support")
            ax.plot(values, mean, marker="o", markersize=3, label="mean")
            ax.fill_between(values, mean - spread, mean + spread, alpha=0.25, label="± 1 s.d.")
            ax.set(xlabel=f"{code}", ylabel=name)
        axes[0][0].legend(fontsize=8)
        what = f"mean and spread of {', '.join(measured)} against {code}, the prior's support shaded"
        return finish(fig, caption, what)


@takes(weights=mapping_of(weight, 1), caption=WORDS)
def schedules(weights, *, caption=None):
    """Weights that change over a run, each as a share of its own largest value.

    Args:
        weights: name to ``schedules.Ramp``, or to a number that stays.
        caption: below the figure.

    Returns:
        A ``Figure``, which says in ``alt`` what it shows.

    Raises:
        ValueError: a weight is 0 all the time.
    """
    if off := [name for name, weight in weights.items() if largest(weight) == 0]:
        raise ValueError(f"weights must be above 0 at some time, got 0 for {off}")
    done = np.linspace(0, 1, 201)
    series = {name: [at(weight, share) / largest(weight) for share in done] for name, weight in weights.items()}
    return curves(done, series, xlabel="share of the run", ylabel="share of the largest value", caption=caption)


def _mark(draw_line, labels, support, pitch):
    """A line, ``pitch`` pixels apart from label to label, wherever float labels enter or leave the support."""
    if not all(isinstance(v, (float, np.floating)) for v in _values(labels)):
        return
    inside = np.array([support[0] - 1e-6 <= float(v) <= support[1] + 1e-6 for v in _values(labels)])
    for i in np.flatnonzero(inside[1:] != inside[:-1]):
        draw_line(pitch * (i + 1) - GAP / 2 - 0.5, color=PALETTE[3], linestyle="--", linewidth=1.2)


def _texts(labels):
    values = _values(labels)
    return [f"{round(float(v), 1) + 0.0:+.1f}" if isinstance(v, (float, np.floating)) else str(v) for v in values]


def _values(labels):
    if labels is None:
        return []
    return labels.tolist() if isinstance(labels, torch.Tensor) else list(labels)


def _check_labels(labels, count, name):
    if labels is not None and len(labels) != count:
        raise ValueError(f"{name} must have {count} entries, got {len(labels)}")


def _mean_and_spread(samples):
    with warnings.catch_warnings():  # a value at which nothing could be measured leaves a gap, and no warning
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(samples, axis=0), np.nanstd(samples, axis=0)
