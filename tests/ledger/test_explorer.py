"""The explorer's page computes what minigan computes: run in a headless Chromium, no network."""

import json
from importlib.resources import files

import numpy as np
import pytest

import minigan as mg
from minigan.penalties.second_order import slopes
from minigan.verify.ledger import explorer, moves

from ..browser import answer, browse, needs_chromium

L = mg.layers
PAGE = files("minigan.verify.ledger") / "page"

LOSSES = [
    "Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic",
]  # fmt: skip
PENALTIES = [(0.0, 0.0), (0.7, 0.0), (0.0, 0.4), (1.3, 0.6)]
ACTIVATIONS = [lambda: L.LeakyReLU(0.2), L.Tanh, L.SiLU, L.Softplus, L.Sigmoid]
OPTIMIZERS = [lambda: mg.optim.Adam(lr=0.02), lambda: mg.optim.SGD(lr=0.1, momentum=0.8)]
DRAGS, AT_ONCE, SAMPLES = 10, 5, 5


def game(
    loss="NonSaturating", gammas=(0.0, 0.0), activation=L.Tanh, optimizer=OPTIMIZERS[0], seed=0
):
    """A GAN of an odd shape that has trained for two steps, and a minibatch."""
    rng = np.random.default_rng(seed)
    g = [L.Linear(2, 3), activation(), L.Linear(3, 2)]
    d = [L.Linear(2, 3), activation(), L.Linear(3, 2, bias=False), activation(), L.Linear(2, 1)]
    gan = mg.GAN(
        mg.Sequential(g, dtype="float64", rng=rng),
        mg.Sequential(d, dtype="float64", rng=rng),
        latent_dim=2,
        loss=getattr(mg.losses, loss)(),
        penalties=[P(w) for P, w in zip((mg.penalties.R1, mg.penalties.R2), gammas) if w],
        generator_optimizer=optimizer(),
        discriminator_optimizer=optimizer(),
        rng=seed,
    )
    for _ in range(2):
        gan.train_step(rng.normal(1, 0.5, (SAMPLES, 2)))
    return gan, rng.normal(1, 0.5, (SAMPLES, 2)), rng


def cases():
    """[(gan, real, noise, groups of drags)], a drag being (tensor, row, column, its new value)."""
    made = []
    for k, loss in enumerate(LOSSES):
        for m, gammas in enumerate(PENALTIES):
            seed = len(PENALTIES) * k + m
            activation, optimizer = ACTIVATIONS[seed % 5], OPTIMIZERS[m % 2]
            gan, real, rng = game(loss, gammas, activation, optimizer, seed)
            noise = gan.copy().draw_noise(SAMPLES)
            drags = []
            for _ in range(DRAGS):
                tensor, array = movable(gan, real, noise)[rng.integers(7)]
                row, column = (int(rng.integers(side)) for side in np.atleast_2d(array).shape)
                drags.append((tensor, row, column, float(rng.normal())))
            groups = [drags[k : k + AT_ONCE] for k in range(0, DRAGS, AT_ONCE)]
            made.append((gan, real, noise, [[], *groups]))
    return made


def movable(gan, real, noise):
    """[(the page's name of it, the array)] of what can be dragged."""
    G, D = ([layer.params for layer in net.layers] for net in (gan.generator, gan.discriminator))
    return [
        ("data/real", real), ("noise/z", noise), ("G/W1", G[0]["weight"]), ("G/b2", G[2]["bias"]),
        ("D/W1", D[0]["weight"]), ("D/b1", D[0]["bias"]), ("D/W3", D[4]["weight"]),
    ]  # fmt: skip


