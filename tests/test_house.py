"""The house holds: floors, no cycles, limits on length, and no private name used by another file."""

import ast
import re
import shutil
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "infogan_helpers"
MODULES = sorted(PACKAGE.rglob("*.py"))
PYTHON = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]
LIMITS = {"file": 400, "function": 60, "class": 120}  # lines; docstrings count
# What running the series leaves in a checkout.
LEFT_BEHIND = (
    "run.safetensors",
    "run.safetensors.lock",
    "notebooks/run.safetensors",
    "notebooks/run.json",
    "notebooks/explorer.html",
    "build/x",
)
# What is still too long: the file as a whole, or a class in it. Nothing new may enter.
OURS = {PACKAGE.name, *(path.stem for path in PYTHON)}
# Private by their spelling, and part of what NamedTuple, os, IPython and torch promise.
PROMISED = {"_asdict", "_fields", "_make", "_replace", "_ipython_display_", "_BatchNorm", "_exit"}


def short(path):
    return path.relative_to(ROOT).as_posix()


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def module_file(name):
    """The file of ``infogan_helpers.a.b``, or ``None`` where that is a name inside a module."""
    path = ROOT.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def imported(path):
    """The package's files that a file imports, wherever in it the import stands."""
    files = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE.name:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            files |= {module_file(name) or module_file(node.module) for name in names}
        elif isinstance(node, ast.Import):
            files |= {module_file(alias.name) for alias in node.names if alias.name.split(".")[0] == PACKAGE.name}
    return files - {path}


def floors():
    """``{file or folder: floor}``, from the table of the module's page."""
    page = (PACKAGE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| \[`([\w.]+)/?`\]\(([\w.]+)\) \|", page, re.M)
    assert all(name == target for _, name, target in rows)
    return {name: int(floor) for floor, name, _ in rows}


def stands_on(path):
    """The row of the table that a file belongs to: itself, or its folder."""
    return path.relative_to(PACKAGE).parts[0]


def test_the_modules_table_has_a_row_for_every_file_and_folder():
    assert set(floors()) | {"__init__.py"} == {stands_on(path) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_a_file_imports_only_from_its_own_floor_or_below(path):
    floor = floors()
    above = {short(other) for other in imported(path) if floor[stands_on(other)] > floor.get(stands_on(path), -1)}
    assert above == set()


def test_no_file_imports_itself_by_a_detour():
    TopologicalSorter({path: imported(path) for path in MODULES}).prepare()


def too_long(path):
    """What in a file passes its limit: the file's name, or the file's and the function's or class's."""
    text = path.read_text(encoding="utf-8")
    found = {short(path)} if len(text.splitlines()) > LIMITS["file"] else set()
    for node in ast.walk(ast.parse(text)):
        kind = {ast.FunctionDef: "function", ast.AsyncFunctionDef: "function", ast.ClassDef: "class"}.get(type(node))
        if kind and node.end_lineno - node.lineno + 1 > LIMITS[kind]:
            found.add(f"{short(path)} {node.name}")
    return found


def test_no_file_function_or_class_is_too_long_but_those_that_still_are():
    assert set().union(*map(too_long, PYTHON)) == set()


def is_private(name):
    return name.startswith("_") and not name.endswith("__") and name not in PROMISED


def private_names_of_others(path):
    """Private names that a file imports, reads from something that is not ``self``, or replaces by ``setattr``."""
    own = {node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)}
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in OURS:
            found |= {alias.name for alias in node.names if is_private(alias.name)}
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            of = node.value.id if isinstance(node.value, ast.Name) else ""
            found |= {node.attr} if of not in {"self", "cls", *own} else set()
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setattr":
            texts = [a.value for a in node.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            found |= {text for text in texts if is_private(text.split(".")[-1])}
    return found


@pytest.mark.parametrize("path", PYTHON, ids=short)
def test_no_private_name_is_used_by_another_file(path):
    assert private_names_of_others(path) == set()


def test_git_ignores_what_a_readers_run_leaves_and_nothing_that_ships():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git repository")
    ships = [short(path) for path in (ROOT / "data" / "pretrained").rglob("*") if path.is_file()]
    command = ["git", "check-ignore", "--no-index", *LEFT_BEHIND, *ships]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert ignored.stdout.split() == list(LEFT_BEHIND)
