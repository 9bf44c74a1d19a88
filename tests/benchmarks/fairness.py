"""Digits whose colour goes with their class: classifiers that lean on colour, and what InfoGAN can do about it.

    python tests/benchmarks/fairness.py real:0-4 prior_0.9:0-4 prior_0.5:0-4

A run is NAME:SEEDS; where it trains, and what is kept of it, is ``harness``. Each draws 4,000 training digits, of which
nine in ten have the colour of their class, and is scored on the 10,000 test digits: in colours that are independent of
the class, and again in colours that go with it as in training. ``real`` trains classifiers on real digits: as they are,
with the weights of the cells of class and colour (from all colour labels, or from 20), and without colour. ``prior_A``
trains AC-InfoGAN, c1 the class and c2 a second code of two classes that agrees with it with chance A, then classifiers
on drawn digits, on weights from what Q reads as c2, and on Q's answers. Colours of the test digits only score.
"""

import time
from dataclasses import asdict, replace
from functools import cached_property

import numpy as np
import torch
from harness import Benchmark, Measured, conditions, measure
from sklearn.linear_model import LogisticRegression

from infogan_helpers.applications import fairness, leakage
from infogan_helpers.data import as_model_range, load_mnist
from infogan_helpers.evaluation import read_codes
from infogan_helpers.labels import UNLABELLED, few_labels
from infogan_helpers.methods import ac_infogan

COUNT, AGREEMENT, FEW = 4000, 0.9, 20  # training digits; colours that go with the class; colour labels of "few"
STEPS = 800
SHAPE_COUNT = 10_000  # other training digits, grey, that teach what only scores: which class G drew
NAMES = ["real", *(f"prior_{a:g}" for a in (0.9, 0.8, 0.5))]


class Test:
    """The test digits three times: colours independent of the class, colours as in training, and both colours each."""

    def __init__(self):
        digits = load_mnist(train=False)
        self.independent = fairness.coloured_digits(digits, len(digits.images), 0.5, seed=1000)
        self.aligned = fairness.coloured_digits(digits, len(digits.images), AGREEMENT, seed=1000)
        every = torch.ones_like(self.independent.colours)
        self.both = [fairness.in_colours(self.independent.images, every * k) for k in (0, 1)]

    @cached_property
    def judge(self):
        """A classifier that learned from other digits, without colour; it only scores what G drew."""
        others = fairness.coloured_digits(load_mnist(), SHAPE_COUNT, 0.5, seed=2000)
        return fairness.train_classifier(fairness.grey(others.images), others.labels)

    def scored(self, answer, seconds, colour_labels):
        """What a function from pictures to classes gets right, and how fair it is."""
        _, labels, colours = self.independent
        said = answer(self.independent.images)
        cells = fairness.cell_accuracy(said, labels, colours)
        figures = {
            "accuracy": (said == labels).float().mean(),
            "worst group": cells.min().min(),
            "parity": fairness.demographic_parity(said, colours),
            "opportunity": fairness.equal_opportunity(said, labels, colours),
            "unfairness": fairness.unfairness(torch.stack([answer(images) for images in self.both])),
            "aligned": (answer(self.aligned.images) == self.aligned.labels).float().mean(),
        }
        cells = cells.round(4).to_numpy().tolist()
        figures = {name: round(float(value), 4) for name, value in figures.items()}
        return figures | {"seconds": round(seconds, 1), "colour labels": colour_labels, "cells": cells}


def timed(task, *arguments, **options):
    """``(result, seconds of this process)``."""
    start = time.process_time()
    result = task(*arguments, **options)
    return result, time.process_time() - start


def classifier(test, images, labels, seed, weights=None, before=0.0, colour_labels=0, see=lambda images: images):
    """Figures of a classifier that learned from these images; ``before`` is what they cost, in seconds."""
    trained, seconds = timed(fairness.train_classifier, see(images), labels, weights, seed=seed)
    return test.scored(lambda x: fairness.predict(trained, see(x)), before + seconds, colour_labels)


