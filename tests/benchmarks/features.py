"""Probes on features that were made without labels, or with as few as the probe's, over seeds, and one table.

    python tests/benchmarks/features.py autoencoder:0-4 vae:0-4
    python tests/benchmarks/features.py pixels:0-4 pca:0-4 random_trunk:0-4 autoencoder_code:0-4 autoencoder_trunk:0-4
    python tests/benchmarks/features.py vae_mean:0-4 vae_trunk:0-4 infogan_trunk:0-4 infogan_codes:0-4
    python tests/benchmarks/features.py digits_trunk:0-4 digits_codes:0-4 ss_trunk:0-4 alone_trunk:0-4

A run is NAME:SEEDS; where it runs, and what is kept of it, is ``harness``. The first line trains; all others read
networks that lie in the folder: the first line's, and those of ``relatives.py`` (``infogan``, ``digits``, ``ss10`` to
``ss1000``, ``alone10`` to ``alone1000``). Labelled digits are drawn from the 60,000 by the run's seed, as many of each
digit, the same as ``relatives.py`` gave its networks of that seed. The 10,000 test digits score and choose nothing.
"""

import argparse
import json
from functools import partial

import numpy as np
import torch
from harness import Measured, Run, conditions, finished, read_options, train, write_tables
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
from infogan_helpers.measured import save_measured
from infogan_helpers.methods import infogan, vae
from infogan_helpers.methods.players import make_players, recalibrate_batch_norm

LABELS = (10, 100, 1000)
COMPONENTS = 50  # of PCA, and latents of the autoencoder and the VAE, as many as BiGAN's autoencoder had
STEPS, BATCH = 1500, 128  # as notebook 04's recipe
BETAS = {"autoencoder": 0.0, "vae": 1.0}  # on the rate: an autoencoder is a VAE that pays no tax
TAUGHT = ("ss", "alone")  # a network per number of labels, by the labels that the probe gets
SAME = ("pixels", "pca")  # for all seeds, but for the labels
NAMES = [
    *BETAS, *SAME, "random_trunk", "autoencoder_code", "autoencoder_trunk", "vae_mean", "vae_trunk",
    *("infogan_trunk", "infogan_codes", "digits_trunk", "digits_codes", "ss_trunk", "alone_trunk"),
]  # fmt: skip


def train_or_probe(run, scratch):
    """One run: an autoencoder trained, or features probed."""
    if run.name in BETAS:
        return train_autoencoder(run, scratch)
    kind, _, part = run.name.partition("_")
    train_digits, test = load_mnist(), load_mnist(train=False)
    figures = {}
    for n in LABELS:
        if n == LABELS[0] or kind in TAUGHT:
            network = network_of(kind, n, run.seed, scratch.parent)
            features_of = partial(represent, network, kind, part)
        scores = few_label_scores(features_of, train_digits, test, n // 10, run.seed)
        figures |= {f"probe {n}": scores.probe, f"neighbour {n}": scores.neighbour}
        if kind in TAUGHT:
            answer = read_codes(network, test.images).categorical_logits[0].argmax(1)
            figures[f"answer {n}"] = code_accuracy(answer, test.labels, range(10))
    if kind not in TAUGHT and (kind not in SAME or run.seed == 0):
        nearest = nearest_neighbour(features_of(train_digits.images), train_digits.labels)
        figures["neighbour 60000"] = nearest.score(features_of(test.images), test.labels)
    return Measured(record_of(run, figures, features_of(test.images[:1]).shape[1]), None, None)


def train_autoencoder(run, scratch):
    """A VAE, or an autoencoder; kept as G and Q, and its last distortion and rate in nats."""
    config = vae.Config(steps=STEPS, batch_size=BATCH, latents=COMPONENTS, beta=BETAS[run.name], seed=run.seed)
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
        spec, config = CodeSpec(), infogan.Config(seed=seed)
        torch.manual_seed(seed)
        players, images = make_players(spec, (1, 28, 28), config), load_mnist().images
        recalibrate_batch_norm(players, images, spec, seed, lambda real, fake, generator: (real,))
        return players.discriminator_q
    return load_networks(Run(f"{kind}{n}" if kind in TAUGHT else kind, seed).weights(folder))[1]


def represent(network, kind, part, images):
    """The features of images."""
    if kind in SAME:
        pixels = pixel_features(images)
        return pixels if network is None else network.transform(pixels)
    if part == "trunk":
        return trunk_features(network, images)
    return code_features(network, images)


def record_of(run, figures, units):
    """What is kept of a run; ``units`` counts the columns of the features."""
    figures = {name: round(float(value), 4) for name, value in figures.items()}
    return {"run": run.name, "seed": run.seed, "units": units, "figures": figures, "conditions": conditions()}


def headline(record):
    return json.dumps(record["figures"], ensure_ascii=False)


def write_table(folder):
    """All finished runs, for notebook 11 to read, and a table: one line per seed, and the median."""
    records = [record for _, record in finished(folder, NAMES)]
    save_measured("features", records)
    write_tables(
        "features",
        "Features for few labels",
        "Written by features.py: a linear probe, the nearest neighbour, and a taught network's own answer, by number "
        "of labels; 10,000 test digits score.",
        records,
        lambda record: record["figures"],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = read_options(parser, NAMES)
    train(train_or_probe, options.runs, headline, options.where)
    write_table(options.where.folder)


if __name__ == "__main__":
    main()
