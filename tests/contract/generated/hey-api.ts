// A story that the client of @hey-api/openapi-ts tells.

import assert from "node:assert/strict";

import { client } from "./hey-api/client.gen.js";
import * as todos from "./hey-api/index.js";

const { API = "", TOKEN = "" } = process.env;
client.setConfig({ baseUrl: API, auth: TOKEN });

const created = await todos.createTodo({
  body: { title: "Buy milk" },
  headers: { "Idempotency-Key": "hey-api" },
});
assert.equal(created.response?.status, 201);
const todo = created.data;
assert(todo);
assert.equal(todo.priority, "none");

const page = await todos.listTodos({ query: { priority: ["none", "high"] } });
assert.deepEqual(page.data?.results, [todo]);

const path = { id: todo.id };
const change = {
  path,
  headers: { "If-Match": todo.etag },
  body: { priority: "high", due_date: null },
} as const;
const { data: changed } = await todos.changeTodo(change);
assert(changed);
assert.equal(changed.priority, "high");

const { error: stale } = await todos.changeTodo(change);
assert(stale);
assert.equal(stale.status, 412);
// @ts-expect-error Codes are an enum, and this is none of them.
assert(stale.code !== "no_such_code");
assert(stale.code === "precondition_failed");

const { error: mistake } = await todos.createTodo({ body: { title: "" } });
assert(mistake?.errors?.[0]?.code === "blank");

const { data: replaced } = await todos.replaceTodo({
  path,
  headers: { "If-Match": changed.etag },
  body: { ...changed, title: "Buy bread" },
});
assert.equal(replaced?.title, "Buy bread");

const { data: batch } = await todos.changeTodos({
  body: {
    operations: [
      { op: "create", title: "Cook" },
      { op: "update", ...path, tags: ["home"] },
      { op: "reopen", ...path },
    ],
  },
});
assert.deepEqual(batch?.results[1]?.tags, ["home"]);

const { data: completed } = await todos.completeTodo({ path });
assert(completed);
assert.equal(completed.completed, true);

const deleted = await todos.deleteTodo({ path, headers: { "If-Match": completed.etag } });
assert.equal(deleted.response?.status, 204);
const { error: missing } = await todos.getTodo({ path });
assert.equal(missing?.code, "not_found");
