"""Restyling: small changes that keep the digit, gradients that reach the generator, and who reads the copy."""

import math
from dataclasses import replace

import pytest
import torch

from infogan_helpers import training, transforms
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist, to_model_range
from infogan_helpers.losses import answer_information
from infogan_helpers.measures import ink, slant, thickness, width
from infogan_helpers.networks import Posterior
from infogan_helpers.training import (
    PRESETS,
    TrainingConfig,
    _disagreement,
    _noisy,
    _read_copies,
    fit,
    make_players,
    train_step,
    weights_at,
)
from infogan_helpers.transforms import ASPECTS, SHIFT, add_stray_strokes, random_style


@pytest.fixture(scope="module")
def digits():
    return to_model_range(load_mnist(train=False).images[:200])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_strength_zero_changes_nothing(digits):
    torch.testing.assert_close(random_style(digits, seeded(), strength=0.0), digits, atol=1e-5, rtol=0)


def test_shape_and_range_are_kept(digits):
    restyled = random_style(digits, seeded())
    assert restyled.shape == digits.shape
    assert restyled.min() >= -1
    assert restyled.max() <= 1


def test_one_seed_gives_one_result_and_another_seed_another(digits):
    assert torch.equal(random_style(digits, seeded(1)), random_style(digits, seeded(1)))
    assert not torch.equal(random_style(digits, seeded(1)), random_style(digits, seeded(2)))


def test_each_image_is_changed_in_its_own_way(digits):
    same = digits[:1].expand(50, -1, -1, -1)
    assert len(random_style(same, seeded()).flatten(1).unique(dim=0)) == 50


def test_slant_thickness_and_place_move_and_ink_stays_on_the_page(digits):
    same = digits[:1].expand(300, -1, -1, -1)
    restyled = random_style(same, seeded())
    assert slant(restyled).std() > 0.1
    assert thickness(restyled).std() > 0.2
    mass = (restyled[:, 0] + 1) / 2
    x = (mass * torch.arange(28.0)).sum(dim=(1, 2)) / mass.sum(dim=(1, 2))
    assert 0.3 < x.std() < 2 * SHIFT
    assert mass.sum(dim=(1, 2)).min() > 20


def test_a_stronger_change_moves_more(digits):
    weak, strong = (random_style(digits, seeded(), strength) for strength in (0.3, 1.0))
    assert (strong - digits).abs().mean() > 1.5 * (weak - digits).abs().mean()


def test_a_shift_by_hand_is_where_it_belongs(monkeypatch):
    """With every other range at 0, a shift of one pixel moves a dot by one pixel."""
    for name in ("ROTATION", "SHEAR", "LOG_SCALE", "BEND", "THICKENING"):
        monkeypatch.setattr(f"infogan_helpers.transforms.{name}", 0.0)
    dot = torch.full((1, 1, 28, 28), -1.0)
    dot[0, 0, 14, 14] = 1.0
    draws = (2 * torch.rand(4, generator=seeded(3)) - 1).tolist()  # rotation, shear, then the two shifts, a draw each
    moved = (random_style(dot, seeded(3))[0, 0] + 1) / 2
    x = (moved.sum(dim=0) * torch.arange(28)).sum() / moved.sum()
    y = (moved.sum(dim=1) * torch.arange(28)).sum() / moved.sum()
    assert float(x) == pytest.approx(14 - SHIFT * draws[2], abs=1e-3)
    assert float(y) == pytest.approx(14 - SHIFT * draws[3], abs=1e-3)


def test_gradients_reach_the_images(digits):
    images = digits[:8].clone().requires_grad_(True)
    random_style(images, seeded()).sum().backward()
    assert (images.grad != 0).float().mean() > 0.3


