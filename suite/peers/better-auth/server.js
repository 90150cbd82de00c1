// A peer of the suite: Express 5 before better-auth, as its documentation teaches it.
//
// Owns the routes that the suite asks for. The port is the only word.
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node';
import express from 'express';
import { auth } from './auth.js';

const app = express();
app.all('/api/auth/*splat', toNodeHandler(auth));
app.use(express.json());

const session = (req) => auth.api.getSession({ headers: fromNodeHeaders(req.headers) });

app.get('/', (req, res) => res.type('text').send('Home page'));
app.get('/account', async (req, res) => {
  const found = await session(req);
  if (!found) return res.redirect('/');
  res.type('text').send(`Signed in as ${found.user.name}`);
});

// Reads the session, is held by the suite, then changes the user through the session, which is a write that better-auth offers.
app.get('/slow', async (req, res) => {
  const found = await session(req);
  if (!found) return res.redirect('/');
  const gate = `${process.env.SUITE_GATES}/${req.query.gate}`;
  writeFileSync(`${gate}.in`, '');
  while (!existsSync(`${gate}.go`)) await pause(2);
  const changed = await auth.api.updateUser({
    body: { name: found.user.name },
    headers: fromNodeHeaders(req.headers),
    asResponse: true,
  });
  for (const cookie of changed.headers.getSetCookie()) res.append('Set-Cookie', cookie);
  res.status(changed.status).type('text').send('changed');
});

app.listen(Number(process.argv[2]), '127.0.0.1');
