# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processes of a server, as the system shows them: what can be known and ended without a session.

A process of the server says in its title what it is and does. Only a process that serves a client names the client's
address behind its role and database, so nothing else is ever taken for one.

Sources: PostgreSQL manual, "Standard Unix Tools"; ``ps_status.c`` and ``backend_startup.c`` of PostgreSQL.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import typing as t

from ...host import files

#: role, database, and the address: [local], or a host with its port; then what it does
CLIENT = re.compile(r"postgres: (?P<who>.+ (?:\[local\]|\S+\(\d+\)))(?: (?P<does>.*))?", re.S)
WALSENDER = re.compile(r"(?:\S+: )?walsender ")
STARTUP = re.compile(r"postgres: (?:.+: )?startup(?: (?P<does>.*))?", re.S)
#: in which order sessions are given up: idle ones, those of a server that does not show it, open transactions, others
IDLE, UNKNOWN, OPEN, BUSY = range(4)


class Client(t.NamedTuple):
    """A process that serves a client."""

    pid: int
    #: in ticks since the host's boot
    started: int
    who: str
    does: str

    @property
    def rank(self) -> int:
        """How much is lost with it."""
        return rank(self.does)

    @property
    def title(self) -> str:
        """Who it is and what it does."""
        return f"{self.who} {self.does}".rstrip()


def rank(does: str) -> int:
    """Return how much is lost with a session that does this."""
    if does.startswith("idle in transaction"):
        return OPEN
    return {"idle": IDLE, "": UNKNOWN}.get(does, BUSY)


def client_of(title: str) -> tuple[str, str] | None:
    """Return whom a process serves and what it does; None of one that serves no client, and of one that sends WAL."""
    found = CLIENT.fullmatch(title.strip())
    if found is None or WALSENDER.match(found["who"]):
        return None
    return found["who"], (found["does"] or "").strip()


def startup_of(title: str) -> str | None:
    """Return what the process does that replays the WAL; None of any other process."""
    found = None if client_of(title) else STARTUP.fullmatch(title.strip())
    return (found["does"] or "").strip() if found else None


def children(postmaster: int) -> dict[int, int]:
    """Return the server's processes, each with the time of its start."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        # the name in parentheses may hold anything
        fields = (files.text_of(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
        if len(fields) > 19 and fields[1] == str(postmaster):
            found[int(pid)] = int(fields[19])
    return found


def title(pid: int) -> str:
    """Return the title of a process."""
    return (files.text_of(f"/proc/{pid}/cmdline") or "").partition("\0")[0]


def stopped(postmaster: int) -> dict[int, str]:
    """Return the server's own processes that somebody has stopped by a signal, with their titles."""
    found = {pid: title(pid) for pid in children(postmaster) if _state(pid) in ("T", "t")}
    return {pid: said for pid, said in found.items() if client_of(said) is None}


def wake(postmaster: int) -> list[int]:
    """Let those go on; a promotion, and a stop, would wait for them for ever."""
    found = sorted(stopped(postmaster))
    for pid in found:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)
    return found


def _state(pid: int) -> str:
    return (files.text_of(f"/proc/{pid}/stat") or "").rpartition(")")[2].strip()[:1]


def clients(postmaster: int) -> list[Client]:
    """Return the processes that serve clients, those first that are given up first."""
    found = [(pid, started, client_of(title(pid))) for pid, started in children(postmaster).items()]
    return in_order(Client(pid, started, *serves) for pid, started, serves in found if serves)


def in_order(found: t.Iterable[Client]) -> list[Client]:
    """Return those first that are given up first: idle ones before others, and of those the oldest."""
    return sorted(found, key=lambda each: (each.rank, each.started, each.pid))


def replaying(postmaster: int) -> str | None:
    """Return what the process does that replays the WAL; None where there is none."""
    found = (startup_of(title(pid)) for pid in children(postmaster))
    return next((does for does in found if does is not None), None)


def waits(does: str | None) -> bool:
    """Whether the replay waits for somebody, as its process says after half a second."""
    return bool(does) and str(does).endswith("waiting")


def end(postmaster: int, client: Client) -> bool:
    """Ask one to end, as the server itself would; return whether it was still the same process."""
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(client.pid)
        try:
            if children(postmaster).get(client.pid) == client.started and client_of(title(client.pid)):
                signal.pidfd_send_signal(handle, signal.SIGTERM)
                return True
        finally:
            os.close(handle)
    return False
