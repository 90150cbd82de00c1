// What is open for a session beyond one request: event streams and sockets of the app. They close with the session,
// wherever it ends, and no others do.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';

import { isOver, listen, member, open, promise, stage, startApp, startGate, startServer } from './stage.mjs';

const set = stage();

/** An app with an event stream, a sign-out, and whatever the test adds. */
async function streamingApp(t, server = set.server, build = () => {}) {
  const said = { reasons: [], streams: [] };
  const app = await startApp(t, server, (app, parts) => {
    app.get('/events', async (req, res) => {
      const signal = await req.untilRevoked(res);
      signal.addEventListener('abort', () => {
        said.reasons.push(signal.reason.name);
        res.write('data: a word too late\n\n');
        res.end('data: and another\n\n');
      });
      said.streams.push(res);
      res.type('text/event-stream').write('data: opened\n\n');
    });
    app.get('/logout', async (req, res) => {
      await req.logout();
      res.redirect('/');
    });
    build(app, parts);
  });
  return Object.assign(app, said);
}

/** The stream of this visitor, open: `text()` is what came until now, `over` resolves when it has ended, and how. */
async function listenTo(app, visitor, path = '/events') {
  const response = await open(app.url + path, { headers: { cookie: visitor.cookie } });
  assert.equal(response.statusCode, 200);
  let text = '';
  const over = new Promise((resolve) => {
    response.on('end', () => resolve('ended'));
    response.on('error', () => resolve('broken'));
  });
  response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  await once(response, 'data');
  return { over, text: () => text, response };
}

promise('a logout elsewhere closes the open stream of that session, and of no other', async (t) => {
  const app = await streamingApp(t);
  const [left, stays] = [await member(app, set.server), await member(app, set.server)];
  const sameUser = await app.visitor().signIn(left.name);
  const streams = [];
  for (const visitor of [left, stays, sameUser]) streams.push(await listenTo(app, visitor));
  await set.server.signOut(left.token);
  assert.equal(await streams[0].over, 'ended');
  assert.deepEqual(app.reasons, ['ExeuntEnded']);
  for (const [at, stream] of app.streams.slice(1).entries()) stream.write(`data: still ${at}\n\n`);
  await Promise.all(streams.slice(1).map(({ response }) => once(response, 'data')));
  assert.deepEqual(app.reasons, ['ExeuntEnded']);
  assert(!streams[0].text().includes('still'));
  await isOver(app, set.server, left.cookie);
});

promise('a logout through the app has closed its streams before it is answered', async (t) => {
  const app = await streamingApp(t);
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const streams = await Promise.all([listenTo(app, visitor), listenTo(app, visitor)]);
  assert.equal((await visitor.get('/logout')).status, 302);
  assert(
    app.streams.every((stream) => stream.closed),
    'closed when it is answered',
  );
  assert.deepEqual(await Promise.all(streams.map(({ over }) => over)), ['ended', 'ended']);
  await isOver(app, set.server, cookie);
});

promise('what a handler writes after the end goes nowhere, and breaks nothing', async (t) => {
  const app = await streamingApp(t);
  const visitor = await member(app, set.server);
  const stream = await listenTo(app, visitor);
  await set.server.signOut(visitor.token);
  assert.equal(await stream.over, 'ended');
  assert.equal(app.streams[0].write('data: a secret of the day after\n\n'), false);
  app.streams[0].end('data: and its end\n\n');
  assert.equal(stream.text(), 'data: opened\n\n');
  await isOver(app, set.server, visitor.cookie);
});

