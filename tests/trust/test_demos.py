"""The demos: Ctrl-C, --resume, bad command lines, output that is not a terminal, and progress."""

import importlib
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib import pyplot

import minigan as mg
from minigan import judge
from minigan.metrics import classifier
from minigan.training import loop

DEMOS = Path(__file__).parents[2] / "demos"
STEPS = 9


def forget_helpers():
    """The demos' own modules are imported anew by the next test."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpers"]:
        del sys.modules[name]


class Ended(Exception):
    """A demo's training is over."""


@pytest.fixture
def run(monkeypatch):
    """run(demo, folder, *options, cut_at=step): the files in the folder at the end of training."""
    train, append = loop.train, mg.History.append
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def and_no_further(*args, **options):
        train(*args, **(options | {"progress": False}))
        raise Ended

    def start(demo, folder, *options, cut_at=None):
        def noted(history, step, figures):
            append(history, step, figures)
            if step == cut_at:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(mg.History, "append", noted)
        line = [demo, "--steps", STEPS, "--backend", "numpy", "--out", folder, *options]
        monkeypatch.setattr(sys, "argv", [str(word) for word in line])
        with mg.kernels.use_backend("numpy"), pytest.raises(Ended):
            runpy.run_path(str(DEMOS / f"{demo}.py"))
        files = [folder / "checkpoint.npz", *sorted(folder.glob("snapshots/*.npy"))]
        return {file.relative_to(folder): file.read_bytes() for file in files}

    for module in (mg, loop):
        monkeypatch.setattr(module, "train", and_no_further)
    monkeypatch.syspath_prepend(str(DEMOS))
    monkeypatch.setattr(mg.gradcheck, "check_step", lambda *args: "left out: it takes seconds")
    yield start
    signal.signal(signal.SIGINT, before)
    forget_helpers()


@pytest.mark.parametrize(
    "demo, options",
    [
        ("quickstart", []),
        ("gaussian_grid", ["--data", "ring"]),
        ("watch_it_learn", []),
        ("draw_your_own", []),
    ],
)
def test_a_demo_goes_on_as_if_nothing_had_been(run, demo, options, tmp_path, capsys):
    whole = run(demo, tmp_path / "whole", *options)
    cut = run(demo, tmp_path / "cut", *options, cut_at=4)
    assert "Stopped at step 4" in capsys.readouterr().out and cut != whole
    assert run(demo, tmp_path / "cut", *options, "--resume") == whole


def last_line(capsys):
    return capsys.readouterr().err.strip().splitlines()[-1]


