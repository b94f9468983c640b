# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether there is a place for a copy of the master, and room in it. Pure: observations in, refusals out."""

from __future__ import annotations

import os

from ..values.observation import Observation, Size
from ..values.text import MEBIBYTE, size
from .refusal import AGAIN, Refusal

#: room beside the copy itself: WAL that is streamed meanwhile and the first checkpoints
SPARE_BYTES = 256 * MEBIBYTE


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
                f"Name the directory itself: -e data_directory_path={directory['real_path']}",
            )
        ]
    if not directory["mount_point"]:
        return []
    return [
        Refusal(
            "mount-or-link",
            f"{directory['path']} on {name} is itself a mount point",
            "a verified copy cannot be moved into place there in one step",
            f"Use a directory inside it, for example -e data_directory_path={directory['path']}/master",
        )
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
    return [
        Refusal(
            "disk-too-small",
            f"{name} has {size(free[device])} free for a copy of {size(wanted)}",
            "the copy would fill the disk",
            "Make room there, use another place (data_directory_path), or let it delete what is in the way"
            " with -e existing_data=discard",
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
        for entry in seen["directories"]
        if entry["foreign"]
        and entry["path"] not in (seen["snapshot"]["request"].get("tablespaces") or [])
        and choice == "discard"
    ]
    return found + [
        Refusal(
            "tablespace-files",
            f"{entry['path']}, where a tablespace would go, holds {', '.join(entry['entries'])}",
            "these are not a tablespace's files, and are not deleted",
            "Move them away yourself, or run again with -e existing_data=keep, or map the tablespace elsewhere"
            " (standby_snapshot_tablespace_mapping)",
        )
        for entry in foreign
    ]


def tablespaces(name: str, seen: Observation, choice: str) -> list[Refusal]:
    """A snapshot needs these directories empty. What a dead job of ours left there is cleared away."""
    ours = seen["snapshot"]["request"].get("tablespaces") or []
    full = [entry for entry in seen["directories"] if entry["entries"] and entry["path"] not in ours]
    if choice in ("keep", "discard"):
        return []
    return [
        Refusal(
            "tablespace-files",
            f"{entry['path']} on {name}, where a tablespace of the master goes, holds {', '.join(entry['entries'])}",
            "a snapshot needs it empty",
            "Run again with -e existing_data=keep or discard, or map the tablespace elsewhere"
            " (standby_snapshot_tablespace_mapping)",
        )
        for entry in full
    ]


def needs_room_first(seen: Observation, source: Observation) -> bool:
    """Whether old data must go before the copy, since both do not fit beside each other."""
    wanted = sum(int(row["bytes"]) for row in sizes(source)) + SPARE_BYTES
    return bool(source["server"]["sizes"]) and seen["data_directory"]["free_bytes"] < wanted
