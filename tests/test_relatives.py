"""ss-InfoGAN, AC-InfoGAN, InfoGAN-CR: one step beside the page that each is a relative of, gradients, resume."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_runs import Stop, assert_same_state, ctrl_c, same, some_images

from infogan_helpers.codes import CodeSpec
from infogan_helpers.games import GAMES
from infogan_helpers.labels import UNLABELLED
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import ac_infogan, digits, infogan, infogan_cr, ss_infogan
from infogan_helpers.methods.infogan_cr import sample_pairs
from infogan_helpers.methods.players import make_players
from infogan_helpers.schedules import Ramp

SPEC = CodeSpec((3, 2), 1, 4)
SHAPE = (1, 8, 8)
N = 12
SMALL = {"steps": 12, "batch_size": N, "width": 0.1, "sample_every": 5, "checkpoint_every": 5, "seed": 3}
SS = ss_infogan.Config(**SMALL, labelled_batch=6)
AC = ac_infogan.Config(**SMALL)
CR = infogan_cr.Config(**SMALL)
LABELS = torch.arange(30) % 4 - 1  # a quarter of the images has none


def real(n=N):
    return some_images(n, SHAPE).float() / 127.5 - 1


def labelled(n=6):
    return some_images(n, SHAPE, seed=1).float() / 127.5 - 1, torch.arange(n) % 3


def a_step(method, config, batch, spec=SPEC, done=0.0, make=None):
    """``(players before, players after, metrics)``."""
    torch.manual_seed(0)
    players = (make or method.METHOD.make)(spec, SHAPE, config)
    before = copy.deepcopy(players)
    torch.manual_seed(1)
    metrics = method.train_step(players, batch, spec, config, torch.Generator().manual_seed(5), done)
    return before, players, metrics


def moved(before, after, part):
    """Whether any weight of a part of D and Q, or of the generator, is another one."""
    get = (lambda p: p.generator) if part == "generator" else (lambda p: getattr(p.discriminator_q, part))
    return not same(get(before).parameters(), get(after).parameters())


def weights(players, part):
    network = players.generator if part == "generator" else getattr(players.discriminator_q, part)
    return list(network.parameters())


PARTS = ("generator", "trunk", "real_head", "q_head")


def only_differ(first, second, parts):
    """Assert that two runs' weights differ in these parts and in no other."""
    differ = {part for part in PARTS if not same(weights(first, part), weights(second, part))}
    assert differ == set(parts)


# --- ss-InfoGAN


UNASKED = {"consistency": 0.0, "answer_information": 0.0}  # of real images


@pytest.mark.parametrize("done", [0.0, 0.9])
@pytest.mark.parametrize("changes", [{}, UNASKED, {"information_trains_trunk": False}, {"game": "r1", "norm": "none"}])
def test_without_weight_on_labels_a_step_is_the_recipes(changes, done):
    silent, spec = replace(SS, lambda_labels=0.0, **changes), replace(SPEC, circular=1)
    _, ours, _ = a_step(ss_infogan, silent, (real(), *labelled()), spec, done)
    shared = {name: getattr(silent, name) for name in digits.Config.__dataclass_fields__}
    _, theirs, _ = a_step(digits, digits.Config(**shared), real(), spec, done, make=ss_infogan.make)
    only_differ(ours, theirs, ())


def test_labels_teach_q_and_the_trunk_and_neither_g_nor_ds_head():
    runs = [a_step(ss_infogan, replace(SS, lambda_labels=x), (real(), *labelled()))[1] for x in (0.0, 2.0)]
    only_differ(*runs, ("trunk", "q_head"))


def test_gs_weights_on_c1_start_small_and_all_others_as_in_the_recipe():
    players = []
    for method in (ss_infogan, digits):
        torch.manual_seed(0)
        players.append(method.METHOD.make(SPEC, SHAPE, SS))
    ours, theirs = (next(p.generator.parameters()) for p in players)
    torch.testing.assert_close(ours[:, :3], 0.1 * theirs[:, :3])
    assert torch.equal(ours[:, 3:], theirs[:, 3:])


def test_for_a_fifth_of_the_run_nobody_asks_g_for_a_class():
    early, late = ({} for _ in range(2))
    for done, found in ((0.1, early), (0.5, late)):
        for weight in (0.0, 5.0):
            ramp = replace(SS.lambda_categorical, after=weight)
            config = replace(SS, lambda_categorical=ramp, information_trains_trunk=False)
            found[weight] = a_step(ss_infogan, config, (real(), *labelled()), done=done)[1]
    only_differ(early[0.0], early[5.0], ())
    only_differ(late[0.0], late[5.0], ("generator",))


