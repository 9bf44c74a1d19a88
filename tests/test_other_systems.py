"""What holds on systems that these tests do not run on: the workflow that does, and text that reads the same there."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def lines(*path):
    return [line.strip() for line in ROOT.joinpath(*path).read_text(encoding="utf-8").splitlines()]


def test_the_workflow_and_ci_run_the_readmes_test_command():
    [command] = [line for line in lines("README.md") if line.endswith("python -m pytest")]
    assert f"- run: {command}" in lines(".github", "workflows", "tests.yml")
    assert lines(".ci", "run")[-1] == command


def test_text_is_utf_8_wherever_it_is_read_or_written():
    """Windows takes another encoding, in which the first λ is an error. Ruff's PLW1514 finds few of these calls."""
    wrong = []
    for path in [*ROOT.glob("infogan_helpers/**/*.py"), *ROOT.glob("tests/**/*.py")]:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                name, given = getattr(call.func, "attr", ""), {keyword.arg for keyword in call.keywords}
                in_text = name in ("read_text", "write_text") or (name in ("run", "Popen") and "text" in given)
                if in_text and "encoding" not in given:
                    wrong.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert wrong == []
