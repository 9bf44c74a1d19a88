"""What the arguments of a function must be, said in a line above it; each argument is checked before the call.

    @takes(images=images("n, 1, height, width"), n=at_least(1), generator=RANDOM)

A validator is a function of an argument's name and its value. It returns the value, converted where no doubt is left
what was meant (an array for a tensor, float64 for float32), or raises a ``ValueError`` that names the argument, what it
takes and what came. Defaults are not checked. Not here: how several arguments fit together, which a function says
itself, and checks of plain numbers, which are ``checks``.
"""

import functools
import inspect
from collections.abc import Mapping

import numpy as np
import torch

from infogan_helpers import checks

LONGEST = 60  # characters of a value in a message
BOOLEAN, number, path, seed = checks.boolean, checks.number, checks.path, checks.seed
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def takes(**validators):
    """A decorator: each argument that is named here goes through its validator first."""

    def decorate(function):
        names = list(inspect.signature(function).parameters)
        if unknown := set(validators) - set(names):
            raise ValueError(f"validators must be of parameters of {function.__name__}, got {sorted(unknown)}")
        in_order = [(name, validators.get(name, _anything)) for name in names]

        @functools.wraps(function)
        def checked(*args, **kwargs):
            given = [validate(name, value) for (name, validate), value in zip(in_order, args, strict=False)]
            named = {name: validators.get(name, _anything)(name, value) for name, value in kwargs.items()}
            return function(*given, *args[len(in_order) :], **named)

        return checked

    return decorate


def _anything(name, value):
    return value


def told(value):
    """A value in a few words, for a message: kind and shape of tensors and arrays, what is written of the rest."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        kind = "" if isinstance(value, torch.Tensor) else "an array of "
        return f"{kind}{value.dtype} of shape {tuple(value.shape)}"
    if value is None or isinstance(value, (int, float, complex, str, bytes, tuple, list, Mapping, set)):
        text = repr(value)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    kind = type(value)  # each method has a Config
    return f"a {f'{_file(kind)}.' if kind.__name__ == 'Config' else ''}{kind.__name__}"


def _file(kind):
    return kind.__module__.rpartition(".")[2]


def refuse(name, wanted, value):
    """Raise the ``ValueError`` of an argument that is not what it must be."""
    raise ValueError(f"{name} must be {wanted}, got {told(value)}")


def maybe(validate):
    """``None``, or what another validator takes."""
    return lambda name, value: None if value is None else validate(name, value)


def at_least(least):
    """An integer."""
    return lambda name, value: checks.integer(name, value, least=least)


def between(least, most):
    """A number."""
    return lambda name, value: checks.number(name, value, least=least, most=most)


def above(bound, most=None):
    """A number."""
    return lambda name, value: checks.number(name, value, above=bound, most=most)


def one_of(*choices):
    """One of a few strings."""
    return lambda name, value: checks.choice(name, value, choices)


def instance(*kinds, what=None):
    """An object of a class, or of one of several."""
    wanted = what or " or ".join(f"a {kind.__name__}" for kind in kinds)

    def validate(name, value):
        return value if isinstance(value, kinds) else refuse(name, wanted, value)

    return validate


def config_of(kind):
    """A method's configuration."""
    return instance(kind, what=f"a {_file(kind)}.{kind.__name__}")


def configured(config, kind):
    """A method's configuration, its defaults where it is ``None``.

    Raises:
        ValueError: ``config`` is of another kind.
    """
    return kind() if config is None else config_of(kind)("config", config)


def list_of(validate, least=0):
    """A list or a tuple, each entry of which another validator takes; an array or a tensor counts as its list."""

    def entries(name, values):
        values = values.tolist() if isinstance(values, (np.ndarray, torch.Tensor)) else values
        if not isinstance(values, (list, tuple, range)) or len(values) < least:
            refuse(name, f"a list of at least {least}" if least else "a list", values)
        return [validate(f"{name}[{i}]", value) for i, value in enumerate(values)]

    return entries


def mapping_of(validate, least=0):
    """A dictionary from names, each value of which another validator takes."""

    def entries(name, values):
        if not isinstance(values, Mapping) or len(values) < least or not all(isinstance(key, str) for key in values):
            refuse(name, f"a dictionary from at least {least} names" if least else "a dictionary from names", values)
        return {key: validate(f"{name}[{key!r}]", value) for key, value in values.items()}

    return entries


