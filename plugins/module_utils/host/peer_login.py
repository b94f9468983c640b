# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking another master host by SSH as the boot interlock asks it: same user, same programs, same question."""

from __future__ import annotations

import typing as t

from . import programs
from .run import Runner

CONNECT_SECONDS, ALL_SECONDS = 2, 5
#: bytes of an answer that are read
MOST = 64 << 10
ANSWERED = "answered"
WORDS = ("Database system identifier", "no data directory")
#: what keeps a login out that has the right key
REASONS = (
    "AllowUsers, AllowGroups, DenyUsers, Match, AuthorizedKeysFile and ForceCommand in sshd's configuration, an account"
    " that is locked or expired or has no login shell (getent passwd), a home directory that others may write to"
)


def ask(run: Runner, address: str, port: int, unit: str) -> str:
    """Return "answered", or why the host does not answer by SSH."""
    got: list[bytes] = []
    options = ["-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}", "-p", str(port)]
    command = ["ssh", *options, "--", address, f"{programs.peer_command(unit)} state"]
    code, errors = run.reading(command, lambda output: got.append(output.read(MOST)), ALL_SECONDS)
    if code == 0:
        text = b"".join(got).decode(errors="replace")
        return ANSWERED if any(word in text for word in WORDS) else "it says nothing of its data"
    # a login shell that lets nobody in says so on the other line
    said = errors if errors.strip() else b"".join(got).decode(errors="replace")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return reason(code, (lines or [""])[-1].rpartition(f"@{address}: ")[2].removeprefix("ssh: ").rstrip("."))


def reason(code: int, said: str) -> str:
    """Return why a program has failed."""
    if code in (124, 137):
        return f"no answer within {ALL_SECONDS} s"
    return said or f"the program ended with {code} and said nothing"


def refused(run: Runner, user: str, peers: list[dict[str, t.Any]]) -> list[str]:
    """Return a sentence for each peer that does not let the user in."""
    found = []
    for peer in peers:
        said = ask(run, peer["address"], int(peer.get("ssh_port") or 22), peer["unit"])
        if said != ANSWERED:
            port = peer.get("ssh_port") or 22
            found.append(
                f"{user} cannot ask {peer['name']} by SSH, at {peer['address']} port {port}: {said}. Each start of a"
                " master, and fetching WAL from a dead one, relies on that login. If it was refused, look on"
                f" {peer['name']} why (journalctl -u 'ssh*' -n 20; {REASONS}), change that, then run this again. If its"
                f" sshd listens on another port, set ssh_keys_port for {peer['name']} in the inventory"
            )
    return found
