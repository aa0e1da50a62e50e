"""The residual layer: y = skip(x) + branch(x)."""

from typing import Any

from .base import Array, Cache, Layer, PiecewiseLinearLayer
from .composite import Composite, add


class Residual(Composite):
    """y = skip(x) + branch(x)   (He et al. 2016)

    branch : a layer, usually a Sequential
    skip   : a layer whose output has the branch's shape, such as a 1 x 1 Conv2d where the number of
             channels changes; None: y = x + branch(x)

    backward: dx = skip'(dy) + branch'(dy): both depend on x, and both have the cotangent dy.
    tangent: skip's + branch's. curvature: skip's + branch's.

    Along the skips no weight multiplies the signal, so gradients do not vanish with depth. Without
    normalisation, small first weights in the branches keep them bounded (Fixup: Zhang et al. 2019).

    Raises TypeError for what is not a layer; ValueError, in `forward`, where the two outputs are of
    different shapes.
    """

    def __init__(self, branch: Layer, skip: Layer | None = None) -> None:
        skip = Identity() if skip is None else skip
        super().__init__({"branch": branch, "skip": skip})
        self.dtype = branch.dtype

    @property
    def branch(self) -> Any:
        return self.children["branch"]

    @property
    def skip(self) -> Any:
        return self.children["skip"]

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x)
        y, in_branch = self.branch.forward(x, training)
        skipped, in_skip = self.skip.forward(x, training)
        if y.shape != skipped.shape:
            raise ValueError(
                f"{self}: branch and skip must give one shape, got {y.shape} and {skipped.shape}"
            )
        return y + skipped, (in_branch, in_skip)

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        in_branch, in_skip = cache
        return self.branch.backward_input(dy, in_branch) + self.skip.backward_input(dy, in_skip)

    def backward_params(self, dy: Array, cache: Cache) -> None:
        in_branch, in_skip = cache
        self.branch.backward_params(dy, in_branch)
        self.skip.backward_params(dy, in_skip)

    def backward(self, dy: Array, cache: Cache) -> Array:
        in_branch, in_skip = cache
        return self.branch.backward(dy, in_branch) + self.skip.backward(dy, in_skip)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        in_branch, in_skip = cache
        return self.branch.tangent(x_dot, in_branch) + self.skip.tangent(x_dot, in_skip)

    def curvature(self, dy: Array, cache: Cache, x_dot: Array) -> Array | None:
        in_branch, in_skip = cache
        return add(
            self.branch.curvature(dy, in_branch, x_dot), self.skip.curvature(dy, in_skip, x_dot)
        )

    def __repr__(self) -> str:
        skip = "" if isinstance(self.skip, Identity) else f", {self.skip}"
        return f"Residual({self.branch}{skip})"


class Identity(PiecewiseLinearLayer):
    """y = x: the plain skip."""

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        return x, None

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        return dy

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        return x_dot
