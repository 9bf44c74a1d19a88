"""Anomalies: scores that should be larger the less a picture is like those that a model was trained on.

Labels say which digits are the normal ones, and count how often an anomaly scores higher; no score is fitted to a label
or to an anomaly, and which way a score points is fixed here, before any is counted. Not here: any training, and the
search for a picture's noise, which is ``inversion``.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import OneClassSVM
from torch import nn
from torch.distributions import Categorical, Normal

from infogan_helpers.arguments import (
    at_least,
    function,
    images,
    integers,
    list_of,
    network,
    numbers,
    record,
    seed,
    takes,
)
from infogan_helpers.data import ImageData, as_model_range
from infogan_helpers.elbo import bernoulli_log_likelihood, gaussian_kl, reparameterise
from infogan_helpers.evaluation import check_finite, encode_images, eval_mode, read_codes
from infogan_helpers.networks import check_images

KEPT = 0.95  # of the variance, by PCA, before a density is fitted: as in the protocol of Deep SVDD
HELD_OUT = 10  # one normal picture of so many chooses a bandwidth
BANDWIDTHS = (0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 1.6, 2.4)
FEWEST = 50  # pictures of a class, for a density of its own
OUTLIERS = 0.1  # share of the normal pictures that a one-class SVM may leave outside
FEATURES = numbers("n, columns", 2)


class Separated(NamedTuple):
    """Images by what counts as normal, shape ``(n, 1, 28, 28)`` each."""

    normal: torch.Tensor
    anomalous: torch.Tensor


@takes(data=record(ImageData, images=images(None), labels=integers()), digits=list_of(at_least(0)))
def separate(data, digits):
    """The images whose label is one of ``digits``, and all others.

    Args:
        data: ``data.ImageData``.
        digits: the normal labels: ``[8]`` for one class, all but the 8 for one that is left out.

    Returns:
        ``Separated``.

    Raises:
        ValueError: no image is normal, or all are.
    """
    normal = torch.isin(data.labels, torch.tensor(digits, dtype=torch.int64))
    if normal.all() or not normal.any():
        raise ValueError(f"digits must leave normal and anomalous images, got {digits}")
    return Separated(data.images[normal], data.images[~normal])


@takes(normal=numbers(), anomalous=numbers())
def auroc(normal, anomalous):
    """How often an anomaly scores higher than a normal picture, ties counted half: the area under the ROC curve.

    Args:
        normal: scores of normal pictures, larger for what is stranger, shape ``(n,)``.
        anomalous: scores of anomalies, shape ``(m,)``.

    Returns:
        A float in [0, 1]: 0.5 is a coin, and ``1 - auroc`` is what the score has with its sign turned.

    Raises:
        ValueError: there are no scores on one side, or one is not finite.

    Source: Hanley & McNeil 1982; by ``sklearn.metrics.roc_auc_score``.
    """
    is_anomaly = np.repeat([False, True], [len(normal), len(anomalous)])
    return float(roc_auc_score(is_anomaly, np.concatenate([normal, anomalous])))


@takes(discriminator_q=network(), images=images(None))
def class_entropy(discriminator_q, images):
    """Entropy of Q's answer on the categorical codes, in nats, summed over them, shape ``(n,)``.

    Raises:
        ValueError: as ``evaluation.read_codes``, or Q reads no categorical code.
    """
    logits = read_codes(discriminator_q, images).categorical_logits
    if not logits:
        raise ValueError("discriminator_q must read a categorical code, whose entropy is asked for, got none")
    return sum(Categorical(logits=x).entropy() for x in logits).numpy()


@takes(discriminator_q=network(), images=images(None))
def value_entropy(discriminator_q, images):
    """Entropy of Q's answer on the continuous codes, in nats, summed over them, shape ``(n,)``.

    Nobody knows a real picture's codes, so their likelihood is taken at Q's word: minus this is what log Q(c | x) is on
    average over codes drawn from Q(c | x) itself.

    Raises:
        ValueError: as ``evaluation.read_codes``.
    """
    answer = read_codes(discriminator_q, images)
    return Normal(answer.mean, (0.5 * answer.log_variance).exp()).entropy().sum(dim=1).numpy()


@takes(discriminator_q=network(), images=images(None), redrawn=images(None))
def redrawn_surprise(discriminator_q, images, redrawn):
    """How unlikely Q's answer on an image makes what Q reads from its redrawing: -log Q(c | x), shape ``(n,)``.

    Args:
        discriminator_q: the network.
        images: as ``evaluation.read_codes`` takes them.
        redrawn: what G draws of each (``inversion.Found.images``); Q's means there are the continuous codes c.

    Returns:
        Nats, shape ``(n,)``; a density, so they may be negative.

    Raises:
        ValueError: as ``evaluation.read_codes``, or the two are not as many.
    """
    if len(redrawn) != len(images):
        raise ValueError(f"redrawn must be as many as images, {len(images)}, got {len(redrawn)}")
    answer, again = read_codes(discriminator_q, images), read_codes(discriminator_q, redrawn)
    return -Normal(answer.mean, (0.5 * answer.log_variance).exp()).log_prob(again.mean).sum(dim=1).numpy()


@takes(discriminator_q=network(), images=images(None), batch_size=at_least(1))
@torch.no_grad()
def fakeness(discriminator_q, images, batch_size=1000):
    """Minus D's logit, shape ``(n,)``: larger for what D takes for a fake."""
    with eval_mode(discriminator_q) as device:
        parts = [discriminator_q(as_model_range(batch.to(device)))[0] for batch in images.split(batch_size)]
    return -check_finite("discriminator_q", "answer", torch.cat(parts)).cpu().numpy()


