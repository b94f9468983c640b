# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a host beside its server's own words: units, disks, files that wait. Pure: no I/O, no clock."""

from __future__ import annotations

from ...engines import table
from ...values.command import playbook
from ...values.observation import Observation
from ...values.text import MEBIBYTE, size
from .. import disk, listens, topology, units
from .group import Finding, Group, finding, on, systemctl

#: one part in so many of a disk must be free, and so many bytes for WAL
SPARE, SPARE_WAL = 20, 256 * MEBIBYTE
#: of the room that there is for WAL, so much in a hundred may be kept for a standby
SHARE = 80


def findings(group: Group) -> list[Finding]:
    """Return what is wrong with the hosts of a master and its standbys."""
    found = [row for name, seen in group.reachable.items() for row in _not_mounted(name, seen)]
    for name, seen in group.members.items():
        found += [*_masked(name, seen), *_unit(name, seen), *_read_only(name, seen), *_closed(name, seen)]
        found += [*_disk(name, seen), *_files(name, seen)]
        found += [*_listens(name, seen), *_memory(name, seen), *_stopped(name, seen)]
    return [*found, *_wal_limit(group)]


def _not_mounted(name: str, seen: Observation) -> list[Finding]:
    place = seen["data_directory"]
    point = place["unmounted"]
    if point is None:
        return []
    hides = "what is there now would be hidden" if place["state"] == "data" else "its data is most likely there"
    text = f"nothing is mounted at {point} on {name}, where the file system of {place['path']} belongs: {hides}"
    if place["state"] != "data":
        return [finding("not-mounted", name, text, f"mount it, {on(name, f'mount {point}')}")]
    look = on(name, f"grep -rs {point} /etc/fstab /etc/systemd/system")
    out = f"take it out if none belongs there any more; it is named in what this shows, {look}"
    return [finding("not-mounted", name, f"{text} when that is mounted", out)]


def _masked(name: str, seen: Observation) -> list[Finding]:
    service = seen["service"]
    if service["load"] != "masked" and not service["enabled"].startswith("masked"):
        return []
    text = f"{service['unit']} on {name} is masked: nothing can start the server, after a failover neither"
    return [finding("unit-masked", name, text, systemctl("unmask", name, seen))]


def _unit(name: str, seen: Observation) -> list[Finding]:
    found = units.wrong(name, seen)
    if not found:
        return []
    return [finding("other-unit", name, f"{found[0]}: {units.WHY}", f"{found[1]}, then: {playbook('init_standby')}")]


def _listens(name: str, seen: Observation) -> list[Finding]:
    found = listens.wrong(name, seen)
    return [finding("listens-elsewhere", name, f"{found}: {listens.WHY}", listens.mend(name, seen))] if found else []


def _memory(name: str, seen: Observation) -> list[Finding]:
    user = seen["user"]
    if not user.get("memory_removed"):
        return []
    text = (
        f"{user['name']} on {name} is no system user: when a login of it ends, systemd removes the shared memory of its"
        " processes (RemoveIPC), and its server gives no session any more"
    )
    return [finding("memory-removed", name, text, on(name, f"loginctl enable-linger {user['name']}"))]


def _stopped(name: str, seen: Observation) -> list[Finding]:
    """A server that is frozen as a whole gives no session, and is told as that."""
    parts = seen["process"]["stopped"]
    if not parts or seen["process"]["frozen"]:
        return []
    who = ", ".join(f"{pid} ({title})" for pid, title in parts.items())
    text = f"processes of the server on {name} are stopped by a signal: {who}: what waits for them goes on no more"
    return [finding("process-stopped", name, text, on(name, f"kill -CONT {' '.join(parts)}"))]


def _read_only(name: str, seen: Observation) -> list[Finding]:
    place, marked = seen["data_directory"].get("read_only"), seen["data_directory"].get("unchangeable")
    if marked and not place and not disk.left_alone(seen, marked):
        text = f"{marked} on {name} is marked so that nobody may change it: its server fails when it has to"
        return [finding("read-only", name, text, on(name, f"chattr -i -a {marked}"))]
    if not place:
        return []
    text = f"the file system of {place} on {name} is mounted read-only: its server fails at its next write"
    again = on(name, f"mount -o remount,rw $(findmnt -nT {place} -o TARGET)")
    return [finding("read-only", name, text, f"look for errors of the disk, {on(name, 'dmesg')}, then {again}")]


