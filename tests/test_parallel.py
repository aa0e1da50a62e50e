"""Training on several ranks of MPI: the numbers of one process on the whole minibatch."""

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import minigan as mg

pytest.importorskip("mpi4py")


@pytest.fixture(autouse=True)
def numpy_alone():
    """The backends are compared elsewhere; here nothing is compiled."""
    with mg.kernels.use_backend("numpy"):
        yield


PROGRAM = '''
import json, os, signal, sys
import numpy as np
import minigan as mg
from minigan import layers as L

DATA = np.random.default_rng(0).standard_normal((40, 3))


def make(kind):
    first = [L.BatchNorm(8), L.Dropout(0.2)] if kind == "mixing" else []
    generator = [L.Linear(2, 8), *first, L.Tanh(), L.Linear(8, 3)]
    critic = [L.SpectralNorm(L.Linear(3, 8)), L.LeakyReLU(), L.Linear(8, 1)]
    game = mg.game_steps.ExtragradientGAN if kind == "extragradient" else mg.GAN
    return game(
        mg.Sequential(generator, dtype="float64", rng=1),
        mg.Sequential(critic, dtype="float64", rng=2), latent_dim=2,
        loss=mg.losses.Relativistic(), penalties=[mg.penalties.R1(0.5), mg.penalties.R2(0.5)],
    )


def options(steps, **more):
    return {"steps": steps, "batch_size": 10, "progress": False, "rng": 4, **more}


def state(gan, history):
    """All that must agree."""
    players = gan.generator, gan.discriminator
    buffers = [value for player in players for _, value in player.named_buffers()]
    arrays = [*(player.theta for player in players), *buffers]
    columns = [history[name] for name in history.columns]
    return np.concatenate([np.ravel(a) for a in [*arrays, *columns]])


if __name__ == "__main__":
    kind, mishap, steps, out, *resume = sys.argv[1:]
    gan = mg.parallel.across_ranks(make(kind))

    def callback(step, gan, figures):
        if step == 2 and gan.ranks.rank == 1:
            if mishap == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if mishap == "error":
                raise RuntimeError("out of luck")
        if step == 3 and gan.ranks.rank == 0 and mishap == "interrupt":
            open(f"{out}.ready", "w").close()

    history = mg.parallel.train(
        gan, DATA, callback=callback,
        **options(int(steps), checkpoint=f"{out}.npz", resume=bool(resume)),
    )
    mine = state(gan, history), [rng.bit_generator.state for rng in gan.rngs]
    together = gan.ranks.gather(mine)
    if gan.ranks.rank == 0:
        same = all(np.array_equal(x, together[0][0]) for x, _ in together)
        drawn = all(rngs == together[0][1] for _, rngs in together)
        np.savez(out + ".state.npz", state=together[0][0], same=same, drawn=drawn)
        print("done", flush=True)
'''


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    file = tmp_path_factory.mktemp("program") / "program.py"
    file.write_text(PROGRAM)
    names = {"__name__": "program"}
    exec(PROGRAM, names)
    return file, names


def launched(program, ranks, *arguments):
    command = [sys.executable, "-m", "minigan.parallel", "-n", ranks, program[0], *arguments]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=200,
        env={**os.environ, "MINIGAN_BACKEND": "numpy"},
    )  # fmt: skip


def shared(program, ranks, *arguments):
    """The state that the ranks end in, after the checks that they agree."""
    ended = launched(program, ranks, *arguments)
    assert ended.returncode == 0 and ended.stdout == "done\n", ended.stderr
    with np.load(f"{arguments[3]}.state.npz") as kept:
        assert kept["same"] and kept["drawn"]
        return kept["state"]


def of_one_process(program, kind, steps):
    with mg.kernels.use_backend("numpy"):
        gan = program[1]["make"](kind)
        history = mg.train(gan, program[1]["DATA"], **program[1]["options"](steps))
    return program[1]["state"](gan, history)


@pytest.fixture(scope="module")
def alone(program):
    """The state after six steps of one process."""
    return of_one_process(program, "plain", 6)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_four_ranks_with_parts_of_two_sizes(program, alone, tmp_path):
    close(shared(program, 4, "plain", "", 6, tmp_path / "run"), alone)


