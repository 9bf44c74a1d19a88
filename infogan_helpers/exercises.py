"""Checks for the exercises: each tries your answer on several inputs and, where it is wrong, names the likely mistake.

A check returns nothing and prints one line where all is well; otherwise it raises ``AssertionError``, which says on
which input, what came and what was expected. Not here: the exercises, which are in the notebooks, and points.
"""

import copy
import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import xlogy

from infogan_helpers import disentanglement, games, information, worlds
from infogan_helpers.codes import CodeSpec
from infogan_helpers.networks import DiscriminatorQ, Generator
from infogan_helpers.runtime import isolated_randomness

LOG_2PI = math.log(2 * math.pi)
TOLERANCE = 1e-5  # relative, and absolute: single precision is good enough
PROBABILITIES = "you passed probabilities where logits belong: the loss takes the softmax or the sigmoid itself"
PRIOR_MISSING = "H(c) is missing: the bound is the mean log-likelihood plus the entropy of the prior"
BITS = "that is in bits: use the natural logarithm, so that it is in nats"
SUM = "you summed over the batch where a mean belongs: the result must not grow with the batch"
CUT = (
    "the gradient is cut: torch.tensor([...]), .item(), .detach() and NumPy all start a number without a past; "
    "compute with the tensors that came in"
)
TRUNK_TWICE = "the trunk belongs to two optimisers: D's trunk would be updated twice in a step"
REDRAWN = (
    "the noise is redrawn: in a traversal every image must have the noise of its row, or you see two changes at once"
)
TRAIN_MODE = (
    "the network drew in train mode: batch norm then makes each image depend on its neighbours; call eval() first"
)


class Mistake(NamedTuple):
    """A way to be wrong that we have seen: what it would answer to a case, and the sentence that names it."""

    sentence: str
    answer: object


class Case(NamedTuple):
    """One input: its description, and the arguments."""

    what: str
    arguments: tuple


# Information, on tables


def check_entropy(function):
    """``entropy(p)``: in nats, of probabilities of any shape that may hold zeros."""
    __tracebackhide__ = True
    cases = [Case(f"p = {_short(p)}", (p,)) for p in (np.array([0.5, 0.5]), np.array([1.0, 0.0, 0.0]))]
    cases += [Case(f"p = {_short(p)}", (p,)) for p in _tables(3, (7,), zeros=True)]
    mistakes = [
        Mistake(BITS, lambda p: information.entropy(p) / math.log(2)),
        Mistake("the sign is wrong: log p is negative, so H = -sum p log p", lambda p: -information.entropy(p)),
        Mistake("you took the mean where a sum belongs: each log p weighs p, not 1/n", lambda p: -_mean_log(p)),
        Mistake("0 log 0 must count as 0: leave the zeros out, or use scipy.special.entr", lambda p: math.nan),
    ]
    _check_numbers(function, cases, information.entropy, mistakes)


def check_conditional_entropy(function):
    """``conditional_entropy(joint)``: H(rows | columns) in nats; the columns are what is known."""
    __tracebackhide__ = True
    right = information.conditional_entropy
    mistakes = [
        Mistake(BITS, lambda joint: right(joint) / math.log(2)),
        Mistake("that is H(columns | rows): here the columns are what is known", lambda joint: right(joint.T)),
        Mistake("that is the joint entropy: take away H(columns), which is known", information.entropy),
        Mistake(
            "each column's entropy must weigh the column's probability, not count alike",
            lambda joint: np.mean([information.entropy(c / c.sum()) for c in joint.T if c.sum() > 0]),
        ),
    ]
    _check_numbers(function, _joint_cases(), right, mistakes)


def check_mutual_information(function):
    """``mutual_information(joint)``: in nats, of a table that may hold zeros."""
    __tracebackhide__ = True
    right = information.mutual_information
    mistakes = [
        Mistake(BITS, lambda joint: right(joint) / math.log(2)),
        Mistake("that is a conditional entropy: I = H(rows) - H(rows | columns)", information.conditional_entropy),
        Mistake("that is the joint entropy: I = H(rows) + H(columns) - H(rows, columns)", information.entropy),
        Mistake("the sign is wrong: information is never negative", lambda joint: -right(joint)),
        Mistake("0 log 0 must count as 0: leave the cells with probability 0 out", lambda joint: math.nan),
    ]
    _check_numbers(function, _joint_cases(), right, mistakes)