def of_real(data, test, seed):
    """Figures of the classifiers that see real digits only."""
    images, labels, colours = data
    cells = fairness.cell_weights(labels, colours)
    known = few_labels(colours, FEW // 2, seed) != UNLABELLED
    pixels = as_model_range(images).flatten(1)
    guess = LogisticRegression().fit(pixels[known], colours[known]).predict(pixels)
    return {
        "plain": classifier(test, images, labels, seed),
        "weights": classifier(test, images, labels, seed, cells, colour_labels=COUNT),
        "weights, few": classifier(test, images, labels, seed, fairness.cell_weights(labels, guess), colour_labels=FEW),
        "grey": classifier(test, images, labels, seed, see=fairness.grey),
    }, {"guessed": round(float((torch.as_tensor(guess) == colours).float().mean()), 4)}


def answers(dq, images, colour):
    """Q's answers as columns: the chance of class 1, that of colour 1 if asked for, the means of the other codes."""
    posterior = read_codes(dq, images)
    chances = [logits.softmax(dim=1)[:, 1:] for logits in posterior.categorical_logits[: 2 if colour else 1]]
    return torch.cat([*chances, posterior.mean], dim=1)


def of_codes(data, test, dq, before, colour):
    """Figures of trees on Q's answers, with or without the colour's."""
    codes, seconds = timed(answers, dq, data.images, colour)
    trees, more = timed(leakage.boosted_trees, codes, data.labels)
    return test.scored(lambda x: torch.as_tensor(trees.predict(answers(dq, x, colour))), before + seconds + more, 0)


def of_drawn(data, test, trained, before, seed):
    """Figures of what G's pictures are good for: alone, and beside the real ones where the prior is not even."""
    (pictures, classes, _), drawing = timed(fairness.draw_coloured, trained.generator, 2 * COUNT, seed=seed)
    found = {"drawn": classifier(test, pictures, classes, seed, before=before + drawing)}
    if trained.generator.spec.agreement > 0.5:
        (pictures, classes), drawing = timed(fairness.rebalance, data, trained.generator, seed)
        found["real and drawn"] = classifier(test, pictures, classes, seed, before=before + drawing)
    return found


def of_read(data, test, dq, before, seed):
    """Figures of what Q's answers on real digits are good for: as colour labels, and as features."""
    read = read_codes(dq, data.images).categorical_logits[1].argmax(dim=1)
    cells = fairness.cell_weights(data.labels, read)
    return {
        "weights by c2": classifier(test, data.images, data.labels, seed, cells, before),
        "codes": of_codes(data, test, dq, before, colour=True),
        "codes without c2": of_codes(data, test, dq, before, colour=False),
    }


def of_second(data, test, trained, before, config):
    """Figures of a second G, trained on real digits resampled by c2, so that an even prior is right; and its codes."""
    read = read_codes(trained.discriminator_q, data.images).categorical_logits[1].argmax(dim=1)
    rows = fairness.resampled(data.labels, read, 2 * COUNT, config.seed)
    images, labels, colours = (part[rows] for part in data)
    spec = replace(trained.generator.spec, agreement=0.5)
    second, seconds = timed(ac_infogan.fit, images, spec, config, labels=labels, device="cpu", progress=False)
    (pictures, classes, _), drawing = timed(fairness.draw_coloured, second.generator, 2 * COUNT, seed=config.seed)
    before += seconds + drawing
    both = torch.cat([images, pictures]), torch.cat([labels, classes])
    return {
        "second, drawn": classifier(test, pictures, classes, config.seed, before=before),
        "second, real and drawn": classifier(test, *both, config.seed, before=before),
        "second, codes without c2": of_codes(
            fairness.Coloured(images, labels, colours), test, second.discriminator_q, before, colour=False
        ),
    }, of_gan(data, test, second, config.seed)


def of_gan(data, test, trained, seed):
    """What the codes came to mean. Colours, classes of other digits and a classifier that learned from them score."""
    read = read_codes(trained.discriminator_q, data.images)
    drawn = fairness.draw_coloured(trained.generator, 10_000, seed=1)
    seen = (
        drawn.images[:, 2].sum(dim=(1, 2), dtype=torch.int) > drawn.images[:, 0].sum(dim=(1, 2), dtype=torch.int)
    ).long()
    shape = fairness.predict(test.judge, fairness.grey(drawn.images))
    codes = {k: answers(trained.discriminator_q, test.independent.images, k) for k in (True, False)}
    shuffled = np.random.default_rng(seed).permutation(test.independent.colours)
    right = read.categorical_logits[1].argmax(dim=1) == data.colours
    return {
        "c2 on real": round(float(right.float().mean()), 4),
        "c2 on real, cells": cells_of(right, data.labels, data.colours),
        "colour drawn": cells_of(seen == drawn.colours, drawn.labels, drawn.colours),
        "class drawn": cells_of(shape == drawn.labels, drawn.labels, drawn.colours),
        "leak": round(leakage.leak(codes[False], test.independent.colours), 4),
        "leak, shuffled": round(leakage.leak(codes[False], shuffled), 4),
        "leak, with c2": round(leakage.leak(codes[True], test.independent.colours), 4),
        "L_I": round(float(np.mean(trained.history.bound_categorical[-50:])), 4),
    }


def cells_of(right, labels, colours):
    """Shares of a tensor of booleans in the four cells, class by class."""
    return [round(float(right[(labels == k) & (colours == j)].float().mean()), 4) for k in (0, 1) for j in (0, 1)]


def train_and_score(run, scratch):
    """One run and its figures."""
    data, test = fairness.coloured_digits(load_mnist(), COUNT, AGREEMENT, run.seed), Test()
    record = {"run": run.name, "seed": run.seed}
    if run.name == "real":
        record["methods"], record["codes"] = of_real(data, test, run.seed)
        return Measured(record | {"conditions": conditions()}, None, None)
    spec = fairness.ClassThenColour((2, 2), 2, 30, agreement=float(run.name.removeprefix("prior_")))
    config = ac_infogan.Config(steps=STEPS, batch_size=64, seed=run.seed, sample_every=STEPS)
    trained, seconds = timed(
        ac_infogan.fit, data.images, spec, config, labels=data.labels, device="cpu", progress=False
    )
    record |= {"config": asdict(config), "spec": asdict(spec), "seconds": round(seconds)}
    record["methods"] = of_drawn(data, test, trained, seconds, run.seed)
    record["methods"] |= of_read(data, test, trained.discriminator_q, seconds, run.seed)
    record["codes"] = of_gan(data, test, trained, run.seed)
    if spec.agreement > 0.5:
        methods, record["second codes"] = of_second(data, test, trained, seconds, config)
        record["methods"] |= methods
    return Measured(record | {"conditions": conditions()}, None, None)


def row(record):
    """The figures of a record's table."""
    table = {f"{m}: {f}": figures[f] for m, figures in record["methods"].items() for f in ("accuracy", "worst group")}
    return table | {name: value for name, value in record["codes"].items() if isinstance(value, float)}


BENCHMARK = Benchmark(
    "fairness",
    "Digits whose colour goes with their class",
    f"Written by fairness.py: {COUNT} training digits, {STEPS} steps of AC-InfoGAN; 10,000 test digits score.",
    NAMES,
    train_and_score,
    row,
)


if __name__ == "__main__":
    measure(BENCHMARK, __doc__)
