"""One neuron's gradient three times: by hand, by the library, and by a difference.

The smallest discriminator maps one number x to one logit, w x + b. It is given one real sample and
one fake, and its loss is the cross-entropy

    L = softplus(-(w x_real + b)) + softplus(w x_fake + b).

The larger demos do the same with more numbers.
"""

# %% The numbers: two weights, one real sample, one fake
import math

import numpy as np
from helpers import common

import minigan as mg
from minigan import plots
from minigan.verify.gradcheck.differences import STEP, central_differences

args = common.arguments(__doc__)
results = common.Results(args.out)
rng = np.random.default_rng(args.seed)
w, b = (round(float(value), 2) for value in rng.normal(0, 0.5, 2))
x_real, x_fake = round(float(rng.normal(2, 0.5)), 2), round(float(rng.normal(-1, 0.5)), 2)


# %% By hand: forward, then the chain rule backward, in six lines of arithmetic
def sigmoid(t):
    return 1 / (1 + math.exp(-t))


def softplus(t):
    return math.log1p(math.exp(t))


def loss(w, b):
    return softplus(-(w * x_real + b)) + softplus(w * x_fake + b)


real_logit = w * x_real + b
fake_logit = w * x_fake + b
d_real = -sigmoid(-real_logit)  # dL/dlogit: the slope of softplus is the sigmoid
d_fake = sigmoid(fake_logit)
dw = d_real * x_real + d_fake * x_fake  # each logit moves by x when w moves by 1
db = d_real + d_fake  # and by 1 when b does


def n(number):
    """The number; a negative one in brackets, so that it can follow a sign."""
    return f"({number:.10g})" if number < 0 else f"{number:.10g}"


print(f"""w = {w}, b = {b}; a real sample {x_real}, a fake {x_fake}

forward    real logit  {n(w)}*{n(x_real)} + {n(b)} = {real_logit:.10g}
           fake logit  {n(w)}*{n(x_fake)} + {n(b)} = {fake_logit:.10g}
           L           softplus(-real logit) + softplus(fake logit) = {loss(w, b):.10g}
backward   dL/dreal    -sigmoid(-real logit) = {d_real:.10g}
           dL/dfake    sigmoid(fake logit) = {d_fake:.10g}
           dL/dw       {n(d_real)}*{n(x_real)} + {n(d_fake)}*{n(x_fake)} = {dw:.10g}
           dL/db       {n(d_real)} + {n(d_fake)} = {db:.10g}
""")

# %% By the library: the same two numbers, out of a layer and a loss
neuron = mg.Sequential([mg.layers.Linear(1, 1)], dtype="float64")
neuron.theta[...] = w, b
logits, cache = neuron.forward(np.array([[x_real], [x_fake]]))
value, d_real_logits, d_fake_logits = mg.losses.NonSaturating().discriminator(
    logits[:1], logits[1:]
)
neuron.backward(np.concatenate([d_real_logits, d_fake_logits]), cache)

# %% By a difference: move w a little up and a little down, and see how far L moves
theta = np.array([w, b])
difference, _ = central_differences(lambda: loss(*theta), theta)

print(f"{'':8}{'by hand':>18}{'by the library':>18}{'by a difference':>18}")
for name, hand, library, other in zip(("dL/dw", "dL/db"), (dw, db), neuron.grad, difference):
    print(f"{name:8}{hand:18.12f}{library:18.12f}{other:18.12f}")


# %% How small a step? A smaller one reduces the formula's error, until rounding dominates
def error(steps, of):
    return np.array([abs(of(step) - dw) / abs(dw) for step in steps])


def one_sided(step):
    return (loss(w + step, b) - loss(w, b)) / step


def central(step):
    return (loss(w + step, b) - loss(w - step, b)) / (2 * step)


steps = np.logspace(-13, 0, 131)
one_sided_error, central_error = error(steps, one_sided), error(steps, central)
best = {
    "one-sided": (steps[one_sided_error.argmin()], one_sided_error.min()),
    "central": (steps[central_error.argmin()], central_error.min()),
}
checked = abs(difference[0] - dw) / abs(dw)

# %% A picture: the slope as a tangent, the difference as a chord, and the error against the step
figure, (curve, valley) = plots.figure(1, 2, size=(4.7, 3.9))
around = np.linspace(w - 1.6, w + 1.6, 200)
curve.plot(
    around, [loss(at, b) for at in around], color=plots.MUTED, linewidth=2.5, label="the loss"
)
tangent = np.array([w - 1.1, w + 1.1])
curve.plot(
    tangent, loss(w, b) + dw * (tangent - w), color=plots.FAKE, label=f"slope by hand: {dw:.4f}"
)
wide = 0.9
ends = np.array([w - wide, w + wide])
curve.plot(
    ends, [loss(end, b) for end in ends], "o--", color=plots.REAL, markersize=5,
    label=f"chord over a step of {wide}: {central(wide):.4f}",
)  # fmt: skip
curve.plot(w, loss(w, b), "o", color=plots.FAKE, markersize=7)
curve.set(title="a gradient is a slope", xlabel="weight w", ylabel="loss L")
curve.legend(loc="upper right")

for label, errors, colour in (
    ("one-sided", one_sided_error, plots.MUTED),
    ("central", central_error, plots.REAL),
):
    valley.loglog(steps, np.maximum(errors, 1e-17), color=colour, linewidth=1.4, label=label)
valley.plot(
    STEP, max(checked, 1e-17), "D", color=plots.FAKE, markersize=7, label="two steps, combined"
)
valley.set(title="how small a step?", xlabel="step h", ylabel="relative error of dL/dw")
valley.text(1e-13, 1e-12, "too small:\nrounding", ha="left", color=plots.MUTED)
valley.text(1.0, 1e-12, "too large:\ncurvature", ha="right", color=plots.MUTED)
valley.legend(loc="upper center")
figure.savefig(
    results.path("one_neuron.png", "the slope, the chord, and the error against the step")
)

# %% In numbers
results.finish(
    {
        "dw": {"hand": dw, "library": neuron.grad[0], "difference": difference[0]},
        "db": {"hand": db, "library": neuron.grad[1], "difference": difference[1]},
        "difference_relative_error": checked,
        "best_step": {name: {"step": at, "error": least} for name, (at, least) in best.items()},
    },
    [
        f"By hand and by the library: {abs(neuron.grad[0] - dw):.0e} apart. By a difference: wrong "
        f"by {checked:.0e} of the value.",
        f"The best one-sided step is {best['one-sided'][0]:.0e}, wrong by "
        f"{best['one-sided'][1]:.0e}; the best central one {best['central'][0]:.0e}, by "
        f"{best['central'][1]:.0e}.",
        f"So the checker combines two central differences, of steps {STEP:.0e} and half of it.",
    ],
)
