"""Leakage: how much codes tell about what they should not say, the group of a person for instance, asked of trees.

Not here: what becomes of the predictions that were made from the codes, which is ``fairness``.
"""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from infogan_helpers.arguments import numbers, seed, takes


@takes(codes=numbers("n, codes", 2), labels=numbers(whole=True))
def boosted_trees(codes, labels):
    """Trees that predict a class from codes, as the published score asks for.

    Args:
        codes: floats, shape ``(n, codes)``.
        labels: integers, shape ``(n,)``.

    Returns:
        A fitted ``HistGradientBoostingClassifier``, scikit-learn's defaults.

    Raises:
        ValueError: codes and labels are not as many.
    """
    _check_rows("labels", labels, codes)
    return HistGradientBoostingClassifier(random_state=0).fit(codes, labels)


@takes(codes=numbers("n, codes", 4), groups=numbers(whole=True), seed=seed)
def leak(codes, groups, seed=0):
    """How well the group can be told from codes that should not say: accuracy of trees on a half that they never saw.

    Args:
        codes: floats, shape ``(n, codes)``.
        groups: integers, shape ``(n,)``. They must be independent of the class, or the class alone tells them.
        seed: of the halves.

    Returns:
        A float in [0, 1]; chance is the share of the largest group. Call it with shuffled groups for a control.

    Raises:
        ValueError: codes and groups are not as many.
    """
    _check_rows("groups", groups, codes)
    rows = np.random.default_rng(seed).permutation(len(groups))
    half = len(rows) // 2
    return float(boosted_trees(codes[rows[:half]], groups[rows[:half]]).score(codes[rows[half:]], groups[rows[half:]]))


def _check_rows(name, values, codes):
    if len(values) != len(codes):
        raise ValueError(f"{name} must be as many as the rows of codes, {len(codes)}, got {len(values)}")
