"""The address in badges and set-up cells: one everywhere, and a fork's in its place, all or nothing."""

import shutil

import nbformat
import point_at_fork
import pytest
from point_at_fork import ROOT


@pytest.fixture
def fork(tmp_path):
    """A copy of what the command changes."""
    for path in (*point_at_fork.notebooks(), *(ROOT / name for name in point_at_fork.OTHERS)):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return tmp_path


def texts(folder):
    return {
        path.relative_to(folder): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_badge_and_set_up_cell_has_the_address_of_pyproject():
    repository, branch = point_at_fork.address()
    for path in point_at_fork.notebooks():
        cells = nbformat.read(path, as_version=4).cells
        is_lesson = path.parent.name == "notebooks"
        assert not is_lesson or f"/github/{repository}/blob/{branch}/notebooks/{path.name})" in cells[0].source
        assert f"-b {branch} https://github.com/{repository}\n" in cells[1].source


def test_a_fork_is_moved_and_moved_back(fork):
    before = texts(fork)
    old = point_at_fork.address(fork)
    changed = point_at_fork.move("School-1/info.gan", "autumn/2026", fork)
    assert point_at_fork.address(fork) == ("School-1/info.gan", "autumn/2026")
    assert {path.name for path in changed} == {path.name for path in before}
    for path, text in texts(fork).items():
        assert old[0] not in text, path
        if path.suffix == ".ipynb":
            cells = nbformat.reads(text, as_version=4).cells
            is_lesson = path.parent.name == "notebooks"
            assert (
                not is_lesson or f"/github/School-1/info.gan/blob/autumn/2026/notebooks/{path.name})" in cells[0].source
            )
            assert "-b autumn/2026 https://github.com/School-1/info.gan\n" in cells[1].source
    point_at_fork.move(*old, fork)
    assert texts(fork) == before
    assert point_at_fork.move(*old, fork) == []


@pytest.mark.parametrize(
    ("repository", "branch", "message"),
    [
        ("https://github.com/a/b", "main", "repository must look like ORG/NAME, got 'https"),
        ("nobody", "main", "repository must look like ORG/NAME, got 'nobody'"),
        ('a/b"', "main", "repository must look like ORG/NAME"),
        ("a/b", "two words", "branch must be a branch's name, got 'two words'"),
        ("a/b", "-x", "branch must be a branch's name"),
    ],
)
def test_what_is_no_address_is_refused_and_nothing_changes(fork, repository, branch, message):
    before = texts(fork)
    with pytest.raises(ValueError, match=message):
        point_at_fork.move(repository, branch, fork)
    assert texts(fork) == before


def test_a_notebook_of_another_address_stops_the_move(fork):
    odd = next((fork / "notebooks").glob("03*.ipynb"))
    odd.write_text(
        odd.read_text(encoding="utf-8").replace(point_at_fork.address()[0], "somebody/elses"), encoding="utf-8"
    )
    before = texts(fork)
    with pytest.raises(ValueError, match=f"{odd.name} must have a badge or a set-up cell of"):
        point_at_fork.move("a/b", "main", fork)
    assert texts(fork) == before


def test_the_command_says_what_the_address_is(capsys):
    point_at_fork.main([])
    assert capsys.readouterr().out.strip() == "{}, branch {}".format(*point_at_fork.address())
    with pytest.raises(SystemExit, match="repository must look like ORG/NAME"):
        point_at_fork.main(["--repo", "nonsense"])


def test_pages_are_shown_at_the_owners_address():
    assert point_at_fork.pages_address("School-1/info.gan") == "https://school-1.github.io/info.gan/"


def test_a_link_to_the_pages_moves_with_the_fork(fork):
    old = point_at_fork.address(fork)
    readme = fork / "README.md"
    link = f"{point_at_fork.pages_address(old[0])}data/pretrained/mnist.html"
    readme.write_text(f"{readme.read_text(encoding='utf-8')}\n{link}\n", encoding="utf-8")
    point_at_fork.move("School-1/info.gan", "autumn/2026", fork)
    assert "https://school-1.github.io/info.gan/data/pretrained/mnist.html" in readme.read_text(encoding="utf-8")
