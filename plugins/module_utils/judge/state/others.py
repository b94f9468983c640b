# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between the two, what archives and reads WAL beside us, and what a swap would take away. Pure.

Sources: PostgreSQL manual, "Continuous Archiving", "Logical Replication Failover".
"""

from __future__ import annotations

from ...engines import table
from ...values.command import playbook
from ...values.observation import Archiver, Observation
from ...values.text import moment, size
from .. import differences, slots, topology
from .group import Finding, Group, finding, is_away, on, systemctl

#: WAL that a slot without a user may keep on a standby before that is more than a note
STALE_BYTES = 1 << 30


def findings(group: Group) -> list[Finding]:
    """Return what a swap would take away, and what fills the master's disk."""
    found = []
    for name, seen in group.members.items():
        found += _configuration(name, seen)
        found += _archiver(group, name, seen)
    found += _ended(group)
    for name in group.standbys:
        seen = topology.seen_at(group.observations, name)
        if not is_away(seen) and topology.kind(seen) == topology.STANDBY:
            found += [*_lost(group, name, seen), *_slots(group, name, seen), *_unsynchronised(group, name, seen)]
            found += _stale(name, seen)
    return found


def notes(group: Group) -> list[Finding]:
    """Return what is no failure of anybody now."""
    found = []
    for name, seen in group.members.items():
        found += _waits(name, seen)
        if name != group.master:
            found += _differs(group, name, seen)
    return found


def _configuration(name: str, seen: Observation) -> list[Finding]:
    return [
        finding(
            "configuration-errors",
            name,
            f"{row.found}: {row.why}",
            f"correct that, then look again: {playbook('state')}",
        )
        for row in differences.broken(name, seen)
    ]


def _archiver(group: Group, name: str, seen: Observation) -> list[Finding]:
    """WAL that cannot be archived stays on the disk, and a restore from the archive ends where that began."""
    archiver = seen["server"].get("archiver") if seen["server"] else None
    if not archiver or archiver["mode"] == "off" or (name != group.master and archiver["mode"] != "always"):
        return []
    failed, done, waiting = archiver["failed_at"], archiver["archived_at"], archiver["waiting"] or 0
    grows = f"; {waiting} WAL segment files wait for that and fill the disk" if waiting else ""
    look = on(name, f"journalctl -u {seen['service']['unit']} --since -1h")
    if not archiver["told_how"]:
        text = f"{name} is told to archive WAL, and not how{grows}"
        way = differences.mend_archiving(name, seen)
        return [finding("archive-failing", name, text, way)]
    if failed is None or (done is not None and done >= failed):
        return [_hangs(name, seen, archiver)] if differences.hanging(seen) else []
    since = f"the last success was at {moment(done)}" if done else "it has never succeeded since this server started"
    text = (
        f"archiving fails on {name}: it failed for {archiver['failed_wal']} at {moment(failed)}, {since}{grows}."
        " Nothing can be restored beyond that"
    )
    return [finding("archive-failing", name, text, f"mend what archives there. Why it fails says, {look}")]


def _hangs(name: str, seen: Observation, archiver: Archiver) -> Finding:
    """What archives neither ends nor fails, and a server that is stopped waits for it."""
    text = (
        f"nothing was archived on {name} for {archiver['waiting_seconds']:.0f} s, and {archiver['waiting']} WAL segment"
        " files wait for that and fill the disk: what archives hangs or is too slow, and a switchover would wait for it"
    )
    return finding("archive-failing", name, text, differences.end_archiving(name, seen))


def _lost(group: Group, name: str, seen: Observation) -> list[Finding]:
    rows = differences.lost(group.source, seen, group.options)
    if not rows:
        return []
    what = "; ".join(f"{row.words(str(group.master), name)}: {row.loss}" for row in rows)
    text = f"with {name} as the master something would be missing: {what}"
    return [finding("settings-lost", name, text, differences.mend(rows, str(group.master), name, seen))]


