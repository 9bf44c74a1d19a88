"""Re-execute notebooks at the full budget on fresh kernels and store their outputs: the only way that outputs get in.

    python tests/execute_notebooks.py              all of them
    python tests/execute_notebooks.py 01 05        those whose names start so

It needs all of MNIST (a network, or INFOGAN_DATA), so that what is stored is what a reader at full budget gets. A
notebook that raises an error or writes to stderr (a warning) is left as it was.
"""

import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
PROGRESS_BAR = re.compile(r"\d+%\|")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CELL_TIMEOUT = 3600  # seconds


def execute(path):
    """Run one notebook in its own folder and return it with clean outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return clean(notebook)


def clean(notebook):
    """Drop what only the machine that ran it can use: widget views and state, progress bars, timings, versions.

    Text that a busy kernel sent in two pieces becomes one.
    """
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": notebook.metadata.language_info,  # the kernel's; JupyterLab marks a file that has another one
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                raise ValueError(f"cell {cell.id} wrote to stderr: {output.text.strip()}")
            if "data" in output:
                output.data.pop(WIDGET_VIEW, None)
        cell.outputs = [output for output in cell.outputs if not is_progress_bar(output)]
    return CoalesceStreamsPreprocessor().preprocess(notebook, {})[0]


def is_progress_bar(output):
    return bool(PROGRESS_BAR.search(output.get("data", {}).get("text/plain", "")))


def require_all_of_mnist():
    from infogan_helpers.data import load_mnist

    images, _, source = load_mnist()
    if len(images) != 60_000:
        sys.exit(f"The stored outputs come from all of MNIST, this is {source}. Set INFOGAN_DATA or connect a network.")


def main(names):
    os.environ.pop("INFOGAN_BUDGET", None)
    paths = [p for p in sorted(NOTEBOOKS.glob("*.ipynb")) if not names or p.name.startswith(tuple(names))]
    if not paths:
        sys.exit(f"no notebook in {NOTEBOOKS} starts with {' or '.join(names)}")
    require_all_of_mnist()
    failed = []
    for path in paths:
        print(f"{path.name}: running", flush=True)
        try:
            notebook = execute(path)
        except (CellExecutionError, ValueError) as error:
            print(f"{path.name}: left as it was.\n{error}", flush=True)
            failed.append(path.name)
        else:
            nbformat.write(notebook, path)
            print(f"{path.name}: stored", flush=True)
    if failed:
        sys.exit(f"not stored: {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
