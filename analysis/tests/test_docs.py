"""The pages of the docs run, and print what stands in them; `pages` says how."""

import pytest
from conftest import ROOT
from pages import Block, differences, run_page


def test_python(here):
    assert run_page((ROOT / "docs/python.md").read_text()) > 4


@pytest.mark.parametrize("name", ["depth.png", "sweep.png"])
def test_the_tutorial_shows_its_figures(name):
    assert f"](tutorial-{name})" in (ROOT / "docs/tutorial.md").read_text() and (ROOT / "docs" / f"tutorial-{name}").is_file()


def test_the_tutorial(here):
    assert run_page((ROOT / "docs/tutorial.md").read_text()) > 12
    assert (here / "depth.png").is_file() and (here / "sweep.png").is_file() and (here / "mine.html").is_file()


@pytest.mark.parametrize(
    ("printed", "shown", "words", "same"),
    [
        ("a 1\nb\n", "a 1\nb\n", "", True),
        ("a 1  \n", "a 1\n", "", True),
        ("a 1\n", "a 2\n", "", False),
        ("a 1\nb\n", "a 1\n", "", False),
        ("a 1\n", "a 1\nb\n", "", False),
        ("a 1 and more\n", "a 1 …\n", "", True),
        ("a 11\n", "a 1 …\n", "", False),
        ("a\nb\nc\n", "a\n…\nc\n", "", True),
        ("a\nb\nd\n", "a\n…\nc\n", "", False),
        ("x: 3 draws, 2 MiB, 0.4 s (0.3 s to 9 s as the speed varied)\n", "x: 3 draws, 41.5 MiB, 2 min\n", "times", True),
        ("x: 3 draws, 0.4 s\n", "x: 4 draws, 0.4 s\n", "times", False),
        ("x: 3 draws, 0.4 s\n", "x: 3 draws, 0.5 s\n", "", False),
    ],
)
def test_what_counts_as_the_same(printed, shown, words, same):
    assert (differences(printed, Block("text", words, shown, 1)) == []) == same
