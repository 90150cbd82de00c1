// Owns how the notes app is put on the stage: its process, and the people in it. What a browser is, `stage.mjs` says.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { PASSWORD, ask, closes, launch, soon, within } from './stage.mjs';

const BINARY = process.env.NOTES_BIN ?? path.resolve(import.meta.dirname, '../target/debug/exeunt-example-notes');

/** Nothing here takes longer than this, even on a slow machine. */
const PATIENCE_MS = 15_000;

/** The app and the browser of a file of tests. */
export function notesStage({ bfcache = false } = {}) {
  const set = {};
  before(async () => {
    set.app = await startNotes();
    set.browser = await launch({ bfcache });
  });
  after(async () => {
    await closes(set.browser);
    await set.app?.kill();
  });
  return set;
}

export async function startNotes() {
  const data = await mkdtemp(path.join(tmpdir(), 'exeunt-notes-'));
  const child = spawn(BINARY, ['--listen', '127.0.0.1:0', '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await within('the app says where it is', said.next());
  return {
    url: value.match(/http:\/\/\S+/)[0],

    async kill() {
      child.kill('SIGKILL');
      await exit;
      await rm(data, { recursive: true });
    },
  };
}

/** Somebody new, signed in by the form, on the page of their notes. */
export async function writer(t, set, name, options = {}) {
  const context = await set.browser.newContext({ baseURL: set.app.url, locale: 'en-US', ...options });
  t?.after(() => soon(context.close()));
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto('/');
  await enter(page, '/register', name);
  return { context, page, name, cookie: await cookieOf(context) };
}

/** Fills in one of the two forms of the first page and sends it. */
export async function enter(page, action, name) {
  const form = page.locator(`form[action="${action}"]`);
  await form.locator('[name=username]').fill(name);
  await form.locator('[name=password]').fill(PASSWORD);
  await form.locator('button').click();
  await page.waitForURL('/notes');
}

export async function write(page, text) {
  await page.locator('textarea').fill(text);
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.locator('#notes .text', { hasText: text }).waitFor();
}

export const note = (page, text) => page.locator('#notes .text', { hasText: text });
export const signOut = (page) => page.getByRole('button', { name: 'Sign out', exact: true });
export const signInForm = (page) => page.locator('form[action="/login"]');

export async function cookieOf(context) {
  const [cookie] = await context.cookies();
  assert(cookie, 'the browser has our cookie');
  return `${cookie.name}=${cookie.value}`;
}

/** The end of every test of signing out: the browser has no cookie any more, and the old one opens nothing. */
export async function isOver(set, { context, cookie }) {
  assert.deepEqual(await context.cookies(), []);
  await isRefused(set, cookie);
}

/** The old cookie, replayed with no browser in between. */
export async function isRefused(set, cookie) {
  const page = await ask(`${set.app.url}/notes`, { headers: { cookie }, redirect: 'manual' });
  assert.deepEqual([page.status, page.headers.get('location')], [303, '/']);
  const stream = await ask(`${set.app.url}/notes/events`, { headers: { cookie } });
  assert.equal(stream.status, 401);
  await stream.text();
}
