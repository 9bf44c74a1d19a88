"""What all worlds share: factors drawn and read, pictures rendered, a seeded set of them kept on disk.

Not here: how any one world looks, and how a scene is rendered (``rendering``).
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import torch
from tqdm.auto import tqdm

from infogan_helpers import checks
from infogan_helpers.arguments import RANDOM, at_least, floats, instance, integers, list_of, mapping_of, number, takes
from infogan_helpers.data import DEFAULT_ROOT, ImageData, to_uint8
from infogan_helpers.tensor_files import contents_of, load_tensors, save_tensors

AT_ONCE = 32  # images that are rendered together: enough to share the overhead, few enough to stay in the cache


class Factor(NamedTuple):
    """What varies in a world, one value at a time.

    Attributes:
        name: what it is.
        values: the values that it takes, one for each integer that ``sample_factors`` may draw.
        unit: of the values; empty for a kind that has none, whose values are its names' positions.
        circular: whether the value after the last is the first.
    """

    name: str
    values: tuple
    unit: str
    circular: bool = False


BY_FACTOR = mapping_of(floats("n"), 1)  # what ``World.values`` returns


class World:
    """What all worlds share; each says what its factors are and how a batch of them looks.

    Attributes:
        factors: a tuple of ``Factor``.
        image_shape: ``(1, side, side)``.
    """

    @takes(factors=list_of(instance(Factor), 1))
    def __init__(self, factors, side):
        side = checks.integer("side", side, least=8)
        self.factors, self.image_shape = tuple(factors), (1, side, side)

    @property
    def names(self):
        return tuple(factor.name for factor in self.factors)

    @takes(n=at_least(0), generator=RANDOM)
    def sample_factors(self, n, generator=None):
        """Draw factors, each value as likely as any other.

        Args:
            n: how many images.
            generator: a ``torch.Generator`` on the CPU; torch's own where it is ``None``.

        Returns:
            Integers, shape ``(n, K)``, positions in each factor's ``values``.
        """
        sizes = torch.tensor([len(factor.values) for factor in self.factors])
        draws = torch.rand(n, len(sizes), generator=generator, dtype=torch.float64)
        return (draws * sizes).long()

    def values(self, factors):
        """What the integers stand for.

        Args:
            factors: integers, shape ``(n, K)``.

        Returns:
            A dictionary from name to floats of shape ``(n,)``, in the factor's unit.

        Raises:
            ValueError: the factors have another shape, or an integer lies outside its factor's values.
        """
        factors = integers(None, 0)("factors", factors)
        if factors.ndim != 2 or factors.shape[1] != len(self.factors):
            raise ValueError(
                f"factors must be integers of shape (n, {len(self.factors)}), "
                f"got {tuple(factors.shape)} of {factors.dtype}"
            )
        result = {}
        for column, factor in zip(factors.T, self.factors, strict=True):
            if len(column) and not 0 <= int(column.min()) <= int(column.max()) < len(factor.values):
                raise ValueError(
                    f"factors must hold {factor.name} in [0, {len(factor.values)}), "
                    f"got {int(column.min())} to {int(column.max())}"
                )
            result[factor.name] = torch.tensor(factor.values, dtype=torch.float32, device=column.device)[column]
        return result

    def render(self, factors):
        """The pictures of some factors.

        Args:
            factors: integers, shape ``(n, K)``, on the device that is to render.

        Returns:
            Floats in [-1, 1], shape ``(n, 1, side, side)``.

        Raises:
            ValueError: as in ``values``.
        """
        values = self.values(factors)
        parts = [self.draw({k: v[i : i + AT_ONCE] for k, v in values.items()}) for i in range(0, len(factors), AT_ONCE)]
        return 2 * torch.cat(parts)[:, None] - 1 if parts else torch.zeros(0, *self.image_shape)

    def images_and_factors(self, n, seed=0, progress=True):
        """A seeded set of pictures, rendered once and kept under ``data/``.

        Args:
            n: how many images.
            seed: of the factors.
            progress: whether to show a progress bar.

        Returns:
            ``ImageData``: ``uint8`` images, shape ``(n, 1, side, side)``; the factors in place of labels, shape
            ``(n, K)``; and where they came from.

        Raises:
            ValueError: ``n`` or ``seed`` is out of range, or what was kept is damaged.
        """
        n, seed = checks.integer("n", n, least=1), checks.seed("seed", seed)
        checks.boolean("progress", progress)
        factors = self.sample_factors(n, torch.Generator().manual_seed(seed))
        file = DEFAULT_ROOT / "worlds" / f"{self.file_stem()}-{n}-{seed}.safetensors"
        source = f"{n:,} pictures of {type(self).__name__}, seed {seed}"
        images = _kept(file, (n, *self.image_shape)) if file.is_file() else None
        if images is None:
            bar = tqdm(factors.split(10 * AT_ONCE), desc=type(self).__name__, unit="batch", disable=not progress)
            images = torch.cat([to_uint8(self.render(part)) for part in bar])
            try:
                save_tensors(file, {"images": images}, {"renderer": renderer()})
            except OSError as error:
                print(f"{file} could not be written ({error.strerror or error}): next time it is rendered again.")
        return ImageData(images, factors, source)

    @takes(values=BY_FACTOR)
    def draw(self, values):
        """Brightness in [0, 1], shape ``(n, side, side)``, of what ``values`` returns."""
        raise NotImplementedError

    def file_stem(self):
        """What tells stored sets of this world and this size from others."""
        raise NotImplementedError


def _kept(file, shape):
    """The images of a file, or ``None`` where another renderer made them."""
    tensors, metadata = load_tensors(file)
    with contents_of(file):
        if metadata["renderer"] != renderer():
            return None
        images = tensors["images"]
        if images.shape != shape or images.dtype != torch.uint8:
            raise ValueError(f"images must be uint8 of shape {shape}, got {images.dtype} of {tuple(images.shape)}")
        return images


def renderer():
    """What a stored set was rendered with: it is rendered anew when a file of this folder changes."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@takes(low=number, high=number, n=at_least(2))
def steps(low, high, n):
    """``n`` values from ``low`` to ``high``, evenly spaced."""
    return tuple(low + (high - low) * i / (n - 1) for i in range(n))
