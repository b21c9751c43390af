"""docs/python.md: every block runs, and prints what stands below it."""

import contextlib
import io
import re

from conftest import FATHOM, ROOT


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FATHOM", str(FATHOM))
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
        monkeypatch.setenv(name, "1")
    blocks = re.findall(r"```(python|text)\n(.*?)```", (ROOT / "docs/python.md").read_text(), flags=re.S)
    assert [kind for kind, _ in blocks] == ["python", "text"] * (len(blocks) // 2) and len(blocks) > 8
    scope: dict = {}
    for (_, code), (_, expected) in zip(blocks[::2], blocks[1::2], strict=True):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, scope)
        assert [line.rstrip() for line in printed.getvalue().splitlines()] == expected.splitlines(), printed.getvalue()
