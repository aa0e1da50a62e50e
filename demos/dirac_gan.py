"""The smallest GAN, and why GANs oscillate: nine training methods, their theory and their measure.

The data are one point, the generator is one point, the discriminator is one straight line. On this
Dirac-GAN (Mescheder et al. 2018) a training method is a vector field in the plane, which can be
drawn, and whose eigenvalues say how fast training converges, which can be measured. Then the same
for a GAN of two small networks: its eigenvalues, from hand-written Hessian-vector products.
"""

# %% The nine methods, and two ways to take turns, at the rate and the start of the paper's notebook
import numpy as np
from helpers import common
from tqdm import tqdm

import minigan as mg
from minigan import dirac, plots
from minigan.theory.spectrum import Game
from minigan.verify.gradcheck.differences import central_differences
from minigan.verify.gradcheck.report import relative_error

args = common.arguments(__doc__, steps=500)
results = common.Results(args.out)
H, START = 0.2, (1.0, 1.0)

METHODS = {
    "minimax": (dirac.Minimax(), "flow circles; simultaneous steps spiral out"),
    "non-saturating": (dirac.NonSaturating(), "converges ever more slowly, if alternating"),
    "relativistic": (dirac.Relativistic(), "the same field as minimax"),
    "WGAN, clipped": (dirac.ClippedWasserstein(clip=1.0), "does not converge: see below"),
    "WGAN-GP": (dirac.GradientPenalty(weight=0.5, target=1.0), "cannot settle: a cycle"),
    "instance noise, sigma 1": (dirac.InstanceNoise(sigma=1.0), "converges, as R1 with gamma 0.5"),
    "R1 or R2, gamma 0.3": (dirac.R1(gamma=0.3), "converges, turning"),
    "R1 or R2, gamma 1": (dirac.R1(gamma=1.0), "critical: converges without turning"),
    "consensus, gamma 1": (dirac.Consensus(gamma=1.0), "converges, turning"),
}
STEPS = (dirac.Simultaneous(H), dirac.Alternating(H))
COLOURS = {"simultaneous": plots.GENERATOR, "alternating": plots.DISCRIMINATOR}

paths, contraction = {}, {}
rows = [(name, step) for name in METHODS for step in STEPS]
for name, step in tqdm(rows, unit="row", leave=False):
    method, _ = METHODS[name]
    paths[name, step.name] = dirac.trajectory(method, step, START, args.steps)
    if not isinstance(method, dirac.GradientPenalty):  # it has no Jacobian at the equilibrium
        contraction[name, step.name] = (
            dirac.predicted_contraction(method, step),
            dirac.measured_contraction(method, step),
        )

# %% Each step multiplies the distance to the equilibrium by: what theory says / what is measured
print(f"Contraction per step near the equilibrium, h = {H}: predicted, measured\n")
print(f"{'':25}{'eigenvalues of J':21}{'simultaneous':20}{'alternating':20}in words")
for name, (method, words) in METHODS.items():
    figures = ["none: v jumps" + 8 * " ", 20 * " ", 20 * " "]
    if (name, "alternating") in contraction:
        value = np.linalg.eigvals(method.jacobian(0.0, 0.0))[0]
        figures = [f"{value.real + 0:6.3f} +- {abs(value.imag):.3f}i".ljust(21)]
        figures += ["{:.4f}  {:.4f}      ".format(*contraction[name, s.name]) for s in STEPS]
    print(f"{name:25}{''.join(figures)}{words}")

# %% Where the eigenvalues at the equilibrium do not tell: what else is known, and what is measured
minimax, unsaturated = METHODS["minimax"][0], METHODS["non-saturating"][0]
clipped, penalised = METHODS["WGAN, clipped"][0], METHODS["WGAN-GP"][0]
simultaneous, alternating = STEPS


def distances(method, step, steps=4000):
    """|z_n| along a path from START."""
    return np.hypot(*dirac.trajectory(method, step, START, steps).T)


