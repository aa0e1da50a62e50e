"""The game's own optimizers: what the eigenvalues predict, and what a real GAN then does.

Gradient descent is made for one valley. Two players who each go down their own loss turn about the
equilibrium, and a simultaneous step, along the tangent, leaves the circle. Extragradient steps
look ahead before they move, optimistic ones guess the next gradient from the last two, lookahead
goes half of the way back every few steps, consensus makes the field itself smaller. First on the
bilinear game, where every rate is known; then in a GAN that makes a ring, whose Jacobian says
beforehand how fast each of them will turn and how fast it will settle.
"""

# %% The bilinear game L = psi theta: a pure rotation
import numpy as np
from helpers import common
from tqdm import tqdm

import minigan as mg
from minigan import dirac, plots
from minigan.theory.forecast import forecast, measured_multiplier
from minigan.training.game_steps import (
    ConsensusGAN,
    ExtragradientGAN,
    Lookahead,
    OptimisticSGD,
    SimultaneousGAN,
    two_time_scales,
)

args = common.arguments(__doc__, steps=3000)
results = common.Results(args.out)
H = 0.2
RULES = {
    "simultaneous": (dirac.Simultaneous(H), plots.GENERATOR),
    "alternating": (dirac.Alternating(H), plots.DISCRIMINATOR),
    "extragradient": (dirac.Extragradient(H), plots.REAL),
    "optimistic": (dirac.Optimistic(H), "#2a9d8f"),
    "lookahead, k = 5": (dirac.LookaheadRounds(dirac.Simultaneous(H)), "#c2185b"),
}
bilinear, contraction = dirac.Bilinear(), {}
print(f"Contraction per step (lookahead: per round of 5), h = {H}: predicted, measured\n")
print(f"{'':19}{'bilinear, lambda = +-i':26}Dirac-GAN with R1, gamma 0.3")
for name, (rule, _) in RULES.items():
    row = []
    for method in (bilinear, dirac.R1(0.3)):
        row += [dirac.predicted_contraction(method, rule), dirac.measured_contraction(method, rule)]
    contraction[name] = row
    print(f"{name:19}{row[0]:.5f}  {row[1]:.5f}          {row[2]:.5f}  {row[3]:.5f}")

# %% The paths, and the distance to the equilibrium with the predicted slope
figure, (plane, distance) = plots.figure(1, 2, size=(4.7, 4.3))
for name, (rule, colour) in RULES.items():
    path = dirac.trajectory(bilinear, rule, (1.0, 0.0), 120)
    shown = np.abs(path).max(axis=1) < 2.2
    plane.plot(
        *path[: len(path) if shown.all() else np.argmin(shown)].T,
        ".-",
        color=colour,
        linewidth=0.9,
        markersize=3,
        label=name,
    )
    r = np.hypot(*path.T)
    distance.plot(r, color=colour, linewidth=1.6)
    distance.plot(r[0] * contraction[name][0] ** np.arange(121), ":", color="black", linewidth=1)
plane.plot(0, 0, "+", color="black", markersize=10, markeredgewidth=1.5)
plane.set(title="the bilinear game", xlabel=r"$\theta$", ylabel=r"$\psi$", aspect="equal")
distance.set(yscale="log", title="distance to the equilibrium", xlabel="step (lookahead: round)")
distance.plot([], [], ":", color="black", label="predicted")
distance.legend()
figure.legend(*plane.get_legend_handles_labels(), loc="outside lower center", ncols=5)
figure.savefig(results.path("bilinear.png", "the paths of each rule, and their predicted slopes"))

# %% A GAN that makes a ring, trained until it does
layers = mg.layers
G = mg.Sequential(
    [layers.Linear(2, 16), layers.Tanh(), layers.Linear(16, 2)], dtype="float64", rng=args.seed
)
D = mg.Sequential(
    [layers.Linear(2, 16), layers.Tanh(), layers.Linear(16, 1)], dtype="float64", rng=args.seed + 1
)
gan = mg.GAN(
    G, D, latent_dim=2, penalties=[mg.penalties.R1(0.3)], rng=args.seed + 2,
    **two_time_scales(generator_lr=2e-3, discriminator_lr=4e-3),
)  # fmt: skip
mg.train(gan, mg.data.gaussian_ring(), steps=args.steps, rng=args.seed + 3)
common.save_model(results, gan)

# %% Its equilibrium: the data are what G makes of some noise, and D, its output weights 0, is blind
noise = np.random.default_rng(args.seed).standard_normal((64, 2))
real = G.forward(noise)[0].copy()
D.layers[2].params["weight"][...] = 0
D.layers[2].params["bias"][...] = 0

SGD, R1 = mg.optim.SGD, [mg.penalties.R1(0.02)]
WAYS = {  # name: (the GAN's class, both optimizers, options, inner steps of a round)
    "simultaneous": (SimultaneousGAN, (SGD(H), SGD(H)), {"penalties": R1}, 1),
    "alternating": (mg.GAN, (SGD(H), SGD(H)), {"penalties": R1}, 1),
    "two time scales": (mg.GAN, (SGD(H / 2), SGD(2 * H)), {"penalties": R1}, 1),
    "extragradient": (ExtragradientGAN, (SGD(H), SGD(H)), {"penalties": R1}, 1),
    "optimistic": (SimultaneousGAN, (OptimisticSGD(H), OptimisticSGD(H)), {"penalties": R1}, 1),
    "lookahead, k = 5": (SimultaneousGAN, (SGD(H), SGD(H)), {"penalties": R1}, 5),
    "consensus": (ConsensusGAN, (SGD(H), SGD(H)), {"gamma": 0.2}, 1),
}
COLOURS = {name: colour for name, (_, colour) in RULES.items()}
COLOURS |= {"two time scales": "#8c6239", "consensus": "#12284a"}


