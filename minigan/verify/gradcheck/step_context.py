"""The context of a step's gradients for `explain`: their terms, and gradients confused with them.

All of it is computed with healthy code, on copies of the GAN as it was before the step.
"""

import functools
from collections.abc import Callable

import numpy as np

from ...gan import GAN
from ...network import Sequential
from .layer_check import by_parameter
from .museum_cases import each_exhibit, on_healthy_copies

REAL, FAKE = "the part of the real minibatch", "the part of the fakes"


class StepContext:
    """The context of `explain` for each parameter of both players.

    gan  : a float64 GAN as it was before the step; it is copied, and not changed
    real : the minibatch of that step
    """

    def __init__(self, gan: GAN, real: np.ndarray) -> None:
        self.gan, self.real = gan, real
        self.earlier = {"D": gan.discriminator.grad.copy(), "G": gan.generator.grad.copy()}
        self._of_exhibits = each_exhibit((gan,), self._stepped)

    def of(self, player: str) -> Callable[[str], Callable[[], dict]]:
        """name of a parameter -> () -> context, for the player "D" or "G"."""
        network = self.gan.discriminator if player == "D" else self.gan.generator
        kind, vectors = ("parts", self._parts) if player == "D" else ("others", self._others)

        def context(name: str) -> dict:
            return {
                "tensor": name,
                "player": player,
                "batch_size": len(self.real),
                "exhibits": self._of_exhibits(f"{player}.{name}"),
                "earlier": self._part(network, self.earlier[player], name),
                kind: {
                    what: self._part(network, np.asarray(vector), name)
                    for what, vector in vectors().items()
                },
            }

        return lambda name: functools.partial(context, name)

    def of_figure(self, name: str) -> Callable[[], dict]:
        """() -> the context of a loss that the step reports: "L_D reported", "L_G reported"."""
        return lambda: {"tensor": name, "exhibits": self._of_exhibits(name)}

    @staticmethod
    def _part(network: Sequential, vector: np.ndarray, name: str) -> np.ndarray:
        return next(part for key, part in by_parameter(network, vector) if key == name)

    def _stepped(self, copied):
        """The gradients that the players are given in a step."""
        gan = copied(self.gan)
        figures = gan.train_step(self.real)
        return {
            "L_D reported": np.array(figures["discriminator_loss"] + figures["penalty"]),
            "L_G reported": np.array(figures["generator_loss"]),
        } | {
            f"{player}.{name}": grad.copy()
            for player, network in (("D", gan.discriminator), ("G", gan.generator))
            for name, _, grad in network.named_parameters()
        }

    @functools.cache  # noqa: B019 - it lives as long as the report that is being made
    def _parts(self):
        """What D's gradient is the sum of."""

        def run(copied):
            gan = copied(self.gan)
            D, fake = gan.discriminator, gan.generate(len(self.real))[0]
            (r, on_real), (f, on_fake) = D.forward(self.real), D.forward(fake)
            _, d_real, d_fake = gan.loss.discriminator(r, f)
            found = {}
            for what, add in (
                (REAL, lambda: D.backward_params(d_real, on_real)),
                (FAKE, lambda: D.backward_params(d_fake, on_fake)),
                *(
                    (f"the part of the penalty {p}",
                     functools.partial(p.accumulate, D, self.real, fake, gan.rng))
                    for p in gan.penalties
                ),
            ):  # fmt: skip
                D.zero_grad()
                add()
                found[what] = D.grad.copy()
            return found

        return on_healthy_copies(run)

    @functools.cache  # noqa: B019
    def _others(self):
        """Gradients that G's may be confused with."""

        def run(copied):
            gan = copied(self.gan)
            G, D = gan.generator, gan.discriminator
            fake, generated = gan.generate(len(self.real))
            figures = gan.discriminator_gradient(self.real, fake)
            found = {}
            for when in ("before its update", "after its update"):
                logits, judged = D.forward(fake)
                real_logits, _ = D.forward(self.real)
                for loss, play in (
                    ("L_D, the discriminator's loss", gan.loss.discriminator),
                    ("L_G", gan.loss.generator),
                ):
                    _, _, d_fake = play(real_logits, logits)
                    G.zero_grad()
                    G.backward_params(D.backward_input(d_fake, judged), generated)
                    found[f"that of {loss}, through D {when}"] = G.grad.copy()
                if when.startswith("before"):
                    gan.move_discriminator(figures)
            return found

        return on_healthy_copies(run)
