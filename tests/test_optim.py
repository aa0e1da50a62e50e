"""Optimizers, beside tables worked by hand."""

import numpy as np
import pytest

import minigan as mg

DTYPES = [(np.float32, 1e-6), (np.float64, 1e-14)]


@pytest.mark.parametrize("dtype, tolerance", DTYPES)
def test_adam_three_steps_by_hand(dtype, tolerance, backend):
    """lr 0.1, beta1 0.5, beta2 0.75, eps 0.5, gradients 1, -3, 2:

    t   first                second                 first_          second_        theta
    1   .5                   .25                    .5/.5 = 1       .25/.25 = 1    -.1 * 1/1.5
    2   .25-1.5 = -1.25      .1875+2.25 = 2.4375    -1.25/.75       2.4375/.4375   ...
    3   -.625+1 = .375       1.828125+1 = 2.828125  .375/.875       2.828125/.578125
    """
    theta = np.zeros(1, dtype)
    adam = mg.optim.Adam(lr=0.1, beta1=0.5, beta2=0.75, eps=0.5)
    expected = 0.0
    rows = [
        (1, 1.0, 1.0),
        (-3, -1.25 / 0.75, 2.4375 / 0.4375),
        (2, 0.375 / 0.875, 2.828125 / 0.578125),
    ]
    for grad, first, second in rows:
        expected -= 0.1 * first / (second**0.5 + 0.5)
        adam.step(theta, np.array([grad], dtype))
        assert theta[0] == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("dtype, tolerance", DTYPES)
def test_rmsprop_three_steps_by_hand(dtype, tolerance, backend):
    """lr 0.1, decay 0.75, eps 0.5, gradients 2, 0, -4: square = 1, .75, .5625 + 4 = 4.5625."""
    theta = np.ones(1, dtype)
    rmsprop = mg.optim.RMSProp(lr=0.1, decay=0.75, eps=0.5)
    expected = 1.0
    for grad, square in [(2, 1.0), (0, 0.75), (-4, 4.5625)]:
        expected -= 0.1 * grad / (square**0.5 + 0.5)
        rmsprop.step(theta, np.array([grad], dtype))
        assert theta[0] == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("dtype, tolerance", DTYPES)
def test_sgd_with_momentum_by_hand(dtype, tolerance, backend):
    """lr 0.5, momentum 0.5, gradients 1, 1, 0: velocity = 1, 1.5, .75."""
    theta = np.zeros(1, dtype)
    sgd = mg.optim.SGD(lr=0.5, momentum=0.5)
    for grad, expected in [(1, -0.5), (1, -1.25), (0, -1.625)]:
        sgd.step(theta, np.array([grad], dtype))
        assert theta[0] == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("name", ["SGD", "RMSProp", "Adam"])
def test_first_steps_go_downhill_and_the_gradient_is_left_alone(name, backend):
    optimizer = getattr(mg.optim, name)(lr=0.01)
    theta = np.array([3.0, -2.0])
    for _ in range(50):
        grad = 2 * theta
        before = grad.copy()
        optimizer.step(theta, grad)
        assert np.array_equal(grad, before)
    assert np.abs(theta).max() < 3


@pytest.mark.parametrize("name", ["SGD", "RMSProp", "Adam"])
def test_bad_arguments_leave_theta_alone(name):
    optimizer = getattr(mg.optim, name)()
    theta = np.ones(3)
    for grad, error in [
        (np.ones(4), ValueError), (np.ones(3, np.float32), ValueError),
        ([1, 1, 1], TypeError), (np.ones(3, int), TypeError),
    ]:  # fmt: skip
        with pytest.raises(error, match=name):
            optimizer.step(theta, grad)
    assert np.array_equal(theta, np.ones(3)) and optimizer.steps == 0
    optimizer.step(theta, np.ones(3))
    with pytest.raises(ValueError, match="must be the vector"):
        optimizer.step(np.ones(5), np.ones(5))


def test_average_by_hand():
    network = mg.Sequential([mg.layers.Linear(1, 1, bias=False)], dtype="float64")
    network.theta[:] = 4
    average = mg.Average(network, 0.75)
    average.steps = 100  # past the first steps, whose decay is smaller
    for value, expected in [(0, 3.0), (7, 4.0)]:
        network.theta[:] = value
        average.update()
        assert average.network.theta[0] == pytest.approx(expected, rel=1e-15)


def test_defaults():
    adam, rmsprop, sgd = mg.optim.Adam(), mg.optim.RMSProp(), mg.optim.SGD()
    assert (adam.lr, adam.beta1, adam.beta2, adam.eps) == (2e-4, 0.5, 0.999, 1e-8)
    assert (rmsprop.lr, rmsprop.decay, rmsprop.eps) == (1e-3, 0.9, 1e-8)
    assert (sgd.lr, sgd.momentum) == (1e-2, 0.0)


OPTIONS = [
    ("Adam", "lr", [0]), ("RMSProp", "lr", [0]), ("SGD", "lr", [0]),
    ("Adam", "beta1", [0, 1]), ("Adam", "beta2", [0, 1]), ("RMSProp", "decay", [0, 1]),
    ("SGD", "momentum", [0, 1]), ("Adam", "eps", []), ("RMSProp", "eps", []),
]  # fmt: skip


@pytest.mark.parametrize("name, option, ends", OPTIONS, ids=str)
def test_options_up_to_the_ends_of_their_range(name, option, ends):
    """0 is allowed, except for eps; where there is an upper bound of 1, 1 is not."""
    make = getattr(mg.optim, name)
    for value in (-1e-9, float("nan"), float("inf"), *([0] if option == "eps" else ends[1:])):
        with pytest.raises(ValueError, match=f"{name}: {option} must be a .*number"):
            make(**{option: value})
    if option != "eps":
        assert getattr(make(**{option: 0}), option) == 0


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: mg.optim.Adam(lr=-1), "Adam: lr must be a finite number >= 0"),
        (lambda: mg.optim.Adam(beta1=1.0), "Adam: beta1 must be a number in [0"),
        (lambda: mg.optim.Adam(eps=0), "Adam: eps must be a finite number"),
        (lambda: mg.optim.Adam(lr=float("nan")), "Adam: lr must be a finite number"),
        (lambda: mg.optim.RMSProp(decay=2), "RMSProp: decay must be a number in"),
        (lambda: mg.optim.SGD(momentum=-0.5), "SGD: momentum must be a number in"),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(ValueError) as raised:
        make()
    assert message in str(raised.value)
