"""Do the tests notice? One operator, constant, comparison or sign is changed at a time, and the
tests that call the changed function are run, the quickest first. A mutant that no test fails on
has survived: either a test is missing, or the change changes nothing.

    python benchmarks/mutation.py --sample 100      # a random hundred of all mutants
    python benchmarks/mutation.py --sample 99999    # every one

Those that change nothing are listed in `equivalent_mutants.txt`: the file, the line, the line
mutated, and why no test can tell.

The package itself is left alone: a copy of it is mutated. NumPy backend, one process at a time;
needs a system that can fork.
"""

import ast
import compileall
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import common
import matplotlib.pyplot  # noqa: F401 (for the children)
import pytest
import tqdm  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.txt")

MUTATED = (
    "minigan/losses.py",
    "minigan/optim.py",
    "minigan/penalties",
    "minigan/layers",
)
TESTS = (
    "tests/layers",
    "tests/test_losses.py",
    "tests/test_optim.py",
    "tests/test_network.py",
    "tests/test_penalties.py",
    "tests/test_gradcheck_penalties.py",
    "tests/test_conditional.py",
    "tests/test_improved_techniques.py",
    "tests/test_stabilisers.py",
    "tests/test_ownership.py",
    "tests/test_misfits.py",
)
# Numba compiles and PyTorch imports for seconds; the others take the most of the rest, and whole
# steps and trainings are seldom the first to notice
LEFT_OUT = " and ".join(
    f"not {name}"
    for name in (
        "numba", "pytorch", "residual_images", "whole_steps", "learns_which_class", "ready_models",
        "to_the_same_bits", "a_collapse", "asks_for_every_class",
    )
)  # fmt: skip

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.MatMult: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def changes(node):
    """Yields functions that change one node of a syntax tree, each in another way."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in OPERATORS:
        yield lambda: setattr(node, "op", OPERATORS[type(node.op)]())
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield lambda: node.ops.__setitem__(0, OPERATORS[type(node.ops[0])]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda: setattr(node, "op", ast.UAdd())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda: setattr(node, "value", not node.value)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda: setattr(node, "value", node.value + 1)


def places(tree):
    """The nodes of a tree that may be mutated, in a fixed order: not those of error messages."""
    nodes, left = [], [tree]
    while left:
        node = left.pop()
        nodes.append(node)
        messages = isinstance(node, ast.Raise | ast.JoinedStr)
        left += [] if messages else list(ast.iter_child_nodes(node))
    return nodes


def collect(copy):
    """Where the package can be changed: [(file, the number of the place in it, which change)]."""
    found = []
    for path in (copy / name for name in MUTATED):
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            for index, node in enumerate(places(ast.parse(file.read_text()))):
                found += [(file, index, change) for change in range(sum(1 for _ in changes(node)))]
    return found


def mutate(file, index, change):
    """One mutant: its line, that line before and after, the function it is in (one of whose tests
    should fail), and the source of its whole file."""
    tree = ast.parse(file.read_text())
    node = places(tree)[index]
    statement, function = _around(tree, node)
    before = ast.unparse(statement).splitlines()
    list(changes(node))[change]()
    after = ast.unparse(statement).splitlines()
    was, becomes = next((pair for pair in zip(before, after) if pair[0] != pair[1]), ("", ""))
    return {
        "line": statement.lineno, "was": was.strip(), "becomes": becomes.strip(),
        "function": function, "source": ast.unparse(tree),
    }  # fmt: skip


def _around(tree, wanted):
    """(the innermost statement around a node, the first line of the outermost function whose body
    it is in, None for none: a default, or a line of a class or module)."""
    statement, function = tree, None
    for node in ast.walk(tree):  # from the outside in
        if isinstance(node, ast.stmt) and any(inner is wanted for inner in ast.walk(node)):
            statement = node
            in_body = isinstance(node, ast.FunctionDef) and any(
                inner is wanted for child in node.body for inner in ast.walk(child)
            )
            if in_body and function is None:
                function = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
    return statement, function


class Recorder:
    """Notes how long each test takes, and which functions of the package (file, first line) it
    calls; under "import" those that are called before there is a test."""

    def __init__(self, copy):
        self.copy, self.seconds, self.calls = f"{copy}{os.sep}", {}, {"import": set()}
        self.calling = self.calls["import"]

    def note(self, frame, event, argument):
        code = frame.f_code
        if code.co_filename.startswith(self.copy):
            self.calling.add((code.co_filename[len(self.copy) :], code.co_firstlineno))

    def pytest_collection_finish(self, session):
        sys.settrace(None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        self.calling = self.calls[item.nodeid] = set()
        began = time.perf_counter()
        sys.settrace(self.note)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.seconds[item.nodeid] = time.perf_counter() - began

    def pytest_sessionfinish(self, session):
        Path(self.copy, "recorded").write_bytes(pickle.dumps((self.seconds, self.calls)))


class Choice:
    """Runs the tests that call a function, the quickest first; all of them if any may notice."""

    def __init__(self, file, function, seconds, calls):
        anywhere = function is None or (file, function) in calls["import"]
        self.order = seconds
        self.chosen = {test for test in seconds if anywhere or (file, function) in calls[test]}
        self.seconds = sum(seconds[test] for test in self.chosen)

    def pytest_collection_modifyitems(self, items):
        def wanted(item):  # a test of another name is one whose name the mutant has changed
            return item.nodeid in self.chosen or item.nodeid not in self.order

        items[:] = sorted(filter(wanted, items), key=lambda item: self.order.get(item.nodeid, 0))


def passes(copy, plugin, tests, timeout=float("inf")):
    """Whether the tests pass on the copy. Those that do not end have failed.

    A child of this process runs them, with all but minigan imported: most mutants are dead before
    another interpreter would have started.
    """
    child = os.fork()
    if child == 0:
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        if isinstance(plugin, Recorder):
            sys.settrace(plugin.note)
        options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "-k", LEFT_OUT]
        os._exit(pytest.main([*options, *tests], plugins=[plugin]))
    ends = time.monotonic() + timeout
    while time.monotonic() < ends:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def survives(copy, file, mutant, seconds, calls):
    """Whether no test notices the mutant of a file of the copy."""
    choice = Choice(str(file.relative_to(copy)), mutant["function"], seconds, calls)
    tests = {test.split("::")[0] for test in choice.chosen}
    original = file.read_text()
    file.write_text(mutant["source"])
    try:
        return not tests or passes(copy, choice, sorted(tests), 60 + 20 * choice.seconds)
    finally:
        file.write_text(original)


def equivalent():
    """{(file, line, the line mutated): why} of the mutants that change nothing."""
    blocks = EQUIVALENT.read_text().strip().split("\n\n")
    listed = [[line.strip() for line in block.splitlines()] for block in blocks]
    return {(file, was, becomes): why for file, was, becomes, why in listed}


def report(chosen, survivors, everything):
    """The score in words and as a dict; each survivor that nobody has explained is named again."""
    killed = len(chosen) - len(survivors)
    unexplained = [one for one in survivors if one["why"] is None]
    print(f"\n{killed} of {len(chosen)} mutants killed, {killed / len(chosen):.1%}; "
          f"{len(everything)} there are in all. Of the {len(survivors)} that survived "
          f"{len(survivors) - len(unexplained)} change nothing.")  # fmt: skip
    for one in unexplained:
        print("unexplained  {file}:{line}\n             {was}\n          -> {now}".format(**one))
    counts = {"mutants": len(everything), "tried": len(chosen), "killed": killed}
    return {**counts, "survivors": survivors}


def main():
    args = common.arguments(
        __doc__, "mutation", sample=(100, "how many mutants"), seed=(1, "of the sample")
    )
    os.environ |= {"MINIGAN_BACKEND": "numpy", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    sys.stdout.reconfigure(line_buffering=True)
    survivors, reasons = [], equivalent()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("minigan", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "setup.cfg", copy)
        compileall.compile_dir(copy, quiet=1)
        if not passes(copy, Recorder(copy), TESTS):
            sys.exit("The tests fail before anything is mutated.")
        seconds, calls = pickle.loads((copy / "recorded").read_bytes())
        print(f"{len(seconds)} tests, {sum(seconds.values()):.0f} s")
        everything = collect(copy)
        chosen = everything
        if args.sample < len(everything):
            chosen = random.Random(args.seed).sample(everything, args.sample)
        for number, (file, index, change) in enumerate(chosen, 1):
            mutant = mutate(file, index, change)
            if survives(copy, file, mutant, seconds, calls):
                name = str(file.relative_to(copy))
                one = {"file": name, "line": mutant["line"]}
                one |= {"was": mutant["was"], "now": mutant["becomes"]}
                one["why"] = reasons.get((name, one["was"], one["now"]))
                survivors.append(one)
                print("survived  {file}:{line}\n          {was}\n       -> {now}".format(**one))
            if number % 10 == 0:
                print(f"{number} of {len(chosen)}, {len(survivors)} survived")
    common.write_json(args.out / "mutation.json", report(chosen, survivors, everything))


if __name__ == "__main__":
    main()
