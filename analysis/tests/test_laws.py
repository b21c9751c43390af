"""Laws over depth, order and chaos, and information: what the figures are made of."""

import numpy as np
from conftest import ROOT, run
from matplotlib.figure import Figure

import fathom
from fathom import figures, plots


def drawn(result):
    return {drawing.name: drawing for drawing in figures.all_drawings(result)}


def test_order_and_chaos(tmp_path):
    sweep = 'sweep={"network.c"=[0.5, 3.0], "network.bias"=[0.1, 0.9]}'
    result = fathom.open(run(tmp_path, ROOT / "jobs/phase-diagram.toml", "order", "network.draws=300", sweep))
    rows = {(row["c"], row["bias"]): row for row in plots.order_rows(result)}
    assert len(rows) == 4
    assert rows[3.0, 0.1]["rate"] > 0.1 and rows[0.5, 0.1]["rate"] < -0.5
    assert all(abs(row["rate"] - row["known"]) < 0.1 and row["verdict"] == "agrees" for row in rows.values())
    line = plots.critical_line(result)
    # C_W and C_b rise together from (1, 0).
    assert abs(line[0][0] - 1) < 0.01 and abs(line[0][1]) < 0.01 and np.all(np.diff(np.array(line), axis=0) >= 0)
    # What is shown is what is drawn: the colours are the rates, the line is the root of C_b.
    ax = Figure().add_subplot()
    drawn(result)["order-chaos"].draw(ax=ax)
    assert sorted(ax.collections[0].get_array().ravel()) == sorted(row["rate"] for row in rows.values())
    np.testing.assert_allclose(ax.lines[0].get_ydata() ** 2, [b for _, b in line])


def test_powers_and_information(tmp_path):
    settings = (
        "network.draws=1000",
        "network.width=64",
        "network.depth=32",
        "network.layers=[4, 8, 16, 32]",
        'sweep={"network.activation"=["relu"]}',
    )
    result = fathom.open(run(tmp_path, ROOT / "jobs/critical-exponents.toml", "powers", *settings))
    drawings = drawn(result)
    name = next(name for name in drawings if name.startswith("law-Var log_V[0]"))
    ax = Figure().add_subplot()
    drawings[name].draw(ax=ax)
    assert ax.get_xscale() == "log" and drawings[name].table["depth"] == [4, 8, 16, 32]
    own = result.finite(result.cases[0]).sel(observable="log_V[0]")
    assert drawings[name].table["value"] == list(own["variance"].values)
    shared = fathom.open(
        run(tmp_path, ROOT / "jobs/aspect-ratio.toml", "shared", "network.draws=1000", "network.depth=4", "network.layers=[1, 2, 4]")
    )
    values = drawn(shared)["information"].table["value"]
    assert len(values) == 3 and 0 < values[0] < values[1] < values[2] < 0.01
