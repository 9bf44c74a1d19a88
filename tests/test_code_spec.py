"""Which codes there are, how they are drawn, and how they reach the generator."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from small_codes import SPEC, same, seeded

from infogan_helpers.codes import Codes, CodeSpec, check_classes


@pytest.fixture
def codes():
    return SPEC.sample(6, seeded())


# the spec


def test_defaults_are_the_papers_mnist_codes():
    spec = CodeSpec()
    assert (spec.categorical, spec.continuous, spec.noise, spec.continuous_prior) == ((10,), 2, 62, "uniform")
    assert spec.dim == 74
    assert spec.names == ("c1", "c2", "c3")


@pytest.mark.parametrize(
    ("spec", "dim", "names"),
    [
        (CodeSpec((3, 5), 2, 4), 14, ("c1", "c2", "c3", "c4")),
        (CodeSpec((), 2, 4), 6, ("c1", "c2")),
        (CodeSpec((10,), 0, 4), 14, ("c1",)),
        (CodeSpec((10,), 0, 0), 10, ("c1",)),
        (CodeSpec((2,), 1, 0, "normal"), 3, ("c1", "c2")),
    ],
)
def test_dim_and_names_count_every_part(spec, dim, names):
    assert (spec.dim, spec.names) == (dim, names)


@pytest.mark.parametrize(
    ("spec", "categorical", "continuous"),
    [
        (CodeSpec(), math.log(10), 2 * math.log(2)),
        (CodeSpec((10, 10, 4), 5), 2 * math.log(10) + math.log(4), 5 * math.log(2)),
        (CodeSpec((), 1), 0, math.log(2)),
        (CodeSpec((2,), 0), math.log(2), 0),
        (CodeSpec((2,), 0, continuous_prior="normal"), math.log(2), 0),
        (CodeSpec((), 3, continuous_prior="normal"), 0, 1.5 * (1 + math.log(2 * math.pi))),
    ],
)
def test_entropy_of_the_prior_in_nats(spec, categorical, continuous):
    entropy = spec.entropy()
    assert entropy.categorical == pytest.approx(categorical, rel=0, abs=1e-12)
    assert entropy.continuous == pytest.approx(continuous, rel=0, abs=1e-12)
    assert type(entropy.categorical) is type(entropy.continuous) is float


def test_spec_is_frozen_hashable_and_comparable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SPEC.noise = 3
    assert {CodeSpec(), CodeSpec((10,), 2, 62)} == {CodeSpec()}
    assert CodeSpec() != CodeSpec(continuous_prior="normal")


def test_spec_stores_plain_values_whatever_it_was_made_from():
    spec = CodeSpec([np.int64(3), 5], np.int32(2), np.int64(4))
    assert spec == SPEC
    assert hash(spec) == hash(SPEC)
    assert repr(spec) == repr(SPEC)


@pytest.mark.parametrize(
    "categorical", [10, None, "10", (1,), (0,), (-3,), (10, 1), (10.0,), ("10",), (True,), (None,), {10}, ((10,),)]
)
def test_spec_refuses_impossible_classes(categorical):
    with pytest.raises(ValueError, match=r"^categorical must be a tuple of class counts of at least 2, .*, got ") as e:
        CodeSpec(categorical=categorical)
    assert str(e.value).endswith(f"got {categorical!r}")


@pytest.mark.parametrize("name", ["continuous", "noise"])
@pytest.mark.parametrize("value", [-1, 2.0, "2", None, True, (2,), math.nan, np.float64(2)])
def test_spec_refuses_impossible_counts(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be an integer of at least 0, got ") as e:
        CodeSpec(**{name: value})
    assert str(e.value).endswith(f"got {value!r}")


@pytest.mark.parametrize("prior", ["Uniform", "gaussian", "", None, 1, ["uniform"]])
def test_spec_refuses_an_unknown_prior(prior):
    with pytest.raises(
        ValueError, match=r"^continuous_prior must be 'uniform' or 'normal', a CorrelatedPrior .*, got "
    ):
        CodeSpec(continuous_prior=prior)


def test_spec_needs_something_for_q_to_read():
    with pytest.raises(ValueError, match=r"^categorical, continuous and circular must not all be empty"):
        CodeSpec(categorical=(), continuous=0)


# sampling


@pytest.mark.parametrize(
    "spec", [SPEC, CodeSpec(), CodeSpec((), 3, 2), CodeSpec((4,), 0, 2), CodeSpec((4,), 1, 0, "normal")]
)
@pytest.mark.parametrize("n", [1, 7])
def test_samples_have_three_parts_of_fixed_shape_and_kind(spec, n):
    codes = spec.sample(n, seeded())
    assert len(codes) == n
    assert codes.noise.shape == (n, spec.noise)
    assert codes.categorical.shape == (n, len(spec.categorical))
    assert codes.continuous.shape == (n, spec.continuous)
    assert (codes.noise.dtype, codes.categorical.dtype) == (torch.float32, torch.int64)
    assert codes.continuous.dtype == torch.float32


def test_one_seed_gives_the_same_codes_and_another_others():
    first, again, other = SPEC.sample(6, seeded(1)), SPEC.sample(6, seeded(1)), SPEC.sample(6, seeded(2))
    assert same(first, again)
    assert not torch.equal(first.noise, other.noise)
    assert not torch.equal(first.categorical, other.categorical)
    assert not torch.equal(first.continuous, other.continuous)


def test_a_generator_moves_on_between_draws_and_leaves_torchs_own_alone():
    generator, state = seeded(), torch.get_rng_state()
    assert not torch.equal(SPEC.sample(6, generator).noise, SPEC.sample(6, generator).noise)
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_generator_torchs_own_seed_decides():
    torch.manual_seed(5)
    first = SPEC.sample(6)
    assert not torch.equal(SPEC.sample(6).noise, first.noise)
    torch.manual_seed(5)
    assert same(SPEC.sample(6), first)


def test_naming_the_device_does_not_change_the_draw():
    assert same(SPEC.sample(6, seeded(), "cpu"), SPEC.sample(6, seeded()))
    assert SPEC.sample(6, seeded(), torch.device("meta")).noise.device.type == "meta"


def test_classes_are_uniform_and_independent():
    codes = SPEC.sample(30_000, seeded())
    for column, classes in enumerate(SPEC.categorical):
        counts = torch.bincount(codes.categorical[:, column], minlength=classes)
        assert len(counts) == classes
        assert (counts / 30_000 - 1 / classes).abs().max() < 0.015
    pairs = torch.bincount(codes.categorical[:, 0] * 5 + codes.categorical[:, 1], minlength=15)
    assert (pairs / 30_000 - 1 / 15).abs().max() < 0.01


def test_uniform_codes_fill_their_interval_evenly():
    values = SPEC.sample(20_000, seeded()).continuous
    assert values.min() >= -1
    assert values.max() <= 1
    for column in values.T:
        histogram = torch.histc(column, 10, -1, 1) / 20_000
        assert (histogram - 0.1).abs().max() < 0.015
    assert torch.corrcoef(values.T)[0, 1].abs() < 0.05


def test_normal_codes_and_noise_are_standard_normal():
    spec = CodeSpec((3,), 2, 4, "normal")
    codes = spec.sample(20_000, seeded())
    for part in (codes.continuous, codes.noise, SPEC.sample(20_000, seeded()).noise):
        assert part.mean(dim=0).abs().max() < 0.03
        assert (part.std(dim=0) - 1).abs().max() < 0.03
        assert (part.abs() > 1).float().mean() == pytest.approx(0.3173, abs=0.02)


@pytest.mark.parametrize("n", [0, -1, 2.0, "3", None, True])
def test_a_sample_has_at_least_one_row(n):
    with pytest.raises(ValueError, match=r"^n must be an integer of at least 1, got "):
        SPEC.sample(n)


def test_a_sample_size_may_be_numpys():
    assert same(SPEC.sample(np.int64(6), seeded()), SPEC.sample(6, seeded()))


# the generator's input


def test_encode_lays_out_one_hots_then_continuous_then_noise():
    codes = Codes(
        torch.tensor([[0.1, 0.2, 0.3, 0.4], [1.1, 1.2, 1.3, 1.4]]),
        torch.tensor([[2, 0], [0, 4]]),
        torch.tensor([[-0.5, 0.5], [0.25, 0.75]]),
    )
    expected = [
        [0, 0, 1, 1, 0, 0, 0, 0, -0.5, 0.5, 0.1, 0.2, 0.3, 0.4],
        [1, 0, 0, 0, 0, 0, 0, 1, 0.25, 0.75, 1.1, 1.2, 1.3, 1.4],
    ]
    assert torch.equal(SPEC.encode(codes), torch.tensor(expected))


@pytest.mark.parametrize("spec", [CodeSpec((), 2, 3), CodeSpec((4,), 0, 3), CodeSpec((4,), 0, 0), CodeSpec((), 1, 0)])
def test_encode_without_some_of_the_parts(spec):
    codes = spec.sample(5, seeded())
    encoded = spec.encode(codes)
    assert encoded.shape == (5, spec.dim)
    assert encoded.dtype == torch.float32
    categories = sum(spec.categorical)
    assert torch.equal(encoded[:, :categories].sum(dim=1), torch.full((5,), float(len(spec.categorical))))
    assert torch.equal(encoded[:, categories:], torch.cat([codes.continuous, codes.noise], dim=1))


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.int16])
def test_encode_takes_narrow_integers(codes, dtype):
    narrow = codes.replace(categorical=codes.categorical.to(dtype))
    assert torch.equal(SPEC.encode(narrow), SPEC.encode(codes))


def test_encode_brings_a_float64_traversal_to_the_noises_precision(codes):
    wide = codes.replace(continuous=codes.continuous.double())
    assert torch.equal(SPEC.encode(wide), SPEC.encode(codes))


def test_encode_passes_gradients_to_continuous_codes_and_noise(codes):
    noise, continuous = codes.noise.clone().requires_grad_(), codes.continuous.clone().requires_grad_()
    SPEC.encode(codes.replace(noise=noise, continuous=continuous)).sum().backward()
    assert torch.equal(noise.grad, torch.ones(6, 4))
    assert torch.equal(continuous.grad, torch.ones(6, 2))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("categorical", torch.zeros(6, 1, dtype=torch.long), "codes.categorical must have 2 columns, .*, got 1"),
        ("continuous", torch.zeros(6, 3), "codes.continuous must have 2 columns, one per code, got 3"),
        ("noise", torch.zeros(6, 5), "codes.noise must have 4 columns, got 5"),
        ("categorical", torch.tensor([[0, 5]] * 6), r"codes.categorical must lie in \[0, 5\) in column 1, got 5"),
        ("categorical", torch.tensor([[3, 0]] * 6), r"codes.categorical must lie in \[0, 3\) in column 0, got 3"),
        ("categorical", torch.tensor([[0, -1]] * 6), r"codes.categorical must lie in \[0, 5\) in column 1, got -1"),
    ],
)  # fmt: skip
def test_encode_refuses_codes_of_another_spec(codes, part, value, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        SPEC.encode(codes.replace(**{part: value}))


def test_check_asks_for_the_codes_and_not_for_the_noise(codes):
    SPEC.check(codes.replace(noise=torch.zeros(6, 99)))
    with pytest.raises(ValueError, match=r"codes.continuous must have 2 columns"):
        SPEC.check(codes.replace(continuous=torch.zeros(6, 1)))


def test_one_wrong_class_among_many_is_found():
    classes = torch.zeros(1000, 2, dtype=torch.long)
    check_classes(classes, (3, 5))
    classes[777, 1] = 5
    with pytest.raises(ValueError, match=r"\[0, 5\) in column 1, got 5"):
        check_classes(classes, (3, 5))


def test_chosen_codes_come_with_the_noise_of_their_seeds():
    spec = CodeSpec((10, 3), 2, 62)
    codes = spec.codes_at([7, 2], [0.5, -1.5], seeds=(3, 9))
    assert codes.categorical.tolist() == [[7, 2]]
    assert codes.continuous.tolist() == [[0.5, -1.5]]
    first, second = (torch.randn(1, 62, generator=torch.Generator().manual_seed(seed)) for seed in (3, 9))
    assert torch.equal(codes.noise, first)
    torch.testing.assert_close(spec.codes_at([0, 0], [0, 0], (3, 9), 1.0).noise, second)
    middle = spec.codes_at([0, 0], [0, 0], (3, 9), 0.5).noise
    torch.testing.assert_close(middle, (first + second) / math.sqrt(2))
    assert spec.encode(codes).shape == (1, spec.dim)
    assert CodeSpec((), 1, 0).codes_at([], [1]).noise.shape == (1, 0)


def test_noise_on_the_way_is_distributed_as_a_draw():
    spec = CodeSpec((), 1, 2000)
    for between in (0.0, 0.25, 0.5, 1.0):
        noise = spec.codes_at([], [0.0], (0, 1), between).noise
        assert float(noise.std()) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"categorical": [10, 0]}, r"codes.categorical must lie in \[0, 10\) in column 0, got 10"),
        ({"categorical": [1]}, "codes.categorical must have 2 columns"),
        ({"continuous": [1.0]}, "codes.continuous must have 2 columns"),
        ({"continuous": [1.0, math.inf]}, r"continuous\[1\] must be a finite number, got inf"),
        ({"between": 1.1}, r"between must be a number in \[0, 1\], got 1.1"),
        ({"between": None}, r"between must be a number in \[0, 1\], got None"),
    ],
)
def test_codes_that_cannot_be_chosen_are_refused(arguments, message):
    chosen = {"categorical": [0, 0], "continuous": [0.0, 0.0]} | arguments
    with pytest.raises(ValueError, match=message):
        CodeSpec((10, 3), 2, 4).codes_at(**chosen)
