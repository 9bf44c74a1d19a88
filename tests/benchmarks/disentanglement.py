"""Agreement and speed of the disentanglement metrics beside their definitions run plainly, and pictures a second.

    python tests/benchmarks/disentanglement.py

Plainly is what disentanglement_lib does: one call of scikit-learn a pair of code and factor, on 10,000 samples of ten
codes and dSprites' five factors. Both versions run in turn in one process on one thread, the median of seven rounds.
"""

import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from harness import RESULTS, conditions, markdown
from pandas import DataFrame
from sklearn.metrics import mutual_info_score

from infogan_helpers.disentanglement import BINS, modularity, mutual_information_gap
from infogan_helpers.worlds import Chairs, Faces, Sprites

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from test_disentanglement import plain_matrix

ROUNDS = 7
PICTURES = 2000


def plain_gap(codes, factors):
    ordered = np.sort(plain_matrix(codes, factors, BINS), axis=0)
    entropy = np.array([mutual_info_score(factor, factor) for factor in factors.T])
    return np.mean((ordered[-1] - ordered[-2]) / entropy)


def plain_modularity(codes, factors):
    squared = plain_matrix(codes, factors, BINS) ** 2
    best = squared.max(axis=1)
    return np.mean(1 - (squared.sum(axis=1) - best) / (best * (squared.shape[1] - 1)))


def main():
    random = np.random.default_rng(0)
    factors = random.integers(0, (3, 6, 40, 32, 32), (10_000, 5))
    codes = factors @ random.normal(size=(5, 10)) + random.normal(size=(10_000, 10))
    rows = []
    for name, ours, plain in (("MIG", mutual_information_gap, plain_gap), ("modularity", modularity, plain_modularity)):
        seconds, answers = {ours: [], plain: []}, {}
        for _ in range(ROUNDS):
            for function in (ours, plain):
                started = time.perf_counter()
                answers[function] = function(codes, factors)
                seconds[function].append(time.perf_counter() - started)
        ms = {function: 1000 * statistics.median(times) for function, times in seconds.items()}
        rows.append((name, f"{abs(answers[ours] - answers[plain]):.0e}", ms[ours], ms[plain], ms[plain] / ms[ours]))
    table = DataFrame(rows, columns=["metric", "difference", "module, ms", "plainly, ms", "ratio"])
    torch.set_num_threads(os.cpu_count())
    pictures = []
    for make in (Sprites, Faces, Chairs):
        for side in (32, 64):
            world = make(side)
            drawn = world.sample_factors(PICTURES, torch.Generator().manual_seed(0))
            started = time.perf_counter()
            world.render(drawn)
            pictures.append((make.__name__, side, round(PICTURES / (time.perf_counter() - started))))
    worlds = DataFrame(pictures, columns=["world", "side", f"pictures/s, {os.cpu_count()} cores"])
    lines = [
        "# Disentanglement metrics and worlds",
        "",
        f"{conditions()}",
        "",
        *markdown(table),
        "",
        *markdown(worlds),
        "",
    ]
    (RESULTS / "disentanglement.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
