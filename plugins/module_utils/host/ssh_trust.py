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
from . import clearing, files, programs
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


def forgotten(text: str, names: list[str] | None, line_of: t.Callable[[str], str | None]) -> str:
    """Return the text without the lines of these hosts, or of all that the collection has written."""
    return "".join(
        f"{line}\n" for line in lines_of(text) if (name := line_of(line)) is None or (names and name not in names)
    )


def _asks(line: str) -> str | None:
    """Return the host whose key is good for the questions of a master host; None of another line."""
    found = entry(line)
    return line.split()[-1].rpartition("@")[2] if found and found.options == RESTRICTED else None


def unknown(text: str, names: list[str] | None) -> str:
    """Return known_hosts without the blocks of these hosts, or of all."""
    there = re.findall(r"^# BEGIN hawq\.mirroring (\S+)$", text, re.M)
    for name in there if names is None else names:
        text, _before = blocks.edited(text, f"# {{mark}} hawq.mirroring {name}", "", first=False)
    return text


def forget(act: bool, *, user: str, names: list[str] | None, service: str) -> dict[str, t.Any]:
    """Let these hosts, or none, ask here any more, and forget their host keys.

    Another cluster of this host may have the same hosts and the same user, whose key it is as well.
    """
    if clearing.other_clusters(service):
        return {"changed": False, "done": [], "diff": []}
    try:
        place = os.path.join(pwd.getpwnam(user).pw_dir, ".ssh")
    except KeyError:
        return {"changed": False, "done": [], "diff": []}
    edits = {
        "authorized_keys": lambda text: forgotten(text, names, _asks),
        "known_hosts": lambda text: unknown(text, names),
    }
    return _edit(act, place, edits)


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
    if act and not os.path.isdir(place):
        os.mkdir(place, 0o700)
    edits: dict[str, t.Callable[[str], str]] = {
        "authorized_keys": lambda text: authorized(text, keys, restrict),
        "known_hosts": lambda text: known(text, hosts),
    }
    return _edit(act, place, edits)


def _edit(act: bool, place: str, edits: t.Mapping[str, t.Callable[[str], str]]) -> dict[str, t.Any]:
    done, diffs = [], []
    for name, made in edits.items():
        path = os.path.realpath(os.path.join(place, name))
        before = files.read(path) or ""
        after = made(before)
        if after != before and files.write(path, after, act=act):
            done.append(path)
            diffs.append({"before": before, "after": after, "before_header": path, "after_header": path})
    return {"changed": bool(done), "done": done, "diff": diffs}
