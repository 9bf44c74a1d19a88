"""Faults by the hundred: runs killed at random moments and resumed; files with flipped bits, and cut short.

    python tests/benchmarks/faults.py kills                           # 100 kills
    python tests/benchmarks/faults.py damages --mnist FOLDER          # 200 flips and 200 ends of each kind of file

A run is killed (SIGKILL) at a random moment of its time, of all kills 20 at a random moment of a save. A second process
goes on from what is there, and its weights, history, pictures, optimisers and random states are compared, to the bit,
with those of a run that was never killed. A damaged file counts as named where the error is a ``ValueError`` that names
it and says what to do. Linux and macOS only: runs are forks of this process. Not part of the README's test command.
"""

import argparse
import gzip
import multiprocessing
import os
import random
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from harness import RESULTS, conditions, markdown

from infogan_helpers import run_files
from infogan_helpers.checkpoints import load_networks, save_networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist
from infogan_helpers.methods import infogan
from infogan_helpers.tensor_files import load_tensors, save_tensors
from infogan_helpers.worlds import Sprites
from infogan_helpers.worlds import world as worlds

IN_A_SAVE = 5  # of all kills every fifth
SPEC = CodeSpec(categorical=(10,), continuous=2, noise=16)
CONFIG = replace(
    infogan.PRESETS["plain"], steps=60, batch_size=16, width=0.05, sample_every=10, checkpoint_every=5, seed=3
)
MNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
CURES = ("delete it and run what wrote it again", "delete the file and run this again")


class Kill(NamedTuple):
    """One kill.

    Attributes:
        aimed: "any moment" or "a save".
        hit: "a save", or what lay beside: "before the first save", "between saves", "after the end".
        steps: that the file had behind it; 0 where there was none.
        identical: whether the run that went on ended as the one that was never killed.
    """

    aimed: str
    hit: str
    steps: int
    identical: bool


