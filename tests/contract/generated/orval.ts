// A story that the client of orval tells.

import assert from "node:assert/strict";

import * as todos from "./orval/todos.js";

const { API = "", TOKEN = "" } = process.env;

// The client is for a page of the same origin, and leaves the token to `fetch`.
const send = globalThis.fetch;
globalThis.fetch = (path, init) => {
  const headers = new Headers(init?.headers);
  headers.set("Authorization", `Bearer ${TOKEN}`);
  return send(new URL(String(path), API), { ...init, headers });
};
const ifMatch = (etag: string) => ({ headers: { "If-Match": etag } });

const created = await todos.createTodo(
  { title: "Buy milk" },
  { headers: { "Idempotency-Key": "orval" } },
);
assert(created.status === 201);
const todo = created.data;
assert.equal(todo.priority, "none");

const page = await todos.listTodos({ priority: ["none", "high"] });
assert(page.status === 200);
assert.deepEqual(page.data.results, [todo]);

const change = { priority: "high", due_date: null } as const;
const { data: changed, status } = await todos.changeTodo(todo.id, change, ifMatch(todo.etag));
assert(status === 200);
assert.equal(changed.priority, "high");

const stale = await todos.changeTodo(todo.id, change, ifMatch(todo.etag));
assert(stale.status === 412);
// @ts-expect-error Codes are an enum, and this is none of them.
assert(stale.data.code !== "no_such_code");
assert(stale.data.code === "precondition_failed");

const mistake = await todos.createTodo({ title: "" });
assert(mistake.status === 400);
assert(mistake.data.errors?.[0]?.code === "blank");

const body = { ...changed, title: "Buy bread" };
const replaced = await todos.replaceTodo(todo.id, body, ifMatch(changed.etag));
assert(replaced.status === 200);
assert.equal(replaced.data.title, "Buy bread");

const batch = await todos.changeTodos({
  operations: [
    { op: "create", title: "Cook" },
    { op: "update", id: todo.id, tags: ["home"] },
    { op: "reopen", id: todo.id },
  ],
});
assert(batch.status === 200);
assert.deepEqual(batch.data.results[1]?.tags, ["home"]);

const completed = await todos.completeTodo(todo.id);
assert(completed.status === 200);
assert.equal(completed.data.completed, true);

const deleted = await todos.deleteTodo(todo.id, {}, ifMatch(completed.data.etag));
assert(deleted.status === 204);
const missing = await todos.getTodo(todo.id);
assert(missing.status === 404);
assert.equal(missing.data.code, "not_found");
