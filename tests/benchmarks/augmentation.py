"""A classifier from 100 or 1,000 labelled digits, with changed copies, with drawn digits, with both; over seeds.

    python tests/benchmarks/augmentation.py labels100:0-4 labels1000:0-4

A run is NAME:SEEDS; where it runs, and what is kept of it, is ``harness``. Networks are those of ``relatives.py`` and
lie in the folder: ``ss100`` and ``ss1000``, whom the same labels taught, and ``digits``, which saw none and whose
classes the same labels name. Every arm has the same classifier, as many steps and as many images per step. How strong
copies are and which share of a batch is drawn is chosen by 1,000 more labels of training digits; ``digits`` takes the
shares that were chosen for ss-InfoGAN. The 10,000 test digits score what was chosen, and a classifier that learned
from all labels says whether G drew what it was asked for.
"""

import torch
from harness import Benchmark, Measured, Run, conditions, measure

from infogan_helpers.applications.augmentation import drawn_digits, names_of_classes, train_on
from infogan_helpers.checkpoints import load_networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist
from infogan_helpers.evaluation import code_accuracy, read_codes
from infogan_helpers.labels import UNLABELLED, few_labels, labelled_images
from infogan_helpers.quality import classify, load_classifier

NAMES = ("labels100", "labels1000")
STEPS, BATCH = 400, 32
STRENGTHS = (0.5, 1.0)  # of copies
SHARES = (0.25, 0.5, 0.75)  # of a batch, that is drawn
VALIDATION = 1000  # labels that choose strength and share, none of them among those that teach
DRAWN = 10_000


def compare(run, scratch):
    """All arms of one seed."""
    count = int(run.name.removeprefix("labels"))
    data, test = load_mnist(), load_mnist(train=False)
    kept = few_labels(data.labels, count // 10, run.seed)
    few = labelled_images(data.images, kept, CodeSpec())
    hidden = (kept == UNLABELLED).nonzero()[:, 0]
    chosen = hidden[torch.randperm(len(hidden), generator=torch.Generator().manual_seed(run.seed))[:VALIDATION]]
    validation = data.images[chosen], data.labels[chosen]

    def best(candidates):
        """The candidate, name to ``(sources, strength)``, that reads the validation digits best, and its scores."""
        trained = {name: train_on(*how, STEPS, run.seed) for name, how in candidates.items()}
        scores = {name: right(classifier, *validation) for name, classifier in trained.items()}
        name = max(scores, key=scores.get)
        return {"chosen": name, "validation": scores, "test": right(trained[name], test.images, test.labels)}

    def mixed(pool, shares, strength):
        """Candidates by the share of a batch that is drawn."""
        counts = {share: round(share * BATCH) for share in shares}
        return {share: ([(few, BATCH - n), (pool, n)], strength) for share, n in counts.items()}

    arms = {"labels alone": best({0.0: ([(few, BATCH)], 0.0)})}
    arms["copies"] = best({strength: ([(few, BATCH)], strength) for strength in STRENGTHS})
    strengths = {"drawn": 0.0, "both": arms["copies"]["chosen"]}
    networks = {"ss": Run(f"ss{count}", run.seed), "named": Run("digits", run.seed)}
    drawn = {}
    for source, trained in networks.items():
        generator, dq = load_networks(trained.weights(scratch.parent))
        names = range(10) if source == "ss" else names_of_classes(dq, few)
        pool = drawn_digits(generator, names, DRAWN, run.seed)
        for arm, strength in strengths.items():
            shares = SHARES if source == "ss" else [arms[f"{arm}, ss"]["chosen"]]
            arms[f"{arm}, {source}"] = best(mixed(pool, shares, strength))
        drawn[source] = drawn_facts(dq, names, pool, test)
    return Measured({**counted(run, count), "arms": arms, "drawn": drawn, "conditions": conditions()}, None, None)


def right(classifier, images, labels):
    """Share of images that a classifier gets right."""
    return round((classify(classifier, images)[0].argmax(1) == labels).float().mean().item(), 4)


def drawn_facts(dq, names, pool, test):
    """Whether G drew what was asked for, and what Q itself says of the test digits."""
    asked = torch.arange(10).repeat_interleave(pool.counts)
    read = read_codes(dq, test.images).categorical_logits[0].argmax(1)
    return {
        "drawn as asked": right(load_classifier(), pool.images, asked),
        "Q's own answer": round(code_accuracy(read, test.labels, names), 4),
    }


def counted(run, count):
    return {"run": run.name, "seed": run.seed, "labels": count, "labels to choose by": VALIDATION, "steps": STEPS}


def figures(record):
    """One number per arm and per fact."""
    of_drawn = {f"{fact}, {source}": x for source, facts in record["drawn"].items() for fact, x in facts.items()}
    return {arm: result["test"] for arm, result in record["arms"].items()} | of_drawn


BENCHMARK = Benchmark(
    "augmentation",
    "Drawn digits as training images",
    f"Written by augmentation.py: {STEPS} steps of {BATCH} images; accuracy on 10,000 test digits, which score "
    f"only. {VALIDATION:,} more labels chose the strength of copies and the share that is drawn.",
    NAMES,
    compare,
    figures,
)


if __name__ == "__main__":
    measure(BENCHMARK, __doc__)
