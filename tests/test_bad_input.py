"""Every public callable of the module, called with every kind of bad argument: it is refused clearly, or defined.

Callables are found, not listed: a new one is tried as soon as it is there. What is not tried, because only the package
itself calls it with what it has checked, is in ``INTERNAL``; what is taken although it looks wrong is in ``DEFINED``.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import subprocess
import types
from functools import partial

import matplotlib.pyplot as plt
import pytest
import torch
from bad_arguments import bad_arguments, outcome, same
from good_arguments import example, instance

import infogan_helpers
from infogan_helpers import checkpoints, data, judges, measured, quality
from infogan_helpers.worlds import world

_LOOP = "called by the loop in every step, with what ``fit`` and the configuration have checked"
_PARTS = "built into a network by its constructor, which has checked what it was given"
_LEARNER = "tries a learner's own function: an ``AssertionError`` names what that did (test_exercises*.py)"
INTERNAL = {
    "checks.*": "the validators: their answers are test_checks.py's",
    "checkpoints.*_run": _LOOP,
    "checkpoints.*named_tensors": _LOOP,
    "codes.check_classes": "called by ``CodeSpec.check`` and ``Posterior.log_prob``",
    "controllers.control": _LOOP,
    "deep_networks.shared": _PARTS,
    "deep_networks.turned_back": _PARTS,
    "data.download": "torchvision's download, called by ``load_mnist``",
    "data.load_fashion_mnist": "``load_mnist``'s twin, whose data no test has",
    "drawings.told": "called by the explorer",
    "drawings.spelled": "called by the explorer",
    "elbo.gaussian_log_density": "called by ``rate_parts``, whose shapes broadcast",
    "exercises.[an]*": _LEARNER,
    "exercises.checking.*": _LEARNER,
    "exercises.clinic.[ps]*": "called by ``diagnose``",
    "explorer_page.[acnpl]*": "called by the explorer and ``export_explorer``",
    "figures.*": "called by ``plots``, each with its own figure",
    "games.*_penalty": _LOOP,
    "growing_networks.*.features": _PARTS,
    "growing_networks.Growing": _PARTS,
    "judges.judge_loss": "called by ``train_judge`` in every step",
    "judges.Judge.forward": "called by ``judged``",
    "methods.*.train_step": _LOOP,
    "methods.*.make": _LOOP,
    "methods.*.finish": _LOOP,
    "methods.*.draw": _LOOP,
    "methods.*.summary": "of numbers, called by the loop",
    "methods.*.verdict": _LOOP,
    "methods.*.label_loss": _LOOP,
    "methods.*.likely_cause": _LOOP,
    "methods.autoencoders.[DEdfms]*": _LOOP,
    "methods.digits.[mru]*": _LOOP,
    "methods.infogan_cr.sample_pairs": _LOOP,
    "methods.noise_last.follow": _LOOP,
    "methods.players.[adgmrs]*": _LOOP,
    "methods.variational.[FGMbf]*": _PARTS,
    "networks.[QBbrisc]*": _PARTS,
    "point_networks.[klb]*": _PARTS,
    "posteriors.joined": "called by ``read_codes`` on what the network answered",
    "posteriors.VonMises.*": "called by ``Posterior``",
    "priors.*Prior.*": "called by ``CodeSpec``, which has checked the codes",
    "quality.learn": "called by ``train_classifier`` and ``train_judge``",
    "quality.DigitClassifier.forward": "called by ``classify``",
    "widgets.Explorer*": "made by ``explorer`` and its relatives",
    "worlds.*.draw": "called by ``render``, which has checked the factors",
    "worlds.world.steps": "called by each world's constructor",
    "worlds.rendering.*": "called by each world's ``draw``",
}
DEFINED = ()


def is_record(cls):
    """Whether a class only holds what it is given: what reads it has to check."""
    plain = dataclasses.is_dataclass(cls) and not hasattr(cls, "__post_init__")
    return hasattr(cls, "_fields") or plain


def callables():
    """``{name: (class or None, function or class)}`` of all that is public: functions, classes, their methods."""
    found = {}
    for info in pkgutil.walk_packages(infogan_helpers.__path__, "infogan_helpers."):
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != info.name or not callable(thing):
                continue
            full = f"{info.name.removeprefix('infogan_helpers.')}.{name}"
            if not (inspect.isclass(thing) and is_record(thing)):
                found[full] = None, thing
            if inspect.isclass(thing):
                methods = {n: f for n, f in vars(thing).items() if not n.startswith("_") and inspect.isfunction(f)}
                found |= {f"{full}.{n}": (thing, f) for n, f in methods.items()}
    return found


CALLABLES = callables()


def prepared(name):
    """``(function, good arguments)``: a bound method, or the thing itself."""
    cls, function = CALLABLES[name]
    if cls is not None:
        function = getattr(instance(name.rpartition(".")[0], cls), name.rpartition(".")[2])
    named = [p for p in inspect.signature(function).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return function, {p.name: example(name, p) for p in named}


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    """A working folder of one's own; the data's folders are there; nothing is fetched, installed or left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFOGAN_OFFLINE", "1")
    for module in (checkpoints, quality, judges, measured, data, world):
        for folder in ("PRETRAINED_FOLDER", "SCORING_FOLDER", "MEASURED_FOLDER", "DEFAULT_ROOT"):
            if hasattr(module, folder):
                monkeypatch.setattr(module, folder, tmp_path)
    monkeypatch.setattr(subprocess, "run", _pretend)
    yield
    plt.close("all")


def _pretend(*_, **__):
    return types.SimpleNamespace(returncode=0)


def tried(name):
    """``(parameter, bad, outcome, detail)`` of every call of one callable."""
    function, good = prepared(name)
    torch.manual_seed(0)
    function(**good)
    parameters = inspect.signature(function).parameters
    for parameter in good:
        # What a message may call it: by its name, by that of an argument that it has to fit, or by what it holds.
        names = {*good, *name.split("."), str(good.get("name")), *getattr(good[parameter], "_fields", ()), "image_shape"}
        names |= {word.lower() for word in names}
        for bad in bad_arguments(good[parameter]):
            worse = bad.make()
            if worse is None and parameters[parameter].default is None:
                continue
            how, detail = outcome(partial(_call, name, {parameter: worse}), names)
            if how == "accepted" and bad.stands_for is not None:
                how = "converted" if same(detail, _call(name, {parameter: bad.stands_for()})) else how
            yield parameter, bad.kind, how, detail


def _call(name, changed):
    function, good = prepared(name)
    torch.manual_seed(0)
    return function(**{**good, **changed})
