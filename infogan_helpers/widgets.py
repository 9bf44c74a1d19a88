"""The explorer: controls in, pictures out, what Q reads beside them; and a training's live view.

anywidget shows the page in JupyterLab, VS Code and Colab. Not here: the same page without a kernel, which is
``explorer_page``, what is said of a drawing, which is ``drawings``, and figures, which are static.
"""

import math

import anywidget
import ipywidgets
import traitlets

from infogan_helpers import checks
from infogan_helpers.arguments import DQ, G, instance, list_of, mapping_of, maybe, refuse, seed, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.drawings import read_drawing, real_digits, told
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.explorer_page import (
    CANVAS_SCALE,
    LIMIT,
    MATCHING,
    SCRIPT,
    STATIC,
    answer,
    checked_knowledge,
    checked_models,
    line_of_code,
    nats_read,
    page_facts,
)
from infogan_helpers.pictures import side_by_side
from infogan_helpers.training import History
from infogan_helpers.training_plots import as_png, nothing_trained, training_overview


def _pair(name, value):
    """``(generator, discriminator_q)``."""
    pair = list_of(G)(name, value)
    return tuple(pair) if len(pair) == 2 else refuse(name, "a pair of generator and discriminator_q", value)


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
        asked, answered: how many changes the page sent, and how many of them the kernel heard: the page says where it
            waits in vain.
        view: what the page shows: per model a PNG (a thumbnail for each class of the first categorical code, side by
            side) and Q's reading of the chosen one; the codes they belong to; the line of code that draws the picture;
            what is said of a drawing.
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
    asked = traitlets.Int().tag(sync=True)
    answered = traitlets.Int().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, models, seed, knowledge, canvas=None):
        self._models = models
        generator = next(iter(models.values()))[0]
        self._spec, self._drawn, self._read_of, self._drawing = generator.spec, None, b"", None
        super().__init__(
            page=page_facts(generator, list(models), knowledge) | (canvas or {}),
            categorical=[0] * len(self._spec.categorical),
            continuous=[0.0] * self._spec.continuous,
            circular=[0.0] * self._spec.circular,
            seeds=[seed, seed + 1],
        )
        self._draw()
        self.observe(self._draw, names=["categorical", "continuous", "circular", "seeds", "between"])
        self.observe(self._read, names="drawing")
        self.observe(lambda change: self.set_trait("answered", change.new), names="asked")

    def __repr__(self):
        return f"Explorer of the codes {', '.join(self._spec.names)}: run the cell to move its sliders."

    def codes(self):
        """The codes that the controls show, as ``Codes`` of one row."""
        return self._spec.codes_at(self.categorical, self.continuous, self.seeds, self.between, self.circular)

    @traitlets.validate("categorical", "continuous", "circular", "seeds", "between", "drawing")
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        fits, wanted = _fits(name, value, self.page)
        if not fits:
            raise ValueError(f"{name} must be {wanted}, got {len(value) if name == 'drawing' else value!r}")
        return value

    def _draw(self, _=None):
        shown = {"categorical": self.categorical, "continuous": self.continuous, "circular": self.circular}
        state = (shown, self.seeds, self.between, self.drawing)
        if state == self._drawn or self.drawing != self._read_of:
            return  # several traits came in one message: drawn already, or Q reads the drawing next
        codes, chosen = self.codes(), self.categorical[0] if self.categorical else 0
        swept = codes.sweep_categorical(0, range(self._spec.categorical[0])) if self.categorical else codes
        sprites, readings = [], []
        for generator, discriminator_q in self._models.values():
            images = draw_images(generator, swept)
            posterior = read_codes(discriminator_q, images[chosen : chosen + 1])
            sprites.append(side_by_side(images))
            readings.append(answer(posterior) | {"nats": nats_read(posterior, codes, self._spec)[0].tolist()})
        line = line_of_code(self._spec).format(**shown, seeds=tuple(self.seeds), between=self.between)
        first = next(iter(self._models.values()))[0]
        self._drawn = state
        self.view = {
            "sprites": sprites,
            "readings": readings,
            "codes": shown,
            "line": line,
            "drawing": told(self._drawing, first, codes, max(self.seeds) + 1, self.page["digits"]),
        }

    def _read(self, _):
        """Q reads the drawing, and the controls go to what it read."""
        self._drawing, self._read_of = read_drawing(self.drawing, *next(iter(self._models.values()))), self.drawing
        if self._drawing is not None:
            posterior = self._drawing.posterior
            with self.hold_trait_notifications():
                self.categorical = [int(logits.argmax()) for logits in posterior.categorical_logits]
                self.continuous = [round(float(x), 2) for x in posterior.mean[0].clamp(-LIMIT, LIMIT)]
                self.circular = [round(float(code.angle), 2) for code in posterior.circular]
        self._draw()


