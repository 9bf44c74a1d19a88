"""The plugin that ``portability.py`` loads into its test runs, and into their notebooks' kernels: margins and seeds.

Of each test or cell that trained, or read trained weights, it writes one line of JSON: name, whether it failed and how,
and how much room each of its comparisons had. In a kernel a cell counts from the first training on. Where no seed was
moved, whatever fails has a line too.
"""

import ast
import builtins
import contextlib
import json
import operator
import os
import random
import re
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

TEST_NOTES, KERNEL_NOTES, MOVED_BY = "INFOGAN_TEST_NOTES", "INFOGAN_KERNEL_NOTES", "INFOGAN_SEEDS_MOVED_BY"
NUMBER = r"(?:np\.\w+\(|tensor\()?(-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|-?inf)(?:, dtype=[\w.]+)?\)?"
COMPARISON = re.compile(rf"\(?{NUMBER} (<=|>=|<|>|==) {NUMBER}(?: ± (\d[\d.e+-]*))?\)?(?:$|\s)")
INEQUALITIES = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}


class Watch:
    """Counts the steps of optimisers and the weights files that are opened in this process; may move its seeds."""

    def __init__(self):
        self.trainings = 0
        register_optimizer_step_post_hook(self.count)
        open_weights = safetensors.safe_open

        def counted(*arguments, **options):
            self.count()
            return open_weights(*arguments, **options)

        safetensors.safe_open = counted
        move_seeds(int(os.environ.get(MOVED_BY, "0")))

    def count(self, *_):
        self.trainings += 1


def move_seeds(by):
    """Add ``by`` to every seed that torch, NumPy and Python are given from now on.

    Sets of pictures that worlds keep under ``data/`` are named by their seed: they are kept elsewhere meanwhile.
    """
    if by:
        from infogan_helpers import data  # not before the weights files are counted

        data.DEFAULT_ROOT = Path(os.environ[TEST_NOTES]).parent / "data"

    class Generator(torch.Generator):
        def manual_seed(self, seed):
            return super().manual_seed(seed + by)

    torch.Generator = Generator
    for module, name in ((torch, "manual_seed"), (random, "seed"), (np.random, "seed"), (np.random, "default_rng")):
        setattr(module, name, _moved(getattr(module, name), by))


def _moved(seeded, by):
    return lambda seed=None: seeded(seed + by if isinstance(seed, int) else seed)


class Plugin:
    """Writes the notes of a test run."""

    def __init__(self):
        self.watch, self.trained_fixtures = Watch(), set()
        self.margins, self.failure = {}, ""

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        before = self.watch.trainings
        result = yield
        if self.watch.trainings > before:
            self.trained_fixtures.add(fixturedef.argname)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        before, self.margins, self.failure = self.watch.trainings, {}, ""
        result = yield
        trained = self.watch.trainings > before or self.trained_fixtures & set(getattr(item, "fixturenames", ()))
        if self._read_kernel() or trained or (self.failure and not int(os.environ.get(MOVED_BY, "0"))):
            cell = getattr(item, "cell", None)
            if cell is not None and "nbval-ignore-output" in cell["metadata"].get("tags", ()):
                self.margins = {}  # what it prints is not compared
            name = f"{item.path.name}::{item.name}" if cell is None else f"{item.path.name}, {cell['id']}"
            path = item.path.relative_to(item.config.rootpath).as_posix()
            note = json.dumps({"name": name, "file": path, "failure": self.failure, "margins": self.margins})
            with open(os.environ[TEST_NOTES], "a", encoding="utf-8") as file:
                file.write(note + "\n")
        return result

    def pytest_assertion_pass(self, orig, expl):
        if found := COMPARISON.match(expl):
            left, symbol, right, tolerance = found.groups()
            room = abs(float(left) - float(right))
            if symbol != "==":
                self._note(orig, room)
            elif tolerance is not None:
                self._note(orig, float(tolerance) - room)

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.failure:
            self.failure = str(report.longreprtext).strip().splitlines()[-1][:200]

    def _note(self, source, room):
        self.margins[source] = min(room, self.margins.get(source, room))

    def _read_kernel(self):
        """Take over what the kernel noted in this cell; whether it has trained by now."""
        file, trained = Path(os.environ[KERNEL_NOTES]), False
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
            trainings, notes = json.loads(line)
            trained = trained or trainings > 0
            for source, room in notes:
                self._note(source, room)
        file.unlink(missing_ok=True)
        return trained


def pytest_configure(config):
    config.pluginmanager.register(Plugin())


class Instrumented(ast.NodeTransformer):
    """A cell in which each inequality, and each number that an f-string rounds, leaves a note of its room."""

    def visit_Compare(self, node):
        self.generic_visit(node)
        name = INEQUALITIES.get(type(node.ops[0]))
        if name is None or len(node.ops) > 1:
            return node
        arguments = [ast.Constant(name), node.left, node.comparators[0], ast.Constant(ast.unparse(node))]
        return ast.Call(ast.Name("compared_and_noted", ast.Load()), arguments, [])

    def visit_FormattedValue(self, node):
        self.generic_visit(node)
        form = ast.unparse(node.format_spec)[2:-1] if node.format_spec else ""
        if places := re.search(r"\.(\d+)([f%])$", form):
            digits = int(places[1]) + 2 * (places[2] == "%")
            source = f"{ast.unparse(node.value)}, rounded ({form})"
            node.value = ast.Call(
                ast.Name("rounded_and_noted", ast.Load()), [node.value, ast.Constant(digits), ast.Constant(source)], []
            )
        return node

    def visit(self, node):
        return ast.fix_missing_locations(super().visit(node))


def watch_kernel(shell):
    """What a kernel runs at its start: notes go to a file after each cell, where the plugin finds them."""
    watch, notes = Watch(), []

    def compared(name, left, right, source):
        _note_number(notes, source, lambda: abs(_number(left) - _number(right)))
        return getattr(operator, name)(left, right)

    def rounded(value, digits, source):
        def room():
            scaled = _number(value) * 10**digits
            return (0.5 - abs(scaled - round(scaled))) / 10**digits

        _note_number(notes, source, room)
        return value

    def write(*_):
        with open(os.environ[KERNEL_NOTES], "a", encoding="utf-8") as file:
            file.write(json.dumps([watch.trainings, notes]) + "\n")
        notes.clear()

    builtins.compared_and_noted, builtins.rounded_and_noted = compared, rounded
    shell.ast_transformers.append(Instrumented())
    shell.events.register("post_run_cell", write)


def _number(value):
    return float(value.detach() if isinstance(value, torch.Tensor) else value)


def _note_number(notes, source, room):
    with contextlib.suppress(TypeError, ValueError, OverflowError, RuntimeError):  # sets, strings, whole arrays
        notes.append([source, room()])
