"""Games by name: each can be made and takes a step; the recipe's rates and gamma fall."""

import numpy as np
import pytest
from minigan.conditional import OneHot

import minigan as mg
from minigan import image_recipes as recipes
from minigan.layers.composite import count_parameters

IMAGES = mg.data.glyphs(70, rng=0)[0]


@pytest.mark.parametrize("penalty", recipes.PENALTIES)
@pytest.mark.parametrize("model", recipes.MODELS)
def test_every_penalty_with_every_model(model, penalty):
    if (model, penalty) == ("residual", "spectral"):
        with pytest.raises(ValueError, match="game: spectral normalisation is for"):
            recipes.game(model, penalty=penalty)
        return
    loss = "wasserstein" if penalty in ("clipping", "gradient") else "relativistic"
    game = recipes.game(model, loss=loss, penalty=penalty)
    figures = game.gan.train_step(IMAGES[:4])
    assert (figures["penalty"] > 0) == (penalty in ("r1-r2", "r1", "gradient", "dragan"))
    assert game.sample(3).shape == (3, 28, 28, 1)
    if penalty == "spectral":
        trained = [layer for layer in game.gan.discriminator.layers if count_parameters(layer)]
        assert all(isinstance(layer, mg.layers.SpectralNorm) for layer in trained)
    if penalty == "clipping":
        assert np.abs(game.gan.discriminator.theta).max() <= np.float32(0.01)


@pytest.mark.parametrize(
    "channels, wanted, categories, normal, fine",
    [
        (1, True, 64, 384, 0.2),
        (3, True, 0, 128, 0.3),
        (1, False, 0, 128, 0.3),
    ],
)
def test_only_images_of_one_channel_get_categories(channels, wanted, categories, normal, fine):
    """Three digits as channels have 1,000 modes: with 64 categories only 86 of them were left."""
    game = recipes.game(shape=(28, 28, channels), categories=wanted)
    generator = game.gan.generator
    sizes = [layer.classes for layer in generator.layers if isinstance(layer, OneHot)]
    assert sizes == [categories] * (categories > 0)
    assert generator.layers[len(sizes)].in_features == game.gan.latent_dim == categories + normal
    assert game.average.decay == 0.999
    recipes.annealing(game, 5)(5, game.gan, {})
    assert [penalty.gamma for penalty in game.gan.penalties] == pytest.approx([fine, fine])


@pytest.mark.parametrize("penalty, moved", [("r1-r2", True), ("dragan", False)])
def test_the_probabilities_of_the_categories_are_learned_under_r1(penalty, moved):
    game = recipes.game(penalty=penalty)
    recipes.train(game, IMAGES, steps=3, progress=False)
    for network in (game.gan.generator, game.average.network):
        assert network.layers[0].buffers["offset"].any() == moved


def test_a_generator_whose_categories_are_not_learned_is_trained_as_it_is():
    game = recipes.game()
    game.gan.generator.layers[0].learned = False  # as in a file of an older version
    for network in (game.gan.generator, game.average.network):
        del network.layers[0].buffers["offset"]
    assert len(recipes.train(game, IMAGES, steps=2, progress=False)) == 2


@pytest.mark.parametrize("penalty, small", [("none", True), ("r1-r2", False)])
def test_first_weights_of_the_generator(penalty, small):
    """The DCGAN of 2016 has those of its paper; the recipe has He's, which are wider."""
    generator = recipes.game(penalty=penalty).gan.generator
    found = {
        name: value.std() for name, value, _ in generator.named_parameters()
        if name.endswith("weight") and value.ndim > 1
    }  # fmt: skip
    assert found and all((std < 0.021) == small for std in found.values()), found


def test_only_under_r1_the_discriminator_of_a_dcgan_learns_faster():
    for model in recipes.MODELS:
        for penalty in set(recipes.PENALTIES) - {"spectral"}:
            gan = recipes.game(model, penalty=penalty).gan
            ratio = gan.discriminator_optimizer.lr / gan.generator_optimizer.lr
            assert ratio == (2 if model == "dcgan" and penalty in ("r1", "r1-r2") else 1)


@pytest.mark.parametrize("loss", recipes.LOSSES)
def test_every_loss(loss):
    game = recipes.game("mlp", loss=loss, penalty="none")
    assert type(game.gan.loss) is recipes.LOSSES[loss]
    game.gan.train_step(IMAGES[:4])


@pytest.mark.parametrize("shape", [(8, 8, 1), (18, 22, 3)])
@pytest.mark.parametrize("penalty", ["r1-r2", "none"])
def test_any_even_size_and_any_number_of_channels(shape, penalty):
    game = recipes.game(penalty=penalty, shape=shape)
    images = np.random.default_rng(0).uniform(-1, 1, (4, *shape)).astype(np.float32)
    game.gan.train_step(images)
    assert game.sample(2).shape == (2, *shape)


def test_other_models_of_other_sizes():
    for model, shape in (("mlp", (10, 14, 3)), ("residual", (16, 12, 3))):
        game = recipes.game(model, shape=shape)
        assert game.sample(2).shape == (2, *shape)
    with pytest.raises(ValueError, match="residual_generator: shape must be .* multiples of 4"):
        recipes.game("residual", shape=(30, 30, 1))
    for shape in ((28, 27, 1), (6, 6, 1), (28, 28)):
        with pytest.raises(ValueError, match=r"game: shape must be .* multiples of 2"):
            recipes.game(shape=shape)


@pytest.mark.parametrize("argument", ["model", "loss", "penalty"])
def test_unknown_names(argument):
    with pytest.raises(ValueError, match=f"game: {argument} must be one of .*, got 'nonesuch'"):
        recipes.game(**{argument: "nonesuch"})


@pytest.mark.parametrize("model, lowest", [("mlp", [4, 5]), ("dcgan", [2, 3, 4, 5])])
def test_learning(model, lowest):
    """The rates fall along the cosine, gamma from coarse to fine (sooner with the categories of the
    DCGAN), and the average follows G."""
    game, seen = recipes.game(model), []
    course = recipes.WITH_CATEGORIES if model == "dcgan" else recipes.Course()
    last = {"mlp": 0.1, "dcgan": 0.03}[model]

    def record(step, gan, figures):
        optimizer = gan.discriminator_optimizer
        seen.append((step, optimizer.lr, gan.penalties[0].gamma))

    history = recipes.train(game, IMAGES, steps=5, callback=record, progress=False)
    steps, rates, gammas = np.array(seen).T
    assert len(history) == 5 and steps.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(rates[[0, 2, 4]], 1e-3 * np.array([1, (1 + last) / 2, last]))
    assert np.all(np.diff(gammas) <= 0) and gammas[0] < recipes.COARSE
    assert [s for s, gamma in zip(steps, gammas) if gamma == pytest.approx(course.fine)] == lowest
    assert game.average.steps == 5


def test_the_same_seed_plays_the_same_game():
    thetas = []
    for seed in (3, 3, 4):
        game = recipes.game("mlp", rng=seed)
        recipes.train(game, IMAGES, steps=2, rng=seed, progress=False)
        thetas.append(game.gan.generator.theta.copy())
    assert np.array_equal(thetas[0], thetas[1]) and not np.array_equal(thetas[0], thetas[2])
