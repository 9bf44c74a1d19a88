"""Checks of notebook 09: a VAE's divergence and its bound, latents shuffled one by one, a controller of the weight."""

import math
from typing import NamedTuple

import torch

from infogan_helpers import elbo
from infogan_helpers.exercises.checking import (
    SUM,
    TOLERANCE,
    Case,
    Mistake,
    call,
    check_tensors,
    name_of,
    one_number,
    passed,
    random_logits,
    require,
)

ERRORS = ((-40.0, -20.0, -5.0, -1.0), (30.0, 20.0, 5.0, -60.0), (-3.0, 0.5, 2.0, -1.0, 0.0))  # in nats, in a row


def check_kl(function):
    """``kl(mean, log_variance)``: notebook 09, exercise 1: KL(N(μ, σ²) ‖ N(0, 1)) of a batch, in nats."""
    __tracebackhide__ = True
    cases = []
    for n, k in ((6, 3), (4, 5)):
        cases.append(Case(f"{n} images with {k} latents", (random_logits(n, 1, k), random_logits(n, 2, k) / 2)))
    arguments = random_logits(9, 3, 2), random_logits(9, 4, 2).abs() / 2 + 0.1
    cases.append(Case("9 images with 2 latents, every σ above 1", arguments))

    def half_of(inside):
        return lambda m, v: 0.5 * inside(m.square(), v).sum(dim=1).mean()

    variance, sigma = "log σ² was taken for σ²", "log σ² was taken for σ"
    changed_places = "sum and mean have changed places: sum over the latents, dim=1, and average over the images"
    mistakes = [
        Mistake("the sign: a divergence is never negative", lambda m, v: -elbo.gaussian_kl(m, v).sum(dim=1).mean()),
        Mistake("the sign of log σ²: subtract it", half_of(lambda m, v: m + v.exp() - 1 + v)),
        Mistake("exp is missing: the variance is exp(log_variance)", half_of(lambda m, v: m + v - 1 - v)),
        Mistake(variance, half_of(lambda m, v: m + v - 1 - v.log())),
        Mistake(variance, half_of(lambda m, v: m + v - 1 - v.abs().log())),
        Mistake(sigma, half_of(lambda m, v: m + v.square() - 1 - 2 * v.log())),
        Mistake(sigma, half_of(lambda m, v: m + v.square() - 1 - v.square().log())),
        Mistake(
            "log σ² was taken for log σ: no 2 belongs before it", half_of(lambda m, v: m + (2 * v).exp() - 1 - 2 * v)
        ),
        Mistake("the half is missing", lambda m, v: 2 * elbo.gaussian_kl(m, v).sum(dim=1).mean()),
        Mistake(
            "sum and mean are mixed: you averaged over the latents too, whose nats add up",
            lambda m, v: elbo.gaussian_kl(m, v).mean(),
        ),
        Mistake(changed_places, lambda m, v: elbo.gaussian_kl(m, v).sum(dim=0).mean()),
        Mistake(SUM, lambda m, v: elbo.gaussian_kl(m, v).sum()),
    ]
    check_tensors(function, cases, lambda m, v: elbo.gaussian_kl(m, v).sum(dim=1).mean(), mistakes)


def check_bound(function):
    """``elbo(ink, image, mean, log_variance)``: notebook 09, exercise 2: the bound, in nats an image."""
    __tracebackhide__ = True
    cases = []
    for n, pixels, k in ((5, 16, 3), (3, 25, 4), (8, 9, 2)):
        ink, image = ((random_logits(n, seed, pixels) / 2).sigmoid() for seed in (5, 6))
        arguments = (ink, [image], random_logits(n, 7, k), random_logits(n, 8, k) / 2)
        cases.append(Case(f"{n} grey images of {pixels} pixels, with {k} latents", arguments))

    def of_data(ink, images, mean, log_variance):  # the image is data, and needs no gradient: it comes in a list
        __tracebackhide__ = True
        return function(ink, images[0], mean, log_variance)

    of_data.__name__ = name_of(function)

    def of_parts(combine):
        def answer(ink, images, mean, log_variance):
            return combine(_log_likelihood(ink, images[0]), elbo.gaussian_kl(mean, log_variance)).mean()

        return answer

    def of_squares(combine):
        return lambda ink, images, m, v: combine((ink - images[0]).square(), elbo.gaussian_kl(m, v).sum(dim=1)).mean()

    right = of_parts(lambda p, kl: p.sum(dim=1) - kl.sum(dim=1))
    squares = "that is a squared error: the bound takes log p(x | z) of pixels that are black with probability ink"
    mixed = "sum and mean are mixed: you averaged over {} and summed over {}, so that KL weighs too {}"
    mistakes = [
        Mistake(mixed.format("pixels", "latents", "much"), of_parts(lambda p, kl: p.mean(dim=1) - kl.sum(dim=1))),
        Mistake(mixed.format("latents", "pixels", "little"), of_parts(lambda p, kl: p.sum(dim=1) - kl.mean(dim=1))),
        Mistake(
            "you averaged over pixels and latents: sum over both, and average over the images only",
            of_parts(lambda p, kl: p.mean(dim=1) - kl.mean(dim=1)),
        ),
        Mistake(
            "KL was added: it is what the bound costs, so subtract it", of_parts(lambda p, kl: p.sum(1) + kl.sum(1))
        ),
        Mistake(
            "the sign of the log-likelihood: binary cross-entropy is minus it",
            of_parts(lambda p, kl: -p.sum(dim=1) - kl.sum(dim=1)),
        ),
        Mistake("KL is missing: that is the log-likelihood alone", of_parts(lambda p, kl: p.sum(dim=1))),
        Mistake(squares, of_squares(lambda s, kl: -s.sum(dim=1) - kl)),
        Mistake(squares, of_squares(lambda s, kl: -s.sum(dim=1) / 2 - kl)),
        Mistake(squares, of_squares(lambda s, kl: -s.mean(dim=1) - kl)),
        Mistake("ink and image have changed places", lambda i, x, m, v: right(x[0], [i], m, v)),
        Mistake(SUM, lambda i, x, m, v: len(i) * right(i, x, m, v)),
    ]
    turned = "that is a loss: turn its sign, for the bound is to rise"
    for known in [Mistake("", right), *mistakes]:  # the same once more, where the loss came back
        sentence = turned + (f"; besides, {known.sentence}" if known.sentence else "")
        mistakes.append(Mistake(sentence, lambda *arguments, known=known: -known.answer(*arguments)))
    check_tensors(of_data, cases, right, mistakes)


