"""Train InfoGAN and its relatives on digits over seeds, score every run on the same test digits, and write one table.

    python tests/benchmarks/relatives.py ss10:0-4 ss100:0-4 digits:0-4 alone10:0-4 infogan:0-4 ac:0-4 --workers 2
    python tests/benchmarks/relatives.py overlap_ac_1:0-2 overlap_infogan_1:0-2
    python tests/benchmarks/relatives.py --ship ss_infogan ac_infogan

A run is NAME:SEEDS; where it trains (--dask ADDRESS: on a cluster), and what is kept of it, is ``harness``. The number
in ``ss10`` and ``alone10`` is how many labels are kept, as many of each digit, drawn by the run's seed; ``alone`` is a
supervised network of the same trunk. ``overlap`` runs draw class A = {0, 1} and class B = {0, 2}. The table has all
finished runs. Test labels, and a classifier that learned from labels, score the runs after the training has ended.
"""

import argparse
import json
import re
import time
from dataclasses import asdict, replace

import numpy as np
import torch
from harness import Measured, Run, conditions, finished, read_options, read_results, rows_by_run, train, write_results

from infogan_helpers.checkpoints import load_networks, save_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist
from infogan_helpers.evaluation import (
    code_accuracy,
    code_attribute_table,
    draw_images,
    match_codes_to_labels,
    read_codes,
    score_codes,
)
from infogan_helpers.labels import UNLABELLED, few_labels, labelled_images
from infogan_helpers.methods import ac_infogan, digits, infogan, ss_infogan, variational
from infogan_helpers.methods.players import make_players, recalibrate_batch_norm
from infogan_helpers.networks import QHead
from infogan_helpers.quality import classify, frechet_distance, learn, load_classifier

SPEC = CodeSpec()
LABELS = (10, 20, 50, 100, 1000)
STEPS = ss_infogan.Config().steps  # of the recipe, with labels and without
PLAIN_STEPS = 2000  # of the paper's algorithm, with a classifier and without
OVERLAP_STEPS = 1000
WEIGHTS = (0.0, 1.0, 3.0, 10.0, 30.0)
CLASSES = {"ac": 2, "infogan": 2, "infogan3": 3}  # of c1, where classes overlap
FAKES = 10_000
SHIPPED = {  # the run whose weights ship, and the beginnings of the runs' names on its card
    "ss_infogan": (Run("ss10", 0), ("ss", "alone", "digits")),
    "ac_infogan": (Run("ac", 0), ("ac", "infogan", "mixture", "flow", "overlap")),
}
NAMES = [
    *(f"ss{n}" for n in LABELS),
    *(f"alone{n}" for n in LABELS),
    *("digits", "infogan", "ac", "mixture", "flow"),
    *(f"overlap_{who}_{x:g}" for who in CLASSES for x in WEIGHTS),
]


