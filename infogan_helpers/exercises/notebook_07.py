"""Checks of notebook 07: angles, clusters, and a view that loses the light."""

import math

import numpy as np
import torch

from infogan_helpers import code_factors, worlds
from infogan_helpers.exercises.checking import (
    Case,
    Mistake,
    call,
    check_numbers,
    name_of,
    passed,
    require,
)


def check_circular_correlation(function):
    """``correlation(a, b)``: notebook 07, exercise 1: of two arrays of angles, in radians."""
    __tracebackhide__ = True
    random = np.random.default_rng(7)
    turn = random.uniform(-math.pi, math.pi, 400)
    cases = [
        Case("an angle and itself, turned by 1 radian", (turn, turn + 1.0)),
        Case("an angle and its mirror image", (turn, 2.0 - turn)),
        Case("an angle and itself, with noise", (turn, turn + 0.7 * random.standard_normal(400))),
        Case("an angle and another", (turn, random.uniform(-math.pi, math.pi, 400))),
        Case("an angle and one that folds", (2 * np.abs(turn) - math.pi, turn)),
    ]
    mistakes = [
        Mistake(
            "you tried one sense only: an angle that runs the other way follows as well, so take the larger of both",
            lambda a, b: abs(np.exp(1j * (a - b)).mean()),
        ),
        Mistake(
            "the mean of the cosine asks for equal angles: take the length of the mean of exp(i(a - b)), which lets "
            "one be turned against the other",
            lambda a, b: max(np.cos(a - b).mean(), np.cos(a + b).mean()),
        ),
        Mistake("an ordinary correlation tears the circle open at ±π", lambda a, b: np.corrcoef(a, b)[0, 1]),
        Mistake("an ordinary correlation tears the circle open at ±π", lambda a, b: abs(np.corrcoef(a, b)[0, 1])),
        Mistake("you took the mean of the lengths, each of which is 1: take the length of the mean", lambda a, b: 1.0),
    ]
    check_numbers(function, cases, code_factors.circular_correlation, mistakes)


def check_cluster_purity(function):
    """``purity(clusters, kinds, test_clusters, test_kinds)``: notebook 07, exercise 2: vote on one part, count on the
    other; a cluster that the vote never saw counts as wrong.
    """
    __tracebackhide__ = True
    random = np.random.default_rng(11)

    def right(clusters, kinds, test_clusters, test_kinds):
        return code_factors.cluster_purity(clusters[:, None], kinds, test=(test_clusters[:, None], test_kinds))

    def dropped(clusters, kinds, test_clusters, test_kinds):
        seen = np.isin(test_clusters, clusters)
        return right(clusters, kinds, test_clusters[seen], test_kinds[seen])

    def one_to_one(clusters, kinds, test_clusters, test_kinds):
        return np.mean(test_clusters == test_kinds)

    cases = []
    for n in (4, 9, 15):
        clusters, test = random.integers(0, n, 400), random.integers(0, n + 3, 400)
        kinds, test_kinds = (
            np.where(random.random(400) < 0.7, (c + 1) % 3, random.integers(0, 3, 400)) for c in (clusters, test)
        )
        cases.append(Case(f"{n} clusters and 3 kinds, 400 of each part", (clusters, kinds, test, test_kinds)))
    mistakes = [
        Mistake(
            "you voted and counted on the test part: many small clusters then flatter themselves",
            lambda c, k, tc, tk: right(tc, tk, tc, tk),
        ),
        Mistake("you counted on the part that voted", lambda c, k, tc, tk: right(c, k, c, k)),
        Mistake("clusters that the vote never saw were left out: count them as wrong", dropped),
        Mistake("a cluster's number is not its kind: vote first", one_to_one),
    ]
    check_numbers(function, cases, right, mistakes)


def check_unlit_view(function):
    """``unlit(images)``: notebook 07, exercise 3: a view of faces that keeps the azimuth and loses the light."""
    __tracebackhide__ = True
    name, world = name_of(function), worlds.Faces()
    heads = world.sample_factors(24, torch.Generator().manual_seed(2))
    heads[:, world.names.index("light")], heads[:, world.names.index("azimuth")] = 10, 15

    def seen(**changed):
        __tracebackhide__ = True
        factors = heads.clone()
        for factor, index in changed.items():
            factors[:, world.names.index(factor)] = index
        images = world.render(factors)
        got = call(function, Case("24 heads", (images,)))
        require(
            isinstance(got, torch.Tensor) and got.shape == images.shape,
            name,
            f"must return a tensor of the images' shape, {tuple(images.shape)}",
        )
        require(bool(torch.isfinite(got).all()), name, "returns values that are no numbers")
        require(
            bool((got.abs() <= 1 + 1e-6).all()), name, f"must stay in [-1, 1], got {got.min():.2f} to {got.max():.2f}"
        )
        return got

    lit, turned, middle = seen(light=0), seen(azimuth=28), seen()
    require(
        bool((turned - middle).abs().mean() > 0.02),
        name,
        "hardly changes when the head turns: the azimuth is lost as well",
    )
    ratio = float((lit - middle).abs().mean() / (turned - middle).abs().mean())
    require(
        ratio < 0.3,
        name,
        f"still shows the light: moving it changes the view {ratio:.2f} times as much as turning the head, which must "
        "be less than 0.3. The background is black, whatever the light; nothing else is",
    )
    passed(name, "24 heads")
