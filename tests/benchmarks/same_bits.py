"""Does a revision train to the same bits as this tree? Every preset is trained in both, on the CPU, and compared.

    python tests/benchmarks/same_bits.py REVISION

A run is shortened to STEPS steps, so that its schedule is passed through from end to end. What its last checkpoint
holds (weights, buffers, optimisers, metrics, sample pictures, random states, order) and the networks that it returns
are compared with ``torch.equal``; NaN equals NaN. Nothing is tolerated.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open

ROOT = Path(__file__).resolve().parent.parent.parent
STEPS, EVERY, BATCH, IMAGES = 40, 16, 24, 200
DIGITS = ("recipe", "control", "plain", "paper", "seed_conv", "seed_mlp")
WORLDS = ("sprites", "faces", "chairs")
RUNS = (*DIGITS, *WORLDS, *(f"{world}, plain" for world in WORLDS))


def preset_of(run):
    """``(fit, spec, config, world)`` of a run in the revision that is imported; ``world`` is ``None`` for digits."""
    from infogan_helpers.codes import CodeSpec
    from infogan_helpers.methods import digits, infogan
    from infogan_helpers.world_presets import WORLD_PRESETS

    name, _, plain = run.partition(", ")
    world = WORLD_PRESETS.get(name)
    spec, name = CodeSpec() if world is None else world.spec, "plain" if plain else name
    for method in (infogan, digits):
        if name in method.PRESETS:
            return method.fit, spec, method.PRESETS[name], world and world.world()
    return world.method.fit, spec, world.config, world.world()


def train(run, folder):
    """One run in this process: its checkpoint and the networks that it returns, as two files."""
    from infogan_helpers.checkpoints import save_networks

    fit, spec, config, world = preset_of(run)
    config = replace(
        config, steps=STEPS, batch_size=BATCH, width=min(config.width, 0.1), sample_every=EVERY, checkpoint_every=EVERY
    )
    if world is None:
        shape, random = (IMAGES, 1, 28, 28), torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
    else:
        images = world.render(world.sample_factors(IMAGES, torch.Generator().manual_seed(0)))
    result = fit(images, spec, config, device="cpu", checkpoint=folder / f"{run}.run", progress=False)
    save_networks(folder / f"{run}.networks", result.generator, result.discriminator_q)


def contents(file):
    """All tensors of a file, and what its header says about the run's position."""
    with safe_open(file, "pt") as opened:
        header = json.loads(opened.metadata()["infogan_helpers"])
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    return tensors, {name: header.get(name) for name in ("position", "steps", "images")}


def differences(one, two):
    """Names of what differs between two files of the same run."""
    (ours, header), (theirs, other) = contents(one), contents(two)
    names = [name for name in header if header[name] != other[name]] + sorted(ours.keys() ^ theirs.keys())
    return names + [n for n in sorted(ours.keys() & theirs.keys()) if not same(ours[n], theirs[n])]


def same(one, two):
    """Equal to the bit; NaN, which says that there is none, equals NaN."""
    if one.dtype != two.dtype or not one.is_floating_point():
        return torch.equal(one, two)
    return torch.equal(one.isnan(), two.isnan()) and torch.equal(one.nan_to_num(), two.nan_to_num())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="to compare this tree with; with --train the folder to write to")
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=RUNS, metavar="RUN", help=f"from {RUNS}")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        torch.set_num_threads(1)
        for run in options.runs:
            train(run, Path(options.revision))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        tree.mkdir()
        archive = subprocess.run(["git", "archive", options.revision], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
        folders = {}
        for name, root in {"there": tree, "here": ROOT}.items():
            folders[name] = Path(temporary) / name
            folders[name].mkdir()
            command = [sys.executable, __file__, str(folders[name]), "--train", "--runs", *options.runs]
            environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
            subprocess.run(command, check=True, env=environment, cwd=temporary)
        failed = False
        for run in options.runs:
            pairs = [[folder / f"{run}.{kind}" for folder in folders.values()] for kind in ("run", "networks")]
            differ = [name for pair in pairs for name in differences(*pair)]
            failed |= bool(differ)
            count = sum(len(contents(pair[0])[0]) for pair in pairs)
            print(f"{run:>17}: {count} tensors, " + (f"{len(differ)} differ: {differ[:5]}" if differ else "all equal"))
        return int(failed)


if __name__ == "__main__":
    sys.exit(main())
