// A peer of the suite: better-auth with SQLite, as its documentation teaches it.
//
// Owns the settings: e-mail and password, nothing else.
import { betterAuth } from 'better-auth';
import Database from 'better-sqlite3';

const { DATABASE = ':memory:', ORIGIN, IDLE_SECONDS, ABSOLUTE_SECONDS } = process.env;

export const auth = betterAuth({
  database: new Database(DATABASE),
  secret: 'of a deployment it would be a secret of 32 characters',
  baseURL: ORIGIN,
  emailAndPassword: { enabled: true },
  // The limit on attempts is for strangers; the suite signs in more often than a person.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  ...(IDLE_SECONDS && { session: { expiresIn: Number(IDLE_SECONDS), updateAge: 0 } }),
  ...(ABSOLUTE_SECONDS && { session: { expiresIn: Number(ABSOLUTE_SECONDS), disableSessionRefresh: true } }),
});