def train_and_score(run, scratch):
    """One run and its figures."""
    if run.name.startswith("overlap"):
        return overlap(run, scratch)
    kind, count = re.fullmatch(r"([a-z]+)(\d*)", run.name).groups()
    data, test = load_mnist(), load_mnist(train=False)
    labels = few_labels(data.labels, int(count) // 10, run.seed) if count else data.labels
    options = {"device": "cpu", "checkpoint": scratch / "checkpoint.safetensors", "progress": False}
    if kind == "alone":
        started = time.perf_counter()
        generator, dq, config = alone(data.images, labels, run.seed)
        seconds = time.perf_counter() - started
    else:
        method, config, known = {
            "ss": (ss_infogan, ss_infogan.Config(steps=STEPS, seed=run.seed), {"labels": labels}),
            "digits": (digits, digits.Config(steps=STEPS, seed=run.seed), {}),
            "infogan": (infogan, replace(infogan.PRESETS["plain"], steps=PLAIN_STEPS, seed=run.seed), {}),
            "ac": (ac_infogan, ac_infogan.Config(steps=PLAIN_STEPS, seed=run.seed), {"labels": labels}),
            "mixture": (variational, variational.Config(steps=PLAIN_STEPS, seed=run.seed, family="mixture"), {}),
            "flow": (variational, variational.Config(steps=PLAIN_STEPS, seed=run.seed, family="flow"), {}),
        }[kind]
        generator, dq, history, _ = method.fit(data.images, SPEC, config, **known, **options)
        seconds = history.seconds
    figures = score(dq, data, test, placed=kind in ("ss", "ac", "alone"), seed=run.seed)
    if kind != "alone":
        figures |= score_drawn(generator, test, figures.pop("matching"))
        figures["L_I c2 + c3"] = np.mean(history.bound_continuous[-50:])
    figures.pop("matching", None)
    if kind in ("mixture", "flow"):  # whose file has a plain head, not trained: nothing loads it
        dq.q_head = QHead(SPEC, dq.real_head.in_features, 32, "learned", "batch")
    seen = int((labels != UNLABELLED).sum()) if kind in ("ss", "ac", "alone") else 0
    return Measured(record_of(run, config, seconds, seen, figures), generator, dq)


def record_of(run, config, seconds, labels, figures):
    """What is kept of a run: ``labels`` counts those that its training saw; ``None`` is what could not be measured."""
    kept = {name: None if np.isnan(value) else round(float(value), 4) for name, value in figures.items()}
    return {
        "run": run.name, "seed": run.seed, "config": asdict(config), "seconds": round(seconds), "labels": labels,
        "figures": kept, "conditions": conditions(),
    }  # fmt: skip


def alone(images, labels, seed):
    """The trunk and Q's head of ss-InfoGAN, taught by the same labels and copies, and by nothing else."""
    config, few = ss_infogan.Config(steps=STEPS, seed=seed), labelled_images(images, labels, SPEC)
    torch.manual_seed(seed)
    players, random = make_players(SPEC, images.shape[1:], config), torch.Generator().manual_seed(seed)
    dq = players.discriminator_q

    def loss(_):
        return ss_infogan.label_loss(dq, *few.draw(config.labelled_batch, random), config, random)

    learn(dq, loss, len(few.images), STEPS, config.labelled_batch, random, progress=False)
    players.generator.eval()
    recalibrate_batch_norm(players, images, SPEC, seed, lambda real, fake, generator: (real,))
    return players.generator, dq.eval(), config


def score(dq, data, test, placed, seed):
    """c1 on the test images: as it stands where labels placed it, else matched on all labels, and on few of them."""
    read = read_codes(dq, test.images).categorical_logits[0].argmax(1)
    if placed:
        matching = np.arange(10)
        return {"accuracy": code_accuracy(read, test.labels, matching), "matching": matching}
    whole = score_codes(dq, data, test)
    figures = {"accuracy": whole.accuracy, "matching": whole.matching}
    for n in LABELS:
        kept = few_labels(data.labels, n // 10, seed)
        known = kept != UNLABELLED
        few = read_codes(dq, data.images[known]).categorical_logits[0].argmax(1)
        figures[f"matched on {n}"] = code_accuracy(read, test.labels, match_codes_to_labels(few, kept[known]))
    return figures


def score_drawn(generator, test, matching):
    """What G draws: whether the class asked for is drawn, how style codes are followed, and how real it looks."""
    codes = SPEC.sample(FAKES, torch.Generator().manual_seed(1))
    judge = load_classifier()
    probabilities, features = classify(judge, draw_images(generator, codes))
    asked = torch.as_tensor(matching)[codes.categorical[:, 0]]
    table = code_attribute_table(generator, SPEC).abs()
    return {
        "drawn as asked": (probabilities.argmax(1) == asked).float().mean(),
        "ρ slant": table["slant"].max(),
        "ρ thickness": table["thickness"].max(),
        "Fréchet": frechet_distance(features, classify(judge, test.images)[1]),
    }


def overlapping(seed):
    """Pictures of 0, 1 and 2, and their classes: each 1 is of class 0, each 2 of class 1, a 0 of either."""
    data, random = load_mnist(), torch.Generator().manual_seed(seed)
    rows = [(data.labels == digit).nonzero()[:, 0] for digit in range(3)]
    n = min(map(len, rows)) // 2
    rows = [
        of[torch.randperm(len(of), generator=random)[: 2 * n if digit == 0 else n]] for digit, of in enumerate(rows)
    ]
    classes = torch.cat([torch.arange(2 * n) % 2, torch.zeros(n, dtype=torch.long), torch.ones(n, dtype=torch.long)])
    return data.images[torch.cat(rows)], classes


def overlap(run, scratch):
    """One run where classes overlap: the share of zeros among what G draws, half in truth."""
    _, who, weight = run.name.split("_")
    images, labels = overlapping(run.seed)
    spec = CodeSpec((CLASSES[who],), 0, 32)
    changes = {"steps": OVERLAP_STEPS, "batch_size": 64, "learning_rate_g": 1e-3, "seed": run.seed}
    options = {"device": "cpu", "checkpoint": scratch / "checkpoint.safetensors", "progress": False}
    if who == "ac":
        config = ac_infogan.Config(lambda_class=float(weight), **changes)
        generator, dq, history, _ = ac_infogan.fit(images, spec, config, labels=labels, **options)
    else:
        config = infogan.Config(lambda_categorical=float(weight), **changes)
        generator, dq, history, _ = infogan.fit(images, spec, config, **options)
    codes = spec.sample(FAKES, torch.Generator().manual_seed(1))
    drawn = classify(load_classifier(), draw_images(generator, codes))[0].argmax(1)
    figures = {f"share of {digit}": (drawn == digit).float().mean() for digit in range(3)}
    for k in range(CLASSES[who]):
        figures[f"share of 0 where c1 = {k}"] = (drawn[codes.categorical[:, 0] == k] == 0).float().mean()
    figures["L_I"] = np.mean(history.bound_categorical[-50:])
    seen = len(labels) if who == "ac" else 0
    return Measured(record_of(run, config, history.seconds, seen, figures), generator, dq)


def headline(record):
    return f"{record['seconds']} s, {json.dumps(record['figures'], ensure_ascii=False)}"


def write_table(folder):
    """All finished runs: one line per seed, and the median."""

    def row(record):
        return record["figures"] | {"labels": record["labels"], "seconds": record["seconds"]}

    records = [record for _, record in finished(folder, NAMES)]
    write_results(
        "relatives",
        "InfoGAN and its relatives on digits",
        "Written by relatives.py; 10,000 test digits score.",
        records,
        row,
    )


def ship(name, folder):
    """Write the weights of one run, in half precision, and a card with the figures of all runs beside it."""
    chosen, beside = SHIPPED[name]
    records = read_results("relatives")
    [record] = [r for r in records if (r["run"], r["seed"]) == chosen]
    generator, discriminator_q = load_networks(chosen.weights(folder))
    facts = {
        "what": f"{name} on digits, {record['labels']:,} labels; seed {chosen.seed}, whatever it scored",
        "method": name,
        "config": record["config"],
        "trained on": "60,000 MNIST training digits",
        "scored on": "10,000 MNIST test digits; their labels enter to score only",
        "precision": "weights were trained in 32 bits and are stored in 16",
        "measured": record["figures"],
        "runs": rows_by_run(
            [r for r in records if r["run"].startswith(beside)],
            lambda r: {**r["figures"], "labels": r["labels"], "seconds": r["seconds"]},
        ),
        "conditions": {**record["conditions"], "seconds": record["seconds"]},
    }
    save_pretrained(name, generator.half(), discriminator_q.half(), facts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ship", nargs="+", choices=list(SHIPPED), help="write these methods' weights")
    options = read_options(parser, NAMES, nargs="*")
    for name in options.ship or ():
        ship(name, options.where.folder)
    if options.ship:
        return
    train(train_and_score, options.runs, headline, options.where)
    write_table(options.where.folder)


if __name__ == "__main__":
    main()
