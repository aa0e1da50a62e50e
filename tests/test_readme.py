"""README.md and README.zh.md, the demos' too: the same commands, code and figures; live links."""

import contextlib
import io
import re
from collections import Counter
from pathlib import Path

import pytest

import minigan as mg

ROOT = Path(__file__).parents[1]
ENGLISH, CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
DEMOS = [(ROOT / "demos" / name).read_text("utf-8") for name in ("README.md", "README.zh.md")]


def blocks(text):
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def numbers(text):
    """The figures of a text, apart from its code: how often each stands there."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`|\]\([^)]*\)", "", text, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"\b[Tt]en\b|十行|十个", "10", prose)
    return Counter(re.findall(r"\d[\d,.]*\d|\d", prose))


@pytest.mark.parametrize("texts", [(ENGLISH, CHINESE), DEMOS], ids=["README", "demos"])
def test_both_languages_have_the_same_code_and_figures(texts):
    assert blocks(texts[0]) == blocks(texts[1])
    inline = [Counter(re.findall(r"`([^`\n]+)`", text)) for text in texts]
    assert inline[0] == inline[1]
    links = [re.findall(r"\]\(([^)]+)\)", text) for text in texts]
    assert [x for x in links[0] if "README" not in x] == [x for x in links[1] if "README" not in x]
    assert numbers(texts[0]) == numbers(texts[1])
    headings = [re.findall(r"^#+", text, re.MULTILINE) for text in texts]
    assert headings[0] == headings[1]


def test_the_two_commands_come_first():
    languages, code = zip(*blocks(ENGLISH))
    assert languages == ("sh", "sh", "python", "python", "python")
    assert code[0].endswith(".venv/bin/python demos/quickstart.py\n") and "pytest" in code[1]


def test_links_lead_somewhere():
    for link in re.findall(r'\]\(([^)]+)\)|src="([^"]+)"', ENGLISH + CHINESE):
        link = link[0] or link[1]
        file, _, anchor = link.partition("#")
        assert (ROOT / file).is_file(), link
        assert not anchor or f".. _{anchor}:" in (ROOT / file).read_text("utf-8"), link


def test_every_demo_is_in_the_table():
    row = re.compile(r"^\| `(\w+)\.py` \|.*$", re.MULTILINE)
    listed = row.findall(DEMOS[0])
    assert sorted(listed) == sorted(file.stem for file in (ROOT / "demos").glob("*.py"))
    assert f"[All {len(listed)} demos]" in ENGLISH
    for text, table in zip((ENGLISH, CHINESE), DEMOS):  # the README's few are rows of that table
        for found in row.finditer(text):
            assert found[0] in table


def test_every_name_exists():
    for name in re.findall(r"`mg\.([\w.]+)", ENGLISH):
        found = mg
        for part in name.split("."):
            found = getattr(found, part)


@pytest.mark.parametrize(
    "code", [code for language, code in blocks(ENGLISH) if language == "python"]
)
def test_code_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    players = mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,))
    mg.GAN(*players, latent_dim=2).save("gan.npz")
    few = code.replace("steps=3000", "steps=20").replace("hidden=(64, 64)", "hidden=(4, 4)")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(few, "README.md", "exec"), {})
    if "# 0.6931... [[-0.5]] [[-0.25]]" in code:
        assert re.match(r"0\.6931\d* \[\[-0\.5\]\] \[\[-0\.25\]\]", said.getvalue())
