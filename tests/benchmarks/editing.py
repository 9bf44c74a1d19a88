"""Edit 500 real pictures by trained networks, over seeds, and write one table: is the property moved, the rest kept?

    python tests/benchmarks/vaes.py mnist:0-4 mnist_vae:0-4 faces:0-2 faces_vae:0-2 chairs:0-2 chairs_vae:0-2
    python tests/benchmarks/editing.py mnist:0-4 mnist_vae:0-4 mnist_shear:0 faces:0-2 --networks data/runs

A run is NAME:SEEDS, a run of ``vaes.py``, whose weights lie in --networks; ``mnist_shear`` needs none. What is kept of
it is ``harness``. Each moves one property at a time to seven stands, evenly from the 5th to the 95th hundredth of what
a dial is drawn from. The dial is chosen, and directions are fitted, on 500 other pictures. Judges, and measures of
digits, choose the dial and score; no training sees them.
"""

import argparse
import time
from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import vaes
from harness import Benchmark, Measured, conditions, read_options, train_and_store
from worlds import HELD_OUT, TEST_SEED

from infogan_helpers.applications import editing
from infogan_helpers.applications.inversion import find_codes
from infogan_helpers.checkpoints import load_networks
from infogan_helpers.codes import Codes
from infogan_helpers.data import as_model_range, load_mnist
from infogan_helpers.evaluation import draw_images
from infogan_helpers.judges import load_judge
from infogan_helpers.quality import load_classifier
from infogan_helpers.world_presets import WORLD_PRESETS

PICTURES, STANDS = 500, 7
SHARES = torch.linspace(0.05, 0.95, STANDS)  # of the prior that lie below each stand
MOVED = {  # properties, and those that go round
    "mnist": (("slant", "thickness"), ()),
    "faces": (("azimuth", "elevation", "light"), ()),
    "chairs": (("rotation", "height"), ("rotation",)),
}
SHEAR = "mnist_shear"
RISING = np.pi * (2 * SHARES - 1)  # the dial's stands, as angles for a property that goes round
PARTS = [field.name for field in fields(Codes)]


def names():
    """What can be scored: the runs of ``vaes.py`` on digits, faces and chairs, and the shear."""
    return [name for name in vaes.runs() if name.split("_")[0] in MOVED] + [SHEAR]


def score(networks, run, scratch):
    """One run and its figures; ``networks`` is the folder of weights."""
    start, data = time.process_time(), run.name.split("_")[0]
    real, other, shows = pictures(data)
    record = {"run": run.name, "seed": run.seed, "pictures": len(real)}
    if run.name == SHEAR:
        record["edits"] = sheared(real, other, shows)
    else:
        record |= edited_by(*load_networks(run.weights(networks)), real, other, shows, *MOVED[data])
    seconds = round(time.process_time() - start, 1)
    return Measured(record | {"seconds": seconds, "conditions": conditions()}, None, None)


def pictures(data):
    """``(real, other, shows)``: pictures to edit, others to choose by, and what says what they show."""
    if data == "mnist":
        images, classifier = load_mnist(train=False).images, load_classifier()
        return images[:PICTURES], images[PICTURES : 2 * PICTURES], lambda x: editing.digits_show(classifier, x)
    world = WORLD_PRESETS[data].world()
    images, judge = world.images_and_factors(HELD_OUT, TEST_SEED, progress=False).images, load_judge(world)
    return images[:PICTURES], images[PICTURES : 2 * PICTURES], lambda x: editing.world_shows(judge, x)


def edited_by(generator, dq, real, other, shows, properties, circular):
    """Reconstruction, and every property moved in every way that the networks have."""
    found, elsewhere = (find_codes(generator, dq, images) for images in (real, other))
    shown, shown_elsewhere, as_found = shows(real), shows(other), shows(found.images)
    noise = found.codes.noise
    record = {
        "error": float(found.error.mean()),
        "kept": float((as_found.identity == shown.identity).mean()),
        "noise": float(noise.square().mean().sqrt()) if noise.numel() else None,
        "rest": {p: editing.rest_moved(as_found, shown, p, circular) for p in properties},
        "chose": {},
        "edits": {},
    }
    for p in properties:
        turns, values = p in circular, shown_elsewhere.values[p]
        dial = dial_of(elsewhere.codes, values, turns)
        ways = {"code": by_code(generator.spec, found.codes, dial)}
        if not turns:  # no straight line goes round
            ways["direction"] = by_direction(found.codes, elsewhere.codes, values)
        if not turns and noise.numel():
            ways["towards"] = by_others(found.codes, elsewhere.codes, values)
        record["chose"][p] = dial._asdict()
        record["edits"][p] = {
            way: editing.score_edits(RISING, shows(draw_images(generator, codes)), shown, p, circular)._asdict()
            for way, codes in ways.items()
        }
    return record


