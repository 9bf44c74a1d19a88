"""The explorer: controls in, pictures out, what Q reads beside them; the same page without a kernel; a training's view.

The page itself is ``static/explorer.js``, which anywidget shows in JupyterLab, VS Code and Colab. Not here: figures,
which are static and live in ``plots``.
"""

import base64
import io
import itertools
import json
import math
from pathlib import Path

import anywidget
import ipywidgets
import numpy as np
import torch
import traitlets

from infogan_helpers.data import like_mnist
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.pictures import sheet, side_by_side, to_ink
from infogan_helpers.plots import training_overview

STATIC = Path(__file__).parent / "static"
LIMIT = 2.0  # sliders reach twice the support of a uniform prior
STEP = 0.1
SHEET_STEP = 0.2  # of an exported page, which holds every picture that it can show
SHEET_SCALES = {"mean": 3.0, "deviation": 1.5}  # the largest values that an exported page's bytes can tell
CANVAS_SCALE = 4  # canvas pixels per pixel of the model's picture
OTHERS = 4  # noise vectors shown beside a drawing
LINE = "generator(spec.codes_at(categorical={categorical}, continuous={continuous}, seeds={seeds}, between={between}))"
INVITATION = "Draw a digit, large, in the middle."
NOTHING_DRAWN = {"text": INVITATION, "seen": None, "others": None}


