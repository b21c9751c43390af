"""Runs a page of the docs: its blocks in their order, in the current folder, and what they print against what stands below them.

| block | what is done with it |
|---|---|
| ` ```toml NAME ` | written to the file NAME |
| ` ```sh ` | run by bash in the folder, up to the first command that fails, which the page must not have |
| ` ```python ` | run; all blocks of a page share their names |
| ` ```text ` | the standard output of the block above it, without blanks at the ends of lines |
| ` ```text times ` | the same, but durations and sizes in bytes may differ, and how many node hours they come to |

In an output, a line `…` stands for any number of lines, and a line that ends in ` …` for every line that begins so. A block of Python
that prints has an output; of commands the output may be left out. All other blocks are for the reader only.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conftest import FATHOM

FENCE = re.compile(r"^```([a-z]*)(?: ([^\n`]*))?\n(.*?)^```$", flags=re.S | re.M)
TIMES = re.compile(r" \([^()]* as the speed varied\)|(under )?\b[\d.]+ (ms|s|min|h|days|node hours|B|[KMG]iB)\b")


@dataclass
class Block:
    language: str
    words: str
    text: str
    line: int


def blocks(page: str, *languages: str) -> list[Block]:
    """The blocks of these languages, or all of them."""
    found = (Block(m[1], m[2] or "", m[3], page.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(page))
    return [block for block in found if not languages or block.language in languages]


def differences(printed: str, block: Block) -> list[str]:
    """The lines of an output that are not what the page shows; none if all are."""

    def lines(text: str) -> list[str]:
        kept = [line.rstrip() for line in text.splitlines()]
        return [TIMES.sub("", line) for line in kept] if block.words == "times" else kept

    shown, found = lines(block.text), lines(printed)
    patterns = ["(?:.*\n)*?" if s == "…" else re.escape(s.removesuffix("…")) + (".*" if s.endswith(" …") else "") + "\n" for s in shown]
    if re.fullmatch("".join(patterns), "".join(line + "\n" for line in found)):
        return []
    return [f"line {block.line}: the page shows", *shown, "and this was printed", *found]


def shell(commands: str) -> str:
    path = os.pathsep.join([str(FATHOM.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{commands}ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def run_page(page: str) -> int:
    """Runs the page; the number of outputs that were compared. Fails with the first one that differs."""
    scope: dict = {}
    printed, compared = "", 0
    runnable = blocks(page, "toml", "sh", "python", "text")
    for block, after in zip(runnable, [*runnable[1:], None], strict=True):
        if block.language == "toml" and block.words:
            Path(block.words).write_text(block.text)
        elif block.language == "sh":
            printed = shell(block.text)
        elif block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block.text, f"block at line {block.line}", "exec"), scope)
            printed = out.getvalue()
            assert printed == "" or (after and after.language == "text"), f"line {block.line}: nothing shows {printed}"
        elif block.language == "text":
            wrong = differences(printed, block)
            assert not wrong, "\n".join(wrong)
            compared += 1
    return compared
