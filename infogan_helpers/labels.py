"""Few labels: which images have one, how few are chosen, and how a batch of labelled images is drawn, class by class.

Not here: any training. ``methods.ss_infogan`` and ``methods.ac_infogan`` learn from labels; all other methods do not.
"""

from typing import NamedTuple

import torch

from infogan_helpers.arguments import RANDOM, at_least, images, instance, integers, seed, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range

UNLABELLED = -1


class Labelled(NamedTuple):
    """The images that have labels, class by class.

    Attributes:
        images: in [-1, 1], sorted by label, shape ``(m, …)``.
        counts: how many each class has, all at least 1, shape ``(classes,)``.
    """

    images: torch.Tensor
    counts: torch.Tensor

    @takes(n=at_least(1), generator=RANDOM)
    def draw(self, n, generator=None):
        """``n`` images and their labels, with replacement: a class at random, then one of its images."""
        labels = torch.randint(len(self.counts), (n,), generator=generator, device=self.counts.device)
        within = torch.rand(n, generator=generator, device=self.counts.device) * self.counts[labels]
        return self.images[(self.counts.cumsum(0) - self.counts)[labels] + within.long()], labels


@takes(labels=integers(None), n=at_least(1), spec=instance(CodeSpec))
def check_labels(labels, n, spec):
    """Labels as a method can learn from them.

    Args:
        labels: integers, shape ``(n,)``; ``UNLABELLED`` where there is none.
        n: how many images there are.
        spec: the ``CodeSpec``; class k of its first categorical code stands for label k.

    Returns:
        ``labels`` as a tensor of ``int64``.

    Raises:
        ValueError: there is no categorical code, labels are no integers or not ``n``, one lies outside the classes,
            there is none at all, or a class has none.
    """
    if not spec.categorical:
        raise ValueError("spec must have a categorical code, whose classes stand for the labels, got none")
    classes = spec.categorical[0]
    if labels.shape != (n,):
        raise ValueError(
            f"labels must be integers of shape ({n},), one per image, got {labels.dtype} of shape {tuple(labels.shape)}"
        )
    known = labels[labels != UNLABELLED]
    if not len(known):
        raise ValueError(f"labels must name the class of some images, got {UNLABELLED}, no label, for all {n}")
    low, high = int(known.min()), int(known.max())
    if not 0 <= low <= high < classes:
        wrong = low if low < 0 else high
        raise ValueError(f"labels must lie in [0, {classes}), or be {UNLABELLED} where there is none, got {wrong}")
    missing = (torch.bincount(known, minlength=classes) == 0).nonzero()[:, 0].tolist()
    if missing:
        raise ValueError(f"labels must name at least one image of each of the {classes} classes, got none of {missing}")
    return labels


@takes(images=images(None), labels=integers(None), spec=instance(CodeSpec))
def labelled_images(images, labels, spec):
    """The labelled ones among all images, where every class has one.

    Args:
        images: ``uint8`` or floats in [-1, 1], shape ``(n, …)``.
        labels, spec: as in ``check_labels``, whose errors these are too.

    Returns:
        ``Labelled``.
    """
    labels = check_labels(labels, len(images), spec)
    known = (labels != UNLABELLED).nonzero()[:, 0]
    order = known[labels[known].argsort(stable=True)].to(images.device)
    return Labelled(as_model_range(images[order]), torch.bincount(labels[known], minlength=spec.categorical[0]))


@takes(labels=integers("n"), per_class=at_least(1), seed=seed)
def few_labels(labels, per_class, seed=0):
    """Keep a few labels of each class, chosen at random, and hide the others.

    Args:
        labels: the class of each image, integers of at least 0, shape ``(n,)``.
        per_class: how many of each class are kept.
        seed: of the choice.

    Returns:
        A copy of ``labels`` with ``UNLABELLED`` where a label is hidden.

    Raises:
        ValueError: ``per_class`` is no integer of at least 1, or a class has fewer labels.
    """
    random, kept = torch.Generator().manual_seed(seed), torch.full_like(labels, UNLABELLED)
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero()[:, 0]
        if len(rows) < per_class:
            raise ValueError(f"per_class must be at most {len(rows)}, what class {label} has, got {per_class}")
        kept[rows[torch.randperm(len(rows), generator=random)[:per_class]]] = label
    return kept
