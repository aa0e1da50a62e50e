"""One file from the first mirror that has it whole."""

import os
import tempfile
from pathlib import Path

import pooch
from tqdm import tqdm

# Seconds of silence after which a mirror is given up.
TIMEOUT = 15.0


def download(urls, path, read):
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
        ConnectionError: no address gave a good file; the message has a line for each.
        OSError: the folder cannot be made or written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for url in urls:
        arriving, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        os.close(arriving)
        try:
            # pooch sets the total when the mirror tells it; until then tqdm cannot do without one.
            with tqdm(desc=path.name, total=1, unit="B", unit_scale=True, leave=False) as bar:
                fetch = pooch.HTTPDownloader(bar, chunk_size=1 << 16, timeout=TIMEOUT)
                fetch(url, temporary, None)
            content = read(Path(temporary))
            os.replace(temporary, path)
            return content
        except (OSError, ValueError) as error:  # every error of requests is an OSError
            failures.append(f"  {url}: {error}")
        finally:
            Path(temporary).unlink(missing_ok=True)
    raise ConnectionError("\n".join(failures))
