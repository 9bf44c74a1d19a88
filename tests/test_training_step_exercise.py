"""The exercise of notebook 04 in which a learner writes the whole step: right ones pass, each mistake is named."""

import pytest
import torch
import torch.nn.functional as F

from infogan_helpers.exercises import notebook_04
from infogan_helpers.exercises.notebook_04 import check_training_step
from infogan_helpers.games import discriminator_loss, generator_loss
from infogan_helpers.losses import answer_information, lower_bound
from infogan_helpers.methods.players import descend
from infogan_helpers.transforms import random_style

RIGHT = {
    "source": lambda fake: fake,  # what copies of the fakes are made of
    "judged": lambda fake, draws: fake,
    "held": lambda answer: answer.detach(),
    "again": 1.0,  # weight of consistency
    "says": 1.0,
    "paid": 1.0,  # of L_I in G's loss
    "d": 1.0,
    "g_follows_d": 0.0,
    "g_follows_real": 0.0,
    "q_follows_real": 1.0,
}


def step_with(**mistake):
    m = RIGHT | mistake

    def step(players, real, spec, config, generator=None):
        g, dq, n = players.generator, players.discriminator_q, len(real)
        codes = spec.sample(n, generator)
        fake = g(codes)
        (real_logit, on_real), (fake_logit, on_fake) = dq(real), dq(m["judged"](fake, generator))
        if "reads" in m:
            of_fake, of_real = m["reads"](on_fake, on_real)
        else:
            _, read = dq(random_style(torch.cat([m["source"](fake), real]), generator))
            of_fake, of_real = read.rows(slice(0, n)), read.rows(slice(n, None))
        bound = lower_bound(on_fake._replace(categorical_logits=of_fake.categorical_logits), codes, spec)
        information = config.lambda_categorical * bound.categorical + config.lambda_continuous * bound.continuous
        answer = on_real.categorical_logits[0]
        again = F.cross_entropy(of_real.categorical_logits[0], m["held"](answer).softmax(dim=1))
        unlabelled = m["again"] * again - m["says"] * answer_information(answer)
        d_loss, g_loss = discriminator_loss(real_logit, fake_logit), generator_loss(fake_logit)
        descend(
            {
                players.optimizer_d: m["d"] * d_loss + unlabelled - information,
                players.optimizer_g: g_loss
                - m["paid"] * information
                + m["g_follows_d"] * d_loss
                + m["g_follows_real"] * unlabelled,
                players.optimizer_q: m["q_follows_real"] * unlabelled - bound.total,
            }
        )

    return step


def test_a_right_step_passes_and_says_on_what(capsys):
    check_training_step(step_with())
    assert capsys.readouterr().out == "step: right on who sees what, who moves and what is held fixed.\n"


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ({"source": lambda fake: fake.detach()}, notebook_04.COPY_IS_CUT),
        ({"reads": lambda on_fake, on_real: (on_fake, on_real)}, notebook_04.NOT_SHOWN[notebook_04.COPY]),
        ({"judged": random_style}, notebook_04.NOT_SHOWN[notebook_04.FAKE]),
        ({"held": lambda answer: answer}, notebook_04.NOT_HELD_FIXED),
        ({"again": 0.0}, notebook_04.Q_DOES_NOT_REPEAT),
        ({"says": 0.0}, notebook_04.Q_SAYS_NOTHING),
        ({"q_follows_real": 0.0}, notebook_04.Q_DOES_NOT_REPEAT),
        ({"paid": 0.0}, notebook_04.G_IS_NOT_PAID),
        ({"d": 0.0}, notebook_04.D_STANDS_STILL),
        ({"g_follows_d": 3.0}, notebook_04.G_FOLLOWS_D),
        ({"g_follows_real": 1.0}, notebook_04.G_FOLLOWS_REAL),
    ],
)
def test_each_mistake_is_named(mistake, sentence):
    with pytest.raises(AssertionError) as error:
        check_training_step(step_with(**mistake))
    assert sentence in str(error.value)


def test_a_step_that_is_not_written_yet_is_told_so():
    with pytest.raises(AssertionError, match="never shows"):
        check_training_step(lambda players, real, spec, config, generator=None: ...)
