"""The exercises: every solution passes, every gap and every typical mistake is named."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from minigan.verify.exercises import command, sandbox
from minigan.verify.exercises.examine import findings
from minigan.verify.exercises.folder import Folder
from minigan.verify.exercises.ladder import CUT, exercises
from minigan.verify.exercises.mishaps import Stopped
from minigan.verify.exercises.pages import Pages, with_mistake

LADDER = exercises()
NAMES = [exercise.name for exercise in LADDER]
each = pytest.mark.parametrize("exercise", LADDER, ids=NAMES)


def examined(folder, exercise, page, trusted=()):
    """What is found in a page: {kind: [words]}. In this process, as `child` does it in another."""
    (folder / exercise.file).write_text(page, encoding="utf-8")
    found = {"right": [], "wrong": [], "open": [], "note": []}
    try:
        for kind, words in findings(Pages(folder, exercise, list(trusted))):
            found[kind].append(words)
    except Stopped as stopped:
        kind, words = stopped.finding
        found[kind].append(words)
    return found


def filled(source):
    """The page of a source that may have a mistake in it."""
    lines = source.partition(CUT)[0].splitlines()
    marks = "# GAP ", "# HINT ", "# END"
    return "\n".join(line for line in lines if not line.strip().startswith(marks))


# -- the pages ----------------------------------------------------------------------------------


@each
def test_the_solution_is_right(exercise, tmp_path):
    found = examined(tmp_path, exercise, exercise.solved)
    assert found["right"] and not found["wrong"] and not found["note"], found
    if exercise is LADDER[-1]:  # is made of the learner's own pages, which are not there
        assert all("ex14_adam" in words for words in found["open"])
    else:
        assert not found["open"], found


@each
def test_an_open_gap_is_said_to_be_open(exercise, tmp_path):
    found = examined(tmp_path, exercise, exercise.page)
    assert found["open"] and not found["wrong"] and not found["note"], found
    for gap in exercise.gaps:
        assert any(gap.function in words for words in found["open"]), (gap.function, found)
    assert all(words.startswith(f"{exercise.file}, line ") for words in found["open"]), found


@each
def test_typical_mistakes_are_named(exercise, tmp_path):
    module = {"np": np}
    exec(exercise.source.partition(CUT)[2], module)
    assert len(module["MISTAKES"]) >= 3
    for right, wrong, words in module["MISTAKES"]:
        found = examined(tmp_path, exercise, filled(with_mistake(exercise, right, wrong)))
        first = " ".join(found["wrong"])
        assert words in first, (wrong, found)
        others = {w for *_, w in module["MISTAKES"]} - {words}
        assert not any(other in first for other in others if other not in words), (wrong, found)


@each
def test_the_page_is_one(exercise):
    text = exercise.document
    assert exercise.source.startswith(f'"""Exercise {exercise.number}: '), exercise.name
    for part in ("Wanted: ", "\nShapes", "By hand", "    >>> ", "Why it matters: "):
        assert part in text, part
    assert max(map(len, exercise.page.splitlines())) <= 79
    for left in ("# GAP", "# HINT", "# END", "MISTAKES", "noqa"):
        assert left not in exercise.page
    assert exercise.gaps and all(gap.hints for gap in exercise.gaps)


# -- mistakes that are not in the list ----------------------------------------------------------

LINEAR = LADDER[2]  # dx = dy @ W.T, dW = x.T @ dy, db = dy.sum(axis=0)

LINES = LINEAR.solved.splitlines()
GAP = LINES.index("    dx = dy @ W.T") + 1


def placed(words):
    """The words, with @gap, @def, @import for the file and the line of these."""
    for mark, line in (
        ("@gap", "    dx = dy @ W.T"),
        ("@def", "def "),
        ("@import", "import numpy"),
    ):
        number = next(n for n, text in enumerate(LINES, 1) if text.startswith(line))
        words = words.replace(mark, f"{LINEAR.file}, line {number}")
    return words


