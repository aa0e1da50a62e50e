"""The public names: where they lead, and that nothing is imported for them before its use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minigan as mg
from minigan import _public_names as names

TREE = ast.parse(Path(mg.__file__).read_text())


def for_type_checkers():
    """{public name: the module or object that an editor is told}, from `if TYPE_CHECKING`."""
    (block,) = (node for node in TREE.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    for node in imports:
        for alias in node.names:
            yield alias.asname or alias.name, ".".join(filter(None, [node.module, alias.name]))


def run(program):
    """What a program prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_editor_is_told_the_same_as_python():
    told = dict(for_type_checkers())
    packages = {name: name for name in names.PACKAGES if name in mg.__all__}
    objects = {name: f"{module}.{name}" for name, module in names.OBJECTS.items()}
    second = {name: module for name, module in names.SECOND_NAMES.items() if name != "kernels"}
    assert told == packages | objects | second
    assert set(told) < set(mg.__all__) and len(mg.__all__) == len(set(mg.__all__))
    for name in mg.__all__:
        assert getattr(mg, name) is not None and name in dir(mg)


@pytest.mark.parametrize("first", ["verify.gradcheck", "gradcheck"])
def test_a_module_with_two_names_runs_once(first):
    """Whichever is imported first. Two copies of a class would not know each other's objects."""
    program = f"""
import importlib, sys
importlib.import_module("minigan.{first}.report")
import minigan.gradcheck.report, minigan.verify.gradcheck.report, minigan
from minigan.gradcheck import Report
assert minigan.gradcheck is sys.modules["minigan.verify.gradcheck"]
assert minigan.gradcheck.__spec__.name == minigan.gradcheck.__name__ == "minigan.verify.gradcheck"
assert sys.modules["minigan.gradcheck.report"] is minigan.verify.gradcheck.report
assert Report is minigan.verify.gradcheck.report.Report
import minigan.verify.ledger, minigan.ledger.parting
assert minigan.ledger.parting is minigan.verify.ledger.parting
"""
    assert run(program) == ""


def test_what_is_not_there_is_refused_as_python_refuses_it():
    with pytest.raises(ModuleNotFoundError, match="minigan.gradcheck.nothing"):
        __import__("minigan.gradcheck.nothing")
    with pytest.raises(ModuleNotFoundError, match="minigan.nothing"):
        __import__("minigan.nothing")


def test_a_package_finds_its_modules():
    program = """
import minigan as mg
mg.verify.gradcheck, mg.verify.exercises, mg.training.loop, mg.observe.plots, mg.theory.spectrum
mg.models.recipes, mg.metrics.judge, mg.data.minibatches
try:
    mg.verify.nothing
except AttributeError as error:
    print(error)
"""
    assert run(program) == "module 'minigan.verify' has no attribute 'nothing'\n"


def test_sampling_from_a_file_imports_neither_checkers_nor_pictures_nor_downloads(tmp_path):
    gan = mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), latent_dim=2)
    gan.save(tmp_path / "gan.npz")
    program = f"""
import sys, minigan as mg
mg.load({str(tmp_path / "gan.npz")!r}).sample(1)
not_needed = "verify", "observe", "metrics", "theory", "training.loop"
print([name for name in not_needed if f"minigan.{{name}}" in sys.modules])
print([name for name in ("PIL", "matplotlib", "pooch", "http.server") if name in sys.modules])
"""
    assert run(program) == "[]\n[]\n"


def test_modules_that_are_programs_run_by_both_names():
    for name in ("exercises", "verify.exercises", "parallel"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", f"minigan.{name}", "--help"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert done.stdout.startswith("usage: "), done.stdout


def test_threads_may_ask_for_all_names_at_once():
    """In a process of their own, three times: what an order of imports breaks, breaks rarely."""
    asked = [*mg.__all__, *names.SECOND_NAMES.values(), *names.OBJECTS.values()]
    program = f"""
import operator, sys, threading
import minigan
sys.setswitchinterval(1e-5)
wrong = []
def ask(name):
    try:
        operator.attrgetter(name)(minigan)
    except BaseException as error:
        wrong.append((name, error))
threads = [threading.Thread(target=ask, args=[name]) for name in 2 * {asked!r}]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(wrong)
"""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
        )
        assert done.stdout == "[]\n", (done.stdout, done.stderr)
