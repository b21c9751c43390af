"""docs/samples.md: every block runs, and prints what stands below it; the networks of PyTorch where it is installed."""

import numpy as np
import pytest
from conftest import ROOT
from pages import blocks, run_page

import fathom

PAGE = (ROOT / "docs/samples.md").read_text()


pytestmark = pytest.mark.usefixtures("here")


def test_the_page_runs():
    assert run_page(PAGE) >= 5


def test_the_networks_of_pytorch_are_those_of_numpy():
    (block,) = blocks(PAGE, "py")
    compile(block.text, "docs/samples.md", "exec")
    pytest.importorskip("torch")
    scope: dict = {}
    exec(block.text, scope)
    numpy_block, *_ = blocks(PAGE, "python")
    own: dict = {}
    exec(numpy_block.text, own)
    torch_rows = {name: np.array(rows) for name, rows in scope["network"]().items()}
    found = fathom.compare(torch_rows, own["network"](), axis=("layer", [1, 3]), tolerance=0.1)
    assert found.verdict == "agrees", found.sentence