def _closed(name: str, seen: Observation) -> list[Finding]:
    path = seen["data_directory"].get("closed")
    if not path:
        return []
    text = f"{seen['user']['name']} may not write {path} on {name}: its server ends as soon as it has to"
    return [finding("data-closed", name, text, on(name, disk.opening(seen, path)))]


def _files(name: str, seen: Observation) -> list[Finding]:
    place = seen["data_directory"]
    if place["state"] != "data" or not disk.full_of_files(seen):
        return []
    text = f"the file system of the WAL on {name} takes {place['wal_free_files']} more files: its server stops then"
    look = on(name, f"du --inodes -xhd1 $(findmnt -nT {place['path']} -o TARGET)")
    return [finding("disk-nearly-full", name, text, f"delete files that nobody needs. Where they are says, {look}")]


def _disk(name: str, seen: Observation) -> list[Finding]:
    place = seen["data_directory"]
    if place["state"] != "data":
        return []
    low = []
    if place["free_bytes"] * SPARE < place["total_bytes"]:
        low.append(f"{size(place['free_bytes'])} of {size(place['total_bytes'])} free for data")
    if place["wal_free_bytes"] < SPARE_WAL:
        low.append(f"{size(place['wal_free_bytes'])} free for WAL")
    if not low:
        return []
    text = f"{name} has {' and '.join(low)}: a server whose disk is full stops"
    if place["kept"]:
        return [finding("disk-nearly-full", name, text, on(name, f"rm -r {' '.join(place['kept'])}"))]
    look = on(name, f"du -xhd1 {place['path']}")
    return [finding("disk-nearly-full", name, text, f"make room there. What is large says, {look}")]


def _wal_limit(group: Group) -> list[Finding]:
    """The WAL that is kept for an absent standby must not be able to fill the disk of whoever is the master."""
    source, engine = group.source, table.of(group.source)
    server, words = source["server"], engine.words
    kept = [row for row in server["slots"] if not row["temporary"]]
    room = source["data_directory"]["wal_free_bytes"] + (server["wal_bytes"] or 0)
    limit = server["settings"]["kept_wal_limit_bytes"]
    if not kept or not engine.limits_kept_wal or (limit is not None and limit < room):
        return []
    may = f"up to {size(limit)}" if limit is not None else "without a limit"
    text = (
        f"{group.master} may keep WAL for an absent standby {may}, and has room for {size(room)}: a standby that stays"
        " away, or another slot that nobody reads, would stop it"
    )
    megabytes = max(1, room * SHARE // 100 // MEBIBYTE)
    value = words.values["kept wal"].format(megabytes=megabytes)
    sets = words.set_setting.format(name=words.settings["kept wal"], value=value)
    return [finding("wal-limit", group.master, text, on(group.master, table.typed(source, [sets, words.reload])))]


def notes(group: Group) -> list[Finding]:
    """Return what is no failure of any host now."""
    found = []
    for name, seen in group.reachable.items():
        service, kept = seen["service"], seen["data_directory"]["kept"]
        runs = topology.kind(seen) in (topology.MASTER, topology.STANDBY)
        if runs and service["load"] == "loaded" and service["enabled"] == "disabled":
            text = f"{service['unit']} on {name} would not start at boot"
            found.append(finding("not-at-boot", name, text, systemctl("enable", name, seen)))
        if kept:
            text = f"kept aside on {name}, to be deleted when nobody needs it: {', '.join(kept)}"
            found.append(finding("kept-aside", name, text, on(name, f"rm -r {' '.join(kept)}")))
    return [*found, *(_access_rules(group) if group.master else [])]


def _access_rules(group: Group) -> list[Finding]:
    found = []
    for name, seen in group.members.items():
        server = seen["server"]
        rules = server["access_rules"] if server else None
        if name == group.master or rules in (None, group.source["server"]["access_rules"]):
            continue
        words = table.of(seen).words
        text = (
            f"{words.access_file} on {name} has other rules than on {group.master}: after a failover clients may be"
            " locked out"
        )
        reload = on(name, table.typed(seen, [words.reload]))
        found.append(finding("access-rules", name, text, f"make the two files alike, then {reload}"))
    return found
