"""Do the tests notice? One operator, constant, comparison or sign is changed at a time, and the
tests of that file are run on the changed package. A mutant that no test fails on has survived:
either a test is missing, or the change changes nothing.

    python benchmarks/mutation.py --sample 100      # a random hundred of all mutants; 0: every one

The package itself is left alone: a copy of it is mutated. NumPy backend, one process at a time;
needs a system that can fork.
"""

import ast
import os
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

# what is mutated -> the tests that should notice, the quickest first
TESTS = {
    "minigan/losses.py": ["tests/test_losses.py", "tests/test_gan.py"],
    "minigan/optim.py": ["tests/test_optim.py", "tests/test_gan.py"],
    "minigan/penalties": ["tests/test_penalties.py", "tests/test_gradcheck_penalties.py"],
    "minigan/layers": ["tests/layers", "tests/test_network.py", "tests/test_penalties.py"],
    "minigan/kernels/reference": ["tests/layers", "tests/test_optim.py", "tests/test_losses.py"],
}

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


def mutants(file):
    """[(line number, the line, the mutated line, the mutated source)] of a file."""
    source = file.read_text()
    found = []
    for index, node in enumerate(places(ast.parse(source))):
        for change in range(sum(1 for _ in changes(node))):
            tree = ast.parse(source)
            twin = places(tree)[index]
            statement = _statement(tree, twin)
            before = ast.unparse(statement).splitlines()
            list(changes(twin))[change]()
            after = ast.unparse(statement).splitlines()
            pairs = [pair for pair in zip(before, after) if pair[0] != pair[1]]
            was, becomes = pairs[0] if pairs else ("", "")
            found.append((statement.lineno, was.strip(), becomes.strip(), ast.unparse(tree)))
    return found


def _statement(tree, wanted):
    """The innermost statement around a node."""
    around = tree
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and any(inner is wanted for inner in ast.walk(node)):
            around = node  # ast.walk goes from the outside in
    return around


def collect():
    """[(path below the root, its tests, mutant)] of the whole package."""
    everything = []
    for target, tests in TESTS.items():
        path = ROOT / target
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            everything += [(file.relative_to(ROOT), tests, mutant) for mutant in mutants(file)]
    return everything


def passes(copy, tests, timeout=float("inf")):
    """Whether the tests pass on the copy. One that does not end has failed.

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
        os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", "not numba", *tests]))
    ends = time.monotonic() + timeout
    while time.monotonic() < ends:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main():
    args = common.arguments(
        __doc__, "mutation", sample=(100, "how many mutants; 0: all"), seed=(0, "of the sample")
    )
    os.environ |= {"MINIGAN_BACKEND": "numpy", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    everything = collect()
    chosen = everything
    if 0 < args.sample < len(everything):
        chosen = random.Random(args.seed).sample(everything, args.sample)
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("minigan", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "setup.cfg", copy)
        slowest = 0.0
        for tests in TESTS.values():
            began = time.perf_counter()
            if not passes(copy, tests):
                sys.exit(f"The tests fail before anything is mutated: {' '.join(tests)}")
            slowest = max(slowest, time.perf_counter() - began)
        for number, (file, tests, (line, was, becomes, source)) in enumerate(chosen, 1):
            original = (copy / file).read_text()
            (copy / file).write_text(source)
            survived = passes(copy, tests, timeout=10 * slowest)
            (copy / file).write_text(original)
            if survived:
                survivors.append({"file": str(file), "line": line, "was": was, "becomes": becomes})
                print(f"survived  {file}:{line}\n          {was}\n       -> {becomes}", flush=True)
            if number % 10 == 0:
                print(f"{number} of {len(chosen)}, {len(survivors)} survived", flush=True)
    killed = len(chosen) - len(survivors)
    print(f"\n{killed} of {len(chosen)} mutants killed, {killed / len(chosen):.1%}; "
          f"{len(everything)} there are in all")  # fmt: skip
    counts = {"mutants": len(everything), "tried": len(chosen), "killed": killed}
    common.write_json(args.out / "mutation.json", {**counts, "survivors": survivors})


if __name__ == "__main__":
    main()