r, r_gp = distances(unsaturated, alternating), distances(penalised, alternating)
growth, _ = np.polyfit(H * np.arange(len(r)), r**-2.0, 1)
orbit = dirac.trajectory(penalised, dirac.Flow(0.01), START, 4000)
crossing = np.flatnonzero(np.diff(np.sign(orbit[:, 1])))[-1]
known = [
    ("minimax, flow: |z| at time 40, from sqrt 2", "=", np.sqrt(2),
     distances(minimax, dirac.Flow(0.01))[-1]),
    ("non-saturating, simultaneous: ends on a circle of radius sqrt(2 h)", "~", np.sqrt(2 * H),
     np.mean(distances(unsaturated, simultaneous)[-500:])),
    ("non-saturating, alternating: growth of 1/|z|^2 per unit of time", "~", 1 / 8, growth),
    ("WGAN, clipped, simultaneous: the least |z|", ">=", clipped.floor(simultaneous, START),
     distances(clipped, simultaneous).min()),
    ("WGAN, clipped, alternating: the least |z|", ">=", clipped.floor(alternating, START),
     distances(clipped, alternating).min()),
    ("WGAN-GP, flow: |theta| where its cycle crosses psi = 0", "=", penalised.cycle(),
     abs(orbit[crossing, 0])),
    ("WGAN-GP, alternating: the least max(|z_n|, |z_n+1|)", ">=",
     penalised.floor(alternating, START), np.maximum(r_gp[1:], r_gp[:-1]).min()),
]  # fmt: skip
print(f"\n{'':69}{'theory':12}measured")
for statement, relation, theory, measured in known:
    print(f"{statement:69}{relation:3}{theory:<9.4f}{measured:.4f}")
print("= exact, ~ to leading order, >= a proven lower bound, which the path need not come near")

