"""Images per second of training, side by side in one run: the recipe, the same networks plain, the paper's width,
and a plain loop around the paper's width and ours.

    python tests/benchmarks/throughput.py

The plain loop is what tutorials write: a DataLoader that converts image by image, float32, one ``.item()`` per step.
Rounds alternate, so that a machine whose speed drifts slows all of them; the median round counts.
"""

import platform
import statistics
import time
from contextlib import nullcontext
from dataclasses import replace
from unittest.mock import patch

import torch
from torch.utils.data import DataLoader, Dataset

from infogan_helpers import networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import to_model_range
from infogan_helpers.methods import digits, infogan
from infogan_helpers.runtime import default_device

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


def with_fit(method, images, config, device):
    return method.fit(images, CodeSpec(), config, device=device, progress=False).history.images_per_second


def with_a_plain_loop(method, images, config, device):
    spec, step = CodeSpec(), 0
    players = method.METHOD.make(spec, images.shape[1:], config, device)
    loader = DataLoader(OneByOne(images), config.batch_size, shuffle=True, drop_last=True)
    started = time.perf_counter()
    with patch.object(networks, "reduced_precision", lambda network: nullcontext()):
        while step < config.steps:
            for real in loader:
                metrics = method.train_step(players, real.to(device), spec, config)
                metrics.d_loss.item()
                step += 1
                if step == config.steps:
                    break
    return step * config.batch_size / (time.perf_counter() - started)


def main():
    device = default_device()
    images = torch.randint(0, 256, (4000, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    recipe = replace(digits.PRESETS["recipe"], steps=STEPS[device.type])
    plain = replace(infogan.PRESETS["plain"], steps=STEPS[device.type])
    contestants = {
        "recipe, fit": (with_fit, digits, recipe),
        "recipe, plain loop": (with_a_plain_loop, digits, recipe),
        "plain, fit": (with_fit, infogan, plain),
        "plain at the paper's width, fit": (with_fit, infogan, replace(plain, width=1.0)),
        "plain at the paper's width, plain loop": (with_a_plain_loop, infogan, replace(plain, width=1.0)),
    }
    rates = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (run, method, config) in contestants.items():
            rates[name].append(run(method, images, config, device))
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
