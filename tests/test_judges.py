"""Judges: what they answer, what they are taught, that they learn, and what is stored of them."""

import json
import math

import pytest
import torch

from infogan_helpers.judges import OF_KINDS, Judge, judge_loss, judged, load_judge, save_judge, train_judge
from infogan_helpers.worlds import Chairs, Faces, Sprites

SMALL = Chairs(8)


def seeded():
    return torch.Generator().manual_seed(0)


def answers_of(world, factors):
    """The answers of a judge that is sure and right."""
    answers = []
    for factor, chosen in zip(world.factors, factors.T, strict=True):
        if not factor.unit:
            answers.append(50.0 * torch.nn.functional.one_hot(chosen, len(factor.values)))
        elif factor.circular:
            angle = torch.tensor(factor.values)[chosen]
            answers.append(torch.stack([angle.cos(), angle.sin()], dim=1))
        else:
            answers.append((2 * chosen / (len(factor.values) - 1) - 1)[:, None])
    return answers


@pytest.mark.parametrize("world", [Sprites(8), Faces(8), Chairs(8)])
def test_a_judge_that_is_right_loses_nothing_and_says_the_worlds_own_values(world):
    factors = world.sample_factors(40, seeded())
    answers = answers_of(world, factors)
    assert judge_loss(world, answers, factors).item() == pytest.approx(0, abs=1e-5)

    class Right(torch.nn.Module):
        def forward(self, images):
            return answers, torch.zeros(len(images), 3)

    right = Right()
    right.world = world
    said = judged(right, torch.zeros(40, *world.image_shape)).values
    for name, truth in world.values(factors).items():
        difference = said[name] - truth
        if next(f for f in world.factors if f.name == name).circular:
            difference = torch.atan2(difference.sin(), difference.cos())
        assert difference.abs().max() < 1e-5, name


def test_a_judge_that_knows_nothing_loses_what_each_kind_of_factor_is_worth():
    factors = SMALL.sample_factors(2000, seeded())
    nothing = [torch.zeros(2000, n) for n in (24, 2, 1, 1)]
    spread = 2 * 4 / 9  # mean square of seven places on [-1, 1], twice
    assert judge_loss(SMALL, nothing, factors).item() == pytest.approx(OF_KINDS * math.log(24) + 0.5 + spread, abs=0.03)


def test_a_judge_learns_and_one_seed_gives_one_judge():
    world = Sprites(16)
    images, factors, _ = world.images_and_factors(600, 5, progress=False)
    judge = train_judge(world, images, factors, steps=60, progress=False)
    again = train_judge(world, images, factors, steps=60, progress=False)
    assert all(torch.equal(a, b) for a, b in zip(judge.parameters(), again.parameters(), strict=True))
    with torch.no_grad():
        fresh, _ = Judge(world).eval()(images / 127.5 - 1)
        learned, _ = judge(images / 127.5 - 1)
    assert judge_loss(world, learned, factors) < 0.5 * judge_loss(world, fresh, factors)
    assert not judge.training


def test_a_judge_comes_back_from_its_file_and_a_changed_file_is_refused(tmp_path):
    judge = Judge(SMALL).eval()
    save_judge(judge, {"seed": 0}, tmp_path)
    images = torch.rand(5, 1, 8, 8, generator=seeded()) * 2 - 1
    here, there = judged(judge, images), judged(load_judge(SMALL, tmp_path), images)
    torch.testing.assert_close(there.features, here.features, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(there.values["width"], here.values["width"], rtol=1e-2, atol=1e-2)
    assert json.loads((tmp_path / "judge_chairs8.json").read_text(encoding="utf-8"))["seed"] == 0
    file = tmp_path / "judge_chairs8.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="must have the SHA-256 of its card"):
        load_judge(SMALL, tmp_path)
    with pytest.raises(ValueError, match="name must be one of the pretrained models"):
        load_judge(Faces(8), tmp_path)


def test_pictures_and_factors_that_do_not_fit_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^images must have shape \(n, 1, 8, 8\) and factors n rows, got"):
        train_judge(SMALL, torch.zeros(4, 1, 9, 8), torch.zeros(4, 4, dtype=torch.long))
    with pytest.raises(ValueError, match=r"^images must have shape \(n, 1, 8, 8\) and factors n rows, got"):
        train_judge(SMALL, torch.zeros(4, 1, 8, 8), torch.zeros(3, 4, dtype=torch.long))
    with pytest.raises(ValueError, match=r"^factors must hold type in \[0, 24\), got 0 to 24"):
        train_judge(SMALL, torch.zeros(2, 1, 8, 8), torch.tensor([[0, 0, 0, 0], [24, 0, 0, 0]]))
    judge = Judge(SMALL).eval()
    for images in (torch.zeros(0, 1, 8, 8), torch.zeros(2, 1, 8, 9)):
        with pytest.raises(ValueError, match=r"^images must have shape \(n, 1, 8, 8\) with n of at least 1, got"):
            judged(judge, images)
