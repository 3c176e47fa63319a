import { api } from "./todos";

const MOST_ROWS = 100; // in one push

const rowOf = (rows, { id }) => rows.find(({ newDocumentState }) => newDocumentState.id === id);

/** Returns all changes since a position. A row that a `whole` answer lacks is gone. */
export async function pull(resource, since = 0) {
  const found = new Map();
  let page = { checkpoint: { since }, more: true };
  while (page.more) {
    try {
      page = await api(`/api/${resource}/changes/?since=${page.checkpoint.since}`);
    } catch (problem) {
      if (problem.code === "resync_required") return pull(resource);
      throw problem;
    }
    for (const document of page.documents) found.set(document.id, document);
  }
  return { documents: [...found.values()], since: page.checkpoint.since, whole: since === 0 };
}

/** Pushes in parts that the API takes. Each refused row comes back with its `document`. */
export async function push(resource, rows) {
  if (rows.length > MOST_ROWS) return pushHalves(resource, rows);
  try {
    const request = { method: "POST", body: JSON.stringify(rows) };
    const { conflicts, rejected } = await api(`/api/${resource}/sync/`, request);
    const documentOf = (each) => rowOf(rows, each).newDocumentState;
    return {
      conflicts,
      refused: rejected.map((each) => ({ ...each, document: documentOf(each) })),
    };
  } catch (problem) {
    if (problem.status !== 413 || rows.length === 1) throw problem;
    return pushHalves(resource, rows);
  }
}

async function pushHalves(resource, rows) {
  const half = Math.ceil(rows.length / 2);
  const one = await push(resource, rows.slice(0, half));
  const two = await push(resource, rows.slice(half));
  const conflicts = [...one.conflicts, ...two.conflicts];
  return { conflicts, refused: [...one.refused, ...two.refused] };
}

/** Pushes until nothing conflicts, and returns the refused rows. */
export async function pushMerged(resource, rows) {
  if (rows.length === 0) return [];
  const { conflicts, refused } = await push(resource, rows);
  const again = conflicts.map((theirs) => {
    const row = rowOf(rows, theirs);
    const mine = merge(row.assumedMasterState, row.newDocumentState, theirs);
    return { newDocumentState: mine, assumedMasterState: theirs };
  });
  return [...refused, ...(await pushMerged(resource, again))];
}

/** Returns their document with the fields that I have changed. Their deletion wins. */
export function merge(seen, mine, theirs) {
  if (theirs.deleted || theirs._deleted) return theirs;
  const isMine = ([name, value]) => JSON.stringify(value) !== JSON.stringify(seen?.[name]);
  return { ...theirs, ...Object.fromEntries(Object.entries(mine).filter(isMine)) };
}
