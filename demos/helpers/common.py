"""What the demos share: a command line, and a folder of results that says what is in it.

args = common.arguments(__doc__, steps=2000)         # --seed --steps --out --backend
results = common.Results(args.out)
figure.savefig(results.path("samples.png", "2,000 samples, and the data"))
results.finish({"modes": 8}, ["8 of 8 modes: every Gaussian is reached."])
"""

import argparse
import contextlib
import json
import math
import shutil
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np

import minigan as mg
from helpers.endings import INTERRUPTED
from minigan import _archive as archive
from minigan.observe.watch.live import PORT

WIDEST = 100  # columns of a line of text, where the terminal is wider
LARGEST = 10**9  # training steps: more cannot be meant
RUN = "run.json"  # the options that a checkpoint was made with
FREE = {
    "steps",
    "resume",
    "out",
    "backend",
    "judge",
    "live",
}  # options that a resumed run may change


def parser(description, *, steps=None, data=None, resumes=False):
    """The arguments that all demos take; a demo may add its own before it calls `parse`.

    steps   : the default number of training steps (None: a demo that does not train)
    data    : (what the argument is, its default), for a demo that reads data
    resumes : whether it takes --resume, and so hands `checkpointed(args, results)` to `train`
    """
    name = Path(sys.argv[0]).stem
    arguments = argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--seed", type=whole(0), default=0, help="default: %(default)s")
    if steps is not None:
        arguments.add_argument(
            "--steps",
            type=whole(1, LARGEST),
            default=steps,
            help="training steps (default: %(default)s)",
        )
        if resumes:
            arguments.add_argument(
                "--resume", action="store_true", help="continue from the checkpoint in --out"
            )
    if data is not None:
        arguments.add_argument("--data", default=data[1], help=data[0])
    arguments.add_argument(
        "--out", type=Path, default=Path("out") / name, help="folder to write (%(default)s)"
    )
    arguments.add_argument(
        "--backend",
        choices=["numba", "numpy"],
        default=mg.kernels.backend(),
        help="default: %(default)s",
    )
    return arguments


def parse(arguments):
    """Reads the command line, switches the backend, makes the folder."""
    in_kernel = Path(sys.argv[0]).stem == "ipykernel_launcher"  # whose arguments are not a demo's
    args = arguments.parse_args([] if in_kernel else None)
    try:
        mg.kernels.use_backend(args.backend)
    except ImportError as error:
        arguments.error(str(error))
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=args.out):
            pass
    except OSError as error:
        arguments.error(f"--out: cannot write to {args.out}: {error.strerror}")
    if getattr(args, "resume", False):
        _check_resumed(args)
    return args


def arguments(description, **options):
    """`parser` and `parse` in one, for a demo without arguments of its own."""
    return parse(parser(description, **options))


def _options(args):
    """The options that decide what is trained, as JSON has them."""
    return {name: _plain(v) for name, v in sorted(vars(args).items()) if name not in FREE}


