"""A GAN learns a ring of eight Gaussians, and shows its gradients.

A generator turns noise into points of the plane; a discriminator learns to tell them from points of
the ring, and the generator learns from the discriminator's gradient. Before training starts, the
gradients of the first step are compared, entry by entry, with finite differences of the losses.
"""

# %% What to learn: eight Gaussians on a circle, whose exact density is known
import numpy as np
from helpers import common, progress
from matplotlib.animation import FuncAnimation, PillowWriter

import minigan as mg
from minigan import plots
from minigan.verify.gradcheck.differences import central_differences

parser = common.parser(__doc__, steps=3000, resumes=True)
common.add_live(parser)
args = common.parse(parser)
results = common.Results(args.out)
ring = mg.data.gaussian_ring(std=0.05)

# %% The two networks: three linear layers each, with LeakyReLU between them
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
first = ring.sample(8, args.seed)
report = mg.gradcheck.check_step(gan, first)
print(report, "\n")

# %% One gradient in full, of G's loss with respect to four samples, and finite differences
critic, real = discriminator.copy("float64"), first[:4].astype(float)
few = np.random.default_rng(args.seed).standard_normal((4, 2))
fake = generator.copy("float64").forward(few)[0].copy()  # what a network returns is read-only


def generator_loss():
    """L_G and its gradient with respect to the logits of the fakes, and D's cache."""
    real_logits, _ = critic.forward(real)
    fake_logits, cache = critic.forward(fake)
    value, _, dlogits = gan.loss.generator(real_logits, fake_logits)
    return value, dlogits, cache


_, dlogits, cache = generator_loss()
dx = critic.backward_input(dlogits, cache)
differences, _ = central_differences(lambda: generator_loss()[0], fake)
print("dL_G/dx   sample, axis   backward pass   finite difference")
for (sample, axis), value in np.ndenumerate(dx):
    print(f"{sample:16}{'xy'[axis]:>7}{value:+16.10f}{differences[sample, axis]:+20.10f}")
print()

# %% Train, and record the samples every so often
average = mg.Average(generator, 0.99)
noise = gan.draw_noise(1000)  # the same noise in every frame, so that points can be followed
snapshots = common.Snapshots(
    results, "snapshots", "1,000 samples of the same noise at about 50 steps", resume=args.resume
)


def keep(step, *_):
    if step in moments:
        samples, _ = average.network.forward(noise, training=False)
        snapshots.add(step, samples)


moments = mg.watch.moments(args.steps, 51)
vitals = mg.watch.Vitals(gan, ring, rng=args.seed)  # for the diagnosis, printed at the end
callbacks = [keep, vitals]
if args.live is not None:
    film = mg.watch.Film(gan, ring, moments=moments, generator=average.network, rng=args.seed)
    callbacks.append(lambda *step: film(*step))  # a view, which no checkpoint keeps
    live = mg.watch.Live(film, vitals, port=args.live)
history = mg.train(
    gan,
    ring,
    steps=args.steps,
    batch_size=128,
    average=average,
    schedule=mg.schedules.linear(final=0.01),
    callback=callbacks,
    rng=args.seed,
    **common.checkpointed(args, results),
)
if args.live is not None:
    live.finish()
common.save_model(results, gan, average=average)
frames = snapshots.all() or [(len(history), average.network.forward(noise, training=False)[0])]

# %% What was learned: the averaged generator's samples, in the usual measures
gan.generator = average.network
samples = gan.sample(10_000)
coverage = mg.metrics.mode_coverage(samples, ring.modes, ring.std)
print(f"\n{coverage}\n\n{coverage.legend()}")

# %% A picture: before, on the way, after; and the losses
figure, axes = plots.figure(1, 3, size=(3.4, 3.6))
for panel, (step, moved) in zip(axes, (frames[0], frames[len(frames) // 3], frames[-1])):
    plots.density(panel, ring)
    plots.points(panel, moved)
    plots.frame(panel, (-1.3, 1.3, -1.3, 1.3))
    panel.set_title(f"step {step:,}")
figure.suptitle("the generator's samples (orange) find the data (blue)")
figure.savefig(results.path("samples.png", "samples before, on the way, and after training"))
plots.training_curves(history, loss=gan.loss).savefig(
    results.path("training.png", "both losses and both gradient norms, every step and smoothed")
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


shown = frames + frames[-1:] * 12
animation = progress.reported(FuncAnimation(figure, draw, frames=shown), len(shown), "samples.gif")
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
        f"Gradients: {len(report.rows)} tensors and losses of the first step compared, largest "
        f"relative error {report.max_relative_error:.0e} (allowed: 1e-7, or 1e-5 where a "
        "difference crossed a kink of LeakyReLU).",
        f"Modes: {coverage.captured} of {len(ring.modes)} Gaussians are captured (have samples "
        f"within three standard deviations), {coverage.covered} are covered (with at least "
        f"{coverage.min_share:.0%} of their share of the samples). HQ: {coverage.hq:.1%} of the "
        f"samples lie within three standard deviations of a Gaussian (a perfect sampler: "
        f"{coverage.hq_perfect:.1%}).",
    ],
    common.where_stopped(history),
)
