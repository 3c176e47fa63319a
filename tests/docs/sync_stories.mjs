// Stories about the JavaScript of docs/sync.md and examples/replica: `node sync_stories.mjs STORY`,
// in the folder of these files and with the packages of tests/contract/generated. API is the
// address of the API. TOKENS has a token of the user of the page, and one of another user.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const ADDRESS = process.env.NEXT_PUBLIC_TODOS_API;
const [TOKEN, ANOTHER_TOKEN] = process.env.TOKENS.split(" ");
const PATIENCE_MS = 20_000;
const WRITABLE = ["id", "title", "description", "completed", "priority", "tags", "list_id"];

// A device: the stand-ins for what Node lacks, and a network that can be switched off.

const network = {
  isOn: true,
  token: TOKEN,
  sent: [], // "POST /api/todos/sync/"
  loseAnswers: 0, // number of requests without an answer
  forgetPositions: 0, // number of requests for changes with a position that the API does not know
  meanwhile: async () => {}, // happens before each request
  failures: [], // problems that the next requests to sync/ get instead of an answer
};
const realFetch = globalThis.fetch;
globalThis.fetch = async (input, init = {}) => {
  const url = new URL(input);
  if (!network.isOn) throw new TypeError("Failed to fetch");
  network.sent.push(`${init.method ?? "GET"} ${url.pathname}`);
  if (url.pathname.endsWith("/changes/") && url.searchParams.get("since") !== "0") {
    if (network.forgetPositions > 0 && network.forgetPositions--) {
      url.searchParams.set("since", "4000000000");
    }
  }
  await network.meanwhile(url);
  const failure = url.pathname.endsWith("/sync/") && network.failures.shift();
  if (failure) return Response.json(failure, { status: failure.status });
  const answer = await realFetch(url, init);
  if (network.loseAnswers > 0 && network.loseAnswers--) throw new TypeError("Failed to fetch");
  return answer;
};
const count = (request) => network.sent.filter((each) => each === request).length;

require("fake-indexeddb/auto"); // before there is a window
const holders = new Map(); // name of a lock -> the last of those that wait for it
const locks = {
  request(name, ...rest) {
    const [work, options = {}] = rest.reverse();
    if (options.ifAvailable && holders.has(name)) return Promise.resolve(work(null));
    const result = (holders.get(name) ?? Promise.resolve()).then(() => work({ name }));
    const over = result
      .catch(() => {})
      .then(() => holders.get(name) === over && holders.delete(name));
    holders.set(name, over);
    return result;
  },
};
const window = new EventTarget();
const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
const navigator = { locks, get onLine() { return network.isOn; } };
for (const [name, value] of Object.entries({ window, document, navigator })) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}
function switchNetwork(isOn) {
  network.isOn = isOn;
  window.dispatchEvent(new Event(isOn ? "online" : "offline"));
}

// The files, as modules that Node loads.

const ts = require("typescript");
const compilerOptions = { module: "commonjs", target: "es2022", esModuleInterop: true };
for (const name of readdirSync("lib")) {
  const text = readFileSync(`lib/${name}`, "utf8");
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  mkdirSync("built", { recursive: true });
  writeFileSync(`built/${name.replace(/\.ts$/, ".js")}`, outputText);
}
require.cache[require.resolve("./built/auth-client.js")] = {
  loaded: true,
  exports: {
    authClient: {
      token: async () => ({ data: { token: network.token } }),
      $store: { atoms: { session: { subscribe() {} } }, notify() {} },
    },
  },
};
const { api } = require("./built/todos.js");
const { act } = require("./built/act.js");
const { Replica } = require("./built/replica.js");

// What each library does behind the same six names.

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, isSo) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    assert(Date.now() < deadline, `waited for ${what}`);
    await wait(20);
  }
}

function memoryStore() {
  const values = new Map();
  const get = async (key) => structuredClone(values.get(key));
  return { get, set: async (key, value) => values.set(key, structuredClone(value)) };
}

