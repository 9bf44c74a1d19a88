"""How long the explorer takes: in the kernel, beside matplotlib; in a browser; and what a training's live view costs.

    python tests/benchmarks/explorer.py            # kernel and training, on one core
    python tests/benchmarks/explorer.py --browser  # and JupyterLab in Chromium, notebook 05

Kernel: from a slider's event to the new PNG and Q's readings, all ten thumbnails included; the rival draws the same
view with matplotlib, behind ``interactive_output``. Both move through the same places, in turn. Browser: from the key
press to the frame with changed pixels. Writes ``results/explorer.md``.
"""

import argparse
import io
import platform
import statistics
import sys
import time
from datetime import date
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from harness import RESULTS, markdown
from pandas import DataFrame

from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import mnist_sample
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.methods import digits
from infogan_helpers.widgets import TrainingView, explorer

MOVES, KEYS, STEPS = 300, 60, 200
NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "05_latent_traversals.ipynb"


def with_matplotlib(generator, discriminator_q, spec):
    """The same view as tutorials draw it: sliders, ``interactive_output`` and one figure; returns the sliders."""

    def draw(c2, c3):
        codes = spec.codes_at([0], [c2, c3], (0, 1)).sweep_categorical(0, range(10))
        images = draw_images(generator, codes)
        posterior = read_codes(discriminator_q, images[:1])
        figure, axes = plt.subplot_mosaic([["large"] * 5 + ["bars"] * 5, list("0123456789")], figsize=(7, 4))
        axes["large"].imshow(images[0, 0], cmap="gray_r")
        axes["bars"].barh(range(10), posterior.categorical_logits[0].softmax(1)[0])
        for k in range(10):
            axes[str(k)].imshow(images[k, 0], cmap="gray_r")
            axes[str(k)].axis("off")
        figure.savefig(io.BytesIO(), format="png")
        plt.close(figure)

    sliders = {name: ipywidgets.FloatSlider(min=-2, max=2) for name in ("c2", "c3")}
    ipywidgets.interactive_output(draw, sliders)
    return sliders


def in_the_kernel():
    """Milliseconds a move, ours and matplotlib's."""
    generator, discriminator_q, spec, _ = load_pretrained("mnist")
    widget, sliders = explorer(generator, discriminator_q), with_matplotlib(generator, discriminator_q, spec)
    places = np.random.default_rng(0).uniform(-2, 2, MOVES)
    ours, theirs = [], []
    for i, place in enumerate(places):
        started = time.perf_counter()
        widget.continuous = [float(place), 0.0]
        ours.append(1000 * (time.perf_counter() - started))
        if i % 10 == 0:
            started = time.perf_counter()
            sliders["c2"].value = float(place)
            theirs.append(1000 * (time.perf_counter() - started))
    return ours, theirs


def in_the_browser():
    """Milliseconds from a key press to the frame that shows it, in JupyterLab."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from browser import browser_page, find, open_and_run, serve_notebook

    with serve_notebook(NOTEBOOK) as address, browser_page() as page:
        open_and_run(page, address)
        view = find(page, ".thumbnails")
        slider = view.get_by_role("slider", name="c2, slant", exact=True)
        slider.focus()
        view.evaluate(
            """view => {
            window.pressed = [];
            window.shown = [];
            view.addEventListener("keydown", () => window.pressed.push(performance.now()), true);
            new MutationObserver(() => requestAnimationFrame(() => window.shown.push(performance.now())))
                .observe(view, { attributes: true, attributeFilter: ["data-drawn"] });
        }"""
        )
        for i in range(KEYS):
            page.keyboard.press("ArrowRight" if (i // 15) % 2 == 0 else "ArrowLeft")
            page.wait_for_function("window.shown.length === window.pressed.length")
        pressed, shown = page.evaluate("window.pressed"), page.evaluate("window.shown")
    return [after - before for before, after in zip(pressed, shown, strict=True)]


def while_training():
    """The live view's share of a training's time: one picture every ``sample_every`` steps of the defaults."""
    config, view, updates = digits.Config(steps=STEPS, sample_every=STEPS), TrainingView(CodeSpec()), []
    run = digits.fit(mnist_sample().images, CodeSpec(), config, device="cpu", progress=False)
    for _ in range(7):
        started = time.perf_counter()
        view.update(run.history)
        updates.append(time.perf_counter() - started)
    between = digits.Config().sample_every * run.history.seconds / STEPS
    return statistics.median(updates) / between


def row(name, times):
    times = sorted(times)
    return {
        "what": name,
        "median (ms)": f"{statistics.median(times):.1f}",
        "95th percentile (ms)": f"{times[int(0.95 * len(times))]:.1f}",
        "moves": len(times),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", action="store_true", help="measure in Chromium too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    ours, theirs = in_the_kernel()
    rows = [
        row("kernel: slider event to PNG and readings", ours),
        row("kernel: the same view by matplotlib and `interactive_output`", theirs),
    ]
    if options.browser:
        rows.append(row("JupyterLab in Chromium: key press to changed pixels", in_the_browser()))
    ratio = statistics.median(theirs) / statistics.median(ours)
    lines = [
        "# The explorer's latency",
        "",
        f"`python tests/benchmarks/explorer.py {' '.join(sys.argv[1:])}` · {platform.machine()}, one thread, "
        f"Python {platform.python_version()}, torch {torch.__version__.split('+')[0]}, {date.today().isoformat()}",
        "",
        *markdown(DataFrame(rows)),
        "",
        f"matplotlib takes {ratio:.1f} times as long. The live view of a training costs {while_training():.1%} of it.",
    ]
    (RESULTS / "explorer.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
