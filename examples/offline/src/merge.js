// What a todo says, and what becomes of two changes of one todo.

const READ_ONLY = ["created_at", "updated_at", "completed_at", "deleted_at", "due_at", "etag"];
const NO_CONTENT = [...READ_ONLY, "deleted", "removed", "base"];

export const isGone = (todo) => Boolean(todo._deleted || todo.deleted || todo.removed);

/** The fields that a client may write, and whether the todo is deleted. */
export function content(todo) {
  const entries = Object.entries(todo).filter(([name]) => !NO_CONTENT.includes(name) && !name.startsWith("_"));
  return { ...Object.fromEntries(entries.sort()), deleted: isGone(todo) };
}

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export const isSame = (a, b) => equal(content(a), content(b));

/** `base` is what the server had when this device first changed the todo. */
export const isWaiting = (todo) => todo.base !== undefined && !isSame(todo, todo.base);

/**
 * Change `theirs` as `mine` changes `base`. Where both change a field, theirs stays. No text is lost:
 * mine goes to the end of the description.
 */
export function merge(mine, base, theirs) {
  const merged = { ...theirs };
  const texts = [];
  for (const field of Object.keys(content(mine))) {
    if (field === "deleted" || equal(mine[field], base[field]) || equal(mine[field], theirs[field])) continue;
    if (equal(theirs[field], base[field])) merged[field] = mine[field];
    else if (["title", "description"].includes(field)) texts.push(mine[field]);
  }
  if (texts.length) merged.description = [merged.description, ...texts].filter(Boolean).join("\n\n");
  return merged;
}
