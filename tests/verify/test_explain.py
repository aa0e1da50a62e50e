"""A checker that names the mistake, and says nothing where it does not know one."""

import copy
import re

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.bugs import CHECKS
from minigan.verify.bugs.private_copies import put_into
from minigan.verify.gradcheck import check_layer, check_loss, explain
from minigan.verify.gradcheck.layer_check import surroundings

from . import wrong_games, wrong_layers

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def on_numpy():
    with mg.kernels.use_backend("numpy"):
        yield


def judged(explanations):
    """(named right, named wrong, neither), as lists of names, from [(name, pattern, sentence)]."""
    right, wrong, silent = [], [], []
    for name, says, sentence in explanations:
        found = silent if sentence is None else right if re.search(says, sentence) else wrong
        found.append((name, sentence))
    return right, wrong, silent


def passes(layer, x, training=True):
    """The gradients of a layer, {tensor: array}, for a random dy, and what there is to know."""
    draw = np.random.default_rng(1)
    network = mg.Sequential([copy.deepcopy(layer)], dtype="float64", rng=2)
    network.theta += 0.3 * draw.standard_normal(network.theta.size)
    moves = isinstance(x, tuple)
    x = draw.standard_normal(x) if moves else x
    for _ in range(3):
        network.layers[0].forward(0.5 + 2 * x if moves else x, True)
    with network.held_buffers():
        y, cache = network.layers[0].forward(x, training)
    dy = draw.standard_normal(y.shape)
    found = {"dx": network.layers[0].backward_input(dy, cache)} if moves else {}
    network.layers[0].backward_params(dy, cache)
    found |= {name: grad.copy() for name, _, grad in network.named_parameters()}
    known = {"x": x, "y": np.array(y), "dy": dy, "training": training}
    return found, {name: surroundings(network, name) | known for name in found}


def of_layers():
    for case in wrong_layers.LAYERS:
        if case.overwrite:
            continue
        expected, context = passes(case.layer, case.x, case.mode == "training")
        found, _ = passes(case.make(), case.x, case.mode == "training")
        tensor = next(name for name in found if name.split(".")[-1] == case.tensor)
        yield case.name, case.says, explain(found[tensor], expected[tensor], **context[tensor])


def of_reports():
    """Some of the same, each found by `check_layer`."""
    for case in wrong_layers.LAYERS[::7] + [case for case in wrong_layers.LAYERS if case.overwrite]:
        report = check_layer(case.make(), case.x, progress=False)
        row = next(
            row for row in report.failures
            if row.check == case.mode and case.tensor in (row.tensor.split(".")[-1], row.tensor[9:])
        )  # fmt: skip
        yield case.name, case.says, row.diagnosis


def of_losses():
    for name, base, player, tensor, says, formula in wrong_games.LOSSES:
        loss = wrong_games.wrong_loss(base, player, formula)
        report = check_loss(loss, wrong_games.N, progress=False)
        row = next(row for row in report.failures if (row.check, row.tensor) == (player, tensor))
        yield name, says, row.diagnosis
    for name, found, expected, context, says in wrong_games.cross_entropy():
        yield name, says, explain(found, expected, **context)


def test_mistakes_of_layers_are_named():
    right, wrong, silent = judged(of_layers())
    assert len(right) >= 0.95 * len(wrong_layers.LAYERS), (wrong, silent)
    assert not wrong
    right, wrong, silent = judged(of_reports())
    assert not wrong and not silent


def test_mistakes_of_losses_are_named():
    right, wrong, silent = judged(of_losses())
    assert not wrong and not silent


def gradients():
    """(gradient, context) of every tensor of the layers, in both modes."""
    kinds = {(repr(case.layer), str(case.x)): case for case in wrong_layers.LAYERS}
    for case in kinds.values():
        for training in (True, False):
            found, context = passes(case.layer, case.x, training)
            yield from ((found[name], context[name]) for name in found)


def test_noise_is_no_known_mistake():
    for gradient, context in gradients():
        for size, dtype in ((1e-5, "float64"), (0.03, "float32"), (1.0, "float64")):
            noise = size * np.abs(gradient).max() * rng.standard_normal(gradient.shape)
            assert explain((gradient + noise).astype(dtype), gradient, **context) is None


def test_rounding_is_no_mistake():
    for gradient, context in gradients():
        assert explain(gradient.astype(np.float32), gradient, **context) is None
        rounded = gradient * (1 + 1e-9 * rng.standard_normal(gradient.shape))
        assert explain(rounded, gradient, **context) is None


def test_anybodys_arrays():
    x, dy = rng.standard_normal((2, 8, 3))
    found = explain(x.T @ dy / 8, x.T @ dy, tensor="weight", x=x, dy=dy)
    assert found == (
        "dW is the right one divided by 8, and 8 is the batch size: the mean is taken twice "
        "(seen in ML-From-Scratch; gan_numpy; SC-314/Only-Numpy-GAN)"
    )
    assert (found.kind, found.exhibit) == ("factor", "mean_twice") and found.error < 1e-12
    assert explain(dy.T @ x, x.T @ dy) == "the gradient is the right one transposed"
    assert "axis 0, the batch" in explain(dy, dy.sum(axis=0), batch_size=8)
    assert explain([1.0, 2.0], [1.0, 2.0]) is None
    assert explain([1.0, 2.0], [1.0, np.nan]) is None
    assert explain([np.nan, 2.0], [1.0, 2.0]) is None
    with pytest.raises(TypeError, match="explain: found must be real numbers, got 'two'"):
        explain("two", [1.0])


