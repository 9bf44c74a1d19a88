"""Train VAEs and InfoGANs on digits and worlds over seeds, score all of them by the same metrics, and write one table.

    python tests/benchmarks/vaes.py sprites_beta_vae:0-4 sprites_factor_vae:0-4 faces_beta_vae:0-4 --workers 2
    python tests/benchmarks/vaes.py sprites_sweep1:0-2 sprites_sweep16:0-2
    python tests/benchmarks/vaes.py --ship

A run is NAME:SEEDS; where it trains (--dask ADDRESS: on a cluster), and what is kept of it, is ``harness``. A decoder
is a G and an encoder a Q, so a VAE's weights are kept as theirs are. Weights that lie in the folder without a record
(an InfoGAN's that ``worlds.py`` has trained, say) are scored and not trained again. Factors, digits' labels and judges
score the runs after the training has ended; no training sees them.
"""

import argparse
import json
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import worlds
from harness import Measured, Run, conditions, finished, read_options, read_results, train, write_results
from joblib import Memory
from sklearn.ensemble import RandomForestClassifier
from torch.distributions import Normal
from worlds import HELD_OUT, IMAGES, TEST_SEED, TRAIN_SEED

from infogan_helpers import disentanglement, interventions
from infogan_helpers.applications.inversion import find_codes
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.checkpoints import load_networks, save_pretrained
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist, to_ink, to_uint8
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.judges import judged, load_judge
from infogan_helpers.measures import MEASURES
from infogan_helpers.methods import (
    beta_tcvae,
    control_infogan,
    control_vae,
    digits,
    factor_vae,
    infogan,
    infogan_cr,
    vae,
)
from infogan_helpers.networks import count_parameters
from infogan_helpers.quality import classify, frechet_distance, load_classifier, sharpness
from infogan_helpers.schedules import Ramp
from infogan_helpers.world_presets import WORLD_PRESETS
from infogan_helpers.worlds.world import renderer

STEPS = {"mnist": 2000, "sprites": 8000, "faces": 3000, "chairs": 2000}
LONG = {"sprites": 16_000, "faces": 9000}  # of ControlVAE alone
NATS = {"mnist": 9.0, "sprites": 7.5, "faces": 6.0, "chairs": 6.0}  # where a rate that is held ends
RAMPED = Ramp(0.0, 0.3, 0.0, 6.0)  # no latent is given up before there are pictures
VAES = {
    "vae": (vae, lambda nats: {}),
    "beta_vae": (vae, lambda nats: {"beta": RAMPED}),
    "factor_vae": (factor_vae, lambda nats: {"gamma": 20.0}),
    "beta_tcvae": (beta_tcvae, lambda nats: {"beta": 8.0}),
    "control_vae": (  # the published gains are made for a million steps
        control_vae, lambda nats: {"proportional": 1.0, "gain": 0.05, "set_point": Ramp(0.0, 2 / 3, 0.5, nats)},
    ),
}  # fmt: skip
SWEEP, SWEEP_STEPS = (1, 2, 4, 8, 16), 2000  # values of β on Sprites
HELD = (1.5, 2.0, 2.2)  # nats of c1, where InfoGAN's λ is controlled
CURVE_EVERY = 20  # steps between two values of a controlled run's curves
DIGITS_SPEC = CodeSpec()
SEARCHED = 200  # pictures that are found and drawn again
BATCHES = {"n_train": 300, "n_test": 300, "progress": False}  # of the metrics that ask for pictures
TREES = 1500  # pictures that DCI's trees learn from
FEW = (100, 1000)  # labelled codes that a small classifier of each factor learns from
SHIPPED = "control_vae", Run("sprites_control_vae_long", 0)  # under which name, and the run, whatever it scored
TRAINED_BY = "relatives", "worlds"  # commands whose runs are scored here
TRAINED_AS = {"mnist": "digits", "mnist_plain": "infogan"}  # their names for them, where they differ


class Experiment(NamedTuple):
    """What a run trains: a data set's name, the codes (``None`` for a VAE), the method and its configuration."""

    data: str
    spec: CodeSpec | None
    method: object
    config: object


def runs():
    """Everything that can be trained: name to ``Experiment``."""
    every = {}
    for data, nats in NATS.items():
        for name, (method, weights) in VAES.items():
            config = method.Config(steps=STEPS[data], **weights(nats))
            every[f"{data}_{name}"] = Experiment(data, None, method, config)
    for data, steps in LONG.items():
        short = every[f"{data}_control_vae"]
        every[f"{data}_control_vae_long"] = short._replace(config=replace(short.config, steps=steps))
    for beta in SWEEP:
        config = vae.Config(steps=SWEEP_STEPS, beta=Ramp(0.0, 0.3, 0.0, float(beta)))
        every[f"sprites_sweep{beta}"] = Experiment("sprites", None, vae, config)
    for nats in HELD:
        config = control_infogan.Config(steps=2000, set_point=Ramp(0.0, 0.3, 0.0, nats))
        every[f"mnist_held{nats:g}"] = Experiment("mnist", DIGITS_SPEC, control_infogan, config)
    for name, experiment in worlds.runs().items():
        if name.removesuffix("_r1").removesuffix("_contrast") in WORLD_PRESETS:
            every[name] = Experiment(*experiment)
    every["mnist"] = Experiment("mnist", DIGITS_SPEC, digits, digits.Config(steps=1500))
    every["mnist_plain"] = Experiment("mnist", DIGITS_SPEC, infogan, infogan.Config(steps=2000))
    every["mnist_contrast"] = Experiment("mnist", DIGITS_SPEC, infogan_cr, infogan_cr.Config(steps=2000))
    return every


