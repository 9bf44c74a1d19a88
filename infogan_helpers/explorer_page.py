"""The explorer's page: what it is told of the models, the pictures and the readings; and one written to a file.

The page itself lies in ``static``. Alive, in a notebook, a kernel draws for it (``widgets``); exported, it holds every
picture that it can show. Not here: what happens when a control moves.
"""

import base64
import html
import json
import math
from pathlib import Path

import numpy as np
import torch

from infogan_helpers import checks
from infogan_helpers.applications.inversion import Found, find_codes
from infogan_helpers.arguments import (
    ANSWER,
    BOOLEAN,
    DQ,
    TEXT,
    G,
    images,
    instance,
    list_of,
    mapping_of,
    maybe,
    number,
    path,
    refuse,
    seed,
    takes,
)
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.pictures import sheet, side_by_side
from infogan_helpers.priors import CategoricalPrior, CircularPrior, continuous_prior

STATIC = Path(__file__).parent / "static"
PARTS = ("controls.js", "reading.js", "files.js", "drawing.js", "explorer.js", "sheet.js")
SCRIPT = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in PARTS)
SERIES = "https://github.com/OWNER/infogan-notebooks"  # python tests/point_at_fork.py changes it
LIMIT = 2.0  # sliders reach twice the support of a uniform prior
STEP = 0.1
SHEET_STEP = 0.2  # of an exported page, which holds every picture that it can show
EXAMPLE_STEP = 0.5  # of the real pictures that it can edit
TURN_STEPS, SHEET_TURN_STEPS = 72, 24  # of a dial, per turn: 5° and, on an exported page, 15°
# The largest values that an exported page's bytes can tell; angles in radians. Nats are cut there on any page.
SHEET_SCALES = {"mean": 3.0, "deviation": 1.5, "angle": math.pi, "angle_deviation": math.pi, "nats": 6.0}
MATCHING = maybe(list_of(number))
CANVAS_SCALE = 4  # canvas pixels per pixel of the model's picture
EDITED_LINE = "generator(editor.codes())  # editor: what this cell made"
AGAIN = {  # names of what a search for a picture's noise has to show
    "seen": "the real picture",
    "others": "what G draws with the codes that Q read and the noise that the search found",
    "read": "in your picture",
}


def _pair(name, value):
    """``(generator, discriminator_q)``."""
    pair = list_of(G)(name, value)
    return tuple(pair) if len(pair) == 2 else refuse(name, "a pair of generator and discriminator_q", value)


MODELS = mapping_of(_pair)


@takes(models=MODELS)
def checked_models(models):
    """``models``, if all of them share one spec and one shape of images that can be shown.

    Args:
        models: a dictionary from title to ``(generator, discriminator_q)``.

    Raises:
        ValueError: they differ, there are none, or the images have neither one channel nor three.
    """
    if not models:
        raise ValueError("models must hold at least one pair of generator and discriminator_q, got none")
    first = next(iter(models.values()))[0]
    if len(first.image_shape) != 3 or first.image_shape[0] not in (1, 3):
        raise ValueError(f"generator must draw images of shape (1 or 3, height, width), got {first.image_shape}")
    for title, pair in models.items():
        for name, network in zip(("generator", "discriminator_q"), pair, strict=True):
            for what in ("spec", "image_shape"):
                here, there = getattr(network, what), getattr(first, what)
                if here != there:
                    where = f" of {title!r}" if title else ""
                    raise ValueError(f"{name}{where} must have the first generator's {what}, {there}, got {here}")
    return models


@takes(spec=instance(CodeSpec), matching=MATCHING, meanings=maybe(instance(dict)))
def checked_knowledge(spec, matching, meanings):
    """What the caller knows of the codes, as the page is told it: a digit per class of c1, a meaning per code.

    Args:
        spec: the ``CodeSpec``.
        matching: the label of each class of the first categorical code, -1 for none, as from
            ``evaluation.match_codes_to_labels``; ``None`` where it is not known.
        meanings: what codes turned out to be, ``{"c2": "slant"}``; ``None`` for nothing.

    Returns:
        ``{"digits": [...], "meanings": [...]}``: empty where no digit is known, and ``""`` where no meaning is.

    Raises:
        ValueError: ``matching`` or ``meanings`` does not fit the codes.
    """
    digits, meanings = list(matching) if matching is not None else [], dict(meanings or {})
    if matching is not None:
        classes = spec.categorical[0] if spec.categorical else 0
        if len(digits) != classes or not all(checks.is_integer(digit) and digit >= -1 for digit in digits):
            raise ValueError(f"matching must be {classes} integers of at least -1, one per class of c1, got {digits}")
    for name, meaning in meanings.items():
        if name not in spec.names or not isinstance(meaning, str):
            raise ValueError(f"meanings must give words to some of {spec.names}, got {name!r}: {meaning!r}")
    return {"digits": [int(digit) for digit in digits], "meanings": [meanings.get(name, "") for name in spec.names]}


