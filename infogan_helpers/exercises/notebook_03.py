"""Checks of notebook 03: softmax twice, three optimisers, the likelihood of the continuous codes."""

import math

import torch
import torch.nn.functional as F

from infogan_helpers.codes import CodeSpec
from infogan_helpers.exercises.checking import (
    BITS,
    PRIOR_MISSING,
    SUM,
    Case,
    Mistake,
    call,
    check_numbers,
    check_tensors,
    name_of,
    passed,
    random_logits,
    require,
)
from infogan_helpers.networks import DiscriminatorQ, Generator
from infogan_helpers.runtime import isolated_randomness

LOG_2PI = math.log(2 * math.pi)
TRUNK_TWICE = "the trunk belongs to two optimisers: D's trunk would be updated twice in a step"


def check_softmax_cap(function):
    """``cap(K)``: notebook 03, exercise 1: the largest L_I in nats that softmax twice allows for K classes."""
    __tracebackhide__ = True

    def right(k):
        return math.log(k) + 1 - math.log(math.e + k - 1)

    mistakes = [
        Mistake(
            "that is the ceiling of the right loss, log K: here the largest 'logit' is 1 and the others are 0", math.log
        ),
        Mistake(PRIOR_MISSING, lambda k: 1 - math.log(math.e + k - 1)),
        Mistake(
            "the other K - 1 classes still have a probability of 0, which softmax turns into e⁰ = 1 each",
            lambda k: math.log(k) + 1 - math.log(math.e + k),
        ),
        Mistake(BITS, lambda k: right(k) / math.log(2)),
    ]
    check_numbers(function, [Case(f"K = {k}", (k,)) for k in (2, 3, 10, 1000)], right, mistakes)


def check_optimizers(function):
    """``make_optimizers(generator, discriminator_q)``: three optimisers, for G, for D with the trunk, for Q's head."""
    __tracebackhide__ = True
    name = name_of(function)
    for spec in (CodeSpec(categorical=(10,), continuous=2, noise=4), CodeSpec(categorical=(), continuous=3, noise=2)):
        with isolated_randomness():
            g, dq = Generator(spec, width=0.125), DiscriminatorQ(spec, width=0.125)
        optimizers = call(function, Case(f"networks for {spec.names}", (g, dq)))
        require(
            isinstance(optimizers, (tuple, list)) and len(optimizers) == 3,
            name,
            "must return three optimisers, G's, D's, Q's",
        )
        owned = [{id(p) for group in o.param_groups for p in group["params"]} for o in optimizers]
        parts = {"G": g, "the trunk": dq.trunk, "D's head": dq.real_head, "Q's head": dq.q_head}
        owners = {
            part: [i for i in range(3) if owned[i] & {id(p) for p in m.parameters()}] for part, m in parts.items()
        }
        require(len(owners["the trunk"]) < 2, name, TRUNK_TWICE)
        for part, wanted in {"G": 0, "the trunk": 1, "D's head": 1, "Q's head": 2}.items():
            require(owners[part], name, f"leaves {part} to nobody: it would never learn")
            got = " and ".join("GDQ"[i] for i in owners[part])
            require(
                owners[part] == [wanted], name, f"gives {part} to the optimiser of {got}, which is {'GDQ'[wanted]}'s"
            )
            whole = {id(p) for p in parts[part].parameters()}
            require(whole <= owned[wanted], name, f"leaves some parameters of {part} to nobody")
    passed(name, "two pairs of networks")


def check_continuous_log_likelihood(function):
    """``continuous_log_likelihood(mean, log_variance, codes)``: log N(c; μ, σ²) of a batch, summed over its codes.

    The result is the mean over the batch, in nats.
    """
    __tracebackhide__ = True

    def right(mean, log_variance, codes, constant=LOG_2PI):
        squares = (codes - mean) ** 2 * torch.exp(-log_variance)
        return -0.5 * (constant + log_variance + squares).sum(dim=1).mean()

    mistakes = [
        Mistake(
            "the constant is missing: log 2π / 2 for each code, so that it is a density",
            lambda m, v, c: right(m, v, c, 0.0),
        ),
        Mistake("you took the log-variance for log σ: σ² is its exponential", lambda m, v, c: right(m, 2 * v, c)),
        Mistake(
            "that is a mean squared error: it ignores the variance, and is no log-likelihood",
            lambda m, v, c: F.mse_loss(m, c),
        ),
        Mistake("the sign is wrong: a log-likelihood goes up as the error goes down", lambda m, v, c: -right(m, v, c)),
        Mistake(
            "you took the mean over the codes where a sum belongs: codes are independent, their log-likelihoods add",
            lambda m, v, c: right(m, v, c) / c.shape[1],
        ),
        Mistake(SUM, lambda m, v, c: right(m, v, c) * len(c)),
        Mistake(
            "log σ² is missing: without it a wide σ costs nothing",
            lambda m, v, c: right(m, v, c) + 0.5 * v.sum(dim=1).mean(),
        ),
    ]
    cases = [
        Case(
            f"{n} images, {k} codes",
            (random_logits(n, seed, k), 0.4 * random_logits(n, seed + 5, k), torch.tanh(random_logits(n, seed + 9, k))),
        )
        for seed, (n, k) in enumerate(((6, 2), (3, 5), (4, 3)))
    ]
    check_tensors(function, cases, right, mistakes)
