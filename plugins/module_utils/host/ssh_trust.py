# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom a user lets in by SSH, and which host keys it expects: its own files, changed by the user itself.

Source: sshd(8), "AUTHORIZED_KEYS FILE FORMAT" and "SSH_KNOWN_HOSTS FILE FORMAT".
"""

from __future__ import annotations

import os
import pwd
import re
import typing as t

from ..values import blocks
from ..values.text import lines_of
from . import files, programs
from .errors import MirroringError

KINDS = ("ssh-", "ecdsa-", "sk-")
#: what the key of another master host is good for, and nothing else
RESTRICTED = f'restrict,command="{programs.peer_program()}"'


class Entry(t.NamedTuple):
    """A line of authorized_keys."""

    options: str
    value: str


def entry(line: str) -> Entry | None:
    """Return options and key of a line; None of one that lets nobody in."""
    words = line.split()
    if not words or words[0].startswith("#"):
        return None
    for index, word in enumerate(words[:-1]):
        if word.startswith(KINDS):
            return Entry(" ".join(words[:index]), words[index + 1])
    return None


def entries(text: str | None) -> list[Entry]:
    """Return what lets somebody in."""
    return [found for found in map(entry, lines_of(text or "")) if found]


def restricted(found: list[Entry]) -> list[str]:
    """Return the keys all of whose lines are good for nothing but what another master host asks."""
    free = {each.value for each in found if each.options != RESTRICTED}
    return sorted({each.value for each in found} - free)


def authorized(text: str, keys: list[str], restrict: bool) -> str:
    """Return the text with one line for each of these keys, in the place of its first; other lines stay."""
    wanted = {found.value: f"{RESTRICTED} {key}" if restrict else key for key in keys if (found := entry(key))}
    lines, done = [], set()
    for line in lines_of(text):
        found = entry(line)
        if found is None or found.value not in wanted:
            lines.append(line)
        elif found.value not in done:
            done.add(found.value)
            lines.append(wanted[found.value])
    lines += [line for value, line in wanted.items() if value not in done]
    return "".join(f"{line}\n" for line in lines)


def known(text: str, hosts: list[dict[str, t.Any]]) -> str:
    """Return the text with a block of lines for each host, in the place of its old one; other lines stay."""
    for host in hosts:
        block = "\n".join(f"{','.join(host['addresses'])} {key}" for key in host["keys"])
        text, _before = blocks.edited(text, f"# {{mark}} hawq.mirroring {host['name']}", block, first=False)
    return text


def _check(keys: list[str], hosts: list[dict[str, t.Any]]) -> None:
    """Raise for what would be more than one line, or stand for more hosts than one: other hosts have said it."""
    for key in [*keys, *(key for host in hosts for key in host["keys"])]:
        found = entry(key)
        if found is None or found.options or len(key.splitlines()) > 1:
            raise MirroringError(f"this is no public SSH key: {key!r}")
    for name in [name for host in hosts for name in [host["name"], *host["addresses"]]]:
        if not re.fullmatch(r"[A-Za-z0-9._:%\[\]-]+", name):
            raise MirroringError(f"this is no name or address of a host: {name!r}")


def ensure(act: bool, *, user: str, keys: list[str], restrict: bool, hosts: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Write both files, as the user that this process is; say what has changed."""
    _check(keys, hosts)
    try:
        place = os.path.join(pwd.getpwnam(user).pw_dir, ".ssh")
    except KeyError as error:
        if not act:
            return {"changed": True, "done": []}
        raise MirroringError(f"there is no user {user} here: run the role gpadmin_user, or name another") from error
    done, diffs = [], []
    if act and not os.path.isdir(place):
        os.mkdir(place, 0o700)
    for name, made in (
        ("authorized_keys", lambda text: authorized(text, keys, restrict)),
        ("known_hosts", lambda text: known(text, hosts)),
    ):
        path = os.path.realpath(os.path.join(place, name))
        before = files.read(path) or ""
        after = made(before)
        if after != before and files.write(path, after, act=act):
            done.append(path)
            diffs.append({"before": before, "after": after, "before_header": path, "after_header": path})
    return {"changed": bool(done), "done": done, "diff": diffs}
