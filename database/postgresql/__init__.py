"""Django's backend for PostgreSQL, with less to do in a request."""