def test_bad_input_is_refused(digits):
    with pytest.raises(ValueError, match=r"images must be floats of shape .*got \(5, 2\)"):
        random_style(torch.zeros(5, 2))
    with pytest.raises(ValueError, match="images must be floats"):
        random_style(torch.zeros(1, 1, 28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match="strength must be a number of at least 0, got -1"):
        random_style(digits, strength=-1)


def a_pair(spec, **changes):
    torch.manual_seed(0)
    config = replace(PRESETS["plain"], width=0.05, batch_size=16, **changes)
    players = make_players(spec, (1, 28, 28), config)
    fake = players.generator(spec.sample(16))
    real = torch.rand(16, 1, 28, 28, generator=seeded()) * 2 - 1
    players.discriminator_q.eval()
    return config, players, fake, real


def test_without_views_q_reads_the_categorical_code_from_the_copy_and_the_rest_from_the_fake():
    config, players, fake, real = a_pair(CodeSpec(), restyle=1.0)
    dq = players.discriminator_q
    _, plain = dq(fake)
    read, read_from, on_copy = _read_copies(dq, fake, real, plain, config, seeded())
    _, expected = dq(random_style(fake, seeded()))
    torch.testing.assert_close(read.categorical_logits, expected.categorical_logits)
    assert read.mean is plain.mean
    assert read.log_variance is plain.log_variance
    assert not torch.allclose(read.categorical_logits[0], plain.categorical_logits[0])
    assert read_from is None
    assert on_copy is None


def test_with_views_each_continuous_code_is_read_where_its_aspect_is_kept():
    config, players, fake, real = a_pair(CodeSpec(continuous=3), restyle=1.0, keep=("lean", "stroke"), agreement=1.0)
    dq, random = players.discriminator_q, seeded()
    _, plain = dq(fake)
    read, read_from, on_copy = _read_copies(dq, fake, real, plain, config, random)
    again = seeded()
    _, of_fakes = dq(random_style(fake, again, keep=("lean", "stroke")))
    _, of_real = dq(random_style(real, again))
    torch.testing.assert_close(read, of_fakes, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(on_copy, of_real, atol=1e-5, rtol=1e-4)
    assert read_from.tolist() == [[True, True, False, True], [True, False, True, False]] * 8


def test_without_restyling_the_posterior_is_left_alone():
    config, players, fake, real = a_pair(CodeSpec())
    _, posterior = players.discriminator_q(fake)
    read, *rest = _read_copies(players.discriminator_q, fake, real, posterior, config, None)
    assert read is posterior
    assert rest == [None, None]


def test_g_learns_through_the_copy():
    """With a frozen adversary's loss left out, L_I of c1 alone still moves G."""
    config, players, fake, real = a_pair(CodeSpec(continuous=0, noise=4), restyle=1.0)
    _, posterior = players.discriminator_q(fake)
    read, *_ = _read_copies(players.discriminator_q, fake, real, posterior, config, None)
    read.categorical_logits[0].square().sum().backward()
    assert all(p.grad is not None for p in players.generator.parameters())
    assert sum(p.grad.abs().sum() for p in players.generator.parameters()) > 0


def test_disagreement_is_cross_entropy_less_information_and_each_half_moves_what_it_is_about():
    image, copy = (
        Posterior((torch.randn(6, 4, generator=seeded(s), requires_grad=True),), torch.zeros(6, 0), torch.zeros(6, 0))
        for s in (0, 1)
    )
    loss = _disagreement(image, copy, PRESETS["recipe"])
    p, log_q = image.categorical_logits[0].detach().softmax(1), copy.categorical_logits[0].log_softmax(1)
    information = answer_information(image.categorical_logits[0])
    torch.testing.assert_close(loss, -(p * log_q).sum(1).mean() - information)
    loss.backward()
    (of_information,) = torch.autograd.grad(-information, image.categorical_logits)
    torch.testing.assert_close(image.categorical_logits[0].grad, of_information)  # the cross-entropy holds it fixed
    assert copy.categorical_logits[0].grad.abs().sum() > 0


@pytest.mark.parametrize("trunk", [False, True])
def test_agreement_moves_q_and_the_trunk_but_neither_g_nor_ds_head(trunk):
    moved = {}
    for agreement in (0.0, 1e5):  # an untrained Q hardly disagrees
        config, players, _, real = a_pair(
            CodeSpec(), restyle=1.0, keep=("lean",), agreement=agreement, information_trains_trunk=trunk
        )
        players.discriminator_q.train()
        # One batch norm for fakes and real copies: hold it still, or the fakes' reading would differ.
        for layer in players.discriminator_q.modules():
            if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
                layer.eval()
        torch.manual_seed(1)
        train_step(players, real, CodeSpec(), config, None, done=1.0)
        dq = players.discriminator_q
        parts = {"g": players.generator, "trunk": dq.trunk, "d": dq.real_head, "q": dq.q_head}
        moved[agreement] = {name: torch.cat([p.grad.flatten() for p in m.parameters()]) for name, m in parts.items()}
    for name, same in {"g": True, "d": True, "trunk": False, "q": False}.items():
        assert torch.allclose(moved[0.0][name], moved[1e5][name], atol=1e-6) == same, name


def test_instance_noise_reaches_what_d_judges_and_fades():
    images = torch.zeros(8, 1, 28, 28)
    assert _noisy(images, 0.0, None) is images
    assert float(_noisy(images, 0.3, seeded()).std()) == pytest.approx(0.3, rel=0.05)
    recipe = PRESETS["recipe"]
    assert weights_at(recipe, 0.0).instance_noise == recipe.instance_noise
    assert weights_at(recipe, 0.5).instance_noise == 0
    assert weights_at(recipe, 1.0).instance_noise == 0


def test_the_seasons_of_a_run():
    recipe = PRESETS["recipe"]
    start, end = weights_at(recipe, 0.0), weights_at(recipe, 1.0)
    assert start.continuous == 0
    assert start.agreement == 0
    assert start.learning_rate == 1
    assert start.categorical == pytest.approx(0.1 * recipe.lambda_categorical)
    assert (end.categorical, end.continuous, end.agreement) == (1.0, recipe.lambda_continuous, recipe.agreement)
    assert end.learning_rate == pytest.approx(0.02)
    halfway = [weights_at(recipe, done) for done in torch.linspace(0, 1, 21).tolist()]
    for name, rises in {
        "categorical": True,
        "continuous": True,
        "agreement": True,
        "instance_noise": False,
        "learning_rate": False,
    }.items():
        values = [getattr(w, name) for w in halfway]
        assert values == sorted(values, reverse=not rises), name
    plain = PRESETS["plain"]
    assert weights_at(plain, 0.0) == weights_at(plain, 1.0)
    assert weights_at(plain, 0.0).continuous == plain.lambda_continuous


def test_a_scheduled_run_lowers_the_learning_rates_and_cannot_be_made_longer(tmp_path):
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=seeded())
    config = replace(PRESETS["recipe"], steps=4, batch_size=16, width=0.05)
    file = tmp_path / "run.safetensors"
    fit(images, CodeSpec(), config, device="cpu", progress=False, checkpoint=file)
    with pytest.raises(ValueError, match="steps was 4 there and is 8 here"):
        fit(images, CodeSpec(), replace(config, steps=8), device="cpu", progress=False, checkpoint=file)


def test_a_scheduled_run_resumes_bit_for_bit(tmp_path, monkeypatch):
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=seeded())
    config = replace(PRESETS["recipe"], steps=6, batch_size=16, width=0.05, checkpoint_every=2)
    whole = fit(images, CodeSpec(), config, device="cpu", progress=False)
    step, file, calls = training.train_step, tmp_path / "run.safetensors", []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(training, "train_step", stopping)
    assert fit(images, CodeSpec(), config, device="cpu", progress=False, checkpoint=file).interrupted
    monkeypatch.setattr(training, "train_step", step)
    resumed = fit(images, CodeSpec(), config, device="cpu", progress=False, checkpoint=file)
    assert resumed.history.bound_categorical == whole.history.bound_categorical
    pairs = zip(whole.generator.state_dict().values(), resumed.generator.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_code_gain_scales_gs_first_weights_on_the_codes_and_nothing_else():
    spec, firsts = CodeSpec(), []
    for gain in (1.0, 3.0):
        torch.manual_seed(0)
        players = make_players(spec, (1, 28, 28), replace(PRESETS["plain"], width=0.05, code_gain=gain))
        firsts.append(players.generator.fully_connected[0].weight.detach())
    codes = spec.dim - spec.noise
    torch.testing.assert_close(firsts[1][:, :codes], 3 * firsts[0][:, :codes])
    assert torch.equal(firsts[1][:, codes:], firsts[0][:, codes:])


@pytest.mark.parametrize("trunk", [False, True])
def test_a_restyled_run_trains_and_is_deterministic(trunk):
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=seeded())
    config = replace(PRESETS["recipe"], steps=3, batch_size=16, width=0.05, information_trains_trunk=trunk)
    first, second = (fit(images, CodeSpec(), config, device="cpu", progress=False) for _ in range(2))
    assert first.history.bound_categorical == second.history.bound_categorical
    plain = replace(PRESETS["plain"], steps=3, batch_size=16, width=0.05)
    other = fit(images, CodeSpec(), plain, device="cpu", progress=False)
    assert other.history.bound_categorical != first.history.bound_categorical


