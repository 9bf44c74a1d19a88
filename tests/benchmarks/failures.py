"""How often the recipe mixes two digits, and what tells so without labels: many seeds, watched until UNTIL steps.

    python tests/benchmarks/failures.py recipe@full:20-59
    ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 python tests/benchmarks/failures.py recipe@full:20-29

A run is PRESET@DATA:SEEDS, trained as it would be in full, and stopped; where it trains, and what is kept of it, is
``harness``. Labels score what was trained; the signs beside the scores need none. Runs that are in the table stay in
it: processors come one after another.
"""

import argparse
import json
import os
from dataclasses import replace

import pandas as pd
import torch
from compare import DATA, MATCHED_ON, NAMES, PRESETS, snapshots
from harness import RESULTS, Measured, conditions, markdown, read_options, train

from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import ImageData, as_model_range
from infogan_helpers.evaluation import read_codes, score_codes
from infogan_helpers.information import mutual_information
from infogan_helpers.losses import answer_information
from infogan_helpers.methods import digits
from infogan_helpers.transforms import add_stray_strokes, random_style

EVERY, UNTIL = 160, 1200  # steps
SMOOTHED = 40  # steps, of what a run measures itself
ASKED = 5_000  # real images that the signs are read from
FAILED = 0.93  # accuracy at the last step below which a run counts as failed


def processor():
    """The processor's name, and what torch was told to take it for."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        name = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown")
    told = os.environ.get("ATEN_CPU_CAPABILITY")
    return f"{name}, as {told}" if told else name


def train_and_watch(run, scratch):
    """One run until UNTIL, its accuracy on the way and the signs."""
    preset, _, data = run.name.partition("@")
    spec, (pictures, test) = CodeSpec(), DATA[data]()
    config = replace(PRESETS[preset], seed=run.seed, sample_every=EVERY // 2, checkpoint_every=EVERY // 2)
    checkpoint = scratch / "checkpoint.safetensors"

    def keep(history):
        if len(history) % EVERY == 0 or len(history) >= UNTIL:
            (scratch / f"{len(history)}.safetensors").write_bytes(checkpoint.read_bytes())
        if len(history) >= UNTIL:
            raise KeyboardInterrupt

    trained = digits.fit(pictures.images, spec, config, checkpoint=checkpoint, callback=keep, progress=False)
    few = ImageData(pictures.images[:MATCHED_ON], pictures.labels[:MATCHED_ON], pictures.source)
    curve = []
    for step, _, players in snapshots(digits, spec, config, pictures.images, scratch):
        score = score_codes(players.discriminator_q, few, test)
        signs = read_signs(players.discriminator_q, pictures.images[:ASKED], config)
        for name in ("bound_categorical", "code_recovery", "d_accuracy"):
            signs[name] = sum(getattr(trained.history, name)[step - SMOOTHED : step]) / SMOOTHED
        curve.append({"step": step, "accuracy": score.accuracy} | signs)
    record = {
        "preset": preset, "data": data, "seed": run.seed, "processor": processor(),
        "conditions": conditions(), "confusion": score.confusion.to_numpy().tolist(), "curve": curve,
    }  # fmt: skip
    return Measured(record, trained.generator, trained.discriminator_q)


@torch.no_grad()
def read_signs(discriminator_q, images, config):
    """What Q answers on real images and on two copies of each, without a label.

    Returns:
        ``information``: I(answer; image), in nats. ``shared``: mutual information of the answers on the two copies.
        ``agreement``: share of images whose copies get one answer. ``confused``: the largest share of one answer that
        becomes another one, the same, on the second copy. ``smallest``: share of the rarest answer.
    """
    random = torch.Generator().manual_seed(0)
    plain = as_model_range(images)
    first, second = (
        add_stray_strokes(random_style(plain, random, config.augment), config.stray_strokes, random) for _ in range(2)
    )
    logits = [read_codes(discriminator_q, x).categorical_logits[0] for x in (plain, first, second)]
    one, other = (x.softmax(dim=1).double() for x in logits[1:])
    joint = (one.T @ other + other.T @ one) / (2 * len(images))
    away = joint / joint.sum(dim=1, keepdim=True).clamp_min(1e-12)  # an answer may never be given
    away.fill_diagonal_(0)
    return {
        "information": float(answer_information(logits[0])),
        "shared": mutual_information((joint / joint.sum()).numpy()),
        "agreement": float((logits[1].argmax(dim=1) == logits[2].argmax(dim=1)).double().mean()),
        "confused": float(away.max()),
        "smallest": float(logits[0].softmax(dim=1).mean(dim=0).min()),
    }


def headline(record):
    return " ".join(f"{point['step']}: {point['accuracy']:.3f}" for point in record["curve"])


def write(records):
    """``results/failures.json`` and ``.md``: these runs, and those of before."""
    path = RESULTS / "failures.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    runs = {tuple(r[key] for key in ("preset", "data", "processor", "seed")): r for r in kept + records}
    records = [runs[key] for key in sorted(runs)]
    path.write_text(json.dumps(records) + "\n", encoding="utf-8")
    rows = [{**r, **r["curve"][-1]} for r in records]
    table = pd.DataFrame(rows)[["preset", "data", "processor", "seed", *records[0]["curve"][-1]]]
    failed = table["accuracy"] < FAILED
    lines = ["# How often two digits are mixed", "", f"{failed.sum()} of {len(table)} runs are below {FAILED}.", ""]
    (RESULTS / "failures.md").write_text("\n".join([*lines, *markdown(table), ""]), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = read_options(parser, [name for name in NAMES if name.startswith("recipe@")])
    write(train(train_and_watch, options.runs, headline, options.where))


if __name__ == "__main__":
    main()
