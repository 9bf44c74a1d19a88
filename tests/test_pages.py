"""The pages that people read: commands, links and contents lead somewhere, and numbers are those of the results."""

import json
import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "benchmarks"))
from compare import seconds_to_goal

from infogan_helpers.measured import load_measured

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "tests" / "benchmarks" / "results"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [
    ROOT / "README.md",
    ROOT / "data" / "README.md",
    ROOT / "infogan_helpers" / "README.md",
    ROOT / "notebooks" / "README.md",
    ROOT / "notebooks" / "assignments" / "README.md",
    ROOT / "tests" / "README.md",
    ROOT / "tests" / "benchmarks" / "TRIED.md",
    RESULTS / "README.md",
]
MOST_WORDS = 900  # of the first page
DIGITS = (("recipe", "full"), ("recipe", "offline"), ("plain", "full"), ("paper", "full"))  # columns of the results
WORLDS = {
    "Faces, by the paper's algorithm": "faces",
    "Faces, the same after 800 steps": "faces_short",
    "Faces, by `noise_last`": "faces_noise_last",
    "Chairs": "chairs",
    "Chairs, by the paper's algorithm": "chairs_plain",
    "Chairs, a segment for the circle": "chairs_segment",
    "Sprites": "sprites",
    "Sprites, by the paper's algorithm": "sprites_plain",
    "Sprites, λ = 0": "sprites_control",
}

each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
each_text = pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.relative_to(ROOT).as_posix())


def text_of(path):
    """A page, or the Markdown of a notebook."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def headings(text):
    """``(level, words)`` of each, code left out."""
    found = re.findall(r"^(#+) (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return [(len(marks), words) for marks, words in found]


def anchor(heading):
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def table(page, heading):
    """Rows of the table whose first row starts so: first cell to the others."""
    lines = page[page.index(f"| {heading}") :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(row[0], row[1:]) for row in rows]


@pytest.fixture(scope="module")
def readme():
    return text_of(ROOT / "README.md")


@pytest.fixture(scope="module")
def results():
    return text_of(RESULTS / "README.md")


@pytest.fixture(scope="module")
def digits():
    """Records of each column."""
    records = json.loads((RESULTS / "compare.json").read_text(encoding="utf-8"))
    return [[record for record in records if (record["preset"], record["data"]) == column] for column in DIGITS]


@pytest.fixture(scope="module")
def worlds():
    """Figures of each run's seeds."""
    runs = defaultdict(list)
    for record in json.loads((RESULTS / "worlds.json").read_text(encoding="utf-8")):
        runs[record["run"]].append(record["figures"])
    return runs


def test_the_first_page_is_short_and_says_first_what_infogan_is(readme):
    assert len(re.sub(r"\]\([^)]*\)", "]", readme).split()) <= MOST_WORDS
    title, first = readme.split("\n\n")[:2]
    assert title.startswith("# InfoGAN")
    assert re.fullmatch(r"InfoGAN is [^.]+\.", first)  # one sentence


def test_the_first_page_maps_exactly_the_notebooks_that_there_are(readme):
    assert re.findall(r"\]\(notebooks/(\d\d_\w+\.ipynb)\)", readme) == [path.name for path in NOTEBOOKS]
    for path, (name, (_, minutes)) in zip(NOTEBOOKS, table(readme, "notebook"), strict=True):
        head = text_of(path).partition("\n## ")[0]
        assert name.startswith(f"[{head.splitlines()[0].removeprefix('# ')}]")
        assert re.search(rf"\*\*Time\*\*[^.;]*?\b{minutes.split()[-1]} minute", head), (path.name, minutes)


def test_the_first_page_gives_the_two_commands_and_what_they_need(readme):
    commands = re.findall(r"^    (.+)$", readme, re.M)
    install, requirements = "python -m pip install -r requirements.txt", text_of(ROOT / "requirements.txt")
    assert commands == [f"{install} && jupyter lab notebooks", f"{install} && python -m pytest"]
    assert text_of(ROOT / ".ci" / "run").endswith(f"\n{commands[1]}\n")
    assert all(f"\n{package}" in requirements for package in ("jupyterlab", "pytest", "nbval"))
    python = re.search(r'requires-python = ">=([\d.]+)"', text_of(ROOT / "pyproject.toml"))[1]
    assert f"Python {python} or later" in readme


def test_the_modules_page_maps_exactly_the_files_that_there_are():
    linked = re.findall(r"\]\((\w+\.py)\)", text_of(ROOT / "infogan_helpers" / "README.md"))
    assert set(linked) == {path.name for path in (ROOT / "infogan_helpers").glob("*.py")} - {"__init__.py"}


@each_page
def test_commands_name_files_and_extras_that_there_are(path):
    pyproject = text_of(ROOT / "pyproject.toml")
    for line in re.findall(r"^    (.+)$", text_of(path), re.M):
        for script in re.findall(r"python (\S+\.py)", line):
            assert (ROOT / script).is_file() or (path.parent / script).is_file(), line
        for extra in re.findall(r"-e \"\.\[(\w+)\]\"", line):
            assert re.search(rf"^{extra} = \[", pyproject, re.M), line


