"""`use_backend` as a statement, a block and a decorator; in threads, generators and coroutines."""

import asyncio
import threading

import pytest

import minigan as mg
from minigan.backend import backend, use_backend

pytest.importorskip("numba")


def in_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


NETWORK = mg.Sequential([mg.layers.Linear(1, 1)])


@pytest.fixture(autouse=True)
def numpy_by_default():
    before = backend()
    use_backend("numpy")
    yield
    use_backend(before)


def active():
    """The name of the active backend, which is the one that a network runs on."""
    compiled = mg.kernels.stages(NETWORK)[0] is not NETWORK.layers[0]
    assert compiled == (backend() == "numba")
    return backend()


def test_a_statement_switches_at_once_for_every_thread():
    assert (active(), in_thread(active)) == ("numpy", "numpy")
    use_backend("numba")
    assert (active(), in_thread(active)) == ("numba", "numba")


def test_a_block_acts_in_its_own_thread_only():
    with use_backend("numba"):
        assert (active(), in_thread(active)) == ("numba", "numpy")
    assert (active(), in_thread(active)) == ("numpy", "numpy")


def test_a_statement_in_a_block_acts_until_the_block_ends():
    with use_backend("numba"):
        use_backend("numpy")
        assert active() == "numpy"
        use_backend("numba")
        assert (active(), in_thread(active)) == ("numba", "numpy")
    assert active() == "numpy"


def test_blocks_nest_and_one_object_may_be_entered_again():
    block = use_backend("numba")
    for _ in range(2):
        with block:
            with use_backend("numpy"):
                assert active() == "numpy"
                with block:
                    assert active() == "numba"
                assert active() == "numpy"
            assert active() == "numba"
        assert active() == "numpy"


def test_a_block_that_fails_ends_as_well():
    with pytest.raises(ZeroDivisionError), use_backend("numba"):
        1 / 0  # noqa: B018
    assert active() == "numpy"


def test_a_decorated_function_switches_when_it_is_called():
    @use_backend("numba")
    def decorated():
        """A docstring."""
        return active()

    assert active() == "numpy"
    assert [decorated(), active(), decorated(), active()] == ["numba", "numpy"] * 2
    assert decorated.__doc__ == "A docstring."
    with use_backend("numba"):
        assert decorated() == "numba"


def test_a_decorated_generator_switches_while_it_runs_and_not_in_between():
    @use_backend("numba")
    def generate():
        got = yield active()
        try:
            yield got, active()
        except KeyError:
            yield "caught", active()
        return active()

    generator = generate()
    assert (next(generator), active()) == ("numba", "numpy")
    assert (generator.send(5), active()) == ((5, "numba"), "numpy")
    assert (generator.throw(KeyError()), active()) == (("caught", "numba"), "numpy")
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert (end.value.value, active()) == ("numba", "numpy")


def test_a_decorated_generator_that_is_closed_cleans_up():
    closed = []

    @use_backend("numba")
    def generate():
        try:
            yield
        finally:
            closed.append(active())

    generator = generate()
    next(generator)
    generator.close()
    assert (closed, active()) == (["numba"], "numpy")


def test_coroutines_that_take_turns_keep_their_own():
    @use_backend("numba")
    async def decorated():
        await asyncio.sleep(0)
        return active()

    async def plain():
        await asyncio.sleep(0)
        return active()

    async def both():
        return await asyncio.gather(decorated(), plain(), decorated(), plain())

    assert asyncio.run(both()) == ["numba", "numpy"] * 2


@pytest.mark.parametrize("name", ["Numba", None, 1, ["numpy"]])
def test_an_unknown_name_changes_nothing(name):
    with pytest.raises(ValueError, match='backend: expected "numba" or "numpy", got'):
        use_backend(name)
    assert active() == "numpy"
