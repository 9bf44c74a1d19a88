"""How a check works: it tries the learner's function on cases, and names the mistake whose answers came.

IPython leaves functions with ``__tracebackhide__`` out of what it shows of an error, so that a learner sees their own
line and the message. Not here: any one exercise.
"""

import math
from typing import NamedTuple

import numpy as np
import torch

TOLERANCE = 1e-5  # relative, and absolute: single precision is good enough
PROBABILITIES = "you passed probabilities where logits belong: the loss takes the softmax or the sigmoid itself"
PRIOR_MISSING = "H(c) is missing: the bound is the mean log-likelihood plus the entropy of the prior"
BITS = "that is in bits: use the natural logarithm, so that it is in nats"
SUM = "you summed over the batch where a mean belongs: the result must not grow with the batch"
CUT = (
    "the gradient is cut: torch.tensor([...]), .item(), .detach() and NumPy all start a number without a past; "
    "compute with the tensors that came in"
)


class Mistake(NamedTuple):
    """A way to be wrong that we have seen: what it would answer to a case, and the sentence that names it."""

    sentence: str
    answer: object


class Case(NamedTuple):
    """One input: its description, and the arguments."""

    what: str
    arguments: tuple


def check_numbers(function, cases, right, mistakes):
    """A function of arrays that returns one number."""
    __tracebackhide__ = True
    name = name_of(function)
    came = []
    for case in cases:  # a comprehension would be a frame of its own, and be shown
        came.append(one_number(call(function, case), name, case))
    _compare(name, cases, came, [float(right(*case.arguments)) for case in cases], mistakes)
    passed(name, f"{len(cases)} inputs")


def check_tensors(function, cases, right, mistakes):
    """A function of tensors that returns a scalar with gradients to all floats that came in."""
    __tracebackhide__ = True
    name = name_of(function)
    came, gradients = [], []
    for case in cases:
        leaves = [a.clone().requires_grad_() if _is_float(a) else a for a in case.arguments]
        result = call(function, case._replace(arguments=tuple(leaves)))
        came.append(one_number(result, name, case))
        gradients.append((leaves, result))
    _compare(name, cases, came, [float(right(*case.arguments)) for case in cases], mistakes)
    for case, (leaves, result) in zip(cases, gradients, strict=True):
        require(isinstance(result, torch.Tensor) and result.requires_grad, name, f"on {case.what}: {CUT}")
        floats = [a for a in leaves if _is_float(a) and a.requires_grad]
        twins = [a.clone().requires_grad_() if _is_float(a) else a for a in case.arguments]
        ours = torch.autograd.grad(result, floats, allow_unused=True)
        theirs = torch.autograd.grad(right(*twins), [a for a in twins if _is_float(a)], allow_unused=True)
        for one, other in zip(ours, theirs, strict=True):
            require(one is not None, name, f"on {case.what}: {CUT}")
            require(
                torch.allclose(one, other, atol=1e-4),
                name,
                f"on {case.what} has the right value and another gradient than it",
            )
    passed(name, f"{len(cases)} inputs, gradients included")


def _compare(name, cases, came, expected, mistakes):
    __tracebackhide__ = True
    wrong = [i for i in range(len(cases)) if not _near(came[i], expected[i])]
    if not wrong:
        return
    hint = next(
        (m.sentence for m in mistakes if all(_near(came[i], float(m.answer(*cases[i].arguments))) for i in wrong)), None
    )
    first = wrong[0]
    message = f"on {cases[first].what} gave {came[first]:.5g}, expected {expected[first]:.5g}"
    require(False, name, message + (f". Likely: {hint}" if hint else ""))


def _near(a, b):
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


def check_answer(name, value, answers):
    """A number that a notebook asks for by name; ``answers`` maps a name to value, tolerance and known mistakes."""
    __tracebackhide__ = True
    if name not in answers:
        raise ValueError(f"name must be one of {sorted(answers)}, got {name!r}")
    require(value is not None and value is not Ellipsis, name, "is not written yet")
    right, tolerance, mistakes = answers[name]
    got = one_number(value, name)
    hints = [sentence for wrong, sentence in mistakes.items() if abs(got - wrong) <= 1e-3]
    require(abs(got - right) <= tolerance, name, f"= {got:.4f} is not it" + (f": {hints[0]}" if hints else ""))
    passed(name, f"{got:.4f}")


def call(function, case):
    """What the learner's function returns, or an ``AssertionError`` that says on what it failed."""
    __tracebackhide__ = True
    name = name_of(function)
    try:
        result = function(*case.arguments)
    except NotImplementedError as error:
        raise AssertionError(f"{name} is not written yet") from error
    except Exception as error:
        raise AssertionError(f"{name} on {case.what} raised {type(error).__name__}: {error}") from error
    require(
        result is not None and result is not Ellipsis,
        name,
        f"returned nothing on {case.what}: is it written, and does it return?",
    )
    return result


def one_number(value, name, case=None):
    __tracebackhide__ = True
    where = f" on {case.what}" if case else ""
    value = value.detach().cpu() if isinstance(value, torch.Tensor) else value
    shape = tuple(np.shape(value))
    require(math.prod(shape) == 1, name, f"must give one number{where}, got shape {shape}: is a sum or a mean missing?")
    require(not isinstance(value, str), name, f"must give a number{where}, got {value!r}")
    return float(np.ravel(value)[0])


def require(holds, name, message):
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(f"{name} {message}")


def passed(name, on):
    print(f"{name}: right on {on}.")


def name_of(function):
    return getattr(function, "__name__", type(function).__name__)


def _is_float(value):
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def short(values):
    return "[" + ", ".join(f"{float(v):.3g}" for v in np.ravel(values)[:8]) + (", …]" if np.size(values) > 8 else "]")


def random_tables(count, shape, zeros, seed=0):
    """Random distributions; every other one holds zeros, where asked for."""
    random = np.random.default_rng([17, seed, *shape])
    made = []
    for i in range(count):
        table = random.random(shape) + 0.05
        if zeros and i % 2:
            table.ravel()[random.permutation(table.size)[: table.size // 4]] = 0.0
        made.append(table / table.sum())
    return made


def joint_cases():
    joints = [np.full((2, 2), 0.25), np.eye(3) / 3, *random_tables(4, (3, 5), zeros=True)]
    return [Case(f"a table of {t.shape} that starts with {short(t[0])}", (t,)) for t in joints]


def random_logits(n, seed=0, columns=None):
    shape = (n,) if columns is None else (n, columns)
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(100 + seed))
