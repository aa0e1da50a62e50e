"""Exercise 5: cross-entropy, on logits

D gives a logit r for a real sample and f for a fake one, and is to be sure of
both. Its loss is the cross-entropy, here written without probabilities:

    L_D = mean of softplus(-r) + mean of softplus(f)

G wants its fakes taken for real:

    L_G = mean of softplus(-f)

The slope of softplus(x) is sigmoid(x). With N logits of a kind,

    dr = dL_D/dr = -sigmoid(-r) / N
    df = dL_D/df =  sigmoid(f) / N         df = dL_G/df = -sigmoid(-f) / N

Wanted: both values, with their gradients.

Shapes:
    r, f, and their gradients (N, 1)    the values: one number each

By hand, with N = 2, r = [0, 0] and f = [0, log 3]:

    sigmoid(-f) = [1/2, 1/4]            softplus(-f) = [log 2, log 4/3]
    L_G = (0.6931 + 0.2877) / 2 = 0.4904
    df  = -[1/2, 1/4] / 2 = [-0.25, -0.125]       for G
    df  =  [1/2, 3/4] / 2 = [0.25, 0.375]         for D: sigmoid(f) / N

    >>> f = np.array([[0.0], [np.log(3.0)]])
    >>> round(float(generator_loss(f)[0]), 4)
    0.4904
    >>> generator_loss(f)[1]
    array([[-0.25 ],
           [-0.125]])
    >>> discriminator_loss(np.zeros((2, 1)), f)[2]
    array([[0.25 ],
           [0.375]])

Why it matters: this is where both players' gradients begin. Where D is sure
that a sample is fake, f is far below 0 and G's slope is -1/N: it still learns.
"""

import numpy as np
from ex04_sigmoid_softplus import sigmoid, softplus


def discriminator_loss(r, f):
    """r (N, 1) of real samples, f (N, 1) of fakes -> L_D, dL_D/dr, dL_D/df"""
    value = np.mean(softplus(-r)) + np.mean(softplus(f))
    # GAP dr, df
    # HINT The slope of softplus(-r) is -sigmoid(-r): the inner minus comes out.
    # HINT Each logit has the share 1/N in the mean. N is len(r).
    dr = -sigmoid(-r) / len(r)
    df = sigmoid(f) / len(f)
    # END
    return value, dr, df


def generator_loss(f):
    """f (N, 1), D's logits of the fakes -> L_G, dL_G/df"""
    # GAP value, df
    # HINT G wants for its fakes what D wants for real samples.
    value = np.mean(softplus(-f))
    df = -sigmoid(-f) / len(f)
    # END
    return value, df


# == for the checker ===========================================================


def cases(rng):
    r, f = 2 * rng.standard_normal((2, 5, 1))
    far = np.array([[-1000.0], [1000.0], [-50.0], [50.0]])
    yield "discriminator_loss", {"r": r, "f": f}, "value, dr, df"
    yield "discriminator_loss", {"r": far, "f": far}, "value, dr, df", "logits up to +-1000"
    yield "generator_loss", {"f": f}, "value, df"
    yield "generator_loss", {"f": far}, "value, df", "logits up to +-1000"


D_REAL, G_FAKE = "dr = -sigmoid(-r) / len(r)", "df = -sigmoid(-f) / len(f)"
MISTAKES = [
    (D_REAL, "dr = -sigmoid(-r)", "the 1/N of the mean is missing"),
    (D_REAL, "dr = sigmoid(-r) / len(r)", "the sign is wrong: L_D falls when r grows"),
    (D_REAL, "dr = -sigmoid(r) / len(r)", "sigmoid is taken at r; the softplus is taken at -r"),
    ("df = sigmoid(f) / len(f)", "df = sigmoid(f)", "the 1/N of the mean is missing"),
    (
        "df = sigmoid(f) / len(f)",
        "df = -sigmoid(f) / len(f)",
        "the sign is wrong: L_D grows when the logit of a fake grows",
    ),
    (
        "df = sigmoid(f) / len(f)",
        "df = sigmoid(-f) / len(f)",
        "sigmoid is taken at -f; for a fake, the softplus is taken at f",
    ),
    (G_FAKE, "df = -sigmoid(-f)", "the 1/N of the mean is missing"),
    (
        G_FAKE,
        "df = sigmoid(f) / len(f)",
        "this is D's gradient; G wants the opposite: its loss falls when f grows",
    ),
    (
        G_FAKE,
        "df = -sigmoid(f) / len(f)",
        "this is the minimax loss, -softplus(f): it has no slope where D is sure of a fake",
    ),
    (
        "value = np.mean(softplus(-f))",
        "value = np.mean(softplus(f))",
        "this is D's loss of the fakes; G's is the mean of softplus(-f)",
    ),
    (
        "value = np.mean(softplus(-f))",
        "value = np.sum(softplus(-f))",
        "a sum over the samples; the mean is wanted",
    ),
    (G_FAKE, "df = np.full_like(f, -1 / len(f))", "the factor sigmoid(-f) is missing"),
    (
        "value = np.mean(softplus(-f))",
        "value = -np.mean(softplus(f))",
        "this is the minimax loss, -softplus(f): it has no slope where D is sure of a fake",
    ),
]