def dial_of(codes, values, turns):
    """The code, continuous or circular, that goes best with a property on other pictures."""
    angles = np.pi * codes.continuous if turns else codes.continuous
    return editing.best_dial(torch.cat([angles, codes.circular], dim=1), values, turns)


def by_code(spec, codes, dial):
    """One code (a VAE: one latent) set to each stand, all else kept."""
    rising = SHARES if dial.rho > 0 else 1 - SHARES
    if dial.column >= spec.continuous:
        return codes.sweep_circular(dial.column - spec.continuous, np.pi * (2 * rising - 1))
    uniform = spec.continuous_prior == "uniform"
    return codes.sweep_continuous(dial.column, 2 * rising - 1 if uniform else torch.special.ndtri(rising))


def by_direction(codes, others, values):
    """Noise (a VAE: latents) moved along the direction in which the property rises on other pictures."""
    part = "noise" if codes.noise.shape[1] else "continuous"
    along = editing.direction(getattr(others, part), values)
    places = getattr(others, part) @ along
    targets = places.mean() + places.std() * torch.special.ndtri(SHARES)
    rows = torch.arange(len(codes)).repeat_interleave(STANDS)
    return codes[rows].replace(**{part: editing.set_along(getattr(codes, part), along, targets)})


def by_others(codes, others, values):
    """All of z interpolated to the z of another picture that Q reads as the same class: to one whose property is low
    among those for the first stand, to one whose property is high for the last."""
    ends = [others[row_at(codes, others, values, share)] for share in (SHARES[0], SHARES[-1])]
    far = ((SHARES - 0.5) / (SHARES[-1] - 0.5)).tolist()
    stands = [editing.towards(codes, ends[share > 0], min(1.0, abs(share))) for share in far]
    parts = [torch.stack([getattr(c, name) for c in stands], dim=1).flatten(0, 1) for name in PARTS]
    return Codes(*parts)


def row_at(codes, others, values, share):
    """For each picture, the row of the other one of its class that has this share of them below it."""
    rows = []
    for classes in codes.categorical:
        same = (others.categorical == classes).all(dim=1).numpy() & np.isfinite(values)
        [among] = np.nonzero(same if same.any() else np.isfinite(values))
        rows.append(among[np.argsort(values[among])][int(share * len(among))])
    return torch.tensor(np.array(rows))


def sheared(real, other, shows):
    """Slant set by a shear of the picture itself, which asks no network."""
    shown, slants = shows(real), shows(other).values["slant"]
    targets = np.nanmean(slants) + np.nanstd(slants) * torch.special.ndtri(SHARES).numpy()
    shear = np.tan(targets)[None, :] - np.tan(shown.values["slant"])[:, None]
    rows = torch.zeros(shear.size, 2, 3)
    rows[:, 0, 0] = rows[:, 1, 1] = 1.0
    rows[:, 0, 1] = torch.from_numpy(shear.flatten())  # up is negative, so that the top comes from the left
    images = as_model_range(real).repeat_interleave(STANDS, dim=0)
    grid = F.affine_grid(rows, list(images.shape), align_corners=False)
    drawn = 2 * F.grid_sample((images + 1) / 2, grid, align_corners=False).clamp(0, 1) - 1
    return {"slant": {"shear": editing.score_edits(RISING, shows(drawn), shown, "slant")._asdict()}}


def row(record):
    """The figures of a record in one line."""
    edits = {
        f"{p} by {way}: {figure}": x
        for p, ways in record["edits"].items()
        for way, score in ways.items()
        for figure, x in score.items()
    }
    return {key: record[key] for key in ("error", "kept") if key in record} | edits


BENCHMARK = Benchmark(
    "editing",
    "Real pictures, edited",
    f"Written by editing.py: {PICTURES} pictures, {STANDS} stands each; judges and measures score.",
    names(),
    score,
    row,
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=Path, required=True, help="the folder of the runs of vaes.py")
    options = read_options(parser, BENCHMARK.names)
    train_and_store(BENCHMARK._replace(task=partial(score, options.networks)), options)


if __name__ == "__main__":
    main()
