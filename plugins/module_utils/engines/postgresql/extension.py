# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Putting the extension that has the views on a host, and into databases of its server.

Source: PostgreSQL manual, "Extension Building Infrastructure".
"""

from __future__ import annotations

import functools
import os
import typing as t

from ...host import files as host_files
from ...host import user_places
from ...host.errors import MirroringError
from ...host.lock import alone
from ...host.module import Instance
from ...host.run import Runner
from ...values import text
from . import database, views

RELATIONS = ("gp_master_mirroring", "gp_segment_configuration", "hawq_mirroring_segment")
FUNCTIONS = ("hawq_mirroring_state()", "hawq_mirroring_master()", "hawq_mirroring_register(text, integer, text)")
#: what version 1.2 has beside
RELATIONS_OF_A_GUARD = (
    "gp_master_mirroring_history",
    "hawq_mirroring_change",
    "hawq_mirroring_released",
    "hawq_mirroring_wish",
    "hawq_mirroring_witness",
    "hawq_mirroring_word",
)
FUNCTIONS_OF_A_GUARD = (
    "hawq_mirroring_go_on_alone(bigint)",
    "hawq_mirroring_guard()",
    "hawq_mirroring_release(text)",
    "hawq_mirroring_wait_again(text)",
    "hawq_mirroring_witness(text, text, text)",
)
DEFAULT = "SELECT FROM pg_available_extensions WHERE name = %s AND default_version = '1.2'"
THERE = "SELECT FROM pg_extension WHERE extname = %s"
#: what bears a name that the extension needs, and is not the extension's own
FOREIGN = """
SELECT kind, name FROM (
    SELECT 'pg_class'::regclass AS class, oid, relnamespace AS schema, relname::text AS name,
           CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                        WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' WHEN 'i' THEN 'INDEX'
                        WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END AS kind
    FROM pg_class
    UNION ALL
    SELECT 'pg_type'::regclass, oid, typnamespace, typname::text, 'TYPE' FROM pg_type WHERE typrelid = 0
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, pronamespace, proname || '(' || oidvectortypes(proargtypes) || ')', 'ROUTINE'
    FROM pg_proc) found
WHERE schema = to_regnamespace('public') AND name = ANY(%s) AND NOT EXISTS (
    SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.classid = class AND d.objid = found.oid AND d.deptype = 'e'
      AND e.extname = %s)
ORDER BY name
"""


def in_database(instance: Instance, act: bool, name: str, extension: str) -> bool:
    """Create or update the extension; return whether it had to."""
    with database.session(instance, name) as cursor:
        if views.is_installed(cursor, extension):
            return False
        names = [*RELATIONS, *FUNCTIONS]
        if database.rows(cursor, DEFAULT, (extension,)):
            names += [*RELATIONS_OF_A_GUARD, *FUNCTIONS_OF_A_GUARD]
        foreign = database.rows(cursor, FOREIGN, (names, extension))
        if foreign:
            drops = "; ".join(f"DROP {row['kind']} public.{row['name']}" for row in foreign)
            raise MirroringError(
                f"somebody else has put {' and '.join(row['name'] for row in foreign)} into schema public of database"
                f" {name}, where the views need these names: look at it, and if nobody needs it: {drops}; then run"
                " this again"
            )
        if act:
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


def remove(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    extension: str,
    files: dict[str, str],
    databases: list[str],
    everywhere: bool = False,
) -> dict[str, t.Any]:
    """Drop it in these databases first, or ``everywhere``, then take its files away.

    Databases are renamed, and new ones get it from their template.
    """
    changes = []
    with alone(act and (everywhere or bool(databases))):
        for name in database.names(instance) if everywhere else databases:
            with database.session(instance, text.raw(name)) as cursor:
                if database.rows(cursor, THERE, (extension,)):
                    changes.append(f"database {name}\n")
                    if act:
                        cursor.execute(f'DROP EXTENSION "{extension}"')
    place = views.directory(instance, run)
    ours = [name for name in os.listdir(place) if name in files or name.startswith(f"{extension}--")] if place else []
    for name in sorted(ours):
        changes.append(f"{place}/{name}\n")
        if act and place:
            unlink = functools.partial(os.unlink, os.path.join(place, name))
            user_places.or_root(unlink, "unlink_extension", place, name)
    return {"changed": bool(changes), "directory": place, "diff": {"before": "".join(changes), "after": ""}}


def install(
    instance: Instance, run: Runner, act: bool, *, extension: str, files: dict[str, str], databases: list[str]
) -> dict[str, t.Any]:
    """Put the files first and take away those of other versions, then change the databases."""
    place = views.directory(instance, run)
    changes = []
    if place is None and act:
        raise MirroringError(
            f"no extension directory belongs to {instance.bin_directory}: is the engine installed completely?"
        )
    for name, content in sorted(files.items()):
        if place is None or _put(place, name, content, act):
            changes.append(f"{place}/{name}\n")
    # an older script may have what a newer one has mended
    there = os.listdir(place) if place else []
    for name in sorted(name for name in there if name.startswith(f"{extension}--") and name not in files):
        changes.append(f"{place}/{name} (taken away)\n")
        if act and place:
            unlink = functools.partial(os.unlink, os.path.join(place, name))
            user_places.or_root(unlink, "unlink_extension", place, name)
    with alone(act and bool(databases)):
        changes += [f"database {name}\n" for name in databases if in_database(instance, act, text.raw(name), extension)]
    return {"changed": bool(changes), "directory": place, "diff": {"before": "", "after": "".join(changes)}}
