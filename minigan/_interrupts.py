"""Ctrl-C, held until a step is whole.

Between the updates of two players, or inside a compiled kernel, an interrupt leaves a state that is
neither before the step nor after it, or comes out as a SystemError.
"""

import contextlib
import signal
import threading


@contextlib.contextmanager
def held():
    """For the length of a `with`, notes the first Ctrl-C in the list that it yields, empty at
    first. A second one raises KeyboardInterrupt at once.

    A program's own handler is left in place, and so is a thread's (it never sees a Ctrl-C).
    """
    noted = []

    def note(*_):
        if noted:
            raise KeyboardInterrupt
        noted.append(True)

    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or before is not signal.default_int_handler:
        yield noted
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
