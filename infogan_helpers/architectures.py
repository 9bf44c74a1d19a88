"""Which networks there are, each G with its D and Q, under the names that configurations and files use."""

from infogan_helpers.deep_networks import DeepDiscriminatorQ, DeepGenerator, MirroredDiscriminatorQ
from infogan_helpers.growing_networks import GrowingDiscriminatorQ, GrowingGenerator
from infogan_helpers.networks import DiscriminatorQ, Generator, MLPDiscriminatorQ, MLPGenerator
from infogan_helpers.point_networks import PointDiscriminatorQ, PointGenerator

ARCHITECTURES = {
    "conv": (Generator, DiscriminatorQ),
    "mlp": (MLPGenerator, MLPDiscriminatorQ),
    "deep": (DeepGenerator, DeepDiscriminatorQ),
    "mirrored": (DeepGenerator, MirroredDiscriminatorQ),
    "growing": (GrowingGenerator, GrowingDiscriminatorQ),
    "points": (PointGenerator, PointDiscriminatorQ),
}
