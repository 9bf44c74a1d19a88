"""Matching codes to labels, and measures of digits, on images whose answer is known."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest
import torch
from test_measures import bar

from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import ImageData, to_model_range
from infogan_helpers.evaluation import (
    code_accuracy,
    code_attribute_table,
    code_attribute_table_by_class,
    confusion,
    draw_images,
    followed_measures,
    match_codes_to_labels,
    read_codes,
    score_codes,
)
from infogan_helpers.networks import Generator
from infogan_helpers.posteriors import Posterior

pytestmark = pytest.mark.usefixtures("warnings_are_errors")
RNG = np.random.default_rng(0)


# --- matching


def test_a_permutation_is_recovered():
    labels, permutation = np.arange(300) % 10, RNG.permutation(10)
    codes = permutation[labels]
    matching = match_codes_to_labels(codes, labels)
    assert matching.shape == (10,)
    assert np.issubdtype(matching.dtype, np.integer)
    assert (matching[permutation] == np.arange(10)).all()
    assert code_accuracy(codes, labels, matching) == 1.0


def test_the_match_is_the_best_of_all_and_not_the_greedy_one():
    # Code 0 has most of label 0, but code 1 has nothing else: giving label 0 to code 1 gets more images right.
    counts = np.array([[5, 4], [4, 0]])
    codes, labels = np.repeat([0, 0, 1, 1], counts.ravel()), np.repeat([0, 1, 0, 1], counts.ravel())
    matching = match_codes_to_labels(codes, labels, 2, 2)
    assert matching.tolist() == [1, 0]
    assert code_accuracy(codes, labels, matching) == pytest.approx(8 / 13)


def test_a_tie_is_still_one_to_one():
    assert sorted(match_codes_to_labels([0, 0, 1, 1], [0, 1, 0, 1], 2, 2)) == [0, 1]


def test_left_over_codes_are_marked_and_count_as_wrong():
    codes, labels = np.array([0, 0, 0, 1, 2, 2]), np.array([1, 1, 1, 1, 0, 0])
    matching = match_codes_to_labels(codes, labels, n_codes=3, n_labels=2)
    assert matching.tolist() == [1, -1, 0]
    assert code_accuracy(codes, labels, matching) == pytest.approx(5 / 6)


def test_fewer_codes_than_labels_and_codes_that_never_occur_are_matched():
    assert match_codes_to_labels([0, 1, 1], [4, 2, 2], n_codes=2, n_labels=5).tolist() == [4, 2]
    matching = match_codes_to_labels([0, 2], [1, 0], n_codes=3, n_labels=3)
    assert matching.tolist() == [1, 2, 0]


def test_tensors_and_lists_are_taken():
    codes, labels = torch.tensor([1, 0, 1]), torch.tensor([0, 1, 0])
    matching = match_codes_to_labels(codes, labels, 2, 2)
    assert matching.tolist() == [1, 0]
    assert code_accuracy([1, 0, 1], labels, [1, 0]) == 1.0
    assert type(code_accuracy(codes, labels, matching)) is float


@pytest.mark.parametrize(
    ("codes", "labels", "message"),
    [
        ([0, 1], [0], r"one shape \(n,\) .* got \(2,\) and \(1,\)"),
        ([], [], "at least 1"),
        ([[0, 1]], [[0, 1]], r"one shape \(n,\)"),
        ([0, 10], [0, 1], r"^codes must lie in \[0, 10\), got values from 0 to 10"),
        ([0, -1], [0, 1], r"^codes must lie in \[0, 10\), got values from -1 to 0"),
        ([0, 1], [0, 10], r"^labels must lie in \[0, 10\), got values from 0 to 10"),
        ([0.0, 1.0], [0, 1], "^codes must be integers, got float64"),
        ([0, 1], [0.0, 1.0], "^labels must be integers, got float64"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(codes, labels, message):
    with pytest.raises(ValueError, match=message):
        match_codes_to_labels(codes, labels)
    with pytest.raises(ValueError, match=message):
        confusion(codes, labels, np.arange(10))


def test_accuracy_refuses_codes_without_a_match_and_labels_below_zero():
    with pytest.raises(ValueError, match=r"codes must lie in \[0, 2\)"):
        code_accuracy([0, 2], [0, 1], [0, 1])
    with pytest.raises(ValueError, match=r"labels must lie in \[0, .*got values from -1 to 0"):
        code_accuracy([0, 1], [0, -1], [0, -1])


def test_confusion_counts_labels_by_codes_in_the_order_of_the_match():
    codes, labels = np.array([0, 0, 1, 2, 2, 2, 1]), np.array([2, 2, 0, 1, 1, 0, 0])
    table = confusion(codes, labels, np.array([2, 0, 1]), n_labels=3)
    assert table.columns.tolist() == [1, 2, 0]
    assert table.columns.name == "code"
    assert table.index.tolist() == [0, 1, 2]
    assert table.index.name == "label"
    assert table.to_numpy().tolist() == [[2, 1, 0], [0, 2, 0], [0, 0, 2]]


def test_confusion_puts_left_over_codes_last_and_accuracy_on_its_diagonal():
    codes, labels = RNG.integers(0, 5, 400), RNG.integers(0, 3, 400)
    matching = match_codes_to_labels(codes, labels, 5, 3)
    table = confusion(codes, labels, matching, n_labels=3)
    assert table.shape == (3, 5)
    assert table.to_numpy().sum() == 400
    assert [matching[c] for c in table.columns] == [0, 1, 2, -1, -1]
    assert np.trace(table.to_numpy()) / 400 == pytest.approx(code_accuracy(codes, labels, matching))


# --- reading codes


@pytest.fixture(params=sorted(ARCHITECTURES))
def discriminator_q(request):
    torch.manual_seed(0)
    return ARCHITECTURES[request.param][1](CodeSpec((3, 2), 1, 4), (1, 8, 8), 0.1)


def eight_by_eight(n=7):
    return torch.randint(0, 256, (n, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def flat(posterior):
    return torch.cat([*posterior.categorical_logits, posterior.mean, posterior.log_variance], dim=1)


def nearly(one, other):
    """Equal but for the order of a sum, which depends on the batch's size; some networks answer in tens."""
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_codes_are_read_in_eval_mode_and_the_mode_is_put_back(discriminator_q):
    discriminator_q.train()
    state = {name: t.clone() for name, t in discriminator_q.state_dict().items()}
    posterior = read_codes(discriminator_q, eight_by_eight())
    assert all(m.training for m in discriminator_q.modules())
    assert all(torch.equal(t, state[name]) for name, t in discriminator_q.state_dict().items())
    discriminator_q.eval()
    with torch.no_grad():
        wanted = discriminator_q(to_model_range(eight_by_eight()))[1]
    nearly(flat(posterior), flat(wanted))
    read_codes(discriminator_q, eight_by_eight())
    assert not discriminator_q.training
    assert not flat(posterior).requires_grad
    assert [len(t) for t in (*posterior.categorical_logits, posterior.mean, posterior.log_variance)] == [7] * 4


def test_bytes_and_floats_read_the_same_in_batches_of_any_size(discriminator_q):
    whole = flat(read_codes(discriminator_q, eight_by_eight()))
    nearly(flat(read_codes(discriminator_q, to_model_range(eight_by_eight()))), whole)
    for size in (1, 3, 7):
        nearly(flat(read_codes(discriminator_q, eight_by_eight(), size)), whole)


def test_images_that_cannot_be_read_are_refused_and_the_mode_is_put_back(discriminator_q):
    discriminator_q.train()
    with pytest.raises(ValueError, match=r"^images must have shape \(n, …\) with n of at least 1, got \(0, 1, 8, 8\)"):
        read_codes(discriminator_q, eight_by_eight(0))
    with pytest.raises(ValueError, match=r"^images must have shape \(n, 1, 8, 8\), got \(2, 1, 8, 4\)"):
        read_codes(discriminator_q, torch.zeros(2, 1, 8, 4))
    assert discriminator_q.training


@pytest.mark.parametrize("spec", [CodeSpec((), 2, 3), CodeSpec((4,), 0, 3)])
def test_codes_of_one_kind_are_read(spec):
    posterior = read_codes(ARCHITECTURES["conv"][1](spec, (1, 8, 8), 0.1), eight_by_eight(), 2)
    assert len(posterior.categorical_logits) == len(spec.categorical)
    assert posterior.mean.shape == posterior.log_variance.shape == (7, spec.continuous)


def test_images_are_drawn_in_eval_mode_in_pieces_of_any_size_and_the_mode_is_put_back():
    generator, codes = Generator(CodeSpec((3,), 1, 2), (1, 8, 8), 0.1).train(), CodeSpec((3,), 1, 2).sample(7)
    whole = draw_images(generator, codes)
    assert generator.training
    assert not whole.requires_grad
    assert whole.shape == (7, 1, 8, 8)
    for size in (1, 3, 7):
        torch.testing.assert_close(draw_images(generator, codes, size), whole)
    assert torch.equal(draw_images(generator.eval(), codes), whole)
    assert not generator.training


