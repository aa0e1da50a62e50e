"""Flat arrays for compiled code: views of memory at an address, or of a part of another array.

NumPy's slices and Numba's `carray` do the same. But a slice first clips its limits to the array,
and Numba types and compiles both for each type of arguments, which takes long for such a small
operation. Here nothing is checked.
"""

import numpy as np
from numba.core import types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from .cache import cached_njit


@intrinsic
def numbers_at(typing, address, like, count):
    """The flat array of `count` numbers at an address; `like` is a pointer to such numbers."""
    kind = types.Array(like.dtype, 1, "C")

    def emit(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], context.get_value_type(like))
        return _array(context, builder, kind, pointer, arguments[2])._getvalue()

    return kind(types.intp, like, types.intp), emit


@intrinsic
def words_of(typing, address):
    """The 64-bit words of a task, from the address that its worker gets. The length of the array
    is not known here: it is set to 1, and nothing may use it."""
    kind = types.Array(types.int64, 1, "C")

    def emit(context, builder, signature, arguments):
        pointer = builder.bitcast(arguments[0], context.get_value_type(types.CPointer(types.int64)))
        one = context.get_constant(types.intp, 1)
        return _array(context, builder, kind, pointer, one)._getvalue()

    return kind(address), emit


@intrinsic
def float_like(typing, word, like):
    """The float64 with the bits of `word`, cast to the type that `like` points to."""

    def emit(context, builder, signature, arguments):
        number = builder.bitcast(arguments[0], context.get_value_type(types.float64))
        return context.cast(builder, number, types.float64, like.dtype)

    return like.dtype(types.int64, like), emit


@intrinsic
def sizeof(typing, like):
    """The size in bytes of a number of the type that `like` points to."""

    def emit(context, builder, signature, arguments):
        return context.get_constant(types.intp, like.dtype.bitwidth // 8)

    return types.intp(like), emit


@intrinsic
def view(typing, array, start, count):
    """array[start : start + count] of a flat array."""

    def emit(context, builder, signature, arguments):
        whole = context.make_array(array)(context, builder, arguments[0])
        pointer = builder.gep(whole.data, [arguments[1]])
        part = _array(context, builder, array, pointer, arguments[2], whole.meminfo, whole.parent)
        return impl_ret_borrowed(context, builder, array, part._getvalue())

    return array(array, types.intp, types.intp), emit


@intrinsic
def address_of(typing, array):
    """The address of an array's first number."""

    def emit(context, builder, signature, arguments):
        whole = context.make_array(array)(context, builder, arguments[0])
        return builder.ptrtoint(whole.data, context.get_value_type(types.intp))

    return types.intp(array), emit


@cached_njit(inner=True)
def space(count, like):
    """A new flat array of `count` numbers in the dtype of another array."""
    return np.empty(count, like.dtype)


def _array(context, builder, kind, data, count, owner=None, parent=None):
    """A flat array of this type; the `owner` of its memory is None where Numba does not free it."""
    array, size = (
        context.make_array(kind)(context, builder),
        context.get_abi_sizeof(data.type.pointee),
    )
    step = context.get_constant(types.intp, size)
    return populate_array(array, data, [count], [step], step, owner, parent)
