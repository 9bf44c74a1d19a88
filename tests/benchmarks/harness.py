"""Runs over seeds: which are asked for, where they train, what is kept of them. And how results are written.

A run is NAME:SEEDS. Each one is a task of joblib, in a process of this machine or, with --dask ADDRESS, on a worker of
a Dask cluster, whose scheduler and workers need ``infogan_helpers`` at the same revision and no folder in common.
Finished runs are kept in --folder and not trained again; a run that was cut short goes on from its checkpoint. Not
here: what a run is, and what is measured.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import date
from functools import partial
from inspect import getfile
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from joblib import Parallel, delayed, parallel_config

from infogan_helpers import checks
from infogan_helpers.checkpoints import save_networks
from infogan_helpers.measured import save_measured
from infogan_helpers.runtime import default_device

FOLDER = Path("data/runs")
RESULTS = Path(__file__).parent / "results"


class Run(NamedTuple):
    """One training.

    Attributes:
        name: what is trained; each command has its own names.
        seed: of the training.
    """

    name: str
    seed: int

    def __str__(self):
        return f"{self.name}-{self.seed}"

    def record(self, folder):
        """The file of what was measured; it is there once the run is finished."""
        return folder / f"{self}.json"

    def weights(self, folder):
        """The file of both networks."""
        return folder / f"{self}.safetensors"


class Where(NamedTuple):
    """Where runs train, and where they are kept.

    Attributes:
        folder: of finished runs, and of scratch folders; on a Dask worker, the folder of this name there.
        threads: of torch, per run.
        workers: runs at a time, on this machine.
        dask: the address of a Dask scheduler, on whose workers runs train instead; ``None`` for this machine.
    """

    folder: Path = FOLDER
    threads: int = 1
    workers: int = 2
    dask: str | None = None


class Measured(NamedTuple):
    """What a task returns.

    Attributes:
        record: what to keep, fit for JSON.
        generator, discriminator_q: the networks, a pair that ``checkpoints.save_networks`` takes; ``None`` where a
            run is only measured.
    """

    record: dict
    generator: Any
    discriminator_q: Any


def own_place(record):
    """A table per run, a line per seed."""
    return record["run"], str(record["seed"])


class Benchmark(NamedTuple):
    """What a command measures, and how it is told.

    Attributes:
        name: of its files, ``data/measured/NAME.json``, which notebooks read, and the table ``results/NAME.md``.
        heading, note: what the table begins with.
        names: of its runs.
        task: of ``train``.
        row: of ``write_tables``.
        place: of ``write_tables``.
    """

    name: str
    heading: str
    note: str
    names: Iterable
    task: Callable
    row: Callable
    place: Callable = own_place


def parse(texts, names):
    """The runs that are asked for.

    Args:
        texts: such as ``["faces:0-2,5"]``, which is faces with the seeds 0, 1, 2 and 5.
        names: those that there are.

    Returns:
        A list of ``Run``, each once, in the order asked.

    Raises:
        ValueError: a text has another form or another name, or a span of seeds ends before it begins.
    """
    runs = []
    for text in texts:
        name, _, seeds = text.partition(":")
        if name not in names or not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", seeds):
            raise ValueError(f"runs must be NAME:SEEDS, say NAME:0-2,5, with a NAME from {list(names)}, got {text!r}")
        for part in seeds.split(","):
            ends = [int(end) for end in part.split("-")]
            if ends[0] > ends[-1]:
                raise ValueError(f"runs must have seeds from a lower to a higher one, got {part!r} in {text!r}")
            runs += [Run(name, seed) for seed in range(ends[0], ends[-1] + 1)]
    return list(dict.fromkeys(runs))


def read_options(parser, names, nargs="+"):
    """The command line: ``parser``'s own options, and those of every command that trains.

    Args:
        parser: an ``argparse.ArgumentParser``.
        names: what can be trained.
        nargs: how many NAME:SEEDS there may be.

    Returns:
        The options: ``asked``, what was typed; ``runs``, a list of ``Run``; ``where``, a ``Where``; the parser's own.
    """
    parser.add_argument("asked", nargs=nargs, metavar="NAME:SEEDS")
    parser.add_argument("--folder", type=Path, help=f"of finished runs and checkpoints, {Where().folder} at first")
    parser.add_argument("--threads", type=int, help=f"threads per run, {Where().threads} at first")
    place = parser.add_mutually_exclusive_group()  # which knows an option by its being other than its default
    place.add_argument("--workers", type=int, help=f"runs at a time, on this machine, {Where().workers} at first")
    place.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler, on whose workers to train instead")
    options = parser.parse_args()
    given = {name: getattr(options, name) for name in Where._fields}
    options.where = Where(**{name: value for name, value in given.items() if value is not None})
    try:
        options.runs = parse(options.asked, names)
    except ValueError as error:
        parser.error(str(error))
    return options


def measure(benchmark, description):
    """The whole of a command that has no options of its own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    train_and_store(benchmark, read_options(parser, benchmark.names))


