"""The methods as vector fields, each with its Jacobian: `field(theta, psi)` -> (v1, v2).

Fields take numbers or arrays; the Jacobian [[dv1/dtheta, dv1/dpsi], [dv2/dtheta, dv2/dpsi]] is that
of one point. f and its derivatives are those of the package's docstring.
"""

import numpy as np

from ..._checks import CheckedConstructors, DiscreteStep, NotNegative, TwoNumbers, checked
from ...layers.activations import sigmoid

NODES = 64  # of the Gauss-Hermite sums
# A product of two tiny numbers may round to 0, also under np.seterr(all="raise").
QUIET = np.errstate(under="ignore")
Number = float | np.ndarray  # one point, or many at once


@QUIET
def slopes(t: Number) -> tuple[Number, Number, Number]:
    """f' = sigmoid(-t), f'' = -f' (1 - f'), f''' = -f'' (1 - 2 f'), of f(t) = -log(1 + exp(-t))."""
    first = sigmoid(np.asarray(-t))
    second = -first * (1 - first)
    return first, second, -second * (1 - 2 * first)


class Field(CheckedConstructors):
    """A training method: the changes of theta and psi per unit of the learning rate."""

    def field(self, theta: Number, psi: Number) -> tuple[Number, Number]:
        raise NotImplementedError

    def jacobian(self, theta: float, psi: float) -> np.ndarray:
        raise NotImplementedError

    def __repr__(self) -> str:
        options = (f"{name}={value:g}" for name, value in vars(self).items() if name[0] != "_")
        return f"{type(self).__name__}({', '.join(options)})"

    def project(self, psi: Number) -> Number:
        """Projects psi after D's step: the identity, except for weight clipping."""
        return psi


class Minimax(Field):
    """v = (-dL/dtheta, dL/dpsi): the game as Goodfellow et al. (2014) wrote it.

    v is at right angles to z, so the flow circles: d|z|^2/dt = 2 <z, v> = 0. A simultaneous step
    leaves the circle along its tangent, |z'|^2 = |z|^2 (1 + h^2 f'^2): outward, from anywhere.
    """

    @QUIET
    def field(self, theta: Number, psi: Number) -> tuple[Number, Number]:
        slope, _, _ = slopes(psi * theta)
        return -psi * slope, theta * slope

    @QUIET
    def jacobian(self, theta: float, psi: float) -> np.ndarray:
        t = psi * theta
        slope, bend, _ = slopes(t)
        across = slope + t * bend
        return np.array([[-(psi**2) * bend, -across], [across, theta**2 * bend]])


class NonSaturating(Field):
    """G climbs f(-psi theta) instead, so that its slope is f'(-psi theta).

    J at 0 is that of Minimax; the difference is of third order. With t = psi theta, d|z|^2/dtime is
    -2 t tanh(t/2), about -t^2, which is -|z|^4 / 8 on average over a turn. So 1/|z|^2 grows by 1/8
    per unit of time: the flow and alternating steps converge, but ever more slowly, |z| = sqrt(8 /
    time). Simultaneous steps push out by h^2/4 |z|^2 each, and end where that is h |z|^4 / 8: on a
    circle of radius sqrt(2 h).
    """

    @QUIET
    def field(self, theta: Number, psi: Number) -> tuple[Number, Number]:
        t = psi * theta
        return -psi * slopes(-t)[0], theta * slopes(t)[0]

    @QUIET
    def jacobian(self, theta: float, psi: float) -> np.ndarray:
        t = psi * theta
        slope_g, bend, _ = slopes(-t)  # f'' is even: one bend for both
        slope_d, _, _ = slopes(t)
        return np.array(
            [[psi**2 * bend, t * bend - slope_g], [slope_d + t * bend, theta**2 * bend]]
        )


class Relativistic(Minimax):
    """f(D(fake) - D(real)), zero-sum (Jolicoeur-Martineau 2018; Huang et al. 2024).

    D(real) = psi 0 = 0, so this is Minimax. Where G climbs f(D(real) - D(fake)), which is how
    `minigan.losses.Relativistic` and most code have it, it is NonSaturating.
    """


class Bilinear(Field):
    """L = psi theta: a rotation at every distance, the test case of the game's optimizers."""

    @QUIET
    def field(self, theta: Number, psi: Number) -> tuple[Number, Number]:
        return -psi, theta

    @QUIET
    def jacobian(self, theta: float, psi: float) -> np.ndarray:
        return np.array([[0.0, -1.0], [1.0, 0.0]])


