// Stories about the compiled TypeScript of docs/clients.md, in a happy-dom window:
// `node client_stories.mjs STORY`, in the folder of the compiled files and with the packages of
// examples/better-auth. ISSUER_URL is the address of the page and of Better Auth,
// NEXT_PUBLIC_TODOS_API that of the API.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

import { Window } from "happy-dom";

const { ISSUER_URL, NEXT_PUBLIC_TODOS_API } = process.env;
const PATIENCE_MS = 10_000;

const window = new Window({ url: `${ISSUER_URL}/todos` });
const sent = []; // the requests of the page, as "GET /api/todos/"
let spoilTokens = 0; // number of requests to the API with a broken token
let loseAnswers = 0; // number of requests to the API without an answer

async function browserFetch(input, init = {}) {
  const url = new URL(input, window.location.href);
  const { pathname, origin } = url;
  sent.push(`${init.method ?? "GET"} ${pathname}`);
  if (origin !== NEXT_PUBLIC_TODOS_API) return window.fetch(input, init);
  if (spoilTokens > 0 && spoilTokens--) init.headers.set("Authorization", "Bearer spoilt");
  const answer = await window.fetch(input, init);
  if (loseAnswers > 0 && loseAnswers--) throw new TypeError("Failed to fetch");
  return answer;
}

const { document, navigator, Headers, Request, Response } = window;
const browser = { window, document, navigator, Headers, Request, Response, fetch: browserFetch };
for (const [name, value] of Object.entries(browser)) {
  Object.defineProperty(globalThis, name, { value }); // some of these are getters, depending on Node
}

const require = createRequire(import.meta.url);
const { createElement } = require("react");
const { createRoot } = require("react-dom/client");
const { authClient } = require("./built/lib/auth-client.js");
const { api, changeTodo, createTodo, listTodos, nextPage, Problem } = require("./built/lib/todos.js");
const { default: TodosPage } = require("./built/app/todos/page.js");

const count = (request) => sent.filter((each) => each === request).length;
const tokensAskedFor = () => count("GET /api/auth/token");
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const somebody = () => ({ name: "Ada", email: `${randomUUID()}@example.com`, password: randomUUID() });

async function signUp() {
  const { error } = await authClient.signUp.email(somebody());
  assert.equal(error, null);
}

/** Another tab shares the cookies. This tab does not hear of the new session. */
async function signUpInAnotherTab() {
  const headers = { "Content-Type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(somebody()) };
  const answer = await window.fetch("/api/auth/sign-up/email", request);
  assert.equal(answer.status, 200);
}

const hearOfAnotherTab = () => authClient.$store.atoms.session.get().refetch();

/** The todos of the account that signed in last, as a new tab would list them. */
async function listInAnotherTab() {
  const { token } = await (await window.fetch("/api/auth/token")).json();
  const url = new URL("/api/todos/", NEXT_PUBLIC_TODOS_API);
  const answer = await window.fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  return (await answer.json()).results;
}

async function until(what, isSo) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    assert(Date.now() < deadline, `waited for ${what}:\n${document.body.innerHTML}`);
    await wait(1); // a loading text is visible for a short time only
  }
}

async function problemOf(promise) {
  const problem = await promise.then(assert.fail, (reason) => reason);
  assert(problem instanceof Problem, problem);
  return problem;
}

/** The page, as a visitor uses it. */
const page = {
  open: () => createRoot(document.body).render(createElement(TodosPage)),
  shows: (text) => until(text, () => document.body.textContent.includes(text)),
  items: () => [...document.querySelectorAll("li")].map((item) => item.textContent),
  has: (...titles) => until(titles, () => JSON.stringify(page.items()) === JSON.stringify(titles)),
  idle: () => until("idle", () => document.querySelector("main")?.getAttribute("aria-busy") === "false"),
  alert: () => document.querySelector("[role=alert]")?.textContent,
  async click(name) {
    const named = () => [...document.querySelectorAll("button")].find((b) => b.textContent === name);
    await until(`the button ${name}`, () => named() && !named().disabled);
    named().click();
  },
  async write(title) {
    await page.idle();
    const input = document.querySelector("input");
    // React replaces the setter of this element to track its own changes.
    Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, "value").set.call(input, title);
    input.dispatchEvent(new window.Event("input", { bubbles: true }));
    await wait(0);
  },
};