def test_a_wrong_row_shows_its_diagnosis():
    class Doubled(L.Tanh):
        def backward_input(self, dy, y):
            return 2 * super().backward_input(dy, y)

    class Odd(L.Tanh):
        def backward_input(self, dy, y):
            return super().backward_input(dy, y) + np.sin(np.arange(dy.size)).reshape(dy.shape)

    table = str(check_layer(Doubled(), (4, 3), progress=False))
    assert "dx is the right one multiplied by 2" in table
    report = check_layer(Odd(), (4, 3), progress=False)
    assert "no known mistake" in str(report) and report.failures[0].diagnosis is None
    assert check_layer(L.Tanh(), (4, 3), progress=False).rows[1].diagnosis is None


# -- the museum ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, bug in mg.bugs.REGISTRY.items() if bug.general])
def test_exhibits_are_named(name):
    """First, under the check that catches them; and no row of that report names another one."""
    bug = mg.bugs.REGISTRY[name]
    with bug(), np.errstate(all="ignore"):
        report = CHECKS[bug.caught_by](0)
    explained = [row.diagnosis for row in report.failures]
    assert explained[0] is not None and name in explained[0].exhibits
    assert all(name in found.exhibits for found in explained if found and found.exhibits)


def test_an_exhibit_is_tried_without_putting_it_into_the_process():
    layer = mg.Sequential([L.Linear(2, 2)], dtype="float64", rng=0)
    x, dy = rng.standard_normal((2, 4, 2))
    code = L.Linear.backward_params.__code__
    wrong = put_into(copy.deepcopy(layer), "mean_twice")
    for network in (layer, wrong):
        _, cache = network.forward(x)
        network.backward_params(dy, cache)
    assert np.allclose(4 * wrong.grad, layer.grad) and L.Linear.backward_params.__code__ is code
    with mg.bugs.mean_twice():
        healthy = put_into(copy.deepcopy(layer), None)
        healthy.zero_grad()
        healthy.backward_params(dy, healthy.forward(x)[1])
    assert np.array_equal(healthy.grad, layer.grad)


# -- penalties and steps ---------------------------------------------------------------------------


def test_mistakes_of_penalties_are_named():
    critic = mg.Sequential([L.Linear(2, 4), L.Tanh(), L.Linear(4, 1)], rng=0)
    real, fake = rng.standard_normal((2, 6, 2))

    def explanations():
        for name, base, says, measure in wrong_games.PENALTIES:
            penalty = wrong_games.wrong_penalty(base, measure)
            report = mg.gradcheck.check_penalty(penalty, critic, real, fake, progress=False)
            rows = [row for row in report.failures if row.check == "gradient"]
            yield name, says, rows[0].diagnosis

    right, wrong, silent = judged(explanations())
    assert not wrong and not silent


def test_a_penalty_is_not_explained_by_its_own_wrong_slope():
    """In layers above the last curved activation there is no second signal that could be missing:
    a wrong v must not be called that."""
    layers = L.Linear(2, 4), L.Tanh(), L.Linear(4, 5), L.LeakyReLU(), L.Linear(5, 1)
    critic = mg.Sequential([*layers], rng=0)
    real, fake = rng.standard_normal((2, 6, 2))
    penalty = wrong_games.wrong_penalty(mg.penalties.R1, lambda g: np.cos(3 * g))
    report = mg.gradcheck.check_penalty(penalty, critic, real, fake, progress=False)
    rows = [row for row in report.failures if row.check == "gradient"]
    assert len(rows) >= 4 and all(row.diagnosis is None for row in rows)


def test_an_exhibit_that_changes_nothing_explains_nothing():
    """Residual's own mistake is in every exhibit's result, too."""

    class Doubled(L.Residual):
        def backward_input(self, dy, cache):
            in_branch, in_skip = cache
            return self.branch.backward_input(dy, in_branch) + np.sin(dy)

    report = check_layer(Doubled(L.Linear(4, 4)), (5, 4), progress=False)
    assert not report.ok and not any(row.diagnosis for row in report.failures if "dx" in row.tensor)


@pytest.mark.parametrize("directions", [None, 2])
def test_mistakes_of_steps_are_named(directions):
    real = rng.standard_normal((6, 2))

    def explanations():
        for name, kind, player, penalised, says in wrong_games.STEPS:
            generator = mg.Sequential([L.Linear(2, 9), L.Tanh(), L.Linear(9, 2)], rng=0)
            critic = mg.Sequential([L.Linear(2, 9), L.Tanh(), L.Linear(9, 1)], rng=1)
            gan = kind(
                generator, critic, latent_dim=2, penalties=[mg.penalties.R1(1.0)] * penalised
            )
            gan.earlier = rng.standard_normal(critic.theta.size)
            critic.grad[...] = gan.earlier
            report = mg.gradcheck.check_step(gan, real, directions=directions, progress=False)
            rows = [row for row in report.failures if row.check == f"{player} update"]
            yield name, says, next(row for row in rows if "weight" in row.tensor).diagnosis

    right, wrong, silent = judged(explanations())
    assert not wrong and not silent


def test_arrays_that_do_not_belong_together_are_no_error():
    """What the caller has at hand may be of another layer, or empty."""
    found, expected, W = rng.standard_normal((3, 3, 4))
    x, dy = rng.standard_normal((5, 3)), rng.standard_normal((5, 4))
    for context in (
        {"y": np.ones((0, 4, 4, 2)), "dy": np.ones((0, 3))},
        {"x": rng.standard_normal((3, 4)), "dy": dy, "weight": W},
        {"x": x, "y": np.ones(0), "dy": dy, "W": W},
    ):
        assert mg.gradcheck.explain(found, expected, **context) is None
