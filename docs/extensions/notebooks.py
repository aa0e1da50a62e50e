"""Makes each demo's notebook complete: it needs minigan, installed, and no other file.

sphinx-gallery turns a demo into a notebook. The demos share the modules in `demos/helpers`, which
are not installed with minigan; so a first cell, collapsed, holds those that the demo imports and
writes them to a temporary folder. A second cell stands for the command line.
"""

import ast
import json
import zipfile
from pathlib import Path

DEMOS = Path(__file__).parents[2] / "demos"
PICTURES = Path(__file__).parent / "pictures_below.py"

WORDS = """\
You need minigan, installed (`pip install .` in the folder of the project), and no other file. The
next cell is collapsed: it holds what this demo uses of the folder `demos/helpers`, and writes it to
a temporary folder. Options of the command line go into the cell after it, for example
`sys.argv = ["{name}", "--seed", "1"]`."""

MODULES = """\
# The modules that this demo shares with others, and one that shows pictures below their cell.
FILES = {{
{files}
}}
import sys
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp())
(folder / "helpers").mkdir()
for name, text in FILES.items():
    (folder / name).write_text(text, encoding="utf-8")
sys.path.insert(0, str(folder))

import pictures_below

pictures_below.start("out/{name}")"""

ARGUMENTS = """\
sys.argv = ["{name}"]"""


def shared(source):
    """The files of demos/helpers that a demo imports, directly or through another one."""
    found, sources = {}, [source]
    while sources:
        for node in ast.walk(ast.parse(sources.pop())):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            if node.module == "helpers":
                names = [alias.name for alias in node.names]
            elif node.module.startswith("helpers."):
                names = [node.module.removeprefix("helpers.")]
            else:
                continue
            for name in {"__init__", *names} - set(found):
                found[name] = (DEMOS / "helpers" / f"{name}.py").read_text("utf-8")
                sources.append(found[name])
    return {f"helpers/{name}.py": text for name, text in sorted(found.items())}


def complete(notebook, name, source):
    """The notebook with the cells that come before the demo's own."""
    files = {**shared(source), PICTURES.name: PICTURES.read_text("utf-8")}
    if any("'''" in text or text.endswith("'") for text in files.values()):
        raise ValueError("a module of the demos contains ''', which quotes it in a notebook")
    listed = "\n".join(f"    {file!r}: r'''{text}'''," for file, text in files.items())
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": WORDS.format(name=name)},
        code(MODULES.format(files=listed, name=name), jupyter={"source_hidden": True}),
        code(ARGUMENTS.format(name=name), tags=["parameters"]),
    ]
    notebook["cells"][1:1] = cells  # below the title
    return notebook


def code(source, **metadata):
    return {
        "cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [],
        "source": source,
    }  # fmt: skip


def complete_all(app):
    """After sphinx-gallery: each notebook, and the zip file with it, the program and helpers."""
    for path in sorted(Path(app.srcdir, "demos").glob("*.ipynb")):
        source = (DEMOS / f"{path.stem}.py").read_text("utf-8")
        notebook = complete(json.loads(path.read_text("utf-8")), path.stem, source)
        path.write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")
        with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(path, path.name)
            packed.writestr(f"{path.stem}.py", source)
            for file, text in shared(source).items():
                packed.writestr(file, text)


def setup(app):
    app.connect("builder-inited", complete_all, priority=900)  # sphinx-gallery's is 500
    return {"parallel_read_safe": True}
