"""Makes the pictures that the README embeds, by running the demos that draw them.

    python demos/pictures/make.py                      # all of them; the digits take half an hour
    python demos/pictures/make.py ledger learning      # some of them

In pictures.json it records, for each picture, the command, a checksum of the file, and the
content of the same picture after a few training steps: for each line, point set and image in it the
number of values, their mean and their standard deviation, and each text. The tests draw that short
version again (see tests/trust/test_pictures.py): it differs when the code would draw something
else.
"""

import argparse
import contextlib
import hashlib
import io
import json
import runpy
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
from matplotlib import pyplot
from matplotlib.figure import Figure

import minigan

HERE = Path(__file__).parent
RECORD = HERE / "pictures.json"


class Picture(NamedTuple):
    """demo and options: the command; file: what it writes; short: other options for the test."""

    demo: str
    options: str
    file: str
    short: str


PICTURES = {
    "samples.gif": Picture("quickstart", "--steps 3000", "samples.gif", "--steps 5"),
    "ledger.png": Picture("show_every_gradient", "--steps 500", "tiny.png", "--steps 2"),
    "learning.png": Picture("watch_it_learn", "--steps 4000", "learning.png", "--steps 5"),
    "museum.png": Picture("bug_museum", "--steps 1000", "museum.png", "--steps 2"),
    "digits.png": Picture("mnist_dcgan", "--steps 20000", "hundred.png", "--steps 2 --no-judge"),
    "asked.png": Picture("mnist_conditional", "--steps 2000", "asked.png", "--steps 2 --no-judge"),
}


class Drawn(Exception):
    """The picture of interest has been drawn."""


def content(figure):
    """[one entry for each text and each drawn array of the figure], as JSON has it."""
    found = [[round(float(length), 2) for length in figure.get_size_inches()]]
    for axes in figure.axes:
        found += [text.get_text() for text in (axes.title, axes.xaxis.label, axes.yaxis.label)]
        found += [text.get_text() for text in axes.texts]
        arrays = [line.get_xydata() for line in axes.lines]
        arrays += [image.get_array() for image in axes.images]
        arrays += [offsets for shape in axes.collections if len(offsets := shape.get_offsets())]
        found += [_summary(array) for array in arrays]
    return [entry for entry in found if entry != ""]


def _summary(array):
    """[number of finite values, mean, standard deviation]"""
    values = np.ma.filled(np.ma.asarray(array, float), np.nan)
    values = values[np.isfinite(values)]
    moments = (values.mean(), values.std()) if values.size else ()
    return [values.size, *(float(f"{moment:.6g}") for moment in moments)]


def short_content(picture, folder):
    """The content of the picture after few steps, drawn on the NumPy kernels.

    The demo stops once the picture is drawn. MNIST is replaced by a few images of noise, and the
    checks of gradients and of bugs, which take long and are in no picture, are left out.
    """
    savefig, drawn = Figure.savefig, []

    def noted(figure, path, **options):
        if Path(getattr(path, "name", path)).name == picture.file:
            drawn.append(content(figure))
            raise Drawn
        return None if picture.file.endswith("png") else savefig(figure, path, **options)

    def noted_film(animation, path, **options):
        *_, last = animation.new_saved_frame_seq()
        animation._init_draw()
        animation._draw_frame(last)
        drawn.append(content(animation._fig))
        raise Drawn

    with (
        mock.patch.object(Figure, "savefig", noted),
        mock.patch("matplotlib.animation.Animation.save", noted_film),
        mock.patch.object(minigan.data, "mnist", few_digits),
        mock.patch.object(minigan.gradcheck, "check_step", mock.MagicMock()),
        mock.patch.object(minigan.bugs, "examine", mock.MagicMock()),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        minigan.kernels.use_backend("numpy"),  # the demo's --backend lasts no longer than this
    ):
        with contextlib.suppress(Drawn):
            run(picture, f"{picture.short} --backend numpy", folder)
    return drawn[0]


def few_digits(split="train", folder=None):
    """In place of MNIST: images of noise, labelled 0 to 9 in turn."""
    n = {"train": 640, "test": 200}[split]
    images = np.random.default_rng(n).uniform(-1, 1, (n, 28, 28, 1)).astype(np.float32)
    return images, np.arange(n) % 10


def run(picture, options, folder):
    """Runs the demo with seed 0 in this process, its files written to `folder`."""
    line = [picture.demo, *options.split(), "--seed", "0", "--out", str(folder)]
    hook = sys.excepthook
    with (
        mock.patch.object(sys, "argv", line),
        mock.patch.object(sys, "path", [str(HERE.parent), *sys.path]),
    ):
        try:
            runpy.run_path(str(HERE.parent / f"{picture.demo}.py"))
        finally:
            sys.excepthook = hook
            pyplot.close("all")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = {Path(name).stem: name for name in PICTURES}
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(names)}")
    args = parser.parse_args()
    if unknown := set(args.names) - set(names):
        parser.error(f"no picture {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for name in args.names or names:
        name = names[name]
        picture = PICTURES[name]
        print(f"\n== {name}: python demos/{picture.demo}.py {picture.options}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            short = short_content(picture, folder)
            run(picture, picture.options, folder)
            metrics = json.loads((Path(folder) / "metrics.json").read_text())
            if metrics.get("data") == "glyphs":
                sys.exit(f"{name} shows MNIST, which was not found (see MINIGAN_DATA)")
            shutil.copy(Path(folder) / picture.file, HERE / name)
        record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
        record[name] = {
            "command": f"{picture.demo} {picture.options}",
            "sha256": digest(HERE / name),
            "short": short,
        }
        lines = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False)
        RECORD.write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