def train_and_store(benchmark, options):
    """Train what is asked for; write the records and the table of all runs that are finished.

    Args:
        benchmark: a ``Benchmark``.
        options: as ``read_options`` gives them.
    """
    train(benchmark.task, options.runs, partial(in_words, benchmark.row), options.where)
    records = [record for _, record in finished(options.where.folder, benchmark.names)]
    save_measured(benchmark.name, records)
    write_tables(benchmark.name, benchmark.heading, benchmark.note, records, benchmark.row, benchmark.place)


def in_words(row, record):
    """A record's figures in one line."""
    figures = {name: round(x, 3) if isinstance(x, float) else x for name, x in row(record).items()}
    return json.dumps(figures, ensure_ascii=False)


def train(task, runs, headline, where):
    """Train what is not finished yet, and print a line per run.

    Args:
        task: ``(run, scratch)`` to ``Measured``, a function. What it writes to the folder ``scratch``, its checkpoint,
            is there when a run that was cut short starts again on the same machine; deleted once the run is kept.
        runs: a list of ``Run``.
        headline: from a record to the words of its line.
        where: a ``Where``.

    Returns:
        The records, in the order of ``runs``.

    Raises:
        ValueError: ``threads`` or ``workers`` is no positive integer, or a Dask worker has several threads.
        ModuleNotFoundError: ``dask`` is given, and the package distributed is not installed.
        RuntimeError: runs failed; all others were finished and kept before.
    """
    folder, threads = where.folder, checks.integer("threads", where.threads, least=1)
    place = on_this_machine(checks.integer("workers", where.workers, least=1), threads)
    folder.mkdir(parents=True, exist_ok=True)
    missing = [run for run in runs if not run.record(folder).is_file()]
    for run in runs:
        if run not in missing:
            print(f"{run}: {headline(read_record(run, folder))}, kept", flush=True)
    if missing:
        with on_dask(where.dask, task) if where.dask else place as remove:
            parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")
            failed = [
                run
                for run, *result in parallel(delayed(train_one)(task, run, folder, threads) for run in missing)
                if not keep(run, *result, folder, headline, remove)
            ]
        if failed:
            raise RuntimeError(f"{len(failed)} of {len(runs)} runs failed, see above: {', '.join(map(str, failed))}")
    return [read_record(run, folder) for run in runs]


def keep(run, record, weights, error, folder, headline, remove):
    """Write what a run returned and print its line; ``False`` where it failed, and its scratch folder stays."""
    if error:
        print(f"{run}: failed\n{error}", flush=True)
        return False
    if weights is not None:
        run.weights(folder).write_bytes(weights)
    write_whole(run.record(folder), record)
    remove(scratch_of(run, folder))
    print(f"{run}: {headline(read_record(run, folder))}", flush=True)
    return True


def train_one(task, run, folder, threads):
    """One run, where it trains: ``(run, record as text, weights as bytes, None)``, or the error's text at the end.

    Record and weights travel, so that a worker elsewhere needs no folder in common with the command.
    """
    torch.set_num_threads(threads)
    scratch = scratch_of(run, folder)
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        with parallel_config("sequential"):  # a metric's own joblib must not fill the cluster, or this machine
            measured = task(run, scratch)
        with tempfile.TemporaryDirectory() as temporary:
            file, weights = run.weights(Path(temporary)), None
            if measured.generator is not None:
                save_networks(file, measured.generator, measured.discriminator_q)
                weights = file.read_bytes()
            return run, json.dumps(measured.record, indent=1) + "\n", weights, None
    except Exception:  # one run that diverges must not end the others
        return run, None, None, traceback.format_exc()


