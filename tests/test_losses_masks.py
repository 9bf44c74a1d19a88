"""The bound of codes that are read from some of the images only."""

import math

import pytest
import torch
from test_losses import LN2, SPEC, random_posterior, seeded

from infogan_helpers.losses import lower_bound


def test_a_code_read_from_some_images_counts_those_alone():
    posterior, codes = random_posterior(SPEC, 6), SPEC.sample(6, seeded())
    mask = torch.tensor([[True, False, True, False], [True, True, False, True]] * 3)
    bound = lower_bound(posterior, codes, SPEC, mask)
    gaussian = torch.distributions.Normal(posterior.mean, (0.5 * posterior.log_variance).exp())
    each = gaussian.log_prob(codes.continuous)
    expected = each[::2, 0].mean() + each[1::2, 1].mean() + 2 * LN2
    torch.testing.assert_close(bound.continuous, expected)
    first, second = (torch.distributions.Categorical(logits=logits) for logits in posterior.categorical_logits)
    read = first.log_prob(codes.categorical[:, 0]).mean() + second.log_prob(codes.categorical[:, 1])[1::2].mean()
    torch.testing.assert_close(bound.categorical, read + math.log(3) + math.log(5))
    everywhere = lower_bound(posterior, codes, SPEC, torch.ones(6, 4, dtype=torch.bool))
    torch.testing.assert_close(everywhere, lower_bound(posterior, codes, SPEC))


def test_a_code_has_no_gradient_where_it_is_not_read():
    posterior, codes = random_posterior(SPEC, 4), SPEC.sample(4, seeded())
    mean = posterior.mean.detach().clone().requires_grad_()
    logits = [x.detach().clone().requires_grad_() for x in posterior.categorical_logits]
    mask = torch.tensor([[True, False, True, False], [False, True, False, True]] * 2)
    read = posterior._replace(mean=mean, categorical_logits=tuple(logits))
    lower_bound(read, codes, SPEC, mask).total.backward()
    assert torch.equal(mean.grad != 0, mask[:, 2:])
    assert torch.equal(torch.stack([(x.grad != 0).all(dim=1) for x in logits], dim=1), mask[:, :2])


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(6, 2, dtype=torch.bool), r"read_from must be booleans of shape \(6, 4\), got torch.bool of shape"),
        (torch.ones(6, 4), r"read_from must be booleans of shape \(6, 4\), got torch.float32"),
        (torch.tensor([[True, False, True, True]] * 6), "read_from must mark at least one image for each code"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        lower_bound(random_posterior(SPEC, 6), SPEC.sample(6, seeded()), SPEC, mask)
