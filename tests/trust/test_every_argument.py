"""Every argument of the public functions and constructors, one at a time, of a wrong kind or value.

Each call ends at once in a TypeError or ValueError of one line that names the argument; a number
that happens to be allowed may also be taken. (bad_input.txt has the words, of chosen calls.)
"""

import inspect
import re
import signal
import types

import matplotlib.figure
import numpy as np
import pytest

import minigan as mg
from minigan import layers as L

RNG = np.random.default_rng(0)
POINTS, MORE = RNG.standard_normal((2, 9, 2))
IMAGES, LABELS = RNG.uniform(-1, 1, (4, 8, 8, 1)), np.array([0, 1, 2, 1])
SHARES = np.array([0.25, 0.75])


def generator():
    return mg.Sequential([L.Linear(2, 2)])


def critic():
    return mg.Sequential([L.Linear(2, 3), L.LeakyReLU(), L.Linear(3, 1)])


def gan():
    return mg.GAN(generator(), critic(), latent_dim=2)


def axes():
    return matplotlib.figure.Figure().subplots()


def image_game():
    return mg.image_recipes.game("dcgan", shape=(8, 8, 1))


def train(players):
    return mg.train(players, POINTS, steps=2, batch_size=2, progress=False)


def healthy(seed):
    return mg.gradcheck.check_loss(LOSS, 1, progress=False)


def square(x):
    return float(x @ x)


def distance(real, fake):
    return float(np.abs(real.mean() - fake.mean()))


RULE, LOSS, RING = mg.dirac.Simultaneous(0.1), mg.losses.Hinge(), mg.data.gaussian_ring()
SMOOTH = mg.losses.NonSaturating()
READER = mg.Sequential([L.Flatten(), L.Linear(64, 3)])
SMALL = mg.recipes.Recipe(steps=1, batch_size=2, hidden=(2,), frequencies=1)
NUMBERS = {"None": None, "text": "text", "object": object(), "complex": np.ones((9, 2), complex),
           "nan": float("nan"), "negative": -1, "broken": 2.5, "empty": np.zeros(0),
           "five axes": np.zeros((1, 2, 1, 2, 1)), "huge": 10**30}  # fmt: skip
