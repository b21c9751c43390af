"""Tables as pandas and NumPy write them are read as they were meant, or refused with a way out."""

import subprocess

import numpy as np
import pandas as pd
import pytest
from conftest import FATHOM

ROWS = [0, 3, 11]
JOB = """
seed = 7
[network]
architecture = "mlp"
activation = "relu"
width = 8
depth = 4
draws = 200
inputs = {{ rows = {rows}, {inputs} }}
"""


@pytest.fixture(scope="module")
def frame():
    return pd.DataFrame(np.random.default_rng(5).normal(size=(12, 3)), columns=["a", "b b", 'c,"d"'])


def gap(frame, row):
    frame = frame.copy()
    frame.iloc[row, 0] = np.nan
    return frame


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Runs a job with these inputs; its log and the digest of its result, None where it is refused."""

    def run(write, name, keys=""):
        folder = tmp_path_factory.mktemp("tables")
        write(folder / name)
        (folder / "job.toml").write_text(JOB.format(rows=ROWS, inputs=", ".join([f'file = "{name}"'] + [keys] * bool(keys))))
        made = subprocess.run([FATHOM, "run", "job.toml"], cwd=folder, capture_output=True, text=True)
        if made.returncode != 0:
            assert made.returncode == 65, made.stderr
            return made.stderr, None
        return made.stderr, subprocess.run(
            [FATHOM, "digest", "job.h5"], cwd=folder, capture_output=True, text=True, check=True
        ).stdout  # fmt: skip

    return run


@pytest.fixture(scope="module")
def truth(frame, read):
    return read(lambda path: np.save(path, frame.to_numpy()), "t.npy")[1]


WRITERS = {
    "csv": (lambda f, path: f.to_csv(path, index=False), "", "3 columns, 12 rows, header: a, b b, c,"),
    "index": (lambda f, path: f.to_csv(path), 'drop = [""]', "4 columns, 12 rows"),
    "bare": (lambda f, path: f.to_csv(path, index=False, header=False), "", "3 columns, 12 rows, no header"),
    "mark": (lambda f, path: f.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n"), "", "header: a,"),
    "quoted": (lambda f, path: f.to_csv(path, index=False, quoting=1), "", "header: a,"),
    "semicolons": (lambda f, path: f.to_csv(path, index=False, sep=";"), "", "separated by semicolons"),
    "tabs": (lambda f, path: f.to_csv(path, index=False, sep="\t"), "", "separated by tabs"),
    "numbered": (lambda f, path: f.set_axis(range(3), axis=1).to_csv(path, index=False), "header = true", "header: 0, 1, 2"),
    "text": (lambda f, path: f.assign(kind="x").to_csv(path, index=False), 'drop = ["kind"]', "4 columns, 12 rows"),
    "gap": (lambda f, path: gap(f, 5).to_csv(path, index=False), "", "3 columns, 12 rows"),
    "savetxt": (lambda f, path: np.savetxt(path, f), "", "separated by spaces, no header"),
    "savetxt-names": (lambda f, path: np.savetxt(path, f, delimiter=",", header="a,b,c"), "", "header: a, b, c"),
    "savetxt-spaces": (lambda f, path: np.savetxt(path, f, header="a b c"), "", "header: a, b, c"),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_is_read(kind, frame, read, truth):
    write, keys, words = WRITERS[kind]
    log, digest = read(lambda path: write(frame, path), "t.csv", keys)
    assert words in log and digest == truth and truth, log


REFUSED = {
    "index": (lambda f, path: f.to_csv(path), "column 1 has no name"),
    "index without header": (lambda f, path: f.to_csv(path, header=False), "counts the rows from 0"),
    "numbered": (lambda f, path: f.set_axis(range(3), axis=1).to_csv(path, index=False), "header = true"),
    "numbered index": (lambda f, path: f.set_axis(range(3), axis=1).to_csv(path), "header = true"),
    "gap": (lambda f, path: gap(f, 3).to_csv(path, index=False, na_rep="NA"), 'line 5, column 1 (a): "NA"'),
    "gap on top": (lambda f, path: gap(f, 0).to_csv(path, index=False, header=False, na_rep="NA"), 'line 1, column 1 ("NA")'),
    "decimal comma": (lambda f, path: f.to_csv(path, index=False, sep=";", decimal=","), "decimal comma"),
    "UTF-16": (lambda f, path: f.to_csv(path, index=False, encoding="utf-16"), "UTF-16"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_is_refused(kind, frame, read):
    write, words = REFUSED[kind]
    log, digest = read(lambda path: write(frame, path), "t.csv")
    assert digest is None and words in log, log


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", "<i4", ">u2", "?"])
def test_arrays(kind, order, frame, read):
    values = np.asarray(frame.to_numpy() * 100 + 500).astype(kind)
    _, array = read(lambda path: np.save(path, np.asarray(values, order=order)), "t.npy")
    _, text = read(lambda path: np.savetxt(path, values.astype(float), delimiter=","), "t.csv", "header = false")
    assert array == text and array


def test_objects_are_not_unpickled(frame, read):
    log, digest = read(lambda path: np.save(path, frame.astype(object).to_numpy(), allow_pickle=True), "t.npy")
    assert digest is None and "never unpickled" in log
