"""N steps, a break and N steps more are 2 N steps, to the last bit."""

import contextlib
import os
import signal
import threading

import numpy as np
import pytest

import minigan as mg
from minigan import _archive as archive
from minigan import checkpoint
from minigan.training.history import History

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
    """Ctrl-C raises KeyboardInterrupt: a shell makes its background processes ignore it."""
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
        average = mg.Average(gan.generator, 0.9)
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
    mg.train(own.gan, np.eye(2), steps=2, progress=False)  # it works without a checkpoint


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
    """A film and vital signs, also where the break lies just before a measurement (at 5, 10), and
    where a later callback has moved the players since they were copied for it (at 4)."""

    def train(**options):
        gan = mg.GAN(
            mg.Sequential([mg.layers.Linear(2, 4), mg.layers.BatchNorm(4), mg.layers.Linear(4, 2)]),
            mg.models.mlp_discriminator((2,), hidden=(4,)),
            latent_dim=2,
        )
        ring = mg.data.gaussian_ring()
        vitals = mg.watch.Vitals(gan, ring, every=5, probe=64)
        film = mg.watch.Film(gan, ring, moments=[1, 4, 6, 11], samples=8, resolution=3)
        lookahead = mg.game_steps.Lookahead(gan, every=4)
        seen = [vitals, film, lookahead, *options.pop("more", [])]
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


# -- a run that is resumed with something else -----------------------------------------------------


class Smoothed(mg.stabilisers.OneSidedSmoothing):
    """A loss with an option that is no float."""

    def __init__(self, label=0.9, rounds=1):
        super().__init__(label)
        self.rounds = rounds


def resumable(
    file, *, steps=6, lr_g=1e-3, lr_d=1e-3, beta1=0.5, gamma=10.0, slope=0.2, label=0.9, rounds=1,
    seed=5, gan_seed=3, decay=0.9, noise=0.5, data=None, gan=None, **options,
):  # fmt: skip
    """Trains with these options; returns the GAN."""
    linear, bend = mg.layers.Linear, mg.layers.LeakyReLU
    gan = gan or mg.GAN(
        mg.Sequential([linear(2, 4), bend(slope), linear(4, 2)], rng=1),
        mg.Sequential([mg.stabilisers.InstanceNoise(noise), linear(2, 1)], rng=2),
        latent_dim=2,
        loss=Smoothed(label, rounds),
        penalties=[mg.penalties.R1(gamma)],
        generator_optimizer=mg.optim.Adam(lr_g, beta1=beta1),
        discriminator_optimizer=mg.optim.Adam(lr_d),
        rng=gan_seed,
    )
    mg.train(
        gan, mg.data.gaussian_ring() if data is None else data, steps=steps, progress=False,
        **({"batch_size": 8, "rng": seed, "average": mg.Average(gan.generator, decay)} | options),
        checkpoint=file,
    )  # fmt: skip
    return gan


