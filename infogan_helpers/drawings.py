"""A picture of the reader's on a pad beside the explorer: what Q is shown of it, what it answers, what is said of it.

Here a digit drawn by hand, which G redraws from its codes. Not here: pictures whose noise is searched for, which is
``editing``; the canvas, which is ``static/drawing.js``; the sliders, which are ``widgets``.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from infogan_helpers import arguments
from infogan_helpers.applications.inversion import Found, likeliest_codes
from infogan_helpers.arguments import BOOLEAN, DQ, G, instance, list_of, number, refuse, seed, takes
from infogan_helpers.codes import Codes
from infogan_helpers.data import like_mnist, mnist_sample, to_ink
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.explorer_page import CANVAS_SCALE, answer
from infogan_helpers.networks import check_image_shape
from infogan_helpers.pictures import side_by_side
from infogan_helpers.posteriors import Posterior

OTHERS = 4  # noise vectors shown beside a drawing
REAL_DIGITS = 100  # that the page can put on the canvas
INVITATION = "Draw a digit, large, in the middle, open a picture of one, or take a real one."
DIGIT = {
    "canvas": "a canvas to draw a digit on with the mouse, a pen or a finger",
    "give": "give me a real digit",
    "seen": "your digit, centred and scaled as MNIST's digits are",
}
REDRAWN = DIGIT | {"heading": "You draw", "others": "the same codes with other noise", "read": "in your drawing"}


class Drawing(NamedTuple):
    """The reader's picture as Q sees it.

    Attributes:
        seen: the picture, ``uint8``, shape ``(1, 1, height, width)``.
        posterior: Q's answer on it.
        codes: ``Codes`` of one row, where the sliders go, as far as they reach.
        found: what a search for its noise ended at, ``Found`` of one picture; ``None`` where there was none.
    """

    seen: torch.Tensor
    posterior: Posterior
    codes: Codes
    found: Found | None = None


class Pad(NamedTuple):
    """A canvas beside the explorer, and what becomes of the picture on it.

    Attributes:
        facts: for the page, as from ``pad_facts``.
        prepare: ``(canvas, image_shape) -> seen``: the canvas, ``uint8``, ink is bright, ``CANVAS_SCALE`` times as high
            and wide as the model's pictures, to one of those.
        read: ``(seen, generator, discriminator_q) -> Drawing``.
        told: ``(drawing, generator, codes, noise, digits)`` to what the page shows, as in ``told``.
        ink: whether what is bright in the model's pictures is ink, and so shown dark.
    """

    facts: dict
    prepare: Callable
    read: Callable
    told: Callable
    ink: bool


def _canvas(name, value):
    fits = isinstance(value, torch.Tensor) and value.ndim == 2 and value.numel() and value.dtype == torch.uint8
    return value if fits else refuse(name, "uint8 of shape (height, width)", value)


def drawing_pad():
    """The ``Pad`` for a digit drawn by hand: Q reads it, G redraws it from the codes alone."""
    facts = pad_facts("ink", INVITATION, REDRAWN, real_digits(), keeps=False)
    return Pad(facts, as_digit, _read_by_q, told, ink=True)


def pad_facts(takes, invitation, words, examples, keeps):
    """What the page is told of a pad.

    Args:
        takes: what is made of a file: ``"ink"`` on paper, or ``"greys"``.
        invitation: what the page says while nothing is on the canvas.
        words: names of what there is to see and to press.
        examples: pictures that the page can put on the canvas, ``{"png": side by side, "count", "width", "height"}``.
        keeps: whether the sliders keep the noise that was found, so that there is no other to choose.
    """
    nothing = {"text": invitation, "heading": "", "seen": None, "others": None, "reading": None}
    return {
        "canvas": CANVAS_SCALE,
        "takes": takes,
        "words": words,
        "real": examples,
        "keeps": keeps,
        "nothing": nothing,
    }


@takes(canvas=_canvas)
def as_digit(canvas, image_shape):
    """The canvas as MNIST's digits are; square pictures of one channel only."""
    return like_mnist(canvas, check_image_shape(image_shape, 1)[1])


