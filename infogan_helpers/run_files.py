"""A run on disk: the file that one run alone writes, and from which it goes on, bit for bit.

Not here: when to save, which is ``training``; finished networks, which are ``checkpoints``.
"""

import os
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields

import torch

from infogan_helpers import checks
from infogan_helpers.checkpoints import load_named_tensors, made_of, named_tensors
from infogan_helpers.tensor_files import contents_of, load_tensors, save_tensors

if os.name == "nt":
    import msvcrt
else:
    import fcntl

FREE_TO_CHANGE = ("sample_every", "checkpoint_every")  # fields that move no weight: a resumed run may differ


@contextmanager
def run_file(path):
    """A run's file, tried before its first step, that no other run may write meanwhile.

    Beside it lies an empty ``.lock`` until the run ends. A killed run leaves it there, but not its lock.

    Args:
        path: of the file; ``None`` for none, which is what there is then.

    Yields:
        The ``Path``, whose folder is there.

    Raises:
        ValueError: nothing can be written there, or another run has it.
    """
    if path is None:
        yield None
        return
    file = checks.path("checkpoint", path)
    try:
        lock = _locked(file)
    except OSError as error:
        raise ValueError(f"checkpoint must be a file that can be written, got {path!r}: {error}") from error
    try:
        yield file
    finally:
        _unlock(lock, file)


def _locked(file):
    """The descriptor of the lock of a file, in whose folder something could be written."""
    if file.exists() and not file.is_file():
        raise IsADirectoryError("it is no file")
    file.parent.mkdir(parents=True, exist_ok=True)
    beside, partial = (file.with_name(file.name + ending) for ending in (".lock", ".partial"))
    while True:
        lock = os.open(beside, os.O_RDWR | os.O_CREAT)
        try:
            _lock(lock, file)
            partial.write_bytes(b"")
            partial.unlink()
            if beside.is_file() and os.path.samestat(os.fstat(lock), beside.stat()):
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)  # of a run that ended just now and removed it: another one may hold the next


def _unlock(lock, file):
    if os.name == "nt":
        os.close(lock)  # Windows removes no file that is open
    with suppress(OSError):
        file.with_name(file.name + ".lock").unlink()
    if os.name != "nt":
        os.close(lock)


def _lock(lock, file):
    """Not left behind where a process is killed, as a file would be that says by its existence "in use"."""
    try:
        if os.name == "nt":
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise ValueError(
            f"checkpoint must be a file that no other run writes, got {file}, which a run that goes on just now has: "
            "wait for it or stop it, or name another file"
        ) from error
    except OSError as error:
        print(f"Where {file} lies, files have no locks ({error.strerror}): let no other run write it meanwhile.")


def save_run(path, run):
    """Write all that a run of ``training`` needs to go on, bit for bit.

    Raises:
        FloatingPointError: a weight is not finite.
        OSError: the file can't be written; the older one is there as it was.
    """
    run.check_weights()
    history = run.history
    tensors = named_tensors(**vars(run.players))
    tensors |= {f"history.{name}": torch.tensor(x) for name, x in history.metrics._asdict().items()}
    tensors |= {f"sample.{step}": picture for step, picture in zip(history.sample_steps, history.samples, strict=True)}
    tensors |= {"random.draws": run.random.get_state(), "random.torch": torch.get_rng_state()}
    if run.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state(run.device)
    tensors["order"] = run.sampler.order
    metadata = {
        "run": {"method": run.method.name, "spec": asdict(run.spec), "config": asdict(run.config)},
        "images": run.fingerprint,
        "position": run.sampler.position,
        "steps": len(history),
        "seconds": history.seconds,
        "attempt": run.attempt,
        "given up": history.given_up,
        "tensors": sorted(tensors),
    }
    save_tensors(path, tensors, metadata)


def save_or_say(path, run, then):
    """``save_run``; a save that fails costs nothing but the save, and one line says so, and what happens ``then``."""
    try:
        save_run(path, run)
    except OSError as error:
        print(f"Step {len(run.history)} was not saved to {path} ({error.strerror or error}). {then}")


@contextmanager
def saved_first(path, run):
    """What is no part of a run: an error in it goes on once the run is saved; ``path`` may be ``None``."""
    try:
        yield
    except Exception:
        if path is not None:
            save_or_say(path, run, "The error that follows ends the run.")
        raise


