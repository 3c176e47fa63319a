"""The forms that an address of the API can have, ready for a template."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from browsable.inputs import Input, described_by, text_of
from browsable.submissions import Submission

Errors = Mapping[str, Sequence[str]]  # by the name of an input


@dataclass(frozen=True, slots=True)
class FilledInput:
    """An input with what is in it and what is wrong with that."""

    input: Input
    text: str
    errors: Sequence[str] = ()
    prefix: str = ""  # of its id, which no other input of a page may have

    @property
    def id(self) -> str:
        return f"{self.prefix}{self.input.name}"

    @property
    def described_by(self) -> str:
        return described_by(self.id, help=self.input.help, errors=self.errors)

    @property
    def options(self) -> Sequence[tuple[str, bool]]:
        return [(choice, choice == self.text) for choice in self.input.choices]


@dataclass(frozen=True, slots=True)
class Form:
    """``methods`` has a button each; ``shown`` is what the inputs had at first, as JSON."""

    url: str
    methods: Sequence[str]
    inputs: Sequence[FilledInput] = ()
    shown: str = ""
    raw: str | None = None
    if_match: str = ""
    label: str = ""
    # Sending it twice makes one todo.
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @classmethod
    def of(
        cls,
        url: str,
        methods: Sequence[str],
        inputs: Iterable[Input],
        *,
        data: Mapping[str, Any] | None = None,
        prefix: str = "",
    ) -> Self:
        """With the values of ``data``, or the defaults of its inputs."""
        filled = [
            FilledInput(each, text_of(data.get(each.name)) if data else each.default, prefix=prefix)
            for each in inputs
        ]
        values = {each.input.name: each.text for each in filled}
        own = {name: (data or {}).get(name) for name in values}
        return cls(
            url=url,
            methods=methods,
            inputs=filled,
            shown=json.dumps(values),
            raw=json.dumps(own, indent=2, ensure_ascii=False) if data else None,
            if_match=str(data.get("etag", "")) if data else "",
        )

    @classmethod
    def again(
        cls,
        url: str,
        methods: Sequence[str],
        inputs: Iterable[Input],
        sent: Submission,
        errors: Errors,
        *,
        prefix: str = "",
    ) -> Self:
        """As it was sent, with what is wrong beside each input: of one that was written by hand
        there are none."""
        return cls(
            url=url,
            methods=methods,
            inputs=[
                FilledInput(each, sent.texts.get(each.name, ""), errors.get(each.name, ()), prefix)
                for each in inputs
                if sent.raw is None
            ],
            shown=json.dumps(dict(sent.shown)),
            raw=sent.raw,
            if_match=sent.if_match,
        )

    @property
    def raw_rows(self) -> int:
        return min(20, (self.raw or "").count("\n") + 3)