@each_text
def test_links_and_their_anchors_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s:]+)\)", text_of(path)):
        name, _, place = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not place or place in {anchor(words) for _, words in headings(text_of(file))}, target


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "tests" / "README.md", RESULTS / "README.md"], ids=str)
def test_every_section_is_in_the_contents_of_its_page(path):
    text = text_of(path)
    [contents] = [line for line in text.splitlines() if line.startswith("[") and line.count("](#") > 2]
    sections = [words for level, words in headings(text) if level == 2]
    assert contents == " · ".join(f"[{words}](#{anchor(words)})" for words in sections)


def test_the_figures_of_the_first_page_are_those_of_the_results(readme, digits):
    accuracy = [run["figures"]["accuracy"] for run in digits[0]]
    stated = re.search(r"On (\d+) seeds, .*? accuracy of ([\d.]+) .*? \(worst ([\d.]+)\)", readme)
    assert stated.groups() == (str(len(accuracy)), f"{statistics.median(accuracy):.4f}", f"{min(accuracy):.4f}")


@pytest.fixture(scope="module")
def dials():
    """Figures of each run's seeds, a column per figure."""
    records = pd.DataFrame(load_measured("dials"))
    return pd.DataFrame(list(records.figures), index=records.run)


def test_what_the_first_page_says_to_try_first_is_what_the_dials_did(readme, dials):
    lost = (dials["Fréchet"] > 1000).groupby(level=0).sum()  # runs in which nothing looks like a digit
    distance = dials["Fréchet"].groupby(level=0).median()
    stated = re.search(r"times four: a Fréchet distance of (\d+) for (\d+)\.", readme)
    assert stated.groups() == (f"{distance['rates_0.002_0.002']:.0f}", f"{distance['plain']:.0f}")
    stated = re.search(r"λ of 0\.3 to 1 .*0\.03 left codes unread, 3 lost (\d) runs of 3\.", readme)
    assert int(stated[1]) == lost["lambda_3"]
    bound = dials["L_I c1"]
    assert min(bound["lambda_0.3"].min(), bound["plain"].min()) > 2.1 > 0.02 > bound["lambda_0.03"].max()
    assert int(re.search(r"eight continuous ones lost (\d) run of 2\.", readme)[1]) == lost["values_8"]
    of_heads = dials.loc[["plain", "depth_0", "depth_2", "depth_own"], "NMI"].groupby(level=0).mean()
    assert np.ptp(of_heads) < np.ptp(dials.loc["plain", "NMI"])


def of_digits(runs):
    """A column of the table of digits, but for what c2 and c3 follow."""
    figures = [run["figures"] for run in runs]
    of = {name: [one[name] for one in figures] for name in ("accuracy", "nmi", "code recovery", "L_I categorical")}
    times = sorted(float("inf") if (seconds := seconds_to_goal(run)) is None else seconds for run in runs)
    lowest, middle, highest = min(of["accuracy"]), statistics.median(of["accuracy"]), max(of["accuracy"])
    distances = [one["Fréchet distance"] for one in figures]
    bound, minutes = min(of["L_I categorical"]), [one["minutes"] for one in figures]
    spans = ".0f" if max(minutes) > 50 else ".1f"
    return [
        f"{middle:.4f} ({lowest:.4f} to {highest:.4f})",
        f"{statistics.median(of['nmi']):.3f}",
        "never" if times[len(times) // 2] == float("inf") else f"{statistics.median(times):.0f}",
        f"{min(of['code recovery']):.3f}",
        f"{bound:.3f}" if bound > 0 else f"{bound:.2f}",
        f"{min(one['sure'] for one in figures):.3f}",
        f"{min(distances):,.1f} to {max(distances):,.1f}",
        f"{min(minutes):{spans}} to {max(minutes):{spans}}",
    ]


def followed(runs, measure):
    """Of how many seeds a code follows a measure; where of none, how far the best of them does."""
    rhos = [run["figures"][f"rho {measure}"] for run in runs]
    many = sum(rho >= 0.9 for rho in rhos)
    return f"{many} of {len(rhos)}" if many else f"none: {min(rhos):.2f} to {max(rhos):.2f} (either code)"


def test_the_table_of_digits_says_what_was_measured(results, digits):
    rows = [cells for _, cells in table(results, "| recipe, 15 seeds")]
    slant, thickness = rows.pop(5), rows.pop(5)
    assert [list(column) for column in zip(*rows, strict=True)] == [of_digits(runs) for runs in digits]
    assert slant == [followed(runs, "slant") for runs in digits]
    assert thickness == [followed(runs, "thickness") for runs in digits]


def spread(values, decimals=2):
    """Mean, and lowest to highest of several."""
    values = list(values)
    mean = f"{statistics.mean(values):.{decimals}f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.{decimals}f} to {max(values):.{decimals}f})"


def test_the_tables_of_the_worlds_say_what_was_measured(results, worlds):
    for name, (factor, *cells) in table(results, "run | factor"):
        read, drawn = ([sorted(one[who][factor].values()) for one in worlds[WORLDS[name]]] for who in "QG")
        best, following = ([rhos[at] for rhos in read] for at in (-1, -2))
        assert cells == [spread(best), spread(following), spread(rhos[-1] for rhos in drawn)], (name, factor)
    for name, cells in table(results, "run | seeds"):
        seeds = worlds[WORLDS[name]]
        score = spread(one["FactorVAE"] for one in seeds) if "FactorVAE" in seeds[0] else ""
        distance = spread((one["Fréchet distance"] for one in seeds), 1)
        assert cells == [str(len(seeds)), spread(one["MIG"] for one in seeds), score, distance], name
    assert {name for name, _ in table(results, "run | factor")} == set(WORLDS)
