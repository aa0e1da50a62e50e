"""Gradient checkers against the bug museum: which one finds which bug, and how long it takes.

Each exhibit is put into minigan's own code, and each checker examines the same: every kind of
layer that an exhibit is about (in training and in evaluation mode), the losses, two penalties, and
the gradients of both players of two small GANs in a training step.

    minigan     check_layer, check_loss, check_penalty and check_step, of every entry
    directions  check_step along two random directions, of the four GANs that contain all layers
    torch       torch.autograd.gradcheck, and `fast_mode=True`
    torch 2     torch.autograd.gradgradcheck of the layers that have a second derivative, and fast
    jax         jax.test_util.check_grads, reverse mode, order 1
    cs231n      relative errors of single entries against 1e-2, with a random cotangent
    ones ...    the checks that shipped with the projects in which the bugs were found (see
                `minigan.bugs.WEAK`): a cotangent of ones, a batch of one, no dx, float32, a loose
                tolerance, losses without their signs, "the loss falls"

x found   ! the code no longer runs, so the checker stopped with an error   . missed
- missed, and not meant to be found by this checker, which is not blamed for it:
    all checkers      every gradient is right, of another function, optimizer or other data, and a
                      test of its own finds the bug
    all but minigan   it is wrong only at a point that is not random: logits of 1000, a gradient of
                      exactly zero, an array of the caller that is written to
    torch 2           the first derivative alone is wrong, which is taken for right there
torch and jax are given what is written by hand here as a function with a custom backward pass.
"""

import contextlib
import time
from dataclasses import dataclass
from typing import Any

import common
import numpy as np

import minigan as mg
from minigan.verify import loss_values
from minigan.verify.bugs import CHECKS, REGISTRY, WEAK, complaint
from minigan.verify.bugs.checks import normalised_gan, plain_gan, subjects
from minigan.verify.bugs.mutants import GENERAL
from minigan.verify.bugs.weak import _critic_gan, _image_gan
from minigan.verify.gradcheck import check_step

L = mg.layers


@dataclass
class Subject:
    """A function y = f(arrays) with a hand-written backward pass.

    arrays   : float64, read by `forward` as they stand
    forward  : () -> y, an array
    backward : dy -> the gradient of each of the arrays
    second   : (u, dy) -> (J u, the gradient of <u, backward(dy)> in the first array); or None
    """

    name: str
    arrays: list
    forward: Any
    backward: Any
    second: Any = None


# -- what is checked -------------------------------------------------------------------------------


def of_layers(seed):
    for layer, shape in [*subjects(), (L.BatchNorm(2), (4, 2, 2, 2)), (L.Tanh(), (4, 3))]:
        network = mg.Sequential([layer], dtype="float64", rng=seed)
        rng = np.random.default_rng(seed)
        network.theta += 0.3 * rng.standard_normal(network.theta.size)
        for _ in range(3):
            layer.forward(0.5 + 2 * rng.standard_normal(shape))
        for training in (True, False):
            yield of_layer(network, layer, rng.standard_normal(shape), training)


def of_layer(network, layer, x, training):
    state = network.rng.bit_generator.state
    parameters = [value for _, value, _ in network.named_parameters()]

    def passed():
        network.rng.bit_generator.state = state
        with network.held_buffers():
            return layer.forward(x, training)

    def backward(dy):
        network.zero_grad()
        dx = layer.backward(dy, passed()[1])
        return [dx, *(grad.copy() for _, _, grad in network.named_parameters())]

    def second(u, dy):
        cache = passed()[1]
        curved = layer.curvature(dy, cache, u)
        return layer.tangent(u, cache), np.zeros(x.shape) if curved is None else curved

    has_second = type(layer).curvature is not L.Layer.curvature
    name = f"{layer}, {'training' if training else 'evaluation'}"
    return Subject(
        name, [x, *parameters], lambda: passed()[0], backward, second if has_second else None
    )


def of_losses(seed):
    rng = np.random.default_rng(seed)
    for name in (
        "Minimax",
        "NonSaturating",
        "LeastSquares",
        "Wasserstein",
        "Hinge",
        "Relativistic",
    ):
        for player in ("discriminator", "generator"):
            play, logits = (
                getattr(getattr(mg.losses, name)(), player),
                rng.standard_normal((2, 6, 1)),
            )
            yield Subject(
                f"{name}.{player}", list(logits),
                lambda: np.array(play(*logits)[0]),
                lambda dy: [dy * gradient for gradient in play(*logits)[1:]],
            )  # fmt: skip


