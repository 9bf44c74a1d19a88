"""A hundred digits drawn by hand, as strokes, and rendered as the explorer's canvas is: ten of each, in several forms.

Each form was drawn once, as points that a pen goes through; a hand leans, widens or bends it. They stand for what a
visitor draws first: a 1 with a flag, with a base, a 7 with a bar, a 6 with a large loop.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
import torch

SIDE = 112  # pixels of the canvas
PEN = 2.2 / 28  # width of the pen, as a share of the side: the page's own


def ring(x, y, across, up, start=0.0, turn=1.0):
    """An ellipse or a part of one: from ``start`` (0 is the right, in turns, clockwise) on for ``turn``."""
    angles = 2 * math.pi * np.linspace(start, start + turn, 33)
    return [(x + across * math.cos(a), y + up * math.sin(a)) for a in angles]


FORMS = {  # digit: name of a form: strokes, each the points of a line; x to the right, y down, in [0, 1]
    0: {
        "oval": [ring(0.5, 0.5, 0.24, 0.38)],
        "narrow": [ring(0.5, 0.5, 0.16, 0.38)],
        "round": [ring(0.5, 0.5, 0.34, 0.36)],
        "open at the top": [ring(0.5, 0.5, 0.24, 0.38, 0.8, 0.9)],
    },
    1: {
        "bar": [[(0.5, 0.1), (0.5, 0.9)]],
        "flag": [[(0.34, 0.3), (0.54, 0.1), (0.54, 0.9)]],
        "long flag": [[(0.24, 0.42), (0.56, 0.1), (0.56, 0.9)]],
        "base": [[(0.5, 0.1), (0.5, 0.9)], [(0.3, 0.9), (0.7, 0.9)]],
        "flag and base": [[(0.34, 0.28), (0.52, 0.1), (0.52, 0.9)], [(0.3, 0.9), (0.74, 0.9)]],
    },
    2: {
        "straight": [[*ring(0.48, 0.32, 0.24, 0.22, 0.5, 0.6), (0.25, 0.88), (0.76, 0.88)]],
        "looped": [
            [*ring(0.48, 0.3, 0.22, 0.2, 0.5, 0.6), *ring(0.31, 0.79, 0.08, 0.07, 0.1, 0.8), (0.76, 0.86)],
        ],
        "angular": [[(0.26, 0.16), (0.72, 0.16), (0.7, 0.36), (0.26, 0.88), (0.76, 0.88)]],
    },
    3: {
        "round": [[*ring(0.46, 0.3, 0.22, 0.2, 0.58, 0.67), *ring(0.46, 0.7, 0.26, 0.2, 0.75, 0.67)]],
        "flat top": [[(0.26, 0.12), (0.7, 0.12), (0.46, 0.42), *ring(0.46, 0.66, 0.24, 0.23, 0.75, 0.67)]],
    },
    4: {
        "open": [[(0.3, 0.1), (0.24, 0.56), (0.8, 0.56)], [(0.66, 0.24), (0.62, 0.92)]],
        "closed": [[(0.62, 0.92), (0.62, 0.1), (0.2, 0.66), (0.84, 0.66)]],
        "square": [[(0.28, 0.12), (0.28, 0.5), (0.74, 0.5)], [(0.7, 0.1), (0.7, 0.92)]],
    },
    5: {
        "two strokes": [
            [(0.32, 0.12), (0.3, 0.44), *ring(0.46, 0.64, 0.26, 0.24, 0.7, 0.72)],
            [(0.32, 0.12), (0.74, 0.12)],
        ],
        "one stroke": [[(0.74, 0.12), (0.34, 0.12), (0.3, 0.46), *ring(0.44, 0.66, 0.28, 0.23, 0.7, 0.72)]],
    },
    6: {
        "small loop": [[(0.64, 0.1), (0.44, 0.3), (0.3, 0.62), *ring(0.48, 0.72, 0.18, 0.18, 0.5, 1.0)]],
        "large loop": [[(0.62, 0.1), (0.4, 0.24), (0.26, 0.56), *ring(0.5, 0.62, 0.25, 0.28, 0.5, 1.0)]],
        "upright": [[(0.36, 0.1), (0.3, 0.4), (0.3, 0.68), *ring(0.5, 0.7, 0.2, 0.2, 0.5, 1.0)]],
    },
    7: {
        "plain": [[(0.24, 0.14), (0.74, 0.14), (0.42, 0.9)]],
        "bar": [[(0.24, 0.14), (0.74, 0.14), (0.42, 0.9)], [(0.36, 0.5), (0.72, 0.5)]],
        "serif": [[(0.24, 0.3), (0.24, 0.14), (0.74, 0.14), (0.44, 0.9)]],
        "curved": [[(0.24, 0.16), (0.5, 0.18), (0.74, 0.14), (0.56, 0.5), (0.5, 0.9)]],
    },
    8: {
        "two rings": [ring(0.5, 0.3, 0.19, 0.19, 0.25), ring(0.5, 0.7, 0.24, 0.21, 0.75)],
        "one stroke": [[*ring(0.5, 0.3, 0.2, 0.19, 0.0, -0.75), *ring(0.5, 0.69, 0.23, 0.2, 0.75, 1.0), (0.7, 0.3)]],
    },
    9: {
        "straight": [[*ring(0.48, 0.32, 0.2, 0.2, 0.0, -1.0), (0.66, 0.9)]],
        "hooked": [[*ring(0.48, 0.32, 0.2, 0.2, 0.0, -1.0), *ring(0.46, 0.68, 0.22, 0.2, 0.0, 0.45)]],
    },
}  # fmt: skip
HANDS = [
    (0.0, 1.0, 0.0),
    (0.2, 1.0, 0.0),
    (-0.12, 1.1, 0.02),
    (0.1, 0.85, 0.03),
    (0.3, 0.95, -0.02),
]  # lean, width, bend


class Drawing(NamedTuple):
    """A digit on the canvas.

    Attributes:
        digit: what was meant.
        form: how it is written.
        ink: ``uint8``, shape ``(112, 112)``, 255 is ink.
    """

    digit: int
    form: str
    ink: torch.Tensor


def drawings():
    """All hundred, ten of each digit."""
    made = []
    for digit, forms in FORMS.items():
        names = list(forms)
        for i in range(10):
            form = names[i % len(names)]
            made.append(
                Drawing(digit, form, render(forms[form], *HANDS[(i // len(names) + i % len(names)) % len(HANDS)]))
            )
    return made


def render(strokes, lean=0.0, wide=1.0, bend=0.0):
    """The canvas after a pen went along the strokes: ``uint8``, shape ``(112, 112)``."""
    y, x = np.mgrid[:SIDE, :SIDE]
    pixels = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / SIDE
    nearest = np.full(len(pixels), np.inf)
    for stroke in strokes:
        px, py = np.array(stroke).T
        px = 0.5 + wide * (px - 0.5) + lean * (0.5 - py) + bend * np.sin(2 * math.pi * py)
        points = np.stack([px, py], axis=1)
        for a, b in itertools.pairwise(points):
            along = np.clip((pixels - a) @ (b - a) / max((b - a) @ (b - a), 1e-12), 0, 1)
            nearest = np.minimum(nearest, np.linalg.norm(pixels - a - along[:, None] * (b - a), axis=1))
    ink = np.clip((PEN / 2 - nearest) * SIDE + 0.5, 0, 1)  # a soft edge, a pixel wide
    return torch.from_numpy((255 * ink).round().astype(np.uint8).reshape(SIDE, SIDE))
