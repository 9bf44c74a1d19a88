"""Which code follows which factor, where a world's true factors are known. They enter here to score, and only here.

Not here: one number for all codes at once, which is what the metrics of ``disentanglement`` and ``interventions`` are.
"""

import numpy as np
import pandas as pd
import scipy.stats
import torch

from infogan_helpers.arguments import at_least, finite, instance, mapping_of, numbers, takes
from infogan_helpers.posteriors import Posterior
from infogan_helpers.worlds.world import World


@takes(posterior=instance(Posterior))
def as_columns(posterior):
    """What Q says of images as a matrix of codes: the likeliest classes, then the means, then the angles in radians.

    Args:
        posterior: a ``posteriors.Posterior`` for ``n`` images.

    Returns:
        Floats, shape ``(n, L)``, in the order of the spec: c1, c2, ...
    """
    for answers in (*posterior.categorical_logits, posterior.mean):
        finite(rows=0)("posterior", answers)
    classes = [logits.argmax(dim=1) for logits in posterior.categorical_logits]
    angles = [code.angle for code in posterior.circular]
    return torch.stack([*classes, *posterior.mean.unbind(1), *angles], dim=1).double()


@takes(angles=numbers(None, 0), others=numbers(None, 0))
def circular_correlation(angles, others):
    """How closely one angle goes round with another, whatever their offset and sense: 0 to 1.

    Args:
        angles: radians, shape ``(n,)``.
        others: likewise.

    Returns:
        The larger of ``|E exp(i(a - b))|`` and ``|E exp(i(a + b))|``: 1 where the difference (or the sum) never
        changes, near 0 where it lies anywhere, and about half where the angle follows a sine of the other.

    Raises:
        ValueError: shapes disagree, or nothing is given.

    Source: mean resultant length of the difference; Jammalamadaka & SenGupta 2001, sections 1.3 and 8.2.
    """
    a, b = angles.astype(float), others.astype(float)
    if a.ndim != 1 or a.shape != b.shape or len(a) == 0:
        raise ValueError(f"angles and others must have the same shape (n,), got {a.shape} and {b.shape}")
    return float(max(abs(np.exp(1j * (a - b)).mean()), abs(np.exp(1j * (a + b)).mean())))


@takes(codes=numbers(None, 0), values=mapping_of(numbers("n")), world=instance(World), circular=at_least(0))
def code_factor_table(codes, values, world, circular=0):
    """How closely each code follows each ordered factor; factors enter to score only.

    Args:
        codes: continuous codes on [-1, 1] and then circular ones in radians, shape ``(n, L)``.
        values: name of a factor to floats of shape ``(n,)``: the true ones of ``world.values``, or what a judge says
            (``judges.judged``).
        world: the ``World``; its kinds (factors without a unit) are left out.
        circular: how many of the codes, the last ones, are circular.

    Returns:
        A ``DataFrame`` of shape (L, ordered factors): Spearman's |ρ|, and for a circular factor the circular
        correlation with a circular code, or with π times a continuous one. A code that never changes has 0.

    Raises:
        ValueError: codes and values do not fit, or there are fewer codes than circular ones.
    """
    codes = codes.astype(float)
    if missing := [name for name in world.names if name not in values]:
        raise ValueError(f"values must have the world's factors {world.names}, got none of {missing}")
    lengths = {name: len(values[name]) for name in world.names}
    if codes.ndim != 2 or set(lengths.values()) != {len(codes)} or len(codes) < 2:
        raise ValueError(f"codes must have shape (n, L) and values n numbers each, got {codes.shape} and {lengths}")
    if circular > codes.shape[1]:
        raise ValueError(f"circular must be at most the number of codes, {codes.shape[1]}, got {circular}")
    turns = [np.pi] * (codes.shape[1] - circular) + [1.0] * circular  # radians per unit of each code
    table = {}
    for factor in world.factors:
        if not factor.unit:
            continue
        truth = values[factor.name]
        table[factor.name] = [
            0.0
            if np.ptp(code) == 0 or np.ptp(truth) == 0
            else circular_correlation(turn * code, truth)
            if factor.circular
            else abs(float(scipy.stats.spearmanr(code, truth).statistic))
            for code, turn in zip(codes.T, turns, strict=True)
        ]
    return pd.DataFrame(table, index=[f"c{i + 1}" for i in range(codes.shape[1])])