const devices = {
  async RxDB(name) {
    const { createRxDatabase } = require("rxdb");
    const { getRxStorageMemory } = require("rxdb/plugins/storage-memory");
    const { conflictHandler } = require("./built/conflicts.js");
    const { replicate } = require("./built/rxdb.js");
    const storage = getRxStorageMemory();
    const database = await createRxDatabase({ name, storage, multiInstance: false });
    const schema = {
      version: 0,
      primaryKey: "id",
      type: "object",
      properties: { id: { type: "string", maxLength: 36 } },
    };
    const kinds = { lists: { schema, conflictHandler }, todos: { schema, conflictHandler } };
    const collections = await database.addCollections(kinds);
    const refused = new Map();
    const keep = async (rows) => rows.forEach((row) => refused.set(row.id, row));
    const lists = replicate(collections.lists, "ada", keep);
    const todos = replicate(collections.todos, "ada", keep, () => lists.awaitInSync());
    for (const each of [lists, todos]) each.retryTime = 50;
    return {
      write: (row, resource = "todos") => collections[resource].upsert(row),
      remove: async ({ id }) => (await collections.todos.findOne(id).exec()).remove(),
      async sync() {
        for (const each of [lists, todos]) {
          await each.awaitInitialReplication();
          each.reSync();
          await each.awaitInSync();
        }
      },
      all: async () => (await collections.todos.find().exec()).map((each) => each.toMutableJSON()),
      refused: async () => [...refused.values()],
      close: () => database.close(),
    };
  },

  async "TanStack DB"(name) {
    const { QueryClient } = require("@tanstack/query-core");
    const { collect } = require("./built/tanstack.js");
    const { startOffline } = require("./built/offline.js");
    const store = memoryStore();
    const queries = { networkMode: "always", retry: false };
    const queryClient = new QueryClient({ defaultOptions: { queries } });
    const replica = new Replica(store, name, "todos");
    const lists = collect(new Replica(store, name, "lists"), queryClient);
    const todos = collect(replica, queryClient);
    const collections = { lists: lists.collection, todos: todos.collection };
    const offline = startOffline(name, lists, todos);
    await offline.waitForInit();
    assert(offline.isOfflineEnabled);
    for (const each of Object.values(collections)) await each.preload();
    const withoutVirtual = ({ $synced, $origin, $key, $collectionId, ...row }) => row;
    const change = async (resource, work) => {
      const options = { mutationFnName: resource, autoCommit: false };
      const transaction = offline.createOfflineTransaction(options);
      transaction.mutate(() => work(collections[resource]));
      let isOver = false;
      transaction.commit().finally(() => (isOver = true)).catch(() => {});
      await until("a stored change", async () => {
        const stored = await offline.peekOutbox();
        return isOver || stored.some(({ id }) => id === transaction.id);
      });
    };
    return {
      write: async (row, resource = "todos") =>
        change(resource, (collection) => {
          if (!collection.has(row.id)) return collection.insert(row);
          collection.update(row.id, (draft) => void Object.assign(draft, row));
        }),
      remove: async ({ id }) => change("todos", (collection) => collection.delete(id)),
      async sync() {
        await until("an empty outbox", async () => (await offline.peekOutbox()).length === 0);
        for (const each of Object.values(collections)) await each.utils.refetch();
      },
      all: async () => collections.todos.toArray.map(withoutVirtual),
      refused: async () => Object.values((await replica.read()).refused),
      close: () => offline.dispose(),
    };
  },

  async WatermelonDB(name) {
    const { appSchema, Database, Model, tableSchema } = require("@nozbe/watermelondb");
    const { default: LokiJSAdapter } = require("@nozbe/watermelondb/adapters/lokijs");
    const { synchronize } = require("@nozbe/watermelondb/sync");
    const { pullChanges, pushChanges } = require("./built/watermelon.js");
    const text = (column) => ({ name: column, type: "string" });
    const optional = (column) => ({ ...text(column), isOptional: true });
    const texts = ["title", "description", "priority", "tags"].map(text);
    const columns = [...texts, { name: "completed", type: "boolean" }, optional("list_id")];
    const schema = appSchema({
      version: 1,
      tables: [
        tableSchema({ name: "lists", columns: [text("name"), optional("seen")] }),
        tableSchema({ name: "todos", columns: [...columns, optional("seen")] }),
      ],
    });
    const modelOf = (table) =>
      class extends Model {
        static table = table;
      };
    const modelClasses = Object.keys(schema.tables).map(modelOf);
    const options = { useWebWorker: false, useIncrementalIndexedDB: true };
    const adapter = new LokiJSAdapter({ dbName: name, schema, ...options });
    const database = new Database({ adapter, modelClasses });
    const { setGenerator } = require("@nozbe/watermelondb/utils/common/randomId");
    const find = (table, id) => database.get(table).find(id).catch(() => null);
    const refused = new Map();
    const its = { database, pullChanges, pushChanges, sendCreatedAsUpdated: true };
    return {
      write: (row, table = "todos") => database.write(async () => {
        const record = await find(table, row.id);
        const fill = (model) => {
          const values = { ...row, tags: JSON.stringify(row.tags) };
          for (const { name: column } of schema.tables[table].columnArray) {
            if (column in values && column !== "seen") model._setRaw(column, values[column]);
          }
        };
        if (record) return record.update(fill);
        setGenerator(() => row.id);
        await database.get(table).create(fill);
      }),
      remove: ({ id }) => database.write(async () => (await find("todos", id)).markAsDeleted()),
      async sync() {
        for (const log of [{}, {}]) {
          await synchronize({ ...its, log });
          for (const id of log.rejectedIds?.todos ?? []) {
            refused.set(id, (await find("todos", id))._raw);
          }
        }
      },
      async all() {
        const records = await database.get("todos").query().fetch();
        return records.map(({ _raw }) => ({ ..._raw, tags: JSON.parse(_raw.tags) }));
      },
      refused: async () => [...refused.values()].map((row) => ({ id: row.id, document: row })),
      close() {},
    };
  },

  async "a client written by hand"(name) {
    const store = memoryStore();
    const lists = new Replica(store, name, "lists");
    const todos = new Replica(store, name, "todos");
    return {
      write: (row, resource = "todos") => (resource === "lists" ? lists : todos).write(row),
      remove: (row) => todos.write({ ...row, deleted: true }),
      async sync() {
        await lists.sync();
        await todos.sync();
      },
      all: () => todos.all(),
      refused: async () => Object.values((await todos.read()).refused),
      close() {},
    };
  },
};

