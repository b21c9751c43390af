"""The report in a real browser (Chromium, headless), at two sizes, light and dark."""

import contextlib
import io
import json
import re
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path

import pytest
from conftest import FATHOM, PARTICLES
from matplotlib.figure import Figure
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

import fathom
from fathom import figures, report

REPORT = [sys.executable, "-m", "fathom.report"]


@pytest.fixture(scope="session")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


def call(*arguments):
    """What `fathom-report` does in a process of its own, without waiting for its imports: exit code, output, errors."""
    printed, code = io.StringIO(), 0
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["fathom-report", *map(str, arguments)])
        try:
            report.main()
        except SystemExit as end:
            code = end.code or 0
    # Words given to exit go to the errors, and the code is 1.
    return (1, printed.getvalue(), f"{code}\n") if isinstance(code, str) else (code, printed.getvalue(), "")


@cache
def make(path):
    """The page of a result, made once for all tests."""
    out = path.with_suffix(".html")
    assert call(path) == (0, f"wrote {out}\n", "")
    return out


PROBE = """
const box = e => e.getBoundingClientRect();
return {
  width: window.innerWidth, scroll: document.documentElement.scrollWidth,
  outside: [...document.querySelectorAll('figure, h1, h2, p, li, dd, pre, svg')].filter(e => box(e).right > window.innerWidth + 1).length,
  figures: [...document.querySelectorAll('figure svg')].map(e => [box(e).width, box(e).height]),
  lines: [...document.querySelectorAll('figure svg')].map(e => e.querySelectorAll('path, rect').length),
  labels: document.querySelectorAll('figure svg[role=img][aria-label]').length,
  ids: [...document.querySelectorAll('[id]')].map(e => e.id),
  tables: document.querySelectorAll('figure details table').length,
  csv: [...document.querySelectorAll('a[download]')].every(e => e.href.startsWith('data:text/csv')),
  requests: performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length,
  ink: getComputedStyle(document.querySelector('figure svg text')).fill, paper: getComputedStyle(document.body).backgroundColor,
  text: document.body.innerText,
};
"""


def luminance(colour):
    """Relative luminance (WCAG 2.1) of rgb(...)."""
    parts = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("kind", ["network", "widths", "phases", "particles", "unfinished"])
def test_the_page_in_a_browser(browser, kind, request):
    path = request.getfixturevalue(kind)
    page = make(path)
    drawings = list(figures.all_drawings(fathom.open(path)))
    assert len(drawings) >= 3
    for width, height in ((1280, 900), (390, 844)):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        browser.get(page.as_uri())
        for scheme in ("light", "dark"):
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            seen = browser.execute_script(PROBE)
            place = f"{kind} at {width} x {height}, {scheme}"
            assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == [], place
            assert seen["width"] == width and seen["scroll"] <= width and seen["outside"] == 0, place
            assert len(seen["figures"]) == len(drawings) == seen["tables"] == seen["labels"], place
            assert all(w > 100 and h > 80 for w, h in seen["figures"]) and all(n > 4 for n in seen["lines"]), place
            assert len(seen["ids"]) == len(set(seen["ids"])), place
            assert seen["csv"] and seen["requests"] == 0, place
            light, dark = sorted((luminance(seen["ink"]), luminance(seen["paper"])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) > 7, f"{place}: ink {seen['ink']} on {seen['paper']}"
            assert (luminance(seen["paper"]) > 0.5) == (scheme == "light"), place
            result = fathom.open(path)
            assert result.title in seen["text"] and "How to reproduce it" in seen["text"]
            for comparison in result.comparisons():
                assert comparison.sentence.split(";")[0][:60] in seen["text"], place


def test_the_keyboard_reaches_the_numbers(browser, network):
    browser.get(make(network).as_uri())
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(browser).send_keys(Keys.TAB).perform()
    assert browser.execute_script("return document.activeElement.className") == "skip"
    for _ in range(60):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        if browser.execute_script("return document.activeElement.tagName") == "SUMMARY":
            break
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert browser.execute_script("return document.activeElement.parentElement.open") is True


def test_the_verdict_comes_first_and_the_sections_fit_the_file(particles, widths):
    text = make(particles).read_text()
    for section in ("Verdict", "Laws", "Over the run", "Over the sweep", "Bias", "Film", "Provenance"):
        assert f">{section}</h2>" in text, section
    assert text.index(">Verdict</h2>") < text.index("<svg")
    assert ">Finite-size scaling</h2>" in make(widths).read_text()


def test_a_phase_diagram_has_every_case(phases):
    result = fathom.open(phases)
    drawing = next(d for d in figures.all_drawings(result) if d.section == "Phase diagrams")
    ax = drawing.draw(ax=Figure().add_subplot())
    grid = ax.collections[0].get_array().reshape(4, 3)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "0.3", "0.6"] and ax.get_xlabel() == "bias"
    for c, bias, mean in zip(drawing.table["network.c"], drawing.table["network.bias"], drawing.table["mean"], strict=True):
        assert grid[[0.5, 1.0, 2.0, 4.0].index(float(c)), [0.0, 0.3, 0.6].index(float(bias))] == mean
    assert len(set(grid.ravel())) == 12


