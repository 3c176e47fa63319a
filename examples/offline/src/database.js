// The todos of one user in IndexedDB, and their replication with the API.

import { createRxDatabase } from "rxdb/plugins/core";
import { replicateRxCollection } from "rxdb/plugins/replication";
import { getRxStorageDexie } from "rxdb/plugins/storage-dexie";
import { filter, fromEvent, interval, map, merge as either } from "rxjs";

import { content, isGone, isSame, isWaiting, merge } from "./merge.js";
import { call } from "./session.js";

const POLL_MILLISECONDS = 5000;
// The most that the server takes and gives.
const PUSHED_ROWS = 100;
const PULLED_ROWS = 200;

const GONE = { deleted: true };

const id = { type: "string", maxLength: 36 };
const todos = {
  schema: {
    version: 0,
    primaryKey: "id",
    type: "object",
    properties: {
      id,
      title: { type: "string" },
      description: { type: "string" },
      completed: { type: "boolean" },
      created_at: { type: "string" },
      base: { type: "object" }, // what the server has, while a change waits
      removed: { type: "boolean" }, // a deletion waits
    },
  },
  conflictHandler: {
    isEqual: isSame,
    resolve({ newDocumentState: mine, assumedMasterState: base = {}, realMasterState }) {
      const { refused, ...theirs } = realMasterState;
      if (refused || isGone(theirs) || isGone(mine)) return theirs; // a change wins over a deletion here
      const merged = merge(mine, base, theirs);
      return isSame(merged, theirs) ? theirs : { ...merged, base: content(theirs) };
    },
  },
};
const refused = {
  schema: {
    version: 0,
    primaryKey: "id",
    type: "object",
    properties: {
      id,
      todo: { type: "string" },
      title: { type: "string" },
      description: { type: "string" },
      reasons: { type: "array" },
    },
  },
};

/** Open the database of a user. `onProblem` gets each error of a call, and null after one that works. */
export async function openDatabase(user, onProblem) {
  const database = await createRxDatabase({ name: `todos-${user.id}`, storage: getRxStorageDexie() });
  await database.addCollections({ todos, refused });
  const watched = (handler) => async (...given) => {
    try {
      const answer = await handler(database, user, ...given);
      onProblem(null);
      return answer;
    } catch (error) {
      onProblem(error);
      throw error; // RxDB tries again
    }
  };
  // With several tabs, RxDB replicates in one of them.
  replicateRxCollection({
    collection: database.todos,
    replicationIdentifier: "api",
    deletedField: "deleted",
    retryTime: POLL_MILLISECONDS,
    pull: {
      batchSize: PULLED_ROWS,
      handler: watched(pull),
      stream$: either(
        interval(POLL_MILLISECONDS),
        fromEvent(document, "visibilitychange"),
        fromEvent(window, "online"),
      ).pipe(
        filter(() => document.visibilityState === "visible"),
        map(() => "RESYNC"),
      ),
    },
    push: { batchSize: PUSHED_ROWS, handler: watched(push) },
  });
  return database;
}

/** Leave nothing of the user on this device. RxDB alone would leave the emptied databases. */
export async function destroy(database) {
  await database.remove();
  const all = await indexedDB.databases();
  for (const { name } of all.filter(({ name }) => name.includes(database.name))) indexedDB.deleteDatabase(name);
}

async function pull(database, user, checkpoint, limit) {
  if (!checkpoint?.since) return pullEverything(database, user);
  try {
    return await changesSince(user, checkpoint.since, limit);
  } catch (error) {
    if (error.status !== 410) throw error; // resync_required
    return pullEverything(database, user);
  }
}

/** At least `least` changes, or all. RxDB takes fewer for the last ones, and a page of large todos is short. */
async function changesSince(user, since, least) {
  const documents = [];
  let page = { checkpoint: { since } };
  do {
    page = await call(user, `/api/todos/changes/?since=${page.checkpoint.since}&limit=${PULLED_ROWS}`);
    documents.push(...page.documents);
  } while (page.more && documents.length < least);
  return { documents, checkpoint: page.checkpoint };
}

/** From 0 the API leaves out deleted todos: delete what it does not have, except what waits to be sent. */
async function pullEverything(database, user) {
  const before = (await database.todos.find().exec()).map((todo) => todo.toJSON());
  const { documents, checkpoint } = await changesSince(user, 0, Infinity);
  const there = new Set(documents.map((todo) => todo.id));
  const gone = before.filter((todo) => !there.has(todo.id) && !isWaiting(todo));
  return { documents: [...documents, ...gone.map((todo) => ({ ...todo, deleted: true }))], checkpoint };
}

