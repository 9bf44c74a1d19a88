"""Train presets over seeds and data sets, score every run by the protocol, and write one table and its plot.

    python tests/benchmarks/compare.py recipe@full:0-9 recipe@offline:0-9 paper@full:0
    python tests/benchmarks/compare.py recipe@full:0-4 paper@full:0 --workers 1 --threads 2

A run is PRESET@DATA:SEEDS. Each one trains in a process of its own; finished runs are kept in --folder, so that a
killed command goes on where it stopped. Labels score the snapshots after the training has ended; no training sees them.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import seaborn
import torch

from infogan_helpers.checkpoints import load_named_tensors, load_tensors, save_networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import ImageData, load_fashion_mnist, load_mnist, mnist_sample, without_sample
from infogan_helpers.evaluation import (
    code_attribute_table,
    code_attribute_table_by_class,
    draw_images,
    followed_measures,
    read_codes,
    score_codes,
)
from infogan_helpers.losses import code_recovery, lower_bound
from infogan_helpers.methods import digits, infogan
from infogan_helpers.quality import class_balance, classify, frechet_distance, load_classifier, sure_share

FOLDER = Path("data/runs")
RESULTS = Path(__file__).parent / "results"
SNAPSHOTS = 10  # of a run, evenly spaced; the last is its end
MATCHED_ON = 10_000  # training images that the snapshots' match is fitted on; the end is matched on all of them
FAKES = 10_000
GOAL = 0.95
METHOD_OF = {name: method for method in (digits, infogan) for name in method.PRESETS}
DATA = {  # what to train and match on, what to score on
    "full": lambda: (load_mnist(), load_mnist(train=False)),
    "offline": lambda: (mnist_sample(), load_mnist(train=False)),
    "unseen": lambda: (without_sample(load_mnist()), load_mnist(train=False)),
    "fashion": lambda: (load_fashion_mnist(), load_fashion_mnist(train=False)),
}


def parse(argument):
    """``recipe@full:0-2,5`` to ``[("recipe", "full", 0), …]``."""
    name, _, seeds = argument.partition(":")
    preset, _, data = name.partition("@")
    if preset not in METHOD_OF or data not in DATA or not seeds:
        raise argparse.ArgumentTypeError(f"PRESET@DATA:SEEDS with {list(METHOD_OF)} and {list(DATA)}, got {argument!r}")
    return [(preset, data, seed) for seed in parse_seeds(seeds)]


def parse_seeds(text):
    """``0-2,5`` to ``[0, 1, 2, 5]``."""
    spans = [[int(end) for end in part.split("-")] for part in text.split(",")]
    return [seed for span in spans for seed in range(span[0], span[-1] + 1)]


def run_name(preset, data, seed):
    return f"{preset}@{data}-{seed}"


def train_one(preset, data, seed, folder):
    """Train and score one run in this process; writes its networks and its figures."""
    name, spec = run_name(preset, data, seed), CodeSpec()
    train, test = DATA[data]()
    method = METHOD_OF[preset]
    every = max(1, method.PRESETS[preset].steps // SNAPSHOTS)
    config = replace(method.PRESETS[preset], seed=seed, sample_every=every, checkpoint_every=every)
    checkpoint = folder / f"{name}.run.safetensors"
    snapshots = folder / f"{name}.snapshots"
    snapshots.mkdir(parents=True, exist_ok=True)

    def keep(history):  # the checkpoint of this step has just been written, but for the last one
        if len(history) < config.steps:
            (snapshots / f"{len(history)}.safetensors").write_bytes(checkpoint.read_bytes())

    run = method.fit(train.images, spec, config, checkpoint=checkpoint, callback=keep, progress=False)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before scoring takes its own
    save_networks(folder / f"{name}.safetensors", run.generator, run.discriminator_q)
    few = ImageData(train.images[:MATCHED_ON], train.labels[:MATCHED_ON], train.source)
    curve = []
    for file in sorted(snapshots.glob("*.safetensors"), key=lambda file: int(file.stem)):
        tensors, metadata = load_tensors(file)
        players = method.METHOD.make(spec, train.images.shape[1:], config)
        load_named_tensors(tensors, generator=players.generator, discriminator_q=players.discriminator_q)
        started = time.perf_counter()
        method.finish(players, train.images, spec, config)
        seconds = metadata["seconds"] + time.perf_counter() - started
        accuracy = score_codes(players.discriminator_q, few, test).accuracy
        curve.append({"step": metadata["steps"], "seconds": round(seconds, 1), "accuracy": round(accuracy, 4)})
        file.unlink()
    snapshots.rmdir()
    figures = measure(run.generator, run.discriminator_q, spec, train, test, digits=data != "fashion")
    curve.append({"step": config.steps, "seconds": round(run.history.seconds, 1), "accuracy": figures["accuracy"]})
    figures |= {
        "minutes": run.history.seconds / 60,
        "images per second": run.history.images_per_second,
        "peak memory (MB)": memory,
    }
    record = {
        "preset": preset, "data": data, "seed": seed, "method": method.METHOD.name, "config": asdict(config),
        "trained on": train.source,
        "scored on": test.source, "conditions": conditions(), "curve": curve,
        "figures": {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()},
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    checkpoint.unlink()


def measure(generator, discriminator_q, spec, train, test, digits=True):
    """The figures of one run: real images by the protocol, then its own fakes."""
    score = score_codes(discriminator_q, train, test)
    codes = spec.sample(FAKES, torch.Generator().manual_seed(1))
    fakes = draw_images(generator, codes)
    posterior = read_codes(discriminator_q, fakes)
    bound = lower_bound(posterior, codes, spec)
    figures = {
        "accuracy": score.accuracy,
        "nmi": score.nmi,
        "matching": score.matching.tolist(),
        "confusion": score.confusion.to_numpy().tolist(),
        "code recovery": float(code_recovery(posterior, codes)),
        "L_I categorical": float(bound.categorical),
        "L_I continuous": float(bound.continuous),
    }
    if not digits:
        return figures
    table, by_class = code_attribute_table(generator, spec), code_attribute_table_by_class(generator, spec)
    followed = followed_measures(table)
    for name in ("slant", "thickness", "width"):
        column = table[name].abs()
        figures[f"rho {name}"] = float(column.max())
        figures[f"code of {name}"] = column.idxmax()
        within = by_class[name].xs(column.idxmax(), level="code").abs()
        figures |= {
            f"rho {name}, median class": float(within.median()),
            f"rho {name}, worst class": float(within.min()),
        }
    figures |= {"codes": followed["measure"].to_dict(), "share a measure": bool(followed["shared"].any())}
    classifier = load_classifier()
    probabilities, features = classify(classifier, fakes)
    balance = class_balance(probabilities, codes.categorical[:, 0])
    real = classify(classifier, test.images)[1]
    figures |= {
        "sure": sure_share(probabilities),
        "drawn digit, worst code": float(balance.max(axis=1).min()),
        "Fréchet distance": frechet_distance(features, real),
        "Fréchet floor": frechet_distance(classify(classifier, load_mnist().images[-FAKES:])[1], real),
    }
    return figures


def conditions():
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, encoding="utf-8", check=False)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, no GPU used",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "date": date.today().isoformat(),
        "commit": commit.stdout.strip() or "unknown",
    }


def seconds_to_goal(record):
    """Training time until the first snapshot at or above ``GOAL``, ``None`` where there is none."""
    return next((point["seconds"] for point in record["curve"] if point["accuracy"] >= GOAL), None)


def table_of(records):
    """One row per run, as it is written."""
    rows = []
    for record in records:
        figures, to_goal = record["figures"], seconds_to_goal(record)
        rows.append(
            {
                "run": f"{record['preset']}, {record['data']}",
                "seed": record["seed"],
                "accuracy": figures["accuracy"],
                "NMI": figures["nmi"],
                f"seconds to {GOAL:.0%}": "never" if to_goal is None else round(to_goal),
                "recovery": figures["code recovery"],
                "L_I c1": figures["L_I categorical"],
                "L_I c2 + c3": figures["L_I continuous"],
                "ρ slant": figures.get("rho slant"),
                "ρ thickness": figures.get("rho thickness"),
                "sure": figures.get("sure"),
                "Fréchet": figures.get("Fréchet distance"),
                "floor": figures.get("Fréchet floor"),
                "minutes": round(figures["minutes"], 1),
                "images/s": round(figures["images per second"]),
                "MB": round(figures["peak memory (MB)"]),
            }
        )
    return pd.DataFrame(rows)


def write(records):
    """``results/compare.md``, ``.json`` and two plots."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "compare.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    groups = {}
    for record in records:
        groups.setdefault((record["preset"], record["data"]), []).append(record)
    lines = ["# Presets over seeds", "", f"`python tests/benchmarks/compare.py {' '.join(sys.argv[1:])}`", ""]
    for (preset, data), members in groups.items():
        accuracy = [record["figures"]["accuracy"] for record in members]
        times = [seconds_to_goal(record) for record in members]
        reached = sorted(float("inf") if t is None else t for t in times)
        lines += [
            f"- **{preset}, {data}** ({len(members)} seeds): accuracy median {statistics.median(accuracy):.4f}, "
            f"worst {min(accuracy):.4f}, best {max(accuracy):.4f}; median time to {GOAL:.0%}: "
            f"{statistics.median(reached):.0f} s. {json.dumps(members[0]['conditions'])}"
        ]
    lines += ["", *markdown(table_of(records)), ""]
    (RESULTS / "compare.md").write_text("\n".join(lines), encoding="utf-8")
    points = [
        {"run": f"{r['preset']}, {r['data']}", "seed": r["seed"], **point} for r in records for point in r["curve"]
    ]
    for axis, label in (("seconds", "training time (s)"), ("step", "training step")):
        figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
        seaborn.lineplot(
            pd.DataFrame(points), x=axis, y="accuracy", hue="run", style="run", units="seed", estimator=None,
            markers=True, palette="colorblind", ax=ax,
        )  # fmt: skip
        ax.axhline(GOAL, color="grey", linewidth=1)
        ax.set(xlabel=label, ylabel="c1 accuracy on the test images")
        figure.savefig(RESULTS / f"accuracy_by_{axis}.png", dpi=110)
        plt.close(figure)


