"""Figures of a training: its losses and bounds over the steps, and what the same codes drew last.

Not here: the record itself, ``training.History``, and figures of anything else (``plots``).
"""

import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from infogan_helpers.arguments import WORDS, at_least, instance, mapping_of, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.figures import LINE_STYLES, STYLE, draw_levels, finish
from infogan_helpers.pictures import tile
from infogan_helpers.plots import curves
from infogan_helpers.training import History

OVERVIEW = (8.2, 6.2)  # inches


@takes(histories=mapping_of(instance(History), 1), spec=instance(CodeSpec), caption=WORDS, window=at_least(1))
def bound_curves(histories, spec, *, caption=None, window=25):
    """L_I of the categorical codes over training, run beside run, under its ceiling H(c).

    Args:
        histories: name to ``training.History``.
        spec: the ``CodeSpec``, for the ceiling.
        caption: below the figure.
        window: steps that are averaged.

    Returns:
        A ``Figure``, which says in ``alt`` what it shows.
    """
    steps = {name: _averaged_steps(history, window) for name, history in histories.items()}
    series = {name: _smooth(history.bound_categorical, window) for name, history in histories.items()}
    ceiling = spec.entropy().categorical
    return curves(
        steps, series, xlabel="training step", ylabel="L_I of the categorical code (nats)",
        levels={f"H(c) = {ceiling:.2f}": ceiling, "nothing known": 0.0}, caption=caption,
    )  # fmt: skip


@takes(history=instance(History), spec=instance(CodeSpec), caption=WORDS, window=at_least(1))
def training_overview(history, spec, *, caption=None, window=25):
    """A run in one figure: losses, L_I under its ceiling, D's accuracy and code recovery, and the latest samples.

    Args:
        history: a ``training.History`` with at least one sample picture.
        spec: its ``CodeSpec``.
        caption: below the figure.
        window: steps that are averaged.

    Returns:
        A ``Figure``, which says in ``alt`` what it shows.

    Raises:
        ValueError: the history holds no sample picture.
    """
    if not history.samples:
        raise ValueError(f"history must hold a sample picture, got none after {len(history)} steps")
    steps, entropy = _averaged_steps(history, window), spec.entropy()
    panels = (
        ("loss (nats)", {"D": history.d_loss, "G": history.g_loss}, {}),
        (
            "L_I (nats)",
            {"categorical": history.bound_categorical, "continuous": history.bound_continuous},
            {f"H(c) = {entropy.categorical:.2f}": entropy.categorical},
        ),
        ("share", {"D is right": history.d_accuracy, "code recovered": history.code_recovery}, {"a coin": 0.5}),
    )
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(2, 2, figsize=OVERVIEW, layout="constrained")
        for ax, (ylabel, series, levels) in zip(axes.flat, panels, strict=False):
            for (name, values), line in zip(series.items(), LINE_STYLES, strict=False):
                ax.plot(steps, _smooth(values, window), label=name, linestyle=line)
            ax.set(xlabel="training step", ylabel=ylabel)
            draw_levels(ax, levels)
            ax.legend(fontsize=8)
        canvas, _, _ = tile(history.samples[-1], 10)
        axes[1, 1].imshow(canvas, cmap="gray_r", vmin=0, vmax=1)
        axes[1, 1].set_axis_off()
        axes[1, 1].set_title(f"fixed codes, step {history.sample_steps[-1]}")
        what = f"losses, L_I and shares over {len(history)} training steps, and the latest sample pictures"
        return finish(fig, caption, what)


def nothing_trained():
    """A figure as large as ``training_overview`` that says that no step was taken, to stand in its place until then."""
    with plt.rc_context(STYLE):
        fig = plt.figure(figsize=OVERVIEW)
        fig.text(0.5, 0.5, "No step taken yet.", ha="center", va="center")
        return finish(fig, None, "a place for the losses, bounds and pictures of a training that has not begun")


@takes(figure=instance(Figure))
def as_png(figure):
    """The bytes of a figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _smooth(values, window):
    values = np.asarray(values, dtype=float)
    window = min(window, len(values))
    return np.convolve(values, np.ones(window) / window, mode="valid") if window else values


def _averaged_steps(history, window):
    return np.arange(max(1, min(window, len(history))), len(history) + 1)
