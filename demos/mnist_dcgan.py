"""A convolutional GAN learns to write digits, and a classifier says how well.

The default is the recipe that `benchmarks/mnist_quality.py` measures: DCGAN's generator, a
convolutional D without batch norm, the relativistic loss, R1 and R2. That takes about ten minutes;
--steps 2000 has rough digits in two. Other games are a word each:

    python demos/mnist_dcgan.py --loss non-saturating --penalty none       # the DCGAN of 2016
    python demos/mnist_dcgan.py --loss least-squares --penalty none        # LSGAN
    python demos/mnist_dcgan.py --loss wasserstein --penalty clipping      # WGAN
    python demos/mnist_dcgan.py --loss wasserstein --penalty gradient      # WGAN-GP
    python demos/mnist_dcgan.py --loss hinge --penalty spectral            # SN-GAN
    python demos/mnist_dcgan.py --model residual                           # R3GAN's kind

Without MNIST at hand (and no network to fetch it) it learns `glyphs`, digits drawn from fonts and
bent at random.
"""

# %% The digits: images (n, 28, 28, 1) with values in [-1, 1]
import common
import digits

from minigan import image_recipes

parser = digits.parser(__doc__, steps=image_recipes.STEPS)
parser.add_argument("--model", choices=["dcgan", "residual"], default="dcgan")
args = common.parse(parser)
data = digits.load(args.data, args.seed)

# %% The two players: see `minigan.models` and `minigan.image_recipes`
game = digits.make(args, args.model)

# %% Train, keeping samples of the same noise, and what D wants of each pixel, every so often
learned = digits.learn(args, data, game)

# %% Pictures, and what a classifier of digits says
digits.finish(args, data, learned)
