"""A full disk, a folder that may not be written, a missing file: said, and nothing lost."""

import contextlib
import errno
import os
import subprocess
import sys

import pytest

from minigan import _archive as archive


@pytest.fixture
def begun(parts, cut, cut_after, tmp_path):
    """A run of twelve steps that was cut after six, kept in a file."""
    file = tmp_path / "run.npz"
    with contextlib.suppress(cut):
        parts().train(12, checkpoint=file, checkpoint_every=6, callback=cut_after(6))
    return file


def fail(number):
    def failing(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return failing


@pytest.mark.parametrize(
    "owner, name", [(os, "fsync"), (os, "replace"), (archive, "_write_members"), (archive, "open")]
)
@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EROFS, errno.EACCES], ids=errno.errorcode.get
)
def test_a_checkpoint_that_cannot_be_written(parts, begun, monkeypatch, owner, name, number):
    before = begun.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail(number), raising=False)
        with pytest.raises(OSError, match="the checkpoint was not written") as raised:
            parts().train(12, checkpoint=begun, resume=True)
    assert raised.value.errno == number and raised.value.filename == str(begun)
    assert begun.read_bytes() == before
    assert not list(begun.parent.glob("*.writing"))
    assert parts().train(12, checkpoint=begun, resume=True) == parts().train(12)


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # of JAX, if a test has imported it
def test_a_disk_that_really_fills_up(begun, script):
    """The system itself stops the write half way: no file may grow past 8 KB."""
    resource = pytest.importorskip("resource")
    before, names = begun.read_bytes(), set(os.listdir(begun.parent))
    assert len(before) > 8192
    ended = subprocess.run(
        [sys.executable, script, begun, "--resume"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
        env={**os.environ, "MINIGAN_BACKEND": "numpy", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert "the checkpoint was not written (File too large)" in ended.stderr
    assert begun.read_bytes() == before and set(os.listdir(begun.parent)) == names


def test_a_folder_that_is_not_there(parts, tmp_path):
    with pytest.raises(OSError, match="No such file or directory") as raised:
        parts().train(3, checkpoint=tmp_path / "missing" / "run.npz")
    assert "missing" in str(raised.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name")
def test_a_name_that_is_taken_by_a_folder_or_a_pipe(parts, tmp_path):
    """The renamings of a checkpoint must not move it away."""
    folder, pipe = tmp_path / "results", tmp_path / "pipe"
    folder.mkdir()
    (folder / "old.png").write_text("kept")
    os.mkfifo(pipe)
    for taken, what in ((folder, "folder"), (pipe, "device or pipe")):
        for write in (
            lambda path: parts().train(3, checkpoint=path),
            lambda path: archive.write(path, {}, {}, archive.MODEL),
        ):
            with pytest.raises(OSError, match=f"was not written: .* of a {what}") as raised:
                write(taken)
            assert raised.value.filename == str(taken)
    assert sorted(os.listdir(tmp_path)) == ["pipe", "results"]
    assert (folder / "old.png").read_text() == "kept"


def test_a_file_in_the_place_of_a_folder(parts, tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(NotADirectoryError, match="the checkpoint was not written"):
        parts().train(3, checkpoint=tmp_path / "file" / "run.npz")


def test_nothing_to_resume(parts, tmp_path):
    with pytest.raises(FileNotFoundError, match="run.npz"):
        parts().train(3, checkpoint=tmp_path / "run.npz", resume=True)


def test_a_state_that_is_not_finite_is_not_saved(parts, begun):
    """The figures of a step can be finite and theta not: the last good checkpoint stays."""

    def spoil(step, gan, figures):
        gan.generator.theta[3] = float("nan")

    before = begun.read_bytes()
    with pytest.raises(FloatingPointError, match="step 7: generator/theta is not finite"):
        parts().train(12, checkpoint=begun, checkpoint_every=1, resume=True, callback=spoil)
    assert begun.read_bytes() == before
