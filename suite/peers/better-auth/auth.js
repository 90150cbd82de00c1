// A peer of the suite: better-auth with SQLite, as its documentation teaches it.
//
// Owns the settings: e-mail and password, nothing else. PASSWORDS=plain leaves out the hash, for the benchmark alone.
import { timingSafeEqual } from 'node:crypto';
import { betterAuth } from 'better-auth';
import Database from 'better-sqlite3';

const { DATABASE = ':memory:', ORIGIN, IDLE_SECONDS, ABSOLUTE_SECONDS, PASSWORDS } = process.env;

const isSame = (one, other) => one.length === other.length && timingSafeEqual(one, other);
const plain = {
  hash: async (password) => password,
  verify: async ({ hash, password }) => isSame(Buffer.from(hash), Buffer.from(password)),
};

export const auth = betterAuth({
  database: new Database(DATABASE),
  secret: 'of a deployment it would be a secret of 32 characters',
  baseURL: ORIGIN,
  emailAndPassword: { enabled: true, ...(PASSWORDS === 'plain' && { password: plain }) },
  // The limit on attempts is for strangers; the suite signs in more often than a person.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  ...(IDLE_SECONDS && { session: { expiresIn: Number(IDLE_SECONDS), updateAge: 0 } }),
  ...(ABSOLUTE_SECONDS && { session: { expiresIn: Number(ABSOLUTE_SECONDS), disableSessionRefresh: true } }),
});
