"""Progress bars: shown where they can be, silent where they cannot, and never a reason to fail."""

import io
import os
import subprocess
import sys
import time

import pytest
from tqdm import tqdm

import minigan as mg
from minigan._progress import Bar, say, track

RING = mg.data.gaussian_ring()


def small_gan():
    networks = mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,))
    return mg.GAN(*networks, latent_dim=2)


class Raising(io.StringIO):
    def write(self, text):
        raise RuntimeError("a stderr of somebody's own")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [None, closed(), Raising(), object()])
@pytest.mark.parametrize("name", ["stderr", "stdout"])
def test_training_without_a_place_to_show_it(monkeypatch, name, stream):
    gan = small_gan()
    vitals = mg.watch.Vitals(gan, RING)
    monkeypatch.setattr(sys, name, stream)
    assert len(mg.train(gan, RING, steps=3, batch_size=8, callback=vitals)) == 3
    images, labels = mg.data.glyphs(20, rng=0)
    mg.classifier.fit(mg.classifier.build(), images, labels, epochs=1)


def test_a_stream_that_fails_in_the_middle(monkeypatch):
    class Filling(io.StringIO):
        def write(self, text):
            if self.tell() > 20:
                raise OSError(28, "No space left on device")
            return super().write(text)

    monkeypatch.setattr(sys, "stderr", Filling())
    assert list(track(range(50), unit="thing")) == list(range(50))


def test_a_file_gets_whole_lines(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Bar(30) as bar:
        for n in range(30):
            bar.figures(f"number {n}")
            bar.update()
            time.sleep(0.005)
    written = sys.stderr.getvalue()
    assert "\r" not in written and written.endswith("\n")
    first, last = written.splitlines()  # none between: that would take ten seconds
    assert first.startswith("0/30") and last.startswith("30/30") and "number 29" in last


PROGRAM = """
import minigan as mg
networks = mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,))
mg.train(mg.GAN(*networks, latent_dim=2), mg.data.gaussian_ring(), steps=300, batch_size=8)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo terminal")
@pytest.mark.parametrize("columns", [40, 120])
def test_the_bar_fits_the_terminal(columns):
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=theirs)
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 4096):
            written += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert program.wait() == 0
    lines = written.decode().replace("\n", "\r").split("\r")
    assert max(map(len, lines)) < columns
    last = [line for line in lines if line.strip()][-1]
    assert "300/300" in last
    assert ("|grad G|" in last) == (columns == 120)


@pytest.mark.parametrize("where", ["callback", "data"])
def test_an_error_leaves_no_bar_behind(where, capsys):
    def fail(*_):
        raise KeyError("of a callback")

    class Data:
        draws = 0

        def sample(self, n, rng):
            self.draws += 1
            return fail() if self.draws > 2 else RING.sample(n, rng)

    before = set(tqdm._instances)
    options = {"callback": fail} if where == "callback" else {}
    data = Data() if where == "data" else RING
    with pytest.raises(KeyError, match="of a callback"):
        mg.train(small_gan(), data, steps=9, batch_size=8, **options)
    assert set(tqdm._instances) == before
    assert capsys.readouterr().err.endswith("\n")


def test_short_work_is_not_announced(capsys):
    assert list(track([1, 2], delay=1.0, leave=False)) == [1, 2]
    assert capsys.readouterr().err == ""


def test_say(monkeypatch, capsys):
    say("done")
    assert capsys.readouterr().out == "done\n"
    for stream in (None, Raising(), closed()):
        monkeypatch.setattr(sys, "stdout", stream)
        say("done")