def train_and_score(run, scratch):
    """One run and its figures."""
    data, spec, method, config = runs()[run.name]
    config, weights = replace(config, seed=run.seed), run.weights(scratch.parent)
    images = training_images(data)
    options = {"device": "cpu", "checkpoint": scratch / "checkpoint.safetensors", "progress": False}
    record = {"run": run.name, "seed": run.seed, "config": asdict(config)}
    if weights.is_file():
        generator, dq = load_networks(weights)
        record["seconds"] = None
    elif spec is None:
        trained = method.fit(images, config, **options)
        generator, dq = as_pair(trained, config)
        record |= {"seconds": trained.history.seconds, **of_history(trained.history)}
    else:
        generator, dq, history, _ = method.fit(images, spec, config, **options)
        record |= {"seconds": history.seconds, **of_history(history)}
    encoder = count_parameters(dq) - (count_parameters(dq.real_head) if spec is None else 0)
    record["parameters"] = {"generator": count_parameters(generator), "encoder": encoder}
    figures = (
        score_digits(generator, dq) if data == "mnist" else score_world(generator, dq, WORLD_PRESETS[data].world())
    )
    record["figures"] = {name: float(value) for name, value in figures.items()}
    return Measured(record | {"conditions": conditions()}, generator, dq)


def training_images(data):
    if data == "mnist":
        return load_mnist().images
    return WORLD_PRESETS[data].world().images_and_factors(IMAGES, TRAIN_SEED, progress=False).images


def as_pair(trained, config):
    """A VAE's decoder and encoder as the G and the D with Q that they are; D's own head was never trained."""
    generator = trained.decoder.generator
    make = ARCHITECTURES[config.architecture][1]
    dq = make(generator.spec, generator.image_shape, config.width, norm=config.norm)
    dq.trunk, dq.q_head = trained.encoder.trunk, trained.encoder.head
    return generator, dq.eval()


