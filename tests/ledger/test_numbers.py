"""The printed sums of a tiny ledger, parsed and evaluated, give the printed results."""

import ast
import math
import operator
import re

import numpy as np
import pytest

import minigan as mg

LINE = re.compile(r"^ {5}(\w+)(?:\[([\d,]+)\])? = (.+) = (\S+)$")

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
}
FUNCTIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "tanh": math.tanh,
    "max": max,
}


def work_out(expression):
    """Arithmetic, by hand."""

    def of(node):
        match node:
            case ast.Expression(body=body):
                return of(body)
            case ast.Constant(value=value):
                return value
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATORS[type(op)](of(left), of(right))
            case ast.UnaryOp(op=op, operand=operand):
                return OPERATORS[type(op)](of(operand))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return OPERATORS[type(op)](of(left), of(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return FUNCTIONS[name](*map(of, args))
        raise AssertionError(f"not arithmetic: {ast.dump(node)}")

    return of(ast.parse(expression, mode="eval"))


def chapters(ledger):
    """The numbers as text, by (loss, player, forward?): [(symbol, index, expression, result)]."""
    found = {}
    text = str(ledger).split("\n3. generate")[1]
    order = [
        ("L_G", "G", True), ("L_D", "D", True), ("L_D", "D", False),
        ("L_G", "D", True), ("L_G", "D", False), ("L_G", "G", False),
    ]  # fmt: skip
    for of, chapter in zip(order, text.split("\n\n"), strict=True):
        found[of] = [line.groups() for line in map(LINE.match, chapter.splitlines()) if line]
    return found


def agree(a, b):
    """To 1e-9 of itself, or to the rounding of numbers near 1."""
    return abs(a - b) <= 1e-9 * abs(b) + 1e-15


def check_numbers(ledger):
    """Every line adds up; every entry of every gradient and of every value computed is there."""
    for (loss, player, forward), lines in chapters(ledger).items():
        printed = {}
        for symbol, index, expression, result in lines:
            assert agree(work_out(expression), float(result)), f"{symbol}[{index}] = {expression}"
            at = tuple(map(int, index.split(","))) if index else ()
            assert (symbol, at) not in printed
            printed[symbol, at] = float(result)
        expected = {}
        for row in ledger.section(loss, player):
            if forward and row.formula.startswith(
                ("parameter", "noise", "[real; fake]", "D(real)")
            ):
                continue
            if (row.kind == "penalty") if forward else (row.kind in ("loss", "penalty")):
                continue
            symbol, values = (
                (row.symbol, row.value) if forward else (f"d{row.symbol}", row.gradient)
            )
            expected |= {(symbol, at): value for at, value in np.ndenumerate(values)}
        assert printed.keys() == expected.keys()
        for entry, value in expected.items():
            assert agree(printed[entry], value), entry


def test_every_printed_sum_is_its_gradient(tiny_gan, real, loss, activation):
    check_numbers(mg.ledger.record(tiny_gan(loss, activation), real))


def test_sums_with_penalties(tiny_gan, real, loss):
    penalties = [mg.penalties.R1(1.0), mg.penalties.GradientPenalty(0.5)]
    check_numbers(mg.ledger.record(tiny_gan(loss, "Tanh", penalties=penalties), real))


@pytest.mark.parametrize("n", [1, 4])
def test_sums_of_single_precision_and_of_other_sizes(n):
    """float32 weights have long decimals; a batch of one, a batch of four; no bias."""
    L = mg.layers
    generator = mg.Sequential([L.Linear(2, 3, bias=False), L.ReLU(), L.Linear(3, 1)], rng=1)
    discriminator = mg.Sequential([L.Linear(1, 2), L.Sigmoid(), L.Linear(2, 1, bias=False)], rng=2)
    gan = mg.GAN(generator, discriminator, latent_dim=2, rng=3)
    ledger = mg.ledger.record(gan, np.linspace(-1, 1, n).reshape(n, 1))
    assert ledger.tiny
    check_numbers(ledger)


def test_sums_that_cancel(tiny_gan, real):
    """Real samples that are the generator's own, a bit apart, and 1e-9 apart: all of L_D's sums
    are differences of nearly equal numbers."""
    gan = tiny_gan("Wasserstein")
    fake = next(row.value for row in mg.ledger.record(gan, real).rows if row.symbol == "fake")
    for near in (fake, np.nextafter(fake, 9), fake + 1e-9):
        check_numbers(mg.ledger.record(gan, near))


@pytest.mark.parametrize(
    "owner, method, wrong",
    [
        (
            mg.layers.Linear,
            "backward_params",
            lambda right: lambda self, dy, x: right(self, 2 * dy, x),
        ),
        (mg.layers.Tanh, "backward_input", lambda right: lambda self, dy, y: dy * (1 - y)),
        (mg.losses.NonSaturating, "generator", lambda right: mg.losses.Minimax.generator),
        (mg.penalties.R1, "accumulate", lambda right: lambda *args: 2 * right(*args)),
    ],
)
def test_a_wrong_gradient_is_not_its_sum(tiny_gan, real, monkeypatch, owner, method, wrong):
    """The sums are written from the mathematics, not from what the library found."""
    monkeypatch.setattr(owner, method, wrong(getattr(owner, method)))
    penalties = [mg.penalties.R1(1.0)] if owner is mg.penalties.R1 else ()
    ledger = mg.ledger.record(tiny_gan("NonSaturating", "Tanh", penalties=penalties), real)
    with pytest.raises(AssertionError):
        check_numbers(ledger)
        assert ledger.check().ok  # a penalty's value is printed as one number, and checked here
