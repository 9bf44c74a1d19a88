"""A run judged without labels after a fifth of it: on a Q whose answers are known, and in a loop that starts again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_runs import ctrl_c

from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range, mnist_sample
from infogan_helpers.methods import digits
from infogan_helpers.methods.digits import CONFUSED, METHOD, Config, answers_on_copies, most_confused, verdict
from infogan_helpers.networks import DiscriminatorQ
from infogan_helpers.posteriors import Posterior
from infogan_helpers.training import SEEDS_APART, run

NO_COPY = {"strength": 0.0, "stray_strokes": 0.0}
SMALL = Config(width=0.05, batch_size=16, steps=10, checkpoint_every=1)
SPEC = CodeSpec()


class Sides(torch.nn.Module):
    """Answers 0 where more ink lies on the left, 1 where on the right, and 2 never."""

    spec = CodeSpec(categorical=(3,), continuous=0)

    def forward(self, images):
        left, right = (half.flatten(1).mean(dim=1) for half in (images + 1).chunk(2, dim=3))
        logits = torch.stack([1000 * (left - right), 1000 * (right - left), torch.full_like(left, -1e6)], dim=1)
        return None, Posterior((logits,), logits[:, :0], logits[:, :0])


@pytest.fixture(scope="module")
def images():
    return mnist_sample().images[:300]


def test_answers_on_copies_are_a_joint_distribution(images):
    torch.manual_seed(0)
    network = DiscriminatorQ(SPEC, width=0.05).eval()
    joint = answers_on_copies(network, images)
    assert joint.shape == (10, 10)
    assert joint.sum() == pytest.approx(1)
    np.testing.assert_allclose(joint, joint.T)
    np.testing.assert_array_equal(joint, answers_on_copies(network, images))
    with torch.no_grad():
        p = network(as_model_range(images))[1].categorical_logits[0].double().softmax(dim=1)
    np.testing.assert_allclose(answers_on_copies(network, images, **NO_COPY), p.T @ p / 300, atol=1e-5)


def test_an_answer_that_copies_change_is_confused_and_one_that_they_leave_is_not(images):
    still, moved = (most_confused(answers_on_copies(Sides(), images, **copies))[0] for copies in (NO_COPY, {}))
    assert still < 0.03
    assert moved > CONFUSED


def test_the_most_confused_pair_by_hand():
    joint = np.array([[0.30, 0.02, 0.00], [0.02, 0.10, 0.06], [0.00, 0.06, 0.44]])
    assert most_confused(joint) == (pytest.approx(0.06 / 0.18), 1, 2)
    never = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    assert most_confused(never)[0] == 0


def test_without_a_categorical_code_there_are_no_answers(images):
    network = DiscriminatorQ(CodeSpec(categorical=(), continuous=2), width=0.05)
    with pytest.raises(ValueError, match="discriminator_q must read a categorical code"):
        answers_on_copies(network, images)


def test_a_verdict_names_what_is_confused_and_lets_the_last_attempt_go_on(images, monkeypatch):
    monkeypatch.setattr(digits, "finish", lambda *_: None)
    monkeypatch.setattr(digits, "JUDGED_FROM", SMALL.steps)
    players = digits.make(SPEC, (1, 28, 28), SMALL)
    players.discriminator_q = Sides()
    why = verdict(players, images, SPEC, replace(SMALL, restarts=1), attempt=0)
    assert "of two copies of a digit, where one is answered c1 = " in why
    assert verdict(players, images, SPEC, replace(SMALL, restarts=1), attempt=1) is None
    assert verdict(players, images, SPEC, replace(SMALL, restarts=1, steps=9), attempt=0) is None
    monkeypatch.setattr(digits, "CONFUSED", 1.0)
    assert verdict(players, images, SPEC, replace(SMALL, restarts=1), attempt=0) is None
    assert verdict(players, images, CodeSpec(categorical=(), continuous=1), SMALL, attempt=0) is None


def weights(trained):
    return torch.cat([p.flatten() for p in trained.players.generator.parameters()])


def once(players, data, spec, config, attempt):
    return "the first is never good enough" if attempt == 0 else None


def train(method, images, config, **options):
    return run(method, images, SPEC, config, device="cpu", progress=False, **options)


def test_a_run_that_starts_again_is_the_run_of_its_other_seed_and_counts_what_it_gave_up(images, capsys):
    again = train(METHOD._replace(verdict=once), images, SMALL)
    assert (
        "Starting again after step 2 of 10, with other weights: the first is never good enough."
        in capsys.readouterr().out
    )
    other = train(METHOD._replace(verdict=lambda *_: None), images, replace(SMALL, seed=SEEDS_APART))
    assert torch.equal(weights(again), weights(other))
    assert again.history.bound_categorical == other.history.bound_categorical
    assert (len(again.history), again.history.given_up, other.history.given_up) == (10, 2, 0)
    assert again.history.images_per_second == pytest.approx(12 * 16 / again.history.seconds)
    assert again.history.sample_steps == [10]


@pytest.mark.parametrize("stopped_after", [1, 2, 3, 4, 5])
def test_a_run_that_starts_again_resumes_bit_for_bit_wherever_it_was_stopped(images, tmp_path, stopped_after):
    method, taken = METHOD._replace(verdict=once), []
    whole = train(method, images, SMALL)

    def step(*arguments):
        taken.append(1)
        if len(taken) == stopped_after:
            ctrl_c()
        return METHOD.step(*arguments)

    file = tmp_path / "run.safetensors"
    assert train(method._replace(step=step), images, SMALL, checkpoint=file).interrupted
    resumed = train(method, images, SMALL, checkpoint=file)
    assert torch.equal(weights(whole), weights(resumed))
    assert resumed.history.bound_continuous == whole.history.bound_continuous
    assert resumed.history.given_up == 2
