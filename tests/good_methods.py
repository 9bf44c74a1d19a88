"""Good arguments of the methods, ``infogan_helpers.methods``: of their steps and of what a step calls.

Players are changed by a step, and so made anew for each call.
"""

import importlib
from functools import cache
from pathlib import Path

import torch
from good_parts import (
    SHAPE,
    SHORT,
    SPEC,
    N,
    classes,
    codes,
    dq,
    images,
    matrix,
    network,
    posterior,
    seeded,
)

from infogan_helpers import losses
from infogan_helpers.methods import infogan, players, variational
from infogan_helpers.networks import QHead

NAMES = [
    path.stem for path in Path(infogan.__file__).parent.glob("*.py") if "def fit(" in path.read_text(encoding="utf-8")
]


@cache
def module(name):
    return importlib.import_module(f"infogan_helpers.methods.{name}")


@cache
def config(name):
    kind = module(name).Config
    latents = {"latents": 2} if hasattr(kind, "latents") else {}
    latents |= {"critic_units": 2, "critic_layers": 1} if hasattr(kind, "critic_units") else {}
    architecture = "growing" if name == "progressive" else "points" if hasattr(kind, "game") else "mlp"
    return kind(**SHORT, **latents, architecture=architecture, norm="none")


def spec(name):
    return getattr(config(name), "spec", SPEC)


def made(name):
    torch.default_generator.manual_seed(0)
    return module(name).METHOD.make(spec(name), SHAPE, config(name))


def plain_head():
    return network(lambda: QHead(SPEC, 3, 0, "learned", "none"))


def flexible():
    torch.default_generator.manual_seed(0)
    of = variational.Config(**SHORT, architecture="mlp", norm="none", family="gaussian")
    return variational.make(SPEC, SHAPE, of).discriminator_q.eval()(images())[1]


def _loss():
    """A dictionary as ``descend`` takes it."""
    ours = made("infogan")
    return {ours.optimizer_g: ours.generator(codes()).mean()}


def _of(name):
    """What the functions of a method's file take; a batch of labelled images where there are labels."""
    of = {"config": lambda: config(name), "players": lambda: made(name), "spec": lambda: spec(name)}
    batch = [images(), images()[:2], classes(3, 2)] if name == "ss_infogan" else [images(), classes()]
    return of | {"image_shape": lambda: SHAPE, "batch": lambda: tuple(batch), "data": lambda: (images(), classes())}


_NUMBERS = {"distortion", "rate", "beta", "total_correlation", "d_loss", "g_loss"}
METHODS = {
    "methods.*": {"dq": dq, "image_shape": lambda: SHAPE, "plain": plain_head, "family": lambda: "mixture"},
    **{f"methods.{name}.*": _of(name) for name in NAMES},
    **{f"methods.{name}.fit": {"config": lambda name=name: config(name)} for name in NAMES},
    "methods.autoencoders.*": _of("vae"),
    "methods.autoencoders.Decoder.forward": {"z": lambda: matrix(N, 2)},
    "methods.autoencoders.decode": {"codes": lambda: spec("vae").sample(N, seeded())},
    "methods.autoencoders.fit_by": {"method": lambda: module("vae").METHOD},
    "methods.*.step_metrics": {name: lambda: torch.tensor(0.5) for name in _NUMBERS},
    "methods.players.*": _of("infogan"),
    "methods.players.adam": {
        "learning_rate": lambda: 0.1,
        "parameters": lambda: list(dq().parameters()),
        "betas": lambda: (0.5, 0.9),
    },
    "methods.players.amplify_codes": {
        "generator": lambda: made("infogan").generator,
        "gain": lambda: 1.0,
        "columns": lambda: slice(2),
    },
    "methods.players.set_learning_rates": {"factor": lambda: 0.5},
    "methods.players.descend": {"losses": _loss},
    "methods.players.recalibrate_batch_norm": {"shown": lambda: lambda real, fake, random: (real, fake)},
    "methods.players.step_metrics": {
        "d_loss": lambda: torch.tensor(0.5),
        "g_loss": lambda: torch.tensor(0.5),
        "bound": lambda: losses.lower_bound(posterior(), codes(), SPEC),
        "logits": lambda: (matrix(N), matrix(N)),
    },
    "methods.ac_infogan.fi*": {"labels": classes},
    "methods.ss_infogan.fi*": {"labels": lambda: torch.tensor([0, 1, 2, -1, -1, -1])},
    "methods.ss_infogan.label_loss": {"labelled": images, "labels": classes},
    "methods.digits*": {"on_fake": posterior, "on_image": posterior, "on_copy": posterior, "attempt": lambda: 0},
    "methods.digits.most_confused": {"joint": lambda: matrix(3, 3).abs()},
    "methods.noise_last.follow": {
        "average": lambda: made("noise_last").average_dq,
        "network": lambda: made("noise_last").discriminator_q,
        "step": lambda: 1,
    },
    "methods.infogan_cr.sample_pairs": {"n": lambda: N},
    "methods.instance_noise.blurred": {"deviation": lambda: 0.1},
    "methods.variational.draw_continuous": {"posterior": flexible},
    "methods.variational.bells": {"mean": lambda: matrix(N, 3), "raw_log_variance": lambda: matrix(N, 3)},
    "methods.variational.*.forward": {"h": lambda: matrix(N, 3), "features": lambda: matrix(N, 3)},
}
INSTANCES = {
    "methods.variational.FlexiblePosterior": flexible,
    "methods.players.StepMetrics": lambda: players.StepMetrics(*[0.5] * 6),
    "methods.autoencoders.StepMetrics": lambda: module("autoencoders").StepMetrics(*[0.5] * 5),
    "methods.control_infogan.ControlledMetrics": lambda: module("control_infogan").ControlledMetrics(*[0.5] * 7),
}
