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

from infogan_helpers import checks
from infogan_helpers.codes import Codes
from infogan_helpers.judges import judged
from infogan_helpers.measures import MEASURES
from infogan_helpers.priors import wrapped
from infogan_helpers.quality import classify

RIDGES = (1.0, 10.0, 100.0, 1000.0)  # of the fit of a direction, the best of which is chosen on left-out pictures


class Shown(NamedTuple):
    """What pictures show, said by what only scores.

    Attributes:
        identity: the digit, or the kind of a world (a face's identity, a chair's type): integers, shape ``(n,)``.
        values: name of a property to floats of shape ``(n,)``, in its unit; NaN where it can't be measured.
    """

    identity: np.ndarray
    values: dict


def digits_show(classifier, images):
    """``Shown`` of digits: what the classifier says, slant in radians, thickness and width in pixels.

    Args:
        classifier: from ``quality.load_classifier``.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, 1, 28, 28)``.
    """
    digits = classify(classifier, images)[0].argmax(dim=1).numpy()
    return Shown(digits, {name: MEASURES[name](images) for name in ("slant", "thickness", "width")})


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
    columns, values = checks.array(columns), checks.array(values)
    if columns.ndim != 2 or values.shape != columns.shape[:1] or np.isfinite(values).sum() < 3:
        raise ValueError(
            f"columns must have shape (n, L) and values n numbers, three or more of them known, "
            f"got {columns.shape} and {values.shape}"
        )
    known = np.isfinite(values)
    dials = [_dial(i, x, values[known], circular) for i, x in enumerate(columns[known].T)]
    return max(dials, key=lambda dial: abs(dial.rho))


def direction(latents, values):
    """The unit vector along which a property rises, by a linear fit.

    Args:
        latents: noise or latents of ``n`` pictures, shape ``(n, L)``.
        values: the property on them, shape ``(n,)``; pictures with NaN are left out.

    Returns:
        Floats, shape ``(L,)``, of length 1.

    Source: Shen et al. 2020, *Interpreting the Latent Space of GANs*, whose direction is a classifier's normal; here a
    ridge regression, by ``sklearn.linear_model.RidgeCV``.
    """
    latents, values = checks.array(latents), checks.array(values)
    known = np.isfinite(values)
    weights = RidgeCV(RIDGES).fit(latents[known], values[known]).coef_
    return torch.tensor(weights / np.linalg.norm(weights), dtype=torch.float32)


def set_along(latents, along, targets):
    """Each row once per target, moved along a unit vector until its coordinate there is the target; the rest is kept.

    Args:
        latents: shape ``(n, L)``.
        along: of length 1, shape ``(L,)``.
        targets: shape ``(m,)``.

    Returns:
        Shape ``(n * m, L)``: all targets of row 0, then all of row 1, …
    """
    steps = targets[None, :] - (latents @ along)[:, None]
    return (latents[:, None, :] + steps[:, :, None] * along).flatten(0, 1)


def towards(codes, others, share):
    """Codes on the way to other pictures' codes; the classes stay.

    Args:
        codes: ``Codes`` of ``n`` rows.
        others: likewise.
        share: of the way, in [0, 1].

    Returns:
        ``Codes`` of ``n`` rows: values on the straight line, angles the shorter way round, noise on the quarter of a
        circle of ``priors.noise_between``, on which it stays as long as a draw is.
    """
    checks.number("share", share, least=0, most=1)
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
    if name not in real.values:
        raise ValueError(f"name must be one of {list(real.values)}, got {name!r}")
    if m < 2 or len(edited.identity) != n * m:
        raise ValueError(f"edited must show {n} pictures at each of {m} stands, 2 or more, got {len(edited.identity)}")
    rows, stands = edited.values[name].reshape(n, m), checks.array(stands)
    rho, steps = (_rho_around, _around(np.diff(rows))) if name in circular else (_rho, np.diff(rows))
    known = np.isfinite(rows).all(axis=1)
    rhos = np.array([rho(stands, row) if ok else 0.0 for row, ok in zip(rows, known, strict=True)])
    return EditScore(
        float(rhos.mean()),
        float(np.where(known, steps.sum(axis=1), 0.0).mean()),
        float((edited.identity.reshape(n, m) == real.identity[:, None]).mean()),
        rest_moved(edited, real, name, circular),
    )


def rest_moved(edited, real, name, circular=()):
    """``EditScore.rest``, whose arguments are those of ``score_edits``."""
    n, distances = len(real.identity), []
    for other, before in real.values.items():
        if other == name:
            continue
        apart = edited.values[other].reshape(n, -1) - before[:, None]
        apart = _around(apart) if other in circular else apart
        spread = np.pi / np.sqrt(3) if other in circular else np.nanstd(before)  # of an angle that is even
        distances.append(np.nanmean(np.abs(apart)) / spread)
    return float(np.mean(distances))


def _dial(index, column, values, circular):
    """``Dial`` of one column; of an angle the sense in which it follows more closely."""
    if not circular:
        return Dial(index, _rho(column, values))
    same, opposite = _rho_around(column, values), _rho_around(-column, values)
    return Dial(index, same if same >= opposite else -opposite)


def stored_scores(records, name, ways):
    """Scores of finished runs as a table: the median over seeds, and the lowest and the highest in brackets.

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
            spread = {
                key: f"{x.median():.2f} ({x.min():.2f} to {x.max():.2f})" for key, x in pd.DataFrame(rows).items()
            }
            table[label] = {**spread, "seeds": len(rows)}
    return pd.DataFrame(table).T


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