def check_kl_divergence(function):
    """``kl_divergence(p, q)``: in nats; ``p`` may hold zeros, ``q`` none."""
    __tracebackhide__ = True
    pairs = zip(_tables(4, (6,), zeros=True), _tables(4, (6,), zeros=False, seed=9), strict=True)
    cases = [Case(f"p = {_short(p)}, q = {_short(q)}", (p, q)) for p, q in pairs]
    right = information.kl_divergence
    mistakes = [
        Mistake(BITS, lambda p, q: right(p, q) / math.log(2)),
        Mistake("p and q are swapped: the expectation is over p, the true distribution", lambda p, q: right(q, p)),
        Mistake("that is the cross-entropy: take away the entropy of p", lambda p, q: -xlogy(p, q).sum()),
        Mistake("the sign is wrong: KL is never negative", lambda p, q: -right(p, q)),
        Mistake("0 log 0 must count as 0: leave the entries with p = 0 out", lambda p, q: math.nan),
    ]
    _check_numbers(function, cases, right, mistakes)


def check_variational_lower_bound(function):
    """``variational_lower_bound(joint, q)``: E[log Q(c | x)] + H(c) of tables; rows are codes."""
    __tracebackhide__ = True
    joints = _tables(4, (4, 6), zeros=False)
    guesses = [q / q.sum(axis=0) for q in _tables(4, (4, 6), zeros=False, seed=9)]
    cases = [
        Case(f"a table of {j.shape} that starts with {_short(j[0])}", (j, q))
        for j, q in zip(joints, guesses, strict=True)
    ]
    right = information.variational_lower_bound

    def without(joint, q):
        return xlogy(joint, q).sum()

    mistakes = [
        Mistake(PRIOR_MISSING, without),
        Mistake(BITS, lambda joint, q: right(joint, q) / math.log(2)),
        Mistake(
            "you added H(x): the prior is that of the codes, the rows",
            lambda j, q: without(j, q) + information.entropy(j.sum(axis=0)),
        ),
        Mistake(
            "H(c) has the wrong sign: it is added", lambda j, q: without(j, q) - information.entropy(j.sum(axis=1))
        ),
        Mistake(
            "the expectation is over p(c, x): weigh log Q by the joint table, not by Q",
            lambda j, q: xlogy(q / q.shape[1], q).sum() + information.entropy(j.sum(axis=1)),
        ),
    ]
    _check_numbers(function, cases, right, mistakes)


def check_corrected_information(function):
    """``corrected_information(counts)``: notebook 01, exercise 5: each entropy corrected by its own count of values."""
    __tracebackhide__ = True

    def right(counts, correct=1.0):
        def h(c):
            return information.entropy(c / c.sum()) + correct * (np.count_nonzero(c) - 1) / (2 * c.sum())

        return h(counts.sum(axis=1)) + h(counts.sum(axis=0)) - h(counts)

    random = np.random.default_rng(5)
    tables = [
        random.multinomial(n, p.ravel()).reshape(p.shape)
        for n, p in zip((50, 200, 1000), _tables(3, (4, 5), zeros=True), strict=True)
    ]
    cases = [Case(f"{t.sum()} counts that start with {t[0].tolist()}", (t,)) for t in tables]
    mistakes = [
        Mistake("nothing is corrected: add (values that occurred - 1) / 2N to each entropy", lambda c: right(c, 0.0)),
        Mistake("the correction has the wrong sign: counting makes an entropy too small", lambda c: right(c, -1.0)),
        Mistake(BITS, lambda c: right(c) / math.log(2)),
    ]
    _check_numbers(function, cases, right, mistakes)


# Losses, on batches


def check_discriminator_loss(function):
    """``discriminator_loss(real_logit, fake_logit)``: -E[log D(x)] - E[log(1 - D(G(z)))] from logits."""
    __tracebackhide__ = True
    right = games.discriminator_loss
    mistakes = [
        Mistake(PROBABILITIES, lambda real, fake: right(real.sigmoid(), fake.sigmoid())),
        Mistake(SUM, lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum()),
        Mistake("real and fake are swapped: D must say 1 to what is real", lambda real, fake: right(fake, real)),
        Mistake("the two halves are averaged: the paper adds them", lambda real, fake: right(real, fake) / 2),
    ]
    _check_tensors(
        function,
        [Case(f"{n} real and {m} fake logits", (_logits(n), _logits(m, 1))) for n, m in ((4, 4), (8, 3), (1, 6))],
        right,
        mistakes,
    )


