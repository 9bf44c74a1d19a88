"""Images as bytes, as the networks take them and as ink; and batches of them."""

import numpy as np
import pytest
import torch

from infogan_helpers.data import BatchSampler, to_ink, to_model_range, to_uint8
from infogan_helpers.networks import BatchNorm1d


def test_model_range_maps_black_to_minus_one_and_white_to_one():
    scaled = to_model_range(torch.tensor([0, 51, 255], dtype=torch.uint8))
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled, torch.tensor([-1.0, -0.6, 1.0]))
    assert scaled.min() == -1
    assert scaled.max() == 1


def test_the_way_to_the_models_range_and_back_loses_nothing():
    every = torch.arange(256).to(torch.uint8).reshape(4, 1, 8, 8)
    assert torch.equal(to_uint8(to_model_range(every)), every)
    assert torch.equal(to_uint8(to_model_range(every).double()), every)
    assert torch.equal(to_uint8(to_model_range(every).half()), every)


def test_to_uint8_rounds_and_clips():
    floats = torch.tensor([-1.5, -1.0, 0.0, 0.5 / 127.5 - 1 + 1e-4, 1.4 / 127.5 - 1, 1.0, 2.0, float("inf")])
    assert to_uint8(floats).tolist() == [0, 0, 128, 1, 1, 255, 255, 255]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.int8, torch.bool])
def test_model_range_is_entered_once(dtype):
    with pytest.raises(ValueError, match=rf"^images must be uint8 in \[0, 255\], got {dtype}"):
        to_model_range(torch.zeros(2, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_uint8_is_entered_once(dtype):
    with pytest.raises(ValueError, match=rf"^images must be floats in \[-1, 1\], got {dtype}"):
        to_uint8(torch.zeros(2, dtype=dtype))


def test_ink_is_a_share_between_0_and_1_in_double_precision():
    floats = torch.tensor([-1.2, -1, 0, 1, 1.3], requires_grad=True).reshape(1, 1, 1, 5)
    assert to_ink(floats).tolist() == [[[0, 0, 0.5, 1, 1]]]
    every = torch.arange(256).to(torch.uint8).reshape(4, 1, 8, 8)
    assert to_ink(every).dtype == np.float64
    assert np.array_equal(to_ink(every).ravel(), np.arange(256) / 255)
    np.testing.assert_allclose(to_ink(to_model_range(every)), to_ink(every), atol=1e-7)


def test_what_has_no_ink_is_refused():
    for shape in ((4, 3, 8, 8), (4, 8, 8), (8, 8)):
        with pytest.raises(ValueError, match=r"^images must have shape \(n, 1, height, width\), got "):
            to_ink(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"^images must be uint8 .* or floats in \[-1, 1\], got torch.int64"):
        to_ink(torch.zeros(1, 1, 8, 8, dtype=torch.long))


def test_batch_norm_of_one_row_is_by_the_running_statistics_and_leaves_them_alone():
    norm, row = BatchNorm1d(3), torch.tensor([[1.0, 5.0, -2.0]])
    norm.running_mean.copy_(torch.tensor([0.5, 4.0, 1.0]))
    norm.running_var.copy_(torch.tensor([4.0, 0.25, 9.0]))
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([2.0, 1.0, 1.0]))
        norm.bias.copy_(torch.tensor([0.0, 0.0, 3.0]))
    torch.testing.assert_close(norm.train()(row), torch.tensor([[0.5, 2.0, 2.0]]), rtol=0, atol=1e-4)
    assert norm.running_mean.tolist() == [0.5, 4.0, 1.0]
    assert norm.running_var.tolist() == [4.0, 0.25, 9.0]
    two = norm(torch.cat([row - 1, row + 1]))  # two rows have a variance, of 1
    torch.testing.assert_close(two[1], torch.tensor([2.0, 1.0, 4.0]), rtol=0, atol=1e-4)


# batches


def numbered(n):
    return torch.arange(n).reshape(n, 1, 1)


def sampler(n, batch_size, seed=0):
    return BatchSampler(numbered(n), batch_size, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("n", "batch_size"), [(12, 4), (12, 5), (12, 1), (12, 12), (12, 7)])
def test_an_epoch_takes_each_image_at_most_once_and_only_whole_batches(n, batch_size):
    batches = sampler(n, batch_size)
    for _ in range(3):
        epoch = [batches.next() for _ in range(n // batch_size)]
        assert all(batch.shape == (batch_size, 1, 1) for batch in epoch)
        seen = torch.cat(epoch).flatten().tolist()
        assert len(set(seen)) == len(seen) == n // batch_size * batch_size


def test_an_epoch_of_whole_batches_covers_everything():
    batches = sampler(12, 4)
    epochs = [torch.cat([batches.next() for _ in range(3)]).flatten().tolist() for _ in range(3)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert epochs[0] != list(range(12))


def test_images_that_one_epoch_leaves_out_come_in_another():
    batches = sampler(5, 4)
    assert len(set(torch.cat([batches.next() for _ in range(20)]).flatten().tolist())) == 5


def test_one_seed_gives_the_same_batches_and_leaves_torchs_own_alone():
    state = torch.get_rng_state()
    orders = []
    for seed in (0, 0, 1):
        batches = sampler(50, 10, seed)
        orders.append(torch.cat([batches.next() for _ in range(8)]).flatten().tolist())
    assert orders[0] == orders[1] != orders[2]
    assert torch.equal(torch.get_rng_state(), state)


def test_batches_are_copies():
    images = numbered(6).clone()
    BatchSampler(images, 6, torch.Generator()).next().zero_()
    assert torch.equal(images, numbered(6))


def test_batches_keep_the_images_type_and_shape():
    images = torch.zeros(9, 1, 28, 28, dtype=torch.uint8)
    batch = BatchSampler(images, np.int64(4), torch.Generator()).next()
    assert (batch.shape, batch.dtype) == ((4, 1, 28, 28), torch.uint8)


@pytest.mark.parametrize("batch_size", [0, -1, 13, 4.0, "4", None, True])
def test_batch_sizes_that_do_not_fit_are_refused(batch_size):
    with pytest.raises(ValueError, match=r"^batch_size must be an integer in \[1, 12\], the number of images, got "):
        sampler(12, batch_size)