def _fits(name, value, page):
    """Whether a control of a page can show a value, and what it can show."""
    if name == "categorical":
        sizes = tuple(page["categorical"])
        fits = len(value) == len(sizes) and all(
            checks.is_integer(k) and 0 <= k < size for k, size in zip(value, sizes, strict=True)
        )
        return fits, f"{len(sizes)} integers, each below its code's {sizes} classes"
    if name == "continuous":
        fits = len(value) == page["continuous"] and all(abs(x) <= LIMIT for x in value)
        return fits, f"{page['continuous']} numbers in [-{LIMIT:g}, {LIMIT:g}]"
    if name == "circular":
        fits = len(value) == page["circular"] and all(-math.pi < x <= math.pi for x in value)
        return fits, f"{page['circular']} angles in radians, in (-π, π]"
    if name == "seeds":
        fits = len(value) == 2 and all(checks.is_integer(seed) and seed >= 0 for seed in value)
        return fits, "two integers of at least 0"
    if name == "between":
        return 0 <= value <= 1, "a number in [0, 1]"
    pixels = CANVAS_SCALE**2 * page["height"] * page["width"]
    return len(value) in (0, pixels), f"empty or {pixels} bytes, one per pixel"


@takes(generator=G, discriminator_q=DQ, seed=seed, matching=MATCHING, meanings=maybe(instance(dict)))
def explorer(generator, discriminator_q, seed=0, *, matching=None, meanings=None):
    """Sliders for the codes, the picture that they make, and what Q reads back from it.

    Args:
        generator: a trained generator of images with one channel, or with three for red, green and blue.
        discriminator_q: the network that was trained with it.
        seed: of the first noise vector.
        matching: the digit of each class of c1, as from ``evaluation.match_codes_to_labels`` or on a model's card;
            with it the page names digits.
        meanings: what codes turned out to be, ``{"c2": "slant"}``: a part of their sliders' names.

    Returns:
        An ``Explorer``, a widget to display.

    Raises:
        ValueError: the two were built for different codes or pictures, the pictures have another number of channels, or
            ``matching`` or ``meanings`` does not fit the codes.
    """
    models = checked_models({"": (generator, discriminator_q)})
    return Explorer(models, seed, checked_knowledge(generator.spec, matching, meanings))


@takes(models=mapping_of(_pair), seed=seed)
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
    first = next(iter(checked_models(models).values()))[0]
    return Explorer(models, seed, checked_knowledge(first.spec, None, None))  # a code's meaning is one model's own


@takes(generator=G, discriminator_q=DQ, seed=seed, matching=MATCHING, meanings=maybe(instance(dict)))
def draw_a_digit(generator, discriminator_q, seed=0, *, matching=None, meanings=None):
    """A canvas beside the explorer: Q reads what you draw, G redraws it, and the sliders turn and thicken it.

    Args:
        generator, discriminator_q, seed, matching, meanings: as in ``explorer``.

    Returns:
        An ``Explorer`` with a canvas.

    Raises:
        ValueError: as in ``explorer``.
    """
    models = checked_models({"G redraws": (generator, discriminator_q)})
    channels, height, width = generator.image_shape
    if channels != 1 or height != width:
        raise ValueError(f"generator must draw square images of one channel, got {generator.image_shape}")
    knowledge = checked_knowledge(generator.spec, matching, meanings)
    return Explorer(models, seed, knowledge, {"canvas": CANVAS_SCALE, "real": real_digits()})


class TrainingView(ipywidgets.Image):
    """A picture of a run that is redrawn while it trains: pass ``view.update`` to ``fit`` as its ``callback``.

    Args:
        spec: the ``CodeSpec`` of the run.
    """

    @takes(spec=instance(CodeSpec))
    def __init__(self, spec):
        super().__init__(format="png", value=as_png(nothing_trained()))
        self._spec = spec

    def __repr__(self):
        return "Live view of a training: run the cell to watch it."

    @takes(history=instance(History))
    def update(self, history):
        """Draw the run as it stands."""
        self.value = as_png(training_overview(history, self._spec))
