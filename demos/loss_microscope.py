"""The derivative of each loss with respect to one logit, for both players, over the whole range.

A logit far below zero means that the discriminator is sure of a fake, far above of a real sample.
What a player learns from a sample is proportional to this derivative. The demo shows where it is
large, where it vanishes, the range of single and double precision, and the effect of computing a
probability first and adding an epsilon inside its logarithm: log(p + 1e-8).
"""

# %% Each loss, for one sample; the logit of the other sample is fixed at 0
import numpy as np
from helpers import common
from matplotlib.lines import Line2D

import minigan as mg
from minigan import plots

args = common.arguments(__doc__)
results = common.Results(args.out)

LOSSES = {
    name: getattr(mg.losses, name)()
    for name in ("Minimax", "NonSaturating", "Relativistic", "LeastSquares", "Wasserstein", "Hinge")
}
END = 1000.0  # the largest logit
SMALL = 1e-3  # a slope below this counts as vanished
EPSILON = 1e-8


def slopes(loss, who, logits):
    """dL/dlogit, for a sample alone in its minibatch: who = "G", "D of fakes" or "D of reals"."""
    other = np.zeros(1, logits.dtype)
    if who == "G":
        return np.concatenate([loss.generator(other, f)[2] for f in logits[:, None]])
    if who == "D of fakes":
        return np.concatenate([loss.discriminator(other, f)[2] for f in logits[:, None]])
    return np.concatenate([loss.discriminator(r, other)[1] for r in logits[:, None]])


# The sign of the logit where the player is losing
LOSING = {"G": -1, "D of fakes": 1, "D of reals": -1}


# %% The table
def last_of_size(least, loss, who, side, dtype):
    """The last logit on that side whose slope is at least `least`, by bisection."""
    inside, outside = 0.0, END
    while outside - inside > 1e-3:
        middle = (inside + outside) / 2
        large = abs(slopes(loss, who, np.array([middle * side], dtype))[0]) >= least
        inside, outside = (middle, outside) if large else (inside, middle)
    return inside * side


def in_words(loss, who, side):
    """What the slope does as the logit goes to that side: (words, figures)."""
    near, end = slopes(loss, who, np.array([0.1, 1.0]) * END * side)
    if abs(end) > 5 * abs(near):
        return f"grows: {end:+.0f} at {END * side:+.0f}", {"end": end}
    if abs(end) >= SMALL:
        return f"stays at {end:+.3g}", {"end": end}
    small = last_of_size(SMALL, loss, who, side, "float64")
    zero = last_of_size(5e-324, loss, who, side, "float64")
    single = last_of_size(1e-45, loss, who, side, "float32")
    figures = {"below_0.001": small, "zero_float64": zero, "zero_float32": single}
    if abs(small - zero) < 0.01:
        return f"is 0 from {zero:+.1f} on", figures
    return f"vanishes: < {SMALL} from {small:+.1f}, 0 from {single:+.0f} ({zero:+.0f})", figures


print(f"{'loss':14}{'player':12}{'where the player is losing':50}where it is winning")
metrics, saturating = {}, []
for name, loss in LOSSES.items():
    for who, losing in LOSING.items():
        (bad, bad_figures), (good, good_figures) = (
            in_words(loss, who, side) for side in (losing, -losing)
        )
        print(f"{name:14}{who:12}{bad:50}{good}")
        metrics[f"{name}, {who}"] = {"losing": bad_figures, "winning": good_figures}
        if "below_0.001" in bad_figures:
            saturating.append(f"{name} ({who})")
print("Zeros are exact: in float32, and in brackets in float64.\n")


# %% The same loss through a probability: -log(p + epsilon) and -log(1 - p + epsilon)
def through_probability(f, epsilon=EPSILON):
    """The slopes of -log(p + epsilon) and -log(1 - p + epsilon), p = sigmoid(f), by the chain rule
    as autograd applies it, in the precision of f."""
    one, epsilon = f.dtype.type(1), f.dtype.type(epsilon)
    p = one / (one + np.exp(-f))
    with np.errstate(invalid="ignore"):
        return -p * (one - p) / (p + epsilon), p * (one - p) / (one - p + epsilon)


non_saturating = LOSSES["NonSaturating"]
print(f"dL_G/df of -log(p), from the logit and from log(p + {EPSILON}):")
print(f"{'f':>6}{'from the logit':>16}{'with epsilon':>16}{'with epsilon, float32':>24}")
for f in (0.0, -10.0, -18.0, -20.0, -25.0, -40.0):
    at = np.array([f])
    with_epsilon, single = (through_probability(at.astype(t))[0][0] for t in ("f8", "f4"))
    print(f"{f:6.0f}{slopes(non_saturating, 'G', at)[0]:16.6f}{with_epsilon:16.2e}{single:24.2e}")

fine = np.arange(-60, 60.005, 0.01)
of_generator, of_discriminator = through_probability(fine)
dies_for_g = fine[np.abs(of_generator) >= 0.5].min()
dies_for_d = fine[of_discriminator >= 0.5].max()
single_d = through_probability(fine.astype("f4"))[1]
dies_for_d_single = fine[single_d >= 0.5].max()

