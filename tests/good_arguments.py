"""Good arguments for every public callable of the module, most of them by the parameter's name alone.

``BY_NAME`` holds an example per name; ``BY_CALLABLE`` those of callables that mean something else by it, the last
pattern that fits first. What has neither is called with its default. Not here: bad arguments (``bad_arguments``).
"""

import fnmatch
import inspect

import numpy as np
import pandas as pd
import torch
from good_applications import APPLICATIONS
from good_methods import INSTANCES as OF_METHODS
from good_methods import METHODS
from good_parts import (
    NETWORKS,
    SHAPE,
    SHORT,
    SMALL,
    SPEC,
    VAE,
    WORLDS,
    N,
    axes,
    classes,
    codes,
    data,
    dq,
    drawing,
    drawn,
    encode,
    factors,
    fashion,
    few_factors,
    folder,
    g,
    history,
    images,
    judge,
    loss,
    matrix,
    network,
    pair,
    posterior,
    seeded,
    world,
)

from infogan_helpers import mixtures, quality, training_plots
from infogan_helpers.codes import CodeSpec
from infogan_helpers.drawings import drawing_pad
from infogan_helpers.labels import Labelled
from infogan_helpers.methods import infogan
from infogan_helpers.methods.autoencoders import Encoder
from infogan_helpers.posteriors import VonMises
from infogan_helpers.schedules import Ramp
from infogan_helpers.widgets import TrainingView, explorer
from infogan_helpers.worlds import rendering

BY_NAME = {
    "angles": lambda: matrix(N),
    "bins": lambda: 4,
    "callback": lambda: None,
    "caption": lambda: "text",
    "checkpoint": lambda: None,
    "classifier": lambda: network(quality.DigitClassifier),
    "code": lambda: "c1",
    "codes": codes,
    "columns": lambda: 3,
    "config": lambda: infogan.Config(**SHORT, architecture="mlp", norm="none"),
    "data": data,
    "device": lambda: "cpu",
    "discriminator_q": dq,
    "done": lambda: 0.5,
    "encode": lambda: encode,
    "encoder": lambda: np.full((2, 2), 0.5),
    "facts": dict,
    "factors": factors,
    "fake": images,
    "fake_logit": lambda: matrix(N),
    "features": lambda: matrix(N, 3),
    "folder": folder,
    "frames": lambda: 2,
    "generator": seeded,
    "groups": lambda: {"a": matrix(N, 2)},
    "history": history,
    "image": lambda: data().images[0, 0],
    "images": images,
    "joint": lambda: np.array([[0.25, 0.25], [0.125, 0.375]]),
    "judge": lambda: network(judge),
    "jobs": lambda: 1,
    "labels": classes,
    "log_variance": lambda: matrix(N, 3),
    "logits": lambda: matrix(N, 3),
    "mean": lambda: matrix(N, 3),
    "mixture": mixtures.ring,
    "models": lambda: {"text": (g(), dq())},
    "n": lambda: 5,
    "name": lambda: "text",
    "others": lambda: matrix(N),
    "path": lambda: "file.safetensors",
    "per_class": lambda: 1,
    "pictures": images,
    "points": lambda: matrix(N, 2),
    "posterior": posterior,
    "probabilities": lambda: matrix(N, 10).softmax(1),
    "progress": lambda: False,
    "real": images,
    "real_logit": lambda: matrix(N),
    "root": lambda: "nowhere",
    "scores": lambda: matrix(N, N),
    "seed": lambda: 3,
    "spec": lambda: SPEC,
    "steps": lambda: 1,
    "strength": lambda: 0.5,
    "test": lambda: None,
    "title": lambda: "text",
    "values": lambda: [0.0, 0.5],
    "world": world,
    "xlabel": lambda: "text",
    "ylabel": lambda: "text",
    "z": lambda: matrix(N, 3),
}


