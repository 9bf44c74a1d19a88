"""Write the weights that ship, their card and the README's picture, from runs that compare.py has finished.

    python tests/benchmarks/compare.py recipe@unseen:0-2
    python tests/benchmarks/ship.py recipe@unseen mnist
    python tests/benchmarks/ship.py control@unseen mnist_control
    python tests/benchmarks/ship.py recipe@fashion fashion_mnist

The digits' runs trained on MNIST without the 5,000 digits of the offline sample; the one of median accuracy ships, not
the best. The card carries its figures on that sample, which a test measures again; ``mnist``'s card carries all runs
of compare.py's table as well.
"""

import argparse
import json
import statistics
from pathlib import Path

import torch
from compare import DATA, NAMES, seconds_to_goal
from harness import FOLDER, RESULTS, finished

from infogan_helpers.checkpoints import PRETRAINED_FOLDER, load_networks, save_pretrained
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import mnist_sample
from infogan_helpers.evaluation import score_codes
from infogan_helpers.plots import image_grid

WHAT = {"recipe": "the recipe of notebook 04", "control": "the control of notebook 05: the recipe with λ = 0"}


def published():
    """The runs of compare.py's table, by preset and data; every figure of every seed."""
    runs = {}
    for record in json.loads((RESULTS / "compare.json").read_text(encoding="utf-8")):
        row = {"seed": record["seed"], **record["figures"]}
        row |= {"seconds to 95%": seconds_to_goal(record), "curve": record["curve"]}
        runs.setdefault(f"{record['preset']}, {record['data']}", []).append(row)
    return runs


def picture(generator, matching, path):
    """Each digit's code in a row, c2 along it, everything else held."""
    values = torch.linspace(-2, 2, 9)
    codes = CodeSpec().sample(1, torch.Generator().manual_seed(1))
    order = sorted(range(10), key=lambda code: matching[code])
    codes = codes.replace(continuous=torch.zeros(1, 2)).sweep_categorical(0, order)
    with torch.no_grad():
        images = generator(codes.sweep_continuous(0, values))
    figure = image_grid(
        images, 9, row_labels=order, column_labels=values.tolist(), row_name="c1", column_name="c2", support=(-1, 1)
    )
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", choices=NAMES, metavar="PRESET@DATA", help="all its finished seeds are looked at")
    parser.add_argument("name", help="of the weights in data/pretrained")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    found = finished(options.folder, [options.runs])
    median = statistics.median_low([record["figures"]["accuracy"] for _, record in found])
    run, record = next(pair for pair in found if pair[1]["figures"]["accuracy"] == median)
    generator, discriminator_q = load_networks(run.weights(options.folder))
    facts = {
        "what": f"InfoGAN on {options.name}, {WHAT[record['preset']]}, the run of median accuracy among its seeds",
        "method": record["method"],
        "config": record["config"],
        "trained on": record["trained on"],
        "scored on": record["scored on"],
        "measured": record["figures"],
        "accuracy of each seed": {r["seed"]: r["figures"]["accuracy"] for _, r in found},
        "conditions": record["conditions"],
    }
    if record["data"] != "fashion":
        score = score_codes(discriminator_q, DATA[record["data"]]()[0], mnist_sample(train=None))
        facts["on the offline sample"] = {"accuracy": round(score.accuracy, 4), "nmi": round(score.nmi, 4)}
    if options.name == "mnist":
        facts["runs"] = published()
        picture(generator, record["figures"]["matching"], PRETRAINED_FOLDER / "mnist.png")
    save_pretrained(options.name, generator, discriminator_q, facts)
    print(f"shipped: {run}, accuracy {median}")


if __name__ == "__main__":
    main()
