"""The notebooks' check must be able to fail: on copies with a broken cell, a stale output or a warning it does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "02_variational_lower_bound.ipynb"
KEPT_CELLS = 3  # code cells of each copy: set-up, imports and the first that prints


def shortened():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:KEPT_CELLS]
    return notebook


def with_text_output(notebook):
    return next(cell for cell in notebook.cells if any(o.output_type == "stream" for o in cell.outputs))


def broken(notebook):
    with_text_output(notebook).source += "\nraise RuntimeError('broken')"


def stale(notebook):
    output = next(o for o in with_text_output(notebook).outputs if o.output_type == "stream")
    output.text = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), output.text)


def warned(notebook):
    with_text_output(notebook).source += "\nimport warnings\nwarnings.warn('careful')"


MUTATIONS = {"untouched": None, "broken": broken, "stale": stale, "warned": warned}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """One run of nbval over all copies: name of the copy to whether any of its cells failed."""
    folder = tmp_path_factory.mktemp("copies")
    for name, mutate in MUTATIONS.items():
        notebook = shortened()
        if mutate is not None:
            mutate(notebook)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    (folder / "pytest.ini").write_text("", encoding="utf-8")  # else the project's settings are taken
    options = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-rA"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    environment = os.environ | {"PYTHONUTF8": "1"}  # else Windows prints in another encoding
    report = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=1200
    ).stdout
    ran = {name: re.findall(rf"^(PASSED|FAILED|ERROR)\s+\S*{name}\.ipynb", report, re.MULTILINE) for name in MUTATIONS}
    assert all(len(results) == KEPT_CELLS for results in ran.values()), report
    return {name: set(results) != {"PASSED"} for name, results in ran.items()}


def test_an_untouched_copy_passes(outcomes):
    assert not outcomes["untouched"]


@pytest.mark.parametrize("mutation", ["broken", "stale", "warned"])
def test_a_spoiled_copy_fails(outcomes, mutation):
    assert outcomes[mutation]
