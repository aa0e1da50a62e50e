"""The NumPy backend: what each operation computes, in as few lines as the mathematics takes.

A result too small for a float is rounded to 0 or to a subnormal number, which is right and no
error, also where the program has asked NumPy to raise one (`np.seterr(under="raise")`).
"""

import numpy as np

from . import activations, convolution, normalisation, optimizers, products

for _module in (activations, convolution, normalisation, optimizers, products):
    for _name in _module.__all__:
        globals()[_name] = np.errstate(under="ignore")(getattr(_module, _name))
