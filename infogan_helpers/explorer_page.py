"""The explorer's page: what it is told of the models, the pictures and the readings; and one written to a file.

The page itself lies in ``static``. Alive, in a notebook, a kernel draws for it (``widgets``); exported, it holds every
picture that it can show. Not here: what happens when a control moves.
"""

import base64
import json
import math
from pathlib import Path

import numpy as np
import torch

from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.pictures import sheet

STATIC = Path(__file__).parent / "static"
SCRIPT = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in ("controls.js", "explorer.js"))
LIMIT = 2.0  # sliders reach twice the support of a uniform prior
STEP = 0.1
SHEET_STEP = 0.2  # of an exported page, which holds every picture that it can show
TURN_STEPS, SHEET_TURN_STEPS = 72, 24  # of a dial, per turn: 5° and, on an exported page, 15°
# The largest values that an exported page's bytes can tell; angles in radians.
SHEET_SCALES = {"mean": 3.0, "deviation": 1.5, "angle": math.pi, "angle_deviation": math.pi}
CANVAS_SCALE = 4  # canvas pixels per pixel of the model's picture


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


def page_facts(generator, titles, canvas):
    """What does not change while the explorer is open, for the page."""
    spec, (_, height, width) = generator.spec, generator.image_shape
    return {
        "names": list(spec.names),
        "categorical": list(spec.categorical),
        "classes": spec.categorical[0] if spec.categorical else 0,
        "continuous": spec.continuous,
        "circular": spec.circular,
        "support": 1 if spec.continuous_prior == "uniform" else None,
        "limit": LIMIT,
        "step": STEP,
        "turn_steps": TURN_STEPS,
        "height": height,
        "width": width,
        "titles": titles,
        "canvas": CANVAS_SCALE if canvas else 0,
        "live": True,
    }


def line_of_code(spec):
    """The line that draws the picture, with a gap per control for ``str.format``."""
    parts = ("categorical", "continuous", *(["circular"] if spec.circular else []), "seeds", "between")
    return f"generator(spec.codes_at({', '.join(f'{name}={{{name}}}' for name in parts)}))"


def reading(posterior):
    """Q's answer on one image, as numbers for the page; angles in radians."""
    return {
        "categorical": [logits[0].softmax(dim=0).tolist() for logits in posterior.categorical_logits],
        "mean": posterior.mean[0].tolist(),
        "deviation": (posterior.log_variance[0] / 2).exp().tolist(),
        "angle": [float(code.angle[0]) for code in posterior.circular],
        "angle_deviation": [float(code.deviation[0]) for code in posterior.circular],
    }


def export_explorer(path, generator, discriminator_q, seed=0):
    """Write the explorer as one HTML file that needs neither a kernel nor a network.

    It holds a picture for each class of the first categorical code and each step of two other codes: a continuous and a
    circular one where there are both, else the first two. Any other code stays at 0, and the noise is one vector.

    Args:
        path: the file to write.
        generator, discriminator_q, seed: as in ``widgets.explorer``.

    Returns:
        ``path``, as a ``Path``.

    Raises:
        ValueError: as in ``widgets.explorer``.
    """
    checked_models({"": (generator, discriminator_q)})
    spec = generator.spec
    shown, (continuous, circular) = spec.categorical[:1], _sheet_kinds(spec)
    axes = [_sheet_values()] * continuous + [_sheet_angles()] * circular
    codes, shape = _sheet_codes(spec, seed, axes)
    images = draw_images(generator, codes)
    others = spec.names[len(spec.categorical) :]
    page = page_facts(generator, [""], canvas=False) | {
        "names": [*spec.names[: len(shown)], *others[:continuous], *others[spec.continuous :][:circular]],
        "categorical": list(shown),
        "continuous": continuous,
        "circular": circular,
        "step": SHEET_STEP,
        "turn_steps": SHEET_TURN_STEPS,
        "live": False,
    }
    data = {
        "page": page,
        "axes": [values.tolist() for values in axes],
        "sheet": base64.b64encode(sheet(images, shape)).decode(),
        "readings": base64.b64encode(_readings(read_codes(discriminator_q, images), continuous, circular)).decode(),
        "scales": SHEET_SCALES,
        "categorical": [0] * len(shown),
        "continuous": [0.0] * continuous,
        "circular": [0.0] * circular,
        "seeds": [seed, seed + 1],
        "rest": {
            "categorical": [0] * (len(spec.categorical) - len(shown)),
            "continuous": [0.0] * (spec.continuous - continuous),
            "circular": [0.0] * (spec.circular - circular),
        },
        "line": line_of_code(spec),
    }
    path = Path(path)
    path.write_text(
        _HTML.format(
            style=(STATIC / "explorer.css").read_text(encoding="utf-8"),
            script=SCRIPT,
            data=json.dumps(data),
        ),
        encoding="utf-8",
    )
    return path


_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>InfoGAN: the codes explored</title>
<style>
body {{ margin: 24px auto; max-width: 980px; padding: 0 12px; font: 15px/1.5 system-ui, sans-serif; color: #222; }}
{style}
</style>
</head>
<body>
<h1>InfoGAN: the codes explored</h1>
<p>Every picture on this page was drawn by the generator before the page was written; the sliders choose among them.
Labels were used in no training. One noise vector throughout: new noise needs the notebook.</p>
<div id="explorer"></div>
<script type="module">
{script}
build(await sheetModel({data}), document.getElementById("explorer"));
</script>
</body>
</html>
"""


def _sheet_kinds(spec):
    """How many of the sheet's two axes are continuous codes, and how many circular ones."""
    circular = min(spec.circular, 2 - min(1, spec.continuous))
    return min(spec.continuous, 2 - circular), circular


def _sheet_values():
    return np.linspace(-LIMIT, LIMIT, round(2 * LIMIT / SHEET_STEP) + 1).round(4)


def _sheet_angles():
    """One full turn, in radians; π is there, and -π, which is the same, is not."""
    steps = np.arange(SHEET_TURN_STEPS) - SHEET_TURN_STEPS // 2 + 1
    return np.trunc(1e4 * 2 * np.pi * steps / SHEET_TURN_STEPS) / 1e4  # as a dial does: towards 0


def _sheet_codes(spec, seed, axes):
    """The codes of all pictures of an exported page, and their arrangement: classes by the steps of each axis."""
    shape = (spec.categorical[0] if spec.categorical else 1, *(len(values) for values in axes))
    grid, continuous = np.indices(shape).reshape(1 + len(axes), -1), _sheet_kinds(spec)[0]
    at_zero = [0.0] * spec.continuous, (seed, seed + 1), 0.0, [0.0] * spec.circular
    codes = spec.codes_at([0] * len(spec.categorical), *at_zero)[torch.zeros(grid.shape[1], dtype=torch.long)]
    if spec.categorical:
        codes.categorical[:, 0] = torch.from_numpy(grid[0])
    columns = [*codes.continuous.T[:continuous], *codes.circular.T][: len(axes)]
    for column, values, places in zip(columns, axes, grid[1:], strict=True):
        column.copy_(torch.from_numpy(values[places]))
    return codes, shape


def _readings(posterior, continuous, circular):
    """Q's answers on all pictures of an exported page, a byte per number: probabilities, then centre and deviation."""
    columns = [posterior.categorical_logits[0].softmax(dim=1)] if posterior.categorical_logits else []
    deviation, scales = (posterior.log_variance / 2).exp(), SHEET_SCALES
    for i in range(continuous):
        columns += [(posterior.mean[:, [i]] / scales["mean"] + 1) / 2, deviation[:, [i]] / scales["deviation"]]
    for code in posterior.circular[:circular]:
        columns.append((code.angle[:, None] / scales["angle"] + 1) / 2)
        columns.append(code.deviation[:, None] / scales["angle_deviation"])
    return (torch.cat(columns, dim=1).clamp(0, 1) * 255).round().byte().numpy().tobytes()
