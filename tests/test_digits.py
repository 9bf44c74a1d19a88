"""The digits' recipe: what is read from which copy, what real images teach, the schedule, and what is refused."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from small_runs import ctrl_c

from infogan_helpers.codes import CodeSpec
from infogan_helpers.losses import answer_information
from infogan_helpers.methods import digits, infogan
from infogan_helpers.methods.digits import (
    METHOD,
    PRESETS,
    Config,
    fit,
    make,
    make_copies,
    read_copies,
    train_step,
    unlabelled_loss,
)
from infogan_helpers.posteriors import Posterior
from infogan_helpers.schedules import Ramp
from infogan_helpers.training import run
from infogan_helpers.transforms import random_style

SMALL = Config(width=0.05, batch_size=16)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def a_pair(spec, **changes):
    torch.manual_seed(0)
    off = {"keep": (), "stray_strokes": 0.0, "consistency": 0.0, "answer_information": 0.0}
    config = replace(SMALL, **off | changes)
    players = make(spec, (1, 28, 28), config)
    fake = players.generator(spec.sample(16))
    real = torch.rand(16, 1, 28, 28, generator=seeded()) * 2 - 1
    players.discriminator_q.eval()
    return config, players, fake, real


def test_where_nothing_is_kept_q_reads_the_categorical_code_from_the_copy_and_the_rest_from_the_fake():
    config, players, fake, real = a_pair(CodeSpec())
    dq = players.discriminator_q
    _, plain = dq(fake)
    read, read_from, on_copy = read_copies(dq, fake, real, plain, config, seeded())
    _, expected = dq(random_style(fake, seeded()))
    torch.testing.assert_close(read.categorical_logits, expected.categorical_logits)
    assert read.mean is plain.mean
    assert read.log_variance is plain.log_variance
    assert not torch.allclose(read.categorical_logits[0], plain.categorical_logits[0])
    assert read_from is None
    assert on_copy is None


def test_each_continuous_code_is_read_where_its_aspect_is_kept():
    config, players, fake, real = a_pair(CodeSpec(continuous=3), keep=("lean", "stroke"), consistency=1.0)
    dq, random = players.discriminator_q, seeded()
    _, plain = dq(fake)
    read, read_from, on_copy = read_copies(dq, fake, real, plain, config, random)
    again = seeded()
    _, of_fakes = dq(random_style(fake, again, keep=("lean", "stroke")))
    _, of_real = dq(random_style(real, again))
    torch.testing.assert_close(read, of_fakes, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(on_copy, of_real, atol=1e-5, rtol=1e-4)
    assert read_from.tolist() == [[True, True, False, True], [True, False, True, False]] * 8


def test_g_learns_through_the_copy():
    """With a frozen adversary's loss left out, L_I of c1 alone still moves G."""
    config, players, fake, real = a_pair(CodeSpec(continuous=0, noise=4))
    _, posterior = players.discriminator_q(fake)
    read, *_ = read_copies(players.discriminator_q, fake, real, posterior, config, None)
    read.categorical_logits[0].square().sum().backward()
    assert all(p.grad is not None for p in players.generator.parameters())
    assert sum(p.grad.abs().sum() for p in players.generator.parameters()) > 0


def test_what_real_images_teach_by_hand_and_each_half_moves_what_it_is_about():
    image, copy = (
        Posterior((torch.randn(6, 4, generator=seeded(s), requires_grad=True),), torch.zeros(6, 0), torch.zeros(6, 0))
        for s in (0, 1)
    )
    weights = {"consistency": Ramp(0.0, 1.0, 0.0, 4.0), "answer_information": Ramp(0.0, 1.0, 1.0, 2.0)}
    config = replace(SMALL, **weights, class_balance=Ramp(0.0, 1.0, 2.0, 4.0))
    loss = unlabelled_loss(image, copy, config, done=0.5)
    p, log_q = image.categorical_logits[0].detach().softmax(1), copy.categorical_logits[0].log_softmax(1)
    by_hand = 3 * torch.special.entr(p.mean(dim=0)).sum() - torch.special.entr(p).sum(dim=1).mean()
    torch.testing.assert_close(loss, -2 * (p * log_q).sum(1).mean() - 1.5 * by_hand)
    loss.backward()
    information = -1.5 * answer_information(image.categorical_logits[0], 3.0)
    (of_information,) = torch.autograd.grad(information, image.categorical_logits)
    torch.testing.assert_close(image.categorical_logits[0].grad, of_information)  # the cross-entropy holds it fixed
    assert copy.categorical_logits[0].grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["consistency", "answer_information"])
