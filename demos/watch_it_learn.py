"""A GAN learns two moons, and shows what changes during training: as pictures, GIF and web page.

The discriminator's output over the plane, with arrows in the direction in which its gradient moves
each fake sample; a grid in the plane of noise as the generator maps it into the data; and, for each
layer, its gradient norm, the relative size of its updates, and the share of its units that are off.
`--live` also shows the page while it trains.
"""

# %% The data, and two small networks
from helpers import common, progress
from matplotlib.animation import PillowWriter

import minigan as mg
from minigan import plots

parser = common.parser(__doc__, steps=4000, resumes=True)
common.add_live(parser)
args = common.parse(parser)
results = common.Results(args.out)
moons = mg.data.two_moons(std=0.08)
generator = mg.models.mlp_generator(2, (2,), hidden=(64, 64, 64), rng=args.seed)
discriminator = mg.models.mlp_discriminator((2,), hidden=(64, 64, 64), rng=args.seed + 1)
gan = mg.GAN(
    generator,
    discriminator,
    latent_dim=2,
    loss=mg.losses.NonSaturating(),
    penalties=[mg.penalties.R1(0.02), mg.penalties.R2(0.02)],
    generator_optimizer=mg.optim.Adam(lr=1e-3),
    discriminator_optimizer=mg.optim.Adam(lr=1e-3),
    rng=args.seed,
)

# %% What to record: a film of the plane, and the vital signs of each layer
film = mg.watch.Film(gan, moons, moments=mg.watch.moments(args.steps, 60), rng=args.seed)
vitals = mg.watch.Vitals(gan, moons, rng=args.seed)
if args.live is not None:
    live = mg.watch.Live(film, vitals, port=args.live)

# %% Train
history = mg.train(
    gan,
    moons,
    steps=args.steps,
    batch_size=128,
    schedule=mg.schedules.linear(final=0.01),
    callback=[vitals, film],
    rng=args.seed,
    **common.checkpointed(args, results),
)
if args.live is not None:
    live.finish()
common.save_model(results, gan)

# %% Four steps on one page
if not film.frames or film.frames[-1].step != len(history):  # interrupted between two frames
    film.frames.append(film.record(len(history), gan))
chosen = [film.frames[round(share * (len(film.frames) - 1))] for share in (0, 0.2, 0.45, 1)]
plots.learning(film, moons, chosen).savefig(
    results.path("learning.png", "D's output, the arrows and G's map of the plane, at four steps")
)

# %% The whole film: a GIF to paste anywhere, and a page with a slider and every measurement
movie = progress.reported(plots.animation(film, moons), len(film.frames), "drawing the film")
movie.save(results.path("learning.gif", "the same as a film"), writer=PillowWriter(fps=10), dpi=75)
film.to_html(
    results.path("learning.html", "a page with a slider over all of it; needs no network"),
    vitals=vitals,
    history=history,
    title="A GAN learns two moons",
    words="As the two networks reach a balance, the colours fade and the arrows become short. A "
    "continuous map cannot cut the plane apart: between the moons a few cells are stretched thin.",
)

# %% Layer by layer
plots.layer_curves(vitals).savefig(
    results.path("layers.png", "gradient norms, update-to-weight ratios, units that are off")
)
plots.training_curves(history, loss=gan.loss).savefig(
    results.path("training.png", "both losses and both gradient norms, every step and smoothed")
)

# %% In numbers
real, *others = moons.sample(22_000, args.seed + 2).reshape(11, 2000, 2)
distance = mg.metrics.beside_real(mg.metrics.sliced_wasserstein, real, gan.sample(2000), others)
first, last = (film.frames[i].push for i in (0, -1))
lengths = [float((push**2).sum(axis=1).mean() ** 0.5) for push in (first, last)]
results.finish(
    {
        "sliced_wasserstein": distance.fake,
        "sliced_wasserstein_of_real_samples": distance.held_out.mean,
        "sliced_wasserstein_of_real_samples_deviation": distance.held_out.deviation,
        "push": {"first": lengths[0], "last": lengths[1]},
        "diagnosis": mg.diagnose(vitals).scalars(),
        "layers": {
            player: {
                name: {kind: values[-1] for kind, values in columns.items()}
                for name, columns in layers.items()
            }
            for player, layers in vitals.layers.items()
        },
    },
    [
        "Sliced Wasserstein distance from 2,000 samples to 2,000 points of the data: "
        f"{distance.fake:.4f}; from other points of the data, in {len(others)} draws: "
        f"{distance.held_out}.",
        f"Root mean square length of the arrows: {lengths[0]:.3g} at the start, {lengths[1]:.3g} "
        "at the end. Where D cannot tell real from fake, its gradient is 0.",
        "layers.png, off: units of a LeakyReLU whose output is at most 0 for every probe sample.",
    ],
    common.where_stopped(history),
)
