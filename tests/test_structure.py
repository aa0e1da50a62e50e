"""The structure of the package: who imports whom, what the core is, that names are used once."""

import ast
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tokenize
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import minigan

PACKAGE = Path(minigan.__file__).parent
FILES = {file.relative_to(PACKAGE): file for file in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(file.read_text()) for name, file in FILES.items()}
IN_FAST = [name for name in TREES if name.parts[0] == "fast"]

CORE = [
    "layers/base.py", "layers/linear.py", "layers/activations.py", "losses.py", "network.py",
    "gan.py", "optim.py",
]  # fmt: skip
CORE_IMPORTS = [
    "backend.py", "_callers.py", "_mistakes.py", "_random.py", "layers/parameters.py",
    "layers/memory.py", "layers/flat_vectors.py", "layers/composite.py", "layers/shape.py",
    "_checks/__init__.py", "_checks/words.py", "_checks/objects.py", "_checks/arrays.py",
    "_checks/parts.py", "_checks/signatures.py",
]  # fmt: skip
CORE_LINES = 500
CHECKS = {"_checks"}
CHECK_LINES = 167  # 102 of them decorate a public function of a module, one line each

# names that are used twice; none may be added, and one that no longer is must go from here
SHARED_FILE_NAMES = set()
# the training methods of minigan.dirac have the names of the losses and penalties that they model,
# as in the papers; they are public as mg.dirac.R1 and so on, and in no other module
SHARED_CLASS_NAMES = {
    "GradientPenalty", "InstanceNoise", "Minimax", "NonSaturating", "R1", "Relativistic",
}  # fmt: skip
# the packages and modules whose public functions have type hints
ANNOTATED = [
    "backend.py", "data", "fast", "gan.py", "layers", "losses.py", "metrics", "models",
    "network.py", "observe", "optim.py", "penalties", "theory", "training", "verify",
]  # fmt: skip
# exercises are written by learners; kernels are typed by Numba, once for each dtype
NOT_ANNOTATED = ["verify/exercises/solutions", "fast/kernels"]


def dotted(name):
    """minigan.layers.base for layers/base.py, minigan.layers for layers/__init__.py."""
    parts = ("minigan", *name.with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(name): name for name in TREES}


def at_import(body):
    """Yields the import statements that run when the module is imported."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for field in ("body", "orelse", "finalbody", "handlers"):
                yield from at_import(getattr(node, field, []))


def imported(name, statements):
    """The dotted names that the statements of a file import, whether modules or what is in them."""
    package = dotted(name).split(".")
    package = package if name.name == "__init__.py" else package[:-1]
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*base, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def everywhere(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


# An editable install finds what is missing in the copy elsewhere.
ALONE = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder).lower()]
"""


