"""What may be wrong with a gradient: families of hypotheses, one in each file.

A family is a function of a `Case` that yields `Candidate`s: what a mistake would make of the
gradient, and the sentence that says so. Most of them first make sure that their own right formula
gives the right gradient here, since otherwise they are about another layer. Nothing is decided
here: `gradcheck.explain` compares the candidates with what was found.
"""

from collections.abc import Callable, Iterator

from . import (
    added,
    appended,
    column_sums,
    dividing_by_lengths,
    dividing_by_sigma,
    factors,
    hidden_layer,
    jacobians,
    matrix_products,
    missing_samples,
    museum,
    normalising,
    nothing,
    orders,
    partly,
    pixel_blocks,
    pointwise,
    query_key_value,
    reductions,
    self_attention,
    sums_of_dy,
    targets,
    two_halves,
    values,
    windows,
    written_formulas,
)
from .case import Candidate, Case, Explanation

Families = dict[str, tuple[Callable[[Case], Iterator[Candidate]], ...]]

# in the order in which they are preferred where several explain the same thing equally well
FAMILIES: Families = {
    "nothing": (nothing.zeros,),
    "earlier gradient": (added.earlier,),
    "target": (
        targets.labels, targets.margins, targets.pairs, targets.averages, targets.squared_error,
        targets.through_the_sigmoid,
    ),
    "activation": (pointwise.activations,),
    "pixels": (pixel_blocks.blocks,),
    "softmax": (jacobians.jacobian, jacobians.cross_entropy, jacobians.equal_labels),
    "attention": (query_key_value.projections, self_attention.attention),
    "appended": (appended.channels,),
    "spectral norm": (dividing_by_sigma.weights,),
    "normalisation": (normalising.inputs, normalising.parameters, dividing_by_lengths.inputs),
    "halves": (two_halves.halves,),
    "hidden layer": (hidden_layer.hidden,),
    "part": (added.parts,),
    "factor": (factors.constant,),
    "sample": (missing_samples.some_samples,),
    "sum of dy": (sums_of_dy.sums_of_dy, column_sums.columns),
    "product": (matrix_products.weight_gradient, matrix_products.input_gradient),
    "window": (windows.weights, windows.inputs, windows.over_time),
    "partly": (partly.slices, partly.edges),
    "order": (orders.permuted, orders.flipped, orders.shifted),
    "axis": (reductions.over_an_axis, reductions.another_shape),
    "another gradient": (nothing.another_gradient, targets.other_losses, nothing.another_array),
    "museum": (museum.exhibits,),
    "array factor": (factors.arrays,),
    "formula": (written_formulas.elementwise, written_formulas.of_logits),
    "function": (values.through_a_function,),
    "constant": (factors.any_constant,),
    "addition": (added.itself,),
}  # fmt: skip

__all__ = ["Candidate", "Case", "Explanation", "FAMILIES", "Families"]
