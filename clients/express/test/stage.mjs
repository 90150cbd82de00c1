// Owns the set on which every test plays: a real exeunt server, a real Express app on it, whoever visits the app, and a
// gate between the two that waits or breaks at a cue. It asserts only what a test could not go on without.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import express from 'express';
import { Passport } from 'passport';

import { Exeunt } from '../src/index.js';

export const PASSWORD = 'curtain call at nine';

/** Nothing here takes longer than this, even on a slow machine. */
const PATIENCE_MS = 60_000;

/** For tests in which the server cannot answer: how long the app waits for it. Nothing is measured by it. */
export const SHORT_WAIT_MS = 1_500;

/** A test whose name is a promise of ours. It fails rather than hangs. */
export function promise(name, act) {
  test(name, { timeout: PATIENCE_MS }, act);
}

/** The server of a file of tests. It starts before its first test and ends after its last. */
export function stage() {
  const set = {};
  before(async () => {
    set.server = await startServer();
  });
  after(() => set.server?.stop());
  return set;
}

export const binary = process.env.EXEUNT_BIN ?? path.resolve(import.meta.dirname, '../../../target/debug/exeunt');

/** On a new folder and a free port, or on those of a server that was before. */
export async function startServer({ data, listen = '127.0.0.1:0' } = {}) {
  data ??= await mkdtemp(path.join(tmpdir(), 'exeunt-express-'));
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('EXEUNT_')));
  const child = spawn(binary, ['serve', '--listen', listen, '--data', data], { env });
  const exit = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value = '', done } = await said.next();
  assert(!done, `the server did not start:\n${log}`);
  return new Server({ url: value.match(/http:\/\/\S+/)[0], data, child, exit });
}

class Server {
  #child;
  #exit;

  constructor({ url, data, child, exit }) {
    this.url = url;
    this.data = data;
    this.#child = child;
    this.#exit = exit;
  }

  freeze() {
    this.#child.kill('SIGSTOP');
  }

  thaw() {
    this.#child.kill('SIGCONT');
  }

