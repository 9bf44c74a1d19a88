"""Train InfoGAN on the worlds over seeds, score Q and G of every run by the known factors, and write one table.

    python tests/benchmarks/worlds.py --judges                       # trains and ships what scores G's pictures
    python tests/benchmarks/worlds.py faces:0-4 chairs:0-4 chairs_plain:0-4 --workers 2
    python tests/benchmarks/worlds.py --centrality sprites_contrast  # chooses among seeds without factors
    python tests/benchmarks/worlds.py --ship sprites faces chairs

A run is NAME:SEEDS; where it trains (--dask ADDRESS: on a cluster), and what is kept of it, is ``harness``. The table
has all finished runs. Factors, and judges that learned from factors, score the runs after the training has ended; no
training sees them.
"""

import argparse
import json
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import torch
from harness import (
    RESULTS,
    Measured,
    Run,
    conditions,
    finished,
    read_options,
    read_results,
    rows_by_run,
    train,
    write_results,
)

from infogan_helpers.checkpoints import load_networks, save_pretrained
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.disentanglement import mutual_information_gap
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.interventions import factor_vae_score
from infogan_helpers.judges import judged, load_judge, save_judge, train_judge
from infogan_helpers.methods import infogan, infogan_cr, noise_last
from infogan_helpers.quality import frechet_distance
from infogan_helpers.world_presets import PLAIN, WORLD_PRESETS
from infogan_helpers.worlds import Sprites

IMAGES, HELD_OUT = 50_000, 5_000
TRAIN_SEED, TEST_SEED, JUDGE_SEED = 0, 12345, 7  # of the pictures
CENTRALITY = RESULTS / "centrality.json"
CODE_VALUES = 10  # of each code, where a model's codes play the factors
SHIPPED = 0  # the seed, whatever it scored
IDEAS = 1500  # steps where an idea is left out, and of what stands beside it
UNDER_R1 = {  # networks, game and rates of ``noise_last``, a third of its steps
    "steps": 2000, "batch_size": 32, "learning_rate_g": 1e-3, "learning_rate_d": 1e-3, "learning_rate_q": 1e-3,
    "betas": (0.0, 0.99), "game": "r1", "architecture": "mirrored", "norm": "none", "width": 1.0,
    "lambda_categorical": 0.2, "lambda_continuous": 0.2,
}  # fmt: skip
LEFT_OUT = {  # what is left out of ``noise_last``, and how
    "whole": {},
    "batch": {"game": "standard", "norm": "batch"},
    "spectral": {"game": "standard", "norm": "spectral"},
    "noise_first": {"noise": 1.0},
    "no_mirror": {"architecture": "deep"},
    "control": {"lambda_information": 0.0},
}


def runs():
    """Everything that can be trained: name to ``(world's name, spec, method, config)``."""
    every = {name: (name, *preset[1:]) for name, preset in WORLD_PRESETS.items()}
    spec = WORLD_PRESETS["faces"].spec
    every["faces_short"] = "faces", spec, infogan, replace(PLAIN, steps=800)
    every["faces_noise_last"] = "faces", spec, noise_last, noise_last.Config()
    for name, preset in WORLD_PRESETS.items():  # the paper's step under R1, without contrast and with it
        every[f"{name}_r1"] = name, preset.spec, infogan, infogan.Config(**UNDER_R1)
        every[f"{name}_contrast"] = name, preset.spec, infogan_cr, infogan_cr.Config(**UNDER_R1, learning_rate_h=1e-3)
    for name in ("sprites", "chairs"):
        spec = WORLD_PRESETS[name].spec
        every[f"{name}_plain"] = name, spec, infogan, PLAIN
        for what, changes in LEFT_OUT.items():
            every[f"{name}_{what}"] = name, spec, noise_last, noise_last.Config(steps=IDEAS, **changes)
    spec = WORLD_PRESETS["chairs"].spec
    segment = replace(spec, continuous=spec.continuous + 1, circular=0, odd=1)
    every["chairs_segment"] = "chairs", segment, noise_last, noise_last.Config()
    return every


