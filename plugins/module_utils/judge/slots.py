# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Other people's slots: logical ones and physical ones that no standby of ours uses, and what becomes of them. Pure.

Sources: PostgreSQL manual, "Logical Decoding Concepts" (replication slots, their synchronisation), "Logical Replication
Failover", "Replication" (max_slot_wal_keep_size).
"""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import conninfo, lsn
from ..values.command import again, playbook
from ..values.observation import Observation, Slot
from ..values.text import MEBIBYTE, named, size
from . import topology
from .options import Options
from .plan import OtherSlots, SlotToMake
from .refusal import AGAIN, Refusal

#: choices of the option other_slots
REFUSE, LOSE, REMAKE = "refuse", "lose", "remake"
PREFIX = conninfo.slot_name("")
#: of a takeover in which nobody takes over
NONE: OtherSlots = {"known": True, "lost": [], "kept": [], "make": []}
#: of the room that there is for WAL, so much in a hundred may be kept where others rely on it, too
SHARE = 80


def is_ours(row: Slot) -> bool:
    """Whether this collection has made a slot, for a standby."""
    return row["physical"] and row["name"].startswith(PREFIX)


def of(seen: Observation) -> list[Slot] | None:
    """Return the lasting slots of a server, or those in the data of one that gives no session; None if not known."""
    if topology.kind(seen) == topology.UNREACHABLE:
        return None
    rows = seen["server"]["slots"] if seen["server"] else seen.get("slot_files")
    return None if rows is None else [row for row in rows if not row["temporary"]]


def others(seen: Observation) -> list[Slot]:
    """Return the slots of others on a host."""
    return [row for row in of(seen) or [] if not is_ours(row)]


def has(seen: Observation, row: Slot) -> bool:
    """Whether a standby has such a slot, too: from its master, or because somebody has made it there."""
    return any(
        (mine["name"], mine["physical"]) == (row["name"], row["physical"]) and not mine["lost"]
        for mine in of(seen) or []
    )


def lost_by_a_swap(source: Observation, seen: Observation) -> list[Slot]:
    """Return the slots of others that a standby would not have as the master; one that has ended is lost already."""
    return [row for row in others(source) if not row["lost"] and not has(seen, row)]


def words(row: Slot, source: Observation) -> str:
    """Return a slot as people know it: what it is, for whom, and up to where."""
    if row["physical"]:
        parts = ["physical", f"keeps WAL from {row['keeps_from']}" if row["keeps_from"] else "keeps no WAL"]
    else:
        parts = [
            f"logical, {row['plugin']}" if row["plugin"] else "logical",
            f"database {named(_database(row, source))}",
            f"confirmed up to {row['confirmed_lsn']}" if row["confirmed_lsn"] else "nothing confirmed",
        ]
    server = source["server"]
    user = next((each for each in (server["senders"] if server else []) if each["pid"] == row["active_pid"]), None)
    if row["active"]:
        place = (user["address"] or "its own host").split("/")[0] if user else ""
        parts.append(f"used by {named(user['name'])} at {place}" if user else "in use")
    return f"{row['name']} ({', '.join(parts)})"


def _database(row: Slot, *sources: Observation) -> str:
    """Return the name of a slot's database, or its number where no server tells."""
    number = row["database"] or ""
    known = [seen["server"].get("database_names") or {} for seen in sources if seen.get("server")]
    return next((names[number] for names in known if number in names), number)


def refusals(source: Observation, seen: Observation, pair: t.Any, options: Options) -> list[Refusal]:
    """Their consumers lose their place with the master: only when that is said."""
    if (options.get("other_slots") or REFUSE) != REFUSE or not table.of(source).keeps_wal_for_standby:
        return []
    rows = lost_by_a_swap(source, seen)
    if not rows:
        return []
    logical = [row["name"] for row in rows if not row["physical"]]
    gap = f" (the consumers of {', '.join(logical)} may miss changes)" if logical else ""
    return [
        Refusal(
            "other-slots",
            f"{pair.master} has slots that {pair.standby} would not have as the master:"
            f" {'; '.join(words(row, source) for row in rows)}",
            "whoever reads through them would lose its place",
            f"To have them made anew on {pair.standby}{gap}: {again(other_slots='remake')}. To let them go:"
            f" {again(other_slots='lose')}",
        )
    ]