promise('whoever reads nothing has no stream either when a logout is answered', async (t) => {
  let flood;
  const app = await streamingApp(t, set.server, (app) => {
    app.get('/flood', async (req, res) => {
      await req.untilRevoked(res);
      flood = res;
      // More than the buffers of a connection take.
      res.write(Buffer.alloc(64 * 1024 * 1024));
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const response = await open(`${app.url}/flood`, { headers: { cookie } });
  response.on('error', () => {});
  assert.equal((await visitor.get('/logout')).status, 302);
  assert(flood.closed && flood.socket?.destroyed !== false, 'closed when it is answered');
  await isOver(app, set.server, cookie);
});

promise('all that is open for one session shares one subscription, which goes when the last has gone', async (t) => {
  const gate = await startGate(t, set.server);
  const asked = [];
  const counting = http.createServer((req, res) => {
    asked.push({ path: req.url, res });
    const onward = http.request(gate.url + req.url, { method: req.method, headers: req.headers, agent: false });
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
    });
    res.on('close', () => onward.destroy());
    onward.on('error', () => {});
    req.pipe(onward);
  });
  const subscriptions = () => asked.filter(({ path }) => path === '/api/events');
  const app = await streamingApp(t, { url: await listen(t, counting) });
  const visitor = await member(app, set.server);
  const streams = await Promise.all(Array.from({ length: 5 }, () => listenTo(app, visitor)));
  assert.equal(subscriptions().length, 1);
  const [{ res: subscription }] = subscriptions();
  const gone = once(subscription, 'close');
  for (const { response } of streams) response.destroy();
  await gone;
  const again = await listenTo(app, visitor);
  assert.equal(subscriptions().length, 2);
  await set.server.signOut(visitor.token);
  assert.equal(await again.over, 'ended');
  await isOver(app, set.server, visitor.cookie);
});

promise('more streams than anybody needs are refused, and the open ones go on', async (t) => {
  const app = await streamingApp(t);
  const visitor = await member(app, set.server);
  const streams = await Promise.all(Array.from({ length: 64 }, () => listenTo(app, visitor)));
  assert.equal((await visitor.get('/events')).status, 429);
  assert.deepEqual(app.reasons, []);
  assert.equal((await visitor.get('/logout')).status, 302);
  assert.deepEqual(new Set(await Promise.all(streams.map(({ over }) => over))), new Set(['ended']));
});

promise('where the server gives no more streams that is said, and no sign-in is called too frequent', async (t) => {
  const app = await streamingApp(t);
  const visitor = await member(app, set.server);
  const headers = { authorization: `Bearer ${visitor.token}` };
  const elsewhere = await Promise.all(Array.from({ length: 64 }, () => open(`${set.server.url}/api/events`, { headers })));
  assert.deepEqual(new Set(elsewhere.map(({ statusCode }) => statusCode)), new Set([200]));
  const answer = await visitor.get('/events');
  assert.deepEqual([answer.status, JSON.parse(answer.text).code, answer.setCookies], [429, 'too-much-open', []]);
  assert.deepEqual(app.streams, []);
  elsewhere.forEach((response) => response.destroy());
  while ((await answered(app, visitor)) === 429);
  await set.server.signOut(visitor.token);
  await isOver(app, set.server, visitor.cookie);
});

/** The status with which a stream is answered. */
async function answered(app, { cookie }) {
  const response = await open(`${app.url}/events`, { headers: { cookie } });
  response.destroy();
  return response.statusCode;
}

promise('a session that ended between the check and the stream gets none', async (t) => {
  const gate = await startGate(t, set.server);
  const app = await streamingApp(t, gate);
  const visitor = await member(app, set.server);
  const shut = gate.shutFor('/api/events');
  const answering = visitor.get('/events');
  await shut.arrived;
  await set.server.signOut(visitor.token);
  shut.pass();
  const answer = await answering;
  assert.deepEqual([answer.status, app.streams.length], [401, 0]);
  await isOver(app, set.server, visitor.cookie);
});

promise('what cannot be closed keeps nothing else open, and makes no logout fail', async (t) => {
  const closed = [];
  const stuck = {
    close() {
      throw new Error('the door is stuck');
    },
  };
  const app = await streamingApp(t, set.server, (app) => {
    app.get('/stuck', async (req, res) => {
      await req.untilRevoked(stuck, { close: () => closed.push('another') }, res);
      res.write('open');
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const stream = await listenTo(app, visitor, '/stuck');
  assert.equal((await visitor.get('/logout')).status, 302);
  assert.equal(await stream.over, 'ended');
  assert.deepEqual(closed, ['another']);
  await isOver(app, set.server, cookie);
});

promise('a stream that is begun after the end was heard gets none', async (t) => {
  let elsewhere;
  const app = await startApp(t, set.server, (app) => {
    app.get('/late', async (req, res) => {
      const signal = await req.untilRevoked();
      const ended = once(signal, 'abort');
      await elsewhere();
      await ended;
      await req.untilRevoked(res);
      res.write('a secret of the day after');
    });
  });
  const visitor = await member(app, set.server);
  elsewhere = () => set.server.signOut(visitor.token);
  assert.equal((await visitor.get('/late')).status, 401);
  await isOver(app, set.server, visitor.cookie);
});

promise('nobody gets a stream whose end would not be heard of', async (t) => {
  const gate = await startGate(t, set.server);
  const app = await streamingApp(t, gate);
  const visitor = await member(app, set.server);
  gate.shutFor('/api/events').cut();
  const answer = await visitor.get('/events');
  assert.deepEqual([answer.status, answer.setCookies, app.streams.length], [503, [], 0]);
  gate.open();
  const stream = await listenTo(app, visitor);
  await set.server.signOut(visitor.token);
  assert.equal(await stream.over, 'ended');
});

promise('where the server dies the streams close, and their sessions are not called over', async (t) => {
  const server = await startServer();
  t.after(() => server.forget());
  const app = await streamingApp(t, server);
  const visitor = await member(app, server);
  const stream = await listenTo(app, visitor);
  await server.kill();
  assert.equal(await stream.over, 'ended');
  assert.deepEqual(app.reasons, ['ExeuntUnreachable']);
  assert.equal((await visitor.get('/me')).status, 503);
  const again = await server.again();
  t.after(() => again.stop());
  const reopened = await listenTo(app, visitor);
  await again.signOut(visitor.token);
  assert.equal(await reopened.over, 'ended');
  await isOver(app, again, visitor.cookie);
});

promise('a handler can wait for the end by a signal or a callback', async (t) => {
  const heard = [];
  const app = await streamingApp(t, set.server, (app) => {
    app.get('/wait', async (req, res) => {
      const { signal } = req.exeunt;
      assert.equal(
        req.onRevoked((reason) => heard.push(reason.name)),
        signal,
      );
      // As a WebSocket of a library, a stream, and whatever else can be closed.
      const cut = (how) => () => heard.push(how);
      await req.untilRevoked({ terminate: cut('terminated'), close: cut('closed') }, { destroy: cut('destroyed') });
      await req.untilRevoked({ close: cut('closed') });
      app.waits = once(signal, 'abort');
      res.write('waiting');
      await app.waits;
      req.onRevoked((reason) => heard.push(`late ${reason.name}`));
      setImmediate(() => res.end());
    });
    app.get('/anonymous', (req, res) => res.json(String(req.exeunt.signal)));
  });
  const visitor = await member(app, set.server);
  const stream = await listenTo(app, visitor, '/wait');
  await set.server.signOut(visitor.token);
  assert.equal(await stream.over, 'ended');
  const cuts = ['terminated', 'destroyed', 'closed'];
  assert.deepEqual(heard, [...cuts, 'ExeuntEnded', 'late ExeuntEnded']);
  assert.equal((await app.visitor().get('/anonymous')).status, 401, 'nobody is signed in, so nothing can end');
  await isOver(app, set.server, visitor.cookie);
});

/** An app whose server lets a signed-in visitor open a socket: what a WebSocket is, without its frames. */
async function socketApp(t) {
  const app = await startApp(t, set.server);
  const server = http.createServer();
  const opened = [];
  server.on('upgrade', async (req, socket) => {
    try {
      const context = await app.exeunt.upgrade(req);
      if (!req.user) throw Object.assign(new Error('nobody'), { status: 401 });
      await context.untilRevoked(socket);
      opened.push(socket);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${req.user.username}`);
    } catch (error) {
      socket.end(`HTTP/1.1 ${error.status} No\r\nConnection: close\r\n\r\n`);
    }
  });
  const { port } = new URL(await listen(t, server));
  return Object.assign(app, { connect: connector(t, port), opened, host: `127.0.0.1:${port}` });
}

/** Asks for a socket there. */
function connector(t, port) {
  return async (visitor, fields = '') => {
    const socket = net.connect(port, '127.0.0.1').setEncoding('latin1');
    t.after(() => socket.destroy());
    const cookie = visitor.cookie === null ? '' : `Cookie: ${visitor.cookie}\r\n`;
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: x\r\n${cookie}${fields}\r\n`,
    );
    const [text] = await once(socket, 'data');
    return { socket, text, status: Number(text.split(' ')[1]) };
  };
}

/** A WebSocket of the library `ws`, as far as the README uses it, without its frames. */
class Sockets {
  handleUpgrade(req, socket, head, done) {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    done({ send: (text) => socket.write(text) });
  }
}

promise('the sockets of the README are for whoever is signed in, and close with the session', async (t) => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, lines] = readme.match(/```js\n(import \{ STATUS_CODES.*?)```/s);
  const body = lines.replace(/^import .*\n/gm, '').replace("app.listen(4000, 'localhost')", "return app.listen(0, '127.0.0.1')");
  const file = new URL(`../.readme-sockets-${process.pid}.mjs`, import.meta.url);
  t.after(() => rm(file, { force: true }));
  const module = `import { STATUS_CODES } from 'node:http';\nexport default (app, exeunt, WebSocketServer) => {\n${body}};\n`;
  await writeFile(file, module);
  const { default: begin } = await import(file);
  const server = await startServer();
  t.after(() => server.forget());
  let app;
  const { visitor: stranger, ...rest } = await startApp(t, server, (express, { exeunt }) => {
    app = begin(express, exeunt, Sockets);
  });
  t.after(() => app.close().closeAllConnections());
  if (!app.listening) await once(app, 'listening');
  const connect = connector(t, app.address().port);
  const visitor = await member({ ...rest, visitor: stranger }, server);
  const there = await stranger().signIn(visitor.name);
  assert.equal((await connect(stranger())).status, 401);
  assert.equal((await connect(visitor, 'Origin: https://evil.example\r\n')).status, 403);
  const { socket, text } = await connect(visitor);
  assert.match(text, /^HTTP\/1\.1 101 /);
  const gone = once(socket, 'close');
  await server.signOut(visitor.token);
  await gone;
  assert.equal((await connect(visitor)).status, 401);
  await server.kill();
  assert.equal((await connect(there)).status, 503);
});

promise('a socket is closed when its session ends, and only that one', async (t) => {
  const app = await socketApp(t);
  const [left, stays] = [await member(app, set.server), await member(app, set.server)];
  const [first, second] = [await app.connect(left), await app.connect(stays)];
  assert(first.text.endsWith(left.name));
  const gone = once(first.socket, 'close');
  await set.server.signOut(left.token);
  await gone;
  app.opened[1].write('still here');
  assert.equal((await once(second.socket, 'data'))[0], 'still here');
  assert.equal((await app.connect(left)).status, 401);
  await isOver(app, set.server, left.cookie);
});

promise('a socket is not for nobody, nor for another site with our cookie', async (t) => {
  const app = await socketApp(t);
  const visitor = await member(app, set.server);
  const as = (fields) => app.connect(visitor, fields).then(({ status }) => status);
  assert.equal((await app.connect(app.visitor())).status, 401);
  assert.equal(await as('Origin: https://evil.example\r\n'), 403);
  assert.equal(await as('Sec-Fetch-Site: cross-site\r\n'), 403);
  assert.equal(await as(`Origin: http://${app.host}\r\n`), 101);
  assert.equal(await as('Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: websocket\r\n'), 101);
  assert.equal(await as(`Cookie: exeunt=exn_other\r\n`), 400);
});
