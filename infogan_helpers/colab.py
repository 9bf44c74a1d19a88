"""What the set-up cell of a notebook calls on Colab. Not here: finding or fetching this module, the cell's own part."""

import importlib.util
import subprocess
import sys

from infogan_helpers.arguments import TEXT, list_of, takes

LACKING = ("mlxtend", "safetensors", "anywidget", "psygnal", "zuko")  # what the series needs and Colab may not have


@takes(names=list_of(TEXT))
def install_missing(names=LACKING):
    """Install those packages that are not there, and nothing that they depend on: torch, numpy and ipywidgets stay.

    Args:
        names: of packages, importable by the same name.

    Returns:
        The names that were installed.

    Raises:
        RuntimeError: pip could not install them; the message says which and what to do.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *missing]
        if subprocess.run(command, check=False).returncode:
            raise RuntimeError(
                f"pip could not install {', '.join(missing)}: look at its message above, then run this cell again"
            )
        importlib.invalidate_caches()
    return missing