class Explorer(anywidget.AnyWidget):
    """Controls, pictures that follow them, and what Q reads back; made by ``explorer`` and its relatives.

    Setting a trait is moving a control: the picture follows. A value that no control can show is a ``ValueError``.

    Attributes:
        categorical: the class of each categorical code, a list.
        continuous: the value of each continuous code, in [-2, 2], a list.
        seeds: of the two noise vectors, a list.
        between: where the noise lies on the way from one to the other, in [0, 1].
        drawing: the canvas, four times the size of a picture, row by row, a byte per pixel, 255 is ink; empty before
            the first stroke.
        view: what the page shows: per model a PNG (a thumbnail for each class of the first categorical code, side by
            side) and Q's reading of the chosen one; the codes they belong to; the line of code that draws the picture.
    """

    _esm = STATIC / "explorer.js"
    _css = STATIC / "explorer.css"

    page = traitlets.Dict().tag(sync=True)
    categorical = traitlets.List(traitlets.Int()).tag(sync=True)
    continuous = traitlets.List(traitlets.Float()).tag(sync=True)
    seeds = traitlets.List(traitlets.Int()).tag(sync=True)
    between = traitlets.Float().tag(sync=True)
    drawing = traitlets.Bytes().tag(sync=True, from_json=lambda value, _: bytes(value))  # a memoryview on the wire
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, models, seed=0, canvas=False):
        self._models = models
        generator = next(iter(models.values()))[0]
        self._spec, self._drawn = generator.spec, None
        self._canvas = [CANVAS_SCALE * side for side in generator.image_shape[1:]]
        self._of_drawing = NOTHING_DRAWN
        super().__init__(
            page=_page(generator, list(models), canvas),
            categorical=[0] * len(self._spec.categorical),
            continuous=[0.0] * self._spec.continuous,
            seeds=[seed, seed + 1],
        )
        self._draw()
        self.observe(self._draw, names=["categorical", "continuous", "seeds", "between"])
        self.observe(self._read, names="drawing")

    def __repr__(self):
        return f"Explorer of the codes {', '.join(self._spec.names)}: run the cell to move its sliders."

    def codes(self):
        """The codes that the controls show, as ``Codes`` of one row."""
        return self._spec.codes_at(self.categorical, self.continuous, self.seeds, self.between)

    @traitlets.validate("categorical", "continuous", "seeds", "between", "drawing")
    def _check(self, proposal):
        name, value, spec = proposal["trait"].name, proposal["value"], self._spec
        got = value
        if name == "categorical":
            fits = len(value) == len(spec.categorical) and all(
                0 <= k < size for k, size in zip(value, spec.categorical, strict=True)
            )
            wanted = f"{len(spec.categorical)} integers, each below its code's {spec.categorical} classes"
        elif name == "continuous":
            fits = len(value) == spec.continuous and all(abs(x) <= LIMIT for x in value)
            wanted = f"{spec.continuous} numbers in [-{LIMIT:g}, {LIMIT:g}]"
        elif name == "seeds":
            fits, wanted = len(value) == 2 and min(value) >= 0, "two integers of at least 0"
        elif name == "between":
            fits, wanted = 0 <= value <= 1, "a number in [0, 1]"
        else:
            pixels, got = math.prod(self._canvas), len(value)
            fits, wanted = got in (0, pixels), f"empty or {pixels} bytes, one per pixel"
        if not fits:
            raise ValueError(f"{name} must be {wanted}, got {got!r}")
        return value

    def _draw(self, _=None):
        state = (self.categorical, self.continuous, self.seeds, self.between, self._of_drawing)
        if state == self._drawn:
            return  # several traits came in one message: drawn already
        codes, chosen = self.codes(), self.categorical[0] if self.categorical else 0
        swept = codes.sweep_categorical(0, range(self._spec.categorical[0])) if self.categorical else codes
        sprites, readings = [], []
        for generator, discriminator_q in self._models.values():
            images = draw_images(generator, swept)
            sprites.append(side_by_side(images))
            readings.append(_reading(read_codes(discriminator_q, images[chosen : chosen + 1])))
        line = LINE.format(
            categorical=self.categorical, continuous=self.continuous, seeds=tuple(self.seeds), between=self.between
        )
        shown = {"categorical": self.categorical, "continuous": self.continuous}
        self._drawn = state
        self.view = {
            "sprites": sprites,
            "readings": readings,
            "codes": shown,
            "line": line,
            "drawing": self._of_drawing,
        }

    def _read(self, _):
        """Q reads the drawing, and the controls go to what it read."""
        ink = np.frombuffer(self.drawing, dtype=np.uint8)
        if not ink.any():
            self._of_drawing = NOTHING_DRAWN
            self._draw()
            return
        generator, discriminator_q = next(iter(self._models.values()))
        seen = like_mnist(torch.from_numpy(ink.copy()).reshape(self._canvas), generator.image_shape[1])
        posterior = read_codes(discriminator_q, seen)
        classes = [int(logits.argmax()) for logits in posterior.categorical_logits]
        values = [round(float(x), 2) for x in posterior.mean[0].clamp(-LIMIT, LIMIT)]
        codes = self._spec.codes_at(classes, values, self.seeds, self.between)
        noise = self._spec.sample(OTHERS, torch.Generator().manual_seed(self.seeds[0])).noise
        others = draw_images(generator, codes[torch.zeros(OTHERS, dtype=torch.long)].replace(noise=noise))
        shared = _shared_ink(to_ink(seen), to_ink(draw_images(generator, codes)))
        self._of_drawing = {
            "text": f"Q reads {_spelled(self._spec, posterior)}. G redraws that, and the two share {shared:.0%} of "
            "their ink: InfoGAN has no encoder for the noise, so what no code holds is lost.",
            "seen": side_by_side(seen),
            "others": side_by_side(others),
        }
        with self.hold_trait_notifications():
            self.categorical, self.continuous = classes, values
        self._draw()


def explorer(generator, discriminator_q, seed=0):
    """Sliders for the codes, the picture that they make, and what Q reads back from it.

    Args:
        generator: a trained generator of images with one channel, or with three for red, green and blue.
        discriminator_q: the network that was trained with it.
        seed: of the first noise vector.

    Returns:
        An ``Explorer``, a widget to display.

    Raises:
        ValueError: the two were built for different codes or pictures, or the pictures have another number of channels.
    """
    return Explorer(_checked({"": (generator, discriminator_q)}), seed)


