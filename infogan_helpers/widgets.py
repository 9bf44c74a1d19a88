"""The interactive explorer: sliders in, one picture out; and the live view of a training.

Built on ipywidgets' core set alone, so that it runs in JupyterLab, VS Code and Colab. Not here: figures, which are
static and live in ``plots``.
"""

import io

import ipywidgets
import torch
from PIL import Image

from infogan_helpers.codes import Codes
from infogan_helpers.plots import to_ink, training_overview

PICTURE_SIDE = 280  # pixels on the screen
LIMIT = 2.0  # sliders reach twice the support of a uniform prior


class Explorer(ipywidgets.VBox):
    """Controls and a picture that follows them; made by ``explorer``.

    Attributes:
        picture: the ``ipywidgets.Image`` whose bytes change.
        categorical: one ``Dropdown`` per categorical code.
        continuous: one ``FloatSlider`` per continuous code.
        new_noise: the button that draws another noise vector.
        noise: the noise vector in use, shape ``(1, noise)``.
    """

    def __init__(self, generator, spec, seed=0):
        self._generator, self._spec = generator.eval(), spec
        self._device = next(generator.parameters()).device
        self._random = torch.Generator().manual_seed(seed)
        names = spec.names
        self.categorical = [
            ipywidgets.Dropdown(options=range(k), description=name)
            for name, k in zip(names, spec.categorical, strict=False)
        ]
        self.continuous = [
            ipywidgets.FloatSlider(value=0.0, min=-LIMIT, max=LIMIT, step=0.1, description=name, readout_format="+.1f")
            for name in names[len(spec.categorical) :]
        ]
        self.new_noise = ipywidgets.Button(description="new noise")
        self.picture = ipywidgets.Image(format="png", width=PICTURE_SIDE, height=PICTURE_SIDE)
        for control in (*self.categorical, *self.continuous):
            control.observe(self._draw, names="value")
        self.new_noise.on_click(self._draw_noise)
        self._draw_noise()
        note = ipywidgets.Label("In training the continuous codes stayed within -1 and 1; beyond is unknown ground.")
        controls = [*self.categorical, *self.continuous, self.new_noise, *([note] if self.continuous else [])]
        super().__init__([self.picture, ipywidgets.VBox(controls)])

    def __repr__(self):
        return f"Explorer of the codes {', '.join(self._spec.names) or 'none'}: run the cell to move its sliders."

    def codes(self):
        """The codes that the controls show, as ``Codes`` of one row."""
        categorical = torch.tensor([[control.value for control in self.categorical]], dtype=torch.long)
        continuous = torch.tensor([[control.value for control in self.continuous]], dtype=torch.float32)
        return Codes(self.noise, categorical, continuous)

    def _draw_noise(self, _=None):
        self.noise = self._spec.sample(1, self._random).noise
        self._draw()

    def _draw(self, _=None):
        with torch.no_grad():
            image = self._generator(self.codes().to(self._device))
        self.picture.value = image_to_png(image)


def explorer(generator, spec, seed=0):
    """Sliders for the codes and the digit that they make, redrawn at each move.

    Args:
        generator: a trained generator of one-channel images; it is put in eval mode.
        spec: its ``CodeSpec``; either kind of code may be absent.
        seed: of the first noise vector and of those that the button draws.

    Returns:
        An ``Explorer``, a widget to display.

    Raises:
        ValueError: the generator was built for other codes.
    """
    if generator.spec != spec:
        raise ValueError(f"spec must be the generator's own, {generator.spec}, got {spec}")
    return Explorer(generator, spec, seed)


class TrainingView(ipywidgets.Image):
    """A picture of a run that is redrawn while it trains: pass ``view.update`` to ``fit`` as its ``callback``.

    Args:
        spec: the ``CodeSpec`` of the run.
    """

    def __init__(self, spec):
        super().__init__(format="png")
        self._spec = spec

    def __repr__(self):
        return "Live view of a training: run the cell to watch it."

    def update(self, history):
        """Draw the run as it stands."""
        buffer = io.BytesIO()
        training_overview(history, self._spec).savefig(buffer, format="png")
        self.value = buffer.getvalue()


def image_to_png(image, side=PICTURE_SIDE):
    """One image, shape ``(1, 1, height, width)``, as PNG bytes, dark on light, scaled up without smoothing."""
    ink = to_ink(image)[0]
    grey = Image.fromarray(((1 - ink) * 255).round().astype("uint8"))
    buffer = io.BytesIO()
    grey.resize((side, side), Image.Resampling.NEAREST).save(buffer, format="png", compress_level=1)
    return buffer.getvalue()
