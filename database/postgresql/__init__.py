"""Subclass of Django's PostgreSQL backend that works less in each request."""