def expected(gan, real):
    """{the page's name: the numbers}: everything that minigan computes in this step."""
    numbers = {}
    for row in mg.ledger.record(gan, real).rows:
        if row.kind == "penalty":
            continue
        band = {("L_D", "D"): "L_D", ("L_G", "D"): "L_G", ("L_G", "G"): "G"}[row.loss, row.player]
        holder = {"parameter": row.player, "value": band, "loss": band}[row.kind]
        holder = {"x": "D", "z": "noise", "r": "real"}.get(row.symbol, holder)
        holder = "G" if row.symbol == "fake" else holder
        numbers[f"{holder}/{row.symbol}"] = row.value
        if row.kind != "loss" and row.symbol != "r":
            band = "L_G" if row.symbol == "fake" else band
            numbers[f"{band}/d{row.symbol}"] = row.gradient
    stepped = gan.copy()
    fake = stepped.generator.forward(gan.draw_noise(SAMPLES))[0].copy()
    for penalty, points in zip(gan.penalties, _points(gan, real, fake)):
        signals, _ = slopes(gan.discriminator.copy(), points)
        name = type(penalty).__name__
        numbers[f"{name}/g"], numbers[f"{name}/∂a1"] = signals[0], signals[2]
        numbers[f"{name}/v"] = penalty.gamma / SAMPLES * signals[0]
        numbers[f"{name}/{name}"] = penalty.value(gan.discriminator.copy(), real, fake, gan.rng)
    stepped.train_step(real)
    for player, network in (("G", stepped.generator), ("D", stepped.discriminator)):
        optimizer = getattr(
            stepped, {"G": "generator", "D": "discriminator"}[player] + "_optimizer"
        )
        for moment in optimizer.moments:
            numbers[f"{moment} of {player}"] = getattr(optimizer, moment)
        numbers[f"theta of {player}"] = network.theta
    numbers["after/fake⁺"] = stepped.generator.forward(gan.draw_noise(SAMPLES))[0]
    numbers["shares"] = moves.shares(gan, real).parts
    return {name: np.ravel(values).tolist() for name, values in numbers.items()}


def _points(gan, real, fake):
    return [real if isinstance(p, mg.penalties.R1) else fake for p in gan.penalties]


SCRIPT = """
const numbers = (cells) => cells.map((cell) => cell.value);
const answers = CASES.map(([game, groups]) => {
  const step = new Step(game);
  const look = () => {
    const found = {};
    for (const [id, tensor] of step.tensors) found[id] = numbers(tensor.cells);
    for (const [player, update] of [["G", step.movedG], ["D", step.moved]]) {
      found[`theta of ${player}`] = numbers(update.moves.map(({ to }) => to));
      for (const moment of ["velocity", "first", "second"]) {
        found[`${moment} of ${player}`] = update.network
          .flatMap(({ weight, bias }) => [weight, bias])
          .filter(Boolean)
          .flatMap(({ after }) => after)
          .filter((tensor) => tensor.symbol.startsWith(moment))
          .flatMap(({ cells }) => numbers(cells));
      }
    }
    found.shares = step.shares().flat(2);
    return found;
  };
  return groups.map((drags) => {
    for (const [name, row, column, value] of drags) {
      step.tensors.get(name).at(row, column).value = value;
      step.evaluate();
    }
    return look();
  });
});
document.getElementById("answer").textContent = JSON.stringify(answers);
"""


def arithmetic(script, path, **constants):
    """Runs a script behind the page's arithmetic alone."""
    given = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items())
    code = "".join((PAGE / name).read_text("utf-8") for name in ("numbers.js", "step.js"))
    path.write_text(
        f'<meta charset="utf-8"><pre id="answer"></pre><script>{code}\n{given}{script}</script>',
        "utf-8",
    )
    document, console = browse(path)
    assert not console, console
    return answer(document)


@needs_chromium
def test_the_page_computes_what_minigan_computes(tmp_path):
    made = cases()
    given = [(explorer.game(gan, real), groups) for gan, real, _, groups in made]
    answers = arithmetic(SCRIPT, tmp_path / "numbers.html", CASES=given)
    compared = 0
    for (gan, real, noise, groups), found in zip(made, answers):
        gan.draw_noise = lambda n, noise=noise: noise
        arrays = dict(movable(gan, real, noise))
        for drags, numbers in zip(groups, found):
            for name, row, column, value in drags:
                np.atleast_2d(arrays[name])[row, column] = value
            for name, wanted in expected(gan, real).items():
                assert np.allclose(numbers[name], wanted, rtol=1e-9, atol=1e-9), (gan, drags, name)
                compared += len(wanted)
    assert compared > 50_000


@needs_chromium
def test_every_gradient_of_the_page_is_its_difference(tmp_path):
    """The differences are computed by the page, of smooth networks."""
    script = """
    const answers = GAMES.map((game) => {
      const step = new Step(game);
      const before = step.cells.map((cell) => cell.value);
      const worst = step.cells.filter((cell) => cell.derivative).map((cell) => {
        const difference = step.difference(cell.derivative);
        const error = Math.abs(difference - cell.value) / Math.max(1, Math.abs(cell.value));
        return [error, cell.tensor.id];
      });
      const same = step.cells.every((cell, k) => cell.value === before[k]);
      return [worst.length, worst.sort(([a], [b]) => b - a)[0], same];
    });
    document.getElementById("answer").textContent = JSON.stringify(answers);
    """
    games = [
        explorer.game(*game(loss, (0.8, 0.5), activation)[:2])
        for loss, activation in zip(("NonSaturating", "Relativistic", "Minimax"), ACTIVATIONS[1:])
    ]
    for checked, worst, same in arithmetic(script, tmp_path / "differences.html", GAMES=games):
        assert checked > 300 and worst[0] < 1e-7 and same, worst


