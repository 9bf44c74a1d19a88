"""Features for few labels: what a network read from images without labels, and small classifiers that get a few.

Labels enter in ``linear_probe``, ``nearest_neighbour`` and ``few_label_scores``, and each says how many it saw. Test
labels score, and choose nothing. Not here: the training of any network.
"""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from infogan_helpers.arguments import at_least, function, images, integers, network, numbers, record, seed, takes
from infogan_helpers.data import ImageData, as_model_range, to_ink
from infogan_helpers.evaluation import check_finite, eval_mode, read_codes
from infogan_helpers.labels import UNLABELLED, few_labels
from infogan_helpers.networks import check_images

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # scikit-learn's C times the mean squared length of the features
ALONE = 10.0  # the same, where a class has one labelled image and there is nothing to choose by
FOLDS = 5
LABELLED = record(ImageData, images=images(None), labels=integers())


class FewLabelScores(NamedTuple):
    """What few labels made of features.

    Attributes:
        labels: how many labelled images taught the two classifiers.
        probe: share of the test images that the linear probe got right.
        neighbour: likewise, of the nearest labelled neighbour.
    """

    labels: int
    probe: float
    neighbour: float


@takes(network=network("trunk", "image_shape"), images=images(None), batch_size=at_least(1))
@torch.no_grad()
def trunk_features(network, images, batch_size=1000):
    """What the trunk hands to its heads, in eval mode.

    Args:
        network: D and Q, or an encoder: anything with a ``trunk``; its mode is put back afterwards.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``, on any device.
        batch_size: images per forward pass.

    Returns:
        Float array, shape ``(n, units)``.

    Raises:
        ValueError: there are no images, or they have another shape than the network takes.
    """
    check_images(as_model_range(images[:1]), network.image_shape)
    with eval_mode(network) as device:
        parts = [network.trunk(as_model_range(batch.to(device))).cpu() for batch in images.split(batch_size)]
    return check_finite("network", "answer", torch.cat(parts)).numpy()


@takes(discriminator_q=network(), images=images(None))
def code_features(discriminator_q, images):
    """What Q answers, as numbers that a classifier can take: probabilities of classes, means, cosines and sines.

    Args:
        discriminator_q, images: as in ``evaluation.read_codes``, whose errors these are too.

    Returns:
        Float array, shape ``(n, classes + continuous + 2 circular)``.
    """
    answer = read_codes(discriminator_q, images)
    probabilities = [logits.softmax(1) for logits in answer.categorical_logits]
    directions = [code.direction for code in answer.circular]
    return torch.cat([*probabilities, answer.mean, *directions], dim=1).numpy()


@takes(images=images("n, 1, height, width"))
def pixel_features(images):
    """The images themselves, ink in [0, 1], shape ``(n, height * width)``."""
    return to_ink(images).reshape(len(images), -1).astype(np.float32)


@takes(features=numbers("n, units"), labels=numbers(whole=True))
def linear_probe(features, labels):
    """Logistic regression on features; the strength of its penalty is chosen by the labelled images alone.

    Strengths are relative to the features' mean squared length, so that the same ones fit all kinds of features. They
    are compared by cross-validation in up to five folds; where a class has one image, ``ALONE`` stands.

    Args:
        features: of the labelled images, shape ``(n, units)``.
        labels: their labels, integers, shape ``(n,)``; at least two classes.

    Returns:
        A fitted scikit-learn classifier, with ``predict`` and ``score``.

    Raises:
        ValueError: shapes do not fit, or there are not two classes.
    """
    _check_labelled(features, labels)
    _, counts = np.unique(labels, return_counts=True)
    if len(counts) < 2:
        raise ValueError(f"labels must be of at least two classes, got {len(counts)}")
    per_length = 1 / float(np.mean(np.sum(np.square(features), axis=1)) or 1.0)
    folds = min(FOLDS, int(counts.min()))
    if folds < 2:
        return LogisticRegression(C=ALONE * per_length, max_iter=1000).fit(features, labels)
    parts = StratifiedKFold(folds, shuffle=True, random_state=0)
    strengths = {"C": [strength * per_length for strength in STRENGTHS]}
    return GridSearchCV(LogisticRegression(max_iter=1000), strengths, cv=parts).fit(features, labels)


@takes(features=numbers("n, units"), labels=numbers(whole=True))
def nearest_neighbour(features, labels):
    """The label of the nearest labelled image, by the distance of features as they are.

    Args:
        features, labels: as in ``linear_probe``; one class will do.

    Returns:
        A fitted scikit-learn classifier.

    Raises:
        ValueError: shapes do not fit.

    Source: the measure of Donahue, Krähenbühl & Darrell 2017 (BiGAN), table 1.
    """
    _check_labelled(features, labels)
    return KNeighborsClassifier(1, algorithm="brute").fit(features, labels)


@takes(features_of=function, train=LABELLED, test=LABELLED, per_class=at_least(1), seed=seed)
def few_label_scores(features_of, train, test, per_class, seed=0):
    """Both classifiers from a few labels of each class, scored on other images.

    Args:
        features_of: from images to features, shape ``(n, units)``, without labels; it was fitted on no test image.
        train: ``data.ImageData`` whose images may have labels; those that ``few_labels`` hides are not looked at.
        test: ``data.ImageData`` to score, other images than ``train``'s.
        per_class: labels kept of each class.
        seed: of which are kept.

    Returns:
        ``FewLabelScores``.

    Raises:
        ValueError: features do not fit, or a class has fewer than ``per_class`` images.
    """
    kept = few_labels(train.labels, per_class, seed)
    known = kept != UNLABELLED
    features, labels = features_of(train.images[known]), kept[known]
    of_test = numbers("n, units")("features_of(test.images)", features_of(test.images)), test.labels.cpu().numpy()
    scores = (float(learn(features, labels).score(*of_test)) for learn in (linear_probe, nearest_neighbour))
    return FewLabelScores(len(labels), *scores)


def _check_labelled(features, labels):
    """Whether there is a row and a label per image."""
    if labels.shape != features.shape[:1]:
        raise ValueError(f"features must be (n, units) and labels (n,), got {features.shape} and {labels.shape}")
