"""Count modes: GANs and their cures on a ring of 8 Gaussians, a grid of 25, and stacked digits; networks that grow.

    python tests/benchmarks/modes.py ring_plain:0-4 ring_r1:0-4 grid_plain:0-4 grid_r1:0-4 --workers 2
    python tests/benchmarks/modes.py ring_recipe:0-9 grid_recipe:0-9
    python tests/benchmarks/modes.py stacked_plain:0-4 stacked_classes:0-4 stacked_hinge:0-2
    python tests/benchmarks/modes.py faces_grown:0-1 faces_whole:0-1
    python tests/benchmarks/modes.py --ship

A run is NAME:SEEDS; where it trains (--dask ADDRESS: on a cluster), and what is kept of it, is ``harness``. All runs
on a mixture have the same networks and batches, all cures the same steps; ``recipe``, and what is left of it without
one of its parts, three times as many. Labels and factors score the runs after the training has ended; no training sees
them. Seconds are of the process, of one thread.
"""

import argparse
import json
import time
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import torch
from harness import Measured, Run, conditions, finished, read_options, read_results, rows_by_run, train, write_results

from infogan_helpers import mixtures
from infogan_helpers.checkpoints import load_networks, save_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist
from infogan_helpers.evaluation import draw_images
from infogan_helpers.judges import judged, load_judge
from infogan_helpers.methods import infogan, instance_noise, progressive
from infogan_helpers.quality import frechet_distance, load_classifier
from infogan_helpers.schedules import Ramp
from infogan_helpers.stacked_digits import count_stacked, stack_digits
from infogan_helpers.worlds import Faces

POINTS, COUNTED = 100_000, 2500  # real points, and drawn ones that are counted, as published
STACKED, STACKED_COUNTED = 60_000, 26_000
IMAGES, HELD_OUT, TEST_SEED = 50_000, 5000, 12345  # of faces
MIXTURES = {"ring": mixtures.ring, "grid": mixtures.grid}
NOISE = CodeSpec((), 2, 0, "normal")  # two numbers from N(0, 1), which nobody has to read


class Experiment(NamedTuple):
    """What a run trains: a data set's name, the codes, the method and its configuration."""

    data: str
    spec: CodeSpec
    method: object
    config: object


def classes(k):
    """A code of k classes, which Q reads, beside the two numbers that it need not."""
    return CodeSpec((k,), 0, 2)


POINT_BASE = {  # of every run on a mixture
    "batch_size": 128, "architecture": "points", "norm": "none", "width": 0.5, "betas": (0.0, 0.99),
    "learning_rate_g": 1e-3, "learning_rate_d": 1e-3, "learning_rate_q": 1e-3,
}  # fmt: skip
CURE_STEPS = 2000
UNREAD = {"lambda_continuous": 0.0}  # of a G whose noise is no code: L_I has nothing to ask of it
CURES = {  # name to method, and what is not as in the plain game
    "plain": (infogan, {}),
    "two_rates": (infogan, {"learning_rate_g": 2.5e-4}),
    "spectral": (infogan, {"norm": "spectral"}),
    "hinge": (infogan, {"game": "hinge"}),
    "wasserstein": (infogan, {"game": "wasserstein"}),
    "r1": (infogan, {"game": "r1"}),
    "r1_light": (infogan, {"game": "r1_light"}),
    "noise": (instance_noise, {"noise": Ramp(0.0, 0.8, 0.2, 0.0), "lambda_information": 0.0}),
}
COUNTS = {"ring": (4, 8, 16), "grid": (10, 25, 50)}  # classes of InfoGAN's code; as many as modes in the middle
RECIPE = {  # fog that lifts, then rates that fall, and L_I
    "steps": 6000, "noise": Ramp(0.0, 0.5, 0.3, 0.0), "learning_rate_factor": Ramp(0.3, 1.0, 1.0, 0.01),
    "lambda_information": 0.5,
}  # fmt: skip
LEFT_OUT = {  # what is left out of the recipe, and how
    "fog": {"noise": 0.0},
    "falling": {"learning_rate_factor": 1.0},
    "information": {"lambda_information": 0.0},
}
STACKED_BASE = {"steps": 800, "batch_size": 64, "learning_rate_g": 1e-3}
STACKED_NOISE = CodeSpec((), 1, 64)  # a number that nobody has to read, and noise
CURES_OF_STACKED = {  # what is not as in the plain game; its D has batch norm, and half of G's rate
    "two_rates": (infogan, {"learning_rate_g": 2.5e-4, "learning_rate_d": 1e-3}),
    "spectral": (infogan, {"norm": "spectral"}),
    "hinge": (infogan, {"game": "hinge"}),
    "wasserstein": (infogan, {"game": "wasserstein", "norm": "none"}),
    "r1_light": (infogan, {"game": "r1_light", "norm": "none"}),
    "noise": CURES["noise"],
}
FACES = CodeSpec((), 5, 32)
FACES_BASE = {
    "steps": 1500, "batch_size": 32, "learning_rate_g": 1e-3, "learning_rate_d": 1e-3, "betas": (0.0, 0.99),
    "width": 0.5,
}  # fmt: skip
OF_FACES = {"grown": {}, "whole": {"grown": 2.0}}  # as many steps, so as many pictures
SHIPPED = Run("grid_recipe", 0)  # whatever it scored


class Unchecked(infogan.Config):
    """The settings that a configuration refuses: batch norm under a penalty on each image by itself."""

    def __post_init__(self):
        pass


