"""N steps, a break and N steps more are 2 N steps, to the last bit."""

import contextlib
import os
import signal
import threading

import numpy as np
import pytest

import minigan as mg
from minigan import archive, checkpoint
from minigan.training import History

STEPS = 24


@pytest.fixture
def file(tmp_path):
    return tmp_path / "run.npz"


def test_any_cut(parts, cut, cut_after, file, backend):
    whole = parts().train(STEPS)
    for last in (0, 1, 8, 9, 23):
        with contextlib.suppress(cut):
            parts().train(STEPS, checkpoint=file, checkpoint_every=1, callback=cut_after(last))
        assert parts().train(STEPS, checkpoint=file, resume=True) == whole, last


def test_many_breaks(parts, cut, cut_after, file):
    whole = parts().train(STEPS)
    parts().train(1, checkpoint=file)
    for last in range(2, STEPS, 5):
        with contextlib.suppress(cut):
            parts().train(
                STEPS,
                checkpoint=file,
                checkpoint_every=3,
                resume=last > 2,
                callback=cut_after(last),
            )
    assert parts().train(STEPS, checkpoint=file, resume=True) == whole


def test_a_run_may_be_made_longer(file):
    """Without a schedule, which stretches with the run."""

    def train(steps, **options):
        generator = mg.models.mlp_generator(2, (2,), hidden=(8,))
        discriminator = mg.models.mlp_discriminator((2,), hidden=(8,))
        gan = mg.GAN(generator, discriminator, latent_dim=2)
        ring = mg.data.gaussian_ring()
        history = mg.train(gan, ring, steps=steps, batch_size=8, progress=False, **options)
        return generator.theta.tobytes(), discriminator.theta.tobytes(), history.columns

    whole = train(20)
    train(10, checkpoint=file)
    assert train(20, checkpoint=file, resume=True) == whole


def test_saving_changes_nothing(parts, file):
    assert parts().train(20) == parts().train(20, checkpoint=file, checkpoint_every=1)


def test_the_same_state_makes_the_same_file(parts, file, tmp_path):
    parts().train(5, checkpoint=file)
    parts().train(5, checkpoint=tmp_path / "again.npz")
    assert file.read_bytes() == (tmp_path / "again.npz").read_bytes()
    with np.load(file, allow_pickle=False) as arrays:
        assert arrays["generator/theta"].dtype == np.float32


def test_every_kind_of_random_generator(file):
    kinds = [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64]
    ends = []
    for resume in (False, True):
        rngs = [np.random.Generator(kind(5)) for kind in kinds]
        gan = mg.GAN(
            mg.Sequential([mg.layers.Linear(2, 2), mg.layers.Dropout(0.5)], rng=rngs[0]),
            mg.Sequential([mg.layers.Linear(2, 1), mg.layers.Dropout(0.5)], rng=rngs[1]),
            latent_dim=2,
            rng=rngs[2],
        )
        mg.train(
            gan, np.eye(2), steps=10, rng=rngs[3], progress=False, checkpoint=file, resume=resume
        )
        ends.append([rng.random() for rng in rngs])
    assert ends[0] == ends[1]