def markdown(frame):
    """A ``DataFrame`` as a Markdown table, floats with three decimals."""
    rows = [list(frame.columns), ["---"] * frame.shape[1]]
    rows += [[f"{value:.3f}" if isinstance(value, float) else str(value) for value in row] for row in frame.to_numpy()]
    return ["| " + " | ".join(row) + " |" for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=parse, nargs="+", metavar="PRESET@DATA:SEEDS")
    parser.add_argument("--workers", type=int, default=2, help="runs at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads per run")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--here", action="store_true", help="train the one run in this process, write no table")
    options = parser.parse_args()
    runs = [run for group in options.runs for run in group]
    torch.set_num_threads(options.threads)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.here:
        train_one(*runs[0], options.folder)
        return

    def launch(run):
        preset, data, seed = run
        file = options.folder / f"{run_name(*run)}.json"
        if not file.is_file():
            command = [sys.executable, __file__, f"{preset}@{data}:{seed}", "--here"]
            command += ["--threads", str(options.threads), "--folder", str(options.folder)]
            subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": str(options.threads)})
        record = json.loads(file.read_text(encoding="utf-8"))
        print(run_name(*run), record["figures"]["accuracy"], f"{record['figures']['minutes']:.1f} minutes", flush=True)
        return record

    with ThreadPoolExecutor(options.workers) as pool:
        write(list(pool.map(launch, runs)))


if __name__ == "__main__":
    main()