const stories = {
  async "one token serves until a minute before it expires"() {
    await signUp();
    await Promise.all([listTodos(), listTodos()]);
    await listTodos();
    assert.equal(tokensAskedFor(), 1);
    const now = Date.now;
    Date.now = () => now() + 13.9 * 60_000;
    await listTodos();
    assert.equal(tokensAskedFor(), 1);
    Date.now = () => now() + 14.1 * 60_000;
    await listTodos();
    Date.now = now;
    assert.equal(tokensAskedFor(), 2);
  },

  async "a refused token is replaced once"() {
    await signUp();
    spoilTokens = 1;
    assert.deepEqual((await listTodos()).results, []);
    assert.equal(tokensAskedFor(), 2);

    spoilTokens = 100;
    const requests = count("GET /api/todos/");
    const problem = await problemOf(listTodos());
    assert.equal(`${problem.status} ${problem.code}`, "401 token_malformed");
    assert.equal(count("GET /api/todos/") - requests, 2);
  },

  async "todos are made once, changed and paged through"() {
    await signUp();
    const key = randomUUID();
    const first = await createTodo({ title: "Buy milk" }, key);
    assert.equal((await createTodo({ title: "Buy milk" }, key)).id, first.id);
    const second = await createTodo({ title: "Call the bank" }, randomUUID());

    const changed = await changeTodo(first, { completed: true });
    assert.equal(changed.completed, true);
    const late = await problemOf(changeTodo(first, { completed: false }));
    assert.equal(`${late.status} ${late.code}`, "412 precondition_failed");
    assert.deepEqual(late.current, changed);

    const one = await listTodos("?limit=1&ordering=title");
    const two = await nextPage(one.next);
    assert.deepEqual([one.results, two.results, two.next], [[changed], [second], null]);
    assert.equal(await api(`/api/todos/${first.id}/`, { method: "DELETE" }), undefined);
    assert.deepEqual((await listTodos()).results, [second]);
  },

  async "a problem has a pointer to the mistake"() {
    await signUp();
    const problem = await problemOf(createTodo({ title: "" }, randomUUID()));
    assert.equal(`${problem.status} ${problem.code}`, "400 validation_failed");
    assert.equal(problem.errors[0].pointer, "/title");
    assert.notEqual(problem.message, "");
  },

  async "a signed-out visitor gets no token"() {
    const problem = await problemOf(listTodos());
    assert.equal(`${problem.status} ${problem.code}`, "401 no_token");
    await signUp();
    assert.deepEqual((await listTodos()).results, []); // the client does not cache the failure
  },

  async "the page lists and adds"() {
    await signUp();
    page.open();
    await page.shows("Loading");
    await page.write("Buy milk");
    await page.click("Add");
    await page.has("Buy milk");
    assert.equal(document.querySelector("input").value, "");
    for (let number = 1; number <= 50; number++) {
      await createTodo({ title: `Todo ${number}` }, randomUUID());
    }
    await page.write("Call the bank");
    await page.click("Add");
    await until("a full page", () => page.items().length === 50);
    await page.click("More");
    await until("all", () => page.items().length === 52);
    assert.deepEqual([page.items()[0], page.items()[51]], ["Call the bank", "Buy milk"]);
  },

  async "the page shows a mistake, and adds a repeated todo once"() {
    await signUp();
    page.open();
    await page.write(" ");
    await page.click("Add");
    await until("an alert", page.alert);
    assert.match(page.alert(), /blank/);

    await page.write("Buy milk");
    loseAnswers = 1;
    await page.click("Add");
    await page.shows("The server cannot be reached.");
    await page.click("Try again");
    await page.has("Buy milk");
    assert.equal(page.alert(), undefined);
  },

  async "the next user of a browser sees no todo of the last user"() {
    page.open();
    await page.shows("Sign in");
    await signUp();
    await page.write("Buy milk");
    await page.click("Add");
    await page.has("Buy milk");
    await authClient.signOut();
    await page.shows("Sign in");
    await signUp();
    await page.write("Call the bank");
    await page.click("Add");
    await page.has("Call the bank");
    await signUpInAnotherTab();
    await hearOfAnotherTab();
    await page.has();
    await page.idle();
    assert.deepEqual(page.items(), []);
  },

  async "a page writes no todo into an account of another tab"() {
    await signUp();
    page.open();
    await page.write("Buy milk");
    await page.click("Add");
    await page.has("Buy milk");
    await page.write("A secret");
    await signUpInAnotherTab();
    spoilTokens = 1; // like an expired token: the next token is for the other account
    const posts = count("POST /api/todos/");
    await page.click("Add");
    await page.has();
    await page.idle();
    assert.equal(count("POST /api/todos/") - posts, 1);
    assert.deepEqual(await listInAnotherTab(), []);

    await page.write("Call the bank");
    await page.click("Add");
    await page.has("Call the bank");
    assert.equal((await listInAnotherTab()).length, 1);
  },

  async "a request never uses the token of a user who signed in meanwhile"() {
    page.open();
    await signUp();
    await page.shows("Todos");
    await page.idle();
    await signUpInAnotherTab();
    spoilTokens = 1;
    const problem = problemOf(createTodo({ title: "A secret" }, randomUUID()));
    await hearOfAnotherTab();
    assert.equal((await problem).code, "another_user");
    assert.deepEqual(await listInAnotherTab(), []);
  },

  async "an API without keys signs nobody out"() {
    await signUp();
    const problem = await problemOf(listTodos());
    assert.equal(`${problem.status} ${problem.code}`, "503 keys_unavailable");
    assert(problem.retryAfterSeconds >= 1);
    assert.equal(tokensAskedFor(), 1);
    page.open();
    await page.shows(problem.message);
    await page.click("Try again");
    await page.shows(problem.message);
    assert.doesNotMatch(document.body.textContent, /Sign in/);
    assert.notEqual((await authClient.getSession()).data, null);
  },

  async "a page of an unknown origin cannot read the API"() {
    await signUp();
    const problem = await problemOf(listTodos());
    assert.equal(`${problem.status} ${problem.code}`, "0 unreachable");
  },
};

const [, , name] = process.argv;
await stories[name]();
process.exit(0);
