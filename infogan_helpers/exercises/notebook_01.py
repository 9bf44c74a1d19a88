"""Checks of notebook 01: entropy and mutual information, on tables."""

import math

import numpy as np

from infogan_helpers import information
from infogan_helpers.exercises.checking import (
    BITS,
    Case,
    Mistake,
    check_answer,
    check_numbers,
    joint_cases,
    passed,
    random_tables,
    require,
)

ANSWERS = {  # what each exercise asks for, how near it must come, and the values that give a mistake away
    "H of the lopsided code": (math.log(6), 1e-3, {math.log2(6): BITS, math.log(10): "that is the uniform code's"}),
    "equally likely values": (6.0, 1e-3, {2 ** math.log(6): "H is in nats: take e to the power of it, not 2"}),
    "nats of the sign": (
        0.1931,
        1e-3,
        {0.3466: "that is all of I(X; Y), not what the sign keeps", 0.6931: "that is H(sign), a ceiling", 0.2786: BITS},
    ),
    "corrected mean": (1.57, 0.01, {1.42: "that is section 9's correction: correct each entropy by itself"}),
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


def check_two_coins(shows_both, shows_one_twice):
    """Notebook 01, exercise 3: the joint tables of two coins with a picture of both, and of one twice."""
    __tracebackhide__ = True
    for name, table, right in (
        ("shows_both", shows_both, 2 * math.log(2)),
        ("shows_one_twice", shows_one_twice, math.log(2)),
    ):
        table = np.asarray(table, dtype=float)
        require(table.shape == (4, 4), name, f"must have four rows and four columns, got {table.shape}")
        require(
            abs(table.sum() - 1) < 1e-6,
            name,
            f"must sum to 1, got {table.sum():.3f}: is it a joint table, or a channel?",
        )
        require(np.allclose(table.sum(axis=1), 0.25), name, "must give each pair of coins, a row, the probability 1/4")
        got = information.mutual_information(table)
        require(abs(got - right) < 1e-6, name, f"has I = {got:.4f} nats, which must be {right:.4f}")
    passed("both tables", "four rows each")


def check_conditional_entropy(function):
    """``conditional_entropy(joint)``: H(rows | columns) in nats; the columns are what is known."""
    __tracebackhide__ = True
    right = information.conditional_entropy
    mistakes = [
        Mistake(BITS, lambda joint: right(joint) / math.log(2)),
        Mistake("that is H(columns | rows): here the columns are what is known", lambda joint: right(joint.T)),
        Mistake("that is the joint entropy: take away H(columns), which is known", information.entropy),
        Mistake(
            "each column's entropy must weigh the column's probability, not count alike",
            lambda joint: np.mean([information.entropy(c / c.sum()) for c in joint.T if c.sum() > 0]),
        ),
    ]
    check_numbers(function, joint_cases(), right, mistakes)


def check_corrected_information(function):
    """``corrected_information(counts)``: notebook 01, exercise 5: each entropy corrected by its own count of values."""
    __tracebackhide__ = True

    def right(counts, correct=1.0):
        def h(c):
            return information.entropy(c / c.sum()) + correct * (np.count_nonzero(c) - 1) / (2 * c.sum())

        return h(counts.sum(axis=1)) + h(counts.sum(axis=0)) - h(counts)

    random = np.random.default_rng(5)
    counted = [
        random.multinomial(n, p.ravel()).reshape(p.shape)
        for n, p in zip((50, 200, 1000), random_tables(3, (4, 5), zeros=True), strict=True)
    ]
    cases = [Case(f"{t.sum()} counts that start with {t[0].tolist()}", (t,)) for t in counted]
    mistakes = [
        Mistake("nothing is corrected: add (values that occurred - 1) / 2N to each entropy", lambda c: right(c, 0.0)),
        Mistake("the correction has the wrong sign: counting makes an entropy too small", lambda c: right(c, -1.0)),
        Mistake(BITS, lambda c: right(c) / math.log(2)),
    ]
    check_numbers(function, cases, right, mistakes)
