// What Passport's users know, and that it means the same here: strategies, callbacks, options, `req.login`.

import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { inspect } from 'node:util';

import express from 'express';
import { Passport } from 'passport';

import * as exports from '../src/index.js';
import {
  ask,
  isKept,
  isOver,
  listen,
  member,
  PASSWORD,
  promise,
  stage,
  startApp,
  startGate,
  startServer,
  uniqueName,
  Visitor,
} from './stage.mjs';

const set = stage();
const { Exeunt, ExeuntStrategy } = exports;

const signOut = (app) => {
  app.get('/logout', async (req, res) => {
    await req.logout();
    res.redirect('/');
  });
};

/** A name that is registered, and a token of a session of its own. */
async function somebody(server = set.server) {
  const name = uniqueName();
  await server.register(name);
  return { name, form: { username: name, password: PASSWORD }, other: await server.signIn(name) };
}

promise('to sign in over a live session gets a new token and ends the old one', async (t) => {
  const app = await startApp(t, set.server);
  const [visitor, other] = [await member(app, set.server), await somebody()];
  const { cookie } = visitor;
  const bystander = await set.server.signIn(visitor.name);
  await visitor.post('/login', other.form);
  assert.notEqual(visitor.cookie, cookie);
  assert.equal(await visitor.whoami(), other.name);
  await isOver(app, set.server, cookie);
  assert.equal(await set.server.replay(bystander), 200, 'no other session of theirs has ended');
});

promise('if the old session cannot be ended nobody is signed in over it, and nothing new stays open', async (t) => {
  const gate = await startGate(t, set.server);
  const app = await startApp(t, gate);
  const [visitor, other] = [await member(app, set.server), await somebody()];
  const { cookie } = visitor;
  gate.shutFor('/api/logout', ({ headers }) => headers.authorization === `Bearer ${visitor.token}`).cut();
  const answer = await visitor.post('/login', other.form);
  assert.equal(answer.status, 503);
  await isKept(set.server, visitor, cookie);
  assert.equal(await visitor.whoami(), visitor.name);
  await until(async () => (await set.server.countSessions(other.other)) === 1);
});

promise('a wrong password over a live session changes nothing', async (t) => {
  const app = await startApp(t, set.server);
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  assert.equal((await visitor.post('/login', { username: visitor.name, password: 'wrong curtain' })).status, 401);
  await isKept(set.server, visitor, cookie);
});

promise('a strategy under the name and the fields that an app has already', async (t) => {
  const app = await startApp(t, set.server, (app, { exeunt }) => {
    const passport = new Passport();
    passport.use(new ExeuntStrategy(exeunt, { name: 'local', usernameField: 'email', passwordField: 'key' }));
    const options = { successRedirect: '/profile', failureRedirect: '/sorry' };
    app.post('/enter', passport.authenticate('local', options));
    signOut(app);
  });
  const { name } = await somebody();
  const visitor = app.visitor();
  const enter = (form) => visitor.post('/enter', form).then(({ status, headers }) => [status, headers.location]);
  assert.deepEqual(await enter({ email: name, key: 'wrong curtain' }), [302, '/sorry']);
  assert.deepEqual(await enter({ email: name }), [302, '/sorry']);
  assert.deepEqual(await enter({ email: [name], key: { $ne: '' } }), [302, '/sorry']);
  assert.equal(visitor.cookie, null);
  assert.deepEqual(await enter({ email: name, key: PASSWORD }), [302, '/profile']);
  assert.equal(await visitor.whoami(), name);
  const { cookie } = visitor;
  await visitor.get('/logout');
  await isOver(app, set.server, cookie);
});

