"""Exercise 24: attention

A convolution sees a few neighbours; attention lets each place of an image
look at all places. Each of T places has a query, a key and a value:

    s = q k' / sqrt(d)           scores: how well query i fits key j
    a = softmax of each row of s
    y = a v                      for each place, a weighted mean of the values

Backward, one product at a time (exercise 3: if y = a v, then da = dy v' and
dv = a' dy):

    dv = a' dy        da = dy v'
    ds = softmax backward of da
    dq = ds k / sqrt(d)        dk = ds' q / sqrt(d)

Wanted: y and a; then dq, dk and dv.

Shapes:
    q, k, dq, dk (T, d)    v, y, dy, dv (T, c)    s, a, ds, da (T, T)

By hand, with T = 2, d = c = 1 and q = [0, 0]: all scores are 0, all weights
1/2, so with v = [2, 6] both places get y = 4. Back, with dy = [1, 1]:

    dv = [1/2 + 1/2, 1/2 + 1/2] = [1, 1]
    da = [[2, 6], [2, 6]]      ds = 1/2 (da - 4) = [[-1, 1], [-1, 1]]
    with k = [0, 1]:    dq = ds k = [1, 1]       dk = ds' q = [0, 0]

    >>> column = lambda *numbers: np.array(numbers, float)[:, None]
    >>> q, k, v = column(0, 0), column(0, 1), column(2, 6)
    >>> y, a = attention_forward(q, k, v)
    >>> y.ravel()
    array([4., 4.])
    >>> dq, dk, dv = attention_backward(column(1, 1), q, k, v, a)
    >>> dq.ravel(), dk.ravel(), dv.ravel()
    (array([1., 1.]), array([0., 0.]), array([1., 1.]))

Why it matters: with it, the two eyes of a face can agree, however far apart
they are (SAGAN).
"""

import numpy as np
from ex23_softmax import softmax, softmax_backward


def attention_forward(q, k, v):
    """q (T, d), k (T, d), v (T, c) -> y (T, c), a (T, T)"""
    # GAP y, a
    # HINT The scores: q @ k.T, divided by np.sqrt(d). d is q.shape[1].
    s = q @ k.T / np.sqrt(q.shape[1])
    a = softmax(s)
    y = a @ v
    # END
    return y, a


def attention_backward(dy, q, k, v, a):
    """dy (T, c), q, k, v and a of the forward pass -> dq, dk, dv"""
    # GAP dq, dk, dv
    # HINT Five products and one call of softmax_backward, in the order of the text.
    # HINT softmax_backward(da, a) gives ds.
    dv = a.T @ dy
    da = dy @ v.T
    ds = softmax_backward(da, a)
    dq = ds @ k / np.sqrt(q.shape[1])
    dk = ds.T @ q / np.sqrt(q.shape[1])
    # END
    return dq, dk, dv


# == for the checker ===========================================================


def cases(rng):
    for t, d, c in (4, 4, 4), (5, 3, 2):
        q, k = rng.standard_normal((2, t, d))
        v, dy = rng.standard_normal((2, t, c))
        note = f"T = {t}, d = {d}, c = {c}"
        yield "attention_forward", {"q": q, "k": k, "v": v}, "y, a", note
        a = np.exp(q @ k.T / np.sqrt(d))
        a = a / a.sum(axis=1, keepdims=True)
        arguments = {"dy": dy, "q": q, "k": k, "v": v, "a": a}
        yield "attention_backward", arguments, "dq, dk, dv", note


S = "s = q @ k.T / np.sqrt(q.shape[1])"
DQ, DK = "dq = ds @ k / np.sqrt(q.shape[1])", "dk = ds.T @ q / np.sqrt(q.shape[1])"
MISTAKES = [
    (S, "s = q @ k.T", "the division by sqrt(d) is missing in the scores"),
    (S, "s = q @ k.T / q.shape[1]", "the scores are divided by d; by sqrt(d)"),
    (S, "s = k @ q.T / np.sqrt(q.shape[1])", "queries and keys are exchanged: s = q k'"),
    ("a = softmax(s)", "a = softmax(s.T).T", "the columns of a sum to 1; the rows must"),
    ("y = a @ v", "y = a.T @ v", "a is transposed: y = a v"),
    (
        f"{DQ}\n    {DK}",
        "dq = ds @ k\n    dk = ds.T @ q",
        "the division by sqrt(d) is missing on the way back",
    ),
    (DQ, "dq = ds @ k", "the division by sqrt(d) is missing in dq"),
    (DK, "dk = ds.T @ q", "the division by sqrt(d) is missing in dk"),
    (DK, DK.replace("ds.T", "ds"), "ds must be transposed in dk = ds' q"),
    (DQ, DQ.replace("ds @ k", "ds.T @ k"), "ds is not transposed in dq = ds k"),
    ("dv = a.T @ dy", "dv = a @ dy", "a must be transposed in dv = a' dy"),
    ("ds = softmax_backward(da, a)", "ds = da", "softmax's backward pass is left out"),
    ("ds = softmax_backward(da, a)", "ds = a * da", "softmax's path through the sum is missing"),
    (S, "s = q @ k.T * np.sqrt(q.shape[1])", "multiplied by sqrt(d); the scores are divided by it"),
]
