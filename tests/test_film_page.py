"""The page of a film, and the same page while a training runs."""

import dataclasses
import json
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import warnings

import numpy as np
import pytest

import minigan as mg
from minigan.observe.watch import film_page

from .browser import answer, browse, needs_chromium

STEPS = 12


def parts():
    """A small game, its film and its vital signs."""
    players = (
        mg.models.mlp_generator(2, (2,), hidden=(5,)),
        mg.models.mlp_discriminator((2,), hidden=(5,)),
    )
    gan, moons = mg.GAN(*players, latent_dim=2), mg.data.two_moons()
    film = mg.watch.Film(gan, moons, moments=(1, 4, 8, STEPS), samples=30, resolution=20)
    return gan, moons, film, mg.watch.Vitals(gan, moons, every=4, probe=64)


def train(gan, moons, *callbacks):
    return mg.train(gan, moons, steps=STEPS, batch_size=8, progress=False, callback=list(callbacks))


@pytest.fixture(scope="module")
def watched():
    with mg.kernels.use_backend("numpy"):
        gan, moons, film, vitals = parts()
        history = train(gan, moons, film, vitals)
    return film, vitals, history


# -- the page --------------------------------------------------------------------------------------

LOOK = """
const log = { max: $("at").max, start: $("step").textContent, shown: [], charts: {} };
const number = (name) => charts.find((one) => one.name === name).number.textContent;
const paint = () => $("surface").toDataURL();
const paints = new Set();
for (const k of [0, 1, 2, 3]) {
  $("at").value = k;
  $("at").dispatchEvent(new Event("input"));
  log.shown.push([$("step").textContent, number("width"), number("generator_loss")]);
  paints.add(paint());
}
log.paints = paints.size;
log.frame = { fake: [...frames[2].fake], push: [...frames[2].push], verdict: [...frames[2].verdict],
  grid: [...frames[2].grid] };
log.scale = arrowScale();
const chart = charts.find((one) => one.name === "variety").picture;
const box = chart.getBoundingClientRect();
chart.dispatchEvent(new MouseEvent("click", { clientX: box.left + 0.6 * box.width }));
log.clicked = $("step").textContent;
$("play").click();
log.playing = $("play").textContent;
$("play").click();
log.paused = $("play").textContent;
$("theme").click();
log.dark = getComputedStyle(document.documentElement).colorScheme;
log.repainted = !paints.has(paint());
log.count = charts.length;
log.unnamed = [...document.querySelectorAll("button, input, svg, canvas")].filter(
  (one) => !one.textContent.trim() && !one.ariaLabel).length;
log.wide = document.documentElement.scrollWidth > innerWidth;
log.requests = performance.getEntriesByType("resource").length;
document.body.append(element("pre", { id: "answer" }, JSON.stringify(log)));
"""


@needs_chromium
@pytest.mark.parametrize("size", ["390,844", "1920,1080"])
def test_the_page_shows_what_was_recorded(size, watched, tmp_path):
    film, vitals, history = watched
    path = tmp_path / "film.html"
    film.to_html(path, vitals=vitals, history=history, title="Two <moons>")
    text = path.read_text("utf-8")
    assert "{{" not in text and "<title>Two &lt;moons&gt;</title>" in text
    path.write_text(text.replace("</body>", f"<script>{LOOK}</script></body>"), "utf-8")
    document, console = browse(path, f"--window-size={size}")
    assert not console, console
    log = answer(document)
    assert log["max"] == "3" and log["start"] == f"step {STEPS}"
    steps = [frame.step for frame in film.frames]
    for (words, width, loss), step in zip(log["shown"], steps):
        assert words == f"step {step}"
        measured = vitals.columns["width"][sum(s <= step for s in vitals.steps) - 1]
        assert float(width) == pytest.approx(measured, rel=0.006)
        assert float(loss) == pytest.approx(history["generator_loss"][step - 1], rel=0.006)
    assert log["paints"] == 4 and log["clicked"] == "step 8"
    assert "Pause" in log["playing"] and "Play" in log["paused"]
    assert log["dark"] == "dark" and log["repainted"]
    figures = len(history.columns) - 1 + len(vitals.columns)
    assert log["count"] > figures  # and those of the layers
    assert log["unnamed"] == 0 and not log["wide"] and log["requests"] == 0

    frame, found = film.frames[2], {k: np.array(v) for k, v in log["frame"].items()}
    left, right, bottom, top = film.extent
    for name, points in (("fake", frame.fake), ("grid", frame.grid[:, :, ::3].reshape(-1, 2))):
        inside = (points - (left, bottom)) / (right - left, top - bottom)
        assert np.abs(found[name].reshape(-1, 2) - np.clip(inside, -1, 2)).max() < 1e-4
    assert np.array_equal(found["push"], frame.push.astype(np.float32).ravel())
    verdict = 1 / (1 + np.exp(-frame.logits))
    assert np.abs(found["verdict"].reshape(20, 20) / 255 - verdict).max() < 0.003
    assert log["scale"] == pytest.approx(mg.plots.arrow_scale(film))


def test_a_long_film_fits_into_two_megabytes():
    gan, moons, _, vitals = parts()
    film = mg.watch.Film(gan, moons, moments=[1], resolution=200)
    film.frames = [film.record(step, gan) for step in range(60)]
    assert len(film_page.page(film, vitals)) < 2_000_000


