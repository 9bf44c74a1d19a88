"""Entropy, mutual information and the lower bound, for distributions small enough to sum exactly.

Built by hand in notebooks 01 and 02. Everything is in nats, computed in float64. Not here: the same bound for a
network's Q, which is a sample mean and lives in ``losses``.
"""

import numpy as np
import torch
from scipy.special import entr, rel_entr, xlogy


def _probabilities(values, name, dimensions=None):
    """``values`` as a float64 array whose entries are probabilities, and the slack its precision allows in sums."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        slack = 16 * torch.finfo(values.dtype).eps if values.is_floating_point() else 0.0
        values = values if values.is_complex() else values.to(torch.float64)
    else:
        dtype = getattr(values, "dtype", None)
        floats = isinstance(dtype, np.dtype) and np.issubdtype(dtype, np.floating)
        slack = 16 * float(np.finfo(dtype).eps) if floats else 0.0
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":  # NumPy would read "0.5" as a number and drop an imaginary part
            raise TypeError(f"entries of type {array.dtype}")
        array = array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be an array of numbers, got {type(values).__name__}: {error}") from error
    if array.ndim == 0 or array.size == 0 or (dimensions is not None and array.ndim != dimensions):
        wanted = "an array with at least one entry" if dimensions is None else f"a non-empty {dimensions}-D array"
        raise ValueError(f"{name} must be {wanted}, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    if (array < 0).any():
        raise ValueError(f"{name} must hold probabilities, got the negative entry {array.min()}")
    return array, max(1e-6, slack)


def _distribution(values, name, dimensions=None):
    """``values`` as a float64 array of probabilities that sum to 1."""
    array, slack = _probabilities(values, name, dimensions)
    if abs(array.sum() - 1) > slack:
        raise ValueError(f"{name} must sum to 1, got a sum of {array.sum():.9g}; divide it by its sum first")
    return array


def entropy(p):
    """Entropy H = -sum p log p, in nats; of a joint distribution, the joint entropy.

    Args:
        p: probabilities of any shape (array, tensor or list) that sum to 1.

    Returns:
        A float in ``[0, log(number of entries)]``; 0 log 0 counts as 0.

    Raises:
        ValueError: an entry is negative or not finite, or the sum is not 1.

    Source: Shannon 1948; Cover & Thomas, *Elements of Information Theory*, eq. 2.1.
    """
    return float(entr(_distribution(p, "p")).sum())


def conditional_entropy(joint):
    """H(rows | columns): what is still unknown of the row variable once the column is seen, in nats.

    Args:
        joint: ``p(row, column)``, shape ``(rows, columns)``, sums to 1. Pass ``joint.T`` for H(columns | rows).

    Returns:
        A float in ``[0, H(rows)]``.

    Raises:
        ValueError: ``joint`` is not a 2-D distribution.

    Source: Cover & Thomas, eq. 2.10.
    """
    joint = _distribution(joint, "joint", dimensions=2)
    return max(float(entr(joint).sum() - entr(joint.sum(axis=0)).sum()), 0.0)


def mutual_information(joint):
    """I(rows; columns) = sum p log p / (p_row p_column), in nats.

    Args:
        joint: ``p(row, column)``, shape ``(rows, columns)``, sums to 1.

    Returns:
        A float in ``[0, min(H(rows), H(columns))]``, 0 where the two are independent.

    Raises:
        ValueError: ``joint`` is not a 2-D distribution.

    Source: Cover & Thomas, eq. 2.28.
    """
    joint = _distribution(joint, "joint", dimensions=2)
    rows, columns = np.nonzero(joint)
    p = joint[rows, columns]
    # Logs are subtracted, not the marginals multiplied: a product of two tiny ones would underflow to 0.
    log_ratio = np.log(p) - np.log(joint.sum(axis=1)[rows]) - np.log(joint.sum(axis=0)[columns])
    return max(float(np.sum(p * log_ratio)), 0.0)


def kl_divergence(p, q):
    """KL(p || q) = sum p log(p / q), in nats: the price of believing q when p is true.

    Args:
        p: the true probabilities, any shape, sum 1.
        q: the believed ones, same shape, sum 1.

    Returns:
        A float, at least 0; ``inf`` where q is 0 and p is not.

    Raises:
        ValueError: the shapes disagree, or either is not a distribution.

    Source: Cover & Thomas, eq. 2.26.
    """
    p, q = _distribution(p, "p"), _distribution(q, "q")
    if p.shape != q.shape:
        raise ValueError(f"p and q must have the same shape, got {p.shape} and {q.shape}")
    return max(float(rel_entr(p, q).sum()), 0.0)


def variational_lower_bound(joint, q):
    """L_I = E[log Q(c | x)] + H(c), in nats: the lower bound on I(c; x) that InfoGAN climbs.

    Args:
        joint: ``p(c, x)``, shape ``(codes, symbols)``, rows are codes, sums to 1.
        q: ``Q(c | x)``, same shape; each column is a distribution over the codes.

    Returns:
        A float, at most ``mutual_information(joint)`` and equal to it where Q is the posterior; ``-inf`` where Q
        rules out a code that occurs.

    Raises:
        ValueError: the shapes disagree, ``joint`` is not a distribution, or a column of ``q`` is not.

    Source: Chen et al. 2016, eq. 4.
    """
    joint = _distribution(joint, "joint", dimensions=2)
    q, slack = _probabilities(q, "q", dimensions=2)
    if joint.shape != q.shape:
        raise ValueError(f"joint and q must have the same shape, got {joint.shape} and {q.shape}")
    sums = q.sum(axis=0)
    if (abs(sums - 1) > slack).any():
        worst = int(np.argmax(abs(sums - 1)))
        raise ValueError(f"q must have columns that sum to 1, got {sums[worst]:.9g} in column {worst}")
    return float(xlogy(joint, q).sum() + entr(joint.sum(axis=1)).sum())
