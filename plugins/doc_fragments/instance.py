# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """The option that says where a host keeps its database server."""

    DOCUMENTATION = r"""
options:
  instance:
    description: Where the host keeps its database server.
    type: dict
    required: true
    suboptions:
      user:
        description: Operating system user that owns the server.
        type: str
        required: true
      bin_directory:
        description: Directory of the engine's programs.
        type: path
        required: true
      data_directory:
        description: Data directory.
        type: path
        required: true
      config_directory:
        description: Directory of C(postgresql.conf). The data directory when not given.
        type: path
      service:
        description: systemd unit that starts the server.
        type: str
        required: true
      address:
        description: Host name or address at which the other hosts reach the server.
        type: str
        required: true
      port:
        description: TCP port of the server.
        type: int
        default: 5432
      engine:
        description: The database engine.
        type: str
        choices: [postgresql]
        default: postgresql
"""
