// The server is down, stands still, or dies: at sign-in, at the check, at sign-out. "I could not look" is 503 every
// time, and nobody loses a cookie by it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { inspect } from 'node:util';

import { ExeuntUnreachable } from '../src/index.js';
import { Client } from '../src/client.js';
import {
  isKept,
  isOver,
  listen,
  member,
  PASSWORD,
  promise,
  SHORT_WAIT_MS,
  startApp,
  startGate,
  startServer,
} from './stage.mjs';

const signOut = (app) => {
  app.get('/logout', async (req, res) => {
    await req.logout();
    res.redirect('/');
  });
  app.get('/not-waited', (req, res) => {
    req.logout();
    res.redirect('/');
  });
};

async function scene(t) {
  const server = await startServer();
  t.after(() => server.stop());
  const app = await startApp(t, server, signOut, { answerWaitMs: SHORT_WAIT_MS });
  const visitor = await member(app, server);
  return { server, app, visitor, cookie: visitor.cookie };
}

/** Everything that a person can do is answered 503, says neither "signed out" nor "nobody", and touches no cookie. */
async function cannotLook(app, visitor) {
  const stranger = app.visitor();
  const tries = [
    visitor.get('/me'),
    visitor.get('/logout'),
    visitor.get('/not-waited'),
    stranger.post('/login', { username: visitor.name, password: PASSWORD }),
  ];
  for (const answer of await Promise.all(tries)) {
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.setCookies, []);
    assert.equal(answer.headers['retry-after'], '2');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers.location, undefined);
  }
  assert.equal((await app.visitor().get('/me')).status, 200, 'whoever offers nothing is nobody, whoever can look');
}

promise('where the server stands still nothing is claimed, and what had not begun there never happened', async (t) => {
  const { server, app, visitor, cookie } = await scene(t);
  server.freeze();
  await cannotLook(app, visitor);
  // What it was sent while it stood still dies with it.
  await server.kill();
  const again = await server.again();
  t.after(() => again.stop());
  await isKept(again, visitor, cookie);
  assert.equal(await visitor.whoami(), visitor.name);
  await visitor.get('/logout');
  await isOver(app, again, cookie);
});

promise('a server that stood still goes on, and whoever was told to try again can', async (t) => {
  const { server, app, visitor, cookie } = await scene(t);
  server.freeze();
  assert.equal((await visitor.get('/logout')).status, 503);
  assert.equal(visitor.cookie, cookie, 'the cookie is kept');
  server.thaw();
  assert.equal((await visitor.get('/logout')).status, 302);
  assert.equal(visitor.cookie, null);
  await isOver(app, server, cookie);
});

promise('where the server is down nothing is claimed, and when it is back everything is as it was', async (t) => {
  const { server, app, visitor, cookie } = await scene(t);
  await server.kill();
  await cannotLook(app, visitor);
  const again = await server.again();
  t.after(() => again.stop());
  await isKept(again, visitor, cookie);
  assert.equal(await visitor.whoami(), visitor.name);
  await visitor.get('/logout');
  await isOver(app, again, cookie);
});

for (const path of ['/logout', '/not-waited']) {
  promise(`a server that dies while it is asked to end a session (${path}) has not ended it for anybody`, async (t) => {
    const server = await startServer();
    const gate = await startGate(t, server);
    const app = await startApp(t, gate, signOut);
    const visitor = await member(app, server);
    const { cookie } = visitor;
    const shut = gate.shutFor('/api/logout');
    const answering = visitor.get(path);
    await shut.arrived;
    await server.kill();
    shut.pass();
    const answer = await answering;
    assert.deepEqual([answer.status, answer.setCookies], [503, []]);
    assert.match(answer.text, /NOT signed out/);
    gate.open();
    const again = await server.again();
    t.after(() => again.stop());
    await isKept(again, visitor, cookie);
    await visitor.get(path);
    await isOver(app, again, cookie);
  });
}

