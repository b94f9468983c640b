# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates and keys in the data directory: each host keeps its own, whatever way brings it back.

Sources: PostgreSQL manual, "SSL Server File Usage" (who may read a key), "initdb" (group access), "pg_rewind" (which
files it copies whole).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat

from ...values import settings_file
from . import start_files

#: what names such a file, and where the server looks for it unless told
NAMES = {
    "ssl_cert_file": "server.crt",
    "ssl_key_file": "server.key",
    "ssl_ca_file": "",
    "ssl_crl_file": "",
    "ssl_dh_params_file": "",
    "krb_server_keyfile": "",
}
KEY, PAIR = "ssl_key_file", ("ssl_cert_file", "ssl_key_file")
#: only the server writes there
OF_THE_SERVER = ("base", "global", "pg_")


def named(data_directory: str, config_directory: str) -> dict[str, str]:
    """Return the files in a data directory that its configuration names, below it, by the setting."""
    told: dict[str, str] = {}
    for row in start_files.texts(data_directory, config_directory):
        told.update(settings_file.parse(row))
    found = {}
    for setting, default in NAMES.items():
        path = os.path.join(data_directory, told.get(setting, default).removeprefix("FILE:"))
        if start_files.is_below(path, data_directory) and os.path.isfile(path):
            found[setting] = os.path.relpath(path, data_directory)
    return found


def keep(path: str, aside: str) -> None:
    """Copy one; what was root's is the user's then, and no group may read it."""
    os.makedirs(os.path.dirname(aside), mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(aside)
    shutil.copy2(path, aside)
    found = os.stat(path)
    if found.st_uid != os.geteuid():
        os.chmod(aside, stat.S_IMODE(found.st_mode) & 0o700 | 0o600)


def put(path: str, aside: str) -> None:
    """Put one in its place, whatever is there and whoever may write to that."""
    temporary = f"{path}.hawq-own"
    keep(aside, temporary)
    os.replace(temporary, path)


def let_write(data_directory: str) -> None:
    """Let the user change each file that is not the server's own kind: a program that meets a 0400 stops half-way.

    What belongs to somebody else is removed, since it is to be what the master has.
    """
    for parent, inner, names in os.walk(data_directory):
        if parent == data_directory:
            inner[:] = [name for name in inner if not name.startswith(OF_THE_SERVER)]
        for path in (os.path.join(parent, name) for name in names):
            if os.path.islink(path) or os.access(path, os.W_OK):
                continue
            if os.stat(path).st_uid == os.geteuid():
                os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | stat.S_IWUSR)
            else:
                os.unlink(path)


def carry(old: str, aside: str, copy: str, config_directory: str) -> list[str]:
    """Let a copy have the files that this host's data directory had, or that were kept aside of it; return which.

    A certificate without its key, or the other way round, would be of no use: then both are the master's.
    """
    outside = os.path.realpath(config_directory) != os.path.realpath(old)
    wanted = named(copy, config_directory if outside else copy)
    places = [each for each in (aside, old) if os.path.isdir(each)]
    there = {setting: _first([os.path.join(place, name) for place in places]) for setting, name in wanted.items()}
    whole = all(there.get(setting) for setting in PAIR if setting in wanted)
    taken = []
    for setting, name in wanted.items():
        mine = there[setting]
        if mine and (whole or setting not in PAIR):
            put(os.path.join(copy, name), mine)
            taken.append(name)
    key = wanted.get(KEY)
    if key:  # the copy is the user's, and of a key of its own the server bears no group
        path = os.path.join(copy, key)
        os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & 0o700)
    return taken


def _first(paths: list[str]) -> str | None:
    return next((path for path in paths if os.path.isfile(path)), None)


def let_group_in(copy: str) -> None:
    """Let the group look into a copy where the master lets it; the program that copies leaves its top as it is."""
    with contextlib.suppress(OSError):
        os.chmod(copy, stat.S_IMODE(os.stat(os.path.join(copy, "base")).st_mode) & 0o750 | 0o700)


def modes(data_directory: str) -> tuple[int, int]:
    """Return the modes of directories and files of a data directory, by that of its top."""
    group = os.stat(data_directory).st_mode & stat.S_IRGRP
    return (0o750, 0o640) if group else (0o700, 0o600)
