"""What a run is watched by, without labels: on a Q whose answers are known."""

import math
import sys
from pathlib import Path

import pytest
import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import mnist_sample
from infogan_helpers.posteriors import Posterior

sys.path.insert(0, str(Path(__file__).resolve().parent / "benchmarks"))
from failures import read_signs

NO_COPY = {"strength": 0.0, "stray_strokes": 0.0}


class Sides(torch.nn.Module):
    """Answers 0 where more ink lies on the left, 1 where on the right, and 2 never."""

    def __init__(self, sureness=1000.0):
        super().__init__()
        self.sureness, self.spec = sureness, CodeSpec(categorical=(3,), continuous=0)

    def forward(self, images):
        left, right = (half.flatten(1).mean(dim=1) for half in (images + 1).chunk(2, dim=3))
        difference = self.sureness * (left - right)
        logits = torch.stack([difference, -difference, torch.full_like(difference, -1e6)], dim=1)
        nothing = logits.new_zeros(len(images), 0)
        return None, Posterior((logits,), nothing, nothing)


@pytest.fixture(scope="module")
def images():
    return mnist_sample().images[:300]


def test_a_sure_answer_that_copies_do_not_change(images):
    signs = read_signs(Sides(), images, **NO_COPY)
    assert signs["agreement"] > 0.99
    assert signs["confused"] < 0.03
    assert signs["shared"] == pytest.approx(signs["information"], abs=0.02)
    assert 0.3 < signs["information"] <= math.log(2) + 1e-6
    assert signs["smallest"] == 0  # of the answer that is never given


def test_an_answer_that_copies_change_is_confused(images):
    signs, still = read_signs(Sides(), images), read_signs(Sides(), images, **NO_COPY)
    assert signs["information"] == pytest.approx(still["information"])  # that is about the images
    assert signs["agreement"] < 0.9
    assert signs["confused"] > 0.1
    assert signs["shared"] < 0.5 * still["shared"]


def test_an_answer_that_is_never_sure_says_nothing(images):
    signs = read_signs(Sides(sureness=0.0), images)
    assert signs["information"] == pytest.approx(0, abs=1e-6)
    assert signs["shared"] == pytest.approx(0, abs=1e-6)
    assert signs["agreement"] == pytest.approx(0.5)  # two answers, each as likely as the other
