"""What the codes turned out to mean: matched to digits, and correlated with measured slant, thickness and width.

Labels enter here, and only to score: nothing in this file trains anything. Not here: metrics that need the true
factors of the images.
"""

import math
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr
from sklearn.metrics import normalized_mutual_info_score

from infogan_helpers.arguments import (
    TEXT,
    at_least,
    images,
    instance,
    integers,
    list_of,
    network,
    numbers,
    seed,
    takes,
)
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.data import ImageData, as_model_range
from infogan_helpers.measures import MEASURES
from infogan_helpers.posteriors import joined


@takes(discriminator_q=network(), images=images(None), batch_size=at_least(1))
@torch.no_grad()
def read_codes(discriminator_q, images, batch_size=1000):
    """Q's posterior for many images, in eval mode, on the CPU.

    Args:
        discriminator_q: the network; its mode is put back afterwards.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, *image_shape)``, on any device.
        batch_size: images a forward pass.

    Returns:
        A ``posteriors.Posterior`` for all ``n`` images.

    Raises:
        ValueError: there are no images, or they have another shape than the network takes.
    """
    with eval_mode(discriminator_q) as device:
        parts = [discriminator_q(as_model_range(batch.to(device)))[1] for batch in images.split(batch_size)]
    answers = joined(parts)
    for tensor in (*answers.categorical_logits, answers.mean, answers.log_variance, *sum(answers.circular, ())):
        check_finite("discriminator_q", "answer", tensor)
    return answers


@takes(generator=network(), codes=instance(Codes), batch_size=at_least(1))
@torch.no_grad()
def draw_images(generator, codes, batch_size=1000):
    """The images of many codes, in eval mode, on the CPU.

    Args:
        generator: the network; its mode is put back afterwards.
        codes: ``Codes`` of its spec, on any device.
        batch_size: images a forward pass.

    Returns:
        Floats in [-1, 1], shape ``(n, *image_shape)``.

    Raises:
        ValueError: there are no codes, or they are of another spec.
    """
    if len(codes) == 0:
        raise ValueError("codes must have at least one row to draw, got none")
    with eval_mode(generator) as device:
        rows = range(0, len(codes), batch_size)
        images = torch.cat([generator(codes[i : i + batch_size].to(device)).cpu() for i in rows])
    for name in ("continuous", "circular", "noise"):
        check_finite(f"codes.{name}", "hold", getattr(codes, name))
    return check_finite("generator", "draw", images)


@takes(encoder=network(), images=images(None), batch_size=at_least(1))
@torch.no_grad()
def encode_images(encoder, images, batch_size=1000):
    """The encoder's answers on many images, in eval mode, on the CPU.

    Args:
        encoder: the network; its mode is put back afterwards.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, *image_shape)``, on any device.
        batch_size: images per forward pass.

    Returns:
        ``(mean, log_variance)``, shape ``(n, latents)`` each.

    Raises:
        ValueError: there are no images, or they have another shape than the network takes.
    """
    with eval_mode(encoder) as device:
        parts = [encoder(as_model_range(batch.to(device))) for batch in images.split(batch_size)]
    answers = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
    return tuple(check_finite("encoder", "answer", answer) for answer in answers)


def check_finite(name, does, numbers):
    """The numbers, if all of them are; a network whose weights hold NaN, or whose run diverged, has others."""
    if not torch.isfinite(numbers).all():
        bad = numbers[~torch.isfinite(numbers)][0].item()
        raise ValueError(f"{name} must {does} finite numbers, got {bad} among them")
    return numbers


@takes(network=network())
@contextmanager
def eval_mode(network):
    """The network's device; the network is in eval mode meanwhile, and in its own mode again afterwards."""
    was_training = network.training
    network.eval()
    try:
        yield next((p.device for p in network.parameters()), torch.device("cpu"))
    finally:
        network.train(was_training)


@takes(codes=numbers(None, 0), labels=numbers(None, 0), n_codes=at_least(1), n_labels=at_least(1))
def match_codes_to_labels(codes, labels, n_codes=10, n_labels=10):
    """The one-to-one match of codes to labels that gets most images right (the Hungarian method).

    Fit it on one split and apply it to another: a match fitted on the images that it scores flatters itself.

    Args:
        codes: the code of each image, integers in ``[0, n_codes)``, shape ``(n,)``.
        labels: its label, integers in ``[0, n_labels)``, shape ``(n,)``.
        n_codes: how many classes the code has.
        n_labels: how many labels there are.

    Returns:
        Integer array of shape ``(n_codes,)``: the label of each code, -1 for a code that is left over.

    Raises:
        ValueError: shapes disagree, nothing is given, or a value is out of range.

    Source: Kuhn 1955, by ``scipy.optimize.linear_sum_assignment``.
    """
    codes, labels = _check_pairs(codes, labels, n_codes, n_labels)
    counts = np.zeros((n_codes, n_labels), dtype=np.int64)
    np.add.at(counts, (codes, labels), 1)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    matching = np.full(n_codes, -1)
    matching[rows] = columns
    return matching


