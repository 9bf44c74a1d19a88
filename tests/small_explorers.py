"""Untrained pairs for tests of the explorer, and what its view holds."""

import io
import json
import re

import numpy as np
import torch
from PIL import Image

from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.codes import CodeSpec

SPEC = CodeSpec((4, 3), 2, 5)
SIDE = 8


def pair(spec=SPEC, architecture="conv", shape=(1, SIDE, SIDE), seed=0):
    torch.manual_seed(seed)
    generator, discriminator_q = (make(spec, shape, 0.05) for make in ARCHITECTURES[architecture])
    return generator, discriminator_q


def pixels(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return np.asarray(image)


def sprite(widget, model=0):
    return widget.view["sprites"][model]


def exported(path):
    """An exported page's text, and the data in it."""
    text = path.read_text(encoding="utf-8")
    return text, json.loads(re.search(r"sheetModel\((\{.*\})\), document", text).group(1))
