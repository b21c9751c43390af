"""What the writers of the tables share."""

import json
import platform
from pathlib import Path


def read(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]


def pick(rows, value, **keys):
    """Best value of the rows with these fields."""
    return min(row[value] for row in rows if all(row.get(k) == v for k, v in keys.items()))


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


def flags():
    text = Path("/proc/cpuinfo").read_text()
    return "AVX-512" if "avx512f" in text else "AVX2" if "avx2" in text else "SSE"
