"""Who owns a parameter's memory: copying, assigning, nesting and sharing layers and networks."""

import copy
import multiprocessing
import pickle
import time

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L


def game(dtype="float32"):
    """A GAN with buffers, dropout, moments and a penalty that draws."""
    generator = mg.Sequential(
        [L.Linear(2, 6), L.BatchNorm(6), L.ReLU(), L.Residual(mg.Sequential([L.Linear(6, 6)])),
         L.Linear(6, 2)],
        dtype=dtype, rng=1,
    )  # fmt: skip
    discriminator = mg.Sequential(
        [L.SpectralNorm(L.Linear(2, 6)), L.LeakyReLU(), L.Dropout(0.2), L.Linear(6, 1)],
        dtype=dtype, rng=2,
    )  # fmt: skip
    return mg.GAN(
        generator, discriminator, latent_dim=2, penalties=[mg.penalties.GradientPenalty(1.0)], rng=3
    )


def batch(seed, n=8):
    return np.random.default_rng(seed).standard_normal((n, 2))


def state(gan):
    parts = [gan.rng.bit_generator.state, gan.generator.rng.bit_generator.state]
    for network in (gan.generator, gan.discriminator):
        parts += [network.theta.copy(), network.grad.copy()]
        parts += [value.copy() for _, value in network.named_buffers()]
    parts += [gan.discriminator_optimizer.first.copy(), gan.generator_optimizer.steps]
    return parts


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


