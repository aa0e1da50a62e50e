"""The Dirac-GAN: the smallest game that shows why GANs oscillate, diverge or converge.

The data are the point 0, the generator is the point theta, the discriminator the line D(x) = psi x
(Mescheder et al. 2018, "Which training methods for GANs do actually converge?", sec. 2). With

    f(t) = -log(1 + exp(-t)),    f'(t) = sigmoid(-t),    f'(0) = 1/2,    f''(0) = -1/4

the game is L(theta, psi) = f(psi theta) + f(0): D makes it large, G makes it small. (D is large at
fakes here, as in the paper. minigan's D is large at real samples, so its weight is -psi.) The one
equilibrium is theta = psi = 0. A training method is a vector field v = (v1, v2), the changes of
theta and psi per unit of the learning rate h: see `fields`.

**Why the eigenvalues of one matrix decide.** At the equilibrium v = 0, so near it v(z) = J z,

    J = [[a, b], [c, d]],    a = dv1/dtheta, b = dv1/dpsi, c = dv2/dtheta, d = dv2/dpsi  at 0,

and a training step is a matrix M too: z' = M z. After n steps z_n = M^n z_0, so near 0 each step
multiplies |z|, on average, by the largest |eigenvalue| of M: the *contraction per step*. Below 1
training converges, above 1 it is driven away. M follows from J and from the order of the moves:

**Simultaneous steps.** z' = z + h v(z), so M = I + h J. If J u = lambda u, M u = (1 + h lambda) u:

    |1 + h lambda|^2 = 1 + 2 h Re lambda + h^2 |lambda|^2

The last term is positive, so a step contracts only if Re lambda < -h |lambda|^2 / 2.

**Alternating steps.** D moves first, then G, which sees the new D (as in `GAN.train_step`):

    psi'   = psi + h v2(theta, psi)       [theta, psi ] -> [[1, 0], [h c, 1 + h d]] [theta, psi ]
    theta' = theta + h v1(theta, psi')    [theta, psi'] -> [[1 + h a, h b], [0, 1]] [theta, psi']

    M = [[1 + h a, h b], [0, 1]] [[1, 0], [h c, 1 + h d]]
    det M = (1 + h a) (1 + h d),    trace M = 2 + h (a + d) + h^2 b c

The eigenvalues solve mu^2 - trace mu + det = 0. Where they are not real they are a conjugate pair
and |mu|^2 = mu conj(mu) = det M. So with a = d = 0 they sit on the unit circle, as long as
|trace| < 2, that is h < 4 for b c = -1/4. (G first gives the same: A B and B A share eigenvalues.)

**The flow**, dz/dt = v(z): M = exp(h J), and |exp(h lambda)| = exp(h Re lambda).

For each method, with c = -b = 1/2 unless it says otherwise, and the contraction *squared* in the
last two columns, as long as the eigenvalues of M are not real:

    method                 a         d           lambda           simultaneous         alternating
    minimax, relativistic  0         0           +-i/2            1 + h^2/4            1
    non-saturating         0         0           +-i/2            1 + h^2/4            1
    WGAN, c = -b = 1       0         0           +-i              1 + h^2              1
    R1, R2                 0         -gamma      -gamma/2 +- s    1 - h gamma + h^2/4  1 - h gamma
    instance noise         0         -sigma^2/2  R1's, with gamma = sigma^2/2
    consensus              -gamma/4  -gamma/4    -gamma/4 +- i/2  k^2 + h^2/4          k^2

s = sqrt(gamma^2 - 1)/2 and k = 1 - h gamma/4. R1's s is real from gamma = 1 on (for the alternating
step's mu, from 1 - h/4): the turning has stopped, the slower of two real eigenvalues decides, and
more gamma makes it slower. The faster one passes -1 at gamma = 2/h + h/8 (alternating: 2/h - h/8),
beyond which training diverges. WGAN-GP has no J at 0, and WGAN's J ignores its clipping. For
these two, `floor` is a lower bound on the distance from 0 (0 for alternating WGAN with h >= 2).

**The game's own steps** look ahead, or back. With J u = lambda u, and mu the factor of that mode:

    extragradient  z' = z + h v(z + h v(z))            mu = 1 + h lambda + (h lambda)^2
    optimistic     z' = z + 2 h v(z) - h v(z_before)   mu^2 - (1 + 2 h lambda) mu + h lambda = 0
    lookahead      z' = (1 - a) z + a (k steps of z)   mu = 1 - a + a (mu of the inner step)^k

On a pure rotation, lambda = +- i omega, with w = h omega:

    extragradient  |mu|^2 = (1 - w^2)^2 + w^2 = 1 - w^2 + w^4         below 1 for w < 1
    optimistic     mu = (1 + 2 i w +- sqrt(1 - 4 w^2)) / 2. For w <= 1/2 the root is real, and the
                   larger |mu|^2 = ((1 + root)^2 + 4 w^2) / 4 = (1 + sqrt(1 - 4 w^2)) / 2
                   above, |mu| = |1 + i (2 w + sqrt(4 w^2 - 1))| / 2: below 1 for w < 1 / sqrt 3
    lookahead      with simultaneous inner steps 1 + i w = r e^(i phi), r = sqrt(1 + w^2):
                   |mu|^2 = (1 - a)^2 + 2 a (1 - a) r^k cos(k phi) + a^2 r^2k    for a round of k

omega = 1/2 for the Dirac-GAN and 1 for the bilinear game L = psi theta (`Bilinear`), on which
simultaneous steps grow by sqrt(1 + h^2). The first two are both |mu|^2 = 1 - w^2 up to terms of
order w^4: an optimistic step predicts v at the next point from the last two, an extragradient step
evaluates it there.
"""

from .fields import (
    R1,
    Bilinear,
    ClippedWasserstein,
    Consensus,
    GradientPenalty,
    InstanceNoise,
    Minimax,
    NonSaturating,
    Relativistic,
)
from .game_rules import Extragradient, LookaheadRounds, Optimistic
from .step_rules import (
    Alternating,
    Flow,
    Simultaneous,
    measured_contraction,
    predicted_contraction,
    trajectory,
)

__all__ = [
    "Minimax",
    "NonSaturating",
    "Relativistic",
    "Bilinear",
    "ClippedWasserstein",
    "GradientPenalty",
    "InstanceNoise",
    "R1",
    "Consensus",
    "Simultaneous",
    "Alternating",
    "Flow",
    "Extragradient",
    "Optimistic",
    "LookaheadRounds",
    "trajectory",
    "predicted_contraction",
    "measured_contraction",
]
