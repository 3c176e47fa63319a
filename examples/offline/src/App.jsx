import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

import { add, change, destroy, discard, openDatabase, remove, sendAgain } from "./database.js";
import { isWaiting } from "./merge.js";
import { endSession, forgetUser, rememberedUser, SessionOver, signIn } from "./session.js";
import "./style.css";

function App() {
  const [user, setUser] = useState(rememberedUser);
  const [database, setDatabase] = useState(null);
  const [problem, setProblem] = useState(null);

  useEffect(() => {
    if (!user) return;
    const opening = openDatabase(user, setProblem);
    opening.then(setDatabase);
    return () => {
      setDatabase(null);
      opening.then((opened) => opened.close());
    };
  }, [user?.id]);

  useEffect(() => {
    const reload = ({ key }) => key === "user" && location.reload(); // another tab signed in or out
    addEventListener("storage", reload);
    return () => removeEventListener("storage", reload);
  }, []);

  function welcome(signedIn) {
    setProblem(null);
    setUser(signedIn);
  }

  async function signOut() {
    await endSession();
    await destroy(database);
    forgetUser();
    setUser(null);
  }

  return (
    <main>
      <h1>Todos</h1>
      {(!user || problem instanceof SessionOver) && <SignIn user={user} welcome={welcome} />}
      {user && database && <Todos {...{ user, database, problem, signOut }} />}
    </main>
  );
}

function SignIn({ user, welcome }) {
  const [error, setError] = useState("");

  async function submit(event) {
    event.preventDefault();
    const { email, password } = Object.fromEntries(new FormData(event.target));
    const isNew = event.nativeEvent.submitter.value === "new";
    await signIn(email, password, { isNew }).then(welcome, (error) => setError(describe(error)));
  }

  return (
    <form onSubmit={submit}>
      {user && <p>Your session is over. Sign in to send and receive changes; your todos stay on this device.</p>}
      <label>
        E-mail
        <input name="email" type="email" autoComplete="username" defaultValue={user?.email} required />
      </label>
      <label>
        Password
        <input name="password" type="password" autoComplete="current-password" minLength={8} required />
      </label>
      <p role="alert">{error}</p>
      <button>Sign in</button>
      <button value="new">Create account</button>
    </form>
  );
}

