"""What stands above a function is asked of its arguments; wrong results in silence, each refused."""

import math

import numpy as np
import pytest
import torch

from infogan_helpers import arguments, disentanglement, evaluation, pictures, quality
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.data import ImageData, as_model_range, mnist_sample, to_uint8
from infogan_helpers.losses import code_recovery
from infogan_helpers.methods import digits, infogan
from infogan_helpers.networks import MLPDiscriminatorQ, MLPGenerator
from infogan_helpers.posteriors import Posterior

SPEC = CodeSpec((3,), 2, 4)
NAN = math.nan


@arguments.takes(n=arguments.at_least(1), x=arguments.floats("n, 2"))
def scaled(n, x, *, by=2.0):
    """Documented."""
    return n * by * x


def test_arguments_are_checked_by_position_and_by_name_and_defaults_are_not():
    x = torch.ones(3, 2)
    assert torch.equal(scaled(2, x), 4 * x)
    assert torch.equal(scaled(x=x, n=2, by=1.0), 2 * x)
    for call in (lambda: scaled(0, x), lambda: scaled(n=0, x=x)):
        with pytest.raises(ValueError, match=r"^n must be an integer of at least 1, got 0$"):
            call()
    with pytest.raises(ValueError, match=r"^x must have shape \(n, 2\), got \(3, 3\)$"):
        scaled(1, torch.ones(3, 3))
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        scaled(1)
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3"):
        scaled(1, x, 3)
    assert scaled.__doc__ == "Documented."
    assert scaled.__name__ == "scaled"


def test_a_validator_of_no_parameter_is_a_mistake():
    with pytest.raises(ValueError, match=r"^validators must be of parameters of <lambda>, got \['y'\]$"):
        arguments.takes(y=arguments.BOOLEAN)(lambda x: x)


def test_what_was_meant_is_converted_and_gradients_stay_where_a_step_needs_them():
    x = arguments.floats()("x", np.ones((2, 2), dtype=np.float32))
    assert x.dtype == torch.float32
    assert arguments.floats()("x", [[1.5, 2]]).dtype == torch.float32
    leaf = torch.ones(2, requires_grad=True)
    assert arguments.floats()("x", leaf) is leaf
    picture = torch.ones(1, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    seen = arguments.images()("images", picture)
    assert seen.dtype == torch.float32
    assert not seen.requires_grad
    assert arguments.integers()("labels", [1, 2]).dtype == torch.int64
    assert arguments.numbers()("x", torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        ("a" * 99, "'" + "a" * 59 + "…"),
        (torch.zeros(2, 3, dtype=torch.long), "torch.int64 of shape (2, 3)"),
        (np.array(["a"]), "an array of <U1 of shape (1,)"),
        (int, "the class int"),
        (object(), "a object"),
    ],
)
def test_what_came_is_told_in_a_few_words(value, words):
    assert arguments.told(value) == words


def test_a_device_that_is_not_there_is_refused():
    assert arguments.device("device", "cpu") == torch.device("cpu")
    for bad in ("text", 3, None, *(() if torch.cuda.is_available() else ("cuda",))):
        with pytest.raises(ValueError, match=r"^device must be a device that is there, 'cpu'"):
            arguments.device("device", bad)


def test_a_configuration_of_another_method_is_refused_and_nothing_stands_for_the_defaults_but_none():
    assert arguments.configured(None, digits.Config) == digits.Config()
    for bad in (0, {}, infogan.Config()):
        with pytest.raises(ValueError, match=r"^config must be a digits\.Config, got "):
            arguments.configured(bad, digits.Config)


def test_mnists_sample_has_no_part_of_that_name():
    with pytest.raises(ValueError, match=r"^train must be True or False, got 'test'$"):
        mnist_sample("test")


def test_no_class_is_cut_from_a_number_and_no_code_is_infinite():
    for call, message in (
        (lambda: SPEC.codes_at([1.9], [0.0, 0.0]), r"^categorical\[0\] must be an integer of at least 0, got 1.9$"),
        (lambda: SPEC.codes_at([1], [math.inf, 0.0]), r"^continuous\[0\] must be a finite number, got inf$"),
        (lambda: SPEC.sample(1).sweep_continuous(0, [math.inf]), r"^values must be a list of numbers, got \[inf\]$"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_one_head_is_not_compared_with_two_columns():
    none = torch.zeros(4, 0)
    two = Codes(none, torch.zeros(4, 2, dtype=torch.long), none)
    with pytest.raises(ValueError, match=r"^posterior\.categorical_logits must have a tensor per column"):
        code_recovery(Posterior((torch.zeros(4, 3),), none, none), two)


def test_integers_are_no_pictures():
    whole = torch.zeros(1, 3, 4, 4, dtype=torch.long)
    for function in (pictures.to_colours, as_model_range, to_uint8):
        with pytest.raises(ValueError, match=r"^images must be (uint8|floats) in .*, got torch.int64"):
            function(whole)


def test_labels_that_are_words_have_no_accuracy():
    with pytest.raises(ValueError, match=r"^labels must be finite numbers, got \['a', 'b'\]$"):
        evaluation.code_accuracy([0, 1], ["a", "b"], [0, 1])


def test_a_code_too_large_to_be_told_apart_is_refused_and_no_information_is_below_nothing():
    factors = np.array([[i % 2, i // 2 % 2] for i in range(40)])
    with pytest.raises(ValueError, match=r"^codes must lie within ±1e\+18, got 1e\+300$"):
        disentanglement.sap_score(1e300 * factors, factors)
    grid = np.array([[i, j] for i in range(3) for j in range(6)])  # whose sum, rounded, is -1.2e-16
    assert disentanglement.mutual_information_matrix(grid[:, :1], grid[:, 1:], bins=3).min() >= 0


@pytest.mark.parametrize("bad", [NAN, math.inf])
def test_a_picture_or_a_network_that_is_not_finite_has_no_score(bad):
    images = torch.zeros(4, 1, 28, 28)
    broken = images.clone()
    broken[0, 0, 0, 0] = bad
    torch.manual_seed(0)
    dq, classifier = MLPDiscriminatorQ(SPEC, width=0.02), quality.DigitClassifier().eval()
    data = ImageData(broken, torch.zeros(4, dtype=torch.long), "")
    for score in (
        lambda: evaluation.read_codes(dq, broken),
        lambda: evaluation.score_codes(dq, data, data),
        lambda: quality.classify(classifier, broken),
        lambda: quality.sharpness(broken),
        lambda: quality.frechet_distance(broken.flatten(1), images.flatten(1)),
        lambda: quality.sure_share(broken.flatten(1)),
    ):
        with pytest.raises(ValueError, match=r" must be (uint8|finite).*, got (nan|inf) among them$"):
            score()


def test_a_weight_that_is_no_number_is_laid_at_the_networks_door():
    torch.manual_seed(0)
    g, dq = MLPGenerator(SPEC, width=0.02), MLPDiscriminatorQ(SPEC, width=0.02)
    for network in (g, dq):
        with torch.no_grad():
            next(network.parameters()).view(-1)[0] = NAN
    with pytest.raises(ValueError, match=r"^generator must draw finite numbers, got nan among them$"):
        evaluation.draw_images(g, SPEC.sample(3))
    with pytest.raises(ValueError, match=r"^discriminator_q must answer finite numbers, got nan among them$"):
        evaluation.read_codes(dq, torch.ones(3, 1, 28, 28))
