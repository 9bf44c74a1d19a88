"""Train runs with a known illness, and healthy ones, for ``exercises.clinic.diagnose`` to be fitted on and scored on.

    python tests/benchmarks/clinic.py softmax_twice:0-8 healthy:0-8 --folder data/runs/clinic --workers 1
    python tests/benchmarks/clinic.py --ship --folder data/runs/clinic

A run is NAME:SEEDS; where it trains, and what is kept of it, is ``harness``. The name says what is wrong with it, the
last digit of the seed picks data, networks and codes (``SETTINGS``). Rules were revised after a look at all runs of
seeds below 110, which are *seen*; those of 110 and above were trained after that and looked at once: they are held out.
A run that was meant to collapse is one only if it did (``crowding``, on pictures and data); others are kept, and not
shipped. ``--ship`` writes the finished runs to ``data/pretrained/histories``, for the notebook and for the tests.
"""

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from harness import Measured, conditions, finished, read_options, train, write_results
from torch import nn

from infogan_helpers.checkpoints import save_verified
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range, load_mnist
from infogan_helpers.exercises import clinic
from infogan_helpers.labels import few_labels
from infogan_helpers.methods import digits, infogan, noise_last, ss_infogan
from infogan_helpers.training import run as train_run
from infogan_helpers.worlds.sprites import Sprites

COLUMNS = 5  # of the sample pictures that are kept, of ten
HELD_OUT = 110  # the first seed that no rule has seen
DRAWN = 1000  # pictures for ``crowding``
CROWDED = 0.2  # ``crowding`` below which G has collapsed; without codes it is 0.7 and more, in healthy runs mostly 0.3
PLAIN = replace(  # in a few seconds, at the price of small pictures
    infogan.PRESETS["plain"], steps=700, batch_size=48, learning_rate_g=2e-3, learning_rate_d=5e-4,
    learning_rate_q=2e-3, lambda_continuous=0.3, sample_every=10_000,
)  # fmt: skip
SMALL = replace(PLAIN, width=0.2, batch_size=32, steps=550)
PLANE = replace(
    PLAIN, architecture="mlp", norm="none", width=0.125, steps=800, batch_size=128, learning_rate_g=1e-3,
    learning_rate_d=1e-3, learning_rate_q=4e-3, lambda_categorical=2.0, lambda_continuous=1.5,
)  # fmt: skip


class Setting(NamedTuple):
    """Data, codes, and the configuration of a healthy run."""

    images: Callable
    spec: CodeSpec
    config: infogan.Config


def mnist(side=28, classes=range(10), n=6000):
    """Digits of some classes, or smaller ones."""
    data = load_mnist()
    images = data.images[torch.isin(data.labels, torch.tensor(list(classes)))][:n]
    if side < 28:
        images = F.interpolate(images.float(), side, mode="area").round().to(torch.uint8)
    return images


def ring(modes, spread=0.8, n=4000):
    """Points on arcs of a ring, as in notebook 03."""
    random = torch.Generator().manual_seed(0)
    turn = torch.randint(modes, (n,), generator=random) + spread * modes / 7 * (torch.rand(n, generator=random) - 0.5)
    radius = 0.75 + 0.03 * torch.randn(n, generator=random)
    return torch.stack([radius * (2 * math.pi / modes * turn).cos(), radius * (2 * math.pi / modes * turn).sin()], 1)


SETTINGS = [
    Setting(lambda: mnist(16), CodeSpec((10,), 2, 30), replace(PLAIN, lambda_continuous=0.1)),
    Setting(lambda: mnist(12), CodeSpec((10,), 1, 30), replace(PLAIN, width=0.2, steps=600)),
    Setting(lambda: ring(5), CodeSpec((5,), 1, 4), PLANE),
    Setting(lambda: mnist(16), CodeSpec((8,), 1, 16), replace(PLAIN, width=0.2, learning_rate_g=1e-3)),
    Setting(lambda: mnist(12, range(5)), CodeSpec((5,), 2, 20), replace(PLAIN, batch_size=64, steps=600)),
    Setting(mnist, CodeSpec((10,), 2, 62), replace(PLAIN, width=0.125, steps=600)),
    Setting(lambda: mnist(12), CodeSpec((12,), 1, 62), replace(SMALL, information_trains_trunk=True)),
    Setting(lambda: ring(8, 0.5), CodeSpec((8,), 1, 6), replace(PLANE, width=0.25, batch_size=64, steps=600)),
    Setting(lambda: mnist(12), CodeSpec((4, 3), 1, 24), SMALL),
    Setting(lambda: mnist(12), CodeSpec((10,), 3, 40), replace(SMALL, learning_rate_d=3e-4)),
]


