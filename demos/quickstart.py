"""A GAN learns a ring of eight Gaussians, and shows its gradients.

A generator turns noise into points of the plane; a discriminator learns to tell them from points of
the ring, and the generator learns from the discriminator's gradient. Before training starts, every
entry of every gradient of the first step is compared with a finite difference of the losses.
"""

# %% What to learn: eight Gaussians on a circle, whose exact density is known
import common
from matplotlib.animation import FuncAnimation, PillowWriter

import minigan as mg
from minigan import plots

args = common.arguments(__doc__, steps=3000, resumes=True)
results = common.Results(args.out)
ring = mg.data.gaussian_ring(std=0.05)

# %% The two players: three linear layers each, with LeakyReLU between them
generator = mg.models.mlp_generator(2, (2,), hidden=(64, 64), rng=args.seed)
discriminator = mg.models.mlp_discriminator((2,), hidden=(64, 64), rng=args.seed + 1)
gan = mg.GAN(
    generator,
    discriminator,
    latent_dim=2,
    loss=mg.losses.Relativistic(),
    generator_optimizer=mg.optim.Adam(lr=1e-3),
    discriminator_optimizer=mg.optim.Adam(lr=1e-3),
    rng=args.seed,
)

# %% Is every gradient right? The first training step, against finite differences of the losses
report = mg.gradcheck.check_step(gan, ring.sample(8, args.seed))
print(report, "\n")

# %% Train, and keep a picture of the samples every so often
average = mg.Average(generator, 0.99)
noise = gan.draw_noise(1000)  # the same noise in every frame, so that points can be followed
snapshots = common.Snapshots(args.out / "snapshots", resume=args.resume)


def keep(step, *_):
    if step in moments:
        samples, _ = average.network.forward(noise, training=False)
        snapshots.add(step, samples)


moments = mg.watch.moments(args.steps, 51)
vitals = mg.watch.Vitals(gan, ring, rng=args.seed)  # for the diagnosis, printed at the end
history = mg.train(
    gan,
    ring,
    steps=args.steps,
    batch_size=128,
    average=average,
    schedule=mg.schedules.linear(final=0.01),
    callback=[keep, vitals],
    rng=args.seed,
    **common.checkpointed(args),
)
frames = snapshots.all()

# %% What was learned: the averaged generator's samples, by the field's definitions
gan.generator = average.network
samples = gan.sample(10_000)
coverage = mg.metrics.mode_coverage(samples, ring.modes, ring.std)
print(f"\n{coverage}")

# %% A picture: before, on the way, after; and the losses
figure, axes = plots.figure(1, 3, size=(3.4, 3.6))
for panel, (step, moved) in zip(axes, (frames[0], frames[len(frames) // 3], frames[-1])):
    plots.density(panel, ring)
    plots.points(panel, moved)
    plots.frame(panel, (-1.3, 1.3, -1.3, 1.3))
    panel.set_title(f"step {step:,}")
figure.suptitle("the generator's samples (orange) find the data (blue)")
figure.savefig(results.path("samples.png", "samples before, on the way, and after training"))
plots.training_curves(history).savefig(
    results.path("training.png", "both losses and both gradient norms at every step")
)

# %% An animation: the samples moving in
figure, panel = plots.figure(size=(4, 4))
plots.density(panel, ring)
plots.frame(panel, (-1.3, 1.3, -1.3, 1.3))
dots = plots.points(panel, frames[0][1], size=4)


def draw(frame):
    step, moved = frame
    dots.set_offsets(moved)
    panel.set_title(f"step {step:,}")


animation = FuncAnimation(figure, draw, frames=frames + frames[-1:] * 12)
path = results.path("samples.gif", "the samples moving in")
animation.save(path, writer=PillowWriter(fps=12), dpi=80)

# %% In numbers
results.finish(
    {
        "gradient_check": {
            "ok": report.ok,
            "max_relative_error": report.max_relative_error,
            "rows": len(report.rows),
        },
        "diagnosis": mg.diagnose(vitals).scalars(),
        "mode_coverage": coverage.scalars(),
        "final": {name: column[-1] for name, column in history.columns.items()},
    },
    [
        f"Gradients: {len(report.rows)} checks of the first step, largest relative error "
        f"{report.max_relative_error:.0e} (the bar is 1e-7, or 1e-5 across a kink).",
        f"Modes: {coverage.captured} of {len(ring.modes)} Gaussians reached, {coverage.covered} "
        f"with at least {coverage.min_share:.0%} of their share of the samples;",
        f"{coverage.hq:.1%} of the samples lie within three standard deviations of one "
        f"(a perfect sampler: {coverage.hq_perfect:.1%}).",
    ],
)
