"""The page of a film: one HTML file with a slider over the steps, which needs only a browser.

Two pictures of the plane, drawn in the page from the arrays of each frame, and below them a chart
for every quantity that was measured. The look is that of the ledger's page.
"""

import base64
import html
import json
import math
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from ...layers.activations import sigmoid
from .film import TITLE, WORDS, Film, Frame
from .vitals import Vitals

ARROWS = 70  # fakes that get an arrow
WIDEST = 96  # grid points of the verdict, in each direction
THINNED = 3  # every third point of a line of the grid
MOST = 500  # points of a chart's line

LAYERS = {
    "gradient": "the length of the gradient of a layer's parameters",
    "update": "how far a step moves a layer's parameters, over their length",
    "off": "the share of a layer's units whose output is at most 0 for every sample of the probe",
}


def page(
    film: Film,
    vitals: Vitals | None = None,
    history: Any = None,
    title: str = TITLE,
    words: str = WORDS,
    live: bool = False,
) -> str:
    """The HTML of the page; a live one asks its server for more frames (see `Live`)."""
    folder = files(__package__) / "page"
    data = {
        "extent": film.extent,
        "resolution": _thinned(film, film.plane_shape),
        "lines": (*film.line_shape[:2], len(range(0, film.line_shape[2], THINNED))),
        "real": _places(film, film.real),
        "frames": [encoded(film, frame) for frame in film.frames],
        "groups": groups(vitals, history),
        "live": live,
    }
    parts = {
        "film.css": (folder / "film.css").read_text("utf-8"),
        "page.css": (files("minigan.verify.ledger") / "page" / "page.css").read_text("utf-8"),
        "film.js": (folder / "film.js").read_text("utf-8"),
        "title": html.escape(title),
        "words": html.escape(words),
        "film.json": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
    }
    text = (folder / "film.html").read_text("utf-8")
    for name, part in parts.items():
        text = text.replace("{{ " + name + " }}", part)
    return text


def encoded(film: Film, frame: Frame) -> dict[str, Any]:
    """A frame as the page reads it: bytes of small integers, in base64."""
    rows, columns = (
        np.linspace(0, size - 1, few).round().astype(int)
        for size, few in zip(film.plane_shape, _thinned(film, film.plane_shape))
    )
    with np.errstate(under="ignore"):
        verdict = sigmoid(frame.logits[np.ix_(rows, columns)])
    verdict = np.nan_to_num(verdict, nan=0.5)  # of a training that diverged
    return {
        "step": frame.step,
        "fake": _places(film, frame.fake),
        "push": _text(frame.push[:ARROWS].astype("<f4")),
        "verdict": _text(np.round(255 * verdict).astype(np.uint8)),
        "grid": _places(film, frame.grid[:, :, ::THINNED]),
    }


def groups(vitals: Vitals | None, history: Any = None) -> list[dict[str, Any]]:
    """The charts: what the players' vital signs, their layers and the history measured."""
    found = []
    if history is not None and len(history):
        every = range(0, len(history), math.ceil(len(history) / MOST))
        columns = {name: [float(c[k]) for k in every] for name, c in history.columns.items()}
        steps = [int(step) for step in columns.pop("step")]
        text = "The figures of the training steps themselves."
        found.append(_group("The losses, the logits, the gradients", text, steps, columns))
    if vitals is not None and vitals.steps:
        text = "What each means: the documentation of minigan.watch.Vitals."
        found.append(_group("Vital signs", text, vitals.steps, dict(vitals.columns)))
        for what, meaning in LAYERS.items():
            columns = {
                f"{player[0].upper()}: {layer}": series[what]
                for player, layers in vitals.layers.items()
                for layer, series in list(layers.items())
                if what in series
            }
            if columns:
                found.append(_group(f"Layer by layer: {what}", meaning, vitals.steps, columns))
    return found


def _group(
    title: str, text: str, steps: Sequence[int], columns: dict[str, list[float]]
) -> dict[str, Any]:
    """A chart: values to six digits, None for one that is not finite. A measurement under way
    counts once it is in all columns."""
    whole = min(len(steps), *map(len, columns.values()))
    every = slice(0, whole, math.ceil(max(whole, 1) / MOST))
    rounded = {
        name: [float(f"{v:.6g}") if math.isfinite(v) else None for v in values[every]]
        for name, values in columns.items()
    }
    return {"title": title, "text": text, "steps": list(steps[every]), "columns": rounded}


def _thinned(film: Film, shape: tuple[int, int]) -> tuple[int, int]:
    return min(shape[0], WIDEST), min(shape[1], WIDEST)


def _places(film: Film, points: np.ndarray) -> str:
    """Points in 16 bits over three times the extent, the picture in the middle third."""
    left, right, bottom, top = film.extent
    share = (points - (left, bottom)) / (right - left, top - bottom)
    return _text(np.round(65535 * (np.clip(np.nan_to_num(share), -1, 2) + 1) / 3).astype("<u2"))


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
