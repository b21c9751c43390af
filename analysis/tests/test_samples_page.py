"""docs/samples.md: every block runs, and prints what stands below it; the networks of PyTorch run where somebody has installed it."""

from importlib.util import find_spec

import numpy as np
import pytest
from conftest import ROOT
from pages import blocks, run_page

import fathom

PAGE = (ROOT / "docs/samples.md").read_text()


pytestmark = pytest.mark.usefixtures("here")


def test_the_page_runs():
    assert run_page(PAGE) >= 5


def test_the_networks_of_other_libraries_are_those_of_numpy():
    numpy_block, *_ = blocks(PAGE, "python")
    own: dict = {}
    exec(numpy_block.text, own)
    # The page's 2,000 in less time.
    own["draws"] = 800
    for block, library in zip(blocks(PAGE, "py"), ("torch", "jax"), strict=True):
        code = compile(block.text, f"docs/samples.md: {library}", "exec")
        if library == "torch" and not find_spec("torch"):
            # A gigabyte from PyPI: only its syntax is checked then.
            continue
        scope: dict = {}
        exec(code, scope)
        scope["draws"] = own["draws"]
        rows = {name: np.array(values) for name, values in scope["network"]().items()}
        found = fathom.compare(rows, own["network"](), axis=("layer", [1, 3]), tolerance=0.25)
        assert found.verdict == "agrees", f"{library}: {found.sentence}"
