"""Every public callable of the module, called with every kind of bad argument: it is refused clearly, or defined.

Callables are found, not listed: a new one is tried as soon as it is there. What is not tried, because only the package
itself calls it with what it has checked, is in ``INTERNAL``; what is taken although it looks wrong is in ``DEFINED``.
"""

import dataclasses
import fnmatch
import importlib
import inspect
import pkgutil
import re
import subprocess
import types
from functools import partial

import matplotlib.pyplot as plt
import pytest
import torch
from bad_arguments import ANYWHERE, bad_arguments, is_not_finite, outcome, same
from good_arguments import example, instance

import infogan_helpers
from infogan_helpers import checkpoints, data, disentanglement, judges, measured, quality
from infogan_helpers.worlds import world

_LEARNER = "tries a learner's own function: an ``AssertionError`` names what that did (test_exercises*.py)"
INTERNAL = {
    "exercises.[an]*": _LEARNER,
    "exercises.checking.*": _LEARNER,
    "arguments.*": "the validators: their answers are test_arguments.py's",
    "checks.*": "the validators: their answers are test_checks.py's",
    "networks.check_columns": "a validator",
    "methods.players.pictures": "a validator",
    "methods.players.takes_players": "of validators, as ``arguments.takes``",
    "checkpoints.made_of": "called by what reads files, on what they hold, and says what is wrong in a file's words",
    "checkpoints.named_tensors": "of parts by any name (test_checkpoints.py)",
    "tensor_files.contents_of": "a context around what reads a file",
    "data.download": "torchvision's download, called by ``load_mnist``",
    "drawings.pad_facts": "a record, which the page reads",
    "drawings.spelled": "of an answer that ``read_codes`` has checked",
    "editing.told": "as ``drawings.told``, of a drawing that ``search`` made; the rest changes nothing there",
    "editing.search": "``find_codes`` with its defaults, which takes a second",
    "evaluation.check_finite": "a validator",
    "explorer_page.answer": "of an answer that ``read_codes`` has checked",
    "explorer_page.page_facts": "of what ``checked_models`` and ``checked_knowledge`` have checked",
    "games.no_penalty": "0, whatever it is given",
    "interrupts.Interrupt.*": "Python's signals call the one, the loop the other with its callback",
    "networks.BatchNorm1d*": "torch's own layer, for a batch of one",
    "networks.bound_weights": "of any number of networks, which the constructor of one has made",
    "run_files.*": "of the loop's own record of a run (test_resume.py, test_damaged_runs.py)",
    "widgets.Explorer": "made by ``explorer`` and its relatives",
    "worlds.rendering.box": "a record, which ``cast`` reads",
    "worlds.rendering.ellipsoid": "a record, which ``cast`` reads",
}
_NUMBERS = "-1|0|1.9|2**64"
_ROWS = "a row less|one row"
_ANY = "a dimension less|a dimension more|no rows|empty list|empty tensor|scalar tensor of NaN"
# (callables, parameters, kinds): what looks wrong there and is not, and why. Patterns, "|" between them.
DEFINED = {
    ("*", "*", "as NumPy's number"): "NumPy's numbers are as good as Python's",
    ("*", "seed|noise", "0"): "a seed",
    ("*", "done|attempt", "0"): "the beginning",
    ("*.*Config", "*", "0|1.9|2**64|True"): "a value of that field: its own validator has the bounds",
    ("schedules.*|priors.*|codes.CodeSpec|growing_networks.*|*networks.*", "*", _NUMBERS): "a number that is taken",
    ("applications.*", "steps|strength|agreement|learning_rate|share", _NUMBERS): "a number that it takes",
    ("applications.anomalies.*", "normal|anomalous", _ROWS): "fewer of them",
    ("applications.anomalies.auroc", "normal|anomalous", "in float16"): "scores that are rounded, to ties it may be",
    ("applications.anomalies.by_class", "fit", "a function"): "a density",
    ("applications.editing.*|drawings.*", "circular|records|digits", "empty list|empty tensor"): "none",
    ("applications.editing.stored_scores", "name|ways", "text|cuda|no entries"): "nothing that was stored",
    ("applications.editing.*", "stands|targets|columns|latents|values", _ROWS): "fewer of them",
    ("applications.editing.*", "values", "one NaN"): "a gap",
    ("applications.editing.best_dial", "circular", "True"): "a choice",
    ("applications.editing.towards", "codes|others", "codes with one *|another class"): "``draw_images`` refuses them",
    ("applications.inversion.likeliest_codes", "posterior", "a row less|answers without rows"): "fewer of them",
    ("schedules.weight", "name", "*"): "how the caller's message will call it",
    (
        "transforms.*|textures.*|methods.*|interventions.*",
        "deviation|strength|still|stray_strokes|share",
        _NUMBERS,
    ): "a size",
    (
        "bottleneck.*|bounds.*|losses.*|methods.*|controllers.*|games.*",
        "beta|prior_entropy|class_balance|proportional|gain|least|gamma|total_correlation|factor|step|learning_rate",
        _NUMBERS,
    ): "a weight, or nats",
    (
        "code*|plots.*|worlds.*",
        "index|circular|between|decimals|scale|kind|correlation|n",
        "0|1.9",
    ): "a number it takes",
    ("*", "spec", "another spec"): "a spec",
    ("*", "progress|ink|information_trains_trunk|symmetries|train|continuous", "True"): "a choice",
    ("data.mnist_sample", "train", "None"): "both parts",
    (
        "plots.*|training_plots.*|figures.*|explorer_page.*",
        "what|name|caption|title|xlabel|ylabel|row_name|column_name|unit|code",
        "text|cuda|None",
    ): "words",
    ("plots.*|figures.*", "row_labels|labels", "list of text|array of text|empty *"): "words",
    ("*", "path|folder|root|checkpoint", "text|cuda"): "a path",
    ("checkpoints.*|measured.*", "name", "text|cuda"): "a name",
    (
        "checkpoints.*|judges.*|quality.*|tensor_files.*",
        "facts|metadata",
        "dict|* of None|no entries",
    ): "what JSON can write",
    (
        "checkpoints.save_*|judges.save_*|quality.save_*|quality.learn",
        "generator|discriminator_q|judge|classifier|network",
        "a NaN weight",
    ): "whoever trained it may look for the NaN; what draws or reads with it refuses",
    ("methods.*|networks.*|evaluation.eval_mode", "*", "a NaN weight"): "the loop names the step",
    ("elbo.gaussian_log_density", "mean|log_variance", "one row|a dimension *"): "shapes broadcast",
    (
        "exercises.clinic.*",
        "pictures|codes",
        "* dimension *|*row*|codes *|another class",
    ): "any pictures, or points; of codes only the classes are looked at",
    ("explorer_page.nats_read", "posterior|codes", "* with one *"): "``read_codes`` and ``draw_images`` refuse them",
    ("games.r1_penalty", "fake|generator", "*"): "not looked at",
    ("games.*_penalty", "real|fake", "one NaN|one infinity"): "D's loss on them says so",
    ("worlds.*", "low|high|reach", _NUMBERS): "a size",
    ("controllers.control", "output", "scalar tensor of NaN"): "the step before is only asked whether it was too low",
    ("methods.digits.*|games.*", "generator", "None"): "torch's own",
    ("methods.digits.read_copies", "on_fake", "a row less|answers *"): "``lower_bound`` refuses them",
    ("methods.autoencoders.decode", "codes", "another class"): "there is none",
    ("methods.players.recalibrate_batch_norm", "shown", "a function"): "a function",
    (
        "methods.variational.*",
        "h|mean|raw_log_variance|features",
        "*NaN|*infinity",
    ): "a distribution of them, whose ``log_prob`` is none",
    ("checkpoints.*|tensor_files.*", "tensors", "no entries"): "a file that holds nothing",
    ("measured.save_measured", "records", "*"): "what JSON can write",
    ("colab.*|disentanglement.codes_and_factors", "names", "*"): "names, of packages or for a message",
    ("runtime.by_budget", "*", "*"): "handed back as it came",
    ("*.fit|training.run", "callback", "a function"): "a callback",
    (
        "*",
        "images|examples|labels|digits|image|picture|canvas|angle|angles|points|probabilities|factors|codes|categorical|data|"
        "others|features|h|z|log_q|matrix|real|fake",
        _ROWS,
    ): "fewer of them",
    (
        "games.*|losses.*|elbo.*",
        "real_logit|fake_logit|logits|z",
        _ROWS + "|a dimension *|no rows",
    ): "any",
    (
        "data.*|measures.*|methods.*|transforms.add_noise|priors.wrapped|networks.bounded_log_variance",
        "images|angles|raw",
        _ANY + "|" + _ROWS,
    ): "any shape of it",
    (
        "codes.*|*networks.*|methods.*|priors.*",
        "codes|z|categorical|classes",
        "codes without rows|no rows|a row less|one row",
    ): "none in, none out",
    ("code_factors.as_columns", "posterior", "a row less|answers without*|one head for two"): "answers on other codes",
    (
        "codes.Codes*|bottleneck.*|codes.CodeSpec*|transforms.*|priors.*.check|*Config",
        "*",
        "empty list|empty tensor",
    ): "none",
    ("plots.curves|plots.heatmap", "x|series|matrix", "one NaN|tensor of NaN"): "a gap",
    (
        "plots.*|figures.*|explorer_page.*|widgets.*",
        "levels|meanings|weights|matching",
        "dict|no entries|None",
    ): "names to what they name, or none",
    (
        "codes.Codes*",
        "noise|continuous",
        "one NaN|one infinity",
    ): "``draw_images`` refuses them",
    ("codes.CodeSpec.*|methods.*", "codes", "codes with one *"): "goes on into the networks, whose answer is NaN then",
    (
        "losses.code_recovery|methods.players.step_metrics",
        "codes",
        "another class|codes with one *",
    ): "no answer is right then",
    (
        "losses.code_recovery|methods.*",
        "posterior|on_*",
        "answers with one NaN|logits with one NaN|one head for two",
    ): "only logits are looked at",
    ("*", "images|examples|points", "in float16"): "pictures that are rounded",
    ("pictures.to_colours|textures.*|worlds.*", "images|factors", "no rows"): "none in, none out",
    ("data.to_uint8", "images", "*infinity"): "what lies beyond the range is cut off",
    ("drawings.read_drawing", "generator", "a NaN weight"): "it only says how large a picture is",
    ("data.BatchSampler", "images", "*"): "any tensor, whatever it holds",
    (
        "games.*|elbo.*|networks.bounded*",
        "*_logit|pictures|raw",
        "*infinity",
    ): "a D, or a pixel, that is certain: what the loss tends to",
}
# Errors in words of their own, that say which file it is.
SAID = {
    (
        "checkpoints.*|tensor_files.*|judges.*|quality.*",
        "path|folder",
        "text|cuda",
    ): "a path at which there is no such file",
    ("data.load_fashion_mnist", "root", "text|cuda"): "a folder without the files: it says how to get them",
    ("tensor_files.load_tensors", "sha256", "*"): "a digest that is not the file's: the file is named",
}
# What a training step calls: NaN and infinity go through, and the loop names the step and the likely cause.
IN_THE_LOOP = (
    "games.*|posteriors.*|losses.*|elbo.*|bounds.*|*networks.*|data.*|transforms.*|methods.*|controllers.*|priors.wrapped|"
    "quality.*.forward|judges.*.forward|applications.*.forward"
)


