"""A page that computes a training step: click a number to see its sum, drag a weight to change it.

`write` puts the step's networks, data and noise beside the page's own arithmetic (page/numbers.js,
page/step.js) into one HTML file, which needs a browser and nothing else. The arithmetic there is a
second implementation, of MLPs alone; tests/ledger/test_explorer.py compares the two.
"""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ... import layers as L
from ... import losses, optim, penalties
from ...gan import GAN
from ...layers.base import Array
from ...network import Sequential
from .leaves import leaves

LARGEST_STEP = 4000  # numbers on the page
ACTIVATIONS = {
    L.LeakyReLU: "LeakyReLU",
    L.ReLU: "LeakyReLU",
    L.Tanh: "Tanh",
    L.Sigmoid: "Sigmoid",
    L.Softplus: "Softplus",
    L.SiLU: "SiLU",
}
LOSSES = (
    losses.Minimax,
    losses.NonSaturating,
    losses.LeastSquares,
    losses.Wasserstein,
    losses.Hinge,
    losses.Relativistic,
)
OPTIMIZERS = optim.SGD, optim.RMSProp, optim.Adam
INSTEAD = "Ledger.plot draws the step of any GAN, and Ledger.to_csv tabulates it"


def write(path: Path, gan: GAN, real: Array, title: str) -> None:
    """Writes the page of `gan.train_step(real)` to `path`; raises what `game` raises."""
    path.write_text(page(game(gan, real), title), encoding="utf-8")


def page(step: dict[str, Any], title: str) -> str:
    """The HTML of the page, for the `game` of a step."""
    folder = files(__package__) / "page"
    text = (folder / "page.html").read_text("utf-8")
    parts = {name: (folder / name).read_text("utf-8") for name in _SCRIPTS_AND_STYLE}
    data = json.dumps({**step, "title": title}).replace("<", "\\u003c")
    for name, part in {**parts, "game.json": data}.items():
        text = text.replace("{{ " + name + " }}", part)
    return text


_SCRIPTS_AND_STYLE = "page.css", "numbers.js", "step.js", "view.js"


def game(gan: GAN, real: Array) -> dict[str, Any]:
    """What the page needs to compute `gan.train_step(real)`, as JSON has it.

    Raises ValueError for a step that the page cannot compute, saying what it can.
    """
    if type(gan).train_step is not GAN.train_step:
        raise _unknown("GAN", type(gan).__name__, "the step of GAN")
    noise = gan.copy("float64").draw_noise(len(real))
    networks = {"generator": gan.generator, "discriminator": gan.discriminator}
    size = _numbers_on_the_page(gan, len(real))
    if size > LARGEST_STEP:
        raise ValueError(
            f"to_html: this step has {size:,} numbers, and a page shows at most {LARGEST_STEP:,}; "
            f"take fewer samples or smaller networks. {INSTEAD}"
        )
    if type(gan.loss) not in LOSSES:
        raise _unknown("loss", gan.loss, "the six losses of minigan.losses")
    gammas = {"R1": 0.0, "R2": 0.0}
    for penalty in gan.penalties:
        if type(penalty) not in (penalties.R1, penalties.R2):
            raise _unknown("penalty", penalty, "R1 and R2")
        gammas[type(penalty).__name__] += penalty.gamma
    return {
        "real": _list(real),
        "noise": _list(noise),
        **{name: list(_layers(network)) for name, network in networks.items()},
        "loss": type(gan.loss).__name__,
        "penalties": gammas,
        **{f"{name}_optimizer": _optimizer(getattr(gan, f"{name}_optimizer")) for name in networks},
    }


def _layers(network: Sequential) -> Iterator[dict[str, Any]]:
    for _, layer in leaves(network):
        if type(layer) is L.Linear:
            weight, bias = layer.params["weight"], layer.params.get("bias")
            yield {
                "kind": "Linear",
                "label": f"Linear({layer.in_features}, {layer.out_features})",
                "weight": _list(weight),
                "bias": None if bias is None else _list(bias),
            }
        elif type(layer) in ACTIVATIONS:
            slope = layer.negative_slope if isinstance(layer, L.LeakyReLU) else None
            yield {"kind": ACTIVATIONS[type(layer)], "label": repr(layer), "slope": slope}
        else:
            raise _unknown("layer", layer, "Linear and the activations without parameters")


def _optimizer(optimizer: Any) -> dict[str, Any]:
    if type(optimizer) not in OPTIMIZERS:
        raise _unknown("optimizer", optimizer, "SGD, RMSProp and Adam")
    moments = {
        name: _list(getattr(optimizer, name)) for name in optimizer.moments if optimizer.steps
    }
    kept = {name: value for name, value in vars(optimizer).items() if isinstance(value, float)}
    return {
        "kind": type(optimizer).__name__,
        "label": repr(optimizer),
        "steps": optimizer.steps,
        "moments": moments,
        **kept,
    }


def _numbers_on_the_page(gan: GAN, n: int) -> int:
    """About how many: each value of a pass with its gradient, each parameter with its moments."""
    total = 0
    for network, passes in ((gan.generator, 2), (gan.discriminator, 3)):
        widths = sum(
            layer.out_features for _, layer in leaves(network) if hasattr(layer, "out_features")
        )
        total += 2 * passes * n * 2 * widths + 6 * network.theta.size
    return total


def _unknown(what: str, found: Any, known: str) -> ValueError:
    return ValueError(
        f"to_html: the page can compute {known}, but not the {what} {found}. {INSTEAD}"
    )


def _list(values: Array) -> list:
    return np.asarray(values, np.float64).tolist()
