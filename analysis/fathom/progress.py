"""What the program prints while it runs, read for a progress bar."""

import re
import sys
from typing import Any

from tqdm.auto import tqdm

from .plots import short

#: The line that the program logs as often as `--progress-every` says.
PROGRESS = re.compile(r"fathom: (?P<path>.+): (?P<percent>\d+(?:\.\d+)?)%, (?P<facts>.+ left)$")
STARTED = re.compile(r"fathom: (?P<path>.+): (?:(?P<done>\d+) of )?(?P<all>\d+) \w+ (?:to make|in the file, \d+ to go)$")
LAYOUT = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"


def is_watched() -> bool:
    """Whether somebody sees a bar: on a terminal, or in a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None or sys.stderr.isatty()


def leg_name(path: str) -> str:
    """A leg as the bar calls it: its name, and its case if there are several."""
    case, _, leg = path.rpartition("/")
    name = leg if case in ("main", "") else f"{leg}, {short(case)}"
    return name if len(name) <= 48 else name[:47] + "…"


class Bar:
    """A bar of the leg that is being drawn, with the program's own rate and time left."""

    def __init__(self, shown: bool) -> None:
        self._bar: Any = tqdm(total=100.0, desc="fathom", bar_format=LAYOUT, disable=not shown, leave=True)
        self._path = ""

    def read(self, line: str) -> bool:
        """Moves by a line of the program; whether it was one that is only for the bar."""
        if found := PROGRESS.match(line):
            self._move(found["path"], float(found["percent"]), found["facts"])
            return True
        if found := STARTED.match(line):
            self._move(found["path"], 100.0 * int(found["done"] or 0) / max(int(found["all"]), 1), "")
        return False

    def _move(self, path: str, percent: float, facts: str) -> None:
        if path != self._path:
            self._path = path
            self._bar.reset(total=100.0)
            self._bar.set_description_str(leg_name(path), refresh=False)
        self._bar.n = percent
        self._bar.set_postfix_str(facts, refresh=False)
        self._bar.refresh()

    def close(self, finished: bool) -> None:
        """Leaves the bar as it stands, or full."""
        if finished:
            self._bar.n = 100.0
            self._bar.set_postfix_str("", refresh=False)
            self._bar.refresh()
        self._bar.close()