/** A member whose session somebody else is just ending: the server refuses it already, and cannot yet say it is over. */
async function comesSecond(t) {
  const server = await startServer();
  t.after(() => server.stop());
  const gate = await startGate(t, server);
  const app = await startApp(t, gate, signOut);
  const visitor = await member(app, server);
  const { cookie } = visitor;
  await server.signOut(visitor.token);
  return { server, gate, app, visitor, cookie, shut: gate.shutFor('/api/logout') };
}

for (const path of ['/logout', '/not-waited']) {
  promise(`whoever signs out second (${path}) is answered after the server, and not before`, async (t) => {
    const { server, app, visitor, cookie, shut } = await comesSecond(t);
    const answering = visitor.get(path);
    const first = await Promise.race([shut.arrived.then(() => 'the server is asked'), answering]);
    assert.equal(first, 'the server is asked', 'that a check was refused is no word that it is over everywhere');
    assert.equal(visitor.cookie, cookie);
    shut.pass();
    assert.equal((await answering).status, 302);
    assert.equal(visitor.cookie, null);
    await isOver(app, server, cookie);
  });

  for (const order of ['cut', 'lose']) {
    promise(`whoever signs out second (${path}) is told nothing where the answer is ${order}`, async (t) => {
      const { server, gate, app, visitor, cookie, shut } = await comesSecond(t);
      shut[order]();
      const answer = await visitor.get(path);
      assert.deepEqual([answer.status, answer.setCookies], [503, []]);
      assert.match(answer.text, /NOT signed out/);
      gate.open();
      assert.equal((await visitor.get(path)).status, 302, 'whoever tries again is told');
      assert.equal(visitor.cookie, null);
      await isOver(app, server, cookie);
    });
  }
}

promise('whoever offers nothing, or what can be no token, signs out of nothing, and nobody is asked', async (t) => {
  const app = await startApp(t, { url: 'http://127.0.0.1:1' }, signOut);
  for (const cookie of [null, 'exeunt=no token']) {
    const nobody = Object.assign(app.visitor(), { cookie });
    assert.equal((await nobody.get('/logout')).status, 302);
  }
});

promise('a connection that the server closed while it lay idle is not taken for a server that is down', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const gate = http.createServer((req, res) => {
    const onward = http.request(server.url + req.url, { method: req.method, headers: req.headers, agent: false });
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
    });
    req.pipe(onward);
  });
  // A kept connection takes one request; the next one on it is cut before an answer.
  gate.on('connection', (socket) => {
    let heads = 0;
    socket.prependListener('data', () => {
      heads += 1;
      if (heads > 1) socket.resetAndDestroy();
    });
  });
  const app = await startApp(t, { url: await listen(t, gate) }, signOut);
  const visitor = await member(app, server);
  const { cookie } = visitor;
  for (let round = 0; round < 5; round += 1) assert.equal(await visitor.whoami(), visitor.name);
  assert.equal((await visitor.get('/logout')).status, 302);
  await isOver(app, server, cookie);
});

/** What is no clear answer of an exeunt server. Each is given to every question. */
const UNCLEAR = {
  'a page of something else': (req, res) => res.setHeader('content-type', 'text/html').end('<h1>Welcome</h1>'),
  'a proxy that wants a password': (req, res) =>
    res.writeHead(401, { 'www-authenticate': 'Basic' }).end('Unauthorized'),
  'a redirect to elsewhere': (req, res) => res.writeHead(302, { location: 'https://elsewhere.example/' }).end(),
  'a proxy whose server is down': (req, res) => res.writeHead(502).end('Bad Gateway'),
  'a store that cannot be reached': (req, res) =>
    res.writeHead(503, { 'content-type': 'application/problem+json' }).end('{}'),
  'an empty object': (req, res) => res.setHeader('content-type', 'application/json').end('{}'),
  'another shape': (req, res) => res.end('{"sid": 1, "user": {}, "ended": "all", "token": 7}'),
  null: (req, res) => res.end('null'),
  'nothing that is JSON': (req, res) => res.end('{"ended": ['),
  'more than can be right': (req, res) => res.end(`{"ended": [], "more": "${'x'.repeat(100_000)}"}`),
  'half an answer': (req, res) => {
    res.writeHead(200, { 'content-length': 100 }).write('{"ended": []');
    res.flushHeaders();
    setImmediate(() => req.socket.destroy());
  },
  'a broken connection': (req) => req.socket.destroy(),
  'another protocol': (req) =>
    req.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'),
};