def train_and_score(run, scratch):
    """One run and its figures."""
    name, spec, method, config = runs()[run.name]
    world, config = WORLD_PRESETS[name].world(), replace(config, seed=run.seed)
    pictures = world.images_and_factors(IMAGES, TRAIN_SEED, progress=False).images
    options = {"device": "cpu", "checkpoint": scratch / "checkpoint.safetensors", "progress": False}
    trained = method.fit(pictures, spec, config, **options)
    recent = slice(-50, None)
    record = {
        "run": run.name,
        "seed": run.seed,
        "method": method.METHOD.name,
        "spec": asdict(spec),
        "config": asdict(config),
        "seconds": trained.history.seconds,
        "figures": {
            "L_I": float(np.mean(trained.history.bound_continuous[recent])),
            **score(trained.generator, trained.discriminator_q, spec, world),
        },
        "conditions": conditions(),
    }
    return Measured(record, trained.generator, trained.discriminator_q)


def headline(record):
    return f"{record['seconds']:.0f} s, {json.dumps(flat(record['figures']))}"


def score(generator, discriminator_q, spec, world):
    """Every figure of one run: what Q says of held-out pictures, and what a judge says of G's."""
    pictures, factors, _ = world.images_and_factors(HELD_OUT, TEST_SEED, progress=False)
    judge = load_judge(world)
    codes = spec.sample(HELD_OUT, torch.Generator().manual_seed(1))
    fakes, real = judged(judge, draw_images(generator, codes)), judged(judge, pictures)
    read = as_columns(read_codes(discriminator_q, pictures))
    drawn = torch.cat([codes.continuous, codes.circular], dim=1)
    figures = {
        "MIG": mutual_information_gap(read, factors),
        "Fréchet distance": frechet_distance(fakes.features, real.features),
        "Fréchet floor": frechet_distance(
            judged(judge, world.images_and_factors(HELD_OUT, JUDGE_SEED + 1, progress=False).images).features,
            real.features,
        ),
    }
    for who, columns, values in (("Q", read, world.values(factors)), ("G", drawn, fakes.values)):
        table = code_factor_table(columns, values, world, spec.circular)
        figures[who] = {factor: table[factor].round(4).to_dict() for factor in table}
    if isinstance(world, Sprites):  # renders 100,000 pictures: sprites are fast
        sizes = {"n_train": 800, "n_test": 800, "n_spread": 4000, "progress": False}
        figures["FactorVAE"] = factor_vae_score(world, lambda x: as_columns(read_codes(discriminator_q, x)), **sizes)
    return figures


def flat(figures):
    """One number per figure: of each factor the code that follows it best, and the next one."""
    numbers = {name: round(value, 3) for name, value in figures.items() if not isinstance(value, dict)}
    for who in "QG":
        for factor, follows in figures[who].items():
            best, *others = sorted(follows.values(), reverse=True)
            numbers |= {f"{who} {factor}": round(best, 3), f"{who} {factor}, next": round(max(others, default=0), 3)}
    return numbers


def write_table(folder):
    """All finished runs: one line per seed, and the median."""

    def row(record):
        return flat(record["figures"]) | {"seconds": round(record["seconds"])}

    records = [record for _, record in finished(folder, runs())]
    write_results(
        "worlds",
        "InfoGAN on the worlds",
        "Written by worlds.py; factors score, on 5,000 held-out pictures.",
        records,
        row,
    )


def train_judges():
    """One judge per world, on pictures that neither training nor scoring sees, scored and written with its card."""
    for preset in WORLD_PRESETS.values():
        world = preset.world()
        pictures, factors, _ = world.images_and_factors(IMAGES, JUDGE_SEED)
        judge = train_judge(world, pictures, factors)
        held_out, truth, _ = world.images_and_factors(HELD_OUT, TEST_SEED)
        values, kind = judged(judge, held_out).values, world.factors[0].name
        follows = torch.stack([values[f.name] for f in world.factors if f.unit], dim=1)
        circular = [f.name for f in world.factors if f.unit and f.circular]
        table = code_factor_table(follows, world.values(truth), world)
        of_circles = code_factor_table(follows, world.values(truth), world, circular=follows.shape[1])
        facts = {
            "what": f"a judge of {type(world).__name__}: it scores, and trains nothing",
            "trained on": f"{IMAGES:,} rendered pictures of seed {JUDGE_SEED}, with their factors",
            "measured": {
                f: float((of_circles if f in circular else table)[f].iloc[i]) for i, f in enumerate(table)
            } | {kind: float((values[kind] == truth[:, 0]).float().mean())},
            "conditions": conditions(),
        }  # fmt: skip
        save_judge(judge, facts)
        print(type(world).__name__, facts["measured"])


