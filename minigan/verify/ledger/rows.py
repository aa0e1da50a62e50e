"""The rows of one loss in one network, made from its passes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...layers.composite import walk
from . import formulas, sums
from .ledger import LedgerRow


@dataclass(frozen=True)
class Penalties:
    """What the penalties R add to the loss, and dR to the gradient of each parameter, by name.

    replay : () -> R, for the parameters as they then stand
    """

    value: float
    gradients: dict
    replay: Callable


class Section:
    """One loss in one network: its rows, from the network's output back to its input.

    loss, player : "L_D" or "L_G", "D" or "G"
    passes       : the passes that the loss depends on, with their gradients: one, or two through a
                   D that mixes samples (one of the real minibatch, one of the fakes)
    ends         : for each pass, the symbols of what goes in and what comes out
    made_of      : for each pass, what goes in, in words
    loss_of      : [output of each pass] -> float
    """

    def __init__(self, loss, player, passes, ends, made_of, loss_of, *, tiny):
        self.loss, self.player, self.passes, self.made_of = loss, player, passes, made_of
        self.loss_of, self.tiny = loss_of, tiny
        self.layers = [layer for _, layer in passes[0].layers]
        self.parameters = formulas.parameters(self.layers)
        self.symbols = []
        for first, last in ends:
            symbols = formulas.symbols(self.layers, first, last)
            if len(passes) > 1:  # the same layers ran once for each pass
                symbols[1:-1] = [f"{symbol}_{last}" for symbol in symbols[1:-1]]
            self.symbols.append(symbols)

    def scalar(
        self,
        symbol: str,
        kind: str,
        made_by: Any,
        formula: str,
        value: Any,
        loss_at: Any,
        value_sums: Any = (),
    ) -> Any:
        """The row of the loss, or of a number that is added to it: its gradient is 1."""
        return LedgerRow(
            self.loss, self.player, symbol, made_by, len(self.layers) + 1, kind, formula, "1",
            np.array(value), np.array(1.0), loss_at, list(value_sums), [],
        )  # fmt: skip

    def rows(
        self, rules: Any, output_sums: Any = (), *, trained: bool = True, penalties: Any = None
    ) -> Any:
        """All values and, unless the network is fixed, parameters, from the output to the input.

        rules       : for each pass, the gradient of its output, in symbols
        output_sums : the same in numbers, for a tiny network
        penalties   : the Penalties that are part of the loss, if any
        """
        found = []
        for position in reversed(range(len(self.layers) + 1)):
            for k, rule in enumerate(rules):
                found.append(self._value(position, k, rule, output_sums))
            if position and trained:
                found += self._parameters(position, penalties)
        return found

    def _value(self, position, k, rule, output_sums):
        walked, symbols = self.passes[k], self.symbols[k]
        x, symbol = walked.values[position], symbols[position]
        made_by, formula, value_sums = "", self.made_of[k], []
        if position:
            layer, before = self.layers[position - 1], walked.values[position - 1]
            made_by = repr(layer)
            between = symbols[position - 1 : position + 1]
            formula = formulas.value(layer, *between, self.parameters[position - 1])
            if self.tiny:
                value_sums = sums.layer_value(layer, symbol, before, x)

        gradient, gradient_sums = walked.gradients[position], list(output_sums)
        if position < len(self.layers):
            layer = self.layers[position]
            between = symbols[position : position + 2]
            rule = formulas.input_gradient(layer, *between, self.parameters[position])
            if self.tiny:
                y, dy = walked.values[position + 1], walked.gradients[position + 1]
                gradient_sums = sums.input_gradient(layer, f"d{symbol}", x, y, dy, gradient)

        def loss_at(moved):
            outputs = [other.output for other in self.passes]
            outputs[k] = walked.output_from(position, moved)
            return self.loss_of(outputs)

        return LedgerRow(
            self.loss, self.player, symbol, made_by, position, "value", formula, rule,
            x.copy(), gradient.copy(), loss_at, value_sums, gradient_sums,
        )  # fmt: skip

    def _parameters(self, position, penalties):
        place, layer = self.passes[0].layers[position - 1]
        between = [symbols[position - 1 : position + 1] for symbols in self.symbols]
        found = []
        for name, value, gradient in parameters_of(layer):
            symbol = self.parameters[position - 1][name]
            rule = formulas.parameter_gradient(layer, name, between)
            rule += f" + dR/d{symbol}" if penalties else ""
            gradient_sums = []
            if self.tiny:
                x, dy = self.passes[0].values[position - 1], self.passes[0].gradients[position]
                extra = penalties and penalties.gradients[f"{place}.{name}"]
                gradient_sums = sums.parameter_gradient(name, f"d{symbol}", x, dy, extra, gradient)
            found.append(LedgerRow(
                self.loss, self.player, symbol, repr(layer), position, "parameter",
                f"parameter {place}.{name}", rule, value.copy(), gradient.copy(),
                self._loss_at_parameter(value, position, penalties), [], gradient_sums,
            ))  # fmt: skip
        return found

    def _loss_at_parameter(self, value, position, penalties):
        """The loss for another value of a parameter of the layer before this position. The passes
        from that layer on and the penalties depend on it."""

        def loss_at(moved):
            kept = value.copy()
            value[...] = moved
            try:
                outputs = [
                    walked.output_from(position - 1, walked.values[position - 1])
                    for walked in self.passes
                ]
                return self.loss_of(outputs) + (penalties.replay() if penalties else 0.0)
            finally:
                value[...] = kept

        return loss_at


def parameters_of(layer: Any) -> Iterator[tuple[Any, ...]]:
    """Yields (name, value, gradient), names as in `formulas.parameters`."""
    for prefix, inner in walk(layer):
        for name, value in inner.params.items():
            yield prefix + name, value, inner.grads[name]
