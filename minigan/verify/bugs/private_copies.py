"""What an exhibit makes of a case, computed without putting it into the process.

    wrong = put_into(copy.deepcopy(network), "mean_twice")

gives the layers of a network classes of their own, compiled from the source of their modules with
the exhibit's lines in it. Nothing else sees them, so other threads go on undisturbed; and they are
compiled from the files, so that an exhibit that is in for the whole process is not in them.
"""

import ast
import functools
import inspect
import sys
import textwrap
from types import FunctionType
from typing import Any

from ...gan import GAN
from ...layers.base import Layer
from ...layers.composite import walk
from .catalogue import REGISTRY
from .mutants import Edit, replace_lines


def edited_modules() -> set[str]:
    """The names of the modules that some exhibit edits."""
    return {edit.function.__module__ for bug in REGISTRY.values() for edit in bug.edits}


def put_into(thing: Any, bug: str | None) -> Any:
    """`thing` (a layer, a network, a loss, a penalty or a GAN), changed in place: its classes are
    private copies with that exhibit in them; None for healthy copies. Returns it."""
    modules = _modules(bug)
    if isinstance(thing, GAN):
        for part in (thing.generator, thing.discriminator, thing.loss, *thing.penalties):
            put_into(part, bug)
    for inner in [layer for _, layer in walk(thing)] if isinstance(thing, Layer) else [thing]:
        for kind in type(inner).__mro__:
            private = modules.get(kind.__module__, {}).get(kind.__qualname__)
            if private is not None:
                inner.__class__ = private
                break
    return thing


def concerning(*things: Any) -> list[str]:
    """The names of the exhibits that may change what these things compute."""
    kinds: set[str] = set()
    for thing in things:
        parts = [thing]
        if isinstance(thing, GAN):
            parts += [thing.loss, *thing.penalties]
            parts += [layer for player in (thing.generator, thing.discriminator)
                      for _, layer in walk(player)]  # fmt: skip
        elif isinstance(thing, Layer):
            parts = [layer for _, layer in walk(thing)]
        kinds |= {kind.__module__ for part in parts for kind in type(part).__mro__}
    for module in kinds & sys.modules.keys():  # and the functions that they import
        imported = vars(sys.modules[module]).values()
        kinds |= {value.__module__ for value in imported if isinstance(value, FunctionType)}
    return [
        name
        for name, bug in REGISTRY.items()
        if any(edit.function.__module__ in kinds for edit in bug.edits)
    ]


@functools.cache
def _modules(bug: str | None) -> dict[str, dict[str, Any]]:
    """{name of a module: its names}, compiled anew, the exhibit's lines in place of the right ones.

    What one of them imports from another one is the private copy, too."""
    edits = REGISTRY[bug].edits if bug else ()
    made = {name: _compiled(name, edits) for name in sorted(edited_modules())}
    for names in made.values():
        for key, value in names.items():
            home = made.get(getattr(value, "__module__", ""), names)
            if home is not names and isinstance(value, FunctionType):
                names[key] = home[value.__name__]
    return made


def _compiled(name: str, edits: tuple[Edit, ...]) -> dict[str, Any]:
    module = sys.modules[name]
    source = inspect.getsource(module)
    for edit in edits:
        if edit.function.__module__ == name:
            source = _edited(source, edit)
    names: dict[str, Any] = {"__name__": name, "__package__": module.__package__}
    exec(compile(source, f"<{name}, a private copy>", "exec"), names)
    return names


def _edited(source: str, edit: Edit) -> str:
    """The source of a module with one edit made in one of its functions."""
    lines = source.splitlines()
    path = inspect.unwrap(edit.function).__qualname__.split(".")
    body = ast.parse(source).body
    for part in path:
        node = next(n for n in body if getattr(n, "name", None) == part)
        body = getattr(node, "body", [])
    start, stop = node.lineno - 1, node.end_lineno
    function = textwrap.dedent("\n".join(lines[start:stop]))
    margin = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    edited = replace_lines(function, edit.right, edit.wrong, edit.place)
    return "\n".join([*lines[:start], textwrap.indent(edited, margin), *lines[stop:]]) + "\n"