OTHER = [  # (right line, another, what is said)
    ("dW = x.T @ dy", "dW = x.T @ dy / 2", "dW: it is the right one divided by 2"),
    ("dW = x.T @ dy", "dW = 0 * W", "dW: it is zero everywhere"),
    ("dW = x.T @ dy", "dW = np.outer(x[-1], dy[-1])", "dW: it counts the last sample alone"),
    ("dx = dy @ W.T", "dx = -dy @ W.T", "dx: it is the right one with the wrong sign"),
    ("dx = dy @ W.T", "dx = dy @ W.T + 1e-7", "nearly right, but wrong by 1e-07"),
    ("dx = dy @ W.T", "dx = np.exp(dy) + np.sin(x)", "dx: wrong, worst at ["),
    ("dx = dy @ W.T", "dx = np.exp(dy)", "dx: it is exp(dy)"),
    (
        "db = dy.sum(axis=0)",
        "db = dy.sum(0, keepdims=True)",
        "the shape must be (4,), and is (1, 4)",
    ),
]


@pytest.mark.parametrize("right, wrong, words", OTHER, ids=[wrong for _, wrong, _ in OTHER])
def test_other_mistakes(right, wrong, words, tmp_path):
    found = examined(tmp_path, LINEAR, LINEAR.solved.replace(right, wrong))
    assert len(found["wrong"]) == 1 and words in found["wrong"][0], found
    assert found["wrong"][0].startswith(placed("@def, linear_backward: "))


ELSEWHERE = [  # (exercise, right line, another way to make a typical mistake, what is said)
    (1, "dr = -1 / (1 + math.exp(r))", "dr = 1 - 1 / (1 + math.exp(-r))", "the sign is wrong"),
    (2, "y = x @ W + b", "y = (W.T @ x.T).T", "the bias b is missing"),
    (4, "y = np.where(x >= 0, 1, t) / (1 + t)", "y = 1 / (1 + t)", "right for x >= 0 only"),
    (5, "df = sigmoid(f) / len(f)", "df = sigmoid(f) / (len(f) + len(r))", "divided by 2"),
    (6, "dr = -sigmoid(-r) / len(r)", "dr = -sigmoid(-r) / (3 * len(r) - len(r))", "divided by 2"),
    (
        7,
        "np.where(x > 0, dy, slope * dy)",
        "np.maximum(dy, slope * dy)",
        "the mask is taken from dy",
    ),
    (8, "mask = (u >= p) / (1 - p)", "mask = np.where(u < p, 0, 1)", "not divided by 1 - p"),
    (
        9,
        "dz = dy if is_last else leaky_backward(dy, z)",
        "dz = 1 * dy",
        "LeakyReLU's slope is miss",
    ),
    (
        11,
        "return value, add(on_real, on_fake)",
        "return value, on_fake",
        "of the real samples is mis",
    ),
    (12, "grads = network_backward(dfake", "grads = network_backward(-dfake", "the sign is wrong"),
    (14, "m_hat / (np.sqrt(v_hat)", "m / (np.sqrt(v)", "the corrections by 1 - beta^t are missing"),
    (16, "dbeta = dy.sum(axis=0)", "dbeta = dy[-1]", "it counts the last sample alone"),
    (19, "dW[u, v] = dW_at_tap", "dW[kh - 1 - u, kw - 1 - v] = dW_at_tap", "flipped"),
    (
        21,
        "dx = blocks.sum(axis=(2, 4))",
        "dx = blocks[:, :, 0, :, 0]",
        "the gradient of one copy only",
    ),
    (23, "dx = y * (dy - ", "dx = (dy - ", "it is the right one without y"),
    (24, "dv = a.T @ dy", "dv = a.T @ dy / len(a)", "divided by 4, and 4 is the batch size"),
    (28, "dr = np.full_like(r, -1 / len(r))", "dr = 0 * r - 1", "the 1/N of the mean is missing"),
    (
        29,
        "2 * np.pi * np.arange(K) / K",
        "2 * np.pi * np.arange(K) / (K - 1)",
        "the end is included",
    ),
]