def tuple_of(**validators):
    """A tuple of parts that have names, each of which another validator takes."""

    def parts(name, values):
        if not isinstance(values, (tuple, list)) or len(values) != len(validators):
            refuse(name, f"a tuple of {' and '.join(validators)}", values)
        taken = zip(validators.items(), values, strict=True)
        return tuple(validate(f"{name}: {part}", value) for (part, validate), value in taken)

    return parts


def record(kind, **validators):
    """A named tuple of a kind, fields of which other validators take; those that are arrays or tensors have a row each.

    Args:
        kind: a ``NamedTuple``.
        validators: of fields, by name.
    """
    whole = instance(kind)

    def fields(name, value):
        checked = {
            field: take(f"{name}.{field}", getattr(whole(name, value), field)) for field, take in validators.items()
        }
        rows = {field: len(x) for field, x in checked.items() if isinstance(x, (np.ndarray, torch.Tensor))}
        if len(set(rows.values())) > 1:
            raise ValueError(f"{name} must have one row of {' and '.join(rows)} each, got {list(rows.values())}")
        return value._replace(**checked)

    return fields


def network(*attributes):
    """A ``torch.nn.Module`` that has attributes: ``network("spec", "image_shape")`` is a G, or a D with Q."""
    wanted = "a network" + (f" with {' and '.join(attributes)}" if attributes else "")

    def validate(name, value):
        fits = isinstance(value, torch.nn.Module) and all(hasattr(value, attribute) for attribute in attributes)
        return value if fits else refuse(name, wanted, value)

    return validate


def device(name, value):
    """A device that is there, as a ``torch.device``."""
    try:
        if not isinstance(value, (str, torch.device)):
            raise RuntimeError
        found = torch.device(value)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError):
        there = "'cpu' or 'cuda'" if torch.cuda.is_available() else "'cpu' (there is no CUDA here)"
        raise ValueError(f"{name} must be a device that is there, {there}, got {told(value)}") from None
    return found


def function(name, value):
    """Something that can be called, and no class."""
    return value if callable(value) and not isinstance(value, type) else refuse(name, "a function", value)


def scalar(name, value):
    """A tensor of floats without dimensions, whose value is not looked at: on a GPU that waits."""
    fits = isinstance(value, torch.Tensor) and value.ndim == 0 and value.dtype in FLOATS
    return value if fits else refuse(name, "a scalar tensor of floats", value)


TENSOR = instance(torch.Tensor, what="a tensor")
TEXT = instance(str, what="words, a str")
WORDS = maybe(TEXT)
RANDOM = maybe(instance(torch.Generator))


def floats(shape=None, rows=0):
    """A tensor of floats of a shape such as ``"n, 2"``: arrays and lists are converted; NaN and infinity go through.

    It is for what a training step calls, where the loop names the step at which a number is none.

    Args:
        shape: comma between dimensions; a number is a size; ``None`` is any shape.
        rows: the least size of the first dimension.
    """
    shaped, wanted = _shape(shape, rows), f"floats{_of_shape(shape, rows)}"

    def validate(name, value):
        if not isinstance(value, torch.Tensor):
            value = _as_tensor(name, value, wanted)
        return shaped(name, value) if value.dtype in FLOATS else refuse(name, wanted, value)

    return validate


def finite(shape=None, rows=1):
    """As ``floats``, and neither NaN nor infinite."""
    plain, wanted = floats(shape, rows), f"finite floats{_of_shape(shape, rows)}"

    def validate(name, value):
        value = plain(name, value)
        if not torch.isfinite(value).all():
            bad = value.detach()[~torch.isfinite(value)][0].item()
            raise ValueError(f"{name} must be {wanted}, got {bad} among them")
        return value

    return validate