def check_generator_loss(function):
    """``generator_loss(fake_logit)``: -E[log D(G(z))], the form whose gradient stays large while D wins."""
    __tracebackhide__ = True
    right = games.generator_loss
    mistakes = [
        Mistake(PROBABILITIES, lambda fake: right(fake.sigmoid())),
        Mistake(SUM, lambda fake: F.softplus(-fake).sum()),
        Mistake(
            "that is the saturating form, E[log(1 - D)]: its gradient dies while D wins",
            lambda fake: -F.softplus(fake).mean(),
        ),
        Mistake("that is D's loss on fakes: G wants the opposite", lambda fake: F.softplus(fake).mean()),
    ]
    _check_tensors(function, [Case(f"{n} logits", (_logits(n),)) for n in (4, 7, 1)], right, mistakes)


def check_categorical_lower_bound(function):
    """``categorical_lower_bound(logits, codes, prior_entropy)``: E[log Q(c | x)] + H(c) of a batch, in nats."""
    __tracebackhide__ = True

    def right(logits, codes, prior_entropy):
        return prior_entropy - F.cross_entropy(logits, codes)

    mistakes = [
        Mistake(PROBABILITIES, lambda x, c, h: right(x.softmax(dim=1), c, h)),
        Mistake(PRIOR_MISSING, lambda x, c, h: right(x, c, 0.0)),
        Mistake(
            "the sign is wrong: that is the loss, cross-entropy; the bound goes up as it goes down",
            lambda x, c, h: -right(x, c, 0.0),
        ),
        Mistake("the sign is wrong: H(c) is added to the log-likelihood", lambda x, c, h: -right(x, c, -h)),
        Mistake(SUM, lambda x, c, h: h - F.cross_entropy(x, c, reduction="sum")),
        Mistake(BITS, lambda x, c, h: h - F.cross_entropy(x, c) / math.log(2)),
        Mistake(BITS, lambda x, c, h: right(x, c, h) / math.log(2)),
        Mistake(
            "log-softmax must run over the classes, dim=1, not over the batch",
            lambda x, c, h: h + x.log_softmax(dim=0)[torch.arange(len(c)), c].mean(),
        ),
    ]
    cases = [
        Case(f"{n} images, {k} classes", (_logits(n, seed, k), torch.arange(n) * 7 % k, math.log(k)))
        for seed, (n, k) in enumerate(((5, 10), (8, 3), (1, 4)))
    ]
    _check_tensors(function, cases, right, mistakes)


def check_continuous_log_likelihood(function):
    """``continuous_log_likelihood(mean, log_variance, codes)``: log N(c; μ, σ²) of a batch, summed over its codes.

    The result is the mean over the batch, in nats.
    """
    __tracebackhide__ = True

    def right(mean, log_variance, codes, constant=LOG_2PI):
        squares = (codes - mean) ** 2 * torch.exp(-log_variance)
        return -0.5 * (constant + log_variance + squares).sum(dim=1).mean()

    mistakes = [
        Mistake(
            "the constant is missing: log 2π / 2 for each code, so that it is a density",
            lambda m, v, c: right(m, v, c, 0.0),
        ),
        Mistake("you took the log-variance for log σ: σ² is its exponential", lambda m, v, c: right(m, 2 * v, c)),
        Mistake(
            "that is a mean squared error: it ignores the variance, and is no log-likelihood",
            lambda m, v, c: F.mse_loss(m, c),
        ),
        Mistake("the sign is wrong: a log-likelihood goes up as the error goes down", lambda m, v, c: -right(m, v, c)),
        Mistake(
            "you took the mean over the codes where a sum belongs: codes are independent, their log-likelihoods add",
            lambda m, v, c: right(m, v, c) / c.shape[1],
        ),
        Mistake(SUM, lambda m, v, c: right(m, v, c) * len(c)),
        Mistake(
            "log σ² is missing: without it a wide σ costs nothing",
            lambda m, v, c: right(m, v, c) + 0.5 * v.sum(dim=1).mean(),
        ),
    ]
    cases = [
        Case(
            f"{n} images, {k} codes",
            (_logits(n, seed, k), 0.4 * _logits(n, seed + 5, k), torch.tanh(_logits(n, seed + 9, k))),
        )
        for seed, (n, k) in enumerate(((6, 2), (3, 5), (4, 3)))
    ]
    _check_tensors(function, cases, right, mistakes)


# Networks


