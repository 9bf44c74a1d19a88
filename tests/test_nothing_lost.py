"""What was trained is never lost: interrupts, however many; saves that fail; two runs and one file; bad arguments."""

import errno
import os
import shutil
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_runs import (
    QUICK,
    SPEC,
    Stop,
    assert_same_run,
    assert_same_state,
    ctrl_c,
    raising,
    some_images,
    train,
    weights,
    with_step,
)

from infogan_helpers import interrupts, run_files
from infogan_helpers.methods import infogan
from infogan_helpers.tensor_files import load_tensors, save_tensors
from infogan_helpers.training import run

NEVER = with_step(lambda _: raising(AssertionError("a step was taken")))

# --- interrupts


def stormy(function, at):
    """``function``, in whose call number ``at`` Ctrl-C comes three times before and three times after its work."""
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        storm = 3 if len(calls) == at else 0
        for _ in range(storm):
            ctrl_c()
        result = function(*arguments)
        for _ in range(storm):
            ctrl_c()
        return result

    return interrupted


@pytest.mark.parametrize(
    ("where", "at", "steps"), [("step", 8, 8), ("draw", 2, 10), ("finish", 1, 12), ("save", 2, 10)]
)
def test_however_many_interrupts_come_the_last_whole_step_is_returned_and_saved(
    where, at, steps, tmp_path, monkeypatch
):
    whole, file = train(checkpoint=tmp_path / "whole.safetensors"), tmp_path / "run.safetensors"
    handler, method = signal.getsignal(signal.SIGINT), infogan.METHOD
    if where == "save":
        monkeypatch.setattr(run_files, "save_tensors", stormy(save_tensors, at))
    else:
        method = method._replace(**{where: stormy(getattr(method, where), at)})
    part = train(checkpoint=file, method=method)
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGINT) is handler
    assert part.interrupted == (steps < 12)
    assert part.history.d_loss == whole.history.d_loss[:steps]
    assert not part.players.generator.training
    assert load_tensors(file)[1]["steps"] == steps
    one = train(callback=Stop(steps, ctrl_c), config=replace(QUICK, sample_every=1))  # once, when the step was whole
    there = weights(one)
    assert all(torch.equal(tensor, there[name]) for name, tensor in weights(part).items())
    assert_same_run(train(checkpoint=file), whole)
    if part.interrupted:
        assert_same_state(file, tmp_path / "whole.safetensors")


@pytest.mark.skipif(os.name != "posix", reason="sends signals to a process")
def test_a_storm_of_interrupts_from_outside_returns_and_saves_what_is_whole(tmp_path):
    config, file = replace(QUICK, steps=500, checkpoint_every=1), tmp_path / "run.safetensors"
    sent, over = [], threading.Event()

    def storm():
        while not over.is_set():
            sent.append(os.kill(os.getpid(), signal.SIGINT))
            time.sleep(0.0005)

    before = signal.signal(signal.SIGINT, lambda *_: None)  # of the interrupts that come when all is over
    try:
        thread = threading.Thread(target=storm)
        part = train(config, checkpoint=file, callback=Stop(5, thread.start))
    finally:
        over.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert len(sent) > 3
    assert part.interrupted
    done = len(part.history)
    assert load_tensors(file)[1]["steps"] == done < 500
    assert_same_run(train(replace(config, steps=done + 3), checkpoint=file), train(replace(config, steps=done + 3)))


def test_a_callback_that_would_never_end_is_ended_by_the_second_interrupt(tmp_path):
    def stuck(history):
        if len(history) == 5:
            ctrl_c()
            went_on.append(1)
            ctrl_c()
            raise AssertionError("the callback went on")

    went_on, file = [], tmp_path / "run.safetensors"
    part = train(checkpoint=file, callback=stuck)
    assert went_on == [1]
    assert part.interrupted
    assert len(part.history) == 5
    assert_same_run(train(checkpoint=file), train())


