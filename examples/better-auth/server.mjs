// A Better Auth server for development and tests: e-mail and password sign-up,
// `jwt()` and `bearer()` tokens. Users, sessions and keys live in memory.
//
// Variable              Default             Meaning
// HOST                  127.0.0.1           address to listen on
// PORT                  3000                0 takes any free port
// BETTER_AUTH_URL       http://HOST:PORT    public URL; issuer and audience default to its origin
// BETTER_AUTH_SECRET    random              signs cookies and mailed links, encrypts private keys
// JWT_ALGORITHM         EdDSA               EdDSA, ES256, ES512, RS256 or PS256
// JWT_ROTATION_SECONDS  never               age at which the signing key is replaced
// JWT_GRACE_SECONDS     2592000 (30 days)   how long a replaced key stays in the key set
// JWT_EXPIRES           15m                 lifetime of a token: 2s, 15m, 1h, 7d; -1m has expired
// JWT_ISSUER            see above           overrides `iss`
// JWT_AUDIENCE          see above           overrides `aud`; a comma list makes it an array
// SESSION_COOKIE_CACHE  off                 `jwt`: session copy in a cookie, signed with the secret (HS256);
//                                           `jwks`: signed with the JWT keys
//
// An empty variable counts as unset.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";

const ALGORITHMS = ["EdDSA", "ES256", "ES512", "RS256", "PS256"];

function fail(message) {
  console.error(message);
  process.exit(1);
}

function read(name, expected, accepts = () => true) {
  const value = process.env[name] || undefined;
  if (value !== undefined && !accepts(value)) fail(`${name} must be ${expected}, not ${JSON.stringify(value)}.`);
  return value;
}

function readNumber(name, expected, min, max = Number.MAX_SAFE_INTEGER) {
  const inRange = (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max;
  const value = read(name, expected, inRange);
  return value === undefined ? undefined : Number(value);
}

function readList(name) {
  const entries = process.env[name]?.split(",").map((entry) => entry.trim()).filter(Boolean) ?? [];
  return entries.length > 1 ? entries : entries[0];
}

const config = {
  host: read("HOST") ?? "127.0.0.1",
  port: readNumber("PORT", "a port number, 0 to 65535", 0, 65535) ?? 3000,
  baseURL: read("BETTER_AUTH_URL", "an http or https URL", (url) => /^https?:/.test(url) && URL.canParse(url)),
  secret: read("BETTER_AUTH_SECRET") ?? randomBytes(32).toString("base64url"),
  algorithm: read("JWT_ALGORITHM", `one of ${ALGORITHMS.join(", ")}`, (name) => ALGORITHMS.includes(name)) ?? "EdDSA",
  rotationSeconds: readNumber("JWT_ROTATION_SECONDS", "1 or more whole seconds", 1),
  graceSeconds: readNumber("JWT_GRACE_SECONDS", "0 or more whole seconds", 0),
  expires: read("JWT_EXPIRES", "a time span such as 2s, 15m, 1h or 7d", (span) => /^-?\d+[smhd]$/.test(span)),
  issuer: read("JWT_ISSUER"),
  audience: readList("JWT_AUDIENCE"),
  cookieCache: read("SESSION_COOKIE_CACHE", "jwt, jwks or unset", (kind) => ["jwt", "jwks"].includes(kind)),
};

function createAuth(baseURL) {
  return betterAuth({
    baseURL,
    secret: config.secret,
    // The adapter does not create tables, neither its own nor those of plugins (`jwks`).
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
    emailAndPassword: { enabled: true },
    emailVerification: {
      sendOnSignUp: true,
      sendVerificationEmail: async ({ user, url }) => console.log(`mail to ${user.email}: ${url}`),
    },
    session: config.cookieCache && { cookieCache: { enabled: true, strategy: "jwt" } },
    plugins: [
      jwt({
        jwks: {
          keyPairConfig: { alg: config.algorithm },
          rotationInterval: config.rotationSeconds,
          gracePeriod: config.graceSeconds,
        },
        jwt: { expirationTime: config.expires, issuer: config.issuer, audience: config.audience },
        sessionCookieCache: config.cookieCache === "jwks",
      }),
      bearer(),
    ],
    // With NODE_ENV=production it is on by default, and a test suite would exceed it.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  });
}

const server = createServer();
server.listen(config.port, config.host);
try {
  await once(server, "listening");
} catch (error) {
  fail(
    error.code === "EADDRINUSE"
      ? `Port ${config.port} on ${config.host} is in use: stop what is using it, or set PORT.`
      : `Cannot listen on ${config.host} port ${config.port}: ${error.message}`,
  );
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}

// With PORT=0, the URL and so the issuer are known only once the server listens.
const host = config.host.includes(":") ? `[${config.host}]` : config.host;
const baseURL = config.baseURL ?? `http://${host}:${server.address().port}`;
const auth = createAuth(baseURL);
const handle = toNodeHandler(auth);
server.on("request", (request, response) => {
  // The adapter throws on a malformed Host header. Uncaught, that would end the process.
  handle(request, response).catch((error) => {
    console.error(`${request.method} ${request.url}: ${error.message}`);
    if (response.headersSent) response.destroy();
    else response.writeHead(400).end();
  });
});
await auth.$context;
console.log(`Better Auth is ready: ${baseURL}`);
