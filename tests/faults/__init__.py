"""The server keeps its promises while another part dies, hangs, lies or fills up.

Real processes under load; run with ``pytest -m faults``. Needs PostgreSQL, Redis and, for the
disk, user namespaces.
"""
