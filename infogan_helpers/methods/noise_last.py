"""InfoGAN where the noise comes last, so that the loudest properties of images settle on the codes. No labels here.

The page of ``infogan`` and one line more. Not here: the mirror, which is a network's
(``networks.MirroredDiscriminatorQ``), named by ``Config.architecture``.
"""

from dataclasses import dataclass

from infogan_helpers import checks
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods.players import (
    FINITE,
    PlayersConfig,
    StepMetrics,
    TrainingResult,
    descend,
    generate,
    make_players,
    recalibrate_batch_norm,
    step_metrics,
)
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method, run


@dataclass(frozen=True, kw_only=True)
class Config(PlayersConfig):
    """Everything that decides a run, apart from the images and the codes; see ``PlayersConfig`` for the players.

    Args:
        lambda_categorical: how hard G is pushed to raise L_I of the categorical codes.
        lambda_continuous: likewise for the continuous and the circular codes.
        noise: what multiplies G's noise: a ``schedules.Ramp``, or a number that stays; 1 is ``infogan``.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    steps: int = 5333
    batch_size: int = 96
    architecture: str = "mirrored"
    lambda_categorical: float = 0.1
    lambda_continuous: float = 0.1
    noise: float | Ramp = Ramp(0.0, 0.9, 0.0, 1.0)

    def __post_init__(self):
        super().__post_init__()
        for name in ("lambda_categorical", "lambda_continuous"):
            checks.number(name, getattr(self, name), least=0)
        object.__setattr__(self, "noise", weight("noise", self.noise))


def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step of InfoGAN with as much noise as is due: sample, generate, judge and read; then D, G and Q each move.

    Args, Returns: as in ``infogan.train_step``; the noise depends on ``done``.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]

    # Sample codes and generate, with as much noise as is due.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes.replace(noise=at(config.noise, done) * codes.noise))

    # Judge real images and fakes; read the codes back.
    (real_logit, _), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec)
    of_continuous = bound.continuous + bound.circular
    information = config.lambda_categorical * bound.categorical + config.lambda_continuous * of_continuous

    # Update D (and through it the trunk), G and Q.
    descend(
        {
            players.optimizer_d: d_loss,
            players.optimizer_g: g_loss - information,
            players.optimizer_q: -bound.total,
        }
    )
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


def finish(players, images, spec, config):
    """Measure batch norm anew on real images and fakes, with all of the noise."""
    recalibrate_batch_norm(players, images, spec, config.seed, lambda real, fake, generator: (real, fake))


METHOD = Method("noise_last", StepMetrics, FINITE, make_players, train_step, generate, finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN with the noise coming last, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``.
        spec: the ``CodeSpec``; its ``odd`` and ``circular`` codes are what a mirror turns round.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``finish``).
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, config or Config(), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