# %% A picture: above, the slopes for both players; below, the effect of epsilon and of precision
STYLES = {  # equal curves coincide: a wide one is drawn below, a thin or broken one above
    "Minimax": {"color": "#d64545", "linewidth": 5, "alpha": 0.35},
    "NonSaturating": {"color": plots.FAKE, "linewidth": 2},
    "Relativistic": {"color": "#24272c", "linewidth": 1.4, "linestyle": (0, (1, 2))},
    "LeastSquares": {"color": "#1b8a7a", "linewidth": 2},
    "Wasserstein": {"color": plots.REAL, "linewidth": 5, "alpha": 0.3},
    "Hinge": {"color": plots.DISCRIMINATOR, "linewidth": 1.8, "linestyle": "--"},
}
TITLES = {
    "G": ("generator, from a fake", "logit f of a fake"),
    "D of fakes": ("discriminator, from a fake", "logit f of a fake"),
    "D of reals": ("discriminator, from a real", "logit r of a real sample"),
}
figure, axes = plots.figure(2, 6, size=(1.75, 3.4))
grid = axes[0, 0].get_gridspec()
for panel in axes.flat:
    panel.remove()
above = [figure.add_subplot(grid[0, place : place + 2]) for place in (0, 2, 4)]
below = [figure.add_subplot(grid[1, place : place + 3]) for place in (0, 3)]

shown = np.linspace(-8, 8, 801)
for panel, (who, (title, label)) in zip(above, TITLES.items()):
    losing = sorted([0, 8 * LOSING[who]])
    panel.axvspan(*losing, color="#f3f4f6", zorder=0)
    for name, loss in LOSSES.items():
        panel.plot(shown, slopes(loss, who, shown), **STYLES[name])
    panel.set(title=title, xlabel=label, xlim=(-8, 8), ylim=(-2.1, 2.1), yticks=range(-2, 3))
    panel.text(np.mean(losing), 1.85, "losing", color=plots.MUTED, ha="center", size=9)
above[0].set_ylabel("dL / dlogit")
handles = [Line2D([], [], label=name, **style) for name, style in STYLES.items()]
figure.legend(handles=handles, loc="outside upper center", ncols=6)

left, right = below
wide = np.arange(-45, 45.005, 0.05)
players = (
    ("G", "-log(p)", plots.FAKE, 0),
    ("D of fakes", "-log(1 - p)", plots.DISCRIMINATOR, 1),
)
for who, term, colour, which in players:
    exact = np.abs(slopes(non_saturating, who, wide))
    guarded, single = (np.abs(through_probability(wide.astype(t))[which]) for t in ("f8", "f4"))
    name = f"{who[0]}: {term}"
    left.semilogy(wide, exact, color=colour, linewidth=5, alpha=0.3, label=f"{name}, exact")
    left.semilogy(
        wide, np.where(guarded > 0, guarded, np.nan), color=colour, label=f"{name[:-1]} + 1e-8)"
    )
    if which == 1:  # in float32, 1 - p is 0 as soon as p rounds to 1
        alive = single > 0
        left.semilogy(
            wide[alive], single[alive], ":", color="black", linewidth=1.4, label="    in float32"
        )
        left.plot(wide[alive][-1], single[alive][-1], "X", color="black", markersize=8)
left.set(
    title="log(p + 1e-8): no slope where it is needed", xlabel="logit f of a fake",
    ylabel="|dL / df|", ylim=(1e-13, 10), xlim=(-45, 45),
)  # fmt: skip
left.legend(loc="lower center", fontsize=8)

far = np.arange(0, 800.5, 0.5)
curves = (
    ("NonSaturating", "f8", {"color": plots.FAKE, "linewidth": 2}, "float32 and float64"),
    ("Minimax", "f8", {"color": "#d64545", "linewidth": 1.5}, "float64"),
    ("Minimax", "f4", {"color": "#d64545", "linewidth": 6, "alpha": 0.35}, "float32"),
)
for name, dtype, style, precision in curves:
    tail = np.abs(slopes(LOSSES[name], "G", -far.astype(dtype))).astype("f8")
    last = np.flatnonzero(tail)[-1]
    right.plot(far[: last + 1], np.log10(tail[: last + 1]), label=f"{name}, {precision}", **style)
    if last + 1 < len(far):
        right.plot(far[last], np.log10(tail[last]), "X", color="#d64545", markersize=8)
        before = far[last] > far[-1] / 2
        right.annotate(
            f"0 beyond {far[last]:.0f}", (far[last], np.log10(tail[last])), va="center",
            xytext=(-8, 0) if before else (8, 5), textcoords="offset points",
            ha="right" if before else "left",
        )  # fmt: skip
right.set(
    title="a fake that D is sure of: what reaches G", xlabel="-f, how sure D is",
    ylabel="|dL / df|, power of ten", ylim=(-340, 30),
)  # fmt: skip
right.legend(fontsize=8, loc="upper right", bbox_to_anchor=(1, 0.9))
figure.savefig(results.path("loss_microscope.png", "the slopes of six losses, for both players"))

# %% In numbers
metrics["epsilon"] = {
    "generator_halved_at": dies_for_g,
    "discriminator_halved_at": dies_for_d,
    "discriminator_halved_at_float32": dies_for_d_single,
}
results.finish(
    metrics,
    [
        f"Slopes that vanish where the player is losing: {', '.join(saturating) or 'none'}.",
        f"With -log(p + {EPSILON}), G's slope has fallen to a half at f = {dies_for_g:.1f}, and "
        f"vanishes beyond; with -log(1 - p + {EPSILON}), D's at f = {dies_for_d:+.1f}, in float32 "
        f"at {dies_for_d_single:+.1f}. Computed from the logit, both are still 1 there.",
    ],
)
