"""Watching: it measures what it says, and changes nothing."""

import numpy as np
import pytest

import minigan as mg
from minigan.observe.watch.film import LINES, latent_grid, push
from minigan.observe.watch.vitals import effective_number, energy_distance
from minigan.verify.gradcheck.differences import central_differences

MOONS = mg.data.two_moons()


def small_gan(*, dtype="float32", activation=None, **options):
    activation = activation or mg.layers.LeakyReLU
    networks = [
        mg.Sequential(
            [mg.layers.Linear(2, 8), activation(), mg.layers.Linear(8, size)], dtype=dtype, rng=size
        )
        for size in (2, 1)
    ]
    return mg.GAN(*networks, latent_dim=2, **options)


def test_a_watched_training_has_the_same_bits():
    thetas = []
    for watched in (False, True):
        gan = small_gan(penalties=[mg.penalties.R1(0.1)])
        vitals = mg.watch.Vitals(gan, MOONS, every=3)
        film = mg.watch.Film(gan, MOONS, moments=range(1, 9))

        def both(*moment):
            vitals(*moment)
            film(*moment)

        mg.train(gan, MOONS, steps=9, callback=both if watched else None, progress=False)
        thetas.append(np.concatenate([gan.generator.theta, gan.discriminator.theta]))
    assert np.array_equal(*thetas)
    assert vitals.steps == [1, 3, 6, 9] and [f.step for f in film.frames] == list(range(1, 9))


@pytest.mark.parametrize("loss", [mg.losses.NonSaturating(), mg.losses.Relativistic()])
def test_an_arrow_is_minus_the_gradient_of_the_generators_loss(loss):
    gan = small_gan(dtype="float64", loss=loss, activation=mg.layers.Tanh)
    real, fake = MOONS.sample(5, 0, dtype="float64"), MOONS.sample(5, 1, dtype="float64")

    def value():
        logits = [gan.discriminator.forward(x, training=False)[0] for x in (real, fake)]
        return loss.generator(*logits)[0]

    arrows = push(gan, real, fake)
    numeric, _ = central_differences(value, fake)
    np.testing.assert_allclose(arrows, -len(fake) * numeric.reshape(fake.shape), rtol=1e-6)


def test_update_ratio_of_gradient_descent():
    """theta moves by lr g, so |change| / |theta before| is lr |g| / |theta before|."""
    gan = small_gan(discriminator_optimizer=mg.optim.SGD(lr=0.01))
    before = gan.discriminator.theta.astype(np.float64)
    vitals = mg.watch.Vitals(gan, MOONS)
    mg.train(gan, MOONS, steps=1, callback=vitals, progress=False)
    layers = vitals.layers["discriminator"]
    first = layers["0 Linear(2, 8)"]
    size = gan.discriminator.layers[0].params["weight"].size + 8
    expected = 0.01 * first["gradient"][0] / np.linalg.norm(before[:size])
    assert first["update"][0] == pytest.approx(expected, rel=1e-3)
    norms = [columns["gradient"][0] for columns in layers.values() if "gradient" in columns]
    whole = vitals.columns["discriminator_gradient_norm"][0]
    assert np.sqrt(np.sum(np.square(norms))) == pytest.approx(whole, rel=1e-5)


def test_units_that_are_off_are_counted(backend):
    gan = small_gan(activation=mg.layers.ReLU)
    gan.discriminator.layers[0].params["bias"][:2] = -100
    vitals = mg.watch.Vitals(gan, MOONS)
    vitals(1, gan, {"discriminator_gradient_norm": 1.0, "generator_gradient_norm": 1.0})
    off = vitals.layers["discriminator"]["1 ReLU()"]["off"][0]
    assert 2 / 8 <= off < 1 and off * 8 == round(off * 8)


def test_units_inside_of_layers_are_counted():
    row = mg.layers.Linear(2, 4), mg.layers.ReLU(), mg.layers.Linear(4, 2), mg.layers.ReLU()
    block = mg.layers.Residual(mg.Sequential(row))
    row[0].params["bias"][0] = row[2].params["bias"][1] = -100
    networks = [mg.Sequential(layers, rng=0) for layers in ([block], [mg.layers.Linear(2, 1)])]
    gan = mg.GAN(*networks, latent_dim=2)
    vitals = mg.watch.Vitals(gan, MOONS)
    vitals(1, gan, {"discriminator_gradient_norm": 1.0, "generator_gradient_norm": 1.0})
    layers = vitals.layers["generator"]
    assert layers["0.branch.1 ReLU()"]["off"][0] >= 1 / 4
    assert layers["0.branch.3 ReLU()"]["off"][0] >= 1 / 2
    assert {name for name, columns in layers.items() if "update" in columns} == {
        "0.branch.0 Linear(2, 4)", "0.branch.2 Linear(4, 2)",
    }  # fmt: skip


def test_signals_are_1_where_the_discriminator_cannot_tell():
    gan = small_gan()
    gan.discriminator.theta[...] = 0
    vitals = mg.watch.Vitals(gan, MOONS)
    vitals(1, gan, {"discriminator_gradient_norm": 1.0, "generator_gradient_norm": 1.0})
    assert vitals.columns["discriminator_signal"] == vitals.columns["generator_signal"] == [1.0]


def test_the_step_of_the_logits_is_measured_where_the_loss_has_a_slope():
    """D is sure of the real samples, at x = 5 (logit 500), and cannot tell the fakes, at 0."""
    generator, discriminator = (mg.Sequential([mg.layers.Linear(2, n)]) for n in (2, 1))
    generator.theta[...] = 0
    discriminator.theta[...] = 100, 0, 0
    gan = mg.GAN(generator, discriminator, latent_dim=2)
    vitals = mg.watch.Vitals(gan, MOONS.sample(2000, 0) * 0.1 + np.array([5, 0], np.float32))
    discriminator.layers[0].params["bias"][...] = 0.5
    vitals(1, gan, {"discriminator_gradient_norm": 1.0, "generator_gradient_norm": 1.0})
    assert vitals.columns["discriminator_step"][0] == pytest.approx(0.5)
    assert vitals.columns["logit_spread"][0] > 200

    gan = mg.GAN(generator, discriminator, latent_dim=2, loss=mg.losses.Hinge())
    generator.theta[...] = 0, 0, 0, 0, -5, 0  # all margins kept: Hinge has no slope at all
    discriminator.theta[...] = 1, 0, 0
    vitals = mg.watch.Vitals(gan, MOONS.sample(2000, 0) * 0.1 + np.array([5, 0], np.float32))
    discriminator.theta[...] = 2, 0, 0
    vitals(1, gan, {"discriminator_gradient_norm": 1.0, "generator_gradient_norm": 1.0})
    assert vitals.columns["discriminator_step"] == [0.0]


def test_of_a_discriminator_that_says_more_the_logit_is_watched():
    """Its class logits are 1000 times the code that a sample carries: sure, beside a logit of 0."""
    rows = mg.conditional.label(MOONS.sample(600, 0), np.arange(600) % 2, 2)
    generator, discriminator = (mg.Sequential([mg.layers.Linear(4, n)]) for n in (4, 5))
    weight, bias = discriminator.layers[0].params.values()
    weight[...] = 0
    weight[2:, 1:3], weight[2:, 3:] = 1000 * np.eye(2), np.eye(2)
    loss = mg.auxiliary.AuxiliaryClassifier(mg.losses.NonSaturating(), 2)
    vitals = mg.watch.Vitals(gan := mg.GAN(generator, discriminator, latent_dim=4, loss=loss), rows)
    bias[0] = 0.5
    vitals(1, gan, {"discriminator_gradient_norm": 1.0, "generator_gradient_norm": 1.0})
    columns = {name: values[0] for name, values in vitals.columns.items()}
    assert columns["discriminator_step"] == pytest.approx(0.5) and columns["logit_spread"] == 0
    assert columns["discriminator_signal"] == pytest.approx(1)


def test_effective_number():
    assert effective_number(np.full(8, 1000)) == pytest.approx(8, rel=1e-3)
    assert effective_number(np.array([500, 0, 0])) == 1
    assert effective_number(np.ones(4, int)) == 12  # no two share a cell: the most it can say


def test_energy_distance():
    """Of N(0, 1) and N(c, 1) it is 2 E|N(c, 2)| - 2 E|N(0, 2)|."""
    x, y = np.random.default_rng(0).standard_normal((2, 2000, 1))
    absolute = 2 / np.sqrt(np.pi), 2 / np.sqrt(np.pi) * np.exp(-9 / 4)
    expected = 2 * (absolute[1] + 3 * 0.9661051) - 2 * absolute[0]  # 2 Phi(3 / sqrt 2) - 1
    assert energy_distance(x + 3, y) == pytest.approx(expected, rel=0.05)
    assert abs(energy_distance(x, y)) < 0.005
    few = np.array([[0.0], [1.0], [3.0]])
    pairs = np.abs(few - few.T)
    assert energy_distance(few, few.copy()) == pytest.approx(2 * pairs.mean() - pairs.sum() / 3)


def test_the_latent_grid_has_cells_of_equal_mass():
    at = latent_grid()[0, :, 0, 0]
    z = np.random.default_rng(0).standard_normal(100_000)
    shares = np.bincount(np.searchsorted(at, z)) / z.size
    assert len(shares) == LINES + 1 and np.abs(shares * (LINES + 1) - 1).max() < 0.06


def test_moments_run_from_the_first_step_to_the_last():
    steps = mg.watch.moments(1000, 40)
    assert steps[0] == 1 and steps[-1] == 1000 and len(steps) >= 35
    assert np.all(np.diff(steps) >= 1)


def test_a_second_training_is_counted_on_from_the_first():
    gan = small_gan()
    vitals = mg.watch.Vitals(gan, MOONS, every=4, probe=64)
    film = mg.watch.Film(gan, MOONS, moments=[2, 8, 11], samples=8, resolution=3)
    for steps in (6, 3, 3):
        mg.train(gan, MOONS, steps=steps, batch_size=8, callback=[vitals, film], progress=False)
    assert vitals.steps == [1, 4, 8, 12] and [frame.step for frame in film.frames] == [2, 8, 11]


def test_the_first_step_is_not_compared_with_an_older_training():
    moved = []
    for early in (True, False):
        gan = small_gan()
        vitals = mg.watch.Vitals(gan, MOONS) if early else None
        mg.train(gan, MOONS, steps=50, progress=False)
        vitals = vitals or mg.watch.Vitals(gan, MOONS)
        mg.train(gan, MOONS, steps=1, progress=False, callback=vitals)
        moved.append(vitals.columns["generator_step"])
    assert moved[0] == moved[1]


def test_the_watcher_of_another_gan_is_refused_before_the_first_step(tmp_path):
    gan, other = small_gan(), small_gan()
    before = gan.generator.theta.copy()
    (tmp_path / "run.npz").write_text("kept")
    for watcher in (
        mg.watch.Film(other, MOONS, moments=[5], samples=8, resolution=3),
        mg.watch.Vitals(other, MOONS, probe=64),
        mg.game_steps.Lookahead(other),
    ):
        words = f"train: callback must be made for gan, got a {type(watcher).__name__} that was"
        with pytest.raises(ValueError, match=words):
            mg.train(
                gan, MOONS, steps=9, callback=watcher, progress=False,
                checkpoint=tmp_path / "run.npz",
            )  # fmt: skip
    assert np.array_equal(gan.generator.theta, before)
    assert (tmp_path / "run.npz").read_text() == "kept"


@pytest.mark.parametrize("latent, width", [(3, 2), (2, 3)])
def test_a_generator_of_another_shape_is_refused(latent, width):
    other = mg.models.mlp_generator(latent, (width,), hidden=(4,))
    with pytest.raises(ValueError, match="Film: generator must make samples of shape .* got Seq"):
        mg.watch.Film(small_gan(), MOONS, moments=[1], generator=other)


def test_a_layer_keeps_its_name_when_an_option_in_it_changes():
    gan = small_gan()
    vitals = mg.watch.Vitals(gan, MOONS, every=2, probe=64)

    def bend(step, gan, figures):
        gan.discriminator.layers[1].negative_slope = 0.1 * step

    mg.train(gan, MOONS, steps=4, batch_size=8, progress=False, callback=[bend, vitals])
    layers = vitals.layers["discriminator"]
    assert len(layers) == 3 and all(len(c) == 3 for each in layers.values() for c in each.values())


def test_the_whole_probe_is_watched_on_every_rank():
    """A ParallelGAN's check_real gives the rows of one rank."""

    class Shared(mg.GAN):
        def check_real(self, real):
            return super().check_real(real)[::2]

    players = small_gan()
    gan = Shared(players.generator, players.discriminator, latent_dim=2)
    vitals = mg.watch.Vitals(gan, MOONS, probe=64)
    film = mg.watch.Film(gan, MOONS, moments=[1], samples=8, resolution=3)
    assert len(vitals.real) == len(vitals.noise) and len(film.real) == len(film.noise)


def test_what_cannot_be_watched_is_refused():
    networks = mg.models.mlp_generator(3, (2,)), mg.models.mlp_discriminator((2,))
    gan = mg.GAN(*networks, latent_dim=3)
    with pytest.raises(ValueError, match="Film: expected samples of shape"):
        mg.watch.Film(gan, MOONS, moments=[1])
    with pytest.raises(ValueError, match="Vitals: probe must be an integer >= 64, got 10"):
        mg.watch.Vitals(gan, MOONS, probe=10)
