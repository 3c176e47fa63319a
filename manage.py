#!/usr/bin/env python
"""Run a management command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    # The shell may have set the settings of another project. --settings overrides these.
    tests = sys.argv[1:2] == ["test"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings" if tests else "config.settings"
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