def compare_models(models, seed=0):
    """One set of controls, several models at the same codes and the same noise.

    Args:
        models: a dictionary from title to ``(generator, discriminator_q)``, all of one spec and one image shape.
        seed: of the first noise vector.

    Returns:
        An ``Explorer``.

    Raises:
        ValueError: as in ``explorer``, or there are no models.
    """
    return Explorer(_checked(models), seed)


def draw_a_digit(generator, discriminator_q, seed=0):
    """A canvas beside the explorer: Q reads what you draw, G redraws it, and the sliders turn and thicken it.

    Args:
        generator, discriminator_q, seed: as in ``explorer``.

    Returns:
        An ``Explorer`` with a canvas.

    Raises:
        ValueError: as in ``explorer``.
    """
    models = _checked({"G redraws": (generator, discriminator_q)})
    channels, height, width = generator.image_shape
    if channels != 1 or height != width:
        raise ValueError(f"generator must draw square images of one channel, got {generator.image_shape}")
    return Explorer(models, seed, canvas=True)


def export_explorer(path, generator, discriminator_q, seed=0):
    """Write the explorer as one HTML file that needs neither a kernel nor a network.

    It holds a picture for each class of the first categorical code and each step of the first two continuous codes;
    any other code stays at 0, and the noise is one vector.

    Args:
        path: the file to write.
        generator, discriminator_q, seed: as in ``explorer``.

    Returns:
        ``path``, as a ``Path``.

    Raises:
        ValueError: as in ``explorer``.
    """
    _checked({"": (generator, discriminator_q)})
    spec, steps = generator.spec, round(2 * LIMIT / SHEET_STEP) + 1
    values = np.linspace(-LIMIT, LIMIT, steps).round(4)
    axes, classes = min(2, spec.continuous), spec.categorical[0] if spec.categorical else 1
    start = spec.codes_at([0] * len(spec.categorical), [0.0] * spec.continuous, (seed, seed + 1))
    shape = (classes, *[steps] * axes)
    grid = np.indices(shape).reshape(1 + axes, -1)
    codes = start[torch.zeros(grid.shape[1], dtype=torch.long)]
    if spec.categorical:
        codes.categorical[:, 0] = torch.from_numpy(grid[0])
    for axis in range(axes):
        codes.continuous[:, axis] = torch.from_numpy(values[grid[1 + axis]]).float()
    images = draw_images(generator, codes)
    shown = spec.categorical[:1]
    page = _page(generator, [""], canvas=False) | {
        "names": [*spec.names[: len(shown)], *spec.names[len(spec.categorical) :][:axes]],
        "categorical": list(shown),
        "continuous": axes,
        "step": SHEET_STEP,
        "live": False,
    }
    data = {
        "page": page,
        "values": values.tolist(),
        "sheet": base64.b64encode(sheet(images, shape)).decode(),
        "readings": base64.b64encode(_readings(read_codes(discriminator_q, images), axes)).decode(),
        "scales": SHEET_SCALES,
        "categorical": [0] * len(shown),
        "continuous": [0.0] * axes,
        "seeds": [seed, seed + 1],
        "rest": {
            "categorical": [0] * (len(spec.categorical) - len(shown)),
            "continuous": [0.0] * (spec.continuous - axes),
        },
        "line": LINE,
    }
    path = Path(path)
    path.write_text(
        _HTML.format(
            style=(STATIC / "explorer.css").read_text(encoding="utf-8"),
            script=(STATIC / "explorer.js").read_text(encoding="utf-8"),
            data=json.dumps(data),
        ),
        encoding="utf-8",
    )
    return path


class TrainingView(ipywidgets.Image):
    """A picture of a run that is redrawn while it trains: pass ``view.update`` to ``fit`` as its ``callback``.

    Args:
        spec: the ``CodeSpec`` of the run.
    """

    def __init__(self, spec):
        super().__init__(format="png")
        self._spec = spec

    def __repr__(self):
        return "Live view of a training: run the cell to watch it."

    def update(self, history):
        """Draw the run as it stands."""
        buffer = io.BytesIO()
        training_overview(history, self._spec).savefig(buffer, format="png")
        self.value = buffer.getvalue()


