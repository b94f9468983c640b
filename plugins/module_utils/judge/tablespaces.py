# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether each tablespace has its place on a host, for a copy and for WAL that is replayed. Pure.

A standby ends at the record of a tablespace whose directory is missing, and none starts while it is.
"""

from __future__ import annotations

import shlex
import typing as t

from ..values.command import again
from ..values.observation import Directory, Observation, Space
from . import topology
from .refusal import AGAIN, Refusal


def of(seen: Observation) -> list[Space]:
    """Return the places of a host's own data; none where it was not looked at."""
    return [] if topology.kind(seen) == topology.UNREACHABLE else seen.get("tablespaces") or []


def targets(seen: Observation, mapping: dict[str, str], source: Observation) -> list[Directory]:
    """Return what was seen of the directories that a copy of the master needs."""
    wanted = {mapping.get(row["location"], row["location"]) for row in source["server"]["tablespaces"]}
    return [entry for entry in seen["directories"] if entry["path"] in wanted]


def to_make(seen: Observation, *sources: Observation) -> list[str]:
    """Return the directories that must be there before a standby's server replays on.

    Its own WAL names some. The master, or its disk, has others, whose WAL is yet to come.
    """
    rows = {row["oid"]: row for row in of(seen)}
    yet = [row["path"] for row in rows.values() if not row["linked"] and row["there"] == "nothing"]
    theirs = [row["path"] for source in sources for row in of(source) if row["linked"] and row["oid"] not in rows]
    return list(dict.fromkeys([*yet, *theirs]))


def lost(seen: Observation) -> str:
    """Return the place of a tablespace whose files are gone; empty while that is none."""
    gone = (row["path"] for row in of(seen) if row["linked"] and row["there"] == "nothing" and not row["unmounted"])
    return next(gone, "")


def others(entry: Directory, source: Observation, own: str) -> list[str]:
    """Return what other clusters have in a place: files of other versions, and running servers that use it."""
    control = source["control"]
    mine = control.get("tablespace_version") if control else None
    strangers = [name for name in entry.get("versions") or [] if mine is not None and name != mine]
    return [*strangers, *(f"files of the server in {each}" for each in entry.get("used_by") or [] if each != own)]


def shared(seen: Observation, source: Observation) -> str:
    """Return the place of a tablespace in which there is more than this system's; empty while there is none."""
    own = seen["data_directory"]["real_path"]
    return next((row["path"] for row in of(seen) if row["foreign"] or others(row, source, own)), "")


def wrong(entry: Directory, named: t.Collection[str] = ()) -> str:
    """Return why a directory is none that the server can use, and becomes none; empty otherwise."""
    if entry.get("unmounted"):
        return f"nothing is mounted at {entry['unmounted']}"
    if entry.get("trouble"):
        return str(entry["trouble"])
    if not entry.get("only_named") or entry["path"] in named:
        return ""
    if entry["there"] == "directory":
        return "it belongs to root"
    return "it is missing, and root makes none at the top or in a place of the system's because a database says so"


def mend(name: str, seen: Observation, entry: Directory) -> str:
    """Return what is typed on the host so that the place is one."""
    path, user = shlex.quote(entry["path"]), seen["user"]["name"]
    if entry.get("closed"):
        return f"on {name}: chmod o+x {shlex.quote(str(entry['closed']))}"
    if entry.get("unmounted"):
        return f"on {name}: mount {shlex.quote(str(entry['unmounted']))}"
    if entry["there"] == "directory":
        return f"on {name}: chown -h {user} {path}"
    make = f"install -d -o {user} -m 0700 {path}"
    return f"on {name}: {make}" if entry["there"] == "nothing" else f"on {name}: mv {path} {path}.away && {make}"


def for_a_copy(
    name: str, seen: Observation, mapping: dict[str, str], source: Observation, empty: bool = True
) -> list[Refusal]:
    """Return why tablespaces of the master cannot be copied to where they go, whatever is done with existing data.

    A copy of all needs them ``empty`` first; what is only compared stays beside what others have there.
    """
    found = []
    own, ours = seen["data_directory"]["real_path"], seen["snapshot"]["request"].get("tablespaces") or []
    for entry in targets(seen, mapping, source):
        where = f"{entry['path']} on {name}, where a tablespace of the master goes"
        strange, why = others(entry, source, own), wrong(entry, mapping.values())
        if empty and strange and entry["path"] not in ours:
            words = f"{where}, holds what belongs to another cluster ({', '.join(strange)})"
            told = {"standby_snapshot_tablespace_mapping": {**mapping, **_elsewhere(entry["path"], mapping, source)}}
            command = f"Let it go elsewhere there: {again(**told)}"
            found.append(Refusal("tablespace-files", words, "that is neither deleted nor moved away", command))
        elif why:
            command = f"O{mend(name, seen, entry)[1:]}, {AGAIN}"
            found.append(Refusal("tablespace-place", f"{where}: {why}", "it could not be copied there", command))
    return found


def _elsewhere(path: str, mapping: dict[str, str], source: Observation) -> dict[str, str]:
    """Return another place for the tablespace that would go to a path."""
    rows = [row["location"] for row in source["server"]["tablespaces"]]
    return {each: f"{path}.standby" for each in rows if mapping.get(each, each) == path}


def for_a_start(
    name: str, seen: Observation, *sources: Observation, looked: t.Iterable[Directory] = ()
) -> list[Refusal]:
    """Return why a server of its data would end, or miss files, although directories that are missing are made."""
    rows: list[tuple[Directory, str]] = [(row, "is" if row["linked"] else "goes") for row in of(seen)]
    needed = to_make(seen, *sources)
    rows += [(entry, "goes") for entry in looked if entry["path"] in needed]
    found = []
    for entry, verb in rows:
        why = "its files are gone" if verb == "is" and entry["path"] == lost(seen) else wrong(entry)
        if why:
            command = f"O{mend(name, seen, entry)[1:]}, {AGAIN}"
            words = f"{entry['path']} on {name}, where a tablespace {verb}: {why}"
            found.append(Refusal("tablespace-place", words, "its server would end there, or miss files", command))
    return found
