# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether there is a place for a copy of the master, and room in it. Pure: observations in, refusals out."""

from __future__ import annotations

import os
import typing as t

from ..engines import table
from ..values.command import again
from ..values.observation import Observation, Size
from ..values.text import MEBIBYTE, size
from . import tablespaces as places
from .refusal import AGAIN, Refusal, either_way

#: room beside the copy itself: WAL that is streamed meanwhile and the first checkpoints
SPARE_BYTES = 256 * MEBIBYTE
#: a file system that takes fewer new files than this counts as full
FEW_FILES = 64


def sizes(source: Observation) -> list[Size]:
    """Return the master's tablespaces with their bytes; unmeasured, all that its file system holds is the bound."""
    whole: Size = {"name": "", "location": "", "bytes": source["data_directory"]["used_bytes"]}
    return source["server"]["sizes"] or [whole]


def mount_point(name: str, seen: Observation) -> list[Refusal]:
    """The verified copy is renamed into place, which a mount point does not allow."""
    directory = seen["data_directory"]
    if directory["link"]:
        return [
            Refusal(
                "mount-or-link",
                f"{directory['path']} on {name} is a symbolic link to {directory['real_path']}",
                "a verified copy cannot be moved into place there in one step",
                f"Name the directory itself: {again(data_directory_path=directory['real_path'])}",
            )
        ]
    if not directory["mount_point"]:
        return []
    return [
        Refusal(
            "mount-or-link",
            f"{directory['path']} on {name} is itself a mount point",
            "a verified copy cannot be moved into place there in one step",
            f"Use a directory inside it, for example: {again(data_directory_path=directory['path'] + '/master')}",
        )
    ]


def inside(name: str, seen: Observation) -> list[Refusal]:
    """What others have inside a data directory is neither moved aside nor deleted with it."""
    place = seen["data_directory"]
    clusters = [
        Refusal(
            "holds-data",
            f"{other} on {name}, inside of {place['path']}, is another cluster's data",
            "it would be moved or deleted with the old data",
            f"Stop its server and move it to another place, {AGAIN}",
        )
        for other in (place.get("clusters_inside") or [])[:1]
    ]
    return [*clusters, *_mounted_inside(name, seen)]


def _mounted_inside(name: str, seen: Observation) -> list[Refusal]:
    points = seen["data_directory"].get("mounted_inside") or []
    return [
        Refusal(
            "mount-or-link",
            f"a file system is mounted at {point} on {name}, inside of {seen['data_directory']['path']}",
            "it would be moved or emptied with the old data",
            f"Unmount it (umount {point} on {name}), {AGAIN}",
        )
        for point in points[:1]
    ]


def not_mounted(name: str, seen: Observation) -> list[Refusal]:
    """Beneath a mount point there is another disk, and what lies there is hidden as soon as something is mounted."""
    directory = seen["data_directory"]
    point = directory["unmounted"]
    if point is None:
        return []
    return [
        Refusal(
            "not-mounted",
            f"nothing is mounted at {point} on {name}, where the file system of {directory['path']} belongs",
            "what is written now would fill the disk beneath it, and be hidden when that is mounted later",
            f"Mount it (mount {point} on {name}), {AGAIN}. If none belongs there any more, take {point} out of"
            f" /etc/fstab on {name} (grep -rs {point} /etc/fstab /etc/systemd/system says where it stands)",
        )
    ]


def no_room(name: str, seen: Observation) -> list[Refusal]:
    """A copy is made beside the data directory; what cannot be made there is found before anything else is."""
    if not seen["user"]["exists"]:
        return []  # somebody else has looked, who may get less far
    user, found = seen["user"]["name"], []
    for part, what, mode in (("data_directory", "a copy", "0700"), ("configuration", "a configuration", "0755")):
        place: t.Any = seen[part]  # type: ignore[literal-required]
        if place.get("no_room"):
            above = os.path.dirname(place["path"].rstrip("/"))
            where = above if part == "data_directory" else place["path"]
            found.append(
                Refusal(
                    "directory-closed",
                    f"{what} cannot be made in {where} on {name} ({place['no_room']})",
                    f"neither {user} nor root makes one there",
                    f"See what keeps {user} out, on {name}: namei -l {where}. Where that is meant for {user}:"
                    f" install -d -o {user} -m {mode} {where}, {AGAIN}",
                )
            )
    return found