@pytest.mark.parametrize("trunk", [False, True])
def test_real_images_move_q_and_the_trunk_but_neither_g_nor_ds_head(name, trunk):
    moved = {}
    for size in (1e-12, 1e5):  # an untrained Q hardly disagrees; at 0 no real image would be copied
        config, players, _, real = a_pair(CodeSpec(), keep=("lean",), **{name: size}, information_trains_trunk=trunk)
        players.discriminator_q.train()
        # One batch norm for fakes and real copies: hold it still, or the fakes' reading would differ.
        for layer in players.discriminator_q.modules():
            if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
                layer.eval()
        torch.manual_seed(1)
        train_step(players, real, CodeSpec(), config, None, done=1.0)
        dq = players.discriminator_q
        parts = {"g": players.generator, "trunk": dq.trunk, "d": dq.real_head, "q": dq.q_head}
        moved[size] = {part: torch.cat([p.grad.flatten() for p in m.parameters()]) for part, m in parts.items()}
    for part, same in {"g": True, "d": True, "trunk": False, "q": False}.items():
        assert torch.allclose(moved[1e-12][part], moved[1e5][part], atol=1e-6) == same, part


@pytest.mark.parametrize("game", ["standard", "hinge"])
def test_noise_falls_on_all_that_d_judges_until_it_has_faded(game, monkeypatch):
    strengths = []
    monkeypatch.setattr(digits, "add_noise", lambda x, strength, _: strengths.append(strength) or x)
    config, players, _, real = a_pair(CodeSpec(), game=game, instance_noise=Ramp(0.0, 0.5, 0.3, 0.0))
    for done in (0.0, 0.25, 0.5, 1.0):
        train_step(players, real, CodeSpec(), config, None, done)
    assert strengths == pytest.approx([0.3, 0.3, 0.15, 0.15, 0, 0, 0, 0])


def test_the_schedule_of_the_recipe():
    recipe = PRESETS["recipe"]
    ramps = {name: value for name, value in vars(recipe).items() if isinstance(value, Ramp)}
    ends = {name: (ramp(0.0), ramp(1.0)) for name, ramp in ramps.items()}
    assert ends == {
        "learning_rate_factor": (1.0, pytest.approx(0.02)),
        "lambda_categorical": (0.1, 1.0),
        "lambda_continuous": (0.0, 0.5),
        "consistency": (0.0, 3.0),
        "answer_information": (0.0, 3.0),
        "class_balance": (4.0, 1.0),
        "instance_noise": (0.3, 0.0),
    }
    arrival = sorted(ramps, key=lambda name: ramps[name].end)[:4]
    assert arrival == ["consistency", "answer_information", "lambda_categorical", "lambda_continuous"]
    assert recipe.scheduled
    assert not replace(recipe, **dict.fromkeys(ramps, 0.5)).scheduled


@pytest.mark.parametrize("done", [0.0, 0.75])
def test_a_step_sets_the_rates_that_its_moment_asks_for(done):
    config, players, _, real = a_pair(CodeSpec(), learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3)
    train_step(players, real, CodeSpec(), config, None, done)
    factor = config.learning_rate_factor(done)
    rates = [getattr(players, f"optimizer_{letter}").param_groups[0]["lr"] for letter in "gdq"]
    assert rates == pytest.approx([1e-3 * factor, 2e-3 * factor, 3e-3 * factor])


@pytest.mark.parametrize("name", ["lambda_categorical", "lambda_continuous"])
def test_each_weight_reaches_g_at_its_moment(name):
    moved = []
    for done in (0.0, 1.0):
        silent = {
            "lambda_categorical": 0.0,
            "lambda_continuous": 0.0,
            "learning_rate_factor": 1.0,
            "instance_noise": 0.0,
        }
        config, players, _, real = a_pair(CodeSpec(), **silent | {name: Ramp(0.0, 1.0, 0.0, 5.0)})
        train_step(players, real, CodeSpec(), config, seeded(), done)
        moved.append(torch.cat([p.grad.flatten() for p in players.generator.parameters()]))
    assert not torch.allclose(*moved)


def test_a_scheduled_run_lowers_the_learning_rates_and_cannot_be_made_longer(tmp_path):
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=seeded())
    config = replace(SMALL, steps=4)
    file = tmp_path / "run.safetensors"
    fit(images, CodeSpec(), config, device="cpu", progress=False, checkpoint=file)
    with pytest.raises(ValueError, match="steps was 4 there and is 8 here"):
        fit(images, CodeSpec(), replace(config, steps=8), device="cpu", progress=False, checkpoint=file)