@pytest.fixture
def keyboard():
    """Ctrl-C as a terminal has it: a shell starts what it puts in the background without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_finishes_the_step_and_saves(parts, file, capsys, keyboard):
    whole = parts().train(STEPS)
    halves = []

    def interrupt(step, *_):
        halves.append(step)
        if step == 10:
            os.kill(os.getpid(), signal.SIGINT)

    broken = parts()
    broken.train(STEPS, checkpoint=file, callback=interrupt)
    assert halves[-1] in (10, 11)
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and str(file) in said and "--resume" in said
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert parts().train(STEPS, checkpoint=file, resume=True) == whole


def test_a_second_ctrl_c_ends_at_once(parts, file, keyboard):
    def interrupt(step, *_):
        if step == 5:
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        parts().train(STEPS, checkpoint=file, callback=interrupt)
    assert parts().train(STEPS, checkpoint=file, resume=True) == parts().train(STEPS)


def test_in_a_thread(parts, file):
    """Where no signal arrives, and none can be waited for."""
    ends = []
    thread = threading.Thread(target=lambda: ends.append(parts().train(5, checkpoint=file)))
    thread.start()
    thread.join()
    assert ends == [parts().train(5)]


def test_a_run_that_has_converged_does_not_go_on(file):
    def train(**options):
        gan = mg.GAN(
            mg.models.mlp_generator(2, (2,), hidden=(4,)),
            mg.models.mlp_discriminator((2,), hidden=(4,)),
            latent_dim=2,
        )
        stop = mg.Plateau(lambda gan: 1.0, every=5, patience=2)
        ring = mg.data.gaussian_ring()
        return mg.train(gan, ring, steps=50, stop=stop, progress=False, checkpoint=file, **options)

    first = train()
    assert len(first) == 15 and first.stopped.startswith("converged at step 15")
    again = train(resume=True)
    assert again.columns == first.columns and again.stopped == first.stopped


def test_between_two_renamings_the_one_before_is_used(parts, cut, cut_after, file):
    whole = parts().train(STEPS)
    with contextlib.suppress(cut):
        parts().train(STEPS, checkpoint=file, checkpoint_every=5, callback=cut_after(12))
    file.unlink()
    assert archive.previous(file).exists()
    assert parts().train(STEPS, checkpoint=file, resume=True) == whole


def test_a_checkpoint_of_another_run_is_refused_and_nothing_changes(parts, file):
    parts().train(6, checkpoint=file)
    linear, network = mg.layers.Linear, mg.Sequential
    changes = {
        "generator": {"generator": network([linear(2, 16), linear(16, 2)])},
        "discriminator": {"discriminator": network([linear(2, 1)])},
        "loss": {"loss": mg.losses.Hinge()},
        "penalties": {"penalties": ()},
        "generator optimizer": {"generator_optimizer": mg.optim.Adam(beta1=0.9)},
        "discriminator optimizer": {"discriminator_optimizer": mg.optim.SGD()},
    }
    for name, change in changes.items():
        fresh = parts()
        same = {
            key: getattr(fresh.gan, key)
            for key in (
                "generator", "discriminator", "latent_dim", "loss", "penalties",
                "generator_optimizer", "discriminator_optimizer",
            )
        }  # fmt: skip
        gan = mg.GAN(**(same | change))
        before = gan.generator.theta.copy(), gan.discriminator.theta.copy()
        average = mg.Average(fresh.gan.generator, 0.9)
        with pytest.raises(ValueError, match=f"another run: expected {name} ") as raised:
            mg.train(
                gan, np.zeros((3, 2)), steps=9, checkpoint=file, resume=True, progress=False,
                batch_size=8, critic_steps=2, average=average,
            )  # fmt: skip
        assert str(file) in str(raised.value) and "\n" not in str(raised.value)
        assert np.array_equal(before[0], gan.generator.theta)
        assert np.array_equal(before[1], gan.discriminator.theta)


@pytest.mark.parametrize(
    "name, options",
    [
        ("average none", {"average": None}),
        ("batch_size 4", {"batch_size": 4}),
        ("critic_steps 1", {"critic_steps": 1}),
        ("data array", {"data": np.ones((50, 2))}),
        ("data GaussianModes", {"data": mg.data.gaussian_ring()}),
    ],
)
def test_other_options_are_refused(parts, file, name, options):
    parts().train(6, checkpoint=file)
    fresh = parts()
    same = {"data": np.zeros((50, 2)), "batch_size": 8, "critic_steps": 2, "average": fresh.average}
    with pytest.raises(ValueError, match=f"expected {name}"):
        mg.train(fresh.gan, steps=9, checkpoint=file, resume=True, **(same | options))


def test_an_optimizer_that_does_not_say_what_it_keeps(parts, file):
    class Own:
        lr = 0.1

        def step(self, theta, grad):
            theta -= self.lr * grad

    own = parts()
    own.gan.generator_optimizer = Own()
    with pytest.raises(TypeError, match="Own must say what it keeps"):
        mg.train(own.gan, np.eye(2), steps=2, checkpoint=file, progress=False)
    mg.train(own.gan, np.eye(2), steps=2, progress=False)  # without a checkpoint it is welcome


def test_a_run_of_no_steps_is_kept_whole(parts, file):
    part = parts()
    minibatches = mg.data.minibatches.Minibatches(np.eye(2), 2)
    run = checkpoint.Run(part.gan, minibatches, 1, History(), [1.0, 1.0])
    before = part.gan.generator.theta.copy()
    checkpoint.save(file, run)
    part.gan.generator.theta[...] = 7
    checkpoint.load(file, run)
    assert np.array_equal(part.gan.generator.theta, before) and len(run.history) == 0


def test_what_a_callback_adjusts_is_kept(cut, file):
    """A penalty's strength that fades: the step after the break uses what the one before it set."""

    def train(stop_after=None, **options):
        penalty = mg.penalties.R1(1.0)
        gan = mg.GAN(
            mg.models.mlp_generator(2, (2,), hidden=(4,)),
            mg.models.mlp_discriminator((2,), hidden=(4,)),
            latent_dim=2,
            penalties=[penalty],
        )

        def fade(step, *_):
            penalty.gamma *= 0.5
            if step == stop_after:
                raise cut

        ring = mg.data.gaussian_ring()
        mg.train(
            gan, ring, steps=8, batch_size=4, progress=False, callback=fade, checkpoint=file,
            checkpoint_every=1, **options,
        )  # fmt: skip
        return gan.discriminator.theta.tobytes(), penalty.gamma

    whole = train()
    with contextlib.suppress(cut):
        train(stop_after=5)
    assert train(resume=True) == whole and whole[1] == 0.5**8


