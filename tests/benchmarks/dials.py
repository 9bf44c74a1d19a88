"""Turn one dial of InfoGAN on digits at a time, over seeds, and write one table: λ, codes, learning rates, Q's depth.

    python tests/benchmarks/dials.py plain:0-2 lambda_0:0-2 classes_20:0-2 values_8:0-2 rates_0.0005_0.002:0-1
    python tests/benchmarks/dials.py depth_0:0-2 depth_2:0-2 depth_own:0-2 --workers 2

A run is NAME:SEEDS; where it trains, and what is kept of it, is ``harness``. All start from notebook 03's settings (the
paper's algorithm, a quarter of its width) and change what their name says: ``lambda`` the weight of c1, a tenth of it
the weight of c2 and c3; ``classes`` how many c1 has; ``values`` how many continuous codes there are; ``rates`` the
learning rates of G, and of D and Q; ``depth`` the hidden layers of Q's head, ``own`` a trunk of its own; ``activation``
that of D and Q. Labels, and a classifier that learned from labels, score the runs after the training has ended.
"""

from dataclasses import asdict, replace

import numpy as np
import torch
from harness import Benchmark, Measured, conditions, measure
from sklearn.metrics import normalized_mutual_info_score
from torch import nn

from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist
from infogan_helpers.evaluation import code_attribute_table, draw_images, match_codes_to_labels, read_codes
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import TrainingResult, adam, make_players
from infogan_helpers.networks import BatchNorm1d, DiscriminatorQ, QHead, check_images, initialise
from infogan_helpers.quality import classify, frechet_distance, load_classifier, sure_share
from infogan_helpers.training import run as train_method

STEPS = 800
FAKES = 10_000
HIDDEN = 32  # units of Q's head, a quarter of the paper's, as everything
RATES = (1e-4, 5e-4, 2e-3)
NAMES = [
    "plain",  # λ 1, ten classes, two values, rates of 5e-4, one hidden layer
    *(f"lambda_{x:g}" for x in (0, 0.01, 0.03, 0.1, 0.3, 3, 10)),
    *(f"classes_{k}" for k in (5, 8, 12, 20, 30)),
    *(f"values_{n}" for n in (0, 1, 4, 8)),
    *(f"rates_{g:g}_{d:g}" for g in RATES for d in RATES if (g, d) != (RATES[1], RATES[1])),
    *(f"depth_{depth}" for depth in ("0", "2", "own")),
    "activation_relu",
]


class OwnTrunk(DiscriminatorQ):
    """D and Q with nothing in common: Q has a second trunk of the same shape."""

    def __init__(self, spec, image_shape, width, variance, norm):
        super().__init__(spec, image_shape, width, variance, norm)
        own = DiscriminatorQ(spec, image_shape, width, variance, norm)
        self.q_head = nn.ModuleDict({"trunk": own.trunk, "head": own.q_head})

    def forward(self, images):
        images = check_images(images, self.image_shape)
        logit = self.real_head(self.trunk(images))[:, 0]
        return logit, self.q_head["head"](self.q_head["trunk"](images))


class DeepHead(QHead):
    """Q's head with a hidden layer more."""

    def __init__(self, spec, features, hidden, variance, norm):
        super().__init__(spec, features, hidden, variance, norm)
        self.hidden.extend([nn.Linear(hidden, hidden), BatchNorm1d(hidden), nn.LeakyReLU(0.1)])


def players_of(depth):
    """``make_players`` with another Q."""

    def make(spec, image_shape, config, device="cpu"):
        players = make_players(spec, image_shape, config, device)
        if depth == "own":
            players.discriminator_q = OwnTrunk(spec, image_shape, config.width, config.variance, config.norm)
            of_d = [*players.discriminator_q.trunk.parameters(), *players.discriminator_q.real_head.parameters()]
            players.optimizer_d = adam(of_d, config.learning_rate_d, config.betas, device)
        else:
            make_head, hidden = (DeepHead, HIDDEN) if depth == "2" else (QHead, 0)
            features = players.discriminator_q.real_head.in_features
            head = make_head(spec, features, hidden, config.variance, config.norm)
            initialise(head)
            players.discriminator_q.q_head = head
        of_q = players.discriminator_q.q_head.parameters()
        players.optimizer_q = adam(of_q, config.learning_rate_q, config.betas, device)
        return players

    return make


