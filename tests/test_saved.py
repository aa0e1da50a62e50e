"""Models in files: every model and recipe comes back the same, also in another process."""

import dataclasses
import hashlib
import os
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest

import minigan as mg
from minigan import image_recipes, models, recipes
from minigan import layers as L

FRESH = """
import hashlib, sys
import minigan as mg
for path in sys.argv[1:]:
    print(hashlib.sha256(mg.load(path).sample(3).tobytes()).hexdigest())
"""


def in_a_fresh_process(paths):
    done = subprocess.run(
        [sys.executable, "-c", FRESH, *map(str, paths)],
        capture_output=True, text=True, env={**os.environ, "MINIGAN_BACKEND": mg.kernels.backend()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def digest(samples):
    return hashlib.sha256(samples.tobytes()).hexdigest()


def paired(generator, discriminator, latent_dim, **options):
    return mg.GAN(generator, discriminator, latent_dim=latent_dim, **options)


def gans():
    """name -> a GAN of each pair of networks in minigan.models."""
    code, critic = 3, {"channels": 2, "batch_norm": False}
    generator = {"channels": 2, "rng": 3}
    conditional = models.conditional_generator(2, 3, **generator)
    loss = mg.auxiliary.AuxiliaryClassifier(mg.losses.Hinge(), 3, weight=0.5)
    information = mg.auxiliary.Information(mg.losses.LeastSquares(), 2, 1)
    tanh = {"hidden": (8,), "tanh": True}
    return {
        "mlp": paired(models.mlp_generator(2, (4, 1), **tanh), models.mlp_discriminator((4, 1)), 2),
        "dcgan": paired(
            models.dcgan_generator(2, categories=2, convolutions=3, hidden=(4,), **generator),
            models.dcgan_discriminator(**critic, hidden=(3,)), 4,
            loss=mg.stabilisers.OneSidedSmoothing(0.8),
            penalties=[mg.penalties.GradientPenalty(2.0)],
        ),
        "residual": paired(
            models.residual_generator(2, channels=2, hidden=4),
            models.residual_discriminator(channels=2, hidden=4), 2,
            penalties=[mg.penalties.WeightClipping(0.1)],
        ),
        "projection": paired(conditional, models.projection_discriminator(3, **critic), 5),
        "class norm": paired(
            models.conditional_generator(2, 3, class_norm=True, **generator),
            models.projection_discriminator(3, **critic), 5,
        ),
        "concatenation": paired(
            models.conditional_generator(2, 3, class_norm=True, **generator),
            models.concatenation_discriminator(3, **critic), 5,
        ),
        "auxiliary": paired(
            conditional.copy(), models.auxiliary_discriminator(code, **critic), 5, loss=loss
        ),
        "information": paired(
            models.conditional_generator(2, 2, continuous=1, **generator),
            models.auxiliary_discriminator(code, **critic), 5, loss=information,
        ),
    }  # fmt: skip


def test_every_model(tmp_path, monkeypatch):
    names = [n for n in models.__all__ if n.endswith(("_generator", "_discriminator"))]
    spies = {name: mock.Mock(wraps=getattr(models, name)) for name in names}
    for name, spy in spies.items():
        monkeypatch.setattr(models, name, spy)
    games = gans()
    assert [name for name, spy in spies.items() if not spy.called] == []  # add it to `gans`
    expected, paths = [], []
    for name, gan in games.items():
        paths.append(tmp_path / f"{name}.npz")
        gan.save(paths[-1])
        again = mg.load(paths[-1])
        logits, _ = gan.discriminator.forward(gan.copy().sample(2), training=False)
        expected.append(digest(gan.sample(3)))
        assert repr(again) == repr(gan), name
        other, _ = again.discriminator.forward(again.copy().sample(2), training=False)
        assert digest(other) == digest(logits), name
        assert digest(again.sample(3)) == expected[-1], name
        assert again.latent_dim == gan.latent_dim and again.sample_shape == gan.sample_shape
    assert in_a_fresh_process(paths) == expected


PARTS = [
    mg.losses.Minimax(), mg.losses.NonSaturating(), mg.stabilisers.OneSidedSmoothing(0.7),
    mg.losses.LeastSquares(), mg.losses.Wasserstein(), mg.losses.Hinge(),
    mg.losses.Relativistic(), models.FeatureMatching(mg.losses.Hinge(), 3),
    mg.auxiliary.AuxiliaryClassifier(mg.losses.Hinge(), 3, weight=0.5),
    mg.auxiliary.Information(mg.losses.Minimax(), 2, 1, weight=0.25),
    mg.penalties.R1(0.1), mg.penalties.R2(0.2), mg.penalties.GradientPenalty(2.0, target=0.5),
    mg.penalties.Dragan(3.0), mg.penalties.WeightClipping(0.4),
]  # fmt: skip


def test_every_loss_and_penalty():
    kinds = {n for n, kind in models.described.known().items() if not issubclass(kind, L.Layer)}
    assert kinds == {type(part).__name__ for part in PARTS}
    for part in PARTS:
        again = models.described.build(models.describe(part), 0)
        assert type(again) is type(part)
        assert models.describe(again) == models.describe(part)


def test_every_part_is_known_from_the_start():
    """Whatever was imported before: a file is loaded by a program of two lines."""
    program = """
import importlib, pkgutil, minigan
from minigan.models.described import known
at_first = set(known())
for module in pkgutil.walk_packages(minigan.__path__, "minigan."):
    if not any(each in module.name for each in (".fast", ".verify", "__main__", "torch_")):
        importlib.import_module(module.name)
print(set(known()) - at_first)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "set()\n", found.stderr


PLANES = [recipe for recipe in vars(recipes).values() if isinstance(recipe, recipes.Recipe)]


@pytest.fixture(scope="module", params=PLANES, ids=lambda recipe: recipe.loss.__name__)
def plane(request):
    recipe = dataclasses.replace(request.param, steps=3, hidden=(8,), batch_size=8)
    return recipes.train(mg.data.gaussian_ring(radius=3.0), recipe=recipe, progress=False)


def games():
    """Each model, loss and penalty of the recipes at least once."""
    choices = image_recipes.MODELS, list(image_recipes.LOSSES), list(image_recipes.PENALTIES)
    for number in range(max(map(len, choices))):
        model, loss, penalty = (names[number % len(names)] for names in choices)
        if penalty == "spectral":
            model = "mlp"  # the residual D takes none
        yield image_recipes.game(model, loss=loss, penalty=penalty, augment=number == 0)


def test_the_plane(plane, tmp_path):
    """Samples are in the units of the data."""
    plane.average.network.theta += 0.01
    plane.save(tmp_path / "plane.npz")
    expected = digest(plane.sample(3))
    assert in_a_fresh_process([tmp_path / "plane.npz"]) == [expected]


def test_every_recipe_of_images(tmp_path):
    """The averaged generator is what is saved."""
    expected, paths = [], []
    for number, trained in enumerate(games()):
        paths.append(tmp_path / f"{number}.npz")
        trained.average.network.theta += 0.01
        trained.save(paths[-1])
        expected.append(digest(trained.sample(3)))
    assert in_a_fresh_process(paths) == expected


def test_the_plane_in_the_units_of_the_data(plane, tmp_path):
    plane.save(tmp_path / "plane.npz")
    again, points = mg.load(tmp_path / "plane.npz"), np.array([[3.0, 0.0], [1.0, -2.0]])
    logits, _ = again.discriminator.forward(points, training=False)
    np.testing.assert_allclose(logits[:, 0], plane.logits(points), rtol=1e-5)


def test_it_goes_on_training(plane, tmp_path):
    plane.save(tmp_path / "plane.npz")
    again = mg.load(tmp_path / "plane.npz")
    before = again.generator.theta.copy()
    mg.train(again, mg.data.gaussian_ring(), steps=2, batch_size=8, progress=False)
    assert not np.array_equal(before, again.generator.theta)


def test_generators_that_two_parts_share_stay_shared(tmp_path):
    rng = np.random.default_rng(7)
    players = [mg.Sequential([L.Linear(2, n), L.Dropout(0.5)], rng=rng) for n in (2, 1)]
    gan = mg.GAN(*players, latent_dim=2, rng=rng)
    gan.save(tmp_path / "gan.npz")
    again = mg.load(tmp_path / "gan.npz")
    assert again.rng is again.generator.rng is again.discriminator.layers[1].rng
    assert again.rng.bit_generator.state == rng.bit_generator.state
    real = np.ones((4, 2))
    assert again.train_step(real) == gan.train_step(real)


@pytest.mark.parametrize("bits", ["MT19937", "Philox", "SFC64", "PCG64DXSM"])
def test_every_random_generator_of_numpy(bits, tmp_path):
    rng = np.random.Generator(getattr(np.random, bits)(3))
    network = mg.Sequential([L.Linear(2, 2), L.Dropout(0.5)], rng=rng)
    network.save(tmp_path / "network.npz")
    again = mg.load(tmp_path / "network.npz")
    assert digest(again.forward(np.ones((5, 2)))[0]) == digest(network.forward(np.ones((5, 2)))[0])


def test_another_seed(tmp_path):
    gan = gans()["mlp"]
    gan.save(tmp_path / "gan.npz")
    first, second, third = (mg.load(tmp_path / "gan.npz", rng=seed).sample(2) for seed in (1, 1, 2))
    assert np.array_equal(first, second) and not np.array_equal(first, third)


def test_the_file_is_readable_by_numpy(tmp_path):
    network = mg.Sequential([L.Linear(2, 3), L.BatchNorm(3)])
    network.save(tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {
            "header", "0.weight", "0.bias", "1.gamma", "1.beta", "1.running_mean", "1.running_var"
        }  # fmt: skip
        assert np.array_equal(arrays["0.weight"], network.layers[0].params["weight"])


def test_a_layer_of_ones_own(tmp_path):
    class Shift(L.Layer):
        def __init__(self, amount, inside):
            super().__init__()
            self.amount, self.children = float(amount), {"inside": inside}

        def forward(self, x, training=True):
            y, cache = self.children["inside"].forward(x, training)
            return y + self.amount, cache

    network = mg.Sequential([Shift(0.5, L.Linear(2, 2))])
    file = tmp_path / "own.npz"
    with pytest.raises(
        TypeError, match="save: Shift is not a part of minigan; put @minigan.models"
    ):
        network.save(file)
    models.register(Shift)
    try:
        network.save(file)
        again, x = mg.load(file), np.ones((3, 2))
        assert np.array_equal(again.forward(x)[0], network.forward(x)[0])
    finally:
        del models.described._registered["Shift"]
    with pytest.raises(ValueError, match="own.npz: unknown part 'Shift'; if it is of your own"):
        mg.load(file)


def test_a_class_that_forgets_its_arguments(tmp_path):
    class Forgetful(L.Tanh):
        def __init__(self, amount):
            super().__init__()

    models.register(Forgetful)
    try:
        with pytest.raises(TypeError, match="Forgetful does not keep its argument amount"):
            mg.Sequential([Forgetful(1)]).save(tmp_path / "file.npz")
    finally:
        del models.described._registered["Forgetful"]


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: models.register(3), "register: expected a class, got 3"),
        (lambda: models.register(type("Linear", (), {})), "register: the name Linear is taken by"),
        (lambda: mg.load(3), "load: path must be a path, got 3"),
        (lambda: mg.load("nowhere.npz"), "there is no model file: 'nowhere.npz'"),
        (lambda: mg.load("."), "there is no model file"),
        (lambda: mg.Sequential([L.Tanh()]).save(None), "Sequential.save: path must be a path"),
        (lambda: gans()["mlp"].save("x.npz", average=3), "average must be an Average"),
        (
            lambda: gans()["mlp"].save("x.npz", average=mg.Average(gans()["mlp"].generator)),
            "average must be one of this GAN's generator",
        ),
        (lambda: mg.Sequential([L.Tanh()]).save("no/where.npz"), "the model was not written"),
    ],
)
def test_bad_input(wrong, message):
    with pytest.raises((TypeError, ValueError, OSError)) as raised:
        wrong()
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_what_is_not_finite_is_not_saved(tmp_path):
    network = mg.Sequential([L.Linear(2, 2)])
    network.save(tmp_path / "network.npz")
    network.theta[0] = np.nan
    with pytest.raises(FloatingPointError, match="Sequential.save: 0.weight is not finite"):
        network.save(tmp_path / "network.npz")
    assert np.isfinite(mg.load(tmp_path / "network.npz").theta).all()
    assert os.listdir(tmp_path) == ["network.npz"]


def test_a_checkpoint_is_no_model(tmp_path):
    gan = gans()["mlp"]
    data = np.zeros((9, 4, 1))
    mg.train(gan, data, steps=1, batch_size=4, progress=False, checkpoint=tmp_path / "run.npz")
    with pytest.raises(ValueError, match='expected the format "minigan model", got \'minigan chec'):
        mg.load(tmp_path / "run.npz")


def test_a_file_of_numpy_is_said_to_be_none_of_minigan(tmp_path):
    np.savez(tmp_path / "foreign.npz", x=np.ones(3))
    with pytest.raises(ValueError, match="foreign.npz: not written by minigan.*no header") as error:
        mg.load(tmp_path / "foreign.npz")
    assert str(error.value).startswith("model ")


def test_a_warning_of_what_is_loaded_names_the_line_that_loads(tmp_path):
    players = mg.Sequential([L.Linear(2, 2)]), mg.Sequential([L.Linear(2, 1), L.Sigmoid()])
    with pytest.warns(UserWarning, match="expects logits") as noted:
        mg.GAN(*players, latent_dim=2).save(tmp_path / "gan.npz")
        mg.load(tmp_path / "gan.npz")
    assert [each.filename for each in noted] == [__file__] * 2


def test_copies_of_classes_made_by_the_museum_are_not_taken_for_layers(tmp_path):
    """A wrong gradient is explained with private copies of every class, of the same names."""
    right = np.arange(6.0).reshape(2, 3)
    mg.gradcheck.explain(right / 3, right, x=np.ones((4, 2)), dy=np.ones((4, 3)))
    assert mg.gradcheck.check_layer(WrongLinear(2, 3), (4, 2)).failures[0].diagnosis is None
    mg.Sequential([mg.layers.Linear(2, 3)]).save(tmp_path / "linear.npz")
    assert mg.load(tmp_path / "linear.npz").layers[0].in_features == 2


class WrongLinear(mg.layers.Linear):
    def backward_input(self, dy, x):
        return 0.7 * super().backward_input(dy, x) + 0.1


@pytest.mark.parametrize("value", [np.ones(3), np.tanh, {"a": 1}, len, print])
def test_an_argument_that_cannot_be_written_is_named(value, tmp_path):
    class Keeps(L.Layer):
        def __init__(self, what):
            super().__init__()
            self.what = what

    models.register(Keeps)
    try:
        network = mg.Sequential([L.Linear(2, 2), Keeps(value)])
        with pytest.raises(TypeError, match="save: what of Keeps must be numbers, strings,"):
            network.save(tmp_path / "own.npz")
    finally:
        del models.described._registered["Keeps"]
