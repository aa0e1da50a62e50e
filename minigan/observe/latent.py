"""The latent space of a generator: paths through it, its main directions, the z of a given image.

line(a, b, n), great_circle(a, b, n)    n points from one z to another
directions(generator, z)                what to change in z to change the image most
invert(generator, images)               z with G(z) near each image, by G's backward pass
"""

import math
from typing import NamedTuple

import numpy as np

from .._checks import (
    Count,
    FiniteVector,
    NotNegative,
    OtherVector,
    Positive,
    Samples,
    Seed,
    SomeRows,
    TwoOrMore,
    checked,
    numbers,
    shown,
)
from .._random import random_generator
from ..layers import Reshape
from ..layers.composite import walk
from ..network import Sequential
from ..optim import Adam


@checked
def line(a: FiniteVector, b: OtherVector, n: TwoOrMore) -> np.ndarray:
    """(1 - t) a + t b for n values of t from 0 to 1, (n, latent).

    Normal noise has a length of about sqrt(latent); half-way between two draws it is shorter by a
    factor of sqrt(2), where G has hardly been trained.
    """
    t = np.linspace(0, 1, n)[:, None]
    return (1 - t) * a + t * b


@checked
def great_circle(a: FiniteVector, b: OtherVector, n: TwoOrMore) -> np.ndarray:
    """(sin((1 - t) w) a + sin(t w) b) / sin w, w the angle between a and b, (n, latent)

    If a and b are equally long, so are all points: as long as noise is (White 2016).
    Where a and b lie on one line through 0 there is no such circle: then it is the line.
    """
    t = np.linspace(0, 1, n)[:, None]
    cosine = np.sum(a * b) / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-30)
    w = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(w) < 1e-6:
        return (1 - t) * a + t * b
    return (np.sin((1 - t) * w) * a + np.sin(t * w) * b) / np.sin(w)


@checked
def directions(generator: Sequential, z: SomeRows) -> tuple[np.ndarray, np.ndarray]:
    """(strengths, U): J = dG/dz has J U = V strengths, averaged over z

    The columns of U, (latent, latent), are orthonormal: along the first one a small step changes
    the image most, by `strengths[0]` a unit, along the last one least. They are the eigenvectors of
    the mean of J'J over the rows of z. J is exact: `generator.tangent` along each unit vector.

    Parameters
    ----------
    generator : a Sequential, all of whose layers have a tangent
    z : (n, latent)
    """
    rows = z.astype(generator.dtype)
    try:
        generator.forward(rows[:1], training=False)
    except ValueError as error:
        raise ValueError(f"directions: z must be noise for generator, got {shown(z)}") from error
    unit, gram = np.eye(rows.shape[1], dtype=rows.dtype), 0.0
    for row in rows:
        _, cache = generator.forward(np.tile(row, (len(unit), 1)), training=False)
        J = generator.tangent(unit, cache).reshape(len(unit), -1).astype(np.float64)  # its columns
        gram = gram + J @ J.T / len(rows)
    squares, U = np.linalg.eigh(gram)
    return np.sqrt(squares[::-1].clip(0)), U[:, ::-1]


class Inversion(NamedTuple):
    """What `invert` found: z (n, latent), G(z) (n, ...), the root mean square error of each."""

    z: np.ndarray
    images: np.ndarray
    errors: np.ndarray


@checked
def invert(
    generator: Sequential,
    images: Samples,
    *,
    steps: Count = 300,
    starts: Count = 8,
    lr: Positive = 0.05,
    prior: NotNegative = 1e-3,
    rng: Seed = 0,
) -> Inversion:
    """z = argmin mean (G(z) - image)^2 + prior mean z^2,  the best of several starts

    Only z moves: dz = G.backward_input(d image), and no gradient reaches G's parameters. G is not
    one-to-one and the error not convex, so start anew and take the best. The prior is that of the
    noise: without it z wanders off to where G was never trained.

    Parameters
    ----------
    images : (n, ...), like G's samples
    steps : of Adam
    starts : draws of noise to begin from, for each image
    lr : Adam's rate, in units of the noise
    prior : >= 0
    rng : seed or Generator of the starts
    """
    width = _width(generator)
    sample, _ = generator.forward(np.zeros((2, width)), training=False)
    images = numbers("invert", "images", images, ("N", *sample.shape[1:]), finite=True)
    images = images.astype(generator.dtype)
    n, target = len(images), np.repeat(images, starts, axis=0)
    z = random_generator(rng).standard_normal((n * starts, width), generator.dtype)
    adam, flat = Adam(lr, beta1=0.9), z.reshape(-1)
    for _ in range(steps):
        made, cache = generator.forward(z, training=False)
        d_image = 2 * (made - target) / made[0].size
        dz = generator.backward_input(d_image, cache) + 2 * prior * z / width
        adam.step(flat, dz.reshape(-1))
    made, _ = generator.forward(z, training=False)
    errors = np.sqrt(((made - target) ** 2).reshape(n * starts, -1).mean(axis=1)).reshape(n, starts)
    best = np.arange(n) * starts + errors.argmin(axis=1)
    return Inversion(z[best], made[best], errors.min(axis=1))


def _width(generator):
    """The number of noise values that a generator takes: that of its first layer with weights, or
    of the shape that it gives them first."""
    for _, layer in walk(generator):
        if isinstance(layer, Reshape) and -1 not in layer.shape:
            return math.prod(layer.shape)
        if hasattr(layer, "in_features"):
            return layer.in_features
    raise TypeError(
        "invert: generator must begin with a Linear layer, or a Reshape without -1, got "
        f"{shown(generator)}"
    )