def plan(old: str | None, new: str, observations: topology.Observations, options: Options) -> OtherSlots:
    """Return what becomes of the slots of others when a standby takes over."""
    seen = observations[new]
    source = observations.get(old or "")
    if source is None or topology.system_identifier(source) != topology.system_identifier(seen):
        # nobody can look at the old master, or what is there is not the master's data
        return {"known": False, "lost": [], "kept": [], "make": []}
    engine, rows = table.of(source), lost_by_a_swap(source, seen)
    remake = options.get("other_slots") == REMAKE and engine.keeps_wal_for_standby
    kept = [row for row in others(source) if row not in rows and not row["lost"]]
    named_there = {**source, "server": source["server"] or seen["server"]} if seen["server"] else source
    return {
        "known": True,
        "lost": [] if remake else [_told(row, source, named_there) for row in rows],
        "kept": [row["name"] for row in kept],
        "make": [_to_make(row, source, seen) for row in rows] if remake else [],
    }


def _told(row: Slot, source: Observation, known: Observation) -> str:
    return words({**row, "database": _database(row, known)}, source)


def _to_make(row: Slot, source: Observation, seen: Observation) -> SlotToMake:
    return {
        "name": row["name"],
        "physical": row["physical"],
        "plugin": row["plugin"],
        "database": _database(row, source, seen) or None,
        "two_phase": row["two_phase"],
        "failover": row["failover"],
        "confirmed_lsn": row["confirmed_lsn"],
    }


def before(found: OtherSlots) -> list[str]:
    """Return the slots that are made before the promotion: so no WAL is missing for them."""
    return [row["name"] for row in found["make"] if row["physical"]]


