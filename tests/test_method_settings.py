"""What each method does where nobody says otherwise, and how far each setting goes.

Figures in notebooks, on cards and in the README were measured with these defaults: whoever changes one measures anew.
"""

import importlib
import inspect
import pkgutil
from dataclasses import MISSING, FrozenInstanceError, fields

import pytest

from infogan_helpers import methods
from infogan_helpers.methods.autoencoders import AutoencoderConfig
from infogan_helpers.methods.players import PlayersConfig
from infogan_helpers.schedules import Ramp
from infogan_helpers.training import RunConfig

FITTING = {
    name: module
    for name in (info.name for info in pkgutil.iter_modules(methods.__path__))
    if hasattr(module := importlib.import_module(f"{methods.__name__}.{name}"), "fit")
}
UNDER_R1 = {"game": "r1", "norm": "none", "width": 1.0}
RATES_OF_1E3 = {"learning_rate_g": 1e-3, "learning_rate_d": 1e-3, "learning_rate_q": 1e-3}
FALLING = Ramp(0.5, 1.0, 1.0, 0.02)  # learning rates
OWN = {  # what each configuration sets anew
    RunConfig: {"steps": 4000, "batch_size": 128, "seed": 0, "sample_every": 500, "checkpoint_every": 500},
    PlayersConfig: {
        "learning_rate_g": 5e-4, "learning_rate_d": 5e-4, "learning_rate_q": 5e-4, "betas": (0.5, 0.999),
        "game": "standard", "architecture": "conv", "norm": "batch", "width": 0.25, "variance": "learned",
    },
    AutoencoderConfig: {
        "batch_size": 64, "latents": 10, "learning_rate": 1e-3, "betas": (0.9, 0.999), "architecture": "conv",
        "norm": "batch", "width": 0.25,
    },
    "infogan": {"lambda_categorical": 1.0, "lambda_continuous": 0.1, "information_trains_trunk": False},
    "digits": RATES_OF_1E3 | {
        "steps": 3000, "learning_rate_factor": FALLING, "lambda_categorical": Ramp(0.0875, 0.2, 0.1, 1.0),
        "lambda_continuous": Ramp(0.25, 0.375, 0.0, 0.5), "information_trains_trunk": True, "augment": 1.0,
        "keep": ("lean", "stroke"), "stray_strokes": 0.5, "consistency": Ramp(0.0, 0.15, 0.0, 3.0),
        "answer_information": Ramp(0.0, 0.15, 0.0, 3.0), "class_balance": Ramp(0.25, 0.5, 4.0, 1.0),
        "instance_noise": Ramp(0.0, 0.5, 0.3, 0.0), "code_gain": 3.0, "restarts": 4,
    },
    "ac_infogan": {"learning_rate_g": 1e-3, "lambda_class": 1.0},
    "ss_infogan": {
        "steps": 1500, "lambda_categorical": Ramp(0.2, 0.3, 0.0, 0.2), "consistency": Ramp(0.2, 0.35, 0.0, 3.0),
        "answer_information": Ramp(0.2, 0.35, 0.0, 3.0), "restarts": 0, "lambda_labels": 1.0, "labelled_batch": 32,
    },
    "infogan_cr": {"learning_rate_h": 5e-4, "lambda_contrast": Ramp(0.5, 0.6, 0.0, 1.0)},
    "control_infogan": {"lambda_categorical": 0.0, "set_point": 2.0, "proportional": 0.1, "gain": 0.01},
    "instance_noise": {
        "noise": Ramp(0.0, 0.8, 0.5, 0.0), "learning_rate_factor": 1.0, "lambda_information": 1.0,
    },
    "noise_last": UNDER_R1 | RATES_OF_1E3 | {
        "steps": 6000, "batch_size": 32, "betas": (0.0, 0.99), "architecture": "mirrored",
        "learning_rate_factor": FALLING, "lambda_information": 0.2, "noise": Ramp(0.0, 0.9, 0.0, 1.0),
    },
    "progressive": UNDER_R1 | {"architecture": "growing", "grown": Ramp(0.1, 0.6, 0.0, 2)},
    "variational": {"family": "mixture"},
    "vae": {"beta": 1.0, "capacity": 0.0},
    "beta_tcvae": {"beta": 6.0},
    "factor_vae": {"gamma": 10.0, "learning_rate_critic": 1e-4, "critic_units": 256, "critic_layers": 5},
    "control_vae": {
        "set_point": Ramp(0.0, 0.6, 0.5, 18.0), "proportional": 0.01, "gain": 0.001, "least_beta": 1.0,
    },
}  # fmt: skip
COUNTS = "steps batch_size sample_every checkpoint_every latents critic_units critic_layers labelled_batch"
SIZES = (
    "learning_rate_g learning_rate_d learning_rate_q learning_rate_h learning_rate learning_rate_critic width augment "
    "code_gain"
)
WEIGHTS = (
    "lambda_categorical lambda_continuous lambda_class lambda_labels lambda_contrast lambda_information set_point gain "
    "proportional least_beta beta capacity gamma noise instance_noise consistency answer_information class_balance "
    "stray_strokes learning_rate_factor grown"
)
FROM = {  # the least that a field takes, and what is less than that
    **dict.fromkeys(COUNTS.split(), (1, 0)),
    **dict.fromkeys(SIZES.split(), (1e-9, 0.0)),
    **dict.fromkeys(WEIGHTS.split(), (0.0, -1e-9)),
    "seed": (0, -1),
    "restarts": (0, -1),
}
MOST = {"stray_strokes": (1.0, 1.0 + 1e-9), "grown": (2.0, 2.0 + 1e-9)}
CLASSES = [RunConfig, PlayersConfig, AutoencoderConfig, *(module.Config for module in FITTING.values())]


