# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a standby with its master's configuration would start on its host, by a dry start there. Pure."""

from __future__ import annotations

import os
import typing as t

from ..values.command import again
from ..values.observation import NamedPlace, Observation, Trial
from ..values.text import MEBIBYTE, size
from . import listens
from .refusal import AGAIN, Refusal

#: what a place is for, and what was found wrong with it
TROUBLES = {
    "missing": "is not there",
    "closed": "cannot be used by {user}",
    "no file": "is no file",
    "no directory": "is no directory",
    "too open": "can be read by others than {user}, so that the server refuses it",
}
#: where shared memory is made as files, and what a server takes there at its start
SHARED, DYNAMIC = "/dev/shm", MEBIBYTE  # noqa: S108
DIRECTORIES = ("enter", "write", "make")


def refusals(name: str, seen: Observation, master: str, source: Observation) -> list[Refusal]:
    """Return what it would not start for, or would not be of use for; nothing while it was not tried."""
    trial: Trial | None = seen.get("trial")
    if not trial:
        return []
    places = [_place(name, seen, master, row) for row in trial["places"]]
    # the server says the same of a file that it could not read
    told = trial["error"] and not any(row["path"] in trial["error"] for row in trial["places"])
    return [
        *([_error(name, seen, master, trial["error"])] if told and trial["error"] else []),
        *places,
        *_data_directory(name, seen, trial),
        *_memory(name, seen, trial),
        *_ring(name, master, trial),
        *listens.refusals(name, seen, trial, source),
    ]


def _error(name: str, seen: Observation, master: str, error: str) -> Refusal:
    where = seen["configuration"]
    own = where["outside"] and where["exists"]
    what = f"its configuration in {where['path']}" if own else f"the configuration of {master}"
    return Refusal(
        "would-not-start",
        f"a server with {what} does not start on {name}, as a dry start there has shown ({error.rstrip('.')})",
        "the standby would not start there",
        f"Mend that on {name}, or in that configuration, {AGAIN}",
    )


def _place(name: str, seen: Observation, master: str, row: NamedPlace) -> Refusal:
    return Refusal(
        "named-place",
        f"{row['setting']} names {row['path']}, which {trouble(seen, row)} on {name}",
        "the standby would not start there, or would fail at that",
        f"{mend(name, seen, master, row)}, {AGAIN}. Or name another place in the configuration of {master}",
    )


def trouble(seen: Observation, row: NamedPlace) -> str:
    """Return what is wrong with a place that a configuration names."""
    return TROUBLES.get(str(row["trouble"]), str(row["trouble"])).format(user=seen["user"]["name"])


def mend(name: str, seen: Observation, other: str | None, row: NamedPlace) -> str:
    """Return the command that makes such a place; another host may have a file of that name."""
    path, wrong, user = row["path"], row["trouble"], seen["user"]["name"]
    if row["wanted"] in DIRECTORIES and wrong in ("missing", "closed"):
        return f"Make it there: on {name}: install -d -o {user} -m 700 {path}"
    if wrong == "too open":
        return f"Close it: on {name}: chown {user} {path} && chmod 600 {path}"
    if wrong == "closed":
        return (
            f"Let {user} in, all that is above it included (namei -l {path} shows it): on {name}: chown {user} {path}"
        )
    if wrong == "missing" and other:
        own = ", or one of its own," if row["wanted"] == "private" or "cert" in row["setting"] else ""
        close = f" && chmod 600 {path}" if row["wanted"] == "private" else ""
        give = f", then on {name}: chown {user} {path}{close}" if row["wanted"] != "run" else ""
        return f"Put it{own} there, readable for {user}: scp -3 -p {other}:{path} {name}:{path}{give}"
    if wrong == "missing":
        look = f"what is there now says, on {name}: ls -l {os.path.dirname(path)}"
        return f"Put it there again, readable for {user}, as from a backup; {look}"
    return f"Look at it and put what belongs there in its place: on {name}: ls -ld {path}"


