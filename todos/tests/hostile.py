"""Requests of hostile and careless clients, some of them sound.

``MINE`` and ``VERSION`` stand for the id and version of a todo of Alice, ``BOBS`` for the id of a
todo of Bob. A test fills them in.
"""

from __future__ import annotations

from datetime import datetime
from itertools import product

from hypothesis import strategies as st

from todos.batch import OPERATIONS
from todos.fields import zone_names
from todos.filters import DUE
from todos.models import Priority
from todos.serializers import TodoSerializer
from todos.views import TodoViewSet

MINE, VERSION, BOBS = "the id of mine", "its version", "the id of Bob's"

strings = st.text() | st.text(st.characters(categories=["Cs", "Cc", "Mn", "Zl"]), min_size=1)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | strings,
    lambda children: st.lists(children) | st.dictionaries(strings, children),
    max_leaves=8,
)
dates = st.dates().map(str)
minutes = st.times().map(lambda moment: moment.isoformat("minutes"))
zones = st.sampled_from(sorted(zone_names()))
moments = st.datetimes().map(datetime.isoformat)
offsets = st.sampled_from(["Z", "+14:00", "-12:00", "+00:60"])
times = st.builds("{}{}".format, moments, offsets)
lines = st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1)
oddities = st.sampled_from(["", "24:00", "2026-02-30", "x" * 501, "x" * 10_001])

# In a body.
due = {
    "due_date": dates | st.sampled_from(["0001-01-01", "9999-12-31"]),
    "due_time": minutes,
    "timezone": zones | strings,
}
basics = {
    "description": st.text(),
    "completed": st.booleans(),
    "priority": st.sampled_from(Priority.labels),
    "tags": st.lists(lines, max_size=21),
}
title = {"title": lines}
sound = st.fixed_dictionaries({**title, **due}, optional=basics) | st.fixed_dictionaries(
    title, optional={**basics, **{name: st.none() | value for name, value in due.items()}}
)
names = st.sampled_from([*TodoSerializer().fields, "op", "operations", "owner_id", "", "/~"])
unsound = st.dictionaries(names | strings, anything | oddities | dates, max_size=3)
fields = sound | st.builds(lambda first, then: {**first, **then}, sound, unsound)
etags = st.sampled_from(["*", f'"{VERSION}"', f'W/"{VERSION}"', '"other"'])
operations = st.builds(
    lambda fields, op: {**fields, **op},
    fields,
    st.fixed_dictionaries({"op": st.just("create")})
    | st.fixed_dictionaries(
        {"op": st.just("update"), "id": st.sampled_from([MINE, MINE, BOBS]) | anything},
        optional={"etag": etags | anything},
    ),
) | st.fixed_dictionaries(
    {"op": st.sampled_from(OPERATIONS), "id": st.sampled_from([MINE, MINE, BOBS])},
    optional={"etag": etags},
)

ids = st.sampled_from([MINE, MINE, BOBS]) | st.uuids(version=4).map(str) | anything
documents = st.builds(
    lambda fields, address: {**fields, **address},
    fields | st.fixed_dictionaries({}, optional=basics),
    st.fixed_dictionaries({"id": ids}, optional={"deleted": st.booleans() | anything}),
)
changes = (
    st.fixed_dictionaries(
        {"newDocumentState": documents},
        optional={"assumedMasterState": st.just({"title": "Mine"}) | fields | anything},
    )
    | st.fixed_dictionaries({"newDocumentState": documents | anything, "other": anything})
    | anything
)

# In a query.
values = {
    "completed": st.sampled_from(["true", "false"]),
    "priority": st.sampled_from(Priority.labels),
    "tag": lines,
    "q": st.text(),
    "due": st.sampled_from([*DUE]),
    "tz": zones,
    "limit": st.integers(1, 200).map(str),
    "ordering": st.sampled_from([*TodoViewSet.orderings]),
    **{f"due_{side}": dates for side in ("from", "before")},
    **{f"{of}_{side}": times for of in ("created", "updated") for side in ("from", "before")},
}
parameters = st.sampled_from([*values]).flatmap(
    lambda name: st.tuples(st.just(name), values[name] | oddities | strings)
)
sound_queries = st.fixed_dictionaries({}, optional=values).map(dict.items)

# And beside them.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
PATHS = ("", "batch/", "changes/", "sync/", f"{MINE}/", f"{MINE}/complete/", f"{MINE}/reopen/")
targets = st.sampled_from(
    [*product(METHODS, PATHS), *(("PATCH", f"{MINE}/"), ("PUT", f"{MINE}/"), ("POST", "")) * 9]
)
pieces = ['"', "*", ",", ";", "=", "/", "%", " ", "\t", "\x00", "\xff", "W/", f'"{VERSION}"']
headers = st.dictionaries(
    st.sampled_from(["If-Match", "If-None-Match", "Idempotency-Key", "Accept", "Content-Type"]),
    st.text(st.characters(max_codepoint=255))
    | st.lists(st.sampled_from([*pieces, "q", "application/json", "; x*=nope''y"])).map("".join)
    | st.sampled_from(["application/json", "application/merge-patch+json", f'"{VERSION}"']),
    min_size=1,
)
