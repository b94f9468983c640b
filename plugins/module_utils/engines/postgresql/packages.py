# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The packages of this host: its distribution, its package manager, and what PostgreSQL is called there.

Root runs this, and so it runs no program and reads nothing but what is root's.
"""

from __future__ import annotations

import glob
import shutil
import typing as t

from ...host import files
from . import packaging

OS_RELEASE = "/etc/os-release"
PGDG = "/etc/yum.repos.d/pgdg*.repo"
MANAGERS = {"apt-get": "apt", "dnf": "dnf", "yum": "yum", "zypper": "zypper"}


def here() -> tuple[packaging.Distribution, bool]:
    """Return this host's distribution, and whether it gets PostgreSQL from PGDG's RPM packages."""
    return packaging.distribution(files.text_of(OS_RELEASE) or ""), bool(glob.glob(PGDG))


def manager() -> str | None:
    """Return the Ansible module that installs this host's packages, or None."""
    return next((name for command, name in MANAGERS.items() if shutil.which(command)), None)


def tell(version: int) -> dict[str, t.Any]:
    """Return what the packages with a major version are called here (0: with the distribution's own)."""
    of, pgdg = here()
    return {
        "changed": False,
        "packages": packaging.packages(of, version or None, pgdg),
        "package_manager": manager(),
    }
