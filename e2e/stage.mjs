// Owns the set on which every test plays: a real server process, a real browser, the people in it and a site that is
// not ours. It asserts only what a test could not go on without.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';

export const PASSWORD = 'curtain call at nine';

/** Who administers a server that has an administrator. */
export const ADMIN = 'Gerente';

/** Nothing here takes longer than this, even on a slow machine. */
const PATIENCE_MS = 15_000;

/** A browser that was asked to close and has not by then is killed: Chromium does not always find its own end, and it is not what is tested. */
const CLOSING_MS = 10_000;

/** When all is over, what still keeps this process alive has this long. A file of tests that does not end would hold everybody up. */
const LINGERING_MS = 5_000;

/** The server and the browser of a file of tests. They start before its first test and end after its last. */
export function stage({ bfcache = false, admin = false } = {}) {
  const set = {};
  before(async () => {
    set.server = await startServer([], { admin });
    set.browser = await launch({ bfcache });
  });
  after(async () => {
    await closes(set.browser);
    await set.server?.stop();
  });
  return set;
}

/** The last that is asked of a browser. One that does not close is killed when this process leaves, which it does in any case. */
export async function closes(browser) {
  setTimeout(() => process.exit(), CLOSING_MS + PATIENCE_MS + LINGERING_MS).unref();
  await soon(browser?.close());
}

/** Waits for what a browser does at its end, but not for ever. */
export const soon = (closed) => Promise.race([closed, pause(CLOSING_MS, undefined, { ref: false })]);

/** What a promise brings, or an error that says what was waited for in vain. */
export async function within(what, promised) {
  const over = new AbortController();
  const late = pause(PATIENCE_MS, undefined, { signal: over.signal }).then(() => assert.fail(`waited in vain: ${what}`));
  try {
    return await Promise.race([promised, late]);
  } finally {
    late.catch(() => {});
    over.abort();
  }
}

/** A test whose name is a promise of ours. It fails rather than hangs. */
export function promise(name, act) {
  test(name, { timeout: 3 * PATIENCE_MS }, act);
}

/** `flags` go to `exeunt serve`. With `admin` there is an administrator from the beginning. */
export async function startServer(flags = [], { admin = false } = {}) {
  const binary = process.env.EXEUNT_BIN ?? path.resolve(import.meta.dirname, '../target/debug/exeunt');
  const data = await mkdtemp(path.join(tmpdir(), 'exeunt-e2e-'));
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('EXEUNT_')));
  if (admin) await addAdmin(binary, data, env);
  const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data', data, ...flags], { env });
  const exit = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (text) => (log += text));

  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const readAddress = async () => {
    const { value = '', done } = await within('the server says where it is', said.next());
    assert(!done, `the server did not start:\n${log}`);
    return value.match(/http:\/\/\S+/)[0];
  };
  const url = await readAddress();
  const metrics = await readAddress();
  return {
    url,

    /** Ends it, and complains if it had to. */
    async stop() {
      child.kill('SIGTERM');
      const [code] = await within('the server ends when it is told to', exit).catch((error) => {
        child.kill('SIGKILL');
        assert.fail(`${error.message}; it had said:\n${log}`);
      });
      await rm(data, { recursive: true });
      assert.equal(code, 0, `the server ended badly:\n${log}`);
      assert.doesNotMatch(log, /"level":"ERROR"|panicked/);
    },

    /** Ends it at once, as a crash would. `stop` is not for it any more. */
    async kill() {
      child.kill('SIGKILL');
      await exit;
      await rm(data, { recursive: true });
    },

    /** How many requests a route has answered, by the server's own count: what a hostile page sent cannot be missed. */
    async answered(route, status = '') {
      const lines = (await (await ask(metrics)).text()).split('\n');
      const counted = lines.filter((line) => line.includes(`route="${route}"`) && line.includes(`status="${status}`));
      return counted.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },

    /** What the server says to whoever has this cookie, no browser being in between. */
    async replay(cookie) {
      const answer = await ask(`${url}/api/session`, { headers: { cookie } });
      await answer.text();
      return answer.status;
    },

    /** Signs in from a device that is not this browser, as a form would. Answers its cookie. */
    async signInElsewhere(name, headers = {}) {
      const body = new URLSearchParams({ username: name, password: PASSWORD });
      const answer = await ask(`${url}/login`, { method: 'POST', body, headers, redirect: 'manual' });
      assert.equal(answer.status, 303);
      return answer.headers.get('set-cookie').split(';')[0];
    },

    /** Ends the session of this cookie where this browser cannot notice. */
    async signOutElsewhere(cookie) {
      const headers = { authorization: `Bearer ${cookie.split('=')[1]}` };
      const answer = await ask(`${url}/api/logout`, { method: 'POST', headers });
      assert.equal((await answer.json()).ended.length, 1);
    },
  };
}

