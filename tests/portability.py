"""What depends on a training must hold on every processor and for other seeds: run it under many, print the margins.

    python tests/portability.py                                        # everything, and store the table
    python tests/portability.py tests/test_training.py notebooks/03*   # these only, and store nothing

A training amplifies the rounding of the processor that it ran on. torch can be told to compute as older processors do:
six settings, three processors by one and two threads, the whole test command each. Then, with this processor's own
arithmetic, every seed is moved by 1 to 10, for what trained, or read trained weights. Of these tests and cells the
table names the comparison with the least room in any run, and the runs that failed. Not part of the README's test
command.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from watched import KERNEL_NOTES, MOVED_BY, TEST_NOTES

TESTS = Path(__file__).resolve().parent
RESULTS = TESTS / "benchmarks" / "results" / "portability.md"
KEPT = TESTS.parent / "build" / "portability"  # finished runs of everything; delete it when the code has changed
AT_ONCE = 2  # runs
PROCESSORS = {
    "own": {},
    "SSE4.1": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
}
SETTINGS = {
    f"{name}, OMP_NUM_THREADS={threads}": variables | {"OMP_NUM_THREADS": str(threads)}
    for name, variables in PROCESSORS.items()
    for threads in (1, 2)
}
NOT_MOVED = {
    # Cells that print a figure of what was drawn, asked of no network: another seed draws, and prints, something else.
    "06_measuring_disentanglement.ipynb, solution-2",
    # Tests that compare with a run in a process of its own, where no seed is moved.
    "test_harness.py::test_runs_train_in_their_own_processes_and_come_back_in_order",
    *(f"test_resume.py::test_a_run_killed_in_another_process_goes_on_bit_for_bit[SIG{end}]" for end in ("INT", "KILL")),
}
MOVED_SEEDS = {f"seeds + {by}": {MOVED_BY: str(by), "OMP_NUM_THREADS": "1"} for by in range(1, 11)}


def run(name, variables, paths):
    """The notes of one run of pytest, a dictionary for each test or cell that depends on a training."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        startup = folder / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "watch.py").write_text("import watched\nwatched.watch_kernel(get_ipython())\n", encoding="utf-8")
        notes = {TEST_NOTES: folder / "tests.jsonl", KERNEL_NOTES: folder / "kernel.jsonl", "IPYTHONDIR": folder}
        notes[TEST_NOTES].touch()
        variables = variables | {"OMP_WAIT_POLICY": "passive"}  # runs side by side: a thread that waits lets others go
        environment = os.environ | variables | {key: str(value) for key, value in notes.items()}
        environment["PYTHONPATH"] = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "cache")  # assertions are compiled anew, with their hook
        options = ["-p", "watched", "-o", "enable_assertion_pass_hook=true", "-p", "no:cacheprovider", "-q"]
        command = [sys.executable, "-m", "pytest", *options, *paths]
        done = subprocess.run(command, cwd=TESTS.parent, env=environment, capture_output=True, encoding="utf-8")
        print(f"{name}: {done.stdout.strip().splitlines()[-1]}", flush=True)
        lines = notes[TEST_NOTES].read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) | {"run": name} for line in lines]
        return [note for note in found if name in SETTINGS or note["name"] not in NOT_MOVED]


def all_notes(runs, paths, keep):
    """The notes of several runs; where they are to be kept, a command that was killed goes on with the next one."""

    def found(name):
        file = KEPT / f"{name}.json"
        if keep and file.is_file():
            return json.loads(file.read_text(encoding="utf-8"))
        notes = run(name, runs[name], paths)
        if keep:
            KEPT.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(notes), encoding="utf-8")
        return notes

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [note for notes in pool.map(found, runs) for note in notes]


def depending(note):
    """What pytest has to run for a note: the one test, or the whole notebook of a cell."""
    return note["file"] if note["file"].endswith(".ipynb") else f"{note['file']}::{note['name'].partition('::')[2]}"


def table(notes):
    """One row of Markdown for each test or cell: its least room, where, and the runs that failed."""
    by_name = defaultdict(list)
    for note in notes:
        by_name[note["name"]].append(note)
    rows, silent = [], 0
    for name, members in by_name.items():
        rooms = [(room, source, note["run"]) for note in members for source, room in note["margins"].items()]
        least = min(rooms, default=None)
        failed = {note["run"]: note["failure"] for note in members if note["failure"]}
        if least is None and not failed:
            silent += 1
        else:
            rows.append((-len(failed), name, len(members), least, failed))
    lines = ["| test or cell | runs | least room | of | in | failed |", "|---|---|---|---|---|---|"]
    for _, name, runs, least, failed in sorted(rows, key=lambda row: row[:2]):
        room, source, where = ("", "", "") if least is None else (f"{least[0]:.2g}", f"`{least[1]}`", least[2])
        source = source.replace("|", "\\|")
        lines.append(f"| {name} | {runs} | {room} | {source} | {where} | {'; '.join(failed) or 'none'} |")
        for reason in sorted(set(failed.values())):
            print(f"{name}: {reason}")
    return [*lines, "", f"{silent} more compare no numbers (bits, names, messages), and none of them failed."]


def main(paths):
    notes = all_notes(SETTINGS, paths, keep=not paths)
    notes += all_notes(MOVED_SEEDS, sorted({depending(note) for note in notes}), keep=not paths)
    lines = table(notes)
    print("\n".join(lines))
    if not paths:
        head = f"{platform.machine()}, Python {platform.python_version()}; `python tests/portability.py`"
        title = "# What depends on a training, on other processors and seeds"
        RESULTS.write_text("\n".join([title, "", head, "", *lines, ""]), encoding="utf-8")
    sys.exit(any(note["failure"] for note in notes))


if __name__ == "__main__":
    main(sys.argv[1:])
