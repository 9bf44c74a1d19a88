"""Train InfoGAN on the worlds over seeds, score every run by the known factors, and write one table.

    python tests/benchmarks/worlds.py sprites:0-4 sprites_control:0-4 sprites_random:0-4
    python tests/benchmarks/worlds.py faces:0-4 faces_plain:0-2 chairs:0-4 --workers 2
    python tests/benchmarks/worlds.py --ship sprites faces chairs

A run is NAME:SEEDS; where it trains (--dask ADDRESS: on a cluster), and what is kept of it, is ``harness``. The table
has all finished runs. Factors score the runs after the training has ended; no training sees them.
"""

import argparse
import json
import platform
import time
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import torch
from harness import RESULTS, Measured, Run, finished, markdown, read_options, train
from scipy.stats import spearmanr

from infogan_helpers.checkpoints import load_networks, save_pretrained
from infogan_helpers.code_factors import as_columns, cluster_purity, code_factor_table
from infogan_helpers.data import BatchSampler, as_model_range
from infogan_helpers.disentanglement import mutual_information_gap
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.interventions import factor_vae_score
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import viewed
from infogan_helpers.methods.players import make_players
from infogan_helpers.views import UNANSWERED, view
from infogan_helpers.world_presets import WORLD_PRESETS, without_views
from infogan_helpers.worlds import Sprites

IMAGES, HELD_OUT = 50_000, 5_000
TRAIN_SEED, TEST_SEED = 0, 12345  # of the pictures
MEDIAN_BY = {"sprites": "MIG", "faces": "best |ρ| elevation", "chairs": "best |ρ| rotation"}
KIND = {"Sprites": "shape", "Faces": "identity", "Chairs": "type"}
READ_RANDOM = 300  # steps of the Q that is trained on random codes


def runs():
    """Everything that can be trained: a name, what it is, and the preset."""
    every = {}
    for name, preset in WORLD_PRESETS.items():
        every[name] = preset
        every[f"{name}_plain"] = without_views(preset)
        every[f"{name}_control"] = without_views(preset, lambda_=0.0)
        every[f"{name}_random"] = without_views(preset)
    return every


def read_random_codes(images, preset, config):
    """A Q that learns codes which have nothing to do with its pictures: what a score is worth by itself."""
    torch.manual_seed(config.seed)
    spec = preset.spec
    players = make_players(spec, tuple(images.shape[1:]), config)
    dq, random = players.discriminator_q, torch.Generator().manual_seed(config.seed)
    sampler = BatchSampler(images, config.batch_size, random)
    for _ in range(READ_RANDOM):
        _, posterior = dq(as_model_range(sampler.next()))
        loss = -lower_bound(posterior, spec.sample(config.batch_size, random), spec).total
        for optimizer in (players.optimizer_d, players.optimizer_q):
            optimizer.zero_grad()
        loss.backward()
        for optimizer in (players.optimizer_d, players.optimizer_q):
            optimizer.step()
    preset.method.finish(players, images, spec, config)
    return players


def train_and_score(run, scratch):
    """One run and its figures."""
    preset = runs()[run.name]
    config = replace(preset.config, seed=run.seed)
    world, spec = preset.world(), preset.spec
    pictures, factors, _ = world.images_and_factors(IMAGES, TRAIN_SEED, progress=False)
    test, test_factors, _ = world.images_and_factors(HELD_OUT, TEST_SEED, progress=False)
    if run.name.endswith("_random"):
        started = time.perf_counter()
        networks = read_random_codes(pictures, preset, config)
        seconds, bounds = time.perf_counter() - started, {}
    else:
        checkpoint = scratch / "checkpoint.safetensors"
        networks = preset.method.fit(pictures, spec, config, device="cpu", checkpoint=checkpoint, progress=False)
        seconds, recent = networks.history.seconds, slice(-50, None)
        bounds = {
            "L_I categorical": float(np.mean(networks.history.bound_categorical[recent])),
            "L_I continuous": float(np.mean(networks.history.bound_continuous[recent])),
        }
    figures = bounds | score(networks.discriminator_q, world, spec, (pictures, factors), (test, test_factors))
    if preset.method is viewed:
        figures["G obeys"] = obeys(networks.generator, spec, config.views)
    record = {
        "run": run.name,
        "seed": run.seed,
        "method": preset.method.METHOD.name,
        "config": asdict(config),
        "seconds": seconds,
        "figures": figures,
        "machine": f"{platform.machine()}, torch {torch.__version__}, threads: {torch.get_num_threads()}",
    }
    return Measured(record, networks.generator, networks.discriminator_q)


def headline(record):
    figures = {name: value for name, value in record["figures"].items() if not isinstance(value, dict)}
    return f"{record['seconds']:.0f} s, {figures}"


