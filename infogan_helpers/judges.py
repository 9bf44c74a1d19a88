"""Judges: small networks that say which factors a picture of a world shows. They score what G draws, and nothing else.

Factors train a judge, and a judge trains nothing: no training of InfoGAN sees one. Not here: the worlds, which code
follows which factor (``code_factors``), and the classifier of digits, which is ``quality``.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from infogan_helpers.arguments import (
    BOOLEAN,
    at_least,
    finite,
    floats,
    images,
    instance,
    integers,
    list_of,
    maybe,
    network,
    path,
    seed,
    takes,
)
from infogan_helpers.checkpoints import load_verified, save_verified
from infogan_helpers.data import as_model_range
from infogan_helpers.networks import check_images
from infogan_helpers.quality import SCORING_FOLDER, learn
from infogan_helpers.runtime import isolated_randomness
from infogan_helpers.worlds.world import World

FEATURES = 64
NOISE = 0.05  # standard deviation of what is added to each picture that a judge learns from: G's are never quite clean
OF_KINDS = 0.3  # weight of the cross-entropy of a kind, in nats, beside squared errors of places on [-1, 1]


class Judged(NamedTuple):
    """What a judge says of pictures.

    Attributes:
        values: name of a factor to floats of shape ``(n,)``, as ``World.values`` has them: positions of kinds, units of
            all others.
        features: shape ``(n, FEATURES)``, for ``quality.frechet_distance``.
    """

    values: dict
    features: torch.Tensor


class Judge(nn.Module):
    """Three convolutions and a hidden layer, and an answer for each factor: logits of a kind, a place, a direction.

    Args:
        world: the ``World`` whose pictures it reads.
    """

    @takes(world=instance(World))
    def __init__(self, world):
        super().__init__()
        self.world, layers, channels = world, [], world.image_shape[0]
        for wider in (32, 64, 128):
            layers += [nn.Conv2d(channels, wider, 3, 2, 1), nn.BatchNorm2d(wider), nn.ReLU()]
            channels = wider
        area = math.prod(math.ceil(side / 8) for side in world.image_shape[1:])
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * area, FEATURES), nn.ReLU())
        self.columns = [_columns(factor) for factor in world.factors]
        self.head = nn.Linear(FEATURES, sum(self.columns))

    def forward(self, images):
        """``(answers, features)``: a matrix of ``columns[k]`` columns per factor, and shape ``(n, FEATURES)``."""
        features = self.body(check_images(images, self.world.image_shape))
        return self.head(features).split(self.columns, dim=1), features


def _columns(factor):
    """How many numbers an answer takes: one per kind, a cosine and a sine, or a place between the factor's ends."""
    return len(factor.values) if not factor.unit else 2 if factor.circular else 1


@takes(world=instance(World), answers=list_of(floats("n, columns", 1)), factors=integers("n, K"))
def judge_loss(world, answers, factors):
    """Cross-entropy of kinds, in nats, and squared error of all others, summed over the factors.

    Args:
        world: the ``World``.
        answers: a ``Judge``'s, before softmax.
        factors: integers, shape ``(n, K)``.

    Returns:
        A scalar tensor.
    """
    n, k = factors.shape
    if k != len(world.factors) or [len(answer) for answer in answers] != [n] * k:
        raise ValueError(
            f"answers must hold {n} rows for each of {len(world.factors)} factors, and factors a column each, "
            f"got {[len(answer) for answer in answers]} rows and {k} columns"
        )
    total = 0.0
    for factor, answer, chosen in zip(world.factors, answers, factors.T, strict=True):
        if not factor.unit:
            total = total + OF_KINDS * F.cross_entropy(answer, chosen)
        elif factor.circular:
            angle = torch.tensor(factor.values, dtype=torch.float32)[chosen]
            total = total + F.mse_loss(answer, torch.stack([angle.cos(), angle.sin()], dim=1))
        else:
            total = total + F.mse_loss(answer[:, 0], 2 * chosen / (len(factor.values) - 1) - 1)
    return total


