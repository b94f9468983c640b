# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the inventory, the command line, the environment and ansible.cfg say of connections."""

from __future__ import annotations

import os
import sys
import typing as t

from ansible import constants, context
from ansible.plugins.loader import connection_loader
from ansible_collections.hawq.mirroring.plugins.module_utils.values import connection


def settings() -> connection.Settings:
    """Return what the command line, the environment and ansible.cfg say, without what they leave at its default."""
    connection_loader.get("ssh", class_only=True)  # or its options are not known, where hosts are reached otherwise
    found: connection.Settings = {"timeout": _timeout()}
    for name in ("pipelining", "ssh_extra_args"):
        value, origin = constants.config.get_config_value_and_origin(name, plugin_type="connection", plugin_name="ssh")
        if origin != "default" and value != "":
            found[name] = value
    return found


def _timeout() -> t.Any:
    """Of the time-out Ansible's command line always has a value: without the option that of the configuration."""
    configured, origin = constants.config.get_config_value_and_origin("DEFAULT_TIMEOUT")
    if any(word.startswith(("-T", "--timeout")) for word in sys.argv):
        return context.CLIARGS.get("timeout")
    return os.environ.get("ANSIBLE_SSH_TIMEOUT") or (None if origin == "default" else configured)
