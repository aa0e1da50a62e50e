"""Samples from a file: a GAN that was trained once, and only draws now.

    python demos/quickstart.py
    python demos/sample.py out/quickstart/model.npz

Every demo that trains writes a model.npz under its --out; so does `gan.save(path)`. The file holds
the architecture and the weights, and no code.
"""

# %% Three lines do it; the rest of this page is the picture
import time

from helpers import common

import minigan as mg
from minigan import plots

parser = common.parser(__doc__)
parser.add_argument(
    "file", nargs="?", default="out/quickstart/model.npz", help="default: %(default)s"
)
args = common.parse(parser)
results = common.Results(args.out)
start = time.perf_counter()
try:
    gan = mg.load(args.file, rng=args.seed)
except OSError as error:
    common.refuse(f"{args.file}: {error.strerror}")
except ValueError as error:
    common.refuse(str(error))
if not isinstance(gan, mg.GAN):
    common.refuse(f"{args.file} holds a network, not a GAN: there is no noise to draw")
samples = gan.sample(100)
seconds = time.perf_counter() - start

# %% The samples: images in a sheet, points in the plane, and of labelled images the pixels
images = samples.ndim == 4
if not images and samples.shape[1:] != (2,):
    side = int((samples.size // len(samples)) ** 0.5)  # the code at the end is shorter than a row
    samples, images = samples[:, : side * side].reshape(-1, side, side, 1), True
figure, axis = plots.figure(1, 1, size=(4.2, 4.4))
if images:
    plots.image_grid(axis, samples, columns=10)
else:
    plots.points(axis, samples)
    axis.set_aspect("equal")
axis.set_title("100 samples")
figure.savefig(results.path("samples.png", "100 samples"))

# %% In numbers
results.finish(
    {"seconds": seconds, "parameters": gan.generator.theta.size},
    [
        f"{gan.latent_dim} noise values -> samples {gan.sample_shape}, {gan.generator}",
        f"From the file to 100 samples: {seconds:.2f} s. --seed draws others.",
    ],
)