def runs():
    """Everything that can be trained: name to ``Experiment``."""
    every = {}
    for data, counts in COUNTS.items():
        base = POINT_BASE | {"steps": CURE_STEPS}
        for name, (method, changes) in CURES.items():
            config = method.Config(**base | (UNREAD if method is infogan else {}) | changes)
            every[f"{data}_{name}"] = Experiment(data, NOISE, method, config)
        for k in counts:  # L_I pushes, or Q only watches
            every[f"{data}_classes{k}"] = Experiment(data, classes(k), infogan, infogan.Config(**base))
            silent = infogan.Config(**base, lambda_categorical=0.0)
            every[f"{data}_silent{k}"] = Experiment(data, classes(k), infogan, silent)
        recipe = instance_noise.Config(**POINT_BASE | RECIPE)
        every[f"{data}_recipe"] = whole = Experiment(data, classes(counts[1]), instance_noise, recipe)
        for what, changes in LEFT_OUT.items():
            every[f"{data}_without_{what}"] = whole._replace(config=replace(recipe, **changes))
        banned = Unchecked(**base | UNREAD | {"game": "r1_light", "norm": "batch"})
        every[f"{data}_banned"] = Experiment(data, NOISE, infogan, banned)
    stacked = infogan.Config(**STACKED_BASE | UNREAD)
    every["stacked_plain"] = Experiment("stacked", STACKED_NOISE, infogan, stacked)
    every["stacked_classes"] = Experiment("stacked", CodeSpec((10, 10, 10), 0, 64), infogan, stacked)
    for name, (method, changes) in CURES_OF_STACKED.items():
        config = method.Config(**STACKED_BASE | (UNREAD if method is infogan else {}) | changes)
        every[f"stacked_{name}"] = Experiment("stacked", STACKED_NOISE, method, config)
    for name, changes in OF_FACES.items():
        every[f"faces_{name}"] = Experiment("faces", FACES, progressive, progressive.Config(**FACES_BASE | changes))
    return every


def images_of(data):
    """What a run trains on, the same for every seed."""
    if data in MIXTURES:
        return mixtures.sample(MIXTURES[data](), POINTS, torch.Generator().manual_seed(100))
    if data == "stacked":
        return stack_digits(load_mnist().images, STACKED, torch.Generator().manual_seed(100))
    return Faces().images_and_factors(IMAGES, 0, progress=False).images


def train_and_score(run, scratch):
    """One run and its figures."""
    data, spec, method, config = runs()[run.name]
    images, config = images_of(data), replace(config, seed=run.seed)
    options = {"device": "cpu", "checkpoint": scratch / "checkpoint.safetensors", "progress": False}
    started = time.process_time()
    trained = method.fit(images, spec, config, **options)
    seconds = time.process_time() - started
    record = {"run": run.name, "seed": run.seed, "config": asdict(config), "spec": asdict(spec)}
    record |= {"seconds": round(seconds, 1), "figures": score(data, trained.generator, spec)}
    bound = np.mean(trained.history.bound_categorical[-50:]) if spec.categorical else 0.0
    record["figures"]["L_I"] = round(float(bound), 3)
    return Measured(record | {"conditions": conditions()}, trained.generator, trained.discriminator_q)


def score(data, generator, spec):
    """Modes and quality of what G draws."""
    random = torch.Generator().manual_seed(1)
    if data in MIXTURES:
        points = draw_images(generator, spec.sample(COUNTED, random))
        counted = mixtures.count_modes(MIXTURES[data](), points)
        return {"modes": counted.caught, "good": round(counted.good, 4), "least": round(float(counted.shares.min()), 4)}
    if data == "stacked":
        images = draw_images(generator, spec.sample(STACKED_COUNTED, random))
        counted = count_stacked(load_classifier(), images)
        return {"modes": counted.caught, "KL": round(counted.divergence, 3)}
    judge, (real, *_) = load_judge(Faces()), Faces().images_and_factors(HELD_OUT, TEST_SEED, progress=False)
    fakes = draw_images(generator, spec.sample(HELD_OUT, random))
    distance = frechet_distance(judged(judge, fakes).features, judged(judge, real).features)
    return {"Fréchet": round(distance, 2)}


def headline(record):
    return f"{record['seconds']:.0f} s, {json.dumps(record['figures'], ensure_ascii=False)}"


def write_table(folder):
    """All finished runs: one line per seed, and the median."""

    def row(record):
        return record["figures"] | {"seconds": record["seconds"]}

    records = [record for _, record in finished(folder, runs())]
    note = f"Written by modes.py; {COUNTED:,} points are counted, {STACKED_COUNTED:,} stacks, {HELD_OUT:,} faces."
    write_results("modes", "Modes caught", note, records, row)


def ship(folder):
    """Write the weights of one recipe's run and a card with the figures of all runs."""
    records = read_results("modes")
    [record] = [r for r in records if (r["run"], r["seed"]) == SHIPPED]
    facts = {
        "what": f"a G that draws the grid of 25 Gaussians; seed {SHIPPED.seed}, whatever it scored",
        "method": instance_noise.METHOD.name,
        "config": record["config"],
        "trained on": f"{POINTS:,} points",
        "scored on": f"{COUNTED:,} points that it draws",
        "measured": record["figures"],
        "runs": rows_by_run(records, lambda r: {**r["figures"], "seconds": r["seconds"]}),
        "conditions": {**record["conditions"], "seconds": record["seconds"]},
    }
    save_pretrained("modes", *load_networks(SHIPPED.weights(folder)), facts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ship", action="store_true", help="write the recipe's weights on the grid, and the card")
    options = read_options(parser, runs(), nargs="*")
    if options.ship:
        ship(options.where.folder)
        return
    train(train_and_score, options.runs, headline, options.where)
    write_table(options.where.folder)


if __name__ == "__main__":
    main()
