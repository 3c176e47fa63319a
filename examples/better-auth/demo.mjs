// Sign a new user up with Better Auth, get a token, and call the API with it. Set the addresses of
// the servers with BETTER_AUTH_URL (http://127.0.0.1:3000) and API_URL (http://127.0.0.1:8000).

import { randomUUID } from "node:crypto";

const trimSlashes = (url) => url.replace(/\/+$/, "");
const issuer = trimSlashes(process.env.BETTER_AUTH_URL || "http://127.0.0.1:3000");
const api = trimSlashes(process.env.API_URL || "http://127.0.0.1:8000");

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Return `{status, headers, data}`. Any status but the expected one ends the script. */
async function call(method, url, { expect, body, headers = {} }) {
  const request = { method, headers: { accept: "application/json", ...headers } };
  if (body !== undefined) {
    request.headers["content-type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  let response, text;
  try {
    response = await fetch(url, request);
    text = await response.text();
  } catch (error) {
    fail(`${method} ${url}: no answer (${error.cause?.code ?? error.message}). Start the server, or correct its URL.`);
  }
  if (response.status !== expect) fail(`${method} ${url}: ${response.status}, expected ${expect}\n${text}`);
  try {
    return { status: response.status, headers: response.headers, data: text === "" ? undefined : JSON.parse(text) };
  } catch {
    fail(`${method} ${url}: ${response.status}, but the body is not JSON\n${text}`);
  }
}

const email = `demo-${randomUUID()}@example.com`;
const signUp = await call("POST", `${issuer}/api/auth/sign-up/email`, {
  expect: 200,
  // Better Auth requires the origin of a trusted page, which a browser would send.
  headers: { origin: new URL(issuer).origin },
  body: { name: "Demo", email, password: randomUUID() },
});
console.log(`${signUp.status} signed up ${email}`);

const session = signUp.headers.get("set-auth-token");
const token = await call("GET", `${issuer}/api/auth/token`, {
  expect: 200,
  headers: { authorization: `Bearer ${session}` },
});
console.log(`${token.status} got a token of ${token.data.token.length} characters`);

const headers = { authorization: `Bearer ${token.data.token}` };
const created = await call("POST", `${api}/api/todos/`, { expect: 201, headers, body: { title: "Buy milk" } });
console.log(`${created.status} created "${created.data.title}" (${created.data.id})`);

const listed = await call("GET", `${api}/api/todos/`, { expect: 200, headers });
const titles = listed.data.results.map(({ title }) => `"${title}"`);
console.log(`${listed.status} listed ${titles.length}: ${titles.join(", ")}`);

const todo = `${api}/api/todos/${created.data.id}/`;
const completed = await call("POST", `${todo}complete/`, { expect: 200, headers });
console.log(`${completed.status} completed it at ${completed.data.completed_at}`);

const deleted = await call("DELETE", todo, { expect: 204, headers });
console.log(`${deleted.status} deleted it`);
