"""The package as its users call it."""

import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT, run

import fathom
from fathom import figures


def test_the_version_is_that_of_the_program(network):
    assert fathom.__version__ == (ROOT / "VERSION").read_text().strip() == fathom.open(network).provenance()["version"]


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


def test_a_sweep_is_one_dataset(widths, phases, particles):
    """Every swept key is a dimension, or a coordinate along one; each value is that of its case."""
    for path, dims, sizes in [
        (widths, ["network.activation", "network.width"], [2, 4]), (phases, ["network.bias", "network.c"], [3, 4]),
        (particles, ["particles.step"], [3]),
    ]:  # fmt: skip
        result = fathom.open(path)
        for last in (False, True):
            table = result.sweep(last=last)
            assert {dim: table.sizes[dim] for dim in dims} == dict(zip(dims, sizes, strict=True))
            for case in result.cases:
                place = {key: value for key, value in result.swept(case).items() if key in dims}
                leg = result.finite(case)
                axis = "layer" if "layer" in leg.dims else "step"
                assert {key: leg[key].item() for key in place} == place
                found = table["mean"].sel(place)
                expected = leg["mean"].isel({axis: -1}) if last else leg["mean"]
                np.testing.assert_array_equal(found.sel({} if last else {axis: leg[axis]}).transpose(*expected.dims), expected)
    table = fathom.open(widths).sweep("covariance-sde", last=True)
    assert table["network.width"].dtype.kind == "i" and list(table["layer"].isel({"network.activation": 0})) == [8, 16, 32, 64]
    # The depth moves with the width: either finds the case.
    one = table["mean"].sel({"network.depth": 32, "observable": "rho[0,1]"})
    np.testing.assert_array_equal(one, table["mean"].sel({"network.width": 32, "observable": "rho[0,1]"}))
    assert fathom.open(phases).swept("network.bias=0.3,network.c=4.0") == {"network.bias": 0.3, "network.c": 4.0}


def test_cases_that_are_no_grid(tmp_path):
    """Three of four combinations: a dimension of cases, the swept keys along it."""
    text = """
seed = 5
[network]
architecture = "mlp"
activation = "tanh"
width = 8
depth = 2
inputs = { correlation = 0.5 }
draws = 20
[sweep]
"network.width, network.depth, network.activation" = [[8, 2, "tanh"], [16, 2, "erf"], [16, 3, "erf"]]
"""
    table = fathom.open(run(tmp_path, text, "corner")).sweep()
    assert table["mean"].dims[0] == "case" and list(table["network.width"].values) == [8, 16, 16]
    assert list(table["network.activation"].values) == ["tanh", "erf", "erf"] and list(table["network.depth"].values) == [2, 2, 3]
    # Of a layer that a case does not have nothing is known.
    assert np.isnan(table["mean"].sel(layer=3)).all("observable").values.tolist() == [True, True, False]


def test_one_of_several_cases_is_never_taken_silently(widths, network):
    result = fathom.open(widths)
    for ask in (result.finite, result.legs, result.references, result.swept, lambda: result.leg("exact"),
                lambda: fathom.plot_density(result, "rho[0,1]")):  # fmt: skip
        with pytest.raises(fathom.FileError, match=r"has 8 cases: name one, or take all with sweep\(\); they are network.activation="):
            ask()
    with pytest.raises(fathom.FileError, match="no sweep: its only case is main"):
        fathom.open(network).sweep()
    assert fathom.open(network).swept() == {}


def test_figures_have_names_of_their_own(widths):
    names = [drawing.name for drawing in figures.all_drawings(fathom.open(widths))]
    assert len(set(names)) == len(names) and any("width 8" in name for name in names)


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
        (lambda: result.leg("covariance-sed"), "did you mean covariance-sde?"),
        (lambda: fathom.plot_depth(result.finite(), "rho[0,2]"), "did you mean rho[0,1]?"),
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
