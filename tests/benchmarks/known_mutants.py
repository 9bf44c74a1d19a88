"""Mutants by name, read by ``mutations``: those that no test can notice, and those that were let pass once."""

# (part, the mutated line): the reason
SLACK = "the slack is at least 1e-6, whatever stands here"
ROUNDING = "how much rounding is allowed for, by a sixteenth"
SPEED = "a default that only says how much is worked on at a time"
REFUSED = "refused a line earlier, or in the same words, whichever check comes first"
CONSTANT = "a constant has no gradient"
ONE = "there is one: the first is the last"
TWINS = "both are as long as each other, always"
DRAWS = "which draws, or one more: a sample of the same distribution"
INSTANT = "another line says the same an instant later; no interrupt can be aimed at what is between"
WINDOWS = "runs on Windows alone"
EQUIVALENT = {
    (
        "applications/anomalies",
        'neighbours = NearestNeighbors(n_neighbors= 2, algorithm="brute").fit(normal)',
    ): "the first column is the nearest all the same",
    ("applications/augmentation", "images, labels = (torch.cat(part) for part in zip(*parts, strict=False))"): TWINS,
    (
        "applications/fairness",
        "logits = torch.cat([classifier(as_model_range(part)) for part in images.split( 999)])",
    ): SPEED,
    (
        "applications/features",
        "@takes(features_of=function, train=LABELLED, test=LABELLED, per_class=at_least( 0), seed=seed)",
    ): REFUSED,
    ("applications/features", "def trunk_features(network, images, batch_size= 1001):"): SPEED,
    (
        "applications/features",
        "return GridSearchCV(LogisticRegression(max_iter= 999), strengths, cv=parts).fit(features, labels)",
    ): "a bound that no fit comes near",
    ("applications/inversion", "for _ in range(steps if noise.numel() else -1):"): "no step, or less than none",
    (
        "checkpoints",
        'card = json.dumps({**facts, "sha256": _digest(weights)}, indent= 1) + "\\n"',
    ): "how far a card is indented",
    (
        "checkpoints",
        'card = json.dumps({**facts, "sha256": _digest(weights)}, indent= 3) + "\\n"',
    ): "how far a card is indented",
    ("checkpoints", 'if moment == "step" and not (tensor >= 1).all():'): "what has moments has taken a step",
    (
        "codes",
        "@takes(categorical=list_of(at_least( -1)), continuous=list_of(number), circular=list_of(number))",
    ): REFUSED,
    ("disentanglement", "@takes(bins=at_least(1), seed=seed, jobs=maybe(at_least( 0)), progress=BOOLEAN)"): REFUSED,
    (
        "disentanglement",
        'importances, on_train, on_test = zip(*_in_parallel(_boosted, work, jobs, progress, "DCI"), strict=False)',
    ): TWINS,
    ("disentanglement", "moves = x.var(axis=0, ddof= 0) > 1e-12"): "a bound of 1e-12, less by a part in n",
    (
        "disentanglement",
        "told[codes.min(axis=0) == codes.max(axis=0)] = -1  # exactly: a last bit of rounding would do for modularity",
    ): "the next line lifts it to 0",
    (
        "disentanglement",
        "weights = importance.sum(axis=1) / total if total > 0 else np.full(len(importance), 1 * len(importance))",
    ): "all weigh alike, and what they weigh is 0",
    (
        "evaluation",
        "@takes(codes=numbers(None, -1), labels=numbers(None, 0), n_codes=at_least(1), n_labels=at_least(1))",
    ): "0 rows or -1: neither asks for any",
    (
        "evaluation",
        '@takes(codes=numbers(None, 0), labels=numbers(None, 1), matching=numbers("codes", whole=True))',
    ): REFUSED,
    (
        "evaluation",
        '@takes(codes=numbers(None, 1), labels=numbers(None, 0), matching=numbers("codes", whole=True), n_labels=at_least(1))',  # noqa: E501
    ): REFUSED,
    ("evaluation", "bad = numbers[~torch.isfinite(numbers)][ -1].item()"): "which bad number a message shows",
    ("evaluation", "def encode_images(encoder, images, batch_size= 1001):"): SPEED,
    ("evaluation", "for name, values in zip(spec.names[len(spec.categorical) :], values_by_code, strict=False)"): TWINS,
    ("evaluation", "np.add.at(counts, (codes, labels), 2)"): "the best match of doubled counts is the same",
    ("information", "if (abs(sums - 1) >= slack).any():"): "no sum is off by the slack to the last bit",
    ("information", "slack = 15 * float(np.finfo(dtype).eps) if floats else 0.0"): ROUNDING,
    ("information", "slack = 16 * float(np.finfo(dtype).eps) if floats else -1.0"): SLACK,
    ("information", "slack = 16 * torch.finfo(values.dtype).eps if values.is_floating_point() else -1.0"): SLACK,
    ("information", "slack = 17 * float(np.finfo(dtype).eps) if floats else 0.0"): ROUNDING,
    ("interrupts", "self.calling = True"): INSTANT,
    ("interrupts", "self.calling, self.asked = True, True"): INSTANT,
    ("interventions", "active = np.sqrt(variance) > still"): "no deviation is the bound to the last bit",
    (
        "interventions",
        "for part in torch.arange(n_train + n_test).split(max( 2, IMAGES_AT_ONCE // batch_size)):",
    ): SPEED,
    (
        "interventions",
        "return np.argmin(codes.var(axis=1, ddof= 2) / variance[active], axis=1)",
    ): "all variances by the same factor: the smallest is the smallest",
    (
        "losses",
        "classes = tuple(logits.shape[1] for logits in posterior.categorical_logits)",
    ): "logits are matrices: the last axis is axis 1",
    (
        "losses",
        "return Nats(*(part.sum() + entropy for part, entropy in zip(kinds, spec.entropy(), strict=False)))",
    ): "both have three parts, always",
    (
        "measures",
        'fine = F.interpolate(fine, scale_factor=UPSCALING, mode="bilinear", align_corners=False)[:, -1]',
    ): ONE,
    (
        "measures",
        "return (endless + endless**3 / (3 * np.maximum(strokes.sum(axis=(1, 2)), 0))) / UPSCALING",
    ): "without ink it is NaN in any case",
    (
        "measures",
        "return np.arctan(-xy / np.where(yy >= ROUNDING, yy, np.nan))  # y points down in an image",
    ): "no moment is the bound to the last bit",
    (
        "methods/ac_infogan",
        "players.optimizer_d: d_loss + classes - (style if config.information_trains_trunk else -1.0),",
    ): CONSTANT,
    (
        "methods/ac_infogan",
        "players.optimizer_d: d_loss + classes - (style if config.information_trains_trunk else 1.0),",
    ): CONSTANT,
    ("methods/noise_last", "for slow, fast in zip(average.buffers(), network.buffers(), strict=False):"): TWINS,
    ("methods/noise_last", "for slow, fast in zip(average.parameters(), network.parameters(), strict=False):"): TWINS,
    ("methods/noise_last", 'players.optimizer_g.param_groups[ -1]["lr"] *= G_WAITS(done)'): ONE,
    (
        "methods/ss_infogan",
        "of_real = -1.0 if on_copy is None else digits.unlabelled_loss(on_real, on_copy, config, done)",
    ): CONSTANT,
    (
        "methods/ss_infogan",
        "of_real = 1.0 if on_copy is None else digits.unlabelled_loss(on_real, on_copy, config, done)",
    ): CONSTANT,
    ("methods/variational", "DRAWS = 257  # that a flow's moments are taken from"): DRAWS,
    ("methods/variational", "torch.manual_seed( -1)"): DRAWS,
    ("methods/variational", "DRAWS = 255  # that a flow's moments are taken from"): DRAWS,
    ("methods/variational", "torch.manual_seed( 1)"): DRAWS,
    ("run_files", "msvcrt.locking(lock, msvcrt.LK_NBLCK, 0)"): WINDOWS,
    ("run_files", "msvcrt.locking(lock, msvcrt.LK_NBLCK, 2)"): WINDOWS,
    (
        "run_files",
        'steps, n, batch = metadata["steps"], len(run.parts[ -1]), run.config.batch_size',
    ): "all parts of the data have as many rows",
    (
        "tensor_files",
        "content = content.replace(own.encode(), UNSIGNED.encode(), 2)",
    ): "no tensor holds the digest of its own file",
    (
        "tensor_files",
        'header = json.loads(content[8 : 8 + int.from_bytes(content[: 7], "little")])',
    ): "no header is that long",
    (
        "widgets",
        'readings.append(answer(posterior) | {"nats": nats_read(posterior, codes, self._spec)[ -1].tolist()})',
    ): ONE,
    ("widgets", "self.circular = [round(x, 2) for x in drawing.codes.circular[ -1].tolist()]"): ONE,
    (
        "widgets",
        "self.continuous = [round(x, 2) for x in drawing.codes.continuous[ -1].clamp(-LIMIT, LIMIT).tolist()]",
    ): ONE,
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
