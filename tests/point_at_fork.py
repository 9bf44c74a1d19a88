"""Point every badge and set-up cell at another repository; without options, say where they point.

    python tests/point_at_fork.py --repo ORG/NAME --branch main

The address stands in ``pyproject.toml``, in ``[project.urls]`` and ``[tool.infogan]``; this command changes it there,
in the notebooks, the assignments' sources, the pages that name it and the exported explorer, all or nothing.
"""

import argparse
import re
import sys
from pathlib import Path

REPOSITORY = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")
BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
ROOT = Path(__file__).resolve().parent.parent
OTHERS = (
    "README.md",
    "tests/README.md",
    "pyproject.toml",
    "infogan_helpers/explorer_page.py",
    "data/pretrained/mnist.html",
)


def address(root=ROOT):
    """``(repository, branch)`` as pyproject.toml has them.

    Raises:
        ValueError: there is none.
    """
    text = (Path(root) / "pyproject.toml").read_text(encoding="utf-8")
    repository = re.search(r'^Repository = "https://github\.com/([^"]+)"$', text, re.MULTILINE)
    branch = re.search(r'^branch = "([^"]+)"$', text, re.MULTILINE)
    if not repository or not branch:
        raise ValueError(f"{root}/pyproject.toml must hold a Repository and a branch, got neither or one of them")
    return repository[1], branch[1]


def move(repository, branch, root=ROOT):
    """Change the address everywhere.

    Args:
        repository: ``"ORG/NAME"`` on GitHub.
        branch: of it.
        root: of the project.

    Returns:
        The files that changed.

    Raises:
        ValueError: ``repository`` or ``branch`` can't be one, or a notebook lacks the address that it should have.
    """
    if not REPOSITORY.fullmatch(repository):
        raise ValueError(f"repository must look like ORG/NAME, got {repository!r}")
    if not BRANCH.fullmatch(branch):
        raise ValueError(f"branch must be a branch's name, got {branch!r}")
    root = Path(root)
    old_repository, old_branch = address(root)
    changed = {}
    pages, new_pages = (pages_address(name) for name in (old_repository, repository))
    for file in (*notebooks(root), *(root / name for name in OTHERS)):
        text = before = file.read_text(encoding="utf-8")
        if file.suffix == ".ipynb" and not _agrees(text, old_repository, old_branch):
            raise ValueError(f"{file} must have a badge or a set-up cell of {old_repository}, branch {old_branch}")
        for old, new in (
            (f"github/{old_repository}/blob/{old_branch}/", f"github/{repository}/blob/{branch}/"),
            (
                f"-b {old_branch} https://github.com/{old_repository}\\n",
                f"-b {branch} https://github.com/{repository}\\n",
            ),
            (f'github.com/{old_repository}"', f'github.com/{repository}"'),
            (f'\nbranch = "{old_branch}"\n', f'\nbranch = "{branch}"\n'),
            (f"`{old_repository}`", f"`{repository}`"),
            (pages, new_pages),
        ):
            text = text.replace(old, new)
        if text != before:
            changed[file] = text
    for file, text in changed.items():
        file.write_text(text, encoding="utf-8", newline="\n")  # else Windows changes every line
    return list(changed)


def pages_address(repository):
    """Where GitHub Pages show what lies in ``"ORG/NAME"``."""
    owner, name = repository.split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def notebooks(root=ROOT):
    """The notebooks that carry the address: the series, and the sources of the assignments."""
    folder = Path(root) / "notebooks"
    return [*sorted(folder.glob("*.ipynb")), *sorted(folder.glob("assignments/source/*/*.ipynb"))]


def _agrees(notebook, repository, branch):
    """Whether a notebook's source has a badge, or a set-up cell, of this address, and none of another."""
    badges = re.findall(r"colab\.research\.google\.com/github/([^/]+/[^/]+)/blob/([^\s)]+?)/notebooks/", notebook)
    clones = re.findall(r"git clone [^\n]*?-b (\S+) https://github\.com/([^\s\"\\]+)", notebook)
    return {*badges, *((of, at) for at, of in clones)} == {(repository, branch)}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", metavar="ORG/NAME", help="the new repository on GitHub")
    parser.add_argument("--branch", help="its branch")
    options = parser.parse_args(arguments)
    old_repository, old_branch = address()
    if not options.repo and not options.branch:
        print(f"{old_repository}, branch {old_branch}")
        return
    try:
        changed = move(options.repo or old_repository, options.branch or old_branch)
    except ValueError as error:
        sys.exit(str(error))
    print(f"{len(changed)} files changed; commit them.")


if __name__ == "__main__":
    main()
