"""Figures of finished runs, which notebooks read and the benchmarks wrote. Not here: weights (``checkpoints``)."""

import json
from pathlib import Path

from infogan_helpers.arguments import TEXT, instance, maybe, path, takes, told

MEASURED_FOLDER = Path(__file__).resolve().parent.parent / "data" / "measured"


@takes(folder=maybe(path))
def load_measured(name, folder=None):
    """All finished runs of one benchmark.

    Args:
        name: of the file, ``"dials"``.
        folder: that holds ``NAME.json``; the repository's ``data/measured`` where it is ``None``.

    Returns:
        A list of dictionaries, one per run; what they hold is said by the command that wrote them,
        ``tests/benchmarks/NAME.py``.

    Raises:
        ValueError: there is no such file; the message lists those that there are.
    """
    folder = MEASURED_FOLDER if folder is None else Path(folder)
    known = sorted(file.stem for file in folder.glob("*.json"))
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"name must be one of {known}, the files in {folder}, got {told(name)}")
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


@takes(name=TEXT, records=instance(list), folder=maybe(path))
def save_measured(name, records, folder=None):
    """Write what ``load_measured`` reads, a run per line, for a readable history of changes."""
    folder = MEASURED_FOLDER if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    (folder / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
