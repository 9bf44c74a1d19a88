"""A run that stops and goes on: bit for bit, from any step, however it was stopped; checkpoints that are refused."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_runs import (
    QUICK,
    QUICK_OF,
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

from infogan_helpers import run_files, training
from infogan_helpers.checkpoints import save_networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import make_players
from infogan_helpers.tensor_files import load_tensors, save_tensors

# --- stopping and going on


@pytest.mark.parametrize("how", [ctrl_c, raising(KeyboardInterrupt)], ids=["signal", "exception"])
@pytest.mark.parametrize("architecture", QUICK_OF)
@pytest.mark.parametrize(
    ("stop", "n"), [(3, 18), (4, 18), (5, 18), (6, 12), (10, 17), (11, 4)], ids=lambda value: str(value)
)
def test_a_run_interrupted_anywhere_goes_on_bit_for_bit(architecture, how, stop, n, tmp_path, capsys):
    # 18 images make 4 batches of 4: after 3 steps an epoch is under way, after 4 the next step reshuffles.
    config, file = replace(QUICK_OF[architecture], sample_every=1), tmp_path / "run.safetensors"
    whole = train(config, some_images(n), checkpoint=tmp_path / "whole.safetensors")
    handler = signal.getsignal(signal.SIGINT)
    part = train(config, some_images(n), checkpoint=file, callback=Stop(stop, how))
    assert signal.getsignal(signal.SIGINT) is handler
    assert part.interrupted is True
    assert len(part.history) == stop
    assert part.history.d_loss == whole.history.d_loss[:stop]
    assert not part.players.generator.training
    assert f"Interrupted after step {stop} of 12" in capsys.readouterr().out
    resumed = train(config, some_images(n), checkpoint=file)
    assert resumed.interrupted is False
    assert f"Going on from step {stop} of 12, saved in run.safetensors." in capsys.readouterr().out
    assert_same_run(resumed, whole)
    assert_same_state(file, tmp_path / "whole.safetensors")


def test_an_interrupt_without_a_checkpoint_returns_what_there_is():
    part = train(callback=Stop(5, ctrl_c))
    assert part.interrupted
    assert len(part.history) == len(part.history.g_loss) == 5
    assert not part.players.generator.training
    assert not part.players.discriminator_q.training


def test_an_interrupt_ends_the_step_that_is_under_way(tmp_path):
    file, calls = tmp_path / "run.safetensors", []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 7:
            ctrl_c()
        return infogan.train_step(*arguments)

    part = train(checkpoint=file, method=with_step(lambda _: interrupted))
    assert len(part.history) == 7
    assert part.interrupted
    assert_same_run(train(checkpoint=file), train())


def test_an_interrupt_before_the_first_step_can_be_resumed(tmp_path):
    file = tmp_path / "run.safetensors"
    part = train(checkpoint=file, method=infogan.METHOD._replace(make=lambda *a: ctrl_c() or make_players(*a)))
    assert part.interrupted
    assert len(part.history) == 0
    assert part.history.images_per_second == 0
    assert_same_run(train(checkpoint=file), train())


def test_a_run_resumes_from_each_of_its_checkpoints(tmp_path, monkeypatch):
    config, kept = replace(QUICK, checkpoint_every=1), []

    def keeping(path, tensors, metadata):
        save_tensors(path, tensors, metadata)
        kept.append(tmp_path / f"{metadata['steps']}.safetensors")
        kept[-1].write_bytes(Path(path).read_bytes())

    monkeypatch.setattr(run_files, "save_tensors", keeping)
    whole = train(config, checkpoint=tmp_path / "run.safetensors")
    monkeypatch.undo()
    assert [p.stem for p in kept] == [str(i) for i in range(1, 13)]
    for file in kept:
        assert_same_run(train(config, checkpoint=file), whole)


@pytest.mark.parametrize("architecture", QUICK_OF)
def test_a_finished_run_may_be_made_longer(architecture, tmp_path):
    config = replace(QUICK_OF[architecture], sample_every=4)
    long = train(replace(config, steps=20), checkpoint=tmp_path / "long.safetensors")
    train(config, checkpoint=tmp_path / "run.safetensors")
    longer = train(replace(config, steps=20), checkpoint=tmp_path / "run.safetensors")
    assert_same_run(longer, long)
    assert_same_state(tmp_path / "run.safetensors", tmp_path / "long.safetensors")


def test_a_finished_run_is_loaded_and_not_trained_again(tmp_path):
    first = train(checkpoint=tmp_path / "run.safetensors")
    never = with_step(lambda _: raising(AssertionError("trained")))
    again = train(checkpoint=tmp_path / "run.safetensors", method=never)
    assert_same_run(again, first)
    assert not again.interrupted
    assert again.history.seconds >= first.history.seconds


def test_seconds_add_up_over_sessions(tmp_path):
    part = train(checkpoint=tmp_path / "run.safetensors", callback=Stop(5, ctrl_c))
    assert train(checkpoint=tmp_path / "run.safetensors").history.seconds > part.history.seconds


def test_a_checkpoint_makes_its_folder_and_leaves_nothing_else_there(tmp_path):
    train(checkpoint=str(tmp_path / "a" / "b" / "run.safetensors"))
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["run.safetensors"]


def test_checkpoints_are_written_as_often_as_configured(tmp_path, monkeypatch):
    saved, save = [], run_files.save_tensors
    monkeypatch.setattr(run_files, "save_tensors", lambda path, t, m: saved.append(m["steps"]) or save(path, t, m))
    train(checkpoint=tmp_path / "run.safetensors")
    assert saved == [5, 10, 12]


def test_a_partial_file_left_behind_does_not_matter(tmp_path):
    file = tmp_path / "run.safetensors"
    train(checkpoint=file, callback=Stop(5, ctrl_c))
    (tmp_path / "run.safetensors.partial").write_bytes(b"half a checkpoint")
    assert_same_run(train(checkpoint=file), train())


def test_a_partial_file_alone_is_no_checkpoint(tmp_path, capsys):
    (tmp_path / "run.safetensors.partial").write_bytes(b"half a checkpoint")
    assert_same_run(train(checkpoint=tmp_path / "run.safetensors"), train())
    assert "Going on" not in capsys.readouterr().out


KILLED = """
import sys, time
import torch
from infogan_helpers.codes import CodeSpec
from dataclasses import replace
from infogan_helpers.methods.infogan import PRESETS, fit

