"""Good arguments of what InfoGAN is used for, ``infogan_helpers.applications``; the others are ``good_arguments``'."""

import numpy as np
import torch
from good_parts import NETWORKS, SHAPE, SPEC, VAE, N, classes, data, dq, encode, images, matrix, network, pair, seeded

from infogan_helpers.applications import anomalies, editing, fairness
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.labels import Labelled
from infogan_helpers.methods.autoencoders import Decoder, Encoder

PICTURES = (255 * torch.rand(N, 3, 16, 16, generator=seeded())).byte()
APPLICATIONS = {
    "applications.*": {**NETWORKS, "few": lambda: Labelled(images(), torch.tensor([2, 2, 2]))},
    "applications.anomalies.*": {"normal": lambda: matrix(N, 3), "redrawn": images, "digits": lambda: [0]},
    "applications.anomalies.auroc": {"normal": lambda: matrix(N), "anomalous": lambda: matrix(N)},
    "applications.anomalies.map_features": {"discriminator_q": lambda: pair("conv")[1]},
    "applications.anomalies.by_class": {
        "fit": lambda: anomalies.gaussian,
        "normal": lambda: matrix(120, 3),
        "classes": lambda: classes(2, 120),
    },
    "applications.anomalies.negative_elbo": {
        "encoder": lambda: network(lambda: Encoder(VAE["config"]().spec, SHAPE, VAE["config"]())),
        "decoder": lambda: network(lambda: Decoder(VAE["config"]().spec, SHAPE, VAE["config"]())),
    },
    "applications.augmentation.*": {
        "n": lambda: 30,
        "names": lambda: torch.tensor([1, 0, 2]),
        "sources": lambda: [(Labelled(images(28), torch.tensor([2, 2, 2])), 4)],
    },
    "applications.editing.*": {
        "name": lambda: "slant",
        "columns": lambda: matrix(N, 2),
        "values": lambda: matrix(N).numpy(),
        "latents": lambda: matrix(N, 2),
        "along": lambda: torch.tensor([0.6, 0.8]),
        "targets": lambda: matrix(3),
        "others": lambda: SPEC.sample(N),
        "share": lambda: 0.5,
        "stands": lambda: np.array([0.0, 1.0]),
        "real": lambda: editing.Shown(np.arange(3), {"slant": np.arange(3.0), "width": np.arange(3.0)}),
        "edited": lambda: editing.Shown(np.arange(6), {"slant": np.arange(6.0), "width": np.arange(6.0)}),
        "records": lambda: [{"run": "mnist", "edits": {"slant": {"code": {"rho": 1.0}}}}],
        "ways": lambda: {"text": ("mnist", "code")},
    },
    "applications.editing.digits_show": {"images": lambda: images(28)},
    "applications.fairness.*": {
        "images": lambda: PICTURES,
        "colours": lambda: classes(2),
        "data": lambda: fairness.Coloured(PICTURES, classes(2), classes(2)),
        "generator": lambda: network(lambda: ARCHITECTURES["mlp"][0](fairness.ClassThenColour(), (3, 16, 16), 0.02)),
        "classifier": lambda: network(lambda: fairness.SmallClassifier(3)),
        "channels": lambda: 3,
        "labels": lambda: classes(2),
        "groups": lambda: torch.tensor([0, 0, 1, 1, 0, 1]),
        "predictions": lambda: torch.tensor([0, 1, 1, 0, 0, 1]),
    },
    "applications.leakage.*": {
        "codes": lambda: matrix(N, 2),
        "labels": lambda: classes(2),
        "groups": lambda: classes(2),
    },
    "applications.fairness.SmallClassifier.forward": {"images": lambda: images(16, 3)},
    "applications.fairness.ClassThenColour.*": {"generator": seeded},
    "applications.fairness.coloured_digits": {"data": data, "agreement": lambda: 0.9},
    "applications.fairness.train_classifier": {"weights": lambda: torch.rand(N, generator=seeded())},
    "applications.fairness.unfairness": {"predictions": lambda: torch.tensor([[0, 1, 1], [0, 0, 1]])},
    "applications.features.*": {
        "network": dq,
        "features_of": lambda: encode,
        "train": data,
        "test": data,
    },
}
