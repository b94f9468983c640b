# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What root does to files while a playbook runs: every module's Python is started under strace, and its calls are read.

A call counts as root's until its process has called setresuid (or setuid) with another user. Looking (stat, readlink)
harms nobody; opening, making, renaming, giving away and deleting do.
"""

from __future__ import annotations

import re
import typing as t

from harness import on

PLACE, PYTHON = "/root/trace", "/root/traced-python"
CALLS = "%process,setresuid,setuid,%file,fchown,fchmod,ftruncate"
WRAPPER = f"""#!/bin/sh
# -ff: one file for each process; -y: what a descriptor stands for
exec strace -ff -qq -y -s 300 --seccomp-bpf -e trace={CALLS} -o {PLACE}/$$ /usr/bin/python3 "$@"
"""
LINE = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\s+= (?P<result>-?\d+)(?P<more>.*)")
TOUCHING = re.compile(
    r"open|openat|openat2|creat|mkdir\w*|rmdir|unlink\w*|rename\w*|link|linkat|symlink\w*|truncate|ftruncate|f?chmod\w*"
    r"|[fl]?chown\w*|utime\w*|mknod\w*|[lf]?setxattr|execve\w*|chdir"
)
STRING = re.compile(r'(?:(?P<directory>AT_FDCWD|\d+)<(?P<place>[^>]*)>, )?"(?P<name>(?:[^"\\]|\\.)*)"')
DESCRIPTOR = re.compile(r"^\d+<(?P<place>[^>]*)>")


class Touch(t.NamedTuple):
    """A call of root's on a path: ``within`` is the place of the descriptor that a single name was looked up in."""

    call: str
    path: str
    within: str | None
    text: str


def begin(host: str) -> None:
    """Let the modules of the next playbooks run under strace on a host."""
    on(host, f"rm -rf {PLACE}; mkdir -m 700 {PLACE}; cat > {PYTHON} <<'END'\n{WRAPPER}END\nchmod 700 {PYTHON}")


def touched(host: str) -> set[Touch]:
    """Return what root has touched since then, and forget it."""
    # one line for each call: the process, then what strace has written
    text = on(host, f'cd {PLACE} && for each in *; do sed "s/^/$each /" $each; done; rm -f {PLACE}/*')
    calls: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _blank, rest = line.partition(" ")
        calls.setdefault(name.rpartition(".")[2], []).append(rest)
    return set(_roots(calls))


def _roots(calls: dict[str, list[str]]) -> t.Iterator[Touch]:
    children = {
        found["result"]
        for lines in calls.values()
        for found in map(LINE.match, lines)
        if found and re.fullmatch("clone3?|v?fork", found["name"])
    }
    waiting = [(pid, True) for pid in calls if pid not in children]
    while waiting:
        pid, root = waiting.pop()
        for line in calls.get(pid, []):
            found = LINE.match(line)
            if not found:
                continue
            if re.fullmatch("clone3?|v?fork", found["name"]) and int(found["result"]) > 0:
                waiting.append((found["result"], root))
            elif found["name"] in ("setresuid", "setuid") and found["result"] == "0":
                root = found["arguments"].split(",")[0].strip() == "0"
            elif found["name"] == "execve" and '/useradd"' in found["arguments"] and found["result"] == "0":
                break  # it makes the home while there is no such user yet
            elif root and TOUCHING.fullmatch(found["name"]):
                yield from _touches(found)


def _touches(found: re.Match[str]) -> t.Iterator[Touch]:
    by_descriptor = DESCRIPTOR.match(found["arguments"])
    strings = list(STRING.finditer(found["arguments"]))
    if by_descriptor and not strings:
        yield Touch(found["name"], by_descriptor["place"], by_descriptor["place"], found[0])
    for each in strings[:2]:
        name, place = each["name"], each["place"] or ""
        within = place if (each["directory"] or "").isdigit() and "/" not in name else None
        yield Touch(found["name"], name if name.startswith("/") else f"{place}/{name}", within, found[0])
