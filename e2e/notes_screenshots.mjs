// Owns the pictures of the notes app, for eyes and not for assertions: node notes_screenshots.mjs FOLDER.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { launch } from './stage.mjs';
import { enter, startNotes, write, writer } from './notes_stage.mjs';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('say into which folder: node notes_screenshots.mjs FOLDER');
await mkdir(folder, { recursive: true });

const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  narrow: { colorScheme: 'light', viewport: { width: 360, height: 640 } },
};

const set = { app: await startNotes(), browser: await launch() };
for (const [look, options] of Object.entries(LOOKS)) {
  const { context, page, name } = await writer(null, set, `Ana in ${look}`, { viewport: { width: 900, height: 640 }, ...options });
  const shot = (what) => page.screenshot({ path: path.join(folder, `${what}-${look}.png`), fullPage: true });
  await write(page, 'Buy a bigger boat.');
  await write(page, 'Three things before the tide:\n  rope,\n  tar,\n  a song that everybody knows.');
  await shot('notes');
  await page.getByRole('link', { name: 'Change' }).first().click();
  await shot('note');
  const phone = await set.browser.newContext({ baseURL: set.app.url, userAgent: 'Mozilla/5.0 (iPhone) Safari/604.1' });
  const elsewhere = await phone.newPage();
  await elsewhere.goto('/');
  await enter(elsewhere, '/login', name);
  await page.goto('/account');
  await shot('account');
  await page.goto('/notes/999');
  await shot('notice');
  await context.clearCookies();
  await page.goto('/');
  await page.locator('#login-name').fill(name);
  await page.locator('#login-password').fill('not the one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await shot('home');
  await phone.close();
  await context.close();
}
await set.browser.close();
await set.app.kill();
