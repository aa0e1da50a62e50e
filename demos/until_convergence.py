"""Until convergence: training that ends by itself, and why the losses cannot tell when.

Step 7 of a GAN is "repeat until converged". A loss says how each player does against the other at
that moment: both get better together, and the losses stand still from early on. So something else
is measured: the sliced Wasserstein distance of samples from points that training has not seen. A
`Plateau` stops training once that no longer falls. Beside it, the same rule is asked of the losses.
"""

# %% A GAN on a ring of eight Gaussians, and points that it does not train on
import numpy as np
from helpers import common

import minigan as mg
from minigan import plots

args = common.arguments(__doc__, steps=20_000)
results = common.Results(args.out)
ring = mg.data.gaussian_ring(std=0.05)
held_out = ring.sample(10_000, np.random.default_rng((args.seed, 1)))
EVERY, PATIENCE, IMPROVEMENT = 250, 8, 0.02

gan = mg.GAN(
    mg.models.mlp_generator(8, (2,), rng=args.seed),
    mg.models.mlp_discriminator((2,), rng=args.seed),
    latent_dim=8,
    penalties=[mg.penalties.R1(0.1)],
    generator_optimizer=mg.optim.Adam(5e-4, beta1=0.0, beta2=0.99),
    discriminator_optimizer=mg.optim.Adam(5e-4, beta1=0.0, beta2=0.99),
    rng=args.seed,
)
average = mg.Average(gan.generator)


def distance(_=None):
    """Of 10,000 samples of the averaged generator from the held-out points."""
    noise = np.random.default_rng((args.seed, 2)).standard_normal((10_000, 8))
    samples, _ = average.network.forward(noise, training=False)
    return mg.metrics.sliced_wasserstein(held_out, samples)


floor = mg.metrics.sliced_wasserstein(
    held_out, ring.sample(10_000, np.random.default_rng((args.seed, 3)))
)

# %% Training, until the distance no longer falls
plateau = mg.Plateau(distance, every=EVERY, patience=PATIENCE, improvement=IMPROVEMENT)
history = mg.train(
    gan, ring, steps=args.steps, batch_size=128, average=average, stop=plateau, rng=args.seed
)
common.save_model(results, gan, average=average)
steps, distances = np.array(plateau.values or [(len(history), distance())]).T
print(history.stopped or f"not converged within {args.steps:,} steps")


# %% The same rule on the losses: each is averaged between two measurements, and asked to fall
def would_stop(loss):
    """The step at which a Plateau on this loss would have stopped; None if it would not have."""
    means = iter(np.array(loss)[: len(loss) // EVERY * EVERY].reshape(-1, EVERY).mean(axis=1))
    rule = mg.Plateau(
        lambda gan: next(means), every=EVERY, patience=PATIENCE, improvement=IMPROVEMENT
    )
    for step in range(EVERY, len(loss) + 1, EVERY):
        if rule.reached(step, gan):
            return step
    return None


LOSSES = {"L_D": "discriminator_loss", "L_G": "generator_loss"}
losses = {name: np.array(history.columns[column]) for name, column in LOSSES.items()}
stops = {name: would_stop(loss) for name, loss in losses.items()}


def at(step):
    """The distance measured last, at that step."""
    return distances[np.searchsorted(steps, step)]


# %% The losses and the distance, on one axis of time
figure, (above, below) = plots.figure(2, 1, size=(8.4, 2.9), sharex=True)
colours = {"L_D": plots.DISCRIMINATOR, "L_G": plots.GENERATOR}
for name, loss in losses.items():
    n = np.arange(1, len(loss) + 1)
    above.plot(
        n, plots.smooth(loss, min(100, len(loss))), color=colours[name], linewidth=1.4, label=name
    )
    if stops[name]:
        above.axvline(stops[name], color=colours[name], linestyle="--", linewidth=1)
above.axhline(np.log(4), color=plots.MUTED, linestyle=":", label="both at p = q: log 4, log 2")
above.axhline(np.log(2), color=plots.MUTED, linestyle=":")
above.set(title="what the players say, and where they would stop", ylabel="loss")
above.legend(loc="center right")
below.plot(steps, distances, "o-", color=plots.REAL, markersize=4, label="samples, held-out points")
below.axhline(floor, color="black", linestyle=":", label="two draws of the data")
best = steps[distances.argmin()]
below.axvline(len(history), color=plots.REAL, linestyle="--", linewidth=1)
below.plot(best, distances.min(), "o", color=plots.REAL, markersize=9, fillstyle="none")
below.set(yscale="log", xlabel="step", ylabel="sliced Wasserstein", title="what is measured")
below.legend(loc="upper right")
figure.savefig(results.path("convergence.png", "both losses, and the distance, with the stops"))

# %% In numbers
words = [
    f"{history.stopped or 'Training was not over'}; best at step {best:,.0f}: "
    f"{distances.min():.4f}, two draws of the data have {floor:.4f}.",
]
for name, step in stops.items():
    if step is None:
        words.append(f"A plateau of {name} would not have stopped it by then.")
    else:
        words.append(
            f"A plateau of {name} would have stopped at step {step:,}, at a distance of "
            f"{at(step):.4f}, {at(step) / distances.min():.1f} times the best."
        )
words += [
    "At p = q the losses are log 4 and log 2, and so they are wherever D cannot tell just now,",
    "whether because G is good or because D is not. A loss is a score in a match, not a distance.",
]
results.finish(
    {
        "stopped": history.stopped, "steps": len(history), "best": distances.min(),
        "floor": floor, "stops": stops,
        "distances": dict(zip(map(int, steps), map(float, distances))),
    },
    words,
)  # fmt: skip
