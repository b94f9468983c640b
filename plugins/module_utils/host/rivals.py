# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Other units than the named one that would start a server in the same data directory when the host is booted.

Each of them starts it past the interlock. Sources: systemd.unit(5), "Unit File Load Path"; pg_createcluster(1),
"start.conf"; postgresql-common's generator of units.
"""

from __future__ import annotations

import glob
import os
import re
import typing as t

from ..values import places, settings_file
from . import files, systemd
from .run import Runner

if t.TYPE_CHECKING:
    from ..values.observation import Rival

#: where an operator's units are; and where packages put theirs, of which only those of databases are read
OPERATORS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system")
PACKAGES = ("/usr/lib/systemd/system", "/lib/systemd/system")
DATABASES = re.compile(r"p(ost)?g|edb|sql", re.I)
#: what starts a server; a backup's program may be told of the same directory
STARTS = re.compile(r"^\s*ExecStart\s*=\s*\S*/(?:postgres|postmaster|pg_ctl|pg_ctlcluster)(?=\s|$)", re.M)
#: clusters of postgresql-common: version and name
CLUSTERS = "/etc/postgresql/*/*/postgresql.conf"


def of(run: Runner, service: str, data_directory: str, config_directory: str) -> list[Rival]:
    """Return them; of what only may be one systemd is asked whether anything starts it."""
    ours = {data_directory, os.path.realpath(data_directory), config_directory}
    found = {*_of_units({each.rstrip("/") for each in ours}), *_of_clusters(ours)}
    own = places.cluster(service)
    others = {systemd.wanted(run, name) for name in sorted(found) if places.cluster(name) != own}
    return [{"unit": name, "mend": mend(name)} for name in sorted(filter(None, others)) if places.cluster(name) != own]


def mend(unit: str) -> str:
    """Return what keeps a unit from being started at boot; one of postgresql-common is made by its start.conf."""
    version, dash, own = unit.removesuffix(".service").partition("@")[2].partition("-")
    if unit.startswith("postgresql@") and dash:
        return f"echo manual >/etc/postgresql/{version}/{own}/start.conf && systemctl daemon-reload"
    return f"systemctl disable {unit}"


def _of_units(paths: set[str]) -> set[str]:
    """Return the units that start a server, and one of whose files names one of these directories."""
    named = re.compile("|".join(rf"(?<![\w./-]){re.escape(path)}/?(?![\w./-])" for path in sorted(paths)))
    texts = [
        *((path, True) for place in OPERATORS for path in glob.glob(f"{place}/*.service")),
        *((path, True) for place in OPERATORS for path in glob.glob(f"{place}/*.service.d/*.conf")),
        *((path, False) for place in PACKAGES for path in glob.glob(f"{place}/*.service")),
    ]
    units: dict[str, str] = {}
    for path, every in texts:
        name = next(word for word in reversed(path.split("/")) if ".service" in word).removesuffix(".d")
        if (every or DATABASES.search(name)) and "@." not in name:
            units[name] = f"{units.get(name, '')}\n{files.text_of(path) or ''}"
    return {name for name, text in units.items() if STARTS.search(text) and named.search(text)}


def _of_clusters(paths: set[str]) -> set[str]:
    """Return the units of clusters of postgresql-common that are started at boot and have this data directory."""
    found = set()
    for path in glob.glob(CLUSTERS):
        place = os.path.dirname(path)
        version, name = place.split("/")[-2:]
        data = settings_file.parse(files.text_of(path) or "").get("data_directory") or ""
        if {data.rstrip("/"), os.path.realpath(data)} & {each.rstrip("/") for each in paths}:
            found.add(f"postgresql@{version}-{name}.service")
    return found