def without(rate):
    """A rate that moves no number of 32 bits: what a network in nobody's optimiser has."""
    return lambda config: replace(config, **{rate: 1e-12})


def times(**factors):
    """The configuration with some fields multiplied."""
    return lambda config: replace(config, **{name: factor * getattr(config, name) for name, factor in factors.items()})


def outplayed(config):
    """D fast and G slow; in the plane, with dropout in D, G has to stand nearly still."""
    return times(learning_rate_d=10, learning_rate_g=0.05 if config.norm == "batch" else 0.005)(config)


def unbalanced(config):
    """G faster than D, D without a norm, and nobody who asks for the codes: G need not draw more than one thing."""
    faster = times(learning_rate_g=4 if config.norm == "batch" else 8, learning_rate_d=0.5)
    return replace(faster(config), norm="none", lambda_categorical=0.0, lambda_continuous=0.0)


ILLNESSES = {  # what is done to the configuration of a healthy run
    "softmax_twice": times(learning_rate_q=3, lambda_categorical=3),  # and ``softened``
    "q_not_trained": without("learning_rate_q"),
    "codes_not_asked_for": times(lambda_categorical=0, lambda_continuous=0),
    "lambda_too_large": times(lambda_categorical=100, lambda_continuous=100),
    "d_won": outplayed,
    "d_not_trained": without("learning_rate_d"),
    "sigma_fixed": lambda config: replace(config, variance="fixed"),
    "rates_too_high": times(learning_rate_g=50, learning_rate_d=50, learning_rate_q=50),
    "collapsed": unbalanced,
    "continuous_asleep": times(lambda_continuous=0),
}


def crowding(generator, setting, seed):
    """How near the next picture is to one that G draws, in units of the same among real ones; medians of ``DRAWN``."""
    real = as_model_range(setting.images()[:DRAWN])
    with torch.no_grad():
        fake = generator.eval()(setting.spec.sample(DRAWN, torch.Generator().manual_seed(seed)))
    apart = [torch.cdist(x, x).fill_diagonal_(math.inf) for x in (fake.flatten(1), real.flatten(1))]
    drawn, real = (distances.min(dim=1).values.median().item() for distances in apart)
    return drawn / real


def softened(spec, image_shape, config, device="cpu"):
    """InfoGAN's players, with a softmax at the end of each categorical head of Q."""
    players = infogan.METHOD.make(spec, image_shape, config, device)
    heads = players.discriminator_q.q_head.categorical
    for i, head in enumerate(heads):
        heads[i] = nn.Sequential(head, nn.Softmax(dim=1))
    return players


def train_and_keep(run, scratch):
    """One run: its metrics, and its last sample pictures, small."""
    setting = SETTINGS[run.seed % 10]
    torch.manual_seed(run.seed)
    options = {"device": "cpu", "progress": False}
    started = time.process_time()
    if run.name in METHODS:
        setting, result = METHODS[run.name](run.seed)
    else:
        config = ILLNESSES.get(run.name, lambda config: config)(replace(setting.config, seed=run.seed))
        method = infogan.METHOD._replace(make=softened) if run.name == "softmax_twice" else infogan.METHOD
        players, history, _ = train_run(method, setting.images(), setting.spec, config, **options)
        result = infogan.TrainingResult(players.generator, players.discriminator_q, history, False)
    history = result.history
    codes, kept = history.sample_codes, torch.arange(len(history.samples[-1])) % 10 < COLUMNS
    record = {
        "run": run.name, "seed": run.seed, "cpu seconds": round(time.process_time() - started, 1),
        "batch size": history.batch_size,
        "metrics": [[float(f"{x:.4g}") for x in column] for column in history.metrics],
        "pictures": clinic.pooled(history.samples[-1][kept]).round().int().tolist(),
        "categorical": codes.categorical[kept].tolist(),
        "continuous": codes.continuous[kept].tolist(),
        "conditions": conditions(),
    }  # fmt: skip
    if run.name == "collapsed":
        record["crowding"] = round(crowding(result.generator, setting, run.seed), 3)
    return Measured(record, result.generator, result.discriminator_q)


