"""Every "section N", "exercise N", "notebook NN" of the notebooks, the checks' messages and the guides: where it leads.

    python tests/references.py     # writes reviewed_references.csv anew; read what changed before you commit it

A section belongs to the notebook that its sentence names ("notebook 04, section 6"), or else to the one that it stands
in; in a guide, which stands in none, to the notebook or assignment that its line named last. Not here: papers.
"""

import ast
import csv
import json
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
REVIEWED = Path(__file__).with_name("reviewed_references.csv")
GUIDES = (
    "README.md",
    "data/README.md",
    "infogan_helpers/README.md",
    "notebooks/README.md",
    "notebooks/assignments/README.md",
    "tests/README.md",
    "tests/benchmarks/results/README.md",
)
REFERENCE = re.compile(
    r"\b(?P<kind>notebook|assignment|section|exercise|part)s? (?P<first>\d+)(?!\.?\d)"
    r"(?:(?P<between>, | and | to )(?P<last>\d+)(?!\.?\d))?(?: of (?P<of>notebook|assignment) (?P<at>\d+))?",
    re.I,
)
HEADING = re.compile(r"^(?:## |\*\*)(\d+) · (.+?)(?:\*\*.*| \(\d+ points\))?$", re.M)


class Reference(NamedTuple):
    """Where a sentence points: the cell or file that it stands in, its words, and the headings that they lead to."""

    place: str
    words: str
    leads_to: str


def read(path):
    """The notebook's cells: ``(id, text)``, links without their targets."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["id"], unlinked("".join(cell["source"]))) for cell in cells]


def unlinked(text):
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)


def targets():
    """``(notebook or assignment, number)`` to its headings: kind to number to words."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        found["notebook", int(path.name[:2])] = path
    for path in sorted((ROOT / "notebooks" / "assignments" / "source").glob("*/*.ipynb")):
        found["assignment", int(path.parent.name[0])] = path
    for key, path in found.items():
        sections, _, exercises = "\n\n".join(text for _, text in read(path)).partition("\n## Exercises")
        sections, exercises = ({int(n): words for n, words in HEADING.findall(part)} for part in (sections, exercises))
        found[key] = {"section": sections, "part": sections, "exercise": exercises}
    return found


def texts():
    """``(place, number of the notebook that it stands in or None, text)``: a cell, a message, a line of a guide."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for name, text in read(path):
            if "## References" in text:
                text = text.partition("**What comes next")[2]
            yield f"{path.name[:2]} {name}", int(path.name[:2]), text
    for path in sorted((ROOT / "infogan_helpers" / "exercises").glob("notebook_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path.name, int(path.stem[-2:]), node.value
    for name in GUIDES:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            yield name, None, unlinked(line)


def references():
    """All of them, in the order in which a reader meets them; one that leads nowhere says so."""
    headings = targets()
    return [
        Reference(place, words, leads_to)
        for place, own, text in texts()
        for words, leads_to in found_in(text, ("notebook", own), headings)
    ]


def found_in(text, own, headings):
    """``(words, where they lead)`` for each reference of one text."""
    named, end = own, None
    for match in REFERENCE.finditer(text):
        kind, numbers = match["kind"].lower(), numbers_of(match)
        if kind in ("notebook", "assignment"):
            named, end = (kind, numbers[-1]), match.end()
            missing = [n for n in numbers if (kind, n) not in headings]
            yield match[0], f"{kind} {missing[0]} IS NOT THERE" if missing else "is there"
            continue
        beside = end is not None and text[end : match.start()] in (" ", ", ", "'s ")
        at = (match["of"].lower(), int(match["at"])) if match["of"] else named if beside or own[1] is None else own
        words = [headings.get(at, {}).get(kind, {}).get(n, "IS NOT THERE") for n in numbers]
        yield match[0], f"{at[0]} {at[1]}: " + " … ".join(words)
        end = match.end() if beside else None  # "notebook 04, section 6 and exercise 2"


def numbers_of(match):
    """The numbers that a reference names: one, both ends of a span, or two."""
    return [int(match[name]) for name in ("first", "last") if match[name]]


def reviewed():
    """The references that a reader has looked up, as they were then."""
    with REVIEWED.open(encoding="utf-8", newline="") as file:
        return [Reference(*row) for row in csv.reader(file)]


if __name__ == "__main__":
    with REVIEWED.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(references())
