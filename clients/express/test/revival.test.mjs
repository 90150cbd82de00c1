// The race for which this package exists: a request in flight meets a logout. The same app and the same schedule, once
// with express-session and its own store, once with ours. Nothing here waits for a clock: the slow route goes on when
// it is told.

import assert from 'node:assert/strict';
import http from 'node:http';

import express from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';

import { isOver, listen, member, promise, resolvers, stage, startApp, uniqueName, Visitor } from './stage.mjs';

const set = stage();

/**
 * The routes of both apps. The slow one works with what is its user's, as a page with a counter does, until `act.go`.
 */
function routes(app, act) {
  app.get('/slow', async (req, res) => {
    const user = req.user.username;
    act.arrived.resolve();
    await act.go.promise;
    if (req.session) req.session.pages = (req.session.pages ?? 0) + 1;
    res.json({ user });
  });
  app.get('/logout', (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.redirect('/')));
  });
}

const newAct = () => ({ arrived: resolvers(), go: resolvers() });

/** A slow request begins; the person signs out, and is told that it is done; the slow request ends. */
async function play(act, visitor) {
  const { cookie } = visitor;
  const slow = visitor.get('/slow');
  await act.arrived.promise;
  const left = await visitor.get('/logout');
  assert.equal(left.status, 302);
  act.go.resolve();
  assert.equal((await slow).status, 200, 'what had begun may finish');
  return cookie;
}

promise('with express-session the request in flight brings the session back that logout had ended', async (t) => {
  const act = newAct();
  const name = uniqueName();
  const passport = new Passport();
  passport.use(new LocalStrategy((username, password, done) => done(null, { username })));
  passport.serializeUser((user, done) => done(null, user.username));
  passport.deserializeUser((username, done) => done(null, { username }));
  const app = express();
  app.use(session({ secret: 'a secret of this test', resave: false, saveUninitialized: false, name: 'other' }));
  app.use(passport.session(), express.urlencoded({ extended: false }));
  app.post('/login', passport.authenticate('local'), (req, res) => res.redirect('/'));
  app.get('/me', (req, res) => res.json({ user: req.user ?? null }));
  routes(app, act);
  const url = await listen(t, http.createServer(app));

  const visitor = new Visitor(url);
  const entered = await visitor.post('/login', { username: name, password: 'any' });
  visitor.cookie = entered.setCookies[0].split(';')[0];
  const cookie = await play(act, visitor);
  const old = Object.assign(new Visitor(url), { cookie });
  assert.equal(await old.whoami(), name, 'the cookie from before the logout opens the session again');
});

promise('with exeunt the same request in flight finishes, and brings nothing back', async (t) => {
  const act = newAct();
  const app = await startApp(t, set.server, (app) => routes(app, act));
  const cookie = await play(act, await member(app, set.server));
  await isOver(app, set.server, cookie);
});

promise('a request in flight that signs out itself after the logout, or asks, finds that it is over', async (t) => {
  const act = newAct();
  const seen = [];
  const app = await startApp(t, set.server, (app) => {
    app.get('/slow', async (req, res) => {
      act.arrived.resolve();
      await act.go.promise;
      seen.push(await req.exeunt.isStillLive());
      await req.logout();
      res.json(null);
    });
    routes(app, act);
  });
  const cookie = await play(act, await member(app, set.server));
  assert.deepEqual(seen, [false]);
  await isOver(app, set.server, cookie);
});

promise('a check that is under way while its session ends may pass, and the next one does not', async (t) => {
  const app = await startApp(t, set.server, (app) => routes(app, newAct()));
  for (let round = 0; round < 5; round += 1) {
    const visitor = await member(app, set.server);
    const { cookie } = visitor;
    const others = Array.from({ length: 8 }, () => Object.assign(app.visitor(), { cookie }).get('/me'));
    const [left, ...answers] = await Promise.all([visitor.get('/logout'), ...others]);
    assert.equal(left.status, 302);
    for (const answer of answers) assert.deepEqual([answer.status, answer.setCookies], [200, []]);
    await isOver(app, set.server, cookie);
  }
});