def page_facts(generator, titles, knowledge):
    """What does not change while the explorer is open, for the page; ``knowledge`` is from ``checked_knowledge``."""
    spec, (_, height, width), entropies = generator.spec, generator.image_shape, _entropies(generator.spec)
    kinds = len(spec.categorical)
    return knowledge | {
        "names": list(spec.names),
        "categorical": list(spec.categorical),
        "classes": spec.categorical[0] if spec.categorical else 0,
        "continuous": spec.continuous,
        "circular": spec.circular,
        "entropies": entropies,
        "enough": [entropy / 2 for entropy in entropies[:kinds]] + [math.log(2)] * (len(entropies) - kinds),
        "support": continuous_prior(spec.continuous_prior).support,
        "limit": LIMIT,
        "step": STEP,
        "turn_steps": TURN_STEPS,
        "height": height,
        "width": width,
        "titles": titles,
        "canvas": 0,
        "keeps": False,
        "live": True,
    }


@takes(spec=instance(CodeSpec))
def line_of_code(spec):
    """The line that draws the picture, with a gap per control for ``str.format``."""
    parts = ("categorical", "continuous", *(["circular"] if spec.circular else []), "seeds", "between")
    return f"generator(spec.codes_at({', '.join(f'{name}={{{name}}}' for name in parts)}))"


def answer(posterior):
    """Q's answer on one image, as numbers for the page; angles in radians."""
    return {
        "categorical": [logits[0].softmax(dim=0).tolist() for logits in posterior.categorical_logits],
        "mean": posterior.mean[0].tolist(),
        "deviation": (posterior.log_variance[0] / 2).exp().tolist(),
        "angle": [float(code.angle[0]) for code in posterior.circular],
        "angle_deviation": [float(code.deviation[0]) for code in posterior.circular],
    }


@takes(posterior=ANSWER, codes=instance(Codes), spec=instance(CodeSpec))
def nats_read(posterior, codes, spec):
    """What Q reads of each code on each picture, in nats: log Q(c | x) + H(c), whose mean over pictures is L_I.

    A Q that answers with the prior reads 0 of a class and of an angle, and of a value at most 0.5, in the middle. Far
    from what Q looked for it is negative without end, and cut at ``SHEET_SCALES["nats"]``.

    Args:
        posterior: Q's answer on ``n`` pictures.
        codes: the ``Codes`` that went in.
        spec: their ``CodeSpec``.

    Returns:
        Shape ``(n, codes)``, in the order of ``spec.names``.

    Source: Chen et al. 2016, eq. 5, before the mean is taken.
    """
    spec.check(codes)
    most = SHEET_SCALES["nats"]
    return (posterior.log_prob(codes) + torch.tensor(_entropies(spec))).clamp(-most, most)


@takes(name=TEXT, picture=images("1, channels, height, width"), found=instance(Found), ink=BOOLEAN)
def found_again(name, picture, found, ink=True):
    """A real picture beside the one that G draws from what was found of it, for the page.

    Args:
        name: of the picture.
        picture: shape ``(1, channels, height, width)``.
        found: ``inversion.Found`` of it.
        ink: as in ``pictures.tile``.
    """
    return {
        "heading": f"{name} · found again, error {float(found.error):.2f}",
        "seen": side_by_side(picture, ink),
        "others": side_by_side(found.images, ink),
    }


def _entropies(spec):
    """H(c) of each code, in nats, given those before it."""
    classes = [CategoricalPrior(k).entropy() for k in spec.categorical]
    values = continuous_prior(spec.continuous_prior).entropies(spec.continuous)
    return [*classes, *values] + [CircularPrior().entropy()] * spec.circular