def check_optimizers(function):
    """``make_optimizers(generator, discriminator_q)``: three optimisers, for G, for D with the trunk, for Q's head."""
    __tracebackhide__ = True
    name = _name(function)
    for spec in (CodeSpec(categorical=(10,), continuous=2, noise=4), CodeSpec(categorical=(), continuous=3, noise=2)):
        with isolated_randomness():
            g, dq = Generator(spec, width=0.125), DiscriminatorQ(spec, width=0.125)
        optimizers = _call(function, Case(f"networks for {spec.names}", (g, dq)))
        _require(
            isinstance(optimizers, (tuple, list)) and len(optimizers) == 3,
            name,
            "must return three optimisers, G's, D's, Q's",
        )
        owned = [{id(p) for group in o.param_groups for p in group["params"]} for o in optimizers]
        parts = {"G": g, "the trunk": dq.trunk, "D's head": dq.real_head, "Q's head": dq.q_head}
        owners = {
            part: [i for i in range(3) if owned[i] & {id(p) for p in m.parameters()}] for part, m in parts.items()
        }
        _require(len(owners["the trunk"]) < 2, name, TRUNK_TWICE)
        for part, wanted in {"G": 0, "the trunk": 1, "D's head": 1, "Q's head": 2}.items():
            _require(owners[part], name, f"leaves {part} to nobody: it would never learn")
            got = " and ".join("GDQ"[i] for i in owners[part])
            _require(
                owners[part] == [wanted], name, f"gives {part} to the optimiser of {got}, which is {'GDQ'[wanted]}'s"
            )
            whole = {id(p) for p in parts[part].parameters()}
            _require(whole <= owned[wanted], name, f"leaves some parameters of {part} to nobody")
    _passed(name, "two pairs of networks")


def check_traversal(function):
    """``traversal(codes, index, values)``: each row once a value of one continuous code, everything else held."""
    __tracebackhide__ = True
    name = _name(function)
    for n, index, values in ((1, 0, [-1.0, 0.0, 1.0]), (3, 1, [-2.0, -0.5, 0.5, 2.0])):
        codes = CodeSpec(categorical=(4, 2), continuous=3, noise=5).sample(n, torch.Generator().manual_seed(n))
        case = Case(f"{n} rows, continuous code {index}, values {values}", (codes, index, values))
        right, before = codes.sweep_continuous(index, values), codes.continuous.clone()
        got = _call(function, case)
        _require(torch.equal(codes.continuous, before), name, "changes the codes that it was given")
        _require(hasattr(got, "continuous"), name, f"must return Codes, got {type(got).__name__}")
        _require(len(got) == len(right), name, f"must return {len(right)} rows on {case.what}, got {len(got)}")
        _require(torch.equal(got.noise, right.noise), name, f"on {case.what}: {REDRAWN}")
        _require(
            torch.equal(got.categorical, right.categorical), name, "changes a categorical code: only one code may move"
        )
        others = [i for i in range(3) if i != index]
        _require(
            torch.allclose(got.continuous[:, others], right.continuous[:, others]),
            name,
            "changes another continuous code: only one code may move",
        )
        moved = got.continuous[:, index].tolist()
        _require(
            torch.allclose(got.continuous, right.continuous),
            name,
            f"on {case.what} must move the code through the values for each row in turn, got {_short(moved)}",
        )
    _passed(name, "two traversals")


def check_drawing(function):
    """``draw(generator, codes)``: images in eval mode, without gradients; the network's mode is put back."""
    __tracebackhide__ = True
    name = _name(function)
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    with isolated_randomness():
        torch.manual_seed(0)
        generator = Generator(spec, width=0.125)
    with torch.no_grad():
        for _ in range(30):  # so that the running statistics are those of the codes
            generator(spec.sample(64, torch.Generator().manual_seed(0)))
        codes = spec.sample(6, torch.Generator().manual_seed(1))
        right, in_train_mode = (copy.deepcopy(generator).train(mode)(codes) for mode in (False, True))
    got = _call(function, Case("six codes and a network in train mode", (generator, codes)))
    _require(
        isinstance(got, torch.Tensor) and got.shape == right.shape,
        name,
        f"must return a tensor of shape {tuple(right.shape)}",
    )
    _require(not torch.allclose(got, in_train_mode, atol=1e-6), name, TRAIN_MODE)
    _require(torch.allclose(got, right, atol=1e-4), name, "returns other images than the generator's in eval mode")
    _require(not got.requires_grad, name, "keeps a graph for gradients that nobody will ask for: use torch.no_grad()")
    _require(generator.training, name, "leaves the network in eval mode: put its mode back, it may be in training")
    _passed(name, "six codes")


