// Owns the promise itself: whoever signs out is out, whichever way, and nobody else is.

import assert from 'node:assert/strict';
import {
  PASSWORD,
  cookieOf,
  enter,
  fill,
  isAlive,
  isOver,
  isSignedOut,
  member,
  promise,
  signInForm,
  signOutButton,
  stage,
  uniqueName,
  visitor,
} from './stage.mjs';

const set = stage();

promise('the button signs out: home page, no cookie, and the old cookie opens nothing', async (t) => {
  const ana = await enter(t, set, '/register', uniqueName());
  assert.match(await ana.page.locator('main').innerText(), new RegExp(`${ana.name}[^]*One session is open`));
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await isOver(set, ana);
});

promise('the button on the home page signs out as well', async (t) => {
  const ana = await member(t, set);
  await ana.page.goto('/');
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await isOver(set, ana);
});

promise('going to /logout by the address bar signs out', async (t) => {
  const ana = await member(t, set);
  await ana.page.goto('/logout');
  await isSignedOut(ana.page);
  await isOver(set, ana);
});

promise('signing out twice is no error', async (t) => {
  // With scripts, the other tab would notice.
  const ana = await member(t, set, { javaScriptEnabled: false });
  const other = await ana.context.newPage();
  await other.goto('/account');
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await signOutButton(other).click();
  await isSignedOut(other);
  await isOver(set, ana);
});

promise('signing out in one tab signs out the other', async (t) => {
  const ana = await member(t, set);
  const other = await ana.context.newPage();
  for (const path of ['/', '/account']) {
    await other.goto(path);
    await signOutButton(other).waitFor();
  }
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await other.reload();
  await isSignedOut(other);
  await other.goto('/account');
  await isSignedOut(other);
  await isOver(set, ana);
});

promise('signing out touches nobody else', async (t) => {
  const ana = await member(t, set);
  const rui = await member(t, set);
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await rui.page.reload();
  await signOutButton(rui.page).waitFor();
  await isAlive(set, rui);
  await isOver(set, ana);
});

promise('a person sees every device, this one marked, and signing out of it leaves the other', async (t) => {
  const ana = await enter(t, set, '/register', uniqueName());
  const userAgent = 'Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0';
  const phone = await enter(t, set, '/login', ana.name, { userAgent });

  await ana.page.reload();
  for (const [{ page }, mine] of [[ana, 'Chrome on Linux'], [phone, 'Firefox on Android']]) {
    const devices = await page.locator('tbody [role=rowheader]').allInnerTexts();
    assert.equal(devices.length, 2);
    const marked = devices.filter((device) => device.includes('this session'));
    assert.deepEqual(marked.map((device) => device.replace(/\s*this session/, '')), [mine]);
  }

  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await phone.page.reload();
  assert.equal(await phone.page.locator('tbody tr').count(), 1);
  await isAlive(set, phone);
  await isOver(set, ana);
});

promise('whoever signed out reads it, and after everywhere how much ended, once and from no link', async (t) => {
  const ana = await member(t, set, { javaScriptEnabled: false });
  const phone = await set.server.signInElsewhere(ana.name);
  await ana.page.getByRole('button', { name: 'Sign out everywhere', exact: true }).click();
  await isSignedOut(ana.page);
  const said = () => ana.page.getByRole('status').innerText();
  assert.equal(await said(), 'You have signed out everywhere: 2 sessions have ended.');
  await isOver(set, ana);
  assert.equal(await set.server.replay(phone), 401);
  await ana.page.goto('/?goodbye=everywhere+9&done=all');
  assert.equal(await said(), 'You are signed out.');
});

promise('signing in again opens a new session and does not wake the old one', async (t) => {
  const ana = await member(t, set);
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await fill(ana.page, '/login', ana.name);
  await ana.page.waitForURL('/account');
  assert.notEqual(await cookieOf(ana.context), ana.cookie);
  assert.equal(await set.server.replay(ana.cookie), 401);
});

promise('a wrong password and a wrong name look the same; the name is kept, the password never', async (t) => {
  const ana = await member(t, set);
  const { context, page } = await visitor(t, set);
  const said = [];
  for (const [name, password] of [[ana.name, 'not the password'], ['Nobody', PASSWORD]]) {
    await fill(page, '/login', name, password);
    said.push(await page.getByRole('alert').innerText());
    assert.equal(await signInForm(page).locator('[name=username]').inputValue(), name);
    assert.equal(await signInForm(page).locator('[name=password]').inputValue(), '');
    assert(!(await page.content()).includes(password));
  }
  assert.deepEqual(said, Array(2).fill('The username or the password is wrong.'));
  assert.deepEqual(await context.cookies(), []);
});
