// Owns that axe finds no serious fault on any page, light or dark, wide or narrow.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { administrator, enter, fill, member, promise, stage, uniqueName, visitor } from './stage.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const set = stage({ admin: true });

const LOOKS = {
  light: { colorScheme: 'light' },
  'dark and narrow': { colorScheme: 'dark', viewport: { width: 360, height: 640 }, locale: 'pt-BR' },
};

/** Serious and critical faults, each with what it is found on. */
async function isAccessible(page, what) {
  // Our policy lets no script in by a tag; the debugger may.
  await page.evaluate(`${axe};0`);
  const { violations } = await page.evaluate(() => window.axe.run());
  const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const said = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  assert.deepEqual(said, [], what);
}

for (const [name, look] of Object.entries(LOOKS)) {
  promise(`the pages of people, ${name}`, async (t) => {
    const { page } = await visitor(t, set, look);
    await isAccessible(page, 'home');
    await fill(page, '/login', uniqueName());
    await page.getByRole('alert').waitFor();
    await isAccessible(page, 'wrong password');
    const ana = await enter(t, set, '/register', uniqueName(), look);
    await set.server.signInElsewhere(ana.name);
    await ana.page.reload();
    await isAccessible(ana.page, 'account');
    await ana.page.locator('#current-password').fill('not the password');
    await ana.page.locator('#new-password').fill('tall ships at nine');
    await ana.page.locator('form[action="/account/password"] button').click();
    await ana.page.getByRole('alert').waitFor();
    await isAccessible(ana.page, 'account, wrong password');
    await ana.page.goto('/');
    await isAccessible(ana.page, 'home, signed in');
    await ana.page.goto('/admin');
    await isAccessible(ana.page, 'a notice');
  });

  promise(`the pages of administration, ${name}`, async (t) => {
    const boss = await administrator(t, set, look);
    await member(t, set);
    for (const path of [
      '/account',
      '/admin',
      '/admin?name=Nobody',
      '/admin/add',
      '/admin/users/1',
      '/admin/users/2',
      '/admin/users/2/confirm?deed=delete',
      '/admin/users/2/confirm?deed=password',
      '/admin/confirm?deed=everyone',
      '/admin/audit',
      '/admin/audit?cause=restored',
      '/admin/audit?from=2027-01-16&until=2027-01-15',
    ]) {
      await boss.page.goto(path);
      await isAccessible(boss.page, path);
      const fits = await boss.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
      assert(fits, `${path} needs no scrolling sideways`);
    }
  });
}
