// A Better Auth server for development and tests: e-mail and password sign-up, `jwt()` and
// `bearer()` tokens, API keys, and on demand impersonation and OAuth 2.1. All data lives in memory.
//
// Variable              Default             Meaning
// HOST                  127.0.0.1           address to listen on
// PORT                  3000                0 takes any free port
// BETTER_AUTH_URL       http://HOST:PORT    public URL; issuer and audience default to its origin
// BETTER_AUTH_SECRET    random              signs cookies and mailed links, encrypts private keys
// BETTER_AUTH_SECRETS   unset               `2:new,1:old`: the first signs, all decrypt
// JWT_ALGORITHM         EdDSA               EdDSA, ES256, ES512, RS256 or PS256; HS256 signs with
//                                           the secret
// JWT_ROTATION_SECONDS  never               age at which the signing key is replaced
// JWT_GRACE_SECONDS     2592000 (30 days)   how long a replaced key stays in the key set
// JWT_EXPIRES           15m                 lifetime of a token: 2s, 15m, 1h, 7d; -1m has expired
// JWT_ISSUER            see above           overrides `iss`
// JWT_AUDIENCE          see above           overrides `aud`; a comma list makes it an array
// SESSION_COOKIE_CACHE  off                 `jwt`: session copy in a cookie, signed with the secret (HS256);
//                                           `jwks`: signed with the JWT keys
// ADMIN_EMAIL           unset               who signs up with this address may impersonate users
// IMPERSONATION_CLAIM   act                 `none`: tokens of impersonated sessions name no admin
// OAUTH_RESOURCE        unset               the API's resource identifier, or a comma list: turns on
//                                           OAuth 2.1 access tokens
// OAUTH_MACHINE_SECRET  unset               secret of the client `machine`, which acts for no user
//
// An empty variable counts as unset.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { apiKey } from "@better-auth/api-key";
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { signJWT } from "better-auth/crypto";
import { toNodeHandler } from "better-auth/node";
import { admin } from "better-auth/plugins/admin";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";

const ALGORITHMS = ["EdDSA", "ES256", "ES512", "RS256", "PS256", "HS256"];
const API_SCOPES = ["todos:read", "todos:write"];
// The adapter does not create tables, neither its own nor those of plugins.
const TABLES = [
  ...["user", "session", "account", "verification", "jwks", "apikey"],
  ...["oauthClient", "oauthResource", "oauthClientResource", "oauthClientAssertion"],
  ...["oauthConsent", "oauthAccessToken", "oauthRefreshToken"],
];

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
  return process.env[name]?.split(",").map((entry) => entry.trim()).filter(Boolean) ?? [];
}

const config = {
  host: read("HOST") ?? "127.0.0.1",
  port: readNumber("PORT", "a port number, 0 to 65535", 0, 65535) ?? 3000,
  baseURL: read("BETTER_AUTH_URL", "an http or https URL", (url) => /^https?:/.test(url) && URL.canParse(url)),
  secret: read("BETTER_AUTH_SECRET") ?? randomBytes(32).toString("base64url"),
  algorithm: read("JWT_ALGORITHM", `one of ${ALGORITHMS.join(", ")}`, (name) => ALGORITHMS.includes(name)) ?? "EdDSA",
  rotationSeconds: readNumber("JWT_ROTATION_SECONDS", "1 or more whole seconds", 1),
  graceSeconds: readNumber("JWT_GRACE_SECONDS", "0 or more whole seconds", 0),
  expires: read("JWT_EXPIRES", "a time span such as 2s, 15m, 1h or 7d", (span) => /^-?\d+[smhd]$/.test(span)) ?? "15m",
  issuer: read("JWT_ISSUER"),
  audiences: readList("JWT_AUDIENCE"),
  cookieCache: read("SESSION_COOKIE_CACHE", "jwt, jwks or unset", (kind) => ["jwt", "jwks"].includes(kind)),
  adminEmail: read("ADMIN_EMAIL")?.toLowerCase(),
  impersonationClaim: read("IMPERSONATION_CLAIM", "act or none", (name) => ["act", "none"].includes(name)) ?? "act",
  resources: readList("OAUTH_RESOURCE"),
  machineSecret: read("OAUTH_MACHINE_SECRET"),
};

/** Payload of `GET /api/auth/token`. Never copy all of `session`: its `token` is a login, or an API key. */
function definePayload({ user, session }) {
  const namesAdmin = session.impersonatedBy && config.impersonationClaim === "act";
  return namesAdmin ? { ...user, act: { sub: session.impersonatedBy } } : user; // RFC 8693 section 4.1
}

async function appointAdmin(user) {
  if (config.adminEmail) return { data: { ...user, role: user.email === config.adminEmail ? "admin" : "user" } };
}

const oauth = () =>
  oauthProvider({
    // Pages of a front end, which this server does not have: the README calls what is behind them.
    loginPage: "/sign-in",
    consentPage: "/consent",
    scopes: ["openid", "offline_access", ...API_SCOPES],
    resources: config.resources,
    clientRegistrationDefaultResources: config.resources,
    scopeExpirations: Object.fromEntries(API_SCOPES.map((scope) => [scope, config.expires])),
  });

function createAuth(baseURL) {
  const usesSecret = config.algorithm === "HS256";
  const auth = betterAuth({
    baseURL,
    secret: config.secret,
    database: memoryAdapter(Object.fromEntries(TABLES.map((table) => [table, []]))),
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
          remoteUrl: usesSecret ? "https://no-key-set.invalid" : undefined, // `sign` requires one
        },
        jwt: {
          expirationTime: config.expires,
          issuer: config.issuer,
          audience: config.audiences.length > 1 ? config.audiences : config.audiences[0],
          definePayload,
          sign: usesSecret
            ? async (payload) => signJWT(payload, (await auth.$context).secret, payload.exp - payload.iat)
            : undefined,
        },
        sessionCookieCache: config.cookieCache === "jwks",
      }),
      bearer(),
      // By default, a key may be used ten times a day.
      apiKey({ enableSessionForAPIKeys: true, rateLimit: { enabled: false } }),
      ...(config.adminEmail ? [admin()] : []),
      ...(config.resources.length ? [oauth()] : []),
    ],
    databaseHooks: { user: { create: { before: appointAdmin } } },
    // With NODE_ENV=production it is on by default, and a test suite would exceed it.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  });
  return auth;
}

/** Only an administrator's call can give a client scopes of its own, so the machine is written to the database. */
async function addMachine({ adapter }) {
  await adapter.create({
    model: "oauthClient",
    data: {
      clientId: "machine",
      clientSecret: createHash("sha256").update(config.machineSecret).digest("base64url"),
      grantTypes: ["client_credentials"],
      clientCredentialsScopes: API_SCOPES,
      redirectUris: [],
    },
  });
  for (const resourceId of config.resources) {
    await adapter.create({ model: "oauthClientResource", data: { clientId: "machine", resourceId } });
  }
}

if (config.resources.length && config.algorithm === "HS256") {
  fail("OAUTH_RESOURCE needs a key set: JWT_ALGORITHM must not be HS256.");
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
const context = await auth.$context;
if (config.resources.length && config.machineSecret) await addMachine(context);
console.log(`Better Auth is ready: ${baseURL}`);