async function push(database, user, rows) {
  const sent = rows.filter((row) => !isGone(row.newDocumentState) || !isGone(row.assumedMasterState ?? GONE));
  const answer = await sync(user, sent.map(asRow));
  const changed = new Map(answer.conflicts.map((todo) => [todo.id, todo]));
  const rejected = new Map(answer.rejected.map(({ id, errors }) => [id, errors]));
  const masters = [];
  for (const { newDocumentState: mine } of rows) {
    const theirs = changed.get(mine.id);
    if (rejected.has(mine.id)) {
      await keepRefused(database, mine, rejected.get(mine.id).map(describe));
      masters.push({ ...(await serversState(user, mine)), refused: true });
    } else if (theirs) {
      if (theirs.deleted && !isGone(mine)) await keepRefused(database, mine, ["It was deleted on another device."]);
      masters.push(theirs);
    } else {
      await settle(database, mine);
    }
  }
  return masters;
}

/** Send rows, in smaller parts where they are too large together. */
async function sync(user, rows) {
  if (rows.length === 0) return { conflicts: [], rejected: [] };
  try {
    return await call(user, "/api/todos/sync/", rows);
  } catch (error) {
    if (error.status !== 413) throw error;
  }
  if (rows.length === 1) {
    const { id } = rows[0].newDocumentState;
    return { conflicts: [], rejected: [{ id, errors: [{ detail: "This todo is too large." }] }] };
  }
  const half = rows.length >> 1;
  const [first, second] = [await sync(user, rows.slice(0, half)), await sync(user, rows.slice(half))];
  return {
    conflicts: [...first.conflicts, ...second.conflicts],
    rejected: [...first.rejected, ...second.rejected],
  };
}

const describe = ({ pointer, detail }) => (pointer ? `${pointer.slice(1)}: ${detail}` : detail);

/** A deletion goes without the fields, which may be invalid. */
const asRow = ({ newDocumentState: mine, assumedMasterState: base }) => ({
  newDocumentState: isGone(mine) ? { id: mine.id, deleted: true } : { id: mine.id, ...content(mine) },
  ...(base && { assumedMasterState: { id: base.id, ...content(base) } }),
});

async function serversState(user, todo) {
  try {
    return await call(user, `/api/todos/${todo.id}/`);
  } catch (error) {
    if (![403, 404].includes(error.status)) throw error;
    return { ...todo, deleted: true };
  }
}

/** Keep each refused text, but once, whatever is repeated. */
async function keepRefused(database, { id: todo, title, description }, reasons) {
  const texts = { todo, title, description };
  const known = await database.refused.findOne({ selector: texts }).exec();
  await database.refused.upsert({ id: known?.id ?? crypto.randomUUID(), ...texts, reasons });
}

/** The server has what was sent. The user may have changed the todo since. */
async function settle(database, sent) {
  const todo = await database.todos.findOne(sent.id).exec();
  if (!todo || todo.base === undefined) return;
  if (isGone(sent) && todo.removed) await todo.remove();
  else await todo.incrementalModify(({ base, ...now }) => (isSame(now, sent) ? now : { ...now, base: content(sent) }));
}

const clean = ({ title, description, ...rest }) => ({
  ...rest,
  title: title.trim().normalize("NFC"), // as the server does it
  description: description.normalize("NFC"),
});

export async function add(database, fields) {
  const made = { id: crypto.randomUUID(), created_at: new Date().toISOString(), completed: false, base: {} };
  await database.todos.insert({ ...made, ...clean(fields) });
}

/** Change the todo that the user has seen, whatever was pulled meanwhile. */
export async function change(database, seen, fields) {
  const todo = await database.todos.findOne(seen.id).exec();
  const mine = clean({ ...seen, ...fields });
  if (!todo) return add(database, { title: mine.title, description: mine.description });
  await todo.incrementalModify((now) => ({ ...merge(mine, seen, now), base: now.base ?? content(now) }));
}

export async function remove(database, seen, removed = true) {
  const todo = await database.todos.findOne(seen.id).exec();
  await todo?.incrementalModify((now) => ({ ...now, removed, base: now.base ?? content(now) }));
}

/** Send refused texts again: as a change of the todo, or as a new todo where there is none. */
export async function sendAgain(database, entry, texts) {
  const todo = await database.todos.findOne(entry.todo).exec();
  await (todo ? change(database, todo.toJSON(), texts) : add(database, texts));
  await discard(database, entry);
}

export async function discard(database, entry) {
  await database.refused.findOne(entry.id).remove();
}
