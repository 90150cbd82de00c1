// Makes the tables, as `npx @better-auth/cli migrate` does. Owns nothing else.
import { getMigrations } from 'better-auth/db/migration';
import { auth } from './auth.js';

const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
