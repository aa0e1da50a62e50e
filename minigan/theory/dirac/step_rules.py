"""Training steps z' = step(method, z), with z = (theta, psi), and their matrices M(J) near 0.

The derivations are in the package's docstring. The matrices are written for any J, so they hold for
a whole GAN too (see `theory.forecast`): `split` is the number of G's parameters, which come first.
A step that remembers more than z keeps it behind z: see `begin`.
"""

import numpy as np

from ..._checks import CheckedConstructors, Count, Positive, TwoNumbers, TwoOrMore, checked
from .fields import QUIET, Field


class Step(CheckedConstructors):
    """A training step with learning rate (or, for the flow, duration) h > 0."""

    def __init__(self, h: Positive = 0.2) -> None:
        self.h = h

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.h:g})"

    def begin(self, z: np.ndarray) -> np.ndarray:
        """The state in which a path from z starts: z itself, unless the step remembers more."""
        return z

    def __call__(self, method: Field, z: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def matrix(self, jacobian: np.ndarray, split: int = 1) -> np.ndarray:
        raise NotImplementedError


class Simultaneous(Step):
    """z' = z + h v(z):  M = I + h J."""

    @QUIET
    def __call__(self, method: Field, z: np.ndarray) -> np.ndarray:
        v1, v2 = method.field(*z)
        return np.array([z[0] + self.h * v1, method.project(z[1] + self.h * v2)])

    def matrix(self, jacobian: np.ndarray, split: int = 1) -> np.ndarray:
        return np.eye(len(jacobian)) + self.h * jacobian


class Alternating(Step):
    """D moves, then G:  M = [[1 + h a, h b], [0, 1]] [[1, 0], [h c, 1 + h d]]."""

    @QUIET
    def __call__(self, method: Field, z: np.ndarray) -> np.ndarray:
        theta, psi = z
        psi = method.project(psi + self.h * method.field(theta, psi)[1])
        return np.array([theta + self.h * method.field(theta, psi)[0], psi])

    def matrix(self, jacobian: np.ndarray, split: int = 1) -> np.ndarray:
        G_moves, D_moves = np.eye(len(jacobian)), np.eye(len(jacobian))
        G_moves[:split] += self.h * jacobian[:split]
        D_moves[split:] += self.h * jacobian[split:]
        return G_moves @ D_moves


class Flow(Step):
    """dz/dt = v(z) for a time h, with an error of order h^5: the classical Runge-Kutta step.

    M = I + A + A^2/2 + A^3/6 + A^4/24, A = h J: exp(h J) to fourth order.
    """

    @QUIET
    def __call__(self, method: Field, z: np.ndarray) -> np.ndarray:
        def v(z):
            return np.array(method.field(*z))

        k1 = v(z)
        k2 = v(z + self.h / 2 * k1)
        k3 = v(z + self.h / 2 * k2)
        k4 = v(z + self.h * k3)
        theta, psi = z + self.h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return np.array([theta, method.project(psi)])

    def matrix(self, jacobian: np.ndarray, split: int = 1) -> np.ndarray:
        a, one = self.h * jacobian, np.eye(len(jacobian))
        return one + a @ (one + a / 2 @ (one + a / 3 @ (one + a / 4)))


@checked
@QUIET
def trajectory(
    method: Field, step: Step, start: TwoNumbers = (1.0, 1.0), steps: Count = 500
) -> np.ndarray:
    """The points z_0, z_1, ..., shape (steps + 1, 2).

    The defaults are those of the notebook of Mescheder et al. (2018).
    """
    path = np.empty((steps + 1, 2))
    path[0] = start
    state = step.begin(path[0].copy())
    for n in range(steps):
        state = step(method, state)
        path[n + 1] = state[:2]
    return path


@checked
@QUIET
def predicted_contraction(method: Field, step: Step) -> float:
    """The largest |eigenvalue| of the step's matrix M at the equilibrium."""
    return float(np.max(np.abs(np.linalg.eigvals(step.matrix(method.jacobian(0.0, 0.0))))))


@checked
@QUIET
def measured_contraction(
    method: Field, step: Step, steps: TwoOrMore = 4000, radius: Positive = 1e-4
) -> float:
    """The factor by which a step changes |z| near 0, measured without using the Jacobian.

    It is the geometric mean over the second half of `steps` steps. After each step z is rescaled to
    |z| = radius, so that it neither leaves the neighbourhood of 0 nor vanishes. The remaining error
    is of order 1 / steps.

    References
    ----------
    Benettin et al. (1980), "Lyapunov characteristic exponents for smooth dynamical systems".
    """
    z = step.begin(np.array([radius, 0.0]))
    growth = []
    for _ in range(steps):
        z = step(method, z)
        length = np.linalg.norm(z)
        growth.append(np.log(length / radius))
        z *= radius / length
    return float(np.exp(np.mean(growth[steps // 2 :])))