@pytest.mark.parametrize("last", [1, 3, 4, 5, 9])
def test_what_was_watched_is_kept(cut, cut_after, file, last):
    """A film and vital signs, also where the break lies just before a measurement (at 5, 10)."""

    def train(**options):
        gan = mg.GAN(
            mg.Sequential([mg.layers.Linear(2, 4), mg.layers.BatchNorm(4), mg.layers.Linear(4, 2)]),
            mg.models.mlp_discriminator((2,), hidden=(4,)),
            latent_dim=2,
        )
        ring = mg.data.gaussian_ring()
        vitals = mg.watch.Vitals(gan, ring, every=5, probe=64)
        film = mg.watch.Film(gan, ring, moments=[1, 4, 6, 11], samples=8, resolution=3)
        seen = [vitals, film, *options.pop("more", [])]
        with contextlib.suppress(cut):
            mg.train(gan, ring, steps=12, batch_size=8, progress=False, callback=seen, **options)
        facts = vitals.steps, vitals.columns, vitals.layers, vitals.first_distance
        frames = [[frame.step, frame.fake.tobytes(), frame.push.tobytes()] for frame in film.frames]
        return facts, frames, [frame.logits.tobytes() for frame in film.frames]

    whole = train()
    train(checkpoint=file, checkpoint_every=1, more=[cut_after(last)])
    assert train(checkpoint=file, resume=True) == whole


def test_another_film_is_refused(file):
    gan = mg.GAN(
        mg.models.mlp_generator(2, (2,), hidden=(4,)),
        mg.models.mlp_discriminator((2,), hidden=(4,)),
        latent_dim=2,
    )
    ring = mg.data.gaussian_ring()

    def train(callback, **options):
        mg.train(
            gan, ring, steps=2, batch_size=8, progress=False, callback=callback, checkpoint=file,
            **options,
        )  # fmt: skip

    train(mg.watch.Film(gan, ring, moments=[1], samples=8, resolution=3))
    with pytest.raises(
        ValueError, match="expected callback 0/fake|expected fake|expected callback"
    ):
        train(mg.watch.Film(gan, ring, moments=[1], samples=9, resolution=3), resume=True)
    with pytest.raises(ValueError, match="another run: expected callbacks Vitals, got Film"):
        train(mg.watch.Vitals(gan, ring, probe=64), resume=True)
