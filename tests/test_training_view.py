"""The live view of a training: a picture from the first moment on, then every few seconds, and not a weight moved."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image
from small_runs import QUICK, SPEC, assert_same_run, some_images, train, with_step

from infogan_helpers import training
from infogan_helpers.methods import infogan
from infogan_helpers.widgets import TrainingView


def pixels(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return np.asarray(image)


def test_a_view_is_never_a_broken_image():
    assert pixels(TrainingView(SPEC).value).std() > 1  # something stands there before the run begins


def test_the_view_is_redrawn_while_it_trains_from_step_0_on():
    view, seen = TrainingView(SPEC), []

    def update(history):
        view.update(history)
        seen.append((len(history), view.value))

    train(replace(QUICK, steps=4, sample_every=2), callback=update)
    assert [step for step, _ in seen] == [0, 2, 4]
    assert len({value for _, value in seen}) == 3
    assert all(pixels(value).std() > 5 for _, value in seen)


def test_the_first_picture_comes_before_the_first_step_and_of_a_resumed_run_where_it_goes_on(tmp_path):
    file, seen = tmp_path / "run.safetensors", []
    train(replace(QUICK, steps=5, sample_every=100), checkpoint=file)
    train(
        replace(QUICK, sample_every=100), checkpoint=file, callback=lambda h: seen.append((len(h), h.sample_steps[-1]))
    )
    assert seen == [(5, 5), (12, 12)]


def test_a_run_is_shown_every_few_seconds_whatever_sample_every_is(monkeypatch):
    now, seen = [0.0], []
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def slow(step):
        def half_a_second(*arguments):
            now[0] += 0.5
            return step(*arguments)

        return half_a_second

    def note(history):
        seen.append((now[0], len(history), history.sample_steps[-1], len(history.d_loss)))

    result = train(replace(QUICK, steps=40, sample_every=1000), method=with_step(slow), callback=note)
    assert seen[0][:2] == (0.0, 0)
    assert max(np.diff([second for second, *_ in seen])) <= 5
    assert all(step == drawn == recorded for _, step, drawn, recorded in seen)
    assert result.history.sample_steps == [40]  # what was only looked at is no part of the record


def test_a_run_that_is_watched_every_step_is_the_same_run(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "LIVE_EVERY", 0.0)
    view, steps = TrainingView(SPEC), []

    def update(history):
        torch.manual_seed(99)
        if len(history) in (0, 6):  # a figure takes half a second
            view.update(history)
        steps.append(len(history))

    config = replace(QUICK, sample_every=5)
    watched, file = train(config, callback=update), tmp_path / "run.safetensors"
    assert set(range(13)) == set(steps)
    assert_same_run(watched, train(config))
    train(replace(config, steps=7), checkpoint=file, callback=update)
    assert_same_run(watched, train(config, checkpoint=file, callback=update))


def test_a_judged_run_is_watched_from_the_beginning_of_each_attempt(monkeypatch):
    monkeypatch.setattr(training, "LIVE_EVERY", 0.0)
    verdicts, steps = iter(["it mixes classes", None]), []
    method = infogan.METHOD._replace(verdict=lambda *a: next(verdicts))
    training.run(
        method, some_images(), SPEC, replace(QUICK, steps=10), device="cpu", progress=False,
        callback=lambda history: steps.append(len(history)),
    )  # fmt: skip
    assert steps[:4] == [0, 1, 2, 1]