def test_codes_that_cannot_be_drawn_are_refused_and_the_mode_is_put_back():
    generator = Generator(CodeSpec((3,), 1, 2), (1, 8, 8), 0.1).train()
    with pytest.raises(ValueError, match="codes must have at least one row to draw, got none"):
        draw_images(generator, CodeSpec((3,), 1, 2).sample(2)[:0])
    with pytest.raises(ValueError, match="codes"):
        draw_images(generator, CodeSpec((4,), 1, 2).sample(50))
    codes = CodeSpec((3,), 1, 2).sample(2)
    with pytest.raises(ValueError, match=r"codes.continuous must hold finite numbers, got inf among them"):
        draw_images(generator, codes.replace(continuous=torch.full((2, 1), math.inf)))
    assert generator.training


# --- codes against measures


class Drawer(torch.nn.Module):
    """A 'generator' whose code 1 slants a bar and whose code 2 thickens it; it draws nothing where noise is high."""

    def __init__(self, blank_above=math.inf):
        super().__init__()
        self.blank_above, self.calls = blank_above, []

    def forward(self, codes):
        self.calls.append((len(codes), self.training))
        drawn = [bar(0.4 * float(c[0]), 3.5 + 1.5 * float(c[1]), height=16) for c in codes.continuous]
        return torch.cat(drawn).where(codes.noise[:, :1, None, None] < self.blank_above, torch.tensor(-1.0))


def test_codes_correlate_with_what_they_draw_and_with_nothing_else():
    drawer, spec = Drawer(), CodeSpec(categorical=(3,), continuous=2, noise=1)
    table = code_attribute_table(drawer, spec, n=300)
    assert table.index.tolist() == ["c2", "c3"]
    assert table.columns.tolist() == ["slant", "thickness", "width", "ink"]
    assert table.loc["c2", "slant"] > 0.95
    assert (table.loc["c3", ["thickness", "width", "ink"]] > 0.95).all()
    assert (table.loc["c2", ["thickness", "width", "ink"]].abs() < 0.2).all()
    assert abs(table.loc["c3", "slant"]) < 0.2
    assert drawer.calls == [(300, False)]
    assert drawer.training


def test_the_table_leaves_digits_without_ink_out():
    table = code_attribute_table(Drawer(blank_above=0.5), CodeSpec((), 2, 1), n=200)
    assert table.index.tolist() == ["c1", "c2"]
    assert table.loc["c1", "slant"] > 0.95
    assert table.loc["c2", "thickness"] > 0.95


def test_the_table_is_made_of_nan_where_all_digits_are_the_same():
    table = code_attribute_table(Drawer(blank_above=-math.inf), CodeSpec((), 2, 1), n=20)
    assert table.isna().to_numpy().all()


def test_the_table_depends_on_its_seed_alone_and_draws_in_pieces():
    drawer, spec = Drawer().eval(), CodeSpec((), 2, 1)
    before = torch.get_rng_state()
    first = code_attribute_table(drawer, spec, n=30)
    torch.manual_seed(9)
    assert first.equals(code_attribute_table(drawer, spec, n=30, seed=0))
    assert not first.equals(code_attribute_table(drawer, spec, n=30, seed=1))
    torch.set_rng_state(before)
    code_attribute_table(drawer, spec, n=1001)
    assert [n for n, _ in drawer.calls] == [30, 30, 30, 1000, 1]
    assert not any(training for _, training in drawer.calls)
    assert not drawer.training


@pytest.mark.parametrize("n", [2, 0, -5, 10.0, "20", None])
def test_the_table_needs_at_least_three_digits(n):
    with pytest.raises(ValueError, match=f"^n must be an integer of at least 3, got {n!r}"):
        code_attribute_table(Drawer(), CodeSpec((), 2, 1), n=n)


def test_three_digits_are_enough():
    assert code_attribute_table(Drawer(), CodeSpec((), 2, 1), n=3).notna().to_numpy().all()


def test_two_digits_with_ink_are_too_few_to_rank():
    spec = CodeSpec((), 2, 1)
    highest = float(spec.sample(3, torch.Generator().manual_seed(0)).noise.max())  # that digit stays blank
    table = code_attribute_table(Drawer(blank_above=highest), spec, n=3)
    assert table[["slant", "thickness", "width"]].isna().to_numpy().all()


def test_the_table_needs_a_continuous_or_circular_code():
    with pytest.raises(ValueError, match=r"^spec must have at least one continuous or circular code, got none"):
        code_attribute_table(Drawer(), CodeSpec((3,), 0, 1))


def test_the_mode_is_put_back_after_a_generator_failed():
    drawer = Drawer()
    drawer.blank_above = "high"
    with pytest.raises(TypeError):
        code_attribute_table(drawer, CodeSpec((), 2, 1), n=3)
    assert drawer.training


# --- the protocol


