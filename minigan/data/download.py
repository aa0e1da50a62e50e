"""One file from the first mirror that has it whole."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pooch
from tqdm import tqdm

T = TypeVar("T")

# Seconds of silence after which a mirror is given up.
TIMEOUT = 15.0
# Bytes a second: one that is slower than this, on average after the first TIMEOUT, is given up too.
SLOWEST = 5_000
TICK = 0.1  # seconds between checks of the file's size
_CAUSES = {  # what requests says: what that means
    "Name or service not known": "no network, or no such host",
    "Temporary failure in name resolution": "no network, or no such host",
    "nodename nor servname": "no network, or no such host",
    "getaddrinfo failed": "no network, or no such host",
    "Failed to resolve": "no network, or no such host",
    "Network is unreachable": "no network",
    "Connection refused": "connection refused",
    "ProxyError": "the proxy does not answer",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted here",
    "timed out": "no answer in time",
}


def download(urls: Sequence[str], path: Path, read: Callable[[Path], T]) -> T:
    """Fetch a file to `path` from the first address that gives a good one.

    The file arrives under a temporary name in the same folder and takes its own name only after
    `read` has accepted it, in one step. So under `path` there is a whole file or none, whatever
    interrupts the download.

    Args:
        urls: addresses of the same file, tried in turn.
        path: where it is to be; folders that are missing are made.
        read: a function of a path, which raises ValueError if the file there is not the right one.

    Returns:
        What `read` returned.

    Raises:
        ConnectionError: no address gave a good file; the message, one line, says why for each.
        OSError: the folder cannot be made or written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for url in urls:
        arriving, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        os.close(arriving)
        try:
            # pooch sets the total when the mirror tells it; until then tqdm cannot do without one.
            # With a delay, a mirror that does not answer leaves no empty bar.
            with tqdm(
                desc=path.name, total=1, unit="B", unit_scale=True, leave=False, delay=0.5,
                disable=sys.stderr is None,
            ) as bar:  # fmt: skip
                _fetch(url, Path(temporary), bar)
            content = read(Path(temporary))
            os.replace(temporary, path)
            return content
        except (OSError, ValueError) as error:  # every error of requests is an OSError
            failures.append(f"{urlsplit(url).hostname}: {_in_words(error)}")
        finally:
            with contextlib.suppress(PermissionError):  # Windows, and a slow mirror still writes
                Path(temporary).unlink(missing_ok=True)
    raise ConnectionError("; ".join(failures))


def _in_words(error):
    """What went wrong, in a line: requests wraps a pool's retries around the cause."""
    text = " ".join(str(error).split())
    for cause, words in _CAUSES.items():
        if cause in text:
            return words
    return text


def _fetch(url, path, bar):
    """Fetch a file with pooch, and give up on slow mirrors.

    pooch gives up where nothing at all arrives for a while. A byte a second is not nothing: so it
    works in a thread of its own, which is left behind when the file does not grow as it should.

    Raises:
        OSError: it could not be fetched, or not at a reasonable speed.
    """
    failures = []

    def work():
        try:
            pooch.HTTPDownloader(bar, chunk_size=1 << 14, timeout=TIMEOUT)(url, str(path), None)
        except Exception as error:
            failures.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    ticks = 0  # not the clock: it runs on while the machine sleeps
    while worker.is_alive():
        worker.join(TICK)
        ticks += 1
        if worker.is_alive() and path.stat().st_size < SLOWEST * (ticks * TICK - TIMEOUT):
            raise ConnectionError(f"slower than {SLOWEST:,} bytes a second")
    if failures:
        raise failures.pop()  # kept, it would keep the sockets of its traceback open
