// Owns the notes app as a person meets it: two tabs, two devices, the Back button, no scripts. The back/forward cache is really
// on here.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ask, promise, soon, until } from './stage.mjs';
import {
  cookieOf, enter, isOver, isRefused, note, notesStage, signInForm, signOut, write, writer,
} from './notes_stage.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const set = notesStage({ bfcache: true });

/** Notes of every showing of a page what could be read on it, from its first frame on. */
function watch() {
  addEventListener('pageshow', ({ persisted }) => {
    const showings = JSON.parse(sessionStorage.showings ?? '[]');
    const showing = { path: location.pathname, restored: persisted, private: false };
    showings.push(showing);
    let on = true;
    addEventListener('pagehide', () => (on = false), { once: true });
    (function look() {
      if (!on) return;
      showing.private ||= document.querySelector('bdi, .text')?.checkVisibility() ?? false;
      sessionStorage.showings = JSON.stringify(showings);
      requestAnimationFrame(look);
    })();
  });
}

const showings = (page) => page.evaluate(() => JSON.parse(sessionStorage.showings));

/** A page with a stream that is open may not be kept for the Back button at all; without one it is. */
function deaf() {
  window.EventSource = class extends EventTarget {
    close() {}
  };
}

promise('A note written in one tab appears in another, and both leave when one signs out', async (t) => {
  const ana = await writer(t, set, 'Ana of two tabs');
  const other = await ana.context.newPage();
  await other.goto('/notes');
  await write(ana.page, 'a bigger boat');
  await note(other, 'a bigger boat').waitFor();

  await signOut(ana.page).click();
  await ana.page.waitForURL('/');
  await other.waitForURL('/');
  await signInForm(other).waitFor();
  await isOver(set, ana);
});

promise('A device that is ended from another leaves its page', async (t) => {
  const phone = await writer(t, set, 'Ana of two devices');
  await write(phone.page, 'only mine');
  const laptop = await set.browser.newContext({ baseURL: set.app.url });
  t.after(() => soon(laptop.close()));
  const page = await laptop.newPage();
  await page.goto('/');
  await enter(page, '/login', phone.name);
  await note(page, 'only mine').waitFor();
  await page.goto('/account');
  await page.getByRole('button', { name: 'End' }).click();

  await phone.page.waitForURL('/');
  await signInForm(phone.page).waitFor();
  await isRefused(set, phone.cookie);
  await page.goto('/notes');
  await note(page, 'only mine').waitFor();
});

promise('A changed password keeps every tab of this browser and ends the other device', async (t) => {
  const ana = await writer(t, set, 'Ana of a new password');
  const other = await ana.context.newPage();
  await other.goto('/notes');
  const elsewhere = await set.browser.newContext({ baseURL: set.app.url });
  t.after(() => soon(elsewhere.close()));
  const page = await elsewhere.newPage();
  await page.goto('/');
  await enter(page, '/login', ana.name);

  await ana.page.goto('/account');
  await ana.page.locator('#current').fill('curtain call at nine');
  await ana.page.locator('#new').fill('curtain call at ten');
  await ana.page.getByRole('button', { name: 'Change it' }).click();
  await ana.page.getByText('One other device was signed out').waitFor();
  await page.waitForURL('/');
  await isRefused(set, ana.cookie);
  const now = await cookieOf(ana.context);
  assert.notEqual(now, ana.cookie);
  // The other tab has lost its session and finds the new one.
  const sid = (tab) => tab.evaluate(() => document.documentElement.dataset.session);
  await until('the other tab has the new session', async () => {
    const [mine, theirs] = await Promise.all([sid(ana.page), sid(other)]).catch(() => [0, 1]);
    return mine === theirs;
  });
});

/** Goes back, and answers what was shown until the first page was there for whoever is not signed in. */
async function shownOnTheWayBack(page) {
  const before = (await showings(page)).length;
  await page.goBack({ waitUntil: 'commit' });
  await page.waitForURL('/');
  await signInForm(page).waitFor();
  return (await showings(page)).slice(before);
}

