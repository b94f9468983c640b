# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The accounts, files and directories of a host."""

from __future__ import annotations

import contextlib
import os
import pwd
import typing as t

from . import files, shared_memory, ssh_trust, unchangeable
from .errors import MirroringError
from .module import Instance

if t.TYPE_CHECKING:
    from ..values.observation import Ssh, User


def user(instance: Instance) -> User:
    """The operating system user that owns the server."""
    try:
        entry = pwd.getpwnam(instance.user)
    except KeyError:
        return {"name": instance.user, "exists": False, "home": None, "memory_removed": False}
    removed = shared_memory.is_removed(instance.user, entry.pw_uid)
    return {"name": instance.user, "exists": True, "home": entry.pw_dir, "memory_removed": removed}


def is_there(name: str, act: bool) -> bool:
    """Whether there is such a user: where nothing is done yet, it may be one that a run would make."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        if act:
            raise MirroringError(
                f"There is no user {name} here: run the role gpadmin_user first, or name another."
            ) from None
        return False
    return True


def acting() -> str:
    """Return the name of the user that this process is."""
    return name_of(os.geteuid())


def name_of(number: int) -> str:
    """Return the name of a user, or its number when it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def ssh(instance: Instance) -> Ssh:
    """Public SSH keys: this host's, its server user's, and those that the user lets in or expects of other hosts."""
    try:
        place = os.path.join(pwd.getpwnam(instance.user).pw_dir, ".ssh")
    except KeyError:
        nothing: Ssh = {
            "public_key": None,
            "authorized": [],
            "restricted": [],
            "known": [],
            "host_keys": [],
            "unchangeable": None,
        }
        return nothing

    def keys(path: str) -> list[str]:
        words = [line.split() for line in (files.text_of(path) or "").splitlines() if line and not line.startswith("#")]
        return [line[index + 1] for line in words for index, word in enumerate(line[:-1]) if word.startswith("ssh-")]

    entries = ssh_trust.entries(files.text_of(os.path.join(place, "authorized_keys")))
    own = keys(os.path.join(place, "id_ed25519.pub"))
    return {
        "public_key": own[0] if own else None,
        "authorized": sorted({each.value for each in entries}),
        "restricted": ssh_trust.restricted(entries),
        "known": keys(os.path.join(place, "known_hosts")),
        "host_keys": keys("/etc/ssh/ssh_host_ed25519_key.pub"),
        "unchangeable": unchangeable.first(
            [*(os.path.join(place, name) for name in ("authorized_keys", "known_hosts")), place]
        ),
    }


def _parent_on_disk(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _names(path: str) -> list[str]:
    """Return the names in a directory; none when it cannot be read."""
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def _size_of(path: str) -> int:
    """Bytes on disk below a directory; files that vanish meanwhile do not count."""
    total = 0
    for parent, _directories, names in os.walk(path):
        with contextlib.suppress(OSError):
            total += sum(os.lstat(os.path.join(parent, name)).st_blocks * 512 for name in names)
    return total