_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>InfoGAN: the codes explored</title>
<style>
body {{ margin: 24px auto; max-width: 980px; padding: 0 12px; font: 15px/1.5 system-ui, sans-serif; color: #222; }}
{style}
</style>
</head>
<body>
<h1>InfoGAN: the codes explored</h1>
<p>Every picture on this page was drawn by the generator before the page was written; the sliders choose among them.
Labels were used in no training. One noise vector throughout: new noise needs the notebook.</p>
<div id="explorer"></div>
<script type="module">
{script}
build(await sheetModel({data}), document.getElementById("explorer"));
</script>
</body>
</html>
"""


def _page(generator, titles, canvas):
    """What does not change while the explorer is open, for the page."""
    spec, (_, height, width) = generator.spec, generator.image_shape
    return {
        "names": list(spec.names),
        "categorical": list(spec.categorical),
        "classes": spec.categorical[0] if spec.categorical else 0,
        "continuous": spec.continuous,
        "support": 1 if spec.continuous_prior == "uniform" else None,
        "limit": LIMIT,
        "step": STEP,
        "height": height,
        "width": width,
        "titles": titles,
        "canvas": CANVAS_SCALE if canvas else 0,
        "live": True,
    }


def _checked(models):
    if not models:
        raise ValueError("models must hold at least one pair of generator and discriminator_q, got none")
    first = next(iter(models.values()))[0]
    if len(first.image_shape) != 3 or first.image_shape[0] not in (1, 3):
        raise ValueError(f"generator must draw images of shape (1 or 3, height, width), got {first.image_shape}")
    for title, pair in models.items():
        for name, network in zip(("generator", "discriminator_q"), pair, strict=True):
            for what in ("spec", "image_shape"):
                here, there = getattr(network, what), getattr(first, what)
                if here != there:
                    where = f" of {title!r}" if title else ""
                    raise ValueError(f"{name}{where} must have the first generator's {what}, {there}, got {here}")
    return models


def _reading(posterior):
    """Q's answer on one image, as numbers for the page."""
    return {
        "categorical": [logits[0].softmax(dim=0).tolist() for logits in posterior.categorical_logits],
        "mean": posterior.mean[0].tolist(),
        "deviation": (posterior.log_variance[0] / 2).exp().tolist(),
    }


def _readings(posterior, axes):
    """Q's answers on all pictures of an exported page, a byte a number: probabilities, then mean and deviation."""
    columns = [posterior.categorical_logits[0].softmax(dim=1)] if posterior.categorical_logits else []
    deviation = (posterior.log_variance / 2).exp()
    for axis in range(axes):
        columns.append((posterior.mean[:, axis : axis + 1] / SHEET_SCALES["mean"] + 1) / 2)
        columns.append(deviation[:, axis : axis + 1] / SHEET_SCALES["deviation"])
    return (torch.cat(columns, dim=1).clamp(0, 1) * 255).round().byte().numpy().tobytes()


def _spelled(spec, posterior):
    reading = _reading(posterior)
    classes = [
        f"{name} = {int(np.argmax(p))} ({max(p):.0%})"
        for name, p in zip(spec.names, reading["categorical"], strict=False)
    ]
    values = [
        f"{name} = {mean:+.2f} ± {deviation:.2f}"
        for name, mean, deviation in zip(
            spec.names[len(spec.categorical) :], reading["mean"], reading["deviation"], strict=True
        )
    ]
    return ", ".join(itertools.chain(classes, values))


def _shared_ink(first, second):
    """Share of the ink of two pictures that lies in both."""
    return float(2 * np.minimum(first, second).sum() / (first.sum() + second.sum()))
