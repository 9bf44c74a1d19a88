"""Scores of anomalies: each has the value that it should by hand or by a library, and points the right way."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.neighbors import KernelDensity
from torch import nn

from infogan_helpers.applications import anomalies
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import ImageData
from infogan_helpers.networks import DiscriminatorQ
from infogan_helpers.posteriors import Posterior

DENSITIES = (
    anomalies.gaussian,
    anomalies.probabilistic_pca,
    anomalies.nearest_normal,
    anomalies.one_class_svm,
    anomalies.kernel_density,
)


class Reader(nn.Module):
    """D and Q that read their answers off the picture: a logit, two means, two log-variances, three classes' logits."""

    def __init__(self):
        super().__init__()
        self.modes = []

    def forward(self, images):
        self.modes.append(self.training)
        pixels = images.flatten(1)
        return pixels[:, 0], Posterior((pixels[:, 5:8],), pixels[:, 1:3], pixels[:, 3:5])


def pictures(n=6, seed=0):
    return torch.rand(n, 1, 3, 3, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def normal_features(n=400, columns=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, columns)) @ np.array([[1.0, 0.5, 0], [0, 1.2, 0.3], [0, 0, 0.8]])


def test_auroc_counts_pairs_and_halves_of_ties():
    assert anomalies.auroc([0.0, 1.0], torch.tensor([1.0, 2.0])) == 3.5 / 4
    assert anomalies.auroc([-0.0, -1.0], [-1.0, -2.0]) == 0.5 / 4
    assert anomalies.auroc([1, 2, 3], [1, 2, 3]) == 0.5


@pytest.mark.parametrize(
    ("normal", "anomalous", "named"),
    [
        ([], [1.0], "normal"),
        ([1.0], [math.nan], "anomalous"),
        ([[1.0]], [1.0], "normal"),
        ([1.0], math.inf, "anomalous"),
    ],
)
def test_auroc_refuses_what_is_no_list_of_scores(normal, anomalous, named):
    with pytest.raises(ValueError, match=rf"^{named} must (be finite numbers of|have) shape \(n,\)"):
        anomalies.auroc(normal, anomalous)


def test_one_class_and_all_but_one_are_separated_by_label():
    data = ImageData(torch.arange(6, dtype=torch.uint8).reshape(6, 1, 1, 1), torch.tensor([0, 1, 2, 1, 0, 2]), "six")
    normal, anomalous = anomalies.separate(data, [1])
    assert normal.flatten().tolist() == [1, 3]
    assert anomalous.flatten().tolist() == [0, 2, 4, 5]
    assert anomalies.separate(data, [0, 2]).anomalous.flatten().tolist() == [1, 3]
    for digits in ([], [0, 1, 2], [7]):
        with pytest.raises(ValueError, match=r"^digits must leave normal and anomalous images"):
            anomalies.separate(data, digits)


def test_class_entropy_is_that_of_the_softmax():
    x = pictures()
    p = x.flatten(1)[:, 5:8].double().softmax(1)
    assert anomalies.class_entropy(Reader(), x) == pytest.approx(-(p * p.log()).sum(1).numpy(), abs=1e-5)
    even, sure = torch.zeros(1, 1, 3, 3), torch.zeros(1, 1, 3, 3)
    sure[0, 0, 2, 0] = 50.0
    assert anomalies.class_entropy(Reader(), even) == pytest.approx(math.log(3))
    assert anomalies.class_entropy(Reader(), sure) == pytest.approx(0, abs=1e-6)


def test_value_entropy_is_minus_the_mean_log_likelihood_of_codes_drawn_from_the_answer():
    x = pictures()
    log_variance = x.flatten(1)[:, 3:5].double()
    by_hand = (0.5 * (math.log(2 * math.pi * math.e) + log_variance)).sum(1)
    assert anomalies.value_entropy(Reader(), x) == pytest.approx(by_hand.numpy(), abs=1e-5)
    mean, deviation = x.flatten(1)[0, 1:3].double(), (0.5 * log_variance[0]).exp()
    drawn = mean + deviation * torch.randn(100_000, 2, generator=torch.Generator().manual_seed(1))
    density = multivariate_normal(mean.numpy(), np.diag(deviation.numpy() ** 2))
    assert anomalies.value_entropy(Reader(), x)[0] == pytest.approx(-density.logpdf(drawn.numpy()).mean(), abs=0.02)


def test_redrawn_surprise_is_minus_the_log_density_of_the_second_reading_under_the_first():
    x, redrawn = pictures(), pictures(seed=1)
    scores = anomalies.redrawn_surprise(Reader(), x, redrawn)
    for i, (first, second) in enumerate(zip(x.flatten(1).numpy(), redrawn.flatten(1).numpy(), strict=True)):
        density = multivariate_normal(first[1:3], np.diag(np.exp(first[3:5])))
        assert scores[i] == pytest.approx(-density.logpdf(second[1:3]), abs=1e-4)
    assert (anomalies.redrawn_surprise(Reader(), x, x) <= scores).all()


def test_fakeness_is_minus_the_logit_in_eval_mode_whatever_the_batch():
    reader, x = Reader().train(), pictures()
    scores = anomalies.fakeness(reader, x, batch_size=4)
    assert np.array_equal(scores, -x.flatten(1)[:, 0].numpy())
    assert reader.modes == [False, False]
    assert reader.training


def test_map_features_are_the_trunks_before_its_fully_connected_layers():
    network = DiscriminatorQ(CodeSpec(), width=0.05).train()
    x = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    maps = anomalies.map_features(network, x, batch_size=2)
    assert maps.shape == (5, 6 * 7 * 7)
    assert network.training
    network.eval()
    with torch.no_grad():
        rest = network.trunk[-3:](torch.from_numpy(maps))
        assert torch.allclose(rest, network.trunk(x), atol=1e-5)


class Encoder(nn.Module):
    """Two latents, read off the first pixels."""

    def forward(self, images):
        return images.flatten(1)[:, :2], images.flatten(1)[:, 2:4]


class Decoder(nn.Module):
    """Pictures whose ink depends on the first latent."""

    def forward(self, z):
        return torch.tanh(z[:, :1]).reshape(-1, 1, 1, 1).expand(-1, 1, 3, 3)


def test_negative_elbo_is_distortion_plus_rate():
    x = pictures()
    mean, log_variance = (part.double() for part in Encoder()(x))
    rate = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
    ink = (x.flatten(1).double() + 1) / 2
    z = mean[:, :1] + (0.5 * log_variance[:, :1]).exp() * torch.randn(
        6, 4000, generator=torch.Generator().manual_seed(3)
    )
    black = (torch.tanh(z) + 1) / 2  # (6, 4000): each draw's probability of ink, the same in all pixels
    inked = ink.sum(1, keepdim=True)
    distortion = -(inked * black.log() + (9 - inked) * (1 - black).log()).mean(1)
    scores = anomalies.negative_elbo(Encoder(), Decoder(), x, draws=4000)
    assert scores == pytest.approx((distortion + rate).numpy(), rel=0.05)
    few = [anomalies.negative_elbo(Encoder(), Decoder(), x, draws=2, seed=seed) for seed in (5, 5, 6)]
    assert np.array_equal(few[0], few[1])
    assert not np.array_equal(few[0], few[2])
    with pytest.raises(ValueError, match=r"^draws must be an integer of at least 1, got 0"):
        anomalies.negative_elbo(Encoder(), Decoder(), x, draws=0)


def test_gaussian_is_the_mahalanobis_distance():
    normal, asked = normal_features(), normal_features(20, seed=1)
    centred = asked - normal.mean(axis=0)
    by_hand = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(np.cov(normal.T)), centred)
    assert anomalies.gaussian(normal)(asked) == pytest.approx(by_hand)