def is_defined(name, parameter, kind, answer):
    """Whether an answer to a bad argument is one of those that are meant."""
    not_finite = re.search("NaN|infinity", kind) and _fits(name, IN_THE_LOOP)
    if not_finite and is_not_finite(answer):
        return True
    return is_listed(DEFINED, name, parameter, kind)


def is_listed(table, *call):
    return any(all(map(_fits, call, entry)) for entry in table)


def _fits(text, patterns):
    return any(text == pattern or fnmatch.fnmatchcase(text, pattern) for pattern in patterns.split("|"))


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


def prepared(name, without=()):
    """``(function, good arguments)``: a bound method, or the thing itself; some arguments are left out."""
    cls, function = CALLABLES[name]
    if cls is not None:
        function = getattr(instance(name.rpartition(".")[0], cls), name.rpartition(".")[2])
    named = [
        p for p in inspect.signature(function).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return function, {p.name: example(name, p) for p in named if p.name not in without}


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
    monkeypatch.setattr(data, "FILES", dict(data.FILES))
    few_trees = partial(disentanglement.GradientBoostingClassifier, n_estimators=2)
    monkeypatch.setattr(disentanglement, "GradientBoostingClassifier", few_trees)
    yield
    plt.close("all")


def _pretend(*_, **__):
    return types.SimpleNamespace(returncode=0)


def tried(name):
    """``(parameter, bad, outcome, detail)`` of every call of one callable."""
    function, good = prepared(name)
    torch.default_generator.manual_seed(0)
    function(**good)
    parameters = inspect.signature(function).parameters
    for parameter in own(function, good):
        # What a message may call it: by its name, by that of an argument that it has to fit, or by what it holds.
        names = {
            *good,
            *name.split("."),
            str(good.get("name")),
            *getattr(good[parameter], "_fields", ()),
            "image_shape",
        }
        names |= {"images"} if parameter == "data" else set()
        names |= {word.lower() for word in names}
        for bad in bad_arguments(good[parameter]):
            worse = bad.make()
            if worse is None and parameters[parameter].default is None:
                continue
            how, detail = outcome(partial(_call, name, {parameter: worse}), names)
            if how == "accepted" and bad.stands_for is not None:
                how = "converted" if same(detail, _call(name, {parameter: bad.stands_for()})) else how
            yield parameter, bad.kind, how, detail


def own(function, good):
    """Parameters to try; of a configuration those fields that it adds, since what it inherits is tried where it is."""
    bases = [base for base in getattr(function, "__bases__", ()) if dataclasses.is_dataclass(base)]
    inherited = {field.name for base in bases for field in dataclasses.fields(base)}
    return [name for name in good if name not in inherited]


def _call(name, changed):
    function, good = prepared(name, changed)
    torch.default_generator.manual_seed(0)
    return function(**{**good, **changed})


def is_internal(name):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in INTERNAL)


TRIED = [name for name in CALLABLES if not is_internal(name)]


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.filterwarnings("ignore")
def test_bad_arguments_are_refused_clearly_or_defined(name, at_home):
    wrong = []
    for parameter, kind, how, answer in tried(name):
        if how == "hangs" or (how == "unclear" and not is_listed(SAID, name, parameter, kind)):
            wrong.append(f"{parameter} = {kind}: {answer}")
        elif how == "accepted" and not is_defined(name, parameter, kind, answer):
            wrong.append(f"{parameter} = {kind}: taken, gave {answer!r:.60}")
    assert not wrong, f"{name}: refuse these (infogan_helpers/arguments.py), or say in DEFINED why not:\n" + "\n".join(
        wrong
    )


def test_nothing_is_excused_that_is_not_there():
    unused = {pattern for pattern in INTERNAL if not any(fnmatch.fnmatchcase(name, pattern) for name in CALLABLES)}
    assert unused == set()


def test_the_table_has_twenty_kinds_of_bad_argument():
    assert len(ANYWHERE) >= 20
