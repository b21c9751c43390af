"""sweep_frame: every number of a file, once, beside what it is a number of."""

import numpy as np
import pytest

import fathom


def test_every_number_is_there_once(phases):
    result = fathom.open(phases)
    frame = fathom.sweep_frame(phases)
    assert list(frame.columns) == [
        "case", "network.bias", "network.c", "leg", "role", "layer", "observable", "family", "statistic", "argument", "value", "error",
    ]  # fmt: skip
    assert [frame[name].dtype.kind for name in ("network.c", "layer", "argument", "value", "error")] == list("fifff")
    assert not frame.duplicated(["case", "leg", "layer", "observable", "statistic", "argument"]).any() and frame["value"].notna().all()
    expected = 0
    for case in result.cases:
        leg = result.finite(case)
        for statistic, error in [
            ("mean", "standard_error"),
            ("variance", "variance_error"),
            ("standard_deviation", None),
            ("quantile", "quantile_error"),
        ]:
            rows = frame[(frame.case == case) & (frame.leg == "network") & (frame.statistic == statistic)]
            expected += leg[statistic].size
            assert set(rows.role) == {"finite"} and (rows["network.c"] == leg["network.c"].item()).all() and len(rows) == leg[statistic].size
            for row in rows.itertuples():
                place = {"layer": row.layer, "observable": row.observable} | ({} if np.isnan(row.argument) else {"quantile_level": row.argument})
                assert leg[statistic].sel(place).item() == row.value and row.family == "rho"
                np.testing.assert_equal(row.error, leg[error].sel(place).item() if error else np.nan)
    assert expected and set(frame.statistic) >= {"mean", "skewness", "kurtosis", "second_moment", "count"}


def test_swept_keys_are_typed_and_pivot(widths):
    frame = fathom.sweep_frame(fathom.open(widths))
    assert frame["network.width"].dtype == "int64" and frame["network.depth"].dtype == "int64"
    table = frame.query("statistic == 'mean' and observable == 'rho[0,1]' and role == 'limit'").pivot(
        index="network.width", columns="network.activation", values="value"
    )
    assert table.shape == (4, 2) and table.notna().all().all()
    case = fathom.open(widths).cases[0]
    leg = fathom.open(widths).leg("covariance-sde", case)
    place = (leg["network.width"].item(), leg["network.activation"].item())
    assert table.loc[place] == leg["mean"].sel(observable="rho[0,1]").item()
    # What is not known has no row: exact values have a mean and a second moment of V only.
    assert set(frame[frame.role == "exact"].family) == {"V"} and set(frame[frame.role == "exact"].statistic) == {"mean", "second_moment"}


def test_index(network):
    frame, table = fathom.sweep_frame(network), fathom.sweep_frame(network, index=True)
    assert list(table.index.names) == ["leg", "layer", "observable", "statistic", "argument"] and list(table.columns) == ["value", "error"]
    assert table.index.is_unique and len(table) == len(frame) and set(frame.case) == {"main"}
    one = fathom.open(network).finite()["mean"].sel(layer=8, observable="rho[0,1]").item()
    assert table.sort_index().loc[("network", 8, "rho[0,1]", "mean"), "value"].tolist() == [one]


def test_particles(particles):
    frame = fathom.sweep_frame(particles)
    assert frame["step"].dtype == "int64" and set(frame["particles.step"]) == {0.05, 0.1, 0.2} and "refinement" in set(frame.role)


def test_files_that_are_none(tmp_path):
    with pytest.raises(fathom.FileError, match="No such file"):
        fathom.sweep_frame(tmp_path / "none.h5")