@takes(discriminator_q=network("trunk", "image_shape"), images=images(None), batch_size=at_least(1))
@torch.no_grad()
def map_features(discriminator_q, images, batch_size=1000):
    """What the trunk's convolutions see: its feature maps before the fully connected layers, as rows.

    Args:
        discriminator_q: a ``networks.DiscriminatorQ``; its mode is put back afterwards.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, *image_shape)``, on any device.
        batch_size: images per forward pass.

    Returns:
        Float array, shape ``(n, channels * height * width)`` of the last convolution.

    Raises:
        ValueError: there are no images, or they have another shape than the network takes.
    """
    check_images(as_model_range(images[:1]), discriminator_q.image_shape)
    trunk = discriminator_q.trunk
    maps = trunk[: next(i for i, layer in enumerate(trunk) if isinstance(layer, nn.Flatten)) + 1]
    with eval_mode(discriminator_q) as device:
        parts = [maps(as_model_range(batch.to(device))).cpu() for batch in images.split(batch_size)]
    return check_finite("discriminator_q", "answer", torch.cat(parts)).numpy()


@takes(encoder=network(), decoder=network(), images=images(None), draws=at_least(1), seed=seed)
@torch.no_grad()
def negative_elbo(encoder, decoder, images, draws=5, seed=0):
    """Minus a VAE's bound on each image, in nats: distortion, a mean over draws of z, plus rate.

    Args:
        encoder, decoder: of a ``methods.autoencoders.AutoencoderResult``.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, *image_shape)``.
        draws: of z per image.
        seed: of these.

    Returns:
        Shape ``(n,)``.

    Raises:
        ValueError: as ``evaluation.encode_images``, or ``draws`` is no positive integer.

    Source: An & Cho 2015 score by the distortion alone; the bound is Kingma & Welling 2014.
    """
    mean, log_variance = encode_images(encoder, images)
    random = torch.Generator().manual_seed(seed)
    wanted, distortion = as_model_range(images.cpu()), torch.zeros(len(images))
    with eval_mode(decoder) as device:
        for _ in range(draws):
            parts = reparameterise(mean, log_variance, random).split(1000)
            drawn = check_finite("decoder", "draw", torch.cat([decoder(z.to(device)).cpu() for z in parts]))
            distortion -= bernoulli_log_likelihood(drawn, wanted) / draws
    return (distortion + gaussian_kl(mean, log_variance).sum(dim=1)).numpy()