def read_only(name: str, seen: Observation, whole: bool = False) -> list[Refusal]:
    """A file system that lets nothing be written was mounted so, or the kernel did that after an error of its disk."""
    place = seen["data_directory"].get("read_only")
    if not place:
        return unchangeable(name, seen, whole)
    return [
        Refusal(
            "read-only",
            f"the file system of {place} on {name} is mounted read-only",
            "no server can write there",
            f"Find out why (dmesg on {name} tells of errors of a disk), then mount -o remount,rw"
            f" $(findmnt -nT {place} -o TARGET) there, {AGAIN}",
        )
    ]


def closed(name: str, seen: Observation) -> list[Refusal]:
    """A server that runs notices it when it makes the next file there: a promotion makes some, and ends the server."""
    path = seen["data_directory"].get("closed")
    if not path:
        return []
    return [
        Refusal(
            "data-closed",
            f"{seen['user']['name']} may not write {path} on {name}",
            "its server would end as soon as it has to, and a promotion writes everywhere",
            f"Open it, on {name}: {opening(seen, path)}, {AGAIN}",
        )
    ]


def opening(seen: Observation, path: str) -> str:
    """Return what is typed so that the server's user may write a file or directory of its data again."""
    return f"chown {seen['user']['name']} {path} && chmod u+rwX {path}"


def full_of_files(seen: Observation) -> bool:
    """Whether the file system of the WAL takes hardly another file, whatever its free bytes are."""
    left = seen["data_directory"].get("wal_free_files")
    return left is not None and left < FEW_FILES


def left_alone(seen: Observation, path: str) -> bool:
    """Whether a server never writes there: beside its data, and in the files of its configuration that people write."""
    read = os.path.basename(path) in table.of(seen).words.read_only_files
    return read or path == os.path.dirname(seen["data_directory"]["path"].rstrip("/"))


def unchangeable(name: str, seen: Observation, whole: bool = False) -> list[Refusal]:
    """Neither a server nor a copy changes, moves or removes such a file, whatever its mode says.

    What a server leaves alone is in the way only where the ``whole`` directory is replaced or changed.
    """
    path = seen["data_directory"].get("unchangeable")
    if not path or (not whole and left_alone(seen, path)):
        return []
    return [
        Refusal(
            "read-only",
            f"{path} on {name} is marked so that nobody may change it (lsattr -d {path})",
            "a server or a copy would fail there half-way",
            f"Take the mark away, on {name}: chattr -i -a {path}, {AGAIN}",
        )
    ]


def access(observations: t.Mapping[str, Observation], names: t.Iterable[str]) -> list[Refusal]:
    """Return the hosts whose access file is to be written, and may not."""
    return _written(observations, names, "blocks", "who may log in to the server")


def keys(observations: t.Mapping[str, Observation], names: t.Iterable[str]) -> list[Refusal]:
    """Return the hosts whose user's SSH keys are to be written, and may not."""
    return _written(observations, names, "ssh", "which other master hosts may ask this one")


def _written(observations: t.Mapping[str, Observation], names: t.Iterable[str], part: str, what: str) -> list[Refusal]:
    """Return the hosts on which such a file, or its directory, is marked: what writes it there makes a new one."""
    marked = {name: t.cast("t.Any", observations[name])[part]["unchangeable"] for name in names}
    return [
        Refusal(
            "read-only",
            f"{path} on {name} is marked so that nobody may change it (lsattr -d {path})",
            f"a run has to write there {what}, and would fail half-way",
            f"Take the mark away, on {name}: chattr -i -a {path}, {AGAIN}",
        )
        for name, path in marked.items()
        if path
    ]


def not_said(further: list[Refusal], refusals: list[Refusal]) -> list[Refusal]:
    """Return the refusals of whose finding nothing has been said yet."""
    said = {row.found for row in refusals}
    return [row for row in further if row.found not in said]


