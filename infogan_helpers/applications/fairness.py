"""Fairness: digits whose colour goes with their class, what a classifier makes of that, and data drawn without it.

The class is 0 for the digits 0 to 4 and 1 for 5 to 9; the colour, orange or blue, is the sensitive attribute. Colours
score, unless a function asks for them by name. Not here: the training of G and Q, which is ``methods.ac_infogan``'s.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from infogan_helpers import arguments, checks
from infogan_helpers.arguments import at_least, between, images, integers, maybe, network, numbers, seed, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import ImageData, as_model_range, to_uint8
from infogan_helpers.evaluation import check_finite, draw_images
from infogan_helpers.networks import check_images
from infogan_helpers.quality import learn
from infogan_helpers.runtime import isolated_randomness

COLOURS = ((1.0, 0.6, 0.0), (0.0, 0.6, 1.0))  # orange, blue: red, green and blue as shares of the ink
SIDE = 16  # pixels
SMALL = images(f"n, channels, {SIDE}, {SIDE}")
FIRST_OF_CLASS_1 = 5  # the smallest digit that counts as class 1


class Coloured(NamedTuple):
    """Pictures, their class and their colour.

    Attributes:
        images: ``uint8``, shape ``(n, 3, SIDE, SIDE)``.
        labels: the class, 0 or 1, ``int64``, shape ``(n,)``.
        colours: 0 for orange, 1 for blue, likewise.
    """

    images: torch.Tensor
    labels: torch.Tensor
    colours: torch.Tensor


@dataclass(frozen=True)
class ClassThenColour(CodeSpec):
    """A ``CodeSpec`` whose second categorical code goes with the first: it is the same class with a given chance.

    Each of the two codes by itself is even. ``dataclasses.replace(spec, agreement=0.5)`` draws them independently, and
    is a spec of the same networks.

    Args:
        agreement: the chance, in [0, 1].

    Raises:
        ValueError: as in ``CodeSpec``; the first two categorical codes have not two classes each, or ``agreement`` is
            out of range.
    """

    categorical: tuple[int, ...] = (2, 2)
    agreement: float = 0.9

    def __post_init__(self):
        super().__post_init__()
        if self.categorical[:2] != (2, 2):
            raise ValueError(f"categorical must begin with two codes of two classes, got {self.categorical}")
        checks.number("agreement", self.agreement, least=0, most=1)

    def entropy(self):
        """H(c) as in ``CodeSpec``, less what the two codes tell each other: log 2 - h(agreement) nats."""
        entropy, shares = super().entropy(), (self.agreement, 1 - self.agreement)
        told = math.log(2) + sum(share * math.log(share) for share in shares if share)
        return entropy._replace(categorical=entropy.categorical - told)

    def sample(self, n, generator=None, device=None):
        """As in ``CodeSpec``, with the second code drawn given the first."""
        codes = super().sample(n, generator, device)
        classes = codes.categorical.clone()
        where = {"generator": generator, "device": classes.device if generator is None else generator.device}
        other = torch.rand(n, **where).to(classes.device) >= self.agreement
        classes[:, 1] = classes[:, 0] ^ other
        return codes.replace(categorical=classes)


@takes(
    data=arguments.record(ImageData, images=images("n, 1, side, side"), labels=integers()),
    agreement=between(0, 1),
    seed=seed,
)
def coloured_digits(data, n, agreement, seed=0):
    """Small digits in two colours, which go with the class as often as asked.

    Args:
        data: ``ImageData`` of 28 x 28 digits and their labels, as from ``data.load_mnist``.
        n: how many are drawn from it, without replacement.
        agreement: chance in [0, 1] that the colour has the number of the class; at 0.5 they are independent.
        seed: of the choice and of the colours.

    Returns:
        ``Coloured``.

    Raises:
        ValueError: ``n`` is not between 1 and the number of digits, or an argument is out of range.
    """
    if not checks.is_integer(n) or not 1 <= n <= len(data.images):
        raise ValueError(f"n must be an integer in [1, {len(data.images)}], the number of digits, got {n!r}")
    random = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(data.images), generator=random)[:n]
    margin = (2 * SIDE - data.images.shape[-1]) // 2
    ink = F.avg_pool2d(F.pad(_bytes(data.images)[rows].float(), [margin] * 4), 2).round().to(torch.uint8)
    labels = (data.labels[rows] >= FIRST_OF_CLASS_1).long()
    colours = labels ^ (torch.rand(n, generator=random) >= agreement)
    return Coloured(in_colours(ink, colours), labels, colours)


@takes(images=images(), colours=integers())
def in_colours(images, colours):
    """The same pictures in other colours: an intervention on the colour, with all else held.

    Args:
        images: ``uint8``, shape ``(n, 1 or 3, height, width)``; their ink is the brightest channel, see ``grey``.
        colours: 0 or 1, integers, shape ``(n,)``.

    Returns:
        ``uint8``, shape ``(n, 3, height, width)``.

    Raises:
        ValueError: the colours are other numbers, or not ``n``.
    """
    if len(colours) != len(images) or not set(colours.unique().tolist()) <= {0, 1}:
        raise ValueError(f"colours must be 0 or 1, one for each of {len(images)} images, got {colours}")
    return (grey(_bytes(images)) * torch.tensor(COLOURS)[colours][:, :, None, None]).round().to(torch.uint8)


@takes(images=images())
def grey(images):
    """Pictures without their colour, shape ``(n, 1, height, width)``: the brightest channel, which is the ink."""
    return images.amax(dim=1, keepdim=True)


def _bytes(images):
    return to_uint8(images) if images.is_floating_point() else images


class SmallClassifier(nn.Module):
    """Two convolutions and two fully connected layers, for ``SIDE`` x ``SIDE`` images in [-1, 1]."""

    @takes(channels=at_least(1))
    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),  # (n, 32, 4, 4) -> (n, 512)
            nn.Linear(2 * SIDE**2, 64),
            nn.ReLU(),
            nn.Linear(64, 2),
        )

    def forward(self, images):
        """Logits of both classes, shape ``(n, 2)``."""
        return self.layers(check_images(images, (self.layers[0].in_channels, SIDE, SIDE)))


@takes(images=SMALL, labels=integers(), weights=maybe(arguments.finite("n")), steps=at_least(1), seed=seed)
def train_classifier(images, labels, weights=None, steps=600, seed=0):
    """Train a ``SmallClassifier``, on the CPU.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, SIDE, SIDE)``.
        labels: 0 or 1, shape ``(n,)``.
        weights: of each image's loss, shape ``(n,)``, as from ``cell_weights``; all 1 where it is ``None``.
        steps: of Adam, 128 images per step.
        seed: of the weights and of the order.

    Returns:
        The classifier, in eval mode.

    Raises:
        ValueError: labels or weights are not one per image, or labels other numbers.
    """
    weights = torch.ones(len(images)) if weights is None else weights
    for name, values in {"labels": labels, "weights": weights}.items():
        if values.shape != (len(images),):
            raise ValueError(f"{name} must have shape ({len(images)},), one per image, got {tuple(values.shape)}")
    if not set(labels.unique().tolist()) <= {0, 1}:
        raise ValueError(f"labels must be 0 or 1, got {labels.unique().tolist()}")
    with isolated_randomness():
        torch.manual_seed(seed)
        classifier, shown = SmallClassifier(images.shape[1]), as_model_range(images)

        def loss(rows):
            return (weights[rows] * F.cross_entropy(classifier(shown[rows]), labels[rows], reduction="none")).mean()

        learn(classifier, loss, len(images), steps, 128, torch.Generator().manual_seed(seed), progress=False)
    return classifier.eval()


@takes(classifier=network(), images=SMALL)
@torch.no_grad()
def predict(classifier, images):
    """The class that a classifier prefers for each image, ``int64``, shape ``(n,)``."""
    logits = torch.cat([classifier(as_model_range(part)) for part in images.split(1000)])
    return check_finite("classifier", "answer", logits).argmax(dim=1)


@takes(data=arguments.record(Coloured, images=images(), labels=integers()), generator=network("spec"), seed=seed)
def rebalance(data, generator, seed=0):
    """Add drawn pictures until class and colour are independent; the colours of the real ones are not looked at.

    Of n real pictures the prior says that a share a has the colour of its class. ``(2a - 1) n`` pictures are drawn with
    the colour code of the other class; then both colours are equally frequent in each class.

    Args:
        data: ``Coloured``, of which images and labels are used.
        generator: G, trained with a ``ClassThenColour`` spec whose first code is the class.
        seed: of the codes.

    Returns:
        ``(images, labels)``: ``uint8``, shape ``(2 a n, 3, SIDE, SIDE)``, and integers, shape ``(2 a n,)``.

    Raises:
        ValueError: the prior's agreement is not above 0.5.

    Source: Kamiran & Calders 2012, who resample real examples; here the missing ones are drawn.
    """
    agreement = getattr(generator.spec, "agreement", None)
    if agreement is None or agreement <= 0.5:
        raise ValueError(f"generator must have a spec whose agreement is above 0.5, got {agreement}")
    drawn = draw_coloured(generator, round((2 * agreement - 1) * len(data.labels)), 0.0, seed)
    return torch.cat([_bytes(data.images), drawn.images]), torch.cat([data.labels, drawn.labels])


@takes(generator=network("spec"), n=at_least(1), agreement=between(0, 1), seed=seed)
def draw_coloured(generator, n, agreement=0.5, seed=0):
    """Pictures of a G whose first code is the class and whose second is the colour, with another agreement of the two.

    Args:
        generator: G, trained with a ``ClassThenColour`` spec.
        n: how many.
        agreement: of the codes, in [0, 1]; at 0.5 they are independent, at 0 the second is never the first's class.
        seed: of the codes.

    Returns:
        ``Coloured``, whose labels and colours are codes: what was asked of G, and not what can be seen.
    """
    if not isinstance(generator.spec, ClassThenColour):
        raise ValueError(f"generator must have a spec of class, then colour, got {generator.spec}")
    spec = replace(generator.spec, agreement=agreement)
    codes = spec.sample(n, torch.Generator().manual_seed(seed))
    return Coloured(to_uint8(draw_images(generator, codes)), *codes.categorical[:, :2].unbind(1))


def cell_weights(labels, groups):
    """Weights after which each cell of class and group counts as much as every other.

    Args:
        labels: the class of each example, integers of at least 0, shape ``(n,)``.
        groups: the value of its sensitive attribute, likewise.

    Returns:
        Floats of mean 1, shape ``(n,)``.

    Raises:
        ValueError: labels and groups have other shapes, or there are none.

    Source: Kamiran & Calders 2012 (reweighing), whose weights these are where class and group are even.
    """
    labels, groups = _columns(labels=labels, groups=groups)
    _, cell, counts = np.unique(np.stack([labels, groups]), axis=1, return_inverse=True, return_counts=True)
    return torch.as_tensor(len(labels) / len(counts) / counts[cell.ravel()], dtype=torch.float32)


@takes(n=at_least(1), seed=seed)
def resampled(labels, groups, n, seed=0):
    """Rows drawn with replacement so that every cell of class and group is as frequent as every other.

    Args:
        labels, groups: as in ``cell_weights``, whose errors these are too.
        n: how many rows.
        seed: of the draw.

    Returns:
        ``int64``, shape ``(n,)``.
    """
    random = torch.Generator().manual_seed(seed)
    return torch.multinomial(cell_weights(labels, groups), n, replacement=True, generator=random)


def cell_accuracy(predictions, labels, groups):
    """Accuracy in each cell of class and group, of which the smallest is the worst group's.

    Args:
        predictions, labels, groups: integers, shape ``(n,)`` each.

    Returns:
        A ``DataFrame`` of shares, a row per class and a column per group; NaN where a cell is empty.

    Raises:
        ValueError: the shapes differ, or there are none.
    """
    predictions, labels, groups = _columns(predictions=predictions, labels=labels, groups=groups)
    frame = pd.DataFrame({"right": predictions == labels, "class": labels, "group": groups})
    return frame.pivot_table(values="right", index="class", columns="group", aggfunc="mean")


def demographic_parity(predictions, groups):
    """How much more often one group is given class 1 than another: the largest difference of the shares.

    Args:
        predictions: 0 or 1, shape ``(n,)``.
        groups: integers, shape ``(n,)``, of two values or more.

    Returns:
        A float in [0, 1]; 0 is parity. Where class and group go together in the data, a classifier without a mistake
        has as large a difference as the classes themselves.

    Raises:
        ValueError: predictions are not 0 or 1, the shapes differ, or there is one group only.

    Source: Dwork et al. 2012 (statistical parity).
    """
    predictions, groups = _columns(predictions=predictions, groups=groups)
    if not np.isin(predictions, (0, 1)).all():
        raise ValueError(f"predictions must be 0 or 1, got {np.unique(predictions).tolist()}")
    values = np.unique(groups)
    if len(values) < 2:
        raise ValueError(f"groups must hold two values or more, got {values.tolist()}")
    shares = [predictions[groups == value].mean() for value in values]
    return float(max(shares) - min(shares))


def equal_opportunity(predictions, labels, groups):
    """Demographic parity among those whose class is 1: how much their chance to be found depends on the group.

    Args:
        predictions, labels: 0 or 1, shape ``(n,)`` each.
        groups: integers, likewise, of two values or more where the class is 1.

    Returns:
        A float in [0, 1]; 0 is equality.

    Raises:
        ValueError: as in ``demographic_parity``.

    Source: Hardt, Price & Srebro 2016.
    """
    predictions, labels, groups = _columns(predictions=predictions, labels=labels, groups=groups)
    return demographic_parity(predictions[labels == 1], groups[labels == 1])


@takes(predictions=numbers("values, n", 2, whole=True))
def unfairness(predictions):
    """How far predictions move where the sensitive attribute is set and nothing else: mean total variation.

    Args:
        predictions: a row per value of the attribute, the answers for the same examples with the attribute set to it;
            integers of at least 0, shape ``(values, n)``.

    Returns:
        A float in [0, 1): between the distribution of a row and that of all rows, mean over rows. With two values and
        two classes it is half the difference of the shares that are given class 1. Answers that change and cancel out,
        as many one way as the other, do not show.

    Raises:
        ValueError: there are no integers of such a shape, or fewer than two rows.

    Source: Locatello et al. 2019, *On the Fairness of Disentangled Representations*, with ``inter_group_fairness`` of
    disentanglement_lib.
    """
    if not predictions.size:
        raise ValueError(f"predictions must be of one example at least, got shape {predictions.shape}")
    shares = np.stack([(predictions == k).mean(axis=1) for k in np.unique(predictions)])  # (classes, values)
    return float(np.abs(shares - shares.mean(axis=1, keepdims=True)).sum(axis=0).mean() / 2)


def _columns(**named):
    """Integer columns of one length of at least 1, as arrays."""
    arrays = {name: numbers(None, 0, whole=True)(name, values) for name, values in named.items()}
    shapes = [array.shape for array in arrays.values()]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1 or shapes[0][0] == 0:
        raise ValueError(f"{' and '.join(named)} must have one shape (n,), n of at least 1, got {shapes}")
    return arrays.values()
