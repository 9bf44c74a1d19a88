"""How good generated digits are: what a digit classifier says of them, and how far its features lie from real ones.

Labels train the classifier, and the classifier only scores: nothing here reaches InfoGAN's training. Not here: what the
codes mean, which is ``evaluation``.
"""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from tqdm.auto import tqdm

from infogan_helpers import checks
from infogan_helpers.arguments import (
    BOOLEAN,
    at_least,
    finite,
    function,
    images,
    instance,
    integers,
    maybe,
    network,
    numbers,
    path,
    scalar,
    seed,
    takes,
)
from infogan_helpers.checkpoints import PRETRAINED_FOLDER, load_verified, save_verified
from infogan_helpers.data import BatchSampler, as_model_range
from infogan_helpers.networks import check_images
from infogan_helpers.runtime import isolated_randomness
from infogan_helpers.transforms import random_style

SCORING_FOLDER = PRETRAINED_FOLDER / "scoring"
FEATURES = 64
SURE = 0.9  # probability from which the classifier counts as sure
AUGMENTATION = 0.5  # strength of random_style while the classifier trains


class DigitClassifier(nn.Module):
    """Three convolutions and two fully connected layers, for 28 x 28 images in [-1, 1]."""

    def __init__(self):
        super().__init__()
        layers, channels = [], 1
        for wider, stride in ((16, 1), (32, 2), (64, 2)):
            layers += [nn.Conv2d(channels, wider, 3, stride, 1), nn.BatchNorm2d(wider), nn.ReLU()]
            channels = wider
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 7 * 7, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, 10)

    def forward(self, images):
        """``(logits, features)``: shapes ``(n, 10)`` and ``(n, FEATURES)``."""
        features = self.body(check_images(images, (1, 28, 28)))
        return self.head(features), features


