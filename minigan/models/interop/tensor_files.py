"""Weights in files of the safetensors package, under the names that PyTorch knows them by."""

import numpy as np

from ..._checks import Count, FilePath, checked
from ...layers import BatchNorm
from ...network import Sequential
from .outside import needed
from .torch_layouts import decode, encoded, named_tensors, places
from .torch_modules import check_counterparts


@checked
def save_safetensors(network: Sequential, path: FilePath, *, channels: Count | None = None) -> None:
    """Writes the weights and buffers: names and shapes are those of to_torch(network).state_dict().

    channels : as in `to_torch`. Raises as `to_torch` does, but needs safetensors in place of
    PyTorch, and OSError if the file cannot be written.
    """
    files = needed("safetensors.numpy", "save_safetensors", extra="interop")
    check_counterparts("save_safetensors", network)
    found = places("save_safetensors", network, channels)
    values = {name: encoded(tensor) for name, tensor in named_tensors(found)}
    try:
        files.save_file(values | _counts(found), path)
    except needed("safetensors", "save_safetensors").SafetensorError as error:
        raise OSError(f"save_safetensors: {path} was not written: {error}") from error


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
    check_counterparts("load_safetensors", network)
    own = places("load_safetensors", network, channels)
    found, counts = dict(named_tensors(own)), set(_counts(own))
    expected = set(found)
    if expected != set(values) - counts:
        differ = sorted(expected ^ (set(values) - counts))
        raise ValueError(f"load_safetensors: {path} is of another network: {', '.join(differ[:5])}")
    twin = network.copy()
    new = dict(named_tensors(places("load_safetensors", twin, channels)))
    for name, tensor in new.items():
        decode(tensor, values[name], f"load_safetensors: {path}")
    for name, tensor in found.items():
        tensor.home[tensor.key] = new[name].home[tensor.key]
    return network


def _counts(found):
    """PyTorch counts the batches that a batch norm has seen; nothing depends on the count."""
    return {
        f"{place.prefix}num_batches_tracked": np.array(0, np.int64)
        for place in found
        if isinstance(place.layer, BatchNorm)
    }
