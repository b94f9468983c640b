# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine's programs on one host, and what is wrong with them."""

from __future__ import annotations

import importlib
import os
import re
import sys
import typing as t

from ...host.module import Instance
from ...host.run import Runner
from ..table import POSTGRESQL
from . import database, locating


def psycopg2_version() -> str | None:
    """Return the version of psycopg2 as this Python loads it, or None."""
    try:
        psycopg2 = importlib.import_module("psycopg2")
    except ImportError:
        return None
    return str(psycopg2.__version__).partition(" ")[0]


def executable(path: str) -> bool:
    """Whether a path is a program."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def problems(
    directory: str, wanted: int, found: list[str], missing: list[str], version: str | None, answer: str
) -> t.Iterator[str]:
    """Say what is wrong with the programs, in sentences."""
    if not found:
        yield f"There is no PostgreSQL in {directory}."
    elif missing:
        yield f"{directory} has no {', '.join(missing)}."
    if "postgres" in found and version is None:
        yield f"{directory}/postgres --version does not tell its version: {answer.strip() or 'it says nothing'}."
    elif version is not None and wanted and not re.match(rf"{wanted}(?!\d)", version):
        yield f"{directory}/postgres is version {version}, but {wanted} is wanted."


def look(run: Runner, directory: str, wanted: int) -> dict[str, t.Any]:
    """Look, and judge only what was asked for; what is not said (empty, 0) is as the host has it or would get it."""
    nowhere = Instance("", directory, "/nonexistent", "/nonexistent", "", "", 0)
    at = locating.locate(nowhere, run, wanted)
    directory, wanted = at.directory, wanted or (0 if directory else at.wanted or 0)
    programs = POSTGRESQL.programs
    found = [name for name in programs if executable(os.path.join(directory, name))]
    missing = [name for name in programs if name not in found]
    version: str | None = None
    answer = ""
    if "postgres" in found:
        _code, output, errors = run([os.path.join(directory, "postgres"), "--version"])
        match = re.search(r"\(PostgreSQL\) (\d\S*)", output)
        version, answer = match.group(1) if match else None, errors or output
    wrong = list(problems(directory, wanted, found, missing, version, answer))
    complete = not wrong
    psycopg2 = psycopg2_version()
    if psycopg2 is None:
        wrong.append(f"{sys.executable} cannot load psycopg2: {database.missing_library()}.")
    return {
        "changed": False,
        "directory": directory,
        "found": found,
        "missing": missing,
        "version": version,
        "psycopg2": psycopg2,
        "complete": complete,
        "problems": wrong,
    }
