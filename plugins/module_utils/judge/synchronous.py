# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For which standbys commits wait. Pure.

Source: PostgreSQL manual, "Replication" (how the standbys that commits wait for are written).
"""

from __future__ import annotations

import re
import typing as t

from ..engines import table
from ..values import conninfo
from . import topology
from .refusal import AGAIN, Refusal


class Waits(t.NamedTuple):
    """For how many of which standbys commits wait, as it is written."""

    method: str
    number: int
    names: list[str]


def parse(text: str) -> Waits:
    """Return what is written: the names as they stand there, and FIRST 1 where no more is said."""
    form = re.fullmatch(r"\s*(?:(FIRST|ANY)\s+)?(?:(\d+)\s*\((.*)\)|(.*))\s*", text, re.S | re.I)
    method, number, listed, bare = form.groups() if form else (None, None, None, text)
    found = re.findall(r'"((?:[^"]|"")+)"|([^\s,"]+)', bare if listed is None else listed)
    return Waits(
        (method or "FIRST").upper(), int(number or 1), [plain or quoted.replace('""', '"') for quoted, plain in found]
    )


def waits_for(master: topology.Observation, standby: str) -> bool:
    """Whether no commit is confirmed before this standby has it on its disk.

    With ANY another one may have answered in its place, and with FIRST those that are named before it, while they are
    connected.
    """
    server = master["server"]
    waits = parse(server["settings"]["synchronous_standbys"])
    own = topology.sender_of(master, conninfo.slot_name(standby))
    if own is None or not own["streaming"] or not waits.names:
        return False
    names = [name.lower() for name in waits.names]
    order = {row["pid"]: _place(row["name"].lower(), names) for row in server["senders"] if row["streaming"]}
    mine = order[own["pid"]]
    if mine is None:
        return False
    before = [place for place in order.values() if place is not None and (waits.method == "ANY" or place <= mine)]
    return len(before) <= waits.number


def _place(name: str, names: list[str]) -> int | None:
    return next((number for number, each in enumerate(names) if each in (name, "*")), None)


def renamed(pair: t.Any, source: topology.Observation, seen: topology.Observation) -> list[Refusal]:
    """A standby that commits wait for under another name: as ours it has another one, and they would wait for ever."""
    receiver = seen["server"]["receiver"] if topology.kind(seen) == topology.STANDBY and seen["server"] else None
    waits, senders = parse(source["server"]["settings"]["synchronous_standbys"]), source["server"]["senders"]
    names = [name.lower() for name in waits.names]
    if not receiver or not names or "*" in names:
        return []
    own = topology.sender_of(source, receiver["slot"] or "") or next(
        (row for row in senders if (row["address"] or "").split("/")[0] in seen["machine"]["addresses"]), None
    )
    if own is None or own["name"].lower() == pair.standby.lower():
        return []
    others = sum(row["streaming"] and row is not own and row["name"].lower() in names for row in senders)
    answers, then = others + (own["name"].lower() in names), others + (pair.standby.lower() in names)
    if then >= waits.number or answers < waits.number:
        return []
    words = table.of(source).words
    listed = ", ".join(_quoted(name) for name in [*waits.names, pair.standby])
    value = f"{waits.method} {waits.number} ({listed})"
    setting = words.settings["synchronous standbys"]
    sets = words.set_setting.format(name=setting, value=value.replace("'", "''"))
    line = table.typed(source, [sets, words.reload])
    return [
        Refusal(
            "synchronous-by-name",
            f"commits on {pair.master} wait for {own['name']}, which is what {pair.standby} calls itself"
            f" ({setting} = {source['server']['settings']['synchronous_standbys']})",
            f"as a standby of this collection it is called {pair.standby}, and every commit would wait for ever",
            f"Name both first, on {pair.master}: {line}, {AGAIN}",
        )
    ]


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
