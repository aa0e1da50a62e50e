"""Converts networks to and from PyTorch, JAX and safetensors.

    module = minigan.interop.to_torch(network)          a torch.nn.Sequential
    network = minigan.interop.from_torch(module)
    tree, apply = minigan.interop.to_jax(network)       y = apply(tree, x)
    minigan.interop.from_jax(tree, network)
    minigan.interop.save_safetensors(network, path)     the names of the module's state_dict
    minigan.interop.load_safetensors(path, network)

Each is imported when it is first used; `pip install minigan[interop]` has what they need beside
PyTorch and JAX themselves.

- `torch_layouts`   names, axes and orders of tensors in PyTorch, in NumPy
- `torch_modules`   `to_torch`, `from_torch`
- `torch_counterparts` the modules that torch.nn does not have
- `jax_functions`   `to_jax`, `from_jax`
- `tensor_files`    safetensors
"""

from .jax_functions import from_jax, to_jax
from .tensor_files import load_safetensors, save_safetensors
from .torch_modules import from_torch, to_torch

__all__ = ["from_jax", "from_torch", "load_safetensors", "save_safetensors", "to_jax", "to_torch"]
