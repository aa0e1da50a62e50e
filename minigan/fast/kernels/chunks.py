"""Long vectors in chunks that run in parallel, short ones on this thread.

The chunks are fixed: no bit depends on the number of threads. And each thread gets the same part
of a vector whatever the operation, the part that it has in its cache already.
"""

from .threads import parallel

CHUNK = 2048  # elements: long enough to pay for a task, short enough to balance the threads
ALONE = 8 * CHUNK  # up to here one thread is done before a second has woken up


def over_chunks(body, fastmath=False):
    """`body`, a loop over the chunks of its first argument, compiled for one thread and for all.

    The parallel version compiles when the first long vector comes, which may be never.
    """
    together = parallel(error_model="numpy", fastmath=fastmath)(body)
    alone = together.alone

    def run(vector, *rest):
        return (alone if vector.size <= ALONE else together)(vector, *rest)

    return run


# A body takes each chunk as slices and counts from zero: an index that might be negative would have
# to be wrapped around, and LLVM would not turn the loop into vector instructions.
