"""A GAN of linear layers learns to write digits, from the 60,000 images of MNIST.

Without MNIST at hand (and no network to fetch it) it learns `glyphs` instead: digits drawn from
fonts and bent at random. Any loss and any penalty of the library, by name:

    python demos/mnist_mlp.py --loss wasserstein --penalty gradient        # WGAN-GP
    python demos/mnist_mlp.py --loss least-squares --penalty none          # LSGAN
"""

# %% The digits: images (n, 28, 28, 1) with values in [-1, 1]
import common
import digits

args = common.parse(digits.parser(__doc__, steps=15_000))
data = digits.load(args.data, args.seed)

# %% The two players: linear layers and LeakyReLU, see `minigan.models` and `minigan.image_recipes`
game = digits.make(args, "mlp")

# %% Train, keeping samples of the same noise, and what D wants of each pixel, every so often
learned = digits.learn(args, data, game)

# %% Pictures, and what a classifier of digits says
digits.finish(args, data, learned)
