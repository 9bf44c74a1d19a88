"""What codes come to mean where something is louder than the digit, and where factors go together; one table.

    python tests/benchmarks/meaning.py infogan_stripes_0.3:0-2 infogan_stripes_0.4:0-2 infogan_stripes_0.8:0-2
    python tests/benchmarks/meaning.py recipe_colours_1:0-2 ss10_colours_1:0-2 ss100_colours_1:0-2
    python tests/benchmarks/meaning.py even_0:0-1 even_0.9:0-1 pair_0.9:0-1 class_0.9:0-1 pair10_0.9:0
    python tests/benchmarks/meaning.py --ship striped lit_head

A run is NAME:SEEDS; where it trains, and what is kept of it, is ``harness``. Digits: METHOD_KIND_STRENGTH, where the
number in ``ss10`` is how many labels are kept, as many of each digit. Heads: PRIOR_CORRELATION, the world's; ``even``
is the factorised prior, ``pair`` and ``class`` have the world's correlation, and ``pair10`` ten times the weight λ on
its codes. Labels, textures and factors score the runs after the training has ended; the labels of ``ss`` are all that
any training sees.
"""

import argparse
import json
import math
import re
import time
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import torch
from harness import Measured, Run, conditions, finished, read_options, read_results, rows_by_run, train, write_results

from infogan_helpers.checkpoints import load_networks, save_pretrained
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import ImageData, load_mnist
from infogan_helpers.disentanglement import report
from infogan_helpers.evaluation import code_accuracy, draw_images, read_codes, score_codes
from infogan_helpers.interventions import factor_vae_score, higgins_score
from infogan_helpers.labels import few_labels
from infogan_helpers.methods import digits, infogan, ss_infogan
from infogan_helpers.priors import CorrelatedPrior, HierarchicalPrior
from infogan_helpers.textures import dyed, striped
from infogan_helpers.worlds import LitHead

KINDS = {"stripes": striped, "colours": dyed}
STRENGTHS = (0.3, 0.4, 0.5, 0.8, 1.0)
LABELS = (10, 20, 100)
DIGIT_STEPS = {"batch_size": 64, "width": 0.25}
PLAIN_STEPS, RECIPE_STEPS = 1000, 600
CORRELATIONS = (0.0, 0.5, 0.9)
CLASSES, NOISE = 5, 4  # of the hierarchical prior; of all heads' codes
HEADS, SCORED = 10_000, 3_000  # pictures that train, and that score
HEAD = replace(infogan.PRESETS["plain"], steps=2000, batch_size=96)
COARSE = 3  # neighbouring values of a factor that count as one where metrics sort them
INTERVENTIONS = {"n_train": 400, "n_test": 400, "batch_size": 16}
NAMES = [
    *(f"{who}_{kind}_{x:g}" for who in ("infogan", "recipe", *(f"ss{n}" for n in LABELS))
      for kind in KINDS for x in STRENGTHS),
    *(f"{who}{weight}_{x:g}" for who in ("even", "pair", "class") for weight in ("", 10) for x in CORRELATIONS),
]  # fmt: skip
SHIPPED = {  # the run whose weights ship, whatever it scored, and the pattern of the runs on its card
    "striped": (Run("infogan_stripes_0.8", 0), r".*_(stripes|colours)_.*"),
    "lit_head": (Run("even_0.9", 0), r"(even|pair|class)(10)?_.*"),
}


def train_and_score(run, scratch):
    """One run and its figures."""
    options = {"device": "cpu", "checkpoint": scratch / "checkpoint.safetensors", "progress": False}
    started = time.process_time()
    digit = run.name.count("_") == 2
    trained, config, score = (digits_run if digit else head_run)(run, options)
    spent = time.process_time() - started
    record = {
        "run": run.name, "seed": run.seed, "method": config.__class__.__module__.rsplit(".", 1)[1],
        "spec": asdict(trained.generator.spec), "config": asdict(config), "seconds": round(spent),
        "figures": score(trained), "conditions": conditions(),
    }  # fmt: skip
    return Measured(record, trained.generator, trained.discriminator_q)


