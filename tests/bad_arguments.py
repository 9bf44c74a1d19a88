"""What is passed instead of a good argument, and what is asked of the answer.

A table of things that are wrong wherever they fit nothing, and of what becomes of a good tensor, number, network or
spec by one change. Some changes leave no doubt what was meant (an array for a tensor): the answer to these is an error
of ours or the good answer. Not here: good arguments (``good_arguments``), and which answers are defined.
"""

import copy
import dataclasses
import math
import re
import signal
import traceback
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import infogan_helpers
from infogan_helpers.codes import Codes, CodeSpec

PACKAGE = str(Path(infogan_helpers.__file__).parent)
SECONDS = 5  # that a call may take
NAN, INF = math.nan, math.inf

ANYWHERE = {  # made anew for each call
    "None": lambda: None,
    "text": lambda: "text",
    "bytes": lambda: b"bytes",
    "NaN": lambda: NAN,
    "infinity": lambda: INF,
    "complex": lambda: 1 + 2j,
    "-1": lambda: -1,
    "0": lambda: 0,
    "1.9": lambda: 1.9,
    "1e300": lambda: 1e300,
    "2**64": lambda: 2**64,
    "True": lambda: True,
    "list of text": lambda: ["a", "b"],
    "empty list": list,
    "list of None": lambda: [None, None],
    "dict": lambda: {"a": 1},
    "object": object,
    "a class": lambda: int,
    "a function": lambda: lambda *_: None,
    "cuda": lambda: "cuda",
    "empty tensor": lambda: torch.empty(0),
    "tensor of NaN": lambda: torch.full((2, 3), NAN),
    "tensor of infinity": lambda: torch.full((2, 3), INF),
    "complex tensor": lambda: torch.zeros(2, 3, dtype=torch.complex64),
    "tensor of bools": lambda: torch.zeros(2, 3, dtype=torch.bool),
    "array of text": lambda: np.array(["a", "b"]),
    "array of objects": lambda: np.array([None, {}], dtype=object),
    "scalar tensor of NaN": lambda: torch.tensor(NAN),
    "another spec": lambda: CodeSpec((2, 2), 1, 3, circular=1),
}


def _first_as(value):
    def change(good):
        changed = good.double() if good.dtype == torch.float64 else good.float()
        changed = changed.clone()
        changed.view(-1)[0] = value
        return changed

    return change


def _part(change):
    """A change of the numbers of ``Codes``."""
    return lambda codes: codes.replace(continuous=change(codes.continuous))


OF_TENSORS = {
    "one NaN": _first_as(NAN),
    "one infinity": _first_as(INF),
    "complex": lambda good: good.to(torch.complex64),
    "a dimension less": lambda good: good[0],
    "a dimension more": lambda good: good[None],
    "a row less": lambda good: good[:-1],
    "no rows": lambda good: good[:0],
    "one row": lambda good: good[:1],
    "text": lambda good: np.full(tuple(good.shape), "a"),
    "objects": lambda good: np.full(tuple(good.shape), None),
}
OF_CODES = {
    "codes with one NaN": _part(_first_as(NAN)),
    "codes with one infinity": _part(_first_as(INF)),
    "codes without rows": lambda codes: codes[torch.zeros(0, dtype=torch.long)],
    "a row less": lambda codes: codes[:-1],
    "codes of another spec": lambda codes: CodeSpec((2, 2), 1, 3, circular=1).sample(len(codes)),
    "codes as a tuple": lambda codes: (codes.noise, codes.categorical, codes.continuous, codes.circular),
    "another class": lambda codes: codes.replace(categorical=codes.categorical + 7),
}
OF_POSTERIORS = {
    "answers with one NaN": lambda q: q._replace(mean=_first_as(NAN)(q.mean)),
    "logits with one NaN": lambda q: q._replace(categorical_logits=tuple(map(_first_as(NAN), q.categorical_logits))),
    "a row less": lambda q: q.rows(slice(0, -1)),
    "answers without rows": lambda q: q.rows(slice(0, 0)),
    "answers without logits": lambda q: q._replace(categorical_logits=()),
    "one head for two": lambda q: q._replace(mean=q.mean[:, :1], log_variance=q.log_variance[:, :1]),
    "answers as a tuple": tuple,
}
OF_MAPPINGS = {
    "values of None": lambda good: dict.fromkeys(good),
    "names of None": lambda good: dict(zip([None] * len(good), good.values(), strict=True)),
    "no entries": lambda good: {},
}


def _broken(network):
    broken = copy.deepcopy(network)
    with torch.no_grad():
        next(broken.parameters()).view(-1)[0] = NAN
    return broken


