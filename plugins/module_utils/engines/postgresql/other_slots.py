# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slots of others on a new master: made anew as far as that can be; and slots that nobody uses any more: dropped.

Sources: PostgreSQL manual, "Replication Management Functions", "Replication Slots".
"""

from __future__ import annotations

import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from . import database

THERE = "SELECT slot_name FROM pg_replication_slots"
DATABASE = "SELECT datname FROM pg_database WHERE datname = %s OR oid::text = %s ORDER BY datname = %s DESC LIMIT 1"
VERSION = "SELECT current_setting('server_version_num')::int AS number"
#: the first that lets standbys have it, too
FAILOVER_SINCE = 170000
UNUSED = "SELECT slot_name FROM pg_replication_slots WHERE slot_name = ANY(%s) AND NOT active"
PLACE = "SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = %s"


def make(instance: Instance, act: bool, slots: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Make those that are not there; one that cannot be made is told and stops nothing."""
    made, trouble, begin = [], {}, {}
    with database.session(instance) as cursor:
        there = {row["slot_name"] for row in database.rows(cursor, THERE)}
        names = {slot["name"]: _database(cursor, slot["database"]) for slot in slots if not slot["physical"]}
        number = database.rows(cursor, VERSION)[0]["number"]
    for slot in slots:
        if slot["name"] in there:
            continue
        try:
            if act:
                lsn = _make(instance, slot, names.get(slot["name"]), number)
                begin.update({slot["name"]: lsn} if lsn else {})
            made.append(slot["name"])
        except MirroringError as error:
            trouble[slot["name"]] = str(error)
    return _answer(made, [], trouble=trouble, begin=begin)


def _database(cursor: t.Any, wanted: str | None) -> str | None:
    found = database.rows(cursor, DATABASE, (wanted, wanted, wanted))
    return str(found[0]["datname"]) if found else None


def _make(instance: Instance, slot: dict[str, t.Any], name: str | None, number: int) -> str | None:
    """Make one; return from where on a logical one gives changes."""
    if slot["physical"]:
        with database.session(instance) as cursor:
            cursor.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot["name"],))
        return None
    if name is None:
        raise MirroringError(f"there is no database {slot['database']}")
    further = [slot["failover"]] if number >= FAILOVER_SINCE else []
    values = [slot["name"], slot["plugin"], False, slot["two_phase"], *further]
    with database.session(instance, name) as cursor:
        places = ", ".join(["%s"] * len(values))
        cursor.execute(f"SELECT FROM pg_create_logical_replication_slot({places})", values)
        return str(database.rows(cursor, PLACE, (slot["name"],))[0]["lsn"])


def drop(instance: Instance, act: bool, slots: list[str]) -> dict[str, t.Any]:
    """Drop those that nobody uses; one that is in use stays."""
    with database.session(instance) as cursor:
        found = [str(row["slot_name"]) for row in database.rows(cursor, UNUSED, (slots,))]
        for name in found if act else []:
            cursor.execute("SELECT pg_drop_replication_slot(%s)", (name,))
    return _answer([], found)


def _answer(made: list[str], dropped: list[str], **further: t.Any) -> dict[str, t.Any]:
    return {
        "changed": bool(made or dropped),
        "made": made,
        "dropped": dropped,
        "trouble": {},
        "begin": {},
        "diff": {"before": "".join(f"{name}\n" for name in dropped), "after": "".join(f"{name}\n" for name in made)},
        **further,
    }