def _differs(group: Group, name: str, seen: Observation) -> list[Finding]:
    lost = differences.lost(group.source, seen, group.options)
    rows = [row for row in differences.between(group.source, seen) if row not in lost]
    if not rows:
        return []
    shown = [row.words(str(group.master), name) for row in rows[: differences.SHOWN]]
    more = f"; and {len(rows) - len(shown)} more" if len(rows) > len(shown) else ""
    reload = on(name, table.typed(seen, [table.of(seen).words.reload]))
    text = f"settings differ: {'; '.join(shown)}{more}"
    return [finding("settings-differ", name, text, f"make them alike where that is not meant, then {reload}")]


def _waits(name: str, seen: Observation) -> list[Finding]:
    """A restart brings more than was asked for: that is better known before."""
    pending = seen["server"]["pending_restart"] if seen["server"] else []
    if not pending:
        return []
    text = f"{', '.join(pending)} on {name} will have another value after the next restart of its server"
    return [finding("restart-pending", name, text, f"when that is meant, {systemctl('restart', name, seen)}")]


def _slots(group: Group, name: str, seen: Observation) -> list[Finding]:
    """Whoever reads through a slot loses its place with the master, unless the standby has it as well."""
    told = group.options.get("other_slots") or slots.REFUSE
    wanted = {row["name"] for row in slots.must_be_synchronised(group.source)}
    rows = [row for row in slots.lost_by_a_swap(group.source, seen) if row["name"] not in wanted]
    if not rows or told != slots.REFUSE:
        return []
    what = "; ".join(slots.words(row, group.source) for row in rows)
    text = f"{group.master} has slots of others that {name} would not have as the master: {what}"
    choice = (
        f"decide what becomes of them in a swap, and set it in the inventory: other_slots=remake (made anew on {name};"
        " a logical consumer may miss changes) or other_slots=lose; when nobody needs them,"
        f" {slots.drop(str(group.master), group.source, [row['name'] for row in rows])}"
    )
    return [finding("other-slots", group.master, text, choice)]


def _unsynchronised(group: Group, name: str, seen: Observation) -> list[Finding]:
    """A slot that standbys are to have, and that this one has not: its consumer's place is lost with the master."""
    rows = slots.unsynchronised(group.source, seen)
    if not rows:
        return []
    names = ", ".join(row["name"] for row in rows)
    if not seen["follows"].get("database"):
        text = f"{name} is not told to synchronise slots, and {group.master} has some that it is to have: {names}"
        return [finding("slot-not-synchronised", name, text, slots.given())]
    text = (
        f"{name} has not synchronised {names} yet: its consumer has to confirm something first, or a session that"
        f" reads through {'it' if len(rows) == 1 else 'them'} is missing"
    )
    return [finding("slot-not-synchronised", name, text, f"let it read, then look again: {playbook('state')}")]


def _ended(group: Group) -> list[Finding]:
    """The limit of kept WAL is for all slots: one of others that has ended, or will soon, is told as well."""
    source, found = group.source, []
    limit = source["server"]["settings"]["kept_wal_limit_bytes"]
    for row in slots.others(source):
        if row["lost"]:
            text = (
                f"the slot {row['name']} on {group.master} has ended, since WAL that it should have kept was removed"
                f"{f' (at most {size(limit)} is kept)' if limit else ''}: its consumer has to begin anew"
            )
            command = slots.drop(str(group.master), source, [row["name"]])
            found.append(finding("other-slot-lost", group.master, text, f"begin anew there, and {command}"))
        elif limit and row["safe_bytes"] is not None and row["safe_bytes"] * 10 < limit:
            text = (
                f"{group.master} keeps WAL for the slot {row['name']} for {size(max(0, row['safe_bytes']))} more only,"
                f" of {size(limit)}: then it ends"
            )
            found.append(finding("other-slot-near-limit", group.master, text, slots.raise_limit(group.master, source)))
    return found


def _stale(name: str, seen: Observation) -> list[Finding]:
    """Slots of a life as a master keep WAL for ever."""
    rows = slots.stale(name, seen)
    if not rows:
        return []
    kept = max(number for _row, number in rows)
    names = [row["name"] for row, _number in rows]
    text = (
        f"standby {name} keeps {size(kept)} of WAL for {', '.join(names)}, which nobody uses there: most likely left of"
        " its time as the master"
    )
    kind = "stale-slot" if kept < STALE_BYTES else "stale-slot-grown"
    return [finding(kind, name, text, slots.drop(name, seen, names))]
