"""Writes an animation as one HTML file with a player and a slider, which needs only a browser."""

import html
import re
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.animation import Animation

from ..._checks import Count, FilePath, Text, Texts, checked
from .style import STYLE

ICONS = {  # text in place of the icon font that matplotlib's page would fetch
    "fa-minus": "slower",
    "fa-fast-backward": "|◀",
    "fa-step-backward": "◀|",
    "fa-play fa-flip-horizontal": "◀",
    "fa-pause": "❚❚",
    "fa-play": "▶",
    "fa-step-forward": "|▶",
    "fa-fast-forward": "▶|",
    "fa-plus": "faster",
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #22252a; max-width: 66rem;
  margin: 2rem auto; padding: 0 1rem; }}
.animation {{ width: 100%; }}
.animation img {{ max-width: 100%; }}
.animation .anim-buttons button {{ padding: 0.2rem 0.6rem; width: auto; min-width: 2.5rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
{words}
{player}
</body>
</html>
"""


@checked
def page(
    animation: Animation,
    path: FilePath,
    *,
    title: Text,
    words: Texts,
    fps: Count = 10,
    dpi: Count = 80,
) -> None:
    """Writes the animation to `path` with all frames inside: it needs no network and no other file.

    Parameters
    ----------
    animation : matplotlib.animation.Animation
    path : path of the HTML file
    title : str
    words : list of str
        Paragraphs shown above the player.
    fps : int
        Frames per second.
    dpi : int
        Dots per inch.
    """
    # to_jshtml takes neither as an argument.
    settings: Any = {"savefig.dpi": dpi, "animation.embed_limit": STYLE["animation.embed_limit"]}
    with matplotlib.rc_context(settings), np.errstate(under="ignore"):
        player = animation.to_jshtml(fps=fps, embed_frames=True, default_mode="loop")
    player = re.sub(r"<link[^>]*>", "", player)  # the icon font, from another server
    for icon, text in ICONS.items():
        player = re.sub(rf'<i class="fa {icon}"></i>', text, player)
    paragraphs = "\n".join(f"<p>{html.escape(text)}</p>" for text in words)
    text = PAGE.format(title=html.escape(title), words=paragraphs, player=player)
    if external := re.search(r"(?:src|href)\s*=\s*[\"']https?:[^\"']*", text):
        raise RuntimeError(f"page: {path} would fetch {external.group()}")
    Path(path).write_text(text, encoding="utf-8")