def score(discriminator_q, world, spec, train, test):
    """Every figure of one network, on held-out pictures; clusters are named on the training pictures."""
    images, factors = test
    codes = as_columns(read_codes(discriminator_q, images))
    first_continuous = len(spec.categorical)
    table = code_factor_table(codes[:, first_continuous:], factors, world)
    figures = {
        "MIG": mutual_information_gap(codes, factors),
        "follows": {f: dict(zip(table.index, table[f].round(4).tolist(), strict=True)) for f in table},
    }
    figures |= {f"best |ρ| {f}": float(table[f].max()) for f in table}
    if isinstance(world, Sprites):  # renders 100,000 pictures: sprites are fast
        figures["FactorVAE"] = factor_vae_score(
            world,
            lambda x: as_columns(read_codes(discriminator_q, x)),
            n_train=800,
            n_test=800,
            n_spread=4000,
            progress=False,
        )
    if first_continuous:
        kinds = world.names.index(KIND[type(world).__name__])
        named = as_columns(read_codes(discriminator_q, train[0]))
        figures[f"purity {KIND[type(world).__name__]}"] = cluster_purity(
            named[:, :first_continuous],
            train[1][:, kinds],
            test=(codes[:, :first_continuous], factors[:, kinds]),
        )
    return figures


def obeys(generator, spec, views):
    """How far G's pictures carry each code that has a view of its own, asked of the view.

    A uniform code: |ρ| with what varies most in the view. A class: the share of 1,000 pictures that lie nearest to the
    mean of their own class, over 1,000 others.
    """
    codes = spec.sample(2000, torch.Generator().manual_seed(0))
    images = draw_images(generator, codes)
    answers = {}
    for k, name in enumerate(views):
        seen = view(images, name).flatten(1)
        if k < len(spec.categorical):
            learned, asked = codes.categorical[:1000, k], codes.categorical[1000:, k]
            means = torch.stack([seen[:1000][learned == c].mean(dim=0) for c in range(spec.categorical[k])])
            nearest = torch.cdist(seen[1000:], means).argmin(dim=1)
            answers[name] = float((nearest == asked).float().mean())
        elif name not in UNANSWERED:
            u, _, _ = torch.linalg.svd(seen - seen.mean(dim=0), full_matrices=False)
            answers[name] = abs(float(spearmanr(u[:, 0], codes.continuous[:, k - len(spec.categorical)]).statistic))
    return answers


def write_table(folder):
    """All finished runs: one line per seed, and the spread."""
    records = [record for _, record in finished(folder, runs())]
    (RESULTS / "worlds.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    lines = ["# InfoGAN on the worlds", "", "Written by worlds.py; factors score, on 5,000 held-out pictures.", ""]
    for name in dict.fromkeys(r["run"] for r in records):
        ours = [r for r in records if r["run"] == name]
        flat = [
            {k: v for k, v in r["figures"].items() if not isinstance(v, dict)}
            | {f"G obeys {k}": v for k, v in r["figures"].get("G obeys", {}).items()}
            for r in ours
        ]
        table = pd.DataFrame(flat)
        table.index = [r["seed"] for r in ours]
        table["seconds"] = [r["seconds"] for r in ours]
        table.loc["median"] = table.median()
        rows = table.round(3).astype(str)
        rows["seconds"] = table["seconds"].round().astype(int)
        rows.insert(0, "seed", rows.index)
        lines += [f"## {name}", "", *markdown(rows), ""]
    (RESULTS / "worlds.md").write_text("\n".join(lines), encoding="utf-8")


def ship(name, folder):
    """Write the weights of the median seed, in half precision, and a card with every seed's figures."""
    records = [
        r for r in json.loads((RESULTS / "worlds.json").read_text(encoding="utf-8")) if r["run"].split("_")[0] == name
    ]
    ours = sorted((r for r in records if r["run"] == name), key=lambda r: r["figures"][MEDIAN_BY[name]])
    chosen = ours[(len(ours) - 1) // 2]
    generator, discriminator_q = load_networks(Run(name, chosen["seed"]).weights(folder))
    runs_of = {}
    for record in records:
        runs_of.setdefault(record["run"], []).append({"seed": record["seed"], **_numbered(record)})
    preset = WORLD_PRESETS[name]
    facts = {
        "what": f"InfoGAN on {preset.world.__name__}, each code read from a view; the seed of median {MEDIAN_BY[name]}",
        "method": chosen["method"],
        "config": chosen["config"],
        "trained on": f"{IMAGES:,} rendered pictures of seed {TRAIN_SEED}, 32 by 32; no factor was seen",
        "scored on": f"{HELD_OUT:,} pictures of seed {TEST_SEED}; factors enter to score only",
        "precision": "weights were trained in 32 bits and are stored in 16",
        "measured": _numbered(chosen),
        "runs": runs_of,
        "conditions": {"machine": chosen["machine"], "seconds": round(chosen["seconds"])},
    }
    save_pretrained(name, generator.half(), discriminator_q.half(), facts)


def _numbered(record):
    """Figures in which a uniform code has its number among all codes, categorical ones first."""
    first = len(runs()[record["run"]].spec.categorical)
    follows = record["figures"]["follows"]
    follows = {factor: {f"c{int(c[1:]) + first}": rho for c, rho in codes.items()} for factor, codes in follows.items()}
    return {**record["figures"], "follows": follows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ship", nargs="+", choices=list(WORLD_PRESETS), help="write these worlds' weights")
    options = read_options(parser, runs(), nargs="*")
    folder = options.where.folder
    if options.ship:
        for name in options.ship:
            ship(name, folder)
        return
    for name in dict.fromkeys(run.name for run in options.runs):  # render before the workers start
        for n, seed in ((IMAGES, TRAIN_SEED), (HELD_OUT, TEST_SEED)):
            runs()[name].world().images_and_factors(n, seed)
    train(train_and_score, options.runs, headline, options.where)
    write_table(folder)


if __name__ == "__main__":
    main()
