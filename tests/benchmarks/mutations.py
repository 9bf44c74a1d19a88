"""Small changes to the module, one at a time: do its tests notice? And those that they let pass.

    python -m pip install cosmic-ray
    python tests/benchmarks/mutations.py losses codes --most 60       # 60 mutants of each, drawn by a seed
    python tests/benchmarks/mutations.py named                        # those that a reader found by hand
    python tests/benchmarks/mutations.py --table                      # writes tests/benchmarks/results/mutations.md

cosmic-ray's operators make the mutants: another sign, another comparison, a number one off, ``not`` put in or taken
out, a loop that runs never, a decorator removed. What only changes a message, a docstring or an annotation is left out.
Each mutant is written into a copy of the module, and a fork of this process, which has imported torch and its like
already, runs the tests of that part until one fails. No failure within the time is a survivor; a hang is noticed too.
A second call with the same ``--folder`` tries the survivors again, and those that it has not tried before. Linux and
macOS only. Not part of the README's test command.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.operators.provider import OperatorProvider
from harness import RESULTS, conditions, markdown
from known_mutants import EQUIVALENT, NAMED

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".git", ".ruff_cache", "build", "data", "notebooks")
PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
LIMIT = 5  # times what the tests take without a mutant: longer is a hang
OPERATORS = (
    *(f"ReplaceBinaryOperator_{x}" for x in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Pow_Mul")),
    *(f"ReplaceBinaryOperator_{x}" for x in ("Mod_FloorDiv", "BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitAnd")),
    *(f"ReplaceComparisonOperator_{x}" for x in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceComparisonOperator_{x}" for x in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_Gt", "Gt_Lt")),
    *(f"ReplaceUnaryOperator_Delete_{x}" for x in ("USub", "Invert", "Not")),
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ExceptionReplacer", "NumberReplacer"),
    *("RemoveDecorator", "ZeroIterationForLoop"),
)
# Of each part the files of tests that are about it, the fastest and most fitting first.
TESTS = {
    "information": "information information_refuses",
    "losses": "losses losses_masks answer_information circular",
    "codes": "codes code_spec circular",
    "disentanglement": "defaults code_factor_corners disentanglement",
    "evaluation": "defaults code_factor_corners evaluation",
    "checkpoints": "checkpoints damaged_runs any_method",
    "run_files": "damaged_runs nothing_lost resume",
    "interrupts": "nothing_lost",
    "tensor_files": "checkpoints damaged_runs",
    "widgets": "defaults widgets training_view dial drawings explorer_editing",
    "measures": "measures",
    "interventions": "defaults code_factor_corners disentanglement",
    "applications/anomalies": "defaults anomalies",
    "applications/augmentation": "defaults augmentation",
    "applications/editing": "defaults editing",
    "applications/fairness": "defaults fairness",
    "applications/features": "defaults features",
    "applications/inversion": "defaults inversion",
    "methods/ac_infogan": "method_settings relatives",
    "methods/autoencoders": "method_settings vaes",
    "methods/beta_tcvae": "method_settings vaes elbo",
    "methods/control_infogan": "method_settings vaes",
    "methods/control_vae": "method_settings vaes controllers",
    "methods/factor_vae": "method_settings vaes",
    "methods/infogan_cr": "method_settings relatives",
    "methods/instance_noise": "method_settings instance_noise",
    "methods/noise_last": "method_settings noise_last",
    "methods/progressive": "method_settings progressive",
    "methods/ss_infogan": "method_settings relatives",
    "methods/vae": "method_settings vaes elbo",
    "methods/variational": "method_settings variational",
}


def wording(node):
    """Whether a node is part of a message or of an annotation only, or the ``/`` of a signature."""
    if node.parent is not None and node.parent.type == "parameters":
        return True
    while node.parent is not None and node.type != "suite":
        says = node.type == "atom_expr" and node.children[0].get_code().strip() in ("refuse", "print")
        annotates = node.parent.type == "annassign" and node is node.parent.children[1]
        if says or annotates or node.type in ("raise_stmt", "fstring", "tfpdef"):
            return True
        node = node.parent
    return False


def places(source):
    """Where a source can be mutated: pairs of an operator's name and a count of the places that it fits."""
    tree, provider = get_ast(source), OperatorProvider()
    for name in OPERATORS:
        operator = provider[name]()
        fitting = [node for node in ast_nodes(tree) for _ in operator.mutation_positions(node)]
        yield from ((name, i) for i, node in enumerate(fitting) if not wording(node))


