"""What notebooks 06 and 07 train on each world: the codes and the configuration. All worlds share one, but for λ.

Not here: the worlds (``worlds``), the method (``methods.noise_last``), and any training.
"""

from dataclasses import replace
from typing import NamedTuple

from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods import infogan
from infogan_helpers.methods.noise_last import Config
from infogan_helpers.worlds import Chairs, Faces, Sprites

PLAIN_STEPS = 3000


class WorldPreset(NamedTuple):
    """One experiment.

    Attributes:
        world: the class of the ``World``.
        spec: the codes.
        config: of ``methods.noise_last``, seed 0.
    """

    world: type
    spec: CodeSpec
    config: Config


WORLD_PRESETS = {
    "sprites": WorldPreset(Sprites, CodeSpec((3,), 4, 16, odd=1), Config(lambda_information=0.4)),
    "faces": WorldPreset(Faces, CodeSpec((), 5, 32, odd=2), Config(lambda_information=0.4)),
    "chairs": WorldPreset(Chairs, CodeSpec((24,), 2, 32, circular=1), Config(lambda_information=0.3)),
}


def without_any(preset, **changes):
    """The paper's algorithm on a preset's codes: its networks at a quarter of their width, one rate, λ as it has them.

    Args:
        preset: a ``WorldPreset``.
        changes: fields of ``infogan.Config`` that differ.

    Returns:
        An ``infogan.Config``.
    """
    config = infogan.Config(
        steps=PLAIN_STEPS, batch_size=preset.config.batch_size, learning_rate_g=1e-3, learning_rate_d=1e-3,
        learning_rate_q=1e-3,
    )  # fmt: skip
    return replace(config, **changes)
