"""Frechet distance: two sets of features, each summed up as a Gaussian."""

import numpy as np

from .._checks import OtherTwoPoints, TwoPoints, checked


@checked
@np.errstate(under="ignore")
def frechet_distance(features_a: TwoPoints, features_b: OtherTwoPoints) -> float:
    """Squared 2-Wasserstein distance between the Gaussians fitted to two sets of features.

        |mu - mu'|^2 + Tr(S + S' - 2 (S S')^(1/2))          S, S' with denominator n - 1

    No matrix root is taken. With S = R^T R and S' = R'^T R', R from the QR of the centred
    features, the trace is an orthogonal Procrustes problem,

        Tr(...) = min over orthogonal Q of |R - Q R'|^2,  reached at Q = U V^T for R R'^T = U s V^T

    because |R - Q R'|^2 = Tr S + Tr S' - 2 Tr(R^T Q R'), whose last trace is at most sum(s), and
    the s^2 are the eigenvalues of S S'. A sum of squares: never negative, right for covariances
    that are rank-deficient or nearly so (where the root of a product is not), 0 to rounding for
    equal sets.

    features_a: (n, d), features_b: (m, d), n, m >= 2: activations of one layer of one network,
    or plain points. Returns a float >= 0, in the features' units squared. It is biased upwards,
    the more the fewer samples: compare equal counts only, and print what held-out data score.
    Raises ValueError or TypeError, naming the argument.

    Dowson and Landau 1982; Heusel et al. 2017 (with Inception features: the FID).
    """
    origin = features_b.mean(axis=0)  # a mean far from 0 would lose the digits of the shift
    a, b = features_a - origin, features_b - origin
    shift = a.mean(axis=0) - b.mean(axis=0)
    size = min(max(len(a), len(b)), a.shape[1])
    root_a, root_b = _covariance_root(a, size), _covariance_root(b, size)
    u, _, vt = np.linalg.svd(root_a @ root_b.T)
    residual = root_a - (u @ vt) @ root_b
    return float(shift @ shift + np.sum(residual**2))


def _covariance_root(features, size):
    """R (size, d) with R^T R = the covariance of the features; rows beyond its rank are zero."""
    centred = features - features.mean(axis=0)
    triangle = np.linalg.qr(centred, mode="r") / np.sqrt(len(features) - 1)
    root = np.zeros((size, features.shape[1]))
    root[: len(triangle)] = triangle
    return root
