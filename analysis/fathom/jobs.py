"""Jobs as dicts: read from TOML, written to it, and single values as `--set` takes them."""

import datetime
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

#: A job, or a table of one.
Job = dict[str, Any]


def read_job(path: str | Path) -> Job:
    """A job file as a dict. Raises `ValueError` with line and column where it is no TOML."""
    with open(path, "rb") as file:
        try:
            return tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path}: {error}") from None


def write_job(job: Mapping[str, Any], path: str | Path) -> Path:
    """Writes a dict as a job file, which `read_job` reads as the same dict; returns the path.

    NumPy's numbers and arrays, tuples and paths become what TOML has. Raises `ValueError` with the key of a value that it does not have.
    """
    path = Path(path)
    path.write_text(text_of(job), encoding="utf-8")
    return path


def text_of(job: Mapping[str, Any]) -> str:
    """A job as TOML."""
    return tomli_w.dumps(_plain(job, ""))


def inline(value: Any, key: str) -> str:
    """A value of a key on one line, as TOML writes it: `64`, `"tanh"`, `{ name = "shaped-relu", c_plus = 1.0 }`."""
    return _inline(_plain(value, key))


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        pairs = [f"{tomli_w.dumps({key: 0}).rpartition(' = ')[0]} = {_inline(item)}" for key, item in value.items()]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def _plain(value: Any, key: str) -> Any:
    """The value in the types of TOML; `key` names it in errors."""
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars, xarray's and pandas' columns
        value = value.tolist()
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise ValueError(f"{key or 'job'}: the key {name!r} is no text")
        return {name: _plain(item, f"{key}.{name}" if key else name) for name, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(item, f"{key}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, Path):
        return str(value)
    if value is None:
        raise ValueError(f"{key} = None: TOML has no None; leave the key out for its default")
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"{key} = nan: no key of a job takes it")
    if not isinstance(value, bool | int | float | str | datetime.date | datetime.time):
        raise ValueError(f"{key} = {value!r}: must be a number, a truth value, a text, a list or a dict")
    return value