promise('a callback of the app decides, and what it does not take is not left open', async (t) => {
  const errors = [];
  const app = await startApp(t, set.server, (app, { passport }) => {
    app.post('/enter', (req, res, next) => {
      const decide = (error, user) => {
        if (error || !user) return next(error ?? Object.assign(new Error('no'), { status: 401 }));
        if (req.query.take !== 'yes') return res.status(403).send('not today');
        return req.login(user, (failure) => (failure ? next(failure) : res.send('welcome')));
      };
      passport.authenticate('exeunt', decide)(req, res, next);
    });
    app.post('/other', passport.authenticate('exeunt', { session: false }), (req, res) => res.json(req.user));
    const twice = [passport.authorize('exeunt'), passport.authorize('exeunt')];
    app.post('/account', twice, (req, res) => res.json(req.account));
    app.use((error, req, res, next) => {
      errors.push(error);
      next(error);
    });
    signOut(app);
  });
  const { form, other, name } = await somebody();
  const visitor = app.visitor();
  assert.equal((await visitor.post('/enter?take=no', form)).status, 403);
  const { id, ...rest } = JSON.parse((await visitor.post('/other', form)).text);
  assert.deepEqual([Number.isInteger(id), rest], [true, { username: name }]);
  assert.deepEqual(JSON.parse((await visitor.post('/account', form)).text), { id, username: name });
  assert.equal(visitor.cookie, null);
  assert.equal((await visitor.post('/enter?take=yes', form)).text, 'welcome');
  // What was not taken ends when its answer has gone; the list is asked until it has.
  await until(async () => (await set.server.countSessions(other)) === 2);
  assert.equal((await visitor.post('/enter', { ...form, password: 'wrong curtain' })).status, 401);
  const { cookie } = visitor;
  await visitor.get('/logout');
  await isOver(app, set.server, cookie);
  assert.deepEqual(
    errors.map(({ status }) => status),
    [401],
  );
});

promise('whoever goes away while they sign in leaves nothing open', async (t) => {
  const gate = await startGate(t, set.server);
  const arrivals = [];
  const app = await startApp(t, gate, (app, { passport }) => {
    const note = (req, res, next) => {
      arrivals.push(req.socket);
      next();
    };
    app.post('/enter', note, passport.authenticate('exeunt'), (req, res) => res.send('in'));
  });
  const { form, other } = await somebody();
  const shut = gate.shutFor('/api/login');
  const gone = app
    .visitor()
    .post('/enter', form)
    .catch((error) => error.code);
  await shut.arrived;
  arrivals[0].destroy();
  assert.equal(await gone, 'ECONNRESET');
  shut.pass();
  // Once it was opened, and then it was not: each is asked until it is so.
  const { trail } = await until(async () => {
    const answer = await ask(`${set.server.url}/api/audit`, { headers: { authorization: `Bearer ${other}` } });
    const trail = JSON.parse(answer.text).entries.map(({ deed }) => deed);
    return trail.filter((deed) => deed === 'session-opened').length === 3 && { trail };
  });
  assert(trail.length > 0);
  await until(async () => (await set.server.countSessions(other)) === 1);
});

/** Asks until it is so. The test's own patience ends it. */
async function until(condition) {
  for (;;) {
    const found = await condition();
    if (found) return found;
  }
}

promise('req.login without waiting does not answer before the cookie is there to be set', async (t) => {
  const app = await startApp(t, set.server, (app, { passport }) => {
    app.post('/enter', (req, res, next) => {
      const enter = (error, user) => {
        req.login(user);
        res.redirect('/me');
      };
      passport.authenticate('exeunt', enter)(req, res, next);
    });
    app.post('/forged', async (req, res) => {
      await req.login({ username: 'ana' });
      res.redirect('/me');
    });
    app.post('/forged-not-waited', (req, res) => {
      req.login({ username: 'ana' });
      res.redirect('/me');
    });
  });
  const { form, name } = await somebody();
  const visitor = app.visitor();
  assert.equal((await visitor.post('/enter', form)).status, 302);
  assert.equal(await visitor.whoami(), name);
  const { cookie } = visitor;
  await visitor.post('/enter', form);
  await isOver(app, set.server, cookie);
  for (const path of ['/forged', '/forged-not-waited']) {
    const answer = await app.visitor().post(path);
    assert.deepEqual([answer.status, answer.setCookies], [500, []], 'nobody is signed in without a session');
  }
});

