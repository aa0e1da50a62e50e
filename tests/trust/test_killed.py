"""SIGKILL at random moments: training can be resumed each time, and ends in the same bits.

MINIGAN_KILLS=50 pytest tests/trust/test_killed.py     for more of them
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from minigan import _archive as archive

KILLS = int(os.environ.get("MINIGAN_KILLS", 4))

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")


def start(script, file, *options):
    """The run as a process of its own, which has reached the beginning of its training."""
    environment = {**os.environ, "MINIGAN_BACKEND": os.environ.get("MINIGAN_BACKEND", "numpy")}
    process = subprocess.Popen(
        [sys.executable, script, file, *options], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_at_random_moments(script, tmp_path):
    file = tmp_path / "whole.npz"
    process = start(script, file)
    began = time.perf_counter()
    whole, _ = process.communicate()
    duration = time.perf_counter() - began
    moments = random.Random(0)
    for kill in range(KILLS):
        file = tmp_path / f"{kill}.npz"
        process = start(script, file)
        time.sleep(moments.uniform(0, 0.9 * duration))
        process.kill()
        process.communicate()
        options = ["--resume"] if file.exists() or archive.previous(file).exists() else []
        if options:
            archive.Archive(file)  # whole, whenever the kill came
        end, _ = start(script, file, *options).communicate()
        assert end == whole, f"kill {kill}"