def test_two_ranks_resumed_by_four_and_by_one_process(program, alone, tmp_path):
    file = tmp_path / "run"
    shared(program, 2, "plain", "", 3, file)
    with mg.kernels.use_backend("numpy"):
        gan, options = program[1]["make"]("plain"), program[1]["options"]
        (tmp_path / "copy.npz").write_bytes((tmp_path / "run.npz").read_bytes())
        history = mg.train(
            gan, program[1]["DATA"], **options(6, checkpoint=tmp_path / "copy.npz", resume=True)
        )
    close(program[1]["state"](gan, history), alone)
    close(shared(program, 4, "plain", "", 6, file, "resume"), alone)


def test_extragradient(program, tmp_path):
    """Both of its gradients are added up over the ranks."""
    expected = of_one_process(program, "extragradient", 4)
    close(shared(program, 2, "extragradient", "", 4, tmp_path / "run"), expected)


def test_layers_that_mix_samples_or_draw(program, tmp_path):
    """The ranks agree with one another, and not with one process: batch norm's means are over a
    rank's samples."""
    state = of_one_process(program, "mixing", 4)
    found = shared(program, 2, "mixing", "", 4, tmp_path / "run")
    assert np.isfinite(found).all() and 1e-6 < np.abs(found - state).max() < 1


@pytest.mark.parametrize(
    "mishap, line",
    [
        ("kill", "A rank died: Killed (signal 9); the others were ended."),
        ("error", "rank 1 of 2: RuntimeError: out of luck"),
    ],
)
def test_a_rank_that_dies_ends_the_others(mishap, line, program, tmp_path):
    start = time.monotonic()
    ended = launched(program, 2, "plain", mishap, 10**6, tmp_path / "run")
    assert ended.returncode != 0 and time.monotonic() - start < 100  # not the 10^6 steps
    assert line in ended.stderr.splitlines() and "done" not in ended.stdout
    assert "BAD TERMINATION" not in ended.stdout + ended.stderr
    with np.load(tmp_path / "run.npz") as kept:  # whole
        assert json.loads(kept["header"].tobytes())["step"] < 3


def test_ctrl_c_ends_all_ranks_and_keeps_what_is_there(program, tmp_path):
    """A terminal sends it to all processes. Rank 0 ends its step and saves."""
    out, arguments = tmp_path / "run", ("plain", "interrupt", str(10**6))
    with subprocess.Popen(
        [sys.executable, "-m", "minigan.parallel", "-n", "2", program[0], *arguments, out],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "MINIGAN_BACKEND": "numpy"},
    ) as running:  # fmt: skip
        for _ in range(1000):
            if out.with_suffix(".ready").exists() or running.poll() is not None:
                break
            time.sleep(0.1)
        os.killpg(running.pid, signal.SIGINT)
        said, errors = running.communicate(timeout=100)
    assert running.returncode != 0 and errors == "Ctrl-C: all 2 ranks have ended.\n"
    (line,) = said.splitlines()
    assert line.startswith("Stopped at step ") and "run.npz has it: resume=True" in line
    with np.load(tmp_path / "run.npz") as kept:
        assert json.loads(kept["header"].tobytes())["step"] >= 3


def test_rows_of_each_rank(monkeypatch):
    gan = mg.parallel.across_ranks(
        mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), latent_dim=2)
    )
    assert gan.ranks.size == 1 and gan.copy().ranks.size == 1
    ranks, real = SimpleNamespace(size=4), np.arange(20.0).reshape(10, 2)
    monkeypatch.setattr(type(gan), "ranks", ranks)
    rows = []
    for ranks.rank in range(4):
        rows.append(gan.check_real(real))
    assert np.array_equal(np.concatenate(rows), real) and min(map(len, rows)) == 2
    with pytest.raises(ValueError, match="4 ranks need at least 4 samples, got 3"):
        gan.check_real(real[:3])


def another_game():
    players = (mg.Sequential([mg.layers.Tanh(), mg.layers.Linear(2, n)]) for n in (2, 1))
    return mg.game_steps.ConsensusGAN(*players, latent_dim=2, gamma=1.0)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: mg.parallel.across_ranks(3), "across_ranks: gan must be a GAN, got 3"),
        (
            lambda: mg.parallel.across_ranks(another_game()),
            "are means over the minibatch .*, got ConsensusGAN",
        ),
        (lambda: mg.parallel.train(3, [], steps=1), "train: gan must be a ParallelGAN, got 3"),
    ],
)
def test_bad_input(wrong, message):
    with pytest.raises(TypeError, match=message):
        wrong()


def test_mpi4py_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    gan = mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), latent_dim=2)
    with pytest.raises(ImportError, match="across_ranks needs mpi4py, .* pip install 'minigan.mpi"):
        mg.parallel.across_ranks(gan)