def check_height(function):
    """``height(images)``: notebook 05, exercise 2: rows from the first to the last with ink above one half."""
    __tracebackhide__ = True

    def right(images):
        rows = (images[:, 0] > 0).any(dim=2)
        place = torch.arange(1, rows.shape[1] + 1)
        return rows.mul(place).amax(1) - rows.shape[1] + rows.mul(place.flip(0)).amax(1)

    name = _name(function)
    bars = torch.full((4, 1, 28, 28), -1.0)
    for i, (top, bottom) in enumerate(((5, 15), (0, 1), (3, 28), (10, 12))):
        bars[i, 0, top:bottom, 14] = 1.0
    bars[0, 0, 9] = -1.0  # a gap inside does not make it lower
    got = torch.as_tensor(_call(function, Case("four bars", (bars,)))).float()
    _require(got.shape == (4,), name, f"must return one number an image, shape (4,), got {tuple(got.shape)}")
    wanted = right(bars).float()
    if torch.allclose(got, wanted - 1):
        _require(False, name, "is one row short: from row 5 to row 14 there are ten rows")
    if torch.allclose(got, (bars[:, 0] > 0).any(dim=2).sum(1).float()):
        _require(False, name, "counts the rows with ink: a gap inside belongs to the height")
    _require(torch.allclose(got, wanted), name, f"on bars {wanted.tolist()} rows high gave {got.tolist()}")
    _passed(name, "four bars")


def check_softmax_cap(function):
    """``cap(K)``: notebook 03, exercise 1: the largest L_I in nats that softmax twice allows for K classes."""
    __tracebackhide__ = True

    def right(k):
        return math.log(k) + 1 - math.log(math.e + k - 1)

    mistakes = [
        Mistake(
            "that is the ceiling of the right loss, log K: here the largest 'logit' is 1 and the others are 0", math.log
        ),
        Mistake(PRIOR_MISSING, lambda k: 1 - math.log(math.e + k - 1)),
        Mistake(
            "the other K - 1 classes still have a probability of 0, which softmax turns into e⁰ = 1 each",
            lambda k: math.log(k) + 1 - math.log(math.e + k),
        ),
        Mistake(BITS, lambda k: right(k) / math.log(2)),
    ]
    _check_numbers(function, [Case(f"K = {k}", (k,)) for k in (2, 3, 10, 1000)], right, mistakes)


def check_gap_of_a_blurred_copy(function):
    """``encode(images)``: notebook 06, exercise 3: FactorVAE calls the encoder perfect, MIG less than 0.2."""
    __tracebackhide__ = True
    name, random = _name(function), torch.Generator().manual_seed(3)

    class Toy:
        def sample_factors(self, n, generator=None):
            return torch.randint(10, (n, 2), generator=generator)

        def render(self, factors):
            return factors.double()

    factors = Toy().sample_factors(4000, random)
    codes = _call(function, Case("4,000 pictures of the toy world", (factors.double(),)))
    pairs = [(i, j) for i in range(codes.shape[1]) for j in range(i) if torch.equal(codes[:, i], codes[:, j])]
    _require(not pairs, name, f"has two codes that are exactly the same, {pairs}: blur one of them")
    gap = disentanglement.mutual_information_gap(codes, factors)
    _require(
        gap < 0.2,
        name,
        f"has a MIG of {gap:.2f}, which must be below 0.2: the second-best code must know nearly as much",
    )
    score = disentanglement.factor_vae_score(Toy(), function, n_train=200, n_test=200, n_spread=2000)
    _require(score == 1, name, f"has a FactorVAE score of {score:.2f}, which must be 1: no code may mix the factors")
    _passed(name, "4,000 pictures")


# Values

_ANSWERS = {  # what each exercise asks for, how near it must come, and the values that give a mistake away
    "H of the lopsided code": (math.log(6), 1e-3, {math.log2(6): BITS, math.log(10): "that is the uniform code's"}),
    "equally likely values": (6.0, 1e-3, {2 ** math.log(6): "H is in nats: take e to the power of it, not 2"}),
    "nats of the sign": (
        0.1931,
        1e-3,
        {0.3466: "that is all of I(X; Y), not what the sign keeps", 0.6931: "that is H(sign), a ceiling", 0.2786: BITS},
    ),
    "corrected mean": (1.57, 0.01, {1.42: "that is section 9's correction: correct each entropy by itself"}),
    "best epsilon": (
        0.2,
        0.011,
        {0.18: "0.18 is what the channel gives to wrong codes together; Q needs ε with ε/10 on each, its own code too"},
    ),
    "excess": (
        0.5108,
        1e-3,
        {
            -0.5108: "the sign is wrong: the report is too large",
            1.7918: "that is H(c): how much more than this is reported?",
            2.3026: "that is what is reported: take the truth away",
        },
    ),
    "ceiling of a normal code": (
        0.5,
        1e-6,
        {
            -0.5: "the sign is wrong",
            1.4189: "that is H(c): the fixed σ costs ½ log 2π of it",
            -0.2258: "that is the uniform code's, which has less entropy",
        },
    ),
    "σ where the bound is 0": (1.0, 1e-6, {0.5: "the bound is -log σ: where is a logarithm 0?"}),
}


def check_circular_correlation(function):
    """``correlation(a, b)``: notebook 07, exercise 1: of two arrays of angles, in radians."""
    __tracebackhide__ = True
    random = np.random.default_rng(7)
    turn = random.uniform(-math.pi, math.pi, 400)
    cases = [
        Case("an angle and itself, turned by 1 radian", (turn, turn + 1.0)),
        Case("an angle and its mirror image", (turn, 2.0 - turn)),
        Case("an angle and itself, with noise", (turn, turn + 0.7 * random.standard_normal(400))),
        Case("an angle and another", (turn, random.uniform(-math.pi, math.pi, 400))),
        Case("an angle and one that folds", (2 * np.abs(turn) - math.pi, turn)),
    ]
    mistakes = [
        Mistake(
            "you tried one sense only: an angle that runs the other way follows as well, so take the larger of both",
            lambda a, b: abs(np.exp(1j * (a - b)).mean()),
        ),
        Mistake(
            "the mean of the cosine asks for equal angles: take the length of the mean of exp(i(a - b)), which lets "
            "one be turned against the other",
            lambda a, b: max(np.cos(a - b).mean(), np.cos(a + b).mean()),
        ),
        Mistake("an ordinary correlation tears the circle open at ±π", lambda a, b: np.corrcoef(a, b)[0, 1]),
        Mistake("an ordinary correlation tears the circle open at ±π", lambda a, b: abs(np.corrcoef(a, b)[0, 1])),
        Mistake("you took the mean of the lengths, each of which is 1: take the length of the mean", lambda a, b: 1.0),
    ]
    _check_numbers(function, cases, disentanglement.circular_correlation, mistakes)


def check_cluster_purity(function):
    """``purity(clusters, kinds, test_clusters, test_kinds)``: notebook 07, exercise 2: vote on one part, count on the
    other; a cluster that the vote never saw counts as wrong.
    """
    __tracebackhide__ = True
    random = np.random.default_rng(11)

    def right(clusters, kinds, test_clusters, test_kinds):
        return disentanglement.cluster_purity(clusters[:, None], kinds, test=(test_clusters[:, None], test_kinds))

    def dropped(clusters, kinds, test_clusters, test_kinds):
        seen = np.isin(test_clusters, clusters)
        return right(clusters, kinds, test_clusters[seen], test_kinds[seen])

    def one_to_one(clusters, kinds, test_clusters, test_kinds):
        return np.mean(test_clusters == test_kinds)

    cases = []
    for n in (4, 9, 15):
        clusters, test = random.integers(0, n, 400), random.integers(0, n + 3, 400)
        kinds, test_kinds = (
            np.where(random.random(400) < 0.7, (c + 1) % 3, random.integers(0, 3, 400)) for c in (clusters, test)
        )
        cases.append(Case(f"{n} clusters and 3 kinds, 400 of each part", (clusters, kinds, test, test_kinds)))
    mistakes = [
        Mistake(
            "you voted and counted on the test part: many small clusters then flatter themselves",
            lambda c, k, tc, tk: right(tc, tk, tc, tk),
        ),
        Mistake("you counted on the part that voted", lambda c, k, tc, tk: right(c, k, c, k)),
        Mistake("clusters that the vote never saw were left out: count them as wrong", dropped),
        Mistake("a cluster's number is not its kind: vote first", one_to_one),
    ]
    _check_numbers(function, cases, right, mistakes)


