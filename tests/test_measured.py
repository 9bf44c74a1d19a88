"""What the benchmarks wrote for the notebooks."""

import pytest

from infogan_helpers.measured import MEASURED_FOLDER, load_measured, save_measured


def test_what_was_saved_is_loaded_a_run_per_line(tmp_path):
    records = [{"run": "λ", "seed": 0, "figures": {"L_I": 2.25}}, {"run": "λ", "seed": 1, "figures": {"L_I": None}}]
    save_measured("some", records, tmp_path)
    assert load_measured("some", tmp_path) == records
    assert len((tmp_path / "some.json").read_text(encoding="utf-8").splitlines()) == len(records) + 2


def test_a_name_that_is_not_there_is_refused(tmp_path):
    save_measured("some", [], tmp_path)
    with pytest.raises(ValueError, match=r"name must be one of \['some'\].*got 'other'"):
        load_measured("other", tmp_path)


@pytest.mark.parametrize("file", sorted(MEASURED_FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_every_record_in_the_repository_says_its_run_and_seed(file):
    records = load_measured(file.stem)
    assert records
    assert len({(record["run"], record["seed"]) for record in records}) == len(records)
