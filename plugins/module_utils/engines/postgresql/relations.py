# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of relations that WAL knows by their files.

Source: PostgreSQL manual, "Database File Layout", "Database Object Location Functions".
"""

from __future__ import annotations

from ...host.errors import MirroringError
from ...host.module import Instance
from . import database

DATABASES = "SELECT oid::text AS oid, datname FROM pg_database"
DEFAULT_TABLESPACE = "SELECT dattablespace::text AS oid FROM pg_database WHERE datname = current_database()"
NAME = """
SELECT n.nspname || '.' || c.relname AS name, c.oid < 16384 AS system
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_filenode_relation(CASE WHEN %(space)s = %(default)s THEN 0 ELSE %(space)s::oid END, %(file)s::oid)
"""


def _names_in(instance: Instance, home: str, triples: list[list[str]]) -> dict[str, str | None]:
    """Return the names of the relations of one database; None for a system catalog."""
    found: dict[str, str | None] = {}
    with database.session(instance, home) as cursor:
        default = database.rows(cursor, DEFAULT_TABLESPACE)[0]["oid"]
        for space, number, file in triples:
            rows = database.rows(cursor, NAME, {"space": space, "default": default, "file": file})
            name = f"{home}: file {file} (not in the master)" if not rows else f"{home}.{rows[0]['name']}"
            found[f"{space}/{number}/{file}"] = None if rows and rows[0]["system"] else name
    return found


def names(instance: Instance, relations: list[str]) -> list[str]:
    """Ask each database for the names of its own."""
    triples = [each.split("/") for each in relations]
    with database.session(instance) as cursor:
        databases = {row["oid"]: row["datname"] for row in database.rows(cursor, DATABASES)}
    found: dict[str, str | None] = {}
    for number in sorted({triple[1] for triple in triples}):
        inside = [triple for triple in triples if triple[1] == number]
        if number in databases:
            try:
                found.update(_names_in(instance, databases[number], inside))
            except MirroringError:  # one that lets nobody in keeps its names for itself
                found.update({"/".join(each): f"database {databases[number]}: file {each[2]}" for each in inside})
        elif number != "0":  # shared catalogs
            found.update({"/".join(each): f"database {number}: file {each[2]} (not in the master)" for each in inside})
    return sorted(name for name in found.values() if name)
