"""Mutants by name, read by ``mutations``: those that no test can notice, and those that were let pass once."""

# (part, the mutated line): the reason
SLACK = "the slack is at least 1e-6, whatever stands here"
ROUNDING = "how much rounding is allowed for, by a sixteenth"
SPEED = "a default that only says how much is worked on at a time"
REFUSED = "refused a line earlier, or in the same words, whichever check comes first"
EQUIVALENT = {
    (
        "checkpoints",
        'card = json.dumps({**facts, "sha256": _digest(weights)}, indent= 1) + "\\n"',
    ): "how far a card is indented",
    (
        "information",
        "slack = 16 * torch.finfo(values.dtype).eps if values.is_floating_point() else -1.0",
    ): SLACK,
    ("information", "slack = 16 * float(np.finfo(dtype).eps) if floats else -1.0"): SLACK,
    ("information", "slack = 15 * float(np.finfo(dtype).eps) if floats else 0.0"): ROUNDING,
    ("information", "slack = 17 * float(np.finfo(dtype).eps) if floats else 0.0"): ROUNDING,
    ("information", "if (abs(sums - 1) >= slack).any():"): "no sum is off by the slack to the last bit",
    (
        "losses",
        "return Nats(*(part.sum() + entropy for part, entropy in zip(kinds, spec.entropy(), strict=False)))",
    ): "both have three parts, always",
    (
        "losses",
        "classes = tuple(logits.shape[1] for logits in posterior.categorical_logits)",
    ): "logits are matrices: the last axis is axis 1",
    ("evaluation", "bad = numbers[~torch.isfinite(numbers)][ -1].item()"): "which bad number a message shows",
    ("evaluation", "np.add.at(counts, (codes, labels), 2)"): "the best match of doubled counts is the same",
    ("evaluation", "def encode_images(encoder, images, batch_size= 1001):"): SPEED,
    (
        "evaluation",
        "@takes(codes=numbers(None, -1), labels=numbers(None, 0), n_codes=at_least(1), n_labels=at_least(1))",
    ): "0 rows or -1: neither asks for any",
    (
        "evaluation",
        '@takes(codes=numbers(None, 0), labels=numbers(None, 1), matching=numbers("codes", whole=True))',
    ): REFUSED,
}

# Found by hand: (file, what is there, what comes in its place, files of tests)
NAMED = [
    (
        "exercises/checking.py",
        "<= TOLERANCE * max(1.0, abs(a), abs(b))",
        "<= TOLERANCE * max(2.0, 2 * abs(a), 2 * abs(b))",
        "exercise_values",
    ),
    ("mixtures.py", "GOOD_WITHIN * mixture.deviation]", "2 * GOOD_WITHIN * mixture.deviation]", "mixtures"),
    ("exercises/clinic.py", "s.nearest < ALIKE", "s.nearest < 2 * ALIKE", "diagnose"),
    ("checkpoints.py", 'digest != card["sha256"]', 'digest[:8] != card["sha256"][:8]', "checkpoints"),
    ("tensor_files.py", "hexdigest() != (sha256 or own)", "hexdigest()[:8] != (sha256 or own)[:8]", "checkpoints"),
    ("interventions.py", "ddof=1) / variance[active]", "ddof=1)", "disentanglement"),
    ("measures.py", "fine.numpy() > 0.5", "fine.numpy() > 0.45", "measures"),
    ("measures.py", "fine.numpy() > 0.5", "fine.numpy() > 0.55", "measures"),
    ("transforms.py", "2, grid, align_corners", '2, grid, padding_mode="border", align_corners', "transforms"),
    ("networks.py", "self.weight, self.bias, False", "None, None, False", "ranges_and_batches"),
    ("networks.py", "if self.training and len(x) == 1", "if self.training and len(x) < 3", "ranges_and_batches"),
    ("methods/players.py", "layers and size > 1", "layers and size > 0", "players"),
    ("explorer_page.py", "posterior.mean[:, [i]]", "posterior.mean[:, [0]]", "exported_page"),
    ("explorer_page.py", "deviation[:, [i]]", "deviation[:, [0]]", "exported_page"),
    ("explorer_page.py", "for code in posterior.circular[:circular]", "for code in posterior.circular[:1]", "dial"),
    ("explorer_page.py", 'generator.spec)[:, page["kept"]]', "generator.spec)", "exported_page"),
    ("widgets.py", "images[chosen : chosen + 1]", "images[:1]", "widgets"),
    ("widgets.py", "seeds=[seed, seed + 1]", "seeds=[seed, seed]", "widgets exported_page"),
]