def mutate(source, name, place):
    """The mutated source, the number of the line that differs, and that line; ``None`` where it is no Python."""
    mutant = MutationVisitor.mutate_code(source, OperatorProvider()[name](), place)
    try:
        compile(mutant, "mutant", "exec")
    except SyntaxError:
        return None
    both = enumerate(zip(source.splitlines(), mutant.splitlines(), strict=False))
    line = next(i for i, (before, after) in both if before != after)
    return mutant, line + 1, mutant.splitlines()[line].strip()


def copy_of_repository(folder):
    """A copy of what the tests need, first on the path of this process and of all that it starts."""
    shutil.copytree(ROOT, folder, dirs_exist_ok=True, ignore=NOT_COPIED)
    for name in ("data", "notebooks"):
        (folder / name).symlink_to(ROOT / name)
    sys.path.insert(0, str(folder))
    os.environ |= {"PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def passes(folder, files, limit, only=""):
    """Whether tests pass, or ``only`` some, in a fork that has ``limit`` seconds; and the seconds that it took."""
    start, child = time.monotonic(), os.fork()
    if child == 0:
        os.setsid()
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&" turns it off
        os.cpu_count = lambda: 1  # a process of joblib's would import everything anew
        with open(os.devnull, "r+") as nothing:
            for stream in (0, 1, 2):
                os.dup2(nothing.fileno(), stream)
        options = ["-x", "-q", "--override-ini=addopts=", "-p", "no:cacheprovider", "-k", only]
        os._exit(pytest.main([*options, *(f"tests/test_{name}.py" for name in files)]))
    while (done := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() - start < limit:
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it started, and itself where it hangs
    if done[0] == 0:
        os.waitpid(child, 0)
    return done[0] != 0 and os.waitstatus_to_exitcode(done[1]) in PASSED, time.monotonic() - start


def try_mutants(module, folder, kept, most, seed):
    """Mutants of one part of the module, and which of them its tests noticed, into a JSON file of what is kept."""
    file, record = folder / "infogan_helpers" / f"{module}.py", kept / f"{module.replace('/', '-')}.json"
    source, tests = file.read_text(encoding="utf-8"), TESTS[module].split()
    known = json.loads(record.read_text(encoding="utf-8"))["tried"] if record.exists() else {}
    sys.dont_write_bytecode = False
    passed, seconds = passes(folder, tests, 300)
    if not passed:
        print(f"{module}: its tests fail without a mutant", flush=True)
        return
    sys.dont_write_bytecode = True  # two mutants of one second and one length would share theirs
    Path(importlib.util.cache_from_source(file)).unlink(missing_ok=True)
    everywhere, tried = sorted(places(source)), {}
    print(f"{module}: {len(everywhere)} mutants, tests of {seconds:.1f} s", flush=True)
    random.Random(seed).shuffle(everywhere)
    for name, place in everywhere:
        if len(tried) < most and (mutant := mutate(source, name, place)):
            code, line, after = mutant
            key = f"{name} {place}: {after}"
            before = known.get(key)
            lived, took = before is not None and not before["killed"], 0.0
            if before is None or (lived and (module, after) not in EQUIVALENT):
                file.write_text(code, encoding="utf-8")
                lived, took = passes(folder, tests, LIMIT * seconds + 10)
                if lived:  # whatever takes an argument is tried on bad ones, too
                    lived, _ = passes(folder, ["bad_input"], 60, only=module.replace("/", "."))
            tried[key] = {"killed": not lived, "before": source.splitlines()[line - 1].strip(), "after": after}
            print(f"{'lived' if lived else 'killed'} {took:.1f} s, {module}:{line}, {name}: {after}", flush=True)
            record.write_text(json.dumps({"mutants": len(everywhere), "tried": tried}, indent=1), encoding="utf-8")
    file.write_text(source, encoding="utf-8")


def try_named(folder, kept):
    """The mutants that a reader thought of, whatever part they are in."""
    tried = []
    sys.dont_write_bytecode = True
    for part, before, after, tests in NAMED:
        file = folder / "infogan_helpers" / part
        source = file.read_text(encoding="utf-8")
        if source.count(before) != 1:
            sys.exit(f"{part} must hold {before!r} once")
        file.write_text(source.replace(before, after), encoding="utf-8")
        lived, took = passes(folder, tests.split(), 300)
        file.write_text(source, encoding="utf-8")
        print(f"{'lived' if lived else 'killed'} {took:.1f} s, {part}: {after}", flush=True)
        tried.append({"part": part, "before": before, "after": after, "killed": not lived})
    (kept / "named.json").write_text(json.dumps(tried, indent=1), encoding="utf-8")


def write_table(kept):
    rows, lived = [], []
    for module in TESTS:
        record = kept / f"{module.replace('/', '-')}.json"
        if not record.exists():
            continue
        found = json.loads(record.read_text(encoding="utf-8"))
        alive = [mutant for mutant in found["tried"].values() if not mutant["killed"]]
        reasons = [EQUIVALENT.get((module, mutant["after"])) for mutant in alive]
        same, tried = sum(reason is not None for reason in reasons), len(found["tried"])
        share = (tried - len(alive)) / max(1, tried - same)
        rows.append((module, found["mutants"], tried, tried - len(alive), same, len(alive) - same, f"{share:.1%}"))
        lived += [
            (module, f"`{mutant['before']}`", f"`{mutant['after']}`", reason or "**noticed by no test**")
            for mutant, reason in zip(alive, reasons, strict=True)
        ]
    by_hand = kept / "named.json"
    named = [
        (m["part"], f"`{m['before']}`", f"`{m['after']}`", "yes" if m["killed"] else "**no**")
        for m in (json.loads(by_hand.read_text(encoding="utf-8")) if by_hand.exists() else [])
    ]
    columns = ["part", "mutants", "tried", "killed", "equivalent", "lived", "killed of those that differ"]
    table = pd.DataFrame(rows, columns=columns)
    tried, killed, same = table["tried"].sum(), table["killed"].sum(), table["equivalent"].sum()
    lines = [
        "# Small changes to the module, and whether its tests notice",
        "",
        "By `tests/benchmarks/mutations.py`, which says how. Where there were many, a part of the mutants was drawn "
        f"by a seed. Of {tried} that were tried, {killed} were killed and {same} are equivalent: "
        f"{killed / max(1, tried - same):.1%} of those that differ.",
        "",
        *markdown(table),
        "",
        "## Those that lived",
        "",
        *markdown(pd.DataFrame(lived, columns=["part", "line", "mutant", "why no test can notice"])),
        "",
        "## Found by hand",
        "",
        "Mutants that a reader thought of, whatever part they are in.",
        "",
        *markdown(pd.DataFrame(named, columns=["file", "line", "mutant", "killed"])),
        "",
        ", ".join(f"{name} {value}" for name, value in conditions().items()) + ".",
        "",
    ]
    (RESULTS / "mutations.md").write_text("\n".join(lines), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="PART", help=", ".join(TESTS))
    parser.add_argument("--most", type=int, default=60, help="mutants of a part (60)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw of them (0)")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "mutations", help="where outcomes are kept")
    parser.add_argument("--table", action="store_true", help="write the table of all outcomes that are kept")
    options = parser.parse_args()
    if unknown := set(options.modules) - {*TESTS, "named"}:
        parser.error(f"there are no tests for {sorted(unknown)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    if options.modules:
        with tempfile.TemporaryDirectory() as folder:
            copy_of_repository(Path(folder))
            import_what_tests_import()
            if "named" in options.modules:
                try_named(Path(folder), options.folder)
            for module in (name for name in options.modules if name != "named"):
                try_mutants(module, Path(folder), options.folder, options.most, options.seed)
    if options.table:
        write_table(options.folder)


def import_what_tests_import():
    """All libraries, once for all forks, and nothing of the module: each fork imports its mutant."""
    import infogan_helpers.applications.fairness
    import infogan_helpers.disentanglement
    import infogan_helpers.widgets  # noqa: F401

    for name in [name for name in sys.modules if name.split(".")[0] == "infogan_helpers"]:
        del sys.modules[name]


if __name__ == "__main__":
    main()
