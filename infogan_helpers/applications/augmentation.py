"""Drawn digits as training images: a classifier from few labels, with and without pictures that a generator drew.

A generator that learned from the same few labels, or whose classes were named by them, is asked for classes, and each
picture's label is the class that was asked for: it may be wrong. Not here: the training of the generator.
"""

import torch
import torch.nn.functional as F

from infogan_helpers.arguments import at_least, between, instance, integers, list_of, network, refuse, seed, takes
from infogan_helpers.evaluation import draw_images, match_codes_to_labels, read_codes
from infogan_helpers.labels import Labelled, labelled_images
from infogan_helpers.quality import DigitClassifier, learn
from infogan_helpers.runtime import isolated_randomness
from infogan_helpers.transforms import random_style


@takes(generator=network("spec"), names=integers(), n=at_least(1), seed=seed)
def drawn_digits(generator, names, n, seed=0):
    """Pictures that a generator drew, each with the label that was asked for.

    Args:
        generator: a generator whose first code is categorical.
        names: the label of each of that code's classes, each label once; ``range(10)`` where labels trained it.
        n: how many pictures.
        seed: of their codes.

    Returns:
        ``labels.Labelled``, which draws from them class by class.

    Raises:
        ValueError: ``names`` does not name each class, ``n`` is too small for a picture of each, or is no integer.
    """
    spec = generator.spec
    if not spec.categorical:
        raise ValueError("generator must have a categorical code, whose classes are asked for, got none")
    codes = spec.sample(n, torch.Generator().manual_seed(seed))
    if sorted(names.tolist()) != list(range(spec.categorical[0])):
        raise ValueError(f"names must hold each label below {spec.categorical[0]} once, got {names.tolist()}")
    return labelled_images(draw_images(generator, codes), names[codes.categorical[:, 0]], spec)


@takes(discriminator_q=network("spec"), few=instance(Labelled))
def names_of_classes(discriminator_q, few):
    """Which label each class of c1 stands for, by the labelled images alone: the best one-to-one match.

    Args:
        discriminator_q: D and Q that learned without labels.
        few: ``labels.Labelled``.

    Returns:
        Integer array, shape ``(classes,)``.

    Raises:
        ValueError: the network reads no categorical code.
    """
    if not discriminator_q.spec.categorical:
        raise ValueError("discriminator_q must read a categorical code, whose classes are named, got none")
    classes = discriminator_q.spec.categorical[0]
    read = read_codes(discriminator_q, few.images).categorical_logits[0].argmax(1)
    labels = torch.arange(len(few.counts)).repeat_interleave(few.counts)
    return match_codes_to_labels(read, labels, classes, len(few.counts))


def _source(name, value):
    """Labelled images, and how many of them a step gets."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        refuse(name, "labelled images and how many per step", value)
    return instance(Labelled)(f"{name}[0]", value[0]), at_least(1)(f"{name}[1]", value[1])


@takes(sources=list_of(_source, 1), strength=between(0, None), steps=at_least(1), seed=seed)
def train_on(sources, strength, steps, seed=0):
    """A small convolutional classifier, taught by batches that several sources fill.

    Args:
        sources: list of ``(Labelled, images per step)``: the labelled digits, and drawn ones beside them or instead.
        strength: of ``transforms.random_style`` on every image: shifted, sheared, scaled, bent, thickened; 0 for none.
        steps: of Adam, the same for all that are compared.
        seed: of the weights, the batches and the changes.

    Returns:
        A ``quality.DigitClassifier`` in eval mode; ``quality.classify`` asks it.

    Raises:
        ValueError: there is no source, a source gives no image, ``strength`` is no number of at least 0, or ``steps``
            no positive integer.
    """
    size = sum(n for _, n in sources)
    with isolated_randomness():
        torch.manual_seed(seed)
        random = torch.Generator().manual_seed(seed)
        classifier = DigitClassifier()

        def loss(_):
            parts = [source.draw(n, random) for source, n in sources]
            images, labels = (torch.cat(part) for part in zip(*parts, strict=True))
            if strength:
                images = random_style(images, random, strength)
            return F.cross_entropy(classifier(images)[0], labels)

        learn(classifier, loss, size, steps, size, random, progress=False)
    return classifier.eval()