def test_what_is_not_finite_is_no_number(tmp_path):
    gan, _, film, vitals = parts()
    vitals.steps, vitals.columns = [1, 2, 3], {"width": [1.0, np.nan, np.inf]}
    gan.generator.theta[...] = np.nan
    with np.errstate(all="ignore"):
        film.frames = [film.record(1, gan)]
    (group,) = film_page.groups(vitals)
    assert group["columns"]["width"] == [1.0, None, None]
    bad = film.frames[0].logits * np.nan
    film.frames = [dataclasses.replace(film.frames[0], logits=bad)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        film.to_html(tmp_path / "film.html", vitals=vitals)


def test_bad_input_is_one_line(tmp_path):
    gan, moons, film, vitals = parts()
    with pytest.raises(
        ValueError, match="Film.to_html: film must be one with frames, got <Film: 0"
    ):
        film.to_html(tmp_path / "film.html")
    with pytest.raises(TypeError, match="Film.to_html: vitals must be a Vitals, got 3"):
        film.to_html(tmp_path / "film.html", vitals=3)
    train(gan, moons, film)
    second = train(gan, moons, film)
    film.frames.append(dataclasses.replace(film.frames[0], step=2 * STEPS))
    with pytest.raises(ValueError, match="history must be of all 24 steps of the film, got <Hist"):
        film.to_html(tmp_path / "film.html", history=second)
    with pytest.raises(ValueError, match="port must be an integer from 0 to 65535, got 70000"):
        mg.watch.Live(film, port=70000)
    with pytest.raises(TypeError, match="Live: film must be a Film, got"):
        mg.watch.Live(gan)
    with pytest.raises(TypeError, match="Film.to_html: history must be a History, got 3"):
        film.to_html(tmp_path / "film.html", history=3)


# -- while it trains -------------------------------------------------------------------------------


@pytest.fixture
def serve():
    """serve(film, ...): a Live on a free port, which is closed at the end."""
    made = []

    def start(*arguments, port=0):
        made.append(mg.watch.Live(*arguments, port=port))
        return made[-1]

    yield start
    for live in made:
        live.close()


def get(address):
    with urllib.request.urlopen(address, timeout=20) as found:
        return found.read().decode()


def news(live, first=0):
    return json.loads(get(f"{live.address}frames?from={first}"))


def test_the_page_grows_while_it_trains(serve):
    """Fetched in the middle of a training, and at its end."""
    gan, moons, film, vitals = parts()
    live = serve(film, vitals)
    assert live.address.startswith("http://127.0.0.1:")
    assert '"live": true' in get(live.address) and news(live) == {
        "over": False, "frames": [], "groups": [],
    }  # fmt: skip
    seen = {}

    def ask(step, *_):
        seen[step] = [frame["step"] for frame in news(live, 1 if step == 9 else 0)["frames"]]

    train(gan, moons, film, vitals, ask)
    live.finish()
    assert seen[3] == [1] and seen[5] == [1, 4] and seen[9] == [4, 8]
    last = news(live)
    assert last["over"] and [frame["step"] for frame in last["frames"]] == [1, 4, 8, STEPS]
    assert last["groups"][0]["steps"] == vitals.steps
    for address in ("favicon.ico", "frames?from=x", "../setup.cfg", "frames?from=-1"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(live.address + address)


def test_a_training_with_a_view_gives_the_same_bits(serve):
    """Whether nobody looks, or somebody leaves in the middle of an answer, or it is closed."""
    gan, *rest = parts()
    train(gan, *rest)
    other, moons, film, vitals = parts()
    live = serve(film, vitals)

    def look(step, *_):
        if live.address is None:
            return
        port = int(live.address.split(":")[-1][:-1])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as browser:
            browser.sendall(b"GET / HTTP/1.0\r\n\r\n" if step % 2 else b"GET")
            browser.recv(1) if step % 2 else None
        if step == 7:
            live.close()

    train(other, moons, film, vitals, look)
    assert np.array_equal(gan.generator.theta, other.generator.theta)
    assert live.address is None and len(film.frames) == 4


def test_a_taken_port_is_one_line_and_the_run_goes_on(serve, capsys):
    gan, moons, film, vitals = parts()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        live = serve(film, port=port)
        said = capsys.readouterr().out
        assert said.startswith(f"There is no live view: port {port} cannot be used (")
        assert said.count("\n") == 1 and live.address is None
        with live:
            train(gan, moons, film)
    assert len(film.frames) == 4


def test_the_view_ends_with_the_program(tmp_path):
    """Nothing waits for the server's thread."""
    program = (
        "import minigan as mg\n"
        "gan = mg.GAN(mg.models.mlp_generator(2, (2,), hidden=(3,)),\n"
        "             mg.models.mlp_discriminator((2,), hidden=(3,)), latent_dim=2)\n"
        "film = mg.watch.Film(gan, mg.data.two_moons(), moments=[1])\n"
        "mg.watch.Live(film, port=0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.startswith("Live view: http://127.0.0.1:") and done.stdout.count("\n") == 1


@needs_chromium
def test_a_browser_follows_the_training(serve):
    gan, moons, film, vitals = parts()
    live = serve(film, vitals)
    film.frames.append(film.record(1, gan))
    threading.Timer(0.5, live.finish).start()
    document, console = browse(live.address)
    assert not console, console
    assert "step 1</output>" in document