def refused(run, capsys, *line):
    """The one line with which a demo ends, with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        run(*line)
    assert ended.value.code == 2
    return last_line(capsys)


def test_nothing_to_go_on_from(run, tmp_path, capsys):
    assert "--resume: there is no checkpoint in" in refused(
        run, capsys, "quickstart", tmp_path, "--resume"
    )


def test_a_run_with_other_options_is_refused(run, tmp_path, capsys):
    run("gaussian_grid", tmp_path, "--data", "ring")
    said = refused(run, capsys, "gaussian_grid", tmp_path, "--data", "grid", "--resume")
    assert f"the run in {tmp_path} was made with --data ring, but now --data is grid" in said
    said = refused(
        run, capsys, "gaussian_grid", tmp_path, "--data", "ring", "--seed", 3, "--resume"
    )
    assert f"the run in {tmp_path} was made with --seed 0, but now --seed is 3" in said


def test_a_checkpoint_of_other_data_is_refused_without_the_options_too(run, tmp_path):
    """Both are mixtures of Gaussians, of one class."""
    run("gaussian_grid", tmp_path, "--data", "ring")
    (tmp_path / "run.json").unlink()
    with pytest.raises(ValueError, match="another run: expected data"):
        run("gaussian_grid", tmp_path, "--data", "grid", "--resume")


# -- whole demos of digits, on a few images that stand for MNIST -----------------------------------


@pytest.fixture
def whole(monkeypatch, tmp_path, few_digits):
    """whole(demo, *options): runs all of a demo of digits; returns the folder it wrote."""
    monkeypatch.syspath_prepend(str(DEMOS))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hook, plain = sys.excepthook, pyplot.rcParams["figure.max_open_warning"]
    pyplot.rcParams["figure.max_open_warning"] = 0

    def start(demo, *options):
        folder = tmp_path / "out"
        line = [demo, "--steps", 3, "--backend", "numpy", "--out", folder]
        monkeypatch.setattr(sys, "argv", [str(word) for word in (*line, *options)])
        with mg.kernels.use_backend("numpy"):
            runpy.run_path(str(DEMOS / f"{demo}.py"))
        return folder

    yield start
    pyplot.close("all")
    pyplot.rcParams["figure.max_open_warning"] = plain
    sys.excepthook = hook
    signal.signal(signal.SIGINT, before)
    forget_helpers()


def interrupt_at(monkeypatch, module, name):
    """A Ctrl-C as soon as module.name is called."""

    def interrupted(*args, **options):
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the Ctrl-C was not noticed")

    monkeypatch.setattr(module, name, interrupted)


def interrupted(whole, demo):
    """Runs all of a demo, with a Ctrl-C in it; returns the folder it wrote."""
    with pytest.raises(SystemExit) as ended:
        whole(demo)
    assert ended.value.code == 130
    return Path(sys.argv[sys.argv.index("--out") + 1])


def test_no_judge(whole, monkeypatch, capsys):
    interrupt_at(monkeypatch, judge, "load_or_train")
    folder = whole("mnist_mlp", "--no-judge")
    said = capsys.readouterr().out
    assert "not scored (--no-judge)" in said and (folder / "training.png").exists()
    listed = said[said.index("Written to") :]
    for file in folder.iterdir():
        name = file.name + "/" * file.is_dir()
        assert name in listed or name.endswith(".previous"), name


def test_ctrl_c_in_the_judges_training_leaves_the_pictures(whole, monkeypatch, capsys):
    interrupt_at(monkeypatch, classifier, "fit")
    folder = interrupted(whole, "mnist_conditional")
    said = capsys.readouterr().out
    assert "The judge was interrupted: no scores." in said
    assert said.endswith("\nStopped in the scoring; the files are those of an interrupted run.\n")
    assert (folder / "training.png").exists() and (folder / "metrics.json").exists()


def test_ctrl_c_in_training_asks_no_judge(whole, monkeypatch, capsys):
    append = mg.History.append

    def noted(history, step, figures):
        append(history, step, figures)
        if step == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(mg.History, "append", noted)
    monkeypatch.setattr(judge, "load_or_train", None)
    folder = interrupted(whole, "mnist_mlp")
    said = capsys.readouterr().out
    assert "Stopped at step 2" in said and "Training was interrupted, so" in said
    assert said.endswith("\nStopped at step 2; the files are those of an interrupted run.\n")
    assert (folder / "training.png").exists() and (folder / "checkpoint.npz").exists()


def test_a_ctrl_c_that_python_wraps_in_a_system_error(whole, monkeypatch, capsys):
    """As it comes out of a compiled function."""

    def wrapped(*args, **options):
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    monkeypatch.setattr(classifier, "fit", wrapped)
    interrupted(whole, "mnist_mlp")
    assert "The judge was interrupted: no scores." in capsys.readouterr().out


@pytest.mark.parametrize(
    "demo, line, message",
    [
        ("mnist_dcgan", "--model residual --penalty spectral", "spectral normalisation is for"),
        ("mnist_dcgan", "--data /nowhere", "--data: "),
        ("mnist_dcgan", "--data /dev/null", "--data: "),
        ("mnist_dcgan", "--loss l1", "argument --loss: invalid choice: 'l1'"),
        ("mnist_conditional", "--model biggan", "argument --model: invalid choice: 'biggan'"),
        ("mnist_conditional", "--class-norm --model infogan", "--class-norm: infogan has no"),
        ("draw_your_own", "--picture /nowhere.png", "--picture: "),
        ("draw_your_own", "--picture /", "--picture: "),
        ("gaussian_grid", "--data /", "--data: "),
        ("doctor", "--seeds 0", "argument --seeds: expected a whole number >= 1, got '0'"),
        ("quickstart", "--steps 10000000000", "argument --steps: expected at most 1,000,000,000"),
        ("quickstart", "--steps -1", "argument --steps: expected a whole number >= 1, got '-1'"),
        ("where_they_part", "--differ nonsense", "--differ: expected one of rate, loss, penalty, "),
        ("one_neuron", "--steps 3", "unrecognized arguments: --steps 3"),
    ],
)
def test_a_bad_command_line_is_one_line_and_exit_code_2(demo, line, message, run, capsys, tmp_path):
    words = [demo, "--backend", "numpy", "--out", str(tmp_path), *line.split()]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", words)
        runpy.run_path(str(DEMOS / f"{demo}.py"))
    assert ended.value.code == 2 and message in last_line(capsys)


# -- a demo as a program of its own ----------------------------------------------------------------


def program(tmp_path, *line, **environment):
    """The finished process of a demo, run from another folder, its output in a pipe."""
    return subprocess.run(
        [sys.executable, str(DEMOS / line[0]), "--backend", "numpy", *map(str, line[1:])],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(DEMOS.parent), **environment},
    )  # fmt: skip


def test_a_notebooks_backend_that_is_not_installed(tmp_path):
    done = program(tmp_path, "one_neuron.py", MPLBACKEND="module://not_installed.backend_inline")
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "drawing into files" in done.stderr
    assert (tmp_path / "out" / "one_neuron" / "one_neuron.png").exists()


def test_an_unknown_backend_is_one_line(tmp_path):
    done = program(tmp_path, "one_neuron.py", MPLBACKEND="nonsense")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "nonsense" in done.stderr


def test_diverging_training_is_one_line(tmp_path):
    """What the excepthook reports, without a traceback; other errors keep theirs."""
    script = tmp_path / "diverges.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(DEMOS)!r})\n"
        "from helpers import common\n"
        "common.arguments('A demo.')\n"
        "raise FloatingPointError('step 3: generator_loss is nan')\n"
    )
    done = program(tmp_path, script)
    assert done.returncode == 1
    assert done.stderr.strip() == "training diverged: step 3: generator_loss is nan"
    script.write_text(script.read_text().replace("FloatingPointError", "RuntimeError"))
    assert "Traceback" in program(tmp_path, script).stderr


@pytest.mark.parametrize(
    "error", ["KeyboardInterrupt", "SystemError('wrapped') from KeyboardInterrupt()"]
)
def test_ctrl_c_while_a_demo_imports_is_one_line(error, tmp_path):
    """Matplotlib stands for all that takes long to import."""
    (tmp_path / "matplotlib.py").write_text(f"raise {error}\n")
    done = program(tmp_path, "one_neuron.py", PYTHONPATH=os.pathsep.join(
        (str(tmp_path), str(DEMOS.parent))
    ))  # fmt: skip
    assert done.returncode == 130
    assert done.stderr.strip() == "Stopped. No further files are written."


def test_a_comparison_without_pytorch_says_how_to_get_it(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError\n")
    done = program(tmp_path, "same_as_autograd.py", PYTHONPATH=os.pathsep.join(
        (str(tmp_path), str(DEMOS.parent))
    ))  # fmt: skip
    assert done.returncode == 2 and not list(tmp_path.rglob("metrics.json"))
    assert "PyTorch is not installed" in done.stderr and "pip install torch" in done.stderr


def test_progress_in_a_file_is_short_lines(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(DEMOS))
    progress = importlib.import_module("helpers.progress")
    assert list(progress.each(range(9), "drawing", "frame")) == list(range(9))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("drawing: 0/9 ") and lines[-1].startswith("drawing: 9/9 ")
    assert len(lines) == 2 and max(map(len, lines)) <= 60
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress.each(range(3), "drawing")) == [0, 1, 2]
    forget_helpers()


@pytest.mark.parametrize("columns", [40, 200])
def test_words_fit_the_terminal(columns, monkeypatch):
    monkeypatch.syspath_prepend(str(DEMOS))
    monkeypatch.setenv("COLUMNS", str(columns))
    common = importlib.import_module("helpers.common")
    text = "  10,000 samples: " + "words of a sentence " * 20
    lines = common.wrapped(text).splitlines()
    assert max(map(len, lines)) < min(columns, 101) and len(lines) > 3
    assert all(line.startswith("  ") for line in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    forget_helpers()
