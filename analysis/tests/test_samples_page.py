"""docs/samples.md: every block runs, and prints what stands below it; the networks of PyTorch where it is installed."""

import contextlib
import io
import re

import numpy as np
import pytest
from conftest import ROOT

import fathom

PAGE = (ROOT / "docs/samples.md").read_text()


pytestmark = pytest.mark.usefixtures("here")


def blocks(kinds):
    return re.findall(rf"```({kinds})\n(.*?)```", PAGE, flags=re.S)


def test_the_page_runs():
    found = blocks("python|text")
    assert [kind for kind, _ in found] == ["python", "text"] * (len(found) // 2) and len(found) >= 10
    scope: dict = {}
    for (_, code), (_, expected) in zip(found[::2], found[1::2], strict=True):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, scope)
        assert printed.getvalue().splitlines() == expected.splitlines(), printed.getvalue()


def test_the_networks_of_pytorch_are_those_of_numpy():
    ((_, code),) = blocks("py")
    compile(code, "docs/samples.md", "exec")
    pytest.importorskip("torch")
    scope: dict = {}
    exec(code, scope)
    ((_, numpy_code), *_) = blocks("python")
    own: dict = {}
    exec(numpy_code, own)
    torch_rows = {name: np.array(rows) for name, rows in scope["network"]().items()}
    found = fathom.compare(torch_rows, own["network"](), axis=("layer", [1, 3]), tolerance=0.1)
    assert found.verdict == "agrees", found.sentence