@pytest.mark.parametrize("number, right, wrong, words", ELSEWHERE)
def test_typical_mistakes_written_otherwise(number, right, wrong, words, tmp_path):
    exercise = LADDER[number - 1]
    assert exercise.solved.count(right) == 1
    found = examined(tmp_path, exercise, exercise.solved.replace(right, wrong))
    assert found["wrong"] and all(words in said for said in found["wrong"]), found


def test_a_wrong_number_is_shown_in_the_worked_example(tmp_path):
    found = examined(tmp_path, LINEAR, LINEAR.solved.replace("dy @ W.T", "dy @ W.T + 1"))
    assert found["note"] == [
        "in the page, linear_backward(dy, x, W)[0] is [[3.0], [39.0]]; yours is [[4.0], [40.0]]"
    ]


def test_gaps_are_filled_one_by_one(tmp_path):
    page = LINEAR.page.replace("dx, dW, db = ..., ..., ...", "dx, dW, db = ..., x.T @ dy, ...")
    found = examined(tmp_path, LINEAR, page)
    assert found["right"] == ["linear_backward: dW"] and len(found["open"]) == 1
    page = LINEAR.page.replace("return", "db = dy.sum(axis=0)\n    return")  # the dots stay
    assert examined(tmp_path, LINEAR, page)["right"] == ["linear_backward: db"]


def test_pages_that_are_not_right_do_not_matter_to_others(tmp_path):
    """Exercise 6 imports 2, 3 and 4: their solutions, until the learner's own are right."""
    mean, linear = LADDER[5], LADDER[1]
    (tmp_path / linear.file).write_text(linear.solved.replace("+ b", "- b"), encoding="utf-8")
    assert mean.needs == [LADDER[i].name for i in (1, 2, 3)]
    assert examined(tmp_path, mean, mean.solved)["right"]
    found = examined(tmp_path, mean, mean.solved, trusted=[linear.name])
    assert found["wrong"] and not found["open"]


# -- whatever else a page may do ----------------------------------------------------------------

BODY = "    dx = dy @ W.T"
BAD = {  # what stands in place of BODY: what is said
    "    dx = (dy @ W.T": "@gap: SyntaxError: '(' was never closed",
    "  dx = dy @ W.T": "@gap: IndentationError: unindent does not match",
    "    dx = dy @ W[:2]": "@gap, linear_backward: the shapes on the two sides of @ do not",
    "    dx = dy @ W.T + x[:2]": "@gap, linear_backward: the shapes do not fit; here: dy (4",
    "    dx = dy @ W.T * np.nan": "@def, linear_backward: dx: at [0, 0] there is nan",
    "    dx = np.log(-np.abs(dy @ W.T))": "@gap, linear_backward: FloatingPointError: invalid",
    "    raise SystemExit(0)": "@gap, linear_backward: sys.exit() or exit() ends Python",
    "    raise KeyboardInterrupt": "@gap, linear_backward: KeyboardInterrupt",
    "    dx = undefined": "@gap, linear_backward: NameError: name 'undefined' is not defined",
    "    return linear_backward(dy, x, W)": "@gap, linear_backward: RecursionError",
    "    dx = 'dy'": "@def, linear_backward: dx: it must be an array of real numbers, and is",
    "    dx = dy @ W.T * 1j": "@def, linear_backward: dx: it must be an array of real numbers",
    "    return dy": "@def, linear_backward: it must return dx, dW, db; it gives one value",
    "    return": "@def, linear_backward: it must return dx, dW, db; it gives None",
    "    dx = dy @ W.T; dy *= 2": "@def, linear_backward: dy is changed in place",
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_bad_pages(bad, tmp_path):
    assert LINEAR.solved.count(BODY) == 1
    found = examined(tmp_path, LINEAR, LINEAR.solved.replace(BODY, bad))
    assert found["wrong"] and found["wrong"][0].startswith(placed(BAD[bad])), found
    assert "\n" not in found["wrong"][0] and "Traceback" not in found["wrong"][0]


OUTSIDE = {
    "(dy, x, W)": (
        "(x, dy, W)",
        "@def, linear_backward: its first line must be def linear_backward(dy, x, W):",
    ),
    "def linear_backward": (
        "def mine",
        f"{LINEAR.file}: the function linear_backward(dy, x, W) is missing",
    ),
    "import numpy as np": ("import nimpy as np", "@import: ModuleNotFoundError: No module named"),
    "return": ("\0", f"{LINEAR.file} cannot be read: there is a zero byte in it"),
}


@pytest.mark.parametrize("right", OUTSIDE)
def test_bad_pages_outside_of_the_gap(right, tmp_path):
    wrong, words = OUTSIDE[right]
    head, text = LINEAR.solved.split("import numpy", 1)
    page = head + ("import numpy" + text).replace(right, wrong, 1)
    found = examined(tmp_path, LINEAR, page)
    assert found["wrong"][0].startswith(placed(words)), found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 120)  # this machine may be busy
    return Folder.start(tmp_path / "exercises")[0]


