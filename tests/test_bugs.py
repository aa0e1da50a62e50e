"""The museum: every bug is in while its context lasts, is caught, and leaves no trace.

MINIGAN_SEEDS=20 pytest tests/test_bugs.py     for more draws of healthy code
"""

import inspect
import os

import numpy as np
import pytest

import minigan as mg
from minigan.verify.bugs import CHECKS, REGISTRY, WEAK, complaint, examination
from minigan.verify.bugs.mutants import GENERAL, Edit, replace_lines

NAMES = sorted(REGISTRY)
SEEDS = int(os.environ.get("MINIGAN_SEEDS", 8))


def codes():
    """The code of every function that some bug edits."""
    functions = [inspect.unwrap(edit.function) for bug in REGISTRY.values() for edit in bug.edits]
    return [(f.__code__, f.__defaults__, f.__kwdefaults__) for f in functions]


def trained():
    """The parameters after some training: R1's second derivatives, Adam, minibatches and all."""
    generator = mg.models.mlp_generator(2, (2,), hidden=(8,), rng=1)
    discriminator = mg.models.mlp_discriminator((2,), hidden=(8,), rng=2)
    penalties = [mg.penalties.R1(0.1)]
    gan = mg.GAN(generator, discriminator, latent_dim=2, penalties=penalties, rng=3)
    data = mg.data.gaussian_ring().sample(64, rng=0)
    mg.train(gan, data, steps=5, batch_size=8, progress=False)
    return np.concatenate([gan.generator.theta, gan.discriminator.theta])


@pytest.mark.parametrize("name", NAMES)
def test_every_bug_is_caught_by_its_check(name):
    bug = REGISTRY[name]
    with bug():
        assert complaint(CHECKS[bug.caught_by]) is not None


@pytest.mark.parametrize("check", CHECKS)
def test_no_false_alarm_on_healthy_code(check):
    with mg.kernels.use_backend("numpy"):
        assert [complaint(CHECKS[check], seed) for seed in range(SEEDS)] == [None] * SEEDS


def test_at_least_twenty_bugs_each_with_its_label():
    assert len(REGISTRY) >= 20
    for bug in REGISTRY.values():
        assert getattr(mg.bugs, bug.name) is bug
        label = str(bug)
        for edit in bug.edits:
            assert all(line.strip() in label for line in edit.right.splitlines())
        assert bug.seen in label.replace("\n" + 12 * " ", " ")


def test_the_counts_are_what_the_checks_find():
    """The general checker catches none of the bugs that have a test of their own. (That it catches
    the others is tested one by one above.)"""
    for bug in REGISTRY.values():
        if not bug.general:
            with bug():
                assert not any(complaint(CHECKS[check]) for check in GENERAL), bug.name
    counts = mg.bugs.counts()
    assert counts["bugs"] == len(REGISTRY) == counts["general"] + counts["own_test"]
    assert counts["bugs"] == counts["shipped"] + counts["ours"]
    assert counts["general"] == sum(bug.general for bug in REGISTRY.values())


def test_each_label_says_who_shipped_it_and_what_catches_it():
    for bug in REGISTRY.values():
        label = str(bug)
        assert ("  seen in " in label) == bug.shipped and ("  ours " in label) != bug.shipped
        kind = "of the general checker" if bug.general else "a test of its own"
        assert f"  caught by {bug.caught_by}, {kind}" in label
    ours = [bug.name for bug in REGISTRY.values() if not bug.shipped]
    assert ours == ["dgamma_unscaled", "variance_held"]


def test_no_trace_is_left(backend):
    before, healthy, active = codes(), trained(), mg.kernels.backend()
    for bug in REGISTRY.values():
        with pytest.raises(ZeroDivisionError), bug():
            assert mg.kernels.backend() == "numpy" and codes() != before
            raise ZeroDivisionError
        assert codes() == before and mg.kernels.backend() == active
    with mg.bugs.slope_lost(), mg.bugs.adam_without_t(), mg.bugs.sum_for_mean():
        assert not np.array_equal(trained(), healthy)
    assert codes() == before
    assert np.array_equal(trained(), healthy)


def test_what_holds_the_function_sees_the_bug():
    """An inherited method, an alias and a name imported elsewhere are the same function."""
    y, dy = np.array([[-0.2, 1.0]]), np.ones((1, 2))
    with mg.bugs.slope_lost():
        assert mg.layers.LeakyReLU(0.2).backward_input(dy, y)[0, 0] == 0
    assert mg.layers.LeakyReLU(0.2).backward_input(dy, y)[0, 0] == 0.2
    with mg.bugs.wasserstein_sign():
        assert mg.losses.Hinge().generator(np.zeros(1), np.zeros(1))[2] == 1
    assert mg.losses.Hinge().generator(np.zeros(1), np.zeros(1))[2] == -1


def test_the_positional_option():
    with pytest.raises(TypeError):
        mg.layers.BatchNorm(4, 0.8)
    with mg.bugs.positional_eps():
        assert mg.layers.BatchNorm(4, 0.8).eps == 0.8
        assert mg.layers.BatchNorm(4).eps == 1e-5


def test_two_edits_of_one_function_add_up():
    original = inspect.getsource(replace_lines)
    first = Edit(replace_lines, "start = found[0]", "start = found[-1]")
    second = Edit(replace_lines, "if len(found) != 1:", "if not found:")
    with first.put_in(), second.put_in():
        assert replace_lines("a\na\n", "a", "b", "here") == "a\nb\n"
    assert inspect.getsource(replace_lines) == original
    with pytest.raises(LookupError, match="here: found 2 times, expected once"):
        replace_lines("a\na\n", "a", "b", "here")


def test_an_exhibit_out_of_date_says_so():
    with pytest.raises(LookupError, match="replace_lines: found 0 times, expected once"):
        with Edit(replace_lines, "return no such line", "pass").put_in():
            pass


@pytest.mark.parametrize(
    "weak, bug",
    [
        ("ones", "variance_held"),
        ("batch 1", "dgamma_unscaled"),
        ("batch 1", "sum_for_mean"),
        ("batch 1", "bias_overwritten"),
        ("no dx", "statistics_held"),
        ("float32", "slope_lost"),
        ("sign", "wasserstein_sign"),
        ("falls", "discriminator_bypassed"),
    ],
)
def test_what_the_famous_weak_checks_let_pass(weak, bug):
    with REGISTRY[bug]():
        assert complaint(WEAK[weak]) is None


@pytest.mark.parametrize("weak", WEAK)
def test_the_weak_checks_are_no_dummies(weak):
    """Each passes healthy code, and catches something."""
    with mg.kernels.use_backend("numpy"):
        assert complaint(WEAK[weak]) is None
    loud = {"no dx": "dgamma_unscaled", "sign": "sum_for_mean", "falls": "cache_clobber"}
    with REGISTRY[loud.get(weak, "mask_from_output")]():
        assert complaint(WEAK[weak]) is not None


def test_the_table(monkeypatch):
    few = {name: REGISTRY[name] for name in ("adam_without_t", "wasserstein_sign")}
    monkeypatch.setattr(examination, "REGISTRY", few)
    found = mg.bugs.examine()
    assert found.caught("adam_without_t") == ["adam_table"]
    assert found.caught("wasserstein_sign") == ["check_loss"]
    assert found.missed_by("sign") == list(few)
    lines = str(found).splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["(healthy", *few]
    assert "x" not in lines[2] and lines[3].split()[1:6] == [".", ".", ".", ".", "adam_table"]
    assert lines[5] == "caught: 2 of 2"
    assert lines[6].startswith("  1 by the general checker") and "1 only by a test" in lines[6]
