"""Checks of notebook 04: images are drawn in eval mode; a training step with copies and a term on real digits."""

import copy
from typing import NamedTuple

import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.exercises.checking import (
    Case,
    call,
    name_of,
    passed,
    require,
)
from infogan_helpers.methods import digits
from infogan_helpers.methods.players import make_players
from infogan_helpers.networks import Generator
from infogan_helpers.posteriors import Posterior
from infogan_helpers.runtime import isolated_randomness

TRAIN_MODE = (
    "the network drew in train mode: batch norm then makes each image depend on its neighbours; call eval() first"
)


def check_drawing(function):
    """``draw(generator, codes)``: images in eval mode, without gradients; the network's mode is put back."""
    __tracebackhide__ = True
    name = name_of(function)
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    with isolated_randomness():
        torch.manual_seed(0)
        generator = Generator(spec, width=0.125)
    with torch.no_grad():
        for _ in range(30):  # so that the running statistics are those of the codes
            generator(spec.sample(64, torch.Generator().manual_seed(0)))
        codes = spec.sample(6, torch.Generator().manual_seed(1))
        right, in_train_mode = (copy.deepcopy(generator).train(mode)(codes) for mode in (False, True))
    got = call(function, Case("six codes and a network in train mode", (generator, codes)))
    require(
        isinstance(got, torch.Tensor) and got.shape == right.shape,
        name,
        f"must return a tensor of shape {tuple(right.shape)}",
    )
    require(not torch.allclose(got, in_train_mode, atol=1e-6), name, TRAIN_MODE)
    require(torch.allclose(got, right, atol=1e-4), name, "returns other images than the generator's in eval mode")
    require(not got.requires_grad, name, "keeps a graph for gradients that nobody will ask for: use torch.no_grad()")
    require(generator.training, name, "leaves the network in eval mode: put its mode back, it may be in training")
    passed(name, "six codes")


def check_training_step(function):
    """``step(players, real, spec, config, generator)``: notebook 04, exercise 4: copies, and a term on real digits.

    It is tried on small networks, with one thing cut at a time: where a gradient is cut that the step needs, somebody
    has to move otherwise.
    """
    __tracebackhide__ = True
    name = name_of(function)
    whole = _try_step(function)
    seen = {kind for rows in whole.shown for kind in rows}
    for kind, mistake in NOT_SHOWN.items():
        require(kind in seen or (kind == COPY and CUT_COPY in seen), name, mistake)
    require(CUT_COPY not in seen, name, COPY_IS_CUT)
    without_copy, without_again, without_answer = (
        _try_step(function, cut=kind).moved for kind in (COPY, REAL_COPY, REAL)
    )
    require(not _equal(whole.moved["G"], without_copy["G"]), name, G_IS_NOT_PAID)
    require(_equal(whole.moved["G"], without_again["G"]), name, G_FOLLOWS_REAL)
    require(not _equal(whole.moved["Q's head"], without_again["Q's head"]), name, Q_DOES_NOT_REPEAT)
    require(not _equal(whole.moved["Q's head"], without_answer["Q's head"]), name, Q_SAYS_NOTHING)
    require(_try_step(function, same_answer=True).pull < 1e-6, name, NOT_HELD_FIXED)
    silent, no_fakes = _try_step(function, cut=None), _try_step(function, cut=FAKE)
    require(not any(bool(change.any()) for change in silent.moved["Q's head"]), name, Q_FOLLOWS_D)
    require(any(bool(change.any()) for change in silent.moved["D's head"]), name, D_STANDS_STILL)
    require(not _equal(whole.moved["D's head"], no_fakes.moved["D's head"]), name, NOT_SHOWN[FAKE])
    require(silent.fooled > 0, name, G_FOLLOWS_D)
    passed(name, "who sees what, who moves and what is held fixed")


REAL, FAKE, COPY, CUT_COPY, REAL_COPY = (
    "a real image",
    "a fake",
    "a copy of a fake",
    "a copy of a fake that is cut off from G",
    "a copy of a real image",
)
NOT_SHOWN = {
    REAL: "never shows D and Q the real images",
    FAKE: "never shows D the fakes themselves: D judges what G drew, and only Q reads copies",
    COPY: "shows Q no copy of the fakes: reading the fake itself, it finds c1 in style as well as in the digit",
    REAL_COPY: "shows Q no copy of the real images: consistency asks for the same answer on the image and on its copy",
}
COPY_IS_CUT = "makes the copies of something detached: no gradient of L_I reaches G through the copy"
G_IS_NOT_PAID = "gives G nothing for what Q reads from the copy: L_I, read there, belongs into G's loss"
G_FOLLOWS_REAL = "moves G by the term on real images, which G has no part in"
Q_DOES_NOT_REPEAT = (
    "does not move Q's head by consistency: the answer on the copy of a real image enters no loss of Q's"
)
Q_SAYS_NOTHING = (
    "does not move Q's head by its answers on real images: answer_information asks that they say much, and is to be "
    "raised, so its negative belongs into the loss"
)
NOT_HELD_FIXED = (
    "lets consistency pull at the answer on the image: hold it fixed with detach(), or the two meet at saying nothing"
)
Q_FOLLOWS_D = "moves Q's head where no answer of Q's enters a loss: Q's optimiser is to follow Q's loss alone"
D_STANDS_STILL = "does not move D's head: D's loss belongs to the optimiser that owns D's head and the trunk"
G_FOLLOWS_D = (
    "moves G so that D is fooled less: G collects the gradient of D's loss as well; descend() keeps them apart"
)