def outcome(folder, bad):
    (folder.path / LINEAR.file).write_text(LINEAR.solved.replace(BODY, bad), encoding="utf-8")
    return folder.check(LINEAR)


def test_a_loop_without_end_is_ended(folder, monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 1.5)
    found = outcome(folder, "    while True:\n        print(1)")
    line = (
        f"{LINEAR.file}, line {{}}, linear_backward: still running after 1.5 seconds; does a loop "
    )
    assert found.wrong[0].startswith((line.format(GAP), line.format(GAP + 1)))
    assert len(found.printed) == sandbox.SHOWN + 1 and found.printed[-1].endswith("more lines")


def test_only_a_pages_own_computing_is_limited(folder, monkeypatch):
    """On a busy machine a right page takes longer, and is right all the same."""
    monkeypatch.setattr(sandbox, "SECONDS", 1)
    monkeypatch.setattr(sandbox, "WAITING", 100)
    found = outcome(folder, f"    import time; time.sleep(1.2)\n{BODY}")
    assert found.ok, str(found)


def test_pages_that_end_python_or_eat_memory_or_print(folder):
    found = outcome(folder, "    import os; os._exit(7)")
    assert found.wrong == [
        f"{LINEAR.file}: it ended Python (exit status 7) before it could be checked"
    ]
    found = outcome(folder, f"    print('here')\n    np.ones((10**6, 10**6))\n{BODY}")
    assert f"line {GAP + 1}, linear_backward: this needs more memory" in found.wrong[0]
    assert found.printed == ["here"] and not found.ok and not folder.passed(LINEAR)
    assert all(len(line) < 80 for line in str(found).splitlines())


# -- the commands -------------------------------------------------------------------------------


def test_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sandbox, "SECONDS", 120)
    monkeypatch.chdir(tmp_path)
    command.main(["start", "mine"])
    begun = capsys.readouterr().out
    assert "    cd mine\n" in begun and "-m minigan.exercises watch\n" in begun
    assert sorted(os.listdir("mine")) == sorted(exercise.file for exercise in LADDER)

    monkeypatch.chdir("mine")
    with pytest.raises(SystemExit, match="1"):
        command.main(["check"])
    assert "line 40, one_neuron: the gap is open: compute dw, db" in " ".join(
        capsys.readouterr().out.split()
    )
    command.main(["hint"])
    command.main(["hint", "1"])
    said = capsys.readouterr().out
    assert "hint 1 of 2" in said and "hint 2 of 2" in said
    command.main(["solution", "linear_backward"])
    assert "    dW = x.T @ dy\n" in capsys.readouterr().out
    (tmp_path / "mine" / LADDER[0].file).write_text(LADDER[0].solved, encoding="utf-8")
    command.main(["check", "ex01_one_neuron.py"])
    assert "1 of 30.\n  Next: ex02_linear_forward.py" in capsys.readouterr().out
    command.main(["progress"])
    assert capsys.readouterr().out.startswith("right  ex01_one_neuron")

    (tmp_path / "mine" / LADDER[1].file).unlink()
    command.main(["start", "."])  # what is there stays
    assert "1 of 30 pages put into" in capsys.readouterr().out
    assert (tmp_path / "mine" / LADDER[0].file).read_text() == LADDER[0].solved


