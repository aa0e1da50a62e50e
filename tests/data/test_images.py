"""MNIST and its relatives: found in folders, fetched from a real server, never half-written."""

import gzip
import hashlib
import shutil
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from minigan.data import download, fashion_mnist, kmnist, mnist
from minigan.data import mnist_files as images

SHAPES = {
    "train-images-idx3": (20, 28, 28),
    "train-labels-idx1": (20,),
    "t10k-images-idx3": (10, 28, 28),
    "t10k-labels-idx1": (10,),
}


def small_files(seed):
    """The four files of a data set, as {part: IDX bytes}."""
    rng = np.random.default_rng(seed)
    return {
        part: struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
        + rng.integers(256 if len(shape) == 3 else 10, size=shape, dtype=np.uint8).tobytes()
        for part, shape in SHAPES.items()
    }


FILES = {"_MNIST": small_files(1), "_FASHION_MNIST": small_files(2), "_KMNIST": small_files(3)}
ARCHIVES = {
    name: {part: gzip.compress(content, mtime=0) for part, content in files.items()}
    for name, files in FILES.items()
}
TRAIN_IMAGES = np.frombuffer(FILES["_MNIST"]["train-images-idx3"][16:], np.uint8)
TRAIN_LABELS = np.frombuffer(FILES["_MNIST"]["train-labels-idx1"][8:], np.uint8)


def sha256(files):
    return {part: hashlib.sha256(content).hexdigest() for part, content in files.items()}


@pytest.fixture(autouse=True)
def small_data_sets(monkeypatch, tmp_path):
    """Data sets of 20 and 10 images, an empty cache, no environment, and no mirrors."""
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(images, "_SHAPES", SHAPES)
    monkeypatch.setattr(images, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    monkeypatch.setattr(download, "TICK", 0.02)
    for name in ("_MNIST", "_FASHION_MNIST"):
        content = sha256(FILES[name])
        monkeypatch.setattr(
            images, name, getattr(images, name)._replace(mirrors=(), content=content)
        )
    archives = sha256(ARCHIVES["_KMNIST"])
    monkeypatch.setattr(images, "_KMNIST", images._KMNIST._replace(mirrors=(), archives=archives))


@pytest.fixture
def folder(tmp_path):
    """Writes files into a folder under names of a pattern, and gives the folder."""

    def write(name="_MNIST", pattern="{}-ubyte.gz", subfolder="data"):
        place = tmp_path / subfolder
        place.mkdir(parents=True, exist_ok=True)
        files = ARCHIVES if pattern.endswith(".gz") else FILES
        for part, content in files[name].items():
            (place / pattern.format(part)).write_bytes(content)
        return place

    return write


def assert_is_mnist(result):
    found, labels = result
    assert (found.shape, found.dtype) == ((20, 28, 28, 1), np.float32)
    assert (labels.shape, labels.dtype) == ((20,), np.int64)
    assert np.array_equal(np.rint((found.ravel() + 1) * 127.5), TRAIN_IMAGES)
    assert np.array_equal(labels, TRAIN_LABELS)
    assert found.min() == -1 and found.max() == 1


# In a folder.


@pytest.mark.parametrize(
    "pattern", ["{}-ubyte", "{}-ubyte.gz", "dotted {}-ubyte", "dotted {}-ubyte.gz"]
)
@pytest.mark.parametrize("subfolder", ["data", "data/mnist"])
def test_a_folder_under_every_name(folder, tmp_path, pattern, subfolder):
    place = folder(pattern=pattern.removeprefix("dotted "), subfolder=subfolder)
    if pattern.startswith("dotted"):
        for path in list(place.iterdir()):
            path.rename(place / path.name.replace("-idx", ".idx"))
    assert_is_mnist(mnist(folder=str(tmp_path / "data")))
    assert mnist("test", folder=tmp_path / "data")[0].shape == (10, 28, 28, 1)


def test_the_folder_in_the_environment(folder, monkeypatch):
    monkeypatch.setenv("MINIGAN_DATA", str(folder()))
    assert_is_mnist(mnist())


def test_the_callers_folder_goes_before_the_environments(folder, monkeypatch):
    monkeypatch.setenv("MINIGAN_DATA", "/nowhere")
    assert_is_mnist(mnist(folder=folder()))


def test_all_three_in_one_folder(folder, tmp_path):
    folder("_MNIST")
    folder("_FASHION_MNIST", subfolder="data/fashion_mnist")
    folder("_KMNIST", subfolder="data/kmnist")
    loaded = [load(folder=tmp_path / "data")[0] for load in (mnist, fashion_mnist, kmnist)]
    for name, found in zip(FILES, loaded, strict=True):
        pixels = np.frombuffer(FILES[name]["train-images-idx3"][16:], np.uint8)
        assert np.array_equal(np.rint((found.ravel() + 1) * 127.5), pixels)


@pytest.mark.parametrize("load", [fashion_mnist, kmnist])
def test_the_files_of_another_data_set_are_told_apart(folder, load):
    with pytest.raises(ValueError, match="got MNIST's; .* in a subfolder"):
        load(folder=folder("_MNIST"))


def test_a_changed_byte_is_found(folder):
    place = folder(pattern="{}-ubyte")
    path = place / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\7")
    with pytest.raises(ValueError, match="train-images-idx3-ubyte: expected content of sha256"):
        mnist(folder=place)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "not an IDX file"),
        (struct.pack(">HBBI", 0, 8, 1, 21) + bytes(21), r"shape \(20,\), the header says \(21,\)"),
        (struct.pack(">HBBI", 0, 9, 1, 20) + bytes(20), "expected uint8, the header says int8"),
        (struct.pack(">HBBI", 0, 8, 1, 20) + bytes(19) + b"\n", "labels 0 to 9, got 10"),
    ],
)
def test_what_is_checked_where_no_checksum_is_known(folder, content, message):
    place = folder("_KMNIST", pattern="{}-ubyte")
    (place / "train-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=f"train-labels-idx1-ubyte: .*{message}"):
        kmnist(folder=place)


def test_a_file_missing_from_the_callers_folder_is_not_downloaded(folder, server):
    server.mirrors("good")
    place = folder()
    (place / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="no train-labels-idx1-ubyte.*for MNIST, put"):
        mnist(folder=place)


def test_a_folder_that_is_not_there(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="folder must be a folder, .* none at .*absent"):
        mnist(folder=tmp_path / "absent")
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path / "vanished"))
    with pytest.raises(FileNotFoundError, match="MINIGAN_DATA must be a folder, .*vanished"):
        mnist()


def test_arguments():
    with pytest.raises(ValueError, match="split must be .train. or .test., got \"?'?valid"):
        mnist("valid")
    with pytest.raises(ValueError, match="split must be"):
        mnist(["train"])
    with pytest.raises(TypeError, match="folder must be a path, got 3"):
        mnist(folder=3)


# From a mirror.


class Server(ThreadingHTTPServer):
    """A mirror on loopback; the first folder of an address says how it fails."""

    daemon_threads = True

    def __init__(self, monkeypatch):
        super().__init__(("127.0.0.1", 0), Handler)
        self.monkeypatch = monkeypatch
        self.asked = []
        self.halfway = lambda: None
        self.closing = threading.Event()

    def mirrors(self, *kinds, data_set="_MNIST"):
        addresses = tuple(f"http://127.0.0.1:{self.server_port}/{k}/{data_set}/" for k in kinds)
        changed = getattr(images, data_set)._replace(mirrors=addresses)
        self.monkeypatch.setattr(images, data_set, changed)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        _, kind, data_set, file = self.path.split("/")
        self.server.asked.append(kind)
        content = ARCHIVES[data_set][file.removesuffix("-ubyte.gz")]
        if kind == "missing":
            return self.send_error(404)
        if kind == "silent":
            time.sleep(1)
            return None
        if kind == "drippingheader":
            return self.drip(b"HTTP/1.1 200 OK\r\nServer: " + bytes(10_000))
        if kind == "login":
            content = b"<html>please log in</html>"
        if kind == "corrupted":
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        if kind == "another":
            content = ARCHIVES["_FASHION_MNIST"][file.removesuffix("-ubyte.gz")]
        if kind == "recompressed":
            content = gzip.compress(gzip.decompress(content), 1, mtime=1)
        if kind == "uncompressed":
            content = gzip.decompress(content)
        self.send_response(200)
        if kind != "truncated without a length":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if kind == "dripping":
            return self.drip(content)
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        self.server.halfway()
        if kind == "stalled":
            time.sleep(1)
        if not kind.startswith("truncated"):
            self.wfile.write(content[len(content) // 2 :])
        return None

    def drip(self, content):
        """A byte every now and then: never silent for long, and never done."""
        for byte in content:
            if self.server.closing.wait(0.05):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the client gave up on a slow mirror, as it should

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    with Server(monkeypatch) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join()


def cached(tmp_path, data_set="mnist"):
    return sorted(path.name for path in (tmp_path / "cache" / data_set).iterdir())


TRAIN_FILES = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]


def test_download_and_then_the_cache(server, tmp_path):
    server.mirrors("good")
    assert_is_mnist(mnist())
    assert cached(tmp_path) == TRAIN_FILES
    assert_is_mnist(mnist())
    assert server.asked == ["good", "good"]


FAULTS = [
    "missing", "silent", "stalled", "login", "corrupted", "another", "truncated",
    "truncated without a length", "dripping", "drippingheader",
]  # fmt: skip


@pytest.mark.parametrize("fault", [fault.replace(" ", "%20") for fault in FAULTS])
def test_after_a_broken_mirror_comes_the_next(server, tmp_path, fault):
    server.mirrors(fault, "good")
    assert_is_mnist(mnist())
    assert cached(tmp_path) == TRAIN_FILES
    assert server.asked == [fault, "good"] * 2


@pytest.mark.parametrize("kind", ["recompressed", "uncompressed"])
def test_mirrors_may_compress_as_they_like(server, kind):
    server.mirrors(kind)
    assert_is_mnist(mnist())


def test_no_mirror_is_good(server, tmp_path):
    server.mirrors("missing", "corrupted", "truncated")
    with pytest.raises(FileNotFoundError) as caught:
        mnist()
    message = str(caught.value)
    for part in ("MNIST is not on this machine", "404", "damaged gzip data", "MINIGAN_DATA"):
        assert part in message
    for file in SHAPES:
        assert f"{file}-ubyte.gz" in message
    assert cached(tmp_path) == []


def test_no_network(server, tmp_path):
    server.mirrors("good")
    server.shutdown()
    server.server_close()
    with pytest.raises(FileNotFoundError, match="(?s)refused.*put train-images-idx3-ubyte.gz"):
        mnist()
    assert cached(tmp_path) == []


def test_a_failed_download_is_one_clear_line(server, monkeypatch, capfd):
    """No connection pools, no empty progress bars; no stderr either, where there is none."""
    server.mirrors("good")
    server.shutdown()
    server.server_close()
    for stderr in (sys.stderr, None):
        monkeypatch.setattr(sys, "stderr", stderr)
        with pytest.raises(FileNotFoundError) as caught:
            mnist()
        message = str(caught.value)
        assert "(127.0.0.1: connection refused); for MNIST, put" in message
        assert "\n" not in message and "Pool" not in message
    assert capfd.readouterr() == ("", "")


def test_the_name_is_given_only_to_a_whole_file(server, tmp_path):
    server.mirrors("good")
    seen = []
    server.halfway = lambda: seen.append(cached(tmp_path))
    mnist()
    first, second = seen
    assert len(first) == 1 and first[0].endswith(".part")
    assert TRAIN_FILES[0] in second and TRAIN_FILES[1] not in second


def test_the_name_is_given_in_one_step(server, tmp_path):
    """The very file that was read gets the name; a copy could be cut short."""
    url = f"http://127.0.0.1:{server.server_port}/good/_MNIST/train-images-idx3-ubyte.gz"
    final = tmp_path / "file.gz"
    arrived = download.download([url], final, lambda path: path.stat().st_ino)
    assert final.stat().st_ino == arrived


def test_an_interrupted_download_leaves_nothing(server, tmp_path):
    def interrupted(path):
        raise KeyboardInterrupt

    url = f"http://127.0.0.1:{server.server_port}/good/_MNIST/train-images-idx3-ubyte.gz"
    with pytest.raises(KeyboardInterrupt):
        download.download([url], tmp_path / "there" / "file.gz", interrupted)
    assert list((tmp_path / "there").iterdir()) == []


def test_a_damaged_cache_is_mended(server, tmp_path):
    server.mirrors("good")
    mnist()
    (tmp_path / "cache" / "mnist" / TRAIN_FILES[0]).write_bytes(b"rubbish")
    assert_is_mnist(mnist())
    assert len(server.asked) == 3


def test_a_cache_that_cannot_be_written(server, tmp_path):
    server.mirrors("good")
    (tmp_path / "cache").write_text("a file where the folder is to be")
    with pytest.raises(FileNotFoundError, match="(?s)MNIST is not .* put train-images"):
        mnist()


def test_kmnist_is_known_by_its_archives(server, tmp_path):
    server.mirrors("recompressed", "good", data_set="_KMNIST")
    found, _ = kmnist()
    assert found.shape == (20, 28, 28, 1)
    assert server.asked == ["recompressed", "good"] * 2


def test_what_the_environments_folder_lacks_is_downloaded(server, folder, monkeypatch):
    place = folder()
    shutil.rmtree(place)
    place.mkdir()
    monkeypatch.setenv("MINIGAN_DATA", str(place))
    server.mirrors("good")
    assert_is_mnist(mnist())
