// The verbs for one's own sessions: list them, end one, all others, or all. Whatever ends the session that asks is a
// sign-out in every respect. Every test ends by replaying what was ended.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';

import { Context } from '../src/context.js';
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
  startServer,
  uniqueName,
} from './stage.mjs';

const set = stage();

const LEFT = ['exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0'];

/** The routes that an account page has. `seen` is what the verbs resolved to. */
function account(seen = []) {
  return (app) => {
    app.get('/sessions', async (req, res) => res.json(await req.exeunt.sessions()));
    app.all('/others', async (req, res) => res.json(await req.exeunt.endOthers()));
    app.all('/end/:sid', async (req, res) => res.json(await req.exeunt.end(req.params.sid)));
    app.all('/everywhere', async (req, res) => {
      seen.push(await req.exeunt.logoutEverywhere());
      res.redirect('/');
    });
    app.all('/everywhere/not-waited', (req, res) => {
      req.exeunt.logoutEverywhere();
      res.redirect('/');
    });
    app.all('/this', async (req, res) => {
      if (req.exeunt.session === null) return res.sendStatus(401);
      seen.push(await req.exeunt.end(req.exeunt.session.sid));
      return res.redirect('/');
    });
    app.get('/events', async (req, res) => {
      await req.untilRevoked(res);
      seen.push(res);
      res.type('text/event-stream').write('data: opened\n\n');
    });
    app.get('/logout', async (req, res) => {
      await req.logout();
      res.redirect('/');
    });
  };
}

/** A visitor, and another browser of the same person at the app. */
async function twoBrowsers(app, server = set.server) {
  const here = await member(app, server);
  const there = await app.visitor().signIn(here.name);
  const sidOf = async (visitor) => JSON.parse((await visitor.get('/me')).text).sid;
  return { here, there, sids: [await sidOf(here), await sidOf(there)] };
}

/** A stream of this visitor, open. */
async function listenTo(app, { cookie }) {
  const response = await open(`${app.url}/events`, { headers: { cookie } });
  await once(response, 'data');
  response.resume();
}

promise('whoever is signed in is shown all of their sessions, this one marked, and no token', async (t) => {
  const app = await startApp(t, set.server, account());
  const { here, there, sids } = await twoBrowsers(app);
  const answer = await here.get('/sessions', { 'user-agent': 'Kinetoscope/1.0' });
  assert.equal(answer.headers['cache-control'], 'no-store');
  const list = JSON.parse(answer.text);
  assert.deepEqual(list.map(({ sid, current }) => [sid, current]).sort(), [[sids[0], true], [sids[1], false]].sort());
  const names = ['sid', 'current', 'agent', 'address', 'openedAt', 'seenAt', 'expiresAt', 'idleExpiresAt'];
  for (const session of list) {
    assert.deepEqual(Object.keys(session), names);
    assert.equal(session.address, '127.0.0.1');
    assert(new Date(session.openedAt) <= new Date(session.seenAt) && new Date(session.seenAt) < new Date(session.expiresAt));
  }
  assert(!answer.text.includes('exn_'));
  await set.server.signOut(there.token);
  assert.equal(JSON.parse((await here.get('/sessions')).text).length, 1);
  await isOver(app, set.server, there.cookie);
});

promise('a list of as many sessions as a server has at most is read whole', async (t) => {
  const one = { sid: '0'.repeat(32), current: false, agent: 'x'.repeat(256), address: '::1' };
  const time = '2027-01-15T08:00:00Z';
  const sessions = Array(5_000).fill({ ...one, opened_at: time, seen_at: time, expires_at: time });
  const server = http.createServer(async (req, res) => {
    if (req.url === '/api/sessions') return res.end(JSON.stringify({ sessions }));
    const answer = await ask(set.server.url + req.url, { headers: req.headers });
    return res.writeHead(answer.status, answer.headers).end(answer.text);
  });
  const far = await startApp(t, { url: await listen(t, server) }, account());
  const near = await startApp(t, set.server, account());
  const visitor = await member(near, set.server);
  const { text } = await ask(`${far.url}/sessions`, { headers: { cookie: visitor.cookie } });
  assert.equal(JSON.parse(text).length, 5_000);
  const { cookie } = visitor;
  await visitor.get('/logout');
  await isOver(near, set.server, cookie);
});

