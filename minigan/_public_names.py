"""The public names that are imported when they are first used, and modules with a second name.

Sampling from a trained network needs no gradient checker, no pictures and no data. So
`import minigan` imports the core alone, and the rest comes when it is asked for:

    minigan.train(...)                 an object: imported from its module, in OBJECTS
    minigan.gradcheck.check_layer      a module: imported by its public name
    minigan.training.loop              a module of a package: see `modules_of`
    import minigan.gradcheck           minigan.verify.gradcheck, the same module: see SecondNames
"""

import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PACKAGE = "minigan"
OBJECTS = {
    "Average": "training.averaging",
    "History": "training.history",
    "Plateau": "training.plateau",
    "diagnose": "observe.diagnosis",
    "load": "models.saved",
    "train": "training.loop",
}
SECOND_NAMES = {
    "auxiliary": "models.auxiliary",
    "bugs": "verify.bugs",
    "checkpoint": "training.checkpoint",
    "classifier": "metrics.classifier",
    "conditional": "models.conditional_games",
    "dirac": "theory.dirac",
    "exercises": "verify.exercises",
    "game_steps": "training.game_steps",
    "gradcheck": "verify.gradcheck",
    "image_recipes": "models.image_recipes",
    "interop": "models.interop",
    "judge": "metrics.judge",
    "kernels": "backend",
    "ledger": "verify.ledger",
    "parallel": "training.parallel",
    "plots": "observe.plots",
    "recipes": "models.recipes",
    "schedules": "training.schedules",
    "spectrum": "theory.spectrum",
    "stabilisers": "training.stabilisers",
    "watch": "observe.watch",
}
_one_thread = threading.RLock()
PACKAGES = "data", "metrics", "models", "observe", "theory", "training", "verify"


def get(name: str) -> Any:
    """The object or the module of a public name; AttributeError where there is none."""
    if name in OBJECTS and not _import_asks():
        return getattr(_imported(f"{PACKAGE}.{OBJECTS[name]}"), name)
    if (name in SECOND_NAMES or name in PACKAGES) and not _import_asks():
        return _imported(f"{PACKAGE}.{SECOND_NAMES.get(name, name)}")
    raise AttributeError(f"module {PACKAGE!r} has no attribute {name!r}")


def modules_of(package: str) -> Callable[[str], ModuleType]:
    """The `__getattr__` of a package whose modules are imported when they are first used."""

    def module(name: str) -> ModuleType:
        if _import_asks() or importlib.util.find_spec(f"{package}.{name}") is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return _imported(f"{package}.{name}")

    return module


def _imported(module):
    """The modules import one another: two threads that began at different ends would wait for each
    other, which Python notices and answers with an error. So one thread at a time."""
    with _one_thread:
        return importlib.import_module(module)


def _import_asks():
    """Whether `from package import name` is looking for the name, which then imports it by itself.
    It may hold locks of modules, and so must not wait for another thread here."""
    return sys._getframe(2).f_code.co_name == "_handle_fromlist"


class SecondNames(MetaPathFinder, Loader):
    """Finds `minigan.gradcheck`, and whatever is inside it, as `minigan.verify.gradcheck`.

    Both names are one module: its code runs once, so that there is one class of each name. Also
    for `python -m minigan.exercises`.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        first, _, rest = name.removeprefix(f"{PACKAGE}.").partition(".")
        if not name.startswith(f"{PACKAGE}.") or first not in SECOND_NAMES:
            return None
        own = importlib.util.find_spec(".".join(filter(None, (PACKAGE, SECOND_NAMES[first], rest))))
        if own is None:
            return None
        spec = ModuleSpec(name, self, origin=own.origin, loader_state=own)
        spec.submodule_search_locations = own.submodule_search_locations
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module(spec.loader_state.name)

    def exec_module(self, module: ModuleType) -> None:
        """It has run. The import has left the spec of its second name, which is replaced."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state

    def get_code(self, name: str) -> Any:
        """What `python -m` runs: of minigan.exercises.__main__, for example."""
        spec = self.find_spec(name)
        assert spec is not None
        return spec.loader_state.loader.get_code(spec.loader_state.name)


sys.meta_path.insert(0, SecondNames())