const byId = (rows) => new Map(rows.map((row) => [row.id, row]));
const content = (rows, ...without) =>
  rows
    .filter(({ id }) => !without.includes(id))
    .map((row) => WRITABLE.map((name) => row[name] ?? null))
    .sort(([one], [other]) => (one < other ? -1 : 1));
const onServer = async () => (await api("/api/todos/?limit=200")).results;
const newTodo = (fields) => ({
  id: randomUUID(),
  description: "",
  completed: false,
  priority: "none",
  tags: [],
  list_id: null,
  ...fields,
});

async function assertEqualToServer(device, ...without) {
  await until("the rows of the server", async () => {
    const [mine, theirs] = [content(await device.all(), ...without), content(await onServer())];
    return JSON.stringify(mine) === JSON.stringify(theirs);
  }).catch(async (error) => {
    assert.deepEqual(content(await device.all(), ...without), content(await onServer()));
    throw error;
  });
}

async function convergence(open) {
  const [phone, laptop] = [await open("phone"), await open("laptop")];
  const milk = newTodo({ title: "Buy milk" });
  const bank = newTodo({ title: "Call the bank" });
  await phone.write(milk);
  await phone.write(bank);
  await phone.sync();
  await laptop.sync();
  await assertEqualToServer(laptop);

  switchNetwork(false);
  const seen = async (device, { id }) => byId(await device.all()).get(id);
  await phone.write({ ...(await seen(phone, milk)), title: "Buy oat milk" });
  await phone.write({ ...(await seen(phone, milk)), priority: "high" });
  await phone.remove(await seen(phone, bank));
  const list = { id: randomUUID(), name: "Errands" };
  const tea = newTodo({ title: "Buy tea", list_id: list.id, tags: ["shop"] });
  const poison = newTodo({ title: "x".repeat(501), description: "A text to keep" });
  await phone.write(list, "lists");
  await phone.write(tea);
  await phone.write(poison);
  await phone.write({ ...(await seen(phone, tea)), title: "Buy green tea" });
  await laptop.write({ ...(await seen(laptop, milk)), title: "Buy rice milk", description: "Two" });
  await laptop.write({ ...(await seen(laptop, bank)), description: "About the card" });
  const coffee = newTodo({ title: "Buy coffee" });
  await laptop.write(coffee);
  assert.equal((await phone.all()).length, 3);
  assert.equal((await laptop.all()).length, 3);

  network.loseAnswers = 1;
  switchNetwork(true);
  await phone.sync().catch(({ status }) => assert.equal(status, 0));
  for (const device of [phone, laptop, phone, laptop, phone]) await device.sync();
  await assertEqualToServer(phone, poison.id);
  await assertEqualToServer(laptop);
  const rows = byId(await onServer());
  assert.deepEqual(new Set(rows.keys()), new Set([milk.id, tea.id, coffee.id]));
  const { title, priority, description } = rows.get(milk.id);
  assert.deepEqual([priority, description], ["high", "Two"]);
  assert.match(title, /^Buy (oat|rice) milk$/);
  assert.deepEqual([rows.get(tea.id).title, rows.get(tea.id).list_id], ["Buy green tea", list.id]);
  const refused = (await phone.refused()).map(({ id, document }) => [id, document.description]);
  assert.deepEqual(refused, [[poison.id, poison.description]]);
  assert.deepEqual(await laptop.refused(), []);

  await phone.write({ ...poison, title: "Short" });
  await phone.sync();
  await laptop.sync();
  await assertEqualToServer(phone);
  await assertEqualToServer(laptop);
  assert.equal(byId(await onServer()).get(poison.id).description, "A text to keep");
  phone.close();
  laptop.close();
}