class Reader(torch.nn.Module):
    """Reads the value of the first pixel, through a table, as its code."""

    def __init__(self, table, classes):
        super().__init__()
        self.table, self.spec = torch.tensor(table), CodeSpec((classes,), 0, 1)

    def forward(self, images):
        code = self.table[((images[:, 0, 0, 0] + 1) * 127.5).round().long()]
        logits = torch.nn.functional.one_hot(code, self.spec.categorical[0]).float()
        return logits[:, 0], Posterior((logits,), logits[:, :0], logits[:, :0])


def marked(pixels, labels):
    images = torch.zeros(len(pixels), 1, 8, 8, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.tensor(pixels)
    return ImageData(images, torch.tensor(labels), "a test")


def test_the_match_is_fitted_on_one_part_and_scored_on_the_other():
    reader = Reader([2, 0, 1], 3)  # pixel 0 is code 2, and so on
    train = marked([0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 2, 2])
    test = marked([0, 1, 2, 2], [0, 1, 0, 2])
    score = score_codes(reader, train, test)
    assert score.matching.tolist() == [1, 2, 0]
    assert score.accuracy == 0.75
    assert score.confusion.to_numpy().tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert score.confusion.columns.tolist() == [2, 0, 1]
    # H(label) = H(code) = 1.5 bits, I = 1 bit by the table above
    assert score.nmi == pytest.approx(1.0 / 1.5)
    flattered = score_codes(reader, test, test)
    assert flattered.accuracy >= score.accuracy


def test_a_code_that_means_nothing_scores_as_chance():
    reader = Reader([0, 0, 0], 3)
    data = marked([0, 1, 2] * 5, [0, 1, 2] * 5)
    score = score_codes(reader, data, data)
    assert score.accuracy == pytest.approx(1 / 3)
    assert score.nmi == pytest.approx(0, abs=1e-9)


def test_the_first_categorical_code_is_scored():
    class WithASecondCode(Reader):
        def forward(self, images):
            logit, posterior = super().forward(images)
            return logit, posterior._replace(categorical_logits=(*posterior.categorical_logits, torch.eye(2)[0:1]))

    reader, data = WithASecondCode([2, 0, 1], 3), marked([0, 1, 2], [0, 1, 2])
    reader.spec = CodeSpec((3, 2), 0, 1)
    assert score_codes(reader, data, data).matching.tolist() == [1, 2, 0]


def test_the_protocol_needs_a_categorical_code():
    reader = Reader([0], 2)
    reader.spec = CodeSpec((), 2, 1)
    with pytest.raises(ValueError, match="discriminator_q must read at least one categorical code"):
        score_codes(reader, marked([0], [0]), marked([0], [0]))


class Leaner(torch.nn.Module):
    """Bars that lean with c3, to the right for class 0 and to the left for class 1."""

    def forward(self, codes):
        sign = 1 - 2 * codes.categorical[:, 0].float()
        y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
        shift = (13.5 - y) * 0.4 * (sign * codes.continuous[:, 0])[:, None, None]
        bars = ((x - 13.5 - shift).abs() < 2) & ((y - 13.5).abs() < 9)
        return bars[:, None].float() * 2 - 1


def test_within_a_class_a_code_can_mean_what_it_does_not_mean_pooled():
    spec = CodeSpec((2, 3), 1, 1)
    pooled = code_attribute_table(Leaner(), spec, n=600)
    table = code_attribute_table_by_class(Leaner(), spec, n=600)
    assert abs(pooled.loc["c3", "slant"]) < 0.15
    assert table.index.tolist() == [(0, "c3"), (1, "c3")]
    assert table.loc[(0, "c3"), "slant"] > 0.95
    assert table.loc[(1, "c3"), "slant"] < -0.95
    assert table.index.names == ["c1", "code"]
    assert inspect.signature(code_attribute_table) == inspect.signature(code_attribute_table_by_class)  # one draw
    with pytest.raises(ValueError, match="spec must have at least one categorical code"):
        code_attribute_table_by_class(Leaner(), CodeSpec((), 1, 1))


def test_two_codes_that_follow_one_measure_share_it():
    table = pd.DataFrame(
        {"slant": [-0.9, 0.3, 0.7], "thickness": [0.1, 0.8, 0.2], "width": [0.0, 0.1, math.nan], "ink": [1, 1, 1]},
        index=["c2", "c3", "c4"],
    )
    followed = followed_measures(table)
    assert followed["measure"].tolist() == ["slant", "thickness", "slant"]
    assert followed["rho"].tolist() == [-0.9, 0.8, 0.7]
    assert followed["shared"].tolist() == [True, False, True]
    with pytest.raises(ValueError, match="measures must be columns of table"):
        followed_measures(table, ("curl",))
    with pytest.raises(ValueError, match="got a row of NaN"):
        followed_measures(table * math.nan)
