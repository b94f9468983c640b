# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host as the modules meet it: running programs, files, locks, units, processes, network.

Nothing here knows what a database is.
It may import: values.
"""