# the arguments of a call that works; those that are not here have their defaults
CALLS = {
    "GAN": {"generator": generator, "discriminator": critic, "latent_dim": 2,
            "sample_shape": (2,), "loss": LOSS, "penalties": (), "rng": 0},
    "Sequential": {"layers": lambda: [L.Linear(2, 2)], "dtype": "float32", "rng": 0},
    "Average": {"network": generator, "decay": 0.9},
    "Plateau": {"measure": float, "every": 1, "patience": 1, "improvement": 0.1},
    "train": {"gan": gan, "data": POINTS, "steps": 1, "batch_size": 2, "critic_steps": 1,
              "progress": False, "rng": 0},
    "auxiliary.AuxiliaryClassifier": {"adversarial": LOSS, "classes": 2, "weight": 1.0},
    "auxiliary.Information": {"adversarial": LOSS, "categories": 2, "continuous": 0, "weight": 1.0},
    "classifier.build": {"classes": 2, "dtype": "float32", "rng": 0},
    "conditional.ask": {"noise": MORE, "labels": 1, "classes": 2},
    "conditional.blank": {"images": IMAGES, "width": 2},
    "conditional.label": {"images": IMAGES, "labels": LABELS, "classes": 3},
    "conditional.unlabel": {"rows": POINTS, "shape": (1,), "classes": 2},
    "conditional.OneHot": {"classes": 2, "scale": 1.0, "learned": False},
    "conditional.LabelPlanes": {"shape": (1, 1, 1), "classes": 2},
    "conditional.Projection": {"classes": 2},
    "conditional.WithCode": {"layer": L.Tanh, "width": 1, "whole": False},
    "data.gaussian_grid": {"side": 2, "spacing": 1.0, "std": 0.1},
    "data.gaussian_ring": {"modes": 2, "radius": 1.0, "std": 0.1},
    "data.glyphs": {"count": 0, "size": 8, "rng": 0},
    "data.from_picture": {"path": __file__},
    "data.images_from_folder": {"folder": "no such"},
    "data.load_idx": {"path": __file__},
    "data.mnist": {"split": "no such"},
    "data.pinwheel": {"arms": 2, "radial_std": 0.1, "tangential_std": 0.1, "rate": 0.1},
    "data.swiss_roll": {"std": 0.1},
    "data.two_moons": {"std": 0.1},
    "dirac.R1": {"gamma": 1.0},
    "dirac.GradientPenalty": {"weight": 1.0, "target": 1.0},
    "dirac.Simultaneous": {"h": 0.1},
    "dirac.trajectory": {"method": mg.dirac.R1(), "step": RULE, "start": (1.0, 1.0), "steps": 2},
    "dirac.predicted_contraction": {"method": mg.dirac.R1(), "step": RULE},
    "dirac.measured_contraction": {"method": mg.dirac.R1(), "step": RULE, "steps": 2},
    "game_steps.Lookahead": {"gan": gan, "every": 1, "fraction": 0.5},
    "game_steps.two_time_scales": {"generator_lr": 0.1, "discriminator_lr": 0.1,
                                   "optimizer": mg.optim.Adam},
    "gradcheck.check_function": {"f": square, "gradient": np.ones(2), "x": np.ones(2),
                                 "progress": False},
    "gradcheck.check_layer": {"layer": L.Tanh, "x": (4, 1), "rng": 0, "progress": False},
    "gradcheck.check_loss": {"loss": LOSS, "n": 1, "rng": 0, "progress": False},
    "gradcheck.check_penalty": {"penalty": mg.penalties.R1(1.0), "discriminator": critic,
                                "real": POINTS[:1], "fake": MORE[:1], "directions": 1, "rng": 0,
                                "progress": False},
    "gradcheck.check_step": {"gan": gan, "real": POINTS[:2], "directions": 1, "progress": False},
    "gradcheck.explain": {"found": POINTS, "expected": MORE},
    "gradcheck.relative_error": {"a": POINTS, "b": MORE},
    "image_recipes.game": {"model": "dcgan", "loss": "relativistic", "penalty": "none",
                           "shape": (8, 8, 1), "augment": False, "rng": 0},
    "kernels.matmul": {"a": POINTS, "b": POINTS.T, "transpose_a": False, "transpose_b": False},
    "kernels.use_backend": {"name": "numpy"},
    "layers.AvgPool2d": {"kernel_size": 2},
    "layers.BatchNorm": {"num_features": 2, "eps": 0.1, "momentum": 0.1},
    "layers.Conv2d": {"in_channels": 1, "out_channels": 1, "kernel_size": 1, "stride": 1,
                      "padding": 0, "bias": True},
    "layers.ConvTranspose2d": {"in_channels": 1, "out_channels": 1, "kernel_size": 1, "stride": 1,
                               "padding": 0, "bias": True},
    "layers.ConditionalBatchNorm": {"shape": (2,), "classes": 2, "eps": 0.1, "momentum": 0.1},
    "layers.Dropout": {"p": 0.1},
    "layers.Embedding": {"num_embeddings": 2, "embedding_dim": 2},
    "layers.FourierFeatures": {"in_features": 2, "num_frequencies": 2, "scale": 1.0,
                               "std": 0.1},
    "layers.LayerNorm": {"num_features": 2, "eps": 0.1},
    "layers.LeakyReLU": {"negative_slope": 0.1},
    "layers.Linear": {"in_features": 2, "out_features": 2, "bias": True},
    "layers.LogitWithFeatures": {"layer": L.Tanh},
    "layers.MinibatchDiscrimination": {"in_features": 2, "measures": 2, "dimensions": 2},
    "layers.MinibatchStdDev": {"eps": 0.1},
    "layers.RandomBrightness": {"amount": 0.1},
    "layers.RandomCutout": {"fraction": 0.1, "fill": 0.0},
    "layers.RandomTranslation": {"fraction": 0.1, "fill": 0.0},
    "layers.Rescale": {"factor": 1.0},
    "layers.Reshape": {"shape": (2, -1)},
    "layers.Residual": {"branch": L.Tanh, "skip": L.Tanh},
    "layers.SelfAttention": {"channels": 2},
    "layers.SpectralNorm": {"layer": lambda: L.Linear(2, 2)},
    "layers.Upsample2d": {"scale": 2},
    "ledger.record": {"gan": gan, "real": POINTS[:2]},
    "load": {"path": "no such.npz"},
    "metrics.beside_real": {"metric": distance, "real": POINTS, "fake": MORE, "held_out": POINTS},
    "metrics.birthday_support": {"samples": POINTS, "within": 1.0},
    "metrics.class_coverage": {"probabilities": np.tile(SHARES, (4, 1)), "reference": SHARES,
                               "min_share": 0.1, "confidence": 0.5},
    "metrics.classifier_two_sample_test": {"real": POINTS, "fake": MORE, "steps": 1, "rng": 0},
    "metrics.copying": {"samples": POINTS, "training": MORE, "held_out": POINTS},
    "metrics.frechet_distance": {"features_a": POINTS, "features_b": MORE},
    "metrics.kernel_distance": {"x": POINTS, "y": MORE},
    "metrics.mmd": {"x": POINTS, "y": MORE, "bandwidths": 1.0},
    "metrics.mode_coverage": {"samples": POINTS, "modes": MORE, "std": 0.1},
    "metrics.nearest": {"samples": POINTS, "training": MORE, "k": 1},
    "metrics.precision_recall_density_coverage": {"real": POINTS, "fake": MORE, "k": 1},
    "metrics.reverse_kl": {"generated": SHARES, "reference": SHARES},
    "metrics.sliced_wasserstein": {"x": POINTS, "y": MORE, "directions": 2, "p": 1.0, "rng": 0},
    "metrics.total_variation": {"p": SHARES, "q": SHARES},
    "models.auxiliary_discriminator": {"code": 2, "channels": 1},
    "models.concatenation_discriminator": {"classes": 2, "channels": 1},
    "models.conditional_generator": {"latent_dim": 1, "classes": 2, "continuous": 0, "channels": 1},
    "models.dcgan_discriminator": {"shape": (8, 8, 1), "channels": 1, "convolutions": 1},
    "models.dcgan_generator": {"latent_dim": 1, "shape": (8, 8, 1), "channels": 1,
                               "convolutions": 1, "hidden": (2,)},
    "models.mlp_discriminator": {"sample_shape": (2,), "hidden": (2,), "dtype": "float32"},
    "models.mlp_generator": {"latent_dim": 2, "sample_shape": (2,), "hidden": (2,), "rng": 0},
    "models.projection_discriminator": {"classes": 2, "channels": 1},
    "models.residual_discriminator": {"shape": (8, 8, 1), "channels": 1},
    "models.residual_generator": {"latent_dim": 1, "shape": (8, 8, 1), "channels": 1},
    "bugs.complaint": {"check": healthy, "seed": 0},
    "classifier.accuracy": {"network": READER, "images": IMAGES, "labels": LABELS},
    "classifier.fit": {"network": READER, "images": IMAGES, "labels": LABELS, "epochs": 1,
                       "batch_size": 2, "lr": 0.1, "rng": 0, "progress": False},
    "classifier.in_batches": {"network": READER, "x": IMAGES, "batch_size": 2, "progress": False},
    "diagnose": {"vitals": lambda: mg.watch.Vitals(gan(), POINTS, probe=64)},
    "dirac.ClippedWasserstein": {"clip": 1.0},
    "dirac.Consensus": {"gamma": 1.0},
    "dirac.Extragradient": {"h": 0.1},
    "dirac.InstanceNoise": {"sigma": 1.0},
    "dirac.LookaheadRounds": {"inner": RULE, "every": 2, "fraction": 0.5},
    "game_steps.OptimisticAdam": {"lr": 0.1, "beta1": 0.5, "beta2": 0.5, "eps": 0.1},
    "game_steps.OptimisticSGD": {"lr": 0.1},
    "image_recipes.annealing": {"game": image_game, "steps": 2},
    "ledger.Replay": {"gan": gan, "data": POINTS, "steps": 1, "batch_size": 2, "rng": 0},
    "models.FeatureMatching": {"adversarial": LOSS, "features": 2},
    "parallel.across_ranks": {"gan": gan},
    "penalties.R2": {"gamma": 1.0},
    "plots.has_screen": {"figure": matplotlib.figure.Figure},
    "plots.training_curves": {"history": lambda: train(gan()), "loss": LOSS},
    "plots.window": {"rows": 1, "columns": 1, "size": (1.0, 1.0)},
    "recipes.train": {"distribution": RING, "recipe": SMALL, "progress": False, "rng": 0},
    "stabilisers.Annealing": {"noise": None, "coarse": 0.5, "fine": 0.1, "steps": 2, "until": 0.5,
                              "power": 1.0},
    "optim.Adam": {"lr": 0.1, "beta1": 0.5, "beta2": 0.5, "eps": 0.1},
    "optim.RMSProp": {"lr": 0.1, "decay": 0.5, "eps": 0.1},
    "optim.SGD": {"lr": 0.1, "momentum": 0.5},
    "penalties.Dragan": {"weight": 1.0},
    "penalties.GradientPenalty": {"weight": 1.0, "target": 1.0},
    "penalties.R1": {"gamma": 1.0},
    "penalties.WeightClipping": {"limit": 1.0},
    "plots.density": {"axes": axes, "distribution": RING, "resolution": 2},
    "plots.figure": {"rows": 1, "columns": 1, "size": (1.0, 1.0)},
    "plots.frame": {"axes": axes, "extent": (0, 1, 0, 1), "margin": 0.1},
    "plots.image_grid": {"axes": axes, "images": IMAGES, "columns": 2},
    "plots.points": {"axes": axes, "samples": POINTS, "size": 1.0, "alpha": 0.5},
    "plots.smooth": {"values": np.ones(3), "window": 2},
    "schedules.cosine": {"final": 0.0},
    "schedules.exponential": {"final": 0.1},
    "schedules.linear": {"start": 0.0, "final": 0.0},
    "spectrum.Game": {"generator": generator, "discriminator": critic, "loss": SMOOTH,
                      "real": POINTS, "noise": MORE},
    "stabilisers.DiscreteNoise": {"signs": 1},
    "stabilisers.InstanceNoise": {"std": 0.1},
    "stabilisers.LearnedPrior": {"speed": 1.0, "every": 1, "samples": 2},
    "stabilisers.OneSidedSmoothing": {"label": 0.9},
    "stabilisers.Pack": {"samples": 1},
    "stabilisers.WithInput": {"layer": L.Tanh},
    "watch.Film": {"gan": gan, "data": RING, "moments": [1], "samples": 2, "rng": 0},
    "watch.Vitals": {"gan": gan, "data": POINTS, "every": 1, "probe": 64, "rng": 0},
    "watch.moments": {"steps": 2, "frames": 2},
}  # fmt: skip
OTHER_NAMES = {  # the words of an error in which the argument stands by another name
    ("train", "data"): "data must|real must", ("watch.Vitals", "data"): "data must|real must",
    ("ledger.Replay", "data"): "data must|real must",
    ("kernels.use_backend", "name"): 'backend: expected "numba" or "numpy"',
}  # fmt: skip
SECONDS = 5  # none takes a tenth of one


