"""Data to learn from: points of the plane whose density is known, and images of digits.

- `gaussian_ring` `gaussian_grid` `swiss_roll` `two_moons` `pinwheel` `from_picture`: distributions
  on the plane, each with `.sample(n, rng)`, `.density(points)` and `.log_density(points)`
- `mnist` `fashion_mnist` `kmnist`: (images, labels), from a folder, the cache or a mirror
- `glyphs`: digits drawn from fonts, in the same format, with no file to fetch
- `images_from_folder`: your own PNG and JPEG pictures
- `load_idx`: any IDX file
"""

from typing import TYPE_CHECKING

from .. import _public_names
from .blurred_curves import swiss_roll, two_moons
from .fonts import glyphs
from .idx import load_idx
from .image_folder import images_from_folder
from .mixtures import gaussian_grid, gaussian_ring
from .mnist_files import fashion_mnist, kmnist, mnist
from .picture import from_picture
from .pinwheel import pinwheel

__all__ = [
    "fashion_mnist",
    "from_picture",
    "gaussian_grid",
    "gaussian_ring",
    "glyphs",
    "images_from_folder",
    "kmnist",
    "load_idx",
    "mnist",
    "pinwheel",
    "swiss_roll",
    "two_moons",
]

if not TYPE_CHECKING:
    __getattr__ = _public_names.modules_of(__name__)
