"""The set-up cell, run as on Colab: ``google.colab`` is loaded, the module is not on the path, the folder is new."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
FIRST = ROOT / "notebooks" / "01_entropy_and_mutual_information.ipynb"

# Runs before the kernel: loads the stand-in, and hides the installed module from every way that Python would find it.
LIKE_COLAB = """
import sys
import google.colab
sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in getattr(f, "__module__", type(f).__module__)]
sys.path[:] = [p for p in sys.path if p.rstrip("/") != {root!r}]
"""

PROBE = """
import pathlib
import infogan_helpers
from infogan_helpers.data import load_mnist
print(pathlib.Path(infogan_helpers.__file__).is_relative_to(pathlib.Path.cwd()))
print(len(load_mnist().images))
"""


def published(folder):
    """A git repository with this project's files, at the place where the set-up cell's address is redirected to."""
    shutil.copytree(ROOT / "infogan_helpers", folder / "infogan_helpers", ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "-C", str(folder), "-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "published"], check=True)


def colab_environment(folder, repository):
    """Environment variables of a kernel that takes itself for Colab's."""
    site = folder / "site"
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").write_text("")
    (site / "sitecustomize.py").write_text(textwrap.dedent(LIKE_COLAB).format(root=str(ROOT)))
    return {
        **os.environ,
        "PYTHONPATH": str(site),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/OWNER/infogan-notebooks",
    }


def run_in_kernel(sources, folder, environment):
    """Text printed by each cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]


def test_the_set_up_cell_fetches_the_module_on_colab(tmp_path):
    repository, content = tmp_path / "repository", tmp_path / "content"
    repository.mkdir()
    content.mkdir()
    published(repository)
    environment = colab_environment(tmp_path, repository)
    set_up = nbformat.read(FIRST, as_version=4).cells[1].source
    missing = "import importlib.util\nprint(importlib.util.find_spec('infogan_helpers'))"
    before, _, probed, _, again = run_in_kernel([missing, set_up, PROBE, set_up, PROBE], content, environment)
    assert before.strip() == "None"
    assert probed.split()[0] == "True"
    assert probed.split()[-1] == "4000"
    assert again.split()[0] == "True"


def test_elsewhere_the_set_up_cell_does_nothing(tmp_path):
    set_up = nbformat.read(FIRST, as_version=4).cells[1].source
    code = f"import sys\npath = list(sys.path)\n{set_up}\nassert sys.path == path\n"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []
