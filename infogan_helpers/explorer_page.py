"""The explorer's page: what it is told of the models, the pictures and the readings; and one written to a file.

The page itself is ``static/explorer.js``. Alive, in a notebook, a kernel draws for it (``widgets``); exported, it holds
every picture that it can show. Not here: what happens when a control moves.
"""

import base64
import json
from pathlib import Path

import numpy as np
import torch

from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.pictures import sheet

STATIC = Path(__file__).parent / "static"
LIMIT = 2.0  # sliders reach twice the support of a uniform prior
STEP = 0.1
SHEET_STEP = 0.2  # of an exported page, which holds every picture that it can show
SHEET_SCALES = {"mean": 3.0, "deviation": 1.5}  # the largest values that an exported page's bytes can tell
CANVAS_SCALE = 4  # canvas pixels per pixel of the model's picture
LINE = "generator(spec.codes_at(categorical={categorical}, continuous={continuous}, seeds={seeds}, between={between}))"


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
        "support": 1 if spec.continuous_prior == "uniform" else None,
        "limit": LIMIT,
        "step": STEP,
        "height": height,
        "width": width,
        "titles": titles,
        "canvas": CANVAS_SCALE if canvas else 0,
        "live": True,
    }


def reading(posterior):
    """Q's answer on one image, as numbers for the page."""
    return {
        "categorical": [logits[0].softmax(dim=0).tolist() for logits in posterior.categorical_logits],
        "mean": posterior.mean[0].tolist(),
        "deviation": (posterior.log_variance[0] / 2).exp().tolist(),
    }


def export_explorer(path, generator, discriminator_q, seed=0):
    """Write the explorer as one HTML file that needs neither a kernel nor a network.

    It holds a picture for each class of the first categorical code and each step of the first two continuous codes;
    any other code stays at 0, and the noise is one vector.

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
    codes, values, shape = _sheet_codes(spec, seed)
    images = draw_images(generator, codes)
    shown, axes = spec.categorical[:1], len(shape) - 1
    page = page_facts(generator, [""], canvas=False) | {
        "names": [*spec.names[: len(shown)], *spec.names[len(spec.categorical) :][:axes]],
        "categorical": list(shown),
        "continuous": axes,
        "step": SHEET_STEP,
        "live": False,
    }
    data = {
        "page": page,
        "values": values.tolist(),
        "sheet": base64.b64encode(sheet(images, shape)).decode(),
        "readings": base64.b64encode(_readings(read_codes(discriminator_q, images), axes)).decode(),
        "scales": SHEET_SCALES,
        "categorical": [0] * len(shown),
        "continuous": [0.0] * axes,
        "seeds": [seed, seed + 1],
        "rest": {
            "categorical": [0] * (len(spec.categorical) - len(shown)),
            "continuous": [0.0] * (spec.continuous - axes),
        },
        "line": LINE,
    }
    path = Path(path)
    path.write_text(
        _HTML.format(
            style=(STATIC / "explorer.css").read_text(encoding="utf-8"),
            script=(STATIC / "explorer.js").read_text(encoding="utf-8"),
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


def _sheet_codes(spec, seed):
    """The codes of all pictures of an exported page, the values along an axis, and classes by steps by steps."""
    steps, axes = round(2 * LIMIT / SHEET_STEP) + 1, min(2, spec.continuous)
    values = np.linspace(-LIMIT, LIMIT, steps).round(4)
    shape = (spec.categorical[0] if spec.categorical else 1, *[steps] * axes)
    grid = np.indices(shape).reshape(1 + axes, -1)
    start = spec.codes_at([0] * len(spec.categorical), [0.0] * spec.continuous, (seed, seed + 1))
    codes = start[torch.zeros(grid.shape[1], dtype=torch.long)]
    if spec.categorical:
        codes.categorical[:, 0] = torch.from_numpy(grid[0])
    for axis in range(axes):
        codes.continuous[:, axis] = torch.from_numpy(values[grid[1 + axis]]).float()
    return codes, values, shape


def _readings(posterior, axes):
    """Q's answers on all pictures of an exported page, a byte per number: probabilities, then mean and deviation."""
    columns = [posterior.categorical_logits[0].softmax(dim=1)] if posterior.categorical_logits else []
    deviation = (posterior.log_variance / 2).exp()
    for axis in range(axes):
        columns.append((posterior.mean[:, axis : axis + 1] / SHEET_SCALES["mean"] + 1) / 2)
        columns.append(deviation[:, axis : axis + 1] / SHEET_SCALES["deviation"])
    return (torch.cat(columns, dim=1).clamp(0, 1) * 255).round().byte().numpy().tobytes()
