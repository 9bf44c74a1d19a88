"""InfoGAN that begins with small pictures: its networks grow while they learn. No labels here.

A step is the paper's (``infogan``), once both networks have been told how far they have grown. Not here: what growing
is (``growing_networks``).
"""

from dataclasses import dataclass

from infogan_helpers.arguments import configured
from infogan_helpers.data import check_images
from infogan_helpers.growing_networks import STAGES
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import (
    FINITE,
    Players,
    StepMetrics,
    TrainingResult,
    generate,
    make_players,
    takes_players,
)
from infogan_helpers.schedules import Ramp, at, largest, weight
from infogan_helpers.training import Method, run


@dataclass(frozen=True, kw_only=True)
class Config(infogan.Config):
    """Everything that decides a run, apart from the images and the codes; see ``infogan.Config`` for the rest.

    Args:
        grown: doublings that lie behind, weight from 0 to ``growing_networks.STAGES``; ``STAGES`` as a number is a
            training at full size from the first step on. The networks are ``"growing"`` in any case.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    game: str = "r1"
    architecture: str = "growing"
    norm: str = "none"
    width: float = 1.0
    grown: float | Ramp = Ramp(0.1, 0.6, 0.0, STAGES)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "grown", weight("grown", self.grown))
        if self.architecture != "growing":
            raise ValueError(f"architecture must be 'growing', got {self.architecture!r}")
        if largest(self.grown) > STAGES:
            raise ValueError(f"grown must be at most {STAGES}, got {self.grown!r}")


@takes_players(Players, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: both networks grow as far as is due, then the paper's step.

    Args, Returns: as in ``infogan.train_step``; how far they have grown depends on ``done``.

    Source: Karras et al. 2018, section 2.
    """
    for network in (players.generator, players.discriminator_q):
        network.grow(at(config.grown, done))
    return infogan.train_step(players, real, spec, config, generator, done)


METHOD = Method("progressive", StepMetrics, FINITE, make_players, train_step, generate, infogan.finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN on pictures that grow, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``, its sides
            divisible by 8.
        spec: the ``CodeSpec``.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, configured(config, Config), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
