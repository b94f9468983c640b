# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state as people read it: the labels of ``hawq state``, then what they do not tell. Pure."""

from __future__ import annotations

import typing as t

from ..judge import readiness, topology
from ..values.text import moment, sentence, size
from . import layout


def _when(epoch: float | None) -> str:
    return "" if epoch is None else f" since {moment(epoch)}"


def sentences(found: list[dict[str, t.Any]]) -> list[str]:
    """Return findings as people read them: what was found, and what to do next."""
    return [f"{sentence(row['text'])}. Next: {row['command']}" for row in found]


def _memory(row: dict[str, t.Any]) -> str:
    """Return what a segment remembers."""
    if row["master"] is None:
        return "no master yet"
    place = f" at LSN {row['lsn']} on timeline {row['timeline']}" if row["lsn"] else ""
    return f"{row['master']}, {row['summary_state']}{place}{_when(row['at'])}"


def _readiness(document: dict[str, t.Any]) -> list[str]:
    """Return a line for each fault: what would come of it now. What mends it is told as a problem."""
    lines, before = [], ""
    for row in document["readiness"]:
        told = f"{row['outcome']}: {row['words']}"
        label = readiness.LABELS[row["case"]].format(document["master"])
        lines.append(layout.line(label, "the same" if told == before else told))
        before = told
    return lines


def text(document: dict[str, t.Any]) -> str:
    """Return the labels of ``hawq state``, then what they do not tell."""
    mirroring, segments = document["mirroring"], document["segments"]
    summary = mirroring["summary_state"]
    reason = ", ".join(each for each in (mirroring["detail_state"], mirroring["error_message"]) if each)
    lines = [
        "HAWQ instance status summary",
        layout.line("Master instance", document["master_state"]),
        layout.line("Master host", ", ".join(document["masters"]) or "none"),
        layout.line("Master standby", document["standby"] or "No Standby master defined"),
    ]
    if document["standby"]:
        lines.append(layout.line("Standby master state", document["standby_state"]))
    lines += [
        layout.line("Total segments count from catalog", segments["total"]),
        layout.line("Total segment valid (at master)", segments["valid"]),
        layout.line("Total segment failures (at master)", segments["failures"]),
        layout.line("Mirroring state", summary + (f" ({reason})" if reason else "") + _when(mirroring["since"])),
    ]
    if mirroring.get("lag_bytes") is not None:
        seconds = mirroring["lag_seconds"]
        lag = size(mirroring["lag_bytes"]) + (f", {seconds:.3f} s" if seconds is not None else "")
        lines.append(layout.line("Standby behind", lag))
    for name, mirror in list(document["mirrors"].items())[1:]:
        lag = f", {size(mirror['lag_bytes'])} behind" if mirror["lag_bytes"] is not None else ""
        lines.append(layout.line(f"Further standby {name}", mirror["summary_state"] + lag))
    if document["virtual_ip"]:
        silent = any(host["kind"] == topology.UNREACHABLE for host in document["hosts"].values())
        where = ", ".join(document["virtual_ip"]["holders"]) or ("no host that answers" if silent else "no host")
        lines.append(layout.line("Virtual IP", f"{document['virtual_ip']['address']} on {where}"))
    lines.append(layout.line("Timeline", document["timeline"] or "unknown"))
    for slot in document["slots"]:
        kept = size(slot["retained_bytes"] or 0)
        active = "active" if slot["active"] else "inactive"
        lines.append(layout.line(f"Slot {slot['name']}", f"{active}, WAL {slot['wal']}, {kept} retained"))
    for name, host in document["hosts"].items():
        lines.append(layout.line(f"Host {name}", host["description"] + _place(host)))
    for row in document["rewind"]:
        able = "possible" if row["needed"] else "not needed"
        words = able if row["possible"] else "not possible"
        lines.append(layout.line(f"Rewind of {row['host']}", f"{words}: {row['reason']}"))
    for row in segments["rows"]:
        if row["status"] != "u":
            lines.append(layout.line(f"Segment {row['hostname']}:{row['port']}", row["description"]))
    for row in segments["memories"]:
        lines.append(layout.line(f"Segment {row['name']} remembers", row["trouble"] or _memory(row)))
    lines += _readiness(document)
    lines += [layout.item("Note", each) for each in sentences(document["notes"])]
    lines += [layout.item("Problem", each) for each in sentences(document["problems"])]
    return "\n".join(lines)


def _place(host: t.Mapping[str, t.Any]) -> str:
    """Return how far a host is; of a server that is stopped its description has told the timeline already."""
    if not host.get("lsn"):
        return ""
    timeline = f"timeline {host['timeline']}"
    return f" (LSN {host['lsn']})" if timeline in host["description"] else f" ({timeline}, LSN {host['lsn']})"
