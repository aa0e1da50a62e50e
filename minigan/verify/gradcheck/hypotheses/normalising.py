"""Batch norm and layer norm: paths through the mean and the variance left out, or over wrong axes.

dx = i (g - mean(g) - x_hat mean(g x_hat)),   g = dy gamma,   i = 1 / std
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .added import deviations
from .case import Array, Candidate, Case

OF_BATCH, OF_SAMPLE, RUNNING = "the batch", "each sample", "the running statistics"
OF_PIXEL, OF_ROW = "each pixel", "the channels of each pixel"
OF_CHANNEL = "each channel of each sample"
OF_ALL = "all values at once"
EXHIBITS = {
    ("the path through the variance",): "variance_held",
    ("the path through the mean", "the path through the variance"): "statistics_held",
}


@dataclass
class Statistics:
    """The normalisation of x: over which axes, and what comes of it. axes = (): constants."""

    of: str
    axes: tuple[int, ...]
    x_hat: Array
    std: Array

    def mean(self, array: Array) -> Array:
        return array.mean(axis=self.axes, keepdims=True) if self.axes else np.zeros(())

    def dx(self, g: Array) -> Array:
        return (g - self.mean(g) - self.x_hat * self.mean(g * self.x_hat)) / self.std


def statistics(case: Case, x: Array) -> Iterator[Statistics]:
    """The ways in which x might be normalised."""
    if x.ndim < 2:
        return
    eps = case.number("eps")
    kinds = [(OF_ALL, tuple(range(x.ndim)))]
    kinds += [(OF_BATCH, tuple(range(x.ndim - 1))), (OF_SAMPLE, tuple(range(1, x.ndim)))]
    if x.ndim == 4:
        kinds += [(OF_CHANNEL, (1, 2))]
    if x.ndim > 2:
        kinds += [(OF_PIXEL, (0,)), (OF_ROW, (x.ndim - 1,))]
    for of, axes in kinds:
        mean = x.mean(axis=axes, keepdims=True)
        for small in [1e-5, 1e-8, 1e-6, 1e-3, 0.0] if eps is None else [eps]:
            std = np.sqrt(x.var(axis=axes, keepdims=True) + small)
            if (std > 0).all():
                yield Statistics(of, axes, (x - mean) / std, std)
    running_mean, running_var = case.array("running_mean"), case.array("running_var")
    if running_mean is not None and running_var is not None:
        std = np.sqrt(running_var + (1e-5 if eps is None else eps))
        yield Statistics(RUNNING, (), (x - running_mean) / std, std)


def inputs(case: Case) -> Iterator[Candidate]:
    """Variants of dx."""
    x, dy = case.array("x"), case.array("dy")
    if x is None or dy is None or x.shape != dy.shape or x.shape != case.found.shape:
        return
    gamma = case.array("gamma")
    gamma = np.ones(x.shape[-1]) if gamma is None else gamma
    try:
        g = dy * gamma
    except ValueError:
        return
    found = [*statistics(case, x)]
    for s in found:
        if not case.is_right(s.dx(g)):
            continue
        yield from _held(case, s, g)
        if (said := _held_without_gamma(case, s, dy)) is not None:
            yield said
        yield from _other_eps(case, x, s, g)
        yield Candidate(s.x_hat, "is x_hat")
        yield Candidate(s.dx(dy), "does not contain gamma: g = dy gamma is right")
        yield Candidate(
            s.dx(dy) * gamma,
            "multiplies by gamma after the means have been taken, "
            "not before: g = dy gamma is right",
        )
        yield Candidate(s.dx(dy) / gamma, "is divided by gamma, which should multiply dy")
        yield Candidate(s.dx(g) * s.std, "is not divided by std")
        yield Candidate(
            s.dx(g) / s.std, "is divided by the variance, not by std: the square root is missing"
        )
        yield Candidate(s.dx(g) * s.std**2, "is multiplied by std, not divided")
        yield Candidate(s.dx(g) / s.std**2, "is divided by std^3, not by std")
        yield Candidate(
            (g - s.mean(g) - s.mean(g * s.x_hat)) / s.std,
            "lacks the factor x_hat in the path through the variance",
        )
        n = g.size // s.mean(g).size if s.axes else 1
        bessel = n / max(n - 1, 1)
        variance = s.x_hat * s.mean(g * s.x_hat) / s.std
        yield Candidate(
            s.dx(g) + variance * (1 - bessel),
            f"divides the path through the variance "
            f"by N - 1 = {n - 1}, where the forward pass divides by N = {n}",
        )
        yield Candidate(
            (g - bessel * (s.mean(g) + s.x_hat * s.mean(g * s.x_hat))) / s.std,
            f"divides its means by N - 1 = {n - 1}, not by N = {n}",
        )
        yield from _without_gamma_in(s, g, dy)
        yield from _other_x_hat(case, s, x, g)
        yield Candidate(
            np.broadcast_to(g, x.shape), "is dy gamma alone: the normalisation is left out"
        )
        for other in found:
            if other.of == s.of:
                continue
            where = f"takes its means over {other.of}, where {s.of} is right"
            if RUNNING in (s.of, other.of):
                where = (
                    f"uses the formula of {'evaluation' if other.of == RUNNING else 'training'}: "
                    f"its statistics are those of {other.of}, and the forward pass used {s.of}"
                )
            exhibit = "frozen_batch_norm" if s.of == RUNNING else None
            yield Candidate(other.dx(g), where, exhibit)
            means = Statistics(s.of, other.axes, s.x_hat, s.std)
            yield Candidate(means.dx(g), where, exhibit)
        return


def _other_eps(case, x, s, g):
    """The same formula with another eps, or with N - 1 in the standard deviation."""
    if not s.axes:
        return
    mean, variance = x.mean(axis=s.axes, keepdims=True), x.var(axis=s.axes, keepdims=True)
    for eps in (0.0, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1):
        std = np.sqrt(variance + eps)
        other = Statistics(s.of, s.axes, (x - mean) / std, std)
        yield Candidate(other.dx(g), f"uses eps = {eps:g}, not that of the forward pass")
        yield Candidate(s.dx(g) * s.std / std, f"is divided by a std with eps = {eps:g}")
    n = g.size // mean.size
    if n > 1:
        std = np.sqrt(variance * n / (n - 1))
        yield Candidate(s.dx(g) * s.std / std, f"is divided by a std with N - 1 = {n - 1}")


def _held_without_gamma(case, s, dy):
    """Two mistakes: no gamma, and a path is missing."""
    if not s.axes:
        return None
    for paths, without in (
        ("mean", dy - s.x_hat * s.mean(dy * s.x_hat)),
        ("variance", dy - s.mean(dy)),
        ("mean and the one through the variance", dy),
    ):
        if case.unexplained(without / s.std) <= case.tolerance:
            says = f"does not contain gamma, and lacks the path through the {paths}"
            return Candidate(without / s.std, says)
    return None


def _without_gamma_in(s, g, dy):
    through_mean, through_variance = s.mean(dy), s.x_hat * s.mean(dy * s.x_hat)
    for words, value in (
        ("the path through the mean", g - through_mean - s.x_hat * s.mean(g * s.x_hat)),
        ("the path through the variance", g - s.mean(g) - through_variance),
        ("the paths through the mean and the variance", g - through_mean - through_variance),
    ):
        yield Candidate(value / s.std, f"lacks gamma in {words}")


def _other_x_hat(case, s, x, g):
    """x_hat's two places in the path through the variance."""
    if not s.axes:
        return
    others = {"x": x, "x - mean": s.x_hat * s.std, "x / std": x / s.std, "y": case.array("y")}
    for name, other in others.items():
        if other is None or other.shape != x.shape:
            continue
        for outside, inside in ((other, s.x_hat), (s.x_hat, other), (other, other)):
            yield Candidate(
                (g - s.mean(g) - outside * s.mean(g * inside)) / s.std,
                f"uses {name} in the place of x_hat, in the path through the variance",
            )


