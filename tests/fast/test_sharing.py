"""Fewer threads are used while parallel loops are late, and the results stay the same bits."""

import sys
import threading

import numpy as np
import pytest

pytest.importorskip("numba")

from minigan.fast.kernels import sharing, threads  # noqa: E402
from minigan.fast.kernels.products import matmul  # noqa: E402
from minigan.fast.kernels.vectors import dot  # noqa: E402


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def watched(count):
    clock = Clock()
    return sharing.Sharing(count, clock), clock


def note(found, *lost):
    for seconds in lost:
        found.note(seconds, seconds + 1e-4)


def test_a_quiet_machine_keeps_all_threads():
    found, _ = watched(4)
    note(found, *[0.0] * 15, 1.0, *[1e-5] * 40, 1.0)  # two late ones, far apart
    assert found.allowed() == 4


def test_a_thread_that_wakes_up_slowly_is_waited_for():
    found, _ = watched(2)
    note(found, *[3e-4] * 12)
    assert found.allowed() == 2
    note(found, 3e-3)
    assert found.allowed() == 1


def test_long_loops_that_lose_little_keep_their_threads():
    found, _ = watched(2)
    for lost in [0.0] * 11 + [6e-3, 2e-4, 3e-3]:  # on one thread each would take 20 ms
        found.note(lost, 10e-3 + lost)
    assert found.allowed() == 2
    for _ in range(15):
        found.note(10e-3, 25e-3)
    assert found.allowed() == 1


def test_late_loops_halve_the_threads_down_to_one():
    found, _ = watched(4)
    counts = []
    for _ in range(3):
        note(found, 1.0, 0.0, 1.0)
        counts.append(found.allowed())
    assert counts == [2, 1, 1]


def test_more_threads_are_tried_again_later_and_later():
    found, clock = watched(2)
    waited = []
    for _ in range(9):
        note(found, 1.0, 1.0)
        since = clock.now
        while found.allowed() == 1:
            clock.now += 0.01
        waited.append(round(clock.now - since, 2))
    assert waited == sorted(waited)
    assert sharing.SHORTEST <= waited[0] <= 3 * sharing.SHORTEST
    assert waited[-1] == pytest.approx(sharing.LONGEST, abs=0.02)
    note(found, *[0.0] * 100, 1.0, 1.0)  # it was quiet in between
    clock.now += 3 * sharing.SHORTEST
    assert found.allowed() == 2


def test_few_loops_are_timed_once_they_were_in_time():
    found, _ = watched(2)
    timed = 0
    for _ in range(1600):
        if found.due():
            timed += 1
            found.note(0.0, 1e-4)
    assert timed == pytest.approx(1600 / sharing.EVERY, rel=0.1)


def test_results_are_the_same_bits_on_fewer_threads(monkeypatch):
    rng = np.random.default_rng(0)
    a, b, v = (rng.standard_normal(s).astype("f4") for s in ((257, 129), (129, 131), 100_001))
    expected = matmul(a, b), dot(v, v)
    fewer = sharing.Sharing(threads.THREADS, lambda: 0.0)
    note(fewer, 1.0, 1.0)
    monkeypatch.setattr(threads, "_sharing", fewer)
    assert threads.threads() == max(1, threads.THREADS // 2)
    assert np.array_equal(matmul(a, b), expected[0])
    assert dot(v, v) == expected[1]


def test_the_threads_of_the_users_own_loops_stay(monkeypatch):
    numba = pytest.importorskip("numba")
    before = numba.get_num_threads()
    fewer = sharing.Sharing(threads.THREADS + 1, lambda: 0.0)
    note(fewer, 1.0, 1.0)
    monkeypatch.setattr(threads, "_sharing", fewer)
    monkeypatch.setattr(threads, "THREADS", threads.THREADS + 1)  # as if one were missing
    dot(np.ones(100_000), np.ones(100_000))
    assert numba.get_num_threads() == before


def test_threads_may_note_their_loops_at_once():
    """Each is in the middle of the list when another adds to it or begins a new one."""
    shared, wrong = sharing.Sharing(2), []

    def run():
        try:
            for _ in range(3000):
                shared.note(1.0, 1.0)
                shared.until = 0.0
                shared.allowed()
        except RuntimeError as error:
            wrong.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        running = [threading.Thread(target=run) for _ in range(4)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong
