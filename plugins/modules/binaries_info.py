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
extends_documentation_fragment:
  - hawq.mirroring.attributes.info
options:
  bin_directory:
    description: Directory of the programs.
    type: path
    required: true
  version:
    description: Major version that is wanted.
    type: int
    required: true
  user:
    description: >-
      The server's user, as whom a program is asked for its version, since that user may own it. Without one, or while
      it does not exist, nobody does.
    type: str
    default: nobody
  engine: {description: The engine that they are of., type: str, choices: [postgresql], default: postgresql}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Look for PostgreSQL 15
  hawq.mirroring.binaries_info:
    bin_directory: /usr/lib/postgresql/15/bin
    version: 15
    user: gpadmin
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

from ansible_collections.hawq.mirroring.plugins.module_utils.engines import choice
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import binaries
from ansible_collections.hawq.mirroring.plugins.module_utils.host import separation
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import ENGINE_OPTION, run_module
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


def main(module):
    """Look, and judge only what was asked for."""
    options = module.params
    look = choice.of(options["engine"], postgresql=binaries.look)
    return look(Runner(), options["bin_directory"], options["version"])


if __name__ == "__main__":
    run_module(
        main,
        account=lambda options: options["user"],
        supports_check_mode=True,
        argument_spec={
            "bin_directory": {"type": "path", "required": True},
            "version": {"type": "int", "required": True},
            "user": {"type": "str", "default": separation.NOBODY},
            "engine": ENGINE_OPTION,
        },
    )
