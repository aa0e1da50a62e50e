"""Who moved this sample? The displacement of a fake by one training step, as a sum over its causes.

The displacement of a fake, G'(z) - G(z) for one z, has two causes: D's move, a sum over the real
samples and the fakes that it learns from, the penalties and the momentum; and G's move, along the
gradient that comes back through D. Each cause is followed through both networks by the chain
rule for finite steps, which is exact:

    a'b' - ab     = mean(a) (b' - b) + mean(b) (a' - a)          mean(a) = (a + a')/2
    f(x') - f(x)  = secant (x' - x)                              secant = (f(x') - f(x))/(x' - x)

Both are linear in the changes, so a change that is a sum over causes stays one. The optimizers'
denominators (the root in Adam) are common to all causes and are taken as they came out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import layers as L
from ... import losses, optim
from ...gan import GAN
from ...layers.base import Array
from ...network import Sequential
from .leaves import leaves
from .observed_step import JoinedPass, ObservedStep

# a step so small that its secant would be rounding; the derivative half way is as good
CLOSE = 1e-6


@dataclass(frozen=True)
class Shares:
    """The displacement of each fake by one step: `parts` sums to `displacement` over its last axis.

    causes       : [(what, row)], row None where there is but one: ("real", i), what D learned from
                   a real sample; ("fake", i), from a fake; ("penalty", None) and ("momentum of D",
                   None); ("push", i), the gradient at fake i, as D was before it moved;
                   ("momentum of G", None)
    parts        : (N, data, causes)
    displacement : (N, data)
    """

    causes: list[tuple[str, int | None]]
    parts: Array
    displacement: Array


@dataclass(frozen=True)
class Change:
    """An array before and after, and how the change is made up: parts has one axis more."""

    before: Array
    after: Array
    parts: Array

    @property
    def mean(self) -> Array:
        return (self.before + self.after) / 2

    def times(self, other: "Change", subscripts: str) -> "Change":
        """The product of two, as np.einsum writes it, such as "ni,ij->nj"."""
        left, right = subscripts.split("->")[0].split(",")
        out = subscripts.split("->")[1]
        return Change(
            np.einsum(subscripts, self.before, other.before),
            np.einsum(subscripts, self.after, other.after),
            np.einsum(f"{left}p,{right}->{out}p", self.parts, other.mean)
            + np.einsum(f"{left},{right}p->{out}p", self.mean, other.parts),
        )

    def plus(self, other: "Change") -> "Change":
        return Change(
            self.before + other.before, self.after + other.after, self.parts + other.parts
        )

    def minus(self, other: "Change") -> "Change":
        return Change(
            self.before - other.before, self.after - other.after, self.parts - other.parts
        )

    def through(self, function: Callable, derivative: Callable) -> "Change":
        """function of each entry by itself."""
        before, after, step = function(self.before), function(self.after), self.after - self.before
        crosses_zero = (self.before > 0) != (self.after > 0)
        close = (np.abs(step) <= CLOSE) & ~crosses_zero
        divided = (after - before) / np.where(step == 0, 1, step)
        secant = np.where(close, derivative(self.mean), divided)
        return Change(before, after, secant[..., None] * self.parts)


def shares(gan: GAN, real: Array) -> Shares:
    """The Shares of `gan.train_step(real)`, for a step that `explorer.game` can describe."""
    before, gan = gan.copy("float64"), gan.copy("float64")
    step, loss, n = ObservedStep(gan, real), gan.loss, len(real)
    G, D, made = step.players["G"], step.players["D"], step.generated
    causes: list[tuple[str, int | None]] = [
        *(("real", i) for i in range(n)), *(("fake", i) for i in range(n)),
        ("penalty", None), ("momentum of D", None),
        *(("push", i) for i in range(n)), ("momentum of G", None),
    ]  # fmt: skip
    penalty, momentum_of_d, push, momentum_of_g = 2 * n, 2 * n + 1, 2 * n + 2, 3 * n + 2

    # D's move: a sum over the rows of its minibatch, the penalties and the momentum
    gradient = np.zeros((D.theta.size, len(causes)))
    gradient[:, : 2 * n] = _per_row(JoinedPass(step.judged))
    if step.loss_gradient is not None:
        gradient[:, penalty] = D.grad - step.loss_gradient
    critic = _moved(D, before.discriminator_optimizer, gradient, momentum_of_d)

    # what that does to the gradient at the fakes, and so to each row's part of G's
    passed = _forward(critic, _still(made.output, len(causes)))
    logits = passed[-1]
    if losses.sees_real(loss):
        logits = logits.minus(_forward(critic, _still(real, len(causes)))[-1])
    signals = _backward(critic, passed, logits.through(*_slope_of(loss)))
    players = [(layer, {k: _still(v, len(causes)) for k, v in layer.params.items()})
               for _, layer in leaves(G)]  # fmt: skip
    values = [_still(value, len(causes)) for value in made.values]
    gradient = np.zeros((G.theta.size, len(causes)))
    offset = 0
    for position, dy in enumerate(_backward(players, values, signals[0])[1:]):
        layer, x = players[position][0], made.values[position]
        for name in layer.params:
            rows = x if name == "weight" else np.ones((n, 1))
            size = layer.params[name].size
            here = slice(offset, offset + size)
            gradient[here] += np.einsum("ni,njp->ijp", rows, dy.parts).reshape(size, -1)
            by_row = np.einsum("ni,nj->ijn", rows, dy.before).reshape(size, n)
            gradient[here, push : push + n] += by_row
            offset += size
    generator = _moved(G, before.generator_optimizer, gradient, momentum_of_g)
    fake = _forward(generator, _still(made.values[0], len(causes)))[-1]
    return Shares(causes, fake.parts, fake.after - fake.before)


Players = list[tuple[L.Layer, dict[str, Change]]]  # a network's layers, and how they change


def _still(values: Array, count: int) -> Change:
    return Change(values, values, np.zeros((*values.shape, count)))


def _per_row(judged: JoinedPass) -> Array:
    """(P, N): what each row of a pass adds to dL/dtheta."""
    found = []
    for position, (_, layer) in enumerate(judged.layers):
        x, dy = judged.values[position], judged.gradients[position + 1]
        for name in layer.params:
            rows = x if name == "weight" else np.ones((len(x), 1))
            found.append(np.einsum("ni,nj->ijn", rows, dy).reshape(-1, len(x)))
    return np.concatenate(found)


def _moved(network: Sequential, optimizer: Any, gradient: Array, momentum: int) -> Players:
    """A network before and after a step, for a gradient (P, causes) that sums over causes."""
    before, moved = network.theta.copy(), network.theta.copy()
    optimizer.step(moved, gradient.sum(axis=1))
    old, rate = _remembered(optimizer, gradient.sum(axis=1))
    parts = rate[:, None] * gradient
    parts[:, momentum] += old
    players, offset = [], 0
    for _, layer in leaves(network):
        changes = {}
        for name, value in layer.params.items():
            here = slice(offset, offset + value.size)
            shape = value.shape
            changes[name] = Change(
                before[here].reshape(shape), moved[here].reshape(shape),
                parts[here].reshape(*shape, -1),
            )  # fmt: skip
            offset += value.size
        players.append((layer, changes))
    return players


def _remembered(optimizer: Any, g: Array) -> tuple[Array, Array]:
    """(m, rate) of the step just taken: theta' - theta = m + rate g, m the momentum's part."""
    lr = optimizer.lr
    if isinstance(optimizer, optim.SGD):
        return -lr * (optimizer.velocity - g), np.full_like(g, -lr)
    if isinstance(optimizer, optim.RMSProp):
        return np.zeros_like(g), -lr / (np.sqrt(optimizer.square) + optimizer.eps)
    b1, b2, t = optimizer.beta1, optimizer.beta2, optimizer.steps
    root = np.sqrt(optimizer.second / (1 - b2**t)) + optimizer.eps
    scale = lr / ((1 - b1**t) * root)
    return -scale * (optimizer.first - (1 - b1) * g), -scale * (1 - b1)


def _forward(players: Players, x: Change) -> list[Change]:
    """[x, y_1, ..., y_n]"""
    values = [x]
    for layer, params in players:
        x = values[-1]
        if params:
            y = x.times(params["weight"], "ni,ij->nj")
            values.append(y.plus(params["bias"]) if "bias" in params else y)
        else:
            values.append(x.through(_phi(layer, 0), _phi(layer, 1)))
    return values


def _backward(players: Players, values: list[Change], dy: Change) -> list[Change]:
    """[dL/dx, dL/dy_1, ..., dL/dy_n]"""
    signals = [dy]
    for (layer, params), x in zip(reversed(players), reversed(values[:-1])):
        if params:
            signals.append(signals[-1].times(params["weight"], "nj,ij->ni"))
        else:
            slope = x.through(_phi(layer, 1), _phi(layer, 2))
            signals.append(signals[-1].times(slope, "ni,ni->ni"))
    return signals[::-1]


def _phi(layer: L.Layer, order: int) -> Callable[[Array], Array]:
    """phi, phi' or phi'' of an activation, as a function of x."""

    def function(x: Array) -> Array:
        y, cache = layer.forward(x)
        if order == 0:
            return y
        ones = np.ones_like(x)
        if order == 1:
            return layer.tangent(ones, cache)
        bent = layer.curvature(ones, cache, ones)
        return np.zeros_like(x) if bent is None else bent

    return function


def _slope_of(loss: Any) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """dL_G/df as a function of f, and its derivative. Where the loss compares f with r, it is a
    function of f - r; the derivative is needed only where f barely moves, and is a difference."""

    def slope(f: Array) -> Array:
        return loss.generator(np.zeros_like(f), f)[2]

    def bend(f: Array, h: float = 1e-5) -> Array:
        return (slope(f + h) - slope(f - h)) / (2 * h)

    return slope, bend