images = torch.randint(0, 256, (18, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
config = replace(PRESETS["plain"], steps={steps}, batch_size=4, width=0.05, sample_every=5, checkpoint_every=5, seed=3,
                        learning_rate_g=0.01, learning_rate_d=0.01, learning_rate_q=0.01)
torch.set_num_threads({threads})
fit(images, CodeSpec((3,), 1, 4), config, device="cpu", checkpoint=sys.argv[1], progress=False,
    callback=lambda history: time.sleep(0.02))
"""


@pytest.mark.parametrize(
    "kill", [pytest.param(s, id=s.name) for s in ([signal.SIGINT, signal.SIGKILL] if os.name == "posix" else [])]
)
def test_a_run_killed_in_another_process_goes_on_bit_for_bit(kill, tmp_path, capsys):
    file, steps = tmp_path / "run.safetensors", 100_000
    script = KILLED.format(steps=steps, threads=torch.get_num_threads())
    root = Path(training.__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", script, str(file)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, encoding="utf-8")
    try:
        while not file.exists() and process.poll() is None:  # no deadline: a busy machine takes minutes to import torch
            time.sleep(0.02)
        assert file.exists(), "no checkpoint was written"
        time.sleep(0.1)
        process.send_signal(kill)
        printed = process.communicate()[0]
    finally:
        process.kill()
    done = load_tensors(file)[1]["steps"]
    assert 5 <= done < steps
    if kill == signal.SIGINT:
        assert process.returncode == 0
        assert f"Interrupted after step {done} of {steps}" in printed
    else:
        assert process.returncode == -signal.SIGKILL
        assert done % 5 == 0
    # The run is made shorter for the sake of the test: where it ends is the one thing that may differ.
    config = replace(QUICK, steps=done + 7)
    resumed = train(config, checkpoint=file)
    assert f"Going on from step {done}" in capsys.readouterr().out
    assert_same_run(resumed, train(config))


# --- checkpoints that are refused


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, "seed was 3 there and is 4 here"),
        ({"width": 0.1}, "width was 0.05 there and is 0.1 here"),
        ({"batch_size": 5}, "batch_size was 4 there and is 5 here"),
        ({"learning_rate_q": 1e-3}, "learning_rate_q was 0.01 there and is 0.001 here"),
        ({"architecture": "mlp"}, "architecture was 'conv' there and is 'mlp' here"),
        ({"betas": (0.9, 0.999)}, r"betas was \(0.5, 0.999\) there and is \(0.9, 0.999\) here"),
        ({"information_trains_trunk": True}, "information_trains_trunk was False there and is True here"),
        ({"steps": 11}, "^steps must be at least 12, .*run.safetensors.*, got 11"),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(change, named, tmp_path):
    train(checkpoint=tmp_path / "run.safetensors")
    before = (tmp_path / "run.safetensors").read_bytes()
    with pytest.raises(ValueError, match=named) as error:
        train(replace(QUICK, **change), checkpoint=tmp_path / "run.safetensors")
    assert "run.safetensors" in str(error.value)
    assert (tmp_path / "run.safetensors").read_bytes() == before


def test_a_checkpoint_of_other_codes_or_images_is_refused(tmp_path):
    train(checkpoint=tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match=r"another run: spec was .*\(3,\).* there and is .*\(4,\).* here"):
        train(spec=replace(SPEC, categorical=(4,)), checkpoint=tmp_path / "run.safetensors")
    with pytest.raises(
        ValueError, match=r"another run: images was \[18, 1, 8, 8, \d+\] there and is \[19, 1, 8, 8, \d+\]"
    ):
        train(images=some_images(19), checkpoint=tmp_path / "run.safetensors")
    with pytest.raises(
        ValueError, match=r"another run: images was \[18, 1, 8, 8, \d+\] there and is \[18, 1, 8, 4, \d+\]"
    ):
        train(images=some_images(shape=(1, 8, 4)), checkpoint=tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match="another run: images was"):
        train(images=255 - some_images(), checkpoint=tmp_path / "run.safetensors")


def test_a_checkpoint_of_another_kind_of_device_is_refused(tmp_path):
    file = tmp_path / "run.safetensors"
    train(checkpoint=file)
    tensors, note = load_tensors(file)
    save_tensors(file, tensors | {"random.draws": torch.zeros(16, dtype=torch.uint8)}, note)  # as long as a GPU's
    with pytest.raises(ValueError, match=r"^device must be of the kind that checkpoint .*run.safetensors .* got cpu"):
        train(checkpoint=file)


def test_pictures_and_checkpoints_may_come_at_another_pace_after_a_pause(tmp_path):
    file = tmp_path / "run.safetensors"
    train(replace(QUICK, steps=6), checkpoint=file)
    resumed = train(replace(QUICK, sample_every=4, checkpoint_every=3), checkpoint=file)
    whole = train(replace(QUICK, sample_every=4))
    there = weights(whole)
    assert all(torch.equal(tensor, there[name]) for name, tensor in weights(resumed).items())
    assert set(resumed.history.sample_steps) <= set(whole.history.sample_steps)


def test_an_interrupted_run_ends_with_a_picture_of_its_last_step():
    def stop(history):
        raise KeyboardInterrupt

    config = replace(QUICK, sample_every=4)
    result = train(config, callback=stop)
    assert result.interrupted
    assert result.history.sample_steps[-1] == len(result.history)


def test_the_same_run_is_recognised_however_its_spec_and_betas_were_written(tmp_path):
    first = train(checkpoint=tmp_path / "run.safetensors")
    again = train(replace(QUICK, betas=[0.5, 0.999]), spec=CodeSpec([3], 1, 4), checkpoint=tmp_path / "run.safetensors")
    assert_same_run(first, again)


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[: len(b) // 2], lambda b: b[:-1], lambda b: b[:5], lambda b: b"", lambda b: b"\xff" * len(b)],
    ids=["half", "a byte short", "five bytes", "empty", "garbage"],
)
def test_a_damaged_checkpoint_is_an_error_that_names_it_and_the_cure(damage, tmp_path):
    file = tmp_path / "run.safetensors"
    train(checkpoint=file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"run\.safetensors is truncated, corrupted .*: delete it and run what wrote"):
        train(checkpoint=file)


def test_finished_networks_are_no_checkpoint_of_a_run(tmp_path):
    players = train().players
    save_networks(tmp_path / "networks.safetensors", players.generator, players.discriminator_q)
    with pytest.raises(ValueError, match=r"^checkpoint must be a file that fit wrote, .*networks.safetensors holds"):
        train(checkpoint=tmp_path / "networks.safetensors")