@takes(
    path=path,
    generator=G,
    discriminator_q=DQ,
    seed=seed,
    matching=MATCHING,
    meanings=maybe(instance(dict)),
    examples=maybe(images()),
)
def export_explorer(path, generator, discriminator_q, seed=0, *, matching=None, meanings=None, examples=None):
    """Write the explorer as one HTML file that needs neither a kernel nor a network.

    It holds a picture for each class of the first categorical code and each step of two other codes: a continuous and a
    circular one where there are both, else the first two. Any other code stays at 0, and the noise is one vector. For
    each example it holds as many again, in larger steps, with the noise that a search found and the codes that Q read.

    Args:
        path: the file to write.
        generator, discriminator_q, seed, matching, meanings: as in ``widgets.explorer``.
        examples: real pictures that the page can edit, as the networks take them; ``None`` for none.

    Returns:
        ``path``, as a ``Path``.

    Raises:
        ValueError: as in ``widgets.explorer``, or ``examples`` has another shape than the networks take.
    """
    models = checked_models({"": (generator, discriminator_q)})
    page = _sheet_facts(generator, checked_knowledge(generator.spec, matching, meanings))
    spec, pictures = generator.spec, [] if examples is None else examples.split(1)
    middle = [0] * len(spec.categorical), [0.0] * spec.continuous, (seed, seed + 1), 0.0, [0.0] * spec.circular
    sheets = [_sheet(*models[""], page, spec.codes_at(*middle), SHEET_STEP)]
    for i, picture in enumerate(pictures):
        found = find_codes(generator, discriminator_q, picture)
        again = found_again(f"real picture {i + 1}", picture, found)
        page["examples"].append(again["heading"])
        texts = {name: base64.b64encode(again[name]).decode() for name in ("seen", "others")}
        sheets.append(_sheet(*models[""], page, found.codes, EXAMPLE_STEP) | {"drawing": again | texts})
    path = Path(path)
    data = {"page": page, "scales": SHEET_SCALES, "sheets": sheets}
    path.write_text(_page(data), encoding="utf-8", newline="\n")
    return path


def _sheet_facts(generator, knowledge):
    """What an exported page is told; of the codes that its sheets do not move it hears nothing."""
    spec, (continuous, circular) = generator.spec, _sheet_kinds(generator.spec)
    facts, first, kinds = page_facts(generator, [""], knowledge), len(spec.categorical), spec.continuous
    kept = [*range(min(1, first)), *range(first, first + continuous), *range(first + kinds, first + kinds + circular)]
    per_code = {name: [facts[name][i] for i in kept] for name in ("names", "meanings", "entropies", "enough")}
    return facts | per_code | {
        "categorical": list(spec.categorical[:1]), "continuous": continuous, "circular": circular, "kept": kept,
        "step": SHEET_STEP, "turn_steps": SHEET_TURN_STEPS, "live": False, "examples": [], "words": AGAIN,
    }  # fmt: skip


def _sheet(generator, discriminator_q, page, start, step):
    """Every picture that the sliders can show with one noise, and what Q reads on it.

    Args:
        generator, discriminator_q: the pair.
        page: what the page is told.
        start: ``Codes`` of one row, where the sliders begin; the codes that they do not move, and the noise, stay.
        step: of a continuous code.
    """
    continuous, circular = page["continuous"], page["circular"]
    values, angles = start.continuous[0, :continuous].tolist(), start.circular[0, :circular].tolist()
    axes = [_with(_sheet_values(step), x) for x in values] + [_with(_sheet_angles(), x) for x in angles]
    codes, shape = _sheet_codes(generator.spec, start, axes)
    images = draw_images(generator, codes)
    posterior = read_codes(discriminator_q, images)
    nats = nats_read(posterior, codes, generator.spec)[:, page["kept"]]
    return {
        "axes": [values.tolist() for values in axes],
        "sheet": base64.b64encode(sheet(images, shape)).decode(),
        "readings": base64.b64encode(_readings(posterior, nats, continuous, circular)).decode(),
        "step": step,
        "start": {
            "categorical": start.categorical[0, :1].tolist(),
            "continuous": values,
            "circular": angles,
        },
    }


