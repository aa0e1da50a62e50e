"""Loops over flat vectors: long ones in parallel chunks, short ones on the calling thread.

The chunks have a fixed size, so results do not depend on the number of threads. Each thread gets
the same part of a vector in every operation, so it is likely to be in its cache already.
"""

from .threads import parallel

CHUNK = 2048  # elements: long enough to pay for a task, short enough to balance the threads
SERIAL_UP_TO = 8 * CHUNK  # shorter vectors finish before a second thread would start


def over_chunks(body, fastmath=False):
    """Compiles `body`, a loop over the chunks of its first argument, in two versions.

    The parallel version is compiled at the first call with a long vector.
    """
    in_parallel = parallel(error_model="numpy", fastmath=fastmath)(body)
    serial = in_parallel.serial

    def run(vector, *rest):
        return (serial if vector.size <= SERIAL_UP_TO else in_parallel)(vector, *rest)

    return run


# A body slices each chunk and counts from zero. Numba wraps indices that may be negative, and LLVM
# does not vectorise a loop with wrapped indices.