async function resync(open) {
  const phone = await open("phone");
  const [milk, bank] = [newTodo({ title: "Buy milk" }), newTodo({ title: "Call the bank" })];
  await phone.write(milk);
  await phone.write(bank);
  await phone.sync();
  await assertEqualToServer(phone);
  await api(`/api/todos/${bank.id}/`, { method: "DELETE" });
  switchNetwork(false);
  const tea = newTodo({ title: "Buy tea" });
  await phone.write(tea);
  network.forgetPositions = 2;
  switchNetwork(true);
  await phone.sync();
  await phone.sync();
  await assertEqualToServer(phone);
  assert.equal(network.forgetPositions, 0);
  assert.deepEqual(new Set((await onServer()).map(({ id }) => id)), new Set([milk.id, tea.id]));
  phone.close();
}

async function listsFirst(open) {
  const phone = await open("phone");
  await phone.sync();
  network.meanwhile = ({ pathname }) => wait(pathname === "/api/lists/sync/" ? 500 : 0);
  const list = { id: randomUUID(), name: "Errands" };
  await phone.write(list, "lists");
  await phone.write(newTodo({ title: "Buy tea", list_id: list.id }));
  await phone.sync();
  await assertEqualToServer(phone);
  assert.deepEqual((await onServer()).map(({ list_id }) => list_id), [list.id]);
  assert.deepEqual(await phone.refused(), []);
}

