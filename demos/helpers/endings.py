"""How a demo ends that does not reach its end: in one line, and with an exit code."""

import sys

INTERRUPTED = 130  # the exit code after a Ctrl-C, as shells give it


def in_one_line(hook):
    """An excepthook that reports what a user can cause in one line, and leaves the rest to `hook`.

    Ctrl-C (also during a compiled function, where Python wraps it in a SystemError), training that
    diverges, a checkpoint that does not fit, a disk that is full.
    """

    def report(kind, error, trace):
        interrupted = issubclass(kind, KeyboardInterrupt) or (
            issubclass(kind, SystemError)
            and isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
        )
        about_checkpoint = issubclass(kind, ValueError) and "checkpoint" in str(error)
        if interrupted:
            message = "Stopped. No further files are written."
        elif issubclass(kind, FloatingPointError):
            message = f"training diverged: {error}"
        elif issubclass(kind, OSError) or about_checkpoint:
            message = str(error)
        else:
            hook(kind, error, trace)
            return
        if sys.stderr is not None:
            print("\n" + " ".join(message.split()), file=sys.stderr, flush=True)
        if interrupted:
            sys.exit(INTERRUPTED)

    return report
