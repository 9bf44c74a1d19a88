"""The graded assignments, with nbgrader's own commands on a temporary course: what each submission loses, and no more.

nbgrader is an extra (``pip install -e .[classroom]``): without it these tests are skipped, unless
``INFOGAN_CLASSROOM=required``.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from test_notebooks import MAX_LINES
from wrong_submissions import WRONG

ASSIGNMENTS = Path(__file__).resolve().parent.parent / "notebooks" / "assignments"
NAMES = sorted(path.name for path in (ASSIGNMENTS / "source").iterdir())
MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("nbgrader") is None and os.environ.get("INFOGAN_CLASSROOM") != "required",
    reason="nbgrader is not installed: pip install -e .[classroom]",
)


def cells(notebook):
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells}


def solution_of(source):
    """The answer in a cell of the source, without its markers."""
    return "\n".join(line for line in source.splitlines() if line.strip() not in MARKERS)


class Course:
    """A course in a folder of its own, worked on with nbgrader's commands."""

    def __init__(self, root):
        self.root = root
        shutil.copytree(ASSIGNMENTS, root, ignore=shutil.ignore_patterns("release", "submitted", "*.db"))
        self.printed = {}
        for name in NAMES:
            self.printed["generate", name] = self.run("generate_assignment", name, "--create")

    def run(self, *command):
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        environment |= {"JUPYTER_PLATFORM_DIRS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command],
            cwd=self.root,
            env=environment,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, f"nbgrader {' '.join(command)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def notebook(self, stage, name, student="."):
        folder = self.root / stage / student / name
        return next(folder.glob("*.ipynb"))

    def hand_in(self, student, name, answers=None, solved=True):
        """A release with the source's solutions, or as it is, but for some cells."""
        release, source = (nbformat.read(self.notebook(stage, name), 4) for stage in ("release", "source"))
        solutions, mine = cells(source), cells(release)
        for key, cell in mine.items():
            if solved and cell.cell_type == "code" and cell.metadata.nbgrader.solution:
                cell.source = solution_of(solutions[key].source)
        for key, answer in (answers or {}).items():
            mine[key].source = answer
        folder = self.root / "submitted" / student / name
        folder.mkdir(parents=True)
        nbformat.write(release, folder / self.notebook("release", name).name)

    def lost(self, student, name):
        """Points that each autograded test took away."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root}/gradebook.db", "infogan") as book:
            [notebook] = book.find_submission(name, student).notebooks
            return {
                grade.name: grade.max_score - (grade.auto_score or 0)
                for grade in notebook.grades
                if grade.cell.cell_type == "code" and grade.max_score - (grade.auto_score or 0)
            }


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    course = Course(tmp_path_factory.mktemp("classroom") / "course")
    for name in NAMES:
        course.hand_in("solution", name)
        course.hand_in("untouched", name, solved=False)
    for student, (name, answers, _) in WRONG.items():
        course.hand_in(student, name, answers)
    for name in NAMES:
        course.printed["autograde", name] = course.run("autograde", name, "--create", "--Execute.timeout=45")
        course.printed["feedback", name] = course.run("generate_feedback", name)
    return course


def points(name):
    source = nbformat.read(next((ASSIGNMENTS / "source" / name).glob("*.ipynb")), 4)
    tests = [cell for cell in source.cells if cell.cell_type == "code" and cell.metadata.nbgrader.grade]
    return {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in tests}


@pytest.mark.parametrize("name", NAMES)
def test_the_release_holds_no_solution_no_hidden_test_and_no_mark_scheme(course, name):
    text = course.notebook("release", name).read_text(encoding="utf-8")
    for secret in ("BEGIN SOLUTION", "HIDDEN", "MARK SCHEME"):
        assert secret not in text
    source = nbformat.read(course.notebook("source", name), 4)
    assert "### BEGIN HIDDEN TESTS" in "".join(cell.source for cell in source.cells)
    assert "### BEGIN MARK SCHEME" in "".join(cell.source for cell in source.cells)
    assert text.count("raise NotImplementedError()") == sum(
        cell.metadata.nbgrader.solution for cell in source.cells if cell.cell_type == "code"
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_solutions_score_all_points(course, name):
    assert course.lost("solution", name) == {}


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_release_scores_nothing(course, name):
    assert course.lost("untouched", name) == points(name)


@pytest.mark.parametrize("student", WRONG)
def test_a_wrong_submission_loses_the_points_that_it_should(course, student):
    name, _, lost = WRONG[student]
    assert course.lost(student, name) == lost


def test_the_guide_names_commands_and_assignments_that_there_are():
    from nbgrader.apps import NbGraderApp

    guide = (ASSIGNMENTS / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"nbgrader ([a-z_]+)[ `\n]", guide)) & set(
        re.findall(r"(?:^    |`)nbgrader (\w+)", guide, re.M)
    )
    assert {"generate_assignment", "autograde", "generate_feedback"} <= commands <= set(NbGraderApp.subcommands)
    assert set(re.findall(r"`(\d_\w+)`", guide)) == set(NAMES)
    for name in NAMES:
        tests, row = (
            sum(points(name).values()),
            next(line for line in guide.splitlines() if line.startswith(f"| `{name}`")),
        )
        assert f"| {tests} + " in row


def test_there_are_enough_wrong_submissions():
    assert len(WRONG) >= 10
    assert {name for name, _, _ in WRONG.values()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_submission_gets_its_feedback(course, name):
    students = {"solution", "untouched"} | {student for student, (theirs, _, _) in WRONG.items() if theirs == name}
    written = {path.parent.parent.name for path in (course.root / "feedback").glob(f"*/{name}/*.html")}
    assert written == students


@pytest.mark.parametrize("name", NAMES)
def test_points_stand_in_the_headings_and_ids_are_unique(name):
    source = nbformat.read(next((ASSIGNMENTS / "source" / name).glob("*.ipynb")), 4)
    ids = [cell.metadata.nbgrader.grade_id for cell in source.cells]
    assert len(ids) == len(set(ids))
    total = sum(cell.metadata.nbgrader.get("points", 0) for cell in source.cells)
    assert f"{total} points" in source.cells[0].source
    headings, section = {}, None
    for cell in source.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.startswith("## "):
                section = line
                headings[section] = 0
        if section:
            headings[section] += cell.metadata.nbgrader.get("points", 0)
    assert all(f"({number} points)" in heading for heading, number in headings.items()), headings
    assert all(cell.get("outputs", []) == [] for cell in source.cells)
    lines = {
        cell.id: sum(bool(line.strip()) for line in cell.source.splitlines())
        for cell in source.cells
        if cell.cell_type == "code"
    }
    assert max(lines.values()) <= MAX_LINES, lines
