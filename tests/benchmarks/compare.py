"""Train presets over seeds and data sets, score every run by the protocol, and write one table and its plot.

    python tests/benchmarks/compare.py recipe@full:100-109 recipe@offline:100-109 paper@full:0
    python tests/benchmarks/compare.py recipe@full:0-4 paper@full:0 --workers 1 --threads 2
    python tests/benchmarks/compare.py recipe@full:100-109 --dask tcp://ADDRESS:8786

A run is PRESET@DATA:SEEDS, a preset of a method or one of ``additions``, which end early; where it trains, and what is
kept of it, is ``harness``. Labels score the snapshots after the training has ended; no training sees them.
"""

import argparse
import json
import statistics
import time
from dataclasses import asdict, replace

import matplotlib.pyplot as plt
import pandas as pd
import seaborn
import torch
from additions import ADDITIONS, OMISSIONS, STEPS
from harness import RESULTS, Measured, conditions, markdown, read_options, train

from infogan_helpers.checkpoints import load_named_tensors
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
from infogan_helpers.methods.digits import JUDGED_ON, answers_on_copies, most_confused
from infogan_helpers.quality import class_balance, classify, frechet_distance, load_classifier, sure_share
from infogan_helpers.tensor_files import load_tensors

SNAPSHOTS = 10  # of a whole run, evenly spaced; the last is its end
MATCHED_ON = 10_000  # training images that the snapshots' match is fitted on; the end is matched on all of them
FAKES = 10_000
GOAL = 0.95
SHORT = {**ADDITIONS, **OMISSIONS}
PRESETS = {**digits.PRESETS, **infogan.PRESETS, **SHORT}
METHOD_OF = {name: digits if isinstance(config, digits.Config) else infogan for name, config in PRESETS.items()}
DATA = {  # what to train and match on, what to score on
    "full": lambda: (load_mnist(), load_mnist(train=False)),
    "offline": lambda: (mnist_sample(), load_mnist(train=False)),
    "unseen": lambda: (without_sample(load_mnist()), load_mnist(train=False)),
    "fashion": lambda: (load_fashion_mnist(), load_fashion_mnist(train=False)),
}


NAMES = [f"{preset}@{data}" for preset in PRESETS for data in DATA]