function Todos({ user, database, problem, signOut }) {
  const todos = useAll(database.todos);
  const refused = useAll(database.refused);
  const [editing, setEditing] = useState(null); // the todo as it was when its editor opened
  const heading = useRef(null);
  const waiting = todos.filter(isWaiting).length;

  const shown = todos.filter((todo) => !todo.removed || isWaiting(todo));
  if (editing && !shown.some(({ id }) => id === editing.id)) shown.push(editing); // deleted elsewhere meanwhile
  shown.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));

  function stopEditing() {
    flushSync(() => setEditing(null));
    (document.getElementById(`edit-${editing.id}`) ?? heading.current).focus();
  }

  async function toggleRemoved(todo) {
    await remove(database, todo, !todo.removed);
    heading.current.focus();
  }

  return (
    <>
      <header>
        <span>{user.email}</span>
        <SignOut unsent={waiting + refused.length} signOut={signOut} />
      </header>
      <Status {...{ problem, waiting, refused: refused.length }} />
      <Texts save="Add" onSave={(texts) => add(database, texts)} />
      {refused.length > 0 && (
        <section aria-labelledby="refused" className="refused">
          <h2 id="refused">Refused</h2>
          {refused.map((entry) => (
            <article key={entry.id} aria-label={`Refused: ${start(entry.title)}`}>
              <ul>{entry.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>
              <Texts of={entry} save="Send again" onSave={(texts) => sendAgain(database, entry, texts)}>
                <button type="button" onClick={() => discard(database, entry)}>Discard</button>
              </Texts>
            </article>
          ))}
        </section>
      )}
      <h2 id="todos" ref={heading} tabIndex={-1}>Your todos</h2>
      {shown.length === 0 && <p>Nothing to do.</p>}
      <ul className="todos" aria-labelledby="todos">
        {shown.map((todo) => (
          <li key={todo.id}>
            {editing?.id === todo.id ? (
              <Texts
                of={editing}
                save="Save"
                onSave={(texts) => change(database, editing, texts).then(stopEditing)}
              >
                <button type="button" onClick={stopEditing}>Cancel</button>
              </Texts>
            ) : (
              <>
                <label className={todo.removed ? "removed" : undefined}>
                  <input
                    type="checkbox"
                    checked={todo.completed}
                    disabled={todo.removed}
                    onChange={() => change(database, todo, { completed: !todo.completed })}
                  />
                  <span>{todo.title}</span>
                </label>
                {todo.description && <p>{todo.description}</p>}
                {isWaiting(todo) && <p className="waiting">{waitingFor(todo)}</p>}
                <button
                  id={`edit-${todo.id}`}
                  aria-label={`Edit ${start(todo.title)}`}
                  disabled={todo.removed}
                  onClick={() => setEditing(todo)}
                >
                  Edit
                </button>
                <button
                  aria-label={`${todo.removed ? "Keep" : "Delete"} ${start(todo.title)}`}
                  onClick={() => toggleRemoved(todo)}
                >
                  {todo.removed ? "Keep" : "Delete"}
                </button>
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** A form for the texts of a todo: an empty one for a new todo. */
function Texts({ of, save, onSave, children }) {
  async function submit(event) {
    event.preventDefault();
    const form = event.currentTarget;
    await onSave(Object.fromEntries(new FormData(form)));
    if (!of) form.reset();
  }

  return (
    <form onSubmit={submit}>
      <label>
        Title
        <input name="title" defaultValue={of?.title} required pattern=".*\S.*" autoFocus={save === "Save"} />
      </label>
      <label>
        Description
        <textarea name="description" rows={2} defaultValue={of?.description} />
      </label>
      <button>{save}</button>
      {children}
    </form>
  );
}

function Status({ problem, waiting, refused }) {
  const isOnline = useSyncExternalStore(watchNetwork, () => navigator.onLine);
  const sentences = [
    isOnline ? problem && describe(problem) : "Offline.",
    waiting ? `${counted(waiting, "change")} waiting to be sent.` : "Every change is sent.",
    refused > 0 && `${counted(refused, "change")} refused.`,
  ];
  return <p role="status">{sentences.filter(Boolean).join(" ")}</p>;
}

function SignOut({ unsent, signOut }) {
  const dialog = useRef(null);
  const [error, setError] = useState("");
  const leave = () => signOut().catch((error) => setError(describe(error)));
  return (
    <>
      <button onClick={() => (unsent ? dialog.current.showModal() : leave())}>Sign out</button>
      <span role="alert">{error}</span>
      <dialog ref={dialog} aria-labelledby="unsent">
        <form method="dialog">
          <p id="unsent">{counted(unsent, "change")} not sent or refused. Signing out deletes them.</p>
          <button>Stay</button>
          <button onClick={leave}>Sign out and delete them</button>
        </form>
      </dialog>
    </>
  );
}

function useAll(collection) {
  const [all, setAll] = useState([]);
  useEffect(() => {
    const changes = collection.find().$.subscribe((found) => setAll(found.map((each) => each.toMutableJSON())));
    return () => changes.unsubscribe();
  }, [collection]);
  return all;
}

function watchNetwork(changed) {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
}

const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const start = (text) => text.slice(0, 60);
const describe = (error) => (error instanceof TypeError ? "The server cannot be reached." : error.message);

function waitingFor(todo) {
  if (todo.removed) return "Deletion waits to be sent";
  return todo.base.title === undefined ? "New, waits to be sent" : "Change waits to be sent";
}

if (import.meta.env.PROD) navigator.serviceWorker.register("/sw.js");
createRoot(document.getElementById("root")).render(<App />);