BY_CALLABLE = {
    **APPLICATIONS,
    **METHODS,
    "bottleneck.bottleneck": {"beta": lambda: 2.0},
    "bottleneck.bottleneck_curve": {"betas": lambda: [1.0, 3.0]},
    "bounds.barber_agakov": {"log_q": lambda: matrix(N), "prior_entropy": lambda: 1.0},
    "channels.*": {"n": lambda: 4},
    "checkpoints.*": {**NETWORKS, "tensors": lambda: {"a": matrix(2)}},
    "checkpoints.load_networks": {"path": lambda: f"{folder()}/text.safetensors"},
    "code_factors.code_factor_table": {
        "codes": lambda: matrix(N, 2),
        "values": lambda: world().values(factors()),
    },
    "codes.Codes": {name: lambda name=name: getattr(codes(), name) for name in ("noise", "categorical", "continuous")},
    "codes.Codes.replace": {
        name: lambda name=name: getattr(codes(), name) for name in ("noise", "categorical", "continuous", "circular")
    },
    "codes.Codes.sweep_*": {"index": lambda: 0, "classes": lambda: [0, 2]},
    "codes.Codes.sweep_circular": {"angles": lambda: [0.0, 1.0]},
    "codes.CodeSpec.codes_at": {"categorical": lambda: [1], "continuous": lambda: [0.5, 0.1]},
    "controllers.control": {
        **{name: lambda: torch.tensor(0.5) for name in ("error", "integral", "output")},
        **{name: lambda: 0.1 for name in ("proportional", "gain", "least")},
    },
    "data.to_model_range": {"images": lambda: data().images},
    "codes.check_classes": {"categorical": lambda: codes().categorical, "sizes": lambda: (3,)},
    "data.load_*": {"root": lambda: None},
    "data.load_fashion_mnist": {"root": fashion, "train": lambda: False},
    "data.download": {"name": lambda: "MNIST"},
    "data.BatchSampler": {"batch_size": lambda: 2},
    "disentanglement.*": {
        "codes": lambda: few_factors() + 0.1 * matrix(12, 2),
        "factors": few_factors,
        "test": lambda: (few_factors() + 0.1 * matrix(12, 2), few_factors()),
        "world": lambda: None,
        "encode": lambda: None,
    },
    "drawings.*": {
        "canvas": lambda: images()[0, 0].byte(),
        "codes": lambda: codes()[0],
        "examples": dict,
        "ink": lambda: True,
        "image_shape": lambda: SHAPE,
        "invitation": lambda: "text",
        "keeps": lambda: True,
        "takes": lambda: "ink",
        "words": dict,
        **NETWORKS,
        "pad": drawing_pad,
        "noise": lambda: 1,
        "drawing": lambda: bytes([255] * 32 * 32),
        "digits": lambda: [],
    },
    "data.load_mnist": {"train": lambda: False},
    "deep_networks.*": SMALL,
    "evaluation.*": {
        **NETWORKS,
        "codes": classes,
        "n_codes": lambda: 3,
        "n_labels": lambda: 3,
        "matching": lambda: np.array([0, 1, 2]),
        "train": data,
        "test": data,
        "table": lambda: pd.DataFrame({"slant": [0.5, 0.1], "width": [0.2, -0.9]}, index=["c2", "c3"]),
        "measures": lambda: ("slant", "width"),
        "encoder": lambda: network(lambda: Encoder(VAE["config"]().spec, SHAPE, VAE["config"]())),
    },
    "drawings.told": {"drawing": drawing},
    "editing.*": {**NETWORKS, "examples": images, "drawing": drawing, "codes": lambda: codes()[0]},
    "editing.told": {"noise": lambda: 1, "digits": lambda: [], "ink": lambda: True},
    "evaluation.draw_images": {"codes": codes},
    "evaluation.check_finite": {"does": lambda: "draw", "numbers": lambda: matrix(N)},
    "evaluation.eval_mode": {"network": dq},
    "exercises.clinic.*": {"history": history},
    "exercises.clinic.signs": {"history": lambda: history(21)},
    "exercises.clinic.nearest": {"codes": codes},
    "exercises.*check_value": {"name": lambda: "text", "value": lambda: 1.0},
    "explorer_page.*": {
        **NETWORKS,
        "path": lambda: "page.html",
        "matching": lambda: [0, 1, 2],
        "meanings": lambda: {"c2": "slant"},
        "found": lambda: drawing().found,
        "models": lambda: {"text": (g(), dq())},
        "picture": lambda: images(n=1),
    },
    "figures.*": {"ax": axes, "fig": lambda: axes().figure, "levels": lambda: {"a": 1.0}, "labels": lambda: ["a"]},
    "figures.*h": {"what": lambda: "text"},
    "figures.along": {"what": lambda: "text"},
    "games.*": {"discriminator_q": lambda: pair("points")[1]},
    "growing_networks.*": SMALL,
    "growing_networks.Growing.grow": {"grown": lambda: 1.0},
    "growing_networks.*.forward": {"images": lambda: images(8)},
    "information.*": {"p": lambda: [0.2, 0.8], "q": lambda: [0.5, 0.5]},
    "information.variational_lower_bound": {"q": lambda: np.full((2, 2), 0.5)},
    "interventions.*": {name: lambda: 4 for name in ("n_train", "n_test", "batch_size", "n_spread")},
    "judges.*": {"answers": lambda: network(judge)(images())[0]},
    "judges.judge_loss": {"factors": factors},
    "judges.judged": {"images": lambda: images()},
    "labels.check_labels": {"n": lambda: N},
    "losses.lower_bound": {"read_from": lambda: torch.ones(N, 3, dtype=torch.bool)},
    "measured.load_measured": {"name": lambda: folder() and "text_measured"},
    "measured.save_measured": {"records": lambda: [{"a": 1}]},
    "networks.*": {
        **SMALL,
        "divisor": lambda: 4,
        "features": lambda: matrix(N, 3),
        "layer": lambda: torch.nn.BatchNorm2d,
        "module": dq,
        "network": dq,
        "norm": lambda: "batch",
        "units": lambda: 3,
    },
    "networks.QHead": {"features": lambda: 3, "hidden": lambda: 0, "variance": lambda: "fixed", "norm": lambda: "none"},
    "networks.initialise": {"module": lambda: torch.nn.Linear(2, 3)},
    "networks.bounded_log_variance": {"raw": lambda: matrix(N)},
    "pictures.to_colours": {"images": lambda: images(channels=3)},
    "pictures.sheet": {"images": images, "shape": lambda: (3, 2)},
    "plots.*": {
        "x": lambda: np.arange(N),
        "series": lambda: {"a": matrix(N)},
        "matrix": lambda: matrix(2, 3),
        "values": lambda: np.array([0.0, 1.0]),
        "measured": lambda: {"a": matrix(N, 2)},
        "weights": lambda: {"a": Ramp(0.0, 1.0, 0.0, 1.0), "b": 1.0},
        "levels": lambda: {"a": 1.0},
        "row_labels": lambda: ["a", "b"],
        "column_labels": lambda: [0.0, 1.0, 2.0],
        "row_name": lambda: "text",
        "column_name": lambda: "text",
        "support": lambda: (-1, 1),
        "unit": lambda: "text",
    },
    "plots.dots": {"groups": lambda: {"a": matrix(N)}},
    "point_networks.*": {"images": lambda: matrix(N, 2), "width": lambda: 0.02},
    "posteriors.joined": {"posteriors": lambda: [posterior(), posterior()]},
    "posteriors.Posterior.rows": {"chosen": lambda: slice(0, 3)},
    "priors.*": {
        "seeds": lambda: (0, 1),
        "between": lambda: 0.5,
        "shape": lambda: (N, 2),
        "classes": lambda: classes()[:, None],
        "categorical": lambda: (3,),
        "continuous": lambda: 2,
        "codes": lambda: 2,
    },
    "priors.CategoricalPrior": {"classes": lambda: 3},
    "priors.CorrelatedPrior": {"correlation": lambda: 0.5},
    "priors.HierarchicalPrior": {"classes": lambda: 3, "shared": lambda: 0.5},
    "priors.continuous_prior": {"value": lambda: "uniform"},
    "quality.*": {"images": lambda: images(28), "codes": classes, "others": lambda: matrix(N, 3)},
    "quality.learn": {
        "network": lambda: torch.nn.Linear(3, 1),
        "loss": lambda: loss,
        "count": lambda: 4,
        "batch_size": lambda: 2,
        "random": seeded,
    },
    "quality.train_classifier": {"epochs": lambda: 1, "batch_size": lambda: 3},
    "runtime.by_budget": {"full": lambda: 2, "quick": lambda: 1},
    "schedules.Ramp": {name: lambda x=x: x for name, x in {"start": 0, "end": 1, "before": 0, "after": 1}.items()},
    "schedules.*": {"value": lambda: 0.5},
    "tensor_files.save_tensors": {"tensors": lambda: {"a": matrix(2)}, "metadata": dict},
    "tensor_files.load_tensors": {"path": lambda: f"{folder()}/text.safetensors"},
    "stacked_digits.stack_digits": {"digits": lambda: images()},
    "stacked_digits.count_stacked": {"images": lambda: images(28, 3)},
    "training.*": {"method": lambda: infogan.METHOD, "data": images},
    "training_plots.*": {"histories": lambda: {"a": history()}, "figure": training_plots.nothing_trained},
    "transforms.*": {"share": lambda: 0.5, "deviation": lambda: 0.1},
    "widgets.*": {**NETWORKS, "examples": images, "matching": lambda: [0, 1, 2], "meanings": lambda: {"c2": "slant"}},
    "worlds.rendering.*": {
        "angle": lambda: matrix(N),
        "parts": lambda: [rendering.box((0, 0, 0), (1, 1, 1), 0.5)],
        "pose": lambda: torch.eye(3).repeat(N, 1, 1),
        "towards": lambda: torch.eye(3).repeat(2, 1),
        "reach": lambda: 1.1,
    },
    "worlds.*": {"low": lambda: 0.0, "high": lambda: 1.0, "n": lambda: 3, "side": lambda: 8},
    **{f"worlds.{name}.draw": {"values": lambda of=of: drawn(of)} for name, of in WORLDS.items()},
    "worlds.world.World": {"factors": lambda: world().factors},
    "worlds.chairs.*": {"kind": lambda: 0},
}
INSTANCES = {
    **OF_METHODS,
    "channels.Channel": lambda: __import__("infogan_helpers.channels", fromlist=["x"]).CHANNELS["symmetric"],
    "codes.Codes": lambda: CodeSpec((3,), 2, 4, circular=1).sample(N, seeded()),
    "codes.CodeSpec": lambda: SPEC,
    "evaluation.CodeScore": lambda: None,
    "growing_networks.Growing": lambda: pair("growing")[0],
    "growing_networks.GrowingGenerator": lambda: pair("growing")[0],
    "growing_networks.GrowingDiscriminatorQ": lambda: pair("growing")[1],
    "judges.Judge": lambda: network(judge),
    "labels.Labelled": lambda: Labelled(images(), torch.tensor([2, 2, 2])),
    "posteriors.Posterior": posterior,
    "posteriors.VonMises": lambda: VonMises(torch.nn.functional.normalize(matrix(N, 2)), torch.ones(N)),
    "schedules.Ramp": lambda: Ramp(0.0, 1.0, 0.0, 1.0),
    "widgets.Explorer": lambda: explorer(g(), dq()),
    "widgets.TrainingView": lambda: TrainingView(SPEC),
    "worlds.world.World": world,
}


def example(callable_name, parameter):
    """A good argument; ``LookupError`` where none is known and there is no default."""
    fitting = [p for p in BY_CALLABLE if fnmatch.fnmatchcase(callable_name, p) and parameter.name in BY_CALLABLE[p]]
    if fitting:
        return BY_CALLABLE[fitting[-1]][parameter.name]()
    if parameter.name in BY_NAME:
        return BY_NAME[parameter.name]()
    if parameter.default is not inspect.Parameter.empty:
        return parameter.default
    raise LookupError(f"tests/good_arguments.py needs an example of {parameter.name!r} for {callable_name}")


def instance(class_name, cls):
    """An object to call methods of: listed, or made with good arguments."""
    if class_name in INSTANCES:
        return INSTANCES[class_name]()
    parameters = inspect.signature(cls).parameters.values()
    torch.default_generator.manual_seed(0)
    return cls(**{p.name: example(class_name, p) for p in parameters if p.kind is not p.VAR_KEYWORD})
