// Start the issuer, the API and this page, and stop all on Ctrl-C:
//
//     node start.mjs [python]
//
// Variable     Default   Meaning
// PAGE_PORT    5173      port of the page, which is the address to open
// API_PORT     8000      port of the API
// ISSUER_PORT  3000      port of Better Auth, which the page has under /api/auth
//
// Everything listens on 127.0.0.1. Users and todos are gone afterwards: the issuer has them in
// memory, and the API in a temporary folder. Other variables reach the issuer and the API.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const [python = "python3"] = process.argv.slice(2);
const { PAGE_PORT = "5173", API_PORT = "8000", ISSUER_PORT = "3000" } = process.env;
const page = `http://127.0.0.1:${PAGE_PORT}`;
const issuer = `http://127.0.0.1:${ISSUER_PORT}`;
const api = `http://127.0.0.1:${API_PORT}`;
const here = import.meta.dirname;
const project = join(here, "../..");
const vite = join(here, "node_modules/vite/bin/vite.js");
const scratch = mkdtempSync(join(tmpdir(), "todos-"));
const settings = {
  ENV_FILE: "",
  PORT: API_PORT,
  BETTER_AUTH_URL: page,
  CORS_ALLOWED_ORIGINS: page,
  DATABASE_URL: `sqlite:///${join(scratch, "todos.sqlite3")}`,
  DJANGO_ALLOWED_HOSTS: "127.0.0.1",
  DJANGO_SECRET_KEY: randomBytes(40).toString("base64url"),
};
const running = new Set();

/** Start a program, and return the promise of its status. */
function start(cwd, command, args, variables = {}) {
  const env = { ...process.env, HOST: "127.0.0.1", ...variables };
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
  running.add(child);
  child.on("close", () => running.delete(child));
  return once(child, "close").then(([status]) => status);
}

async function answers(url) {
  while (!(await fetch(url).catch(() => null))?.ok) await setTimeout(100);
}

async function end(status) {
  for (const child of running) child.kill();
  while (running.size) await setTimeout(50);
  rmSync(scratch, { recursive: true, force: true });
  process.exit(status);
}

let ending;
const stop = (status) => (ending ??= end(status));

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop(0));

const prepared = await Promise.all([
  start(project, python, ["manage.py", "migrate", "--verbosity", "0"], settings),
  start(here, process.execPath, [vite, "build"], { VITE_API_URL: api }),
]);
if (prepared.some((status) => status !== 0)) await stop(1);
const servers = [
  start(join(here, "../better-auth"), process.execPath, ["server.mjs"], { PORT: ISSUER_PORT, BETTER_AUTH_URL: page }),
  start(here, process.execPath, [vite, "preview"]),
  start(project, python, ["-m", "server"], settings),
];
Promise.race(servers).then(() => stop(1));
await Promise.all([issuer + "/api/auth/ok", page, api + "/healthz"].map(answers));
console.log(`\nOpen ${page}`);
