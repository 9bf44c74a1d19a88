"""Checks that only the assignments use: information on tables, adversarial losses on batches."""

import math

import numpy as np
import torch.nn.functional as F
from scipy.special import xlogy

from infogan_helpers import games, information
from infogan_helpers.exercises.checking import (
    BITS,
    PRIOR_MISSING,
    PROBABILITIES,
    SUM,
    Case,
    Mistake,
    check_numbers,
    check_tensors,
    joint_cases,
    random_logits,
    random_tables,
    short,
)


def check_entropy(function):
    """``entropy(p)``: in nats, of probabilities of any shape that may hold zeros."""
    __tracebackhide__ = True
    cases = [Case(f"p = {short(p)}", (p,)) for p in (np.array([0.5, 0.5]), np.array([1.0, 0.0, 0.0]))]
    cases += [Case(f"p = {short(p)}", (p,)) for p in random_tables(3, (7,), zeros=True)]
    mistakes = [
        Mistake(BITS, lambda p: information.entropy(p) / math.log(2)),
        Mistake("the sign is wrong: log p is negative, so H = -sum p log p", lambda p: -information.entropy(p)),
        Mistake("you took the mean where a sum belongs: each log p weighs p, not 1/n", lambda p: -_mean_log(p)),
        Mistake("0 log 0 must count as 0: leave the zeros out, or use scipy.special.entr", lambda p: math.nan),
    ]
    check_numbers(function, cases, information.entropy, mistakes)


def _mean_log(p):
    p = p[p > 0]
    return float(np.log(p).mean())


def check_mutual_information(function):
    """``mutual_information(joint)``: in nats, of a table that may hold zeros."""
    __tracebackhide__ = True
    right = information.mutual_information
    mistakes = [
        Mistake(BITS, lambda joint: right(joint) / math.log(2)),
        Mistake("that is a conditional entropy: I = H(rows) - H(rows | columns)", information.conditional_entropy),
        Mistake("that is the joint entropy: I = H(rows) + H(columns) - H(rows, columns)", information.entropy),
        Mistake("the sign is wrong: information is never negative", lambda joint: -right(joint)),
        Mistake("0 log 0 must count as 0: leave the cells with probability 0 out", lambda joint: math.nan),
    ]
    check_numbers(function, joint_cases(), right, mistakes)


def check_kl_divergence(function):
    """``kl_divergence(p, q)``: in nats; ``p`` may hold zeros, ``q`` none."""
    __tracebackhide__ = True
    pairs = zip(random_tables(4, (6,), zeros=True), random_tables(4, (6,), zeros=False, seed=9), strict=True)
    cases = [Case(f"p = {short(p)}, q = {short(q)}", (p, q)) for p, q in pairs]
    right = information.kl_divergence
    mistakes = [
        Mistake(BITS, lambda p, q: right(p, q) / math.log(2)),
        Mistake("p and q are swapped: the expectation is over p, the true distribution", lambda p, q: right(q, p)),
        Mistake("that is the cross-entropy: take away the entropy of p", lambda p, q: -xlogy(p, q).sum()),
        Mistake("the sign is wrong: KL is never negative", lambda p, q: -right(p, q)),
        Mistake("0 log 0 must count as 0: leave the entries with p = 0 out", lambda p, q: math.nan),
    ]
    check_numbers(function, cases, right, mistakes)


def check_variational_lower_bound(function):
    """``variational_lower_bound(joint, q)``: E[log Q(c | x)] + H(c) of tables; rows are codes."""
    __tracebackhide__ = True
    joints = random_tables(4, (4, 6), zeros=False)
    guesses = [q / q.sum(axis=0) for q in random_tables(4, (4, 6), zeros=False, seed=9)]
    cases = [
        Case(f"a table of {j.shape} that starts with {short(j[0])}", (j, q))
        for j, q in zip(joints, guesses, strict=True)
    ]
    right = information.variational_lower_bound

    def without(joint, q):
        return xlogy(joint, q).sum()

    mistakes = [
        Mistake(PRIOR_MISSING, without),
        Mistake(BITS, lambda joint, q: right(joint, q) / math.log(2)),
        Mistake(
            "you added H(x): the prior is that of the codes, the rows",
            lambda j, q: without(j, q) + information.entropy(j.sum(axis=0)),
        ),
        Mistake(
            "H(c) has the wrong sign: it is added", lambda j, q: without(j, q) - information.entropy(j.sum(axis=1))
        ),
        Mistake(
            "the expectation is over p(c, x): weigh log Q by the joint table, not by Q",
            lambda j, q: xlogy(q / q.shape[1], q).sum() + information.entropy(j.sum(axis=1)),
        ),
    ]
    check_numbers(function, cases, right, mistakes)


def check_discriminator_loss(function):
    """``discriminator_loss(real_logit, fake_logit)``: -E[log D(x)] - E[log(1 - D(G(z)))] from logits."""
    __tracebackhide__ = True
    right = games.discriminator_loss
    mistakes = [
        Mistake(PROBABILITIES, lambda real, fake: right(real.sigmoid(), fake.sigmoid())),
        Mistake(SUM, lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum()),
        Mistake("real and fake are swapped: D must say 1 to what is real", lambda real, fake: right(fake, real)),
        Mistake("the two halves are averaged: the paper adds them", lambda real, fake: right(real, fake) / 2),
    ]
    check_tensors(
        function,
        [
            Case(f"{n} real and {m} fake logits", (random_logits(n), random_logits(m, 1)))
            for n, m in ((4, 4), (8, 3), (1, 6))
        ],
        right,
        mistakes,
    )


def check_generator_loss(function):
    """``generator_loss(fake_logit)``: -E[log D(G(z))], the form whose gradient stays large while D wins."""
    __tracebackhide__ = True
    right = games.generator_loss
    mistakes = [
        Mistake(PROBABILITIES, lambda fake: right(fake.sigmoid())),
        Mistake(SUM, lambda fake: F.softplus(-fake).sum()),
        Mistake(
            "that is the saturating form, E[log(1 - D)]: its gradient dies while D wins",
            lambda fake: -F.softplus(fake).mean(),
        ),
        Mistake("that is D's loss on fakes: G wants the opposite", lambda fake: F.softplus(fake).mean()),
    ]
    check_tensors(function, [Case(f"{n} logits", (random_logits(n),)) for n in (4, 7, 1)], right, mistakes)
