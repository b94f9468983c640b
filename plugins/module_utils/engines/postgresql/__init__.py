# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL 15 to 18: its sessions, its files, its programs, and how each step of a workflow is done with them.

It may import: values, host, engines.table, engines.base.
"""
