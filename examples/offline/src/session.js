// Better Auth keeps the session in a cookie. The token for the API stays in memory.

const API = import.meta.env.VITE_API_URL;
let token;

async function ask(path, body) {
  const response = await fetch(`/api/auth/${path}`, {
    method: body ? "POST" : "GET",
    headers: body && { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer?.message), { status: response.status });
  return answer;
}

export const rememberedUser = () => JSON.parse(localStorage.getItem("user"));

/** Sign in, or sign up. Without a network, the remembered user keeps working. */
export async function signIn(email, password, { isNew }) {
  const fields = isNew ? { name: email, email, password } : { email, password };
  const { user } = await ask(isNew ? "sign-up/email" : "sign-in/email", fields);
  token = undefined;
  localStorage.setItem("user", JSON.stringify({ id: user.id, email }));
  return rememberedUser();
}

export const endSession = () => ask("sign-out", {});

export function forgetUser() {
  token = undefined;
  localStorage.removeItem("user");
}

export class SessionOver extends Error {}

/** The claims of a token, which only the API verifies. */
const claims = (jwt) => JSON.parse(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));

async function tokenOf(user) {
  if (!token || claims(token).exp * 1000 <= Date.now()) {
    ({ token } = await ask("token").catch((error) => {
      throw error.status === 401 ? new SessionOver() : error;
    }));
  }
  // Another tab may have signed somebody else in.
  if (claims(token).sub !== user.id) throw new SessionOver();
  return token;
}

/** Call the API. Polls cost little: the browser's cache sends `If-None-Match` and handles the 304. */
export async function call(user, path, body) {
  const send = async () =>
    fetch(API + path, {
      method: body ? "POST" : "GET",
      headers: {
        Authorization: `Bearer ${await tokenOf(user)}`,
        ...(body && { "Content-Type": "application/json" }),
      },
      body: body && JSON.stringify(body),
    });
  let response = await send();
  if (response.status === 401) {
    token = undefined;
    response = await send();
  }
  if (response.ok) return response.json();
  const seconds = Number(response.headers.get("Retry-After"));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  throw Object.assign(new Error(`The server answered ${response.status}.`), { status: response.status });
}
