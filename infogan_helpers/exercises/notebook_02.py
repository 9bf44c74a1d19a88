"""Checks of notebook 02: the lower bound, on tables and on a batch."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from infogan_helpers import information
from infogan_helpers.exercises.checking import (
    BITS,
    PRIOR_MISSING,
    PROBABILITIES,
    SUM,
    Case,
    Mistake,
    check_answer,
    check_tensors,
    passed,
    random_logits,
    require,
)

ANSWERS = {  # what each exercise asks for, how near it must come, and the values that give a mistake away
    "best epsilon": (
        0.2,
        0.011,
        {0.18: "0.18 is what the channel gives to wrong codes together; Q needs ε with ε/10 on each, its own code too"},
    ),
    "excess": (
        0.5108,
        1e-3,
        {
            -0.5108: "the sign is wrong: the report is too large",
            1.7918: "that is H(c): how much more than this is reported?",
            2.3026: "that is what is reported: take the truth away",
        },
    ),
    "ceiling of a normal code": (
        0.5,
        1e-6,
        {
            -0.5: "the sign is wrong",
            1.4189: "that is H(c): the fixed σ costs ½ log 2π of it",
            -0.2258: "that is the uniform code's, which has less entropy",
        },
    ),
    "σ where the bound is 0": (1.0, 1e-6, {0.5: "the bound is -log σ: where is a logarithm 0?"}),
}


def check_value(name, value):
    """A number that an exercise asks for by name.

    Args:
        name: what is asked for; the exercise says it.
        value: your number.

    Raises:
        AssertionError: it is another one.
        ValueError: there is no such question.
    """
    __tracebackhide__ = True
    check_answer(name, value, ANSWERS)


def check_lower_bound_above(generator_table, joint, posterior):
    """Notebook 02, exercise 3: a table with more information than ``joint`` and a lower bound that is lower."""
    __tracebackhide__ = True
    table = np.asarray(generator_table, dtype=float)
    require(table.shape == np.shape(joint), "mine", f"must have the shape {np.shape(joint)}, got {table.shape}")
    require(
        abs(table.sum() - 1) < 1e-6,
        "mine",
        f"must sum to 1, got {table.sum():.3f}: divide a channel by the number of codes",
    )
    more, than = information.mutual_information(table), information.mutual_information(joint)
    require(more > than, "mine", f"has I = {more:.4f} nats, no more than the {than:.4f} of joint")
    lower = information.variational_lower_bound(table, posterior)
    bound = information.variational_lower_bound(joint, posterior)
    require(
        lower < bound, "mine", f"has L_I = {lower:.4f} nats, no less than the {bound:.4f} of joint: Q must misread it"
    )
    passed("mine", "both inequalities")


def check_categorical_lower_bound(function):
    """``categorical_lower_bound(logits, codes, prior_entropy)``: E[log Q(c | x)] + H(c) of a batch, in nats."""
    __tracebackhide__ = True

    def right(logits, codes, prior_entropy):
        return prior_entropy - F.cross_entropy(logits, codes)

    mistakes = [
        Mistake(PROBABILITIES, lambda x, c, h: right(x.softmax(dim=1), c, h)),
        Mistake(PRIOR_MISSING, lambda x, c, h: right(x, c, 0.0)),
        Mistake(
            "the sign is wrong: that is the loss, cross-entropy; the bound goes up as it goes down",
            lambda x, c, h: -right(x, c, 0.0),
        ),
        Mistake("the sign is wrong: H(c) is added to the log-likelihood", lambda x, c, h: -right(x, c, -h)),
        Mistake(SUM, lambda x, c, h: h - F.cross_entropy(x, c, reduction="sum")),
        Mistake(BITS, lambda x, c, h: h - F.cross_entropy(x, c) / math.log(2)),
        Mistake(BITS, lambda x, c, h: right(x, c, h) / math.log(2)),
        Mistake(
            "log-softmax must run over the classes, dim=1, not over the batch",
            lambda x, c, h: h + x.log_softmax(dim=0)[torch.arange(len(c)), c].mean(),
        ),
    ]
    cases = [
        Case(f"{n} images, {k} classes", (random_logits(n, seed, k), torch.arange(n) * 7 % k, math.log(k)))
        for seed, (n, k) in enumerate(((5, 10), (8, 3), (1, 4)))
    ]
    check_tensors(function, cases, right, mistakes)
