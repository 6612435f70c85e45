"""Whether this Python has what the engine was written and tested with. Imports none of it, so that it can say so."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

UNFIT = 78
"""Exit code where it has not; the last line printed says what to install."""

LEAST_PYTHON = (3, 11)
EXACT = ("torch", "transformers", "peft")
"""Packages whose results or interfaces change between versions; of the others any version will do."""

FILE = Path(__file__).parent.parent / "requirements.txt"


def pins() -> dict[str, str]:
    """Package to version, as requirements.txt says."""
    lines = (line.split("#")[0].strip() for line in FILE.read_text().splitlines())
    return dict(line.split("==", 1) for line in lines if line)


def missing() -> str | None:
    """What is wrong and what to do, in one line; None where all is well. A local build (2.13.0+cu130) counts as its version."""
    if sys.version_info < LEAST_PYTHON:
        return f"{sys.executable} is Python {sys.version.split()[0]}; the engine needs {'.'.join(map(str, LEAST_PYTHON))} or later"
    wrong = []
    for name, wanted in pins().items():
        try:
            found = version(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if name in EXACT and found.split("+")[0] != wanted:
            wrong.append(f"{name} is {found} instead of {wanted}")
    if not wrong:
        return None
    return f"{sys.executable}: {', '.join(wrong)}; install what the engine needs: {sys.executable} -m pip install -r {FILE}"


def require() -> None:
    """Ends the process where something is missing."""
    what = missing()
    if what is not None:
        print(what, file=sys.stderr, flush=True)
        sys.exit(UNFIT)
