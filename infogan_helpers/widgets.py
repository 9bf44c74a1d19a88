"""The explorer: controls in, pictures out, what Q reads beside them; and a training's live view.

anywidget shows the page in JupyterLab, VS Code and Colab. Not here: the same page without a kernel, which is
``explorer_page``, what becomes of a reader's picture, which is ``drawings`` and ``editing``, and figures, which are
static.
"""

import math
from functools import partial

import anywidget
import ipywidgets
import traitlets

from infogan_helpers import checks
from infogan_helpers.arguments import DQ, G, images, instance, maybe, seed, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.drawings import drawing_pad, read_drawing
from infogan_helpers.editing import digit_pad, grey_pad
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.explorer_page import (
    EDITED_LINE,
    LIMIT,
    MATCHING,
    MODELS,
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

    def __init__(self, models, seed, knowledge, pad=None):
        self._models, self._pad = models, pad
        generator = next(iter(models.values()))[0]
        self._spec, self._drawn, self._read_of, self._drawing = generator.spec, None, b"", None
        super().__init__(
            page=page_facts(generator, list(models), knowledge) | (pad.facts if pad else {}),
            categorical=[0] * len(self._spec.categorical),
            continuous=[0.0] * self._spec.continuous,
            circular=[0.0] * self._spec.circular,
            seeds=[seed, seed + 1],
        )
        self._follow()
        self.observe(self._follow, names=["categorical", "continuous", "circular", "seeds", "between", "drawing"])
        self.observe(lambda change: self.set_trait("answered", change.new), names="asked")

    def __repr__(self):
        return f"Explorer of the codes {', '.join(self._spec.names)}: run the cell to move its sliders."

    def codes(self):
        """The codes that the controls show, as ``Codes`` of one row; the noise is the one that was found, if any."""
        codes = self._spec.codes_at(self.categorical, self.continuous, self.seeds, self.between, self.circular)
        found = self._drawing.found if self._drawing else None
        return codes.replace(noise=found.codes.noise) if found else codes

    @traitlets.validate("categorical", "continuous", "circular", "seeds", "between", "drawing")
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        fits, wanted = _fits(name, value, self.page)
        if not fits:
            raise ValueError(f"{name} must be {wanted}, got {len(value) if name == 'drawing' else value!r}")
        return value

    def _follow(self, _=None):
        """Read the drawing and draw the picture, where either is not done yet: several traits come in one message."""
        if self.drawing != self._read_of:
            self._read()
        state = (self.categorical, self.continuous, self.circular, self.seeds, self.between, self.drawing)
        if state != self._drawn:
            self._draw()
            self._drawn = state  # only now: interrupted, it is drawn again

    def _draw(self):
        shown = {"categorical": self.categorical, "continuous": self.continuous, "circular": self.circular}
        codes, chosen = self.codes(), self.categorical[0] if self.categorical else 0
        swept = codes.sweep_categorical(0, range(self._spec.categorical[0])) if self.categorical else codes
        sprites, readings, ink = [], [], self._pad is None or self._pad.ink
        for generator, discriminator_q in self._models.values():
            images = draw_images(generator, swept)
            posterior = read_codes(discriminator_q, images[chosen : chosen + 1])
            sprites.append(side_by_side(images, ink))
            readings.append(answer(posterior) | {"nats": nats_read(posterior, codes, self._spec)[0].tolist()})
        line = EDITED_LINE if self._drawing and self._drawing.found else line_of_code(self._spec)
        self.view = {
            "sprites": sprites,
            "readings": readings,
            "codes": shown,
            "line": line.format(**shown, seeds=tuple(self.seeds), between=self.between),
            "drawing": self._told(codes),
        }

    def _told(self, codes):
        """What the page shows of the drawing, ``None`` where there is no canvas."""
        if self._drawing is None:
            return self._pad.facts["nothing"] if self._pad else None
        first = next(iter(self._models.values()))[0]
        return self._pad.told(self._drawing, first, codes, max(self.seeds) + 1, self.page["digits"])

    def _read(self):
        """Q reads the drawing, and the controls go to what it read."""
        drawing = read_drawing(self.drawing, self._pad, *next(iter(self._models.values())))
        self._drawing, self._read_of = drawing, self.drawing  # only now: interrupted, it is read again
        if drawing is not None:
            with self.hold_trait_notifications():
                self.categorical = drawing.codes.categorical[0].tolist()
                self.continuous = [round(x, 2) for x in drawing.codes.continuous[0].clamp(-LIMIT, LIMIT).tolist()]
                self.circular = [round(x, 2) for x in drawing.codes.circular[0].tolist()]


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
    if not page["canvas"]:
        return not len(value), "empty, without a canvas"
    pixels = page["canvas"] ** 2 * page["height"] * page["width"]
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


@takes(models=MODELS, seed=seed)
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
    return _beside_a_pad(drawing_pad, generator, discriminator_q, seed, matching, meanings)


@takes(generator=G, discriminator_q=DQ, seed=seed, matching=MATCHING, meanings=maybe(instance(dict)))
def edit_a_digit(generator, discriminator_q, seed=0, *, matching=None, meanings=None):
    """Your own digit, opened from a file or drawn, edited by the sliders: its codes by Q, its noise by a search.

    The noise stays while the sliders move. ``codes()`` of what is returned holds it, beside the codes.

    Args:
        generator, discriminator_q, seed, matching, meanings: as in ``explorer``.

    Returns:
        An ``Explorer`` with a canvas.

    Raises:
        ValueError: as in ``explorer``, or the pictures are not square or not of one channel.
    """
    return _beside_a_pad(digit_pad, generator, discriminator_q, seed, matching, meanings)


@takes(
    generator=G,
    discriminator_q=DQ,
    examples=images(None, 0),
    seed=seed,
    matching=MATCHING,
    meanings=maybe(instance(dict)),
)
def edit_a_picture(generator, discriminator_q, examples, seed=0, *, matching=None, meanings=None):
    """As ``edit_a_digit``, for a model of pictures in greys, a face, a chair, which are opened as they are.

    Args:
        generator, discriminator_q, seed, matching, meanings: as in ``explorer``.
        examples: pictures to begin with, ``uint8`` or floats in [-1, 1], shape ``(n, 1, height, width)``.

    Returns:
        An ``Explorer`` with a canvas.

    Raises:
        ValueError: as in ``explorer``, the pictures are not square or not of one channel, or ``examples`` has others.
    """
    if len(examples) == 0 or tuple(examples.shape[1:]) != tuple(generator.image_shape):
        raise ValueError(f"examples must be images of shape (n, *{generator.image_shape}), got {tuple(examples.shape)}")
    return _beside_a_pad(partial(grey_pad, examples), generator, discriminator_q, seed, matching, meanings)


def _beside_a_pad(make_pad, generator, discriminator_q, seed, matching, meanings):
    models = checked_models({"G redraws": (generator, discriminator_q)})
    channels, height, width = generator.image_shape
    if channels != 1 or height != width:
        raise ValueError(f"generator must draw square images of one channel, got {generator.image_shape}")
    return Explorer(models, seed, checked_knowledge(generator.spec, matching, meanings), make_pad())


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