@takes(codes=numbers(None, 0), labels=numbers(None, 0), matching=numbers("codes", whole=True))
def code_accuracy(codes, labels, matching):
    """Share of images whose matched code is their label; an image with a left-over code counts as wrong.

    Args:
        codes: the code of each image, integers in ``[0, len(matching))``, shape ``(n,)``.
        labels: its label, shape ``(n,)``.
        matching: from ``match_codes_to_labels``, fitted on other images.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: shapes disagree, nothing is given, or a value is out of range.
    """
    codes, labels = _check_pairs(codes, labels, len(matching), None)
    return float((matching[codes] == labels).mean())


class CodeScore(NamedTuple):
    """How well one categorical code, learned without labels, agrees with labels that it never saw.

    Attributes:
        accuracy: share of the test images whose matched code is their label.
        nmi: normalised mutual information of code and label on them, in [0, 1]; needs no match.
        matching: the label of each code, fitted on the training images.
        confusion: counts on the test images, as from ``confusion``.
    """

    accuracy: float
    nmi: float
    matching: np.ndarray
    confusion: pd.DataFrame


@takes(discriminator_q=network("spec"), train=instance(ImageData), test=instance(ImageData))
def score_codes(discriminator_q, train, test):
    """The protocol of this project: match codes to labels on training images, score on test images.

    Q's most probable value of the first categorical code stands for each image. Labels are used here, to score, and
    nowhere else.

    Args:
        discriminator_q: the trained network.
        train: ``data.ImageData`` to fit the one-to-one match on.
        test: ``data.ImageData`` to score, other images than ``train``'s.

    Returns:
        A ``CodeScore``.

    Raises:
        ValueError: the network has no categorical code, or images and labels do not fit.

    Source: accuracy after Chen et al. 2016, section 7.2, who give no protocol; NMI by
    ``sklearn.metrics.normalized_mutual_info_score``.
    """
    if not discriminator_q.spec.categorical:
        raise ValueError("discriminator_q must read at least one categorical code, its spec has none")
    classes = discriminator_q.spec.categorical[0]
    known = [integers()(f"{name}.labels", part.labels) for name, part in (("train", train), ("test", test))]
    labels = int(max(part.max() for part in known)) + 1
    seen, codes = (read_codes(discriminator_q, part.images).categorical_logits[0].argmax(1) for part in (train, test))
    matching = match_codes_to_labels(seen, train.labels, classes, labels)
    return CodeScore(
        code_accuracy(codes, test.labels, matching),
        float(normalized_mutual_info_score(test.labels.numpy(), codes.numpy())),
        matching,
        confusion(codes, test.labels, matching, labels),
    )


@takes(codes=numbers(None, 0), labels=numbers(None, 0), matching=numbers("codes", whole=True), n_labels=at_least(1))
def confusion(codes, labels, matching, n_labels=10):
    """How many images of each label got each code, codes ordered by the label they are matched to.

    Args:
        codes: the code of each image, shape ``(n,)``.
        labels: its label, shape ``(n,)``.
        matching: from ``match_codes_to_labels``.
        n_labels: how many labels there are.

    Returns:
        A ``DataFrame`` of counts: a row a label, a column a code; left-over codes come last.

    Raises:
        ValueError: shapes disagree, nothing is given, or a value is out of range.
    """
    codes, labels = _check_pairs(codes, labels, len(matching), n_labels)
    counts = np.zeros((n_labels, len(matching)), dtype=np.int64)
    np.add.at(counts, (labels, codes), 1)
    order = np.argsort(np.where(matching < 0, n_labels, matching), kind="stable")
    table = pd.DataFrame(
        counts, index=pd.RangeIndex(n_labels, name="label"), columns=pd.RangeIndex(len(matching), name="code")
    )
    return table[order]


