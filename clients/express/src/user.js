// Owns what becomes of a request when the app's own table cannot say who somebody is: nobody is taken for a stranger
// because of it, and nobody is kept signed in. It asks nothing of the session server.

import { ExeuntUnreachable } from './errors.js';

/** Milliseconds for the app to say who a session's user is: far above a look at a table, and a sign-out waits for it. */
const USER_WAIT_MS = 5_000;

/**
 * Who `answer` says that it is becomes `req.user`. Where that fails, or takes too long, whoever asks for `req.user` gets
 * the error, until somebody sets it; and a handler that signs out does not ask.
 */
export async function giveUser(req, answer) {
  try {
    req.user = (await inTime(answer)) || null;
  } catch (error) {
    failWhenAsked(req, error);
  }
}

/** What stands there now, whatever it is; and a way to put it back. */
export function userOf(req) {
  const known = Object.getOwnPropertyDescriptor(req, 'user');
  return () => Object.defineProperty(req, 'user', known);
}

async function inTime(answer) {
  let timer;
  const late = new Promise((_, reject) => {
    const error = () => new ExeuntUnreachable(`the app's own \`user\` has not answered in ${USER_WAIT_MS} ms`);
    timer = setTimeout(() => reject(error()), USER_WAIT_MS);
  });
  try {
    return await Promise.race([answer(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function failWhenAsked(req, error) {
  Object.defineProperty(req, 'user', {
    configurable: true,
    get() {
      throw error;
    },
    set(value) {
      Object.defineProperty(req, 'user', { value, configurable: true, enumerable: true, writable: true });
    },
  });
}