class ClippedWasserstein(Bilinear):
    """L = psi theta, with psi clipped into [-clip, clip] (Arjovsky et al. 2017): no convergence."""

    def __init__(self, clip: NotNegative = 1.0) -> None:
        self.clip = clip

    def project(self, psi: Number) -> Number:
        return np.clip(psi, -self.clip, self.clip)

    @checked
    @QUIET
    def floor(self, step: DiscreteStep, start: TwoNumbers) -> float:
        """A lower bound on |z_n| for all n >= 0, for simultaneous or alternating steps.

        Simultaneous: a step without clipping multiplies |z| by sqrt(1 + h^2), one with clipping
        ends at |psi| = clip. So |z_n| >= min(|z_0|, clip).
        Alternating: psi' = psi + h theta, then theta' = theta - h psi'. A step without clipping
        keeps Q = theta^2 + psi^2 + h theta psi. Between the two moves, in theta and psi', the same
        Q reads theta^2 + psi'^2 - h theta psi'. Clipping happens there and leaves |psi'| = clip,
        so Q is then at least the minimum of that over theta, clip^2 (1 - h^2/4). Hence
        Q_n >= min(Q_0, clip^2 (1 - h^2/4)), and Q <= (1 + h/2) |z|^2 turns this into a bound on
        |z|. From h = 2 on Q can be negative, and the bound is the trivial one, 0.

        Parameters
        ----------
        step : Simultaneous or Alternating
            A `Flow` raises ValueError.
        start : array_like (2,)
            z_0 = (theta, psi).
        """
        theta, psi = np.asarray(start)
        if step.name == "simultaneous":
            return float(min(np.hypot(theta, psi), self.clip))
        first = theta**2 + psi**2 + step.h * theta * psi
        clipped = self.clip**2 * (1 - step.h**2 / 4)
        return float(np.sqrt(max(min(first, clipped), 0.0) / (1 + step.h / 2)))


class GradientPenalty(Field):
    """WGAN-GP: D pays weight (|grad_x D| - target)^2, and grad_x D = psi (Gulrajani et al. 2017).

    v2 = theta - lambda (|psi| - target) sign(psi), lambda = 2 weight: it jumps where psi changes
    sign, at the equilibrium too. There is no J at 0, and no settling there.

    On either side v is linear: for psi > 0 the flow turns about (-lambda target, 0), for psi < 0
    about (lambda target, 0), with the eigenvalues of [[0, -1], [1, -lambda]], -lambda/2 +- i omega,
    omega = sqrt(1 - lambda^2/4). From one crossing of psi = 0 to the next it makes half a turn, and
    its distance to that centre shrinks by q = exp(-pi lambda / (2 omega)). So theta, at a crossing,
    becomes -lambda target - q (theta + lambda target). From any start but 0 that leads to the cycle
    where it is -theta: |theta| = lambda target (1 + q) / (1 - q).
    """

    def __init__(self, weight: NotNegative = 0.5, target: NotNegative = 1.0) -> None:
        self.weight, self.target = weight, target

    @QUIET
    def field(self, theta: Number, psi: Number) -> tuple[Number, Number]:
        return -psi, theta - 2 * self.weight * (np.abs(psi) - self.target) * np.sign(psi)

    @QUIET
    def jacobian(self, theta: float, psi: float) -> np.ndarray:
        """The Jacobian at psi != 0; raises ValueError at psi = 0, where there is none."""
        if psi == 0:
            raise ValueError("GradientPenalty: it has no Jacobian at psi = 0")
        return np.array([[0.0, -1.0], [1.0, -2 * self.weight]])

    def cycle(self) -> float:
        """|theta| where the flow's cycle crosses psi = 0; ValueError unless 0 < lambda < 2."""
        strength = 2 * self.weight
        if not 0 < strength < 2:
            raise ValueError(
                f"GradientPenalty: a cycle needs a weight in (0, 1), got {self.weight}"
            )
        q = np.exp(-np.pi * strength / np.sqrt(4 - strength**2))
        return float(strength * self.target * (1 + q) / (1 - q))

    @checked
    @QUIET
    def floor(self, step: DiscreteStep, start: TwoNumbers) -> float:
        """A lower bound on max(|z_n|, |z_n+1|) for all n with psi_n != 0, from any start.

        Within r of 0, |v2| >= lambda target - sqrt(1 + lambda^2) r. D moves by h |v2|, and by no
        more than 2 r if it stays within r. So r >= h lambda target / (2 + h sqrt(1 + lambda^2)).

        Parameters
        ----------
        step : Simultaneous or Alternating
            A `Flow` raises ValueError.
        start : array_like (2,)
            z_0 = (theta, psi); the bound does not depend on it.
        """
        strength = 2 * self.weight
        return float(step.h * strength * self.target / (2 + step.h * np.hypot(1, strength)))


