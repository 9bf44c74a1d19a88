"""What is wrong with a run? ``diagnose`` reads a history and names the likeliest of ten illnesses, with its evidence.

An illness is a rule of a few lines (``ILLNESSES``), tried from the surest sign to the vaguest; the thresholds stand at
the top. They were fitted on some of the runs of ``tests/benchmarks/clinic.py``; notebook 10 shows how they do on more.
Not here: variational autoencoders, which play no game, and networks: ``diagnose`` sees only what was recorded.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from infogan_helpers.arguments import images, instance, takes
from infogan_helpers.checkpoints import PRETRAINED_FOLDER, load_verified
from infogan_helpers.codes import Codes
from infogan_helpers.methods.players import StepMetrics
from infogan_helpers.training import History

HISTORIES_FOLDER = PRETRAINED_FOLDER / "histories"
EARLIEST = 500  # steps; before them healthy runs look ill
WINDOW = 20  # steps that a curve is averaged over
AT_THE_END = 1 / 5  # of the run: what "now" means
SIDE = 7  # pixels: pictures are compared this small

READ = 0.3  # recovery of the codes above which Q is not guessing
UNSURE = 0.8  # times what a recovery implies at least: an honest Q's bound lies above
FIXED = -0.226  # nats: the ceiling of a code from U(-1, 1) where σ is 1, as it is in a Q that never learned
ASLEEP = -0.1  # nats: a code that is not read says -0.176, and one that is says more than 0
LOUD = 0.3  # nats: a continuous code above is written
SILENT = 0.15  # of H(c), below which nobody writes the categorical codes
TAUGHT = -0.1  # nats: a Q that reads nothing says 0; one that says less knows classes from elsewhere (labels)
HALF, COME, FULL = 0.5, 0.8, 0.93  # of H(c): much is said; numbers, which come after classes, are due; all is said
WON = 0.97  # D's accuracy
LOST = 2.3  # G's loss in nats: D gives fakes one chance in ten of being real
BLIND = 1.366  # nats of D's loss, at its best; a coin pays 1.39
ROUGH = 0.35  # nats from one step to the next, in D's loss
WRONG = -0.5  # nats: Q was sure of the wrong classes
ALIKE = 0.1  # a pixel's difference between pictures, where black to white is 2; between two digits it is 0.2


class Diagnosis(NamedTuple):
    """What ``diagnose`` says.

    Attributes:
        illness: one of ``ILLNESSES``; ``NOTHING`` or ``TOO_EARLY``.
        evidence: in words, with the numbers that decided.
        remedy: what to try first.
    """

    illness: str
    evidence: str
    remedy: str

    def __str__(self):
        return f"{self.illness}: {self.evidence}. {self.remedy}"


class Signs(NamedTuple):
    """What is read off a history; "now" is the last fifth of the run.

    Attributes:
        classes: of each categorical code, as far as the sample codes show them.
        bound: L_I of the categorical codes now, in nats.
        recovery: share of them that Q names rightly now.
        continuous: L_I now, in nats a continuous code; NaN where there is none.
        uniform: whether continuous codes come from U(-1, 1).
        d_accuracy, d_loss, g_loss: now.
        lowest: the least that ``bound`` was after the first steps.
        best_d_loss: lowest mean of ``WINDOW`` steps, in nats.
        roughness: of D's loss, the median change from step to step over the second half, in nats.
        spread: of the last sample pictures, the root mean square deviation of a pixel between them.
        nearest: from such a picture to the one most like it among those of its class, the root mean square difference
            of a pixel, the median over pictures; NaN for points in the plane, where two are near by chance.
    """

    classes: list
    bound: float
    recovery: float
    continuous: float
    uniform: bool
    d_accuracy: float
    d_loss: float
    g_loss: float
    lowest: float
    best_d_loss: float
    roughness: float
    spread: float
    nearest: float

    @property
    def entropy(self):
        """H(c) of the categorical codes, in nats."""
        return sum(math.log(k) for k in self.classes)

    @property
    def silent(self):
        """Whether there are classes that nobody writes, and Q knows."""
        return TAUGHT < self.bound < SILENT * self.entropy

    @property
    def cap(self):
        """The most that their L_I can be where softmax is applied twice, in nats."""
        return sum(math.log(k) + 1 - math.log(math.e + k - 1) for k in self.classes)

    @property
    def implied(self):
        """What the recovery says that an honest Q's L_I is at least, in nats (Fano's inequality, code by code)."""
        right = min(max(self.recovery, 1e-6), 1 - 1e-6)
        unsure = -right * math.log(right) - (1 - right) * math.log(1 - right)
        return sum(math.log(k) - unsure - (1 - right) * math.log(k - 1) for k in self.classes)


class Illness(NamedTuple):
    """One thing that can be wrong.

    Attributes:
        name: in a few words.
        seen: from ``Signs`` to the evidence in words, or ``None``.
        remedy: what to try first.
    """

    name: str
    seen: Callable
    remedy: str


def _rates_too_high(s):
    if s.lowest < WRONG and s.d_accuracy > WON:
        return f"L_I of the classes fell to {s.lowest:.1f} nats, Q was sure and wrong; D is right {s.d_accuracy:.0%}"
    if s.roughness > ROUGH:
        return f"D's loss jumps by {s.roughness:.2f} nats from one step to the next"
    if s.spread < ALIKE and s.d_accuracy > WON and s.bound <= 0 and not s.continuous > 0:
        return f"nothing moves G's picture (spread {s.spread:.3f}), not even Q, and D knows it: G is saturated"


def _d_not_trained(s):
    if s.best_d_loss > BLIND:
        return (
            f"D's loss was {s.best_d_loss:.2f} nats at its best, where a coin pays {2 * math.log(2):.2f}, "
            f"and D is right {s.d_accuracy:.0%} of the time"
        )


def _lambda_too_large(s):
    read, away = s.bound / s.entropy if s.entropy else 0.0, s.g_loss > LOST
    if (read > FULL and (away or s.spread < ALIKE)) or (read > HALF and away and s.d_accuracy < WON):
        return (
            f"L_I is {s.bound:.2f} of {s.entropy:.2f} nats, G's adversarial loss {s.g_loss:.1f}, and pictures "
            f"differ by {s.spread:.2f} a pixel: G writes codes, and does not play the game"
        )


def _d_won(s):
    if s.g_loss > LOST:
        return f"D is right {s.d_accuracy:.0%} of the time, and G's loss is {s.g_loss:.1f} nats"


def _q_not_trained(s):
    stands = s.uniform and s.continuous < FIXED
    if stands and s.bound < max(SILENT * s.entropy, UNSURE * s.implied):
        return (
            f"L_I is {s.bound:.2f} nats, and {s.continuous:.2f} a continuous code: "
            "a Q that has learned no more than the prior's width says -0.18"
        )


def _collapsed(s):
    if s.bound > SILENT * s.entropy or s.continuous > LOUD:
        return None  # what can be read from pictures is in them
    if s.spread < ALIKE:
        return f"the sample pictures differ by {s.spread:.2f} a pixel, where black to white is 2"
    if s.nearest < ALIKE:
        return f"a sample picture has another of its class within {s.nearest:.2f} a pixel: few pictures, drawn again"


def _softmax_twice(s):
    if s.entropy and s.recovery > READ and s.bound < min(UNSURE * s.implied, 1.05 * s.cap):
        return (
            f"Q names {s.recovery:.0%} of the codes, which is worth {s.implied:.2f} nats at least, "
            f"and L_I is {s.bound:.2f}; after two softmaxes it ends at {s.cap:.2f}"
        )
    if s.silent and s.uniform and s.continuous > LOUD:
        return (
            f"L_I of the classes is {s.bound:.2f} of {s.entropy:.2f} nats while a continuous code has "
            f"{s.continuous:.2f}: what asks for classes is weak, as after two softmaxes"
        )


def _codes_not_asked_for(s):
    if s.silent:
        return f"L_I is {s.bound:.2f} of {s.entropy:.2f} nats, and Q names {s.recovery:.0%} of the codes"


def _sigma_fixed(s):
    if s.uniform and s.continuous < FIXED:
        return f"L_I is {s.continuous:.2f} nats a continuous code, below what a Q with a σ of its own says of nothing"


def _continuous_asleep(s):
    if s.uniform and s.continuous < ASLEEP and s.bound >= COME * s.entropy:
        return f"the classes have come, and L_I is {s.continuous:.2f} nats a continuous code: Q reads nothing there"


ILLNESSES = (  # from the surest sign to the vaguest: the first that is seen is named
    Illness("rates too high", _rates_too_high, "Divide all learning rates by ten"),
    Illness("D not trained", _d_not_trained, "Look for D's weights in an optimiser, and for its rate"),
    Illness("lambda too large", _lambda_too_large, "Begin with λ = 1 for classes and 0.1 for numbers"),
    Illness("D won", _d_won, "Lower D's rate or raise G's; blur what D sees with noise"),
    Illness("Q not trained", _q_not_trained, "Look for Q's head in an optimiser"),
    Illness("collapsed", _collapsed, "Ask for the codes (λ = 1), slow G down, or change D's norm"),
    Illness("softmax twice", _softmax_twice, "Hand logits to the cross-entropy; see that λ of the classes isn't 0"),
    Illness("codes not asked for", _codes_not_asked_for, "Look at λ, and for a detach between G and Q"),
    Illness("sigma fixed", _sigma_fixed, 'Let Q learn σ (variance="learned"), or read nothing into the number'),
    Illness("continuous asleep", _continuous_asleep, "Raise λ of the continuous codes, or train for longer"),
)
NOTHING = "nothing I know"
TOO_EARLY = "too early to say"


def diagnose(history):
    """The likeliest of ten illnesses of a run.

    Args:
        history: a ``training.History`` of a method that records ``players.StepMetrics``.

    Returns:
        ``Diagnosis``: an illness of ``ILLNESSES`` with its evidence, or ``NOTHING``; ``TOO_EARLY`` before ``EARLIEST``
        steps.

    Raises:
        ValueError: the history is of another method, or holds no sample picture.
    """
    if not isinstance(history, History) or type(history.metrics) is not StepMetrics:
        got = type(getattr(history, "metrics", history)).__name__
        raise ValueError(f"history must be a training.History of players.StepMetrics, got {got}")
    if len(history) < EARLIEST:
        return Diagnosis(TOO_EARLY, f"{len(history)} steps of at least {EARLIEST}", "Train on")
    if not history.samples:
        raise ValueError("history must hold a sample picture, got none")
    found = signs(history)
    for illness in ILLNESSES:
        evidence = illness.seen(found)
        if evidence is not None:
            return Diagnosis(illness.name, evidence, illness.remedy)
    evidence = f"L_I is {found.bound:.2f} of {found.entropy:.2f} nats, D is right {found.d_accuracy:.0%} of the time"
    return Diagnosis(NOTHING, evidence, "Look at the pictures, and score them")


@takes(history=instance(History))
def signs(history):
    """``Signs`` of a history of more than ``WINDOW`` steps."""
    if len(history) <= WINDOW:
        raise ValueError(f"history must hold more than {WINDOW} steps, got {len(history)}")
    curves = StepMetrics(*(np.asarray(values, dtype=float) for values in history.metrics))
    codes, last = history.sample_codes, slice(-max(1, round(AT_THE_END * len(history))), None)
    now = StepMetrics(*(float(np.median(values[last])) for values in curves))
    numbers = codes.continuous.shape[1] if not codes.circular.shape[1] else 0
    d_losses = np.convolve(curves.d_loss, np.ones(WINDOW) / WINDOW, "valid")
    return Signs(
        classes=(codes.categorical.max(dim=0).values + 1).tolist() if codes.categorical.shape[1] else [],
        bound=now.bound_categorical,
        recovery=now.code_recovery,
        continuous=now.bound_continuous / numbers if numbers else math.nan,
        uniform=bool(codes.continuous.abs().max() <= 1) if numbers else False,
        d_accuracy=now.d_accuracy,
        d_loss=now.d_loss,
        g_loss=now.g_loss,
        lowest=float(curves.bound_categorical[WINDOW:].min()),
        best_d_loss=float(d_losses.min()),
        roughness=float(np.median(np.abs(np.diff(curves.d_loss[len(history) // 2 :])))),
        spread=spread(history.samples[-1]),
        nearest=nearest(history.samples[-1], codes),
    )


@takes(pictures=images(None))
def pooled(pictures):
    """Pictures of at most ``SIDE`` pixels a side, in [0, 255]; points in the plane stay as they are."""
    pictures = pictures.float()
    return F.adaptive_avg_pool2d(pictures, SIDE) if pictures.ndim == 4 and pictures.shape[-1] > SIDE else pictures


@takes(pictures=images(None))
def spread(pictures):
    """Root mean square deviation of a pixel between pictures, where black to white is 2."""
    values = pooled(pictures).flatten(1) / 127.5
    return float(values.var(dim=0, unbiased=False).mean().sqrt())


@takes(pictures=images(None), codes=instance(Codes))
def nearest(pictures, codes):
    """Median distance of a picture to the nearest of its class (of the first categorical code), as ``spread``."""
    if pictures.ndim < 4:
        return math.nan
    values = pooled(pictures).flatten(1) / 127.5
    apart = torch.cdist(values, values).fill_diagonal_(math.inf) / math.sqrt(values.shape[1])
    if codes.categorical.shape[1]:
        if len(pictures) != len(codes):
            raise ValueError(f"pictures and codes must have as many rows, got {len(pictures)} and {len(codes)}")
        classes = codes.categorical[:, 0]
        apart[classes[:, None] != classes] = math.inf
    return float(apart.min(dim=1).values.median())


class StoredRun(NamedTuple):
    """A run of ``tests/benchmarks/clinic.py``, as far as ``diagnose`` looks at it.

    Attributes:
        truth: the illness that it was given, or ``NOTHING``.
        method: that trained it.
        seed: whose last digit is the setting.
        held_out: whether it was trained after the last change to a rule.
        history: metrics in half precision, and small pictures.
    """

    truth: str
    method: str
    seed: int
    held_out: bool
    history: History


def stored_runs():
    """The runs that ``diagnose`` was fitted and scored on, a list of ``StoredRun``."""
    tensors, _, card = load_verified("clinic", HISTORIES_FOLDER)
    runs = []
    for about in card["runs"]:
        of = {part: tensors[f"{about['name']}.{part}"] for part in ("metrics", "pictures", "categorical", "continuous")}
        continuous = of["continuous"].float()
        codes = Codes(torch.empty(len(continuous), 0), of["categorical"].long(), continuous)
        metrics = StepMetrics(*of["metrics"].float().tolist())
        history = History(about["batch_size"], codes, metrics, [len(metrics.d_loss)], [of["pictures"]])
        runs.append(StoredRun(about["truth"], about["method"], about["seed"], about["held_out"], history))
    return runs
