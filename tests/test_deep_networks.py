"""The networks of three convolutions, and the mirror: what holds for any weights, by construction."""

import pytest
import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.deep_networks import DeepDiscriminatorQ, DeepGenerator, MirroredDiscriminatorQ
from infogan_helpers.networks import count_parameters

SPEC = CodeSpec((3,), 3, 4, circular=1, odd=2)
SHAPE = (1, 16, 8)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def images_of(n, shape=SHAPE):
    return torch.rand(n, *shape) * 2 - 1


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 8, 16)])
def test_g_makes_images_in_range_and_d_and_q_read_them(shape):
    images = DeepGenerator(SPEC, shape, 0.1)(SPEC.sample(5))
    assert images.shape == (5, *shape)
    assert images.abs().max() <= 1
    assert images.std() > 0
    for reader in (DeepDiscriminatorQ, MirroredDiscriminatorQ):
        logit, posterior = reader(SPEC, shape, 0.1)(images)
        assert logit.shape == (5,)
        assert posterior.mean.shape == posterior.log_variance.shape == (5, 3)
        assert posterior.categorical_logits[0].shape == (5, 3)
        assert posterior.circular[0].direction.shape == (5, 2)


@pytest.mark.parametrize("network", [DeepGenerator, DeepDiscriminatorQ, MirroredDiscriminatorQ])
def test_sides_must_be_divisible_by_eight(network):
    with pytest.raises(ValueError, match=r"^image_shape must be .* divisible by 8, got \(1, 28, 32\)"):
        network(SPEC, (1, 28, 32))


def test_the_reflection_of_a_picture_gets_the_mirrored_answer_exactly():
    reader, images = MirroredDiscriminatorQ(SPEC, SHAPE, 0.2), images_of(6)
    (_, here), (_, there) = reader(images), reader(images.flip(3))
    close = {"rtol": 0, "atol": 1e-5}
    torch.testing.assert_close(there.mean, here.mean * torch.tensor([-1.0, -1.0, 1.0]), **close)
    torch.testing.assert_close(there.log_variance, here.log_variance, **close)
    torch.testing.assert_close(there.categorical_logits[0], here.categorical_logits[0], **close)
    torch.testing.assert_close(there.circular[0].angle, -here.circular[0].angle, **close)
    torch.testing.assert_close(there.circular[0].concentration, here.circular[0].concentration, **close)
    assert here.mean.abs().min() > 1e-5  # and there is something to turn round
    assert here.circular[0].angle.abs().min() > 1e-3


def test_a_picture_that_is_its_own_reflection_has_odd_codes_of_zero_and_angles_of_zero_or_half_a_turn():
    half = images_of(5, (1, 16, 4))
    posterior = MirroredDiscriminatorQ(SPEC, SHAPE, 0.2)(torch.cat([half, half.flip(3)], dim=3))[1]
    assert posterior.mean[:, :2].abs().max() < 1e-6
    assert posterior.mean[:, 2].abs().min() > 1e-3
    assert posterior.circular[0].direction[:, 1].abs().max() < 1e-5


def test_without_the_mirror_nothing_of_this_holds():
    reader, images = DeepDiscriminatorQ(SPEC, SHAPE, 0.2), images_of(6)
    (_, here), (_, there) = reader(images), reader(images.flip(3))
    assert (here.mean[:, :2] + there.mean[:, :2]).abs().max() > 1e-3


def test_the_mirror_adds_no_parameter_and_leaves_d_as_it_was():
    deep, mirrored = DeepDiscriminatorQ(SPEC, SHAPE), MirroredDiscriminatorQ(SPEC, SHAPE)
    assert count_parameters(deep) == count_parameters(mirrored)
    mirrored.load_state_dict(deep.state_dict())
    images = images_of(6)
    torch.testing.assert_close(mirrored(images)[0], deep(images)[0])


def test_first_weights_are_neither_too_small_for_d_nor_too_large_for_g():
    spec = CodeSpec((), 5, 32)
    assert DeepGenerator(spec)(spec.sample(64)).std() < 0.3  # a G that begins at -1 and 1 has no slope
    before = after = images_of(64, (1, 32, 32))
    for layer in DeepDiscriminatorQ(spec).trunk:
        after = layer(after)
    assert 0.3 < after.square().mean() / before.square().mean() < 3


# --- codes that a mirror turns round


def test_there_are_no_more_odd_codes_than_continuous_ones():
    with pytest.raises(ValueError, match=r"^odd must be at most continuous, 2, got 3$"):
        CodeSpec((), 2, 4, odd=3)
    assert CodeSpec((), 2, 4).odd == 0


def test_an_angle_and_its_reflection_agree_where_they_are_the_same_and_nothing_breaks_where_they_cancel():
    reader = MirroredDiscriminatorQ(CodeSpec((), 0, 2, circular=1), SHAPE, 0.1)
    with torch.no_grad():
        reader.q_head.direction.weight.zero_()
        reader.q_head.direction.bias.copy_(torch.tensor([0.0, 1.0]))  # a quarter turn, whatever is seen
    _, posterior = reader(images_of(3))
    assert posterior.circular[0].direction.isfinite().all()
    assert posterior.circular[0].direction.norm(dim=1).max() < 1 + 1e-5
    assert posterior.circular[0].log_prob(torch.zeros(3)).isfinite().all()
