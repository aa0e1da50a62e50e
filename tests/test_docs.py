"""The site's pages: every code block runs."""

import contextlib
import importlib.util
import io
import pkgutil
import re
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import minigan as mg

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.rst")
    if path.relative_to(DOCS).parts[0] not in ("demos", "gallery")
)


def blocks(text):
    """The code below each `.. runs::`."""
    found = re.findall(r"^\.\. runs::\n\n((?:   .*\n|\n)+)", text + "\n", re.MULTILINE)
    return [textwrap.dedent(code) for code in found]


def said_by(code, names):
    """What the code prints, its names kept in `names`."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(code, "<page>", "exec"), names)
    return said.getvalue()


@pytest.mark.parametrize("page", [page for page in PAGES if ".. runs::" in page.read_text()],
                         ids=lambda page: page.stem)  # fmt: skip
def test_the_code_of_a_page_runs(page):
    text, names = page.read_text("utf-8"), {"__name__": "page"}
    assert len(blocks(text)) == text.count(".. runs::")
    with mg.kernels.use_backend("numpy"):
        printed = [(code, said_by(code, names)) for code in blocks(text)]
    for code, said in printed:
        assert "nan" not in re.findall(r"\w+", said)
        complains = bool(re.search("WRONG|FAILED", said))
        assert complains == ("class Wrong(" in code), said
    if page.parent.name == "derivations":
        assert any(said for _, said in printed)


def test_a_docstring_that_is_shown_exists():
    for page in PAGES:
        for name in re.findall(r"^\.\. docstring:: (\S+)$", page.read_text("utf-8"), re.MULTILINE):
            assert pkgutil.resolve_name(name).__doc__


def test_the_page_of_public_names_lists_every_name():
    """docs/build.py itself stops if one of these entries is not on the built page."""
    pytest.importorskip("sphinx", reason="the site's build needs sphinx")
    where = importlib.util.spec_from_file_location("build_of_docs", DOCS / "build.py")
    build = importlib.util.module_from_spec(where)
    where.loader.exec_module(build)
    page = build.api()
    listed = {name.removeprefix("minigan.") for name in build.entries(page)}
    for name in mg.__all__:
        value = getattr(mg, name)
        assert name in listed or f".. automodule:: minigan.{name}\n" in page
        if isinstance(value, ModuleType):
            own = [
                n for n, v in vars(value).items() if getattr(v, "__module__", "") == value.__name__
            ]
            own = own if not hasattr(value, "__all__") else value.__all__
            assert {f"{name}.{n}" for n in own if n[0] != "_"} <= listed
