"""Generator, and discriminator and Q on one trunk: shapes, sizes, bounds, batches of one."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.codes import CodeSpec
from infogan_helpers.networks import (
    MAX_LOG_VARIANCE,
    MIN_LOG_VARIANCE,
    DiscriminatorQ,
    Generator,
    MLPDiscriminatorQ,
    MLPGenerator,
    bounded_log_variance,
    count_parameters,
    scaled,
)

SPEC = CodeSpec((3, 5), 2, 4)
SPECS = [SPEC, CodeSpec(), CodeSpec((), 3, 4), CodeSpec((4,), 0, 4), CodeSpec((2,), 1, 0, "normal")]
SMALL = (1, 8, 8)
GENERATORS = [Generator, MLPGenerator]
READERS = [DiscriminatorQ, MLPDiscriminatorQ]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def images_of(n, shape=SMALL):
    return torch.rand(n, *shape) * 2 - 1


def paper_networks():
    return Generator(CodeSpec()), DiscriminatorQ(CodeSpec())


# shapes


@pytest.mark.parametrize("network", GENERATORS)
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 8, 12)])
def test_generators_make_images_in_the_models_range(network, spec, shape):
    images = network(spec, shape, width=0.05)(spec.sample(5))
    assert images.shape == (5, *shape)
    assert images.dtype == torch.float32
    assert images.min() >= -1
    assert images.max() <= 1
    assert images.std() > 0


@pytest.mark.parametrize("network", GENERATORS)
def test_generators_reach_both_ends_of_the_range_and_never_pass_them(network):
    generator = network(SPEC, SMALL, width=0.1)
    last = [m for m in generator.modules() if isinstance(m, (nn.Linear, nn.ConvTranspose2d))][-1]
    with torch.no_grad():
        last.weight.mul_(1e4)
    images = generator(SPEC.sample(32))
    assert images.min() == -1
    assert images.max() == 1


@pytest.mark.parametrize("variance", ["learned", "fixed"])
@pytest.mark.parametrize("network", READERS)
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 8, 12)])
def test_readers_return_one_logit_and_a_posterior(network, spec, shape, variance):
    real_logit, posterior = network(spec, shape, width=0.05, variance=variance)(images_of(5, shape))
    assert real_logit.shape == (5,)
    assert isinstance(posterior.categorical_logits, tuple)
    assert [tuple(x.shape) for x in posterior.categorical_logits] == [(5, k) for k in spec.categorical]
    assert posterior.mean.shape == posterior.log_variance.shape == (5, spec.continuous)
    parts = (real_logit, *posterior.categorical_logits, posterior.mean, posterior.log_variance)
    assert {part.dtype for part in parts} == {torch.float32}


def test_mlp_twins_make_and_read_points_in_the_plane():
    generator, reader = MLPGenerator(SPEC, (2,), 0.05), MLPDiscriminatorQ(SPEC, (2,), 0.05)
    points = generator(SPEC.sample(9))
    assert points.shape == (9, 2)
    assert reader(points)[0].shape == (9,)


def test_logits_are_logits():
    reader = DiscriminatorQ(SPEC, SMALL, 0.1)
    with torch.no_grad():
        reader.real_head.bias.fill_(50.0)
        for head in reader.q_head.categorical:
            head.bias.fill_(-50.0)
    real_logit, posterior = reader(images_of(4))
    assert real_logit.mean().item() == pytest.approx(50, abs=5)
    assert posterior.categorical_logits[0].mean().item() == pytest.approx(-50, abs=5)


def test_posteriors_means_are_not_squashed():
    reader = DiscriminatorQ(SPEC, SMALL, 0.1)
    with torch.no_grad():
        reader.q_head.mean.bias.fill_(30.0)
    assert reader(images_of(4))[1].mean.mean().item() == pytest.approx(30, abs=5)


@pytest.mark.parametrize("networks", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_architectures_pair_a_generator_with_its_reader(networks):
    generator, reader = (network(SPEC, SMALL, width=0.05) for network in networks)
    assert reader(generator(SPEC.sample(3)))[0].shape == (3,)


def test_every_code_reaches_the_image():
    generator = Generator(SPEC, SMALL, 0.1).eval()
    codes = SPEC.sample(1)
    image = generator(codes)
    other_class = codes.replace(categorical=(codes.categorical + 1) % torch.tensor([3, 5]))
    for changed in (other_class, codes.replace(continuous=-codes.continuous), codes.replace(noise=-codes.noise)):
        assert not torch.equal(generator(changed), image)


# sizes


def linear(inputs, outputs):
    return inputs * outputs + outputs


def convolution(inputs, outputs):
    return inputs * outputs * 4 * 4 + outputs


def batch_norm(units):
    return 2 * units


def test_width_one_is_the_papers_network():
    generator, reader = paper_networks()
    wanted = (
        linear(74, 1024) + batch_norm(1024)
        + linear(1024, 7 * 7 * 128) + batch_norm(7 * 7 * 128)
        + convolution(128, 64) + batch_norm(64)
        + convolution(64, 1)
    )  # fmt: skip
    assert count_parameters(generator) == wanted == 6_652_481
    trunk = convolution(1, 64) + convolution(64, 128) + batch_norm(128) + linear(7 * 7 * 128, 1024) + batch_norm(1024)
    q_head = linear(1024, 128) + batch_norm(128) + linear(128, 10) + 2 * linear(128, 2)
    assert count_parameters(reader.trunk) == trunk
    assert count_parameters(reader.real_head) == linear(1024, 1)
    assert count_parameters(reader.q_head) == q_head
    assert count_parameters(reader) == trunk + linear(1024, 1) + q_head == 6_692_431
    slopes = {layer.negative_slope for layer in reader.modules() if isinstance(layer, nn.LeakyReLU)}
    assert slopes == {0.1}
    assert not any(isinstance(layer, nn.LeakyReLU) for layer in generator.modules())


def test_papers_network_starts_from_narrow_weights_and_no_biases():
    for network in paper_networks():
        for layer in network.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                spread = 4 * 0.02 / math.sqrt(2 * layer.weight.numel())
                assert layer.weight.std().item() == pytest.approx(0.02, abs=spread)
                assert layer.weight.mean().item() == pytest.approx(0, abs=4 * 0.02 / math.sqrt(layer.weight.numel()))
                assert layer.bias.count_nonzero() == 0
            elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
                assert 0.01 < layer.weight.std().item() < 0.03
                assert layer.bias.count_nonzero() == 0
                assert layer.eps == 1e-5


def test_mlp_twins_have_the_documents_layers():
    generator, reader = MLPGenerator(CodeSpec()), MLPDiscriminatorQ(CodeSpec())
    hidden = [(74, 256), (256, 512), (512, 1024)]
    wanted = sum(linear(a, b) + batch_norm(b) for a, b in hidden) + linear(1024, 784)
    assert count_parameters(generator) == wanted == 1_483_280
    wanted = linear(784, 1024) + linear(1024, 512) + linear(512, 256) + linear(256, 1) + linear(256, 10)
    assert count_parameters(reader) == wanted + 2 * linear(256, 2) == 1_463_823


def test_fixed_variance_has_no_head_for_it():
    learned, fixed = (DiscriminatorQ(SPEC, SMALL, 1.0, variance) for variance in ("learned", "fixed"))
    assert count_parameters(learned) - count_parameters(fixed) == linear(128, 2)


@pytest.mark.parametrize(
    ("units", "width", "expected"),
    [(1024, 1.0, 1024), (1024, 0.25, 256), (128, 0.25, 32), (64, 2, 128), (64, 1e-9, 1), (64, np.float32(0.5), 32)],
)
def test_scaled_units(units, width, expected):
    assert scaled(units, width) == expected


def test_width_scales_every_hidden_layer():
    quarter = DiscriminatorQ(CodeSpec(), width=0.25)
    trunk = convolution(1, 16) + convolution(16, 32) + batch_norm(32) + linear(7 * 7 * 32, 256) + batch_norm(256)
    q_head = linear(256, 32) + batch_norm(32) + linear(32, 10) + 2 * linear(32, 2)
    assert count_parameters(quarter) == trunk + linear(256, 1) + q_head
    wanted = (
        linear(74, 256) + batch_norm(256) + linear(256, 7 * 7 * 32) + batch_norm(7 * 7 * 32)
        + convolution(32, 16) + batch_norm(16) + convolution(16, 1)
    )  # fmt: skip
    assert count_parameters(Generator(CodeSpec(), width=0.25)) == wanted


@pytest.mark.parametrize("network", [*GENERATORS, *READERS])
def test_a_network_remembers_what_it_was_made_for(network):
    made = network(SPEC, [1, np.int64(8), 8], width=0.1)
    assert (made.spec, made.image_shape, made.width) == (SPEC, (1, 8, 8), 0.1)
    assert {type(size) for size in made.image_shape} == {int}


@pytest.mark.parametrize("network", [*GENERATORS, *READERS])
def test_one_seed_gives_the_same_weights(network):
    weights = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        weights.append(torch.cat([p.flatten() for p in network(SPEC, SMALL, width=0.05).parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


# batches of one


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("generator_class", GENERATORS)
@pytest.mark.parametrize("spec", SPECS)
def test_generators_make_one_image(generator_class, spec, training):
    generator = generator_class(spec, (1, 28, 28), width=0.05).train(training)
    image = generator(spec.sample(3)[1])
    assert image.shape == (1, 1, 28, 28)
    assert image.isfinite().all()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("network", READERS)
@pytest.mark.parametrize("spec", SPECS)
def test_readers_read_one_image(network, spec, training):
    real_logit, posterior = network(spec, SMALL, width=0.05).train(training)(images_of(1))
    assert real_logit.shape == (1,)
    assert [tuple(x.shape) for x in posterior.categorical_logits] == [(1, k) for k in spec.categorical]
    assert posterior.mean.shape == posterior.log_variance.shape == (1, spec.continuous)
    assert real_logit.isfinite().all()
    assert posterior.mean.isfinite().all()


def trained_a_little(network, *arguments):
    """With running statistics that are no longer 0 and 1, so that a mix-up shows."""
    made = network(SPEC, SMALL, width=0.1)
    for _ in range(3):
        made(*(SPEC.sample(16) if isinstance(a, CodeSpec) else images_of(16) for a in arguments))
    return made.eval()


@pytest.mark.parametrize("network", GENERATORS)
def test_in_eval_mode_an_image_does_not_depend_on_its_batch(network):
    generator, codes = trained_a_little(network, SPEC), SPEC.sample(8)
    batch = generator(codes)
    for row in (0, 7):
        torch.testing.assert_close(generator(codes[row])[0], batch[row], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("network", READERS)
def test_in_eval_mode_an_opinion_does_not_depend_on_its_batch(network):
    reader, images = trained_a_little(network, None), images_of(8)
    logit, posterior = reader(images)
    one_logit, one = reader(images[3:4])
    torch.testing.assert_close(one_logit[0], logit[3], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(one.mean[0], posterior.mean[3], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(one.log_variance[0], posterior.log_variance[3], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(one.categorical_logits[1][0], posterior.categorical_logits[1][3], rtol=1e-4, atol=1e-6)


def test_in_training_mode_batch_norm_uses_the_batch():
    generator, codes = trained_a_little(Generator, SPEC).train(), SPEC.sample(8)
    assert not torch.allclose(generator(codes)[:4], generator(codes[:4]), atol=1e-5)


def test_a_batch_of_one_trains_and_leaves_the_running_statistics_finite():
    generator, reader = Generator(SPEC, SMALL, 0.1), DiscriminatorQ(SPEC, SMALL, 0.1)
    logit, posterior = reader(generator(SPEC.sample(1)))
    (logit.sum() + posterior.mean.sum()).backward()
    assert generator.fully_connected[0].weight.grad.isfinite().all()
    assert all(buffer.isfinite().all() for net in (generator, reader) for buffer in net.buffers())


def test_dropout_of_the_mlp_acts_in_training_only():
    reader, images = MLPDiscriminatorQ(SPEC, SMALL, 0.2), images_of(4)
    assert not torch.equal(reader(images)[0], reader(images)[0])
    reader.eval()
    assert torch.equal(reader(images)[0], reader(images)[0])


def test_networks_can_be_copied_and_loaded():
    generator, codes = trained_a_little(Generator, SPEC), SPEC.sample(4)
    other = Generator(SPEC, SMALL, 0.1).eval()
    assert not torch.equal(other(codes), generator(codes))
    other.load_state_dict(generator.state_dict())
    assert torch.equal(other(codes), generator(codes))
    assert torch.equal(copy.deepcopy(generator)(codes), generator(codes))


# the variance


@pytest.mark.parametrize("network", READERS)
def test_fixed_variance_is_one(network):
    posterior = network(SPEC, SMALL, width=0.1, variance="fixed")(1e3 * images_of(6))[1]
    assert torch.equal(posterior.log_variance, torch.zeros(6, 2))
    assert not posterior.log_variance.requires_grad
    assert posterior.mean.std() > 0


@pytest.mark.parametrize("network", READERS)
def test_learned_variance_stays_in_its_bounds_whatever_the_images(network):
    reader = network(SPEC, SMALL, width=0.1)
    with torch.no_grad():
        reader.q_head.raw_log_variance.weight.mul_(1e6)
    log_variance = reader(images_of(64))[1].log_variance
    assert log_variance.isfinite().all()
    assert log_variance.min().item() == pytest.approx(MIN_LOG_VARIANCE, abs=1e-3)
    assert log_variance.max().item() == pytest.approx(MAX_LOG_VARIANCE, abs=1e-3)
    assert log_variance.min() >= MIN_LOG_VARIANCE
    assert log_variance.max() <= MAX_LOG_VARIANCE


def test_log_variance_is_bounded_rises_and_keeps_its_gradient():
    raw = torch.linspace(-14, 14, 57, requires_grad=True)
    bounded = bounded_log_variance(raw)
    bounded.sum().backward()
    assert (bounded.diff() > 0).all()
    assert (raw.grad > 0).all()
    assert bounded.min() >= MIN_LOG_VARIANCE
    assert bounded.max() <= MAX_LOG_VARIANCE
    assert bounded[28].item() == pytest.approx(0, abs=1e-5)  # raw 0: the variance starts at 1
    # Every sigma that a code on [-1, 1] needs is within reach.
    assert 2 * math.log(0.05) >= MIN_LOG_VARIANCE


@pytest.mark.parametrize("value", [1e4, 1e30, math.inf])
def test_log_variance_is_finite_for_any_output(value):
    assert bounded_log_variance(torch.tensor([-value, value])).tolist() == [MIN_LOG_VARIANCE, MAX_LOG_VARIANCE]


def test_variance_starts_near_one():
    log_variance = DiscriminatorQ(SPEC, SMALL, 0.25)(images_of(32))[1].log_variance
    assert log_variance.abs().max() < 0.5


def test_bf16_autocast_returns_float32_to_the_losses():
    generator, reader = Generator(SPEC, SMALL, 0.1), DiscriminatorQ(SPEC, SMALL, 0.1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        images = generator(SPEC.sample(4))
        logit, posterior = reader(images)
    parts = (images, logit, *posterior.categorical_logits, posterior.mean, posterior.log_variance)
    assert {part.dtype for part in parts} == {torch.float32}


def test_bf16_autocast_does_not_coarsen_the_log_variance():
    reader = DiscriminatorQ(SPEC, SMALL, 0.1)
    with torch.no_grad():
        reader.q_head.raw_log_variance.weight.zero_()
        reader.q_head.raw_log_variance.bias.fill_(-3.0)  # exact in bf16, its image is not
    with torch.autocast("cpu", dtype=torch.bfloat16):
        log_variance = reader(images_of(2))[1].log_variance
    torch.testing.assert_close(log_variance, bounded_log_variance(torch.full((2, 2), -3.0)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("network", [DiscriminatorQ, MLPDiscriminatorQ])
def test_without_batch_norm_no_answer_depends_on_the_neighbours(network):
    images = images_of(6)
    for norm in ("none", "spectral"):
        reader = network(CodeSpec(), SMALL, width=0.05, norm=norm).train()
        assert not any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in reader.modules())
        for module in reader.modules():
            if isinstance(module, torch.nn.Dropout):
                module.eval()
        with torch.no_grad():
            for _ in range(30):  # of power iteration
                reader(images)
            reader.eval()
            torch.testing.assert_close(reader(images)[0][:2], reader(images[:2])[0])


def test_spectral_norm_bounds_the_trunk_and_ds_head_and_leaves_q_alone():
    reader = DiscriminatorQ(CodeSpec(), SMALL, width=0.05, norm="spectral").train()
    with torch.no_grad():
        for _ in range(200):
            reader(images_of(2))
        for layer in [*reader.trunk, reader.real_head]:
            if hasattr(layer, "weight"):
                assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)
    assert not torch.nn.utils.parametrize.is_parametrized(reader.q_head.mean)
