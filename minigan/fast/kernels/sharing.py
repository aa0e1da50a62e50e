"""Fewer threads while other processes use the cores.

A parallel loop ends when its slowest thread has ended. If another process runs on that thread's
core, the loop waits until the scheduler gives the core back: for milliseconds, where the loop
itself takes a fraction of one. One thread alone is then several times faster than two, because it
moves to the core that is free.

    lost = wall-clock time of a parallel loop - CPU time of the thread that called it

On a quiet machine nothing is lost: the caller computes, or spins for the short time that the others
still need. It is lost when the caller's core is taken, or when another thread is so late that the
caller has gone to sleep. So some of the loops are timed. Half as many threads would take twice the
time in which all compute, so they pay if the rest is more than half of the time. A waiting caller
spins before it sleeps, which no clock tells from computing; so they are used where more than a
third of the time is lost, for a while, before twice as many are tried again. The results are the
same bits for any number of threads.

Beside one busy process, on two cores, a step of an MNIST MLP with loops of 1.5 ms takes 17 ms
without that process, 57 on two threads, 46 if one thread is used where more than half of the time
is lost, and 30 if where more than a third is, as on one thread throughout.
"""

import time
from collections.abc import Callable

LATE = 1e-4  # seconds lost in a loop, from which on it counts as late (starting a thread: 5e-5)
LATE_LOOPS, OF_LOOPS = 2, 16  # so many late loops among the last ones timed are too many, ...
# ... if they lost a third of the time, and so many seconds together. Another process takes a core
# for milliseconds. After a pause, a thread that wakes up on its caller's core is late by less,
# until the scheduler moves it.
TOO_MUCH = 5e-3
EVERY = 8  # one loop in so many is timed; timing takes about 1.5 us
SHORTEST, LONGEST = 0.05, 0.5  # seconds with fewer threads, before more are tried again

# A clock that ticks slower than loops end (Windows: 16 ms) tells nothing.
CLOCK_IS_FINE = time.get_clock_info("thread_time").resolution <= 1e-6


class Sharing:
    """How many threads to use, from how late the parallel loops were."""

    def __init__(self, threads: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.most, self.threads, self.clock = threads, threads, clock
        self.until = 0.0  # when more threads are tried
        self.pause = SHORTEST
        self.timed = 0  # loops, since the number of threads changed
        # (seconds lost, all) of the last loops; a new tuple each time, as other threads may look
        self.loops: tuple[tuple[float, float], ...] = ()
        self.skip = 0  # loops that are still not to be timed

    def allowed(self) -> int:
        """The number of threads to use now."""
        if self.threads < self.most and self.clock() >= self.until:
            self._use(min(2 * self.threads, self.most))
        return self.threads

    def undisturbed(self) -> bool:
        """Whether the next parallel loop may simply run: on all threads, and not timed."""
        if self.threads < self.most:
            return False
        self.skip -= 1
        return self.skip >= 0

    def due(self) -> bool:
        """Whether to time the next parallel loop."""
        self.skip -= 1
        return self.skip < 0 and CLOCK_IS_FINE

    def note(self, lost: float, seconds: float) -> None:
        """A parallel loop took so many seconds, some of which were lost."""
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
