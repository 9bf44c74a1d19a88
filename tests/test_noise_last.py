"""The page of notebook 07: the paper's step where nothing is added, and each thing that it adds by itself."""

from dataclasses import replace

import pytest
import torch
from small_runs import Stop, assert_same_state, ctrl_c, same, some_images

from infogan_helpers.codes import CodeSpec
from infogan_helpers.games import GAMES
from infogan_helpers.methods import infogan, noise_last
from infogan_helpers.methods.noise_last import (
    Config,
    fit,
    follow,
    forgotten,
    make,
    moments_of_codes,
    train_step,
    unlike_codes,
)
from infogan_helpers.methods.players import make_players
from infogan_helpers.posteriors import Posterior, VonMises
from infogan_helpers.schedules import Ramp

SPEC = CodeSpec((3,), 2, 4, circular=1, odd=1)
SHAPE = (1, 8, 8)
QUICK = Config(steps=12, batch_size=4, width=0.1, sample_every=5, checkpoint_every=5, seed=3)


def batch(n=4):
    return some_images(n, SHAPE).float() / 127.5 - 1


def a_step(config, done=0.0, n=4):
    torch.manual_seed(0)
    players = make(SPEC, SHAPE, config)
    metrics = train_step(players, batch(n), SPEC, config, torch.Generator().manual_seed(5), done)
    return players, metrics


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("lambda_information", -0.1, "a number of at least 0"),
        ("noise", -1, "a number of at least 0"),
        ("memory", "5", "a number of at least 0"),
        ("moments", -0.5, "a number of at least 0"),
        ("learning_rate_factor", None, "a number of at least 0"),
        ("least_deviation", 0, r"a number in \(0, 1\]"),
        ("norm", "batch", "'spectral' or 'none' where game is 'r1'"),
    ],
)
def test_config_names_the_field_what_it_takes_and_what_it_got(name, value, wanted):
    with pytest.raises(ValueError, match=rf"^{name} must be {wanted}.*, got {value!r}$"):
        Config(**{name: value})


def test_where_nothing_is_added_a_step_is_the_papers_with_an_information_that_trains_the_trunk():
    plain = replace(QUICK, game="standard", noise=1.0, moments=0.0, memory=0.0, learning_rate_factor=1.0)
    ours, _ = a_step(plain, done=0.2)
    shared = {f: getattr(plain, f) for f in infogan.PlayersConfig.__dataclass_fields__}
    lambdas = {"lambda_categorical": 0.2, "lambda_continuous": 0.2}
    config = infogan.Config(**shared, **lambdas, information_trains_trunk=True)
    torch.manual_seed(0)
    theirs = make_players(SPEC, SHAPE, config)
    infogan.train_step(theirs, batch(), SPEC, config, torch.Generator().manual_seed(5))
    for name in ("generator", "discriminator_q"):
        for a, b in zip(getattr(ours, name).parameters(), getattr(theirs, name).parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("done", "amount"), [(0.0, 0.0), (0.45, 0.5), (0.9, 1.0), (1.0, 1.0)])
def test_g_is_given_as_much_noise_as_is_due(done, amount, monkeypatch):
    seen = []
    encode = CodeSpec.encode
    monkeypatch.setattr(CodeSpec, "encode", lambda spec, codes: seen.append(codes) or encode(spec, codes))
    a_step(QUICK, done)
    drawn = SPEC.sample(4, torch.Generator().manual_seed(5))
    torch.testing.assert_close(seen[0].noise, amount * drawn.noise)
    assert torch.equal(seen[0].continuous, drawn.continuous)


def test_the_penalty_comes_every_fourth_step_and_counts_four_times(monkeypatch):
    steps = []
    game = GAMES["r1"]._replace(penalty=lambda *_: torch.tensor(float(steps[-1])))
    monkeypatch.setitem(GAMES, "r1", game)
    losses = []
    for step in range(6):
        steps.append(100 + step)
        losses.append(float(a_step(QUICK, step / QUICK.steps)[1].d_loss))
    assert [loss > 50 for loss in losses] == [True, False, False, False, True, False]
    assert losses[0] == pytest.approx(4 * 100, abs=20)


def an_answer(mean, angle):
    direction = torch.stack([angle.cos(), angle.sin()], dim=1)
    return Posterior((), mean, torch.zeros_like(mean), (VonMises(direction, torch.ones(len(mean))),))


def test_what_was_forgotten_is_the_squared_distance_of_means_and_directions_and_teaches_q_alone():
    mean, angle = torch.tensor([[0.5, -1.0], [0.0, 2.0]], requires_grad=True), torch.tensor([0.0, 1.0])
    then = torch.tensor([[0.5, 0.0], [3.0, 2.0]], requires_grad=True)

    def average(images):
        return None, an_answer(1 * then, torch.tensor([torch.pi, 1.0]))

    loss = forgotten(an_answer(mean, angle), average, batch(2), 0.5)
    assert loss.item() == pytest.approx(0.5 * ((1 + 9) / 2 + 4 / 2), abs=1e-5)
    loss.backward()
    torch.testing.assert_close(mean.grad, 0.5 * (mean - then).detach())
    assert then.grad is None


def test_nobody_is_asked_for_what_is_off():
    assert forgotten(None, None, None, 0.0) == 0.0
    assert unlike_codes(None, None, None, 0.0) == 0.0


def test_g_waits_for_d_in_the_first_tenth():
    rates = [a_step(QUICK, done)[0].optimizer_g.param_groups[0]["lr"] for done in (0.0, 0.05, 0.1, 0.5)]
    assert rates == pytest.approx([2e-5, 5.1e-4, 1e-3, 1e-3])
    assert a_step(QUICK, 0.0)[0].optimizer_d.param_groups[0]["lr"] == 1e-3


TWO = CodeSpec((), 2, 0, circular=1)


def read_as(continuous, angle):
    """What ``unlike_codes`` needs of Q and of the players, with no moments behind it."""
    players = make(TWO, SHAPE, QUICK)
    return an_answer(continuous, angle), players


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_the_moments_of_codes_are_those_of_many(prior):
    spec = CodeSpec((3,), 2, 4, prior, circular=2)
    codes = spec.sample(400_000, torch.Generator().manual_seed(0))
    z = codes.continuous / codes.continuous.std(dim=0)
    z = torch.cat([z, *(2**0.5 * torch.stack([a.cos(), a.sin()], dim=1) for a in codes.circular.T)], dim=1)
    here = [z.mean(dim=0).expand(6, -1), z.T @ z / len(z), z.T @ z**2 / len(z), (z**2).T @ z**2 / len(z)]
    torch.testing.assert_close(moments_of_codes(spec), torch.stack(here), atol=0.05, rtol=0)


def test_answers_that_lie_as_codes_do_owe_nothing_and_mixtures_do():
    codes = TWO.sample(100_000, torch.Generator().manual_seed(0))
    mixed = torch.stack([codes.continuous.sum(dim=1), codes.continuous.diff(dim=1)[:, 0]], dim=1)
    for continuous, least, most in ((0.3 * codes.continuous, 0, 0.01), (mixed, 0.05, 9)):
        answers, players = read_as(continuous, codes.circular[:, 0])
        for _ in range(400):
            loss = unlike_codes(answers, players, TWO, 1.0)
        assert least <= float(loss - _at_codes(players)) <= most


def _at_codes(players):
    """What ``unlike_codes`` returns where a batch's moments are those of codes: it has no value, only a gradient."""
    wanted = moments_of_codes(TWO)
    return ((players.moments - wanted) * wanted).sum() / 2


def test_the_gradient_takes_a_mixture_apart_and_of_a_square_moves_the_other_answer_alone():
    codes = TWO.sample(20_000, torch.Generator().manual_seed(0))
    turn = torch.tensor(0.5, requires_grad=True)
    one, two = codes.continuous.T
    rotated = torch.stack([turn.cos() * one + turn.sin() * two, turn.cos() * two - turn.sin() * one], dim=1)
    answers, players = read_as(rotated, codes.circular[:, 0])
    for _ in range(200):
        loss = unlike_codes(answers, players, TWO, 1.0)
    (slope,) = torch.autograd.grad(loss, turn)
    assert slope > 0.05  # downhill is a smaller turn
    square = one**2
    first = one.clone().requires_grad_()
    second = two.clone().requires_grad_()
    answers, players = read_as(torch.stack([first, second], dim=1), codes.circular[:, 0])
    players.moments = moments_of_codes(TWO)
    players.moments[2, 1, 0] = 0.9  # the second answer follows the first one's square, and nothing else is wrong
    loss = unlike_codes(answers, players, TWO, 1.0)
    of_first, of_second = torch.autograd.grad(loss, [first, second])
    assert of_first.norm() < 0.1 * of_second.norm()
    assert torch.corrcoef(torch.stack([of_second, square]))[0, 1] > 0.9


def test_moments_teach_q_and_are_averages_of_batches():
    answers, players = read_as(torch.randn(8, 2).requires_grad_(), torch.zeros(8))
    before = players.moments
    unlike_codes(answers, players, TWO, 1.0).backward()
    assert not players.moments.requires_grad
    assert 0 < (players.moments - before).abs().max() < 0.2


def test_an_average_begins_as_a_mean_and_then_keeps_998_parts_of_a_thousand():
    average, network = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    average.requires_grad_(False)
    with torch.no_grad():
        average.weight.fill_(2.0), network.weight.fill_(4.0)
        network.running_mean.fill_(7.0)
    follow(average, network, 0)
    assert average.weight.item() == pytest.approx(3.0)
    assert average.running_mean.item() == 7.0
    follow(average, network, 10_000)
    assert average.weight.item() == pytest.approx(3.002)
    assert network.weight.item() == 4.0


def test_averages_follow_and_no_optimiser_owns_them():
    players, _ = a_step(QUICK)
    owned = {
        id(p)
        for optimizer in (players.optimizer_g, players.optimizer_d, players.optimizer_q)
        for group in optimizer.param_groups
        for p in group["params"]
    }
    for average, network in ((players.average_g, players.generator), (players.average_dq, players.discriminator_q)):
        assert not owned & {id(p) for p in average.parameters()}
        assert not any(p.requires_grad for p in average.parameters())
        assert not same(average.parameters(), network.parameters())


def test_a_run_returns_the_averages_and_resumes_bit_for_bit(tmp_path):
    options = {"device": "cpu", "progress": False}
    whole = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=tmp_path / "whole.safetensors", **options)
    file = tmp_path / "run.safetensors"
    part = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=file, callback=Stop(5, ctrl_c), **options)
    assert part.interrupted
    again = fit(some_images(18, SHAPE), SPEC, QUICK, checkpoint=file, **options)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert same(again.generator.parameters(), whole.generator.parameters())
    assert not any(p.requires_grad for p in whole.discriminator_q.parameters())
    assert not whole.generator.training


def test_weights_may_be_numbers_or_ramps_and_a_stored_ramp_is_one_again():
    config = Config(noise={"start": 0.0, "end": 0.5, "before": 0.0, "after": 1.0}, memory=2)
    assert config.noise == Ramp(0.0, 0.5, 0.0, 1.0)
    assert config.memory == 2
    assert noise_last.METHOD.name == "noise_last"