/** As `fetch`, but not for ever. */
export const ask = (url, options = {}) => fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });

/** As it is done before the first start: by a command on the machine. */
async function addAdmin(binary, data, env) {
  const command = execFile(binary, ['user', 'add', ADMIN, '--admin', '--data', data], { env });
  command.stdin.end(`${PASSWORD}\n`);
  const [code] = await within('the administrator is added', once(command, 'exit'));
  assert.equal(code, 0, 'there is an administrator');
}

/** Playwright turns the back/forward cache off; with `bfcache` it is on, as people have it. */
export async function launch({ bfcache = false } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // It sees our own pages only, and as root there is no sandbox to be had.
    chromiumSandbox: false,
    ignoreDefaultArgs: bfcache ? ['--disable-back-forward-cache'] : [],
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A person with a browser of their own: a context that ends with the test. */
async function person(t, set, options) {
  const context = await set.browser.newContext({ baseURL: set.server.url, locale: 'en-US', ...options });
  t.after(() => soon(context.close()));
  context.setDefaultTimeout(PATIENCE_MS);
  return { context, page: await context.newPage() };
}

/** A person on our home page. */
export async function visitor(t, set, options = {}) {
  const { context, page } = await person(t, set, options);
  await page.goto('/');
  return { context, page };
}

/** A person who has an account and is signed in, on the account page. How they got there is not looked at. */
export async function member(t, set, options = {}) {
  const { context, page } = await person(t, set, options);
  const name = uniqueName();
  const answer = await context.request.post('/register', { form: { username: name, password: PASSWORD } });
  assert(answer.ok(), `registered: ${answer.status()}`);
  await page.goto('/account');
  return { context, page, name, cookie: await cookieOf(context) };
}

/** A visitor who signs in or registers by the form, as people do. */
export async function enter(t, set, action, name, options = {}) {
  const { context, page } = await visitor(t, set, options);
  await fill(page, action, name);
  await page.waitForURL('/account');
  return { context, page, name, cookie: await cookieOf(context) };
}

/** The administrator, signed in by the form, on the account page. */
export const administrator = (t, set, options) => enter(t, set, '/login', ADMIN, options);

let people = 0;
export function uniqueName() {
  people += 1;
  return `Fulano ${people}`;
}

/** Fills in one of the two forms of the home page and sends it. */
export async function fill(page, action, name, password = PASSWORD) {
  const form = page.locator(`form[action="${action}"]`);
  await form.locator('[name=username]').fill(name);
  await form.locator('[name=password]').fill(password);
  await form.locator('button').click();
}

export const signOutButton = (page) => page.locator('form[action="/logout"] button');
export const signInForm = (page) => page.locator('form[action="/login"]');

/** Our cookie as a `Cookie` field has it. */
export async function cookieOf(context) {
  const [cookie] = await context.cookies();
  assert(cookie, 'the browser has our cookie');
  return `${cookie.name}=${cookie.value}`;
}

/** The browser is on our home page, and nobody is signed in there. */
export async function isSignedOut(page) {
  await page.waitForURL('/');
  await signInForm(page).waitFor();
  assert.match(await page.content(), /Home page/);
  assert.equal(await signOutButton(page).count(), 0);
}

/** The end of every test of signing out: the browser has no cookie any more, and the old one opens nothing. */
export async function isOver(set, { context, cookie }) {
  assert.deepEqual(await context.cookies(), []);
  assert.equal(await set.server.replay(cookie), 401);
}

/** The session goes on: for the server, and in the browser. */
export async function isAlive(set, { context, cookie }) {
  assert.equal(await set.server.replay(cookie), 200);
  assert.equal(await cookieOf(context), cookie);
}

/** Waits until `condition` holds, looking often. */
export async function until(what, condition) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert(Date.now() < end, `waited in vain: ${what}`);
    await pause(20);
  }
}

/**
 * Somebody else's web server, which answers every path with this page. Our server being `127.0.0.1`, it is another site
 * as `localhost`; as `127.0.0.1` it is a neighbour, another origin of our site, with which browsers do send our cookie.
 */
export async function foreignSite(t, html) {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address();
  return { otherSite: `http://localhost:${port}/`, neighbour: `http://127.0.0.1:${port}/` };
}