def test_points_in_the_plane_cannot_be_restyled():
    points = torch.zeros(64, 2)
    config = TrainingConfig(steps=1, batch_size=16, architecture="mlp")
    with pytest.raises(ValueError, match=r"images must have shape \(n, channels, height, width\), got \(64, 2\)"):
        fit(points, CodeSpec(), config, progress=False)


def test_a_step_without_categorical_codes_has_no_categorical_bound():
    spec, config = CodeSpec(categorical=(), continuous=1, noise=3), TrainingConfig(width=0.05)
    players = make_players(spec, (1, 28, 28), config)
    assert train_step(players, torch.zeros(4, 1, 28, 28), spec, config).bound_categorical == 0


def test_a_step_without_continuous_codes_needs_no_views():
    spec, config = CodeSpec(continuous=0), TrainingConfig(width=0.05)
    players = make_players(spec, (1, 28, 28), config)
    assert train_step(players, torch.zeros(4, 1, 28, 28), spec, config).bound_continuous == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"restyle": 0.0}, "keep must be empty or 0 where restyle is 0, got"),
        (
            {"restyle": 0.0, "keep": (), "stray_strokes": 0.0},
            "agreement must be 0 where restyle is 0 and views is empty, got 0.5",
        ),
        ({"restyle": 0.0, "keep": ()}, "stray_strokes must be empty or 0 where restyle is 0, got 0.5"),
        ({"stray_strokes": 1.5}, r"stray_strokes must be a share in \[0, 1\], got 1.5"),
        ({"keep": ("lean", "colour")}, "keep must be a tuple of aspects from .*, got"),
        ({"keep": "lean"}, "keep must be a tuple of aspects from .*, got 'lean'"),
        ({"batch_size": 1}, "batch_size must be at least 2, one image an aspect, got 1"),
        ({"agreement": -1.0}, "agreement must be a number of at least 0"),
        ({"instance_noise": float("nan")}, "instance_noise must be a number of at least 0"),
        ({"code_gain": 0}, "code_gain must be a positive number, got 0"),
        ({"scheduled": 1}, "scheduled must be True or False, got 1"),
    ],
)
def test_a_recipe_that_does_not_hold_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(TrainingConfig(), **changes)


