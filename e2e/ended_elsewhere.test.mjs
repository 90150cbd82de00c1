// Owns that whoever is signed out elsewhere sees it here: other devices, other tabs, within a second, without a reload.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import {
  PASSWORD,
  cookieOf,
  enter,
  isAlive,
  isOver,
  isSignedOut,
  member,
  promise,
  signInForm,
  signOutButton,
  stage,
  uniqueName,
  until,
} from './stage.mjs';

const set = stage();

/** How soon an open page has left; a loaded machine is given some more than the second that is promised. */
const NOTICE_MS = 3_000;

const PHONE = { userAgent: 'Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0' };
const endButton = (page, device) => page.getByRole('row', { name: device }).locator('form[action="/account/end"] button');

/** Loads a page in a browser that has no other, and waits until it listens. */
async function openAndListening(page, path) {
  const listens = page.waitForResponse('/api/events');
  await page.goto(path);
  await listens;
}

async function hasLeftByItself(page) {
  await page.waitForURL('/', { timeout: NOTICE_MS });
  await signInForm(page).waitFor();
}

promise('one device ends another, whose open page leaves by itself', async (t) => {
  const ana = await enter(t, set, '/register', uniqueName());
  const phone = await enter(t, set, '/login', ana.name, PHONE);
  await openAndListening(phone.page, '/account');
  await ana.page.reload();
  await endButton(ana.page, 'Firefox on Android').click();
  await ana.page.getByText('The session has ended.').waitFor();
  await hasLeftByItself(phone.page);
  assert.equal(await set.server.replay(phone.cookie), 401);
  await isAlive(set, ana);
  assert.equal(await ana.page.locator('tbody tr').count(), 1);
});

promise('every tab of a browser leaves, though only one of them listens', async (t) => {
  const ana = await member(t, set);
  await openAndListening(ana.page, '/account');
  const tabs = [ana.page];
  let listeners = 0;
  for (const path of ['/', '/account', '/', '/account', '/', '/account']) {
    const tab = await ana.context.newPage();
    tab.on('request', (request) => (listeners += request.url().endsWith('/api/events') ? 1 : 0));
    await tab.goto(path);
    await signOutButton(tab).waitFor();
    tabs.push(tab);
  }
  assert.equal(listeners, 0, 'only the first listens');
  await set.server.signOutElsewhere(ana.cookie);
  await Promise.all(tabs.map(hasLeftByItself));
  assert.equal(await set.server.replay(ana.cookie), 401);
});

promise('signing out in one tab empties the others, and the cookie is gone', async (t) => {
  const ana = await member(t, set);
  await openAndListening(ana.page, '/account');
  const other = await ana.context.newPage();
  await other.goto('/');
  await signOutButton(other).click();
  await isSignedOut(other);
  await hasLeftByItself(ana.page);
  await isOver(set, ana);
});

promise('when the tab that listens is closed, another does', async (t) => {
  const ana = await member(t, set);
  await openAndListening(ana.page, '/account');
  const other = await ana.context.newPage();
  await other.goto('/account');
  const takesOver = other.waitForResponse('/api/events');
  await ana.page.close();
  await takesOver;
  await set.server.signOutElsewhere(ana.cookie);
  await hasLeftByItself(other);
});

promise('a new sign-in in one tab is found by the others, which show it', async (t) => {
  const ana = await member(t, set);
  await openAndListening(ana.page, '/account');
  const rui = uniqueName();
  const answer = await ana.context.request.post('/register', { form: { username: rui, password: PASSWORD } });
  assert(answer.ok());
  await ana.page.getByText(rui).waitFor({ timeout: NOTICE_MS });
  assert.equal(await set.server.replay(ana.cookie), 401);
});

promise('a page that cannot listen stays as it is, tries again, and then notices', async (t) => {
  const ana = await member(t, set);
  const unreachable = (route) => route.abort();
  await ana.context.route('/api/*', unreachable);
  await ana.page.goto('/account');
  for (let tries = 0; tries < 2; tries += 1) await ana.page.waitForRequest('/api/events');
  assert(await signOutButton(ana.page).isVisible());
  const listens = ana.page.waitForResponse('/api/events');
  await ana.context.unroute('/api/*', unreachable);
  await listens;
  await set.server.signOutElsewhere(ana.cookie);
  await hasLeftByItself(ana.page);
});

promise('the list of sessions stays true, and the focus where it was', async (t) => {
  const ana = await member(t, set);
  await set.server.signInElsewhere(ana.name);
  await ana.page.reload();
  const button = ana.page.locator('form[action="/account/end"] button').first();
  await button.focus();
  const id = await button.getAttribute('id');
  await set.server.signInElsewhere(ana.name);
  await ana.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await until('the new session is listed', async () => (await ana.page.locator('tbody tr').count()) === 3);
  assert.equal(await ana.page.evaluate(() => document.activeElement.id), id);
  assert.equal(await ana.page.locator('#count').innerText(), 'Three sessions are open.');
});

promise('without scripts another session is ended, the others are, and the password is changed', async (t) => {
  const ana = await member(t, set, { javaScriptEnabled: false });
  const others = [];
  for (let n = 0; n < 3; n += 1) others.push(await set.server.signInElsewhere(ana.name));
  await ana.page.reload();
  await ana.page.locator('form[action="/account/end"] button').first().click();
  await ana.page.getByText('The session has ended.').waitFor();
  assert.equal(await set.server.replay(others[2]), 401);

  await ana.page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await ana.page.getByText('You are signed out everywhere else.').waitFor();
  for (const other of others) assert.equal(await set.server.replay(other), 401);
  await isAlive(set, ana);

  const elsewhere = await set.server.signInElsewhere(ana.name);
  const change = async (current) => {
    await ana.page.getByLabel('Current password').fill(current);
    await ana.page.getByLabel('New password').fill('tall ships at nine');
    await ana.page.getByRole('button', { name: 'Change the password' }).click();
  };
  await change('not the password');
  await ana.page.getByText('The current password is wrong.').waitFor();
  await isAlive(set, ana);
  await change(PASSWORD);
  await ana.page.getByText('The password has been changed').waitFor();
  for (const old of [ana.cookie, elsewhere]) assert.equal(await set.server.replay(old), 401);
  assert.equal(await set.server.replay(await cookieOf(ana.context)), 200);
});

promise('with scripts the password is changed, and both tabs go on', async (t) => {
  const ana = await member(t, set);
  await openAndListening(ana.page, '/account');
  const other = await ana.context.newPage();
  await other.goto('/');
  await ana.page.getByLabel('Current password').fill(PASSWORD);
  await ana.page.getByLabel('New password').fill('tall ships at nine');
  await ana.page.getByRole('button', { name: 'Change the password' }).click();
  await ana.page.getByText('The password has been changed').waitFor();
  assert.equal(await set.server.replay(ana.cookie), 401);
  assert.equal(await set.server.replay(await cookieOf(ana.context)), 200);
  await pause(1_500);
  await signOutButton(other).waitFor();
});