LINEAR = mg.schedules.linear
DIFFERENT = {
    "generator_optimizer.lr": ({"lr_g": 1e-2}, "0.01", "0.001"),
    "discriminator_optimizer.lr": ({"lr_d": 1e-4}, "0.0001", "0.001"),
    "generator optimizer": ({"beta1": 0.9}, "Adam(beta1=0.9, beta2", "Adam(beta1=0.5, beta2"),
    "penalties[0].gamma": ({"gamma": 0.1}, "0.1", "10.0"),
    "generator/1.negative_slope": ({"slope": 0.1}, "0.1", "0.2"),
    "discriminator/0.std": ({"noise": 0.3}, "0.3", "0.5"),
    "loss.label": ({"label": 0.8}, "0.8", "0.9"),
    "loss": ({"rounds": 2}, "Smoothed(rounds=2)", "Smoothed(rounds=1)"),
    "rng": ({"seed": 6}, "seed 6", "seed 5"),
    "gan.rng": ({"gan_seed": (0, 4)}, "seed (0, 4)", "seed 3"),
    "average": ({"decay": 0.99}, "decay 0.99", "decay 0.9"),
    "batch_size": ({"batch_size": 4}, "4", "8"),
    "critic_steps": ({"critic_steps": 3}, "3", "1"),
    "schedule": ({"schedule": LINEAR(final=0.5)}, "of factors 1, 0.875, 0.75", "none"),
    "data": ({"data": mg.data.gaussian_ring(std=0.1)}, "GaussianModes, CRC", "GaussianModes, CRC"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_an_option_that_differs_is_named_with_both_values(file, name):
    options, new, old = DIFFERENT[name]
    resumable(file)
    kept = file.read_bytes()
    with pytest.raises(ValueError, match="it is of another run") as raised:
        resumable(file, steps=9, resume=True, **options)
    message = str(raised.value)
    assert f"expected {name} {new}" in message and f"got {old}" in message, message
    assert "\n" not in message and file.read_bytes() == kept
    resumable(file, steps=9, resume=True)  # the same options: it goes on


def test_every_difference_is_named_at_once(file):
    resumable(file)
    with pytest.raises(ValueError) as raised:
        resumable(file, resume=True, lr_g=1e-2, gamma=0.1, batch_size=4)
    for name in ("generator_optimizer.lr", "penalties[0].gamma", "batch_size"):
        assert f"expected {name} " in str(raised.value)


@pytest.mark.parametrize(
    "schedules", [(LINEAR(), LINEAR(final=0.1)), (lambda t: 1 - t / 2, lambda t: 1 - t / 3)]
)
def test_schedules_are_told_apart_by_what_they_compute(file, schedules):
    resumable(file, schedule=schedules[0])
    with pytest.raises(ValueError, match="expected schedule of factors"):
        resumable(file, schedule=schedules[1], resume=True)


def test_a_named_change_is_made(file):
    resumable(file, schedule=LINEAR())
    gan = resumable(
        file, steps=9, lr_g=1e-2, gamma=0.1, batch_size=4, schedule=None, seed=8, resume=True,
        changes=["generator_optimizer.lr", "penalties[0].gamma", "batch_size", "schedule", "rng"],
    )  # fmt: skip
    assert gan.generator_optimizer.lr == 1e-2 and gan.penalties[0].gamma == 0.1
    assert gan.discriminator_optimizer.lr == 1e-3  # not 0, the schedule's last factor in the file
    again = resumable(  # the file is now of the changed run
        file, steps=12, lr_g=1e-2, gamma=0.1, batch_size=4, seed=8, resume=True
    )
    assert again.generator_optimizer.lr == 1e-2
    with pytest.raises(ValueError, match=r"expected penalties\[0\].gamma 10.0, got 0.1"):
        resumable(file, resume=True)


def test_what_is_added_by_a_named_change_begins_anew(file):
    gan = resumable(file)
    gan.penalties = [*gan.penalties, mg.penalties.R2(2.0)]
    callbacks = [
        mg.watch.Vitals(gan, mg.data.gaussian_ring(), every=4),
        mg.game_steps.Lookahead(gan),
    ]
    gan.generator.theta += 9.0  # the file has other values
    resumable(
        file, steps=7, resume=True, gan=gan, callback=callbacks,
        changes=["penalties", "penalties[1].gamma", "callbacks"],
    )  # fmt: skip
    assert gan.penalties[1].gamma == 2.0
    assert np.abs(callbacks[1].slow[0] - gan.generator.theta).max() < 0.1
    resumable(file, steps=8, resume=True, gan=gan, callback=callbacks)
    assert callbacks[0].steps == [8]


def test_a_state_that_the_file_lacks_cannot_be_resumed(file):
    gan = resumable(file, average=None)
    with pytest.raises(ValueError, match="no state for this average: .*, got none"):
        resumable(file, resume=True, changes=["average"])
    gan.generator_optimizer = mg.optim.SGD(1e-3)
    words = r"no state for this generator optimizer: expected SGD.*, got Adam\("
    with pytest.raises(ValueError, match=words):
        resumable(file, resume=True, gan=gan, average=None, changes=["generator optimizer"])


@pytest.mark.parametrize(
    "change", [{"first_distance": "far"}, {"steps": [0]}, {"steps": [1, 2]}, {"_last": -1}]
)
def test_a_damaged_record_is_refused_by_the_files_name(file, change):
    gan, ring = resumable(file), mg.data.gaussian_ring()
    resumable(file, gan=gan, callback=mg.watch.Vitals(gan, ring, probe=64))
    read = archive.Archive(file)
    header = read.header
    header["callbacks"][0] |= change
    with np.load(file) as arrays:
        archive.write(file, header, {name: arrays[name] for name in arrays if name != "header"})
    with pytest.raises(ValueError, match=f"checkpoint {file}: "):
        resumable(file, gan=gan, callback=mg.watch.Vitals(gan, ring, probe=64), resume=True)


@pytest.mark.parametrize("kind", [np.float64, np.float32, int])
@pytest.mark.parametrize("again", [False, True], ids=["anew", "the same objects"])
def test_a_setting_may_become_a_number_of_another_kind(file, kind, again):
    def raise_gamma(step, gan, _):
        gan.penalties[0].gamma = kind(step)

    gan = resumable(file, callback=raise_gamma)
    gan = resumable(file, steps=6, resume=True, gan=gan if again else None)
    assert gan.penalties[0].gamma == 6


def test_other_data_begin_with_an_epoch_of_their_own(file):
    large, small = np.ones((40, 2)), np.zeros((5, 2))
    resumable(file, data=large)
    resumable(file, data=small, steps=9, resume=True, changes=["data"])


def test_changes_are_checked(file):
    resumable(file)
    for changes, error, message in (
        (["gamma"], ValueError, "there is no gamma; there are: generator, "),
        ("rng", TypeError, "changes must be a list of strings, .*got 'rng'"),
    ):
        with pytest.raises(error, match=message):
            resumable(file, resume=True, changes=changes)
    with pytest.raises(ValueError, match="pass resume=True too"):
        resumable(file, changes=["rng"])


@pytest.mark.parametrize("again", [False, True], ids=["anew", "the same objects"])
@pytest.mark.parametrize("last", [4, 6], ids=["cut between two saves", "to its end"])
def test_what_training_itself_changes_is_no_difference(file, cut, last, again):
    def fade(step, gan, _):
        gan.penalties[0].gamma *= 0.5
        gan.discriminator.layers[0].std *= 0.5
        if step == last < 6:
            kept.append(gan)
            raise cut

    kept, options = [], {"schedule": LINEAR(), "callback": fade, "checkpoint_every": 3}
    with contextlib.suppress(cut):
        kept.append(resumable(file, **options))
    last = 99
    gan = resumable(file, steps=6, resume=True, gan=kept[0] if again else None, **options)
    assert gan.penalties[0].gamma == 10 * 0.5**6
    if again:
        gan.penalties[0].gamma = 3.0  # by hand, between two trainings
        with pytest.raises(ValueError, match=r"expected penalties\[0\].gamma 3.0, got 10.0"):
            resumable(file, resume=True, gan=gan, **options)


def test_seeds_from_the_system_are_no_difference(file):
    resumable(file, seed=np.random.default_rng())
    resumable(file, seed=np.random.default_rng(), resume=True)


class Made:
    """A source of data made of a part of any kind."""

    def __init__(self, part):
        self.part = part

    def sample(self, n, rng):
        return rng.standard_normal((n, 2))


@pytest.mark.parametrize(
    "first, second",
    [
        ([1, 2], [1, 3]),
        ({"a": 1}, {"a": 2}),
        ((np.zeros(2000),), (np.eye(2000)[1000],)),
        (np.zeros(4), np.zeros((2, 2))),
        (np.zeros(1, np.float32), np.zeros(1, np.int32)),
        ([Made(1.0)], [Made(2.0)]),
        (np.sin, np.cos),
    ],
)
def test_data_are_told_apart_by_what_they_are_made_of(file, first, second):
    resumable(file, data=Made(first))
    resumable(file, data=Made(first), resume=True)
    with pytest.raises(ValueError, match="expected data Made, CRC"):
        resumable(file, data=Made(second), resume=True)


def test_paths_may_be_strings(file, parts):
    part = parts()
    minibatches = mg.data.minibatches.Minibatches(np.eye(2), 2)
    run = checkpoint.Run(part.gan, minibatches, 1, History(), [1.0, 1.0])
    checkpoint.save(str(file), run)
    checkpoint.load(str(file), run)
    archive.write(str(file), {}, {})
    assert archive.Archive(str(file)).header["format"] == archive.CHECKPOINT.format
    assert archive.previous(str(file)) == archive.previous(file)
    with pytest.raises(TypeError, match="checkpoint.load: path must be a path, got 3"):
        checkpoint.load(3, run)


def test_ctrl_c_is_on_record(file, keyboard):
    def interrupt(step, *_):
        if step == 4:
            signal.raise_signal(signal.SIGINT)

    gan, ring = resumable(file), mg.data.gaussian_ring()
    options = {"steps": 9, "batch_size": 8, "progress": False, "callback": interrupt}
    history = mg.train(gan, ring, checkpoint=file, **options)
    assert history.interrupted and history.stopped == "interrupted at step 4"
    before = gan.generator_optimizer.steps
    with pytest.raises(KeyboardInterrupt, match="step 4 was finished"):
        mg.train(gan, ring, **options)
    assert gan.generator_optimizer.steps == gan.discriminator_optimizer.steps == before + 4
    assert not mg.train(gan, ring, steps=1, batch_size=8, progress=False).interrupted