def scratch_of(run, folder):
    """The folder of what a run needs to go on."""
    return folder / f"{run}.run"


def read_record(run, folder):
    return json.loads(run.record(folder).read_text(encoding="utf-8"))


def write_whole(path, text):
    """Write a file whole or not at all: a record that is there says that its run is finished."""
    unfinished = path.with_name(path.name + ".partial")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


@contextmanager
def on_this_machine(workers, threads):
    """Joblib's tasks go to processes of this machine; yields the function that deletes a scratch folder."""
    with parallel_config("loky", n_jobs=workers, inner_max_num_threads=threads):
        yield partial(shutil.rmtree, ignore_errors=True)


@contextmanager
def on_dask(address, task):
    """Joblib's tasks go to the workers of a Dask scheduler; yields the function that deletes a scratch folder there."""
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ModuleNotFoundError(
            f"--dask {address} needs the package distributed, which is not installed: python -m pip install distributed"
        ) from error
    with Client(address) as client:
        threads = client.nthreads()
        if any(n != 1 for n in threads.values()):  # runs in one process would share torch's random numbers
            raise ValueError(f"dask must have workers of one thread each (--nthreads 1), got {dict(threads)}")
        for file in Path(__file__).parent.glob("*.py"):
            client.upload_file(str(file), load=False)  # they have the package, and get from here what is no part of it
        client.upload_file(getfile(task))  # ends the command where something is missing; joblib would wait for ever
        with parallel_config("dask", client=client):
            yield partial(client.run, shutil.rmtree, ignore_errors=True)


def finished(folder, names):
    """The finished runs of some names: a list of ``(run, record)``, by name, then by seed."""
    found = []
    for name in sorted(names):
        seeds = [file.stem.removeprefix(f"{name}-") for file in folder.glob(f"{name}-*.json")]
        found += [Run(name, seed) for seed in sorted(map(int, seeds))]
    return [(run, read_record(run, folder)) for run in found]


def conditions():
    """What a record says of the machine and the versions that it was measured with."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, encoding="utf-8", check=False)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, default device {default_device()}",
        "computes as": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "date": date.today().isoformat(),
        "commit": commit.stdout.strip() or "unknown",
    }


def read_results(name):
    """The records that ``write_results`` wrote."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def rows_by_run(records, row):
    """What a card says of all runs: each one's seeds in their order, ``row`` giving the figures of a record."""
    runs = {}
    for record in records:
        runs.setdefault(record["run"], []).append({"seed": record["seed"], **row(record)})
    return runs


def write_results(name, heading, note, records, row):
    """Write all records to ``results/NAME.json``, and ``write_tables``, whose arguments these are."""
    (RESULTS / f"{name}.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    write_tables(name, heading, note, records, row)


def write_tables(name, heading, note, records, row, place=own_place):
    """Write to ``results/NAME.md`` a table per run, say: a line per seed, and the median.

    Args:
        name: of the file.
        heading, note: what the tables begin with.
        records: as ``finished`` gives them, by run.
        row: from a record to its figures, name to number.
        place: from a record to the names of its table and of its line there.
    """
    lines, places = [f"# {heading}", "", note, ""], [place(record) for record in records]
    for ours in dict.fromkeys(name for name, _ in places):
        here = [(record, line) for record, (name, line) in zip(records, places, strict=True) if name == ours]
        table = pd.DataFrame([row(record) for record, _ in here], index=[line for _, line in here])
        table = pd.concat([table, table.median().to_frame("median").T])
        table.insert(0, "seed", table.index)
        lines += [f"## {ours}", "", *markdown(table), ""]
    (RESULTS / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")


def markdown(frame):
    """A ``DataFrame`` without its index as the lines of a Markdown table, floats with three decimals."""
    rows = [[f"{value:.3f}" if isinstance(value, float) else str(value) for value in row] for row in frame.to_numpy()]
    escaped = [[text.replace("|", "\\|") for text in row] for row in [list(frame.columns), *rows]]
    head, *body = ["| " + " | ".join(row) + " |" for row in escaped]
    return [head, "|---" * frame.shape[1] + "|", *body]
