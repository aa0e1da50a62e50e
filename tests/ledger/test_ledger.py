"""The ledger: every row beside its difference, beside the plain step, as a table and as files."""

import csv
import re
import subprocess
import sys

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.recording import recording


def everything(loss="NonSaturating"):
    """Every kind of layer that complicates a step: mixing, random, stateful, convolutional."""
    generator = mg.Sequential(
        [
            L.Linear(2, 18), L.Reshape((3, 3, 2)), L.BatchNorm(2), L.ReLU(),
            L.ConvTranspose2d(2, 1, 4, stride=2, padding=1), L.Tanh(),
        ],
        rng=1,
    )  # fmt: skip
    inner = mg.Sequential([L.SpectralNorm(L.Conv2d(2, 3, 3, bias=False)), L.LayerNorm(3)])
    discriminator = mg.Sequential(
        [
            L.Conv2d(1, 2, 4, stride=2, padding=1), L.LeakyReLU(), L.Dropout(0.3), inner,
            L.Softplus(), L.MinibatchStdDev(), L.Flatten(), L.Linear(4, 1),
        ],
        rng=2,
    )  # fmt: skip
    return mg.GAN(generator, discriminator, latent_dim=2, loss=getattr(mg.losses, loss)(), rng=3)


def residual(loss="NonSaturating"):
    """Weights inside layers inside layers."""
    branches = [
        mg.Sequential([L.Tanh(), L.Linear(n, 3), L.LeakyReLU(), L.Linear(3, n)]) for n in (2, 3)
    ]
    generator = mg.Sequential([L.Residual(branches[0]), L.Linear(2, 2)], rng=1)
    discriminator = mg.Sequential([L.Linear(2, 3), L.Residual(branches[1]), L.Linear(3, 1)], rng=2)
    penalties = [mg.penalties.R1(0.3), mg.penalties.R2(0.2)]
    loss = getattr(mg.losses, loss)()
    return mg.GAN(generator, discriminator, latent_dim=2, loss=loss, penalties=penalties, rng=3)


def penalised(loss="NonSaturating"):
    """Penalties beside dropout, in networks of points."""
    generator = mg.models.mlp_generator(2, (2,), hidden=(5,), rng=1)
    discriminator = mg.Sequential(
        [L.FourierFeatures(2, 4), L.Linear(8, 5), L.LeakyReLU(), L.Dropout(0.2), L.Linear(5, 1)],
        rng=2,
    )
    penalties = [mg.penalties.R1(0.3), mg.penalties.GradientPenalty(0.5), mg.penalties.R2(0.2)]
    loss = getattr(mg.losses, loss)()
    return mg.GAN(generator, discriminator, latent_dim=2, loss=loss, penalties=penalties, rng=3)


def minibatch(gan, n=4):
    return np.tanh(np.random.default_rng(0).standard_normal((n, *gan.sample_shape)))


def row_of(ledger, loss, symbol):
    (row,) = (row for row in ledger.rows if (row.loss, row.symbol) == (loss, symbol))
    return row


# -- right ---------------------------------------------------------------------------------------


def test_every_row_of_a_tiny_gan(tiny_gan, real, loss, activation):
    penalties = [mg.penalties.R1(1.0), mg.penalties.Dragan(0.3)]
    once = loss == "NonSaturating"  # a penalty knows nothing of the loss
    for chosen in ((), penalties) if once else ((),):
        ledger = mg.ledger.record(tiny_gan(loss, activation, penalties=chosen), real)
        assert all(row.error <= 1e-7 and row.checked == row.value.size for row in ledger.rows)
        assert ledger.check().ok


@pytest.mark.parametrize("make", [everything, penalised, residual])
def test_every_row_of_a_larger_gan(make, loss):
    ledger = mg.ledger.record(make(loss), minibatch(make()))
    report = ledger.check(entries=6)
    assert report.ok, f"\n{report}"
    assert all(row.error <= 1e-7 for row in ledger.rows)


def test_weights_inside_a_residual_layer_have_symbols_of_their_own():
    gan = residual()
    ledger = mg.ledger.record(gan, minibatch(gan))
    rows = [row for row in ledger.rows if row.loss == "L_D" and row.kind == "parameter"]
    assert len({row.symbol for row in rows}) == len(rows) == 8
    inside = row_of(ledger, "L_D", "W2.branch.3")
    assert inside.formula == "parameter 1.branch.3.weight"
    assert row_of(ledger, "L_D", "h2").formula == "skip(z1) + branch(z1)"
    assert row_of(ledger, "L_D", "logits").formula == "h2 W3 + b3"