class Drawn(NamedTuple):
    """What a trained G draws, as a world whose factors are its codes, each at ten values: what a metric can ask."""

    generator: torch.nn.Module

    def sample_factors(self, n, generator):
        return torch.randint(CODE_VALUES, (n, self.generator.spec.continuous), generator=generator)

    def render(self, factors):
        codes = self.generator.spec.sample(len(factors), torch.Generator().manual_seed(int(factors.sum())))
        return draw_images(self.generator, codes.replace(continuous=(2 * factors + 1) / CODE_VALUES - 1))


def centrality(name, folder):
    """ModelCentrality of each seed's model: how well the other seeds' codes stand for its own, no factor needed.

    The FactorVAE score of Q of one model on what another one draws, its codes for factors; both ways, and the mean over
    the others. Source: Lin et al. 2020, section 4.
    """
    models = {run.seed: load_networks(run.weights(folder)) for run, _ in finished(folder, [name])}
    sizes = {"n_train": 200, "n_test": 200, "n_spread": 2000, "progress": False}
    scores = {
        (i, j): factor_vae_score(Drawn(models[i][0]), lambda x, j=j: as_columns(read_codes(models[j][1], x)), **sizes)
        for i in models for j in models if i != j
    }  # fmt: skip
    means = {i: float(np.mean([scores[i, j] + scores[j, i] for j in models if j != i]) / 2) for i in models}
    kept = json.loads(CENTRALITY.read_text(encoding="utf-8")) if CENTRALITY.is_file() else {}
    kept[name] = {str(seed): round(value, 4) for seed, value in means.items()}
    CENTRALITY.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(name, kept[name])


def ship(name, folder):
    """Write one seed's weights, in half precision, and a card with every seed's figures."""
    records = read_results("worlds")
    records = [r for r in records if r["run"].split("_")[0] == name]
    shipped = Run(name, SHIPPED)
    [chosen] = [r for r in records if (r["run"], r["seed"]) == shipped]
    generator, discriminator_q = load_networks(shipped.weights(folder))
    centralities = json.loads(CENTRALITY.read_text(encoding="utf-8"))
    runs_of = rows_by_run(records, lambda record: {**record["figures"], "seconds": round(record["seconds"])})
    facts = {
        "what": f"InfoGAN on {WORLD_PRESETS[name].world.__name__}; seed {SHIPPED}, whatever it scored",
        "method": chosen["method"],
        "config": chosen["config"],
        "trained on": f"{IMAGES:,} rendered pictures of seed {TRAIN_SEED}, 32 by 32; no factor was seen",
        "scored on": f"{HELD_OUT:,} pictures of seed {TEST_SEED}; factors enter to score only",
        "precision": "weights were trained in 32 bits and are stored in 16",
        "measured": chosen["figures"],
        "runs": runs_of,
        "centrality": {run: value for run, value in centralities.items() if run in runs_of},
        "conditions": {**chosen["conditions"], "seconds": round(chosen["seconds"])},
    }
    save_pretrained(name, generator.half(), discriminator_q.half(), facts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judges", action="store_true", help="train and write the judges")
    parser.add_argument("--centrality", nargs="+", choices=list(runs()), help="score these runs' seeds by each other")
    parser.add_argument("--ship", nargs="+", choices=list(WORLD_PRESETS), help="write these worlds' weights")
    options = read_options(parser, runs(), nargs="*")
    folder = options.where.folder
    if options.judges:
        train_judges()
    for name in options.centrality or ():
        centrality(name, folder)
    for name in options.ship or ():
        ship(name, folder)
    if options.centrality or options.ship:
        return
    for name in {runs()[run.name][0] for run in options.runs}:  # render before the workers start
        for n, seed in ((IMAGES, TRAIN_SEED), (HELD_OUT, TEST_SEED), (HELD_OUT, JUDGE_SEED + 1)):
            WORLD_PRESETS[name].world().images_and_factors(n, seed)
    train(train_and_score, options.runs, headline, options.where)
    write_table(folder)


if __name__ == "__main__":
    main()
