"""What notebooks 06 and 07 train: each world with its codes. All share one configuration, ``noise_last.Config()``.

Not here: the worlds (``worlds``), the method (``methods.noise_last``), and any training.
"""

from typing import NamedTuple

from infogan_helpers.codes import CodeSpec
from infogan_helpers.worlds import Chairs, Faces, Sprites


class WorldPreset(NamedTuple):
    """One experiment.

    Attributes:
        world: the class of the ``World``.
        spec: the codes.
    """

    world: type
    spec: CodeSpec


WORLD_PRESETS = {
    "sprites": WorldPreset(Sprites, CodeSpec((3,), 4, 16, odd=1)),
    "faces": WorldPreset(Faces, CodeSpec((), 5, 32, odd=2)),
    "chairs": WorldPreset(Chairs, CodeSpec((), 2, 32, circular=1)),
}
