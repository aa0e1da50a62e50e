"""What a generator looks at: self-attention between the places of an image.

A convolution sees a few pixels around each place. The self-attention layer (Zhang et al. 2019) lets
each place take from all others, and its weights say from which. A generator of digits with such a
layer at 14 x 14 pixels learns; then the maps of some places are drawn, over the digit they made.
"""

# %% A DCGAN with self-attention in both players, where the images are of 14 x 14
import numpy as np
from helpers import common, digits

import minigan as mg
from minigan import layers as L
from minigan import plots

args = common.arguments(__doc__, steps=3000, data=digits.DATA)
results = common.Results(args.out)
data = digits.load(args.data, args.seed)
LATENT, CHANNELS = 64, 32
generator = mg.Sequential(
    [
        L.Linear(LATENT, 7 * 7 * 2 * CHANNELS), L.BatchNorm(7 * 7 * 2 * CHANNELS), L.ReLU(),
        L.Reshape((7, 7, 2 * CHANNELS)),
        L.ConvTranspose2d(2 * CHANNELS, CHANNELS, 4, stride=2, padding=1, bias=False),
        L.BatchNorm(CHANNELS), L.ReLU(),
        L.SelfAttention(CHANNELS),
        L.ConvTranspose2d(CHANNELS, 1, 4, stride=2, padding=1), L.Tanh(),
    ],
    rng=args.seed,
)  # fmt: skip
discriminator = mg.Sequential(
    [
        L.Conv2d(1, CHANNELS, 4, stride=2, padding=1), L.LeakyReLU(),
        L.SelfAttention(CHANNELS),
        L.Conv2d(CHANNELS, 2 * CHANNELS, 4, stride=2, padding=1), L.LeakyReLU(),
        L.Flatten(), L.Linear(7 * 7 * 2 * CHANNELS, 1),
    ],
    rng=args.seed + 1,
)  # fmt: skip
gan = mg.GAN(
    generator,
    discriminator,
    latent_dim=LATENT,
    loss=mg.losses.Relativistic(),
    penalties=[mg.penalties.R1(1.0), mg.penalties.R2(1.0)],
    rng=args.seed,
    **mg.game_steps.two_time_scales(
        generator_lr=5e-4, discriminator_lr=1e-3, beta1=0.0, beta2=0.99
    ),
)
print("G", gan.generator.theta.size, "and D", gan.discriminator.theta.size, "parameters")
average = mg.Average(generator)
mg.train(gan, data.images, steps=args.steps, average=average, rng=args.seed)
common.save_model(results, gan, average=average)
G = average.network

# %% How much attention each player uses: gamma starts from 0
index = next(i for i, layer in enumerate(G.layers) if isinstance(layer, L.SelfAttention))
gammas = {
    "G": float(G.layers[index].params["gamma"][0]),
    "D": float(discriminator.layers[2].params["gamma"][0]),
}

# %% The maps: A[n, i, j] is what place (i, j) takes from every place; 1/196 would be all alike
noise = np.random.default_rng(args.seed).standard_normal((6, LATENT)).astype(np.float32)
x = noise
for layer in G.layers[:index]:
    x, _ = layer.forward(x, training=False)
maps = G.layers[index].attention(x)
images, _ = G.forward(noise, training=False)
ink = images[:, ::2, ::2, 0]  # one pixel for each of the 14 x 14 places
PLACES = 4


def places(image):
    """Where to ask: the places with most ink, apart from each other, and one on the ground."""
    chosen, left = [], image.copy()
    for _ in range(PLACES - 1):
        i, j = np.unravel_index(left.argmax(), left.shape)
        chosen.append((int(i), int(j)))
        left[max(0, i - 2) : i + 3, max(0, j - 2) : j + 3] = -np.inf
    return [*chosen, (1, 1)]


figure, axes = plots.figure(len(images), 1 + PLACES, size=(1.7, 1.7))
for row, image, seen, small in zip(axes, images[..., 0], maps, ink):
    row[0].imshow(image, cmap="gray_r", vmin=-1, vmax=1)
    for panel, (i, j) in zip(row[1:], places(small)):
        panel.imshow(image, cmap="gray_r", vmin=-1, vmax=1, alpha=0.35)
        panel.imshow(
            seen[i, j], cmap="Oranges", alpha=0.75, extent=(-0.5, 27.5, 27.5, -0.5),
            interpolation="bilinear",
        )  # fmt: skip
        panel.plot(2 * j + 0.5, 2 * i + 0.5, "+", color=plots.REAL, markersize=9, markeredgewidth=2)
    for panel in row:
        panel.set(xticks=[], yticks=[])
axes[0, 0].set_title("sample")
for panel in axes[0, 1:-1]:
    panel.set_title("place +")
axes[0, -1].set_title("ground +")
figure.savefig(
    results.path("attention.png", "samples, and what some of their places look at, in orange")
)

# %% How far the looks go: the mean distance between a place and what it looks at, in places
grid = np.stack(np.meshgrid(np.arange(14), np.arange(14), indexing="ij"), axis=-1).reshape(196, 2)
apart = np.linalg.norm(grid[:, None] - grid, axis=2)
weights = maps.reshape(len(maps), 196, 196)
reach = float((weights * apart).sum(axis=2).mean())
entropy = float(-(weights * np.log(weights + 1e-30)).sum(axis=2).mean())
results.finish(
    {
        "data": data.name, "gamma": gammas, "mean_distance": reach, "entropy": entropy,
        "even_distance": apart.mean(), "even_entropy": np.log(196),
    },
    [
        f"gamma, from 0: {gammas['G']:.3f} in G, {gammas['D']:.3f} in D.",
        f"A place looks {reach:.1f} places far on average (evenly spread looks: "
        f"{apart.mean():.1f}; a 4 x 4 convolution: about 1).",
        f"It looks at about {np.exp(entropy):.0f} of the 196 places at once.",
    ],
)  # fmt: skip
