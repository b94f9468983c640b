# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Putting the extension that has the views on a host, and into databases of its server.

Source: PostgreSQL manual, "Extension Building Infrastructure".
"""

from __future__ import annotations

import os
import typing as t

from ...host import files as host_files
from ...host import user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import text
from . import database, views


def in_database(instance: Instance, act: bool, name: str, extension: str) -> bool:
    """Create or update the extension; return whether it had to."""
    with database.session(instance, name) as cursor:
        if views.is_installed(cursor, extension):
            return False
        if act:
            cursor.execute("SELECT pg_advisory_lock(hashtext('hawq.mirroring'))")
            cursor.execute(f'CREATE EXTENSION IF NOT EXISTS "{extension}"')
            cursor.execute(f'ALTER EXTENSION "{extension}" UPDATE')
    return True


def _put(place: str, name: str, content: str, act: bool) -> bool:
    """Put a file of the extension into the engine's directory, whoever owns that; return whether it had to be."""
    path = os.path.join(place, name)
    if host_files.public(path) == content or not host_files.write(path, content, 0o644, act=False):
        return False
    if act:
        user_places.or_root(
            lambda: host_files.write(path, content, 0o644, act=True), "write_extension", place, name, content
        )
    return True


def install(
    instance: Instance, run: Runner, act: bool, *, extension: str, files: dict[str, str], databases: list[str]
) -> dict[str, t.Any]:
    """Put the files first, then change the databases."""
    place = views.directory(instance, run)
    changes = []
    if place is None and act:
        raise MirroringError(
            f"no extension directory belongs to {instance.bin_directory}: is the engine installed completely?"
        )
    for name, content in sorted(files.items()):
        if place is None or _put(place, name, content, act):
            changes.append(f"{place}/{name}\n")
    changes += [f"database {name}\n" for name in databases if in_database(instance, act, text.raw(name), extension)]
    return {"changed": bool(changes), "directory": place, "diff": {"before": "", "after": "".join(changes)}}