COPIES = {
    "copy": lambda gan: gan.copy(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda gan: pickle.loads(pickle.dumps(gan)),
    "deepcopy of a list": lambda gan: copy.deepcopy([gan.generator, gan])[1],
    "pickle of a copy": lambda gan: pickle.loads(pickle.dumps(copy.deepcopy(gan))),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("twin_of", COPIES.values(), ids=COPIES)
def test_a_copied_gan_trains_to_the_same_bits_and_alone(twin_of, dtype, backend):
    gan = game(dtype)
    for seed in range(3):
        gan.train_step(batch(seed))
    twin, before = twin_of(gan), state(gan)
    for network in (twin.generator, twin.discriminator):
        assert network.dtype == dtype
        for name, value, grad in network.named_parameters():
            assert np.shares_memory(value, network.theta), name
            assert np.shares_memory(grad, network.grad), name
    for seed in range(3, 6):
        twin.train_step(batch(seed))
    assert same(before, state(gan)) and not same(before, state(twin))
    for seed in range(3, 6):
        gan.train_step(batch(seed))
    assert same(state(gan), state(twin))


@pytest.mark.parametrize("penalty", [mg.penalties.GradientPenalty, mg.penalties.Dragan])
def test_a_copy_in_another_dtype_makes_the_same_steps(penalty):
    """All that is drawn is the same: noise, dropout, instance noise, the points of penalties."""
    critic = [
        mg.stabilisers.InstanceNoise(0.5),
        L.Linear(2, 6),
        L.Tanh(),
        L.Dropout(0.2),
        L.Linear(6, 1),
    ]
    gan = mg.GAN(
        mg.Sequential([L.Linear(2, 6), L.Tanh(), L.Linear(6, 2)], rng=1),
        mg.Sequential(critic, rng=2), latent_dim=2, penalties=[penalty(1.0)],
    )  # fmt: skip
    gan.train_step(batch(0))
    precise = gan.copy("float64")
    for seed in range(1, 4):
        found, expected = (each.train_step(batch(seed)) for each in (gan, precise))
        for name, value in expected.items():
            assert abs(found[name] - value) < 1e-5 * max(1, abs(value)), name
    samples = precise.sample(50)
    assert samples.dtype == "float64"
    np.testing.assert_allclose(gan.sample(50), samples, rtol=0, atol=1e-4)


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_an_average_copied_with_its_gan_follows_the_copy(twin_of):
    gan = game()
    average = mg.Average(gan.generator)
    gan.train_step(batch(0))
    average.update()
    twin, followed = twin_of((gan, average))
    assert followed.followed is twin.generator
    for pair in ((gan, average), (twin, followed)):
        pair[0].train_step(batch(1))
        pair[1].update()
    assert np.array_equal(average.network.theta, followed.network.theta)


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copied_layer_stands_alone(twin_of):
    network = mg.Sequential([L.Linear(2, 3), L.SpectralNorm(L.Linear(3, 2))], rng=0)
    network.theta += 1
    network.forward(np.ones((2, 2)))  # u and v of the new weight
    for layer in network.layers:
        twin = twin_of(layer)
        x = np.ones((2, 2 if layer is network.layers[0] else 3), np.float32)
        expected = layer.forward(x, training=False)[0]
        assert np.array_equal(twin.forward(x, training=False)[0], expected)
        other = mg.Sequential([twin], rng=5)  # no network has it: this one may, weights and all
        with mg.kernels.use_backend("numpy"):  # as a layer by itself computes
            assert np.array_equal(other.forward(x, training=False)[0], expected)
        other.theta[...] = 0
        assert np.array_equal(layer.forward(x, training=False)[0], expected)


def test_a_shallow_copy_shares_everything():
    network = mg.Sequential([L.Linear(2, 3)], rng=0)
    twin, x = copy.copy(network), np.ones((1, 2))
    twin.theta[...] = 2
    assert twin.theta is network.theta
    assert np.array_equal(network.forward(x)[0], twin.forward(x)[0])
    assert copy.copy(network.layers[0]).params["weight"] is network.layers[0].params["weight"]


def test_a_network_goes_to_another_process_and_back():
    network = mg.Sequential([L.Linear(2, 3), L.Tanh()], rng=0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        back = pool.apply(copy.deepcopy, (network,))
    back.theta += 1
    assert np.array_equal(back.layers[0].params["bias"], np.ones(3))
    assert np.array_equal(back.theta, network.theta + 1)


# -- assigning -------------------------------------------------------------------------------------


def test_assigning_copies_the_values_in():
    network = mg.Sequential([L.Linear(2, 2), L.Linear(2, 1)], rng=0)
    theta, layer = network.theta, network.layers[0]
    network.theta = np.arange(9)
    assert network.theta is theta and np.array_equal(layer.params["weight"], [[0, 1], [2, 3]])
    layer.params["weight"] = np.eye(2)
    assert np.array_equal(theta[:4], [1, 0, 0, 1])
    layer.params["bias"][...] = 7
    assert np.array_equal(theta[4:6], [7, 7])
    layer.params.update(bias=[8, 9])
    layer.params |= {"weight": np.zeros((2, 2))}
    assert np.array_equal(theta[:6], [0, 0, 0, 0, 8, 9])
    assert layer.params.setdefault("weight", 5).shape == (2, 2)
    layer.params = {"weight": np.ones((2, 2))}
    assert np.array_equal(theta[:4], np.ones(4))
    network.grad = np.ones(9)
    layer.grads["weight"] += 1
    layer.grads["bias"] = [5, 6]
    assert np.array_equal(network.grad, [2, 2, 2, 2, 5, 6, 1, 1, 1])
    network.theta -= network.grad
    assert network.theta is theta and np.array_equal(layer.params["bias"], [3, 3])


def test_a_layer_of_no_network_may_lose_a_parameter():
    params = L.Linear(2, 2).params
    assert params.pop("bias", None).shape == (2,) and list(params) == ["weight"]
    assert params.pop("bias", None) is None


@pytest.mark.parametrize(
    "assign, error, message",
    [
        (lambda n: setattr(n, "theta", np.zeros(2)), ValueError, "numbers of shape (6,)"),
        (lambda n: setattr(n, "grad", ["a"] * 6), TypeError, "grad must be real numbers"),
        (lambda n: n.layers[0].params.__setitem__("weight", np.zeros(2)), ValueError,
         "Linear(2, 2): weight must be real numbers of shape (2, 2)"),
        (lambda n: n.layers[0].params.__setitem__("wieght", np.zeros((2, 2))), KeyError,
         "Linear(2, 2): no parameter 'wieght'; there are: weight, bias"),
        (lambda n: n.layers[0].params.__setitem__("bias", [1j, 0]), TypeError,
         "Linear(2, 2): bias must be real numbers"),
        (lambda n: n.layers[0].params.__delitem__("bias"), TypeError, "stays in it"),
        (lambda n: n.layers[0].params.pop("bias"), TypeError, "'bias' is part of a network"),
        (lambda n: n.layers[0].grads.clear(), TypeError, "is part of a network"),
    ],
)  # fmt: skip
def test_what_cannot_be_assigned_is_refused_by_name(assign, error, message):
    network = mg.Sequential([L.Linear(2, 2)], rng=0)
    before = network.theta.copy()
    with pytest.raises(error) as raised:
        assign(network)
    assert message in str(raised.value) and np.array_equal(network.theta, before)


def test_a_vector_that_a_network_has_left_is_read_only():
    lin = L.Linear(2, 2)
    weight = lin.params["weight"]
    network = mg.Sequential([lin])
    theta = network.theta
    mg.Sequential([network])
    for stale in (weight, theta):
        with pytest.raises(ValueError, match="read-only"):
            stale[...] = 0


# -- nesting and sharing ---------------------------------------------------------------------------


@pytest.mark.parametrize("by_hand", ["in place", "assigned"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_set_by_hand_stay(by_hand, dtype):
    lin, spectral = L.Linear(2, 2), L.SpectralNorm(L.Linear(2, 2))
    fourier, norm = L.FourierFeatures(2, 1), L.BatchNorm(2)
    for layer in (lin, spectral.children["layer"]):
        if by_hand == "assigned":
            layer.params["weight"] = 3 * np.eye(2)
        else:
            layer.params["weight"][...] = 3 * np.eye(2)
    fourier.buffers["frequencies"][...] = 0.5
    norm.params["gamma"][...], norm.params["beta"][...] = 2, 3
    free = L.Linear(2, 2)
    free.params["bias"][...] = 4  # the weight is as drawn, the layer is not
    drawn = free.params["weight"].copy()
    network = mg.Sequential([fourier, lin, spectral, norm, free], dtype=dtype, rng=9)
    assert np.array_equal(lin.params["weight"], 3 * np.eye(2))
    assert np.array_equal(spectral.children["layer"].params["weight"], 3 * np.eye(2))
    y, _ = spectral.forward(np.eye(2), training=False)
    np.testing.assert_allclose(y, np.eye(2), atol=1e-6)
    assert (fourier.buffers["frequencies"] == 0.5).all() and (norm.params["gamma"] == 2).all()
    assert np.array_equal(free.params["weight"], drawn) and (free.params["bias"] == 4).all()
    assert network.theta.dtype == dtype


def test_fresh_layers_are_drawn_from_the_networks_seed_wherever_they_are():
    def build(rng):
        return mg.Sequential(
            [L.Linear(4, 4), L.Residual(mg.Sequential([L.Linear(4, 4), L.LayerNorm(4)])),
             L.Residual(mg.Sequential([mg.Sequential([L.Linear(4, 4)])]))],
            rng=rng,
        )  # fmt: skip

    one, other = build(0), build(1)
    weights = [value for name, value, _ in one.named_parameters() if name.endswith("weight")]
    assert len({value.tobytes() for value in weights}) == 3
    assert np.array_equal(one.theta, build(0).theta)
    for (name, a, _), (_, b, _) in zip(one.named_parameters(), other.named_parameters()):
        assert np.array_equal(a, b) != name.endswith("weight"), name


def test_a_network_with_a_seed_of_its_own_keeps_its_weights():
    for inner in (mg.Sequential([L.Linear(2, 2)], rng=3), mg.models.mlp_generator(2, (2,))):
        before = inner.theta.copy()
        mg.Sequential([L.Linear(2, 2), L.Residual(inner)], rng=7)
        assert np.array_equal(inner.theta, before)


def test_trained_players_keep_weights_and_buffers_and_go_on_training():
    gan, alone = game(), game()
    for each in (gan, alone):
        each.train_step(batch(0))
    combined = mg.Sequential([gan.generator, gan.discriminator], rng=9)
    assert np.shares_memory(gan.generator.theta, combined.theta)
    before = combined.theta.copy()
    # only the random generator of dropout is the outer network's from now on
    gan.generator.rng.bit_generator.state = alone.discriminator.rng.bit_generator.state
    for each in (gan, alone):
        for seed in range(1, 4):
            each.train_step(batch(seed))
    assert np.array_equal(gan.generator.theta, alone.generator.theta)
    assert np.array_equal(gan.discriminator.theta, alone.discriminator.theta)
    assert not np.array_equal(combined.theta, before)
    x = batch(0)
    through = gan.discriminator.forward(gan.generator.forward(x, False)[0], False)[0]
    assert np.array_equal(combined.forward(x, training=False)[0], through)


@pytest.mark.parametrize(
    "share, named",
    [
        (lambda lin, net: [lin], "Linear(4, 4)"),
        (lambda lin, net: [L.Residual(lin)], "Linear(4, 4)"),
        (lambda lin, net: [L.SpectralNorm(lin)], "Linear(4, 4)"),
        (lambda lin, net: [L.ReLU(), net.layers[1]], "BatchNorm(4)"),
        (lambda lin, net: [net.layers[2]], "Sequential([Linear(4, 4"),
        (lambda lin, net: [mg.Sequential([L.ReLU(), net.layers[2]])], "Sequential([Linear(4, 4"),
    ],
)
def test_a_layer_of_another_network_is_refused_by_name(share, named):
    lin = L.Linear(4, 4)
    network = mg.Sequential([lin, L.BatchNorm(4), mg.Sequential([L.Linear(4, 4, bias=False)])])
    before = network.theta.copy()
    with pytest.raises(ValueError) as raised:
        mg.Sequential(share(lin, network))
    assert "must be in no other network" in str(raised.value) and named in str(raised.value)
    assert np.array_equal(network.theta, before) and network.theta.flags.writeable


def test_a_layer_twice_in_a_tree_is_refused_by_name():
    lin = L.Linear(2, 2)
    for tree in ([lin, L.Residual(lin)], [L.Residual(L.Residual(lin)), L.ReLU(), lin]):
        with pytest.raises(ValueError, match=r"must be different ones, got Linear\(2, 2\)"):
            mg.Sequential(tree)
    inner = mg.Sequential([lin])
    with pytest.raises(ValueError, match="must be different ones"):
        mg.Sequential([inner, lin])


def test_the_layers_of_a_network_that_is_gone_are_free():
    layers = mg.models.mlp_discriminator((2,), hidden=(3,)).layers
    weight = layers[0].params["weight"].copy()
    layers[0].params["bias"][...] = 1
    network = mg.Sequential(layers)
    assert np.array_equal(network.layers[0].params["weight"], weight)


def test_one_player_inside_the_other_is_refused():
    generator = mg.models.mlp_generator(2, (2,), hidden=(3,))
    judge = mg.Sequential([generator, L.Linear(2, 1)])
    with pytest.raises(ValueError, match="one player contains the other"):
        mg.GAN(generator, judge, latent_dim=2)


def test_depth_costs_no_more_than_its_layers(monkeypatch):
    start, calls, draw = time.perf_counter(), [], L.Linear.initialize
    monkeypatch.setattr(L.Linear, "initialize", lambda *args: calls.append(1) or draw(*args))
    network = L.Linear(4, 4)
    for _ in range(60):
        network = mg.Sequential([network])
    assert len(calls) <= 62
    y, cache = network.forward(np.ones((2, 4)))
    network.backward_params(np.ones_like(y), cache)
    assert network.grad.any()
    twin = pickle.loads(pickle.dumps(network))
    assert np.array_equal(twin.theta, copy.deepcopy(network).theta)
    assert time.perf_counter() - start < 5


def exchanges():
    """Ways to put another layer into a network that is built; its theta would not know of it."""
    new, network = L.Linear(2, 6), game().generator
    inside = network.layers[3]
    return {
        "layers[0] =": lambda: network.layers.__setitem__(0, new),
        "layers.append": lambda: network.layers.append(new),
        "children[...] =": lambda: network.children.__setitem__("0", new),
        "children =": lambda: setattr(network, "children", {"0": new}),
        "del children[...]": lambda: network.children.__delitem__("0"),
        "a layer inside a layer": lambda: inside.children.__setitem__("branch", new),
        "children of a layer inside": lambda: setattr(inside, "children", {"branch": new}),
        "an attribute": lambda: setattr(inside, "branch", new),
    }


@pytest.mark.parametrize("way", exchanges())
def test_layers_of_a_built_network_are_not_exchanged_in_silence(way):
    with pytest.raises((TypeError, AttributeError)):
        exchanges()[way]()