def of_history(history):
    """Means over the last third of a run of what a method measures and the others don't; the curves of a held λ."""
    held = ("lambda_categorical", "bound_categorical") if hasattr(history, "lambda_categorical") else ()
    measured = [name for name in ("elbo", "distortion", "rate", "beta") if hasattr(history, name)] + list(held)
    late = slice(-len(history) // 3, None)
    return {
        "late": {name: float(np.mean(getattr(history, name)[late])) for name in measured},
        "curves": {name: [round(x, 4) for x in getattr(history, name)[::CURVE_EVERY]] for name in held},
    }


@Memory("data/runs/rendered", verbose=0).cache
def rendered(world_name, factors, renderer_hash):
    """Pictures that a metric asks of every run alike, and slow to render: kept until the renderer changes."""
    return to_uint8(WORLD_PRESETS[world_name].world().render(torch.from_numpy(factors))).numpy()


class Asked:
    """A world as metrics ask it, its pictures kept."""

    def __init__(self, world):
        self.name, self.sample_factors = type(world).__name__.lower(), world.sample_factors

    def render(self, factors):
        return torch.from_numpy(rendered(self.name, factors.numpy(), renderer()))


def score_world(generator, dq, world):
    """Every figure of one run on a world: Q (or the encoder) reads held-out pictures, a judge reads what G draws."""
    pictures, factors, _ = world.images_and_factors(HELD_OUT, TEST_SEED, progress=False)
    read = as_columns(read_codes(dq, pictures))
    judge = load_judge(world)
    real = judged(judge, pictures).features
    placed = read if generator.spec.continuous_prior == "uniform" else 2 * Normal(0, 1).cdf(read) - 1  # in [-1, 1]
    table = code_factor_table(placed, world.values(factors), world, generator.spec.circular)
    asked = Asked(world)

    def encode(x):
        return as_columns(read_codes(dq, x))

    return {
        **of_columns(read, factors),
        "Higgins": interventions.higgins_score(asked, encode, **BATCHES),
        "FactorVAE": interventions.factor_vae_score(asked, encode, n_spread=4000, **BATCHES),
        **{f"ρ {name}": table[name].max() for name in table},
        **of_drawn(generator, pictures, lambda x: judged(judge, x).features, real),
        "reconstruction": redrawn_error(generator, dq, pictures[:SEARCHED]),
    }


def score_digits(generator, dq):
    """The same on digits, whose factors are the label and what is measured: slant and thickness, in ten equal parts."""
    test = load_mnist(train=False)
    part = slice(HELD_OUT)
    images, labels = test.images[part], test.labels[part]
    measured = [MEASURES[name](to_ink(images)) for name in ("slant", "thickness")]
    tenths = [pd.qcut(pd.Series(np.asarray(x)).rank(method="first"), 10, labels=False).to_numpy() for x in measured]
    factors = np.stack([labels.numpy(), *tenths], axis=1)
    judge, read = load_classifier(), as_columns(read_codes(dq, images))
    return {
        **of_columns(read, factors),
        **of_drawn(generator, images, lambda x: classify(judge, x)[1], classify(judge, images)[1]),
        "reconstruction": redrawn_error(generator, dq, images[:SEARCHED]),
    }


def of_columns(read, factors):
    """Metrics of codes and factors that are given, and what small classifiers learn from few labelled codes."""
    read, factors = np.asarray(read), np.asarray(factors)
    trees = disentanglement.dci(read[:TREES], factors[:TREES], jobs=1)
    figures = {
        "MIG": disentanglement.mutual_information_gap(read, factors),
        "SAP": disentanglement.sap_score(read[:3000], factors[:3000], jobs=1),
        "DCI": trees.disentanglement,
    }
    for n in FEW:
        shares = []
        for k in range(factors.shape[1]):
            forest = RandomForestClassifier(random_state=0).fit(read[:n], factors[:n, k])
            shares.append(forest.score(read[2000:], factors[2000:, k]))
        figures[f"downstream {n}"] = np.mean(shares)
    return figures


def of_drawn(generator, pictures, features_of, real):
    """How G's pictures look beside real ones: sharpness as a share of theirs, and the Fréchet distance of a judge."""
    drawn = draw_images(generator, generator.spec.sample(HELD_OUT, torch.Generator().manual_seed(1)))
    return {
        "sharpness": sharpness(drawn) / sharpness(pictures),
        "Fréchet": frechet_distance(features_of(drawn), real),
    }


def redrawn_error(generator, dq, pictures):
    """Root mean squared error of ink, after a picture's codes are read, its noise is searched for, and it is redrawn.

    A VAE has no noise, and its codes are the encoder's means.
    """
    return find_codes(generator, dq, pictures).error.square().mean().sqrt().item()


def headline(record):
    seconds = "not trained here" if record["seconds"] is None else f"{record['seconds']:.0f} s"
    figures = {name: round(value, 3) for name, value in record["figures"].items()}
    return f"{seconds}, {json.dumps(figures | record.get('held', {}), ensure_ascii=False)}"


def write_table(folder):
    """All finished runs: one line per seed, and the median."""

    def row(record):
        return record["figures"] | record.get("late", {}) | {"seconds": record["seconds"]}

    records = [record for _, record in finished(folder, runs())]
    write_results(
        "vaes", "InfoGAN beside the VAEs", "Written by vaes.py; factors, labels and judges score.", records, row
    )


def ship(folder):
    """Write the weights of one VAE, in half precision, and a card with the figures of all runs beside it."""
    name, chosen = SHIPPED
    records, *others = (read_results(x) for x in ("vaes", *TRAINED_BY))
    took = {(r["run"], r["seed"]): r["seconds"] for other in others for r in other}
    runs, curves = {}, {}
    for r in records:
        seconds = r["seconds"] or took[TRAINED_AS.get(r["run"], r["run"]), r["seed"]]
        of_run = {"seed": r["seed"], "steps": r["config"]["steps"], "seconds": round(seconds), **r["parameters"]}
        figures = {key: round(value, 4) for key, value in {**r["figures"], **r.get("late", {})}.items()}
        runs.setdefault(r["run"], []).append(of_run | figures)
        if r["run"].startswith("mnist_held"):
            curves.setdefault(r["run"], []).append(r["curves"])
    [record] = [r for r in records if (r["run"], r["seed"]) == chosen]
    generator, discriminator_q = load_networks(chosen.weights(folder))
    facts = {
        "what": f"ControlVAE on Sprites, decoder and encoder as G and Q; seed {chosen.seed}, whatever it scored",
        "method": "control_vae",
        "config": record["config"],
        "trained on": f"{IMAGES:,} rendered pictures",
        "scored on": f"{HELD_OUT:,} others; factors, digits' labels and judges enter to score only",
        "precision": "weights were trained in 32 bits and are stored in 16",
        "measured": record["figures"] | record["late"],
        "runs": runs,
        "curves": {"every": CURVE_EVERY, **curves},
        "conditions": {**record["conditions"], "seconds": record["seconds"]},
    }
    save_pretrained(name, generator.half(), discriminator_q.half(), facts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ship", action="store_true", help="write one VAE's weights, and the figures of all runs")
    options = read_options(parser, runs(), nargs="*")
    if options.ship:
        ship(options.where.folder)
        return
    for data in {runs()[run.name].data for run in options.runs} - {"mnist"}:  # render before the workers start
        for n, seed in ((IMAGES, TRAIN_SEED), (HELD_OUT, TEST_SEED)):
            WORLD_PRESETS[data].world().images_and_factors(n, seed)
    train(train_and_score, options.runs, headline, options.where)
    write_table(options.where.folder)


if __name__ == "__main__":
    main()
