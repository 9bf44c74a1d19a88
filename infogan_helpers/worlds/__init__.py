"""Worlds whose factors are known: pictures rendered on the fly from shape, pose and light.

``Sprites`` plays the part of dSprites, ``Faces`` and ``Chairs`` those of the Basel faces and the 3D chairs of Chen et
al. 2016, none of which can be shipped; in ``LitHead`` two factors go together. Every world has the same three methods:
``sample_factors``, ``render`` and ``images_and_factors``. Not here: metrics (``disentanglement``), and anything that
learns.
"""

from infogan_helpers.worlds.chairs import Chairs
from infogan_helpers.worlds.correlated import LitHead
from infogan_helpers.worlds.faces import Faces
from infogan_helpers.worlds.sprites import Sprites
from infogan_helpers.worlds.world import Factor, World

__all__ = ["Chairs", "Faces", "Factor", "LitHead", "Sprites", "World"]