class _Tried(NamedTuple):
    """What one step did: kinds of the rows that were shown, how far the parts moved, D fooled, the pull on answers."""

    shown: list
    moved: dict
    fooled: float
    pull: float


class _Watched(torch.nn.Module):
    """D with Q, and a note of all that it is shown; it can cut what flows back through Q's answers."""

    def __init__(self, inner, real, fakes, cut, same_answer):
        super().__init__()
        self.inner, self.real, self.fakes, self.cut, self.same_answer = inner, real, fakes, cut, same_answer
        self.shown, self.pulls = [], []

    def forward(self, images):
        logit, posterior = self.inner(images)
        kinds = [self.kind(image) for image in images]
        self.shown.append(kinds)
        logits = posterior.categorical_logits[0]
        chosen = torch.tensor([self.cut is None or kind == self.cut for kind in kinds])[:, None]
        logits = torch.where(chosen, logits.detach() + 0 * logits, logits)
        on_real = torch.tensor([kind == REAL for kind in kinds])[:, None]
        if self.same_answer and on_real.any():  # answers that are all alike earn nothing, and no slope
            logits = torch.where(on_real, 0 * logits + torch.linspace(0, 1, logits.shape[1]), logits)
            logits.register_hook(lambda slope: self.pulls.append(float((slope * on_real).abs().max())))
        if self.cut == FAKE:
            logit = torch.where(chosen[:, 0], logit.detach() + 0 * logit, logit)
        mean, log_variance = (
            part.detach() + 0 * part if self.cut is None else part for part in (posterior.mean, posterior.log_variance)
        )
        return logit, Posterior((logits,), mean, log_variance)

    def kind(self, image):
        fake = self.fakes[-1] if self.fakes else self.real[:0]
        for kind, images in ((REAL, self.real), (FAKE, fake)):
            if any(torch.equal(image.detach(), other.detach()) for other in images):
                return kind
        if image.requires_grad and fake.requires_grad:
            (slope,) = torch.autograd.grad(image.sum(), fake, retain_graph=True, allow_unused=True)
            if slope is not None and bool(slope.any()):
                return COPY
        to_real, to_fake = ((image.detach() - others.detach()).abs().mean() for others in (self.real, fake))
        return REAL_COPY if to_real < to_fake else CUT_COPY


def _try_step(function, cut="nothing", same_answer=False):
    """One step on small networks from the same weights and draws; ``cut`` is a kind of image, or ``None`` for all."""
    __tracebackhide__ = True
    spec = CodeSpec(categorical=(4,), continuous=1, noise=6)
    numbers = {"lambda_categorical": 1.0, "lambda_continuous": 0.1, "consistency": 1.0, "answer_information": 1.0}
    config = digits.Config(width=0.1, batch_size=8, **numbers)
    with isolated_randomness():
        torch.manual_seed(0)
        players = make_players(spec, (1, 28, 28), config)
        real = -torch.ones(8, 1, 28, 28)
        for i in range(8):
            real[i, 0, 4:24, 6 + i : 10 + i] = 1.0  # strokes, each at a place of its own
        g, dq, fakes = players.generator, players.discriminator_q, []
        parts = {"G": g, "D's head": dq.real_head, "Q's head": dq.q_head}
        before = {name: [p.detach().clone() for p in part.parameters()] for name, part in parts.items()}
        judge = copy.deepcopy(dq)
        g.register_forward_hook(lambda module, inputs, output: fakes.append(output))
        for name in ("optimizer_g", "optimizer_d", "optimizer_q"):
            owned = [p for group in getattr(players, name).param_groups for p in group["params"]]
            setattr(players, name, torch.optim.SGD(owned, lr=1e-2))
        players.discriminator_q = watched = _Watched(dq, real, fakes, cut, same_answer)
        random = torch.Generator().manual_seed(1)
        function(players, real, spec, config, random)
        moved = {
            name: [p.detach() - old for p, old in zip(part.parameters(), before[name], strict=True)]
            for name, part in parts.items()
        }
        with torch.no_grad():
            again = g(spec.sample(8, torch.Generator().manual_seed(1)))
            fooled = float((judge(again)[0] - judge(fakes[0])[0]).mean()) if fakes else 0.0
    return _Tried(watched.shown, moved, fooled, max(watched.pulls, default=0.0))


def _equal(some, others):
    return all(torch.allclose(one, other, rtol=0, atol=1e-8) for one, other in zip(some, others, strict=True))
