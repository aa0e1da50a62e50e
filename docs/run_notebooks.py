"""Runs the demos' notebooks as a reader would, with few steps: python docs/run_notebooks.py

First build the site (`python docs/build.py --quick` is enough). Each notebook is copied alone into
an empty folder and runs from top to bottom in a kernel of this Python, in which minigan must be
installed and not merely found beside this script. `pip install '.[docs,notebooks]'` does.
"""

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).parent
DIGITS = ["--data", "glyphs", "--steps", "3"]
FEW = {  # options with which a demo takes seconds; the others take 20 steps
    **dict.fromkeys(["one_neuron", "loss_microscope", "same_as_autograd", "sample"], []),
    "in_sixty_lines": ["--epochs", "1"],
    **dict.fromkeys(["mnist_mlp", "mnist_dcgan", "mnist_conditional"], [*DIGITS, "--no-judge"]),
    **dict.fromkeys(["latent", "attention", "hundred_digits"], DIGITS),
    "bug_museum": ["--steps", "2"],
}
NEEDS = {"same_as_autograd": "torch", "several_ranks": "mpi4py"}


def few(name):
    return FEW.get(name, ["--steps", "20"])


def run(path, folder):
    """The finished notebook; raises CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = f"sys.argv = {[path.stem, *few(path.stem)]}"
    options = {"kernel_name": "python3", "timeout": 1200}
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, **options).execute()
    return notebook


def count(notebook):
    """{kind of output: how many}, of pictures, pages and tqdm's bars."""
    bundles = [
        output.data for cell in notebook.cells if cell.cell_type == "code"
        for output in cell.outputs if "data" in output
    ]  # fmt: skip
    kinds = {"pictures": "image/", "bars": "application/vnd.jupyter.widget-view"}
    return {
        kind: sum(any(key.startswith(start) for key in bundle) for bundle in bundles)
        for kind, start in kinds.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="demos; by default all")
    parser.add_argument("--keep", type=Path, help="folder for the notebooks with their outputs")
    args = parser.parse_args()
    where = importlib.util.find_spec("minigan").origin
    if Path(where).is_relative_to(HERE.parent):
        sys.exit(f"minigan is found at {where}: install it (pip install .), not editable")
    names = args.names or sorted(path.stem for path in (HERE / "demos").glob("*.ipynb"))
    names.sort(key=lambda name: (name == "sample", name))  # it samples from quickstart's model
    if not names:
        sys.exit("There are no notebooks: python docs/build.py --quick makes them")
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONPATH", None)
        for name in names:
            if name in NEEDS and not importlib.util.find_spec(NEEDS[name]):
                print(f"{name}: left out, {NEEDS[name]} is not installed", flush=True)
                continue
            begin = time.perf_counter()
            path = Path(shutil.copy(HERE / "demos" / f"{name}.ipynb", folder))
            try:
                notebook = run(path, folder)
            except CellExecutionError as error:
                failed.append(name)
                print(f"{name}: FAILED\n{error}", flush=True)
                continue
            seconds = time.perf_counter() - begin
            found = ", ".join(f"{number} {kind}" for kind, number in count(notebook).items())
            print(f"{name}: {seconds:.0f} s, {found}", flush=True)
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                nbformat.write(notebook, args.keep / path.name)
    if failed:
        sys.exit(f"{len(failed)} of {len(names)} failed: {', '.join(failed)}")
    print(f"All {len(names)} ran.")


if __name__ == "__main__":
    main()