def test_the_presets_are_what_their_sources_say():
    paper = PRESETS["paper"]
    assert (paper.learning_rate_g, paper.learning_rate_d, paper.learning_rate_q) == (1e-3, 2e-4, 2e-4)
    assert (paper.steps, paper.batch_size, paper.width, paper.variance) == (5000, 128, 1.0, "fixed")
    assert paper.information_trains_trunk
    assert (paper.lambda_categorical, paper.lambda_continuous) == (1.0, 1.0)
    for name in ("plain", "paper", "seed_conv", "seed_mlp"):
        preset = PRESETS[name]
        assert not preset.scheduled
        switched_off = (preset.restyle, preset.stray_strokes, preset.agreement, preset.instance_noise)
        assert switched_off == (0.0, 0.0, 0.0, 0.0)
        assert preset.keep == ()
        assert preset.code_gain == 1
    assert PRESETS["recipe"] == TrainingConfig()
    assert PRESETS["seed_mlp"].architecture == "mlp"


@pytest.mark.parametrize("aspect", ASPECTS)
def test_a_kept_aspect_stays_in_its_images_and_no_other(aspect, monkeypatch):
    """Image 0 keeps the aspect, image 1 does not; every other change is switched off."""
    limits = {
        "lean": ("ROTATION", "SHEAR"),
        "stroke": ("THICKENING",),
        "size": ("LOG_SCALE",),
        "place": ("SHIFT",),
        "bend": ("BEND",),
    }
    for other, names in limits.items():
        for name in names if other != aspect else ():
            monkeypatch.setattr(transforms, name, 0.0)
    pair = upright_bar().repeat(2, 1, 1, 1)
    kept, changed = random_style(pair, seeded(), keep=(aspect, next(a for a in ASPECTS if a != aspect)))
    torch.testing.assert_close(kept, pair[0], atol=1e-5, rtol=0)
    assert not torch.allclose(changed, pair[1], atol=0.05)