class InstanceNoise(Field):
    """Minimax, with noise e ~ N(0, sigma^2) on data and fakes alike (Sønderby et al. 2017).

        v1 = -psi E f'(psi (theta + e)),    v2 = E (theta + e) f'(psi (theta + e)) - E e f'(-psi e)

    The expectations are Gauss-Hermite sums, not samples: exact to rounding for sigma |psi| <= 1, to
    1e-9 at 2. Near 0, d = 2 sigma^2 f''(0): noise does there what R1 does with gamma = sigma^2/2.
    """

    def __init__(self, sigma: NotNegative = 1.0) -> None:
        self.sigma = sigma
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        self._noise, self._weights = self.sigma * nodes, weights / weights.sum()

    @QUIET
    def field(self, theta: Number, psi: Number) -> tuple[Number, Number]:
        theta, psi = (np.asarray(value, np.float64)[..., None] for value in (theta, psi))
        e, x = self._noise, theta + self._noise
        on_fake, _, _ = slopes(psi * x)
        on_real, _, _ = slopes(-psi * e)
        return -psi[..., 0] * self._mean(on_fake), self._mean(x * on_fake - e * on_real)

    @QUIET
    def jacobian(self, theta: float, psi: float) -> np.ndarray:
        e, x = self._noise, theta + self._noise
        slope, bend, _ = slopes(psi * x)
        _, bend_real, _ = slopes(-psi * e)
        across = self._mean(slope + psi * x * bend)
        return np.array(
            [
                [-(psi**2) * self._mean(bend), -across],
                [across, self._mean(x**2 * bend + e**2 * bend_real)],
            ]
        )

    def _mean(self, values):
        return values @ self._weights


class R1(Field):
    """NonSaturating, and D pays gamma/2 |grad_x D|^2 = gamma/2 psi^2 (Mescheder et al. 2018, 4.1).

    D's slope is psi at the fakes too, so R2 is the same field. (On Minimax, J at 0 is the same.)
    """

    def __init__(self, gamma: NotNegative = 1.0) -> None:
        self.gamma = gamma
        self._game = NonSaturating()

    @QUIET
    def field(self, theta: Number, psi: Number) -> tuple[Number, Number]:
        v1, v2 = self._game.field(theta, psi)
        return v1, v2 - self.gamma * psi

    @QUIET
    def jacobian(self, theta: float, psi: float) -> np.ndarray:
        return self._game.jacobian(theta, psi) - np.diag([0.0, self.gamma])


class Consensus(Field):
    """v - gamma grad R, R = |v|^2 / 2, with Minimax's v (Mescheder et al. 2017).

    With g = f'(psi theta)^2, g' and g'' its derivatives by t = psi theta, and q = theta^2 + psi^2:

        R      = g q / 2
        grad R = g (theta, psi) + g' q / 2 (psi, theta)

    (Public code has one of the two terms off by a factor of two: a test differences R.)
    """

    def __init__(self, gamma: NotNegative = 1.0) -> None:
        self.gamma = gamma
        self._game = Minimax()

    @QUIET
    def regulariser(self, theta: Number, psi: Number) -> Number:
        """R = |v|^2 / 2."""
        v1, v2 = self._game.field(theta, psi)
        return (v1**2 + v2**2) / 2

    @QUIET
    def field(self, theta: Number, psi: Number) -> tuple[Number, Number]:
        v1, v2 = self._game.field(theta, psi)
        slope, bend, _ = slopes(psi * theta)
        g, dg, q = slope**2, 2 * slope * bend, theta**2 + psi**2
        return (
            v1 - self.gamma * (g * theta + dg * q / 2 * psi),
            v2 - self.gamma * (g * psi + dg * q / 2 * theta),
        )

    @QUIET
    def jacobian(self, theta: float, psi: float) -> np.ndarray:
        t, q = psi * theta, theta**2 + psi**2
        slope, bend, third = slopes(t)
        g, dg, ddg = slope**2, 2 * slope * bend, 2 * (bend**2 + slope * third)
        both, across = g + 2 * t * dg, (3 * dg + t * ddg) * q / 2
        hessian = np.array(
            [[both + psi**2 * q * ddg / 2, across], [across, both + theta**2 * q * ddg / 2]]
        )
        return self._game.jacobian(theta, psi) - self.gamma * hessian
