# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A user's SSH key pair, and the host's public keys."""

from __future__ import annotations

import pwd
import socket
import tempfile
import typing as t
from pathlib import Path

from . import files
from .errors import MirroringError
from .run import Runner

HOST_KEYS = Path("/etc/ssh")
NAME = "id_ed25519"


def host_keys() -> list[str]:
    """Return the host's public keys without their comments, sorted by type."""
    texts = [files.text_of(str(path)) for path in HOST_KEYS.glob("ssh_host_*_key.pub")]
    return sorted(" ".join(text.split()[:2]) for text in texts if text)


def keygen(run: Runner, *arguments: str) -> str:
    """Run ssh-keygen, return what it prints."""
    code, output, errors = run(["ssh-keygen", *arguments])
    if code:
        raise MirroringError(f"ssh-keygen failed: {(errors or output).strip() or code}")
    return output


def make(run: Runner, directory: Path, comment: str) -> None:
    """Make a key pair; it appears in its place complete, the private half last."""
    if not directory.is_dir():
        with files.changing(str(directory.parent)):
            directory.mkdir(mode=0o700)
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        private = Path(folder, NAME)
        keygen(run, "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(private))
        for path in (private.with_suffix(".pub"), private):
            path.rename(directory / path.name)


def known_as(name: str, addresses: list[str], port: int) -> dict[str, t.Any]:
    """Return what other hosts write into known_hosts of this one."""
    names = list(dict.fromkeys([name, *addresses]))
    ports = [f"[{each}]:{port}" for each in names] if port != 22 else []
    return {"name": name, "addresses": names + ports, "keys": host_keys()}


def ensure(
    run: Runner, act: bool, *, user: str, comment: str | None, name: str | None, addresses: list[str], port: int
) -> dict[str, t.Any]:
    """Find the user, make a key pair when there is none, say what others must know."""
    host = known_as(name or socket.gethostname(), addresses, port)
    result: dict[str, t.Any] = {"changed": False, "public_key": None, "host": host}
    try:
        directory = Path(pwd.getpwnam(user).pw_dir, ".ssh")
    except KeyError as error:
        if not act:
            return result | {"changed": True}
        raise MirroringError(
            f"There is no user {user} here: run the role gpadmin_user first, or name another."
        ) from error
    private = directory / NAME
    if not private.is_file():
        result["changed"] = True
        if not act:
            return result
        make(run, directory, comment or f"{user}@{socket.gethostname()}")
    public = private.with_suffix(".pub")
    known = files.read(str(public)) if public.is_file() else None
    result["public_key"] = (known or keygen(run, "-y", "-P", "", "-f", str(private))).strip()
    return result