promise('Back after signing out shows nothing private', async (t) => {
  const ana = await writer(t, set, 'Ana who goes back');
  await ana.context.addInitScript(watch);
  await ana.page.goto('/notes');
  await write(ana.page, 'secret');
  await signOut(ana.page).click();
  await ana.page.waitForURL('/');
  await isOver(set, ana);
  const shown = await shownOnTheWayBack(ana.page);
  assert.deepEqual(shown.filter((showing) => showing.private), []);
});

promise('Back to a page from memory shows nothing private where the session has ended elsewhere', async (t) => {
  const ana = await writer(t, set, 'Ana who is ended elsewhere');
  await write(ana.page, 'secret');
  await ana.context.addInitScript(deaf);
  await ana.context.addInitScript(watch);
  await ana.page.goto('/notes');
  await ana.page.goto('/account');
  await ask(`${set.app.url}/logout`, { method: 'POST', headers: { cookie: ana.cookie }, redirect: 'manual' });
  const shown = await shownOnTheWayBack(ana.page);
  assert(shown[0].restored, 'the page came from memory');
  assert.deepEqual(shown.filter((showing) => showing.private), []);
  await isRefused(set, ana.cookie);
});

promise('Everything works without scripts', async (t) => {
  const ana = await writer(t, set, 'Ana without scripts', { javaScriptEnabled: false });
  await write(ana.page, 'first');
  await ana.page.getByRole('link', { name: 'Change' }).click();
  await ana.page.locator('textarea').fill('second');
  await ana.page.getByRole('button', { name: 'Keep the change' }).click();
  await note(ana.page, 'second').waitFor();
  await ana.page.getByRole('button', { name: 'Delete' }).click();
  await ana.page.getByText('Nothing yet.').waitFor();
  await ana.page.goto('/account');
  await ana.page.getByText('this one').waitFor();
  await ana.page.getByRole('button', { name: 'Sign out everywhere', exact: true }).click();
  await signInForm(ana.page).waitFor();
  await isOver(set, ana);
});

/** Serious and critical faults, each with what it is found on. */
async function isAccessible(page, what) {
  // Our policy lets no script in by a tag; the debugger may.
  await page.evaluate(`${axe};0`);
  const { violations } = await page.evaluate(() => window.axe.run());
  const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const said = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  assert.deepEqual(said, [], what);
}

for (const colorScheme of ['light', 'dark']) {
  promise(`axe finds no serious fault on any page, ${colorScheme}`, async (t) => {
    const look = { colorScheme, viewport: { width: 360, height: 640 } };
    const ana = await writer(t, set, `Ana in the ${colorScheme}`, look);
    await write(ana.page, 'a note');
    for (const path of ['/notes', '/account', '/notes/0']) {
      await ana.page.goto(path);
      await isAccessible(ana.page, path);
    }
    await ana.page.goto('/notes');
    await ana.page.getByRole('link', { name: 'Change' }).click();
    await ana.page.waitForURL(/notes.\d/);
    await isAccessible(ana.page, 'one note');
    await signOut(ana.page).click();
    await ana.page.waitForURL('/');
    await ana.page.locator('#login-name').fill('nobody');
    await ana.page.locator('#login-password').fill('not the one');
    await ana.page.getByRole('button', { name: 'Sign in' }).click();
    await ana.page.getByRole('alert').waitFor();
    await isAccessible(ana.page, 'wrong password');
    await isOver(set, ana);
  });
}

promise('Nothing is said on the console and nothing breaks the policy', async (t) => {
  const ana = await writer(t, set, 'Ana of the console');
  const said = [];
  ana.page.on('console', (message) => said.push(message.text()));
  ana.page.on('pageerror', (error) => said.push(String(error)));
  await write(ana.page, '<img src=x onerror=alert(1)>');
  for (const path of ['/account', '/notes/1', '/notes']) await ana.page.goto(path);
  await signOut(ana.page).click();
  await ana.page.waitForURL('/');
  assert.deepEqual(said.filter((text) => !text.includes('404')), []);
  await isOver(set, ana);
});