def with_relu(spec, image_shape, config, device="cpu"):
    """``make_players``, D and Q with ReLU where they have leaky ReLU."""
    players = make_players(spec, image_shape, config, device)
    for module in list(players.discriminator_q.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.LeakyReLU):
                setattr(module, name, nn.ReLU())
    return players


def changed(name):
    """``(spec, config, method)`` of a run's name."""
    dial, *values = name.split("_")
    spec, config, method = CodeSpec(), replace(infogan.PRESETS["plain"], steps=STEPS), infogan.METHOD
    if dial == "lambda":
        weight = float(values[0])
        config = replace(config, lambda_categorical=weight, lambda_continuous=weight / 10)
    elif dial == "classes":
        spec = CodeSpec(categorical=(int(values[0]),))
    elif dial == "values":
        spec = CodeSpec(continuous=int(values[0]))
    elif dial == "rates":
        of_g, of_d = map(float, values)
        config = replace(config, learning_rate_g=of_g, learning_rate_d=of_d, learning_rate_q=of_d)
    elif dial == "depth":
        method = method._replace(make=players_of(values[0]))
    elif dial == "activation":
        method = method._replace(make=with_relu)
    return spec, config, method


def train_and_score(run, scratch):
    """One run and its figures."""
    spec, config, method = changed(run.name)
    config, images = replace(config, seed=run.seed), load_mnist().images
    options = {"device": "cpu", "checkpoint": scratch / "checkpoint.safetensors", "progress": False}
    players, history, interrupted = train_method(method, images, spec, config, **options)
    trained = TrainingResult(players.generator, players.discriminator_q, history, interrupted)
    record = {
        "run": run.name, "seed": run.seed, "config": asdict(config), "spec": asdict(spec),
        "seconds": round(history.seconds), **scored(trained, spec), "conditions": conditions(),
    }  # fmt: skip
    return Measured(record, None, None)


def scored(trained, spec):
    """What a pair does on fresh fakes and on the test digits, and what its classes were used for."""
    generator, dq, history, _ = trained
    data, test, judge = load_mnist(), load_mnist(train=False), load_classifier()
    codes = spec.sample(FAKES, torch.Generator().manual_seed(1))
    images = draw_images(generator, codes)
    posterior = read_codes(dq, images)
    bound = lower_bound(posterior, codes, spec)
    probabilities, features = classify(judge, images)
    c1, drawn = codes.categorical[:, 0], probabilities.argmax(1)
    on_train, on_test = (read_codes(dq, part.images).categorical_logits[0].argmax(1) for part in (data, test))
    k = spec.categorical[0]
    matching = torch.as_tensor(match_codes_to_labels(on_train, data.labels, k))
    per_value = ((codes.continuous - posterior.mean) ** 2).mean(0) / codes.continuous.var(0)
    figures = {
        "L_I c1": bound.categorical,
        "L_I of values": bound.continuous,
        "read back": (posterior.categorical_logits[0].argmax(1) == c1).float().mean(),
        "accuracy": (matching[on_test] == test.labels).float().mean(),
        "NMI": normalized_mutual_info_score(test.labels, on_test),
        "sure": sure_share(probabilities),
        "Fréchet": frechet_distance(features, classify(judge, test.images)[1]),
        "D right": np.mean(history.d_accuracy[-50:]),
    }
    followed = code_attribute_table(generator, spec).abs().round(3) if spec.continuous else None
    return {
        "figures": {name: round(float(value), 4) for name, value in figures.items()},
        "drawn": counts(c1, drawn, k),  # a row per class of c1: what the classifier sees in G's pictures of it
        "read": counts(on_test, test.labels, k),  # likewise: the labels of the test digits that Q reads as it
        "explained": [round(float(1 - share), 3) for share in per_value],  # of each value's variance, by Q on fakes
        "followed": {} if followed is None else followed.T.to_dict(),
    }


def counts(rows, columns, classes):
    table = torch.zeros(classes, 10, dtype=torch.long)
    table.index_put_((rows, columns), torch.ones_like(rows), accumulate=True)
    return table.tolist()


def row(record):
    return record["figures"] | {"seconds": record["seconds"]}


BENCHMARK = Benchmark(
    "dials",
    "InfoGAN on digits, one dial at a time",
    f"Written by dials.py: {STEPS} steps of the paper's algorithm, a quarter as wide; 10,000 test digits score.",
    NAMES,
    train_and_score,
    row,
)


if __name__ == "__main__":
    measure(BENCHMARK, __doc__)
