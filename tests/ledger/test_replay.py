"""Any step of a run, done again; and the first number in which two runs differ."""

from html import escape

import numpy as np
import pytest

import minigan as mg
from minigan import _archive as archive
from minigan import layers as L
from minigan.verify.ledger.parting import tensors_of

from ..browser import browse, needs_chromium

STEPS = 7


def game(dtype="float64", *, seed=0, lr=0.02, loss=None, penalties=(), dropout=False, width=3):
    D = [L.Linear(2, width), L.LeakyReLU(0.2), L.Linear(width, 1)]
    return mg.GAN(
        mg.Sequential([L.Linear(2, 3), L.Tanh(), L.Linear(3, 2)], dtype=dtype, rng=seed),
        mg.Sequential(D[:2] + [L.Dropout(0.3)] * dropout + D[2:], dtype=dtype, rng=seed + 1),
        latent_dim=2,
        loss=loss,
        penalties=penalties,
        generator_optimizer=mg.optim.Adam(lr=lr),
        discriminator_optimizer=mg.optim.Adam(lr=0.03),
        rng=seed,
    )


def options(**changes):
    """Of a run with everything that changes a step: extra updates, a schedule, an average."""
    data = mg.data.gaussian_ring().sample(10, 0)
    usual = {"data": data, "steps": STEPS, "batch_size": 4, "rng": 5, "critic_steps": 2}
    return usual | {"schedule": mg.schedules.linear(final=0.1)} | changes


def replay(gan=None, **changes):
    return mg.ledger.Replay(gan or game(), **options(**changes))


def parting(first, second):
    return mg.ledger.where_they_part(first, second)


class Kept:
    """What went into each step and came out of it, as it happened."""

    def __init__(self, gan):
        self.before, self.real, self.figures = [], [], []
        step = gan.train_step

        def noted(real):
            self.before.append(gan.copy())
            self.real.append(real.copy())
            self.figures.append(step(real))
            return self.figures[-1]

        gan.train_step = noted


@pytest.fixture
def file(tmp_path):
    return tmp_path / "run.npz"


@pytest.fixture
def recorded(file):
    """A run of STEPS steps, kept in a file and step by step."""

    def run(gan, **changes):
        kept = Kept(gan)
        mg.train(gan, **options(checkpoint=file, progress=False, **changes))
        del gan.train_step
        return kept

    return run