def _log_likelihood(ink, image):
    return torch.xlogy(image, ink) + torch.xlogy(1 - image, 1 - ink)  # shape (n, pixels)


def check_permutation(function):
    """``permute(z, generator)``: notebook 09, exercise 3: each latent shuffled over the batch by itself."""
    __tracebackhide__ = True
    name = name_of(function)
    for n, k in ((64, 4), (50, 2)):
        z, generator = random_logits(n, 9, k), torch.Generator().manual_seed(1)
        case = Case(f"{n} images with {k} latents", (z, generator))
        with torch.random.fork_rng(devices=[]):  # what is drawn from torch's own randomness is put back
            state = torch.get_rng_state()
            first, second = _permuted(function, case), _permuted(function, case)
            untouched = torch.equal(torch.get_rng_state(), state)
            again = _permuted(function, case._replace(arguments=(z, torch.Generator().manual_seed(1))))
            other = _permuted(function, case._replace(arguments=(z, torch.Generator().manual_seed(2))))
        hint = "draws from torch's own randomness: hand the generator on, as in torch.rand(..., generator=generator)"
        require(untouched, name, hint)
        hint = "gives two results for one seed of the generator: draw from the generator, and from nothing else"
        require(torch.equal(first, again), name, hint)
        require(not torch.equal(first, other), name, "gives one result for every seed: draw from the generator")
        hint = "gives one result in every call: draw from the generator that came in, and leave its seed alone"
        require(not torch.equal(first, second), name, hint)
    passed(name, "two batches, with two seeds each")


def _permuted(function, case):
    """What came, once it is known to be a shuffle of each column by itself."""
    __tracebackhide__ = True
    name, (z, _) = name_of(function), case.arguments
    before = z.clone()
    came = call(function, case)
    require(torch.equal(z, before), name, "changed z in place: the VAE still needs it as it was, so fill a new tensor")
    require(
        isinstance(came, torch.Tensor) and came.shape == z.shape and came.dtype == z.dtype,
        name,
        f"on {case.what} must return a tensor like z, of shape {tuple(z.shape)} and {z.dtype}",
    )
    require(not torch.equal(came, z), name, "gave z back as it was: nothing is shuffled")
    is_from = came[:, None] == z  # (n, n, latents): is the number in this row of what came the one in that row of z?
    if not torch.equal(came.sort(dim=0).values, z.sort(dim=0).values):
        hint = f"on {case.what} must return the same numbers, column by column"
        if torch.equal(came.sort(dim=1).values, z.sort(dim=1).values):
            hint = "shuffled the latents within a row: a number stays in its column, and changes its row"
        elif torch.equal(came.flatten().sort().values, z.flatten().sort().values):
            hint = "mixed up the columns: a number stays in its column, and changes its row"
        elif is_from.any(dim=1).all():
            hint = "gave some numbers twice and left others out: draw an order, by randperm or argsort, not by randint"
        require(False, name, hint)
    orders = {tuple(order) for order in is_from.int().argmax(dim=1).T.tolist()}
    hint = "permuted whole rows: latents that were tied stay tied, so give each column an order of its own"
    require(len(orders) > 1, name, hint)
    still = [j for j in range(z.shape[1]) if torch.equal(came[:, j], z[:, j])]
    require(not still, name, f"left some columns as they were, {still}: shuffle each")
    require(len(orders) == z.shape[1], name, "gave two columns one order: give each column an order of its own")
    return came


