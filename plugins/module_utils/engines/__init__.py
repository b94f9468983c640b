# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The database engines: what differs between them (table), what each answers and does (base), one package each.

It may import: values, host.
"""