def test_a_scheduled_run_resumes_bit_for_bit(tmp_path):
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=seeded())
    config, file, calls = replace(SMALL, steps=6, checkpoint_every=2), tmp_path / "run.safetensors", []
    whole = fit(images, CodeSpec(), config, device="cpu", progress=False)

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 4:
            ctrl_c()
        return train_step(*arguments)

    part = run(
        METHOD._replace(step=stopping), images, CodeSpec(), config, device="cpu", progress=False, checkpoint=file
    )
    assert part.interrupted
    resumed = fit(images, CodeSpec(), config, device="cpu", progress=False, checkpoint=file)
    assert resumed.history.bound_categorical == whole.history.bound_categorical
    pairs = zip(whole.generator.state_dict().values(), resumed.generator.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_code_gain_scales_gs_first_weights_on_the_codes_and_nothing_else():
    spec, firsts = CodeSpec(), []
    for gain in (1.0, 3.0):
        torch.manual_seed(0)
        players = make(spec, (1, 28, 28), replace(SMALL, code_gain=gain))
        firsts.append(players.generator.fully_connected[0].weight.detach())
    codes = spec.dim - spec.noise
    torch.testing.assert_close(firsts[1][:, :codes], 3 * firsts[0][:, :codes])
    assert torch.equal(firsts[1][:, codes:], firsts[0][:, codes:])


@pytest.mark.parametrize("trunk", [False, True])
def test_a_run_of_the_recipe_trains_and_is_deterministic(trunk):
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=seeded())
    config = replace(SMALL, steps=3, information_trains_trunk=trunk)
    first, second = (fit(images, CodeSpec(), config, device="cpu", progress=False) for _ in range(2))
    assert first.history.bound_categorical == second.history.bound_categorical
    plain = replace(infogan.PRESETS["plain"], steps=3, batch_size=16, width=0.05)
    other = infogan.fit(images, CodeSpec(), plain, device="cpu", progress=False)
    assert other.history.bound_categorical != first.history.bound_categorical


def test_points_in_the_plane_cannot_be_copied():
    points = torch.zeros(64, 2)
    config = replace(SMALL, steps=1, architecture="mlp")
    with pytest.raises(ValueError, match=r"images must have shape \(n, channels, height, width\) to be copied"):
        fit(points, CodeSpec(), config, progress=False)


def test_a_step_without_categorical_codes_has_no_categorical_bound():
    spec, config = CodeSpec(categorical=(), continuous=1, noise=3), SMALL
    players = make(spec, (1, 28, 28), config)
    assert train_step(players, torch.zeros(4, 1, 28, 28), spec, config).bound_categorical == 0


def test_a_step_without_continuous_codes_needs_nothing_kept():
    spec, config = CodeSpec(continuous=0), SMALL
    players = make(spec, (1, 28, 28), config)
    assert train_step(players, torch.zeros(4, 1, 28, 28), spec, config).bound_continuous == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"augment": 0.0}, "augment must be a number above 0, got 0.0"),
        ({"stray_strokes": 1.5}, r"stray_strokes must be a number in \[0, 1\], got 1.5"),
        ({"keep": ("lean", "colour")}, "keep must be a tuple of aspects from .*, got"),
        ({"keep": "lean"}, "keep must be a tuple of aspects from .*, got 'lean'"),
        ({"batch_size": 1}, "batch_size must be at least 2, one image per aspect kept, got 1"),
        ({"class_balance": -1.0}, "class_balance must be a number of at least 0, got -1.0"),
        ({"answer_information": -1.0}, "answer_information must be a number of at least 0, got -1.0"),
        ({"consistency": -1.0}, "consistency must be a number of at least 0, got -1.0"),
        ({"instance_noise": float("nan")}, "instance_noise must be a number of at least 0"),
        ({"lambda_categorical": {"start": 0.5}}, "lambda_categorical must hold the fields of a Ramp, got"),
        ({"code_gain": 0}, "code_gain must be a number above 0, got 0"),
        ({"information_trains_trunk": 1}, "information_trains_trunk must be True or False, got 1"),
    ],
)
def test_a_recipe_that_does_not_hold_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**changes)


def test_the_control_is_the_recipe_but_for_what_asks_for_the_codes():
    recipe, control = PRESETS["recipe"], PRESETS["control"]
    assert recipe == Config()
    differ = {name for name, value in vars(recipe).items() if getattr(control, name) != value}
    assert differ == {"lambda_categorical", "lambda_continuous", "consistency", "answer_information", "restarts"}


def test_a_stored_configuration_loads():
    stored = json.loads(json.dumps(asdict(PRESETS["recipe"])))
    assert Config(**stored) == PRESETS["recipe"]


def test_half_of_the_copies_are_crossed_but_none_that_keeps_its_lean():
    """A stroke has a lean of its own, and c2 is read from those copies."""
    config, _, fake, real = a_pair(CodeSpec(), consistency=1.0, keep=("stroke", "lean"))
    fake, real = (torch.full_like(x, -1.0) for x in (fake, real))
    for share, low, high in ((0.0, 0, 0), (0.5, 5, 19), (1.0, 24, 24)):
        copies = make_copies(fake, real, replace(config, stray_strokes=share), seeded())
        crossed = copies.amax(dim=(1, 2, 3)) > 0
        assert crossed[1:16:2].sum() == 0
        assert low <= crossed.sum() <= high
