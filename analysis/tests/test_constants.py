"""The polynomials of the program are those that analysis/reference/minimax.py derives."""

import re
import subprocess
import sys

from conftest import ROOT


def test_the_sources_hold_the_minimax_polynomials():
    made = subprocess.run([sys.executable, ROOT / "analysis/reference/minimax.py"], check=True, capture_output=True, text=True).stdout
    sources = "".join((ROOT / path).read_text() for path in ("Sources/Randomness/NormalKernel.swift", "Sources/Kernels/Elementary.swift"))
    constants = [float.fromhex(x) for x in re.findall(r"^ +(\S+)$", made, re.MULTILINE)]
    held = {float.fromhex(x) for x in re.findall(r"0x[01]\.[0-9a-f]+p[+-]\d+", sources)}
    assert len(constants) == 42
    assert [x.hex() for x in constants if abs(x) not in held and abs(x) != 1] == []
