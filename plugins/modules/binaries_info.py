#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: binaries_info
short_description: Look for the engine's programs on one host
version_added: 0.1.0
description:
  - Says which of the programs that a master or a standby needs are there, of which version they are, whether Python's
    psycopg2 can be loaded, and in whole sentences what is wrong. It changes nothing.
options:
  bin_directory:
    description: Directory of the programs.
    type: path
    required: true
  version:
    description: Major version that is wanted.
    type: int
    required: true
attributes:
  check_mode: {description: Runs the same with and without check mode., support: full}
  diff_mode: {description: Has nothing to show., support: none}
  idempotent: {description: Changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Look for PostgreSQL 15
  hawq.mirroring.binaries_info:
    bin_directory: /usr/lib/postgresql/15/bin
    version: 15
  register: found
"""

RETURN = r"""
found:
  description: Programs that are there.
  type: list
  elements: str
  returned: always
  sample: [postgres, initdb, psql]
missing:
  description: Programs that are not there.
  type: list
  elements: str
  returned: always
  sample: [pg_verifybackup]
version:
  description: Version that C(postgres --version) says; null when it says none.
  type: str
  returned: always
  sample: "15.18"
psycopg2:
  description: Version of the Python module psycopg2; null when it cannot be loaded.
  type: str
  returned: always
  sample: 2.9.5
package_manager:
  description: Ansible module that installs this host's packages; null when none is known.
  type: str
  returned: always
  sample: apt
complete:
  description: Whether every program is there, in the version that is wanted.
  type: bool
  returned: always
problems:
  description: What is wrong, each a whole sentence; empty when nothing is.
  type: list
  elements: str
  returned: always
"""

import importlib
import os
import re
import shutil
import sys

from ansible_collections.hawq.mirroring.plugins.module_utils.engines import table
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import run_module
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner

PACKAGE_MANAGERS = {"apt-get": "apt", "dnf": "dnf", "yum": "yum", "zypper": "zypper"}


def psycopg2_version():
    """Return the version of psycopg2 as this Python loads it, or None."""
    try:
        psycopg2 = importlib.import_module("psycopg2")
    except ImportError:
        return None
    return psycopg2.__version__.partition(" ")[0]


def executable(path):
    """Say whether a path is a program."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def problems(directory, wanted, found, missing, version, answer):
    """Say what is wrong with the programs, in sentences."""
    if not found:
        yield f"There is no PostgreSQL in {directory}."
    elif missing:
        yield f"{directory} has no {', '.join(missing)}."
    if "postgres" in found and version is None:
        yield f"{directory}/postgres --version does not tell its version: {answer.strip() or 'it says nothing'}."
    elif version is not None and not re.match(rf"{wanted}(?!\d)", version):
        yield f"{directory}/postgres is version {version}, but {wanted} is wanted."


def main(module):
    """Look, and judge only what was asked for."""
    directory, wanted = module.params["bin_directory"], module.params["version"]
    programs = table.POSTGRESQL.programs
    found = [name for name in programs if executable(os.path.join(directory, name))]
    missing = [name for name in programs if name not in found]
    version, answer = None, ""
    if "postgres" in found:
        _code, output, errors = Runner()([os.path.join(directory, "postgres"), "--version"])
        match = re.search(r"\(PostgreSQL\) (\d\S*)", output)
        version, answer = match and match.group(1), errors or output
    wrong = list(problems(directory, wanted, found, missing, version, answer))
    complete = not wrong
    psycopg2 = psycopg2_version()
    if psycopg2 is None:
        wrong.append(f"{sys.executable} cannot load psycopg2.")
    managers = (name for command, name in PACKAGE_MANAGERS.items() if shutil.which(command))
    return {
        "changed": False,
        "found": found,
        "missing": missing,
        "version": version,
        "psycopg2": psycopg2,
        "package_manager": next(managers, None),
        "complete": complete,
        "problems": wrong,
    }


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "bin_directory": {"type": "path", "required": True},
            "version": {"type": "int", "required": True},
        },
    )
