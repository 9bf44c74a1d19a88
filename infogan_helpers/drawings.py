"""A digit drawn by hand: what Q is shown of it, what it answers, and what is said of the picture that G redraws.

Not here: the canvas, which is ``static/drawing.js``, and the sliders, which are ``widgets``.
"""

import math
from typing import NamedTuple

import numpy as np
import torch

from infogan_helpers.arguments import DQ, G, instance, takes
from infogan_helpers.data import like_mnist, mnist_sample, to_ink
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.explorer_page import CANVAS_SCALE, answer
from infogan_helpers.pictures import side_by_side
from infogan_helpers.posteriors import Posterior

OTHERS = 4  # noise vectors shown beside a drawing
REAL_DIGITS = 100  # that the page can put on the canvas
INVITATION = "Draw a digit, large, in the middle, or take a real one."
NOTHING_DRAWN = {"text": INVITATION, "seen": None, "others": None, "reading": None}


class Drawing(NamedTuple):
    """A drawing as Q sees it.

    Attributes:
        seen: the picture, ``uint8``, shape ``(1, 1, side, side)``.
        posterior: Q's answer on it.
    """

    seen: torch.Tensor
    posterior: Posterior


@takes(drawing=instance(bytes), generator=G, discriminator_q=DQ)
def read_drawing(drawing, generator, discriminator_q):
    """What Q answers on the canvas's bytes, 255 is ink; ``None`` where there is no ink.

    Args:
        drawing: ``CANVAS_SCALE`` times the generator's picture, row by row, a byte per pixel.
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
    seen = like_mnist(canvas, height)
    return Drawing(seen, read_codes(discriminator_q, seen))


def told(drawing, generator, codes, noise, digits):
    """What the page shows of a drawing beside the picture that G draws from ``codes``.

    Args:
        drawing: a ``Drawing``, or ``None`` for none.
        generator: of the picture.
        codes: ``Codes`` of one row: those of the sliders, and the noise.
        noise: a seed, of the other noise vectors that the same codes are drawn with.
        digits: the label of each class of the first categorical code, -1 for none; empty where it is not known.
    """
    if drawing is None:
        return NOTHING_DRAWN
    others = generator.spec.sample(OTHERS, torch.Generator().manual_seed(noise)).noise
    same = codes[torch.zeros(OTHERS, dtype=torch.long)].replace(noise=others)
    shared = _shared_ink(to_ink(drawing.seen), to_ink(draw_images(generator, codes)))
    return {
        "text": f"Q reads {spelled(generator.spec, drawing.posterior, digits)}. G's picture and yours share "
        f"{shared:.0%} of their ink: InfoGAN has no encoder for the noise, so what no code holds is lost.",
        "seen": side_by_side(drawing.seen),
        "others": side_by_side(draw_images(generator, same)),
        "reading": answer(drawing.posterior),
    }


def real_digits():
    """Digits for the canvas, a random choice of those that the shipped model of MNIST never saw, for the page.

    Returns:
        ``{"png": side by side, "count": how many, "side": pixels of each}``.
    """
    images = mnist_sample(train=False).images
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:REAL_DIGITS]
    return {"png": side_by_side(images[chosen]), "count": REAL_DIGITS, "side": images.shape[-1]}


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
