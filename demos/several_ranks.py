"""One training shared among several processes, by MPI: the same numbers, and how long a step takes.

    python -m minigan.parallel -n 2 demos/several_ranks.py        (pip install 'minigan[mpi]')
    python demos/several_ranks.py                                  the same, in one process

Each rank takes its rows of every minibatch. With other numbers of ranks the gradients are the same
but for rounding, which in float32 grows as the training goes on. A small network's step is over
before its gradients have been exchanged: on one machine, threads are the better use of its cores.
"""

# %% The game: every rank makes the same one, from the same seeds
import sys
import time

import numpy as np
from helpers import common

import minigan as mg
from minigan import plots

parser = common.parser(__doc__, steps=2000)
parser.add_argument("--batch", type=common.whole(8), default=256, help="samples of all ranks")
parser.add_argument("--width", type=common.whole(1), default=128, help="units of a hidden layer")
args = common.parse(parser)
results = common.Results(args.out)
moons = mg.data.two_moons()
hidden = (args.width,) * 3
alone = mg.GAN(
    mg.models.mlp_generator(8, (2,), hidden=hidden, rng=args.seed),
    mg.models.mlp_discriminator((2,), hidden=hidden, rng=args.seed),
    latent_dim=8,
    loss=mg.losses.Relativistic(),
    penalties=[mg.penalties.R1(0.1), mg.penalties.R2(0.1)],
    generator_optimizer=mg.optim.Adam(1e-3, beta1=0.0, beta2=0.99),
    discriminator_optimizer=mg.optim.Adam(1e-3, beta1=0.0, beta2=0.99),
    rng=args.seed,
)
try:
    gan = mg.parallel.across_ranks(alone)
except ImportError as error:
    common.refuse(str(error))

# %% Train: each rank on its rows. The time leaves out the first steps, which compile
FIRST = min(20, args.steps // 2)
average, begin = mg.Average(gan.generator, 0.99), time.perf_counter()


def clock(step, gan, figures):
    global begin
    if step == FIRST:
        begin = time.perf_counter()


mg.parallel.train(
    gan, moons, steps=args.steps, batch_size=args.batch, average=average, callback=clock,
    schedule=mg.schedules.linear(final=0.01), rng=args.seed,
)  # fmt: skip
milliseconds = 1e3 * (time.perf_counter() - begin) / (args.steps - FIRST)
ranks = gan.ranks
if ranks.rank > 0:
    sys.exit()  # rank 0 draws the picture and prints the results

# %% What it learned
common.save_model(results, gan, average=average)
gan.generator = average.network
samples = gan.sample(10_000)
real, more = (moons.sample(10_000, np.random.default_rng((args.seed, i))) for i in (1, 2))
distance = mg.metrics.sliced_wasserstein(real, samples)
floor = mg.metrics.sliced_wasserstein(real, more)
figure, axis = plots.figure(1, 1, size=(4.2, 4.2))
plots.density(axis, moons)
plots.points(axis, samples[:2000])
axis.set_title(f"{ranks.size} ranks, step {args.steps:,}")
figure.savefig(results.path("samples.png", "2,000 samples over the data"))

# %% Batch norm is another matter: its means are over the samples of a rank
L = mg.layers


def gradient(network, x):
    """Of the mean square of the outputs, in the parameters."""
    y, caches = network.forward(x)
    network.zero_grad()
    network.backward_params(2 * y / y.size, caches)
    return network.grad.copy()


def apart(norm):
    """How far the mean gradient of two halves is from that of the whole, relatively."""
    row = [L.Linear(2, 64), *norm, L.LeakyReLU(), L.Linear(64, 2)]
    network = mg.Sequential(row, dtype="float64", rng=args.seed)
    x = np.random.default_rng(args.seed).standard_normal((args.batch // 2 * 2, 2))
    whole = gradient(network, x)
    halves = [gradient(network, half) for half in np.split(x, 2)]
    return float(np.linalg.norm(np.mean(halves, axis=0) - whole) / np.linalg.norm(whole))


difference = {"without batch norm": apart([]), "with batch norm": apart([L.BatchNorm(64)])}
results.finish(
    {
        "ranks": ranks.size,
        "milliseconds": milliseconds,
        "distance": distance,
        "floor": floor,
        "halves": difference,
    },
    [
        f"{ranks.size} ranks, {args.batch} samples in all: {milliseconds:.2f} ms a step. "
        f"Sliced Wasserstein distance of 10,000 samples from as many real points: {distance:.4f}; "
        f"of real points from real points: {floor:.4f}.",
        "The gradient of a minibatch, and the mean of the gradients of its halves, differ by "
        f"{difference['without batch norm']:.1e} of their length without batch norm, which is "
        f"rounding, and by {difference['with batch norm']:.1e} with it: each half is normalised by "
        "its own means and variances, which are noisier. So with batch norm, ranks learn from "
        "other gradients than one process would, as if the minibatch were as small as a rank's "
        "share of it.",
    ],
)
