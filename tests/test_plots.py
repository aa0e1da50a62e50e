"""Pictures: that they show what was recorded, and that a page needs nothing but a browser."""

import json
import re
import shutil
import subprocess

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

matplotlib.use("Agg")

import minigan as mg
from minigan import plots

MOONS = mg.data.two_moons()
NAMES = "chromium", "chromium-browser", "google-chrome"
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)

# Appended to a page: presses the button, watches the slider, and writes what it saw into the page.
PROBE = """<script>
const errors = [];
window.addEventListener("error", event => errors.push(event.message));
window.addEventListener("load", () => setTimeout(() => {
  const slider = document.querySelector("input[type=range]");
  const press = text => [...document.querySelectorAll(".anim-buttons button")]
    .find(button => button.textContent.trim() === text).click();
  const picture = () => document.querySelector(".animation img").src;
  press("❚❚"); press("|◀");
  const start = slider.value, first = picture();
  press("▶");
  setTimeout(() => {
    const seen = {start, moved: slider.value !== start, changed: picture() !== first, errors,
      fetched: performance.getEntriesByType("resource").map(entry => entry.name)
        .filter(name => !name.startsWith("data:"))};
    press("❚❚");
    const pre = document.createElement("pre");
    pre.id = "seen";
    pre.textContent = JSON.stringify(seen);
    document.body.append(pre);
  }, 450);
}, 200));
</script>"""


@pytest.fixture(scope="module")
def watched():
    networks = mg.models.mlp_generator(2, (2,), hidden=(8,)), mg.models.mlp_discriminator((2,))
    gan = mg.GAN(*networks, latent_dim=2)
    film = mg.watch.Film(gan, MOONS, moments=range(1, 6), samples=100, resolution=16)
    vitals = mg.watch.Vitals(gan, MOONS, every=2)

    def both(*moment):
        film(*moment)
        vitals(*moment)

    mg.train(gan, MOONS, steps=6, callback=both, progress=False)
    yield film, vitals
    plt.close("all")


@pytest.fixture(scope="module")
def page(watched, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "film.html"
    animation = plots.animation(watched[0], MOONS)
    plots.page(animation, path, title="Moons & more", words=["one < two"], fps=10, dpi=40)
    return path


def test_an_arrow_on_the_picture_is_the_push_times_the_scale(watched):
    film, _ = watched
    _, axes = plots.figure()
    shot, scale = film.frames[-1], plots.arrow_scale(film)
    plots.surface(axes, film, shot, scale)
    (quiver,) = [a for a in axes.collections if isinstance(a, matplotlib.quiver.Quiver)]
    n = quiver.N
    np.testing.assert_allclose(np.column_stack([quiver.U, quiver.V]), scale * shot.push[:n])
    np.testing.assert_allclose(quiver.XY, shot.fake[:n])
    assert quiver.scale == 1 and quiver.scale_units == quiver.angles == "xy"


def test_the_learning_figure_has_a_column_a_moment(watched):
    film, _ = watched
    figure = plots.learning(film, MOONS, film.frames[:3])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == ["step 1", "step 2", "step 3"]


def test_layer_curves_show_every_layer(watched):
    _, vitals = watched
    figure = plots.layer_curves(vitals)
    shown = {text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()}
    assert shown == {name for layers in vitals.layers.values() for name in layers}


def test_no_window_without_a_screen():
    figure, _ = plots.figure()
    assert not plots.has_screen(figure)


def test_a_page_names_no_other_file(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:|#)", text) and "fa fa-" not in text
    assert "Moons &amp; more" in text and "one &lt; two" in text
    assert len(re.findall(r"data:image/png;base64", text)) >= 5


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_page_plays_in_a_browser_without_errors_or_requests(page, tmp_path):
    probed = tmp_path / "probed.html"
    probed.write_text(page.read_text(encoding="utf-8").replace("</body>", PROBE + "</body>"))
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking"
    flags += " --disable-component-update --disable-sync --enable-logging=stderr --dump-dom"
    run = subprocess.run(
        [CHROMIUM, *flags.split(), "--virtual-time-budget=3000",
         f"--user-data-dir={tmp_path / 'profile'}", probed.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = re.search(r'<pre id="seen">(.*?)</pre>', run.stdout)
    assert found, run.stderr[-2000:]
    seen = json.loads(found.group(1))
    assert seen == {"start": "0", "moved": True, "changed": True, "errors": [], "fetched": []}
    assert "CONSOLE" not in run.stderr
