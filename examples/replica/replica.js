import { merge, pull, pushMerged } from "./sync";

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The rows of one resource of one user on this device, and the edits that wait to be sent. */
export class Replica {
  /** `store` has `get(key)` and `set(key, value)`, such as the package idb-keyval. */
  constructor(store, user, resource) {
    Object.assign(this, { store, resource, key: `${resource} of ${user}` });
  }

  /** Returns the rows as this user sees them, with the edits that wait. */
  async all() {
    const { rows, edits } = await this.read();
    return Object.values({ ...rows, ...edits }).filter((each) => !each.deleted);
  }

  /** Queues a new row, an edited one, or one with `deleted: true`. */
  write(document) {
    return this.#change((copy) => {
      copy.edits[document.id] = document;
      delete copy.refused[document.id];
    });
  }

  /** Keeps rows that the API rejected, with their texts and errors, until they are corrected. */
  keep(refused) {
    return this.#change((copy) => {
      for (const each of refused) copy.refused[each.id] = each;
    });
  }

  /** Sends, then receives. Of several tabs, one does so at a time. */
  sync() {
    return navigator.locks.request(`sync ${this.key}`, async () => {
      await this.#send();
      await this.#receive();
    });
  }

  /** Returns the rows after a sync, or those of the copy without a network. */
  async refresh() {
    await this.sync().catch((problem) => {
      if (problem.status !== 0) throw problem;
    });
    return this.all();
  }

  /** Returns `{ since, rows, edits, refused }`: rows as the server has them, by their ids. */
  read() {
    return this.#change((copy) => structuredClone(copy));
  }

  #change(work) {
    return navigator.locks.request(this.key, async () => {
      const empty = { since: 0, rows: {}, edits: {}, refused: {} };
      const copy = (await this.store.get(this.key)) ?? empty;
      const result = work(copy);
      await this.store.set(this.key, copy);
      return result;
    });
  }

  async #send() {
    const { rows, edits } = await this.#change((copy) => {
      // The answer to a push of a new row may get lost. Later edits then build on that row.
      for (const mine of Object.values(copy.edits)) copy.rows[mine.id] ??= mine;
      return structuredClone(copy);
    });
    const sent = Object.values(edits);
    const toRow = (mine) => ({ newDocumentState: mine, assumedMasterState: rows[mine.id] });
    const refused = await pushMerged(this.resource, sent.map(toRow));
    const isRefused = (mine) => refused.some((each) => each.id === mine.id);
    await this.keep(refused);
    await this.#change((copy) => {
      for (const mine of sent) {
        // An edit made meanwhile stays, and builds on what was sent.
        if (same(copy.edits[mine.id], mine)) delete copy.edits[mine.id];
        if (!isRefused(mine)) copy.rows[mine.id] = mine;
        else if (same(copy.rows[mine.id], mine)) delete copy.rows[mine.id];
      }
    });
  }

  async #receive() {
    const { documents, since, whole } = await pull(this.resource, (await this.read()).since);
    await this.#change((copy) => {
      const seen = copy.rows;
      Object.assign(copy, { since, rows: whole ? {} : { ...seen } });
      for (const theirs of documents) {
        const { id } = theirs;
        copy.rows[id] = theirs;
        if (id in copy.edits) copy.edits[id] = merge(seen[id], copy.edits[id], theirs);
      }
    });
  }
}
