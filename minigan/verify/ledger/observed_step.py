"""The passes of one training step, observed: the output of each layer, and the gradient there.

A GAN takes a plain `train_step`. `recording` reports each call of a layer; wrappers around the
penalties and the optimizers tell which part of the step is under way.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ...gan import GAN
from ...layers.base import Layer
from ...layers.composite import walk
from ...network import Sequential
from ..recording import METHODS, recording
from .leaves import leaves

Array = np.ndarray


class ObservedPass:
    """A training pass of a network, and the gradients that came back along it.

    layers    : [(name, layer)], n of them; networks inside the network are taken apart
    values    : [x, y_1, ..., y_n]: the input, and the output of each layer
    gradients : [dL/dx, dL/dy_1, ..., dL/dy_n], once the gradients are `complete`
    """

    def __init__(self, network: Sequential) -> None:
        self.network, self.layers = network, list(leaves(network))
        self.values: list[Array] = []
        self.gradients: list[Array] = []
        self.caches: list[Any] = []
        self.random_states: list[Any] = []
        self.signals: dict[int, Array] = {}  # dL/dy by the position of y in `values`

    @property
    def forward_is_done(self) -> bool:
        return len(self.caches) == len(self.layers)

    def complete(self) -> None:
        """Sets `gradients` from the signals. Where a step ends its backward pass early, since
        nothing below is trained, the layers' own backward passes continue it. A pass that no
        gradient came back to has zeros."""
        n = len(self.layers)
        found = [self.signals.get(n, np.zeros_like(self.output))]
        for position in reversed(range(n)):
            dy = self.signals.get(position)
            if dy is None:
                dy = self.layers[position][1].backward_input(found[-1], self.caches[position])
            found.append(dy)
        self.gradients = found[::-1]

    def belongs_to(self, network: Sequential) -> None:
        """From now on the layers are those of this copy of the network."""
        self.network, self.layers = network, list(leaves(network))

    @property
    def output(self) -> Array:
        return self.values[-1]

    def output_from(self, position: int, value: Array) -> Array:
        """The output if values[position] were `value`: the rest of the network, run again with the
        same dropout masks, the buffers left as they are."""
        if position == len(self.layers):
            return value
        self.network.rng.bit_generator.state = self.random_states[position]
        with self.network.held_buffers():
            for _, layer in self.layers[position:]:
                value, _ = layer.forward(value, True)
        return value


class JoinedPass:
    """Several passes of one network shown as one: their rows below each other."""

    def __init__(self, passes: list[ObservedPass]) -> None:
        self.passes, self.layers = passes, passes[0].layers
        self.values = [np.concatenate(values) for values in zip(*(p.values for p in passes))]
        self.gradients = [np.concatenate(found) for found in zip(*(p.gradients for p in passes))]

    @property
    def output(self) -> Array:
        return self.values[-1]

    def output_from(self, position: int, value: Array) -> Array:
        parts = np.split(value, len(self.passes))
        return np.concatenate(
            [one.output_from(position, part) for one, part in zip(self.passes, parts)]
        )


class ObservedStep:
    """One `gan.train_step(real)`, with all passes of both networks. The step changes `gan`.

    figures       : what the step returned
    players       : {"D": ..., "G": ...}: copies of both networks from just before their updates,
                    with the gradients that their optimizers were given
    generated     : G's pass
    judged        : D's passes before its update: over the real minibatch, and over the fakes
    judged_again  : D's passes after its update: over the fakes, and, if L_G depends on them, over
                    the real samples
    loss_gradient : D's gradient before the penalties added theirs; None without penalties
    penalties     : for each, a function that computes its value for the copy of D
    """

    def __init__(self, gan: GAN, real: Array) -> None:
        self.gan, self.real = gan, real
        self.passes: dict[str, list[ObservedPass]] = {"G": [], "D": []}
        self.states = {"G": _state(gan.generator), "D": _state(gan.discriminator)}
        self.in_penalty = self.completing = False
        self.players: dict[str, Sequential] = {}
        self.penalties: list[Callable[[], float]] = []
        self.loss_gradient: Array | None = None
        self.positions = {
            player: {name: i for i, (name, _) in enumerate(leaves(network))}
            for player, network in (("G", gan.generator), ("D", gan.discriminator))
        }
        self.before_update = 0
        for penalty in gan.penalties:
            penalty.accumulate = self._around_penalty(penalty)
        gan.discriminator_optimizer = _BeforeStep(
            gan.discriminator_optimizer, self._before_move("D")
        )
        gan.generator_optimizer = _BeforeStep(gan.generator_optimizer, self._before_move("G"))
        with (
            recording(gan.generator, self._note("G", gan.generator)),
            recording(gan.discriminator, self._note("D", gan.discriminator)),
        ):
            self.figures = gan.train_step(real)
        (self.generated,) = self.passes["G"]
        self.generated.belongs_to(self.players["G"])
        self.judged = self.passes["D"][: self.before_update]
        self.judged_again = self.passes["D"][self.before_update :]
        for one in self.judged:
            one.belongs_to(self.players["D"])

    def _note(self, player: str, network: Sequential) -> Callable[..., None]:
        positions, passes = self.positions[player], self.passes[player]

        def note(method: str, name: str, layer: Layer, arguments: tuple, result: Any) -> None:
            if name not in positions or self.completing:
                return
            state, self.states[player] = self.states[player], _state(network)
            if self.in_penalty:
                return
            position = positions[name]
            if method == "forward":
                if not passes or passes[-1].forward_is_done:
                    passes.append(ObservedPass(network))
                    passes[-1].values.append(np.array(arguments[0]))
                passes[-1].values.append(np.array(result[0]))
                passes[-1].caches.append(result[1])
                passes[-1].random_states.append(state)
                return
            dy, cache = arguments
            one = self._pass_of(player, position, cache)
            one.signals.setdefault(position + 1, np.array(dy))
            if result is not None:
                one.signals.setdefault(position, np.array(result))

        return note

    def _pass_of(self, player: str, position: int, cache: Any) -> ObservedPass:
        """The pass that a backward call belongs to, found by its cache; for a layer whose cache is
        None, the pass whose backward sweep is under way."""
        passes = self.passes[player]
        if player == "D":  # both updates see the same fakes, so caches may be shared
            passes = passes[self.before_update :]
        if cache is not None:
            passes = [one for one in passes if one.caches[position] is cache]
        elif position + 1 == len(passes[0].layers):
            passes = [one for one in passes if not one.signals]
        else:
            passes = [one for one in passes if position + 1 in one.signals][-1:]
        return passes[0]

    def _around_penalty(self, penalty: Any) -> Callable[..., float]:
        accumulate = penalty.accumulate

        def observed(discriminator, real, fake, rng):
            if self.loss_gradient is None:
                self.loss_gradient = discriminator.grad.copy()
            drawing, state = copy.deepcopy(rng), _state(discriminator)

            def replay():
                network = self.players["D"]
                network.rng.bit_generator.state = state
                return float(penalty.value(network, real, fake, copy.deepcopy(drawing)))

            self.penalties.append(replay)
            self.in_penalty = True
            value = accumulate(discriminator, real, fake, rng)
            self.in_penalty = False
            return value

        return observed

    def _before_move(self, player: str) -> Callable[[], None]:
        def before() -> None:
            network = self.gan.discriminator if player == "D" else self.gan.generator
            self.players[player] = _plain_copy(network)
            if player == "D":
                self.before_update = len(self.passes["D"])
            self.completing = True
            for one in self.passes["D"] + (self.passes["G"] if player == "G" else []):
                if not one.gradients:
                    one.complete()
            self.completing = False

        return before


class _BeforeStep:
    """Takes the place of an optimizer: calls `before`, then the optimizer."""

    def __init__(self, optimizer: Any, before: Callable[[], None]) -> None:
        self.optimizer, self.before = optimizer, before

    def step(self, theta: Array, grad: Array) -> Any:
        self.before()
        return self.optimizer.step(theta, grad)


def _plain_copy(network: Sequential) -> Sequential:
    """A copy that is not observed, with its gradients."""
    twin = network.copy()
    twin.grad[...] = network.grad
    for _, layer in walk(twin):
        for method in METHODS:
            vars(layer).pop(method, None)
    return twin


def _state(network: Sequential) -> Any:
    return network.rng.bit_generator.state
