"""Runs over seeds: what is asked for, kept, skipped, gone on with; and the same on a Dask cluster."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from small_runs import QUICK, SPEC, some_images

from infogan_helpers import measured
from infogan_helpers.measured import load_measured
from infogan_helpers.methods import infogan
from infogan_helpers.tensor_files import load_tensors

sys.path.insert(0, str(Path(__file__).resolve().parent / "benchmarks"))
import harness
from harness import Benchmark, Measured, Run, Where, finished, markdown, measure, parse, read_options, train

RUNS = [Run("good", 1), Run("good", 0)]


def toy(run, scratch):
    """Twelve steps of InfoGAN; ``scratch`` says whether it has been here before."""
    steps = scratch / "steps"
    steps.write_text(steps.read_text(encoding="utf-8") + "again " if steps.is_file() else "first ", encoding="utf-8")
    if run.name == "cut" and steps.read_text(encoding="utf-8") == "first ":
        raise FloatingPointError("step 3: d_loss is not finite")
    result = infogan.fit(some_images(), SPEC, replace(QUICK, seed=run.seed), device="cpu", progress=False)
    record = {"seed": run.seed, "loss": result.history.d_loss, "been": steps.read_text(encoding="utf-8")}
    return Measured(record | {"threads": torch.get_num_threads()}, result.generator, result.discriminator_q)


def headline(record):
    return f"loss {record['loss'][-1]:.3f}"


def tensors(run, folder):
    return load_tensors(run.weights(folder))[0]


def assert_same_weights(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_runs_are_those_that_were_asked_for_each_once():
    names = ["a", "b@c"]
    assert parse(["b@c:0-2,5", "a:7", "a:7"], names) == [*(Run("b@c", seed) for seed in (0, 1, 2, 5)), Run("a", 7)]


@pytest.mark.parametrize("text", ["a", "a:", "c:0", "a:x", "a:0-", "a:-1", "a:0,", "a:1-2-3", "a:0.5"])
def test_what_is_no_run_is_refused(text):
    with pytest.raises(ValueError, match=r"runs must be NAME:SEEDS.* from \['a', 'b'\], got"):
        parse([text], ["a", "b"])


def test_seeds_that_go_down_are_refused():
    with pytest.raises(ValueError, match="from a lower to a higher one, got '3-1' in 'a:0,3-1'"):
        parse(["a:0,3-1"], ["a"])


def test_a_command_reads_its_runs_and_where_they_train(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x", "a:3-4", "--folder", "f", "--threads", "2", "--dask", "tcp://x:1"])
    options = read_options(argparse.ArgumentParser(), ["a"])
    assert (options.asked, options.runs) == (["a:3-4"], [Run("a", 3), Run("a", 4)])
    assert options.where == Where(Path("f"), threads=2, dask="tcp://x:1")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("b:0", "with a NAME from ['a'], got 'b:0'"),
        *((f"a:0 --workers {n} --dask x", "not allowed with") for n in (2, 3)),
        ("", "required"),
    ],
)
def test_a_command_refuses_what_it_cannot_do(monkeypatch, capsys, typed, message):
    monkeypatch.setattr(sys, "argv", ["x", *typed.split()])
    with pytest.raises(SystemExit):
        read_options(argparse.ArgumentParser(), ["a"])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"threads": 0}, {"threads": 1.5}])
def test_no_workers_or_threads_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be an integer of at least 1"):
        train(toy, RUNS, headline, Where(tmp_path, **wrong))


def test_runs_train_in_their_own_processes_and_come_back_in_order(tmp_path, capsys):
    records = train(toy, RUNS, headline, Where(tmp_path / "runs"))
    assert [record["seed"] for record in records] == [1, 0]
    assert [record["threads"] for record in records] == [1, 1]
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines == [f"{run}: {headline(record)}" for run, record in sorted(zip(RUNS, records, strict=True))]
    for run, record in zip(RUNS, records, strict=True):
        here = toy(run, tmp_path)
        assert record["loss"] == here.record["loss"]
        parts = {"generator": here.generator, "discriminator_q": here.discriminator_q}
        ours = {f"{part}.{name}": t for part, module in parts.items() for name, t in module.state_dict().items()}
        assert_same_weights(ours, tensors(run, tmp_path / "runs"))
    files = {f"{run}{end}" for run in RUNS for end in (".json", ".safetensors")}
    assert {path.name for path in (tmp_path / "runs").iterdir()} == files  # no scratch folder is left
    assert finished(tmp_path / "runs", ["good", "cut"]) == [(RUNS[1], records[1]), (RUNS[0], records[0])]


def test_a_finished_run_is_kept_and_not_trained_again(tmp_path, capsys):
    kept = {"seed": 1, "loss": [0.25]}
    RUNS[0].record(tmp_path).write_text(json.dumps(kept), encoding="utf-8")
    assert train(toy, RUNS[:1], headline, Where(tmp_path)) == [kept]
    assert capsys.readouterr().out == "good-1: loss 0.250, kept\n"


def test_a_run_that_fails_ends_no_other_and_goes_on_from_its_scratch_folder(tmp_path, capsys):
    runs = [Run("cut", 4), Run("good", 0)]
    with pytest.raises(RuntimeError, match="1 of 2 runs failed, see above: cut-4"):
        train(toy, runs, headline, Where(tmp_path))
    assert "FloatingPointError: step 3: d_loss is not finite" in capsys.readouterr().out
    assert [run for run, _ in finished(tmp_path, ["cut", "good"])] == [runs[1]]
    records = train(toy, runs, headline, Where(tmp_path, threads=2))
    assert [record["been"] for record in records] == ["first again ", "first "]
    assert [record["threads"] for record in records] == [2, 1]  # the second was kept


def test_a_record_that_is_cut_short_is_no_record(tmp_path, monkeypatch):
    monkeypatch.setattr(harness.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        harness.write_whole(RUNS[0].record(tmp_path), "{}")
    assert finished(tmp_path, ["good"]) == []


def test_a_cluster_without_distributed_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"--dask tcp://x:1 needs .* python -m pip install distributed"):
        train(toy, RUNS, headline, Where(tmp_path, dask="tcp://x:1"))


def cluster(**options):
    distributed = pytest.importorskip("distributed", reason="needs distributed: python -m pip install distributed")
    return distributed.LocalCluster(dashboard_address=":0", **options)


def test_two_dask_workers_give_the_same_runs(tmp_path):
    with cluster(n_workers=2, threads_per_worker=1) as workers:
        there = train(toy, RUNS, headline, Where(tmp_path / "there", 2, dask=workers.scheduler_address))
    assert there == train(toy, RUNS, headline, Where(tmp_path / "here", 2))
    for run in RUNS:
        assert_same_weights(tensors(run, tmp_path / "there"), tensors(run, tmp_path / "here"))
    assert not list((tmp_path / "there").glob("*.run"))


def test_dask_workers_with_several_threads_are_refused(tmp_path):
    with (
        cluster(n_workers=1, threads_per_worker=2, processes=False) as workers,
        pytest.raises(ValueError, match=r"one thread each \(--nthreads 1\), got .*: 2"),
    ):
        train(toy, RUNS, headline, Where(tmp_path, dask=workers.scheduler_address))


def test_a_table_has_three_decimals_and_no_index():
    table = pd.DataFrame({"run": ["a", "b|c"], "seed": [0, 10], "accuracy": [0.98765, float("nan")]}, index=[5, 6])
    assert markdown(table) == [
        "| run | seed | accuracy |",
        "|---|---|---|",
        "| a | 0 | 0.988 |",
        "| b\\|c | 10 | nan |",
    ]


def test_a_command_writes_the_records_of_all_finished_runs_and_a_line_for_each_and_the_median(tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    runs.mkdir()
    for seed, right in enumerate((0.5, 0.75, 0.9)):
        record = {"run": "only_8", "seed": seed, "right": right}
        Run("only_8", seed).record(runs).write_text(json.dumps(record), encoding="utf-8")
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    monkeypatch.setattr(measured, "MEASURED_FOLDER", tmp_path / "measured")
    monkeypatch.setattr(sys, "argv", ["heads.py", "only_8:1", "--folder", str(runs)])

    def place(record):
        return "only", f"8, seed {record['seed']}"

    measure(Benchmark("heads", "Heads", "Counted.", ["only_8"], toy, lambda r: {"right": r["right"]}, place), "Heads.")
    assert [record["seed"] for record in load_measured("heads")] == [0, 1, 2]
    rows = ["| 8, seed 0 | 0.500 |", "| 8, seed 1 | 0.750 |", "| 8, seed 2 | 0.900 |", "| median | 0.750 |"]
    lines = ["# Heads", "", "Counted.", "", "## only", "", "| seed | right |", "|---|---|", *rows]
    assert (tmp_path / "heads.md").read_text(encoding="utf-8").splitlines() == lines