@takes(drawing=instance(bytes), pad=instance(Pad), generator=G, discriminator_q=DQ)
def read_drawing(drawing, pad, generator, discriminator_q):
    """What Q answers on the canvas's bytes, 255 is ink; ``None`` where there is no ink.

    Args:
        drawing: ``CANVAS_SCALE`` times the generator's picture, row by row, a byte per pixel.
        pad: the ``Pad``.
        generator, discriminator_q: the pair; the first one says how large a picture is.

    Returns:
        A ``Drawing``, or ``None``.
    """
    ink, (height, width) = np.frombuffer(drawing, dtype=np.uint8), generator.image_shape[1:]
    if len(drawing) not in (0, CANVAS_SCALE**2 * height * width):
        raise ValueError(
            f"drawing must hold a byte per pixel, {CANVAS_SCALE**2 * height * width} or none, got {len(drawing)}"
        )
    if not ink.any():
        return None
    canvas = torch.from_numpy(ink.copy()).reshape(CANVAS_SCALE * height, CANVAS_SCALE * width)
    return pad.read(pad.prepare(canvas, generator.image_shape), generator, discriminator_q)


def _read_by_q(seen, generator, discriminator_q):
    posterior = read_codes(discriminator_q, seen)
    codes = likeliest_codes(posterior, generator.spec)
    return Drawing(seen, posterior, codes.replace(continuous=posterior.mean))


@takes(drawing=instance(Drawing), generator=G, codes=instance(Codes), noise=seed, digits=list_of(number))
def told(drawing, generator, codes, noise, digits):
    """What the page shows of a drawing beside the picture that G draws from ``codes``.

    Args:
        drawing: a ``Drawing``.
        generator: of the picture.
        codes: ``Codes`` of one row: those of the sliders, and the noise.
        noise: a seed, of the other noise vectors that the same codes are drawn with.
        digits: the label of each class of the first categorical code, -1 for none; empty where it is not known.

    Returns:
        ``text``; PNGs ``seen`` and ``others`` with a ``heading`` above them; Q's ``reading``.
    """
    if len(codes) != 1:
        raise ValueError(f"codes must have one row, got {len(codes)}")
    others = generator.spec.sample(OTHERS, torch.Generator().manual_seed(noise)).noise
    same = codes[torch.zeros(OTHERS, dtype=torch.long)].replace(noise=others)
    shared = _shared_ink(to_ink(drawing.seen), to_ink(draw_images(generator, codes)))
    return {
        "text": f"Q reads {spelled(generator.spec, drawing.posterior, digits)}. G's picture and yours share "
        f"{shared:.0%} of their ink: InfoGAN has no encoder for the noise, so what no code holds is lost.",
        "heading": "what Q sees · the same codes, other noise",
        "seen": side_by_side(drawing.seen),
        "others": side_by_side(draw_images(generator, same)),
        "reading": answer(drawing.posterior),
    }


def real_digits():
    """Digits for the canvas, a random choice of those that the shipped model of MNIST never saw, for the page.

    Returns:
        As in ``pad_facts``.
    """
    images = mnist_sample(train=False).images
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:REAL_DIGITS]
    return shown_examples(images[chosen], ink=True)


@takes(images=arguments.images("n, 1, height, width"), ink=BOOLEAN)
def shown_examples(images, ink):
    """One-channel images for the canvas, for the page; ``ink`` as in ``Pad``."""
    height, width = images.shape[2:]
    return {"png": side_by_side(images, ink), "count": len(images), "width": width, "height": height}


def spelled(spec, posterior, digits):
    """Q's answer on one picture in words: the likeliest class of each code, its share, the values with deviations."""
    read, values = answer(posterior), len(spec.categorical)
    words = []
    for i, (name, p) in enumerate(zip(spec.names, read["categorical"], strict=False)):
        k = int(np.argmax(p))
        yours = f", your {digits[k]}" if i == 0 and digits and digits[k] >= 0 else ""
        words.append(f"{name} = {k}{yours} ({max(p):.0%})")
    for name, mean, deviation in zip(spec.names[values:], read["mean"], read["deviation"], strict=False):
        words.append(f"{name} = {mean:+.2f} ± {deviation:.2f}")
    for name, angle, deviation in zip(
        spec.names[values + spec.continuous :], read["angle"], read["angle_deviation"], strict=True
    ):
        words.append(f"{name} = {math.degrees(angle):.0f}° ± {math.degrees(deviation):.0f}°")
    return ", ".join(words)


def _shared_ink(first, second):
    """Share of the ink of two pictures that lies in both."""
    return float(2 * np.minimum(first, second).sum() / (first.sum() + second.sum()))
