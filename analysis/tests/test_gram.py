"""Gram matrices: read back as labelled arrays, used by scikit-learn, and the same on any number of ranks."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest
from conftest import FATHOM, ROOT
from sklearn.kernel_ridge import KernelRidge

import fathom

ENVIRONMENT = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def kernel(folder, name, *settings, ranks=0, job=ROOT / "jobs/gram-digits.toml", status=0):
    """Writes a Gram matrix; its path, or the errors of a run that was to fail."""
    launcher = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks else []
    path = folder / f"{name}.h5"
    options = [word for setting in settings for word in ("--set", setting)]
    done = subprocess.run([*launcher, FATHOM, "kernel", job, "-o", path, *options], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == status, done.stderr
    return done.stderr if status else path


def digest(path):
    return subprocess.run([FATHOM, "digest", path], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return fathom.open_gram(kernel(tmp_path_factory.mktemp("gram"), "all", "kernel.rows={}", "kernel.condition=false"))


def test_a_gram_is_a_labelled_array(digits):
    assert digits.dims == ("row", "column") and digits.shape == (1797, 1797) and digits.attrs["of"] == "ntk"
    assert np.array_equal(digits.values, digits.values.T) and np.all(np.diag(digits) == 2)
    assert float(digits.sel(row=3, column=7)) == float(digits.sel(row=7, column=3)) and set(np.unique(digits.label)) == set(range(10))


def test_kernel_ridge_takes_it(digits):
    """Regression from 30 digits on parity, 599 targets: a printed mean square error."""
    source, target = digits.row.values[1::7][:30], digits.row.values[::3]
    parity = 1 - 2 * (digits.label % 2)
    model = KernelRidge(alpha=1e-3, kernel="precomputed").fit(digits.sel(row=source, column=source), parity.sel(row=source))
    error = model.predict(digits.sel(row=target, column=source)) - parity.sel(row=target)
    assert len(target) == 599 and abs(float((error**2).mean()) - 0.43580) < 6e-6


def test_predictions_are_those_of_kernel_ridge(tmp_path):
    """The printed error again, made by the program, and regression on a sketch against scikit-learn on the same matrix."""
    for name, settings in [
        ("whole", ()),
        ("sketch", ("kernel.of='sketched-ntk'", "kernel.sketch=200", "network.width=64", "kernel.columns='product'")),
    ]:
        gram = fathom.open_gram(kernel(tmp_path, name, *settings, job=ROOT / "jobs/kernel-regression.toml"))
        source, target, parity = np.flatnonzero(gram.trained), gram.row.values[::3], 1 - 2 * (gram.label % 2)
        assert list(source) == list(range(1, 205, 7)) and gram.attrs["ridge"] == 1e-3
        model = KernelRidge(alpha=1e-3, kernel="precomputed").fit(gram.values[np.ix_(source, source)], parity.values[source])
        assert np.allclose(model.predict(gram.values[:, source]), gram.prediction, rtol=0, atol=1e-9)
        error = float(((gram.prediction - parity).sel(row=target) ** 2).mean())
        assert np.isclose(error, gram.attrs["test_error"], rtol=1e-12)
        assert name == "sketch" or abs(error - 0.43580) < 6e-6


def test_sketches_spread_as_they_should(tmp_path):
    """Squares of the deviations from the kernel of the same network, in units of the exact variance of Gaussian columns, add up to 1."""
    settings = ("network.width=48", "kernel.rows={every=20}", "kernel.draw=3", "kernel.condition=false")
    exact = fathom.open_gram(kernel(tmp_path, "exact", "kernel.of='finite-ntk'", *settings)).values
    sketch = fathom.open_gram(kernel(tmp_path, "sketch", "kernel.of='sketched-ntk'", "kernel.sketch=400", *settings)).values
    variance = (np.outer(np.diag(exact), np.diag(exact)) + exact**2) / 400
    assert 0.5 < np.mean((sketch - exact) ** 2 / variance) < 2
    assert np.linalg.matrix_rank(sketch, hermitian=True) == len(sketch)


def test_greedy_determinants_are_those_printed(digits):
    """Pivoted Cholesky of K + s^2, ties by the first: log det(1 + K_S / s^2) after 10 and 40 picks."""
    noise, rest = 0.01, digits.values[::3, ::3].copy()
    picks, value, values = [], 0.0, []
    for _ in range(40):
        best = int(np.argmax(np.diag(rest)))
        picks.append(best)
        pivot = rest[best, best] + noise
        value += np.log(pivot / noise)
        values.append(value)
        rest -= np.outer(rest[best], rest[best]) / pivot
    assert picks[:5] == [0, 542, 436, 68, 271] and abs(values[9] - 48.0632) < 6e-5 and abs(values[39] - 169.9265) < 6e-5


def test_condition_numbers(tmp_path):
    gram = fathom.open_gram(kernel(tmp_path, "small", "kernel.rows={every=30}", "kernel.jitter=1e-3"))
    ends = np.linalg.eigvalsh(gram.values + 1e-3 * np.eye(len(gram)))
    assert gram.attrs["jitter"] == 1e-3 and np.isclose(gram.attrs["condition"], ends[-1] / ends[0], rtol=1e-8)
    whole = fathom.open_gram(kernel(tmp_path, "whole", "kernel.rows={every=3}"))
    ends = np.linalg.eigvalsh(whole.values)
    assert np.allclose([whole.attrs["largest_eigenvalue"], whole.attrs["least_eigenvalue"]], [ends[-1], ends[0]], rtol=1e-6)


PATHS = """seed = 1
[kernel]
of = "signature"
file = "paths.csv"
components = 2
block = 3
refine = 1
[signature]
activation = "erf"
sigma_bias = 0.5
"""


@pytest.mark.parametrize(("of", "settings"), [("ntk", ()), ("nngp", ("network.architecture='resnet'", "network.depth=3")),
    ("finite-ntk", ("network.width=32", "network.activation='erf'", "kernel.draw=2")), ("signature", ()),
    ("sketched-ntk", ("network.width=32", "kernel.sketch=40", "network.depth=2"))])  # fmt: skip
def test_ranks_change_no_bit(of, settings, tmp_path):
    job = ROOT / "jobs/gram-digits.toml"
    if of == "signature":
        job = tmp_path / "paths.toml"
        job.write_text(PATHS)
        np.savetxt(tmp_path / "paths.csv", np.random.default_rng(1).normal(size=(20, 10)), delimiter=",", header=",".join("abcdefghij"), comments="")
    else:
        settings = (f"kernel.of='{of}'", "kernel.rows={every=12}", "kernel.block=17", *settings)
    found = {digest(kernel(tmp_path, f"ranks-{ranks}", *settings, ranks=ranks, job=job)) for ranks in (0, 2, 3, 7)}
    assert len(found) == 1
    assert not list(tmp_path.glob("*.shards")) and not list(tmp_path.glob("*.lock"))


def test_a_killed_run_is_resumed(tmp_path):
    settings = ("kernel.of='finite-ntk'", "network.width=512", "network.depth=3", "kernel.block=8", "kernel.rows={every=2}", "kernel.condition=false")
    whole = digest(kernel(tmp_path, "whole", *settings))
    path = tmp_path / "killed.h5"
    options = [word for setting in settings for word in ("--set", setting)]
    run = subprocess.Popen(
        [FATHOM, "kernel", ROOT / "jobs/gram-digits.toml", "-o", path, *options], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    shards = tmp_path / "killed.h5.shards"
    while not (shards.exists() and len(list(shards.glob("rows-*"))) > 5):
        assert run.poll() is None
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not path.exists()
    assert digest(kernel(tmp_path, "killed", *settings, ranks=2)) == whole
    again = subprocess.run([FATHOM, "kernel", ROOT / "jobs/gram-digits.toml", "-o", path, *options], capture_output=True, text=True)
    assert again.returncode == 0 and "is complete" in again.stderr


@pytest.mark.parametrize(("settings", "words"), [
    (("kernel.of='nkt'",), "did you mean ntk"), (("kernel.label='lable'",), "did you mean label"),
    (("kernel.rows=[3]",), "must be at least 2 points, not 1"), (("kernel.rows=[1, 1]",), "must be an array of different row numbers in [0, 1796]"),
    (("network.depht=2",), "did you mean depth"), (("network.draws=5",), "network.draws = 5: is set by fathom kernel"),
    (("network={architecture='transformer',depth=1}", "kernel.of='nngp'"), "has its inputs as tokens of one sequence"),
    (("kernel.of='signature'",), "network = "),
    (("kernel.of='sketched-ntk'",), "kernel.sketch is missing"), (("kernel.sketch=4",), "is a key of kernel.of"),
    (("kernel.of='sketched-ntk'", "kernel.sketch=4", "kernel.columns='gausian'"), "did you mean gaussian"),
    (("kernel.predict={from=[1], ridge=0.1}",), "has row 1, which is none of kernel.rows"),
    (("kernel.predict={from=[0], rigde=0.1}",), "did you mean ridge"),
    (("kernel.jitter=-1",), "must be a finite number of at least 0"), (("network.architecture='gated-mlp'",), "has no tangent kernel"),
])  # fmt: skip
def test_what_is_wrong_is_said(settings, words, tmp_path):
    assert words in kernel(tmp_path, "wrong", *settings, status=65)


def test_equal_points_and_too_many(tmp_path):
    job = tmp_path / "job.toml"
    text = 'seed = 1\n[kernel]\nof = "nngp"\nfile = "points.csv"\n[network]\narchitecture = "mlp"\nactivation = "relu"\ndepth = 2\n'
    job.write_text(text)
    np.savetxt(tmp_path / "points.csv", [[1, 0], [0, 1], [2, 0]], delimiter=",", header="a,b", comments="")
    assert "kernel.rows = 0, 2: are equal points" in kernel(tmp_path, "equal", job=job, status=65)
    kernel(tmp_path, "equal", "kernel.normalise=false", job=job)
    jittered = kernel(tmp_path, "jitter", "kernel.jitter=0.1", job=job)
    assert fathom.open_gram(jittered).attrs["equal_rows"] == "0 = 2"
    assert "equal points: rows 0 = 2" in subprocess.run([FATHOM, "show", jittered], check=True, capture_output=True, text=True).stdout
    run = subprocess.run([FATHOM, "run", job], capture_output=True, text=True)
    assert run.returncode == 65 and "fathom kernel" in run.stderr
    points = np.zeros((400_000, 2))
    points[:, 0], points[:, 1] = np.arange(400_000) + 1, 1
    np.savetxt(tmp_path / "points.csv", points, fmt="%d", delimiter=",", header="a,b", comments="")
    error = kernel(tmp_path, "many", job=job, status=65)
    assert "kernel.rows = 400000 points: need 2.3 TiB on one rank" in error and "points fit" in error


def test_other_files(tmp_path, network):
    with pytest.raises(fathom.FileError, match="holds no Gram matrix"):
        fathom.open_gram(network)
    path = kernel(tmp_path, "small", "kernel.rows={every=60}")
    assert "the kernel ntk of 30 points" in subprocess.run([FATHOM, "show", path], check=True, capture_output=True, text=True).stdout
    assert "whole and symmetric" in subprocess.run([FATHOM, "verify", path], check=True, capture_output=True, text=True).stdout
    plan = subprocess.run([FATHOM, "plan", ROOT / "jobs/gram-digits.toml"], check=True, capture_output=True, text=True).stdout
    assert "599 points" in plan and "memory: " in plan
    other = subprocess.run([FATHOM, "kernel", ROOT / "jobs/gram-digits.toml", "-o", path], capture_output=True, text=True)
    assert other.returncode == 65 and "holds another matrix" in other.stderr
