"""Arrays are used again when nobody holds them, and never before."""

import threading

import numpy as np
import pytest

import minigan as mg

pytest.importorskip("numba")

from minigan.fast.kernels import buffers  # noqa: E402


@pytest.fixture(autouse=True)
def no_arrays_yet(monkeypatch):
    monkeypatch.setattr(buffers, "_here", buffers._Here())


def address(array):
    return array.__array_interface__["data"][0]


def test_an_array_in_use_is_not_given_out_again():
    held = [buffers.empty((5, 4), np.float32) for _ in range(20)]
    assert len({address(array) for array in held}) == 20


def test_an_array_nobody_holds_is():
    first = buffers.empty((5, 4), np.float32)
    place = address(first)
    del first
    assert address(buffers.empty((5, 4), np.float32)) == place


def test_a_view_holds_its_array():
    first = buffers.empty((5, 4), np.float32)
    place, view = address(first), first[1:3].T.reshape(-1)
    part = first[2:].T
    del first, view
    assert address(buffers.empty((5, 4), np.float32)) != place
    del part
    assert address(buffers.empty((5, 4), np.float32)) == place


def test_kinds_are_kept_apart():
    buffers.empty((5, 4), np.float32)
    assert buffers.empty((5, 4), np.float64).dtype == np.float64
    assert buffers.empty((4, 5), np.float32).shape == (4, 5)


def test_what_is_kept_is_bounded():
    held = buffers.empty((1000,), np.float64)
    held[:] = 7
    for size in range(1, 400):
        buffers.empty((size, 1 << 14), np.float64)
        assert buffers.kept_bytes() <= buffers.MAX_BYTES
    assert (held == 7).all()


def test_an_array_that_is_too_large_is_not_kept_and_displaces_no_others():
    small = address(buffers.empty((1000,), np.float64))
    buffers.empty((buffers.MAX_BYTES + 1,), np.int8)
    assert buffers.kept_bytes() <= buffers.MAX_BYTES
    assert address(buffers.empty((1000,), np.float64)) == small


def test_whatever_is_kept_can_be_forgotten():
    """Also the last of several arrays of one kind, for which the others were forgotten."""
    held = [buffers.empty((buffers.MAX_BYTES // 5 * 2,), np.int8) for _ in range(3)]
    del held
    for size in range(1, 8):
        buffers.empty((buffers.MAX_BYTES // 9 + size,), np.int8)
    pool = buffers._here.pool
    assert pool.of_kind.keys() <= pool.asked.keys()
    assert buffers.kept_bytes() <= buffers.MAX_BYTES


def step(batch, network="a network"):
    """What a small network asks for in one step."""
    buffers.begin(network)
    forward = [buffers.empty((batch, width), np.float32) for width in (16, 64, 256)]
    backward = [buffers.empty((batch, width), np.float32) for width in (256, 64)]
    return forward, backward


@pytest.mark.parametrize("order", [1, -1])
def test_many_batch_sizes_keep_little_more_than_the_largest_alone(order):
    sizes = range(101, 301)
    for _ in range(2):
        step(sizes[-1])
    alone = buffers.kept_bytes()
    buffers._here.pool = buffers._Pool()
    for batch in sizes[::order]:
        for _ in range(2):
            step(batch)
    assert buffers.kept_bytes() <= 1.5 * alone


def test_one_batch_size_gets_the_same_arrays_at_every_step():
    for _ in range(3):
        step(50)
    before = [address(array) for arrays in step(50) for array in arrays]
    assert [address(array) for arrays in step(50) for array in arrays] == before


def test_a_chain_of_many_shapes_gets_the_same_arrays_at_every_step():
    def chain():
        buffers.begin("a network")
        return [address(buffers.empty((50, width), np.float32)) for width in range(1, 21)]

    first = chain()  # each array is released before the next is asked for
    assert [chain() for _ in range(3)] == 3 * [first]


@pytest.mark.parametrize("earlier", ["", "D", "other"])
def test_a_step_is_found_whichever_network_ran_before(earlier):
    """One generator's pass and three of a discriminator, of several shapes, are a step."""
    G, D = object(), object()
    for _ in range(20 * bool(earlier)):
        buffers.begin(D if earlier == "D" else earlier)
        buffers.empty((2, 2), np.float32)

    def training_step():
        for number, network in enumerate((G, D, D, D)):
            buffers.begin(network)
            for width in range(1, 6):
                buffers.empty((50, 10 * number + width), np.float32)

    for _ in range(10):
        training_step()
    made = buffers._here.pool.made
    training_step()
    assert buffers._here.pool.made == made


def test_a_dcgan_makes_no_more_arrays_after_the_second_step():
    gan = mg.GAN(
        mg.models.dcgan_generator(4, channels=4), mg.models.dcgan_discriminator(channels=4),
        latent_dim=4,
    )  # fmt: skip
    real = np.zeros((4, 28, 28, 1), np.float32)
    with mg.kernels.use_backend("numba"):
        for _ in range(2):
            gan.train_step(real)
        made = buffers._here.pool.made
        for _ in range(2):
            gan.train_step(real)
    assert 0 < made == buffers._here.pool.made


def test_a_thread_is_never_given_what_another_still_has():
    mine = buffers.empty((5, 4), np.float32)
    theirs = []
    thread = threading.Thread(
        target=lambda: theirs.extend(buffers.empty((5, 4), np.float32) for _ in range(3))
    )
    thread.start()
    thread.join()
    kept = [buffers.empty((5, 4), np.float32) for _ in range(3)]
    assert len({address(array) for array in [mine, *theirs, *kept]}) == 7


def test_an_array_may_be_released_in_another_thread():
    held = [buffers.empty((5, 4), np.float32)]
    place = address(held[0])
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()
    assert address(buffers.empty((5, 4), np.float32)) == place