def images(shape="n, channels, height, width", rows=1):
    """``uint8`` in [0, 255], or finite floats, as a tensor without gradients; float64 becomes float32.

    Floats beyond [-1, 1] go through, since noise leaves it; where they do harm a function refuses them itself.
    """
    shaped, wanted = _shape(shape, rows), "uint8 in [0, 255] or floats in [-1, 1]"

    def validate(name, value):
        if not isinstance(value, torch.Tensor):
            value = _as_tensor(name, value, wanted)
        if value.dtype != torch.uint8 and value.dtype not in FLOATS:
            refuse(name, wanted, value)
        shaped(name, value)
        if value.dtype == torch.uint8:
            return value
        if not torch.isfinite(value).all():
            bad = value.detach()[~torch.isfinite(value)][0].item()
            raise ValueError(f"{name} must be uint8, or finite floats in [-1, 1], got {bad} among them")
        return value.detach().float()

    return validate


def integers(shape="n", rows=1):
    """Integers as a tensor of ``int64``; floats that are whole numbers are none, since nobody says why they are."""
    shaped, wanted = _shape(shape, rows), f"integers{_of_shape(shape, rows)}"

    def validate(name, value):
        if not isinstance(value, torch.Tensor):
            value = _as_tensor(name, value, wanted)
        if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
            refuse(name, wanted, value)
        return shaped(name, value).long()

    return validate


def numbers(shape="n", rows=1, whole=False, gaps=False):
    """Real numbers as a NumPy array: of arrays, lists, frames and tensors, wherever these are.

    Args:
        shape, rows: as in ``floats``.
        whole: whether they must be integers.
        gaps: whether NaN may stand among them, where there is nothing to show.
    """
    shaped, kinds = _shape(shape, rows), "iu" if whole else "fiu"
    what = "integers" if whole else "numbers, or NaN where there is none," if gaps else "finite numbers"
    wanted = f"{what}{_of_shape(shape, rows)}"

    def validate(name, value):
        array = _as_array(name, value, wanted)
        if array.dtype.kind not in kinds:
            refuse(name, wanted, value)
        shaped(name, array)
        bad = np.isinf(array) if gaps else ~np.isfinite(array)
        if bad.any():
            raise ValueError(f"{name} must be {wanted}, got {array[bad][0]} among them")
        return array

    return validate


def _as_array(name, value, wanted):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    if isinstance(value, np.ndarray) or hasattr(value, "to_numpy"):
        return np.asarray(value)
    if not isinstance(value, (list, tuple, range)):
        refuse(name, wanted, value)
    try:
        return np.asarray(value)
    except ValueError:  # rows of different lengths
        refuse(name, wanted, value)


def _as_tensor(name, value, wanted):
    """A tensor of an array or of nested lists of numbers; single precision, as networks take it."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(x, torch.Tensor) for x in value):
        refuse(name, wanted, value)
    array = _as_array(name, value, wanted)
    if array.dtype.kind not in "fiub":
        refuse(name, wanted, value)
    tensor = torch.from_numpy(np.array(array))
    return tensor.float() if tensor.dtype == torch.float64 and not isinstance(value, np.ndarray) else tensor


def _shape(shape, rows):
    """A check of a tensor or an array: whether its shape is the one that is written, with rows enough."""
    names = shape.split(", ") if shape else []

    def shaped(name, value):
        got = tuple(value.shape)
        fits = shape is None or len(got) == len(names)
        if names and fits:  # a number is a size, and a name that comes twice is one size
            fits = all(not n.isdigit() or int(n) == size for n, size in zip(names, got, strict=True))
            fits = fits and len(set(zip(names, got, strict=True))) == len(set(names))
        if not fits or (rows and (not got or got[0] < rows)):
            least = f" with {(shape or 'n').split(',')[0]} of at least {rows}" if rows else ""
            raise ValueError(f"{name} must have shape ({shape or 'n, …'}{_comma(shape)}){least}, got {got}")
        return value

    return shaped


def _of_shape(shape, rows):
    least = f" with {(shape or 'n').split(',')[0]} of at least {rows}" if rows else ""
    return f" of shape ({shape}{_comma(shape)}){least}" if shape else ""


def _comma(shape):
    return "," if shape and "," not in shape else ""


def having(*attributes, what):
    """Any object that has some attributes."""

    def validate(name, value):
        fits = not isinstance(value, type) and all(hasattr(value, attribute) for attribute in attributes)
        return value if fits else refuse(name, what, value)

    return validate


ANSWER = having("categorical_logits", "log_prob", what="Q's answer, a Posterior")
WORLD = having("sample_factors", "render", what="a world, with sample_factors and render")
G, DQ = network("spec", "image_shape"), network("spec", "image_shape")