promise('one session is ended by its public name, and no other', async (t) => {
  const app = await startApp(t, set.server, account());
  const { here, there, sids } = await twoBrowsers(app);
  const answer = await here.post(`/end/${sids[1]}`);
  assert.deepEqual([answer.status, answer.text, answer.setCookies], [200, 'true', []]);
  await isOver(app, set.server, there.cookie);
  await isKept(set.server, here, here.cookie);
});

promise('to end what is not there, or is of somebody else, ends nothing and is no error', async (t) => {
  const app = await startApp(t, set.server, (app) => {
    account()(app);
    app.post('/strange', async (req, res) => {
      const names = ['', '.', '..', '../logout', 'x?keep=current', 'a/b', '0'.repeat(65), 7, null, undefined, {}, ['x']];
      res.json(await Promise.all(names.map((name) => req.exeunt.end(name))));
    });
  });
  const [ana, bea] = [await twoBrowsers(app), await twoBrowsers(app)];
  await set.server.signOut(ana.there.token);
  for (const sid of [bea.sids[0], ana.sids[1], '0'.repeat(32), 'nobody']) {
    const answer = await ana.here.post(`/end/${sid}`);
    assert.deepEqual([answer.status, answer.text], [200, 'false'], sid);
  }
  assert.deepEqual(new Set(JSON.parse((await ana.here.post('/strange')).text)), new Set([false]));
  await isKept(set.server, ana.here, ana.here.cookie);
  await isKept(set.server, bea.here, bea.here.cookie);
  await isOver(app, set.server, ana.there.cookie);
});

promise('all others are ended, and this one and those of somebody else go on', async (t) => {
  const app = await startApp(t, set.server, account());
  const [ana, bea] = [await twoBrowsers(app), await twoBrowsers(app)];
  const far = await set.server.signIn(ana.here.name);
  const answer = await ana.here.post('/others');
  assert.deepEqual([answer.status, answer.setCookies], [200, []]);
  const ended = JSON.parse(answer.text);
  assert(ended.length === 2 && ended.includes(ana.sids[1]), answer.text);
  assert.deepEqual(JSON.parse((await ana.here.post('/others')).text), []);
  assert.equal(await set.server.replay(far), 401);
  await isOver(app, set.server, ana.there.cookie);
  await isKept(set.server, ana.here, ana.here.cookie);
  await isKept(set.server, bea.here, bea.here.cookie);
});

for (const [path, method] of [
  ['/everywhere', 'GET'],
  ['/everywhere', 'POST'],
  ['/everywhere/not-waited', 'POST'],
]) {
  promise(`after ${method} ${path} no cookie of that person opens anything, here and at the server`, async (t) => {
    const seen = [];
    const app = await startApp(t, set.server, account(seen));
    const { here, there, sids } = await twoBrowsers(app);
    const bystander = await member(app, set.server);
    const { cookie } = here;
    const answer = await here.send(path, { method });
    assert.deepEqual([answer.status, answer.headers.location, answer.setCookies], [302, '/', LEFT]);
    assert.equal(answer.headers['cache-control'], 'no-store');
    if (seen.length > 0) assert.deepEqual([...seen[0]].sort(), [...sids].sort());
    await isOver(app, set.server, cookie);
    await isOver(app, set.server, there.cookie);
    await isKept(set.server, bystander, bystander.cookie);
  });
}

promise('to end this session by its name is to sign out: the cookie goes, and no other session does', async (t) => {
  const seen = [];
  const app = await startApp(t, set.server, account(seen));
  const { here, there } = await twoBrowsers(app);
  const { cookie } = here;
  const answer = await here.post('/this');
  assert.deepEqual([answer.status, answer.setCookies, seen], [302, LEFT, [true]]);
  await isOver(app, set.server, cookie);
  await isKept(set.server, there, there.cookie);
});

