"""Exercise 1: one neuron

The smallest discriminator takes one number x and gives one logit:

    r = w x + b

A large logit says "x is real". For a real x its loss is the softplus of -r,
small when r is large:

    L = log(1 + exp(-r))

Wanted: the loss, and how it moves with w and with b. By the chain rule:

    dL/dr = -1 / (1 + exp(r))
    dL/dw = dL/dr * dr/dw
    dL/db = dL/dr * dr/db

Shapes: every value here is one number.

By hand, with x = 2, w = 0.5 and b = -1:

    r = 0.5 * 2 - 1 = 0        L = log(1 + 1) = log 2
    dL/dr = -1 / (1 + 1) = -0.5
    dL/dw = -0.5 * 2 = -1      dL/db = -0.5 * 1 = -0.5

    >>> one_neuron(x=2.0, w=0.5, b=-1.0)
    (0.6931471805599453, -1.0, -0.5)

Why it matters: every gradient in a GAN is this chain rule, with more numbers.
"""

import math


def one_neuron(x, w, b):
    """The loss L for a real x, and its derivatives by w and by b."""
    r = w * x + b
    loss = math.log1p(math.exp(-r))  # log1p(t) is log(1 + t), even for tiny t
    # GAP dw, db
    # HINT First compute dr = dL/dr, from the formula above.
    # HINT When w moves by a little e, r moves by x * e, so dr/dw = x. And dr/db?
    dr = -1 / (1 + math.exp(r))
    dw = dr * x
    db = dr
    # END
    return loss, dw, db


# == for the checker ===========================================================


def cases(rng):
    yield "one_neuron", {"x": 1.5, "w": -0.7, "b": 0.3}, "loss, dw, db"
    yield "one_neuron", {"x": 2.0, "w": 0.5, "b": -1.0}, "loss, dw, db"
    yield "one_neuron", {"x": -3.0, "w": 1.5, "b": 0.0}, "loss, dw, db"


MISTAKES = [
    ("dw = dr * x", "dw = dr", "the factor x is missing: r moves by x when w moves by 1"),
    ("dw = dr * x", "dw = dr * w", "r moves by x, and not by w, when w moves by 1"),
    ("dr = -1 /", "dr = 1 /", "the sign is wrong: the loss falls when r grows"),
    (
        "dr = -1 / (1 + math.exp(r))",
        "dr = -1 / (1 + math.exp(-r))",
        "dL/dr is taken at -r instead of r: it must tend to 0 as r grows",
    ),
    ("db = dr", "db = dr * b", "r moves by 1 when b moves by 1, so db is dL/dr alone"),
    ("dw = dr * x", "dw = x", "the factor dL/dr is missing"),
    ("db = dr", "db = 1", "the factor dL/dr is missing"),
    ("dr = -1 / (1 + math.exp(r))", "dr = -math.exp(-r)", "this is not dL/dr: -1 / (1 + exp(r))"),
]