def test_an_unknown_aspect_is_refused():
    with pytest.raises(ValueError, match=r"keep must hold aspects from \('lean', .*got \['colour'\]"):
        random_style(torch.zeros(2, 1, 28, 28), keep=("lean", "colour"))


def upright_bar():
    bar = torch.full((1, 1, 28, 28), -1.0)
    bar[0, 0, 4:24, 12:16] = 1.0
    return bar


DRAWS = (  # in the order of random_style
    *("ROTATION", "SHEAR", "SHIFT", "SHIFT", "LOG_SCALE", "LOG_SCALE", "BEND", "BEND", "THICKENING"),
)


def only(monkeypatch, kept, seed):
    """Switch every change off but one, and say what the seed draws for it, in its own unit."""
    draw = 2 * torch.rand(len(DRAWS), generator=seeded(seed)) - 1
    for name in set(DRAWS) - {kept}:
        monkeypatch.setattr(transforms, name, 0.0)
    return float(draw[DRAWS.index(kept)]) * getattr(transforms, kept)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("kept", "leans"), [("ROTATION", lambda a: -a), ("SHEAR", math.atan)])
def test_a_bar_leans_by_what_was_drawn(monkeypatch, kept, leans, seed):
    drawn = only(monkeypatch, kept, seed)
    assert slant(random_style(upright_bar(), seeded(seed)))[0] == pytest.approx(leans(drawn), abs=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_grows_and_shrinks_by_up_to_a_pixel_on_each_side(monkeypatch, seed):
    drawn = only(monkeypatch, "THICKENING", seed)
    grown = ink(random_style(upright_bar(), seeded(seed)))[0] - 80
    border = 22 * 6 - 20 * 4 if drawn > 0 else 20 * 4 - 18 * 2  # pixels added, or taken, by a whole pixel on each side
    assert grown == pytest.approx(drawn * border, rel=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_is_scaled_across(monkeypatch, seed):
    drawn = only(monkeypatch, "LOG_SCALE", seed)
    bar = torch.full((1, 1, 28, 28), -1.0)
    bar[0, 0, 4:24, 8:20] = 1.0
    assert width(random_style(bar, seeded(seed)))[0] == pytest.approx(12 / math.exp(drawn), rel=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_is_bowed_by_the_square_of_the_height(monkeypatch, seed):
    drawn = only(monkeypatch, "BEND", seed)
    bowed = (random_style(upright_bar(), seeded(seed))[0, 0] + 1) / 2
    rows = bowed[5:23]
    x = (rows * torch.arange(28.0)).sum(dim=1) / rows.sum(dim=1)
    height = (torch.arange(5, 23) - 13.5) / 14  # halves of the picture
    expected = 13.5 - 14 * drawn * (height**2 - 1 / 6)
    torch.testing.assert_close(x, expected, atol=0.15, rtol=0)


def blank(n):
    return torch.full((n, 1, 28, 28), -1.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_stray_stroke_is_short_thin_and_near_the_middle(seed):
    crossed = add_stray_strokes(blank(200), 1.0, seeded(seed))
    shortest, longest = transforms.STRAY_LENGTH
    thinnest, thickest = transforms.STRAY_WIDTH
    round_end = math.pi * thickest**2 / 4
    assert thinnest * shortest * 0.9 < ink(crossed).min()
    assert ink(crossed).max() < 1.1 * (thickest * longest + round_end)
    assert thinnest * 0.6 < thickness(crossed).min()
    assert thickness(crossed).max() < thickest * 1.3
    leans = slant(crossed)
    assert leans.min() < -0.8
    assert leans.max() > 0.8
    mass = (crossed[:, 0] + 1) / 2
    for axis in (1, 2):
        place = (mass.sum(dim=axis) * torch.arange(28.0)).sum(dim=1) / mass.sum(dim=(1, 2)) - 13.5
        assert place.abs().max() < transforms.STRAY_REACH + 0.5
        assert place.std() > 2


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_as_many_images_are_crossed_as_were_asked_for(share):
    crossed = add_stray_strokes(blank(2000), share, seeded()).amax(dim=(1, 2, 3)) > 0
    assert float(crossed.float().mean()) == pytest.approx(share, abs=0.04 * (0 < share < 1))


def test_a_stray_stroke_hides_what_lies_under_it_and_passes_gradients_elsewhere():
    grey = torch.full((1, 1, 28, 28), -0.2, requires_grad=True)
    crossed = add_stray_strokes(grey, 1.0, seeded())
    crossed.sum().backward()
    under, beside = crossed > 0.9, crossed == -0.2
    assert under.sum() > 5
    assert (under | beside).float().mean() > 0.95
    assert (grey.grad[under] == 0).all()
    assert (grey.grad[beside] == 1).all()


def test_strokes_fit_pictures_of_any_shape_and_refuse_the_rest():
    assert add_stray_strokes(torch.zeros(3, 2, 8, 40), 0.5).shape == (3, 2, 8, 40)
    with pytest.raises(ValueError, match=r"images must be floats of shape .*got \(5, 2\)"):
        add_stray_strokes(torch.zeros(5, 2), 0.5)
    for share in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="share must lie in"):
            add_stray_strokes(blank(1), share)


def test_half_of_the_copies_are_crossed_but_none_that_keeps_its_lean():
    """A stroke has a lean of its own, and c2 is read from those copies."""
    config, _, fake, real = a_pair(CodeSpec(), restyle=1.0, agreement=1.0, keep=("stroke", "lean"))
    fake, real = (torch.full_like(x, -1.0) for x in (fake, real))
    for share, low, high in ((0.0, 0, 0), (0.5, 5, 19), (1.0, 24, 24)):
        copies = training._copies(fake, real, replace(config, stray_strokes=share), seeded())
        crossed = copies.amax(dim=(1, 2, 3)) > 0
        assert crossed[1:16:2].sum() == 0
        assert low <= crossed.sum() <= high


def test_each_image_may_have_a_chance_of_its_own():
    crossed = add_stray_strokes(blank(40), torch.tensor([0.0, 1.0] * 20), seeded()).amax(dim=(1, 2, 3)) > 0
    assert crossed.tolist() == [False, True] * 20
    with pytest.raises(ValueError, match="share must lie in"):
        add_stray_strokes(blank(3), torch.tensor([0.0, 1.0]))