USER = """
const log = {};
const cell = (id, i, j) => step.tensors.get(id).at(i, j);
const button = (id, i, j) => buttons.get(cell(id, i, j))[0];
const panel = document.getElementById("open");
const press = (target, key) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const point = (target, type, clientX) =>
  target.dispatchEvent(new PointerEvent(type, { clientX, bubbles: true }));

// a click opens a gradient, which stays where it was; its terms open in turn, back to the loss
const clicked = button("L_D/dW1", 0, 0);
if (innerHeight < 1000) {
  clicked.scrollIntoView({ block: "start" });
  scrollBy(0, -300);
}
const height = () => clicked.getBoundingClientRect().top;
const place = height();
clicked.click();
log.shift = height() - place;
const { left, width } = clicked.getBoundingClientRect();
log.seen = document.elementFromPoint(left + width / 2, height() + 5) === clicked;
log.sum = panel.textContent.replace(/.*put in= /, "");
log.opened = panel.textContent;
log.path = [];
for (const name of ["dz1", "da1", "dz2", "da2", "dlogits", "L_D", "logits"]) {
  const term = [...panel.querySelectorAll(".chip")].find((chip) => chip.title.startsWith(name));
  log.path.push(term.title);
  term.click();
  if (name === "L_D") log.loss = panel.textContent;
}
press(document, "Escape");
log.closed = panel.hidden;

// arrows move in a map, keys and drags change numbers
button("data/real", 0, 0).focus();
press(document.activeElement, "ArrowDown");
log.arrived = document.activeElement === button("data/real", 1, 0);
const start = cell("data/real", 1, 0).value;
press(document.activeElement, "+");
log.nudged = cell("data/real", 1, 0).value - start;
const before = step.lossD.at(0, 0).value;
point(button("D/W1", 0, 0), "pointerdown", 100);
point(button("D/W1", 0, 0), "pointermove", 150);
point(button("D/W1", 0, 0), "pointerup", 150);
log.lossMoved = step.lossD.at(0, 0).value !== before;
log.shown = button("L_D/L_D", 0, 0).ariaLabel === `L_D = ${short(step.lossD.at(0, 0).value, 6)}`;

// the step button hides what is not computed yet
document.getElementById("next").click();
log.later = document.querySelectorAll(".later").length;
log.moments = step.moments.map(({ number }) => number).join("");
document.getElementById("all").click();
log.all = document.querySelectorAll(".later").length;

// the game can be changed, and goes on
for (const option of [...document.getElementById("loss").options]) {
  document.getElementById("loss").value = option.value;
  document.getElementById("loss").dispatchEvent(new Event("change"));
}
document.getElementById("R1").value = 0.5;
document.getElementById("R1").dispatchEvent(new Event("input"));
log.penalised = step.R.length;
log.refused = ["-2", ""].map((typed) => {
  document.getElementById("R1").value = typed;
  for (const type of ["input", "change"])
    document.getElementById("R1").dispatchEvent(new Event(type));
  return [step.game.penalties.R1, document.getElementById("R1").value];
});
const [moved] = step.moved.moves;
const wanted = moved.to.value;
document.getElementById("repeat").click();
log.repeated = step.G && step.D[0].weight.at(0, 0).value === wanted;
const displacement = (i, j) => step.after.output.at(i, j).value - step.fake.at(i, j).value;
const rest = (parts, i, j) => Math.abs(parts.reduce((a, b) => a + b, 0) - displacement(i, j));
log.rest = Math.max(...step.shares().flatMap((row, i) => row.map((parts, j) => rest(parts, i, j))));
log.requests = performance.getEntriesByType("resource").length;
log.unnamed = [...document.querySelectorAll("button, input, select")].filter(
  (one) => !one.textContent.trim() && !one.ariaLabel && !one.closest("label")).length;
log.wide = document.documentElement.scrollWidth > innerWidth;
document.body.innerHTML = '<pre id="answer"></pre>';
document.getElementById("answer").textContent = JSON.stringify(log);
"""


