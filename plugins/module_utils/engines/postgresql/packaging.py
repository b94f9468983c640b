# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What PostgreSQL is called in the packages of each family of distributions, and where these put its programs. Pure.

Sources: Debian's and Ubuntu's postgresql-common; the RPM packages of the PostgreSQL Global Development Group (PGDG) at
yum.postgresql.org; the module streams of Red Hat Enterprise Linux 8 and 9; openSUSE's packages. Debian's are tried on
real hosts; the others are known from their documents alone.
"""

from __future__ import annotations

import re
import typing as t

DEBIAN, REDHAT, SUSE = "debian", "redhat", "suse"
FAMILIES = {
    DEBIAN: ("debian", "ubuntu"),
    REDHAT: ("rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn"),
    SUSE: ("suse", "opensuse", "sles"),
}
CLIENT_LIBRARY = "python3-psycopg2"
#: what a distribution brings itself, by its name and release; the longest that fits counts
BRINGS = {
    ("debian", "12"): 15,
    ("debian", "13"): 17,
    ("ubuntu", "24.04"): 16,
    ("rhel", "8"): 16,
    ("rhel", "9"): 16,
    ("rhel", "10"): 16,
}
#: Red Hat has several majors there as streams of a module, of which one is chosen with the package
STREAMS = ("8", "9")


class Distribution(t.NamedTuple):
    """What /etc/os-release says, as far as packages depend on it."""

    family: str
    #: its name, or that of the one that it is made like: rhel for Rocky Linux
    name: str
    #: 12, 24.04, 9.6
    release: str

    @property
    def major(self) -> str:
        """Return the first part of the release."""
        return self.release.partition(".")[0]


def distribution(os_release: str) -> Distribution:
    """Return the distribution; one that says nothing that is known has no family."""
    found = dict(re.findall(r"""(?m)^(\w+)=["']?(.*?)["']?\s*$""", os_release))
    names = [found.get("ID", ""), *found.get("ID_LIKE", "").split()]
    family = next((each for name in names for each, known in FAMILIES.items() if name.startswith(known) and name), "")
    itself = names[0]
    if family == REDHAT and itself not in ("fedora", "amzn") and "rhel" in names:
        itself = "rhel"
    return Distribution(family, itself, found.get("VERSION_ID", ""))


def brings(of: Distribution) -> int | None:
    """Return the major version that a distribution brings, or None where that is not known."""
    return BRINGS.get((of.name, of.release), BRINGS.get((of.name, of.major)))


def directory(of: Distribution, major: int, pgdg: bool) -> str:
    """Return where the packages of a major version put the programs."""
    if of.family == REDHAT:
        return f"/usr/pgsql-{major}/bin" if pgdg else "/usr/bin"
    if of.family == SUSE:
        return f"/usr/lib/postgresql{major}/bin"
    return f"/usr/lib/postgresql/{major}/bin"


def directories(major: int) -> list[str]:
    """Return every place where packages of any family put the programs of one major version alone."""
    return [f"/usr/lib/postgresql/{major}/bin", f"/usr/pgsql-{major}/bin", f"/usr/lib/postgresql{major}/bin"]


def packages(of: Distribution, major: int | None, pgdg: bool) -> list[str]:
    """Return the packages with the server of a major version, or of the distribution's own, and with psycopg2."""
    if of.family == REDHAT and pgdg and major:
        server = f"postgresql{major}-server"
    elif of.family == REDHAT and of.name == "rhel" and of.major in STREAMS and (major or brings(of)):
        server = f"@postgresql:{major or brings(of)}/server"
    elif of.family == REDHAT:
        server = "postgresql-server" if major in (None, brings(of)) else f"postgresql{major}-server"
    elif of.family == SUSE:
        server = f"postgresql{major}-server" if major else "postgresql-server"
    else:
        server = f"postgresql-{major}" if major else "postgresql"
    return [server, CLIENT_LIBRARY]


def asked(majors: tuple[int, ...]) -> list[str]:
    """Return the command that tells which of Debian's packages can be installed."""
    return ["apt-cache", "policy", "postgresql", *(f"postgresql-{major}" for major in majors)]


def offered(answer: str) -> tuple[int | None, list[int]]:
    """Return from apt's answer which major version the distribution has, and which ones can be installed."""
    found = dict(re.findall(r"(?m)^(postgresql(?:-\d+)?):\n  Installed: .*\n  Candidate: (\d\S*)", answer))
    own = found.pop("postgresql", "")
    majors = sorted(int(name.rpartition("-")[2]) for name in found)
    return (int(re.split(r"\D", own)[0]) if own else None), majors
