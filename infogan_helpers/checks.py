"""Validators that all files share: each returns the value, or raises a ``ValueError`` that says what it takes.

The message names the argument, what it must be and what came. NumPy's numbers are as good as Python's; ``True`` and
``False`` are no numbers. Not here: what only one file asks for, the shape of an image for instance.
"""

import math
from numbers import Integral, Real
from os import PathLike
from pathlib import Path

import numpy as np
import torch

LARGEST = torch.finfo(torch.float32).max  # networks would make infinity of anything beyond


def is_integer(value):
    """Whether ``value`` is an integer, Python's or NumPy's, and no bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value):
    """Whether ``value`` is a finite number, Python's or NumPy's, and no bool."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def integer(name, value, *, least):
    """``value`` as an ``int``, if it is an integer of at least ``least``.

    Args:
        name: of the argument, for the message.
        value: what came.
        least: the smallest integer that will do.

    Raises:
        ValueError: it is anything else.
    """
    if not is_integer(value) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
    if value >= 2**31:  # nothing here has so many, and torch's own words for it are long
        raise ValueError(f"{name} must be an integer of at least {least} and below 2**31, got {value!r}")
    return int(value)


def seed(name, value):
    """``value`` as an ``int``, if it can seed Python, NumPy and torch alike: an integer in [0, 2**32).

    Raises:
        ValueError: it is anything else.
    """
    if not is_integer(value) or not 0 <= value < 2**32:
        raise ValueError(f"{name} must be an integer in [0, 2**32), got {value!r}")
    return int(value)


def number(name, value, *, least=None, above=None, most=None):
    """``value``, if it is a finite number between the bounds: ``number("share", share, least=0, most=1)``.

    Args:
        name: of the argument, for the message.
        value: what came.
        least, above: the lower bound, itself allowed or not; at most one of the two.
        most: the largest number that will do, beside a lower bound.

    Raises:
        ValueError: it is anything else.
    """
    fits = is_number(value) and (least is None or value >= least) and (above is None or value > above)
    if not fits or (most is not None and value > most):
        raise ValueError(f"{name} must be {_range(least, above, most)}, got {value!r}")
    if abs(value) > LARGEST:
        raise ValueError(f"{name} must be {_range(least, above, most)} and at most {LARGEST:g}, got {value!r}")
    return value if abs(value) < 2**63 else float(value)  # torch takes no larger integer


def choice(name, value, choices):
    """``value``, if it is one of a few strings.

    Raises:
        ValueError: it is anything else.
    """
    if not isinstance(value, str) or value not in choices:
        *others, last = map(repr, choices)
        raise ValueError(f"{name} must be {', '.join(others)} or {last}, got {value!r}")
    return value


def boolean(name, value):
    """``value``, if it is ``True`` or ``False``, and no number or word that would pass for one of them.

    Raises:
        ValueError: it is anything else.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return value


def path(name, value):
    """``value`` as a ``Path``, if it can name a file or a folder; ``~`` is the home of whoever runs this.

    Raises:
        ValueError: it is anything else.
    """
    if not isinstance(value, (str, PathLike)) or not str(value) or "\0" in str(value):
        raise ValueError(f"{name} must be a path, got {value!r}")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:  # a home that nobody has
        raise ValueError(f"{name} must be a path, got {value!r}: {error}") from error


def decay_rates(name, value):
    """``value`` as a tuple, if it is the pair of Adam's decay rates, two numbers in [0, 1).

    Raises:
        ValueError: it is anything else.
    """
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    if not is_pair or not all(is_number(b) and 0 <= b < 1 for b in value):
        raise ValueError(f"{name} must be two numbers in [0, 1), got {value!r}")
    return tuple(value)


def array(values):
    """A NumPy array of an array, a list, a ``DataFrame`` or a tensor, wherever that is and whatever its gradients."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _range(least, above, most):
    if most is not None:
        return f"a number in {f'[{least}' if above is None else f'({above}'}, {most}]"
    if least is not None:
        return f"a number of at least {least}"
    return "a finite number" if above is None else f"a number above {above}"