def assert_happened(ledger, kept, step):
    """The ledger of that step begins with the state, the minibatch and the noise of the run."""
    gan, real = ledger.start
    before = kept.before[step - 1]
    assert np.array_equal(real, kept.real[step - 1])
    for found, was in (
        (gan.generator, before.generator),
        (gan.discriminator, before.discriminator),
    ):
        assert np.array_equal(found.theta, was.theta)
    for found, was in (
        (gan.generator_optimizer, before.generator_optimizer),
        (gan.discriminator_optimizer, before.discriminator_optimizer),
    ):
        assert found.steps == was.steps and found.lr == was.lr
        assert all(
            np.array_equal(getattr(found, m), getattr(was, m)) for m in was.moments if was.steps
        )
    (z,) = (row.value for row in ledger.rows if row.symbol == "z")
    assert np.array_equal(z, before.draw_noise(len(real)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_ledger_is_of_what_happened(dtype, recorded, file):
    make = {"dtype": dtype, "penalties": [mg.penalties.GradientPenalty(0.5)], "dropout": True}
    kept = recorded(game(**make))
    run = replay(game(**make), checkpoint=file)
    for step in (1, 4, STEPS):
        ledger = run.ledger(step)
        assert_happened(ledger, kept, step)
        figures = kept.figures[step - 1]
        total = figures["discriminator_loss"] + figures["penalty"]
        values = {row.symbol: float(row.value) for row in ledger.rows if row.kind == "loss"}
        # in float32, the same draws to its rounding; other draws would be other by tenths
        near = {"float64": 1e-12, "float32": 1e-5}[dtype]
        assert values["L_D"] == pytest.approx(total, rel=near)
        assert values["L_G"] == pytest.approx(figures["generator_loss"], rel=near)
        assert ledger.check(entries=3).ok
    assert run.over


@pytest.mark.parametrize("step, taken", [(STEPS, 1), (6, 6), (1, 1)])
def test_a_replay_begins_from_a_file_before_the_step(step, taken, recorded, file):
    """The file is of step 7, the one before it of step 6."""
    kept = recorded(game(), checkpoint_every=3)
    before, done = file.read_bytes(), []
    run = replay(checkpoint=file, callback=lambda step, *_: done.append(step))
    assert_happened(run.ledger(step), kept, step)
    assert len(done) == taken and done[-1] == step
    assert file.read_bytes() == before and len(list(file.parent.iterdir())) == 2


def test_callbacks_begin_where_the_replay_begins():
    gan = game()
    lookahead = mg.game_steps.Lookahead(gan)
    gan.generator.theta += 1  # as by an earlier training
    replay(gan, callback=lookahead)
    assert np.array_equal(lookahead.slow[0], gan.generator.theta)


def test_a_run_of_another_game_is_one_line(recorded, file):
    recorded(game())
    for other, changes, words in (
        (game(lr=0.1), {}, "expected generator_optimizer.lr 0.1, got 0.02"),
        (game(loss=mg.losses.Hinge()), {}, "expected loss Hinge, got NonSaturating"),
        (game(width=4), {}, "expected discriminator Sequential"),
        (game(), {"rng": 6}, "expected rng seed 6"),
    ):
        with pytest.raises(ValueError, match="it is of another run") as caught:
            replay(other, checkpoint=file, **changes)
        assert words in str(caught.value) and "\n" not in str(caught.value)
    archive.previous(file).unlink()  # the state before the first step
    trained = game()
    trained.generator.theta[0] += 1  # which no option says
    with pytest.raises(ValueError, match=r"another run: in its step 1, \w+ was .*, here it is"):
        replay(trained, checkpoint=file).ledger(3)


def test_a_step_outside_the_run_is_one_line():
    run = replay()
    for step, error, words in (
        (STEPS + 1, ValueError, f"one of the run, from 1 to {STEPS}, got {STEPS + 1}"),
        (0, ValueError, "one of the run, from 1 to"),
        (2.0, TypeError, "step must be an integer, got 2.0"),
    ):
        with pytest.raises(error, match="Replay.ledger: step must be") as caught:
            run.ledger(step)
        assert words in str(caught.value)
    run.ledger(2)
    with pytest.raises(ValueError, match="after the 2 steps that were done already, got 2; make"):
        run.ledger(2)
    ended = replay(stop=mg.Plateau(lambda gan: 1.0, every=1, patience=2))
    with pytest.raises(ValueError, match="the run, which ended at step 3, got 5"):
        ended.ledger(5)


# -- two runs --------------------------------------------------------------------------------------


def test_two_equal_runs_do_not_part():
    assert parting(replay(), replay()) is None


@pytest.mark.parametrize(
    "change, step, moment, symbol",
    [
        ({"gan": {"lr": 0.021}}, 1, "6. the generator moves", "W1⁺"),
        ({"gan": {"loss": mg.losses.LeastSquares()}}, 1, "4. judge both", "L_D"),
        ({"gan": {"penalties": [mg.penalties.R1(1.0)]}}, 1, "4. judge both", "L_D"),
        ({"run": {"rng": 6}}, 1, "1. the real minibatch", "real"),
        ({"run": {"within": mg.bugs.mean_twice}}, 1, "5. back through D", "dW2"),
        ({"run": {"within": mg.bugs.adam_without_t}}, 2, "5. the discriminator moves", "W1⁺"),
        (
            {"run": {"within": mg.bugs.generator_detached}},
            1,
            "6. back through D, which is fixed",
            "df",
        ),
        ({"run": {"within": mg.bugs.first_minibatches}}, 2, "1. the real minibatch", "real"),
    ],
)
def test_the_first_number_that_differs(change, step, moment, symbol, tmp_path):
    options = {"schedule": None, "critic_steps": 1}
    found = parting(
        replay(game(), **options),
        replay(game(**change.get("gan", {})), **(options | change.get("run", {}))),
    )
    assert (found.step, found.moment, found.symbol) == (step, moment, symbol)
    first, second = found.numbers
    assert first != second and f"{found.entry} = {first!r}" in str(found)


def test_before_the_parting_all_is_equal():
    found = parting(replay(), replay(within=mg.bugs.adam_without_t))
    equal = 0
    tensors = [list(tensors_of(ledger)) for ledger in found.ledgers]
    for one, other in zip(*tensors):
        if one.symbol == found.symbol and one.moment == found.moment:
            break
        assert np.array_equal(one.value, other.value)
        equal += 1
    assert equal > 20 and one.value[found.index] == found.numbers[0]


def test_runs_of_two_architectures_are_refused_in_one_line():
    with pytest.raises(ValueError, match="must be runs of one architecture, got Sequential"):
        parting(replay(), replay(game(width=5)))
    with pytest.raises(TypeError, match="where_they_part: second must be a Replay, got"):
        parting(replay(), game())


@needs_chromium
@pytest.mark.parametrize("size", ["390,844", "1280,900"])
def test_the_page_marks_what_the_run_computed_otherwise(size, tmp_path):
    found = parting(replay(critic_steps=1), replay(critic_steps=1, within=mg.bugs.mean_twice))
    path = tmp_path / "parting.html"
    found.to_html(path, names=("right", "wrong <twice>"))
    text = path.read_text("utf-8")
    assert "{{" not in text and "wrong &lt;twice&gt;" in text and len(text) < 500_000
    spy = """<script>
    addEventListener("message", ({ data }) => {
      const own = performance.getEntriesByType("resource").length;
      const textContent = data + (own ? " the page made a request" : "");
      document.body.append(Object.assign(document.createElement("pre"), { textContent }));
    });
    </script><main"""
    look = """<script>parent.postMessage(JSON.stringify([
      opened.name, document.querySelectorAll(".otherwise").length,
      [...otherwise.keys()].some((cell) => cell === opened),
      document.getElementById("open").hidden,
      performance.getEntriesByType("resource").length > 0,
      document.documentElement.scrollWidth > innerWidth]), "*");
    </script></body>"""
    spied = text.replace("<main", spy, 1)
    path.write_text(spied.replace(escape("</body>"), escape(look)), "utf-8")
    document, console = browse(path, f"--window-size={size}")
    assert not console, console
    healthy, wrong = sorted(part.partition("</pre>")[0] for part in document.split("<pre>")[1:])
    assert healthy == '["dW2[0,0]",0,false,false,false,false]', healthy
    assert wrong.startswith('["dW2[0,0]",') and wrong.endswith("true,false,false,false]"), wrong