# %% The nine fields, and the path that training takes through each
REACH = 2.2
grid = np.meshgrid(*[np.linspace(-REACH, REACH, 40)] * 2)
figure, axes = plots.figure(3, 3, size=(3.1, 3.25), sharex=True, sharey=True)
for panel, (name, (method, _)) in zip(axes.flat, METHODS.items()):
    panel.streamplot(
        *grid, *method.field(*grid), color="#cdd2d9", linewidth=0.7, density=0.8, arrowsize=0.7
    )
    if isinstance(method, dirac.ClippedWasserstein):
        panel.hlines([-method.clip, method.clip], -REACH, REACH, color="#8a8f98", lw=0.8, ls=":")
    for step in STEPS:
        path, colour = paths[name, step.name], COLOURS[step.name]
        panel.plot(*path.T, color=colour, linewidth=0.8, label=f"{step.name} steps")
        if np.abs(path[-1]).max() < REACH:
            panel.plot(*path[-1], "o", color=colour, markersize=5, zorder=3)
    panel.plot(*START, "o", color="black", markersize=4, label="start")
    panel.plot(0, 0, "+", color="black", markersize=9, markeredgewidth=1.5, label="equilibrium")
    panel.set(title=name, xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    panel.set(xticks=[-2, -1, 0, 1, 2], yticks=[-2, -1, 0, 1, 2])
for panel in axes[-1]:
    panel.set_xlabel(r"generator  $\theta$")
for panel in axes[:, 0]:
    panel.set_ylabel(r"discriminator  $\psi$")
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
figure.savefig(results.path("fields.png", f"the nine fields, {args.steps} steps through each"))

# %% How far from the equilibrium, step by step; where training converges, also as predicted
SHOWN = {
    "minimax": "#8a8f98",
    "WGAN-GP": "#8c6239",
    "non-saturating": "#c2185b",
    "R1 or R2, gamma 0.3": "#1f5fa8",
    "instance noise, sigma 1": "#2a9d8f",
    "R1 or R2, gamma 1": "#12284a",
}
n = np.arange(args.steps + 1)
figure, axes = plots.figure(1, 2, size=(4.7, 4.3), sharey=True)
for panel, step in zip(axes, STEPS):
    for name, colour in SHOWN.items():
        z = paths[name, step.name]
        panel.plot(n, np.hypot(*z.T), color=colour, linewidth=1.4, label=name)
        predicted, _ = contraction.get((name, step.name), (1, 1))
        if predicted < 1 - 1e-9:
            panel.plot(n, np.sqrt(2) * predicted**n, ":", color=colour, linewidth=1.2)
    panel.plot([], [], ":", color="black", linewidth=1.2, label="predicted slope")
    panel.set(title=f"{step.name} steps", xlabel="step", yscale="log", ylim=(1e-6, 10))
axes[0].set_ylabel("distance to the equilibrium  $|z|$")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
figure.savefig(results.path("distance.png", "distance to the equilibrium, by step"))

# %% R1: too little turns, too much creeps; the best strength is where two eigenvalues meet
gammas = 1 + np.linspace(-1, 1, 301) ** 3  # from 0 to 2, densely about 1, where they move fast
figure, (plane, rate) = plots.figure(1, 2, size=(4.7, 3.9))
eigenvalues = np.array([np.linalg.eigvals(dirac.R1(g).jacobian(0.0, 0.0)) for g in gammas])
plane.axvline(0, color="#c4c8ce", linewidth=0.8)
plane.axhline(0, color="#c4c8ce", linewidth=0.8)
dots = plane.scatter(
    eigenvalues.real, eigenvalues.imag, c=np.repeat(gammas, 2), s=14, cmap="viridis", zorder=2
)
figure.colorbar(dots, ax=plane, label=r"strength of R1,  $\gamma$", shrink=0.8)
plane.text(-0.12, 0.56, r"$\gamma = 0$ turns: $\pm i/2$", ha="right")
plane.text(-0.56, 0.06, r"$\gamma = 1$: they meet", ha="right")
plane.text(-0.56, -0.12, r"$\gamma > 1$: the slow one creeps back", ha="right")
plane.set(title="eigenvalues of J", xlabel="real part", ylabel="imaginary part")
plane.set(xlim=(-2, 0.15), ylim=(-0.68, 0.68))
sampled = np.linspace(0, 2, 11)
for step in STEPS:
    predicted = [dirac.predicted_contraction(dirac.R1(g), step) for g in gammas]
    measured = [dirac.measured_contraction(dirac.R1(g), step) for g in sampled]
    rate.plot(gammas, predicted, color=COLOURS[step.name], linewidth=1.4, label=step.name)
    rate.plot(sampled, measured, "o", color=COLOURS[step.name], markersize=4.5)
rate.plot([], [], "o", color="black", markersize=4.5, label="measured")
rate.axhline(1, color="#c4c8ce", linewidth=0.8)
rate.set(title=f"contraction per step, h = {H}", xlabel=r"strength of R1,  $\gamma$")
rate.legend(loc="lower right")
figure.savefig(results.path("r1.png", "R1: eigenvalues and contraction against its strength"))

# %% Two small networks. The data are what G makes of the noise and D is 0: an equilibrium, exactly
rng = np.random.default_rng(args.seed)
layers = mg.layers
generator = mg.Sequential([layers.Linear(1, 4), layers.Tanh(), layers.Linear(4, 1)], rng=rng)
generator.layers[2].params["weight"] *= 0.3  # narrow data: wide ones would damp D by themselves
discriminator = mg.Sequential([layers.Linear(1, 4), layers.Tanh(), layers.Linear(4, 1)], rng=rng)
discriminator.layers[0].params["bias"][...] = rng.normal(0, 0.5, 4)
discriminator.layers[2].params["weight"][...] = 0
noise = rng.standard_normal((64, 1))
real, _ = generator.copy("float64").forward(noise)
GAMMAS = {0.0: "#e8710a", 0.1: "#7fb2e5", 0.3: "#1f5fa8"}
LABELS = {gamma: f"R1, gamma {gamma}" if gamma else "no penalty" for gamma in GAMMAS}
SWINGS = 300
games = {
    gamma: Game(
        generator, discriminator, loss=mg.losses.NonSaturating(), real=real, noise=noise,
        penalties=[mg.penalties.R1(gamma)],
    )
    for gamma in GAMMAS
}  # fmt: skip


def follow(game, z, steps, measure):
    """measure(z) there, and after each of the `steps` - 1 simultaneous steps that follow."""
    values = []
    for _ in range(steps):
        values.append(measure(z))
        z = z + H * game.field(z)
    return np.array(values)


# %% The Jacobian, product by product, beside differences of the field, at a point like any other
game, equilibrium = games[0.0], games[0.0].start
c, z = rng.standard_normal((2, len(equilibrium)))
difference, _ = central_differences(lambda: float(c @ game.field(z)), z)
error = relative_error(c @ game.jacobian(z), difference)
stillness = np.abs(game.field(equilibrium)).max()

# %% The mode that turns fastest: predicted, 1 + h lambda, and measured, along its left eigenvector
jacobians, modes, errors = {}, {}, {}
for gamma, game in games.items():
    jacobians[gamma] = game.jacobian(equilibrium)
    eigenvalues, left = np.linalg.eig(jacobians[gamma].T)
    fastest = np.argmax(eigenvalues.imag)
    w = left[:, fastest]  # w' J = lambda w': a step multiplies w' (z - equilibrium) by 1 + h lambda
    nearby = equilibrium + 1e-6 * rng.standard_normal(len(equilibrium))
    a = follow(game, nearby, 50, lambda z: w @ (z - equilibrium))
    multiplier = np.vdot(a[:-1], a[1:]) / np.vdot(a[:-1], a[:-1])
    modes[gamma] = eigenvalues, eigenvalues[fastest], multiplier
    moved = equilibrium.copy()
    moved[game.split - 1] += 0.05  # G's output bias: all samples, moved a little
    errors[gamma] = follow(game, moved, SWINGS, lambda z: np.mean(game.samples(z) - real))

print(f"\nTwo networks of {game.split} and {len(equilibrium) - game.split} parameters, h = {H}")
print(f"J: {error:.0e} from differences of the field;  at the equilibrium |v| <= {stillness:.0e}\n")
print(f"{'the fastest turning mode':27}{'eigenvalue of J':22}|1 + h lambda|  measured")
for gamma, (_, value, multiplier) in modes.items():
    print(
        f"{LABELS[gamma]:27}"
        f"{value.real:6.3f} +- {value.imag:.3f}i      "
        f"{abs(1 + H * value):.5f}         {abs(multiplier):.5f}"
    )

# %% Its eigenvalues, and what a step multiplies by, beside the circle inside which steps converge
shares = np.linspace(0, 1, 200)[:, None, None]  # R1's part of J is proportional to gamma
between = np.linalg.eigvals((1 - shares) * jacobians[0.0] + shares * jacobians[0.3]).ravel()
circle = np.exp(1j * np.linspace(0, 2 * np.pi, 2000))
figure, (plane, disc) = plots.figure(1, 2, size=(4.7, 4.7))
for panel, edge, image in (
    (plane, (circle - 1) / H, lambda eigenvalues: eigenvalues),
    (disc, circle, lambda eigenvalues: 1 + H * eigenvalues),
):
    panel.fill(edge.real, edge.imag, color="#f1f3f6", zorder=0)
    panel.plot(edge.real, edge.imag, color="#8a8f98", linewidth=0.9, zorder=1)
    panel.plot(image(between).real, image(between).imag, ".", color="#b9c9da", markersize=2)
    for gamma, colour in GAMMAS.items():
        dots = image(modes[gamma][0])
        panel.plot(dots.real, dots.imag, "o", color=colour, markersize=6.5, label=LABELS[gamma])
    panel.set(xlabel="real part", aspect="equal")
reach = 1.15 * np.abs(between).max()
plane.set(xlim=(-1.6 * reach, 0.4 * reach), ylim=(-reach, reach), ylabel="imaginary part")
plane.set_title(r"the game: eigenvalues $\lambda$ of J")
disc.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15))
disc.set_title(rf"a step: $1 + h\lambda$, h = {H}")
disc.text(0, 0, "inside: converges", ha="center", color="#6b7078")
figure.legend(*plane.get_legend_handles_labels(), loc="outside lower center", ncols=3)
figure.savefig(
    results.path("mlp_spectrum.png", "two small networks: eigenvalues, with and without R1")
)