def test_bad_files_give_one_line(network, tmp_path):
    (tmp_path / "foreign.h5").write_text("nothing")
    (tmp_path / "cut.h5").write_bytes(network.read_bytes()[:5000])
    for name, words in (
        ("foreign.h5", "is not a fathom result file"),
        ("cut.h5", "is truncated"),
        ("none.h5", "No such file"),
    ):
        code, _, errors = call(tmp_path / name)
        assert code == 1 and words in errors and len(errors.splitlines()) == 1
        assert not (tmp_path / name).with_suffix(".html").exists()
    done = subprocess.run([*REPORT, network, "--figure", "nothing", "x.svg"], capture_output=True, text=True)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "has no figure nothing; it has density-rho[0,1]" in done.stderr


def test_one_figure_by_itself(network, tmp_path):
    for kind, magic in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        out = tmp_path / f"figure.{kind}"
        assert call(network, "--figure", "depth-rho[0,1]", out) == (0, f"drew {out}\n", "")
        assert out.read_bytes().startswith(magic)


def test_a_link_stays_a_link(network, tmp_path):
    (tmp_path / "there").mkdir()
    link, page = tmp_path / "page.html", tmp_path / "there" / "real.html"
    link.symlink_to("there/real.html")
    assert call(network, "-o", link)[0] == 0
    assert link.is_symlink() and page.read_text().startswith("<!DOCTYPE html>") and not page.is_symlink()
    assert [path.name for path in page.parent.iterdir()] == ["real.html"]
    loop = tmp_path / "loop.html"
    loop.symlink_to("loop.html")
    code, _, errors = call(network, "-o", loop)
    assert code == 1 and len(errors.splitlines()) == 1 and loop.is_symlink()


def test_watching_a_run(tmp_path):
    """The page is there before the run has ended, refreshes itself, and stops doing so when it has."""
    text = PARTICLES.split("[bias]")[0].replace("steps = 200", "steps = 480000").replace("frame_every = 20\n", "frame_every = 48000\n")
    (tmp_path / "job.toml").write_text(text + '[run]\ncheckpoint_every = "0.5s"\n')
    path, page = tmp_path / "job.h5", tmp_path / "job.html"
    watcher = subprocess.Popen([*REPORT, path, "--watch", "1"], stdout=subprocess.PIPE, text=True)
    thread = threading.Thread(target=lambda: subprocess.run([FATHOM, "run", "job.toml"], cwd=tmp_path, capture_output=True))
    thread.start()
    refreshed = False
    deadline = time.time() + 90
    while watcher.poll() is None and time.time() < deadline:
        refreshed |= page.exists() and 'http-equiv="refresh"' in page.read_text()
        time.sleep(0.1)
    thread.join()
    assert watcher.wait(timeout=10) == 0 and refreshed
    assert 'http-equiv="refresh"' not in page.read_text() and "(finished)" in watcher.stdout.read()
    assert not Path(str(page) + ".partial").exists()


def test_the_report_is_the_json(network):
    """The verdicts of the page are those of `fathom show --json`."""
    shown = subprocess.run([FATHOM, "show", "--json", network], capture_output=True, text=True, check=True).stdout
    assert fathom.open(network).report() == json.loads(shown)
