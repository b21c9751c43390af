"""The package as its users call it, and the lines of the README."""

import re
import shutil

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT

import fathom


def test_a_result_says_what_it_holds(network):
    result = fathom.open(network)
    assert result.cases == ["main"] and result.finished and "neural-covariance.h5" in repr(result)
    assert result.legs()[0] == "network" and set(result.references()) == {"covariance-sde", "infinite-width", "exact"}
    assert all(word in ("agrees", "differs", "undecided") for word in (c.verdict for c in result.comparisons()))
    assert result.report()["schema"] == "fathom-report/2" and "architecture" in result.provenance()["job"]
    assert len(result.verdicts()) == 3


def test_cases_are_told_apart(widths):
    result = fathom.open(widths)
    sizes = [int(fathom.plots.settings(case)["network.width"]) for case in result.cases]
    assert sizes in ([8, 16, 32, 64] * 2, [8, 8, 16, 16, 32, 32, 64, 64])
    label = 'particles.integrator="lmc",network.inputs={q = 4.5, layer = 16},network.width=64'
    assert fathom.plots.settings(label) == {
        "particles.integrator": "lmc", "network.inputs": "{q = 4.5, layer = 16}", "network.width": "64",
    }  # fmt: skip
    assert fathom.plots.short(label) == "integrator lmc, inputs {q = 4.5, layer = 16}, width 64"


def test_depth_draws_the_mean_with_its_band(network):
    leg = fathom.open(network).finite()
    ax = fathom.plot_depth(leg, "rho[0,1]", ax=plt.figure().add_subplot())
    one = leg.sel(observable="rho[0,1]")
    x, y = ax.lines[0].get_data()
    np.testing.assert_array_equal(x, [4, 8, 12, 16, 20])
    np.testing.assert_array_equal(y, one["mean"].values)
    band = ax.collections[0].get_paths()[0].get_extents()
    assert band.y1 == pytest.approx(float((one["mean"] + 2 * one["standard_error"]).max()))


def test_what_is_lacking_is_said(network, particles, tmp_path):
    result = fathom.open(network)
    for ask, words in [
        (result.chains, "no chains: set particles.frame_every"), (result.trajectory, "no trajectory"),
        (result.bias, "no [bias] table"), (result.orders, "sweeps neither"), (lambda: result.leg("sde"), "has no leg sde; it has"),
        (lambda: result.finite("x=1"), "has no case x=1; it has main"),
        (lambda: fathom.plot_depth(result.finite(), "rho"), "has no rho; it has V[0,0]"),
        (lambda: fathom.plot_sweep(result, "network.width", "rho[0,1]"), "no sweep over network.width"),
    ]:  # fmt: skip
        with pytest.raises(fathom.FileError, match=re.escape(words)):
            ask()
    assert len(fathom.open(particles).bias()) == 3 and fathom.open(particles).chains().posterior.sizes["chain"] == 4


def test_foreign_and_truncated_files_are_refused_in_one_line(network, tmp_path):
    data = network.read_bytes()
    for name, content, words in [
        ("missing.h5", None, "No such file"), ("text.h5", b"nothing", "is not a fathom result file"), ("empty.h5", b"", "is not a fathom"),
        ("cut.h5", data[: len(data) // 2], "is truncated"), ("hdf.h5", data[512:], "is not a fathom result file"),
        ("broken.h5", data[:512] + bytes(len(data) - 512), "is damaged"),
    ]:  # fmt: skip
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(fathom.FileError) as error:
            fathom.open(path)
        assert words in str(error.value) and name in str(error.value) and "\n" not in str(error.value)


def test_the_lines_of_the_readme(network, tmp_path, monkeypatch):
    """Every block of Python in the README runs on a result of the job of the README."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S)
    assert blocks and any("plot_depth" in block and len(block.strip().splitlines()) == 5 for block in blocks)
    shutil.copy(network, tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(block, {})
    assert (tmp_path / "rho.png").stat().st_size > 5000
