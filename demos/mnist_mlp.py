"""A GAN of linear layers learns to write digits, from the 60,000 images of MNIST.

Without MNIST at hand (and no network to fetch it) it learns `glyphs` instead: digits drawn from
fonts and bent at random.
"""

# %% The digits: images (n, 28, 28, 1) with values in [-1, 1]
import common

import minigan as mg
from minigan import plots

parser = common.parser(
    __doc__,
    steps=15_000,
    data=("folder of MNIST's files, or 'glyphs' (default: MINIGAN_DATA, cache, download)", None),
    resumes=True,
)
args = common.parse(parser)
results = common.Results(args.out)
images, name = common.digits(args.data, args.seed)

# %% The two players
LATENT = 64
generator = mg.models.mlp_generator(
    LATENT, (28, 28, 1), hidden=(256, 512), tanh=True, rng=args.seed
)
discriminator = mg.models.mlp_discriminator((28, 28, 1), hidden=(512, 256), rng=args.seed + 1)
gan = mg.GAN(
    generator,
    discriminator,
    latent_dim=LATENT,
    loss=mg.losses.NonSaturating(),
    generator_optimizer=mg.optim.Adam(lr=2e-4),
    discriminator_optimizer=mg.optim.Adam(lr=2e-4),
    rng=args.seed,
)
print(f"generator      {generator.theta.size:,} parameters\n{generator}")
print(f"discriminator  {discriminator.theta.size:,} parameters\n{discriminator}\n")

# %% Train, keeping a sheet of samples of the same noise every so often
average = mg.Average(generator, 0.999)
noise = gan.draw_noise(60)
snapshots = common.Snapshots(args.out / "snapshots", resume=args.resume)


def keep(step, *_):
    if step in moments:
        samples, _ = average.network.forward(noise, training=False)
        snapshots.add(step, samples)


moments = {max(1, round(args.steps * share)) for share in (0, 0.02, 0.1, 0.3, 1)}
history = mg.train(
    gan,
    images,
    steps=args.steps,
    batch_size=64,
    average=average,
    callback=keep,
    rng=args.seed,
    **common.checkpointed(args),
)

# %% Pictures: samples over training, beside the data
sheets = snapshots.all()[-len(moments) :]
panels = [(f"step {step:,}", sheet) for step, sheet in sheets] + [(name, images[: len(noise)])]
figure, axes = plots.figure(2, 3, size=(4.2, 2.7))
for panel, (title, sheet) in zip(axes.flat, panels):
    plots.image_grid(panel, sheet, columns=10)
    panel.set_title(title)
for panel in axes.flat[len(panels) :]:
    panel.set_axis_off()
figure.savefig(results.path("digits.png", "samples of the same noise over training, and the data"))
plots.training_curves(history).savefig(
    results.path("training.png", "both losses and both gradient norms at every step")
)

# %% In numbers: a distance between samples and data, beside the distance between data and data
gan.generator = average.network
samples = gan.sample(2000).reshape(2000, -1)
flat = images[:4000].reshape(4000, -1)
distance = mg.metrics.sliced_wasserstein(samples, flat[:2000])
between_real = mg.metrics.sliced_wasserstein(flat[2000:], flat[:2000])
results.finish(
    {
        "data": name,
        "sliced_wasserstein": distance,
        "sliced_wasserstein_of_real_images": between_real,
        "final": {label: column[-1] for label, column in history.columns.items()},
    },
    [
        f"Sliced Wasserstein distance from 2,000 samples to 2,000 images: {distance:.4f}; from "
        f"2,000 other images: {between_real:.4f}.",
        "The nearer the two, the better; pixels are a poor judge of digits, so look at digits.png.",
    ],
)
