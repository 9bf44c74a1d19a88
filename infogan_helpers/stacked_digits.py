"""Three digits stacked as red, green and blue: a thousand modes, which a classifier counts.

Labels train the classifier, and the classifier only scores. Not here: the classifier (``quality``), and mixtures in the
plane (``mixtures``).
"""

import math
from typing import NamedTuple

import torch

from infogan_helpers.arguments import RANDOM, at_least, images, network, takes
from infogan_helpers.information import entropy
from infogan_helpers.quality import classify

MODES = 1000


class StackedCount(NamedTuple):
    """What stacked digits show.

    Attributes:
        caught: triples of digits that occur, of 1,000.
        divergence: KL of their shares from even shares, in nats; about 999 / 2n of n pictures by chance alone.
    """

    caught: int
    divergence: float


@takes(digits=images("m, 1, height, width"), n=at_least(1), generator=RANDOM)
def stack_digits(digits, n, generator=None):
    """Pictures of three digits each, drawn independently.

    Args:
        digits: ``uint8`` or floats, shape ``(m, 1, height, width)``.
        n: how many pictures.
        generator: a ``torch.Generator``; torch's own where it is ``None``.

    Returns:
        Of the same type, shape ``(n, 3, height, width)``.

    Raises:
        ValueError: ``n`` is not a positive integer, or the digits have another shape.

    Source: Metz et al. 2017 (unrolled GANs), section 3.3.
    """
    return digits[torch.randint(len(digits), (n, 3), generator=generator), 0]


@takes(classifier=network(), images=images("n, 3, 28, 28", 0))
def count_stacked(classifier, images):
    """Which triples of digits pictures show.

    Args:
        classifier: from ``quality.load_classifier``.
        images: ``uint8`` or floats in [-1, 1], shape ``(n, 3, 28, 28)``; 26,000 in the published tables.

    Returns:
        ``StackedCount``.

    Raises:
        ValueError: there are no images, or they have another shape.

    Source: Metz et al. 2017, section 3.3; 26,000 pictures: Srivastava et al. 2017.
    """
    digits = classify(classifier, images.flatten(0, 1)[:, None])[0].argmax(dim=1).unflatten(0, (-1, 3))
    counts = torch.bincount(digits @ torch.tensor([100, 10, 1]), minlength=MODES)
    return StackedCount(int((counts > 0).sum()), math.log(MODES) - entropy(counts.double() / counts.sum()))