@takes(generator=network(), spec=instance(CodeSpec), n=at_least(3), seed=seed)
def code_attribute_table(generator, spec, n=2000, seed=0):
    """Spearman's ρ of each continuous or circular code with each measure of generated digits, all else drawn at random.

    Args:
        generator: a trained generator; its mode is put back afterwards.
        spec: its ``CodeSpec``, with at least one such code. No measure goes round, so a circular code stands for its
            angle, which jumps at π.
        n: how many digits to draw.
        seed: of the draw.

    Returns:
        A ``DataFrame``: a row per such code (named as in the paper), a column per measure. Digits without ink are
        left out; NaN where a measure is the same for all digits.

    Raises:
        ValueError: the spec has no such code, or ``n`` is below 3.

    Source: facts of the measures in their own docstrings; Spearman 1904, by ``scipy.stats.spearmanr``.
    """
    codes, measured = _drawn_and_measured(generator, spec, n, seed)
    return _correlations(spec, codes, measured, slice(None))


@takes(generator=network(), spec=instance(CodeSpec), n=at_least(3), seed=seed)
def code_attribute_table_by_class(generator, spec, n=2000, seed=0):
    """``code_attribute_table`` within each value of the first categorical code, on the same draw.

    Pooled over classes, a ρ also counts how classes differ; within a class it can't.

    Args:
        generator, spec, n, seed: as in ``code_attribute_table``; the spec has at least one categorical code.

    Returns:
        A ``DataFrame``: its rows are pairs (value of the first categorical code, continuous or circular code).

    Raises:
        ValueError: the spec has no categorical or no other code, or ``n`` is below 3.
    """
    if not spec.categorical:
        raise ValueError("spec must have at least one categorical code, got none")
    codes, measured = _drawn_and_measured(generator, spec, n, seed)
    first = codes.categorical[:, 0].numpy()
    values = range(spec.categorical[0])
    parts = {value: _correlations(spec, codes, measured, first == value) for value in values}
    return pd.concat(parts, names=[spec.names[0], "code"])


@takes(table=instance(pd.DataFrame), measures=list_of(TEXT, 1))
def followed_measures(table, measures=("slant", "thickness", "width")):
    """The measure that each continuous code follows most, and whether another code follows the same one.

    Args:
        table: from ``code_attribute_table``.
        measures: which columns to choose from.

    Returns:
        A ``DataFrame``: a row a code; columns ``measure``, ``rho`` and ``shared``.

    Raises:
        ValueError: a measure is not a column, or a code has no known correlation.
    """
    if unknown := [name for name in measures if name not in table.columns]:
        raise ValueError(f"measures must be columns of table {list(table.columns)}, got {unknown}")
    chosen = table[list(measures)]
    if chosen.isna().all(axis=1).any():
        raise ValueError("table must hold a correlation for each code, got a row of NaN")
    measure = chosen.abs().idxmax(axis=1)
    rho = [chosen.loc[code, name] for code, name in measure.items()]
    return pd.DataFrame({"measure": measure, "rho": rho, "shared": measure.duplicated(keep=False)})


def _drawn_and_measured(generator, spec, n, seed):
    """Codes drawn at random and, by name, the measures of the digits that they draw."""
    if spec.continuous + spec.circular == 0:
        raise ValueError("spec must have at least one continuous or circular code, got none")
    if getattr(generator, "spec", spec) != spec:
        raise ValueError(f"spec must be the generator's own, {generator.spec}, got {spec}")
    codes = spec.sample(n, torch.Generator().manual_seed(seed))
    images = draw_images(generator, codes)
    return codes, {name: measure(images) for name, measure in MEASURES.items()}


def _correlations(spec, codes, measured, rows):
    values_by_code = torch.cat([codes.continuous, codes.circular], dim=1).numpy().T
    table = {
        name: {measure: _spearman(values[rows], by_image[rows]) for measure, by_image in measured.items()}
        for name, values in zip(spec.names[len(spec.categorical) :], values_by_code, strict=True)
    }
    return pd.DataFrame.from_dict(table, orient="index")


def _spearman(values, measured):
    """Spearman's ρ over the images that could be measured, NaN without a warning where there is nothing to rank."""
    known = np.isfinite(measured)
    values, measured = values[known], measured[known]
    return spearmanr(values, measured).statistic if len(measured) > 2 and np.ptp(measured) > 0 else math.nan


def _check_pairs(codes, labels, n_codes, n_labels):
    if codes.ndim != 1 or codes.shape != labels.shape or codes.size == 0:
        raise ValueError(
            f"codes and labels must have one shape (n,) with n of at least 1, got {codes.shape} and {labels.shape}"
        )
    for name, values, size in (("codes", codes, n_codes), ("labels", labels, n_labels)):
        if not np.issubdtype(values.dtype, np.integer):
            raise ValueError(f"{name} must be integers, got {values.dtype}")
        limit = math.inf if size is None else size
        if values.min() < 0 or values.max() >= limit:
            raise ValueError(f"{name} must lie in [0, {limit}), got values from {values.min()} to {values.max()}")
    return codes, labels