@takes(normal=FEATURES)
def gaussian(normal):
    """A Gaussian on the principal components that hold 95 % of the variance; what lies outside them is not looked at.

    Args:
        normal: features of normal pictures, shape ``(n, columns)``: their pixels, or what a network makes of them.

    Returns:
        A function from features, shape ``(m, columns)``, to squared Mahalanobis distances, shape ``(m,)``: twice minus
        the log-density, but for a constant.
    """
    components = PCA(KEPT, whiten=True).fit(normal)
    return lambda features: np.square(components.transform(features)).sum(axis=1)


@takes(normal=FEATURES)
def probabilistic_pca(normal):
    """A Gaussian on all columns: ``gaussian``, and one variance for every direction outside its components.

    Args:
        normal: as in ``gaussian``.

    Returns:
        A function as there, to minus the log-density in nats.

    Source: Tipping & Bishop 1999; by ``sklearn.decomposition.PCA``.
    """
    components = PCA(KEPT).fit(normal)
    return lambda features: -components.score_samples(features)


@takes(fit=function, normal=FEATURES, classes=numbers(whole=True))
def by_class(fit, normal, classes):
    """A density per class of normal pictures; a picture is as strange as the class that knows it best finds it.

    Args:
        fit: ``probabilistic_pca``, or another of these.
        normal: features of normal pictures, shape ``(n, columns)``.
        classes: an integer per picture, shape ``(n,)``: Q's most probable class, say, which takes no label. Classes of
            fewer than ``FEWEST`` pictures have no density.

    Returns:
        A function as ``fit``'s.

    Raises:
        ValueError: no class has enough pictures, or there is not one for each of them.
    """
    if len(classes) != len(normal):
        raise ValueError(f"classes must be one for each of {len(normal)} pictures, got {len(classes)}")
    found, counts = np.unique(classes, return_counts=True)
    if counts.max() < FEWEST:
        raise ValueError(f"classes must hold {FEWEST} pictures in one class at least, got {counts.max()}")
    scores = [fit(normal[classes == k]) for k in found[counts >= FEWEST]]
    return lambda features: np.min([score(features) for score in scores], axis=0)


@takes(normal=FEATURES)
def nearest_normal(normal):
    """The distance to the nearest normal picture's features; arguments and answer as of ``gaussian``."""
    neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(normal)
    return lambda features: neighbours.kneighbors(features)[0][:, 0]


@takes(normal=FEATURES)
def one_class_svm(normal):
    """A one-class SVM on the components of ``gaussian``, not whitened; arguments and answer as there.

    The kernel's width is scikit-learn's own, from the variance. Deep SVDD's protocol chooses it on a part of the test
    digits, anomalies included, which helps it.

    Source: Schölkopf et al. 2001; by ``sklearn.svm.OneClassSVM``.
    """
    components = PCA(KEPT).fit(normal)
    machine = OneClassSVM(nu=OUTLIERS).fit(components.transform(normal))
    return lambda features: -machine.decision_function(components.transform(features))


@takes(normal=FEATURES)
def kernel_density(normal):
    """Minus a Gaussian kernel density's log, on the components of ``one_class_svm``; arguments and answer as there.

    Every tenth normal picture is held out, and the bandwidth is the one that makes these likeliest. In a hundred
    dimensions no tree helps, so all distances are computed: faster than ``sklearn.neighbors.KernelDensity``.

    Source: Parzen 1962.
    """
    components = PCA(KEPT).fit(normal)
    placed = components.transform(normal)
    is_held_out = np.arange(len(placed)) % HELD_OUT == 0
    kept = placed[~is_held_out]
    squared = euclidean_distances(placed[is_held_out], kept, squared=True)
    best = max(BANDWIDTHS, key=lambda h: _log_density(squared, h, kept.shape[1]).mean())

    def score(features):
        squared = euclidean_distances(components.transform(features), kept, squared=True)
        return -_log_density(squared, best, kept.shape[1])

    return score


def _log_density(squared, bandwidth, dimensions):
    """Log of a mean of Gaussian kernels, from squared distances, shape ``(asked, kernels)``."""
    norm = math.log(squared.shape[1]) + dimensions / 2 * math.log(2 * math.pi * bandwidth**2)
    return logsumexp(-squared / (2 * bandwidth**2), axis=1) - norm
