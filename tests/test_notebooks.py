"""What every committed notebook must look like; that its cells run and agree with their outputs is nbval's part."""

import dataclasses
import html
import itertools
import json
import re
from pathlib import Path

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelspec import get_kernel_dict
from nbconvert import HTMLExporter
from uncompared_cells import REASONS

from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.methods import digits

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_LINES = 15
KERNEL = {key: get_kernel_dict()[key] for key in ("display_name", "language")}
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(home|root|work|tmp|usr|opt|content|Users|private|var|mnt)/|[A-Za-z]:\\\\")
IGNORE, SOLUTION = "nbval-ignore-output", "solution"

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def output_text(cell):
    """Everything that a cell stored in words: streams, representations, HTML."""
    parts = []
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        parts += [str(v) for mime, v in output.get("data", {}).items() if not mime.startswith("image/")]
    return "\n".join(parts)


def test_the_series_has_its_notebooks_in_order():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"]


@each_notebook
def test_notebook_is_valid(path):
    nbformat.validate(json.loads(path.read_text(encoding="utf-8")))


@each_notebook
def test_cells_ran_in_order_on_a_fresh_kernel(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_no_errors_and_nothing_on_stderr(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", cell.id


@each_notebook
def test_no_widget_state_views_or_progress_bars(path):
    assert "widgets" not in read(path).metadata
    for cell in code_cells(path):
        for output in cell.outputs:
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {}), cell.id
            assert "it/s" not in output.get("data", {}).get("text/plain", ""), cell.id


@each_notebook
def test_no_path_of_a_machine(path):
    for cell in code_cells(path):
        assert not MACHINE_PATH.search(output_text(cell)), cell.id
        assert not MACHINE_PATH.search(cell.source), cell.id


@each_notebook
def test_cells_are_short(path):
    long = {
        c.id: n
        for c in code_cells(path)
        if (n := sum(bool(line.strip()) for line in c.source.splitlines())) > MAX_LINES
    }
    assert long == {}


@each_notebook
def test_no_star_imports_and_no_pyplot(path):
    source = "\n".join(cell.source for cell in code_cells(path))
    assert "import *" not in source
    assert "matplotlib" not in source


@each_notebook
def test_every_notebook_opens_with_the_same_set_up(path):
    first = code_cells(path)[0]
    assert first.id == "set-up"
    assert first.source == code_cells(NOTEBOOKS[0])[0].source
    assert first.source.startswith("# @title Set-up")
    assert first.metadata == {"cellView": "form", "jupyter": {"source_hidden": True}}  # folded in Colab and JupyterLab


@each_notebook
def test_the_head_says_what_a_reader_needs(path):
    head = read(path).cells[0].source
    assert f"/blob/main/notebooks/{path.name})" in head
    for part in ("**You will be able to**", "**You should know**", "**Time**", "**Previous**", "**Next**"):
        assert part in head, part


@each_notebook
def test_every_notebook_has_questions_exercises_a_summary_and_references(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for part in ("**Before you run the next cell.**", "<details>", "## Exercises", "## Summary", "## References"):
        assert part in text, part
    assert text.count("<details>") == text.count("</details>")


@each_notebook
def test_markdown_in_a_fold_has_blank_lines_around_it(path):
    """Else GitHub and JupyterLab show its asterisks."""
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    folds = re.findall(r"<details>(.*?)</details>", text, re.S)
    assert [fold for fold in folds if not re.fullmatch(r"<summary>[^\n]*</summary>\n\n.*\n\n", fold, re.S)] == []


@each_notebook
def test_links_to_files_lead_somewhere(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#:\s]+)\)", cell.source):
                assert (path.parent / target).exists(), f"{cell.id}: {target}"


def test_uncompared_cells_are_those_of_the_table():
    tagged = {
        (path.stem[:2], cell.id)
        for path in NOTEBOOKS
        for cell in code_cells(path)
        if IGNORE in cell.metadata.get("tags", []) or "NBVAL" in cell.source
    }
    assert tagged == set(REASONS)
    assert all(reason.strip() for reason in REASONS.values())


@each_notebook
def test_headings_are_in_order(path):
    levels = [
        len(marks)
        for cell in read(path).cells
        if cell.cell_type == "markdown"
        for marks in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", cell.source, flags=re.S), re.M)
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@each_notebook
def test_a_file_is_as_jupyterlab_writes_it(path):
    """Else opening it marks it as changed, as another Python's version does: test_browser.py opens one with its own."""
    notebook = read(path)
    assert notebook.metadata.kernelspec == {"name": "python3", **KERNEL}
    version = notebook.metadata.language_info.version
    assert notebook.metadata.language_info == {**IPythonKernel.language_info, "version": version}
    assert path.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"
    for cell in code_cells(path):
        assert cell.metadata.get("collapsed") == cell.metadata.get("jupyter", {}).get("outputs_hidden"), cell.id


@each_notebook
def test_every_figure_is_described_in_words(path):
    for cell in code_cells(path):
        for output, following in itertools.zip_longest(cell.outputs, cell.outputs[1:]):
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt.split()) >= 8, f"{cell.id}: {alt!r}"
                assert f"<summary>In words</summary>{html.escape(alt, quote=False)}<" in following.data["text/html"]


def test_an_exported_page_gives_the_descriptions_to_a_screen_reader():
    path = next(path for path in NOTEBOOKS if path.stem.startswith("06"))
    page, _ = HTMLExporter(template_name="classic").from_filename(str(path))
    figures = re.findall(r"<img[^>]*>", page)
    described = [alt for figure in figures for alt in re.findall(r'alt="([^"]+)"', figure)]
    assert len(described) == len(figures) >= 5
    assert not any("No description" in alt for alt in described)


@each_notebook
def test_pictures_in_the_text_have_a_text_of_their_own(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    assert "<img" not in text
    assert all(alt.strip() for alt in re.findall(r"!\[([^\]]*)\]\(", text))


def test_no_cell_is_skipped():
    tags = {tag for path in NOTEBOOKS for cell in code_cells(path) for tag in cell.metadata.get("tags", [])}
    assert tags <= {IGNORE, SOLUTION}


@each_notebook
def test_exercises_say_their_difficulty_and_minutes(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    titles = re.findall(r"^\*\*(\d) · .+?\*\* \((.+?)\)\.", text.split("## Exercises")[1], re.M)
    assert [number for number, _ in titles] == [str(i + 1) for i in range(len(titles))]
    assert 3 <= len(titles) <= 6
    assert all(re.search(r"^(warm-up|easy|medium|harder|hard), \d+ minutes", terms) for _, terms in titles)


@each_notebook
def test_solutions_are_folded_and_answer_an_exercise_that_is_left_open(path):
    cells = {cell.id: cell for cell in code_cells(path)}
    solutions = [cell for cell in cells.values() if SOLUTION in cell.metadata.get("tags", [])]
    assert len(solutions) >= 3
    for cell in solutions:
        assert cell.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
        assert cell.source.startswith("# @title Solution")  # Colab folds a cell with a title
        exercise = cells[cell.id.replace("solution", "exercise")]
        assert "..." in exercise.source
        assert exercise.source.splitlines()[-1].startswith("# ")  # the check, to be taken up by the learner
        assert exercise.outputs == []
        checks = re.findall(r"(check_\w+|assert)", exercise.source.splitlines()[-1])
        assert checks
        assert all(name in cell.source for name in checks), cell.id


@each_notebook
def test_at_least_half_of_the_cells_are_compared(path):
    cells = code_cells(path)
    compared = [c for c in cells if IGNORE not in c.metadata.get("tags", [])]
    assert len(compared) >= len(cells) / 2


def test_no_stored_output_comes_from_the_quick_budget():
    """The training notebook's own count of steps says which budget it ran at."""
    cells = code_cells(ROOT / "notebooks" / "04_training_on_mnist.ipynb")
    cost = next(cell for cell in cells if cell.id == "cost")
    asked = {cell.id: re.search(r"\bsteps=by_budget\(full=(\d+)", cell.source) for cell in cells}
    plain, recipe = (int(asked[name][1]) for name in ("the-loop", "config"))
    assert [int(n) for n in re.findall(r"(\d+) steps", output_text(cost))] == [plain, recipe]
    load = next(cell for cell in cells if cell.id == "load")
    assert "60,000" in output_text(load)


def test_the_weights_that_ship_were_made_by_notebook_04s_recipe(monkeypatch):
    """The configuration cell, run at the full budget, gives what stands on the card; the seed is the card's own."""
    monkeypatch.setenv("INFOGAN_BUDGET", "full")
    cells = {cell.id: cell.source for cell in code_cells(ROOT / "notebooks" / "04_training_on_mnist.ipynb")}
    namespace = {}
    exec("\n".join(cells[name] for name in ("imports", "imports-of-the-module", "config")), namespace)
    card = load_pretrained("mnist").card
    of_the_card = digits.Config(**card["config"])
    others = ("seed", "sample_every", "checkpoint_every", "restarts")  # no recipe; and nothing was started again
    own = {name: getattr(of_the_card, name) for name in others}
    assert dataclasses.replace(namespace["config"], **own) == of_the_card
    assert card["measured"]["steps given up"] == 0


def test_requirements_are_lower_bounds_that_end_with_the_module():
    lines = [
        line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ]
    lines = [line for line in lines if line]
    assert lines[-1] == "-e ."
    assert all(re.fullmatch(r"[a-z-]+>=[\d.]+", line) for line in lines[:-1])


def test_a_world_is_known_to_its_presets_alone():
    importing = r"import (Chairs|Faces|Sprites)|worlds import |worlds\.(Chairs|Faces|Sprites)"
    files = (
        path for path in (ROOT / "infogan_helpers").rglob("*.py") if path.parent.name not in ("worlds", "exercises")
    )
    assert {path.stem for path in files if re.search(importing, path.read_text(encoding="utf-8"))} == {"world_presets"}
