"""Images per second of training at several widths, measured side by side in one run, as a ratio to the paper's width.

    python tests/benchmarks/throughput.py

Rounds alternate between the widths, so that a machine whose speed drifts slows all of them; the median round counts.
"""

import platform
import statistics

import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.runtime import default_device
from infogan_helpers.training import TrainingConfig, fit

WIDTHS = (1.0, 0.5, 0.25)
ROUNDS = 3
STEPS = {"cpu": 15, "cuda": 300, "mps": 50}


def main():
    device = default_device()
    images = torch.randint(0, 256, (2000, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rates = {width: [] for width in WIDTHS}
    for _ in range(ROUNDS):
        for width in WIDTHS:
            config = TrainingConfig(steps=STEPS[device.type], width=width)
            rates[width].append(
                fit(images, CodeSpec(), config, device=device, progress=False).history.images_per_second
            )
    print(f"{platform.machine()}, {device}, {torch.get_num_threads()} threads, torch {torch.__version__}, batch 128")
    full = statistics.median(rates[1.0])
    for width, rate in rates.items():
        median = statistics.median(rate)
        print(
            f"width {width:4}: {median:7.0f} images per second "
            f"({min(rate):.0f} to {max(rate):.0f}), {median / full:.1f} times the paper's width"
        )


if __name__ == "__main__":
    main()
