"""Seeds, budget, device."""

import random

import numpy as np
import pytest
import torch

from infogan_helpers.runtime import budget, by_budget, default_device, isolated_randomness, seed_everything


def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


@pytest.mark.parametrize("seed", [0, 1234, 2**32 - 1])
def test_one_seed_repeats_all_three_generators(seed):
    seed_everything(seed)
    first = draws()
    assert all(a != b for a, b in zip(first, draws(), strict=True))
    seed_everything(seed)
    assert draws() == first


def test_another_seed_changes_all_three_generators():
    seed_everything(0)
    first = draws()
    seed_everything(1)
    assert all(a != b for a, b in zip(first, draws(), strict=True))


def test_numpys_integers_are_seeds():
    seed_everything(np.int64(7))
    first = draws()
    seed_everything(7)
    assert draws() == first


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None, True, np.bool_(True)])
def test_what_is_no_seed_is_refused_before_anything_is_seeded(seed):
    seed_everything(3)
    expected = draws()
    seed_everything(3)
    with pytest.raises(ValueError, match=r"^seed must be an integer in \[0, 2\*\*32\), got "):
        seed_everything(seed)
    assert draws() == expected


def test_the_test_run_is_quick():
    assert budget() == "quick"
    assert by_budget(full=5000, quick=300) == 300


@pytest.mark.parametrize("value", ["full", ""])
def test_full_budget(monkeypatch, value):
    monkeypatch.setenv("INFOGAN_BUDGET", value)
    assert budget() == "full"
    assert by_budget(full=5000, quick=300) == 5000


def test_an_unset_budget_is_full(monkeypatch):
    monkeypatch.delenv("INFOGAN_BUDGET")
    assert budget() == "full"


@pytest.mark.parametrize("function", [budget, lambda: by_budget(full=1, quick=2)])
@pytest.mark.parametrize("value", ["fast", "Quick", " quick", "0"])
def test_another_word_for_the_budget_is_refused(monkeypatch, function, value):
    monkeypatch.setenv("INFOGAN_BUDGET", value)
    with pytest.raises(ValueError, match=f"^INFOGAN_BUDGET must be 'quick' or 'full' .*, got '{value}'"):
        function()


@pytest.mark.parametrize(("cuda", "expected"), [(True, "cuda"), (False, "cpu")])
def test_default_device_is_cuda_or_the_cpu_and_never_apples(monkeypatch, cuda, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert default_device() == torch.device(expected)


def test_isolated_randomness_leaves_the_callers_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with isolated_randomness():
        torch.manual_seed(99)
        torch.rand(50)
    assert torch.equal(torch.rand(2), expected)
