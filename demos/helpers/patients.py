"""The patients of `demos/doctor.py`: which illness is provoked, and by which choice."""

import numpy as np

import minigan as mg

adam, sgd, layers, losses, penalties = (
    mg.optim.Adam, mg.optim.SGD, mg.layers, mg.losses, mg.penalties
)  # fmt: skip
FADING = mg.schedules.linear(start=0.3, final=0.01)
ring, moons = mg.data.gaussian_ring(std=0.05), mg.data.two_moons(std=0.08)
faraway = ring.sample(20_000, 0) + np.array([12, 0], np.float32)
R1_R2 = [penalties.R1(0.05), penalties.R2(0.05)]


def sigmoids(seed):
    """A generator of eight linear layers with sigmoids between them."""
    sizes = [2] + [32] * 7
    inside = [
        layer for a, b in zip(sizes, sizes[1:]) for layer in (layers.Linear(a, b), layers.Sigmoid())
    ]
    return mg.Sequential([*inside, layers.Linear(32, 2)], rng=seed)


# name: (illness or None, data, loss, {other choices})
PATIENTS = {
    "lr = 0.5": ("learning rate too high", ring, losses.NonSaturating(),
                 {"lr_d": 0.5, "lr_g": 0.5, "schedule": None}),
    "D's lr = 0.1": ("learning rate too high", ring, losses.NonSaturating(),
                     {"lr_d": 0.1, "schedule": None}),
    "minimax, data far away": ("generator starved", faraway, losses.Minimax(), {"lr_g": 1e-5}),
    "G stands still": ("discriminator saturated", faraway, losses.NonSaturating(), {"lr_g": 1e-6}),
    "critic without a bound": ("divergence", ring, losses.Wasserstein(),
                               {"optimizer": sgd, "lr_d": 1.0, "lr_g": 1.0, "schedule": None}),
    "eight sigmoids in G": ("gradients out of balance", ring, losses.NonSaturating(),
                            {"generator": sigmoids}),
    "G 100 times as fast as D": ("mode collapse", ring, losses.NonSaturating(),
                                 {"lr_d": 1e-4, "lr_g": 1e-2, "schedule": None}),
    "non-saturating, R1": (None, ring, losses.NonSaturating(), {"penalties": R1_R2[:1]}),
    "relativistic, R1 + R2": (None, ring, losses.Relativistic(), {"penalties": R1_R2}),
    "hinge": (None, moons, losses.Hinge(), {}),
    "least squares": (None, moons, losses.LeastSquares(), {}),
    "WGAN-GP": (None, moons, losses.Wasserstein(),
                {"penalties": [penalties.GradientPenalty(1.0)], "critic_steps": 3}),
}  # fmt: skip


def visit(name, seed, steps, backend):
    """(the diagnosis, samples, why training ended early or None) of one patient."""
    _, data, loss, choices = PATIENTS[name]
    with mg.kernels.use_backend(backend):
        return train(data, loss, seed, steps, **choices)


def train(
    data, loss, seed, steps, *, optimizer=adam, lr_d=1e-3, lr_g=1e-3, schedule=FADING, penalties=(),
    generator=None, critic_steps=1,
):  # fmt: skip
    """See `visit`."""
    make = generator or (lambda seed: mg.models.mlp_generator(2, (2,), hidden=(64, 64), rng=seed))
    gan = mg.GAN(
        make(seed),
        mg.models.mlp_discriminator((2,), hidden=(64, 64), rng=seed + 1),
        latent_dim=2,
        loss=loss,
        penalties=penalties,
        generator_optimizer=optimizer(lr=lr_g),
        discriminator_optimizer=optimizer(lr=lr_d),
        rng=seed,
    )
    vitals, ended = mg.watch.Vitals(gan, data, rng=seed), None
    try:
        mg.train(
            gan, data, steps=steps, batch_size=128, critic_steps=critic_steps,
            schedule=schedule, callback=vitals, progress=False, rng=seed,
        )  # fmt: skip
    except FloatingPointError as error:
        ended = str(error)
    return mg.diagnose(vitals), gan.sample(600), ended
