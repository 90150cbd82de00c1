// Owns administration as an administrator meets it: what would end is shown before it ends.

import assert from 'node:assert/strict';
import { administrator, isAlive, isOver, isSignedOut, member, promise, signInForm, stage } from './stage.mjs';

const set = stage({ admin: true });

async function openUser(page, name) {
  await page.goto('/account');
  await page.getByRole('link', { name: 'Administration' }).click();
  await page.getByLabel('Username').fill(name);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

promise('what would end is shown, can be declined, and is then done', async (t) => {
  const boss = await administrator(t, set);
  const ana = await member(t, set);
  const program = await set.server.signInElsewhere(ana.name);
  await openUser(boss.page, ana.name);
  const disable = boss.page.getByRole('button', { name: 'Disable' });
  await disable.click();
  await boss.page.getByText('Two sessions would end:').waitFor();
  await isAlive(set, ana);
  await boss.page.getByRole('link', { name: 'Leave everything as it is' }).click();
  await isAlive(set, ana);
  await disable.click();
  await boss.page.getByRole('button', { name: 'Disable' }).click();
  await boss.page.getByText('The user is disabled').waitFor();
  await ana.page.waitForURL('/');
  await signInForm(ana.page).waitFor();
  for (const old of [ana.cookie, program]) assert.equal(await set.server.replay(old), 401);
  await isAlive(set, boss);
});

promise('the audit trail is found by filter', async (t) => {
  const boss = await administrator(t, set, { javaScriptEnabled: false });
  const ana = await member(t, set);
  await set.server.signOutElsewhere(ana.cookie);
  await boss.page.goto('/admin/audit');
  await boss.page.getByLabel('Username').fill(ana.name);
  await boss.page.getByLabel('Why it ended').selectOption('Signed out');
  await boss.page.getByRole('button', { name: 'Show' }).click();
  assert.equal(await boss.page.locator('tbody tr').count(), 1);
  assert.match(await boss.page.locator('tbody tr').innerText(), /Signed out/);
});

promise('everyone is signed out, the administrator included', async (t) => {
  const boss = await administrator(t, set);
  const ana = await member(t, set);
  await boss.page.goto('/admin');
  await boss.page.getByRole('button', { name: 'Sign everyone out' }).click();
  await boss.page.getByText('sessions would end:').waitFor();
  await boss.page.getByText(`${ana.name}: 1 session`).waitFor();
  await boss.page.getByRole('button', { name: 'Sign everyone out' }).click();
  await isSignedOut(boss.page);
  await isOver(set, boss);
  assert.equal(await set.server.replay(ana.cookie), 401);
});
