"""Two directives for the pages of this site.

`.. runs::` shows Python code with what it printed when the site was built. All blocks of a page
share their names. Code that raises stops the build.

`.. docstring:: module[.name]` shows a docstring as it stands in the source.
"""

import contextlib
import inspect
import io
import pkgutil

from docutils import nodes
from docutils.parsers.rst import Directive


def run(code, names):
    """What the code prints, its names kept in `names`."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(code, "<page>", "exec"), names)
    return printed.getvalue().rstrip()


class Runs(Directive):
    has_content = True

    def run(self):
        code = "\n".join(self.content)
        page = self.state.document.settings.env.temp_data  # cleared before each page
        names = page.setdefault("names of runs", {"__name__": "page"})
        shown = nodes.literal_block(code, code, language="python")
        printed = run(code, names)
        if not printed:
            return [shown]
        return [shown, nodes.literal_block(printed, printed, language="text", classes=["printed"])]


class Docstring(Directive):
    required_arguments = 1

    def run(self):
        text = inspect.getdoc(pkgutil.resolve_name(self.arguments[0]))
        return [nodes.literal_block(text, text, language="text", classes=["docstring"])]


def as_written(app, what, name, of, options, lines):
    """A docstring is a formula, then plain text in columns: shown as it is, not read as markup."""
    if lines and what != "module" or len(lines) > 1:
        lines[:] = ["::", "", *(f"    {line}" for line in lines), ""]


def setup(app):
    app.add_directive("runs", Runs)
    app.add_directive("docstring", Docstring)
    app.connect("autodoc-process-docstring", as_written)
    return {"parallel_read_safe": True}
