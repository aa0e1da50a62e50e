"""A convolutional GAN learns to draw digits, and a classifier says how well.

The default is the recipe that `benchmarks/mnist_quality.py` measures: DCGAN's generator, a
convolutional D without batch norm, the relativistic loss, R1 and R2, and 64 categories whose
probabilities are learned. --steps 2000 gives rough digits in a tenth of the time. Some other GANs:

    python demos/mnist_dcgan.py --loss non-saturating --penalty none       # the DCGAN of 2016
    python demos/mnist_dcgan.py --loss least-squares --penalty none        # LSGAN
    python demos/mnist_dcgan.py --loss wasserstein --penalty clipping      # WGAN
    python demos/mnist_dcgan.py --loss wasserstein --penalty gradient      # WGAN-GP
    python demos/mnist_dcgan.py --loss hinge --penalty spectral            # SN-GAN
    python demos/mnist_dcgan.py --model residual                           # similar to R3GAN

Where MNIST is neither on disk nor can be downloaded it learns `glyphs`: digits drawn from fonts and
distorted at random.
"""

# %% The two networks: see `minigan.models` and `minigan.image_recipes`
from helpers import common, digits

from minigan import image_recipes

parser = digits.parser(__doc__, steps=image_recipes.STEPS)
parser.add_argument(
    "--model", choices=["dcgan", "residual"], default="dcgan", help="default: %(default)s"
)
args = common.parse(parser)
results = common.Results(args.out)
game = digits.make(args, args.model)

# %% The digits: images (n, 28, 28, 1) with values in [-1, 1]
data = digits.load(args.data, args.seed)

# %% Train; at a few steps, record samples of the same noise, and D's gradient at each pixel
learned = digits.learn(args, data, game, results)

# %% Pictures, and what a classifier of digits says
digits.finish(args, data, learned, results)
