"""Delays a Ctrl-C until the training step is complete.

An interrupt between the updates of the two players would leave a half-finished step; inside a
compiled kernel it would be raised as a SystemError.
"""

import contextlib
import signal
import threading


@contextlib.contextmanager
def held():
    """Within a `with` block, a first Ctrl-C is only added to the list that this yields; a second
    one raises KeyboardInterrupt at once.

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