def test_probabilistic_pca_has_one_variance_outside_its_components():
    rng, scales = np.random.default_rng(0), np.array([9.0, 4.0, 0.4, 0.2, 0.1])
    turned = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    normal, asked = (rng.normal(size=(n, 5)) * scales @ turned for n in (300, 20))
    variances, directions = np.linalg.eigh(np.cov(normal.T))  # ascending: the first two components hold 95 %
    variances[:3] = variances[:3].mean()
    density = multivariate_normal(normal.mean(axis=0), directions * variances @ directions.T)
    assert anomalies.probabilistic_pca(normal)(asked) == pytest.approx(-density.logpdf(asked))
    along = (asked - normal.mean(axis=0)) @ directions[:, 3:]
    assert anomalies.gaussian(normal)(asked) == pytest.approx((along**2 / variances[3:]).sum(axis=1))


def test_a_density_per_class_scores_by_the_class_that_knows_a_picture_best():
    first, second = normal_features(60), normal_features(80, seed=1) + 9
    few = normal_features(anomalies.FEWEST - 1, seed=2) - 9
    classes = torch.tensor([4] * 60 + [2] * 80 + [7] * len(few))
    score = anomalies.by_class(anomalies.gaussian, np.concatenate([first, second, few]), classes)
    asked = normal_features(20, seed=3)
    assert score(asked) == pytest.approx(anomalies.gaussian(first)(asked))
    assert score(asked + 9) == pytest.approx(anomalies.gaussian(second)(asked + 9))
    assert score(asked - 9).min() > 50
    with pytest.raises(ValueError, match=r"^classes must hold 50 pictures in one class at least, got 1"):
        anomalies.by_class(anomalies.gaussian, first, range(60))


def test_nearest_normal_is_the_distance_to_the_nearest():
    score = anomalies.nearest_normal(np.array([[0.0, 0.0], [3.0, 0.0]]))
    assert score(np.array([[0.0, 2.0], [3.0, 0.5], [1.0, 0.0]])) == pytest.approx([2, 0.5, 1])


def test_kernel_density_is_that_of_the_bandwidth_which_makes_held_out_pictures_likeliest():
    normal, asked = normal_features(), normal_features(20, seed=1)
    is_held_out = np.arange(len(normal)) % 10 == 0

    def log_density(bandwidth, points):
        return KernelDensity(bandwidth=bandwidth).fit(normal[~is_held_out]).score_samples(points)

    held_out = {h: log_density(h, normal[is_held_out]).sum() for h in anomalies.BANDWIDTHS}
    best = max(held_out, key=held_out.get)
    assert anomalies.BANDWIDTHS[0] < best < anomalies.BANDWIDTHS[-1]
    assert anomalies.kernel_density(normal)(asked) == pytest.approx(-log_density(best, asked))


def test_one_class_svm_leaves_a_tenth_of_the_normal_pictures_outside():
    normal = normal_features()
    assert (anomalies.one_class_svm(normal)(normal) > 0).mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("fit", DENSITIES, ids=lambda fit: fit.__name__)
def test_what_lies_far_away_scores_higher_each_picture_by_itself(fit):
    score, asked = fit(normal_features()), normal_features(50, seed=1)
    assert anomalies.auroc(score(asked), score(asked + 8)) > 0.99
    assert score(asked[:3]) == pytest.approx(score(asked)[:3])


def test_pictures_and_what_belongs_to_them_are_as_many():
    torch.manual_seed(0)
    network, images = DiscriminatorQ(CodeSpec((), 2, 4), width=0.1), torch.zeros(3, 1, 28, 28)
    with pytest.raises(ValueError, match=r"^redrawn must be as many as images, 3, got 1"):
        anomalies.redrawn_surprise(network, images, images[:1])
    with pytest.raises(ValueError, match=r"^classes must be one for each of 60 pictures, got 59"):
        anomalies.by_class(anomalies.gaussian, normal_features(60), [0] * 59)
    with pytest.raises(ValueError, match=r"^discriminator_q must read a categorical code, .*, got none"):
        anomalies.class_entropy(network, images)
