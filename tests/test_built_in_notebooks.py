"""A function that a notebook builds in plain sight is the module's: called on the same inputs, both agree."""

import ast
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from infogan_helpers import (
    bounds,
    code_factors,
    disentanglement,
    elbo,
    evaluation,
    games,
    information,
    losses,
    measures,
)
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.controllers import control
from infogan_helpers.methods import (
    ac_infogan,
    beta_tcvae,
    control_vae,
    factor_vae,
    infogan,
    infogan_cr,
    players,
    ss_infogan,
    vae,
)
from infogan_helpers.posteriors import Posterior

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
BUILT = {
    "01": {information: ("entropy", "conditional_entropy", "mutual_information")},
    "02": {information: ("kl_divergence", "variational_lower_bound")},
    "03": {games: ("discriminator_loss", "generator_loss"), losses: ("code_log_likelihood", "lower_bound")},
    "04": {evaluation: ("match_codes_to_labels",)},
    "06": {disentanglement: ("mutual_information_gap", "modularity")},
    "08": {bounds: ("donsker_varadhan", "nwj", "info_nce"), infogan_cr: ("sample_pairs",), ss_infogan: ("label_loss",)},
    "09": {
        elbo: ("gaussian_kl", "bernoulli_log_likelihood", "reparameterise", "permute_dimensions", "rate_parts"),
    },
}
STEPS = {  # they return nothing that could be compared
    "03": {players: ("descend",), infogan: ("train_step",)},
    "04": {infogan: ("train_step",)},
}
CASES = [
    (notebook, module, name) for notebook, built in BUILT.items() for module, names in built.items() for name in names
]


def built_functions(notebook):
    """The functions that a notebook defines, in a namespace with its imports and nothing else that it ran."""
    path = next(NOTEBOOKS.glob(f"{notebook}_*.ipynb"))
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    sources = [cell.source for cell in cells if cell.id != "set-up"]
    nodes = [node for source in sources for node in ast.parse(source).body]
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    namespace = {}
    # The functions come last: a later import of the module's own must not stand in for them.
    exec(compile(ast.Module([*imports, *functions], []), str(path), "exec"), namespace)
    return {node.name: namespace[node.name] for node in functions}


def distribution(rng, *shape):
    p = rng.random(shape) * (rng.random(shape) > 0.2) + 1e-3
    return p / p.sum()


def posterior_and_codes(seed):
    draws = torch.Generator().manual_seed(seed)
    spec = CodeSpec(categorical=(10, 3), continuous=2, noise=5)
    codes = spec.sample(16, draws)
    logits = tuple(torch.randn(16, k, generator=draws) for k in spec.categorical)
    mean, log_variance = torch.randn(16, 2, generator=draws), torch.randn(16, 2, generator=draws)
    return Posterior(logits, mean, log_variance), codes, spec


def arguments(name, seed):
    rng = np.random.default_rng(seed)
    if name == "entropy":
        return (distribution(rng, 7),)
    if name in ("conditional_entropy", "mutual_information"):
        return (distribution(rng, 4, 6),)
    if name == "kl_divergence":
        return distribution(rng, 7), distribution(rng, 7)
    if name == "variational_lower_bound":
        q = rng.random((4, 6)) + 0.01
        return distribution(rng, 4, 6), q / q.sum(axis=0)
    if name in ("discriminator_loss", "generator_loss"):
        logits = torch.from_numpy(rng.normal(0, 3, (2, 32)))
        return tuple(logits) if name == "discriminator_loss" else (logits[0],)
    if name in ("donsker_varadhan", "nwj", "info_nce"):
        return (torch.from_numpy(rng.normal(0, 2, (9, 9))),)
    if name in ("gaussian_kl", "bernoulli_log_likelihood", "reparameterise", "permute_dimensions", "rate_parts"):
        random = torch.Generator().manual_seed(seed)
        z, mean, log_variance = torch.randn(3, 9, 4, generator=random)
        given = {"bernoulli_log_likelihood": (z.tanh(), mean.tanh()), "rate_parts": (z, mean, log_variance, 50)}
        given |= {"reparameterise": (mean, log_variance, random), "permute_dimensions": (z, random)}
        return given.get(name, (mean, log_variance))
    if name == "sample_pairs":
        return CodeSpec((), 4, 3), 50, torch.Generator().manual_seed(seed)
    if name == "label_loss":
        torch.manual_seed(seed)
        dq = players.make_players(CodeSpec((3,), 1, 4), (1, 8, 8), ss_infogan.Config(width=0.1)).discriminator_q
        images, labels = 2 * torch.rand(6, 1, 8, 8) - 1, torch.arange(6) % 3
        return dq, images, labels, ss_infogan.Config(), torch.Generator().manual_seed(seed)
    if name == "match_codes_to_labels":
        return rng.integers(0, 10, 300), rng.integers(0, 10, 300)
    if name in ("mutual_information_gap", "modularity"):
        factors = rng.integers(0, 4, (200, 3))
        return np.concatenate([factors[:, :2] + rng.normal(0, 0.5, (200, 2)), np.zeros((200, 1))], axis=1), factors
    posterior, codes, spec = posterior_and_codes(seed)
    return (posterior, codes) if name == "code_log_likelihood" else (posterior, codes, spec)