promise('from the call on the request has no user, and after it no session', async (t) => {
  const seen = [];
  const app = await startApp(t, set.server, (app) => {
    app.post('/everywhere', async (req, res) => {
      const over = req.exeunt.logoutEverywhere();
      seen.push(req.user);
      await over;
      seen.push(req.user, req.exeunt.session, await req.exeunt.isStillLive());
      throw new Error('stage fright');
    });
  });
  const { here, there } = await twoBrowsers(app);
  const { cookie } = here;
  assert.equal((await here.post('/everywhere')).status, 500);
  assert.equal(here.cookie, null, 'the answer of an error clears the cookie, too');
  assert.deepEqual(seen, [null, null, null, false]);
  await isOver(app, set.server, cookie);
  await isOver(app, set.server, there.cookie);
});

promise('a program with a bearer token ends everything of its user, and no cookie is touched', async (t) => {
  const app = await startApp(t, set.server, account());
  const { here, there } = await twoBrowsers(app);
  const headers = { authorization: `Bearer ${here.token}`, 'sec-fetch-site': 'cross-site' };
  const answer = await app.visitor().post('/everywhere', {}, headers);
  assert.deepEqual([answer.status, answer.setCookies], [302, []]);
  await isOver(app, set.server, here.cookie);
  await isOver(app, set.server, there.cookie);
});

