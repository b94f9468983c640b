#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: packages_info
short_description: Tell what the packages with the engine are called on one host
version_added: 0.1.0
description:
  - Says by F(/etc/os-release) and the host's sources of packages which packages have the engine's programs and Python's
    psycopg2. It knows Debian, Red Hat and what derives from them, and SUSE. It changes nothing.
extends_documentation_fragment:
  - hawq.mirroring.attributes.info
options:
  version:
    description: Major version that is wanted. With 0, the distribution's own.
    type: int
    default: 0
  engine: {description: The engine that they hold., type: str, choices: [postgresql], default: postgresql}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Ask for the names of the packages with PostgreSQL 17
  hawq.mirroring.packages_info:
    version: 17
  register: found
"""

RETURN = r"""
packages:
  description: Names of the packages.
  type: list
  elements: str
  returned: always
  sample: [postgresql-17, python3-psycopg2]
package_manager:
  description: Ansible module that installs this host's packages; null when none is known.
  type: str
  returned: always
  sample: apt
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import packages_info

if __name__ == "__main__":
    packages_info.run()