OF_NETWORKS = {"a NaN weight": _broken}
OF_IMAGE_DATA = {
    "images with one NaN": lambda data: data._replace(images=_first_as(NAN)(data.images)),
    "labels as text": lambda data: data._replace(labels=["a"] * len(data.labels)),
    "a label less": lambda data: data._replace(labels=data.labels[:-1]),
}
# What was meant is clear; the second form is what it stands for.
AS_WELL = {
    "as an array": (lambda good: good.detach().numpy(), lambda good: good),
    "as a list": (lambda good: good.tolist(), lambda good: good),
    "with gradients": (lambda good: good.clone().requires_grad_() if good.is_floating_point() else good, lambda g: g),
    "in float64": (lambda good: good.double() if good.is_floating_point() else good, lambda good: good),
    "in float16": (lambda good: good.half() if good.is_floating_point() else good, lambda good: good),
    "as integers": (
        lambda good: good.round().long() if good.is_floating_point() else good.int(),
        lambda good: good.round() if good.is_floating_point() else good,
    ),
    "as float labels": (lambda good: good.double() if good.dtype == torch.int64 else good, lambda good: good),
}


class Bad(NamedTuple):
    """A kind of argument, how it is made, and the good argument that it stands for, or ``None``."""

    kind: str
    make: object
    stands_for: object = None


def bad_arguments(good):
    """Every ``Bad`` argument in the place of a good one."""
    yield from (Bad(kind, make) for kind, make in ANYWHERE.items())
    changes = {}
    if isinstance(good, np.ndarray) and good.dtype.kind in "iufb":
        good = torch.from_numpy(good)
    if isinstance(good, torch.Tensor):
        changes = OF_TENSORS if good.numel() and good.ndim else {}
        for kind, (make, twin) in AS_WELL.items():
            if good.numel() and good.dtype != torch.bool:
                # Clones: a function may change its argument in place.
                yield Bad(kind, lambda make=make: make(good.clone()), lambda twin=twin: twin(good.clone()))
    elif isinstance(good, Codes):
        changes = OF_CODES
    elif hasattr(good, "categorical_logits"):
        changes = OF_POSTERIORS if hasattr(good, "rows") else {}
    elif isinstance(good, dict):
        changes = OF_MAPPINGS
    elif isinstance(good, torch.nn.Module):
        changes = OF_NETWORKS
    elif hasattr(good, "images") and hasattr(good, "labels"):
        changes = OF_IMAGE_DATA
    elif isinstance(good, (int, float)) and not isinstance(good, bool):
        yield Bad("as NumPy's number", lambda: np.asarray(good)[()], lambda: good)
    yield from (Bad(kind, lambda make=make: make(good)) for kind, make in changes.items())


class TooLong(BaseException):
    """A call that took longer than ``SECONDS``."""


def _stop(*_):
    raise TooLong


def outcome(call, names):
    """``(kind, detail)`` of one call: "clear", "unclear" or "hangs" with the error, "accepted" with the answer."""
    before = signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        answer = call()
    except TooLong:
        return "hangs", f"longer than {SECONDS} s"
    except Exception as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {str(error)[:200]} ({Path(where.filename).name}:{where.lineno})"
        return ("clear" if is_clear(error, names) else "unclear"), told
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return "accepted", answer


def is_clear(error, names):
    """Whether an error is one of ours, raised by the module, that names the argument, what is taken and what came."""
    message = str(error)
    ours = type(error) in (ValueError, TypeError)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    inside = frame.filename.startswith(PACKAGE) and frame.line.startswith("raise")
    named = any(re.search(rf"\b{re.escape(name)}\b", message) for name in names)
    says = named and re.search(r"\bmust\b.*\bgot\b", message, re.S)
    return bool(ours and inside and says)


def same(one, other):
    """Whether two answers are the same, but for rounding."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        one, other = one.detach(), other.detach()
        close = {"atol": 1e-3, "rtol": 1e-2, "equal_nan": True}
        return one.shape == other.shape and torch.allclose(one.double(), other.double(), **close)
    if isinstance(one, torch.nn.Module) and isinstance(other, torch.nn.Module):
        return same(list(one.parameters()), list(other.parameters()))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        if np.asarray(one).dtype.kind not in "biuf":
            return np.array_equal(one, other)
        return np.shape(one) == np.shape(other) and np.allclose(one, other, 1e-2, 1e-3, equal_nan=True)
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other or (one != one and other != other) or math.isclose(one, other, rel_tol=1e-2, abs_tol=1e-3)
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        names = [field.name for field in dataclasses.fields(one) if field.name != "seconds"]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if hasattr(one, "equals"):
        return one.shape == other.shape and same(one.to_numpy(), other.to_numpy())
    return type(one).__name__ == type(other).__name__


def is_not_finite(answer):
    """Whether an answer says by itself that something was no number: NaN or infinity in it."""
    if isinstance(answer, torch.Tensor):
        return answer.is_floating_point() and not bool(torch.isfinite(answer).all())
    if isinstance(answer, (tuple, list)):
        return any(map(is_not_finite, answer))
    return isinstance(answer, float) and not math.isfinite(answer)
