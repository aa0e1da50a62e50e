"""How sphinx-gallery runs the demos: each into a folder of its own, whose pictures it shows."""

import os
import shutil
from pathlib import Path

from sphinx_gallery.scrapers import figure_rst

OUT = Path(__file__).parents[1] / "build" / "demos"
FEW = {"show_every_gradient": ["--steps", "50"]}  # steps, so that the site is built in minutes


def options(settings, script):
    """A demo's command line."""
    name = Path(script["src_file"]).stem
    return ["--out", str(OUT / name), *FEW.get(name, [])]


def pictures(block, variables, settings):
    """The pictures that a demo has written since the last time, as the page's markup."""
    folder = OUT / Path(variables["src_file"]).stem
    found = []
    for file in sorted(folder.glob("*.png"), key=os.path.getmtime):
        seen = folder / "seen" / file.name
        if not seen.exists():
            seen.parent.mkdir(exist_ok=True)
            seen.touch()
            target = next(variables["image_path_iterator"])
            shutil.copy(file, target)
            found.append(target)
    return figure_rst(found, settings["src_dir"])
