"""The pages of the docs run, and print what stands in them; `pages` says how."""

import re
from pathlib import Path

import pytest
from conftest import ROOT
from pages import Block, blocks, differences, run_page

import fathom

JOB = """
seed = 1
[network]
architecture = "mlp"
activation = "linear"
width = 32
depth = 4
inputs = { correlation = 0.3 }
draws = 1000
[[limit]]
equation = "covariance-sde"
step = 0.05
"""


def test_python(here):
    assert run_page((ROOT / "docs/python.md").read_text()) > 4
    assert (here / "rho.png").stat().st_size > 5000


@pytest.mark.parametrize("name", ["depth.png", "sweep.png"])
def test_the_tutorial_shows_its_figures(name):
    assert f"](tutorial-{name})" in (ROOT / "docs/tutorial.md").read_text() and (ROOT / "docs" / f"tutorial-{name}").is_file()


def test_the_tutorial(here):
    assert run_page((ROOT / "docs/tutorial.md").read_text()) > 12
    assert (here / "depth.png").is_file() and (here / "sweep.png").is_file() and (here / "mine.html").is_file()


def reduced(path, *changes):
    """A page with smaller sizes; every change has to find its place."""
    page = (ROOT / path).read_text()
    for pattern, size in changes:
        page, count = re.subn(pattern, size, page)
        assert count > 0, pattern
    return page


def test_the_first_job(here):
    sizes = (r"\[30, .*\]", "[10, 20]"), (r"(width|depth) = 150", r"\1 = 20"), (r"draws = 200_000", "draws = 2000")
    run_page(reduced("README.md", *sizes))
    assert fathom.open("neural-covariance.h5").verdicts().keys() >= {"main: covariance-sde", "main: infinite-width"}


def test_the_job_of_the_readme_is_the_one_of_the_demo(here):
    (block,) = blocks((ROOT / "README.md").read_text(), "toml")
    Path(block.words).write_text(block.text)
    shown, demo = fathom.read_job(block.words), fathom.read_job(ROOT / "jobs" / block.words)
    assert shown == {key: demo[key] for key in shown} and shown.keys() == demo.keys() - {"run", "expect", "check"}
    assert f"run jobs/{block.words}" in (ROOT / "Makefile").read_text()


def test_particles(here):
    run_page(reduced("docs/particles.md", ("number = 2000 ", "number = 50 "), ("warm_up = 5000", "warm_up = 50"), ("steps = 20_000", "steps = 200")))
    assert fathom.open("double-well.h5").finite().attrs["draws"] == 16


def test_divergences(here):
    run_page(reduced("docs/divergences.md", ("draws = 100_000", "draws = 500")))
    last = fathom.open("divergence.h5").finite().isel(step=-1)
    assert abs(float(last["mean"].sel(observable="KL")) - 2.52175e-4) < 1e-9


def test_manifolds(here):
    run_page((ROOT / "docs/manifolds.md").read_text())
    assert "agrees with the exact moments" in fathom.open("ring.h5").verdicts()["main: exact"]


def test_running(here):
    (here / "job.toml").write_text(JOB)
    run_page((ROOT / "docs/running.md").read_text())
    assert fathom.open("c.h5").cases == [f"network.width={width}" for width in (16, 32, 64)]
    assert fathom.open("whole.h5").verdicts() == fathom.open("job.h5").verdicts()


def test_links():
    """Every link of the pages leads to a file, and to a heading of it."""

    def headings(page):
        texts = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.M)
        return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in texts}

    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    links = 0
    for page in pages:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.S | re.M)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if not link.startswith("http"):
                links += 1
                file, _, heading = link.partition("#")
                target = page.parent / file if file else page
                assert target.exists() and (not heading or heading in headings(target)), f"{page.relative_to(ROOT)}: {link}"
    assert links > 150
    # The pages of the atlas are in an index of their own.
    index = {folder: (ROOT / folder / "README.md").read_text() for folder in ("docs", "docs/atlas")}
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md"]
    assert [page.name for page in pages if page.name not in index["docs/atlas" if page.parent.name == "atlas" else "docs"]] == []


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
