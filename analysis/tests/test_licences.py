"""docs/licences.md says of every dependency what the dependency says of itself."""

import subprocess
import sys

from conftest import ROOT


def test_every_dependency_is_listed_with_its_licence():
    check = subprocess.run([sys.executable, ROOT / "tools/licences.py", "check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr
