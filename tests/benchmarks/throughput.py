"""Images per second of training, side by side in one run: the recipe, the same networks plain, the paper's width,
and a plain loop around the paper's width and ours.

    python tests/benchmarks/throughput.py

The plain loop is what tutorials write: a DataLoader that converts image by image, float32, one ``.item()`` a step.
Rounds alternate, so that a machine whose speed drifts slows all of them; the median round counts.
"""

import platform
import statistics
import time
from dataclasses import replace
from unittest.mock import patch

import torch
from torch.utils.data import DataLoader, Dataset

from infogan_helpers import training
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import to_model_range
from infogan_helpers.runtime import default_device
from infogan_helpers.training import PRESETS, fit, make_players, train_step

ROUNDS = 3
STEPS = {"cpu": 15, "cuda": 150}


class OneByOne(Dataset):
    """Images converted when they are asked for, as by a torchvision transform."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        return to_model_range(self.images[row])


def with_fit(images, config, device):
    return fit(images, CodeSpec(), config, device=device, progress=False).history.images_per_second


def with_a_plain_loop(images, config, device):
    spec, step = CodeSpec(), 0
    players = make_players(spec, images.shape[1:], config, device)
    loader = DataLoader(OneByOne(images), config.batch_size, shuffle=True, drop_last=True)
    started = time.perf_counter()
    with patch.object(training, "_forward", lambda network, argument: network(argument)):  # no bf16
        while step < config.steps:
            for real in loader:
                metrics = train_step(players, real.to(device), spec, config)
                metrics.d_loss.item()
                step += 1
                if step == config.steps:
                    break
    return step * config.batch_size / (time.perf_counter() - started)


def main():
    device = default_device()
    images = torch.randint(0, 256, (4000, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    recipe, plain = (replace(PRESETS[name], steps=STEPS[device.type]) for name in ("recipe", "plain"))
    contestants = {
        "recipe, fit": (with_fit, recipe),
        "recipe, plain loop": (with_a_plain_loop, recipe),
        "plain, fit": (with_fit, plain),
        "plain at the paper's width, fit": (with_fit, replace(plain, width=1.0)),
        "plain at the paper's width, plain loop": (with_a_plain_loop, replace(plain, width=1.0)),
    }
    rates = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (run, config) in contestants.items():
            rates[name].append(run(images, config, device))
    print(f"{platform.machine()}, {device}, {torch.get_num_threads()} threads, torch {torch.__version__}, batch 128")
    slowest = statistics.median(rates["plain at the paper's width, plain loop"])
    for name, rate in rates.items():
        median = statistics.median(rate)
        print(
            f"{name:>38}: {median:7.0f} images per second ({min(rate):.0f} to {max(rate):.0f}), "
            f"{median / slowest:.1f} times the last line"
        )


if __name__ == "__main__":
    main()
