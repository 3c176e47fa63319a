"""Re-made pieces of this project, each with a patch that puts the original back.

A worker calls a patch after ``django.setup()``. Imports stand inside the patches, because DRF and
the models need settings, which this module does without where it is read for its titles.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock


def replace(owner: Any, **attributes: Any) -> None:
    """Set attributes of an object. Raises ``AttributeError`` where there is none."""
    mock.patch.multiple(owner, **attributes).start()


def use_models() -> None:
    """The statements stay compiled."""
    from api.bodies.serializers import StrictSerializer
    from database.compiled import Compiled

    make = Compiled._instance  # noqa: SLF001

    def from_db(self: Compiled[Any], values: Any, connection: Any) -> Any:
        columns = vars(make(self, values, connection))
        names = self._names
        return self._model.from_db("default", names, [columns[name] for name in names])

    replace(Compiled, _instance=from_db)
    replace(StrictSerializer, shown=classmethod(lambda cls, todo: cls(todo).data))


def compile_each_time() -> None:
    import api.owned.models as ours
    from api.owned import counting

    replace(counting, insertion=counting.insertion.__wrapped__)
    replace(ours, _one=ours._one.__wrapped__, _first=ours._first.__wrapped__)  # noqa: SLF001


def make_fields_each_time() -> None:
    from rest_framework.serializers import Serializer

    import api.bodies.serializers as ours

    fields = cached_property(Serializer.fields.func)  # type: ignore[attr-defined]
    fields.__set_name__(ours.StrictSerializer, "fields")
    replace(ours.StrictSerializer, fields=fields)


def use_drf_renderer() -> None:
    from rest_framework import renderers

    from api.bodies.renderers import JSONRenderer

    replace(JSONRenderer, render=renderers.JSONRenderer.render)


def use_django_loader() -> None:
    from django.db.backends.postgresql import base

    from database.postgresql.base import DatabaseWrapper

    original = base.DatabaseWrapper
    replace(
        DatabaseWrapper,
        get_new_connection=original.get_new_connection,
        create_cursor=original.create_cursor,
    )


def use_django_look() -> None:
    from django.db.backends.postgresql import base

    from database.postgresql.base import DatabaseWrapper

    replace(DatabaseWrapper, is_usable=base.DatabaseWrapper.is_usable)


class PlainExecutor:
    """``server.turns.Turns`` without turns."""

    def __init__(self, threads: int, *, name: str) -> None:
        self._executor = ThreadPoolExecutor(threads, name)

    def take(self, asker: str) -> None:
        """Begin at once: the executor has a queue."""

    def run(self, asker: str, function: Callable[[], Any]) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._executor, function)


def use_plain_executor() -> None:
    import server.gateway

    replace(server.gateway, Turns=PlainExecutor)


class Unbounded:
    """``server.holdings.Room`` and its holdings, without a bound on octets."""

    octets = 0
    is_lost = False
    give_up: Callable[[], object] | None = None
    address = ""

    def holding(self, address: str) -> Self:
        made = type(self)()
        made.address = address
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def add(self, octets: int) -> None:
        self.octets += octets

    def release(self) -> None:
        pass

    @asynccontextmanager
    async def bounded(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(seconds):
            yield


def hold_anything() -> None:
    import server.gateway

    replace(server.gateway, Room=Unbounded)


def keep_freed_memory() -> None:
    libraries = ctypes.CDLL

    def without_mallopt(name: str | None, *arguments: Any, **options: Any) -> Any:
        return libraries(name, *arguments, **options) if name else SimpleNamespace()

    replace(ctypes, CDLL=without_mallopt)


@dataclass(frozen=True, slots=True)
class Piece:
    """``title`` names the piece, ``original`` what Django, DRF or Python has in its place."""

    title: str
    original: str
    put_back: Callable[[], None]


PIECES = {
    "nothing": Piece("nothing", "the noise of this run", lambda: None),
    "rows": Piece(
        "instances without `__init__()`, and `shown()`",
        "`Model.from_db()` and the fields of DRF",
        use_models,
    ),
    "compiled": Piece("compiled statements", "the ORM", compile_each_time),
    "fields": Piece("cached serializer fields", "DRF's", make_fields_each_time),
    "orjson": Piece("orjson renderer", "DRF's", use_drf_renderer),
    "loader": Piece("timestamp loader", "Django's", use_django_loader),
    "look": Piece("connection look", "Django's `SELECT 1`", use_django_look),
    "turns": Piece("turns", "`ThreadPoolExecutor` alone", use_plain_executor),
    "holdings": Piece("holdings", "no bound on octets", hold_anything),
    "mallopt": Piece("`mallopt`", "glibc's default", keep_freed_memory),
}
