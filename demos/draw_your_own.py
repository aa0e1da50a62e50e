"""A GAN learns your own drawing: the darker a pixel, the more data points lie there.

    python demos/draw_your_own.py --picture cat.png

Without a picture a window opens to draw in; where there is no screen, the word GAN is learned.
Fourier features let both networks represent fine strokes; R1 and R2 keep training stable.
"""

# %% The drawing: a file, a window, or a word
from pathlib import Path

import numpy as np
from helpers import common, progress
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.figure import Figure

import minigan as mg
from minigan import plots

parser = common.parser(__doc__, steps=8000, resumes=True)
parser.add_argument("--picture", type=Path, help="a PNG or JPEG file; dark pixels are the density")
args = common.parse(parser)
results = common.Results(args.out)


def word(path):
    """Writes a picture of the word GAN."""
    figure = Figure(figsize=(3.0, 1.3), dpi=100)
    figure.text(0.5, 0.46, "GAN", size=72, weight="bold", ha="center", va="center")
    figure.savefig(path, dpi=100, bbox_inches="tight", pad_inches=0.15)


def strokes(path):
    """Opens a window to draw in, and writes the drawing once it is closed.

    False if there is no screen or nothing was drawn.
    """
    figure, panel = plots.window(size=(5, 5))
    if not plots.has_screen(figure):
        print("No --picture, and no screen to draw on: learning the word GAN.\n")
        return False
    from matplotlib import pyplot  # which needs a working backend

    panel.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
    panel.set_title("draw with the mouse, then close the window")
    lines = []

    def press(event):
        if event.inaxes is panel:
            lines.append(
                panel.plot([event.xdata], [event.ydata], "k-", lw=9, solid_capstyle="round")[0]
            )

    def move(event):
        if event.inaxes is panel and event.button and lines:
            x, y = lines[-1].get_data()
            lines[-1].set_data([*x, event.xdata], [*y, event.ydata])
            figure.canvas.draw_idle()

    figure.canvas.mpl_connect("button_press_event", press)
    figure.canvas.mpl_connect("motion_notify_event", move)
    pyplot.show()
    drawn = [line.get_data() for line in lines]
    if drawn:
        figure = Figure(figsize=(2.5, 2.5), dpi=100)
        panel = figure.subplots()
        for x, y in drawn:
            panel.plot(x, y, "k-", lw=5, solid_capstyle="round")
        panel.set(xlim=(0, 1), ylim=(0, 1), position=(0, 0, 1, 1))
        panel.set_axis_off()
        figure.savefig(path, dpi=100, bbox_inches="tight", pad_inches=0.15)
    return bool(drawn)


picture = args.picture
if picture is None:
    picture = results.path("drawing.png", "the picture that is learned")
    if not (args.resume and picture.exists()):
        strokes(picture) or word(picture)
try:
    drawing = mg.data.from_picture(picture)
except (OSError, ValueError) as error:
    common.refuse(f"--picture: {error}")

# %% The networks. Fourier features: sines of the input along random directions
waves, mlp = mg.layers.FourierFeatures, mg.models.mlp
generator = mg.Sequential([waves(2, 32, scale=0.3), *mlp(64, 128, 128, 128, 2)], rng=args.seed)
discriminator = mg.Sequential([waves(2, 64, scale=1.5), *mlp(128, 128, 128, 1)], rng=args.seed + 1)
gan = mg.GAN(
    generator,
    discriminator,
    latent_dim=2,
    loss=mg.losses.Relativistic(),
    penalties=[mg.penalties.R1(0.02), mg.penalties.R2(0.02)],
    generator_optimizer=mg.optim.Adam(lr=1e-3, beta1=0.0, beta2=0.99),
    discriminator_optimizer=mg.optim.Adam(lr=1e-3, beta1=0.0, beta2=0.99),
    rng=args.seed,
)

# %% Train, and record 3,000 samples of the same noise every so often
average = mg.Average(generator, 0.995)
noise = gan.draw_noise(3000)
moments = set(mg.watch.moments(args.steps, 50))
snapshots = common.Snapshots(
    results, "snapshots", "3,000 samples of the same noise at about 50 steps", resume=args.resume
)


def keep(step, *_):
    if step in moments:
        samples, _ = average.network.forward(noise, training=False)
        snapshots.add(step, samples)


history = mg.train(
    gan,
    drawing,
    steps=args.steps,
    batch_size=256,
    average=average,
    schedule=mg.schedules.cosine(final=0.02),
    callback=keep,
    rng=args.seed,
    **common.checkpointed(args, results),
)
common.save_model(results, gan, average=average)
frames = snapshots.all() or [(len(history), average.network.forward(noise, training=False)[0])]
gan.generator = average.network

# %% Pictures: the target, and the samples over training
left, right, bottom, top = drawing.extent
height = 3.4 * (top - bottom) / (right - left) + 0.35
chosen = [frames[round(share * (len(frames) - 1))] for share in (0, 0.15, 0.3, 0.5, 1)]
figure, axes = plots.figure(2, 3, size=(3.4, height))
plots.density(axes[0, 0], drawing)
axes[0, 0].set_title("the drawing")
for panel, (step, samples) in zip(axes.flat[1:], chosen):
    plots.points(panel, samples, size=2.5, alpha=0.6)
    plots.frame(panel, drawing.extent)
    panel.set_title(f"step {step:,}")
figure.savefig(results.path("learned.png", "the drawing, and 3,000 samples over training"))

# %% An animation
figure, panel = plots.figure(size=(4.4, 4.4 * height / 3.4))
plots.density(panel, drawing)
dots = plots.points(panel, frames[0][1], size=2.5, alpha=0.7)


def draw(frame):
    step, samples = frame
    dots.set_offsets(samples)
    panel.set_title(f"step {step:,}")


shown = frames + frames[-1:] * 12
animation = progress.reported(FuncAnimation(figure, draw, frames=shown), len(shown), "learned.gif")
animation.save(
    results.path("learned.gif", "the samples moving in"), writer=PillowWriter(fps=12), dpi=80
)

# %% In numbers: how many samples lie on ink, and their distance from the drawing
samples = gan.sample(10_000)
on_ink = float(np.mean(np.isfinite(drawing.log_density(samples))))
blank = np.random.default_rng(args.seed).uniform((left, bottom), (right, top), (10_000, 2))
by_chance = float(np.mean(np.isfinite(drawing.log_density(blank))))
real, *others = drawing.sample(110_000, args.seed + 2).reshape(11, 10_000, 2)
distance = mg.metrics.beside_real(mg.metrics.sliced_wasserstein, real, samples, others)
results.finish(
    {
        "on_ink": on_ink,
        "on_ink_by_chance": by_chance,
        "sliced_wasserstein": distance.fake,
        "sliced_wasserstein_of_real_samples": distance.held_out.mean,
        "sliced_wasserstein_of_real_samples_deviation": distance.held_out.deviation,
        "final": {name: history[name][-1] for name in history.columns},
    },
    [
        f"{on_ink:.1%} of the samples lie where the drawing is not white; "
        f"of points drawn uniformly from the frame, {by_chance:.1%} do.",
        "Sliced Wasserstein distance from 10,000 samples to 10,000 points of the drawing: "
        f"{distance.fake:.4f}; from other points of the drawing itself, in {len(others)} draws: "
        f"{distance.held_out}.",
    ],
    common.where_stopped(history),
)