def run(program, folder, **environment):
    """What a program prints that finds its minigan in `folder`."""
    kept = {k: v for k, v in os.environ.items() if k != "MINIGAN_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE + program], cwd=folder, capture_output=True, text=True,
        env={**kept, "PYTHONPATH": str(folder), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# -- who imports whom ------------------------------------------------------------------------------


def test_only_the_backend_knows_of_compiled_code():
    for name, tree in TREES.items():
        if name in IN_FAST or name == Path("backend.py"):
            continue
        for module in imported(name, everywhere(tree)):
            assert not f"{module}.".startswith(("numba.", "llvmlite.", "minigan.fast.")), name
        for node in ast.walk(tree):  # importlib.import_module("numba")
            words = node.value if isinstance(node, ast.Constant) else None
            assert words not in ("numba", "llvmlite", "minigan.fast", ".fast"), name


def test_no_module_writes_names_into_its_globals():
    """Each name can be found by an editor where it is defined."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                owner = node.value
            else:
                continue
            is_globals = isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name)
            assert not (is_globals and owner.func.id == "globals"), name


HELPERS = {  # what the mathematics of these files calls outside of them, NumPy excepted
    "layers/linear.py": set(),
    "layers/convolution.py": set(),
    "layers/activations.py": set(),
    "layers/normalisation.py": {"flat_rows", "zeros"},  # x as a (rows, channels) matrix; first 0
    "losses.py": {"sigmoid", "softplus"},  # defined in layers/activations.py, as formulas here too
    "optim.py": set(),
}


@pytest.mark.parametrize("name", HELPERS)
def test_a_formula_is_computed_in_the_file_that_states_it(name):
    tree = TREES[Path(name)]
    names = {
        alias.asname or alias.name
        for node in everywhere(tree) if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    } - {"checks", "backend"}  # fmt: skip
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert {each for each in called if each.partition(".")[0] in names} == HELPERS[name]


def test_no_import_leads_back_to_where_it_came_from():
    """`from . import losses` counts as an import of losses alone: the package around a module is
    always under way, and offers what it has imported so far."""
    graph = {}
    for module, name in MODULES.items():
        found = {m for m in imported(name, at_import(TREES[name].body)) if m in MODULES}
        graph[module] = {m for m in found if not f"{module}.".startswith(f"{m}.")}
    list(TopologicalSorter(graph).static_order())  # raises CycleError


# -- what works without the rest -------------------------------------------------------------------

TRAINS = """
import sys
import numpy as np
import minigan as mg
assert mg.kernels.backend() == "numpy"
players = mg.models.mlp_generator(2, (2,), hidden=(8,)), mg.models.mlp_discriminator((2,))
gan = mg.GAN(*players, latent_dim=2, penalties=[mg.penalties.R1(1.0)])
before = gan.generator.theta.copy()
history = mg.train(gan, mg.data.gaussian_ring(), steps=3, progress=False)
assert len(history) == 3 and not np.array_equal(gan.generator.theta, before)
try:
    mg.kernels.use_backend("numba")
except ImportError as error:
    assert str(error).startswith('backend "numba" needs minigan/fast'), error
else:
    raise AssertionError("there is no such backend")
print(any(name.partition(".")[0] in ("numba", "llvmlite") for name in sys.modules))
"""


def test_minigan_works_without_its_compiled_code(tmp_path):
    left_out = shutil.ignore_patterns("fast", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "minigan", ignore=left_out)
    assert run(TRAINS, tmp_path, MINIGAN_BACKEND="numpy") == ["False"]
    assert run(TRAINS, tmp_path) == ["False"]


NO_NUMBA = """
import importlib.machinery, sys

class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("numba", "llvmlite"):
            return importlib.machinery.ModuleSpec(name, Missing)

    @staticmethod
    def create_module(spec):
        raise ModuleNotFoundError(f"No module named {spec.name!r}", name=spec.name)

    @staticmethod
    def exec_module(module):
        pass

sys.meta_path.insert(0, Missing)
"""


@pytest.mark.slow
def test_all_other_tests_pass_without_compiled_code(tmp_path):
    """In a copy without minigan/fast and tests/fast, in which importing Numba is an error."""
    left_out = shutil.ignore_patterns("fast", "__pycache__", ".git", ".venv", "out", "build")
    shutil.copytree(PACKAGE.parent, tmp_path, ignore=left_out, dirs_exist_ok=True)
    (tmp_path / "sitecustomize.py").write_text(ALONE + NO_NUMBA)  # for child processes as well
    kept = {k: v for k, v in os.environ.items() if k not in ("MINIGAN_BACKEND", "PYTEST_ADDOPTS")}
    workers = ["-n", "2"] if importlib.util.find_spec("xdist") else []
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", *workers],
        cwd=tmp_path, capture_output=True, text=True, env={**kept, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]


RING = """
import numpy as np
from minigan.gan import GAN
from minigan.layers.activations import LeakyReLU
from minigan.layers.linear import Linear
from minigan.losses import NonSaturating
from minigan.network import Sequential
from minigan.optim import Adam

angles = 2 * np.pi * np.arange(8) / 8
centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)


def players(seed):
    make = lambda n, m: [Linear(n, 48), LeakyReLU(), Linear(48, 48), LeakyReLU(), Linear(48, m)]
    return Sequential(make(8, 2), rng=(seed, 0)), Sequential(make(2, 1), rng=(seed, 1))


for seed in range(3):
    rng = np.random.default_rng(seed)
    optimizers = Adam(1e-3), Adam(1e-3)
    gan = GAN(
        *players(seed), latent_dim=8, loss=NonSaturating(), rng=(seed, 2),
        generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1],
    )
    steps = 1500
    for step in range(steps):
        for optimizer in optimizers:
            optimizer.lr = 1e-3 * min(1, 2 * (1 - step / steps))
        chosen = centres[rng.integers(8, size=64)]
        gan.train_step(chosen + 0.1 * rng.standard_normal(chosen.shape))
    samples = gan.sample(4000)
    distance = np.linalg.norm(samples[:, None] - centres, axis=2)
    near = distance.argmin(axis=1)[distance.min(axis=1) < 0.3]
    print(int((np.bincount(near, minlength=8) >= 100).sum()))
