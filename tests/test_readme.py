"""README.md and README.zh.md: the same commands, code and figures; every link and demo is there."""

import contextlib
import io
import re
from collections import Counter
from pathlib import Path

import pytest

import minigan as mg

ROOT = Path(__file__).parents[1]
ENGLISH, CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))


def blocks(text):
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def numbers(text):
    """The figures of a text, apart from its code: how often each stands there."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`|\]\([^)]*\)", "", text, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"\b[Tt]en\b|十行|十个", "10", prose)
    return Counter(re.findall(r"\d[\d,.]*\d|\d", prose))


def test_both_languages_have_the_same_code_and_figures():
    assert blocks(ENGLISH) == blocks(CHINESE) and len(blocks(ENGLISH)) == 5
    inline = [Counter(re.findall(r"`([^`\n]+)`", text)) for text in (ENGLISH, CHINESE)]
    assert inline[0] == inline[1]
    links = [re.findall(r"\]\(([^)]+)\)", text) for text in (ENGLISH, CHINESE)]
    assert [x for x in links[0] if "README" not in x] == [x for x in links[1] if "README" not in x]
    assert numbers(ENGLISH) == numbers(CHINESE)
    headings = [re.findall(r"^#+", text, re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert headings[0] == headings[1]


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)]+)\)", ENGLISH + CHINESE):
        file, _, anchor = link.partition("#")
        assert (ROOT / file).is_file(), link
        assert not anchor or f".. _{anchor}:" in (ROOT / file).read_text("utf-8"), link


def test_every_demo_is_in_the_table():
    listed = re.findall(r"^\| `(\w+)\.py` \|", ENGLISH, re.MULTILINE)
    assert sorted(listed) == sorted(file.stem for file in (ROOT / "demos").glob("*.py"))


def test_every_name_exists():
    for name in re.findall(r"`mg\.([\w.]+)", ENGLISH):
        found = mg
        for part in name.split("."):
            found = getattr(found, part)


@pytest.mark.parametrize(
    "code", [code for language, code in blocks(ENGLISH) if language == "python"]
)
def test_code_runs(code):
    few = code.replace("steps=3000", "steps=20").replace("hidden=(64, 64)", "hidden=(4, 4)")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(few, "README.md", "exec"), {})
    if "# 0.6931... [[-0.5]] [[-0.25]]" in code:
        assert re.match(r"0\.6931\d* \[\[-0\.5\]\] \[\[-0\.25\]\]", said.getvalue())
