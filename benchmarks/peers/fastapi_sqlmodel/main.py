from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, HTTPException, Query, status
from sqlmodel import col, select

from fastapi_sqlmodel.dependencies import Session, Subject
from fastapi_sqlmodel.models import Todo, TodoCreate, TodoPublic

app = FastAPI()


@app.get("/todos", response_model=list[TodoPublic])
async def list_todos(
    session: Session, subject: Subject, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Sequence[Todo]:
    newest = select(Todo).where(Todo.owner_id == subject).order_by(col(Todo.created_at).desc())
    return (await session.exec(newest.limit(limit))).all()


@app.get("/todos/{todo_id}", response_model=TodoPublic)
async def get_todo(todo_id: UUID, session: Session, subject: Subject) -> Todo:
    todo = await session.get(Todo, todo_id)
    if todo is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    if todo.owner_id != subject:
        raise HTTPException(status.HTTP_403_FORBIDDEN)
    return todo


@app.post("/todos", response_model=TodoPublic, status_code=status.HTTP_201_CREATED)
async def create_todo(body: TodoCreate, session: Session, subject: Subject) -> Todo:
    todo = Todo.model_validate(body, update={"owner_id": subject})
    session.add(todo)
    await session.commit()
    await session.refresh(todo)
    return todo
