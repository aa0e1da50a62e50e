"""Finds the first tensor of a training step that is not finite, by name.

A NaN in a loss does not say where it comes from. The step is run again on a copy of the GAN, and
its tensors are examined in the order in which they are computed:

    parameters and buffers -> G's outputs -> D's outputs, on real and fake -> L_D
    -> D's gradients, from the last layer to the first -> those of the penalties -> L_G, with the
    updated D -> the gradient through D -> G's gradients
"""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..gan import GAN
from ..layers.composite import walk
from ..losses import sees_real
from ..verify.recording import recording

PARAMETER = "something wrote it from outside, or the learning rate is so high that it overflowed"
ACTIVATION = "the values outgrew their dtype: the learning rate may be too high"
GRADIENT = "the learning rate may be too high, or a penalty too strong"


def first_not_finite(gan: GAN, real: npt.ArrayLike) -> tuple[str, str]:
    """(what, likely cause) in words; ("", GRADIENT) if all tensors of such a step are finite.

    To draw the same noise again, gan's random generators must be in the state in which the step
    began. gan itself is left as it is.
    """
    examined = _Step(gan.copy())
    try:
        with np.errstate(all="ignore"):
            examined.run(real)
    except _Found as found:
        return found.what, found.cause
    except FloatingPointError:  # a figure of the step, computed from tensors that are all finite
        pass
    return "", GRADIENT


class _Found(Exception):
    """The first tensor that is not finite."""

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(what)
        self.what, self.cause = what, cause


class _Step:
    """One `train_step` of a GAN that examines every tensor as soon as it is computed."""

    def __init__(self, gan: GAN) -> None:
        self.gan = gan
        self.players = {"generator": gan.generator, "discriminator": gan.discriminator}
        self.in_penalty = False

    def run(self, real: npt.ArrayLike) -> None:
        """Raises _Found at the first tensor that is not finite."""
        gan = self.gan
        for player, network in self.players.items():
            for name, value, _ in network.named_parameters():
                _check(f"the {player}'s parameter {name}", value, PARAMETER)
            for name, value in network.named_buffers():
                _check(f"the {player}'s buffer {name}", value, ACTIVATION)
        gan.loss = SimpleNamespace(
            discriminator=_examined_loss(gan.loss, "discriminator"),
            generator=_examined_loss(gan.loss, "generator"),
            generator_sees_real=sees_real(gan.loss),
        )
        for penalty in gan.penalties:
            penalty.accumulate = self._examined_penalty(penalty)
        with (
            recording(gan.generator, partial(self._layer, "generator")),
            recording(gan.discriminator, partial(self._layer, "discriminator")),
        ):
            gan.train_step(real)

    def _layer(
        self, player: str, method: str, name: str, layer: Any, arguments: tuple, result: Any
    ) -> None:
        """Examines what a layer of the network itself, not one inside a layer, has computed."""
        if "." in name or self.in_penalty:
            return
        if method == "forward":
            _check(f"the output of the {player}'s layer {name}, {layer}", result[0], ACTIVATION)
            return
        if method != "backward_input":
            for inside, inner in walk(layer, f"{name}."):
                for parameter, grad in inner.grads.items():
                    _check(f"the {player}'s gradient of {inside}{parameter}", grad, GRADIENT)
        if result is not None:
            what = f"the gradient that leaves the {player}'s layer {name}, {layer}"
            _check(what, result, GRADIENT)

    def _examined_penalty(self, penalty: Any) -> Callable[..., float]:
        accumulate = penalty.accumulate

        def examined(discriminator: Any, *arguments: Any) -> float:
            self.in_penalty = True
            value = accumulate(discriminator, *arguments)
            self.in_penalty = False
            for name, _, grad in discriminator.named_parameters():
                _check(f"{penalty}'s gradient of {name}", grad, GRADIENT)
            return value

        return examined


def _examined_loss(loss: Any, player: str) -> Callable[..., tuple]:
    compute = getattr(loss, player)

    def examined(real_logits: np.ndarray, fake_logits: np.ndarray) -> tuple:
        result = compute(real_logits, fake_logits)
        _check(f"the {player}'s loss", result[0], ACTIVATION)
        return result

    return examined


def _check(what: str, values: npt.ArrayLike, cause: str) -> None:
    if not np.isfinite(values).all():
        raise _Found(what, cause)
