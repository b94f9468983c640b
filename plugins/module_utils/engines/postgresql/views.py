# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The extension that has the views: its files on a host, and the databases that it is installed in.

Source: PostgreSQL manual, "Extension Building Infrastructure".
"""

from __future__ import annotations

import os
import typing as t

from ...host import files, programs
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import observation, text
from . import database

EXTENSION = "hawq_mirroring"
#: where every new database gets it from, and where it is looked for
ALWAYS = database.DATABASES
INSTALLED = """
SELECT a.default_version, e.extversion FROM pg_available_extensions a
LEFT JOIN pg_extension e ON e.extname = a.name WHERE a.name = %s
"""


def directory(instance: Instance, run: Runner) -> str | None:
    """Return the engine's extension directory, as its own pg_config says, or beside its programs."""
    program = instance.program("pg_config")
    candidates = []
    if os.access(program, os.X_OK):
        code, output, _errors = run([program, "--sharedir"], timeout=10)
        if code == 0:
            candidates.append(output.strip())
    prefix = os.path.dirname(os.path.realpath(instance.bin_directory))
    candidates += [os.path.join(prefix, "share", "postgresql"), os.path.join(prefix, "share")]
    found = [os.path.join(path, "extension") for path in candidates]
    return next((path for path in found if os.path.exists(os.path.join(path, "plpgsql.control"))), None)


def is_installed(cursor: t.Any, extension: str) -> bool:
    """Whether the database of the session has the extension in the version of its files."""
    found = database.rows(cursor, INSTALLED, (extension,))
    return bool(found) and found[0]["extversion"] == found[0]["default_version"]


def observe(
    instance: Instance, run: Runner, server: observation.Server | None, further: list[str]
) -> observation.Views:
    """Return the digests of its files that are root's own, and those of the databases of a master that have it."""
    place = directory(instance, run)
    names = [name for name in os.listdir(place) if name.startswith(EXTENSION)] if place else []
    digests = {name: programs.digest(files.public(f"{place}/{name}")) for name in names}
    wanted = (*ALWAYS, *further) if server and not server["standby"] else ()
    return {"files": digests, "databases": [name for name in wanted if _has(instance, name)]}


def _has(instance: Instance, name: str) -> bool:
    try:
        with database.session(instance, text.raw(name)) as cursor:
            return is_installed(cursor, EXTENSION)
    except MirroringError:
        return False
