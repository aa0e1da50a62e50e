"""The pictures in the README and on the site are those that the present code draws."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import minigan as mg

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("make_pictures", ROOT / "demos/pictures/make.py")
MAKE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(MAKE)
RECORD = json.loads(MAKE.RECORD.read_text(encoding="utf-8"))
REMAKE = "python demos/pictures/make.py makes the pictures anew"


def test_what_the_script_makes_is_embedded():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.rst")]
    text = "".join(page.read_text("utf-8") for page in pages)
    embedded = set(re.findall(r"demos/pictures/([\w.]+)", text))
    assert embedded == set(MAKE.PICTURES) == set(RECORD)


@pytest.mark.parametrize("name", MAKE.PICTURES)
def test_the_file_is_the_one_that_was_made(name):
    picture = MAKE.PICTURES[name]
    assert RECORD[name]["command"] == f"{picture.demo} {picture.options}", REMAKE
    assert RECORD[name]["sha256"] == MAKE.digest(MAKE.HERE / name), REMAKE


def same(found, expected):
    """Whether two entries of a picture's content agree, up to the rounding of another machine."""
    if isinstance(found, str) and isinstance(expected, str):
        words, numbers = zip(*(split(text) for text in (found, expected)))
        return words[0] == words[1] and np.allclose(*numbers, rtol=0.02, atol=0.02)
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        scale = max(map(abs, [1e-6, *expected[1:]]))
        return found[0] == expected[0] and np.allclose(found, expected, rtol=0, atol=2e-3 * scale)
    return False


def split(text):
    """(the text without its numbers, its numbers but for those of rounding, such as 3e-11)"""
    text = re.sub(r"\d[\d.]*e-\d+", "#", text)
    number = r"\d[\d,]*\.?\d*"
    return re.sub(number, "#", text), [float(n.replace(",", "")) for n in re.findall(number, text)]


@pytest.mark.parametrize("name", MAKE.PICTURES)
def test_the_code_still_draws_it(name, tmp_path):
    """After a few training steps, beside what the script found when it made the picture."""
    before = mg.kernels.backend()
    found = MAKE.short_content(MAKE.PICTURES[name], tmp_path)
    assert mg.kernels.backend() == before
    for module in [module for module in sys.modules if module.partition(".")[0] == "helpers"]:
        del sys.modules[module]
    expected = RECORD[name]["short"]
    assert len(found) == len(expected), REMAKE
    different = [pair for pair in zip(found, expected) if not same(*pair)]
    assert not different, f"{REMAKE}; (now, when it was made): {different[:3]}"


def test_another_picture_is_noticed():
    assert same("up to 3e-11, 0.51 of 8", "up to 9e-12, 0.52 of 8")
    assert not same("0.51 of 8", "0.51 of 9") and not same("step 1", "stage 1")
    assert same([5, 0.5, 1.0], [5, 0.5001, 1.0])
    assert not same([5, 0.5, 1.0], [5, 0.51, 1.0]) and not same([5, 0.5, 1.0], [6, 0.5, 1.0])
