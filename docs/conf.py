# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Sphinx builds the site. `make docs` runs docs/build, which writes the reference of modules and roles first.

The source directory is the root of the repository, so that a link of a page leads to the same file here, in a forge's
view of the repository, and on the site. A link to a file that is no page becomes a download.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ANSIBLE = "https://docs.ansible.com/ansible/latest/"
#: pages of Ansible's own documentation that the reference refers to
LABELS = {
    "action_plugins": "plugins/action.html#action-plugins",
    "callback_plugins": "plugins/callback.html#callback-plugins",
    "ansible_configuration_settings": "reference_appendices/config.html#ansible-configuration-settings",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}
GALAXY = (ROOT / "galaxy.yml").read_text()

project = "hawq.mirroring"
author = copyright = "the hawq.mirroring authors"
version = release = re.search(r"^version: (\S+)$", GALAXY, re.MULTILINE)[1]
language = "en_GB"

extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
root_doc = "docs/index"
include_patterns = [
    "CHANGELOG.rst",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/*.md",
    "docs/reference/*",
    "molecule/lab/README.md",
    "roles/*/README.md",
]
# Sphinx follows links when it looks for pages, and collections/ has links back to the root.
exclude_patterns = [".*", "collections", "reports", "plugins", "tests", "docs/_build"]
nitpicky = True

myst_heading_anchors = 3
suppress_warnings = ["epub.unknown_project_files"]

html_theme = "sphinx_rtd_theme"
html_theme_options = {"navigation_depth": 2, "collapse_navigation": True}
html_show_sphinx = False
html_copy_source = False
html_last_updated_fmt = None


def inventory() -> Path:
    """Write an inventory of these labels, as intersphinx reads one, so that nothing has to be downloaded."""
    path = ROOT / "docs/_build/ansible.inv"
    path.parent.mkdir(exist_ok=True)
    lines = "".join(f"{label} std:label -1 {place} {label}\n" for label, place in LABELS.items())
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version:\n# The remainder is compressed using zlib.\n"
    path.write_bytes(head.encode() + zlib.compress(lines.encode()))
    return path


intersphinx_mapping = {"ansible": (ANSIBLE, str(inventory()))}