def play(name):
    """(forecast, its mode's factor mu, the factor measured, the series it was measured from)."""
    kind, optimizers, options, every = WAYS[name]
    gan = kind(
        G.copy(), D.copy(), latent_dim=2, generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1], **options,
    )  # fmt: skip
    gan.draw_noise = lambda n: noise  # one minibatch, and one draw of noise
    lookahead = Lookahead(gan, every=every) if every > 1 else None
    found = forecast(gan, real, noise, lookahead=lookahead)
    mu, mode = found.fastest()
    z = found.game.start
    along = mode[: len(z)].real / np.linalg.norm(mode[: len(z)].real)
    gan.generator.theta, gan.discriminator.theta = np.split(z + 1e-5 * along, [found.game.split])
    series = []
    for step in range(80 * every):
        if step % every == 0:
            now = np.concatenate([gan.generator.theta, gan.discriminator.theta])
            series.append(along @ (now - z) / 1e-5)
        figures = gan.train_step(real)
        if lookahead:
            lookahead(step + 1, gan, figures)
    return found, mu, measured_multiplier(series[6:50]), np.array(series)


# %% Prediction and measurement: how far a step turns, and how much of the distance it leaves
played = {name: play(name) for name in tqdm(WAYS, unit="rule", leave=False)}
print("\nThe ring GAN near its equilibrium, per step (lookahead: per round of 5)\n")
print(f"{'':19}{'rotation, rad':20}{'factor':20}{'phase factor':14}conditioning")
gaps = []
for name, (found, mu, measured, _) in played.items():
    rotation, factor = np.angle([mu, measured]), np.abs([mu, measured])
    gaps += [abs(rotation[1] / rotation[0] - 1), abs(np.log(factor[1]) / np.log(factor[0]) - 1)]
    print(
        f"{name:19}{rotation[0]:.4f}  {rotation[1]:.4f}      {factor[0]:.4f}  {factor[1]:.4f}      "
        f"{found.phase_factor:<14.1f}{found.conditioning:.0f}"
    )

# %% The multipliers in the disc, and the turning mode itself, beside a mu^n
figure, axes = plots.figure(2, 4, size=(3.1, 2.9))
disc = axes.flat[0]
circle = np.exp(1j * np.linspace(0, 2 * np.pi, 400))
disc.fill(circle.real, circle.imag, color="#f1f3f6")
disc.plot(circle.real, circle.imag, color=plots.MUTED, linewidth=0.9)
for name, (_, mu, measured, _) in played.items():
    disc.plot(mu.real, mu.imag, "o", color=COLOURS[name], fillstyle="none", markersize=9)
    disc.plot(measured.real, measured.imag, "x", color=COLOURS[name], markersize=6)
disc.set(xlim=(0.55, 1.1), ylim=(-0.05, 0.5), aspect="equal", xlabel="real", ylabel="imaginary")
disc.set_title("factor per step\no predicted, x measured")
for panel, (name, (_, mu, _, series)) in zip(axes.flat[1:], played.items()):
    n = np.arange(len(series))
    first, second = series[6], series[7]  # a is fitted to two values, past the first steps
    imaginary = (first * mu.real - second) / mu.imag
    predicted = np.real((first + 1j * imaginary) * mu ** (n[6:] - 6))
    panel.plot(n, series, ".", color=COLOURS[name], markersize=5, label="measured")
    panel.plot(n[6:], predicted, color="black", linewidth=1, label="predicted")
    panel.axhline(0, color="#c4c8ce", linewidth=0.7)
    panel.set_title(name)
axes.flat[1].legend()
for panel in axes[1]:
    panel.set_xlabel("step (lookahead: round)")
figure.savefig(
    results.path("ring_gan.png", "a ring GAN near its equilibrium: prediction beside measurement")
)

# %% In numbers
results.finish(
    {
        "h": H,
        "contraction": {
            name: dict(zip(("bilinear", "bilinear_measured", "r1", "r1_measured"), row))
            for name, row in contraction.items()
        },
        "ring_gan": {
            name: {
                "rotation": np.angle(mu), "rotation_measured": np.angle(measured),
                "factor": abs(mu), "factor_measured": abs(measured),
                "phase_factor": found.phase_factor, "conditioning": found.conditioning,
            }
            for name, (found, mu, measured, _) in played.items()
        },
    },
    [
        "On the bilinear game simultaneous steps grow, alternating ones keep their distance, the "
        "other three converge, each at the rate of its eigenvalue.",
        f"In the ring GAN rotation and decay are as predicted to {max(gaps):.2%}, at worst.",
        "Phase factor: how much more the field turns than it draws inwards, max |Im / Re|; "
        "conditioning: how much faster its fastest mode is than its slowest. A rule that tames the "
        "one need not help the other. Adam has no matrix at an equilibrium, since it divides by a "
        "gradient that vanishes there: use what is learned here to choose a rule, then try.",
    ],
)  # fmt: skip