promise("the app's own user stands in req.user, and where it knows none nobody is signed in", async (t) => {
  const shelf = new Map();
  const user = async ({ username, sid }) => shelf.get(username) && { ...shelf.get(username), sid };
  const build = (app, { passport }) => {
    signOut(app);
    app.post('/enter', passport.authenticate('exeunt', { failureRedirect: '/sorry' }), (req, res) => res.send('in'));
    app.post('/why', (req, res, next) => {
      passport.authenticate('exeunt', (error, user, info) => res.json([user, info?.message]))(req, res, next);
    });
  };
  const warnings = [];
  const warned = ({ code }) => warnings.push(code);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const app = await startApp(t, set.server, build, { user });
  const { name, form, other } = await somebody();
  assert.equal((await app.visitor().post('/login', form)).status, 401, 'the app does not know this user');
  assert.equal((await app.visitor().post('/enter', form)).headers.location, '/sorry');
  const why = async (form) => JSON.parse((await app.visitor().post('/why', form)).text);
  assert.deepEqual(await why(form), [false, 'signed in at the session server, but not a user of this app']);
  assert.deepEqual(await why({ ...form, password: 'wrong curtain' }), [false, 'wrong name or password']);
  assert.deepEqual(warnings, ['EXEUNT_NO_USER'], 'whoever runs the app is told once');
  await until(async () => (await set.server.countSessions(other)) === 1);
  shelf.set(name, { username: name, likes: 'tea' });
  const visitor = await app.visitor().signIn(name);
  const { user: seen, sid } = JSON.parse((await visitor.get('/me')).text);
  assert.deepEqual(seen, { username: name, likes: 'tea', sid });
  shelf.clear();
  assert.equal(await visitor.whoami(), null);
  const { cookie } = visitor;
  await visitor.get('/logout');
  await isOver(app, set.server, cookie);
});

promise('an app whose own users cannot be read signs nobody out', async (t) => {
  let broken = false;
  const user = (session) => {
    if (broken) throw new Error('the database of the app');
    return { username: session.username };
  };
  const app = await startApp(t, set.server, () => {}, { user });
  const visitor = await member(app, set.server);
  broken = true;
  const answer = await visitor.get('/me');
  assert.deepEqual([answer.status, answer.setCookies], [500, []]);
  await isKept(set.server, visitor, visitor.cookie);
});

promise('passport.initialize() and passport.session() may stay', async (t) => {
  const app = await startApp(t, set.server, (app, { passport }) => {
    app.use(passport.initialize(), passport.session(), passport.authenticate('session'));
    app.get('/still', (req, res) => res.json(req.user ?? null));
    signOut(app);
  });
  const visitor = await member(app, set.server);
  assert.equal(JSON.parse((await visitor.get('/still')).text).username, visitor.name);
  const { cookie } = visitor;
  await visitor.get('/logout');
  await isOver(app, set.server, cookie);
});

promise('an app that forgot the middleware is told so, at the first request', async (t) => {
  const exeunt = new Exeunt({ server: set.server.url });
  const passport = exeunt.plugInto(new Passport());
  const app = express().use(passport.session());
  app.use((error, req, res, next) => res.status(error.status).send(error.message));
  const answer = await ask(await listen(t, http.createServer(app)));
  assert.equal(answer.status, 500);
  assert.match(answer.text, /app\.use\(exeunt\.session\(\)\)/);
});

promise(
  'a misuse of Passport, such as messages in a session that is not there, is an error and no crash',
  async (t) => {
    const app = await startApp(t, set.server, (app, { passport }) => {
      app.post('/enter', passport.authenticate('exeunt', { failureMessage: true }), (req, res) => res.send('in'));
    });
    const { form } = await somebody();
    assert.equal((await app.visitor().post('/enter', { ...form, password: 'wrong curtain' })).status, 500);
    assert.equal((await app.visitor().post('/enter', form)).text, 'in');
  },
);