def digits_run(run, options):
    """Digits with something laid on them: what was trained, by what, and the function that scores it."""
    who, kind, strength = run.name.split("_")
    train_set, test = load_mnist(), load_mnist(train=False)
    lay = KINDS[kind]
    seen, new = lay(train_set.images, float(strength), 0), lay(test.images, float(strength), 1)
    spec, labelled = CodeSpec(), who.startswith("ss")
    if who == "infogan":
        config = infogan.Config(steps=PLAIN_STEPS, seed=run.seed, **DIGIT_STEPS)
        trained = infogan.fit(seen.images, spec, config, **options)
    elif who == "recipe":
        config = digits.Config(steps=RECIPE_STEPS, seed=run.seed, **DIGIT_STEPS)
        trained = digits.fit(seen.images, spec, config, **options)
    else:
        config = ss_infogan.Config(steps=RECIPE_STEPS, seed=run.seed, **DIGIT_STEPS)
        labels = few_labels(train_set.labels, int(who[2:]) // 10, run.seed)
        trained = ss_infogan.fit(seen.images, spec, config, labels=labels, **options)

    def score(trained):
        figures = {"L_I c1": float(np.mean(trained.history.bound_categorical[-50:]))}
        for name, old, truth in (("digit", train_set.labels, test.labels), ("texture", seen.textures, new.textures)):
            data = (ImageData(seen.images[:10_000], old[:10_000], ""), ImageData(new.images, truth, ""))
            whole = score_codes(trained.discriminator_q, *data)
            figures |= {f"{name} accuracy": whole.accuracy, f"{name} NMI": whole.nmi}
        if labelled:
            said = read_codes(trained.discriminator_q, new.images).categorical_logits[0].argmax(1)
            figures["digit accuracy, unmatched"] = code_accuracy(said, test.labels, np.arange(10))
        return {name: round(float(value), 4) for name, value in figures.items()}

    return trained, config, score


def head_spec(prior, correlation):
    """The codes of one run on heads."""
    if prior == "class":
        return CodeSpec((CLASSES,), 2, NOISE, HierarchicalPrior(CLASSES, correlation))
    return CodeSpec((), 2, NOISE, CorrelatedPrior(correlation) if prior == "pair" else "uniform")


def head_run(run, options):
    """Heads whose azimuth and light go together: what was trained, by what, and the function that scores it."""
    prior, weight, correlation = re.fullmatch(r"([a-z]+)(\d*)_(.*)", run.name).groups()
    world, spec = LitHead(float(correlation)), head_spec(prior, float(correlation))
    config = replace(HEAD, seed=run.seed, lambda_continuous=HEAD.lambda_continuous * int(weight or 1))
    pictures = world.images_and_factors(HEADS, 0, progress=False).images
    trained = infogan.fit(pictures, spec, config, **options)

    def score(trained):
        recent = slice(-50, None)
        history = trained.history
        bound = np.mean(history.bound_categorical[recent]) + np.mean(history.bound_continuous[recent])
        plain = LitHead(0.0)
        book = Album(plain, plain.render(every_factor(plain)))
        read = score_heads(book, encoder(trained.discriminator_q), world)
        return {"L_I": round(float(bound), 3), **read, "drawn": score_drawn(book, trained.generator)}

    return trained, config, score


def encoder(discriminator_q):
    """From pictures to the continuous codes that Q reads; a class has none of the two factors to itself."""
    classes = len(discriminator_q.spec.categorical)
    return lambda images: as_columns(read_codes(discriminator_q, images))[:, classes:]


class Album(NamedTuple):
    """The world whose factors are independent, with all its pictures rendered already, or what stands in for them."""

    world: LitHead
    pictures: torch.Tensor

    def sample_factors(self, n, generator):
        return self.world.sample_factors(n, generator)

    def render(self, factors):
        return self.pictures[factors[:, 0] * len(self.world.factors[1].values) + factors[:, 1]]


def every_factor(world):
    """All values of both factors, the first one slowest, shape ``(values, 2)``."""
    return torch.cartesian_prod(*(torch.arange(len(factor.values)) for factor in world.factors))


def score_heads(book, encode, world):
    """Every metric, on pictures of the world that trained it and of the one whose factors are independent.

    Args:
        book: the ``Album``.
        encode: from its pictures to codes.
        world: whose factors go together.
    """
    figures = {}
    for name, world_of in {"own": world, "independent": book.world}.items():
        factors = world_of.sample_factors(SCORED, torch.Generator().manual_seed(12345))
        codes = encode(book.render(factors))
        table = report(codes, factors // COARSE, jobs=1, progress=False)["score"].to_dict()
        follows = code_factor_table(codes, world_of.values(factors), world_of)
        table |= {f"|ρ| {f} {c}": follows[f][c] for f in follows for c in follows.index}
        table["ρ of the codes"] = np.corrcoef(codes.T)[0, 1]
        if name == "independent":  # which factor is held is a question for factors that can be held one at a time
            table["Higgins"] = higgins_score(book, encode, **INTERVENTIONS)
            table["FactorVAE"] = factor_vae_score(book, encode, n_spread=2000, **INTERVENTIONS)
        figures[name] = {metric: round(float(value), 4) for metric, value in table.items()}
    return figures


def nearest(book, images):
    """The factors of the picture in the album that each image is nearest to, and the root mean square difference."""
    distances = torch.cdist(images.flatten(1), book.pictures.flatten(1))
    found = every_factor(book.world)[distances.argmin(dim=1)]
    return found, float(distances.amin(dim=1).square().mean().sqrt() / math.sqrt(images[0].numel()))


def score_drawn(book, generator):
    """What G draws: with codes from the prior, how factors go together; with independent ones, which code moves which.

    Each picture stands for the one in the album that it is nearest to.
    """
    codes = generator.spec.sample(SCORED, torch.Generator().manual_seed(1))
    factors, off = nearest(book, draw_images(generator, codes))
    free = 2 * torch.rand(SCORED, 2, generator=torch.Generator().manual_seed(2)) - 1
    moved, _ = nearest(book, draw_images(generator, codes.replace(continuous=free)))
    follows = code_factor_table(free, book.world.values(moved), book.world)
    table = {"ρ of the factors": np.corrcoef(factors.T)[0, 1], "off by": off}
    table |= {f"|ρ| {f} {c}": follows[f][c] for f in follows for c in follows.index}
    return {name: round(float(value), 4) for name, value in table.items()}


def score_ideals():
    """What the metrics say of codes that no network read: the true factors, and their sum and difference."""
    world = LitHead(0.0)
    sizes = torch.tensor([len(factor.values) for factor in world.factors])
    true = 2 * (every_factor(world) + 0.5) / sizes - 1
    turned = torch.stack([true.sum(dim=1), true[:, 0] - true[:, 1]], dim=1)
    return {
        name: {f"{x:g}": score_heads(Album(world, codes), lambda seen: seen, LitHead(x)) for x in CORRELATIONS}
        for name, codes in {"true factors": true, "sum and difference": turned}.items()
    }


def flat(figures):
    """One number per figure."""
    inner = {f"{name}, {where}": x for where, of in figures.items() if isinstance(of, dict) for name, x in of.items()}
    return {name: x for name, x in figures.items() if not isinstance(x, dict)} | inner


def headline(record):
    return f"{record['seconds']} s, {json.dumps(record['figures'], ensure_ascii=False)}"


def write_table(folder):
    """All finished runs: one line per seed, and the median."""

    def row(record):
        return flat(record["figures"]) | {"seconds": record["seconds"]}

    records = [record for _, record in finished(folder, NAMES)]
    note = "Written by meaning.py; 10,000 test digits or 3,000 pictures of heads score; seconds are of a processor."
    write_results("meaning", "What codes come to mean", note, records, row)


def ship(name, folder):
    """Write the weights of one run, in half precision, and a card with the figures of all runs of its kind."""
    chosen, pattern = SHIPPED[name]
    records = read_results("meaning")
    [record] = [r for r in records if (r["run"], r["seed"]) == chosen]
    generator, discriminator_q = load_networks(chosen.weights(folder))
    beside = [r for r in records if re.fullmatch(pattern, r["run"])]
    facts = {
        "what": f"{chosen.name} of meaning.py; seed {chosen.seed}, whatever it scored",
        "method": record["method"],
        "config": record["config"],
        "precision": "weights were trained in 32 bits and are stored in 16",
        "measured": record["figures"],
        "runs": rows_by_run(beside, lambda r: {**r["figures"], "steps": r["config"]["steps"], "seconds": r["seconds"]}),
        "conditions": {**record["conditions"], "seconds": record["seconds"]},
    }
    if name == "lit_head":
        facts["ideals"] = score_ideals()
    save_pretrained(name, generator.half(), discriminator_q.half(), facts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ship", nargs="+", choices=list(SHIPPED), help="write these weights")
    options = read_options(parser, NAMES, nargs="*")
    for name in options.ship or ():
        ship(name, options.where.folder)
    if options.ship:
        return
    train(train_and_score, options.runs, headline, options.where)
    write_table(options.where.folder)


if __name__ == "__main__":
    main()