def numbers(result):
    """A result as one flat array, whether a float, a tensor or a tuple of tensors."""
    parts = result if isinstance(result, tuple) else (result,)
    if isinstance(parts[0], Codes):
        return np.concatenate(
            [np.ravel(x) for codes in parts[:2] for x in (codes.noise, codes.continuous)] + [parts[2]]
        )
    parts = [part.detach() if isinstance(part, torch.Tensor) else part for part in parts]
    parts = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in parts))  # a kind that is absent is 0.0
    return np.concatenate([np.ravel(part) for part in parts])


@pytest.mark.parametrize(("notebook", "module", "name"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES])
def test_the_notebooks_function_equals_the_modules(notebook, module, name):
    built = built_functions(notebook)[name]
    for seed in range(5):
        ours = numbers(built(*arguments(name, seed)))
        theirs = numbers(getattr(module, name)(*arguments(name, seed)))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("notebook", STEPS)
@pytest.mark.parametrize(
    "changes", [{}, {"information_trains_trunk": True}, {"architecture": "mlp", "norm": "none"}], ids=str
)
def test_the_notebooks_step_moves_every_weight_as_the_modules_does(notebook, changes):
    built = built_functions(notebook)["train_step"]
    spec, after = CodeSpec((3,), 1, 4), []
    config = replace(infogan.PRESETS["plain"], width=0.1, lambda_categorical=0.7, **changes)
    real = 2 * torch.rand(32, 1, 8, 8, generator=torch.Generator().manual_seed(2)) - 1
    for step in (lambda *_: None, built, infogan.train_step):
        torch.manual_seed(0)
        ours = players.make_players(spec, (1, 8, 8), config)
        step(ours, real, spec, config, torch.Generator().manual_seed(1))
        named = [*ours.generator.named_parameters(), *ours.discriminator_q.named_parameters()]
        # A bias before a batch norm has no gradient but rounding, which Adam's first step would blow up.
        after.append({name: p.detach() for name, p in named if not name.endswith("bias")})
    before, one, other = after
    for name, start in before.items():
        assert (one[name] - start).abs().max() > 1e-4, name
        assert ((one[name] - other[name]).abs() > 1e-5).float().mean() < 0.01, name


def test_the_notebooks_controller_is_the_modules():
    gains, weights = {"proportional": 0.01, "gain": 0.001, "least": 1.0}, []
    for controller in (built_functions("09")["control"], control):
        integral, output = torch.zeros(()), torch.ones(())
        errors = 8 * torch.randn(200, generator=torch.Generator().manual_seed(0))
        weights.append([controller(error, integral, output, **gains).item() for error in errors])
    assert weights[0] == weights[1]
    assert max(weights[0]) > 1.02


@pytest.mark.parametrize(
    ("notebook", "name", "module"),
    [
        ("08", "ss_step", ss_infogan),
        ("08", "ac_step", ac_infogan),
        ("08", "cr_step", infogan_cr),
        ("09", "vae_step", vae),
        ("09", "factor_step", factor_vae),
        ("09", "tc_step", beta_tcvae),
        ("09", "control_step", control_vae),
    ],
)
def test_the_notebooks_relatives_move_every_weight_as_the_modules_do(notebook, name, module):
    built = built_functions(notebook)[name]
    config, after = module.Config(width=0.1), []
    spec = config.spec if notebook == "09" else CodeSpec((3,), 2, 4)
    images = 2 * torch.rand(32, 1, 8, 8, generator=torch.Generator().manual_seed(2)) - 1
    labels = torch.arange(32) % 4 - 1
    batch = {
        ss_infogan: (images, images[:6].flip(3), torch.arange(6) % 3),
        ac_infogan: (images, labels),
    }.get(module, images)
    for step in (lambda *_: None, built, module.train_step):
        torch.manual_seed(0)
        ours = module.METHOD.make(spec, (1, 8, 8), config)
        torch.manual_seed(1)
        step(ours, batch, spec, config, torch.Generator().manual_seed(1), 0.7)
        modules = [value for value in vars(ours).values() if isinstance(value, torch.nn.Module)]
        named = [(f"{i}.{name}", p) for i, part in enumerate(modules) for name, p in part.named_parameters()]
        after.append({name: p.detach() for name, p in named if not name.endswith("bias")})
    before, one, other = after
    for name, start in before.items():
        assert (one[name] - start).abs().max() > 1e-5, name
        assert ((one[name] - other[name]).abs() > 1e-5).float().mean() < 0.01, name


def test_every_function_of_the_modules_name_is_held_to_it():
    modules = (
        information,
        losses,
        games,
        measures,
        evaluation,
        disentanglement,
        code_factors,
        players,
        infogan,
        bounds,
        elbo,
    )
    public = {name for module in modules for name in vars(module)} | {"sample_pairs", "label_loss"}
    listed = {(notebook, name) for notebook, _, name in CASES}
    listed |= {(notebook, name) for notebook, built in STEPS.items() for names in built.values() for name in names}
    found = {
        (path.stem[:2], name)
        for path in sorted(NOTEBOOKS.glob("*.ipynb"))
        for name in built_functions(path.stem[:2])
        if name in public
    }
    assert found == listed
