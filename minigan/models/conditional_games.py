"""Conditional GANs: G makes what it is asked for, and D is told what was asked.

A labelled sample is one row: its pixels, flattened, then its class as a one-hot code of K values.
So `minigan.gan` trains a conditional GAN as it is: only layers and losses know about classes.

    data = label(images, labels, 10)                                  # (M, 784 + 10)
    G    = Sequential([OneHot(10), WithCode(network, 10, whole=True)])   # [z, c] -> [G(z, c), c]
    rows, _ = G.forward(ask(noise, [3, 1, 4], 10), training=False)    # a three, a one, a four
    images, classes = unlabel(rows, (28, 28, 1), 10)

D uses the class in one of three ways; `minigan.models` has a network for each:

    LabelPlanes   the class is K more channels of the image          Mirza and Osindero 2014
    Projection    D gives a logit for each class; one is read        Miyato and Koyama 2018
    no layer      D has to name the class: see `minigan.auxiliary`   Odena et al. 2017

The layers are in `minigan.layers.conditional`. `minigan.data.labelled` makes labelled rows and
takes them apart again.
"""

from ..data.labelled import ask, blank, label, unlabel
from ..layers.conditional import LabelPlanes, OneHot, Projection, WithCode

__all__ = ["WithCode", "LabelPlanes", "OneHot", "Projection", "ask", "blank", "label", "unlabel"]
