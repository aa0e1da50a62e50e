"""Exercise 22: spectral norm

A critic must not be too steep. A linear layer stretches a vector by at most
sigma, the largest singular value of W; so W / sigma stretches none:

    W_bar = W / sigma

sigma is found by power iteration. v is kept from step to step, and each step
makes it better (|a| is the length of a, np.linalg.norm):

    u = W v / |W v|        v = W' u / |W' u|        sigma = u' W v

Backward, the layer gives G = dL/dW_bar. When W moves, sigma moves with it, by
d sigma / dW = u v' (u and v count as constants); so by the quotient rule

    dW = (G - (sum of G W_bar) u v') / sigma

Here the sum is over all entries of G W_bar, entry by entry: one number.

Wanted: W_bar, sigma, u and v after one iteration; and dW.

Shapes:
    W, W_bar, G, dW, u v' (in, out)    u (in,)    v (out,)    sigma: a number

By hand, with W = [[3, 0], [0, 4]] and v = [0, 1]:

    W v = [0, 4], so u = [0, 1], v = [0, 1] and sigma = 4
    W_bar = [[.75, 0], [0, 1]]
    G = [[8, 8], [8, 8]]: the sum of G W_bar is 8 * .75 + 8 = 14, and
    dW = ([[8, 8], [8, 8]] - 14 [[0, 0], [0, 1]]) / 4 = [[2, 2], [2, -1.5]]

    >>> W, v = np.diag([3.0, 4.0]), np.array([0.0, 1.0])
    >>> W_bar, sigma, u, v = spectral_forward(W, v)
    >>> float(sigma)
    4.0
    >>> spectral_backward(np.full((2, 2), 8.0), W_bar, sigma, u, v)
    array([[ 2. ,  2. ],
           [ 2. , -1.5]])

Why it matters: it bounds a critic's slope without a penalty. The second term
says that the scale of W does not matter; a release of TensorFlow Addons left
it out.
"""

import numpy as np


def spectral_forward(W, v):
    """W (in, out), v (out,) from the step before -> W_bar, sigma, u, v"""
    # GAP u, v
    # HINT np.linalg.norm(a) is the length of a vector a.
    # HINT First u from the old v, then the new v from u.
    u = W @ v
    u = u / np.linalg.norm(u)
    v = W.T @ u
    v = v / np.linalg.norm(v)
    # END
    sigma = u @ W @ v
    return W / sigma, sigma, u, v


def spectral_backward(G, W_bar, sigma, u, v):
    """G = dL/dW_bar (in, out), what the forward pass gave -> dW (in, out)"""
    # GAP dW
    # HINT The sum of G W_bar is np.sum(G * W_bar); the matrix u v' is np.outer(u, v).
    dW = (G - np.sum(G * W_bar) * np.outer(u, v)) / sigma
    # END
    return dW


# == for the checker ===========================================================


def cases(rng):
    for shape in (4, 4), (4, 3):
        W, v = rng.standard_normal(shape), rng.standard_normal(shape[1])
        yield "spectral_forward", {"W": W, "v": v}, "W_bar, sigma, u, v", f"W {shape}"
        u, _, vs = np.linalg.svd(W)
        u, v = u[:, 0], vs[0]
        sigma = float(u @ W @ v)
        G = rng.standard_normal(shape)
        arguments = {"G": G, "W_bar": W / sigma, "sigma": sigma, "u": u, "v": v}
        yield "spectral_backward", arguments, "dW", f"W {shape}"


U, V = "u = u / np.linalg.norm(u)\n", "    v = W.T @ u\n    v = v / np.linalg.norm(v)\n"
DW = "dW = (G - np.sum(G * W_bar) * np.outer(u, v)) / sigma"
MISTAKES = [
    (U, "u = u / np.sum(np.abs(u))\n", "u is divided by the sum of its entries; by its length"),
    (U, "u = u / np.sum(u**2)\n", "the square root is missing in the length of u"),
    (U + V, V.lstrip(), "u is not divided by its length"),
    (V, "    v = v / np.linalg.norm(v)\n", "v is not moved: v = W' u / |W' u|"),
    ("u = W @ v\n", "u = W.T @ v\n", "W is transposed: u = W v, and v = W' u"),
    (DW, "dW = G / sigma", "sigma is taken as a constant: the second term is missing"),
    (DW, DW.removesuffix(" / sigma"), "the division by sigma is missing"),
    (DW, DW.replace("G - ", "G + "), "the second term is subtracted"),
    (DW, DW.replace("G * W_bar", "G * W_bar * sigma"), "the sum is of G W; it must be of G W_bar"),
    (DW, DW.replace("np.outer(u, v)", "np.outer(v, u)"), "v u' stands for u v'"),
    (DW, DW.replace("np.sum(G * W_bar)", "np.sum(G)"), "the sum is of G; it must be of G W_bar"),
]