promise('people register through the app, and nothing is open by it', async (t) => {
  const app = await startApp(t, set.server, (app, { exeunt, passport }) => {
    const register = async (req, res, next) => {
      await exeunt.register(req.body.username, req.body.password, { from: req });
      next();
    };
    app.post('/register', register, passport.authenticate('exeunt'), (req, res) => res.redirect('/me'));
  });
  const visitor = app.visitor();
  const form = { username: uniqueName(), password: PASSWORD };
  assert.equal((await visitor.post('/register', form)).status, 302);
  assert.equal(await visitor.whoami(), form.username);
  assert.equal(await set.server.countSessions(visitor.token), 1);
  const codeOf = async (form, headers) => {
    const { status, text } = await app.visitor().post('/register', form, headers);
    return [status, JSON.parse(text).code];
  };
  assert.deepEqual(await codeOf(form), [409, 'taken']);
  assert.deepEqual(await codeOf({ username: uniqueName(), password: 'short' }), [422, 'password-too-short'], 'in the words of the server');
  assert.deepEqual(await codeOf({ username: 'a:b', password: form.password }), [422, 'name-colon']);
  const another = { username: uniqueName(), password: PASSWORD };
  assert.deepEqual(await codeOf(another, { 'sec-fetch-site': 'cross-site' }), [403, 'cross-origin']);
  assert.equal((await app.visitor().post('/register', another)).status, 302, 'the name was still free');
});

promise('too many wrong passwords are 429 with the time to wait, and not "wrong"', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const app = await startApp(t, server);
  const { form } = await somebody(server);
  const wrong = { ...form, password: 'wrong curtain' };
  let answer;
  do answer = await app.visitor().post('/login', wrong);
  while (answer.status === 401);
  assert.equal(answer.status, 429);
  assert(Number(answer.headers['retry-after']) > 0);
  assert.match(JSON.parse(answer.text).detail, /too many attempts; wait \d+ s/);
});

promise('the token is nowhere where a log, an inspector or JSON would find it', async (t) => {
  let shown;
  const app = await startApp(t, set.server, (app, { exeunt }) => {
    app.get('/show', async (req, res) => {
      await req.untilRevoked(res);
      const { headers, rawHeaders, ...rest } = {
        user: req.user,
        exeunt: req.exeunt,
        own: exeunt,
        headers: 0,
        rawHeaders: 0,
      };
      shown = inspect(rest, { depth: 12, showHidden: true, getters: true }) + JSON.stringify(rest) + String(req.user);
      res.end();
    });
    signOut(app);
  });
  const visitor = await member(app, set.server);
  const { cookie, token } = visitor;
  await visitor.get('/show');
  assert(shown.includes(visitor.name));
  assert(!shown.includes(token) && !shown.includes('exn_'));
  await visitor.get('/logout');
  await isOver(app, set.server, cookie);
});

promise('the list of sessions shows the browser and not the app', async (t) => {
  const app = await startApp(t, set.server);
  const { name, form } = await somebody();
  const visitor = app.visitor();
  await visitor.post('/login', form, { 'user-agent': 'Kinetoscope/1.0' });
  assert.equal(await visitor.whoami(), name);
  const answer = await ask(`${set.server.url}/api/sessions`, { headers: { authorization: `Bearer ${visitor.token}` } });
  const current = JSON.parse(answer.text).sessions.find((session) => session.current);
  assert.equal(current.agent, 'Kinetoscope/1.0');
});

promise('the ten lines of the README are a whole app', async (t) => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, lines] = readme.match(/```js\n(import express.*?)```/s);
  // Beside the package, so that it finds the package by its name.
  const file = new URL(`../.readme-${process.pid}.mjs`, import.meta.url);
  t.after(() => rm(file, { force: true }));
  await writeFile(file, `${lines.replace('http://localhost:3000', set.server.url)}\nexport { app };\n`);
  const { app: built } = await import(file);
  const visitor = new Visitor(await listen(t, http.createServer(built)));
  const { form } = await somebody();
  assert.equal((await visitor.post('/login', form)).headers.location, '/');
  const { token } = visitor;
  assert.equal((await visitor.get('/logout')).headers.location, '/');
  assert.deepEqual([visitor.cookie, await set.server.replay(token)], [null, 401]);
});

promise('it can be required as well as imported, and its types name what it has', async () => {
  const require = createRequire(import.meta.url);
  assert.equal(require('../src/index.js').Exeunt, Exeunt);
  const types = await readFile(new URL('../index.d.ts', import.meta.url), 'utf8');
  for (const name of Object.keys(exports)) assert.match(types, new RegExp(`export (declare )?class ${name}\\b`));
  const verbs = Object.getOwnPropertyNames(Exeunt.prototype).filter((name) => name !== 'constructor');
  for (const verb of verbs) assert.match(types, new RegExp(`^ {2}${verb}[(<]`, 'm'), verb);
});