def test_an_error_before_the_first_step_costs_nothing_and_a_folder_may_lie_deep(tmp_path):
    file = tmp_path / "new" / "folder" / "run.safetensors"
    with pytest.raises(ZeroDivisionError):
        train(checkpoint=file, callback=Stop(0, lambda: 1 / 0))
    assert load_tensors(file)[1]["steps"] == 0
    assert_same_run(train(checkpoint=file), train())


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files")
def test_a_run_leaves_no_file_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for n in range(3):
        train(checkpoint=tmp_path / f"{n}.safetensors")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_callback_that_was_interrupted_may_clear_up(tmp_path):
    def stuck(history):
        if len(history) == 5:
            ctrl_c()
            try:
                ctrl_c()
            finally:
                ctrl_c()
                cleared.append(1)

    cleared = []
    assert train(callback=stuck).interrupted
    assert cleared == [1]


def test_an_error_in_a_callback_ends_the_run_and_costs_no_step(tmp_path):
    def wrong():
        raise ZeroDivisionError("of the callback")

    config, file = replace(QUICK, sample_every=1), tmp_path / "run.safetensors"
    with pytest.raises(ZeroDivisionError, match="of the callback"):
        train(config, checkpoint=file, callback=Stop(7, wrong))
    assert load_tensors(file)[1]["steps"] == 7
    assert_same_run(train(config, checkpoint=file), train(config))
    with pytest.raises(ZeroDivisionError, match="of the callback"):
        train(config, callback=Stop(7, wrong))


def test_interrupts_are_python_s_again_after_a_handler_that_was_not(monkeypatch):
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(
        interrupts.signal, "signal", lambda number, new, install=signal.signal: install(number, new) and None
    )
    with interrupts.interruptible():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    monkeypatch.undo()
    signal.signal(signal.SIGINT, handler)


# --- saves that fail


def failing(which):
    calls = []

    def save(path, tensors, metadata):
        calls.append(1)
        if len(calls) in which:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), f"{path}.partial")
        save_tensors(path, tensors, metadata)

    return save


@pytest.mark.parametrize("which", [(1,), (2,), (3,), (1, 2), (1, 2, 3)])
def test_a_save_that_fails_is_said_in_a_line_and_the_next_one_tries_again(which, tmp_path, monkeypatch, capsys):
    file = tmp_path / "run.safetensors"
    monkeypatch.setattr(run_files, "save_tensors", failing(which))
    result = train(checkpoint=file)
    monkeypatch.undo()
    assert not result.interrupted
    assert_same_run(result, train())
    lines = capsys.readouterr().out.splitlines()
    steps, then = (5, 10, 12), ["The run goes on, and the next save tries again."] * 2
    then += ["What was trained is returned: checkpoints.save_networks saves it elsewhere."]
    assert lines == [
        f"Step {steps[n - 1]} was not saved to {file} (No space left on device). {then[n - 1]}" for n in which
    ]
    saved = [step for n, step in enumerate(steps, 1) if n not in which]
    assert ([load_tensors(file)[1]["steps"]] if file.exists() else []) == saved[-1:]
    assert_same_run(train(checkpoint=file), train())


@pytest.mark.skipif(os.name != "posix", reason="limits the size of a process's files")
def test_a_disk_that_is_full_costs_no_network(tmp_path, capsys):
    import resource

    file, limits = tmp_path / "run.safetensors", resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(history):
        if len(history) == 5:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))

    try:
        result = train(checkpoint=file, callback=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert capsys.readouterr().out.count(f"was not saved to {file} (File too large)") == 2
    assert_same_run(result, train())
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]
    assert load_tensors(file)[1]["steps"] == 5
    assert_same_run(train(checkpoint=file), train())


def test_a_folder_that_vanishes_is_made_again_and_one_that_can_not_be_costs_no_network(tmp_path, capsys):
    folder = tmp_path / "folder"
    result = train(checkpoint=folder / "run.safetensors", callback=Stop(5, lambda: shutil.rmtree(folder)))
    assert capsys.readouterr().out == ""
    assert load_tensors(folder / "run.safetensors")[1]["steps"] == 12

    def replaced():
        shutil.rmtree(folder)
        folder.write_text("a file", encoding="utf-8")

    (folder / "run.safetensors").unlink()
    again = train(checkpoint=folder / "run.safetensors", callback=Stop(5, replaced))
    assert_same_run(result, again)
    assert capsys.readouterr().out.count(f"was not saved to {folder / 'run.safetensors'} (") == 2


