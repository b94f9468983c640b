# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WAL of a dead master for its standby: what there is, bringing it over, letting it be replayed.

It may import: values, host, engines.postgresql.
"""