  /** Ends it at once, as a crash would. Its folder stays. */
  async kill() {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  /** The same folder at the same address, in a new process. */
  again() {
    return startServer({ data: this.data, listen: new URL(this.url).host });
  }

  async stop() {
    this.thaw();
    this.#child.kill('SIGTERM');
    await this.#exit;
    await this.forget();
  }

  forget() {
    return rm(this.data, { recursive: true, force: true });
  }

  /** What the server itself says to whoever has this token: 200 or 401. */
  async replay(token) {
    return (await ask(`${this.url}/api/session`, { headers: { authorization: `Bearer ${token}` } })).status;
  }

  async register(name) {
    const answer = await ask(`${this.url}/register`, { method: 'POST', form: { username: name, password: PASSWORD } });
    assert.equal(answer.status, 303);
    await this.signOut(answer.setCookies[0].match(/=([^;]+)/)[1]);
  }

  /** From somewhere that is not the app. Answers the token. */
  async signIn(name) {
    const answer = await ask(`${this.url}/api/login`, { method: 'POST', json: { username: name, password: PASSWORD } });
    assert.equal(answer.status, 201, answer.text);
    return JSON.parse(answer.text).token;
  }

  /** As `signIn`, where the password may be another one. Answers the status. */
  async statusOfSignIn(name, password) {
    return (await ask(`${this.url}/api/login`, { method: 'POST', json: { username: name, password } })).status;
  }

  /** Where the app cannot notice. */
  async signOut(token) {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await ask(`${this.url}/api/logout`, { method: 'POST', headers });
    assert.equal(JSON.parse(answer.text).ended.length, 1);
  }

  /** How many sessions the user of this token has. */
  async countSessions(token) {
    const answer = await ask(`${this.url}/api/sessions`, { headers: { authorization: `Bearer ${token}` } });
    return JSON.parse(answer.text).sessions.length;
  }
}

let people = 0;
export function uniqueName() {
  people += 1;
  return `Fulana ${people}`;
}

/**
 * An Express app on this server, with the routes that most tests need and those of `build(app, { exeunt, passport })`.
 * Sign-out is tested by routes of the test itself.
 */
export async function startApp(t, server, build = () => {}, options = {}) {
  const exeunt = new Exeunt({ server: server.url, ...options });
  const passport = exeunt.plugInto(new Passport());
  const app = express().set('env', 'test');
  app.use(exeunt.session(), express.urlencoded({ extended: false }));
  app.post('/login', passport.authenticate('exeunt'), (req, res) => res.redirect('/me'));
  app.get('/me', (req, res) => res.json({ user: req.user ?? null, sid: req.exeunt.session?.sid ?? null }));
  build(app, { exeunt, passport });
  app.use(exeunt.errors());
  const url = await listen(t, http.createServer(app));
  t.after(() => exeunt.close());
  return { url, exeunt, visitor: () => new Visitor(url) };
}

/** On a free port, until the test ends. */
export async function listen(t, server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Somebody with a cookie jar. It sends what it is told, and nothing of its own accord as `fetch` does. */
export class Visitor {
  cookie = null;

  constructor(url) {
    this.url = url;
  }

  get token() {
    return this.cookie?.split('=')[1] ?? null;
  }

  get(path, headers = {}) {
    return this.send(path, { headers });
  }

  post(path, form = {}, headers = {}) {
    return this.send(path, { method: 'POST', form, headers });
  }

  async send(path, { headers = {}, ...request } = {}) {
    const cookies = this.cookie === null ? {} : { cookie: this.cookie };
    const answer = await ask(this.url + path, { ...request, headers: { ...cookies, ...headers } });
    for (const line of answer.setCookies) {
      if (/^(__Host-)?exeunt=/.test(line)) this.cookie = /Max-Age=0$/.test(line) ? null : line.split(';')[0];
    }
    return answer;
  }

  async signIn(name) {
    const answer = await this.post('/login', { username: name, password: PASSWORD });
    assert.equal(answer.status, 302, answer.text);
    return this;
  }

  /** Who the app says that this is. */
  async whoami() {
    const answer = await this.get('/me');
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text).user?.username ?? null;
  }
}

/** A visitor who is signed in at the app. */
export async function member(app, server) {
  const name = uniqueName();
  await server.register(name);
  const visitor = await app.visitor().signIn(name);
  return Object.assign(visitor, { name });
}

/** One request, its answer read whole. */
export async function ask(url, request) {
  const response = await open(url, request);
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return {
    status: response.statusCode,
    headers: response.headers,
    setCookies: response.headers['set-cookie'] ?? [],
    text,
  };
}

/** One request, its answer begun. */
export async function open(url, { method = 'GET', headers = {}, form, json } = {}) {
  const body = json === undefined ? form && new URLSearchParams(form).toString() : JSON.stringify(json);
  const type = json === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
  const typed = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
  const request = http.request(url, { method, headers: { ...typed, ...headers }, agent: false });
  request.end(body);
  const [response] = await once(request, 'response');
  return response;
}

/**
 * A gate before the server: it passes every request on, but those to the address that is shut wait at it. Then they are
 * let through, or their connection is cut: with the answer not yet given, or given and lost.
 */
export async function startGate(t, server) {
  const gate = { shut: null };
  const passed = new EventEmitter();
  const handler = async (req, res) => {
    const shut = gate.shut?.path === req.url && gate.shut.meant(req) ? gate.shut : null;
    const waits = () => {
      shut.arrived.resolve();
      return shut.order.promise;
    };
    const order = shut === null || shut.isAfter ? 'pass' : await waits();
    if (order === 'cut') return req.socket.destroy();
    const onward = http.request(server.url + req.url, { method: req.method, headers: req.headers, agent: false });
    res.on('close', () => onward.destroy());
    onward.on('error', () => req.socket.destroy());
    onward.on('response', async (answer) => {
      if (shut?.isAfter && (await waits()) !== 'pass') return req.socket.destroy();
      if (order === 'lose') return answer.resume().on('end', () => req.socket.destroy());
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
      passed.emit(req.url);
    });
    req.pipe(onward);
  };
  gate.url = await listen(t, http.createServer(handler));
  /**
   * From now on. `arrived` tells that a request waits; `pass`, `cut` and `lose` decide for all that wait and will come.
   * With `isAfter` it is the answer of the server that waits.
   */
  gate.shutFor = (path, meant = () => true, isAfter = false) => {
    const shut = { path, meant, isAfter, arrived: resolvers(), order: resolvers() };
    gate.shut = shut;
    const decide = (order) => () => shut.order.resolve(order);
    return { arrived: shut.arrived.promise, pass: decide('pass'), cut: decide('cut'), lose: decide('lose') };
  };
  /** Resolves when the server has answered the next request to this address. */
  gate.answered = (path) => once(passed, path);
  gate.open = () => (gate.shut = null);
  return gate;
}

/** As the server, but of its event streams only the first word comes: an app behind it hears of no end. */
export async function startDeaf(t, server) {
  const deaf = http.createServer((req, res) => {
    const onward = http.request(server.url + req.url, { method: req.method, headers: req.headers, agent: false });
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      if (req.url === '/api/events') answer.once('data', (chunk) => res.write(chunk));
      else answer.pipe(res);
    });
    res.on('close', () => onward.destroy());
    onward.on('error', () => {});
    req.pipe(onward);
  });
  return { url: await listen(t, deaf) };
}

/** A promise and what settles it. */
export function resolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

/** The end of every test of signing out: the app and the server both refuse the old cookie. */
export async function isOver(app, server, cookie) {
  const old = Object.assign(app.visitor(), { cookie });
  assert.equal(await old.whoami(), null, 'the app refuses the old cookie');
  assert.equal(await server.replay(old.token), 401, 'the server refuses the old token');
}

/** Nobody was signed out: the cookie is kept, and the server still knows it. */
export async function isKept(server, visitor, cookie) {
  assert.equal(visitor.cookie, cookie, 'the cookie is kept');
  assert.equal(await server.replay(visitor.token), 200, 'the session lives');
}