@needs_chromium
@pytest.mark.parametrize("size", ["390,844", "1280,2000", "1920,1080"])
def test_the_page_as_a_reader_uses_it(tmp_path, size):
    gan, real, _ = game(activation=lambda: L.LeakyReLU(0.2))
    path = tmp_path / "step.html"
    mg.ledger.record(gan, real).to_html(path)
    text = path.read_text("utf-8")
    assert len(text) < 400_000 and "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text and "{{" not in text
    path.write_text(text.replace("</body>", f"<script>{USER}</script></body>"), "utf-8")
    document, console = browse(path, f"--window-size={size}")
    assert not console, console
    log = answer(document)
    assert "dW1 = x′ dz1" in log["opened"] and "relative error" in log["opened"]
    assert [name.partition("[")[0] for name in log["path"]] == [
        "dz1",
        "da1",
        "dz2",
        "da2",
        "dlogits",
        "L_D",
        "logits",
    ]
    assert "mean softplus(−r) + mean softplus(f)" in log["loss"]
    assert log["seen"] and (size.startswith("390") or abs(log["shift"]) < 2)
    assert "× (−" in log["sum"] and "× −" not in log["sum"]
    assert log["refused"] == [[0.5, "0.5"]] * 2
    assert log["closed"] and log["arrived"] and log["lossMoved"] and log["shown"]
    assert log["nudged"] == pytest.approx(0.1, abs=1e-6)
    assert log["later"] > 20 and log["all"] == 0
    assert log["moments"] == "".join(sorted(log["moments"])) and set(log["moments"]) == set(
        "1234567"
    )
    assert log["penalised"] == 1 and log["repeated"] and log["rest"] < 1e-12
    assert log["requests"] == 0 and log["unnamed"] == 0 and not log["wide"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, lambda: mg.optim.RMSProp(lr=0.01)])
def test_shares_sum_to_what_the_step_does_to_each_fake(loss, optimizer):
    for activation in ACTIVATIONS:
        gan, real, _ = game(loss, (0.7, 0.4), activation, optimizer)
        noise = gan.copy().draw_noise(SAMPLES)
        before = gan.generator.forward(noise)[0].copy()
        shares = mg.ledger.record(gan, real).who_moved()
        gan.train_step(real)
        moved = gan.generator.forward(noise)[0] - before
        assert np.abs(shares.parts.sum(axis=2) - shares.displacement).max() < 1e-12
        # The relativistic loss gives D's last bias a gradient that is zero but for rounding, which
        # RMSProp and Adam divide by its own size: two orders of one sum then differ by 1e-11.
        assert np.abs(shares.displacement - moved).max() < 1e-10


def test_a_share_is_what_its_cause_did():
    """What can be known without the shares: no momentum in a first step, no penalty without one,
    and a step of D of size zero teaches D nothing."""
    gan, real, _ = game(optimizer=lambda: mg.optim.SGD(lr=0.1))
    parts = dict(zip(*_causes_and_parts(gan, real)))
    for cause in [("penalty", None), ("momentum of D", None), ("momentum of G", None)]:
        assert not parts[cause].any()
    assert parts["real", 0].any() and parts["fake", 0].any() and parts["push", 0].any()
    gan.discriminator_optimizer.lr = 0.0
    parts = dict(zip(*_causes_and_parts(gan, real)))
    assert not any(parts[what, i].any() for what in ("real", "fake") for i in range(SAMPLES))


def _causes_and_parts(gan, real):
    shares = moves.shares(gan, real)
    return shares.causes, np.moveaxis(shares.parts, 2, 0)


def test_what_a_page_cannot_compute_is_refused_in_one_line(tmp_path):
    gan, real, _ = game()

    def refusal(**changes):
        for name, value in changes.items():
            setattr(gan, name, value)
        with pytest.raises(ValueError, match="Ledger.plot draws the step of any GAN") as caught:
            explorer.game(gan, real)
        return str(caught.value)

    assert "not the penalty Dragan(1)" in refusal(penalties=(mg.penalties.Dragan(1.0),))
    assert "not the loss OneSided" in refusal(loss=mg.stabilisers.OneSidedSmoothing())
    players = mg.models.mlp_generator(2, (2,), hidden=(64,)), mg.models.mlp_discriminator((2,))
    large = mg.GAN(*players, latent_dim=2)
    with pytest.raises(
        ValueError, match=r"this step has \d+,\d+ numbers, .* at most 4,000"
    ) as caught:
        mg.ledger.record(large, real).to_html(tmp_path / "large.html")
    assert "Ledger.plot" in str(caught.value) and not (tmp_path / "large.html").exists()
    layers = [L.Linear(2, 3), L.LayerNorm(3), L.Tanh(), L.Linear(3, 1)]
    normed = mg.GAN(mg.Sequential([L.Linear(2, 2)]), mg.Sequential(layers), latent_dim=2)
    with pytest.raises(ValueError, match="not the layer LayerNorm"):
        explorer.game(normed, real)
