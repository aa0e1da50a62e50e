"""The latent laboratory: walk through a generator's noise, and find the noise of a given image.

A generator maps every z to an image. Between two draws of noise there is a line and a great circle;
along some directions the image changes much, along others hardly; and G's own backward pass, down
to its input, leads from an image back to a z. Writes a picture of each, and a page in which G runs.
"""

# %% A generator of digits, of linear layers, so that it fits into a page
import numpy as np
from helpers import common, digits, latent_page
from minigan.image_recipes import RATES

import minigan as mg
from minigan import plots
from minigan.observe import latent

args = common.arguments(__doc__, steps=6000, data=digits.DATA)
results = common.Results(args.out)
data = digits.load(args.data, args.seed)
LATENT, SHAPE = 16, data.images.shape[1:]
gan = mg.GAN(
    mg.models.mlp_generator(LATENT, SHAPE, hidden=(128, 256), tanh=True, rng=args.seed),
    mg.models.mlp_discriminator(SHAPE, hidden=(256, 128), rng=args.seed),
    latent_dim=LATENT,
    loss=mg.losses.Relativistic(),
    penalties=[mg.penalties.R1(1.0), mg.penalties.R2(1.0)],
    generator_optimizer=mg.optim.Adam(1e-3, beta1=0.0, beta2=0.99),
    discriminator_optimizer=mg.optim.Adam(1e-3, beta1=0.0, beta2=0.99),
    rng=args.seed,
)
average = mg.Average(gan.generator)
mg.train(
    gan, data.images, steps=args.steps, average=average, schedule=RATES, rng=args.seed
)  # fmt: skip
common.save_model(results, gan, average=average)
G = average.network


def images(z):
    """G's images of z (n, latent)."""
    return G.forward(z, training=False)[0]


# %% From one z to another: on the line |z| shrinks in the middle, on the great circle it stays
rng = np.random.default_rng(args.seed)
STEPS = 11
figure, (strips, lengths) = plots.figure(1, 2, size=(5.2, 3.4), width_ratios=(2, 1))
rows, shrinks = [], []
for _ in range(3):
    a, b = rng.standard_normal((2, LATENT))
    paths = latent.line(a, b, STEPS), latent.great_circle(a, b, STEPS)
    rows += [images(path) for path in paths]
    for path, colour, name in zip(paths, (plots.FAKE, plots.REAL), ("line", "great circle")):
        lengths.plot(np.linalg.norm(path, axis=1), color=colour, label=None if shrinks else name)
    shrinks.append(np.linalg.norm(paths[0], axis=1).min() / np.linalg.norm(paths[1], axis=1).min())
plots.image_grid(strips, np.concatenate(rows), columns=STEPS)
strips.set_title("three pairs: on the line, and below on the great circle")
lengths.axhline(np.sqrt(LATENT), color="black", linestyle=":", label="noise, on average")
lengths.set(title="|z| on the way", xlabel="step", ylim=(0, None))
lengths.legend()
figure.savefig(results.path("interpolation.png", "from one z to another, on a line and a circle"))

# %% Truncation: nearer to 0, cleaner and more alike
psis = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5])
z = rng.standard_normal((12, LATENT))
drawn = {psi: images(psi * rng.standard_normal((1000, LATENT))) for psi in psis}
variety = {psi: float(np.mean(x.reshape(1000, -1).std(axis=0))) for psi, x in drawn.items()}
figure, axes = plots.figure(size=(7.0, 4.4))
plots.image_grid(axes, np.concatenate([images(psi * z) for psi in psis]), columns=len(z))
axes.set_yticks(28 * np.arange(len(psis)) + 14, [f"{psi:g}" for psi in psis])
axes.set(title="truncation: G(psi z)", ylabel="psi")
figure.savefig(results.path("truncation.png", "the same noise, multiplied by 0 to 1.5"))

# %% Directions: eigenvectors of the mean of J'J, with J = dG/dz by `tangent`
strengths, U = latent.directions(G, rng.standard_normal((64, LATENT)))
walks = np.linspace(-3, 3, STEPS)
start = rng.standard_normal(LATENT)
shown = [0, 1, 2, 3, LATENT - 1]
sheet = [images(start + walks[:, None] * U[:, k]) for k in shown]
figure, axes = plots.figure(size=(7.0, 3.5))
plots.image_grid(axes, np.concatenate(sheet), columns=STEPS)
axes.set_yticks(28 * np.arange(len(shown)) + 14, [f"{strengths[k]:.2f}" for k in shown])
axes.set(title="from z - 3 u to z + 3 u", ylabel="strength of u")
figure.savefig(results.path("directions.png", "four strong directions and the weakest one"))

# %% Inversion: a z for a given image, by G's backward pass down to its input
of_g, held_out = images(rng.standard_normal((6, LATENT))), data.held_out[:6]
noise = rng.uniform(-1, 1, (2, *SHAPE)).astype(np.float32)
targets = np.concatenate([of_g, held_out, noise])
found = latent.invert(G, targets, steps=300, rng=args.seed)
figure, axes = plots.figure(size=(9.4, 2.6))
plots.image_grid(axes, np.concatenate([targets, found.images]), columns=len(targets))
axes.set_yticks([14, 42], ["image", "G(z)"])
axes.set_xticks(28 * np.arange(len(targets)) + 14, [f"{e:.2f}" for e in found.errors])
axes.set(title="six of G's own, six held-out digits, two of noise", xlabel="root mean square error")
figure.savefig(results.path("inversion.png", "images, and what G makes of the z found for each"))
errors = {
    "of_g": found.errors[:6].mean(),
    "held_out": found.errors[6:12].mean(),
    "noise": found.errors[12:].mean(),
}

# %% The page
latent_page.write(
    results.path("latent.html", "G in the browser: sliders for directions and truncation"),
    G, strengths, U, shape=SHAPE, seed=args.seed,
)  # fmt: skip

# %% In numbers
results.finish(
    {
        "data": data.name, "strengths": strengths, "inversion_errors": errors,
        "variety": {f"{psi:g}": value for psi, value in variety.items()},
        "shrinks": np.mean(shrinks),
    },
    [
        f"Half-way on the line |z| is {np.mean(shrinks):.2f} of what it is on the circle.",
        f"Truncation at 1/2 leaves {variety[0.5] / variety[1.0]:.0%} of the pixels' variety.",
        f"Along the strongest direction the image moves by {strengths[0]:.2f} a unit of z, along "
        f"the weakest by {strengths[-1]:.2f}.",
        f"Inversion, root mean square error: G's own images {errors['of_g']:.2f}, held-out digits "
        f"{errors['held_out']:.2f}, noise {errors['noise']:.2f}. What G cannot make has no z.",
    ],
)  # fmt: skip
