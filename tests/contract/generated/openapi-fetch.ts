// A story that openapi-fetch tells with the types of openapi-typescript.

import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { paths } from "./todos.js";

const { API = "", TOKEN = "" } = process.env;
const client = createClient<paths>({ baseUrl: API, headers: { Authorization: `Bearer ${TOKEN}` } });

const created = await client.POST("/api/todos/", {
  body: { title: "Buy milk" },
  params: { header: { "Idempotency-Key": "openapi-fetch" } },
});
assert.equal(created.response.status, 201);
const todo = created.data;
assert(todo);
assert.equal(todo.priority, "none");

const page = await client.GET("/api/todos/", { params: { query: { priority: ["none", "high"] } } });
assert.deepEqual(page.data?.results, [todo]);

const target = { id: todo.id };
const seen = { path: target, header: { "If-Match": todo.etag } };
const change = { body: { priority: "high", due_date: null }, params: seen } as const;
const { data: changed } = await client.PATCH("/api/todos/{id}/", change);
assert(changed);
assert.equal(changed.priority, "high");

const { error: stale } = await client.PATCH("/api/todos/{id}/", change);
assert(stale);
assert.equal(stale.status, 412);
// @ts-expect-error Codes are an enum, and this is none of them.
assert(stale.code !== "no_such_code");
assert(stale.code === "precondition_failed");

const { error: mistake } = await client.POST("/api/todos/", { body: { title: "" } });
assert(mistake?.errors?.[0]?.code === "blank");

const { data: replaced } = await client.PUT("/api/todos/{id}/", {
  body: { ...changed, title: "Buy bread" },
  params: { path: target, header: { "If-Match": changed.etag } },
});
assert.equal(replaced?.title, "Buy bread");

const { data: batch } = await client.POST("/api/todos/batch/", {
  body: {
    operations: [
      { op: "create", title: "Cook" },
      { op: "update", ...target, tags: ["home"] },
      { op: "reopen", ...target },
    ],
  },
});
assert.deepEqual(batch?.results[1]?.tags, ["home"]);

const { data: completed } = await client.POST("/api/todos/{id}/complete/", {
  params: { path: target },
});
assert(completed);
assert.equal(completed.completed, true);

const deleted = await client.DELETE("/api/todos/{id}/", {
  params: { path: target, header: { "If-Match": completed.etag } },
});
assert.equal(deleted.response.status, 204);
const { error: missing } = await client.GET("/api/todos/{id}/", { params: { path: target } });
assert.equal(missing?.code, "not_found");
