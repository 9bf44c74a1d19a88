"""Priors of codes that go together: draws, entropy, what a spec, a card and the bound make of them."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import scipy.stats
import torch
from small_codes import seeded

from infogan_helpers.checkpoints import load_networks, save_networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.explorer_page import nats_read, page_facts
from infogan_helpers.losses import lower_bound
from infogan_helpers.networks import DiscriminatorQ, Generator
from infogan_helpers.posteriors import Posterior
from infogan_helpers.priors import CONTINUOUS_PRIORS, CorrelatedPrior, HierarchicalPrior, continuous_prior

PAIR = CodeSpec((3,), 3, 2, CorrelatedPrior(0.9))
CLASS = CodeSpec((5, 2), 2, 2, HierarchicalPrior(5, 0.8))
GRID = np.linspace(-9, 9, 1201)
STEP = GRID[1] - GRID[0]


def log_density_of_codes(normal, log_density):
    """Of 2 Φ(g) - 1, where g has this log-density: change of variables."""
    return log_density - (math.log(2) + scipy.stats.norm.logpdf(normal)).sum(axis=-1)


# entropy


@pytest.mark.parametrize("correlation", [-0.7, 0.0, 0.5, 0.9])
def test_the_entropy_of_a_pair_is_the_integral(correlation):
    normal = np.stack(np.meshgrid(GRID, GRID), axis=-1)
    of_normal = scipy.stats.multivariate_normal(cov=[[1, correlation], [correlation, 1]])
    density = of_normal.pdf(normal)
    integral = -np.sum(density * log_density_of_codes(normal, of_normal.logpdf(normal))) * STEP**2
    assert sum(CorrelatedPrior(correlation).entropies(2)) == pytest.approx(integral, abs=1e-4)
    assert sum(CorrelatedPrior(correlation).entropies(4)) == pytest.approx(integral + 2 * math.log(2), abs=1e-4)


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("classes", [2, 7])
def test_the_entropy_of_style_given_the_class_is_the_integral(classes, shared):
    prior, integral = HierarchicalPrior(classes, shared), 0.0
    for place in prior.places().tolist():
        of_normal = scipy.stats.norm(math.sqrt(shared) * place, math.sqrt(1 - shared))
        log_density = log_density_of_codes(GRID[:, None], of_normal.logpdf(GRID))
        integral -= np.sum(of_normal.pdf(GRID) * log_density) * STEP / classes
    assert prior.entropies(1)[0] == pytest.approx(integral, abs=1e-4)
    assert prior.entropies(3) == (prior.entropies(1)[0],) * 3


def test_a_spec_has_the_joint_entropy():
    pair, given_class = PAIR.entropy(), CLASS.entropy()
    assert pair.continuous == pytest.approx(3 * math.log(2) + 0.5 * math.log(1 - 0.81))
    assert given_class.continuous == pytest.approx(2 * math.log(2) + math.log(0.2))
    assert (pair.categorical, given_class.categorical) == pytest.approx((math.log(3), math.log(10)))
    assert CodeSpec((), 2, 0, CorrelatedPrior(0.0)).entropy() == CodeSpec((), 2, 0).entropy()


# draws


@pytest.mark.parametrize("correlation", [-0.7, 0.9])
def test_a_pair_goes_together_and_each_code_is_even(correlation):
    codes = CodeSpec((), 3, 1, CorrelatedPrior(correlation)).sample(40_000, seeded()).continuous
    expected = 6 / math.pi * math.asin(correlation / 2)
    table = torch.corrcoef(codes.T)
    assert table[0, 1].item() == pytest.approx(expected, abs=0.02)
    assert table[:2, 2].abs().max() < 0.03
    for column in codes.T:
        assert (torch.histc(column, 10, -1, 1) / 40_000 - 0.1).abs().max() < 0.01
    assert codes.abs().max() <= 1


def test_style_goes_together_through_the_class_and_through_nothing_else():
    codes = CLASS.sample(40_000, seeded())
    first, style = codes.categorical[:, 0], codes.continuous
    assert torch.corrcoef(style.T)[0, 1].item() == pytest.approx(6 / math.pi * math.asin(0.4), abs=0.05)
    means = torch.stack([style[first == k].mean(dim=0) for k in range(5)])
    assert (means.diff(dim=0) > 0.2).all()
    assert means[2].abs().max() < 0.03  # the middle class of five
    for k in range(5):
        assert torch.corrcoef(style[first == k].T)[0, 1].abs() < 0.06
    assert torch.corrcoef(torch.stack([codes.categorical[:, 1].float(), style[:, 0]]))[0, 1].abs() < 0.03
    assert (torch.bincount(first, minlength=5) / 40_000 - 0.2).abs().max() < 0.015


@pytest.mark.parametrize("spec", [PAIR, CLASS])
def test_one_seed_gives_the_same_codes_wherever_they_go(spec):
    first, again = spec.sample(6, seeded(1)), spec.sample(6, seeded(1), "cpu")
    assert torch.equal(first.continuous, again.continuous)
    assert not torch.equal(first.continuous, spec.sample(6, seeded(2)).continuous)
    assert (first.continuous.shape, first.continuous.dtype) == ((6, spec.continuous), torch.float32)


# what a spec and a card make of them


@pytest.mark.parametrize("spec", [PAIR, CLASS])
def test_a_prior_is_data_on_a_card(spec, tmp_path):
    stored = json.loads(json.dumps(asdict(spec)))
    assert CodeSpec(**stored) == spec
    assert hash(CodeSpec(**stored)) == hash(spec)
    generator, discriminator_q = Generator(spec, (1, 8, 8), 0.05), DiscriminatorQ(spec, (1, 8, 8), 0.05)
    save_networks(tmp_path / "x.safetensors", generator, discriminator_q)
    assert load_networks(tmp_path / "x.safetensors")[0].spec == spec


def test_a_name_stays_a_name():
    assert CodeSpec(continuous_prior="normal").continuous_prior == "normal"
    assert continuous_prior("normal") is CONTINUOUS_PRIORS["normal"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), 1, 0, CorrelatedPrior(0.5)), r"^continuous must be at least 2 where continuous_prior is .*, got 1"),
        (((), 2, 0, HierarchicalPrior(5, 0.5)), r"^categorical must begin with 5 classes .*, got \(\)"),
        (((10, 5), 2, 0, HierarchicalPrior(5, 0.5)), r"^categorical must begin with 5 classes .*, got \(10, 5\)"),
        (((10,), 2, 0, {"correlation": 2.0}), r"^correlation must be a number in \(-1, 1\), got 2.0"),
        (((10,), 2, 0, {"spread": 2.0}), r"^continuous_prior must be .*, got {'spread': 2.0}"),
    ],
)
def test_a_spec_refuses_a_prior_that_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        CodeSpec(*arguments)


@pytest.mark.parametrize("value", [1, -1.0, 1.5, math.nan, "0.5", None, True])
def test_a_correlation_lies_between_minus_one_and_one(value):
    with pytest.raises(ValueError, match=r"^correlation must be a number in \(-1, 1\), got "):
        CorrelatedPrior(value)
    with pytest.raises(ValueError, match=r"^shared must be a number in \[0, 1\), got "):
        HierarchicalPrior(5, value)


@pytest.mark.parametrize("classes", [1, 2.0, None])
def test_a_hierarchy_has_two_classes_or_more(classes):
    with pytest.raises(ValueError, match=r"^classes must be an integer of at least 2, got "):
        HierarchicalPrior(classes, 0.5)


def test_the_explorer_reads_nats_that_add_up_to_the_bound():
    codes = PAIR.sample(500, seeded())
    posterior = Posterior((torch.zeros(500, 3),), 0.9 * codes.continuous, torch.full((500, 3), -3.0))
    nats = nats_read(posterior, codes, PAIR)
    assert nats.abs().max() < 5  # none was cut
    assert nats.sum(dim=1).mean().item() == pytest.approx(lower_bound(posterior, codes, PAIR).total.item(), abs=1e-4)
    facts = page_facts(Generator(PAIR, (1, 8, 8), 0.05), [""], {})
    assert (facts["support"], sum(facts["entropies"])) == pytest.approx((1, sum(PAIR.entropy())))


# the bound


def in_bins(codes, bins):
    """Which of ``bins`` equal parts of [-1, 1] each code lies in."""
    return ((codes + 1) * bins / 2).long().clamp(0, bins - 1)


def moment_matched(codes, cells, least):
    """The best factored Gaussian for each cell, of a variance of at least ``least``, as an answer for each row."""
    values, index = cells.unique(return_inverse=True)
    counts = torch.bincount(index).double()
    mean = torch.zeros(len(values), codes.shape[1]).double().index_add(0, index, codes) / counts[:, None]
    square = torch.zeros_like(mean).index_add(0, index, (codes - mean[index]) ** 2) / counts[:, None]
    return mean[index], square[index].clamp_min(least).log()


@pytest.mark.parametrize(("spec", "bins"), [(PAIR, 10), (CLASS, 16)])
def test_the_bound_reaches_the_information_less_what_a_bell_loses_on_an_even_cell(spec, bins):
    # The picture says the class and in which cell the codes lie, and no more: I(c; x) = H(x).
    codes = spec.sample(200_000, seeded())
    style, cells = codes.continuous[:, :2].double(), codes.categorical[:, 0]
    for column in in_bins(style, bins).T:
        cells = cells * bins + column
    mean, log_variance = moment_matched(style, cells, least=(1 / bins) ** 2 / 12)
    logits = tuple(
        100.0 * torch.nn.functional.one_hot(k, n) for k, n in zip(codes.categorical.T, spec.categorical, strict=True)
    )
    others = spec.continuous - 2  # which the picture does not show: an even code's best bell loses 0.1765 nats
    if others:
        mean = torch.cat([mean, torch.zeros(len(codes), others)], dim=1)
        log_variance = torch.cat([log_variance, torch.full((len(codes), others), math.log(1 / 3))], dim=1)
    bound = lower_bound(Posterior(logits, mean, log_variance), codes, spec).total.item()
    counts = torch.bincount(cells).double()
    share = counts[counts > 0] / counts.sum()
    information = -(share * share.log()).sum().item() + sum(math.log(n) for n in spec.categorical[1:])
    lost_by_a_bell = 0.5 * math.log(2 * math.pi * math.e / 12)
    assert bound == pytest.approx(information - (2 + others) * lost_by_a_bell, abs=0.12)
    assert bound < information


def test_with_a_fixed_variance_the_ceiling_is_lower_by_what_the_pair_tells_of_each_other():
    codes = PAIR.sample(50, seeded())
    posterior = Posterior((torch.zeros(50, 3),), codes.continuous, torch.zeros(50, 3))
    ceiling = 3 * (math.log(2) - 0.5 * math.log(2 * math.pi)) + 0.5 * math.log(1 - 0.81)
    assert lower_bound(posterior, codes, PAIR).continuous.item() == pytest.approx(ceiling, abs=1e-5)
