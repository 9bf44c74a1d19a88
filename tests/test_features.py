"""Features for few labels: features as networks make them; probes that see the labels they are given and no other."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from infogan_helpers.applications import features
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import ImageData, mnist_sample
from infogan_helpers.evaluation import read_codes
from infogan_helpers.networks import DiscriminatorQ


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return DiscriminatorQ(CodeSpec((3,), 2, 4, circular=1), width=0.1)


@pytest.fixture(scope="module")
def images():
    return mnist_sample().images[:25]


def clouds(n, seed=0, classes=3):
    """``n`` points of each class, far apart; coordinates and labels."""
    random = np.random.default_rng(seed)
    labels = np.tile(np.arange(classes), n)
    return 5 * np.eye(classes)[labels] + random.normal(size=(len(labels), classes)), labels


def test_trunk_features_are_what_the_heads_are_given_in_eval_mode(network, images):
    network.train()
    got = features.trunk_features(network, images, batch_size=10)
    assert network.training
    network.eval()
    with torch.no_grad():
        logits, _ = network(images.float() / 127.5 - 1)
        again = network.real_head(torch.from_numpy(got))[:, 0]
    torch.testing.assert_close(again, logits, rtol=1e-4, atol=1e-5)


def test_code_features_are_probabilities_means_and_directions(network, images):
    got, answer = features.code_features(network, images), read_codes(network, images)
    assert got.shape == (25, 3 + 2 + 2)
    np.testing.assert_allclose(got[:, :3], answer.categorical_logits[0].softmax(1), rtol=1e-5)
    np.testing.assert_allclose(got[:, 3:5], answer.mean, rtol=1e-5)
    np.testing.assert_allclose(got[:, 5:], answer.circular[0].direction, rtol=1e-5)


def test_pixels_are_ink_and_floats_are_the_same(images):
    got = features.pixel_features(images)
    np.testing.assert_allclose(got, images.reshape(25, -1).numpy() / 255, rtol=1e-6)
    np.testing.assert_allclose(features.pixel_features(images.float() / 127.5 - 1), got, atol=1e-6)


@pytest.mark.parametrize("learn", [features.linear_probe, features.nearest_neighbour])
def test_a_classifier_reads_clouds_that_lie_apart(learn):
    points, labels = clouds(20)
    others, truth = clouds(50, seed=1)
    assert learn(points, labels).score(others, truth) > 0.95
    assert learn(torch.from_numpy(points), torch.from_numpy(labels)).score(others, truth) > 0.95


def test_the_nearest_neighbour_is_the_nearest():
    near = features.nearest_neighbour([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]], [7, 8, 9])
    assert near.predict([[0.4, 0.0], [0.6, 0.0], [0.0, 1.6]]).tolist() == [7, 8, 9]


def test_the_penalty_is_chosen_by_the_labelled_images_and_relative_to_their_length():
    points, labels = clouds(10)
    length = np.mean(np.sum(points**2, axis=1))
    probe = features.linear_probe(points, labels)
    strengths = probe.param_grid["C"]
    np.testing.assert_allclose(strengths, np.array(features.STRENGTHS) / length)
    scaled = features.linear_probe(1000 * points, labels)
    assert scaled.best_index_ == probe.best_index_
    np.testing.assert_array_equal(scaled.predict(1000 * points), probe.predict(points))
    assert probe.n_splits_ == features.FOLDS
    assert features.linear_probe(*clouds(3)).n_splits_ == 3


def test_the_chosen_penalty_is_the_one_that_cross_validation_prefers():
    random = np.random.default_rng(0)
    points, labels = random.normal(size=(60, 40)), np.arange(60) % 2
    points[:, 0] += 2.0 * labels  # one column of forty says something
    probe = features.linear_probe(points, labels)
    scores = probe.cv_results_["mean_test_score"]
    assert scores.max() > scores.min()
    assert probe.best_params_["C"] == probe.param_grid["C"][int(scores.argmax())]


def test_with_one_image_per_class_the_penalty_is_fixed():
    points, labels = clouds(1)
    probe = features.linear_probe(points, labels)
    assert isinstance(probe, LogisticRegression)
    assert pytest.approx(features.ALONE / np.mean(np.sum(points**2, axis=1))) == probe.C


def digits_of(labels, seed=0):
    """Images whose mean brightness is the label, and a little noise."""
    labels = torch.as_tensor(labels)
    noise = torch.randint(0, 3, (len(labels), 1, 2, 2), generator=torch.Generator().manual_seed(seed))
    return ImageData((labels[:, None, None, None] * 50 + noise).to(torch.uint8), labels, "made up")


def one_hot(images):
    """Features that know the label: classes of brightness."""
    return np.eye(5)[(images.float().mean((1, 2, 3)) / 50).long().numpy()]


def test_few_labels_are_counted_and_only_they_teach():
    train, test = digits_of(torch.arange(200) % 4), digits_of(torch.arange(40) % 4, 1)
    seen = []

    def features_of(images):
        seen.append(len(images))
        return one_hot(images)

    got = features.few_label_scores(features_of, train, test, 5, seed=3)
    assert got == features.FewLabelScores(20, 1.0, 1.0)
    assert seen == [20, 40]


def test_a_wrong_test_label_changes_the_score_and_nothing_else():
    train, test = digits_of(torch.arange(200) % 4), digits_of(torch.arange(40) % 4, 1)
    wrong = test._replace(labels=(test.labels + 1) % 4)
    assert features.few_label_scores(one_hot, train, wrong, 5) == features.FewLabelScores(20, 0.0, 0.0)


def test_the_seed_says_which_images_have_labels():
    train, test = digits_of(torch.arange(200) % 4), digits_of(torch.arange(40) % 4, 1)

    def shuffled(images):  # features that say little, so that it matters which images are kept
        return images.reshape(len(images), -1).numpy() % 50 + 1.0

    scores = {features.few_label_scores(shuffled, train, test, 2, seed).neighbour for seed in range(8)}
    assert len(scores) > 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: features.linear_probe(np.zeros((4, 2)), [0, 0, 1]), r"features must be \(n, units\)"),
        (lambda: features.linear_probe(np.zeros((4, 2)), [0] * 4), "labels must be of at least two classes, got 1"),
        (
            lambda: features.nearest_neighbour(np.zeros(4), [0] * 4),
            r"^features must have shape \(n, units\) with n of at least 1, got \(4,\)",
        ),
        (
            lambda: features.nearest_neighbour(np.zeros((0, 2)), np.zeros(0, int)),
            r"^features must have shape \(n, units\) with n of at least 1, got \(0, 2\)",
        ),
        (
            lambda: features.pixel_features(torch.zeros(0, 1, 2, 2)),
            "images must have shape .* with n of at least 1, got",
        ),
        (
            lambda: features.trunk_features(DiscriminatorQ(CodeSpec(), width=0.1), torch.zeros(0, 1, 28, 28)),
            "images must have shape .* with n of at least 1, got",
        ),
        (
            lambda: features.few_label_scores(one_hot, digits_of([0, 1]), digits_of([0]), 2),
            "per_class must be at most 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
