"""Judges: small networks that say which factors a picture of a world shows. They score what G draws, and nothing else.

Factors train a judge, and a judge trains nothing: no training of InfoGAN sees one. Not here: the worlds, and which code
follows which factor, which is ``code_factors``.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from tqdm.auto import tqdm

from infogan_helpers import checks
from infogan_helpers.data import BatchSampler, as_model_range
from infogan_helpers.quality import SCORING_FOLDER
from infogan_helpers.checkpoints import save_verified, verified_weights
from infogan_helpers.runtime import isolated_randomness
from infogan_helpers.tensor_files import load_tensors

FEATURES = 64
NOISE = 0.05  # standard deviation of what is added to a picture while a judge trains: G's are never quite clean


class Judged(NamedTuple):
    """What a judge says of pictures.

    Attributes:
        values: name to floats of shape ``(n,)``, as ``World.values`` returns them: positions of kinds, units of others.
        features: shape ``(n, FEATURES)``, for ``quality.frechet_distance``.
    """

    values: dict
    features: torch.Tensor


class Judge(nn.Module):
    """Three convolutions and a hidden layer, and for each factor an answer: logits of a kind, a place, a direction.

    Args:
        world: the ``World`` whose pictures it reads.
    """

    def __init__(self, world):
        super().__init__()
        self.world, layers, channels = world, [], world.image_shape[0]
        for wider in (32, 64, 128):
            layers += [nn.Conv2d(channels, wider, 3, 2, 1), nn.BatchNorm2d(wider), nn.ReLU()]
            channels = wider
        area = math.prod(-(-side // 8) for side in world.image_shape[1:])
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * area, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, sum(columns(factor) for factor in world.factors))

    def forward(self, images):
        """``(answers, features)``: answers factor after factor, shape ``(n, sum of columns)``."""
        features = self.body(images)
        return self.head(features), features


def columns(factor):
    """How many numbers an answer takes: one per kind, a cosine and a sine, or a place between the factor's ends."""
    return len(factor.values) if not factor.unit else 2 if factor.circular else 1


def loss(world, answers, factors):
    """Cross-entropy of kinds and squared error of all others, summed over the factors, a scalar."""
    total = 0.0
    parts = answers.split([columns(factor) for factor in world.factors], dim=1)
    for factor, part, chosen in zip(world.factors, parts, factors.T, strict=True):
        share = chosen / (len(factor.values) - 1)
        if not factor.unit:
            total = total + 0.3 * F.cross_entropy(part, chosen)
        elif factor.circular:
            angle = torch.tensor(factor.values)[chosen]
            total = total + F.mse_loss(part, torch.stack([angle.cos(), angle.sin()], dim=1))
        else:
            total = total + F.mse_loss(part[:, 0], 2 * share - 1)
    return total


def train_judge(world, images, factors, steps=3000, batch_size=128, seed=0, progress=True):
    with isolated_randomness():
        torch.manual_seed(seed)
        random = torch.Generator().manual_seed(seed)
        judge = Judge(world)
        rows = BatchSampler(torch.arange(len(images)), min(batch_size, len(images)), random)
        optimizer = torch.optim.Adam(judge.parameters(), fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
        for _ in tqdm(range(steps), disable=not progress, unit="step"):
            batch = rows.next()
            shown = as_model_range(images[batch])
            shown = shown + NOISE * torch.randn(shown.shape, generator=random)
            of_all = loss(world, judge(shown)[0], factors[batch])
            optimizer.zero_grad()
            of_all.backward()
            optimizer.step()
            schedule.step()
    return judge.eval()


@torch.no_grad()
def judged(judge, images, batch_size=1000):
    parts = [judge(as_model_range(batch)) for batch in images.cpu().split(batch_size)]
    answers, features = (torch.cat(part) for part in zip(*parts, strict=True))
    values = {}
    for factor, part in zip(judge.world.factors, answers.split([columns(f) for f in judge.world.factors], 1), strict=True):
        if not factor.unit:
            values[factor.name] = part.argmax(dim=1).float()
        elif factor.circular:
            values[factor.name] = torch.atan2(part[:, 1], part[:, 0])
        else:
            low, high = min(factor.values), max(factor.values)
            values[factor.name] = low + (high - low) * (part[:, 0] + 1) / 2
    return Judged(values, features)
