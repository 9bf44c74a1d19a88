"""Checks of single values, shared by all files: each returns the value or raises a ``ValueError`` that names it.

Not here: what a value means, and how two of them go together.
"""

import math
from numbers import Integral, Real


def positive_integer(name, value):
    """``value`` as it is, where it is an integer of at least 1 and no bool."""
    return _require(name, value, _is_integer(value) and value >= 1, "an integer of at least 1")


def seed(name, value):
    """``value`` as it is, where it is an integer in ``[0, 2**32)``, NumPy's range."""
    return _require(name, value, _is_integer(value) and 0 <= value < 2**32, "an integer in [0, 2**32)")


def positive(name, value):
    """``value`` as it is, where it is a finite number above 0."""
    return _require(name, value, _is_number(value) and value > 0, "a positive number")


def non_negative(name, value):
    """``value`` as it is, where it is a finite number of at least 0."""
    return _require(name, value, _is_number(value) and value >= 0, "a number of at least 0")


def share(name, value):
    """``value`` as it is, where it is a number in [0, 1]."""
    return _require(name, value, _is_number(value) and 0 <= value <= 1, "a share in [0, 1]")


def boolean(name, value):
    """``value`` as it is, where it is ``True`` or ``False``."""
    return _require(name, value, isinstance(value, bool), "True or False")


def choice(name, value, choices):
    """``value`` as it is, where it is one of the strings ``choices``."""
    return _require(name, value, isinstance(value, str) and value in choices, f"one of {sorted(choices)}")


def _is_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _require(name, value, holds, wanted):
    if not holds:
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
    return value