promise('another site ends nothing by any of these, and nobody else does', async (t) => {
  const app = await startApp(t, set.server, account());
  const { here, there, sids } = await twoBrowsers(app);
  const kept = here.cookie;
  const paths = ['/everywhere', '/everywhere/not-waited', '/others', '/this', `/end/${sids[1]}`];
  const sent = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const attacks = [
    ['GET', { ...sent, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 'cross-origin'],
    ['GET', sent, 'unconfirmed'],
    ['POST', { 'sec-fetch-site': 'cross-site' }, 'cross-origin'],
    ['POST', { origin: 'https://evil.example' }, 'cross-origin'],
    ['DELETE', { 'sec-fetch-site': 'same-site' }, 'cross-origin'],
  ];
  for (const path of paths) {
    for (const [method, headers, code] of attacks) {
      const answer = await here.send(path, { method, headers });
      assert.deepEqual([answer.status, answer.setCookies], [403, []], `${method} ${path}`);
      assert.equal(JSON.parse(answer.text).code, code);
    }
    assert.equal((await here.send(path, { method: 'HEAD' })).status, 403);
    await isKept(set.server, here, kept);
    await isKept(set.server, there, there.cookie);
  }
  for (const path of ['/everywhere', '/others', `/end/${sids[1]}`]) {
    const answer = await app.visitor().post(path);
    assert.deepEqual([answer.status, JSON.parse(answer.text).code], [401, 'not-signed-in'], path);
    const wrapped = await ask(app.url + path, { method: 'POST', headers: { cookie: `exeunt="${here.token}"` } });
    assert.deepEqual([wrapped.status, JSON.parse(wrapped.text).code], [400, 'unclear-credentials'], path);
  }
  assert.equal((await app.visitor().get('/sessions')).status, 401);
  await here.post('/everywhere');
  await isOver(app, set.server, kept);
});

promise('what is open in this app for what has ended is closed when it is answered, and nothing else', async (t) => {
  const opened = [];
  const app = await startApp(t, await startDeaf(t, set.server), account(opened));
  for (const path of ['/others', '/end', '/everywhere']) {
    opened.length = 0;
    const { here, there, sids } = await twoBrowsers(app);
    const bystander = await member(app, set.server);
    for (const visitor of [there, there, here, bystander]) await listenTo(app, visitor);
    const answer = await here.post(path === '/end' ? `/end/${sids[1]}` : path);
    assert(answer.status < 400, answer.text);
    const isAll = path === '/everywhere';
    const closed = opened.filter((res) => typeof res.writeHead === 'function').map((res) => res.closed);
    assert.deepEqual(closed, [true, true, isAll, false], path);
    await isOver(app, set.server, there.cookie);
  }
});

/** Each verb: where the server is asked, what is said when its answer cannot be known, and what to a second try. */
const UNKNOWN = [
  ['/everywhere', () => '/api/sessions', /you are NOT signed out/, { cut: 302, lose: 401 }],
  ['/everywhere/not-waited', () => '/api/sessions', /you are NOT signed out/, { cut: 302, lose: 401 }],
  ['/this', () => '/api/logout', /you are NOT signed out/, { cut: 302, lose: 401 }],
  ['/others', () => '/api/sessions?keep=current', /NOT known to be over/, { cut: 200, lose: 200 }],
  ['/end/', (sid) => `/api/sessions/${sid}`, /NOT known to be over/, { cut: 200, lose: 200 }],
];

for (const [path, addressOf, said, statuses] of UNKNOWN) {
  for (const order of ['cut', 'lose']) {
    promise(`where the answer to ${path} is ${order} nobody is told that it is over, and can try again`, async (t) => {
      const gate = await startGate(t, set.server);
      const app = await startApp(t, gate, account());
      const { here, there, sids } = await twoBrowsers(app);
      const { cookie } = here;
      const act = () => here.post(path === '/end/' ? path + sids[1] : path, {}, { accept: 'text/html' });
      gate.shutFor(addressOf(sids[1]))[order]();
      const answer = await act();
      assert.deepEqual([answer.status, answer.setCookies, answer.headers.location], [503, [], undefined]);
      assert.match(answer.text, said);
      assert.equal(here.cookie, cookie, 'the cookie is kept');
      if (order === 'cut') {
        await isKept(set.server, here, cookie);
        await isKept(set.server, there, there.cookie);
      }
      gate.open();
      // Where everything is over nobody is there any more who could ask for it, and that is said.
      assert.equal((await act()).status, statuses[order]);
      assert.equal((await here.get('/logout')).status, 302);
      assert.equal(here.cookie, null);
      await isOver(app, set.server, cookie);
      if (path !== '/this') await isOver(app, set.server, there.cookie);
    });
  }
}

promise('a failure is made good by the same verb, and by no lesser one', async (t) => {
  const gate = await startGate(t, set.server);
  const app = await startApp(t, gate, (app) => {
    app.post('/again', async (req, res) => {
      await req.exeunt.logoutEverywhere().catch(() => gate.open());
      await req.exeunt.logoutEverywhere();
      res.redirect('/');
    });
    app.post('/lesser', async (req, res) => {
      await req.exeunt.logoutEverywhere().catch(() => {});
      await req.logout();
      res.redirect('/');
    });
    app.post('/others', async (req, res) => {
      await req.exeunt.endOthers().catch(() => gate.open());
      await req.exeunt.end('nobody');
      if (req.query.again) await req.exeunt.endOthers();
      res.redirect('/');
    });
  });
  const cut = (path) => gate.shutFor(path).cut();
  const [ana, bea, cai] = [await twoBrowsers(app), await twoBrowsers(app), await twoBrowsers(app)];
  cut('/api/sessions');
  const { cookie } = ana.here;
  assert.equal((await ana.here.post('/again')).status, 302);
  await isOver(app, set.server, cookie);
  await isOver(app, set.server, ana.there.cookie);
  cut('/api/sessions');
  assert.equal((await bea.here.post('/lesser')).status, 503);
  assert.equal(bea.here.cookie, null, 'this one is over');
  await isKept(set.server, bea.there, bea.there.cookie);
  for (const [path, status] of [
    ['/others', 503],
    ['/others?again=1', 302],
  ]) {
    cut('/api/sessions?keep=current');
    assert.equal((await cai.here.post(path)).status, status);
  }
  await isOver(app, set.server, cai.there.cookie);
});

promise('where the server dies nobody is signed out everywhere, and when it is back everybody can be', async (t) => {
  const server = await startServer();
  const act = { arrived: resolvers(), go: resolvers() };
  const app = await startApp(t, server, (app) => {
    account()(app);
    app.post('/late', async (req, res) => {
      act.arrived.resolve();
      await act.go.promise;
      await req.exeunt.logoutEverywhere();
      res.redirect('/');
    });
  });
  const { here, there } = await twoBrowsers(app, server);
  const { cookie } = here;
  const answering = here.post('/late');
  await act.arrived.promise;
  await server.kill();
  act.go.resolve();
  const answer = await answering;
  assert.deepEqual([answer.status, answer.setCookies], [503, []]);
  const again = await server.again();
  t.after(() => again.stop());
  await isKept(again, here, cookie);
  await isKept(again, there, there.cookie);
  await here.post('/everywhere');
  await isOver(app, again, cookie);
  await isOver(app, again, there.cookie);
});

promise('what ends or changes something is asked once, though the connection breaks before the answer', async (t) => {
  // On a connection that has been used a deed is done, and its answer is lost.
  const used = new WeakSet();
  const front = http.createServer((req, res) => {
    const onward = http.request(set.server.url + req.url, { method: req.method, headers: req.headers, agent: false });
    onward.on('response', (answer) => {
      const isDeed = req.method === 'DELETE' || req.url === '/api/password';
      if (isDeed && used.has(req.socket)) return answer.resume().on('end', () => req.socket.resetAndDestroy());
      used.add(req.socket);
      res.writeHead(answer.statusCode, answer.rawHeaders);
      return answer.pipe(res);
    });
    req.pipe(onward);
  });
  const app = await startApp(t, { url: await listen(t, front) }, (app) => {
    account()(app);
    app.post('/password', async (req, res) => res.json(await req.exeunt.changePassword(PASSWORD, 'small boats row home')));
  });
  for (const verb of ['/others', '/end/', '/everywhere', '/password']) {
    const name = uniqueName();
    await set.server.register(name);
    const [here, there] = [app.visitor(), app.visitor()];
    for (const visitor of [here, there]) visitor.cookie = `exeunt=${await set.server.signIn(name)}`;
    const { cookie } = there;
    const sid = JSON.parse((await there.get('/me')).text).sid;
    const answer = await here.post(verb === '/end/' ? verb + sid : verb);
    assert(answer.status < 400 && answer.text !== 'false' && answer.text !== '[]', `${verb}: ${answer.text}`);
    await isOver(app, set.server, cookie);
  }
});

promise('a session that ends between the check and the deed is told so, and signs nobody else out', async (t) => {
  const act = { arrived: resolvers(), go: resolvers() };
  const app = await startApp(t, set.server, (app) => {
    account()(app);
    app.post('/late/:verb', async (req, res) => {
      act.arrived.resolve();
      await act.go.promise;
      await req.exeunt[req.params.verb]('0'.repeat(32));
      res.redirect('/');
    });
  });
  for (const verb of ['logoutEverywhere', 'endOthers', 'end', 'sessions']) {
    [act.arrived, act.go] = [resolvers(), resolvers()];
    const { here, there } = await twoBrowsers(app);
    const late = here.post(`/late/${verb}`);
    await act.arrived.promise;
    await set.server.signOut(here.token);
    act.go.resolve();
    const answer = await late;
    assert.deepEqual([answer.status, answer.setCookies, JSON.parse(answer.text).code], [401, [], 'not-signed-in'], verb);
    await isKept(set.server, there, there.cookie);
    await isOver(app, set.server, here.cookie);
  }
});

promise('the verbs of a request are named by its types', async () => {
  const types = await readFile(new URL('../index.d.ts', import.meta.url), 'utf8');
  const [, body] = types.match(/interface ExeuntContext \{(.*?)^\}/ms);
  for (const verb of ['sessions', 'end', 'endOthers', 'logoutEverywhere', 'changePassword']) {
    assert.equal(typeof Context.prototype[verb], 'function');
    assert.match(body, new RegExp(`^ {2}${verb}\\(`, 'm'), verb);
  }
});
