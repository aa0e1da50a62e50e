"""The loop: minibatches, averages, schedules, convergence, and what goes wrong."""

import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import minigan as mg
from minigan.data.minibatches import Minibatches


def small_gan(**options):
    generator = mg.models.mlp_generator(2, (2,), hidden=(8,))
    discriminator = mg.models.mlp_discriminator((2,), hidden=(8,))
    return mg.GAN(generator, discriminator, latent_dim=2, **options)


RING = mg.data.gaussian_ring(std=0.05)


def test_an_epoch_holds_every_sample_exactly_once():
    data = np.arange(10.0).reshape(10, 1)
    minibatches = Minibatches(data, 4, rng=0)
    dealt = np.concatenate([minibatches.next() for _ in range(10)]).ravel()
    epochs = dealt.reshape(4, 10)
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert len({tuple(epoch) for epoch in epochs}) == 4  # in a new order each time


def test_a_minibatch_may_be_larger_than_the_data():
    assert len(Minibatches(np.zeros((3, 2)), 8).next()) == 8


@pytest.mark.parametrize(
    "source, error",
    [
        ([[1, 2]], None),
        ("text", TypeError),
        (np.zeros(3), TypeError),
        (np.zeros((0, 2)), ValueError),
    ],
)
def test_sources(source, error):
    if error is None:
        assert Minibatches(source, 1).next().shape == (1, 2)
        return
    with pytest.raises(error, match="Minibatches: source"):
        Minibatches(source, 1)


def test_history_has_a_row_a_step():
    history = mg.train(small_gan(), RING, steps=7, batch_size=8, progress=False)
    assert len(history) == 7 and history["step"] == list(range(1, 8))
    assert len(history["generator_loss"]) == len(history["discriminator_gradient_norm"]) == 7
    assert history.stopped is None


def test_critic_steps_move_the_discriminator_more_often():
    gan = small_gan()
    mg.train(gan, RING, steps=3, critic_steps=5, batch_size=8, progress=False)
    assert gan.discriminator_optimizer.steps == 15 and gan.generator_optimizer.steps == 3


