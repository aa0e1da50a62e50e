"""Fewer threads while other processes use the cores.

A parallel loop ends when its slowest thread has finished. If another process runs on that thread's
core, the loop waits for milliseconds until the scheduler gives the core back, while the loop itself
takes a fraction of a millisecond. One thread alone is then several times faster than two, because
the scheduler moves it to the free core.

    lost = wall-clock time of a parallel loop - CPU time of the thread that called it

On a quiet machine nothing is lost: the caller computes, or spins for the short time that the other
threads still need. Time is lost when the caller's core is taken, or when another thread is so late
that the caller has gone to sleep. So some of the loops are timed. Half as many threads compute
twice as long, so they pay if more than half of the time is lost. But a waiting caller spins before
it sleeps, and the clock counts that as computing. So half as many threads are used if more than a
third of the time is lost; after a pause, twice as many are tried again. The results are the same
bits for any number of threads.

An example: on two cores a step of an MNIST MLP with loops of 1.5 ms takes 17 ms. With another
process that keeps a core busy, it takes 57 ms on two threads, 46 if one thread is used when more
than half of the time is lost, and 30 with the limit of a third, as on one thread throughout.
"""

import time
from collections.abc import Callable

LATE = 1e-4  # a loop is late if it loses more seconds than this (starting a thread: 5e-5)
# Fewer threads are used if LATE_LOOPS of the last OF_LOOPS timed loops were late, and these lost a
# third of the time and TOO_MUCH seconds. (Another process takes a core for milliseconds. A thread
# that wakes up after a pause on its caller's core is late by less, until the scheduler moves it.)
LATE_LOOPS, OF_LOOPS = 2, 16
TOO_MUCH = 5e-3
EVERY = 8  # one of EVERY loops is timed; timing takes about 1.5 us
SHORTEST, LONGEST = 0.05, 0.5  # seconds with fewer threads, before more are tried again

# A clock that ticks slower than loops end (Windows: 16 ms) tells nothing.
CLOCK_IS_FINE = time.get_clock_info("thread_time").resolution <= 1e-6


class Sharing:
    """Chooses the number of threads from the time that parallel loops lost."""

    def __init__(self, threads: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.most, self.threads, self.clock = threads, threads, clock
        self.until = 0.0  # the time at which more threads are tried
        self.pause = SHORTEST
        self.timed = 0  # loops, since the number of threads changed
        # (seconds lost, seconds) of the last loops; not changed in place: other threads read it
        self.loops: tuple[tuple[float, float], ...] = ()
        self.skip = 0  # the number of loops before the next one that is timed

    def allowed(self) -> int:
        """The number of threads to use now."""
        if self.threads < self.most and self.clock() >= self.until:
            self._use(min(2 * self.threads, self.most))
        return self.threads

    def undisturbed(self) -> bool:
        """Whether the next parallel loop runs on all threads and is not timed."""
        if self.threads < self.most:
            return False
        self.skip -= 1
        return self.skip >= 0

    def due(self) -> bool:
        """Whether to time the next parallel loop."""
        self.skip -= 1
        return self.skip < 0 and CLOCK_IS_FINE

    def note(self, lost: float, seconds: float) -> None:
        """Records a parallel loop: its seconds, and how many of them were lost."""
        self.timed += 1
        self.loops = loops = (*self.loops, (lost, seconds))[-OF_LOOPS:]
        late = [lost for lost, _ in loops if lost > LATE]
        third = sum(seconds for _, seconds in loops) / 3
        if len(late) >= LATE_LOOPS and sum(late) > max(TOO_MUCH, third):
            self._use(max(1, self.threads // 2))
            self.pause = min(2 * self.pause, LONGEST)
        elif self.timed == 4 * OF_LOOPS:
            self.pause = SHORTEST
        self.skip = EVERY - 1 if self.timed >= OF_LOOPS else 0

    def _use(self, threads: int) -> None:
        self.threads, self.timed, self.skip = threads, 0, 0
        self.loops = ()
        self.until = self.clock() + self.pause
