"""Train the digit classifier that scores generated digits, and write it to data/pretrained/scoring.

    python tests/benchmarks/classifier.py

It trains on MNIST's training digits without the 5,000 of the offline sample, so that a test can measure it on those.
"""

import platform

import torch

from infogan_helpers.data import load_mnist, without_sample
from infogan_helpers.quality import classify, save_classifier, train_classifier


def main():
    train, test = without_sample(load_mnist()), load_mnist(train=False)
    classifier = train_classifier(train.images, train.labels)
    accuracy = float((classify(classifier, test.images)[0].argmax(1) == test.labels).float().mean())
    facts = {
        "what": "digit classifier for quality.py, trained with labels; it scores and trains nothing else",
        "trained on": f"{len(train.images):,} MNIST digits",
        "measured": {"accuracy on the 10,000 test digits": round(accuracy, 4)},
        "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0]},
        "command": "python tests/benchmarks/classifier.py",
    }
    save_classifier(classifier, facts)
    print(facts)


if __name__ == "__main__":
    main()