def disk(name: str, seen: Observation, source: Observation, mapping: dict[str, str], choice: str) -> list[Refusal]:
    """Free space against the master's size, each file system by itself.

    What a discard frees is counted, unless the old data is to be kept, and so is the half copy of a job that died.
    """
    own = seen["data_directory"]
    directories = {entry["path"]: entry for entry in seen["directories"]}
    need: dict[int, int] = {}
    free: dict[int, int] = {}
    for row in sizes(source):
        place = directories.get(mapping.get(row["location"], row["location"]), own)
        need[place["device"]] = need.get(place["device"], 0) + int(row["bytes"])
        free[place["device"]] = place["free_bytes"]
    need[own["device"]] = need.get(own["device"], 0) + SPARE_BYTES
    free[own["device"]] = own["free_bytes"] + seen["snapshot"]["reclaimable_bytes"]
    if choice != "keep":
        free[own["device"]] += own["reclaimable_bytes"]
    user = seen["user"]["name"]
    limited, raised = "", ""
    if own["quota"] and free[own["device"]] < need[own["device"]]:
        limited = f": a quota of {user} leaves less than the disk has"
        raised = f"Raise that quota (on {name}: edquota -u {user}), {AGAIN}. "
    return [
        Refusal(
            "disk-too-small",
            f"{name} has {size(free[device])} free for a copy of {size(wanted)}{limited}",
            "the copy would fill the disk",
            f"{raised}Make room there, use another place (data_directory_path), or let it delete what is in the way:"
            f" {again(existing_data='discard')}",
        )
        for device, wanted in sorted(need.items())
        if free[device] < wanted
    ]


def linked_files(master: str, source: Observation) -> list[Refusal]:
    """A snapshot leaves out symbolic links: a copy would lack these files and not start."""
    links = source["data_directory"]["linked_files"]
    if not links:
        return []
    return [
        Refusal(
            "linked-files",
            f"{', '.join(links)} in {source['data_directory']['path']} on {master} are symbolic links",
            "a copy leaves links out, and would not start without these files",
            "Put the files themselves there, or their directory into server_config_directory",
        )
    ]


def tablespace_places(seen: Observation, mapping: dict[str, str], source: Observation, choice: str) -> list[Refusal]:
    """A tablespace's place must not be the data directory's, and a discard only takes a tablespace's files."""
    own = os.path.normpath(seen["data_directory"]["path"])
    found = []
    for row in source["server"]["tablespaces"]:
        place = mapping.get(row["location"], row["location"])
        if not os.path.isabs(place) or os.path.normpath(place) != place or place == "/":
            why = "a tablespace needs an absolute path without . or .."
        elif os.path.commonpath([place, own]) in (place, own):
            why = f"it lies in or around the data directory {own}"
        else:
            continue
        found.append(
            Refusal(
                "tablespace-place",
                f"tablespace {row['name']} would go to {place}",
                why,
                "Correct standby_snapshot_tablespace_mapping",
            )
        )
    foreign = [
        entry
        for entry in places.targets(seen, mapping, source)
        if entry["foreign"]
        and entry["path"] not in (seen["snapshot"]["request"].get("tablespaces") or [])
        and choice == "discard"
    ]
    return found + [
        Refusal(
            "tablespace-files",
            f"{entry['path']}, where a tablespace would go, holds {', '.join(entry['entries'])}",
            "these are not a tablespace's files, and are not deleted",
            f"Move them away yourself, {AGAIN}. Or let all that is in the way be moved aside:"
            f" {again(existing_data='keep')}. Or map the tablespace elsewhere (standby_snapshot_tablespace_mapping)",
        )
        for entry in foreign
    ]


def tablespaces(
    name: str, seen: Observation, mapping: dict[str, str], source: Observation, choice: str
) -> list[Refusal]:
    """A snapshot needs these directories empty. What a dead job of ours left there is cleared away."""
    ours = seen["snapshot"]["request"].get("tablespaces") or []
    full = [entry for entry in places.targets(seen, mapping, source) if entry["entries"] and entry["path"] not in ours]
    if choice in ("keep", "discard"):
        return []
    return [
        Refusal(
            "tablespace-files",
            f"{entry['path']} on {name}, where a tablespace of the master goes, holds {', '.join(entry['entries'])}",
            "a snapshot needs it empty",
            f"{either_way()}. Or map the tablespace elsewhere (standby_snapshot_tablespace_mapping)",
        )
        for entry in full
    ]


def needs_room_first(seen: Observation, source: Observation) -> bool:
    """Whether old data must go before the copy, since both do not fit beside each other."""
    wanted = sum(int(row["bytes"]) for row in sizes(source)) + SPARE_BYTES
    return bool(source["server"]["sizes"]) and seen["data_directory"]["free_bytes"] < wanted
