"""InfoGAN as in the paper: one step, its settings, and ``fit``. Labels appear nowhere here.

Notebooks 03 and 04 build the step; ``digits`` is the same page with what notebook 04 adds. Not here: the networks, the
game, the bound, and the loop.
"""

from dataclasses import dataclass, replace

from infogan_helpers import checks
from infogan_helpers.arguments import configured, images
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods.players import (
    FINITE,
    Players,
    PlayersConfig,
    StepMetrics,
    TrainingResult,
    descend,
    generate,
    make_players,
    recalibrate_batch_norm,
    step_metrics,
    takes_players,
)
from infogan_helpers.training import Method, run


@dataclass(frozen=True, kw_only=True)
class Config(PlayersConfig):
    """Everything that decides a run, apart from the images and the codes; see ``PlayersConfig`` for the players.

    Args:
        lambda_categorical: how hard G is pushed to raise L_I of the categorical codes; 0 is an ordinary GAN that Q
            watches. Q's head climbs L_I itself, whatever the weights.
        lambda_continuous: likewise for the continuous and the circular codes.
        information_trains_trunk: whether D's loss holds the weighted L_I, so that it trains the trunk too.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    lambda_categorical: float = 1.0
    lambda_continuous: float = 0.1
    information_trains_trunk: bool = False

    def __post_init__(self):
        super().__post_init__()
        for name in ("lambda_categorical", "lambda_continuous"):
            checks.number(name, getattr(self, name), least=0)
        checks.boolean("information_trains_trunk", self.information_trains_trunk)


_PLAIN = Config()
PRESETS = {
    "plain": _PLAIN,  # a quarter of the paper's width; what notebook 03 trains
    "paper": replace(  # Chen et al. 2016, appendix C.1, and the authors' code: σ fixed at 1, Q in D's optimiser
        _PLAIN, steps=5000, learning_rate_g=1e-3, learning_rate_d=2e-4, learning_rate_q=2e-4, lambda_continuous=1.0,
        information_trains_trunk=True, width=1.0, variance="fixed",
    ),
    "seed_conv": replace(  # the convolutional tutorial: one rate for all, λ 0.1 on the continuous codes, σ fixed
        _PLAIN, steps=5000, learning_rate_g=2e-4, learning_rate_d=2e-4, learning_rate_q=2e-4, width=1.0,
        variance="fixed",
    ),
    "seed_mlp": replace(  # the fully connected tutorial: 15 epochs, its mean over two codes halves λ
        _PLAIN, steps=7020, learning_rate_g=2e-4, learning_rate_d=2e-4, learning_rate_q=2e-4, lambda_continuous=0.5,
        architecture="mlp", norm="none", width=1.0,
    ),
}  # fmt: skip


@takes_players(Players, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step of InfoGAN: sample, generate, judge and read; then D, G and Q each move once.

    All three gradients are taken at the same weights, so that each image passes through each network once.

    Args:
        players: the ``Players``, changed in place.
        real: a batch of images in [-1, 1], shape ``(n, *image_shape)``, on the networks' device.
        spec: the ``CodeSpec`` to sample from.
        config: the ``Config``.
        generator: the ``torch.Generator`` of codes and noise, on that device; torch's own where it is ``None``.
        done: share of the run that lies behind; nothing depends on it here.

    Returns:
        ``StepMetrics``, still on the device: reading one is what costs time on a GPU.

    Source: Chen et al. 2016, eq. 6; Goodfellow et al. 2014, algorithm 1, with its two updates made together.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes)

    # Judge real images and fakes; read the codes back.
    (real_logit, _), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec)
    of_continuous = bound.continuous + bound.circular
    information = config.lambda_categorical * bound.categorical + config.lambda_continuous * of_continuous

    # Update D (and through it the trunk), G and Q. Q reads in any case; λ is how hard G is pushed to write.
    descend(
        {
            players.optimizer_d: d_loss - information if config.information_trains_trunk else d_loss,
            players.optimizer_g: g_loss - information,
            players.optimizer_q: -bound.total,
        }
    )
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


@takes_players(Players, Config, images(None))
def finish(players, images, spec, config):
    """Measure batch norm anew on real images and fakes: what a step shows D and Q."""
    recalibrate_batch_norm(players, images, spec, config.seed, lambda real, fake, generator: (real, fake))


METHOD = Method("infogan", StepMetrics, FINITE, make_players, train_step, generate, finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN on images, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``; for
            ``architecture="mlp"`` any shape ``(n, …)``.
        spec: the ``CodeSpec``.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``finish``).
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, configured(config, Config), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