def of_penalties(seed):
    rng = np.random.default_rng(seed)
    real, fake = rng.standard_normal((2, 4, 2))
    curved = mg.Sequential(
        [L.Linear(2, 3), L.LayerNorm(3), L.Tanh(), L.Linear(3, 1)], dtype="float64", rng=seed
    )
    straight = mg.models.mlp_discriminator((2,), hidden=(3,), dtype="float64", rng=seed)
    for penalty, critic in (
        (mg.penalties.R1(2.0), curved), (mg.penalties.GradientPenalty(2.0), straight),
    ):  # fmt: skip

        def backward(dy):
            critic.zero_grad()
            penalty.accumulate(critic, real, fake, seed)
            return [float(dy) * critic.grad]

        yield Subject(
            f"{penalty}", [critic.theta],
            lambda: np.array(penalty.value(critic, real, fake, seed)), backward,
        )  # fmt: skip


def of_steps(seed):
    real = np.random.default_rng(seed).standard_normal((4, 2))
    for make in (plain_gan, normalised_gan):
        gan = make(seed).copy("float64")
        for player in ("discriminator", "generator"):
            yield of_player(gan, player, real)


def of_player(gan, player, real):
    """One player's loss in a step, and the gradient that its optimizer would get."""
    network, D = getattr(gan, player), gan.discriminator
    state, before = gan.rng.bit_generator.state, D.theta.copy()
    after = before - 0.1 * np.random.default_rng(0).standard_normal(before.shape)  # D's update
    with network.held_buffers():
        gan.discriminator.forward(real)

    @contextlib.contextmanager
    def in_the_same_state():
        gan.rng.bit_generator.state = state
        with gan.generator.held_buffers(), gan.discriminator.held_buffers():
            yield gan.generate(len(real))

    def forward():
        if player == "generator":
            D.theta[...] = after
        with in_the_same_state() as (fake, _):
            return np.array(getattr(loss_values, f"{player}_loss")(gan, real, fake))

    def backward(dy):
        with in_the_same_state() as (fake, generated):
            if player == "generator":
                D.theta[...] = before
            gan.discriminator_gradient(real, fake)
            if player == "generator":
                D.theta[...] = after
                gan.generator_gradient(real, fake, generated)
        return [float(dy) * network.grad]

    return Subject(f"step of {player}", [network.theta], forward, backward)


def everything(seed):
    for source in (of_layers, of_losses, of_penalties, of_steps):
        yield from source(seed)


# -- the checkers ----------------------------------------------------------------------------------


def minigan(seed):
    return next(filter(None, (complaint(CHECKS[check], seed) for check in GENERAL)), None)


def gans_of_steps(seed):
    """(GAN, minibatch): four small ones that contain every layer of the museum."""
    for make in (plain_gan, normalised_gan, _critic_gan, _image_gan):
        gan = make(seed)
        yield gan, np.random.default_rng(seed).standard_normal((4, *gan.sample_shape))


def directions(seed):
    for gan, real in gans_of_steps(seed):
        report = check_step(gan, real, directions=2, rng=seed, progress=False)
        if not report.ok:
            return str(report.failures[0])
    return None


def by_torch(seed, *, fast, second):
    import torch

    for subject in everything(seed):
        if second and subject.second is None:
            continue
        tensors = [torch.tensor(array, requires_grad=True) for array in subject.arrays]
        check = torch.autograd.gradgradcheck if second else torch.autograd.gradcheck
        apply, arguments = as_torch(subject, torch), tensors
        if second:
            apply, arguments = first_of(subject, torch), tensors[:1]
        try:
            check(apply, arguments, fast_mode=fast)
        except Exception as error:
            return f"{subject.name}: {error}"
    return None


def _put(subject, tensors):
    for array, tensor in zip(subject.arrays, tensors):
        array[...] = tensor.detach().numpy()


def as_torch(subject, torch):
    """The function as a torch.autograd.Function with the hand-written backward pass."""

    class Hand(torch.autograd.Function):
        @staticmethod
        def forward(context, *tensors):
            context.save_for_backward(*tensors)
            _put(subject, tensors)
            return torch.tensor(np.array(subject.forward()))

        @staticmethod
        def backward(context, dy):
            _put(subject, context.saved_tensors)
            return tuple(torch.tensor(np.array(g)) for g in subject.backward(dy.numpy()))

    return Hand.apply