def refuse(message):
    """Ends the demo with one line about its command line, and exit code 2."""
    print(f"{Path(sys.argv[0]).stem}: error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


def _check_resumed(args):
    """Ends the demo, in one line, unless --out has a checkpoint of a run with these options."""
    file = args.out / "checkpoint.npz"
    if not (file.exists() or archive.previous(file).exists()):
        refuse(f"--resume: there is no checkpoint in {args.out} to continue from")
    try:
        before = json.loads((args.out / RUN).read_text())
    except (FileNotFoundError, ValueError):
        return  # the checkpoint itself is compared with the run when it is loaded
    for name, value in _options(args).items():
        if before.get(name, value) != value:
            refuse(
                f"--resume: the run in {args.out} was made with --{name} {before[name]}, "
                f"but now --{name} is {value}"
            )


def add_live(arguments):
    """--live [PORT]: a page that shows the training while it runs."""
    arguments.add_argument(
        "--live",
        type=whole(0, 65535),
        nargs="?",
        const=PORT,
        metavar="PORT",
        help=f"show a page while it trains, on this machine alone (port {PORT})",
    )


@contextlib.contextmanager
def interruptible():
    """Ctrl-C ends the body of this `with`, not the program. Yields a list; it is empty unless so.

    While a compiled function runs, Python reports the Ctrl-C as a SystemError caused by it.
    """
    noted = []
    try:
        yield noted
    except KeyboardInterrupt:
        noted.append(True)
    except SystemError as error:
        if not isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            raise
        noted.append(True)


def checkpointed(args, results):
    """The options of `minigan.train` that keep the run in --out, and continue it from there."""
    results.note("checkpoint.npz", "the run, from which --resume continues")
    path = results.path(RUN, "the options it was started with")
    path.write_text(json.dumps(_options(args), indent=2) + "\n")
    return {"checkpoint": args.out / "checkpoint.npz", "resume": args.resume}


def save_model(results, trained, **options):
    """Writes what was trained, a GAN or a recipe's result, for `demos/sample.py` and others."""
    path = results.path("model.npz", "the trained GAN: minigan.load, demos/sample.py")
    trained.save(path, **options)


class Snapshots:
    """Samples taken on the way, kept as files, so that a resumed run has those from before.

    results : where to keep them, in the folder `name`, which is listed with its meaning at the end
    resume  : whether to keep those that are there
    """

    def __init__(self, results, name, meaning, *, resume=False):
        self.folder = results.path(name + "/", meaning)
        self.folder.mkdir(exist_ok=True)
        for file in () if resume else self.folder.glob("*.npy"):
            file.unlink()

    def add(self, step, samples):
        np.save(self.folder / f"{step:09}.npy", samples, allow_pickle=False)

    def all(self):
        """[(step, samples)] in the order of the steps."""
        files = sorted(self.folder.glob("*.npy"))
        return [(int(file.stem), np.load(file, allow_pickle=False)) for file in files]


def whole(smallest, largest=math.inf):
    """An argparse type: an integer from `smallest` to `largest`."""

    def integer(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < smallest:
            raise argparse.ArgumentTypeError(f"expected a whole number >= {smallest}, got {text!r}")
        if value > largest:
            raise argparse.ArgumentTypeError(f"expected at most {largest:,}, got {text!r}")
        return value

    return integer


class Results:
    """A folder of results: hands out paths, and says at the end what was written."""

    def __init__(self, folder):
        self.folder, self.written = Path(folder), []

    def path(self, name, meaning):
        """Where to write `name`; `meaning` is printed with it at the end."""
        self.note(name, meaning)
        return self.folder / name

    def note(self, name, meaning):
        """Lists a file that something else writes."""
        self.written.append((name, meaning))

    def finish(self, metrics, words, stopped=""):
        """Writes metrics.json and prints what was written and, in `words`, what it means.

        stopped : where a Ctrl-C ended the run, if one did. The last line says so, and the demo ends
                  with the exit code of an interrupted program
        """
        path = self.path("metrics.json", "the numbers below, for a program")
        path.write_text(json.dumps(_plain(metrics), indent=2) + "\n")
        print(f"\nWritten to {self.folder}/")
        there = [(name, what) for name, what in self.written if (self.folder / name).exists()]
        widest = max(len(name) for name, _ in there)
        for name, meaning in there:
            print(wrapped(f"  {name:{widest}}  {meaning}", indent=widest + 4))
        print()
        for line in words:
            print(wrapped(line))
        if stopped:
            print(wrapped(f"Stopped {stopped}; the files are those of an interrupted run."))
            sys.exit(INTERRUPTED)


def where_stopped(history):
    """Where a Ctrl-C ended training, for `Results.finish`; nothing if it did not."""
    interrupted = (history.stopped or "").startswith("interrupted")
    return f"at step {len(history):,}" if interrupted else ""


def wrapped(text, indent=None):
    """The line, broken into lines that fit the terminal, where it has to be.

    indent : columns before the second and each further line; by default those of the first
    """
    columns = max(30, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns - 1))
    if len(text) <= columns:
        return text
    if indent is None:
        indent = len(text) - len(text.lstrip())
    if indent > columns // 2:
        indent = 4
    return textwrap.fill(
        text, columns, subsequent_indent=" " * indent, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def _plain(value):
    """The value as JSON has it: NumPy numbers as numbers, what is not finite as null."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
