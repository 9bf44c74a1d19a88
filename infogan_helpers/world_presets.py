"""What notebooks 06 and 07 train on each world: the method, the codes, the views they are read from, the configuration.

Not here: the worlds (``worlds.py``), the views (``views.py``), and any training.
"""

from types import ModuleType
from typing import NamedTuple

from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods import infogan, viewed
from infogan_helpers.methods.players import PlayersConfig
from infogan_helpers.worlds import Chairs, Faces, Sprites

PLAIN_STEPS = 800  # of runs without views


# Thin parts and many classes: a wider network, larger batches, a slower D, and a G that has done before the trunk is
# Q's.
CHAIRS = {
    "steps": 2000,
    "batch_size": 192,
    "width": 0.31,
    "learning_rate_d": 5e-4,
    "class_balance": 4.0,
    "head_start": 0.15,
    "trunk_share": 0.1,
    "lessons": 0.45,
    "lambda_categorical": 0.5,
    "lambda_continuous": 0.5,
}


class WorldPreset(NamedTuple):
    """One experiment.

    Attributes:
        world: the class of the ``World``.
        spec: the codes; those of the paper for ``Faces`` and ``Chairs``.
        method: the file in ``methods`` that trains it.
        config: its ``Config``, seed 0.
    """

    world: type
    spec: CodeSpec
    method: ModuleType
    config: PlayersConfig


WORLD_PRESETS = {
    "sprites": WorldPreset(
        Sprites,
        CodeSpec(categorical=(3,), continuous=4, noise=16),
        viewed,
        viewed.Config(
            views=("shape", "x", "y", "scale", "axis"),
            steps=900,
            lambda_categorical=1.0,
            lambda_continuous=1.0,
            trunk_share=0.3,
            instance_noise=0.2,
        ),
    ),
    "faces": WorldPreset(
        Faces,
        CodeSpec(categorical=(), continuous=5, noise=128),
        viewed,
        viewed.Config(
            views=("outline", "features", "shading", "coarse", "coarse"),
            steps=1000,
            learning_rate_d=5e-4,
            lambda_continuous=0.25,
            head_start=0.2,
            trunk_share=0.4,
        ),
    ),
    "chairs": WorldPreset(
        Chairs,
        CodeSpec(categorical=(20, 20, 20), continuous=1, noise=128),
        viewed,
        viewed.Config(views=("back", "arms", "base", "dial"), **CHAIRS),
    ),
    "chairs_ten": WorldPreset(
        Chairs,
        CodeSpec(categorical=(10,), continuous=4, noise=128),
        viewed,
        viewed.Config(views=("base", "dial", "coarse", "coarse", "coarse"), **CHAIRS),
    ),
}


def without_views(preset, lambda_=None):
    """The plain algorithm on the same codes, at the same width and batch size; one rate for all players.

    Args:
        preset: a ``WorldPreset``.
        lambda_: of both kinds of codes; the paper's 1 and 0.1 where it is ``None``, and 0 for a GAN that Q watches.

    Returns:
        A ``WorldPreset`` that ``methods.infogan`` trains: no schedule, no instance noise, nothing for the codes but λ.
    """
    categorical, continuous = (1.0, 0.1) if lambda_ is None else (lambda_, lambda_)
    rate = preset.config.learning_rate_g
    config = infogan.Config(
        steps=PLAIN_STEPS,
        batch_size=preset.config.batch_size,
        width=preset.config.width,
        learning_rate_g=rate,
        learning_rate_d=rate,
        learning_rate_q=rate,
        lambda_categorical=categorical,
        lambda_continuous=continuous,
    )
    return preset._replace(method=infogan, config=config)
