"""Builds the site: python docs/build.py. It is then in docs/build/html, and needs no network.

A warning, a code block that raises, a link that leads nowhere and anything that a page would load
from a network stop the build. --quick leaves the demos out of it: their pages show code without
pictures.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
from sphinx.cmd.build import main as sphinx

import minigan as mg

HERE = Path(__file__).parent


def explorer(path):
    """The page of the start page: a GAN of 2-3-2 and 2-3-1 neurons, its weights of two decimals."""
    rng = np.random.default_rng(0)
    L = mg.layers

    def network(inputs, outputs):
        layers = [L.Linear(inputs, 3), L.LeakyReLU(0.2), L.Linear(3, outputs)]
        made = mg.Sequential(layers, dtype="float64", rng=rng)
        made.theta[...] = np.round(made.theta + rng.normal(0, 0.1, made.theta.size), 2)
        return made

    gan = mg.GAN(
        network(2, 2),
        network(2, 1),
        latent_dim=2,
        penalties=[mg.penalties.R1(0.5)],
        generator_optimizer=mg.optim.SGD(lr=0.3, momentum=0.5),
        discriminator_optimizer=mg.optim.SGD(lr=0.3, momentum=0.5),
        rng=rng,
    )
    real = np.round(rng.normal(1, 0.5, (2, 2)), 2)
    gan.train_step(real)
    mg.ledger.record(gan, real).to_html(path)


def as_page(name, source):
    """A demo as sphinx-gallery reads it: the file's name is the title, and the words behind `# %%`
    are headings. Indented columns in its docstring stay columns."""
    _, text, code = source.split('"""', 2)
    paragraphs = [
        f"::\n\n{paragraph}" if paragraph.startswith("    ") else paragraph
        for paragraph in text.strip().split("\n\n")
    ]
    head = "\n\n".join([f"{name}\n{'=' * len(name)}", *paragraphs])
    code = re.sub(r"^# %% (.+)$", lambda found: heading(found[1]), code, flags=re.MULTILINE)
    return f'"""\n{head}\n"""{code}'


def heading(words):
    words = words.replace("*", r"\*").replace("|", r"\|").replace("`", "``")
    return f"# %%\n# {words}\n# {'-' * len(words)}"


def demo_table():
    """The table of demos/README.md: what each demo teaches, and how long it takes."""
    text = (HERE.parent / "demos" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    lines = ["", ".. list-table::", "   :header-rows: 1", "   :widths: 25 60 15", ""]
    for row in rows:
        name, *others = (cell.replace("`", "``") for cell in row)
        name = re.sub(r"^``(\w+)\.py``$", r":doc:`\1.py <\1>`", name)
        lines += [f"   * - {name}", *(f"     - {cell}" for cell in others)]
    return "\n".join([*lines, ""])


def public(module):
    """The names that a module offers: its __all__, or what it defines."""
    listed = getattr(module, "__all__", None)
    here = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return here if listed is None else list(listed)


def entry(path, value):
    """The directive that describes a public name."""
    if isinstance(value, type):
        return [f".. autoclass:: {path}", "   :members:", ""]
    if callable(value) and hasattr(value, "__name__"):
        return [f".. autofunction:: {path}", ""]
    story = getattr(value, "story", None)  # of an exhibit of the museum
    module, _, name = path.rpartition(".")
    head = [f".. py:data:: {name}", f"   :module: {module}", ""]
    return [*head, *(["   ::", "", f"       {story}", ""] if story else [])]


def api():
    """The page of all public names: what is at the top of minigan, then module by module."""
    names = {name: getattr(mg, name) for name in mg.__all__}
    modules = sorted(name for name in names if isinstance(names[name], ModuleType))
    lines = [
        *titled("The public names", "="),
        "``import minigan as mg``. Docstrings stand here as they do",
    ]
    lines += ["in the source: the formula first, in plain text.", "", *titled("At the top", "-")]
    for name in names:
        if name not in modules:
            lines += entry(f"minigan.{name}", names[name])
    for name in modules:
        lines += titled(f"minigan.{name}", "-")
        lines += [f".. automodule:: minigan.{name}", ""]
        for inner in public(names[name]):
            lines += entry(f"minigan.{name}.{inner}", getattr(names[name], inner))
    return "\n".join(lines)


def entries(text):
    """The names that `text`, the source of the page of public names, has entries for."""
    names = re.findall(r"^\.\. auto(?!module)\w+:: (\S+)$", text, re.MULTILINE)
    data = re.findall(r"^\.\. py:data:: (\S+)\n   :module: (\S+)$", text, re.MULTILINE)
    return names + [f"{module}.{name}" for name, module in data]


def undescribed(text, page):
    """The names of `text`, that source, without an entry on `page`."""
    return [name for name in entries(text) if f'id="{name}"' not in page]


def titled(title, line):
    return [title, line * len(title), ""]


def dead_links(folder):
    """(page, link) of each link of the site to a file or an anchor that is not there."""
    for page in folder.rglob("*.html"):
        if "explorer" in page.name or "_static" in page.parts:
            continue
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text("utf-8")):
            file, _, anchor = re.sub(r"\?v=\w+", "", link).partition("#")
            if re.match(r"\w+:", link):
                continue
            target = (page.parent / file).resolve() if file else page
            if not target.exists():
                yield page.relative_to(folder), link
            elif anchor and target.suffix == ".html":
                if f'id="{anchor}"' not in target.read_text("utf-8"):
                    yield page.relative_to(folder), link


def requests(folder):
    """(page, tag) of what a page or a style sheet of the site would load from another server."""
    load = re.compile(
        r"""<(?!a\b)[^>]*\b(?:src|href)=["'](?:https?:)?//[^>]*|url\(["']?(?:https?:)?//[^)]*"""
    )
    for page in [*folder.rglob("*.html"), *folder.rglob("*.css")]:
        for tag in load.findall(page.read_text("utf-8")):
            yield page.relative_to(folder), tag


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="do not run the demos")
    args = parser.parse_args()
    for old in ("build", "demos", "gallery", "made"):
        shutil.rmtree(HERE / old, ignore_errors=True)
    (HERE / "made").mkdir()
    (HERE / "gallery").mkdir()
    header = (HERE / "gallery_header.rst").read_text("utf-8") + demo_table()
    (HERE / "gallery" / "GALLERY_HEADER.rst").write_text(header, encoding="utf-8")
    for demo in sorted((HERE.parent / "demos").glob("*.py")):
        page = as_page(demo.name, demo.read_text("utf-8"))
        (HERE / "gallery" / demo.name).write_text(page, encoding="utf-8")
    explorer(HERE / "made" / "explorer.html")
    names = api() + "\n"
    (HERE / "api.rst").write_text(names, encoding="utf-8")
    html = HERE / "build" / "html"
    quick = ["-D", "plot_gallery=0"] if args.quick else []
    failed = sphinx(["-b", "html", "-W", "--keep-going", "-q", *quick, str(HERE), str(html)])
    links = list(dead_links(html)) if not failed else []
    for page, link in links:
        print(f"{page}: the link {link} leads nowhere", file=sys.stderr)
    asked = list(requests(html)) if not failed else []
    for page, tag in asked:
        print(f"{page} would need a network: {tag}", file=sys.stderr)
    absent = undescribed(names, (html / "api.html").read_text("utf-8")) if not failed else []
    for name in absent:
        print(f"api.html has no entry for {name}", file=sys.stderr)
    if failed or links or asked or absent:
        sys.exit(1)
    print(f"The site is in {html}: open {html / 'index.html'}")


if __name__ == "__main__":
    main()
