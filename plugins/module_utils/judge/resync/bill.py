# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each route of a resynchronisation would cost: bytes, disk, seconds, and what is at stake. Pure.

The rates are what two small machines with ordinary disks managed; an estimate is good within a factor of two.
"""

from __future__ import annotations

import typing as t

from ...values import lsn
from .. import disk

PAGE_BYTES = 8192
#: bytes a second
COPY_AND_VERIFY, REPLAY, REWIND, COMPARE = 200e6, 60e6, 120e6, 260e6
#: seconds that a route takes however little there is to do
FIXED = {"none": 0.0, "start": 5.0, "follow": 5.0, "rewind": 7.0, "delta": 9.0, "snapshot": 12.0}


def cost(route: str, case: t.Any) -> dict[str, t.Any]:
    """Return bytes to transfer, disk that must be free (bytes), estimated seconds, and what is at stake."""
    return {
        "none": _nothing,
        "start": _stream,
        "follow": _stream,
        "rewind": _rewind,
        "delta": _delta,
        "snapshot": _snapshot,
    }[route](route, case)


def _row(transfer: int, room: int, seconds: float, stake: str) -> dict[str, t.Any]:
    return {"transfer_bytes": transfer, "disk_bytes": room, "seconds": round(seconds, 1), "stake": stake}


def _nothing(_route: str, _case: t.Any) -> dict[str, t.Any]:
    return _row(0, 0, 0.0, "nothing")


def behind(case: t.Any) -> int:
    """Return the bytes of WAL that the host lacks, as far as is known."""
    found = case.found or {}
    end = case.have if case.standby and not found.get("wal_bytes") else found.get("end_lsn") or case.have
    return max(0, lsn.distance(case.source["server"]["current_lsn"], end) or 0)


def _stream(route: str, case: t.Any) -> dict[str, t.Any]:
    lag = behind(case)
    return _row(lag, lag, FIXED[route] + lag / REPLAY, "nothing: the master has all that it has")


def lost(case: t.Any) -> str:
    """Return what only this host has, in words."""
    found = case.found
    if case.newer and case.fork and (not found or found["damage"] or not found["wal_bytes"]):
        return f"what {case.name} has beyond {case.fork.lsn} (not counted)"
    if case.newer and not case.fork:
        return f"what only {case.name} has"
    if not found or not found["wal_bytes"]:
        return ""
    count = found["transactions"]
    if not count and found["whole"]:
        return f"WAL without a commit that only {case.name} has"
    between = f" ({found['first_commit']} to {found['last_commit']} UTC)" if count else ""
    more = "" if found["whole"] else "at least "
    return f"{more}{count} transaction{'' if count == 1 else 's'}{between} that only {case.name} has"


def _verb(case: t.Any) -> str:
    """Return the verb that fits what only this host has: is or are."""
    found = case.found or {}
    one = found.get("transactions") == 1 or not found or (not found.get("transactions") and found.get("whole"))
    return "is" if one else "are"


def _rewind(route: str, case: t.Any) -> dict[str, t.Any]:
    server, found = case.source["server"], case.found or {}
    transfer = int(found.get("blocks", 0)) * PAGE_BYTES + int(server["wal_bytes"] or 0)
    aside = int(found.get("wal_bytes", 0)) + (16 << 20)
    stake = lost(case)
    stake = f"{stake} {_verb(case)} taken out; its WAL since then is kept aside" if stake else "nothing"
    return _row(transfer, transfer + aside, FIXED[route] + transfer / REWIND, stake)


def _delta(route: str, case: t.Any) -> dict[str, t.Any]:
    size = sum(int(row["bytes"]) for row in disk.sizes(case.source))
    transfer = min(size, behind(case) + int((case.found or {}).get("wal_bytes", 0)))
    stake = lost(case)
    if case.options["existing_data"] == "discard" and not stake:
        stake = "what only the old data has"
    aside = int((case.found or {}).get("wal_bytes", 0)) + (16 << 20)
    return _row(
        transfer,
        transfer + aside,
        FIXED[route] + size / COMPARE + transfer / REWIND,
        f"{stake} {_verb(case)} taken out; its WAL since then is kept aside" if lost(case) else stake or "nothing",
    )


def _snapshot(route: str, case: t.Any) -> dict[str, t.Any]:
    size = sum(int(row["bytes"]) for row in disk.sizes(case.source))
    choice = case.options["existing_data"]
    stake = lost(case)
    if case.seen["data_directory"]["state"] != "data":
        stake = "nothing"
    elif choice == "discard":
        stake = (
            f"the old data is deleted, and with it {stake}; its WAL is kept aside"
            if stake
            else "the old data is deleted"
        )
    else:
        stake = (
            f"{stake} {_verb(case)} in the old data, which is moved aside"
            if stake
            else "nothing: the old data is moved aside"
        )
    return _row(size, size + disk.SPARE_BYTES, FIXED[route] + size / COPY_AND_VERIFY, stake)