def _held(case, s, g):
    """Each path with a coefficient of its own."""
    if not s.axes:
        return
    terms = {
        "the direct path": g / s.std,
        "the path through the mean": np.broadcast_to(-s.mean(g) / s.std, g.shape),
        "the path through the variance": -s.x_hat * s.mean(g * s.x_hat) / s.std,
    }
    if (said := deviations(case, terms, EXHIBITS)) is not None:
        yield said
    for missing in (EXHIBITS, {("the path through the mean",): None}):
        for paths, exhibit in missing.items():
            kept = sum(term for name, term in terms.items() if name not in paths)
            says = f"lacks {' and '.join(paths)}: the statistics depend on x, too"
            yield Candidate(kept, says, exhibit)


def parameters(case: Case) -> Iterator[Candidate]:
    """Variants of dgamma = sum dy x_hat, where that or dbeta = sum dy is right."""
    x, dy, y = case.array("x"), case.array("dy"), case.array("y")
    if x is None or dy is None or x.shape != dy.shape or x.ndim < 2:
        return
    rows = tuple(range(x.ndim - 1))
    if case.is_right(dy.sum(axis=rows)):
        for s in statistics(case, x):
            yield Candidate(
                (dy * s.x_hat).sum(axis=rows),
                "is dgamma, the sum of dy x_hat, where dbeta is the sum of dy",
            )
        return
    for s in statistics(case, x):
        if not case.is_right((dy * s.x_hat).sum(axis=rows)):
            continue
        yield Candidate(
            (dy * s.x_hat * s.std).sum(axis=rows),
            "uses x - mean in the place of x_hat: it is not divided by std",
            "dgamma_unscaled",
        )
        yield Candidate((dy * x).sum(axis=rows), "uses x in the place of x_hat")
        yield Candidate(
            (dy * x / s.std).sum(axis=rows),
            "uses x / std in the place of x_hat: the mean is not subtracted",
        )
        yield Candidate((dy * s.x_hat / s.std).sum(axis=rows), "is divided by std once too often")
        yield Candidate((dy * s.x_hat**2).sum(axis=rows), "has x_hat^2 in the place of x_hat")
        if y is not None and y.shape == dy.shape:
            yield Candidate((dy * y).sum(axis=rows), "uses y in the place of x_hat")
        yield Candidate(
            dy.sum(axis=rows), "is dbeta, the sum of dy, where dgamma is the sum of dy x_hat"
        )
        for axis in range(x.ndim - 1):
            others = tuple(a for a in range(x.ndim) if a != axis)
            yield Candidate(
                (dy * s.x_hat).sum(axis=others),
                f"is summed over the wrong axes: one for each index of axis {axis}",
            )
        for other in statistics(case, x):
            yield Candidate(
                (dy * other.x_hat).sum(axis=rows),
                f"uses the statistics of {other.of}, where those of {s.of} are right",
            )
        return
