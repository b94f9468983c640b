# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A place of root's with one of another user in it, and work that is done as that user."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import separation, services

USER = "nobody"


class Place:
    """``root`` is root's, ``home`` in it is the user's, ``secret`` in it is a file that root alone can read."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.secret = root, root / "home", root / "secret"
        root.chmod(0o755)
        self.home.mkdir(mode=0o755)
        self.give(self.home)
        self.secret.write_text("root's\n")
        self.secret.chmod(0o600)

    def give(self, path: Path) -> None:
        """Make it the user's."""
        account = pwd.getpwnam(USER)
        os.chown(path, account.pw_uid, account.pw_gid)

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        """Write a file of the user's."""
        path.write_text(text)
        path.chmod(mode)
        self.give(path)

    def run(self, work: t.Callable[[], t.Any], *named: Path) -> t.Any:
        """Do it as the user, while root does what it offers for these paths of the operator's."""
        scope = services.Scope(USER, "", "", tuple(map(str, named)))
        separation.offer(services.offered(scope, t.cast("t.Any", None)))
        return separation.run_as(USER, work)

    def is_untouched(self) -> bool:
        """Whether root's file is as it was."""
        found = self.secret.lstat()
        return (self.secret.read_text(), found.st_uid, found.st_mode & 0o777) == ("root's\n", 0, 0o600)


def place() -> t.Iterator[Place]:
    """Give such a place; only root can make one."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    root = Path(tempfile.mkdtemp(prefix="hawq-test-", dir="/run"))
    yield Place(root)
    separation.offer({})
    shutil.rmtree(root)
