"""Circular codes: drawn even on the circle, given to G and read by Q as a direction, scored by a von Mises density."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch
from small_runs import QUICK, Stop, assert_same_run, assert_same_state, ctrl_c, some_images, train

from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.checkpoints import load_networks, save_networks
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.evaluation import code_attribute_table, read_codes
from infogan_helpers.losses import Nats, code_log_likelihood, lower_bound
from infogan_helpers.methods import digits, infogan
from infogan_helpers.posteriors import Posterior, VonMises, joined
from infogan_helpers.priors import CONTINUOUS_PRIORS, CategoricalPrior, CircularPrior, wrapped
from infogan_helpers.worlds import Sprites

SPEC = CodeSpec(categorical=(3,), continuous=1, noise=4, circular=2)
ALONE = CodeSpec(categorical=(), continuous=0, noise=4, circular=1)
LN_2PI = math.log(2 * math.pi)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def bell(mean, concentration):
    """A ``VonMises`` at angles, in float64."""
    mean = torch.as_tensor(mean, dtype=torch.float64)
    direction = torch.stack([mean.cos(), mean.sin()], dim=1)
    return VonMises(direction, torch.as_tensor(concentration, dtype=torch.float64).expand(mean.shape))


def circular_only(angles):
    """Codes of ``ALONE`` at these angles."""
    angles = torch.as_tensor(angles)[:, None]
    n = len(angles)
    return Codes(torch.zeros(n, 4), torch.zeros(n, 0, dtype=torch.long), angles.new_zeros(n, 0), angles)


def answer(*circular):
    n = len(circular[0].concentration)
    return Posterior((), torch.zeros(n, 0, dtype=torch.float64), torch.zeros(n, 0, dtype=torch.float64), circular)


# the prior


def test_angles_are_even_on_the_circle_and_a_seed_repeats_them():
    angles = CodeSpec((), 0, 0, circular=2).sample(30_000, seeded()).circular
    assert -math.pi < angles.min()
    assert angles.max() <= np.float32(math.pi)
    for column in angles.T:
        assert (torch.histc(column, 12, -math.pi, math.pi) / 30_000 - 1 / 12).abs().max() < 0.01
        assert torch.exp(1j * column).mean().abs() < 0.02
    assert torch.exp(1j * (angles[:, 0] - angles[:, 1])).mean().abs() < 0.02  # one code knows nothing of the other
    assert torch.equal(SPEC.sample(5, seeded(3)).circular, SPEC.sample(5, seeded(3)).circular)
    assert not torch.equal(SPEC.sample(5, seeded(3)).circular, SPEC.sample(5, seeded(4)).circular)


def test_the_draw_takes_one_end_of_the_circle_and_not_the_other(monkeypatch):
    ends = torch.tensor([0.0, 1 - 2**-24])
    monkeypatch.setattr(torch, "rand", lambda *_, **__: ends)
    assert CircularPrior().sample((2,)).tolist() == pytest.approx([math.pi, -math.pi])
    assert CircularPrior().sample((2,))[1] > -np.float32(math.pi)


def test_circular_codes_are_drawn_last_so_that_the_others_keep_their_bits():
    state, without = seeded(), seeded()
    codes, others = SPEC.sample(6, state), replace(SPEC, circular=0).sample(6, without)
    for part in ("noise", "categorical", "continuous"):
        assert torch.equal(getattr(codes, part), getattr(others, part))
    assert others.circular.shape == (6, 0)
    by_hand = seeded()
    torch.randn(6, 4, generator=by_hand), torch.randint(3, (6, 1), generator=by_hand)
    torch.rand(6, 1, generator=by_hand)
    assert torch.equal(without.get_state(), by_hand.get_state())  # nothing is drawn where there is no circular code


def test_entropies_of_the_priors_are_those_of_scipy():
    assert CategoricalPrior(7).entropy() == pytest.approx(scipy.stats.entropy([1 / 7] * 7))
    assert CONTINUOUS_PRIORS["uniform"].entropies(1)[0] == pytest.approx(scipy.stats.uniform(-1, 2).entropy())
    assert CONTINUOUS_PRIORS["normal"].entropies(1)[0] == pytest.approx(scipy.stats.norm().entropy())
    assert CircularPrior().entropy() == pytest.approx(scipy.stats.uniform(-math.pi, 2 * math.pi).entropy())
    assert SPEC.entropy() == pytest.approx((math.log(3), math.log(2), 2 * LN_2PI))


def test_full_turns_are_taken_off_and_an_angle_in_its_place_keeps_its_bits():
    inside = torch.linspace(-math.pi, math.pi, 1001)[1:]
    assert torch.equal(wrapped(inside), inside)
    assert wrapped(torch.tensor([-math.pi])).item() == pytest.approx(math.pi)
    for turns in (-2, 1, 3):
        torch.testing.assert_close(wrapped(inside[:-1] + 2 * math.pi * turns), inside[:-1], atol=1e-5, rtol=0)


# codes


def test_the_parts_of_a_batch_stay_together():
    codes = SPEC.sample(6, seeded())
    assert torch.equal(codes[[4, 1]].circular, codes.circular[[4, 1]])
    assert codes.to("meta").circular.device.type == "meta"
    new = torch.zeros(6, 2)
    assert codes.replace(circular=new).circular is new
    assert codes.replace(noise=codes.noise).circular is codes.circular
    assert SPEC.names == ("c1", "c2", "c3", "c4")


def test_a_sweep_moves_one_angle_and_holds_the_rest():
    codes = SPEC.sample(2, seeded())
    swept = codes.sweep_circular(1, [0.0, math.pi / 2, 1.5 * math.pi, -math.pi])
    expected = [0, math.pi / 2, -math.pi / 2, math.pi]
    torch.testing.assert_close(swept.circular[:, 1], torch.tensor(2 * expected), atol=1e-6, rtol=0)
    for part in ("noise", "categorical", "continuous"):
        assert torch.equal(getattr(swept, part), getattr(codes, part).repeat_interleave(4, dim=0))
    assert torch.equal(swept.circular[:, 0], codes.circular[:, 0].repeat_interleave(4))


def test_g_is_given_cosine_and_sine_after_the_continuous_codes_and_before_the_noise():
    codes = SPEC.codes_at([2], [0.5], circular=[math.pi / 2, 3 * math.pi])
    torch.testing.assert_close(codes.circular, torch.tensor([[math.pi / 2, math.pi]]))
    encoded = SPEC.encode(codes)
    assert encoded.shape == (1, SPEC.dim) == (1, 3 + 1 + 4 + 4)
    torch.testing.assert_close(encoded[0, :8], torch.tensor([0.0, 0, 1, 0.5, 0, 1, -1, 0]), atol=1e-6, rtol=0)
    assert torch.equal(encoded[:, 8:], codes.noise)
    once_more = codes.replace(circular=codes.circular + 2 * math.pi)
    torch.testing.assert_close(SPEC.encode(once_more), encoded, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CodeSpec(circular=-1), "circular must be an integer of at least 0, got -1"),
        (lambda: CodeSpec(circular=True), "circular must be an integer of at least 0, got True"),
        (lambda: SPEC.codes_at([0], [0.0], circular=[0.0]), "codes.circular must have 2 columns, one per code, got 1"),
        (lambda: SPEC.codes_at([0], [0.0], circular=[0.0, math.nan]), r"circular\[1\] must be a finite number"),
        (lambda: SPEC.sample(2).sweep_circular(2, [0.0]), "index must name one of the 2 circular codes"),
        (lambda: SPEC.sample(2).sweep_circular(0, 1.0), "angles must be a list of numbers, got 1.0"),
        (lambda: SPEC.sample(2).replace(circular=torch.zeros(3, 2)), "circular must have as many rows as noise"),
        (lambda: SPEC.sample(2).replace(circular=torch.zeros(2, 2).long()), "circular must hold floats"),
        (lambda: SPEC.sample(2).replace(circular=[0.0]), "circular must be a tensor of .*, got list"),
        (lambda: CodeSpec().encode(SPEC.sample(2)), "codes.categorical must|codes.circular must|codes.continuous must"),
        (
            lambda: answer(bell([0.0], 1.0)).log_prob(SPEC.sample(1)),
            r"posterior.categorical_logits must have one tensor per code \(1\), got 0",
        ),
        (
            lambda: answer(bell([0.0], 1.0), bell([0.0], 1.0)).log_prob(circular_only([0.0])),
            r"posterior.circular must have one VonMises per code \(1\), got 2",
        ),
        (
            lambda: answer(bell([0.0, 1.0], 1.0))._replace(mean=torch.zeros(1, 0), log_variance=torch.zeros(1, 0))
            .log_prob(circular_only([0.0])),
            r"posterior.circular\[0\].direction must have shape \(1, 2\), got \(2, 2\)",
        ),
        (
            lambda: code_factor_table(np.zeros((9, 1)), Sprites().values(np.zeros((9, 5), int)), Sprites(), circular=2),
            "circular must be at most the number of codes, 1, got 2",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=f"^({message})"):
        call()


# what Q says of them


@pytest.mark.parametrize("concentration", [0.01, 1.0, 30.0, 2000.0])
def test_the_likelihood_is_scipys_von_mises(concentration):
    angles, means = np.linspace(-3, 3, 7), np.linspace(3, -2.5, 7)
    expected = scipy.stats.vonmises(concentration, loc=means).logpdf(angles)
    likelihood = code_log_likelihood(answer(bell(means, concentration)), circular_only(angles))
    np.testing.assert_allclose(likelihood.circular, expected, rtol=1e-9, atol=1e-9)
    assert torch.equal(likelihood.total, likelihood.circular)
    assert likelihood.categorical.tolist() == likelihood.continuous.tolist() == [0.0] * 7


def test_the_density_sums_to_one_and_goes_round():
    turn = torch.arange(-math.pi, math.pi, 1e-3, dtype=torch.float64)
    code = bell(torch.full_like(turn, 3.0), 4.0)
    assert code.log_prob(turn).exp().mean().item() * 2 * math.pi == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(code.log_prob(turn + 2 * math.pi), code.log_prob(turn))


def test_a_sure_q_keeps_finite_likelihoods_and_gradients_in_float32():
    concentration = torch.tensor([100.0, math.exp(6)], requires_grad=True)
    code = VonMises(torch.tensor([[1.0, 0.0]] * 2), concentration)
    at_the_mean = code.log_prob(torch.zeros(2))
    torch.testing.assert_close(at_the_mean, 0.5 * torch.log(concentration / (2 * math.pi)), atol=2e-3, rtol=0)
    at_the_mean.sum().backward()
    torch.testing.assert_close(concentration.grad, 0.5 / concentration.detach(), rtol=0.02, atol=0)


def test_mean_and_deviation_are_scipys():
    code = bell([3.0, -1.0, 0.0], [0.5, 4.0, 400.0])
    torch.testing.assert_close(code.angle, torch.tensor([3.0, -1.0, 0.0], dtype=torch.float64))
    for deviation, concentration in zip(code.deviation.tolist(), (0.5, 4.0, 400.0), strict=True):
        draws = scipy.stats.vonmises(concentration).rvs(200_000, random_state=0)
        assert deviation == pytest.approx(scipy.stats.circstd(draws), rel=0.02)


def test_a_q_that_shrugs_reads_nothing_and_the_bound_has_its_ceiling():
    codes = ALONE.sample(2000, seeded())
    angles = codes.circular[:, 0].double()
    assert lower_bound(answer(bell(angles, 1e-9)), codes, ALONE).circular.item() == pytest.approx(0, abs=1e-6)
    assert lower_bound(answer(bell(angles, 1.0)), codes, ALONE).total.item() == pytest.approx(0.764, abs=1e-3)
    assert lower_bound(answer(bell(angles, 50.0)), codes, ALONE).total.item() > 2


def test_the_bound_counts_every_kind_and_each_code_from_its_images():
    codes = SPEC.sample(8, seeded())
    _, dq = networks()
    posterior = dq(torch.rand(8, 1, 8, 8, generator=seeded()) * 2 - 1)[1]
    by_code, bound = posterior.log_prob(codes), lower_bound(posterior, codes, SPEC)
    assert by_code.shape == (8, 4)
    torch.testing.assert_close(bound.circular, by_code[:, 2:].mean(dim=0).sum() + 2 * LN_2PI)
    torch.testing.assert_close(bound.total, by_code.mean(dim=0).sum() + sum(SPEC.entropy()))
    read_from = torch.ones(8, 4, dtype=torch.bool)
    read_from[2:, 3] = False
    partly = lower_bound(posterior, codes, SPEC, read_from)
    expected = by_code[:, 2].mean() + by_code[:2, 3].mean() + 2 * LN_2PI
    torch.testing.assert_close(partly.circular, expected)
    assert Nats(torch.tensor(1.0), torch.tensor(2.0), torch.tensor(4.0)).total.item() == 7


def test_a_q_of_another_family_needs_only_log_prob():
    class Mixture:
        categorical_logits = ()

        def log_prob(self, codes):
            angle = codes.circular[:, 0].double()
            parts = [bell(angle + offset, 9.0).log_prob(angle) for offset in (0.0, 0.4)]
            return torch.logsumexp(torch.stack(parts), dim=0)[:, None] - math.log(2)

    codes = ALONE.sample(4, seeded())
    expected = Mixture().log_prob(codes).mean().item() + LN_2PI
    assert lower_bound(Mixture(), codes, ALONE).circular.item() == pytest.approx(expected)


# networks and runs


def networks(spec=SPEC, architecture="conv", variance="learned"):
    torch.manual_seed(0)
    make_generator, make_discriminator_q = ARCHITECTURES[architecture]
    return make_generator(spec, (1, 8, 8), 0.1), make_discriminator_q(spec, (1, 8, 8), 0.1, variance)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize("variance", ["learned", "fixed"])
def test_q_answers_with_a_direction_and_a_bounded_concentration(architecture, variance):
    _, dq = networks(architecture=architecture, variance=variance)
    posterior = dq(torch.rand(5, 1, 8, 8, generator=seeded()) * 2 - 1)[1]
    assert len(posterior.circular) == 2
    for code in posterior.circular:
        torch.testing.assert_close(code.direction.norm(dim=1), torch.ones(5))
        low, high = (1, 1) if variance == "fixed" else (math.exp(-2), math.exp(6))
        assert ((code.concentration >= low) & (code.concentration <= high)).all()
        assert code.concentration.shape == code.angle.shape == code.deviation.shape == (5,)
    assert torch.equal(posterior.rows([3, 0]).circular[1].direction, posterior.circular[1].direction[[3, 0]])


@pytest.mark.parametrize(("raw", "concentration"), [(-100.0, math.exp(6)), (0.0, 1.0), (100.0, math.exp(-2))])
def test_a_concentration_is_bounded_as_one_over_a_variance_is(raw, concentration):
    _, dq = networks()
    torch.nn.init.zeros_(dq.q_head.raw_spread.weight)
    torch.nn.init.constant_(dq.q_head.raw_spread.bias, raw)
    told = dq(torch.rand(2, 1, 8, 8, generator=seeded()))[1].circular[0].concentration
    torch.testing.assert_close(told, torch.full((2,), concentration))


def test_a_q_without_an_opinion_has_finite_gradients():
    _, dq = networks()
    torch.nn.init.zeros_(dq.q_head.direction.weight)
    posterior = dq(torch.rand(5, 1, 8, 8, generator=seeded()))[1]
    lower_bound(posterior, SPEC.sample(5, seeded()), SPEC).total.backward()
    assert all(torch.isfinite(p.grad).all() for p in dq.q_head.parameters())


def test_the_circular_bound_moves_q_and_the_images_and_never_the_other_heads():
    generator, dq = networks()
    codes = SPEC.sample(6, seeded())
    fake = generator(codes)
    posterior = dq(fake)[1]
    heads = dq.q_head
    lower_bound(posterior, codes, SPEC).circular.backward(
        inputs=[fake, *dq.parameters(), *generator.parameters()], retain_graph=True
    )
    for head in (heads.direction, heads.raw_spread):
        assert head.weight.grad.abs().sum() > 0
    for head in (heads.mean, heads.raw_log_variance, heads.categorical[0], dq.real_head):
        assert head.weight.grad is None or not head.weight.grad.any()
    assert fake.grad.abs().sum() > 0
    first = next(m for m in generator.modules() if isinstance(m, torch.nn.Linear)).weight.grad
    assert (first[:, 4:8].abs().sum(dim=0) > 0).all()  # the columns of cosine and sine


@pytest.mark.parametrize(("method", "config"), [
    (infogan.METHOD, QUICK),
    (digits.METHOD, digits.Config(**{n: getattr(QUICK, n) for n in ("steps", "batch_size", "width", "sample_every",
                                                                    "checkpoint_every", "seed")})),
    (digits.METHOD, digits.Config(keep=(), **{n: getattr(QUICK, n) for n in ("steps", "batch_size", "width",
                                                                             "sample_every", "checkpoint_every")})),
], ids=["infogan", "digits", "digits, nothing kept"])  # fmt: skip
def test_a_run_with_an_angle_goes_on_bit_for_bit(method, config, tmp_path):
    images = some_images(shape=(1, 12, 12))
    spec, file = replace(SPEC, circular=1), tmp_path / "run.safetensors"
    options = {"method": method, "spec": spec, "images": images}
    whole = train(config, checkpoint=tmp_path / "whole.safetensors", **options)
    train(config, checkpoint=file, callback=Stop(5, ctrl_c), **options)
    assert_same_run(train(config, checkpoint=file, **options), whole)
    assert_same_state(file, tmp_path / "whole.safetensors")
    with pytest.raises(ValueError, match="is of another run: spec was"):
        train(config, checkpoint=file, **(options | {"spec": replace(spec, circular=2)}))


@pytest.mark.parametrize(
    ("method", "config"), [(infogan.METHOD, QUICK), (digits.METHOD, digits.Config(steps=3, batch_size=4, width=0.05))]
)
def test_the_history_holds_continuous_and_circular_as_one_and_lambda_weighs_both(method, config):
    options = {"spec": ALONE, "method": method, "images": some_images(shape=(1, 12, 12))}
    recorded = train(replace(config, lambda_continuous=0.0), **options).history
    assert (np.array(recorded.bound_continuous) != 0).all()
    pushed = train(replace(config, lambda_continuous=5.0), **options).history
    assert pushed.bound_continuous[0] == recorded.bound_continuous[0]
    assert pushed.bound_continuous[1:] != recorded.bound_continuous[1:]


def test_networks_come_back_from_disk_with_their_circles(tmp_path):
    generator, dq = networks()
    save_networks(tmp_path / "pair.safetensors", generator, dq)
    there, reader = load_networks(tmp_path / "pair.safetensors")
    assert there.spec == SPEC
    codes = SPEC.sample(3, seeded())
    image = generator.eval()(codes)
    assert torch.equal(there(codes), image)
    assert torch.equal(reader(image)[1].circular[1].direction, dq.eval()(image)[1].circular[1].direction)


def test_a_digits_angle_is_read_from_the_copies_that_keep_its_aspect_or_from_the_fake():
    spec = replace(SPEC, circular=1)
    _, dq = networks(spec)
    fake, real = (torch.rand(6, 1, 8, 8, generator=seeded(seed)) * 2 - 1 for seed in (0, 1))
    on_fake = dq(fake)[1]
    _, read_from, _ = digits.read_copies(dq, fake, real, on_fake, digits.Config(keep=("lean", "stroke")), seeded())
    assert read_from.T.tolist() == [[True] * 6, [True, False] * 3, [False, True] * 3]  # c1, c2 on a line, c3 an angle
    posterior, read_from, _ = digits.read_copies(dq, fake, real, on_fake, digits.Config(keep=()), seeded())
    assert read_from is None
    assert posterior.circular is on_fake.circular
    assert posterior.categorical_logits is not on_fake.categorical_logits


# reading and scoring


def test_reading_many_images_joins_the_answers_in_order():
    _, dq = networks()
    images = torch.rand(7, 1, 8, 8, generator=seeded()) * 2 - 1
    at_once, in_parts = read_codes(dq, images), read_codes(dq, images, batch_size=3)
    for one, two in zip(at_once.circular, in_parts.circular, strict=True):
        torch.testing.assert_close(one.direction, two.direction)
        torch.testing.assert_close(one.concentration, two.concentration)
    again = joined([at_once.rows(slice(0, 2)), at_once.rows(slice(2, None))])
    assert torch.equal(again.circular[0].direction, at_once.circular[0].direction)
    columns = as_columns(at_once)
    assert columns.shape == (7, 4)
    torch.testing.assert_close(columns[:, 3], at_once.circular[1].angle.double())


def test_a_circular_code_follows_a_circular_factor_in_radians():
    world = Sprites()
    factors = world.sample_factors(3000, seeded())
    values = world.values(factors)
    turned = next(factor.name for factor in world.factors if factor.circular)
    plain = next(factor.name for factor in world.factors if factor.unit and not factor.circular)
    angle = wrapped(1 - values[turned].double())  # another zero, the other sense
    other = values[plain].double()
    codes = torch.stack([angle / math.pi, angle, other], dim=1)
    table = code_factor_table(codes, values, world, circular=2)
    assert table.loc["c1", turned] == pytest.approx(1)
    assert table.loc["c2", turned] == pytest.approx(1)
    assert table.loc["c3", plain] == pytest.approx(1)
    assert code_factor_table(codes, values, world).loc["c2", turned] < 0.5  # as a code on [-1, 1] it turns π times


def test_a_circular_code_has_a_row_among_the_measures():
    generator, _ = networks(CodeSpec((3,), 1, 4, circular=1))
    assert list(code_attribute_table(generator, CodeSpec((3,), 1, 4, circular=1), n=30).index) == ["c2", "c3"]
