"""Pictures: that they show what was recorded."""

import dataclasses

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

matplotlib.use("Agg")

import minigan as mg
from minigan import plots
from minigan.observe.plots.equilibrium import EQUILIBRIUM

MOONS = mg.data.two_moons()


@pytest.fixture(scope="module")
def watched():
    networks = mg.models.mlp_generator(2, (2,), hidden=(8,)), mg.models.mlp_discriminator((2,))
    gan = mg.GAN(*networks, latent_dim=2)
    film = mg.watch.Film(gan, MOONS, moments=range(1, 6), samples=100, resolution=16)
    vitals = mg.watch.Vitals(gan, MOONS, every=2)

    def both(*moment):
        film(*moment)
        vitals(*moment)

    mg.train(gan, MOONS, steps=6, callback=both, progress=False)
    yield film, vitals
    plt.close("all")


def test_an_arrow_on_the_picture_is_the_push_times_the_scale(watched):
    film, _ = watched
    _, axes = plots.figure()
    shot, scale = film.frames[-1], plots.arrow_scale(film)
    plots.surface(axes, film, shot, scale)
    (quiver,) = [a for a in axes.collections if isinstance(a, matplotlib.quiver.Quiver)]
    n = quiver.N
    np.testing.assert_allclose(np.column_stack([quiver.U, quiver.V]), scale * shot.push[:n])
    np.testing.assert_allclose(quiver.XY, shot.fake[:n])
    assert quiver.scale == 1 and quiver.scale_units == quiver.angles == "xy"


def test_the_learning_figure_has_a_column_a_moment(watched):
    film, _ = watched
    figure = plots.learning(film, MOONS, film.frames[:3])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == ["step 1", "step 2", "step 3"]


def test_layer_curves_show_every_layer(watched):
    _, vitals = watched
    figure = plots.layer_curves(vitals)
    shown = {text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()}
    assert shown == {name for layers in vitals.layers.values() for name in layers}


def test_no_window_without_a_screen():
    figure, _ = plots.figure()
    assert not plots.has_screen(figure)


# -- curves ----------------------------------------------------------------------------------------


def history_of(losses_of_d):
    history = mg.History()
    for step, value in enumerate(losses_of_d, 1):
        figures = {"discriminator_loss": value, "generator_loss": 0.7}
        norms = {"discriminator_gradient_norm": 1.0, "generator_gradient_norm": 2.0}
        history.append(step, {**figures, **norms})
    return history


@pytest.mark.parametrize("window", [1, 2, 5, 16, 60, 200])
def test_the_running_mean_by_its_definition(window):
    values = np.random.default_rng(0).standard_normal(61)
    expected = [
        values[max(i - window // 2, 0) : i + (window + 1) // 2].mean() for i in range(len(values))
    ]
    np.testing.assert_allclose(plots.smooth(values, window), expected, rtol=1e-12, atol=1e-13)
    assert len(plots.smooth([], window)) == 0


def test_a_spike_does_not_spoil_the_running_mean_after_it():
    values = np.full(200, 1e-3)
    values[50] = 1e17
    found = plots.smooth(values, 10)
    np.testing.assert_allclose(found[60:], 1e-3, rtol=1e-12)


def test_training_curves_show_every_step_and_name_what_is_smoothed():
    peak = np.where(np.arange(1000) == 500, 1.14, 0.5)
    figure = plots.training_curves(history_of(peak), loss=mg.losses.NonSaturating())
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    raw = lines["discriminator, every step"]
    np.testing.assert_array_equal(raw.get_ydata(), peak)
    assert raw.get_alpha() < 0.5
    mean = lines["discriminator, mean of 10 steps"]
    assert mean.get_ydata().max() == pytest.approx(0.564)
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == set(lines)
    assert lines["discriminator, equilibrium: 2 log 2"].get_ydata()[0] == 2 * np.log(2)
    assert lines["generator, equilibrium: log 2"].get_ydata()[0] == np.log(2)
    short = plots.training_curves(history_of(peak[:50]))
    labels = [line.get_label() for line in short.axes[0].get_lines()]
    assert labels == ["discriminator, every step", "generator, every step"]


@pytest.mark.parametrize("loss", EQUILIBRIUM)
def test_equilibrium_losses_are_those_of_the_best_constant_logit(loss):
    """p = q: the least that D can reach with one logit for all, and what G then sees, if unique."""
    logits = np.linspace(-2, 2, 401)
    of_d = np.array([loss().discriminator([[c]], [[c]])[0] for c in logits])
    best = np.flatnonzero(of_d <= of_d.min() + 1e-12)
    of_g = np.array([loss().generator([[logits[i]]], [[logits[i]]])[0] for i in best])
    expected = {"discriminator": of_d.min()}
    if np.ptp(of_g) < 1e-9:
        expected["generator"] = of_g[0]
    found = {player: value for player, (value, _) in EQUILIBRIUM[loss].items()}
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("images", [np.full((10, 4, 4), 200, np.uint8), np.full((10, 4, 4), 9.0)])
def test_images_of_another_range_are_not_drawn_black(images):
    with pytest.raises(ValueError, match=r"image_grid: images must be in .-1, 1., got .*127.5"):
        plots.image_grid(plots.figure()[1], images)


def test_nothing_to_draw():
    gan = mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), latent_dim=2)
    vitals = mg.watch.Vitals(gan, mg.data.gaussian_ring())
    with pytest.raises(ValueError, match="^layer_curves: vitals must be one with meas"):
        plots.layer_curves(vitals)
    with pytest.raises(ValueError, match="^training_curves: history must be one with"):
        plots.training_curves(mg.History())


def test_a_film_of_a_training_that_diverged():
    ring = mg.data.gaussian_ring()
    gan = mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), latent_dim=2)
    film = mg.watch.Film(gan, ring, moments=[1], samples=8, resolution=5)
    film(1, gan)
    (good,) = film.frames
    bad = dataclasses.replace(good, push=good.push * np.nan, logits=good.logits * np.nan)
    for film.frames in ([good, bad], [bad]):
        assert plots.arrow_scale(film) > 0
        plots.learning(film, ring, film.frames).canvas.draw()
