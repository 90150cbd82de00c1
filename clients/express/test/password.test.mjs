// A change of password through an app: everything else ends, the browser goes on with a new token, and whoever signs out
// meanwhile is signed out. The gate decides when the server hears of it and when its answer comes, so every race here is a
// forced schedule.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';

import {
  ask,
  isKept,
  isOver,
  listen,
  member,
  open,
  PASSWORD,
  promise,
  resolvers,
  stage,
  startApp,
  startDeaf,
  startGate,
} from './stage.mjs';

const set = stage();

const NEXT = 'small boats row home';
const PATH = '/api/password';
const change = { current: PASSWORD, next: NEXT };

/** The routes of most tests. */
function routes(app) {
  app.post('/password', async (req, res) => {
    const { ended, token } = await req.exeunt.changePassword(req.body.current, req.body.next);
    res.json({ ended, token: token ?? null, user: req.user, sid: req.exeunt.session.sid });
  });
  app.post('/password/not-waited', (req, res) => {
    req.exeunt.changePassword(req.body.current, req.body.next);
    res.redirect('/changed');
  });
  app.post('/password/caught', async (req, res) => {
    const error = await req.exeunt.changePassword(req.body.current, req.body.next).catch((error) => error);
    res.redirect(`/account?${error.code}`);
  });
  app.all('/logout', async (req, res) => {
    await req.logout();
    res.redirect('/');
  });
  app.post('/everywhere', async (req, res) => {
    await req.exeunt.logoutEverywhere();
    res.redirect('/');
  });
  app.get('/events', async (req, res) => {
    await req.untilRevoked(res);
    res.type('text/event-stream').write('data: opened\n\n');
  });
}

/** The same, and a route that waits between its check and `act`, until it is told. */
function withSlow(slow, act) {
  return (app) => {
    routes(app);
    app.post('/slow', async (req, res) => {
      slow.arrived.resolve();
      await slow.go.promise;
      await act(req, res);
      res.redirect('/');
    });
  };
}

const newSlow = () => ({ arrived: resolvers(), go: resolvers() });

/** Another browser with the cookie that this one has now, and its own jar. */
const twin = (app, { cookie }) => Object.assign(app.visitor(), { cookie });

const tokenSetBy = (answer) => answer.setCookies[0]?.match(/^exeunt=(exn_[\w-]{43});/)?.[1];

/** Asks until it is so. The test's own patience ends it. */
async function until(condition) {
  while (!(await condition()));
}

promise('whoever changes the password goes on with a new cookie, and everything else of theirs is over', async (t) => {
  const app = await startApp(t, set.server, routes);
  const [visitor, bystander] = [await member(app, set.server), await member(app, set.server)];
  const there = await app.visitor().signIn(visitor.name);
  const far = await set.server.signIn(visitor.name);
  const { cookie } = visitor;
  const answer = await visitor.post('/password', change);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.setCookies.length, 1);
  assert.match(answer.setCookies[0], /^exeunt=exn_[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/; Max-Age=25919\d\d$/);
  assert.equal(answer.headers['cache-control'], 'no-store');
  const { ended, token, user, sid } = JSON.parse(answer.text);
  assert.deepEqual([ended.length, token, user.username], [3, null, visitor.name]);
  assert(!ended.includes(sid), 'the session is a new one');
  assert.equal(await visitor.whoami(), visitor.name);
  await isOver(app, set.server, cookie);
  await isOver(app, set.server, there.cookie);
  assert.equal(await set.server.replay(far), 401);
  await isKept(set.server, bystander, bystander.cookie);
  assert.equal(await set.server.statusOfSignIn(visitor.name, PASSWORD), 401);
  assert.equal(await set.server.statusOfSignIn(visitor.name, NEXT), 201);
  const { cookie: next } = visitor;
  await visitor.get('/logout');
  await isOver(app, set.server, next);
});

promise('whoever does not wait for it is answered when it is done, with the cookie', async (t) => {
  const gate = await startGate(t, set.server);
  const app = await startApp(t, gate, routes);
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const shut = gate.shutFor(PATH);
  let left = false;
  const answering = visitor.post('/password/not-waited', change).finally(() => (left = true));
  await shut.arrived;
  assert.equal((await app.visitor().get('/me')).status, 200);
  assert.equal(left, false);
  shut.pass();
  const answer = await answering;
  assert.deepEqual([answer.status, answer.headers.location], [302, '/changed']);
  assert.equal(await visitor.whoami(), visitor.name);
  await isOver(app, set.server, cookie);
});