def train_and_score(run, scratch):
    """One run and its figures, the networks of its snapshots scored as well."""
    preset, _, data = run.name.partition("@")
    spec, method = CodeSpec(), METHOD_OF[preset]
    pictures, test = DATA[data]()
    last = STEPS if preset in SHORT else PRESETS[preset].steps
    every = max(1, PRESETS[preset].steps // SNAPSHOTS)
    config = replace(PRESETS[preset], seed=run.seed, sample_every=every, checkpoint_every=every)
    checkpoint = scratch / "checkpoint.safetensors"

    def keep(history):  # the checkpoint of this step has just been written, but for that of the whole run's end
        if len(history) >= last:
            raise KeyboardInterrupt
        if len(history) % every == 0:
            (scratch / f"{len(history)}.safetensors").write_bytes(checkpoint.read_bytes())

    trained = method.fit(pictures.images, spec, config, checkpoint=checkpoint, callback=keep, progress=False)
    history, curve = trained.history, score_snapshots(method, spec, config, pictures, test, scratch)
    figures = measure(trained.generator, trained.discriminator_q, spec, pictures, test, digits=data != "fashion")
    end = {name: figures[name] for name in ("accuracy", "confused")}
    curve.append({"step": len(history), "seconds": round(history.seconds, 1), **end})
    figures |= {"minutes": history.seconds / 60, "images per second": history.images_per_second}
    figures["steps given up"] = history.given_up
    record = {
        "preset": preset, "data": data, "seed": run.seed, "method": method.METHOD.name, "config": asdict(config),
        "trained on": pictures.source,
        "scored on": test.source, "conditions": conditions(), "curve": curve,
        "figures": {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()},
    }  # fmt: skip
    return Measured(record, trained.generator, trained.discriminator_q)


def snapshots(method, spec, config, images, scratch):
    """What a run kept on its way: ``(step, seconds until then, players)``, their batch norm measured anew."""
    for file in sorted(scratch.glob("[0-9]*.safetensors"), key=lambda file: int(file.stem)):
        tensors, metadata = load_tensors(file)
        players = method.METHOD.make(spec, images.shape[1:], config)
        load_named_tensors(tensors, generator=players.generator, discriminator_q=players.discriminator_q)
        started = time.perf_counter()
        method.finish(players, images, spec, config)
        yield metadata["steps"], metadata["seconds"] + time.perf_counter() - started, players


def score_snapshots(method, spec, config, pictures, test, scratch):
    """A run on its way, a dictionary per snapshot: its accuracy, and ``confused``, which needs no label."""
    few, curve = ImageData(pictures.images[:MATCHED_ON], pictures.labels[:MATCHED_ON], pictures.source), []
    for step, seconds, players in snapshots(method, spec, config, pictures.images, scratch):
        accuracy = score_codes(players.discriminator_q, few, test).accuracy
        confused, *_ = most_confused(answers_on_copies(players.discriminator_q, pictures.images[:JUDGED_ON]))
        figures = {"accuracy": round(accuracy, 4), "confused": round(confused, 4)}
        curve.append({"step": step, "seconds": round(seconds, 1), **figures})
    return curve


def headline(record):
    return f"accuracy {record['figures']['accuracy']}, {record['figures']['minutes']:.1f} minutes"


def measure(generator, discriminator_q, spec, train, test, digits=True):
    """The figures of one run: real images by the protocol, then its own fakes."""
    score = score_codes(discriminator_q, train, test)
    codes = spec.sample(FAKES, torch.Generator().manual_seed(1))
    fakes = draw_images(generator, codes)
    posterior = read_codes(discriminator_q, fakes)
    bound = lower_bound(posterior, codes, spec)
    joint = answers_on_copies(discriminator_q, train.images[:JUDGED_ON])
    figures = {
        "accuracy": score.accuracy,
        "nmi": score.nmi,
        "matching": score.matching.tolist(),
        "confusion": score.confusion.to_numpy().tolist(),
        "answers on copies": joint.round(4).tolist(),
        "confused": most_confused(joint)[0],
        "code recovery": float(code_recovery(posterior, codes)),
        "L_I categorical": float(bound.categorical),
        "L_I continuous": float(bound.continuous),
    }
    if not digits:
        return figures
    table, by_class = code_attribute_table(generator, spec), code_attribute_table_by_class(generator, spec)
    followed = followed_measures(table)
    within = by_class.abs().groupby(level="code").median()
    figures["|rho|"] = {"across": rounded(table.abs()), "within": rounded(within)}  # of a code with a measure
    for name in ("slant", "thickness", "width"):
        column = table[name].abs()
        if column.isna().all():  # G drew nothing that could be measured
            figures |= dict.fromkeys(f"{what} {name}" for what in ("rho", "code of"))
            continue
        figures[f"rho {name}"] = float(column.max())
        figures[f"code of {name}"] = column.idxmax()
        figures[f"rho {name}, worst class"] = float(by_class[name].xs(column.idxmax(), level="code").abs().min())
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


def rounded(table):
    """A table of codes by measures as JSON takes it: code to measure to number, ``None`` where nothing was measured."""
    return {code: {name: None if x != x else round(x, 3) for name, x in row.items()} for code, row in table.T.items()}


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
                "confused": figures.get("confused"),
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
            }
        )
    return pd.DataFrame(rows)


def write(records, asked):
    """``results/compare.md``, ``.json`` and plots; ``asked`` are the runs as they were typed."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "compare.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    groups = {}
    for record in records:
        groups.setdefault((record["preset"], record["data"]), []).append(record)
    lines = ["# Presets over seeds", "", f"`python tests/benchmarks/compare.py {' '.join(asked)}`", ""]
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
    plot([record for record in records if record["preset"] not in SHORT])


def plot(records):
    """``results/accuracy_by_seconds.png`` and ``..._step.png``, of whole runs, where there are any."""
    points = [
        {"run": f"{r['preset']}, {r['data']}", "seed": r["seed"], **point} for r in records for point in r["curve"]
    ]
    if not points:
        return
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = read_options(parser, NAMES)
    write(train(train_and_score, options.runs, headline, options.where), options.asked)


if __name__ == "__main__":
    main()
