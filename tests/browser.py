"""Pages in a headless Chromium, without a network; tests skip where there is none."""

import json
import shutil
import subprocess
import tempfile

import pytest

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here (Debian's package `chromium` has it)"
)


def browse(page, *options):
    """What Chromium makes of an HTML file, or of an address on this machine: (the document at the
    end, the console's messages)."""
    address = page if isinstance(page, str) else page.as_uri()
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                f"--user-data-dir={profile}", "--virtual-time-budget=5000", "--dump-dom", *options,
                address,
            ],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def answer(document):
    """The JSON that a test's script wrote into its page."""
    return json.loads(document.partition('<pre id="answer">')[2].partition("</pre>")[0])
