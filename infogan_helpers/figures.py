"""What all figures share: one style, levels, captions, and a description in words.

A figure describes itself in ``alt``. A notebook stores the words with the picture, where some exports look for them,
and below it, folded, for JupyterLab and nbconvert's own template, which look nowhere. Not here: any one figure (see
``plots`` and ``training_plots``).
"""

import html
import textwrap
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from infogan_helpers.arguments import TEXT, WORDS, instance, list_of, mapping_of, maybe, number, takes

PALETTE = sns.color_palette("colorblind")
LINE_STYLES = ("-", "--", ":", "-.")  # no information by colour alone
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
STYLE = {
    **sns.axes_style("ticks"),
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=PALETTE),
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


@takes(ax=instance(Axes), levels=maybe(mapping_of(number)))
def draw_levels(ax, levels):
    """Thin horizontal lines, each named at the end where the curves leave room."""
    curves_drawn = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines]
    for name, height in (levels or {}).items():
        ax.axhline(height, color="0.5", linewidth=1, zorder=0)
        room = [min((abs(y[end] - height) for y in curves_drawn if len(y)), default=0.0) for end in (0, -1)]
        x, side = (0.01, "left") if room[0] > room[1] else (0.99, "right")
        ax.annotate(
            name, (x, height), xycoords=("axes fraction", "data"), ha=side, va="bottom", fontsize=8, color="0.3"
        )


@takes(what=TEXT, name=WORDS, labels=list_of(TEXT))
def along(what, name, labels):
    """What stands along an axis, in words: all of a few labels, the ends of many."""
    if not labels:
        return f", {what}: {name}" if name else ""
    listed = ", ".join(labels) if len(labels) <= 12 else f"{labels[0]} to {labels[-1]}"
    return f", {what}: {name + ' ' if name else ''}{listed}"


@takes(fig=instance(Figure), caption=WORDS, what=TEXT)
def finish(fig, caption, what):
    """Write the caption and take the figure from pyplot's hands, so that a notebook shows it once, described."""
    if caption:
        width = int(fig.get_size_inches()[0] * 13)
        fig.supxlabel(textwrap.fill(caption, width), fontsize=9, color="0.25", x=0.02, ha="left")
    plt.close(fig)
    fig.alt = f"{what[0].upper()}{what[1:]}. {caption or ''}".strip()
    fig._ipython_display_ = partial(_show, fig)
    return fig


def _show(fig):
    """What IPython shows of a figure: its picture, and below it, folded, the words for who can't see it."""
    from IPython.core.pylabtools import print_figure  # there wherever a notebook asks for it
    from IPython.display import publish_display_data

    picture = {"image/png": print_figure(fig, base64=True), "text/plain": repr(fig)}
    publish_display_data(picture, {"image/png": {"alt": fig.alt}})
    words = html.escape(fig.alt, quote=False)
    publish_display_data({"text/html": f"<details><summary>In words</summary>{words}</details>"})