promise('a program gets its new token from the verb, and no cookie is touched', async (t) => {
  const app = await startApp(t, set.server, routes);
  const visitor = await member(app, set.server);
  const headers = { authorization: `Bearer ${visitor.token}`, 'sec-fetch-site': 'cross-site' };
  const answer = await app.visitor().post('/password', change, headers);
  assert.deepEqual([answer.status, answer.setCookies], [200, []]);
  const { token } = JSON.parse(answer.text);
  assert.equal(await set.server.replay(token), 200);
  await isOver(app, set.server, visitor.cookie);
});

promise('a wrong current password is one refusal, and one that cannot be another; nothing is changed', async (t) => {
  const app = await startApp(t, set.server, routes);
  const visitor = await member(app, set.server);
  const there = await app.visitor().signIn(visitor.name);
  const { cookie } = visitor;
  const tries = [
    [{ ...change, current: 'wrong curtain' }, 403, /^wrong-current-password$/],
    [{ next: NEXT }, 403, /^wrong-current-password$/],
    [{ ...change, next: 'short' }, 422, /^password-too-short$/],
    [{ ...change, next: PASSWORD }, 422, /^password-same$/],
    [{ current: PASSWORD }, 422, /^password-too-short$/],
  ];
  for (const [form, status, code] of tries) {
    const answer = await visitor.post('/password', form);
    assert.deepEqual([answer.status, answer.setCookies], [status, []], answer.text);
    assert.match(JSON.parse(answer.text).code, code);
    const caught = await visitor.post('/password/caught', form);
    assert.equal(caught.status, 302, 'whoever has waited says it in words of their own');
    assert.match(caught.headers.location.split('?')[1], code);
    const notWaited = await visitor.post('/password/not-waited', form);
    assert.equal(notWaited.status, status, 'whoever has not waited does not say that it is changed');
    await isKept(set.server, visitor, cookie);
  }
  await isKept(set.server, there, there.cookie);
  assert.equal(await set.server.statusOfSignIn(visitor.name, PASSWORD), 201);
  await visitor.get('/logout');
  await isOver(app, set.server, cookie);
});

/** What a server says, and what an app is told. */
const SAID = [
  [403, 'wrong-current-password', 403, 'wrong-current-password'],
  [401, 'wrong-current-password', 403, 'wrong-current-password'],
  [401, 'not-signed-in', 401, 'not-signed-in'],
  [422, 'another', 422, 'choice'],
  [413, 'body-too-large', 422, 'choice'],
  [429, 'too-many-attempts', 429, 'too-many-attempts'],
  [400, 'malformed', 400, 'malformed'],
  [403, 'another', 503, 'unreachable'],
  [404, 'no-such-address', 503, 'unreachable'],
  [503, 'crowded', 503, 'unreachable'],
];

