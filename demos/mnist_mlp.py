"""A GAN of linear layers learns to draw digits, from the 60,000 images of MNIST.

Where MNIST is neither on disk nor can be downloaded it learns `glyphs` instead: digits drawn from
fonts and distorted at random. --loss and --penalty choose among the library's, by name:

    python demos/mnist_mlp.py --loss wasserstein --penalty gradient        # WGAN-GP
    python demos/mnist_mlp.py --loss least-squares --penalty none          # LSGAN
"""

# %% The two networks: linear layers and LeakyReLU, see `minigan.models`, `minigan.image_recipes`
from helpers import common, digits

args = common.parse(digits.parser(__doc__, steps=15_000))
results = common.Results(args.out)
game = digits.make(args, "mlp")

# %% The digits: images (n, 28, 28, 1) with values in [-1, 1]
data = digits.load(args.data, args.seed)

# %% Train; at a few steps, record samples of the same noise, and D's gradient at each pixel
learned = digits.learn(args, data, game, results)

# %% Pictures, and what a classifier of digits says
digits.finish(args, data, learned, results)