def told(cls):
    return cls.__module__.rpartition(".")[2]


@pytest.mark.parametrize("cls", CLASSES, ids=told)
def test_defaults_are_those_that_figures_were_measured_with(cls):
    wanted = {}
    for base in reversed(cls.__mro__):
        wanted |= OWN.get(base, OWN.get(told(base), {}) if base.__name__ == "Config" else {})
    assert {field.name: field.default for field in fields(cls)} == wanted
    made = cls()
    with pytest.raises(FrozenInstanceError):
        made.steps = 1
    with pytest.raises(TypeError, match="positional argument"):
        cls(4000)


@pytest.mark.parametrize("cls", CLASSES, ids=told)
def test_every_number_goes_from_its_least_to_its_most(cls):
    names = {field.name for field in fields(cls)}
    asked = {field.name for field in fields(cls) if field.type not in ("str", str)} - {"betas", "keep"}
    assert asked - {"information_trains_trunk"} <= set(FROM)
    for table in (FROM, MOST):
        for name in asked & set(table):
            good, bad = table[name]
            others = {"keep": ()} if name == "batch_size" and "keep" in names else {}
            assert getattr(cls(**{name: good}, **others), name) == good
            with pytest.raises(ValueError, match=rf"^{name} must be"):
                cls(**{name: bad}, **others)


@pytest.mark.parametrize("name", FITTING)
def test_fit_shows_a_bar_and_keeps_nothing_where_nobody_says_otherwise(name):
    parameters = inspect.signature(FITTING[name].fit).parameters
    spoken = ("device", "checkpoint", "callback", "progress")
    assert [parameters[x].default for x in (*spoken, "config")] == [None, None, None, True, None]
    assert {parameters[x].kind for x in spoken} == {inspect.Parameter.KEYWORD_ONLY}
    assert all(
        p.default is inspect.Parameter.empty for p in parameters.values() if p.name in ("images", "spec", "labels")
    )


@pytest.mark.parametrize("name", FITTING)
def test_a_step_begins_a_run_where_nobody_says_how_far_it_is(name):
    parameters = inspect.signature(FITTING[name].train_step).parameters
    assert (parameters["generator"].default, parameters["done"].default) == (None, 0.0)


def test_no_setting_is_left_to_the_caller():
    assert all(field.default is not MISSING for cls in CLASSES for field in fields(cls))
