"""Weights that change while a run goes on, as data: what a configuration holds, a checkpoint and a card can store.

Not here: which weights a method has, and when it asks for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infogan_helpers import checks
from infogan_helpers.arguments import between, takes


@dataclass(frozen=True)
class Ramp:
    """A weight that stays, moves in a straight line, and stays.

    Args:
        start: share of the run, in [0, 1], at which it begins to move.
        end: share at which it has arrived, above ``start``.
        before: its value until ``start``, at least 0.
        after: its value from ``end`` on, at least 0.

    Raises:
        ValueError: a field is out of range, or ``end`` does not lie after ``start``.
    """

    start: float
    end: float
    before: float
    after: float

    def __post_init__(self):
        for name in ("start", "end"):
            checks.number(name, getattr(self, name), least=0, most=1)
        for name in ("before", "after"):
            checks.number(name, getattr(self, name), least=0)
        if self.end <= self.start:
            raise ValueError(f"end must be above start, {self.start}, got {self.end!r}")

    def __call__(self, done):
        """The value when the share ``done`` of the run lies behind."""
        way = min(1.0, max(0.0, (done - self.start) / (self.end - self.start)))
        return self.before + (self.after - self.before) * way


def weight(name, value):
    """A field that is a schedule or a constant: a ``Ramp``, a mapping of its fields, or a number of at least 0.

    Returns:
        The ``Ramp``, or the number.

    Raises:
        ValueError: it is none of these; the message names the field.
    """
    if isinstance(value, Mapping):  # as it is stored on a card
        try:
            value = Ramp(**value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must hold the fields of a Ramp, got {value!r}: {error}") from error
    return value if isinstance(value, Ramp) else checks.number(name, value, least=0)


def _ramp_or_number(name, value):
    return value if isinstance(value, Ramp) else checks.number(name, value)


@takes(value=_ramp_or_number, done=between(0, 1))
def at(value, done):
    """What a weight, a ``Ramp`` or a number, is when the share ``done`` of the run lies behind."""
    return value(done) if isinstance(value, Ramp) else value


@takes(value=_ramp_or_number)
def largest(value):
    """The largest that a weight becomes in a run; 0 means that it is switched off."""
    return max(value.before, value.after) if isinstance(value, Ramp) else value
