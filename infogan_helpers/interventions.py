"""Disentanglement metrics that ask a world for new images: hold one factor, draw the rest, see what the codes do.

Higgins' (β-VAE) and FactorVAE's, as ``disentanglement_lib`` defines them. Not here: metrics of images that are given
(``disentanglement``), and anything that renders (``worlds``) or trains.
"""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from tqdm.auto import tqdm

from infogan_helpers import checks
from infogan_helpers.arguments import BOOLEAN, WORLD, at_least, between, function, seed, takes

N_TRAIN, N_TEST = 10_000, 5_000  # batches that train, and that score, the classifiers of Higgins and FactorVAE
BATCH_SIZE = 64  # images in such a batch
N_SPREAD = 10_000  # images from which a code's variance is measured (FactorVAE)
STILL = 0.05  # standard deviation below which a code counts as switched off (FactorVAE)
IMAGES_AT_ONCE = 8192  # that are rendered and encoded together


@takes(
    world=WORLD,
    encode=function,
    n_train=at_least(1),
    n_test=at_least(1),
    batch_size=at_least(1),
    seed=seed,
    progress=BOOLEAN,
)
def higgins_score(
    world, encode, *, n_train=N_TRAIN, n_test=N_TEST, batch_size=BATCH_SIZE, seed=0, progress=False
):  # fmt: skip
    """The β-VAE metric: which factor do the images of a pair share? Asked of the mean distance between their codes.

    Args:
        world: anything with ``sample_factors(n, generator)``, integers of shape ``(n, K)``, and ``render(factors)``;
            ``worlds`` has some.
        encode: a function from images to codes, shape ``(n, L)``.
        n_train: batches of pairs that train a logistic regression. Fewer are faster and noisier.
        n_test: batches of pairs that score it.
        batch_size: pairs in a batch.
        seed: of the factors and of the regression.
        progress: whether to show a progress bar.

    Returns:
        Accuracy on the test batches, in [0, 1]; chance is ``1 / K``.

    Raises:
        ValueError: a number of batches is not positive, or the codes have another shape or are not finite.

    Source: Higgins et al. 2017, "beta-VAE", with the settings of disentanglement_lib.
    """

    def distance(first, shared, random):
        m, n, k = first.shape
        second = world.sample_factors(m * n, random).reshape(m, n, k)
        second = torch.where(shared, first, second)
        codes = [_encoded(world, encode, factors.reshape(m * n, k)) for factors in (first, second)]
        return np.abs(codes[0] - codes[1]).reshape(m, n, -1).mean(axis=1)

    features, shared = _batches(world, distance, n_train, n_test, batch_size, seed, progress, "Higgins")
    if len(set(shared[:n_train])) < 2:
        return float(np.mean(shared[n_train:] == shared[0]))  # a world with one factor, or a single batch
    model = LogisticRegression(random_state=seed).fit(features[:n_train], shared[:n_train])
    return float(model.score(features[n_train:], shared[n_train:]))


@takes(
    world=WORLD,
    encode=function,
    n_train=at_least(1),
    n_test=at_least(1),
    batch_size=at_least(2),
    n_spread=at_least(2),
    still=between(0, None),
    seed=seed,
    progress=BOOLEAN,
)
def factor_vae_score(
    world, encode, *, n_train=N_TRAIN, n_test=N_TEST, batch_size=BATCH_SIZE, n_spread=N_SPREAD, still=STILL, seed=0,
    progress=False,
):  # fmt: skip
    """The FactorVAE metric: the images of a batch share one factor; does the code that varies least say which?

    Args:
        world, encode, seed, progress: as in ``higgins_score``.
        n_train: batches whose votes decide which factor each code stands for. Fewer are faster and noisier.
        n_test: batches that score the decision.
        batch_size: images in a batch.
        n_spread: images from which each code's variance is measured.
        still: codes whose standard deviation is below this are left out.

    Returns:
        Accuracy on the test batches, in [0, 1]; 0 where no code moves.

    Raises:
        ValueError: as in ``higgins_score``.

    Source: Kim & Mnih 2018, "Disentangling by Factorising", with the settings of disentanglement_lib.
    """
    random = torch.Generator().manual_seed(seed)
    spread = [
        _encoded(world, encode, world.sample_factors(len(part), random))
        for part in torch.arange(n_spread).split(IMAGES_AT_ONCE)
    ]
    variance = np.concatenate(spread).var(axis=0, ddof=1)
    active = np.sqrt(variance) >= still
    if not active.any():
        return 0.0

    def quietest(factors, shared, random):
        m, n, k = factors.shape
        factors = torch.where(shared, factors[:, :1], factors)
        codes = _encoded(world, encode, factors.reshape(m * n, k)).reshape(m, n, -1)[:, :, active]
        return np.argmin(codes.var(axis=1, ddof=1) / variance[active], axis=1)

    votes, shared = _batches(world, quietest, n_train, n_test, batch_size, seed + 1, progress, "FactorVAE")
    counts = np.zeros((shared.max() + 1, active.sum()), dtype=int)
    np.add.at(counts, (shared[:n_train], votes[:n_train]), 1)
    return float(np.mean(counts.argmax(axis=0)[votes[n_train:]] == shared[n_train:]))


def _encoded(world, encode, factors):
    with torch.no_grad():
        codes = checks.array(encode(world.render(factors)))
    if codes.ndim != 2 or len(codes) != len(factors) or not np.isfinite(codes).all():
        raise ValueError(f"encode must return finite codes of shape ({len(factors)}, L), got shape {codes.shape}")
    return codes.astype(float)


def _batches(world, measure, n_train, n_test, batch_size, seed, progress, name):
    """What ``measure`` says of each batch of factors, and which factor the batch shares."""
    random = torch.Generator().manual_seed(seed)
    measured, shared = [], []
    with tqdm(total=n_train + n_test, desc=name, unit="batch", disable=not progress) as bar:
        for part in torch.arange(n_train + n_test).split(max(1, IMAGES_AT_ONCE // batch_size)):
            m = len(part)
            factors = world.sample_factors(m * batch_size, random).reshape(m, batch_size, -1)
            which = torch.randint(factors.shape[2], (m,), generator=random)
            is_shared = torch.nn.functional.one_hot(which, factors.shape[2]).bool()[:, None, :]
            measured.append(measure(factors, is_shared, random))
            shared.append(which.numpy())
            bar.update(m)
    return np.concatenate(measured), np.concatenate(shared)