def short_digits(seed):
    """The recipe of notebook 04, short and narrow."""
    config = digits.Config(steps=600, batch_size=32, width=0.2, seed=seed, sample_every=10_000)
    return None, digits.fit(mnist(16), CodeSpec(), config, device="cpu", progress=False)


def short_ss(seed):
    """ss-InfoGAN with 100 labels, short and narrow."""
    labels = few_labels(load_mnist().labels[:6000], 10, seed)
    config = ss_infogan.Config(steps=600, batch_size=32, width=0.2, seed=seed, sample_every=10_000)
    return None, ss_infogan.fit(mnist(16), CodeSpec(), config, labels=labels, device="cpu", progress=False)


def short_noise_last(seed):
    """The game of notebook 07 on small sprites, short and narrow."""
    world = Sprites(16)
    pictures = world.render(world.sample_factors(4000, torch.Generator().manual_seed(0)))
    config = noise_last.Config(steps=800, width=0.5, seed=seed, sample_every=10_000)
    spec = CodeSpec((), 4, 16, odd=1)
    return None, noise_last.fit(pictures, spec, config, device="cpu", progress=False)


METHODS = {
    "healthy_digits": short_digits,
    "healthy_ss": short_ss,
    "healthy_noise_last": short_noise_last,
}
NAMES = ("healthy", *METHODS, *ILLNESSES)
TRUTHS = {illness.name.lower().replace(" ", "_"): illness.name for illness in clinic.ILLNESSES}


def headline(record):
    return f"{record['cpu seconds']} s" + (f", crowding {record['crowding']}" if "crowding" in record else "")


def about(run, record):
    """What the card says of a run."""
    return {
        "name": str(run),
        "truth": TRUTHS.get(run.name, clinic.NOTHING),
        "method": run.name.removeprefix("healthy_") if run.name in METHODS else "infogan",
        "seed": run.seed,
        "held_out": run.seed >= HELD_OUT,
        "batch_size": record["batch size"],
    }


def ship(folder):
    """All finished runs as tensors, small, with a card; and what ``diagnose`` says of each, as a table."""
    tensors, runs, seconds = {}, [], []
    for run, record in finished(folder, NAMES):
        if record.get("crowding", 0.0) > CROWDED:
            continue  # what was done to it did not make it ill
        tensors[f"{run}.metrics"] = torch.tensor(record["metrics"]).clamp(-6e4, 6e4).half()
        tensors[f"{run}.pictures"] = torch.tensor(record["pictures"]).to(torch.uint8)
        tensors[f"{run}.categorical"] = torch.tensor(record["categorical"]).to(torch.uint8)
        tensors[f"{run}.continuous"] = torch.tensor(record["continuous"]).half()
        runs.append(about(run, record))
        seconds.append(record["cpu seconds"])
    save_verified("clinic", tensors, {"runs": runs, "conditions": conditions()}, clinic.HISTORIES_FOLDER)
    records = []
    for stored, one, spent in zip(clinic.stored_runs(), runs, seconds, strict=True):
        said = clinic.diagnose(stored.history)
        measured = {name: value for name, value in clinic.signs(stored.history)._asdict().items() if name != "classes"}
        figures = {"right": float(said.illness == stored.truth)} | {k: round(float(v), 3) for k, v in measured.items()}
        names = {"run": stored.truth if stored.method == "infogan" else stored.method, "seed": stored.seed}
        records.append(names | {"said": said.illness, "held out": one["held_out"], "cpu seconds": spent, **figures})
    write_results(
        "clinic",
        "What `diagnose` says of runs whose illness is known",
        "Written by clinic.py, whose first lines say which seeds thresholds were fitted on, and which are held out.",
        sorted(records, key=lambda record: (record["run"], record["seed"])),
        lambda record: {k: v for k, v in record.items() if k not in ("run", "seed", "said", "held out")},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ship", action="store_true", help="write the histories of all finished runs, and the table")
    options = read_options(parser, NAMES, nargs="*")
    train(train_and_keep, options.runs, headline, options.where)
    if options.ship:
        ship(options.where.folder)


if __name__ == "__main__":
    main()
