"""Build the series as a site of static files: its notebooks as they are, outputs included, with contents and search.

    python -m pip install -e ".[site]" && python tests/build_site.py

It lands in ``build/site``, whose links are relative: any server of files can host it, and a browser can open it from
disk. No notebook is executed. Not here: what it looks like, which is in ``site/conf.py``.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path

from point_at_fork import ROOT, address
from publish_page import PAGE

SOURCE = ROOT / "build" / "site-source"
SITE = ROOT / "build" / "site"
LINK = re.compile(r"(?<=\]\()([^)\s:#]+)(?=[)#])")
CONTENTS = {
    "The notebooks": ["notebooks/[0-9]*.ipynb"],
    "Beside them": ["explorer.md", "notebooks/README.md", "infogan_helpers/README.md", "data/README.md"],
    "For teachers": ["notebooks/assignments/README.md", "tests/README.md"],
    "Measured": [
        "tests/benchmarks/results/README.md",
        "tests/benchmarks/results/[a-z]*.md",
        "tests/benchmarks/TRIED.md",
    ],
}
EXPLORER = """# The explorer

A trained InfoGAN, without a kernel: move the sliders, and see what Q reads back off the picture. Notebook
[05](notebooks/05_latent_traversals.ipynb) says how to read it.

<iframe src="explorer_page.html" title="The explorer" style="width: 100%; height: 60rem; border: 0"></iframe>
"""


def pages():
    """Files of the repository that become pages."""
    listed = [pattern for patterns in CONTENTS.values() for pattern in patterns]
    return sorted({path for pattern in ("README.md", *listed) for path in ROOT.glob(pattern)})


def for_the_site(text, page, names):
    """Links to what is no page lead to the repository; pictures come along."""
    repository, branch = address()

    def target(link):
        file = Path(os.path.normpath(page.parent / link[0]))
        if file in names:
            return link[0]
        where = file.relative_to(ROOT).as_posix()
        if file.suffix == ".png":
            (SOURCE / where).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, SOURCE / where)
            return link[0]
        return f"https://github.com/{repository}/blob/{branch}/{where}"

    return LINK.sub(target, text)


def folded(cell):
    """A cell whose source or outputs JupyterLab hides, with the tag that hides them on a page."""
    hidden = cell["metadata"].get("jupyter", {})
    parts = [part for part in ("source", "outputs") if hidden.get(f"{part}_hidden")]
    if parts:
        tag = {"source": "hide-input", "outputs": "hide-output"}[parts[0]] if len(parts) == 1 else "hide-cell"
        cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), tag]
    return cell


def gather():
    """Write what Sphinx reads."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    names = set(pages())
    for page in names:
        text = page.read_text(encoding="utf-8")
        if page.suffix == ".ipynb":
            notebook = json.loads(text)
            for cell in map(folded, notebook["cells"]):
                if cell["cell_type"] == "markdown":
                    cell["source"] = for_the_site("".join(cell["source"]), page, names)
            text = json.dumps(notebook)
        else:
            text = for_the_site(text, page, names)
        copy = SOURCE / page.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
    (SOURCE / "explorer.md").write_text(EXPLORER, encoding="utf-8")
    with (SOURCE / "README.md").open("a", encoding="utf-8") as first:
        for caption, patterns in CONTENTS.items():
            found = [path.relative_to(SOURCE).with_suffix("") for p in patterns for path in sorted(SOURCE.glob(p))]
            listed = "\n".join(path.as_posix() for path in found)
            first.write(f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n")
    (SOURCE / "extra").mkdir()
    shutil.copy(PAGE, SOURCE / "extra" / "explorer_page.html")


def build():
    """Write the site anew; a warning of Sphinx's is an error."""
    from sphinx.cmd.build import main

    gather()
    shutil.rmtree(SITE, ignore_errors=True)
    settings = Path(__file__).with_name("site")
    doctrees = SOURCE.with_name("site-doctrees")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(settings), "-d", str(doctrees)]
    if main([*options, str(SOURCE), str(SITE)]):
        sys.exit("The site was not built: see the messages above.")
    shutil.copy(SITE / "README.html", SITE / "index.html")
    print(f"{SITE / 'index.html'}")


if __name__ == "__main__":
    build()