def wal_limit(source: Observation, keep_megabytes: int) -> int | None:
    """Return the limit of kept WAL in megabytes that ends nobody's slot before the disk would; None: set none.

    There is one limit for all slots. Where others have some it is what the disk can hold, since a full disk ends the
    master, and their slots with it.
    """
    rows = [row for row in others(source) if not row["lost"]]
    if not rows:
        return keep_megabytes
    room = source["data_directory"]["wal_free_bytes"] + (source["server"]["wal_bytes"] or 0)
    limit = max(keep_megabytes, room * SHARE // 100 // MEBIBYTE)
    return None if max(row["retained_bytes"] or 0 for row in rows) >= limit * MEBIBYTE else limit


def stale(name: str, seen: Observation) -> list[tuple[Slot, int]]:
    """Return slots that nobody uses on a running standby and that it has not from its master, with the WAL they keep.

    They are of its life as a master, or somebody has made them there.
    """
    server = seen["server"]
    if topology.kind(seen) != topology.STANDBY or not server:
        return []
    found = [
        row for row in others(seen) if not row["active"] and not row["synced"] and row["keeps_from"] and not row["lost"]
    ]
    return [(row, max(0, lsn.distance(server["have_lsn"], row["keeps_from"]) or 0)) for row in found]


def left(seen: Observation) -> list[str]:
    """Return the slots in the data of a former master that is no server's now: none of them is of a standby's life."""
    directory = seen["data_directory"]
    if seen["server"] or not directory["fenced"] or directory["removed"]:
        return []
    return [name for name in directory["slots"] if not name.startswith(PREFIX)]


def drop(name: str, seen: Observation, rows: t.Iterable[str]) -> str:
    """Return what drops slots on a host."""
    drops = table.of(seen).words.drop_slot
    return f"on {name}: {table.typed(seen, (drops.format(name=each) for each in rows))}"


def must_be_synchronised(source: Observation) -> list[Slot]:
    """Return the slots that standbys are to have, of an engine that can give them."""
    server, since = source["server"], table.of(source).synchronises_slots_since
    if since is None or server["settings"]["version_major"] < since:
        return []
    return [row for row in others(source) if row["failover"] and not row["lost"]]


def database_of(seen: Observation) -> str | None:
    """Return the database that a standby synchronises its slots through."""
    return seen["follows"].get("database") if topology.kind(seen) != topology.UNREACHABLE else None


def synchronise(source: Observation, seen: Observation) -> bool:
    """Whether a standby is to get slots from its master; once told, it stays so."""
    return bool(database_of(seen) or must_be_synchronised(source))


def database(source: Observation) -> str:
    """Return the database that slots are synchronised through."""
    return table.of(source).words.databases[0]


def through(source: Observation) -> dict[str, str]:
    """Return what the connection of a standby has beside, so that it gets slots."""
    return {"dbname": database(source)}


def connection(seen: Observation) -> dict[str, str]:
    """Return the same of a standby that is told already, for others that follow in its place."""
    told = database_of(seen)
    return {"dbname": told} if told else {}


def settings(source: Observation) -> dict[str, str]:
    """Return what a standby needs to get slots from its master."""
    names = table.of(source).words.settings
    return {names["synchronise slots"]: "on", names["feedback"]: "on"}


def in_step(source: Observation, slot: str) -> dict[str, str]:
    """Return what lets no consumer of such a slot get ahead of a standby, where that is not set yet."""
    if not must_be_synchronised(source):
        return {}
    name = table.of(source).words.settings["slots in step"]
    now = _names(source, name)
    return {} if slot in now else {name: ",".join([*now, slot])}


def _names(source: Observation, name: str) -> list[str]:
    row: t.Any = (source["server"].get("configured") or {}).get(name) or {}
    return [word.strip().strip('"') for word in row.get("value", "").split(",") if word.strip()]


def without(source: Observation, slot: str) -> dict[str, str | None]:
    """Return the setting that names a standby's slot, without it: consumers would wait for ever for who is gone."""
    if table.of(source).synchronises_slots_since is None:
        return {}
    name = table.of(source).words.settings["slots in step"]
    now = _names(source, name)
    left_ = [each for each in now if each != slot]
    return {name: ",".join(left_)} if left_ != now else {}


def limit_before(source: Observation) -> dict[str, str | None]:
    """Return what takes the limit of kept WAL back to what it was, where it is still the one that was set here."""
    mark = (source["server"].get("kept_wal_mark") or "").split()
    limit, words_ = source["server"]["settings"]["kept_wal_limit_bytes"], table.of(source).words
    if len(mark) != 2 or limit is None or str(limit // MEBIBYTE) != mark[0]:
        return {}
    was = None if int(mark[1]) < 0 else words_.values["kept wal"].format(megabytes=mark[1])
    return {words_.settings["kept wal"]: was}


def used_before(source: Observation, seen: Observation, slot: str) -> list[dict[str, str]]:
    """Return another slot on the master that a standby gets its WAL through, as both of them say."""
    receiver = seen["server"]["receiver"] if topology.kind(seen) == topology.STANDBY and seen["server"] else None
    if not receiver or receiver["slot"] in (None, "", slot):
        return []
    row, sender = topology.slot_of(source, receiver["slot"]), topology.sender_of(source, receiver["slot"])
    own = seen["machine"]["addresses"]
    proven = row and row["physical"] and sender and sender["address"] and sender["address"].split("/")[0] in own
    return [{"name": str(receiver["slot"])}] if proven else []


def unsynchronised(source: Observation, seen: Observation) -> list[Slot]:
    """Return the slots that a standby ought to have from its master and has not."""
    return [row for row in must_be_synchronised(source) if not has(seen, row)] if seen["server"] else []


def raise_limit(master: str, source: Observation) -> str:
    """Return what gives slots all the room that there is."""
    words_, room = table.of(source).words, source["data_directory"]["wal_free_bytes"]
    megabytes = (room + (source["server"]["wal_bytes"] or 0)) * SHARE // 100 // MEBIBYTE
    value = words_.values["kept wal"].format(megabytes=max(1, megabytes))
    sets = words_.set_setting.format(name=words_.settings["kept wal"], value=value)
    return f"on {master}: {table.typed(source, [sets, words_.reload])}"


def limit_refusal(master: str, source: Observation, keep_megabytes: int) -> list[Refusal]:
    """A limit that somebody's slot is behind already would end it at the next checkpoint: that is the operator's."""
    now = source["server"]["settings"]["kept_wal_limit_bytes"]
    if not table.of(source).limits_kept_wal or now is not None or wal_limit(source, keep_megabytes) is not None:
        return []
    rows = sorted(others(source), key=lambda row: row["retained_bytes"] or 0, reverse=True)
    first = rows[0]
    return [
        Refusal(
            "slot-would-be-lost",
            f"slot {words(first, source)} on {master} keeps {size(first['retained_bytes'] or 0)} of WAL",
            "any limit that protects the master's disk would end it",
            f"Let its consumer catch up, or {drop(master, source, [first['name']])}, {AGAIN}",
        )
    ]


def given() -> str:
    """Return what gives a standby the slots that it ought to have."""
    return str(playbook("init_standby"))
