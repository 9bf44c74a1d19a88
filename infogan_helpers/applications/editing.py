"""One code of a real picture moved, the rest kept; two other ways to do it; and how well any of them did.

What judges say of pictures enters to choose which code to move, on other pictures, and to score. Not here: how a
picture's codes and noise are found (``inversion``).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import RidgeCV

from infogan_helpers.arguments import (
    BOOLEAN,
    TEXT,
    between,
    finite,
    images,
    instance,
    list_of,
    mapping_of,
    network,
    numbers,
    record,
    refuse,
    takes,
)
from infogan_helpers.codes import Codes
from infogan_helpers.judges import judged
from infogan_helpers.measures import MEASURES
from infogan_helpers.priors import wrapped
from infogan_helpers.quality import classify

PARTS = ("noise", "categorical", "continuous", "circular")  # of ``Codes``
RIDGES = (1.0, 10.0, 100.0, 1000.0)  # of the fit of a direction, the best of which is chosen on left-out pictures


class Shown(NamedTuple):
    """What pictures show, said by what only scores.

    Attributes:
        identity: the digit, or the kind of a world (a face's identity, a chair's type): integers, shape ``(n,)``.
        values: name of a property to floats of shape ``(n,)``, in its unit; NaN where it can't be measured.
    """

    identity: np.ndarray
    values: dict


SHOWN = record(Shown, identity=numbers(whole=True), values=mapping_of(numbers(gaps=True), 1))


@takes(classifier=network(), images=images(None))
def digits_show(classifier, images):
    """``Shown`` of digits: what the classifier says, slant in radians, thickness and width in pixels.

    Args:
        classifier: from ``quality.load_classifier``.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, 1, 28, 28)``.
    """
    digits = classify(classifier, images)[0].argmax(dim=1).numpy()
    return Shown(digits, {name: MEASURES[name](images) for name in ("slant", "thickness", "width")})


@takes(judge=network("world"), images=images(None))
def world_shows(judge, images):
    """``Shown`` of a world's pictures, as its judge says: the kind is the identity, all else are values.

    Args:
        judge: from ``judges.load_judge``.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, *image_shape)``.
    """
    values = {name: x.double().numpy() for name, x in judged(judge, images).values.items()}
    [kind] = [factor.name for factor in judge.world.factors if not factor.unit]
    return Shown(values.pop(kind).astype(int), values)


class Dial(NamedTuple):
    """A column that is moved for a property.

    Attributes:
        column: which, from 0.
        rho: Spearman's ρ with the property on the pictures that chose it; of a property that goes round, the mean
            resultant length of the difference, negative where the two go round in opposite senses.
    """

    column: int
    rho: float


@takes(columns=numbers("n, L"), values=numbers(gaps=True), circular=BOOLEAN)
def best_dial(columns, values, circular=False):
    """The column that goes best with a property.

    Args:
        columns: codes or latents of ``n`` pictures, shape ``(n, L)``; for a property that goes round, in radians.
        values: the property on them, shape ``(n,)``; pictures with NaN are left out.
        circular: whether the property goes round.

    Returns:
        ``Dial``.

    Raises:
        ValueError: the lengths differ, or fewer than three values are known.
    """
    columns, values = _known("columns", columns, values)
    dials = [_dial(i, x, values, circular) for i, x in enumerate(columns.T)]
    return max(dials, key=lambda dial: abs(dial.rho))


@takes(latents=numbers("n, L"), values=numbers(gaps=True))
def direction(latents, values):
    """The unit vector along which a property rises, by a linear fit.

    Args:
        latents: noise or latents of ``n`` pictures, shape ``(n, L)``.
        values: the property on them, shape ``(n,)``; pictures with NaN are left out.

    Returns:
        Floats, shape ``(L,)``, of length 1.

    Raises:
        ValueError: the lengths differ, fewer than three values are known, or they do not change.

    Source: Shen et al. 2020, *Interpreting the Latent Space of GANs*, whose direction is a classifier's normal; here a
    ridge regression, by ``sklearn.linear_model.RidgeCV``.
    """
    latents, values = _known("latents", latents, values)
    weights = RidgeCV(RIDGES).fit(latents, values).coef_
    length = np.linalg.norm(weights)
    if length == 0:
        raise ValueError(f"values must change where latents do, got values from {values.min()} to {values.max()}")
    return torch.tensor(weights / length, dtype=torch.float32)


@takes(latents=finite("n, L"), along=finite("L"), targets=finite("m"))
def set_along(latents, along, targets):
    """Each row once per target, moved along a unit vector until its coordinate there is the target; the rest is kept.

    Args:
        latents: shape ``(n, L)``.
        along: of length 1, shape ``(L,)``.
        targets: shape ``(m,)``.

    Returns:
        Shape ``(n * m, L)``: all targets of row 0, then all of row 1, …

    Raises:
        ValueError: ``along`` is not of length 1, or has other columns than the rows.
    """
    if along.shape != latents.shape[1:] or abs(along.float().norm() - 1) > 1e-3:
        raise ValueError(
            f"along must have length 1 and shape {tuple(latents.shape[1:])}, "
            f"got length {along.float().norm():g} and shape {tuple(along.shape)}"
        )
    along, targets = along.to(latents), targets.to(latents)
    steps = targets[None, :] - (latents @ along)[:, None]
    return (latents[:, None, :] + steps[:, :, None] * along).flatten(0, 1)


@takes(codes=instance(Codes), others=instance(Codes), share=between(0, 1))
def towards(codes, others, share):
    """Codes on the way to other pictures' codes; the classes stay.

    Args:
        codes: ``Codes`` of ``n`` rows.
        others: likewise.
        share: of the way, in [0, 1].

    Returns:
        ``Codes`` of ``n`` rows: values on the straight line, angles the shorter way round, noise on the quarter of a
        circle of ``priors.noise_between``, on which it stays as long as a draw is.

    Raises:
        ValueError: the two have other rows or columns, or ``share`` is out of range.
    """
    ours, theirs = ([tuple(getattr(c, part).shape) for part in PARTS] for c in (codes, others))
    if ours != theirs:
        raise ValueError(f"others must have the shapes of codes, {ours} of {PARTS}, got {theirs}")
    turn = torch.tensor(share * np.pi / 2)
    return Codes(
        noise=turn.cos() * codes.noise + turn.sin() * others.noise,
        categorical=codes.categorical,
        continuous=codes.continuous + share * (others.continuous - codes.continuous),
        circular=wrapped(codes.circular + share * wrapped(others.circular - codes.circular)),
    )


class EditScore(NamedTuple):
    """How well pictures were edited, means over pictures.

    Attributes:
        rho: Spearman's ρ of where the dial stands and the property, within each picture: 1 where the property always
            rises with the dial, 0 where it does not care; the mean resultant length of the difference for a property
            that goes round, 1 where it turns with the dial.
        moved: how much the property rises from the dial's first stand to its last, in its unit.
        kept: share of edited pictures whose identity is that of the real one.
        rest: mean distance of the other properties from those of the real picture, in standard deviations of real
            pictures.
    """

    rho: float
    moved: float
    kept: float
    rest: float


@takes(stands=numbers("m"), edited=SHOWN, real=SHOWN, name=TEXT, circular=list_of(TEXT))
def score_edits(stands, edited, real, name, circular=()):
    """Score pictures that were edited, ``m`` stands of a dial for each of ``n`` real ones.

    Args:
        stands: where the dial stands, rising in the sense in which the property should, shape ``(m,)``; radians for a
            property that goes round.
        edited: ``Shown`` of ``n * m`` pictures, all stands of picture 0 first.
        real: ``Shown`` of the ``n`` real pictures.
        name: of the property.
        circular: names of the properties that go round.

    Returns:
        ``EditScore``. Pictures that can't be measured count as a ρ and a change of 0, and not for the rest.

    Raises:
        ValueError: there is no such property, or the pictures do not fit.
    """
    n, m = len(real.identity), len(stands)
    _check_shown(edited, real, name, circular)
    if m < 2 or len(edited.identity) != n * m:
        raise ValueError(f"edited must show {n} pictures at each of {m} stands, 2 or more, got {len(edited.identity)}")
    rows = edited.values[name].reshape(n, m)
    rho, steps = (_rho_around, _around(np.diff(rows))) if name in circular else (_rho, np.diff(rows))
    known = np.isfinite(rows).all(axis=1)
    rhos = np.array([rho(stands, row) if ok else 0.0 for row, ok in zip(rows, known, strict=True)])
    return EditScore(
        float(rhos.mean()),
        float(np.where(known, steps.sum(axis=1), 0.0).mean()),
        float((edited.identity.reshape(n, m) == real.identity[:, None]).mean()),
        rest_moved(edited, real, name, circular),
    )


@takes(edited=SHOWN, real=SHOWN, name=TEXT, circular=list_of(TEXT))
def rest_moved(edited, real, name, circular=()):
    """``EditScore.rest``, whose arguments are those of ``score_edits``."""
    _check_shown(edited, real, name, circular)
    n, distances = len(real.identity), []
    for other, before in real.values.items():
        if other == name:
            continue
        apart = edited.values[other].reshape(n, -1) - before[:, None]
        apart = _around(apart) if other in circular else apart
        spread = np.pi / np.sqrt(3) if other in circular else np.nanstd(before)  # of an angle that is even
        distances.append(np.nanmean(np.abs(apart)) / spread)
    return float(np.mean(distances))


def _known(name, rows, values):
    """Rows and their values, where these are known."""
    known = np.isfinite(values)
    if values.shape != rows.shape[:1] or known.sum() < 3:
        raise ValueError(
            f"{name} must have shape (n, L) and values n numbers, three or more of them known, "
            f"got {rows.shape} and {values.shape}"
        )
    return rows[known], values[known]


def _check_shown(edited, real, name, circular):
    """Whether edited pictures show what the real ones do, and the properties that are named are among it."""
    for argument, asked in {"name": [name], "circular": circular}.items():
        if unknown := set(asked) - set(real.values):
            raise ValueError(f"{argument} must be one of {list(real.values)}, got {min(unknown)!r}")
    for argument, shown in {"real": real, "edited": edited}.items():
        got = {key: len(x) for key, x in shown.values.items() if key in real.values}
        wanted = dict.fromkeys(real.values, len(shown.identity))
        if got != wanted or len(edited.identity) % len(real.identity):
            raise ValueError(f"{argument} must show {wanted} values, a multiple of {len(real.identity)}, got {got}")


def _dial(index, column, values, circular):
    """``Dial`` of one column; of an angle the sense in which it follows more closely."""
    if not circular:
        return Dial(index, _rho(column, values))
    same, opposite = _rho_around(column, values), _rho_around(-column, values)
    return Dial(index, same if same >= opposite else -opposite)


def _way(name, value):
    """The run and the way of a row of ``stored_scores``."""
    pair = list_of(TEXT, 2)(name, value)
    return pair if len(pair) == 2 else refuse(name, "a run and a way", value)


@takes(records=list_of(instance(dict)), name=TEXT, ways=mapping_of(_way))
def stored_scores(records, name, ways):
    """Scores of finished runs as a table: the median over seeds, the lowest and the highest in brackets.

    Args:
        records: of ``measured.load_measured("editing")``.
        name: of the property that was moved.
        ways: label of a row to ``(run, way)``; left out where no run moved the property so.

    Returns:
        A ``DataFrame``, a row per way: ``error`` and ``found``, the error of the pictures as they were found and the
        share whose identity is kept before anything moves (0 and 1 where nothing has to be found); the fields of
        ``EditScore``; ``seeds``, how many.
    """
    table = {}
    for label, (run, way) in ways.items():
        ours = [r for r in records if r["run"] == run and way in r["edits"].get(name, {})]
        rows = [{"error": r.get("error", 0.0), "found": r.get("kept", 1.0), **r["edits"][name][way]} for r in ours]
        if rows:
            table[label] = {**{key: _spread(x) for key, x in pd.DataFrame(rows).items()}, "seeds": len(rows)}
    return pd.DataFrame(table).T


def _spread(x):
    ends = f" ({x.min():.2f} to {x.max():.2f})" if len(x) > 1 else ""
    return f"{x.median():.2f}{ends}"


def _around(angles):
    """Radians in (-π, π]."""
    return wrapped(torch.as_tensor(angles)).numpy()


def _rho(column, values):
    """Spearman's ρ, 0 where one of the two never changes."""
    if np.ptp(column) == 0 or np.ptp(values) == 0:
        return 0.0
    return float(spearmanr(column, values).statistic)


def _rho_around(angles, others):
    """How closely one angle goes round with another in the same sense: the mean resultant length of the difference."""
    return float(abs(np.exp(1j * (angles - others)).mean()))