@takes(images=images(), labels=integers(), epochs=at_least(1), batch_size=at_least(1), seed=seed, progress=BOOLEAN)
def train_classifier(images, labels, epochs=5, batch_size=128, seed=0, progress=True):
    """Train a ``DigitClassifier`` with labels, on changed copies of the images, on the CPU.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, 1, 28, 28)``.
        labels: integers in [0, 10), shape ``(n,)``.
        epochs: passes over the images.
        batch_size: images per step.
        seed: of the weights, the order and the copies.
        progress: whether to show a progress bar.

    Returns:
        The classifier, in eval mode.

    Raises:
        ValueError: images and labels do not fit.
    """
    if len(images) != len(labels) or tuple(images.shape[1:]) != (1, 28, 28):
        raise ValueError(
            f"images must have shape (n, 1, 28, 28) and labels shape (n,), got {tuple(images.shape)} "
            f"and {tuple(labels.shape)}"
        )
    with isolated_randomness():
        torch.manual_seed(seed)
        random = torch.Generator().manual_seed(seed)
        classifier = DigitClassifier()

        def loss(rows):
            changed = random_style(as_model_range(images[rows]), random, AUGMENTATION)
            return F.cross_entropy(classifier(changed)[0], labels[rows])

        steps = epochs * max(1, len(images) // batch_size)
        learn(classifier, loss, len(images), steps, batch_size, random, progress)
    return classifier.eval()


@takes(
    network=network(),
    loss=function,
    count=at_least(1),
    steps=at_least(1),
    batch_size=at_least(1),
    random=instance(torch.Generator),
    progress=BOOLEAN,
)
def learn(network, loss, count, steps, batch_size, random, progress=True):
    """Train what only scores: Adam on one cycle of the learning rate, over rows in random order.

    Args:
        network: whose weights move.
        loss: of a tensor of row numbers, a scalar tensor.
        count: of rows.
        steps: of Adam.
        batch_size: rows per step, ``count`` at most.
        random: the ``torch.Generator`` of the order.
        progress: whether to show a progress bar.
    """
    rows = BatchSampler(torch.arange(count), min(batch_size, count), random)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    for _ in tqdm(range(steps), disable=not progress, unit="step"):
        value = scalar("what loss gives", loss(rows.next()))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()


@takes(classifier=instance(DigitClassifier), facts=instance(dict), folder=maybe(path))
def save_classifier(classifier, facts, folder=None):
    """Write the classifier's weights and card, to ``data/pretrained/scoring`` where ``folder`` is ``None``."""
    save_verified("classifier", classifier.state_dict(), facts, SCORING_FOLDER if folder is None else folder)


@takes(folder=maybe(path))
def load_classifier(folder=None):
    """The classifier that ships, in eval mode, checked against its card's SHA-256.

    Raises:
        ValueError: it is not there, or its weights are not those of its card.
    """
    tensors, *_ = load_verified("classifier", SCORING_FOLDER if folder is None else folder)
    with isolated_randomness():
        classifier = DigitClassifier()
    classifier.load_state_dict(tensors)
    return classifier.eval()


@takes(classifier=network(), images=images(None, 0), batch_size=at_least(1))
@torch.no_grad()
def classify(classifier, images, batch_size=1000):
    """The classifier's opinion of many images.

    Args:
        classifier: from ``load_classifier`` or ``train_classifier``.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, 1, 28, 28)``.
        batch_size: images a forward pass.

    Returns:
        ``(probabilities, features)``, shapes ``(n, 10)`` and ``(n, FEATURES)``.

    Raises:
        ValueError: there are no images, or they have another shape.
    """
    if len(images) == 0 or tuple(images.shape[1:]) != (1, 28, 28):
        raise ValueError(f"images must have shape (n, 1, 28, 28) with n of at least 1, got {tuple(images.shape)}")
    parts = [classifier(as_model_range(batch)) for batch in images.cpu().split(batch_size)]
    logits, features = (finite()("classifier", torch.cat(part)) for part in zip(*parts, strict=True))
    return logits.softmax(1), features


@takes(probabilities=finite("n, classes"))
def sure_share(probabilities, threshold=SURE):
    """Share of images whose most probable digit has a probability of at least ``threshold``, a float in [0, 1]."""
    checks.number("threshold", threshold, above=0, most=1)
    return float((probabilities.max(dim=1).values >= threshold).float().mean())


@takes(probabilities=finite("n, classes", 0), codes=numbers("n", 0, whole=True))
def class_balance(probabilities, codes):
    """Which digits each value of a categorical code draws, as the classifier sees them.

    Args:
        probabilities: from ``classify``, shape ``(n, 10)``.
        codes: the value that drew each image, integers, shape ``(n,)``.

    Returns:
        A ``DataFrame`` of shares: a row a value of the code, a column a digit; rows sum to 1.

    Raises:
        ValueError: the lengths differ, or there are no images.
    """
    if len(probabilities) != len(codes) or len(codes) == 0:
        raise ValueError(
            f"probabilities and codes must have one length of at least 1, got {len(probabilities)} and {len(codes)}"
        )
    digits = pd.Categorical(checks.array(probabilities.argmax(dim=1)), categories=range(probabilities.shape[1]))
    return pd.crosstab(
        pd.Series(checks.array(codes), name="code"), pd.Series(digits, name="digit"), normalize="index", dropna=False
    )


@takes(images=images(None, 0))
def sharpness(images):
    """How much fine detail images have: the variance of their Laplacian, mean over images.

    Args:
        images: floats in [-1, 1] or ``uint8``, shape ``(n, channels, height, width)``.

    Returns:
        A float, at least 0; of ink in [0, 1], each pixel's four neighbours less four times itself. Compare it with that
        of real images: blur lowers it, and noise raises it.

    Raises:
        ValueError: there is no image, or it is too small to have a neighbour on each side.

    Source: Tolstikhin et al. 2018, *Wasserstein Auto-Encoders*, section 4.
    """
    if images.ndim != 4 or len(images) == 0 or min(images.shape[2:]) < 3:
        raise ValueError(
            f"images must have shape (n, channels, height, width), 3 or more high, got {tuple(images.shape)}"
        )
    ink = (as_model_range(images) + 1) / 2
    middle, beside = ink[:, :, 1:-1, 1:-1], ink[:, :, 1:-1, :-2] + ink[:, :, 1:-1, 2:]
    edges = beside + ink[:, :, :-2, 1:-1] + ink[:, :, 2:, 1:-1] - 4 * middle
    return float(edges.flatten(1).var(dim=1, correction=0).mean())


@takes(features=numbers(None, 0), others=numbers(None, 0))
def frechet_distance(features, others):
    """Fréchet distance between two sets of features, each taken for a Gaussian; 0 for the same mean and covariance.

    Args:
        features: shape ``(n, d)``, ``n`` of at least 2.
        others: shape ``(m, d)``, ``m`` of at least 2.

    Returns:
        A float of at least 0. It shrinks as ``n`` and ``m`` grow: compare at equal numbers, and beside the distance of
        real images to other real images.

    Raises:
        ValueError: the shapes do not fit.

    Source: Dowson & Landau 1982; Heusel et al. 2017, with Inception's features for these.
    """
    features, others = (x.astype(np.float64) for x in (features, others))
    if features.ndim != 2 or others.ndim != 2 or features.shape[1] != others.shape[1]:
        raise ValueError(
            f"features and others must have shapes (n, d) and (m, d), got {features.shape} and {others.shape}"
        )
    if min(len(features), len(others)) < 2:
        raise ValueError(f"features and others must hold at least 2 rows each, got {len(features)} and {len(others)}")
    a, b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (features, others))
    root = _root(a)
    cross = _root(root @ b @ root)  # has the trace of (a b)^(1/2), and is symmetric
    distance = np.sum((features.mean(0) - others.mean(0)) ** 2) + np.trace(a + b - 2 * cross)
    return float(max(distance, 0.0))


def _root(matrix):
    """Square root of a symmetric positive semi-definite matrix; rounding's negative eigenvalues count as 0."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
