"""Spectral norm: sigma depends on W, too.

dW = (G - <G, W / sigma> u v') / sigma,   G the gradient for W / sigma
"""

from collections.abc import Iterator

import numpy as np

from .added import deviations
from .case import Candidate, Case

THROUGH = "the path through sigma"


def weights(case: Case) -> Iterator[Candidate]:
    """Where that is right: sigma taken for a constant, or left out."""
    weight, u, v = case.array("weight"), case.array("u"), case.array("v")
    gradient = _gradient(case)
    if weight is None or u is None or v is None or weight.shape != case.found.shape:
        return
    if weight.size != u.size * v.size:
        return
    direction = np.outer(u, v).reshape(weight.shape)
    sigma = float(np.sum(direction * weight))
    if gradient is None:
        # <dW, W> is zero for the right dW, so G cannot be told from it; found may still show it
        return
    inner = np.sum(gradient * weight / sigma)
    right = (gradient - inner * direction) / sigma
    if not case.is_right(right):
        return
    terms = {"the direct path, G / sigma": gradient / sigma, THROUGH: -inner * direction / sigma}
    if (said := deviations(case, terms, {(THROUGH,): "sigma_held"})) is not None:
        yield said
    yield Candidate(gradient / sigma, f"lacks {THROUGH}: sigma depends on W", "sigma_held")
    yield Candidate(right * sigma, "is not divided by sigma")
    yield Candidate(gradient, f"is not divided by sigma, and lacks {THROUGH}")
    yield Candidate(gradient * sigma, f"is multiplied by sigma, not divided, and lacks {THROUGH}")
    yield Candidate(
        (gradient - inner * weight / sigma) / sigma,
        f"has W / sigma in {THROUGH}, where u v' is right",
    )
    yield Candidate(gradient / sigma**2, f"is divided by sigma twice, and lacks {THROUGH}")
    yield Candidate(right / sigma, "is divided by sigma twice")
    yield Candidate(
        (gradient - np.sum(gradient * weight) * direction) / sigma,
        f"has {THROUGH} with W, where it should have W / sigma",
    )
    yield Candidate((gradient - direction) / sigma, f"lacks the factor <G, W / sigma> in {THROUGH}")


def _gradient(case):
    """G = x' dy of a linear layer; else what the context has."""
    given = case.array("normalised_gradient")
    x, dy = case.array("x"), case.array("dy")
    if given is not None or x is None or dy is None or not x.ndim == dy.ndim == 2:
        return given
    return x.T @ dy if len(x) == len(dy) else None
