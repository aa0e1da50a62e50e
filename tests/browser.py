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
    """What Chromium makes of an HTML file: (the document at the end, the console's messages)."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND",
                "--virtual-time-budget=5000", "--dump-dom", *options, page.as_uri(),
            ],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def answer(document):
    """The JSON that a test's script wrote into its page."""
    return json.loads(document.partition('<pre id="answer">')[2].partition("</pre>")[0])