def load_run(path, run):
    """Put what ``save_run`` wrote back into a run that has just been made, in place.

    Raises:
        ValueError: the file is damaged, of another run, of another kind of device, or no checkpoint.
    """
    tensors, metadata = load_tensors(path)
    if "run" not in metadata:
        raise ValueError(f"checkpoint must be a file that fit wrote, {path} holds something else")
    _check_same_run(run, path, metadata)
    with contents_of(path):
        _check_contents(tensors, metadata, run)
    if tensors["random.draws"].shape != run.random.get_state().shape:
        raise ValueError(
            f"device must be of the kind that checkpoint {path} was trained on, got {run.device}: another kind "
            "draws other random numbers. Give that device, or start again in another file"
        )
    with contents_of(path):
        _restore(tensors, metadata, run)
    print(f"Going on from step {len(run.history)} of {run.config.steps}, saved in {path.name}.")


def _check_same_run(run, path, metadata):
    def require(name, there, here):
        if here != there:
            raise ValueError(f"checkpoint {path} is of another run: {name} was {there} there and is {here} here")

    with contents_of(path):
        there, steps = metadata["run"], checks.integer("steps", metadata["steps"], least=0)
        method = there["method"]
    require("method", method, run.method.name)
    with contents_of(path):
        config, spec = made_of(type(run.config), there["config"]), made_of(type(run.spec), there["spec"])
    free = FREE_TO_CHANGE if run.config.scheduled else (*FREE_TO_CHANGE, "steps")
    for item in fields(run.config):
        if item.name not in free:
            require(item.name, repr(getattr(config, item.name)), repr(getattr(run.config, item.name)))
    if steps > run.config.steps:
        raise ValueError(
            f"steps must be at least {steps}, what checkpoint {path} has behind it, got {run.config.steps}"
        )
    require("spec", asdict(spec), asdict(run.spec))
    require("images", metadata.get("images"), run.fingerprint)


def _check_contents(tensors, metadata, run):
    """Whether the parts of a file go together; what the players' tensors must be, they know themselves."""
    steps, n, batch = metadata["steps"], len(run.parts[0]), run.config.batch_size
    differ = sorted(set(tensors) ^ set(metadata["tensors"]))
    if differ:
        raise ValueError(f"missing or foreign is {', '.join(differ[:5])}")
    checks.number("seconds", metadata["seconds"], least=0)
    for name in ("attempt", "given up"):
        checks.integer(name, metadata[name], least=0)
    position = ((steps - 1) % (n // batch) + 1) * batch if steps else 0
    if metadata["position"] != position:
        raise ValueError(f"position must be {position} after {steps} steps, got {metadata['position']!r}")
    order = tensors["order"]
    if order.dtype != torch.long or not torch.equal(order.sort().values, torch.arange(n)):
        raise ValueError(f"order must be a permutation of {n} rows")
    for name in run.history.metrics._fields:
        if tensors[f"history.{name}"].shape != (steps,):
            raise ValueError(f"history.{name} must have a value for each of {steps} steps")
    for step in _sample_steps(tensors):
        picture = tensors[f"sample.{step}"]
        if not 0 < step <= steps or picture.dtype != torch.uint8 or picture.shape[1:] != run.image_shape:
            raise ValueError(f"sample.{step} must hold pictures of one of {steps} steps")
    for name, tensor in tensors.items():
        if name.split(".")[0] in vars(run.players) and not torch.isfinite(tensor).all():
            raise ValueError(f"{name} is not finite")


def _sample_steps(tensors):
    return sorted(int(name.removeprefix("sample.")) for name in tensors if name.startswith("sample."))


def _restore(tensors, metadata, run):
    history = run.history
    load_named_tensors(tensors, **vars(run.players))
    for name, recorded in history.metrics._asdict().items():
        recorded.extend(tensors[f"history.{name}"].tolist())
    # Not the last picture of a shorter run.
    history.sample_steps = [step for step in _sample_steps(tensors) if step % run.config.sample_every == 0]
    history.samples = [tensors[f"sample.{step}"] for step in history.sample_steps]
    history.seconds = metadata["seconds"]
    run.attempt, history.given_up = metadata["attempt"], metadata["given up"]
    run.random.set_state(tensors["random.draws"])
    torch.set_rng_state(tensors["random.torch"])
    if run.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["random.cuda"], run.device)
    run.sampler.order, run.sampler.position = tensors["order"].to(run.device), metadata["position"]
