"""Small networks, pictures, codes and files, of which good arguments are made (``good_arguments``)."""

from functools import cache
from pathlib import Path

import matplotlib.figure
import mnist_files
import torch

from infogan_helpers import checkpoints, evaluation, measured, quality
from infogan_helpers.applications.inversion import Found
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import ImageData
from infogan_helpers.drawings import Drawing
from infogan_helpers.judges import Judge, save_judge
from infogan_helpers.methods import infogan, vae
from infogan_helpers.worlds import Chairs, Faces, LitHead, Sprites

N = 6  # rows of everything
SPEC = CodeSpec((3,), 2, 4)
SHAPE = (1, 8, 8)
SHORT = {"steps": 1, "batch_size": 3, "sample_every": 1, "checkpoint_every": 1, "width": 0.02}


def seeded():
    return torch.Generator().manual_seed(0)


def images(side=8, channels=1, n=N):
    """Floats in [-1, 1]: a bright bar each, on noise."""
    made = torch.rand(n, channels, side, side, generator=seeded()) - 1
    made[:, :, 1:-1, side // 2] = 1
    return made


def matrix(*shape):
    return torch.randn(*shape, generator=seeded())


def classes(k=3, n=N):
    return torch.arange(n) % k


def codes():
    return SPEC.sample(N, seeded())


@cache
def pair(architecture="mlp", shape=SHAPE, width=0.02):
    torch.default_generator.manual_seed(0)
    return tuple(make(SPEC, shape, width).eval() for make in ARCHITECTURES[architecture])


def g():
    return pair()[0]


def dq():
    return pair()[1]


def posterior():
    return evaluation.read_codes(dq(), images())


@cache
def world():
    return Sprites(8)


def factors():
    return world().sample_factors(N, seeded())


def few_factors():
    """Two factors of two values, every pair of them seen, and codes that follow them."""
    return torch.tensor([[i % 2, i // 2 % 2] for i in range(12)])


@cache
def network(kind):
    torch.default_generator.manual_seed(0)
    return kind().eval()


@cache
def history(steps=1):
    images_of_ten = torch.cat([images(n=9), images(n=9)])
    config = infogan.Config(**{**SHORT, "steps": steps}, architecture="mlp", norm="none")
    return infogan.fit(images_of_ten, SPEC, config, device="cpu", progress=False).history


def folder():
    """A folder with a model, a classifier, a judge and figures of a run; the test's own, the working folder."""
    if not Path("text.json").exists():
        _fill()
    return "."


def _fill():
    checkpoints.save_pretrained("text", g(), dq(), {}, ".")
    quality.save_classifier(network(quality.DigitClassifier), {}, ".")
    measured.save_measured("text_measured", [{"a": 1}], ".")
    save_judge(network(judge), {}, ".")


def judge():
    return Judge(world())


def axes():
    return matplotlib.figure.Figure().add_subplot()


def drawing():
    found = Found(codes()[0], images(n=1), torch.zeros(1))
    return Drawing(images(n=1), posterior().rows(slice(1)), codes()[0], found)


def fashion():
    """A folder with small files of Fashion-MNIST, which from now on are the genuine ones."""
    root = Path("fashion")
    if not root.exists():
        mnist_files.write(root, "FashionMNIST")
    return root


def drawn(of):
    return of.values(of.sample_factors(2, seeded()))


def loss(rows):
    return torch.ones((), requires_grad=True) * len(rows)


def data():
    return ImageData((127.5 * (images() + 1)).byte(), classes(), "somewhere")


def encode(pictures):
    return pictures.flatten(1)[:, 20:23]


WORLDS = {
    "chairs.Chairs": Chairs(8),
    "correlated.LitHead": LitHead(0.5, 8),
    "faces.Faces": Faces(8),
    "sprites.Sprites": Sprites(8),
    "world.World": Sprites(8),
}
NETWORKS = {"generator": g, "discriminator_q": dq}
SMALL = {"image_shape": lambda: (1, 8, 8), "width": lambda: 0.02}
VAE = {"config": lambda: vae.Config(**SHORT, architecture="mlp", norm="none", latents=2)}
