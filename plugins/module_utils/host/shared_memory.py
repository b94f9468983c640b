# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether systemd takes a user's shared memory away when its last session ends: no server of it takes a session then.

Sources: logind.conf(5), "RemoveIPC="; PostgreSQL manual, "systemd RemoveIPC". Neither a system user's nor that of a
user that lingers is taken away, and only PAM's module tells systemd of sessions.
"""

from __future__ import annotations

import glob
import os
import re

from . import files

#: where each file of the name in the first wins over the same in the next
FOLDERS = ("/etc/systemd/logind.conf.d", "/run/systemd/logind.conf.d", "/usr/lib/systemd/logind.conf.d")
MAIN, LOGIN, PAM, LINGER = "/etc/systemd/logind.conf", "/etc/login.defs", "/etc/pam.d/*", "/var/lib/systemd/linger"
RUNS = "/run/systemd/seats"
#: where PAM's module is: without it nobody tells of sessions, and a user that is let linger loses its memory by that
PLACES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/lib/*")
MODULES = tuple(f"{place}/security/pam_systemd.so" for place in PLACES)
#: the largest number of a system user where the host does not say
SYSTEM = 999


def is_removed(user: str, number: int) -> bool:
    """Whether it is: of an ordinary user that does not linger, where systemd learns of sessions."""
    if number <= _system_users() or os.path.exists(os.path.join(LINGER, user)) or not os.path.isdir(RUNS):
        return False
    if not any(glob.glob(pattern) for pattern in MODULES):
        return False
    return _removes() and any(_is_told(path) for path in glob.glob(PAM))


def _system_users() -> int:
    found = re.findall(r"^\s*SYS_UID_MAX\s+(\d+)", files.text_of(LOGIN) or "", re.M)
    return int(found[-1]) if found else SYSTEM


def _removes() -> bool:
    """Return what systemd is told; it does so unless told otherwise."""
    names: dict[str, str] = {}
    for folder in reversed(FOLDERS):
        for path in glob.glob(os.path.join(folder, "*.conf")):
            names[os.path.basename(path)] = path
    told = "yes"
    for path in [MAIN, *(names[name] for name in sorted(names))]:
        found = re.findall(r"^\s*RemoveIPC\s*=\s*(\S*)", files.text_of(path) or "", re.M)
        told = found[-1].lower() if found else told
    return told not in ("no", "false", "off", "0", "n", "f")


def _is_told(path: str) -> bool:
    return re.search(r"^\s*-?session\b.*pam_systemd\.so", files.text_of(path) or "", re.M) is not None