const stories = {
  "RxDB converges": () => convergence(devices.RxDB),
  "TanStack DB converges": () => convergence(devices["TanStack DB"]),
  "WatermelonDB converges": () => convergence(devices.WatermelonDB),
  "a client written by hand converges": () => convergence(devices["a client written by hand"]),
  "RxDB reads all again": () => resync(devices.RxDB),
  "TanStack DB reads all again": () => resync(devices["TanStack DB"]),
  "WatermelonDB reads all again": () => resync(devices.WatermelonDB),
  "a client written by hand reads all again": () => resync(devices["a client written by hand"]),

  "RxDB pushes lists first": () => listsFirst(devices.RxDB),
  "TanStack DB pushes lists first": () => listsFirst(devices["TanStack DB"]),
  "WatermelonDB pushes lists first": () => listsFirst(devices.WatermelonDB),

  async "TanStack DB keeps a change whatever the text of a failure is"() {
    const phone = await devices["TanStack DB"]("phone");
    const failure = { status: 429, code: "throttled", detail: "Try again in 401 seconds." };
    network.failures = [failure];
    await phone.write(newTodo({ title: "Buy milk" }));
    await phone.sync();
    assert.deepEqual(network.failures, []);
    assert.deepEqual((await onServer()).map(({ title }) => title), ["Buy milk"]);
  },

  async "an edit during a push builds on what is pushed"() {
    const todos = new Replica(memoryStore(), "ada", "todos");
    const milk = newTodo({ title: "Buy milk" });
    await todos.write(milk);
    await todos.sync();
    const first = { ...(await todos.all())[0], title: "Buy oat milk" };
    await todos.write(first);
    const second = { ...first, title: "Buy rice milk", priority: "high" };
    network.meanwhile = async ({ pathname }) => {
      network.meanwhile = async () => {};
      assert.equal(pathname, "/api/todos/sync/");
      await todos.write(second);
    };
    await todos.sync();
    assert.deepEqual(content(await onServer()), content([first]));
    assert.deepEqual(content(await todos.all()), content([second]));
    await todos.sync();
    await assertEqualToServer(todos);
    assert.deepEqual(content(await onServer()), content([second]));
    assert.equal(count("POST /api/todos/sync/"), 3);
  },

  async "a repeated push of a new row undoes no edit of another device"() {
    const todos = new Replica(memoryStore(), "ada", "todos");
    const milk = newTodo({ title: "Buy milk" });
    await todos.write(milk);
    network.loseAnswers = 1;
    await assert.rejects(todos.sync(), { status: 0 });
    await api(`/api/todos/${milk.id}/`, { method: "PATCH", body: '{"priority": "high"}' });
    await todos.write({ ...milk, title: "Buy oat milk" });
    await todos.sync();
    await assertEqualToServer(todos);
    const [{ title, priority }] = await onServer();
    assert.deepEqual([title, priority], ["Buy oat milk", "high"]);
  },

  async "a new row without its right text is kept, but in no list"() {
    const todos = new Replica(memoryStore(), "ada", "todos");
    await todos.write(newTodo({ title: "Buy milk" }));
    await todos.sync();
    await todos.write(newTodo({ title: " ", description: "A text to keep" }));
    await todos.sync();
    await assertEqualToServer(todos);
    const [refused] = Object.values((await todos.read()).refused);
    assert.equal(refused.document.description, "A text to keep");
    assert.equal(refused.errors[0].pointer, "/title");
  },

  async "one of two tabs sends a change"() {
    const store = memoryStore();
    const tabs = [new Replica(store, "ada", "todos"), new Replica(store, "ada", "todos")];
    await tabs[0].write(newTodo({ title: "Buy milk" }));
    await Promise.all(tabs.map((tab) => tab.sync()));
    assert.equal(count("POST /api/todos/sync/"), 1);
    for (const tab of tabs) await assertEqualToServer(tab);
  },

  async "changes wait on the device while another user is signed in"() {
    const store = memoryStore();
    const ada = new Replica(store, "ada", "todos");
    switchNetwork(false);
    await ada.write(newTodo({ title: "A secret" }));
    assert.deepEqual((await ada.refresh()).map(({ title }) => title), ["A secret"]);
    assert.equal(Object.keys((await ada.read()).edits).length, 1);
    switchNetwork(true);
    network.token = ANOTHER_TOKEN;
    const bob = new Replica(store, "bob", "todos");
    assert.deepEqual(await bob.refresh(), []);
    assert.deepEqual(await onServer(), []);
    network.token = TOKEN;
    await new Replica(store, "ada", "todos").sync();
    assert.deepEqual((await onServer()).map(({ title }) => title), ["A secret"]);
  },

  async "rows that are too much for one push go in parts"() {
    const todos = new Replica(memoryStore(), "ada", "todos");
    const description = "x".repeat(5_000);
    for (let number = 0; number < 120; number++) {
      await todos.write(newTodo({ title: `Todo ${number}`, description }));
    }
    await todos.sync();
    await assertEqualToServer(todos);
    assert.equal((await onServer()).length, 120);
  },

  async "an action happens once, on the todo as it is now"() {
    const body = JSON.stringify({ title: "Buy milk" });
    const seen = await api("/api/todos/", { method: "POST", body });
    const change = { method: "PATCH", body: JSON.stringify({ priority: "high" }) };
    await api(`/api/todos/${seen.id}/`, change);
    const key = randomUUID();
    network.meanwhile = async ({ pathname }) => {
      network.loseAnswers = count(`POST ${pathname}`) === 2 ? 1 : 0; // the first is 412
    };
    await assert.rejects(act(seen, "complete", key), { status: 0 });
    const done = await act(seen, "complete", key);
    assert.equal(count(`POST /api/todos/${seen.id}/complete/`), 3);
    assert.deepEqual([done.completed, done.priority], [true, "high"]);
    assert.deepEqual(await onServer(), [done]);
  },
};

const [, , name] = process.argv;
await stories[name]();
process.exit(0);
