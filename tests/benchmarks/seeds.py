"""Notebook 04's recipe, and the same without restyling, over several seeds, scored as in the notebook.

    python tests/benchmarks/seeds.py                        train both, five seeds and two, print the tables
    python tests/benchmarks/seeds.py --seeds 0 --recipes restyled
    python tests/benchmarks/seeds.py --ship                 and write the median run to data/pretrained

Finished runs are kept in --folder, so that a killed command goes on where it stopped. Labels are used to score, never
to train; the run that ships is the one of median accuracy, not the best.
"""

import argparse
import os
import platform
import statistics
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import torch

from infogan_helpers.checkpoints import PRETRAINED_FOLDER, save_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist
from infogan_helpers.evaluation import code_accuracy, code_attribute_table, match_codes_to_labels, read_codes
from infogan_helpers.losses import lower_bound
from infogan_helpers.plots import image_grid
from infogan_helpers.training import TrainingConfig, code_recovery, fit

RECIPE = TrainingConfig(restyle=1.0, information_trains_trunk=True)
RECIPES = {"restyled": RECIPE, "plain": replace(RECIPE, restyle=0.0)}
SEEDS = {"restyled": (0, 1, 2, 3, 4), "plain": (0, 1)}
FAKES = 5000
MEASURES = ("slant", "thickness", "width")


def measure(run, spec, train, test):
    """The figures of one run: on fakes that it never trained on, on real digits, and the codes' correlations."""
    codes = spec.sample(FAKES, torch.Generator().manual_seed(1))
    with torch.no_grad():
        fakes = torch.cat([run.generator(codes[i : i + 1000]) for i in range(0, FAKES, 1000)])
    posterior = read_codes(run.discriminator_q, fakes)
    bound = lower_bound(posterior, codes, spec)
    parts = (read_codes(run.discriminator_q, part.images).categorical_logits[0].argmax(1) for part in (train, test))
    seen, unseen = parts
    table = code_attribute_table(run.generator, spec)
    return {
        "accuracy": code_accuracy(unseen, test.labels, match_codes_to_labels(seen, train.labels)),
        "code_recovery": float(code_recovery(posterior, codes)),
        "L_I categorical": float(bound.categorical),
        "L_I continuous": float(bound.continuous),
        **{f"{code} {name}": float(table.loc[code, name]) for code in table.index for name in MEASURES},
        "minutes": run.history.seconds / 60,
        "images per second": run.history.images_per_second,
    }


def median_row(rows):
    middle = statistics.median_low([row["accuracy"] for row in rows])
    return next(row for row in rows if row["accuracy"] == middle)


def ship(run, config, tables, conditions, spec):
    """Write the weights, their card and the README's picture."""
    facts = {
        "what": "InfoGAN on MNIST, notebook 04's recipe, the run of median accuracy among the seeds below",
        "config": asdict(config),
        "measured": median_row(tables["restyled"]),
        "seeds": tables["restyled"],
        "seeds without restyling": tables["plain"],
        "conditions": conditions,
    }
    save_pretrained("mnist", run.generator, run.discriminator_q, facts)
    values = torch.linspace(-2, 2, 9)
    codes = spec.sample(1, torch.Generator().manual_seed(1))
    codes = codes.replace(continuous=torch.zeros(1, spec.continuous)).sweep_categorical(0, range(10))
    with torch.no_grad():
        images = run.generator(codes.sweep_continuous(0, values))
    figure = image_grid(
        images, 9, row_labels=range(10), column_labels=values.tolist(), row_name="c1", column_name="c2", support=(-1, 1)
    )
    figure.savefig(PRETRAINED_FOLDER / "mnist.png", dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of " + str(SEEDS))
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--folder", type=Path, default=Path("data/runs"))
    parser.add_argument("--ship", action="store_true")
    options = parser.parse_args()
    if options.ship and (options.seeds or options.recipes != list(RECIPES)):
        parser.error("--ship writes the tables of all recipes and seeds: leave --recipes and --seeds out")
    spec, train, test = CodeSpec(), load_mnist(), load_mnist(train=False)
    conditions = {
        "trained on": f"{len(train.images):,} MNIST digits, no labels",
        "scored on": f"{len(test.images):,} test digits, codes matched to labels on the training digits",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads a run",
        "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0]},
        "command": "python tests/benchmarks/seeds.py --ship",
    }
    print(conditions)
    runs, tables = {}, {}
    for recipe in options.recipes:
        tables[recipe] = []
        for seed in options.seeds or SEEDS[recipe]:
            config = replace(RECIPES[recipe], seed=seed)
            file = options.folder / f"{recipe}-{seed}.safetensors"
            runs[recipe, seed] = fit(train.images, spec, config, checkpoint=file, progress=False), config
            row = measure(runs[recipe, seed][0], spec, train, test)
            tables[recipe].append({"seed": seed, **{name: round(value, 4) for name, value in row.items()}})
        print(f"\n{recipe}\n{pd.DataFrame(tables[recipe]).set_index('seed').T.round(3).to_string()}", flush=True)
        accuracy = [row["accuracy"] for row in tables[recipe]]
        print(
            f"accuracy: median {statistics.median(accuracy)}, worst {min(accuracy)}, best {max(accuracy)}", flush=True
        )
    if options.ship:
        run, config = runs["restyled", median_row(tables["restyled"])["seed"]]
        ship(run, config, tables, conditions, spec)
        print(f"shipped: restyled, seed {config.seed}")


if __name__ == "__main__":
    main()
