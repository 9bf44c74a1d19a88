"""What functions do where nobody says otherwise: seeds, bars, sizes. Methods' settings: ``test_method_settings``."""

import inspect

import pytest
from test_bad_input import CALLABLES

from infogan_helpers import interventions

BARS = {  # those that are called by the dozen show none
    "disentanglement.sap_score": False,
    "disentanglement.dci": False,
    "interventions.higgins_score": False,
    "interventions.factor_vae_score": False,
}
SIZES = {
    "applications.fairness.train_classifier": {"steps": 600},
    "applications.inversion.find_codes": {"steps": 100, "learning_rate": 0.1, "batch_size": 500},
    "evaluation.code_attribute_table": {"n": 2000},
    "evaluation.code_attribute_table_by_class": {"n": 2000},
    "disentanglement.mutual_information_gap": {"bins": 20},
    "disentanglement.modularity": {"bins": 20},
    "disentanglement.report": {"bins": 20},
    "interventions.higgins_score": {"n_train": 10_000, "n_test": 5000, "batch_size": 64},
    "interventions.factor_vae_score": {"n_train": 10_000, "n_test": 5000, "batch_size": 64, "n_spread": 10_000},
}


def defaults(name):
    parameters = inspect.signature(CALLABLES[name][1]).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def with_a_default(parameter):
    names = [name for name in CALLABLES if not name.startswith(("arguments.", "checks."))]
    return [name for name in names if parameter in defaults(name)]


@pytest.mark.parametrize("name", with_a_default("seed"))
def test_a_seed_is_0(name):
    assert defaults(name)["seed"] == 0


@pytest.mark.parametrize("name", with_a_default("progress"))
def test_long_work_shows_a_bar(name):
    assert defaults(name)["progress"] is BARS.get(name, True)


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_that_figures_were_measured_with(name):
    assert SIZES[name].items() <= defaults(name).items()


def test_a_code_is_still_where_disentanglement_lib_says_so():
    assert interventions.STILL == 0.05
