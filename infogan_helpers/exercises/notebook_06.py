"""Checks of notebook 06: an encoder on which two metrics disagree."""

import torch

from infogan_helpers.disentanglement import mutual_information_gap
from infogan_helpers.exercises.checking import (
    Case,
    call,
    name_of,
    passed,
    require,
)
from infogan_helpers.interventions import factor_vae_score


def check_gap_of_a_blurred_copy(function):
    """``encode(images)``: notebook 06, exercise 3: FactorVAE calls the encoder perfect, MIG less than 0.2."""
    __tracebackhide__ = True
    name, random = name_of(function), torch.Generator().manual_seed(3)

    class Toy:
        def sample_factors(self, n, generator=None):
            return torch.randint(10, (n, 2), generator=generator)

        def render(self, factors):
            return factors.double()

    factors = Toy().sample_factors(4000, random)
    codes = call(function, Case("4,000 pictures of the toy world", (factors.double(),)))
    pairs = [(i, j) for i in range(codes.shape[1]) for j in range(i) if torch.equal(codes[:, i], codes[:, j])]
    require(not pairs, name, f"has two codes that are exactly the same, {pairs}: blur one of them")
    gap = mutual_information_gap(codes, factors)
    require(
        gap < 0.2,
        name,
        f"has a MIG of {gap:.2f}, which must be below 0.2: the second-best code must know nearly as much",
    )
    score = factor_vae_score(Toy(), function, n_train=200, n_test=200, n_spread=2000)
    require(score == 1, name, f"has a FactorVAE score of {score:.2f}, which must be 1: no code may mix the factors")
    passed(name, "4,000 pictures")
