"""The check of a penalty: the gradient of a gradient, compared with differences of the penalty."""

import numpy as np

from ..._checks import Batch, Count, PenaltyLike, Seed, checked
from ..._random import RandomStates, random_generator
from ...network import Sequential
from .check_progress import progress_bar
from .contract import compare_single, neighbours
from .differences import Differences, measure, not_deterministic
from .directions import AlongDirections
from .input_gradient import check_input_gradients
from .layer_check import compare_parameters
from .own_parts import penalty_value
from .penalty_context import FINITE, PenaltyContext, finite_at_zeros
from .report import IN_FLOAT32, Report


@checked
def check_penalty(
    penalty: PenaltyLike,
    discriminator: Sequential,
    real: Batch,
    fake: Batch,
    *,
    directions: Count | None = None,
    rng: Seed = 0,
    progress: bool = True,
) -> Report:
    """Checks `penalty.accumulate` in float64, over every parameter of the discriminator.

    real, fake : minibatches (N, ...)
    directions : None: every entry of every parameter is compared. A number: each parameter, as a
                 whole tensor, along so many random directions, and entry by entry only if it fails
    rng        : a numpy Generator or a seed: the penalty draws the same from it at each evaluation;
                 draws the directions, too
    progress   : show a progress bar if it takes more than two seconds

    The discriminator itself is not changed: a copy is checked, at the parameters it has. The rows:
        value          : accumulate returns what value returns, and draws as much from rng; value
                         is the penalty at differences of D over its input, too
        grad_x D       : at the penalty's points, compared with differences of D over its input
        each parameter : what accumulate added to its gradient, compared with central differences
                         of value
        biases         : exactly zero, in a piecewise linear discriminator
        adds into grad : the gradients of the loss, which are there already, are kept
        unchanged      : parameters, buffers and both minibatches, to the last bit
        float32        : value and gradient of the same numbers in float32
        zeros          : a discriminator of zeros, with gradient zero everywhere, gives finite
                         numbers
    The rows of grad_x D use forward passes alone, and are limited to small minibatches: see
    `minigan.gradcheck.input_gradient`.

    Returns a Report. Raises TypeError for a discriminator that is not a network and for a penalty
    that returns no number; what the penalty raises comes through. The cost is about six evaluations
    per parameter, or per tensor and direction.
    """
    network = discriminator.copy("float64")
    real, fake = (np.array(x, np.float64, order="C") for x in (real, fake))
    before = [array.copy() for array in (network.theta, real, fake)]
    buffers_before = [value.copy() for _, value in network.named_buffers()]
    rng = random_generator(rng)
    start = RandomStates(rng, network.rng)
    report = Report(f"check of {penalty}")

    def value():
        start.restore()
        found = penalty.value(network, real, fake, rng)
        return penalty_value("check_penalty", penalty, "value", found)

    def gradients():
        start.restore()
        returned = penalty.accumulate(network, real, fake, rng)
        penalty_value("check_penalty", penalty, "accumulate", returned)
        return returned, draw_on()

    def draw_on():
        """One number of each generator: equal where equally much was drawn before."""
        return [generator.random() for generator in start.rngs]

    expected, next_draws = value(), draw_on()
    problem = not_deterministic(expected, value())
    network.zero_grad()
    returned, next_after = gradients()
    found = network.grad.copy()
    report.compare("value", "accumulate beside value", returned, expected, tolerance=0)
    report.compare("value", "the next draws from rng", next_after, next_draws, tolerance=0)

    if not problem:
        start.restore()
        check_input_gradients(report, [penalty], network, real, fake, rng)
    context = PenaltyContext(penalty, network, real, fake, rng, start)
    entries = len(network.named_parameters()) if directions else network.theta.size
    with progress_bar(entries, progress) as bar:
        if directions:
            draw = rng.spawn(1)[0]
            along = AlongDirections(value, directions, draw, problem=problem, tick=bar.update)
            along.compare_parameters(report, "gradient", network, found, context.of)
        else:
            differences = Differences.none(network.theta.shape, problem)
            if not problem:
                differences = measure(value, network.theta, tick=bar.update)
            compare_parameters(report, "gradient", network, found, differences, context.of)
    if network.piecewise_linear:
        for name, _, grad in network.named_parameters():
            if name.endswith("bias"):
                report.compare(
                    "straight pieces", f"{name}: zero", grad, np.zeros_like(grad), tolerance=0
                )

    adversarial = np.random.default_rng(0).standard_normal(found.shape)
    network.grad[...] = adversarial
    gradients()
    report.compare(
        "adds into grad", "grad", network.grad, adversarial + found,
        context=lambda: {"tensor": "", "earlier": adversarial, "adds": True},
    )  # fmt: skip

    names = ("theta", "real", "fake")
    for name, array, kept in zip(names, (network.theta, real, fake), before):
        report.compare("unchanged", name, array, kept, tolerance=0)
    for (name, buffer), kept in zip(network.named_buffers(), buffers_before):
        report.compare("unchanged", f"buffer {name}", buffer, kept, tolerance=0)

    _check_single(report, penalty, network, real, fake, rng, start)
    start.restore()
    finite = finite_at_zeros(penalty, network, real, fake, rng)
    report.compare(
        "zeros", FINITE, finite, (True, True), tolerance=0,
        context=lambda: {"exhibits": context.exhibits(FINITE)},
    )  # fmt: skip
    return report


def _check_single(report, penalty, network, real, fake, rng, start):
    """The same in float32, as it is trained, beside float64 at the same rounded numbers."""
    arrays = [array.astype(np.float32) for array in (network.theta, real, fake)]

    def accumulated(dtype, theta, *minibatches):
        start.restore()
        twin = network.copy(dtype)
        twin.theta[...] = theta
        twin.zero_grad()
        value = penalty.accumulate(twin, *(x.astype(dtype) for x in minibatches), rng)
        found = {"value": np.float64(value), "gradient": twin.grad.copy()}
        return found, [rng.random(), twin.rng.random()]

    def again(i):
        return accumulated("float32", *neighbours(arrays, i))[0]

    expected, next_draws = accumulated("float64", *arrays)
    found, next_after = accumulated("float32", *arrays)
    if next_after != next_draws:
        report.notes.append("in float32 other random numbers are drawn; not compared")
        return
    lost = compare_single(report, f"accumulate{IN_FLOAT32}", found, expected, again)
    for row, scatter in lost.items():
        report.notes.append(f"float32: {row} moves by {scatter:.0e} of its size by rounding alone")