def _page(data):
    """The exported page around its data."""
    gaps = {
        "STYLE": (STATIC / "explorer.css").read_text(encoding="utf-8"),
        "SERIES": SERIES,
        "FOUND": _listed("h2", "What the codes turned out to be", _found(data["page"])),
        "TRY": _listed("h2", "Three things to try", _things_to_try(data["page"])),
        "SCRIPT": SCRIPT,
        "DATA": json.dumps(data, ensure_ascii=False).replace("</", "<\\/"),
    }
    text = (STATIC / "page.html").read_text(encoding="utf-8")
    for name, content in gaps.items():
        text = text.replace(f"<!-- {name} -->", content)
    return text


def _listed(tag, heading, lines):
    items = "\n".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<{tag}>{heading}</{tag}>\n<ul>\n{items}\n</ul>" if lines else ""


def _found(page):
    """What the caller said of the codes, a line each."""
    known = [f"{name}: {meaning}" for name, meaning in zip(page["names"], page["meanings"], strict=True) if meaning]
    digits = [f"{k} draws {digit}" for k, digit in enumerate(page["digits"]) if digit >= 0]
    return known + ([f"{page['names'][0]}, value by value: {', '.join(digits)}"] if digits else [])


def _things_to_try(page):
    """What a visitor can find out by hand, three things at most, by the codes that there are."""
    names, first = page["names"], len(page["categorical"])
    value = names[first] if page["continuous"] else None
    things = ["Take a real picture, edit it, save it. What of it stayed?"] if page["examples"] else []
    if value:
        things.append(f"Move {value} from −1 to 1. What changes in every picture, and what stays as it is?")
        if page["support"]:
            things.append(f"Move {value} on to 2, outside the shaded part. What does Q read there, and what went in?")
    if page["circular"]:
        things.append(f"Send {names[-1]} once round. Is the picture at the end the one at the beginning?")
    if page["classes"]:
        things.append(f"Choose another value of {names[0]} and leave the rest. What did the two pictures keep?")
    return things[:3]


def _sheet_kinds(spec):
    """How many of the sheet's two axes are continuous codes, and how many circular ones."""
    circular = min(spec.circular, 2 - min(1, spec.continuous))
    return min(spec.continuous, 2 - circular), circular


def _sheet_values(step):
    return np.linspace(-LIMIT, LIMIT, round(2 * LIMIT / step) + 1).round(4)


def _sheet_angles():
    """One full turn, in radians; π is there, and -π, which is the same, is not."""
    steps = np.arange(SHEET_TURN_STEPS) - SHEET_TURN_STEPS // 2 + 1
    return np.trunc(1e4 * 2 * np.pi * steps / SHEET_TURN_STEPS) / 1e4  # as a dial does: towards 0


def _with(axis, place):
    """An axis on which the nearest value gave way to the place where its slider begins."""
    axis = axis.copy()
    axis[np.abs(axis - place).argmin()] = round(place, 4)
    return axis


def _sheet_codes(spec, start, axes):
    """The codes of all pictures of an exported page, and their arrangement: classes by the steps of each axis."""
    shape = (spec.categorical[0] if spec.categorical else 1, *(len(values) for values in axes))
    grid, continuous = np.indices(shape).reshape(1 + len(axes), -1), _sheet_kinds(spec)[0]
    codes = start[torch.zeros(grid.shape[1], dtype=torch.long)]
    if spec.categorical:
        codes.categorical[:, 0] = torch.from_numpy(grid[0])
    columns = [*codes.continuous.T[:continuous], *codes.circular.T][: len(axes)]
    for column, values, places in zip(columns, axes, grid[1:], strict=True):
        column.copy_(torch.from_numpy(values[places]))
    return codes, shape


def _readings(posterior, nats, continuous, circular):
    """Q's answers on all pictures of an exported page, a byte per number: probabilities, centre and deviation, nats."""
    columns = [posterior.categorical_logits[0].softmax(dim=1)] if posterior.categorical_logits else []
    deviation, scales = (posterior.log_variance / 2).exp(), SHEET_SCALES
    for i in range(continuous):
        columns += [(posterior.mean[:, [i]] / scales["mean"] + 1) / 2, deviation[:, [i]] / scales["deviation"]]
    for code in posterior.circular[:circular]:
        columns.append((code.angle[:, None] / scales["angle"] + 1) / 2)
        columns.append(code.deviation[:, None] / scales["angle_deviation"])
    columns.append((nats / scales["nats"] + 1) / 2)
    return (torch.cat(columns, dim=1).clamp(0, 1) * 255).round().byte().numpy().tobytes()
