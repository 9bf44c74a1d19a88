"""What notebooks 06 and 07 train: each world with its codes and the method that suits it.

Not here: the worlds (``worlds``), the methods, and any training.
"""

from dataclasses import replace
from types import ModuleType
from typing import NamedTuple

from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods import infogan, noise_last
from infogan_helpers.methods.players import PlayersConfig
from infogan_helpers.worlds import Chairs, Faces, Sprites


class WorldPreset(NamedTuple):
    """One experiment.

    Attributes:
        world: the class of the ``World``.
        spec: the codes.
        method: the file of ``methods`` that trains it.
        config: its ``Config``.
    """

    world: type
    spec: CodeSpec
    method: ModuleType
    config: PlayersConfig


PLAIN = replace(infogan.PRESETS["plain"], steps=5333, batch_size=96)  # the paper's algorithm, for five minutes

WORLD_PRESETS = {
    "sprites": WorldPreset(Sprites, CodeSpec((), 4, 16, odd=1), noise_last, noise_last.Config()),
    "faces": WorldPreset(Faces, CodeSpec((), 5, 32, odd=2), infogan, PLAIN),
    "chairs": WorldPreset(Chairs, CodeSpec((), 2, 32, circular=1), noise_last, noise_last.Config()),
}
