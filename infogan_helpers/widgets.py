"""The explorer: controls in, pictures out, what Q reads beside them; and a training's live view.

anywidget shows the page in JupyterLab, VS Code and Colab. Not here: the same page without a kernel, which is
``explorer_page``, and figures, which are static.
"""

import io
import itertools
import math

import anywidget
import ipywidgets
import numpy as np
import torch
import traitlets

from infogan_helpers import checks
from infogan_helpers.data import like_mnist, to_ink
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.explorer_page import (
    CANVAS_SCALE,
    LIMIT,
    SCRIPT,
    STATIC,
    checked_models,
    line_of_code,
    page_facts,
    reading,
)
from infogan_helpers.pictures import side_by_side
from infogan_helpers.training_plots import training_overview

OTHERS = 4  # noise vectors shown beside a drawing
INVITATION = "Draw a digit, large, in the middle."
NOTHING_DRAWN = {"text": INVITATION, "seen": None, "others": None}


class Explorer(anywidget.AnyWidget):
    """Controls, pictures that follow them, and what Q reads back; made by ``explorer`` and its relatives.

    Setting a trait is moving a control: the picture follows. A value that no control can show is a ``ValueError``.

    Attributes:
        categorical: the class of each categorical code, a list.
        continuous: the value of each continuous code, in [-2, 2], a list.
        circular: the angle of each circular code in radians, in (-π, π], a list.
        seeds: of the two noise vectors, a list.
        between: where the noise lies on the way from one to the other, in [0, 1].
        drawing: the canvas, four times the size of a picture, row by row, a byte per pixel, 255 is ink; empty before
            the first stroke.
        view: what the page shows: per model a PNG (a thumbnail for each class of the first categorical code, side by
            side) and Q's reading of the chosen one; the codes they belong to; the line of code that draws the picture.
    """

    _esm = SCRIPT
    _css = STATIC / "explorer.css"

    page = traitlets.Dict().tag(sync=True)
    categorical = traitlets.List(traitlets.Int()).tag(sync=True)
    continuous = traitlets.List(traitlets.Float()).tag(sync=True)
    circular = traitlets.List(traitlets.Float()).tag(sync=True)
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
            page=page_facts(generator, list(models), canvas),
            categorical=[0] * len(self._spec.categorical),
            continuous=[0.0] * self._spec.continuous,
            circular=[0.0] * self._spec.circular,
            seeds=[seed, seed + 1],
        )
        self._draw()
        self.observe(self._draw, names=["categorical", "continuous", "circular", "seeds", "between"])
        self.observe(self._read, names="drawing")

    def __repr__(self):
        return f"Explorer of the codes {', '.join(self._spec.names)}: run the cell to move its sliders."

    def codes(self):
        """The codes that the controls show, as ``Codes`` of one row."""
        return self._spec.codes_at(self.categorical, self.continuous, self.seeds, self.between, self.circular)

    @traitlets.validate("categorical", "continuous", "circular", "seeds", "between", "drawing")
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        fits, wanted = _fits(name, value, self._spec, math.prod(self._canvas))
        if not fits:
            raise ValueError(f"{name} must be {wanted}, got {len(value) if name == 'drawing' else value!r}")
        return value

    def _draw(self, _=None):
        shown = {"categorical": self.categorical, "continuous": self.continuous, "circular": self.circular}
        state = (shown, self.seeds, self.between, self._of_drawing)
        if state == self._drawn:
            return  # several traits came in one message: drawn already
        codes, chosen = self.codes(), self.categorical[0] if self.categorical else 0
        swept = codes.sweep_categorical(0, range(self._spec.categorical[0])) if self.categorical else codes
        sprites, readings = [], []
        for generator, discriminator_q in self._models.values():
            images = draw_images(generator, swept)
            sprites.append(side_by_side(images))
            readings.append(reading(read_codes(discriminator_q, images[chosen : chosen + 1])))
        line = line_of_code(self._spec).format(**shown, seeds=tuple(self.seeds), between=self.between)
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
        angles = [round(float(code.angle), 2) for code in posterior.circular]
        codes = self._spec.codes_at(classes, values, self.seeds, self.between, angles)
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
            self.categorical, self.continuous, self.circular = classes, values, angles
        self._draw()


def _fits(name, value, spec, pixels):
    """Whether a control can show a value, and what it can show."""
    if name == "categorical":
        fits = len(value) == len(spec.categorical) and all(
            checks.is_integer(k) and 0 <= k < size for k, size in zip(value, spec.categorical, strict=True)
        )
        return fits, f"{len(spec.categorical)} integers, each below its code's {spec.categorical} classes"
    if name == "continuous":
        fits = len(value) == spec.continuous and all(abs(x) <= LIMIT for x in value)
        return fits, f"{spec.continuous} numbers in [-{LIMIT:g}, {LIMIT:g}]"
    if name == "circular":
        fits = len(value) == spec.circular and all(-math.pi < x <= math.pi for x in value)
        return fits, f"{spec.circular} angles in radians, in (-π, π]"
    if name == "seeds":
        fits = len(value) == 2 and all(checks.is_integer(seed) and seed >= 0 for seed in value)
        return fits, "two integers of at least 0"
    if name == "between":
        return 0 <= value <= 1, "a number in [0, 1]"
    return len(value) in (0, pixels), f"empty or {pixels} bytes, one per pixel"


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
    return Explorer(checked_models({"": (generator, discriminator_q)}), seed)


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
    return Explorer(checked_models(models), seed)


def draw_a_digit(generator, discriminator_q, seed=0):
    """A canvas beside the explorer: Q reads what you draw, G redraws it, and the sliders turn and thicken it.

    Args:
        generator, discriminator_q, seed: as in ``explorer``.

    Returns:
        An ``Explorer`` with a canvas.

    Raises:
        ValueError: as in ``explorer``.
    """
    models = checked_models({"G redraws": (generator, discriminator_q)})
    channels, height, width = generator.image_shape
    if channels != 1 or height != width:
        raise ValueError(f"generator must draw square images of one channel, got {generator.image_shape}")
    return Explorer(models, seed, canvas=True)


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


def _spelled(spec, posterior):
    told = reading(posterior)
    classes = [
        f"{name} = {int(np.argmax(p))} ({max(p):.0%})" for name, p in zip(spec.names, told["categorical"], strict=False)
    ]
    values = [
        f"{name} = {mean:+.2f} ± {deviation:.2f}"
        for name, mean, deviation in zip(
            spec.names[len(spec.categorical) :], told["mean"], told["deviation"], strict=False
        )
    ]
    angles = [
        f"{name} = {math.degrees(angle):.0f}° ± {math.degrees(deviation):.0f}°"
        for name, angle, deviation in zip(
            spec.names[len(spec.categorical) + spec.continuous :], told["angle"], told["angle_deviation"], strict=True
        )
    ]
    return ", ".join(itertools.chain(classes, values, angles))


def _shared_ink(first, second):
    """Share of the ink of two pictures that lies in both."""
    return float(2 * np.minimum(first, second).sum() / (first.sum() + second.sum()))
