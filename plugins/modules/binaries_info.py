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
    description: Directory of the programs. Where it is not given, the place of the host's packages.
    type: path
    default: ""
  version:
    description: >-
      Major version that is wanted. With 0, any where O(bin_directory) is given, and else the newest that is there.
    type: int
    default: 0
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
directory:
  description: Where the programs are, or would be.
  type: str
  returned: always
  sample: /usr/lib/postgresql/15/bin
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

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import binaries_info

if __name__ == "__main__":
    binaries_info.run()
