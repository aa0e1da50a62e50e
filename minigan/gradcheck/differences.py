"""Central differences that know when they straddled a kink.

For a smooth f, (f(x + h) - f(x - h)) / 2h is f'(x) up to h^2 f''' / 6. Two step lengths, h and h/2,
cancel that error too (Richardson extrapolation), and tell smooth from kinked: the second difference

    bend(h) = (f(x + h) - 2 f(x) + f(x - h)) / h

is h f'' where f is smooth, so bend(h) = 2 bend(h/2); across a kink (ReLU at 0, the hinge at its
margin) it is of the size of the jump in slope, and the two disagree. The step is then shortened
until the kink lies outside it, and the entry is counted, so that a report can say so.
"""

import numpy as np

from ..checks import function as checked_function
from ..checks import shown
from ..layers.base import real_number

STEP = 1e-4
SHORTEST = 1e-9


def central_differences(function, x, step=STEP):
    """d function / d x, entry by entry, and where a difference straddled a kink.

    function : () -> float, reading x as it stands
    x        : float64 array, changed in place and put back
    Returns (gradient, kinks), both shaped like x, kinks boolean. Where x sits on a kink itself,
    whatever the step, the gradient is NaN: there is no derivative to compare with.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        raise TypeError(f"central_differences: x must be a float64 array, got {shown(x)}")
    function = checked_function("central_differences", "function", function)
    step = real_number("central_differences", "step", step, low=0, open_low=True)
    gradient, kinks = np.zeros(x.shape), np.zeros(x.shape, bool)
    centre = function()
    for index in np.ndindex(x.shape):
        gradient[index], kinks[index] = _difference(function, centre, x, index, step)
    return gradient, kinks


def _difference(function, centre, x, index, step):
    start = x[index]
    h = step * max(1.0, abs(start))

    def sides(h):
        """(central slope, bend) at step h."""
        x[index] = start + h
        above, up = function(), x[index] - start  # the step as rounding left it
        x[index] = start - h
        below, down = function(), start - x[index]
        x[index] = start
        return (above - below) / (up + down), (above - centre) / up - (centre - below) / down

    straddled = False
    slope, bend = sides(h)
    while h > SHORTEST:
        half_slope, half_bend = sides(h / 2)
        rounding = 16 * np.finfo(np.float64).eps * max(1.0, abs(centre)) / h
        if abs(bend - 2 * half_bend) <= 4 * rounding:
            return half_slope + (half_slope - slope) / 3, straddled
        straddled = True
        h, slope, bend = h / 2, half_slope, half_bend
    return np.nan, True
