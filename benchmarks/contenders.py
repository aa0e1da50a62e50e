"""One GAN step, as each contender would write it well.

Each class builds the networks of a `steps.Step`, starts from minigan's first parameters, and has
    .losses([(real, noise), ...])  -> [(L_D, L_G), ...] for steps on the given minibatches
    .run(count)                    -> that many steps, on a fixed real minibatch and fresh noise
"""

from jax_contenders import Jax
from minigan_contenders import Minigan, MiniganNumpy
from torch_contenders import Torch, TorchCompiled, TorchTutorial

CONTENDERS = {
    "minigan": Minigan,
    "minigan-numpy": MiniganNumpy,
    "torch-tuned": Torch,
    "torch-tutorial": TorchTutorial,
    "torch-compiled": TorchCompiled,
    "jax": Jax,
}
