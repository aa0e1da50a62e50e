"""Bugs of activations, linear layers and convolutions, and of the optimizer."""

from ...layers.activations import LeakyReLU
from ...layers.convolution import Conv2d, ConvTranspose2d, correlate
from ...layers.dropout import Dropout
from ...layers.linear import Linear
from ...layers.shape import Upsample2d
from ...optim import Adam
from .mutants import Bug, Edit

LEAKY_BACKWARD = "return np.where(y > 0, dy, self.negative_slope * dy)"
CONV_BIAS = 'self.grads["bias"] += dy.sum(axis=(0, 1, 2), dtype=np.float64)'
LAST_SAMPLE = 'for sample in dy:\n    self.grads["bias"][...] = sample.sum(axis=(0, 1))'

BUGS = [
    Bug(
        "slope_lost",
        "LeakyReLU leaks forward with slope 0.2 and backward with slope 0.",
        (
            Edit(
                LeakyReLU.backward_input,
                LEAKY_BACKWARD,
                "return np.where(y > 0, dy, 0.0 * dy)",
            ),
        ),
        seen="scratchML (0 against 0.01)",
        survives="Right for every positive input; the rest of the gradient is ReLU's, and trains.",
        caught_by="check_layer",
    ),
    Bug(
        "mask_from_output",
        "ReLU's mask is (output >= 0) instead of (output > 0), so it is 1 everywhere.",
        (
            Edit(
                LeakyReLU.backward_input,
                LEAKY_BACKWARD,
                "return np.where(y >= 0, dy, self.negative_slope * dy)",
            ),
        ),
        seen="numpy-tutorials, MNIST",
        survives="With LeakyReLU, whose output can be negative, it is right.",
        caught_by="check_layer",
    ),
    Bug(
        "dropout_unscaled",
        "Dropout scales by 1 / (1 - p) forward and does not backward.",
        (
            Edit(
                Dropout.backward_input,
                "return dy if mask is None else dy * mask",
                "return dy if mask is None else dy * (mask > 0)",
            ),
        ),
        seen="Grokking-Deep-Learning, issue 9",
        survives="Finite differences need the same mask every time, so nobody takes them; and Adam "
        "hardly depends on the gradient's scale.",
        caught_by="check_layer",
    ),
    Bug(
        "mask_in_place",
        "The activation's backward pass writes its result into the caller's dy.",
        (
            Edit(
                LeakyReLU.backward_input,
                LEAKY_BACKWARD,
                "dy[y <= 0] *= self.negative_slope\nreturn dy",
            ),
        ),
        seen="deep-learning-from-scratch; DCGAN-Numpy",
        survives="The result is right. In a plain chain dy is not used again; with a skip "
        "connection, or two backward passes from one dy, it is.",
        caught_by="check_layer",
    ),
    Bug(
        "mean_twice",
        "The loss's gradient has its 1/N, and the weight gradient divides by N once more.",
        (
            Edit(
                Linear.backward_params,
                'self.grads["weight"] += x.T @ dy',
                'self.grads["weight"] += x.T @ dy / len(x)',
            ),
            Edit(
                Linear.backward_params,
                'self.grads["bias"] += dy.sum(axis=0, dtype=np.float64)',
                'self.grads["bias"] += dy.mean(axis=0)',
            ),
        ),
        seen="ML-From-Scratch; gan_numpy; SC-314/Only-Numpy-GAN",
        survives="The direction is right, and Adam divides the scale out; with N = 1 it is right.",
        caught_by="check_layer",
    ),
    Bug(
        "adam_without_t",
        "Adam's bias correction without its power t: never 1 - beta^t, always 1 - beta. With betas "
        "0.5 and 0.999, steps soon are 16 times too short.",
        (
            Edit(
                Adam.update,
                "m = self.first / (1 - self.beta1**t)\nv = self.second / (1 - self.beta2**t)",
                "m = self.first / (1 - self.beta1)\nv = self.second / (1 - self.beta2)",
            ),
        ),
        seen="ML-From-Scratch, issue 35; GANumpy",
        survives="The first step is right, no gradient is wrong, and a larger learning rate helps.",
        caught_by="adam_table",
    ),
    Bug(
        "upsample_strided",
        "A pixel is copied to s x s places; its gradient is taken from one of them, not summed.",
        (
            Edit(
                Upsample2d.backward_input,
                "return _blocks(dy, self.scale).sum(axis=(2, 4))",
                "return dy[:, :: self.scale, :: self.scale]",
            ),
        ),
        seen="ML-From-Scratch",
        survives="The shape is right, and a quarter of the gradient still points roughly downhill.",
        caught_by="check_layer",
    ),
    Bug(
        "bias_overwritten",
        "In a loop over samples the convolution's bias gradient is overwritten, not added to; only "
        "the last sample counts.",
        (
            Edit(Conv2d.backward_params, CONV_BIAS, LAST_SAMPLE),
            Edit(ConvTranspose2d.backward_params, CONV_BIAS, LAST_SAMPLE),
        ),
        seen="milesd123/numpy-GAN",
        survives="With one sample it is right.",
        caught_by="check_layer",
    ),
    Bug(
        "weight_elementwise",
        "The convolution's weight gradient multiplies channel by channel instead of every input "
        "channel with every output channel.",
        (
            Edit(
                correlate,
                "dweight[u, v] = np.tensordot(pixels, y, axes=([0, 1, 2], [0, 1, 2]))",
                "dweight[u, v] = np.resize((pixels * y).sum(axis=(0, 1, 2)), dweight[u, v].shape)",
            ),
        ),
        seen="milesd123/numpy-GAN",
        survives="With one input channel, as on MNIST, it is right; else it broadcasts.",
        caught_by="check_layer",
    ),
]
