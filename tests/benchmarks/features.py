"""Probes on features that were made without labels, or with as few as the probe's, over seeds, and one table.

    python tests/benchmarks/vaes.py mnist_vae:0-4
    python tests/benchmarks/relatives.py infogan:0-4 digits:0-4 ss10:0-4 ss100:0-4 ss1000:0-4
    python tests/benchmarks/relatives.py alone10:0-4 alone100:0-4 alone1000:0-4
    python tests/benchmarks/features.py autoencoder:0-4
    python tests/benchmarks/features.py pixels:0-4 pca:0-4 random_trunk:0-4 autoencoder_code:0-4 autoencoder_trunk:0-4
    python tests/benchmarks/features.py vae_mean:0-4 vae_trunk:0-4 infogan_trunk:0-4 infogan_codes:0-4
    python tests/benchmarks/features.py digits_trunk:0-4 digits_codes:0-4 ss_trunk:0-4 alone_trunk:0-4
    python tests/benchmarks/features.py pixels_all:0 digits_trunk_all:0-4 infogan_trunk_all:0 autoencoder_code_all:0

A run is NAME:SEEDS; where it runs, and what is kept of it, is ``harness``. The first four lines train; all others read
networks that lie in the folder. Labelled digits are drawn from the 60,000 by the run's seed, as many of each digit, the
same as ``relatives.py`` gave its networks of that seed. The 10,000 test digits score and choose nothing.
"""

from functools import partial

import numpy as np
import torch
from harness import Benchmark, Measured, Run, conditions, measure
from sklearn.decomposition import PCA
from vaes import as_pair

from infogan_helpers.applications.features import (
    code_features,
    few_label_scores,
    nearest_neighbour,
    pixel_features,
    trunk_features,
)
from infogan_helpers.checkpoints import load_networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist
from infogan_helpers.evaluation import code_accuracy, read_codes
from infogan_helpers.methods import infogan, vae
from infogan_helpers.networks import DiscriminatorQ

LABELS = (10, 100, 1000)
COMPONENTS = 50  # of PCA, and of the autoencoder's code, as many as BiGAN's autoencoder had
STEPS = 2000  # of the autoencoder, as many as the VAE's
TAUGHT = ("ss", "alone")  # a network per number of labels, by the labels that the probe gets
SAME = ("pixels", "pca")  # for all seeds, but for the labels
ALL = "_all"  # at a name's end: the nearest neighbour with all 60,000 labels
UNTAUGHT = [
    *SAME, "random_trunk", "autoencoder_code", "autoencoder_trunk", "vae_mean", "vae_trunk",
    *("infogan_trunk", "infogan_codes", "digits_trunk", "digits_codes"),
]  # fmt: skip
NAMES = ["autoencoder", *UNTAUGHT, *(f"{kind}_trunk" for kind in TAUGHT), *(name + ALL for name in UNTAUGHT)]


def train_or_probe(run, scratch):
    """One run: an autoencoder trained, or features probed, with few labels or with all."""
    if run.name == "autoencoder":
        return train_autoencoder(run, scratch)
    probe = with_all_labels if run.name.endswith(ALL) else with_few_labels
    figures, units = probe(run, scratch.parent, load_mnist(), load_mnist(train=False))
    return Measured(record_of(run, figures, units), None, None)


def with_few_labels(run, folder, digits, test):
    """Figures, and the columns of the features."""
    kind, figures = run.name.split("_")[0], {}
    for n in LABELS:
        if n == LABELS[0] or kind in TAUGHT:
            network = network_of(kind, n, run.seed, folder)
            features_of = partial(represent, network, run.name)
        scores = few_label_scores(features_of, digits, test, n // 10, run.seed)
        figures |= {f"probe {n}": scores.probe, f"neighbour {n}": scores.neighbour}
        if kind in TAUGHT:
            answer = read_codes(network, test.images).categorical_logits[0].argmax(1)
            figures[f"answer {n}"] = code_accuracy(answer, test.labels, range(10))
    return figures, features_of(test.images[:1]).shape[1]


def with_all_labels(run, folder, digits, test):
    """Likewise."""
    name = run.name.removesuffix(ALL)
    features_of = partial(represent, network_of(name.split("_")[0], None, run.seed, folder), name)
    of_test = features_of(test.images)
    nearest = nearest_neighbour(features_of(digits.images), digits.labels)
    return {f"neighbour {len(digits.labels)}": nearest.score(of_test, test.labels)}, of_test.shape[1]


def train_autoencoder(run, scratch):
    """An autoencoder, which is a VAE that pays nothing for what its code says; kept as G and Q."""
    config = vae.Config(steps=STEPS, latents=COMPONENTS, beta=0.0, seed=run.seed)
    options = {"device": "cpu", "checkpoint": scratch / "checkpoint.safetensors", "progress": False}
    trained = vae.fit(load_mnist().images, config, **options)
    figures = {name: np.mean(getattr(trained.history, name)[-STEPS // 10 :]) for name in ("distortion", "rate")}
    figures["seconds"] = trained.history.seconds
    return Measured(record_of(run, figures, COMPONENTS), *as_pair(trained, config))


def network_of(kind, n, seed, folder):
    """The network that features come from; ``None`` for pixels, PCA on the training pixels."""
    if kind == "pixels":
        return None
    if kind == "pca":
        return PCA(COMPONENTS, random_state=0).fit(pixel_features(load_mnist().images))
    if kind == "random":
        torch.manual_seed(seed)
        return DiscriminatorQ(CodeSpec(), width=infogan.Config().width)
    name = f"{kind}{n}" if kind in TAUGHT else {"vae": "mnist_vae"}.get(kind, kind)
    return load_networks(Run(name, seed).weights(folder))[1]


def represent(network, name, images):
    """The features of images."""
    if name in SAME:
        pixels = pixel_features(images)
        return pixels if network is None else network.transform(pixels)
    return trunk_features(network, images) if name.endswith("trunk") else code_features(network, images)


def record_of(run, figures, units):
    """What is kept of a run; ``units`` counts the columns of the features."""
    figures = {name: round(float(value), 4) for name, value in figures.items()}
    return {"run": run.name, "seed": run.seed, "units": units, "figures": figures, "conditions": conditions()}


def row(record):
    return record["figures"]


BENCHMARK = Benchmark(
    "features",
    "Features for few labels",
    "Written by features.py: a linear probe, the nearest neighbour, and a taught network's own answer, by number "
    "of labels; 10,000 test digits score.",
    NAMES,
    train_or_probe,
    row,
)


if __name__ == "__main__":
    measure(BENCHMARK, __doc__)