# %% The same in training: the mean of G's samples swings about the data's, and grows or decays
figure, panel = plots.figure(size=(9.4, 3.4))
n = np.arange(SWINGS)
for gamma, colour in GAMMAS.items():
    panel.plot(n, errors[gamma], color=colour, linewidth=1.5, label=LABELS[gamma])
envelope = errors[0.0][0] * np.abs(1 + H * modes[0.0][1]) ** n
panel.plot(n, envelope, ":", color="black", linewidth=1.1, label=r"predicted, $|1 + h\lambda|^n$")
panel.plot(n, -envelope, ":", color="black", linewidth=1.1)
reach = 1.2 * np.abs(errors[0.0]).max()
panel.set(xlabel="simultaneous step", ylabel="mean of samples $-$ of data", ylim=(-reach, reach))
figure.legend(loc="outside lower center", ncols=4)
figure.savefig(results.path("mlp_training.png", "two small networks: the samples' mean, by step"))

# %% In numbers
gap = max(abs(predicted - measured) for predicted, measured in contraction.values())
mode_gap = max(abs(1 + H * value - multiplier) for _, value, multiplier in modes.values())
turn = round(2 * np.pi / np.angle(modes[0.0][2]))  # steps that the fastest mode takes for one turn
last_swing = {gamma: np.abs(errors[gamma][-turn:]).max() for gamma in GAMMAS}
widest = np.abs(errors[0.0]).argmax()
widest_swing = np.abs(errors[0.0][widest])
growth_of_mode = abs(modes[0.0][2]) - 1
results.finish(
    {
        "h": H,
        "contraction": {
            f"{name}, {step}": {"predicted": predicted, "measured": measured}
            for (name, step), (predicted, measured) in contraction.items()
        },
        "known": {
            statement: {"relation": relation, "theory": theory, "measured": measured}
            for statement, relation, theory, measured in known
        },
        "networks": {
            "jacobian_error": error,
            "field_at_equilibrium": stillness,
            "modes": {
                LABELS[gamma]: {
                    "eigenvalue": [value.real, value.imag],
                    "predicted": abs(1 + H * value),
                    "measured": abs(multiplier),
                    "last_swing": last_swing[gamma],
                }
                for gamma, (_, value, multiplier) in modes.items()
            },
        },
    },
    [
        "Contraction: the factor by which a step changes a small distance to the equilibrium.",
        "Above 1 training is driven away, at 1 it goes round, below 1 it converges. Eigenvalue and",
        f"measurement differ by at most {gap:.0e} (the bar is 1e-3).",
        "In the first four rows simultaneous steps move away from the equilibrium, and alternating",
        "steps, near it, keep their distance. R1, R2, instance noise and consensus have factors",
        "below 1. Non-saturating with alternating steps converges too, but more slowly than any",
        "such factor. (Relativistic is zero-sum here. mg.losses.Relativistic, whose G does not",
        "saturate, is the non-saturating field.)",
        f"Two small networks: without a penalty the fastest mode turns once in {turn} steps and",
        f"grows by {growth_of_mode:.2%} in each, near the equilibrium; eigenvalue and measurement",
        f"differ by {mode_gap:.0e}. Moved by 0.05 at the start, the samples' mean swings by",
        f"{widest_swing:.2f} at its widest (step {widest}) and by {last_swing[0.0]:.2f} in the",
        f"last {turn} of {SWINGS} steps; with R1, gamma 0.3, by {last_swing[0.3]:.0e}.",
        "The eigenvalues at 0: D's hidden weights, without effect while its output weights are 0.",
    ],
)