class Step(NamedTuple):
    """One step of a controller: what went in, and what came out."""

    error: float
    before: float
    beta: float
    integral: float


def check_controller(function):
    """``controller(error, integral)``: notebook 09, exercise 4: the weight β of the step, and the new integral."""
    __tracebackhide__ = True
    name = name_of(function)

    def learners(error, integral):
        __tracebackhide__ = True
        case = Case(f"error {error:g} and integral {integral:.4g}", (error, integral))
        came = call(function, case)
        two = isinstance(came, (tuple, list)) and len(came) == 2 and all(x is not None and x is not ... for x in came)
        require(two, name, f"must return two numbers, β and the new integral; on {case.what} gave {came!r}")
        return one_number(came[0], name, case), one_number(came[1], name, case)

    came, expected = _steps(learners), _steps(_controller())
    wrong = next(((a, b) for a, b in zip(came, expected, strict=True) if not _near(a, b)), None)
    if wrong:
        (error, before, *gave), (_, _, *right) = wrong
        message = (
            f"on error {error:g} and integral {before:.4g} gave β = {gave[0]:.5g} and integral {gave[1]:.4g}, "
            f"expected {right[0]:.5g} and {right[1]:.4g}"
        )
        hints = (m.sentence for m in _controller_mistakes() if all(map(_near, came, _steps(m.answer))))
        hint = next(hints, None)
        require(False, name, message + (f". Likely: {hint}" if hint else ""))
    passed(name, f"{len(ERRORS)} runs of a few steps")


def _steps(controller):
    """The runs of ``ERRORS``, each with the integral that the controller itself gave in the step before."""
    __tracebackhide__ = True
    steps = []
    for errors in ERRORS:
        integral = 0.0
        for error in errors:
            before = integral
            beta, integral = controller(error, before)
            steps.append(Step(error, before, beta, integral))
    return steps


def _near(a, b):
    pairs = ((a.beta, b.beta), (a.integral, b.integral))
    return all(math.isclose(x, y, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for x, y in pairs)


def _controller(
    part=lambda error: 0.01 / (1 + math.exp(error)),
    updated=lambda error, integral: integral - 0.001 * error,
    weight=lambda part, old, new: max(1.0, part + 1 + new),
    returned=lambda beta, old, new: (beta, new),
):
    """The right controller, or one with a wrong line: its proportional part, its integral, its β, what it returns."""

    def step(error, integral):
        new = updated(error, integral)
        return returned(weight(part(error), integral, new), integral, new)

    return step


def _controller_mistakes():
    def opposite(error):
        return 0.01 / (1 + math.exp(-error))

    def added(error, integral):
        return integral + 0.001 * error

    upside_down = "the error is upside down: β must rise where too much is read, which is an error below 0"
    no_sigmoid = "you took Kp times the error: the proportional part is Kp / (1 + exp(error)), at most Kp"
    one_missing = "the 1 is missing: the least weight is added as well, so that an integral of 0 leaves β near 1"
    return [
        Mistake(upside_down, _controller(opposite, added)),
        Mistake("the sign of the integral: it grows where too much is read, so subtract", _controller(updated=added)),
        Mistake("the sign in exp: it is exp(error), so that β rises where too much is read", _controller(opposite)),
        Mistake(no_sigmoid, _controller(lambda error: 0.01 * error)),
        Mistake(no_sigmoid, _controller(lambda error: -0.01 * error)),
        Mistake("the proportional part is missing", _controller(lambda error: 0.0)),
        Mistake(
            "the integral is not updated: each step subtracts Ki times the error, and hands on what is left",
            _controller(updated=lambda error, integral: integral),
        ),
        Mistake(
            "you gave the integral back that came in: hand on the new one",
            _controller(returned=lambda beta, old, new: (beta, old)),
        ),
        Mistake(
            "β is made with the old integral: update it first",
            _controller(weight=lambda part, old, new: max(1.0, part + 1 + old)),
        ),
        Mistake(
            "the integral starts anew in each step: subtract from the one that came in",
            _controller(updated=lambda error, integral: -0.001 * error),
        ),
        Mistake(
            "the integral was kept from falling below 0: only β has a least value here",
            _controller(updated=lambda error, integral: max(0.0, integral - 0.001 * error)),
        ),
        Mistake(
            "the least weight is forgotten: β must not fall below 1", _controller(weight=lambda p, o, n: p + 1 + n)
        ),
        Mistake(one_missing, _controller(weight=lambda p, o, n: max(1.0, p + n))),
        Mistake(one_missing, _controller(weight=lambda p, o, n: p + n)),
        Mistake("the integral comes first: return β, then the integral", _controller(returned=lambda b, o, n: (n, b))),
    ]