def test_which_label_an_image_has_matters():
    images, labels = labelled()
    runs = [a_step(ss_infogan, SS, (real(), images, y))[1] for y in (labels, labels.flip(0))]
    only_differ(*runs, ("trunk", "q_head"))


def test_a_label_loss_is_the_cross_entropy_of_c1_on_copies():
    torch.manual_seed(0)
    dq = make_players(SPEC, SHAPE, SS).discriminator_q.eval()
    images, labels = labelled()
    still = replace(SS, augment=1e-9, stray_strokes=0.0)
    value = ss_infogan.label_loss(dq, images, labels, still, torch.Generator().manual_seed(0))
    logits = dq(images)[1].categorical_logits[0]
    expected = -F.log_softmax(logits, 1)[torch.arange(6), labels].mean()
    assert value.item() == pytest.approx(expected.item(), abs=1e-4)
    assert value.item() == pytest.approx(np.log(3), abs=0.2)


@pytest.mark.parametrize(("name", "value"), [("lambda_labels", -1), ("labelled_batch", 0)])
def test_ss_config_names_its_fields(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be .* of at least [01], got {value}$"):
        ss_infogan.Config(**{name: value})


# --- AC-InfoGAN


def batch_of(labels):
    return real(), torch.as_tensor(labels)


@pytest.mark.parametrize("changes", [{}, {"information_trains_trunk": True}, {"game": "r1", "norm": "none"}])
def test_an_ac_step_agrees_with_its_losses_written_out(changes, monkeypatch):
    steep = GAMES["r1"]._replace(penalty=lambda dq, real, fake, generator: 10 * dq(real)[0].square().mean())
    monkeypatch.setitem(GAMES, "r1", steep)
    config = replace(AC, lambda_class=0.7, lambda_categorical=0.5, lambda_continuous=0.2, **changes)
    spec = replace(SPEC, circular=1)
    before, after, metrics = a_step(ac_infogan, config, batch_of(LABELS[:N]), spec)
    g, dq = before.generator, before.discriminator_q
    torch.manual_seed(1)
    codes = spec.sample(N, torch.Generator().manual_seed(5))
    images, labels = batch_of(LABELS[:N])
    fake = g(codes)
    (real_logit, on_real), (fake_logit, on_fake) = dq(images), dq(fake)
    known = labels != UNLABELLED
    of_real = F.cross_entropy(on_real.categorical_logits[0][known], labels[known])
    of_fake = F.cross_entropy(on_fake.categorical_logits[0], codes.categorical[:, 0])
    of_c2 = F.cross_entropy(on_fake.categorical_logits[1], codes.categorical[:, 1])
    normal = torch.distributions.Normal(on_fake.mean, (0.5 * on_fake.log_variance).exp())
    of_c3 = -normal.log_prob(codes.continuous).mean()
    d_loss = F.softplus(-real_logit).mean() + F.softplus(fake_logit).mean()
    d_loss = d_loss + GAMES[config.game].penalty(dq, images, fake, None)
    of_c4 = -on_fake.circular[0].log_prob(codes.circular[:, 0]).mean()
    style = 0.5 * of_c2 + 0.2 * (of_c3 + of_c4)
    wanted = {
        "generator": F.softplus(-fake_logit).mean() + 0.7 * of_fake + style,
        "trunk": d_loss + 0.7 * (of_real + of_fake) + style * config.information_trains_trunk,
        "real_head": d_loss,
        "q_head": of_real + of_fake + of_c2 + of_c3 + of_c4,
    }
    for part, loss in wanted.items():
        old, new = weights(before, part), weights(after, part)
        gradients = torch.autograd.grad(loss, old, retain_graph=True)
        for p, q, gradient in zip(old, new, gradients, strict=True):
            clear = gradient.abs() > 1e-5  # Adam's first step is the rate times the gradient's sign
            rate = config.learning_rate_g if part == "generator" else config.learning_rate_d
            torch.testing.assert_close((p - q)[clear], rate * gradient.sign()[clear], rtol=0.05, atol=1e-6)
    assert metrics.d_loss.item() == pytest.approx(d_loss.item(), abs=1e-5)


def test_real_labels_teach_q_and_the_trunk_and_neither_g_nor_ds_head():
    runs = [a_step(ac_infogan, AC, batch_of(y))[1] for y in (LABELS[:N], (LABELS[:N] + 1) % 3)]
    only_differ(*runs, ("trunk", "q_head"))


def test_a_batch_without_labels_is_read_all_the_same():
    *_, metrics = a_step(ac_infogan, AC, batch_of(torch.full((N,), UNLABELLED)))
    assert all(torch.isfinite(value) for value in metrics)
    posterior = make_players(SPEC, SHAPE, AC).discriminator_q(real())[1]
    assert ac_infogan.label_loss(posterior, torch.full((N,), UNLABELLED)).item() == 0
    one = torch.full((N,), UNLABELLED)
    one[2] = 1
    expected = -posterior.categorical_logits[0].log_softmax(1)[2, 1].item()
    assert ac_infogan.label_loss(posterior, one).item() == pytest.approx(expected, rel=1e-5)


def test_the_weight_of_the_class_reaches_g_and_the_trunk():
    runs = [a_step(ac_infogan, replace(AC, lambda_class=x), batch_of(LABELS[:N]))[1] for x in (0.0, 3.0)]
    only_differ(*runs, ("generator", "trunk"))
    with pytest.raises(ValueError, match=r"^lambda_class must be a number of at least 0, got -1$"):
        ac_infogan.Config(lambda_class=-1)


# --- InfoGAN-CR


@pytest.mark.parametrize("changes", [{}, {"information_trains_trunk": True}, {"game": "r1", "norm": "none"}])
def test_without_contrast_g_d_and_q_are_infogans(changes):
    spec, silent = CodeSpec((3,), 2, 4, circular=1), replace(CR, lambda_contrast=0.0, **changes)
    _, ours, _ = a_step(infogan_cr, silent, real(), spec)
    shared = {name: getattr(silent, name) for name in infogan.Config.__dataclass_fields__}
    _, theirs, _ = a_step(infogan, infogan.Config(**shared), real(), spec)
    only_differ(ours, theirs, ())


def test_contrast_moves_g_and_the_head_and_nothing_of_d_and_q():
    (before, *silent), (_, *loud) = (a_step(infogan_cr, replace(CR, lambda_contrast=x), real()) for x in (0.0, 2.0))
    only_differ(silent[0], loud[0], ("generator",))
    assert not same(before.head.parameters(), silent[0].head.parameters())  # it learns whatever the weight
    assert same(silent[0].head.parameters(), loud[0].head.parameters())


def test_a_cr_step_of_g_and_the_head_agrees_with_its_losses_written_out():
    config = replace(CR, lambda_contrast=0.7, lambda_categorical=0.5, lambda_continuous=0.2)
    before, after, _ = a_step(infogan_cr, config, real())
    g, dq, random = before.generator, before.discriminator_q, torch.Generator().manual_seed(5)
    torch.manual_seed(1)
    codes = SPEC.sample(N, random)
    fake = g(codes)
    first, second, shared = sample_pairs(SPEC, N, random)
    contrast = F.cross_entropy(before.head(torch.cat([g(first), g(second)], dim=1)), shared)
    dq(real())
    fake_logit, posterior = dq(fake)
    bound = lower_bound(posterior, codes, SPEC)
    information = 0.5 * bound.categorical + 0.2 * bound.continuous
    wanted = {"generator": F.softplus(-fake_logit).mean() - information + 0.7 * contrast, "head": contrast}
    for part, loss in wanted.items():
        old, new = (list(getattr(players, part).parameters()) for players in (before, after))
        gradients = torch.autograd.grad(loss, old, retain_graph=True)
        for p, q, gradient in zip(old, new, gradients, strict=True):
            clear = gradient.abs() > 1e-5
            rate = config.learning_rate_g if part == "generator" else config.learning_rate_h
            torch.testing.assert_close((p - q)[clear], rate * gradient.sign()[clear], rtol=0.05, atol=1e-6)


def test_contrast_comes_late():
    early, late = (a_step(infogan_cr, CR, real(), done=x)[1] for x in (0.4, 0.7))
    off = a_step(infogan_cr, replace(CR, lambda_contrast=0.0), real())[1]
    only_differ(early, off, ())
    only_differ(late, off, ("generator",))
    assert Ramp(0.5, 0.6, 0.0, 1.0) == CR.lambda_contrast


def test_g_climbs_with_the_head():
    """One small step of G along its own gradient lowers the head's cross-entropy on the same pairs."""
    torch.manual_seed(0)
    players = infogan_cr.make(SPEC, SHAPE, CR)
    first, second, shared = sample_pairs(SPEC, 64, torch.Generator().manual_seed(0))

    def contrast():
        pairs = torch.cat([players.generator(first), players.generator(second)], dim=1)
        return F.cross_entropy(players.head.eval()(pairs), shared)

    before = contrast()
    before.backward()
    with torch.no_grad():
        for p in players.generator.parameters():
            p -= 1e-3 * p.grad / (p.grad.norm() + 1e-12)
    assert contrast() < before


@pytest.mark.parametrize("spec", [SPEC, CodeSpec((2,), 2, 3, circular=2), CodeSpec((), 2, 0)])
def test_a_pair_shares_its_noise_and_exactly_one_code(spec):
    first, second, shared = sample_pairs(spec, 500, torch.Generator().manual_seed(0))
    assert torch.equal(first.noise, second.noise)
    parts = [torch.cat([c.categorical.float(), c.continuous, c.circular], dim=1) for c in (first, second)]
    equal = parts[0] == parts[1]
    assert torch.equal(equal, F.one_hot(shared, len(spec.names)).bool())
    counts = torch.bincount(shared, minlength=len(spec.names)) / 500
    assert counts.min() > 0.6 / len(spec.names)
    spec.check(second)


def test_other_classes_of_a_pair_are_even():
    spec = CodeSpec((4,), 1, 0)
    first, second, shared = sample_pairs(spec, 6000, torch.Generator().manual_seed(0))
    further = (second.categorical - first.categorical)[shared == 1, 0] % 4
    share = torch.bincount(further, minlength=4)[1:] / len(further)
    torch.testing.assert_close(share, torch.full((3,), 1 / 3), atol=0.04, rtol=0)


def test_one_code_is_too_few_for_a_pair():
    assert infogan_cr.make(CodeSpec((3,), 1, 2), SHAPE, CR).head[-1].out_features == 2
    with pytest.raises(ValueError, match=r"^spec must have at least two codes, of which a pair shares one, got 1$"):
        infogan_cr.fit(some_images(18, SHAPE), CodeSpec((3,), 0, 2), CR, device="cpu", progress=False)


@pytest.mark.parametrize(("name", "value"), [("learning_rate_h", 0), ("lambda_contrast", -1)])
def test_cr_config_names_its_fields(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be .*, got {value}$"):
        infogan_cr.Config(**{name: value})


# --- whole runs


FITS = {
    "ss": (ss_infogan, SS, {"labels": LABELS}),
    "ac": (ac_infogan, AC, {"labels": LABELS}),
    "cr": (infogan_cr, CR, {}),
}


@pytest.mark.parametrize("name", FITS)
def test_a_run_resumes_bit_for_bit(name, tmp_path):
    method, config, labels = FITS[name]
    options = {"device": "cpu", "progress": False, **labels}
    images = some_images(30, SHAPE)
    whole = method.fit(images, SPEC, config, checkpoint=tmp_path / "whole.safetensors", **options)
    file = tmp_path / "run.safetensors"
    part = method.fit(images, SPEC, config, checkpoint=file, callback=Stop(5, ctrl_c), **options)
    assert part.interrupted
    again = method.fit(images, SPEC, config, checkpoint=file, **options)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert same(again.generator.parameters(), whole.generator.parameters())
    assert same(again.discriminator_q.state_dict().values(), whole.discriminator_q.state_dict().values())
    assert not whole.generator.training
    assert not whole.discriminator_q.training


@pytest.mark.parametrize("name", ["ss", "ac"])
def test_a_checkpoint_is_of_its_labels(name, tmp_path):
    method, config, _ = FITS[name]
    options = {"device": "cpu", "progress": False, "checkpoint": tmp_path / "run.safetensors"}
    images = some_images(30, SHAPE)
    method.fit(images, SPEC, config, labels=LABELS, **options)
    with pytest.raises(ValueError, match=r"^checkpoint .* is of another run: images"):
        method.fit(images, SPEC, config, labels=LABELS.roll(1), **options)


@pytest.mark.parametrize("name", ["ss", "ac"])
def test_fit_refuses_bad_labels(name):
    method, config, _ = FITS[name]
    with pytest.raises(ValueError, match=r"^labels must lie in \[0, 3\)"):
        method.fit(some_images(30, SHAPE), SPEC, config, labels=LABELS + 1, device="cpu", progress=False)


def test_a_run_learns_from_the_labels_that_it_is_given():
    """Two kinds of pictures, bright on the left or on the right; a label of each, whichever way round."""
    images = torch.zeros(200, 1, 8, 8, dtype=torch.uint8)
    truth = torch.arange(200) % 2
    images[truth == 0, :, 2:6, 1:4], images[truth == 1, :, 2:6, 4:7] = 255, 255
    spec = CodeSpec((2,), 0, 4)
    config = ss_infogan.Config(steps=60, batch_size=32, labelled_batch=8, width=0.1, seed=0, augment=0.1)
    for told in (truth, 1 - truth):
        labels = torch.full((200,), UNLABELLED)
        labels[:2] = told[:2]
        dq = ss_infogan.fit(images, spec, config, labels=labels, device="cpu", progress=False).discriminator_q
        said = dq(images.float() / 127.5 - 1)[1].categorical_logits[0].argmax(1)
        assert (said == told).float().mean() > 0.9
