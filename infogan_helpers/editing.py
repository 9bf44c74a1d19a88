"""A picture of the reader's own, edited by the sliders: its codes by Q, its noise by a search, which stays.

Not here: the search, which is ``applications.inversion``; a drawing that is redrawn from its codes alone, which is
``drawings``.
"""

from functools import partial

import torch
import torch.nn.functional as F

from infogan_helpers.applications.inversion import find_codes
from infogan_helpers.arguments import images, takes
from infogan_helpers.drawings import DIGIT, Drawing, Pad, as_digit, pad_facts, real_digits, shown_examples, spelled
from infogan_helpers.evaluation import read_codes
from infogan_helpers.explorer_page import AGAIN, answer, found_again

DIGITS = "Open a picture of one digit, dark on light or light on dark, draw one, or take a real one."
GREYS = (
    "Open a picture, or take an example. The model takes {width} × {height} pixels in greys: a picture is cut to that "
    "shape around its middle, and its colours are left out."
)


def digit_pad():
    """The ``Pad`` for a digit, drawn or opened, that is edited."""
    words = AGAIN | DIGIT | {"heading": "Your digit"}
    facts = pad_facts("ink", DIGITS, words, real_digits(), keeps=True)
    return Pad(facts, as_digit, search, partial(told, ink=True), ink=True)


@takes(examples=images("n, 1, height, width"))
def grey_pad(examples):
    """The ``Pad`` for a picture in greys that is edited.

    Args:
        examples: images that the page can put on the canvas, shape ``(n, 1, height, width)``, the model's size.
    """
    height, width = examples.shape[2:]
    words = AGAIN | {
        "heading": "Your picture",
        "canvas": "your picture, on which the mouse, a pen or a finger can draw",
        "give": "give me an example",
        "seen": "your picture in the model's pixels",
    }
    facts = pad_facts("greys", GREYS.format(width=width, height=height), words, shown_examples(examples, False), True)
    return Pad(facts, _as_greys, search, partial(told, ink=False), ink=False)


def _as_greys(canvas, image_shape):
    bright = F.interpolate(255 - canvas[None, None].float(), image_shape[1:], mode="area")
    return bright.round().to(torch.uint8)


def search(seen, generator, discriminator_q):
    """The picture's codes as Q reads them, and the noise with which G draws it best, as a ``Drawing``."""
    found = find_codes(generator, discriminator_q, seen)
    return Drawing(seen, read_codes(discriminator_q, seen), found.codes, found)


def told(drawing, generator, codes, noise, digits, *, ink):
    """As ``drawings.told``: the picture beside what the search ended at, wherever the sliders are since.

    Args:
        drawing, generator, codes, noise, digits: as there; ``codes`` and ``noise`` change nothing here.
        ink: as in ``Pad``.
    """
    return {
        **found_again("your picture", drawing.seen, drawing.found, ink),
        "text": f"Q reads {spelled(generator.spec, drawing.posterior, digits)}. With the noise that a search found, G "
        f"draws it again with an error of {float(drawing.found.error):.2f}. Now move the sliders: the noise stays.",
        "reading": answer(drawing.posterior),
    }
