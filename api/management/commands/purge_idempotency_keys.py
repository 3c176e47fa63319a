from __future__ import annotations

from typing import Any

from api.management.commands import purge


class Command(purge.Command):
    help = "The name of `purge` until 0.3. The next version has it no more."

    def handle(self, **options: Any) -> None:
        self.stderr.write("This command is `purge` now: change your crontab.")
        super().handle(**options)