promise('what the server says is told by its word and not by its status alone', async (t) => {
  let said;
  const server = http.createServer(async (req, res) => {
    if (req.url === PATH) {
      const fields = { 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer realm="exeunt"' };
      return res.writeHead(said[0], fields).end(JSON.stringify({ code: said[1], detail: 'in words' }));
    }
    const answer = await ask(set.server.url + req.url, { method: req.method, headers: req.headers });
    return res.writeHead(answer.status, answer.headers).end(answer.text);
  });
  const [near, far] = [await startApp(t, set.server, routes), await startApp(t, { url: await listen(t, server) }, routes)];
  const visitor = await member(near, set.server);
  const { cookie } = visitor;
  for (said of SAID) {
    const answer = await Object.assign(far.visitor(), { cookie }).post('/password', change);
    assert.deepEqual([answer.status, JSON.parse(answer.text).code, answer.setCookies], [said[2], said[3], []], `${said}`);
  }
  await isKept(set.server, visitor, cookie);
  await visitor.get('/logout');
  await isOver(near, set.server, cookie);
});

promise('another site changes no password, and nobody who is not signed in does', async (t) => {
  const app = await startApp(t, set.server, (app) => {
    routes(app);
    app.get('/password', async (req, res) => res.json(await req.exeunt.changePassword(PASSWORD, NEXT)));
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  for (const [method, headers] of [
    ['POST', { 'sec-fetch-site': 'cross-site' }],
    ['POST', { origin: 'https://evil.example' }],
    ['GET', link],
  ]) {
    const answer = await visitor.send('/password', { method, headers, form: method === 'POST' ? change : undefined });
    assert.deepEqual([answer.status, JSON.parse(answer.text).code, answer.setCookies], [403, 'cross-origin', []]);
    await isKept(set.server, visitor, cookie);
  }
  const nobody = await app.visitor().post('/password', change);
  assert.deepEqual([nobody.status, JSON.parse(nobody.text).code], [401, 'not-signed-in']);
  await visitor.get('/logout');
  await isOver(app, set.server, cookie);
});

promise('an answer that has begun takes no cookie along, so nothing is changed', async (t) => {
  const told = [];
  const app = await startApp(t, set.server, (app) => {
    routes(app);
    app.post('/begun', async (req, res) => {
      res.write('changing it');
      await req.exeunt.changePassword(PASSWORD, NEXT).catch((error) => told.push(error.name));
      res.end();
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  await assert.rejects(visitor.post('/begun', {}), { code: 'ECONNRESET' });
  assert.deepEqual(told, ['ExeuntMisuse']);
  await isKept(set.server, visitor, cookie);
  assert.equal(await set.server.statusOfSignIn(visitor.name, PASSWORD), 201);
  await visitor.get('/logout');
  await isOver(app, set.server, cookie);
});

promise('what is open for the old session closes before it is answered, and the answer itself does not', async (t) => {
  const streams = [];
  const app = await startApp(t, await startDeaf(t, set.server), (app) => {
    app.use((req, res, next) => {
      if (req.path === '/events') streams.push(res);
      next();
    });
    routes(app);
    app.post('/stay', async (req, res) => {
      await req.untilRevoked();
      await req.exeunt.changePassword(PASSWORD, NEXT);
      await req.untilRevoked(res);
      res.type('text/event-stream').write('data: opened\n\n');
    });
  });
  const visitor = await member(app, set.server);
  const there = await app.visitor().signIn(visitor.name);
  const { cookie } = visitor;
  for (const who of [visitor, there]) {
    const response = await open(`${app.url}/events`, { headers: { cookie: who.cookie } });
    await once(response, 'data');
    response.resume();
  }
  const response = await open(`${app.url}/stay`, { method: 'POST', headers: { cookie } });
  assert.deepEqual(streams.map((res) => res.closed), [true, true]);
  const [first] = await once(response.setEncoding('utf8'), 'data');
  assert.equal(first, 'data: opened\n\n');
  await isOver(app, set.server, cookie);
  await isOver(app, set.server, there.cookie);
  // What it has open belongs to the session that goes on.
  const ended = once(response.resume(), 'end');
  const next = response.headers['set-cookie'][0].split(';')[0];
  assert.equal((await Object.assign(app.visitor(), { cookie: next }).get('/logout')).status, 302);
  await ended;
});

for (const isAfter of [false, true]) {
  const which = isAfter ? 'answer' : 'question';
  promise(`where the ${which} is lost nobody is told that it is changed, and no dead end is left`, async (t) => {
    const gate = await startGate(t, set.server);
    const app = await startApp(t, gate, routes);
    for (const path of ['/password', '/password/not-waited', '/password/caught']) {
      const visitor = await member(app, set.server);
      const { cookie } = visitor;
      gate.shutFor(PATH, undefined, isAfter).cut();
      const answer = await visitor.post(path, change, { accept: 'text/html' });
      assert.deepEqual([answer.status, answer.setCookies, answer.headers.location], [503, [], undefined], path);
      assert.match(answer.text, /cannot say whether the password is changed/);
      gate.open();
      if (!isAfter) await isKept(set.server, visitor, cookie);
      assert.equal(await visitor.whoami(), isAfter ? null : visitor.name, 'not signed in with what nobody could end');
      assert.equal(await set.server.statusOfSignIn(visitor.name, isAfter ? NEXT : PASSWORD), 201);
      assert.equal((await visitor.get('/logout')).status, 302);
      assert.equal(visitor.cookie, null);
      await isOver(app, set.server, cookie);
    }
  });
}

promise('whoever signs out before the server hears of the change is out, and the change comes to nothing', async (t) => {
  const gate = await startGate(t, set.server);
  const app = await startApp(t, gate, routes);
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const shut = gate.shutFor(PATH);
  const changing = twin(app, visitor).post('/password', change);
  await shut.arrived;
  assert.equal((await visitor.get('/logout')).status, 302, 'it is not kept waiting by the change');
  assert.equal(visitor.cookie, null);
  shut.pass();
  const answer = await changing;
  assert.deepEqual([answer.status, answer.setCookies, JSON.parse(answer.text).code], [401, [], 'not-signed-in']);
  await isOver(app, set.server, cookie);
  assert.equal(await set.server.statusOfSignIn(visitor.name, PASSWORD), 201);
});

promise('whoever signs out while the answer with the new token is on its way to the app is out of that, too', async (t) => {
  const gate = await startGate(t, set.server);
  const app = await startApp(t, gate, routes);
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const shut = gate.shutFor(PATH, undefined, true);
  const other = twin(app, visitor);
  const changing = other.post('/password', change);
  await shut.arrived;
  // The server has handed the token out, and knows no more that the old one could mean it.
  const asked = gate.answered('/api/logout');
  let isOut = false;
  const leaving = visitor.get('/logout').finally(() => (isOut = true));
  await asked;
  // Everything that was ready to leave would have left by the time another answer comes by the same way.
  assert.equal((await app.visitor().get('/me')).status, 200);
  assert.equal(isOut, false);
  shut.pass();
  const left = await leaving;
  assert.deepEqual([left.status, visitor.cookie], [302, null]);
  const answer = await changing;
  assert.equal(answer.status, 200, 'the password is changed');
  await isOver(app, set.server, cookie);
  await isOver(app, set.server, other.cookie);
});

promise('nor does a handler bring anybody back that goes on working after the change', async (t) => {
  const slow = newSlow();
  const seen = [];
  const app = await startApp(t, set.server, (app) => {
    routes(app);
    app.post('/slow', async (req, res) => {
      await req.exeunt.changePassword(PASSWORD, NEXT);
      slow.arrived.resolve();
      await slow.go.promise;
      seen.push(await req.exeunt.isStillLive());
      res.redirect('/');
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const other = twin(app, visitor);
  const changing = other.post('/slow');
  await slow.arrived.promise;
  assert.equal((await visitor.get('/logout')).status, 302);
  slow.go.resolve();
  await changing;
  assert.deepEqual(seen, [false]);
  await isOver(app, set.server, cookie);
  await isOver(app, set.server, other.cookie);
});

for (const verb of ['logout', 'logoutEverywhere']) {
  promise(`whoever was let in before the change and comes to ${verb} after it means what followed`, async (t) => {
    const slow = newSlow();
    const act = (req) => (verb === 'logout' ? req.logout() : req.exeunt.logoutEverywhere());
    const app = await startApp(t, set.server, withSlow(slow, act));
    const visitor = await member(app, set.server);
    const { cookie } = visitor;
    const other = twin(app, visitor);
    const leaving = visitor.post('/slow');
    await slow.arrived.promise;
    const changed = await other.post('/password', change);
    const next = tokenSetBy(changed);
    assert.equal(await set.server.replay(next), 200);
    slow.go.resolve();
    const left = await leaving;
    assert.deepEqual([left.status, visitor.cookie], [302, null]);
    await isOver(app, set.server, cookie);
    await isOver(app, set.server, other.cookie);
  });
}

promise('two changes one after another are followed to the last', async (t) => {
  const slow = newSlow();
  const app = await startApp(t, set.server, (app) => {
    withSlow(slow, (req) => req.logout())(app);
    app.post('/twice', async (req, res) => {
      req.exeunt.changePassword(PASSWORD, NEXT);
      await req.exeunt.changePassword(NEXT, `${NEXT} again`);
      res.redirect('/');
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const other = twin(app, visitor);
  const leaving = visitor.post('/slow');
  await slow.arrived.promise;
  assert.equal((await other.post('/twice')).status, 302);
  assert.equal(await other.whoami(), visitor.name);
  slow.go.resolve();
  assert.equal((await leaving).status, 302);
  await isOver(app, set.server, cookie);
  await isOver(app, set.server, other.cookie);
});

promise('whoever signs out and cannot be told that what followed is over is not told so, and can try again', async (t) => {
  const gate = await startGate(t, set.server);
  const slow = newSlow();
  const app = await startApp(
    t,
    gate,
    withSlow(slow, async (req) => {
      await req.logout().catch((error) => {
        assert.match(error.message, /NOT signed out/);
        gate.open();
      });
      await req.logout();
    }),
  );
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const other = twin(app, visitor);
  const leaving = visitor.post('/slow');
  await slow.arrived.promise;
  const next = tokenSetBy(await other.post('/password', change));
  gate.shutFor('/api/logout', ({ headers }) => headers.authorization === `Bearer ${next}`).cut();
  slow.go.resolve();
  assert.equal((await leaving).status, 302);
  await isOver(app, set.server, cookie);
  await isOver(app, set.server, other.cookie);
});

promise('whoever has only the old token has no power over what follows once that was handed out', async (t) => {
  const slow = newSlow();
  const app = await startApp(t, set.server, withSlow(slow, () => {}));
  const visitor = await member(app, set.server);
  const thief = twin(app, visitor);
  const stolen = thief.cookie;
  // Somebody who was let in with it before may be there still.
  const before = twin(app, visitor).post('/slow');
  await slow.arrived.promise;
  await visitor.post('/password', change);
  assert.equal((await thief.get('/logout')).status, 302);
  assert.equal((await Object.assign(thief, { cookie: stolen }).post('/everywhere')).status, 401);
  assert.equal(await visitor.whoami(), visitor.name);
  slow.go.resolve();
  await before;
  await isOver(app, set.server, stolen);
});

promise('whoever goes away while the password changes leaves nothing open', async (t) => {
  const gate = await startGate(t, set.server);
  const sockets = [];
  const app = await startApp(t, gate, (app) => {
    app.use((req, res, next) => {
      sockets.push(req.socket);
      next();
    });
    routes(app);
    app.post('/late', async (req, res) => {
      await req.exeunt.changePassword(PASSWORD, NEXT);
      const closed = once(res, 'close');
      req.socket.destroy();
      await closed;
      res.redirect('/');
    });
  });
  for (const path of ['/password', '/late']) {
    const visitor = await member(app, set.server);
    const { cookie } = visitor;
    const shut = gate.shutFor(PATH, undefined, true);
    const gone = visitor.post(path, change).catch((error) => error.code);
    await shut.arrived;
    if (path === '/password') sockets.at(-1).destroy();
    shut.pass();
    assert.equal(await gone, 'ECONNRESET');
    gate.open();
    const answer = await ask(`${set.server.url}/api/login`, {
      method: 'POST',
      json: { username: visitor.name, password: NEXT },
    });
    await until(async () => (await set.server.countSessions(JSON.parse(answer.text).token)) === 1);
    await isOver(app, set.server, cookie);
  }
});

promise('a handler that throws after the change does not lose the new cookie', async (t) => {
  const app = await startApp(t, set.server, (app) => {
    routes(app);
    app.post('/thrown', async (req) => {
      await req.exeunt.changePassword(PASSWORD, NEXT);
      throw new Error('stage fright');
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  assert.equal((await visitor.post('/thrown')).status, 500);
  assert.equal(await visitor.whoami(), visitor.name);
  await isOver(app, set.server, cookie);
});

promise('to sign out in the same request after the change ends what has just begun', async (t) => {
  const app = await startApp(t, set.server, (app) => {
    app.post('/both', async (req, res) => {
      await req.exeunt.changePassword(PASSWORD, NEXT);
      await req.logout();
      res.redirect('/');
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  assert.equal((await visitor.post('/both')).status, 302);
  assert.equal(visitor.cookie, null);
  const token = JSON.parse(
    (await ask(`${set.server.url}/api/login`, { method: 'POST', json: { username: visitor.name, password: NEXT } })).text,
  ).token;
  assert.equal(await set.server.countSessions(token), 1);
  await isOver(app, set.server, cookie);
});
