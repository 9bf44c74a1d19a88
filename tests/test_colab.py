"""The set-up cell, run as on Colab: ``google.colab`` is loaded, the module is not on the path, the folder is new."""

import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from point_at_fork import address

from infogan_helpers import colab

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


like_colab = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("unzip") is None,
    reason="it calls Colab's commands: Linux, with unzip",
)


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
    (site / "google" / "colab" / "__init__.py").write_text("", encoding="utf-8")
    (site / "sitecustomize.py").write_text(textwrap.dedent(LIKE_COLAB).format(root=str(ROOT)), encoding="utf-8")
    return {
        **os.environ,
        "PYTHONPATH": str(site),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{address()[0]}",
    }


def run_in_kernel(sources, folder, environment):
    """Text printed by each cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]


@like_colab
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


def unpublished(folder):
    """Nothing is at the repository's address: a clone fails."""
    return colab_environment(folder, folder / "nowhere")


@like_colab
def test_a_zip_that_was_uploaded_is_unpacked_and_nothing_is_fetched(tmp_path):
    content, name = tmp_path / "content", address()[0].split("/")[1]
    content.mkdir()
    with zipfile.ZipFile(content / f"{name}-main.zip", "w") as archive:  # as GitHub packs a branch
        for file in (ROOT / "infogan_helpers").rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, f"{name}-main/{file.relative_to(ROOT)}")
    set_up = nbformat.read(FIRST, as_version=4).cells[1].source
    _, probed, _, again = run_in_kernel([set_up, PROBE, set_up, PROBE], content, unpublished(tmp_path))
    assert probed.split() == again.split()
    assert probed.split()[0] == "True"
    assert {path.name for path in content.iterdir()} == {f"{name}-main.zip", f"{name}-main"}


@like_colab
@pytest.mark.parametrize("place", ["drive/MyDrive/lessons", "drive/MyDrive/Colab Notebooks/lessons"])
def test_a_copy_in_a_mounted_drive_is_found_and_nothing_is_fetched(tmp_path, place):
    folder = tmp_path / "content" / place
    shutil.copytree(ROOT / "infogan_helpers", folder / "infogan_helpers", ignore=shutil.ignore_patterns("__pycache__"))
    set_up = nbformat.read(FIRST, as_version=4).cells[1].source
    _, probed = run_in_kernel([set_up, PROBE], tmp_path / "content", unpublished(tmp_path))
    assert probed.split()[0] == "True"
    assert [path.name for path in (tmp_path / "content").iterdir()] == ["drive"]


def wheel(folder, name):
    """A package of one module that says it needs another torch."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: torch<1\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def test_only_what_is_missing_is_installed_and_torch_stays(tmp_path, monkeypatch):
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path / "wheels", "not_on_colab")
    for name, value in {
        "NO_INDEX": "1",
        "FIND_LINKS": (tmp_path / "wheels").as_uri(),
        "TARGET": tmp_path / "target",
    }.items():
        monkeypatch.setenv(f"PIP_{name}", str(value))
    monkeypatch.syspath_prepend(tmp_path / "target")
    assert colab.install_missing(("torch", "numpy")) == []
    assert colab.install_missing(("torch", "not_on_colab", "numpy")) == ["not_on_colab"]
    assert {path.name.split("-")[0] for path in (tmp_path / "target").iterdir()} - {"__pycache__"} == {
        "not_on_colab.py",
        "not_on_colab",
    }
    assert colab.install_missing(("torch", "not_on_colab", "numpy")) == []


def test_what_can_not_be_installed_is_named(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(RuntimeError, match="pip could not install no_such_package_1, no_such_package_2: look at its"):
        colab.install_missing(("torch", "no_such_package_1", "no_such_package_2"))


def test_what_is_installed_on_colab_is_among_the_requirements():
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert set(colab.LACKING) - {"psygnal"} <= {
        line.split(">")[0] for line in requirements.splitlines()
    }  # anywidget's own


def test_elsewhere_the_set_up_cell_does_nothing(tmp_path):
    set_up = TransformerManager().transform_cell(nbformat.read(FIRST, as_version=4).cells[1].source)
    code = f"import sys\npath = list(sys.path)\n{set_up}\nassert sys.path == path\n"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=600)
    assert list(tmp_path.iterdir()) == []