def found(name):
    thing = mg
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


def made(value):
    """What stands for a fresh object is called to make one."""
    is_maker = isinstance(value, types.FunctionType | type) and value not in KEPT
    return value() if is_maker else value


KEPT = (float, square, distance, healthy, mg.optim.Adam)  # arguments that are functions or classes


def too_long(signum, frame):
    raise AssertionError(f"more than {SECONDS} s")


@pytest.fixture(autouse=True)
def limited(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = signal.signal(signal.SIGALRM, too_long)
    with mg.kernels.use_backend("numpy"):
        yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def outcome(name, arguments):
    """The error of a call, or None."""
    signal.alarm(SECONDS)
    try:
        with np.errstate(all="ignore"):
            result = found(name)(**{k: made(v) for k, v in arguments.items()})
            if hasattr(result, "__enter__"):  # a context manager may check when it is entered
                with result:
                    pass
    except Exception as error:
        return error
    return None


def takes_none(name, argument):
    parameter = inspect.signature(found(name)).parameters[argument]
    return parameter.default is None or re.search("None|Optional", str(parameter.annotation))


@pytest.mark.parametrize("name", CALLS)
def test_each_argument_is_named(name):
    wrong = []
    for argument in CALLS[name]:
        for kind, bad in NUMBERS.items():
            error = outcome(name, CALLS[name] | {argument: bad})
            if error is None:
                if kind in ("object", "complex") or (
                    kind == "None" and not takes_none(name, argument)
                ):
                    wrong.append((argument, kind, "was taken"))
            elif "\n" in str(error) or not isinstance(error, TypeError | ValueError):
                if not (argument in ("path", "folder") and isinstance(error, FileNotFoundError)):
                    wrong.append((argument, kind, repr(error)))
            elif not re.search(OTHER_NAMES.get((name, argument), argument), str(error)):
                wrong.append((argument, kind, str(error)))
    assert not wrong