"""


def test_the_core_alone_learns_the_ring(tmp_path):
    for name in (*CORE, *CORE_IMPORTS):
        (tmp_path / "minigan" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / name, tmp_path / "minigan" / name)
    for package in ("", "layers"):
        (tmp_path / "minigan" / package / "__init__.py").touch()
    environment = {"MINIGAN_BACKEND": "numpy", "OPENBLAS_NUM_THREADS": "1"}
    assert run(RING, tmp_path, **environment) == ["8", "8", "8"]


def lines_of_code(text):
    """The number of lines that hold more than a docstring, a comment or nothing."""
    documented = set()
    for node in ast.walk(ast.parse(text)):
        first = node.body[0] if isinstance(getattr(node, "body", None), list) and node.body else 0
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            documented |= set(range(first.lineno, first.end_lineno + 1))
    silent = {"COMMENT", "NL", "NEWLINE", "INDENT", "DEDENT", "ENDMARKER"}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if tokenize.tok_name[token.type] not in silent:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - documented)


def test_the_core_is_small():
    assert lines_of_code('"""One.\n\nTwo."""\n\n# three\nx = (1,\n  2)\n') == 2
    assert sum(lines_of_code((PACKAGE / name).read_text()) for name in CORE) <= CORE_LINES


def lines_that_call_a_check(tree):
    """The lines on which a function of _checks is called, or decorates a function or a class."""
    names, modules = set(), set()
    for node in everywhere(tree):
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            of_checks = CHECKS & set((node.module or "").split("."))
            found = names if of_checks else modules if alias.name in CHECKS else set()
            found.add(alias.asname or alias.name)

    def is_check(node):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.value.id in modules and node.attr != "shown"
        return isinstance(node, ast.Name) and node.id in names - {"shown"}

    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and is_check(n.func)]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    decorators = [d for n in functions for d in n.decorator_list if is_check(d)]
    return {node.lineno for node in calls + decorators}


def test_few_lines_call_a_check():
    """Arguments are checked by their annotations (see `_checks`), not between formulas."""
    found = lines_that_call_a_check(ast.parse("from ._checks import real, checked\n@checked\n"
                                              "def f(): return real(least=0)\n"))  # fmt: skip
    assert found == {2, 3}
    lines = [
        (str(name), line) for name, tree in TREES.items()
        if not CHECKS & {name.stem, *name.parts} for line in lines_that_call_a_check(tree)
    ]  # fmt: skip
    assert len(lines) <= CHECK_LINES, Counter(name for name, _ in lines)


# -- names -----------------------------------------------------------------------------------------


def shared(names):
    return {name for name, times in Counter(names).items() if times > 1}


def test_no_two_files_share_a_name():
    """But a file in fast/ and the one whose counterparts it holds do, and __init__ and __main__."""
    outside_fast = [
        name.name for name in TREES
        if name.name[:2] != "__" and not (name.parts[0] == "fast" and len(name.parts) == 2)
    ]  # fmt: skip
    assert shared(outside_fast) == SHARED_FILE_NAMES


def test_no_two_public_classes_share_a_name():
    classes = [
        node.name for tree in TREES.values() for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]  # fmt: skip
    assert shared(classes) == SHARED_CLASS_NAMES


def test_few_modules_beside_the_packages():
    """backend.py is no public module: its public name is minigan.kernels."""
    modules = {name.stem for name in TREES if len(name.parts) == 1 and name.stem[0] != "_"}
    packages = {name.parts[0] for name in TREES if len(name.parts) > 1 and name.parts[0][0] != "_"}
    assert len(modules - {"backend"}) <= 4 and len(packages) <= 10


def public_functions(body):
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def test_public_functions_have_type_hints():
    for name, tree in TREES.items():
        if name.parts[0] not in ANNOTATED or str(name.parent) in NOT_ANNOTATED:
            continue
        for function in public_functions(tree.body):
            given = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
            bare = [a.arg for a in given if a.annotation is None and a.arg not in ("self", "cls")]
            assert function.returns is not None and not bare, f"{name}: {function.name}"
