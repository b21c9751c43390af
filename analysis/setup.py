"""The version is that of the program: of the file VERSION in a clone, of PKG-INFO in a source distribution."""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent
CLONE = HERE.parent / "VERSION"
KEPT = HERE / "PKG-INFO"

if KEPT.exists():
    version = re.search(r"^Version: (.+)$", KEPT.read_text(encoding="utf-8"), re.MULTILINE)[1]
else:
    version = CLONE.read_text(encoding="utf-8").strip()
setup(version=version)