def check_unlit_view(function):
    """``unlit(images)``: notebook 07, exercise 3: a view of faces that keeps the azimuth and loses the light."""
    __tracebackhide__ = True
    name, world = _name(function), worlds.Faces()
    heads = world.sample_factors(24, torch.Generator().manual_seed(2))
    heads[:, world.names.index("light")], heads[:, world.names.index("azimuth")] = 10, 15

    def seen(**changed):
        factors = heads.clone()
        for factor, index in changed.items():
            factors[:, world.names.index(factor)] = index
        images = world.render(factors)
        got = _call(function, Case("24 heads", (images,)))
        _require(
            isinstance(got, torch.Tensor) and got.shape == images.shape,
            name,
            f"must return a tensor of the images' shape, {tuple(images.shape)}",
        )
        _require(bool(torch.isfinite(got).all()), name, "returns values that are no numbers")
        _require(
            bool((got.abs() <= 1 + 1e-6).all()), name, f"must stay in [-1, 1], got {got.min():.2f} to {got.max():.2f}"
        )
        return got

    lit, turned, middle = seen(light=0), seen(azimuth=28), seen()
    _require(
        bool((turned - middle).abs().mean() > 0.02),
        name,
        "hardly changes when the head turns: the azimuth is lost as well",
    )
    ratio = float((lit - middle).abs().mean() / (turned - middle).abs().mean())
    _require(
        ratio < 0.3,
        name,
        f"still shows the light: moving it changes the view {ratio:.2f} times as much as turning the head, which must "
        "be less than 0.3. The background is black, whatever the light; nothing else is",
    )
    _passed(name, "24 heads")


def check_value(name, value):
    """A number that an exercise asks for by name.

    Args:
        name: what is asked for; the exercise says it.
        value: your number.

    Raises:
        AssertionError: it is another one.
        ValueError: there is no such question.
    """
    __tracebackhide__ = True
    if name not in _ANSWERS:
        raise ValueError(f"name must be one of {sorted(_ANSWERS)}, got {name!r}")
    _require(value is not None and value is not Ellipsis, name, "is not written yet")
    right, tolerance, mistakes = _ANSWERS[name]
    got = _number(value, name)
    hints = [sentence for wrong, sentence in mistakes.items() if abs(got - wrong) <= 1e-3]
    _require(abs(got - right) <= tolerance, name, f"= {got:.4f} is not it" + (f": {hints[0]}" if hints else ""))
    _passed(name, "its value")


def check_two_coins(shows_both, shows_one_twice):
    """Notebook 01, exercise 3: the joint tables of two coins with a picture of both, and of one twice."""
    __tracebackhide__ = True
    for name, table, right in (
        ("shows_both", shows_both, 2 * math.log(2)),
        ("shows_one_twice", shows_one_twice, math.log(2)),
    ):
        table = np.asarray(table, dtype=float)
        _require(table.shape == (4, 4), name, f"must have four rows and four columns, got {table.shape}")
        _require(
            abs(table.sum() - 1) < 1e-6,
            name,
            f"must sum to 1, got {table.sum():.3f}: is it a joint table, or a channel?",
        )
        _require(np.allclose(table.sum(axis=1), 0.25), name, "must give each pair of coins, a row, the probability 1/4")
        got = information.mutual_information(table)
        _require(abs(got - right) < 1e-6, name, f"has I = {got:.4f} nats, which must be {right:.4f}")
    _passed("both tables", "four rows each")


def check_lower_bound_above(generator_table, joint, posterior):
    """Notebook 02, exercise 3: a table with more information than ``joint`` and a lower bound that is lower."""
    __tracebackhide__ = True
    table = np.asarray(generator_table, dtype=float)
    _require(table.shape == np.shape(joint), "mine", f"must have the shape {np.shape(joint)}, got {table.shape}")
    _require(
        abs(table.sum() - 1) < 1e-6,
        "mine",
        f"must sum to 1, got {table.sum():.3f}: divide a channel by the number of codes",
    )
    more, than = information.mutual_information(table), information.mutual_information(joint)
    _require(more > than, "mine", f"has I = {more:.4f} nats, no more than the {than:.4f} of joint")
    lower = information.variational_lower_bound(table, posterior)
    bound = information.variational_lower_bound(joint, posterior)
    _require(
        lower < bound, "mine", f"has L_I = {lower:.4f} nats, no less than the {bound:.4f} of joint: Q must misread it"
    )
    _passed("mine", "both inequalities")


# How a check works. IPython leaves functions with __tracebackhide__ out of what it shows of an error.


def _check_numbers(function, cases, right, mistakes):
    """A function of arrays that returns one number."""
    __tracebackhide__ = True
    name = _name(function)
    came = [_number(_call(function, case), name, case) for case in cases]
    _compare(name, cases, came, [float(right(*case.arguments)) for case in cases], mistakes)
    _passed(name, f"{len(cases)} inputs")


def _check_tensors(function, cases, right, mistakes):
    """A function of tensors that returns a scalar with gradients to all floats that came in."""
    __tracebackhide__ = True
    name = _name(function)
    came, gradients = [], []
    for case in cases:
        leaves = [a.clone().requires_grad_() if _is_float(a) else a for a in case.arguments]
        result = _call(function, case._replace(arguments=tuple(leaves)))
        came.append(_number(result, name, case))
        gradients.append((leaves, result))
    _compare(name, cases, came, [float(right(*case.arguments)) for case in cases], mistakes)
    for case, (leaves, result) in zip(cases, gradients, strict=True):
        _require(isinstance(result, torch.Tensor) and result.requires_grad, name, f"on {case.what}: {CUT}")
        floats = [a for a in leaves if _is_float(a) and a.requires_grad]
        twins = [a.clone().requires_grad_() if _is_float(a) else a for a in case.arguments]
        ours = torch.autograd.grad(result, floats, allow_unused=True)
        theirs = torch.autograd.grad(right(*twins), [a for a in twins if _is_float(a)], allow_unused=True)
        for one, other in zip(ours, theirs, strict=True):
            _require(one is not None, name, f"on {case.what}: {CUT}")
            _require(
                torch.allclose(one, other, atol=1e-4),
                name,
                f"on {case.what} has the right value and another gradient than it",
            )
    _passed(name, f"{len(cases)} inputs, gradients included")


def _compare(name, cases, came, expected, mistakes):
    __tracebackhide__ = True
    wrong = [i for i in range(len(cases)) if not _near(came[i], expected[i])]
    if not wrong:
        return
    hint = next(
        (m.sentence for m in mistakes if all(_near(came[i], float(m.answer(*cases[i].arguments))) for i in wrong)), None
    )
    first = wrong[0]
    message = f"on {cases[first].what} gave {came[first]:.5g}, expected {expected[first]:.5g}"
    _require(False, name, message + (f". Likely: {hint}" if hint else ""))


def _near(a, b):
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


def _call(function, case):
    """What the learner's function returns, or an ``AssertionError`` that says on what it failed."""
    __tracebackhide__ = True
    name = _name(function)
    try:
        result = function(*case.arguments)
    except NotImplementedError as error:
        raise AssertionError(f"{name} is not written yet") from error
    except Exception as error:
        raise AssertionError(f"{name} on {case.what} raised {type(error).__name__}: {error}") from error
    _require(
        result is not None and result is not Ellipsis,
        name,
        f"returned nothing on {case.what}: is it written, and does it return?",
    )
    return result


def _number(value, name, case=None):
    __tracebackhide__ = True
    where = f" on {case.what}" if case else ""
    value = value.detach().cpu() if isinstance(value, torch.Tensor) else value
    shape = tuple(np.shape(value))
    _require(
        math.prod(shape) == 1, name, f"must give one number{where}, got shape {shape}: is a sum or a mean missing?"
    )
    _require(not isinstance(value, str), name, f"must give a number{where}, got {value!r}")
    return float(np.ravel(value)[0])


def _require(holds, name, message):
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(f"{name} {message}")


def _passed(name, on):
    print(f"{name}: right on {on}.")


def _name(function):
    return getattr(function, "__name__", type(function).__name__)


def _is_float(value):
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _short(values):
    return "[" + ", ".join(f"{float(v):.3g}" for v in np.ravel(values)[:8]) + (", …]" if np.size(values) > 8 else "]")


def _tables(count, shape, zeros, seed=0):
    """Random distributions; every other one holds zeros, where asked for."""
    random = np.random.default_rng([17, seed, *shape])
    tables = []
    for i in range(count):
        table = random.random(shape) + 0.05
        if zeros and i % 2:
            table.ravel()[random.permutation(table.size)[: table.size // 4]] = 0.0
        tables.append(table / table.sum())
    return tables


def _joint_cases():
    tables = [np.full((2, 2), 0.25), np.eye(3) / 3, *_tables(4, (3, 5), zeros=True)]
    return [Case(f"a table of {t.shape} that starts with {_short(t[0])}", (t,)) for t in tables]


def _mean_log(p):
    p = p[p > 0]
    return float(np.log(p).mean())


def _logits(n, seed=0, columns=None):
    shape = (n,) if columns is None else (n, columns)
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(100 + seed))