def test_bad_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments, words in (
        (["check"], "there are no exercises in"),
        (["solution", "nothing"], "no exercise is called 'nothing'"),
        (["solution", "batch"], "several exercises are called 'batch'"),
    ):
        with pytest.raises(SystemExit, match="2"):
            command.main(arguments)
        assert words in capsys.readouterr().err


def test_watch_goes_on_after_mistakes(folder, monkeypatch, capsys):
    page, solved = folder.path / LADDER[0].file, LADDER[0].solved
    saves = iter([solved.replace("dw = dr * x", "dw = (dr"), solved])

    def save(_):
        text = next(saves, None)
        if text is None:
            raise KeyboardInterrupt
        page.write_text(text, encoding="utf-8")

    monkeypatch.setattr(command, "time", SimpleNamespace(sleep=save))
    command.watch(folder=folder.path)
    said = capsys.readouterr().out
    words = "the gap is open", "SyntaxError", "This page is right", "Next: ex02_", "Stopped."
    assert all(word in said for word in words), said
    places = [said.index(word) for word in words]
    assert places == sorted(places)


def test_watch_goes_on_when_a_page_is_deleted(folder, monkeypatch, capsys):
    page = folder.path / LADDER[0].file
    steps = iter([page.unlink, lambda: page.write_text(LADDER[0].solved, encoding="utf-8")])

    def save(_):
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(command, "time", SimpleNamespace(sleep=save))
    command.watch(folder=folder.path)
    assert "This page is right" in capsys.readouterr().out
    page.unlink()
    found = folder.check(LADDER[0])
    assert LADDER[0].file in found.wrong[0] and "Traceback" not in str(found)


def test_it_is_run_by_its_public_name(folder):
    done = subprocess.run(
        [sys.executable, "-m", "minigan.exercises", "progress"],
        cwd=folder.path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == "" and done.stdout.endswith("0 of 30 right.\n")


def test_what_start_prints_can_be_typed(tmp_path, monkeypatch, capsys):
    """In a shell that finds no Python: the one that runs now is printed, if need be with its path.
    Before the `cd`, the pages are found as well."""
    monkeypatch.chdir(tmp_path)
    command.main(["start", "exercises"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line[:4] == " " * 4]
    assert lines[0] == "cd exercises" and lines[1].endswith(" watch")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))
    monkeypatch.setenv("PATH", "")
    typed = " && ".join((lines[0], lines[1].replace(" watch", " progress")))
    done = subprocess.run(["/bin/sh", "-c", typed], capture_output=True, text=True)
    assert done.stderr == "" and done.stdout.endswith("0 of 30 right.\n")
    command.main(["progress"])
    assert capsys.readouterr().out == done.stdout


def test_exchanged_outputs(tmp_path):
    page = LADDER[0].solved.replace("dw = dr * x", "dw = dr").replace("db = dr\n", "db = dr * x\n")
    (words,) = examined(tmp_path, LADDER[0], page)["wrong"]
    assert "dw, db: exchanged: each is what the other must be" in words


# -- the end of the ladder ----------------------------------------------------------------------

LAST = LADDER[-1]


def test_the_last_exercise_is_made_of_the_others_alone(tmp_path):
    imports = [line for line in LAST.page.splitlines() if "import" in line]
    assert all(line.startswith(("import numpy", "from ex")) for line in imports)
    for name in LAST.needs:
        exercise = LADDER[NAMES.index(name)]
        (tmp_path / exercise.file).write_text(exercise.solved, encoding="utf-8")
    short = LAST.solved.replace("STEPS, BATCH, LR, GAMMA = 3000", "STEPS, BATCH, LR, GAMMA = 20")
    found = examined(tmp_path, LAST, short, trusted=LAST.needs)
    assert "of 8 modes only" in found["wrong"][0] and not found["open"]
    assert (tmp_path / "your_own_gan.png").stat().st_size > 10_000


@pytest.mark.slow
def test_ones_own_gan_reaches_all_modes(folder):
    for exercise in LADDER:
        (folder.path / exercise.file).write_text(exercise.solved, encoding="utf-8")
        found = folder.check(exercise)
        assert found.ok, str(found)
    assert "8 of 8 modes" in " ".join(found.right)
