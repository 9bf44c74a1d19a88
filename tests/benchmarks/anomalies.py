"""Train InfoGAN and a VAE on one digit, or on all digits but one, over seeds; score test digits; write one table.

    python tests/benchmarks/anomalies.py only_{0,1,2,3,4,5,6,7,8,9}:0-4 without_{0,1,2,3,4,5,6,7,8,9}:0-1
    python tests/benchmarks/anomalies.py simple_{only,without}_{0,1,2,3,4,5,6,7,8,9}:0
    python tests/benchmarks/anomalies.py silent_only_{0,1,2,3,4,5,6,7,8,9}:0

A run is NAME:SEEDS; where it trains, and what is kept of it, is ``harness``. ``only_8`` trains on the training 8s and
counts the other nine digits of the test part as anomalies; ``without_8`` trains on nine digits, and the 8 is the
anomaly; ``simple`` fits densities to the same training digits, which needs no seed; ``silent`` is a GAN, λ = 0. Labels
choose the normal digits and count AUROC; no score has seen one, or an anomaly.
"""

import time

import torch
from harness import Benchmark, Measured, conditions, measure

from infogan_helpers.applications import anomalies
from infogan_helpers.applications.anomalies import Separated, auroc, map_features, separate
from infogan_helpers.applications.features import pixel_features
from infogan_helpers.applications.inversion import find_codes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist
from infogan_helpers.evaluation import read_codes
from infogan_helpers.methods import infogan, vae
from infogan_helpers.methods.players import make_players

DIGITS = range(10)
PROTOCOLS = {  # the digits that are normal
    "only": lambda digit: [digit],
    "without": lambda digit: [d for d in DIGITS if d != digit],
}
NAMES = [
    f"{kind}{protocol}_{digit}" for kind in ("", "silent_", "simple_") for protocol in PROTOCOLS for digit in DIGITS
]
SPEC = CodeSpec()
INFOGAN = {"steps": 500, "batch_size": 64}  # a quarter of the paper's width, as its twin's
VAE = {"steps": 500}  # batches of 64, too
OPTIONS = {"device": "cpu", "progress": False}
FEW = Separated(200, 400)  # test digits, the first ones, for scores that take long; the others have all
SEARCH_STEPS = (0, 50)
FITTED = 6000  # training digits that the simple densities see, the first ones: as many as there are of one digit


def train_and_score(run, scratch):
    """One run and its AUROCs."""
    *kind, protocol, digit = run.name.split("_")
    score = {"simple": simple_scores, "silent": silent_scores}[kind[0]] if kind else trained_scores
    digits = PROTOCOLS[protocol](int(digit))
    normal, test = separate(load_mnist(), digits).normal, separate(load_mnist(train=False), digits)
    started = time.process_time()
    figures = score(normal, test, run.seed)
    record = {"run": run.name, "seed": run.seed, "auroc": {name: round(value, 4) for name, value in figures.items()}}
    return Measured(record | {"seconds": round(time.process_time() - started), "conditions": conditions()}, None, None)


def of_both(score, test):
    """AUROC of a function of images."""
    return auroc(*map(score, test))


def simple_scores(normal, test, seed):
    """What needs no training, on pixels; and the density of a trunk whose weights are as they were drawn."""
    figures, pixels = {}, pixel_features(normal[:FITTED])
    for name in ("gaussian", "probabilistic_pca", "nearest_normal", "one_class_svm", "kernel_density"):
        score = getattr(anomalies, name)(pixels)
        figures[name] = of_both(lambda images, score=score: score(pixel_features(images)), test)
    config = infogan.Config(**INFOGAN)
    torch.manual_seed(seed)
    untrained = make_players(SPEC, normal.shape[1:], config)
    infogan.finish(untrained, normal, SPEC, config)
    return figures | {"untrained_maps": density_of_maps(untrained.discriminator_q, normal, test)}


def density_of_maps(discriminator_q, normal, test):
    """AUROC of probabilistic PCA on the trunk's feature maps."""
    surprise = anomalies.probabilistic_pca(map_features(discriminator_q, normal[:FITTED]))
    return of_both(lambda images: surprise(map_features(discriminator_q, images)), test)


def silent_scores(normal, test, seed):
    """The same density on the trunk of a GAN whose codes nobody has to read."""
    config = infogan.Config(seed=seed, lambda_categorical=0.0, lambda_continuous=0.0, **INFOGAN)
    trained = infogan.fit(normal, SPEC, config, **OPTIONS)
    return {"maps": density_of_maps(trained.discriminator_q, normal, test)}


def trained_scores(normal, test, seed):
    """InfoGAN's scores and a VAE's bound."""
    trained = infogan.fit(normal, SPEC, infogan.Config(seed=seed, **INFOGAN), **OPTIONS)
    g, dq = trained.generator, trained.discriminator_q
    figures = {
        "class_entropy": of_both(lambda images: anomalies.class_entropy(dq, images), test),
        "value_entropy": of_both(lambda images: anomalies.value_entropy(dq, images), test),
        "fakeness": of_both(lambda images: anomalies.fakeness(dq, images), test),
        "maps": density_of_maps(dq, normal, test),
    }
    few = Separated(*(images[:n] for images, n in zip(test, FEW, strict=True)))
    known = normal[:FITTED]
    classes = read_codes(dq, known).categorical_logits[0].argmax(dim=1)
    by_class = anomalies.by_class(anomalies.probabilistic_pca, map_features(dq, known), classes)
    figures["maps_by_class"] = of_both(lambda images: by_class(map_features(dq, images)), few)
    for steps in SEARCH_STEPS:
        found = [find_codes(g, dq, images, steps) for images in few]
        figures[f"search_{steps}"] = auroc(*(part.error for part in found))
    figures["redrawn_surprise"] = auroc(
        *(anomalies.redrawn_surprise(dq, images, part.images) for images, part in zip(few, found, strict=True))
    )
    encoder, decoder, *_ = vae.fit(normal, vae.Config(seed=seed, **VAE), **OPTIONS)
    return figures | {"elbo": of_both(lambda images: anomalies.negative_elbo(encoder, decoder, images, 1), test)}


def row(record):
    return record["auroc"] | {"seconds": record["seconds"]}


def place(record):
    """A table per protocol, a line per digit and seed."""
    protocol, _, digit = record["run"].rpartition("_")
    return protocol, f"{digit}, seed {record['seed']}"


BENCHMARK = Benchmark(
    "anomalies",
    "Anomalies among MNIST's test digits: AUROC",
    f"Written by anomalies.py: {INFOGAN['steps']} steps of {INFOGAN['batch_size']} images, a quarter of the width.",
    NAMES,
    train_and_score,
    row,
    place,
)


if __name__ == "__main__":
    measure(BENCHMARK, __doc__)
