"""Weights in files of the safetensors package, under the names that PyTorch knows them by."""

import numpy as np

from ..._checks import Count, FilePath, checked
from ...network import Sequential
from .outside import needed
from .torch_layouts import decode, encoded, leaves, named_tensors
from .torch_modules import check_counterparts


@checked
def save_safetensors(network: Sequential, path: FilePath, *, channels: Count | None = None) -> None:
    """Writes the weights and buffers: names and shapes are those of to_torch(network).state_dict().

    channels : as in `to_torch`. Raises as `to_torch` does, but needs safetensors in place of
    PyTorch, and OSError if the file cannot be written.
    """
    files = needed("safetensors.numpy", "save_safetensors", extra="interop")
    check_counterparts("save_safetensors", network)
    found = named_tensors("save_safetensors", network, channels)
    files.save_file({name: encoded(tensor) for name, tensor in found} | _counts(network), path)


@checked
def load_safetensors(
    path: FilePath, network: Sequential, *, channels: Count | None = None
) -> Sequential:
    """Copies the weights of such a file into a network of that architecture, and returns it.

    Raises FileNotFoundError if there is no such file; ValueError, with nothing changed, for a file
    of something else or of another architecture.
    """
    files = needed("safetensors.numpy", "load_safetensors", extra="interop")
    try:
        values = files.load_file(path)
    except needed("safetensors", "load_safetensors").SafetensorError as error:
        raise ValueError(f"load_safetensors: {path} is no safetensors file: {error}") from error
    found = dict(named_tensors("load_safetensors", network, channels))
    expected, counts = set(found), set(_counts(network))
    if expected != set(values) - counts:
        differ = sorted(expected ^ (set(values) - counts))
        raise ValueError(f"load_safetensors: {path} is of another network: {', '.join(differ[:5])}")
    twin = network.copy()
    for name, tensor in named_tensors("load_safetensors", twin, channels):
        decode(tensor, values[name], f"load_safetensors: {path}")
    for tensor, new in zip(found.values(), dict(named_tensors("", twin, channels)).values()):
        tensor.home[tensor.key] = new.home[new.key]
    return network


def _counts(network):
    """PyTorch counts the batches that a batch norm has seen; nothing depends on the count."""
    return {
        f"{prefix}num_batches_tracked": np.array(0, np.int64)
        for prefix, layer in leaves(network.layers)
        if "running_mean" in layer.buffers
    }