def _data_directory(name: str, seen: Observation, trial: Trial) -> list[Refusal]:
    named, mine = trial["data_directory"], seen["data_directory"]
    if named is None or named.rstrip("/") in (mine["path"].rstrip("/"), mine["real_path"].rstrip("/")):
        return []
    return [
        Refusal(
            "other-data-directory",
            f"the configuration that a server on {name} would read names {named} as the data directory, and its"
            f" data belongs in {mine['path']}",
            "the server would look for its data elsewhere",
            f"Use the same place on both hosts ({again(data_directory_path=named)}), or give {name} a configuration"
            f" of its own in {seen['configuration']['path']}, {AGAIN}",
        )
    ]


def _memory(name: str, seen: Observation, trial: Trial) -> list[Refusal]:
    found: list[tuple[str, str]] = []
    wanted, there = trial["memory_bytes"], trial["host_memory_bytes"]
    if wanted is not None and there is not None and wanted > there:
        found.append(
            (
                f"a server with the master's configuration asks for {size(wanted)} of shared memory, and {name} has"
                f" {size(there)} in all",
                "Use a host with as much memory, or set less in the master's configuration",
            )
        )
    pages, free = trial["huge_pages"], trial["free_huge_pages"]
    runs = seen["process"]["running"]  # it holds some, and ends before the copy starts
    if pages is not None and free is not None and pages > free and not runs:
        found.append(
            (
                f"a server with the master's configuration needs {pages} huge pages, and {name} has {free} to spare",
                f"Give it more: on {name}: sysctl -w vm.nr_hugepages=$(expr $(sysctl -n vm.nr_hugepages) +"
                f" {pages - free})",
            )
        )
    found += [*_segments(name, trial), *_dynamic(name, trial)]
    return [
        Refusal("memory-too-small", what, "the standby would not start there", f"{command}, {AGAIN}")
        for what, command in found
    ]


def _ring(name: str, master: str, trial: Trial) -> list[Refusal]:
    """A dry start asks for no ring, and so does not find that."""
    why = trial.get("ring_refused")
    if not why:
        return []
    return [
        Refusal(
            "would-not-start",
            f"a server with the configuration of {master} does its input and output by io_uring, which the kernel of"
            f" {name} does not give it ({why})",
            "the standby would not start there",
            f"Let the kernel give it, on {name}: sysctl -w kernel.io_uring_disabled=0, {AGAIN}. Or set io_method ="
            f" worker on {master} and restart it",
        )
    ]


def _segments(name: str, trial: Trial) -> list[tuple[str, str]]:
    """Memory of System V has limits of its own, which are changed each by itself: none is made smaller."""
    wanted, one, whole = trial["memory_bytes"], trial.get("segment_limit_bytes"), trial.get("segments_limit_bytes")
    if wanted is None:
        return []
    lacks = []
    if one is not None and one < wanted:
        lacks.append(f"kernel.shmmax={wanted}")
    if whole is not None and whole < wanted:
        lacks.append(f"kernel.shmall=$(expr {wanted} / $(getconf PAGE_SIZE) + 1)")
    if not lacks:
        return []
    gives = min(limit for limit in (one, whole) if limit is not None)
    return [
        (
            f"a server with the master's configuration asks for {size(wanted)} of System V shared memory, and the"
            f" kernel of {name} gives {size(gives)}",
            f"Let it give more, and write the same to /etc/sysctl.d: on {name}: sysctl -w {' '.join(lacks)}",
        )
    ]


def _dynamic(name: str, trial: Trial) -> list[tuple[str, str]]:
    free = trial.get("dynamic_free_bytes")
    if free is None or free >= DYNAMIC:
        return []
    return [
        (
            f"a server with the master's configuration makes files in {SHARED}, which has {size(free)} free on {name}",
            f"Make room there: on {name}: mount -o remount,size=50% {SHARED}",
        )
    ]


def tried(seen: Observation) -> bool:
    """Whether it was tried in this run."""
    return bool(t.cast("dict[str, t.Any]", seen).get("trial"))
