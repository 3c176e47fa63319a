from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import DateTime, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Priority(StrEnum):
    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class TodoCreate(SQLModel):
    title: str = Field(min_length=1, max_length=500)
    description: str = Field(default="", max_length=10_000)
    completed: bool = False
    priority: Priority = Field(default=Priority.NONE, sa_type=String)
    due_date: date | None = None
    tags: list[str] = Field(default_factory=list, sa_type=JSONB)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Todo(TodoCreate, table=True):
    __tablename__ = "todos"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: str = Field(index=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=utc_now, sa_type=DateTime(timezone=True))


class TodoPublic(TodoCreate):
    id: UUID
    created_at: datetime
    updated_at: datetime
