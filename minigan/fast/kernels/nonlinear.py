"""The activations and their derivatives as functions of one number, inlined into the loops.

tanh and the sigmoid are written as arithmetic, without branches or calls into the C library, so
that LLVM can vectorise the loop around them. Both use

    exp(x) = 2^n (1 + p),    x = n log 2 + r,   |r| <= log(2) / 2,   p = exp(r) - 1

with p from its Taylor series, whose 13 terms leave r^14 / 14! < 5e-18, below float64's rounding.
tanh uses p rather than 1 + p, so it is accurate near 0 as well.
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import types
from numba.extending import intrinsic, overload

from .codes import LEAKY_RELU, SIGMOID, TANH

_TERMS = 13
# log 2 = high + low; high has nine bits, so that n times high is exact (Cody and Waite, 1980)
_LOG_2_HIGH = 0.693359375
_LOG_2_LOW = math.log(2) - _LOG_2_HIGH


@njit(inline="always")
def phi(z, activation, slope):
    """The activation of one number."""
    if activation == LEAKY_RELU:
        return z if z > 0 else slope * z
    if activation == TANH:
        return tanh(z)
    if activation == SIGMOID:
        return sigmoid(z)
    return z


@njit(inline="always")
def phi_prime(y, activation, slope):
    """The activation's derivative, from its output y."""
    one = as_type_of(y, 1)
    if activation == TANH or activation == SIGMOID:
        return (one if activation == TANH else y) - y * y
    return one if y > 0 or activation != LEAKY_RELU else slope


@njit(error_model="numpy", forceinline=True)
def tanh(z):
    """(e - 1) / (e + 1) with e = exp(2 z); beyond 20 it has rounded to 1."""
    limit = as_type_of(z, 20)
    power, p = _exp_parts(as_type_of(z, 2) * max(min(z, limit), -limit))
    above = power * p + (power - as_type_of(z, 1))  # e - 1
    return above / (above + as_type_of(z, 2)) if z == z else z


@njit(error_model="numpy", forceinline=True)
def sigmoid(z):
    """1 / (1 + exp(-z)), through exp(-|z|), which cannot overflow."""
    one, lowest = as_type_of(z, 1), _lowest_exponent(z)
    power, p = _exp_parts(max(-abs(z), lowest))
    small = power + power * p if -abs(z) > lowest else as_type_of(z, 0)
    return (one if z >= 0 else small) / (one + small) if z == z else z


@njit(error_model="numpy", forceinline=True)
def exp_of_negative(x):
    """exp(x) for x <= 0, and 0 for x <= `_lowest_exponent`, near the smallest normal number."""
    lowest = _lowest_exponent(x)
    power, p = _exp_parts(max(x, lowest))
    small = as_type_of(x, 0) if x == x else x
    return power + power * p if x > lowest else small


@njit(error_model="numpy", forceinline=True)
def _exp_parts(x):
    """(2^n, p): exp(x) = 2^n (1 + p)."""
    n = np.rint(x * as_type_of(x, 1 / math.log(2)))
    r = (x - n * as_type_of(x, _LOG_2_HIGH)) - n * as_type_of(x, _LOG_2_LOW)
    return _power_of_two(n), _taylor(r)


@intrinsic
def _taylor(typing, r):
    """exp(r) - 1 = r (1 + r/2 (1 + r/3 (1 + ...))), unrolled, because an inner loop would
    prevent vectorisation."""

    def emit(context, builder, signature, arguments):
        def constant(value):
            return ir.Constant(context.get_value_type(r), value)

        p = constant(0.0)
        for k in range(_TERMS, 0, -1):
            r_over_k = builder.fmul(arguments[0], constant(1 / k))
            p = builder.fmul(r_over_k, builder.fadd(constant(1.0), p))
        return p

    return r(r), emit


def as_type_of(like, value):
    """`value` in the float type of `like`: in Numba, a float32 times 1.0 is a float64."""
    raise NotImplementedError("for compiled code only")


@overload(as_type_of, inline="always")
def _as_type_of(like, value):
    if like == types.float32:
        return lambda like, value: np.float32(value)
    return lambda like, value: np.float64(value)


def _lowest_exponent(like):
    """The least whole x for which exp(x) is a normal number of `like`'s type."""
    raise NotImplementedError("for compiled code only")


@overload(_lowest_exponent, inline="always")
def _lowest_exponent_of(like):
    if like == types.float32:
        return lambda like: np.float32(-87)
    return lambda like: np.float64(-708)


@intrinsic
def _power_of_two(typing, n):
    """2^n of a whole number n, written straight into the exponent bits of a float."""

    def emit(context, builder, signature, arguments):
        bits, mantissa, bias = (32, 23, 127) if n == types.float32 else (64, 52, 1023)
        integer = ir.IntType(bits)
        exponent = builder.add(builder.fptosi(arguments[0], integer), integer(bias))
        float_type = context.get_value_type(n)
        return builder.bitcast(builder.shl(exponent, integer(mantissa)), float_type)

    return n(n), emit
