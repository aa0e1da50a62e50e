"""The real MNIST, where MINIGAN_DATA says where it is."""

import os

import numpy as np
import pytest

from minigan.data import mnist

pytestmark = pytest.mark.skipif(
    not os.environ.get("MINIGAN_DATA"), reason="MINIGAN_DATA names no folder with MNIST"
)


@pytest.mark.parametrize("split, count, zeros", [("train", 60_000, 5923), ("test", 10_000, 980)])
def test_mnist(split, count, zeros):
    images, labels = mnist(split)
    assert images.shape == (count, 28, 28, 1) and labels.shape == (count,)
    assert images.min() == -1 and images.max() == 1
    assert np.count_nonzero(labels == 0) == zeros
    assert (images[0] == 1).any()
