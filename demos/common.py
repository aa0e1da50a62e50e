"""What the demos share: a command line, and a folder of results that says what is in it.

args = common.arguments(__doc__, steps=2000)         # --seed --steps --out --backend
results = common.Results(args.out)
figure.savefig(results.path("samples.png", "2,000 samples beside the data"))
results.finish({"modes": 8}, ["8 of 8 modes: every Gaussian is reached."])
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

import minigan as mg


def parser(description, *, steps=None, data=None, resumes=False):
    """The arguments that all demos take; a demo may add its own before it calls `parse`.

    steps   : the default number of training steps (None: a demo that does not train)
    data    : (what the argument is, its default), for a demo that reads data
    resumes : whether it takes --resume, and so hands `checkpointed(args)` to `train`
    """
    name = Path(sys.argv[0]).stem
    arguments = argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--seed", type=whole(0), default=0, help="default: %(default)s")
    if steps is not None:
        arguments.add_argument(
            "--steps", type=whole(1), default=steps, help="training steps (default: %(default)s)"
        )
        if resumes:
            arguments.add_argument(
                "--resume", action="store_true", help="go on from the checkpoint in --out"
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
    """Reads the command line (none in a notebook), switches the backend, makes the folder."""
    args = arguments.parse_args([] if "ipykernel" in sys.modules else None)
    try:
        mg.kernels.use_backend(args.backend)
    except ImportError as error:
        arguments.error(str(error))
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "metrics.json").touch()
    except OSError as error:
        arguments.error(f"--out: cannot write to {args.out}: {error.strerror}")
    return args


def arguments(description, **options):
    """`parser` and `parse` in one, for a demo without arguments of its own."""
    return parse(parser(description, **options))


def checkpointed(args):
    """The options of `minigan.train` that keep the run in --out, and go on from there."""
    file = args.out / "checkpoint.npz"
    if args.resume and not (file.exists() or mg.archive.previous(file).exists()):
        sys.exit(f"--resume: there is no checkpoint in {args.out} to go on from")
    return {"checkpoint": file, "resume": args.resume}


class Snapshots:
    """Samples taken on the way, kept as files, so that a resumed run has those from before.

    folder : where to keep them;  resume : whether to go on with those that are there
    """

    def __init__(self, folder, *, resume=False):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        for file in () if resume else self.folder.glob("*.npy"):
            file.unlink()

    def add(self, step, samples):
        np.save(self.folder / f"{step:09}.npy", samples, allow_pickle=False)

    def all(self):
        """[(step, samples)] in the order of the steps."""
        files = sorted(self.folder.glob("*.npy"))
        return [(int(file.stem), np.load(file, allow_pickle=False)) for file in files]


def whole(smallest):
    """An argparse type: an integer of at least `smallest`."""

    def integer(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < smallest:
            raise argparse.ArgumentTypeError(f"expected a whole number >= {smallest}, got {text!r}")
        return value

    return integer


def digits(source, seed):
    """(images, what they are): MNIST's 60,000, from a folder, the cache or a mirror, or glyphs.

    source : a folder, None for wherever `minigan.data.mnist` finds them, or "glyphs"
    """
    if source != "glyphs":
        try:
            images, _ = mg.data.mnist(folder=source)
            return images, "MNIST"
        except FileNotFoundError as error:
            if source is not None:
                sys.exit(f"--data: {error}")
            print(f"{error}\nLearning glyphs, digits drawn from fonts, instead.\n")
        except ValueError as error:
            sys.exit(f"--data: {error}")
    images, _ = mg.data.glyphs(60_000, rng=seed)
    return images, "glyphs"


class Results:
    """A folder of results: hands out paths, and says at the end what was written."""

    def __init__(self, folder):
        self.folder, self.written = Path(folder), []

    def path(self, name, meaning):
        """Where to write `name`; `meaning` is printed beside it at the end."""
        self.written.append((name, meaning))
        return self.folder / name

    def finish(self, metrics, words):
        """Writes metrics.json and prints what was written and, in `words`, what it means."""
        path = self.path("metrics.json", "the numbers below, for a program")
        path.write_text(json.dumps(_plain(metrics), indent=2) + "\n")
        print(f"\nWritten to {self.folder}/")
        widest = max(len(name) for name, _ in self.written)
        for name, meaning in self.written:
            print(f"  {name:{widest}}  {meaning}")
        print()
        for line in words:
            print(line)


def _plain(value):
    """The value as JSON has it: NumPy numbers as numbers, what is not finite as null."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
