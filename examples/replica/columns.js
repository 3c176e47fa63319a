const toRaw = (seen) => ({ ...seen, tags: JSON.stringify(seen.tags), seen: JSON.stringify(seen) });

const toRow = ({ _status, _changed, seen, tags, ...columns }) => {
  const assumedMasterState = JSON.parse(seen || "null");
  const more = tags && { tags: JSON.parse(tags) };
  return { assumedMasterState, newDocumentState: { ...assumedMasterState, ...columns, ...more } };
};

const toDeletion = (id) => ({ newDocumentState: { id, deleted: true } });

/** Returns what `pull` returned as the changes of a table of WatermelonDB. */
export const toChanges = (documents) => ({
  created: [],
  updated: documents.filter((each) => !each.deleted).map(toRaw),
  deleted: documents.filter((each) => each.deleted).map(({ id }) => id),
});

/** Returns the changes of a table as rows for `push`. */
export const toRows = ({ created, updated, deleted }) =>
  [...created, ...updated].map(toRow).concat(deleted.map(toDeletion));
