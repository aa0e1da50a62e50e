"""A whole GAN in one file: the networks, the losses, the loop, and a picture of what it drew.

This is the program that introductions to GANs leave as a skeleton: a generator of noise, a
discriminator of images, a loss for each, two Adam optimizers, and a loop over minibatches
that trains the discriminator, then the generator. Nothing is left out here:
each gradient is a line, and no other file of these demos is needed. `minigan.GAN` is the same loop.
"""

# %% The command line, and the data: digits drawn from fonts, 28 x 28 values in [-1, 1]
import argparse
import sys
from pathlib import Path

import numpy as np

import minigan as mg
from minigan.layers import LeakyReLU, Linear, Tanh

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=20, help="default: %(default)s")
parser.add_argument("--out", type=Path, default=Path("out/in_sixty_lines"))
args = parser.parse_args([] if "ipykernel" in sys.argv[0] else None)
rng = np.random.default_rng(args.seed)
images, _ = mg.data.glyphs(9984, rng=args.seed)  # 156 minibatches
images = images.reshape(len(images), 784)

# %% Two networks. forward returns what it made, and a cache for the way back
generator = mg.Sequential(
    [Linear(64, 256), LeakyReLU(0.2), Linear(256, 512), LeakyReLU(0.2), Linear(512, 784), Tanh()],
    rng=(args.seed, 1),
)
discriminator = mg.Sequential(
    [Linear(784, 512), LeakyReLU(0.2), Linear(512, 256), LeakyReLU(0.2), Linear(256, 1)],
    rng=(args.seed, 2),
)
generator_optimizer = mg.optim.Adam(lr=2e-4, beta1=0.5)
discriminator_optimizer = mg.optim.Adam(lr=2e-4, beta1=0.5)


# %% Two losses of logits; the probability that an image is real is sigmoid(logit). Each returns its
# value and its derivative with respect to the logits: probability - target, over the batch
def sigmoid(logits):
    return 0.5 * (1 + np.tanh(0.5 * logits))


def cross_entropy(logits, target):
    """mean -log(sigmoid(logits)) if the target is 1, mean -log(1 - sigmoid(logits)) if it is 0."""
    value = np.mean(np.logaddexp(0, -logits if target else logits))
    return value, (sigmoid(logits) - target) / len(logits)


def discriminator_loss(real_logits, fake_logits):
    real_value, d_real = cross_entropy(real_logits, 1)
    fake_value, d_fake = cross_entropy(fake_logits, 0)
    return real_value + fake_value, d_real, d_fake


def generator_loss(fake_logits):
    return cross_entropy(fake_logits, 1)  # G wants its images to be called real


# %% The loop: seven steps for each minibatch of 64
for epoch in range(args.epochs):
    for batch in rng.permutation(len(images)).reshape(-1, 64):
        real = images[batch]  # 1. take a real minibatch
        noise = rng.standard_normal((64, 64), dtype="float32")  # 2. draw noise
        fake, generated = generator.forward(noise)  # 3. generate

        real_logits, on_real = discriminator.forward(real)  # 4. judge both
        fake_logits, on_fake = discriminator.forward(fake)
        d_value, d_real, d_fake = discriminator_loss(real_logits, fake_logits)

        discriminator.zero_grad()  # 5. update the discriminator; the fakes are constants
        discriminator.backward_params(d_real, on_real)
        discriminator.backward_params(d_fake, on_fake)
        discriminator_optimizer.step(discriminator.theta, discriminator.grad)

        fake_logits, on_fake = discriminator.forward(fake)  # 6. update the generator, through D
        g_value, d_fake = generator_loss(fake_logits)
        d_images = discriminator.backward_input(d_fake, on_fake)  # D's own gradients stay as is
        generator.zero_grad()
        generator.backward_params(d_images, generated)
        generator_optimizer.step(generator.theta, generator.grad)
    print(  # 7. repeat until converged
        f"epoch {epoch + 1:2}: L_D {d_value:.3f}, L_G {g_value:.3f}, "
        f"D(real) {sigmoid(real_logits).mean():.2f}, D(fake) {sigmoid(fake_logits).mean():.2f}"
    )

# %% What it draws
samples, _ = generator.forward(rng.standard_normal((100, 64), dtype="float32"), training=False)
figure, axes = mg.plots.figure(size=(5, 5))
mg.plots.image_grid(axes, samples.reshape(100, 28, 28, 1), columns=10)
args.out.mkdir(parents=True, exist_ok=True)
figure.savefig(args.out / "digits.png")
print(f"{args.out / 'digits.png'}: 100 images that the generator drew")
