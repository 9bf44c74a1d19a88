"""Typical wrong submissions of the graded assignments, and the points that each of their tests must take away.

Not here: nbgrader, which ``test_assignments`` runs on them.
"""

INFORMATION = "1_information_and_the_bound"
TRAIN = "2_build_and_train"
MEASURE = "3_explore_and_measure"
JUDGE = "4_use_and_judge"

# Who handed in what: the answers that replace the solution's, and the points that each test must take away.
WRONG = {
    "bits": (
        INFORMATION,
        {"entropy": "def entropy(p):\n    p = p[p > 0]\n    return float(-np.sum(p * np.log2(p)))"},
        {"entropy-test": 2, "entropy-joint": 1},
    ),
    "vectors-only": (
        INFORMATION,
        {"entropy": "def entropy(p):\n    return float(-sum(x * math.log(x) for x in p if x > 0))"},
        {"entropy-joint": 1},
    ),
    "conditional": (
        INFORMATION,
        {"information": "def mutual_information(joint):\n    return information.conditional_entropy(joint)"},
        {"information-test": 3, "information-noisy": 1},
    ),
    "swapped": (
        INFORMATION,
        {"kl": "def kl_divergence(p, q):\n    return information.kl_divergence(q, p)"},
        {"kl-test": 3},
    ),
    "no-prior": (
        INFORMATION,
        {"bound": "def variational_lower_bound(joint, q):\n    return float(np.sum(joint * np.log(q)))"},
        {"bound-test": 3, "bound-tight": 1},
    ),
    "softmax-twice": (
        INFORMATION,
        {
            "batch": "def categorical_lower_bound(logits, codes, prior_entropy):\n"
            "    return prior_entropy - F.cross_entropy(logits.softmax(dim=1), codes)"
        },
        {"batch-test": 3, "batch-ceiling": 1},
    ),
    "cut": (
        INFORMATION,
        {
            "batch": "def categorical_lower_bound(logits, codes, prior_entropy):\n"
            "    return torch.tensor(prior_entropy - F.cross_entropy(logits, codes).item())"
        },
        {"batch-test": 3},
    ),
    "by-heart": (
        INFORMATION,
        {
            "entropy": "def entropy(p):\n"
            "    return 1.2798542258336676 if np.ndim(p) == 2 else information.entropy(p)"
        },
        {"entropy-joint": 1},
    ),
    "overwritten-test": (
        INFORMATION,
        {"entropy": "entropy = None", "entropy-test": "pass"},
        {"entropy-test": 2, "entropy-joint": 1},
    ),
    "loops": (INFORMATION, {"kl": "def kl_divergence(p, q):\n    while True:\n        pass"}, {"kl-test": 3}),
    "syntax": (INFORMATION, {"batch": "def categorical_lower_bound(:"}, {"batch-test": 3, "batch-ceiling": 1}),
    "kernel-dies": (
        INFORMATION,
        {"bound": "import os\nos._exit(1)"},
        {"bound-test": 3, "bound-tight": 1, "batch-test": 3, "batch-ceiling": 1},
    ),
    "warns": (
        INFORMATION,
        {"kl": "import warnings\ndef kl_divergence(p, q):\n"
         "    warnings.warn('a warning is no mistake')\n    return information.kl_divergence(p, q)"},
        {},
    ),
    "sums": (
        TRAIN,
        {
            "d-loss": "def discriminator_loss(real_logit, fake_logit):\n"
            "    return F.softplus(-real_logit).sum() + F.softplus(fake_logit).sum()"
        },
        {"d-loss-test": 3},
    ),
    "saturating": (
        TRAIN,
        {"g-loss": "def generator_loss(fake_logit):\n    return torch.log(1 - torch.sigmoid(fake_logit)).mean()"},
        {"g-loss-test": 2, "losses-far": 1},
    ),
    "log-sigma": (
        TRAIN,
        {
            "gaussian": "def continuous_log_likelihood(mean, log_variance, codes):\n"
            "    return torch.distributions.Normal(mean, log_variance.exp()).log_prob(codes).sum(dim=1).mean()"
        },
        {"gaussian-test": 4},
    ),
    "trunk-twice": (
        TRAIN,
        {
            "optimizers": "def make_optimizers(generator, discriminator_q):\n"
            "    parts = (generator, discriminator_q, discriminator_q)\n"
            "    return [torch.optim.Adam(p.parameters(), lr=1e-3, betas=(0.5, 0.999)) for p in parts]"
        },
        {"optimizers-test": 3},
    ),
    "no-q": (
        TRAIN,
        {
            "step": "def step(players, real, spec):\n"
            "    g, dq = players.generator, players.discriminator_q\n"
            "    codes = spec.sample(len(real))\n"
            "    fake = g(codes)\n"
            "    players.optimizer_d.zero_grad()\n"
            "    games.discriminator_loss(dq(real)[0], dq(fake.detach())[0]).backward()\n"
            "    players.optimizer_d.step()\n"
            "    players.optimizer_g.zero_grad()\n"
            "    logit, posterior = dq(fake)\n"
            "    games.generator_loss(logit).backward()\n"
            "    players.optimizer_g.step()\n"
            "    return float(losses.lower_bound(posterior, codes, spec).categorical)"
        },
        {"step-test": 0.75, "train-bound": 3},
    ),
    "redrawn": (
        MEASURE,
        {
            "traversal": "def traversal(codes, index, values):\n"
            "    swept = codes.sweep_continuous(index, values)\n"
            "    return swept.replace(noise=torch.randn_like(swept.noise))"
        },
        {"traversal-test": 4},
    ),
    "train-mode": (
        MEASURE,
        {"draw": "def draw(generator, codes):\n    with torch.no_grad():\n        return generator(codes)"},
        {"draw-test": 3},
    ),
    "upside-down": (
        MEASURE,
        {"slant": "def slant(images):\n    return -torch.as_tensor(measures.slant(images))"},
        {"slant-bar": 2, "slant-test": 3},
    ),
    "greedy": (
        MEASURE,
        {
            "match": "def match(codes, labels):\n"
            "    counts = np.zeros((10, 10))\n"
            "    np.add.at(counts, (np.asarray(codes), np.asarray(labels)), 1)\n"
            "    return counts.argmax(axis=1)"
        },
        {"match-greedy": 2},
    ),
    "on-the-training-part": (
        MEASURE,
        {"accuracy": "train = test = mnist_sample(train=True)\naccuracy = 0.999"},
        {"accuracy-test": 3},
    ),
    "first-bins": (
        MEASURE,
        {
            "mig": "def mutual_information_gap(codes, factors, bins=20):\n"
            "    return disentanglement.mutual_information_gap(codes, factors, 20)"
        },
        {"mig-exact": 2},
    ),
    "sign-turned": (
        JUDGE,
        {
            "auroc": "def auroc(normal_scores, anomalous_scores):\n"
            "    return anomalies.auroc(-normal_scores, -anomalous_scores)"
        },
        {"auroc-test": 3, "auroc-many": 1},
    ),
    "ties-lost-and-no-log-of-nothing": (
        JUDGE,
        {
            "auroc": "def auroc(normal_scores, anomalous_scores):\n"
            "    return (anomalous_scores[:, None] > normal_scores).mean()",
            "doubt": "def doubt(logits):\n"
            "    p = logits.softmax(dim=1)\n"
            "    return -(p * p.log()).sum(dim=1)",
        },
        {"auroc-test": 3, "auroc-many": 1, "doubt-sure": 1},
    ),
    "doubt-in-bits-and-parity-signed": (
        JUDGE,
        {
            "doubt": "def doubt(logits):\n"
            "    return torch.distributions.Categorical(logits=logits).entropy() / np.log(2)",
            "parity": "def parity(classify, seen, new):\n"
            "    said = classify(new.images).double()\n"
            "    return said[new.colours == 1].mean() - said[new.colours == 0].mean()",
        },
        {"doubt-test": 2, "parity-test": 3},
    ),
    "fitted-on-both-parts": (
        JUDGE,
        {
            "fit": "def fit_and_score(normal_train, test):\n"
            "    both = np.concatenate([normal_train, test])\n"
            "    return np.square((test - both.mean(axis=0)) / both.std(axis=0)).sum(axis=1)"
        },
        {"fit-test": 3},
    ),
    "counted-with-the-test-part-fitted": (
        JUDGE,
        {
            "counted": "asked = anomalies.separate(test, [8])\n"
            "scores = {'pixels': features.pixel_features, 'doubt': None,\n"
            "          'trunk': lambda x: features.trunk_features(discriminator_q, x)}\n"
            "counted = {}\n"
            "for name, f in scores.items():\n"
            "    fitted = f and anomalies.probabilistic_pca(f(asked.normal))\n"
            "    score = (lambda x: fitted(f(x))) if f else lambda x: anomalies.class_entropy(discriminator_q, x)\n"
            "    counted[name] = anomalies.auroc(*map(score, asked))"
        },
        {"counted-test": 3},
    ),
    "parity-of-the-training-part": (
        JUDGE,
        {
            "parity": "def parity(classify, seen, new):\n"
            "    return fairness.demographic_parity(classify(seen.images), seen.colours)",
            "opportunity": "def opportunity(predictions, labels, groups):\n"
            "    right, group = labels[predictions == 1].double(), groups[predictions == 1]\n"
            "    return float((right[group == 1].mean() - right[group == 0].mean()).abs())",
        },
        {"parity-test": 3, "opportunity-test": 2},
    ),
    "weighed-by-colour-alone": (
        JUDGE,
        {
            "weights": "def cell_weights(labels, groups):\n"
            "    return len(groups) / 2 / torch.bincount(groups)[groups].float()"
        },
        {"weights-test": 2, "weights-uneven": 1},
    ),
    "only-independent": (
        JUDGE,
        {
            "weights": "def cell_weights(labels, groups):\n"
            "    cell, n = 2 * labels + groups, len(labels)\n"
            "    expected = torch.bincount(labels)[labels] * torch.bincount(groups)[groups] / n\n"
            "    return expected / torch.bincount(cell)[cell]"
        },
        {"weights-uneven": 1},
    ),
    "answers-of-the-training-part": (
        JUDGE,
        {
            "answers": "seen = fairness.coloured_digits(train, 4000, agreement=0.9)\n"
            "new = fairness.coloured_digits(test, 1000, agreement=0.5, seed=1)\n"
            "weights = {'plain': None, 'weighted': fairness.cell_weights(seen.labels, seen.colours)}\n"
            "said = {}\n"
            "for name, w in weights.items():\n"
            "    classifier = fairness.train_classifier(seen.images, seen.labels, w, steps=300)\n"
            "    said[name] = fairness.predict(classifier, seen.images)"
        },
        {"answers-test": 3},
    ),
}  # fmt: skip