def fit(file):
    images = torch.randint(0, 256, (80, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return infogan.fit(images, SPEC, CONFIG, device="cpu", checkpoint=file, progress=False)


def state(file):
    """All that a checkpoint holds but the clock, fit to be compared by ``==``."""
    tensors, note = load_tensors(file)
    note.pop("seconds")
    return {name: (str(t.dtype), tuple(t.shape), t.numpy().tobytes()) for name, t in tensors.items()}, note


def child(work):
    """A fork that has begun its work."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def announcing(pipe):
    """``save_tensors`` that writes a letter before and after, so that a killer knows where it stands."""

    def save(path, tensors, metadata):
        os.write(pipe, b"<")
        save_tensors(path, tensors, metadata)
        os.write(pipe, b">")

    return save


def kill_once(file, aimed, whole_run, whole_save):
    """Start a run, kill it, and what its letters say of the moment: "<" for each save begun, ">" for each ended."""
    reading, writing = os.pipe()

    def work():
        run_files.save_tensors = announcing(writing)
        fit(file)

    process = child(work)
    os.close(writing)
    letters = b""
    if aimed == "a save":
        wanted = random.randint(1, CONFIG.steps // CONFIG.checkpoint_every)
        while letters.count(b"<") < wanted:
            letters += os.read(reading, 1)
        time.sleep(random.uniform(0, whole_save))
    else:
        time.sleep(random.uniform(0, whole_run))
    process.kill()
    process.join()
    while more := os.read(reading, 1000):
        letters += more
    os.close(reading)
    return letters


def one_kill(folder, aimed, whole, seconds):
    """A ``Kill`` of a new run in ``folder``."""
    file = folder / "run.safetensors"
    while True:
        for left in folder.iterdir():
            left.unlink()
        letters = kill_once(file, aimed, *seconds)
        hit = "a save" if letters.endswith(b"<") else "between saves" if letters else "before the first save"
        if len(letters) == 2 * (CONFIG.steps // CONFIG.checkpoint_every):
            hit = "after the end"
        if hit == aimed or (aimed != "a save" and hit != "after the end"):
            break
    steps = load_tensors(file)[1]["steps"] if file.exists() else 0
    second = child(lambda: fit(file))
    second.join()
    return Kill(aimed, hit, steps, second.exitcode == 0 and state(file) == whole)


def kills(count):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        fit(folder / "warm.safetensors")
        started = time.perf_counter()
        fit(folder / "whole.safetensors")
        whole_run, whole = time.perf_counter() - started, state(folder / "whole.safetensors")
        tensors, started = load_tensors(folder / "whole.safetensors"), time.perf_counter()
        save_tensors(folder / "again.safetensors", *tensors)
        seconds = whole_run, time.perf_counter() - started
        (folder / "killed").mkdir()
        result = []
        for i in range(count):
            result.append(one_kill(folder / "killed", "any moment" if i % IN_A_SAVE else "a save", whole, seconds))
            print(f"{i + 1:>4}: {result[-1]}", flush=True)
        return result


def attempts(path, load, count):
    """What came of ``count`` flipped bits and as many ends that come too early: a ``Counter`` each."""
    content, outcomes = path.read_bytes(), {"flipped": Counter(), "cut short": Counter()}
    for _ in range(count):
        flipped = bytearray(content)
        flipped[random.randrange(len(content))] ^= 1 << random.randrange(8)
        damaged = {"flipped": bytes(flipped), "cut short": content[: random.randrange(len(content))]}
        for how, wrong in damaged.items():
            path.write_bytes(wrong)
            try:
                load()
                outcomes[how]["accepted"] += 1
            except ValueError as error:
                named = str(path) in str(error) and any(cure in str(error) for cure in CURES)
                outcomes[how]["named" if named else "unclear"] += 1
            except Exception:
                outcomes[how]["unclear"] += 1
    path.write_bytes(content)
    load()
    return outcomes


def damages(count, mnist):
    """A row per kind of file and of damage."""
    with tempfile.TemporaryDirectory() as temporary:
        rows = []
        for kind, (path, load) in victims(Path(temporary), mnist).items():
            for how, outcome in attempts(path, load, count // (4 if "MNIST" in kind else 1)).items():
                rows.append({"file": kind, "damage": how, "tries": outcome.total()})
                rows[-1] |= {name: outcome[name] for name in ("named", "unclear", "accepted")}
                print(rows[-1], flush=True)
        return rows


def victims(folder, mnist):
    """One file of each kind, and what reads it."""
    run, networks, worlds.DEFAULT_ROOT = folder / "run.safetensors", folder / "networks.safetensors", folder
    trained = fit(run)
    save_networks(networks, trained.generator, trained.discriminator_q)
    Sprites(16).images_and_factors(50, progress=False)
    (world,) = (folder / "worlds").iterdir()
    found = {
        "checkpoint": (run, lambda: fit(run)),
        "networks": (networks, lambda: load_networks(networks)),
        "world": (world, lambda: Sprites(16).images_and_factors(50, progress=False)),
    }
    if mnist is not None:
        raw = folder / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for stem in MNIST:
            (raw / stem).write_bytes(unpacked(mnist, stem))
            found[f"MNIST, {stem}"] = raw / stem, lambda stem=stem: load_mnist(stem.startswith("train"), folder)
    return found


def unpacked(mnist, stem):
    """What one of the four files holds."""
    plain = mnist / "MNIST" / "raw" / stem
    return plain.read_bytes() if plain.is_file() else gzip.decompress(plain.with_name(f"{stem}.gz").read_bytes())


def write(name, heading, note, rows, verdict):
    """A table, to ``results/NAME.md``."""
    where = conditions()
    lines = [
        f"# {heading}", "",
        f"By `python tests/benchmarks/faults.py {name}`, {where['date']}: {where['machine']}, Python "
        f"{where['python']}, torch {where['torch']}, commit {where['commit']}.", "",
        note, "",
        *markdown(rows), "",
        verdict, "",
    ]  # fmt: skip
    (RESULTS / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")


def write_kills(killed):
    """``results/kills.md``, of a list of ``Kill``."""
    table = (
        pd.DataFrame(killed)
        .groupby(["aimed", "hit"])
        .agg(kills=("identical", "size"), identical=("identical", "sum"), least=("steps", "min"), most=("steps", "max"))
    )
    note = (
        f"Runs of {CONFIG.steps} steps that save every {CONFIG.checkpoint_every}, killed by SIGKILL, aimed at any "
        "moment or at a save, and gone on from in another process. Identical: all that the last file holds, to the bit "
        "(but the clock). Least and most: the steps that the file had behind it when the run was killed."
    )
    verdict = f"{sum(kill.identical for kill in killed)} of {len(killed)} identical."
    write("kills", "Runs killed and gone on from", note, table.reset_index(), verdict)


def write_damages(rows):
    """``results/damages.md``, of what ``damages`` returns."""
    note = "One bit flipped, or cut short, at random places. Named: a `ValueError` with the file and what to do."
    verdict = f"{sum(row['named'] for row in rows)} of {sum(row['tries'] for row in rows)} named."
    write("damages", "Damaged files", note, pd.DataFrame(rows), verdict)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("kills", "damages"))
    parser.add_argument("--count", type=int, help="of kills, 100 at first; of flips, and of ends, 200")
    parser.add_argument("--mnist", type=Path, help="a folder as INFOGAN_DATA names one; without it no file of MNIST")
    options = parser.parse_args()
    torch.set_num_threads(1)
    random.seed(0)
    if options.what == "kills":
        write_kills(kills(options.count or 100))
    else:
        write_damages(damages(options.count or 200, options.mnist))


if __name__ == "__main__":
    main()