def test_the_average_follows_by_its_formula(backend):
    gan = small_gan()
    average = mg.Average(gan.generator, 0.9)
    expected = gan.generator.theta.astype(np.float64)
    seen = []
    mg.train(
        gan, RING, steps=30, batch_size=8, average=average, progress=False,
        callback=lambda *_: seen.append(gan.generator.theta.copy()),
    )  # fmt: skip
    for t, theta in enumerate(seen):
        decay = min(0.9, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * theta
    np.testing.assert_allclose(average.network.theta, expected, rtol=1e-4, atol=1e-6)
    assert not np.array_equal(average.network.theta, gan.generator.theta)


def test_the_average_takes_running_statistics_along():
    network = mg.Sequential([mg.layers.BatchNorm(2)])
    average = mg.Average(network, 0.5)
    network.forward(10 + np.ones((4, 2)) * [[1], [2], [3], [4]])
    average.update()
    assert average.network.layers[0].buffers["running_mean"][0] > 0


def test_the_average_of_a_spectral_norm_knows_its_own_sigma():
    """That of the averaged weight: the mean of the singular vectors would not be of length 1."""
    network = mg.Sequential([mg.layers.SpectralNorm(mg.layers.Linear(6, 5))], rng=0)
    average, rng = mg.Average(network, 0.99), np.random.default_rng(0)
    for _ in range(300):
        network.theta += 0.1 * rng.standard_normal(network.theta.size).astype(np.float32)
        network.forward(rng.standard_normal((4, 6)))
        average.update()
    layer = average.network.layers[0]
    weight, u, v = layer.children["layer"].params["weight"], *layer.buffers.values()
    assert u @ weight @ v == pytest.approx(np.linalg.norm(weight, 2), rel=1e-4)


def test_schedules():
    linear, cosine = mg.schedules.linear(start=0.5, final=0.1), mg.schedules.cosine(final=0.2)
    assert [round(linear(t), 12) for t in (0, 0.5, 0.75, 1)] == [1, 1, 0.55, 0.1]
    assert [round(cosine(t), 12) for t in (0, 0.5, 1)] == [1, 0.6, 0.2]
    assert mg.schedules.exponential(final=0.01)(0.5) == pytest.approx(0.1)
    assert mg.schedules.constant()(0.3) == 1
    with pytest.raises(ValueError, match="linear: start must be a number in"):
        mg.schedules.linear(start=1)


def test_a_schedule_reaches_both_optimizers():
    gan, rates = small_gan(), []
    both = gan.generator_optimizer, gan.discriminator_optimizer
    mg.train(
        gan, RING, steps=5, batch_size=8, progress=False, schedule=mg.schedules.linear(final=0.5),
        callback=lambda *_: rates.append([optimizer.lr for optimizer in both]),
    )  # fmt: skip
    np.testing.assert_allclose(rates, 2e-4 * np.array([[1, 0.875, 0.75, 0.625, 0.5]] * 2).T)


def test_a_second_training_begins_at_the_rates_of_the_first():
    """The factor that a schedule ends with is often 0."""
    gan, rates = small_gan(), []
    for _ in range(2):
        mg.train(
            gan, RING, steps=3, batch_size=8, progress=False, schedule=mg.schedules.linear(),
            callback=lambda *_: rates.append(gan.generator_optimizer.lr),
        )  # fmt: skip
    np.testing.assert_allclose(rates, 2e-4 * np.array([1, 0.5, 0] * 2))
    assert gan.generator_optimizer.lr == gan.discriminator_optimizer.lr == 2e-4

    def lower(step, gan, figures):
        gan.generator_optimizer.lr = 1e-5

    mg.train(gan, RING, steps=2, batch_size=8, progress=False, callback=lower)
    assert gan.generator_optimizer.lr == 1e-5  # a callback's own, without a schedule


def test_a_plateau_that_has_ended_a_training():
    stop = mg.Plateau(lambda gan: 1.0, every=1, patience=2)
    options = {"steps": 9, "batch_size": 8, "stop": stop, "progress": False}
    assert len(mg.train(small_gan(), RING, **options)) == 3
    with pytest.raises(ValueError, match="^train: stop must be a new Plateau, got <Plateau .* 3>"):
        mg.train(small_gan(), RING, **options)


@pytest.mark.parametrize(
    "figures, error, message",
    [
        ({"loss": "low"}, TypeError, "must be numbers by their names, got 'low' for 'loss'"),
        ({"loss": "1.5"}, TypeError, "got '1.5' for 'loss'"),
        ({"loss": None}, TypeError, "got None for 'loss'"),
        ({"loss": 1j}, TypeError, "got 1j for 'loss'"),
        ({"loss": np.zeros(2)}, TypeError, "got an array of float64, shape (2,) for 'loss'"),
        ({3: 1.0}, TypeError, "got 1.0 for 3"),
        ({"loss": 1.0, "more": 2.0}, ValueError, "the steps before, loss, got loss, more"),
        ({}, ValueError, "must be those of the steps before, loss, got none"),
        ({"loss": 1.0, "step": 2.0}, ValueError, "got loss, step"),
        ({"loss": float("nan")}, FloatingPointError, "step 2: loss is nan"),
        ([1.0], TypeError, "figures must be a dict, got [1.0]"),
    ],
)
def test_a_row_that_does_not_fit_a_history(figures, error, message):
    """Columns of unequal lengths could be saved in a checkpoint, but not loaded."""
    history = mg.History()
    history.append(1, {"loss": np.float32(0.5)})
    with pytest.raises(error) as raised:
        history.append(2, figures)
    assert message in str(raised.value)
    assert history["step"] == [1] and history["loss"] == [0.5]


def test_training_stops_on_a_plateau():
    values = iter([5.0, 4.0, 3.0, 3.0, 2.999, 3.1, 0.0])
    stop = mg.Plateau(lambda gan: next(values), every=10, patience=3)
    history = mg.train(small_gan(), RING, steps=500, batch_size=8, stop=stop, progress=False)
    assert len(history) == 60
    assert history.stopped.startswith("converged at step 60: no better than 3")
    assert stop.values[0] == (10, 5.0)


def test_an_improving_measure_does_not_stop():
    values = iter(np.linspace(5, 1, 50))
    stop = mg.Plateau(lambda gan: next(values), every=1, patience=2)
    assert (
        mg.train(small_gan(), RING, steps=50, batch_size=8, stop=stop, progress=False).stopped
        is None
    )


def test_numbers_that_go_bad_stop_training_at_their_step():
    gan = small_gan()

    def spoil(step, gan, figures):
        if step == 3:
            gan.discriminator.theta[0] = np.nan

    with pytest.raises(FloatingPointError, match="step 4: discriminator loss is nan"):
        mg.train(gan, RING, steps=10, batch_size=8, callback=spoil, progress=False)


def test_the_progress_bar_shows_losses_and_gradient_norms(capsys):
    mg.train(small_gan(), RING, steps=20, batch_size=8)
    shown = capsys.readouterr().err
    for label in ("L_D", "L_G", "|grad D|", "|grad G|", "20/20"):
        assert label in shown


@pytest.mark.parametrize("steps, error", [(0, ValueError), (2.5, TypeError), ("many", TypeError)])
def test_bad_steps(steps, error):
    with pytest.raises(error, match="train: steps must be"):
        mg.train(small_gan(), RING, steps=steps)


PICTURES = np.linspace(0, 1, 4 * 20, dtype=np.float32).reshape(20, 4)


def test_a_data_frame_is_refused_by_name():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    with pytest.raises(TypeError, match=r"got a pandas DataFrame; pass its \.to_numpy\(\)"):
        mg.train(small_gan(), frame, steps=1, progress=False)
    mg.train(small_gan(), frame.to_numpy(), steps=1, batch_size=2, progress=False)


@pytest.mark.parametrize(
    "data, message",
    [
        ((PICTURES, np.arange(20)), r"got a tuple of arrays of shapes \(20, 4\), \(20,\); of \(im"),
        ((PICTURES, PICTURES), "pass the images alone"),
        (PICTURES.astype(object), "of shape .20, 4., dtype object"),
        (
            (255 * PICTURES).astype(np.uint8),
            r"got bytes \(uint8, 0..255\); for \[-1, 1\]: x.astype",
        ),
        (np.array([["a", "b"]]), "dtype <U1"),
    ],
)
def test_data_that_are_nearly_an_array_of_samples(data, message):
    with pytest.raises(TypeError, match=message) as raised:
        mg.train(small_gan(), data, steps=1, progress=False)
    assert "\n" not in str(raised.value)


def ends_in(last):
    generator = mg.Sequential([mg.layers.Linear(2, 4), last])
    return mg.GAN(generator, mg.models.mlp_discriminator((4,), hidden=(8,)), latent_dim=2)


@pytest.mark.parametrize(
    "last, data, message",
    [
        (mg.layers.Tanh(), PICTURES, r"train on 2 \* images - 1"),
        (mg.layers.Tanh(), 255 * PICTURES, r"train on images / 127.5 - 1"),
        (mg.layers.Sigmoid(), 2 * PICTURES - 1, r"in \[0, 1\], but the real samples are in \[-"),
    ],
)
def test_data_that_the_generator_cannot_reach(last, data, message):
    with pytest.warns(UserWarning, match=message):
        mg.train(ends_in(last), data, steps=1, batch_size=4, progress=False)


@pytest.mark.parametrize(
    "last, data",
    [
        (mg.layers.Tanh(), 2 * PICTURES - 1),
        (mg.layers.Tanh(), PICTURES - 0.5),
        (mg.layers.Sigmoid(), PICTURES),
        (mg.layers.LeakyReLU(), 255 * PICTURES),
    ],
)
def test_data_that_it_can_reach_get_no_warning(last, data):
    mg.train(ends_in(last), data, steps=1, batch_size=4, progress=False)


def test_underflow_is_no_error():
    with np.errstate(all="raise"):
        gan = small_gan(loss=mg.stabilisers.OneSidedSmoothing())
        far = RING.sample(500, 0) * np.float32(1e-25)  # its squares are below float32's range
        vitals = mg.watch.Vitals(gan, far, every=2)
        mg.train(gan, far, steps=4, batch_size=8, callback=vitals, progress=False)
        mg.diagnose(vitals)
        logits = np.array([95.0, -95.0, 88.0], np.float32)
        for play in (gan.loss.discriminator, gan.loss.generator):
            for real, fake in ((logits, -logits), (-logits, logits)):
                assert np.isfinite(play(real, fake)[0])


def test_reprs_say_what_there_is():
    gan = small_gan()
    vitals = mg.watch.Vitals(gan, RING, every=2, probe=64)
    film = mg.watch.Film(gan, RING, moments=[1, 9], samples=8, resolution=3)
    stop = mg.Plateau(lambda gan: 3.0, every=2)
    assert repr(mg.History()) == "<History, empty>"
    without_losses = mg.History()
    without_losses.append(1, {"distance": 2.0})
    assert repr(without_losses) == "<History of 1 steps>"
    history = mg.train(
        gan, RING, steps=4, batch_size=8, callback=[vitals, film], stop=stop, progress=False
    )
    assert repr(history).startswith("<History of 4 steps, at the end: discriminator_loss ")
    assert repr(vitals) == "<Vitals: 3 measurements, every 2 steps, the last after step 4>"
    assert repr(film) == "<Film: 1 of 2 frames>"
    assert repr(stop) == "<Plateau every=2, patience=5, improvement=0.01; best 3 of 2>"
    assert repr(mg.diagnose(vitals)).startswith("<Diagnosis: ")
    minibatches = Minibatches(PICTURES, 4)
    assert repr(minibatches) == "Minibatches(an array of float32, shape (20, 4), batch_size=4)"


def test_what_help_lists_can_be_asked_for():
    names = {module.name for module in pkgutil.iter_modules(mg.__path__)}
    names = {name for name in names if name[0] != "_"}
    names.discard("fast")  # imported where its backend is first used, by minigan.backend alone
    program = f"import minigan as mg; print([n for n in {names} if not hasattr(mg, n)])"
    program += "; print([n for n in ('plots', 'dirac', 'spectrum') if n not in dir(mg)])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "[]\n[]\n", found.stderr
    program = "import sys, minigan; print('matplotlib' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "False\n", found.stderr
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        mg.nothing  # noqa: B018