@pytest.mark.parametrize("path", ["", ".", "..", "folder", "file/run.safetensors", "a\0b", 3, b"run", True, ["run"]])
def test_a_checkpoint_that_can_not_be_written_is_refused_before_the_first_step(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_text("a file", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^checkpoint must be a (path|file that can be written), got"):
        train(checkpoint=path, method=NEVER)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("ending", [".lock", ".partial"])
def test_a_folder_that_may_not_be_written_is_refused_before_the_first_step(ending, tmp_path, monkeypatch):
    (tmp_path / f"run.safetensors{ending}").mkdir()  # root may write everywhere, but not a folder as a file
    with pytest.raises(ValueError, match=r"^checkpoint must be a file that can be written, got '.*': "):
        train(checkpoint=str(tmp_path / "run.safetensors"), method=NEVER)


@pytest.mark.skipif(os.name != "posix", reason="/dev/null")
def test_a_device_is_no_file_to_save_to():
    with pytest.raises(
        ValueError, match=r"^checkpoint must be a file that can be written, got '/dev/null': it is no file"
    ):
        train(checkpoint="/dev/null", method=NEVER)


# --- two runs and one file


def test_a_second_run_that_would_write_the_same_file_is_refused(tmp_path):
    file, refused = tmp_path / "run.safetensors", []

    def second():
        assert sorted(path.name for path in tmp_path.iterdir()) == ["run.safetensors", "run.safetensors.lock"]
        before = file.read_bytes()
        with pytest.raises(ValueError, match=r"^checkpoint must be a file that no other run writes, got .*run.safe"):
            train(checkpoint=file, method=NEVER)
        refused.append(file.read_bytes() == before)

    first = train(checkpoint=file, callback=Stop(5, second))
    assert refused == [True]
    assert_same_run(first, train())
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]
    assert_same_run(train(checkpoint=file), first)


def test_what_a_killed_run_leaves_behind_is_no_lock(tmp_path):
    (tmp_path / "run.safetensors.lock").touch()
    (tmp_path / "run.safetensors.partial").write_bytes(b"half")
    assert_same_run(train(checkpoint=tmp_path / "run.safetensors"), train())
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]


def test_a_run_that_fails_gives_its_file_back(tmp_path):
    with pytest.raises(AssertionError, match="a step was taken"):
        train(checkpoint=tmp_path / "run.safetensors", method=NEVER)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="flock")
def test_where_files_have_no_locks_a_line_says_so(tmp_path, monkeypatch, capsys):
    error = OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    monkeypatch.setattr(run_files.fcntl, "flock", raising(error))
    file = tmp_path / "run.safetensors"
    assert_same_run(train(checkpoint=file), train())
    assert capsys.readouterr().out == (
        f"Where {file} lies, files have no locks ({error.strerror}): let no other run write it meanwhile.\n"
    )


# --- arguments that are refused at once


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"callback": 3}, r"callback must be a function or None, got 3"),
        ({"callback": "print"}, "callback must be a function or None, got 'print'"),
        ({"progress": 1}, "progress must be True or False, got 1"),
        ({"device": "cudo"}, "device must be a device that is there, .*got 'cudo'"),
        ({"device": 1.5}, "device must be a device that is there, .*got 1.5"),
        ({"method": infogan}, "method must be a Method, got module"),
        ({"spec": (10,)}, "spec must be a CodeSpec, got tuple"),
        ({"config": None}, "config must be a RunConfig, got NoneType"),
        ({"config": {"steps": 3}}, "config must be a RunConfig, got dict"),
        ({"data": ()}, "images must be a tensor of shape .*, got tuple"),
        ({"data": (some_images(), [1] * 18)}, r"data must be tensors, got \['Tensor', 'list'\]"),
        ({"data": (some_images(), torch.tensor(1))}, "data must be tensors"),
    ],
)
def test_other_arguments_are_refused_before_a_file_is_touched(argument, message, tmp_path):
    good = {"method": NEVER, "data": some_images(), "spec": SPEC, "config": QUICK, "device": "cpu", "progress": False}
    with pytest.raises(ValueError, match=f"^{message}"):
        run(**good | argument, checkpoint=tmp_path / "folder" / "run.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"^device must be a device that is there, .*got 'cuda'"):
        run(NEVER, some_images(), SPEC, QUICK, device="cuda")