@takes(
    world=instance(World),
    images=images(None, 0),
    factors=integers("n, K"),
    steps=at_least(1),
    batch_size=at_least(1),
    seed=seed,
    progress=BOOLEAN,
)
def train_judge(world, images, factors, steps=4000, batch_size=128, seed=0, progress=True):
    """Train a ``Judge`` with factors, on pictures with a little noise, on the CPU.

    Args:
        world: the ``World``.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, *world.image_shape)``.
        factors: integers, shape ``(n, K)``.
        steps: of Adam.
        batch_size: images per step.
        seed: of the weights, the order and the noise.
        progress: whether to show a progress bar.

    Returns:
        The judge, in eval mode.

    Raises:
        ValueError: images, factors and world do not fit.
    """
    if tuple(images.shape[1:]) != world.image_shape or len(images) != len(factors):
        raise ValueError(
            f"images must have shape (n, {', '.join(map(str, world.image_shape))}) and factors n rows, "
            f"got {tuple(images.shape)} and {len(factors)}"
        )
    world.values(factors)  # refuses factors that it does not have
    with isolated_randomness():
        torch.manual_seed(seed)
        random = torch.Generator().manual_seed(seed)
        judge = Judge(world)

        def loss(rows):
            shown = as_model_range(images[rows])
            shown = shown + NOISE * torch.randn(shown.shape, generator=random)
            return judge_loss(world, judge(shown)[0], factors[rows])

        learn(judge, loss, len(images), steps, batch_size, random, progress)
    return judge.eval()


@takes(judge=instance(Judge), facts=instance(dict), folder=maybe(path))
def save_judge(judge, facts, folder=None):
    """Write a judge's weights, in half precision, and its card; to ``data/pretrained/scoring`` where there is none."""
    tensors = {name: x.half() if x.is_floating_point() else x for name, x in judge.state_dict().items()}
    save_verified(_name(judge.world), tensors, facts, SCORING_FOLDER if folder is None else folder)


@takes(world=instance(World), folder=maybe(path))
def load_judge(world, folder=None):
    """The judge that ships for a world, in eval mode, checked against its card's SHA-256.

    Raises:
        ValueError: there is none, or its weights are not those of its card.
    """
    tensors, *_ = load_verified(_name(world), SCORING_FOLDER if folder is None else folder)
    with isolated_randomness():
        judge = Judge(world)
    judge.load_state_dict(tensors)
    return judge.eval()


@takes(judge=network("world"), images=images(None, 0), batch_size=at_least(1))
@torch.no_grad()
def judged(judge, images, batch_size=1000):
    """What a judge says of many pictures.

    Args:
        judge: from ``load_judge`` or ``train_judge``.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, *world.image_shape)``.
        batch_size: images per pass.

    Returns:
        ``Judged``.

    Raises:
        ValueError: there are no images, or they have another shape.
    """
    shape = judge.world.image_shape
    if len(images) == 0 or tuple(images.shape[1:]) != shape:
        raise ValueError(
            f"images must have shape (n, {', '.join(map(str, shape))}) with n of at least 1, got {tuple(images.shape)}"
        )
    parts = [judge(as_model_range(batch)) for batch in images.cpu().split(batch_size)]
    features = finite(rows=0)("judge", torch.cat([features for _, features in parts]))
    answers = [torch.cat(parts_of_one) for parts_of_one in zip(*(answers for answers, _ in parts), strict=True)]
    values = {f.name: _value(f, answer) for f, answer in zip(judge.world.factors, answers, strict=True)}
    return Judged(values, features)


def _value(factor, answer):
    if not factor.unit:
        return answer.argmax(dim=1).float()
    if factor.circular:
        return torch.atan2(answer[:, 1], answer[:, 0])
    low, high = factor.values[0], factor.values[-1]
    return low + (high - low) * (answer[:, 0] + 1) / 2


def _name(world):
    return f"judge_{world.file_stem()}"
