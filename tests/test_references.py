"""Every "section N" leads to a section, and to the one that a reader has looked up."""

import pytest
from references import found_in, references, reviewed

HEADINGS = {
    ("notebook", 1): {"section": {1: "Coins", 2: "Digits"}, "exercise": {1: "Toss"}},
    ("notebook", 2): {"section": {1: "Bounds", 2: "Gaps", 3: "Q"}, "exercise": {}},
    ("assignment", 1): {"section": {1: "Entropy"}, "part": {1: "Entropy"}, "exercise": {}},
}


@pytest.fixture(scope="module")
def found():
    return references()


def test_every_reference_leads_somewhere(found):
    assert [reference for reference in found if "IS NOT THERE" in reference.leads_to] == []
    assert len(found) > 150


def test_every_reference_leads_where_a_reader_has_found_it(found):
    """Where a heading has another name or number, or a sentence is new: look it up, then run ``references.py``."""
    assert found == reviewed()


@pytest.mark.parametrize(
    ("text", "leads_to"),
    [
        ("see section 2.", ["notebook 1: Digits"]),
        ("(notebook 02, section 2); section 1 too", ["is there", "notebook 2: Gaps", "notebook 1: Coins"]),
        ("Section 3 of notebook 02 says", ["notebook 2: Q"]),
        ("sections 1 and 2", ["notebook 1: Coins … Digits"]),
        ("exercise 1, section 4", ["notebook 1: Toss", "notebook 1: IS NOT THERE"]),
        ("notebooks 02 and 03", ["notebook 3 IS NOT THERE"]),
        ("section 7.2 of the paper", []),
    ],
)
def test_a_number_belongs_to_the_notebook_that_its_sentence_names(text, leads_to):
    assert [target for _, target in found_in(text, ("notebook", 1), HEADINGS)] == leads_to


def test_in_a_guide_a_number_belongs_to_what_its_line_named_last():
    text = "30 notebook 02, sections 1 to 3 · 15 section 2 | assignment 1, part 1"
    found = [target for _, target in found_in(text, ("notebook", None), HEADINGS)]
    assert found == ["is there", "notebook 2: Bounds … Q", "notebook 2: Gaps", "is there", "assignment 1: Entropy"]
