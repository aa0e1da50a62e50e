"""Is a hand-written gradient right? Compare it with differences of the function itself.

    report = minigan.gradcheck.check_layer(minigan.layers.Linear(3, 2), (4, 3))
    print(report)                                   # a table, a row per tensor
    report.ok, report.max_relative_error

A wrong row shows its worst entry (the index, what was found and what was expected) and, where a
known mistake explains the numbers, that mistake in a sentence: `row.diagnosis`, from `explain`,
which takes anybody's arrays. A row that could not be measured fails too, and says why: the function
is not deterministic, not finite, or computed in less than float64.

`check_step` does it for a whole training step of a GAN: the complete update of the discriminator
and the complete update of the generator, over every parameter. `check_function` does it for one
plain function and its gradient.
"""

from .explanation import explain
from .function_check import check_function
from .hypotheses import Explanation
from .layer_check import check_layer
from .loss_check import check_loss
from .penalty_check import check_penalty
from .report import Report, Row, Worst, relative_error
from .step_check import check_step

__all__ = [
    "check_function",
    "check_layer",
    "check_loss",
    "check_penalty",
    "check_step",
    "explain",
    "Explanation",
    "Report",
    "Row",
    "Worst",
    "relative_error",
]