def test_in_the_middle_of_training(reference_kernels, backend):
    gan = everything()
    for seed in range(3):
        gan.train_step(np.tanh(np.random.default_rng(seed).standard_normal((4, *gan.sample_shape))))
    assert mg.ledger.record(gan, minibatch(gan)).check(entries=1).ok


def test_the_gan_is_left_alone():
    gan = everything()
    gan.train_step(minibatch(gan))

    def state():
        players = gan.generator, gan.discriminator
        vectors = [v.copy() for p in players for v in (p.theta, p.grad)]
        buffers = [value.copy() for p in players for _, value in p.named_buffers()]
        moments = [gan.generator_optimizer.first.copy(), gan.discriminator_optimizer.second.copy()]
        states = [str(rng.bit_generator.state) for rng in (gan.rng, *(p.rng for p in players))]
        return [*vectors, *buffers, *moments], states

    before, real = state(), minibatch(gan)
    mg.ledger.record(gan, real).check(entries=2)
    after = state()
    assert all(np.array_equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    assert before[1] == after[1]
    assert np.array_equal(real, minibatch(gan))


def test_the_rows_are_the_step(tiny_gan, real):
    gan = tiny_gan()
    ledger = mg.ledger.record(gan, real)
    figures = gan.train_step(real)
    assert float(row_of(ledger, "L_D", "L_D").value) == figures["discriminator_loss"]
    assert float(row_of(ledger, "L_G", "L_G").value) == figures["generator_loss"]
    gradients = [row.gradient.ravel() for row in ledger.rows if row.kind == "parameter"]
    found = np.concatenate(gradients)
    # the rows run from the loss back, the vectors from the input on
    expected = np.concatenate([gan.discriminator.grad, gan.generator.grad])
    np.testing.assert_allclose(np.sort(found), np.sort(expected), rtol=1e-12)
    assert [row.symbol for row in ledger.section("L_G", "G")] == [
        "fake", "W2", "b2", "a1", "z1", "W1", "b1", "z",
    ]  # fmt: skip


# -- wrong ---------------------------------------------------------------------------------------


def test_a_wrong_gradient_is_found(tiny_gan, real, monkeypatch):
    """The slope behind the kink forgotten: the rows below the activation are wrong, no others."""
    monkeypatch.setattr(L.LeakyReLU, "backward_input", lambda self, dy, y: dy * (y > 0))
    ledger = mg.ledger.record(tiny_gan(), real)
    assert not ledger.check().ok
    wrong = {row.symbol for row in ledger.section("L_D", "D") if row.error > 1e-7}
    assert wrong == {"z1", "W1", "b1", "x"}


def test_a_step_that_forgets_the_fakes_is_found(tiny_gan, real, monkeypatch):
    """The ledger shows the step as it is, so its gradients differ from those of L_D."""

    def forgets_the_fakes(self, real, fake):
        real_logits, on_real = self.discriminator.forward(real)
        fake_logits, _ = self.discriminator.forward(fake)
        loss, d_real, _ = self.loss.discriminator(real_logits, fake_logits)
        self.discriminator.backward_params(d_real, on_real)
        return loss, 0.0, real_logits, fake_logits

    monkeypatch.setattr(mg.GAN, "judge", forgets_the_fakes)
    ledger = mg.ledger.record(tiny_gan(), real)
    wrong = {row.tensor for row in ledger.check().failures}
    assert wrong == {"dlogits", "dW2", "db2", "da1", "dz1", "dW1", "db1", "dx"}
    assert not row_of(ledger, "L_D", "logits").gradient[len(real) :].any()


def test_a_step_that_differs_from_the_observed_one_is_found(tiny_gan, real, monkeypatch):
    """The plain step and the observed one must agree; here the gradient grows with each call."""
    calls, right = [], mg.losses.NonSaturating.discriminator

    def growing(self, real, fake):
        calls.append(None)
        value, d_real, d_fake = right(self, real, fake)
        return value, len(calls) * d_real, len(calls) * d_fake

    monkeypatch.setattr(mg.losses.NonSaturating, "discriminator", growing)
    report = mg.ledger.record(tiny_gan(), real).check()
    found = [row.tensor for row in report.failures if row.check == "train_step"]
    assert "dL_D/dtheta_D" in found


def test_watching_a_pass_does_not_change_it():
    """Nor that of a layer whose passes run on copies of the layer inside it, as in SpectralNorm."""
    network = mg.Sequential([L.SpectralNorm(L.Linear(3, 2)), L.Residual(L.Linear(2, 2))], rng=1)
    network.theta *= 3
    x, names = np.ones((2, 3)), []
    plain, _ = network.forward(x, training=False)
    with recording(network, lambda method, name, *_: names.append(f"{method} {name}")):
        y, caches = network.forward(x, training=False)
        network.backward_input(y, caches)
    assert np.array_equal(y, plain)
    inside = ["forward 1.branch", "forward 1.skip", "forward 1"]
    assert names[:4] == ["forward 0", *inside] and "backward_input 0" in names


def test_a_step_of_another_kind_is_refused():
    other = mg.training.game_steps.SimultaneousGAN
    players = mg.models.mlp_generator(1, (1,)), mg.models.mlp_discriminator((1,))
    with pytest.raises(TypeError, match="record: gan must be a GAN whose train_step is that"):
        mg.ledger.record(other(*players, latent_dim=1), np.zeros((2, 1)))


@pytest.mark.parametrize(
    "gan, real, error, message",
    [
        (None, np.zeros((2, 1)), TypeError, "record: gan must be a GAN, got None"),
        (
            everything(),
            np.zeros((2, 1)),
            ValueError,
            "real must be real numbers of shape (N, 6, 6, 1)",
        ),
        (everything(), np.full((2, 6, 6, 1), np.nan), ValueError, "must be finite"),
    ],
)
def test_bad_input(gan, real, error, message):
    with pytest.raises(error) as raised:
        mg.ledger.record(gan, real)
    assert message in str(raised.value)


# -- shown ---------------------------------------------------------------------------------------


def test_the_table(tiny_gan, real):
    ledger = mg.ledger.record(tiny_gan(), real)
    table = ledger.table()
    for row in ledger.rows:
        assert f"  {row.symbol} " in table and f"  d{row.symbol} " in table
        assert row.formula in table and row.rule in table
    assert f"{row_of(ledger, 'L_D', 'W1').norm:.3g}" in table
    assert "89 entries of 21 gradients beside central differences: relative errors up to" in table


def test_a_larger_gan_is_summed_up():
    gan = everything()
    ledger = mg.ledger.record(gan, minibatch(gan))
    assert not ledger.tiny and not any(row.gradient_sums for row in ledger.rows)
    assert str(ledger).endswith("Not checked yet: see Ledger.check().")
    ledger.check(entries=1)
    assert f"{len(ledger.rows)} entries of {len(ledger.rows)} gradients" in str(ledger)


def test_csv(tiny_gan, real, tmp_path):
    ledger = mg.ledger.record(tiny_gan(), real)
    ledger.to_csv(tmp_path / "step.csv")
    with (tmp_path / "step.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(ledger.rows)
    for line, row in zip(lines, ledger.rows):
        assert (line["loss"], line["symbol"], line["formula"]) == (
            row.loss,
            row.symbol,
            row.formula,
        )
        assert np.array_equal(list(map(float, line["gradient"].split())), row.gradient.ravel())
        assert float(line["difference_error"]) == row.error


@pytest.mark.parametrize("make", [everything, penalised, residual])
def test_plot(make, tmp_path):
    gan = make()
    mg.ledger.record(gan, minibatch(gan)).plot(tmp_path / "step.png")
    assert (tmp_path / "step.png").read_bytes().startswith(b"\x89PNG")


def test_importing_minigan_does_not_import_matplotlib():
    code = "import sys, minigan; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_small_gradients_are_printed_in_full_beside_their_differences(tiny_gan, real):
    """Each printed pair is the row's, and the printed difference is one of the loss itself."""
    ledger = mg.ledger.record(tiny_gan(activation="Tanh"), real)
    text = ledger.differences()
    printed = re.findall(r"^ +(d\w+(?:\[[\d,]*\])?) +(-?[\d.e-]+) +(-?[\d.e-]+)$", text, re.M)
    expected = [
        (value, difference)
        for row in ledger.rows
        for value, difference in zip(np.ravel(row.gradient), np.ravel(row.difference))
    ]
    assert len(printed) == len(expected) == sum(row.value.size for row in ledger.rows)
    found = [(float(value), float(difference)) for _, value, difference in printed]
    np.testing.assert_allclose(found, expected, atol=1e-10)
    np.testing.assert_allclose(*np.transpose(found), atol=1e-8)
    row = ledger.section("L_G", "G")[1]  # a value on the way
    up, down = (row.value + sign * 1e-5 * np.eye(*row.shape) for sign in (1, -1))
    along = (row.loss_at(up) - row.loss_at(down)) / 2e-5
    assert along == pytest.approx(row.difference[np.eye(*row.shape) > 0].sum(), rel=1e-7)


def test_large_gradients_take_a_line_and_entries_left_out_a_dash(real):
    gan = mg.GAN(
        mg.models.mlp_generator(1, (1,), hidden=(6,)),
        mg.models.mlp_discriminator((1,), hidden=(6, 6)),
        latent_dim=1,
    )
    ledger = mg.ledger.record(gan, real)
    with pytest.raises(ValueError, match="differences: nothing has been compared yet"):
        ledger.differences()
    ledger.check(entries=4)
    lines = ledger.differences().splitlines()
    (head,) = (i for i, line in enumerate(lines) if line.startswith("  dW2 (6, 6)"))
    assert "4 of 36 compared, relative error" in lines[head] and not lines[head + 1].startswith(
        "    "
    )
    head = next(i for i, line in enumerate(lines) if line.startswith("  dW1 (1, 6)"))
    assert sum(line.endswith(" -") for line in lines[head + 2 : head + 8]) == 2
    assert "dW2[5,5]" in ledger.differences(largest=36)
    with pytest.raises(ValueError, match="Ledger.differences: largest must be an integer >= 1"):
        ledger.differences(largest=0)


def test_a_row_shows_itself_in_one_line(tiny_gan, real):
    row = mg.ledger.record(tiny_gan(), real).rows[-1]
    assert re.fullmatch(r"Row\(L_G through G: dz \(2, 2\), relative error \d\.\de-\d+\)", repr(row))


def test_underflow_is_no_error(tiny_gan, real, tmp_path):
    gan = tiny_gan(activation="Softplus")
    gan.discriminator.theta *= 40
    with np.errstate(all="raise", over="warn"):
        ledger = mg.ledger.record(gan, 1e2 * real)
        str(ledger)
        ledger.to_csv(tmp_path / "step.csv")
        ledger.plot(tmp_path / "step.png")


def test_a_negative_zero_is_printed_without_its_sign(tiny_gan, real):
    gan = tiny_gan()
    gan.generator.theta[0] = -0.0
    assert not re.search(r"(?<![\w.])-0(?![\w.])", str(mg.ledger.record(gan, real)))


# no formulas of y and dx in a line: class numbers, another layer's weight, pixels that move
READ_AS_TEXT = (
    "linear", "convolution", "normalisation", "shape", "dropout", "features", "attention",
    "residual", "minibatch_discrimination", "rescale",
)  # fmt: skip
WITHOUT_FORMULAS = {"Embedding", "SpectralNorm", "RandomTranslation"}


def test_the_formulas_are_those_of_the_docstrings():
    """A docstring that is rewritten so that the ledger cannot read it any more is noticed here."""
    from minigan.verify.ledger import formulas

    for name in mg.layers.__all__:
        kind = getattr(mg.layers, name)
        is_layer = isinstance(kind, type) and issubclass(kind, mg.layers.Layer)
        if is_layer and kind.__module__.endswith(READ_AS_TEXT) and name not in WITHOUT_FORMULAS:
            assert {"y", "dx"} <= formulas._stated(kind).keys(), name
    linear = mg.layers.SpectralNorm(mg.layers.Linear(3, 2))
    (symbols,) = formulas.parameters([linear])
    assert formulas.value(linear, "h", "z1", symbols) == "h W1/sigma + b1"
    attention = mg.layers.SelfAttention(8)
    (symbols,) = formulas.parameters([attention])
    assert formulas.input_gradient(attention, "h", "z", symbols) == (
        "dz + dq W_q0' + dk W_k0' + dv W_v0'"
    )
    assert formulas.parameter_gradient(attention, "key", [("h", "z"), ("hf", "zf")]) == (
        "h' dk + hf' dk, dk = dS' q"
    )

    class Mine(mg.layers.Linear):
        """y = 2 x @ W"""

    assert formulas.value(Mine(3, 2), "h", "z1", {}) == "Linear(3, 2)(h)"