for (const [what, handler] of Object.entries(UNCLEAR)) {
  promise(`${what} is neither yes nor no`, async (t) => {
    const client = new Client({ server: await listen(t, http.createServer(handler)) });
    t.after(() => client.close());
    const secrets = ['exn_a-token-of-somebody', 'a password of somebody'];
    const asked = {
      check: () => client.check(secrets[0]),
      login: () => client.login('ana', secrets[1]),
      logout: () => client.logout(secrets[0]),
      register: () => client.register('ana', secrets[1]),
    };
    for (const [verb, act] of Object.entries(asked)) {
      const error = await act().then(
        () => assert.fail(`${verb} was answered`),
        (error) => error,
      );
      assert(error instanceof ExeuntUnreachable, `${verb}: ${error}`);
      assert.equal(error.status, 503);
      const shown = inspect(error, { depth: 9, showHidden: true, getters: true }) + JSON.stringify(error);
      for (const secret of secrets) assert(!shown.includes(secret), `${verb} tells a secret`);
    }
  });
}

promise('what is not HTTP at all, and an address where nobody listens, are neither yes nor no', async (t) => {
  const server = net.createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end('SSH-2.0-elsewhere\r\n'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const client = new Client({ server: `http://127.0.0.1:${port}` });
  await assert.rejects(client.check('exn_x'), ExeuntUnreachable);
  server.close();
  await once(server, 'close');
  await assert.rejects(client.logout('exn_x'), ExeuntUnreachable);
});

promise('however much is asked, whoever signs out is asked for, and who finds no place is not called signed out', async (t) => {
  const waiting = [];
  const server = http.createServer((req, res) => waiting.push(res));
  const client = new Client({ server: await listen(t, server), answerWaitMs: SHORT_WAIT_MS * 20 });
  // All of these wait for an answer, and the more they are worth the later they find no place.
  const full = async (ask) => {
    const open = [];
    for (;;) {
      const one = ask();
      const refused = await Promise.race([one.then(() => null, (error) => error), new Promise(setImmediate)]);
      if (refused instanceof Error) return { open, refused };
      open.push(one.catch(() => {}));
    }
  };
  const checks = await full(() => client.check('exn_x'));
  const mayEnd = await full(() => client.check('exn_x', true));
  const ending = await full(() => client.logout('exn_x'));
  assert.deepEqual([checks, mayEnd, ending].map(({ open }) => open.length), [1_024, 64, 64]);
  for (const { refused } of [checks, mayEnd, ending]) assert(refused instanceof ExeuntUnreachable);
  server.closeAllConnections();
  server.close();
  client.close();
  await Promise.all([checks, mayEnd, ending].flatMap(({ open }) => open));
});

promise('more requests than can wait are refused at once, and the others are answered', async (t) => {
  const waiting = [];
  const server = http.createServer((req, res) => waiting.push(res));
  const client = new Client({ server: await listen(t, server), answerWaitMs: SHORT_WAIT_MS * 20 });
  const open = Array.from({ length: 1_024 }, () => client.check('exn_x'));
  await assert.rejects(client.check('exn_x'), /too many requests wait/);
  const ours = { 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer realm="exeunt"' };
  const refuse = (res) => res.writeHead(401, ours).end('{}');
  while (waiting.length < 64) await once(server, 'request');
  server.removeAllListeners('request').on('request', (req, res) => refuse(res));
  waiting.forEach(refuse);
  assert.deepEqual(new Set(await Promise.all(open)), new Set([null]));
  client.close();
});