def first_of(subject, torch):
    """y as a function of x alone, differentiable twice by hand."""

    class Back(torch.autograd.Function):
        @staticmethod
        def forward(context, x, dy):
            context.save_for_backward(x, dy)
            _put(subject, [x])
            return torch.tensor(np.array(subject.backward(dy.detach().numpy())[0]))

        @staticmethod
        def backward(context, u):
            x, dy = context.saved_tensors
            _put(subject, [x])
            moved, curved = subject.second(u.detach().numpy(), dy.detach().numpy())
            return torch.tensor(np.array(curved)), torch.tensor(np.array(moved))

    class Hand(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            _put(subject, [x])
            return torch.tensor(np.array(subject.forward()))

        @staticmethod
        def backward(context, dy):
            return Back.apply(context.saved_tensors[0], dy)

    return Hand.apply


def by_jax(seed):
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    for subject in everything(seed):

        def evaluated(*arrays, subject=subject):
            for own, array in zip(subject.arrays, arrays):
                own[...] = np.asarray(array)
            return np.array(subject.forward())

        @jax.custom_vjp
        def f(*arrays):
            return jnp.asarray(evaluated(*arrays))

        def forward(*arrays):
            return jnp.asarray(evaluated(*arrays)), arrays

        def backward(arrays, dy, subject=subject):
            evaluated(*arrays)
            return tuple(jnp.asarray(g) for g in subject.backward(np.array(dy)))

        f.defvjp(forward, backward)
        arguments = tuple(jnp.asarray(array.copy()) for array in subject.arrays)
        try:
            check_grads(f, arguments, order=1, modes=["rev"])
        except Exception as error:
            return f"{subject.name}: {str(error).splitlines()[0]}"
    return None


def cs231n(seed, step=1e-5, bar=1e-2):
    """|a - n| / max(|a|, |n|, 1e-8) of each entry, as in the course's notes."""
    rng = np.random.default_rng(seed)
    for subject in everything(seed):
        y = subject.forward()
        dy = rng.standard_normal(y.shape)
        for array, found in zip(subject.arrays, subject.backward(dy.copy())):
            for index in np.ndindex(array.shape):
                start = array[index]
                array[index] = start + step
                above = np.sum(subject.forward() * dy)
                array[index] = start - step
                below = np.sum(subject.forward() * dy)
                array[index] = start
                n, a = (above - below) / (2 * step), np.asarray(found)[index]
                if abs(a - n) / max(abs(a), abs(n), 1e-8) > bar and abs(a - n) > 1e-7:
                    return f"{subject.name}: {a} and {n}"
    return None


def available():
    """{name of the checker: seed -> what it finds, or None}."""
    found = {"minigan": minigan, "directions": directions}
    with contextlib.suppress(ImportError):
        import torch  # noqa: F401

        for second, name in ((False, "torch"), (True, "torch 2")):
            for fast in (False, True):
                found[f"{name}{' fast' if fast else ''}"] = lambda seed, fast=fast, second=second: (
                    by_torch(seed, fast=fast, second=second)
                )
    with contextlib.suppress(ImportError):
        import jax  # noqa: F401

        found["jax"] = by_jax
    found["cs231n"] = cs231n
    return found | {
        name: lambda seed, check=check: complaint(check, seed) for name, check in WEAK.items()
    }


NOT_AT_RANDOM = "softplus_overflow", "mask_in_place", "root_at_zero"


def meant(checker, name):
    """Whether a checker is meant to find an exhibit."""
    if name not in REGISTRY:
        return True
    if not REGISTRY[name].general or (name in NOT_AT_RANDOM and checker != "minigan"):
        return False
    methods = {edit.function.__name__ for edit in REGISTRY[name].edits}
    return not checker.startswith("torch 2") or bool(methods & {"tangent", "curvature"})


def examined(check, seed):
    """("x", "!" or "" if nothing is found, seconds)."""
    begin = time.perf_counter()
    with np.errstate(all="ignore"):
        try:
            said = "x" if check(seed) else ""
        except Exception:  # whatever an exhibit raises
            said = "!"
    return said, time.perf_counter() - begin


def main():
    args = common.arguments(__doc__, "checkers", seed=(1, "of everything that is drawn"))
    facts = common.machine()
    print(common.in_words(facts), "\n")
    checkers, rows, seconds = available(), {}, {}
    runs = {"(healthy code)": lambda: mg.kernels.use_backend("numpy"), **REGISTRY}
    for name, exhibit in runs.items():
        rows[name] = {}
        for checker, check in checkers.items():
            with exhibit():
                said, taken = examined(check, args.seed)
            rows[name][checker] = said or ("." if meant(checker, name) else "-")
            if name not in REGISTRY:
                seconds[checker] = taken
        print(table_row(name, rows[name], checkers), flush=True)
    general = [name for name in REGISTRY if REGISTRY[name].general]
    found = {c: sum(rows[name][c] in "x!" for name in general) for c in checkers}
    blamed = {c: sum(rows[name][c] == "." for name in general) for c in checkers}
    print("\n" + table_row("", {c: c for c in checkers}, checkers))
    print(table_row(f"found, of {len(general)}", found, checkers))
    print(table_row("missed, though meant", blamed, checkers))
    print(table_row("seconds, healthy", {c: f"{s:.1f}" for c, s in seconds.items()}, checkers))
    common.write_json(
        args.out / "checkers.json", {"machine": facts, "rows": rows, "seconds": seconds}
    )


def table_row(name, cells, checkers):
    return f"{name:27}" + "".join(f"{cells[c]!s:>{max(len(c), 4) + 2}}" for c in checkers)


if __name__ == "__main__":
    main()
