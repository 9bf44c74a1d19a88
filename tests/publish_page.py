"""Write the explorer's page where a fork's GitHub Pages show it: data/pretrained/mnist.html.

    python tests/publish_page.py

Commit the file. Then one setting shows it, on GitHub under Settings, Pages: deploy from a branch, that of the series,
folder / (root). The file ``.nojekyll`` keeps GitHub from building a site of everything else. The command prints the
address. The page holds the shipped model's pictures and what its card and notebook 05 say of the codes; run it again
where the weights or the explorer's page changed.
"""

import point_at_fork

from infogan_helpers.checkpoints import PRETRAINED_FOLDER, load_pretrained
from infogan_helpers.data import mnist_sample
from infogan_helpers.explorer_page import export_explorer

PAGE = PRETRAINED_FOLDER / "mnist.html"
MEANINGS = {"c1": "which digit", "c2": "slant", "c3": "thickness"}  # measured in notebook 05
REAL = 3  # digits that the page can edit, the first of those that the model never saw
MOST = 2.5e6  # bytes


def write(path=PAGE):
    """Write the page and return its path.

    Raises:
        ValueError: it is larger than ``MOST``.
    """
    generator, discriminator_q, _, card = load_pretrained("mnist")
    known = {"matching": card["measured"]["matching"], "meanings": MEANINGS}
    real = mnist_sample(train=False).images[:REAL]
    page = export_explorer(path, generator, discriminator_q, seed=1, examples=real, **known)
    if page.stat().st_size > MOST:
        raise ValueError(f"{page} must have at most {MOST / 1e6} MB, got {page.stat().st_size / 1e6:.2f}")
    return page


def main():
    page = write()
    print(f"{page}: {page.stat().st_size / 1e6:.2f} MB. Commit it; with Pages set to the branch's root it is at")
    print(f"{point_at_fork.pages_address(point_at_fork.address()[0])}{page.relative_to(point_at_fork.ROOT).as_posix()}")


if __name__ == "__main__":
    main()
