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
from infogan_helpers.data import ImageData
from infogan_helpers.evaluation import answers_on_copies, most_confused, read_codes, score_codes
from infogan_helpers.information import mutual_information
from infogan_helpers.losses import answer_information
from infogan_helpers.methods import digits

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
        signs = read_signs(players.discriminator_q, pictures.images[:ASKED])
        for name in ("bound_categorical", "code_recovery", "d_accuracy"):
            signs[name] = sum(getattr(trained.history, name)[step - SMOOTHED : step]) / SMOOTHED
        curve.append({"step": step, "accuracy": score.accuracy} | signs)
    record = {
        "preset": preset, "data": data, "seed": run.seed, "processor": processor(),
        "conditions": conditions(), "confusion": score.confusion.to_numpy().tolist(), "curve": curve,
    }  # fmt: skip
    return Measured(record, trained.generator, trained.discriminator_q)


@torch.no_grad()
def read_signs(discriminator_q, images, **copies):
    """What Q answers on real images and on two copies of each, without a label; ``copies`` as in ``answers_on_copies``.

    Returns:
        ``information``: I(answer; image), in nats. ``shared``: mutual information of the answers on the two copies.
        ``agreement``: probability that both copies get one answer. ``confused``: the largest share of one answer that
        becomes another one, the same, on the second copy. ``smallest``: share of the rarest answer.
    """
    plain, joint = (
        read_codes(discriminator_q, images).categorical_logits[0],
        answers_on_copies(discriminator_q, images, **copies),
    )
    return {
        "information": float(answer_information(plain)),
        "shared": mutual_information(joint),
        "agreement": float(joint.trace()),
        "confused": most_confused(joint)[0],
        "smallest": float(plain.softmax(dim=1).mean(dim=0).min()),
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
