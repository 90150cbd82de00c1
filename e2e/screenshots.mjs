// Owns the pictures of the pages, for eyes and not for assertions: node screenshots.mjs FOLDER.
// `account.png` in it is the picture that the documentation shows.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ADMIN, fill, launch, signOutButton, startServer } from './stage.mjs';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('say into which folder: node screenshots.mjs FOLDER');
await mkdir(folder, { recursive: true });

const DEVICES = [
  ['203.0.113.7', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36'],
  ['2001:db8:4::17', 'Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0'],
];
const HERE = {
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  extraHTTPHeaders: { 'x-forwarded-for': '198.51.100.23' },
};

const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  narrow: { colorScheme: 'light', viewport: { width: 360, height: 640 } },
};

const server = await startServer(['--trusted-proxies', '127.0.0.1'], { admin: true });
const browser = await launch();

async function context(options) {
  const viewport = { width: 900, height: 560 };
  return browser.newContext({ baseURL: server.url, locale: 'en-US', viewport, ...HERE, ...options });
}

async function register(name) {
  const place = await context();
  const page = await place.newPage();
  await page.goto('/');
  await fill(page, '/register', name);
  await page.waitForURL('/account');
  await signOutButton(page).click();
  await page.waitForURL('/');
  await place.close();
  for (const [address, agent] of DEVICES) {
    await server.signInElsewhere(name, { 'user-agent': agent, 'x-forwarded-for': address });
  }
}

async function take(page, name, fullPage = true) {
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage });
}

/** All pages in one look and one language. */
async function tour(look, locale, name) {
  const place = await context({ ...LOOKS[look], locale });
  const page = await place.newPage();
  const shot = (what) => take(page, `${what}-${look}-${locale}`);
  await page.goto('/');
  await shot('home-signed-out');
  await fill(page, '/login', name, 'not the password');
  await page.getByRole('alert').waitFor();
  await shot('wrong-password');
  await fill(page, '/login', name);
  await page.waitForURL('/account');
  await shot('account');
  await page.locator('#current-password').fill('not the password');
  await page.locator('#new-password').fill('tall ships at nine');
  await page.locator('form[action="/account/password"] button').click();
  await page.getByRole('alert').waitFor();
  await shot('account-problem');
  await page.goto('/');
  await shot('home-signed-in');
  // A link on another site.
  await page.goto('data:text/html,<a>kitten</a>');
  await page.locator('a').evaluate((link, url) => link.setAttribute('href', url), `${server.url}/logout`);
  await page.locator('a').click();
  await page.waitForURL('/logout');
  await shot('confirm');
  await signOutButton(page).click();
  await page.waitForURL('/');
  await page.goto('/account/end-all');
  await shot('wrong-method');
  await place.close();
}

/** What an administrator sees; user 2 is who was registered first. */
const ADMIN_PAGES = {
  admin: '/admin',
  'admin-nobody': '/admin?name=Nobody',
  'admin-add': '/admin/add',
  'admin-user': '/admin/users/2',
  'admin-oneself': '/admin/users/1',
  'admin-confirm-delete': '/admin/users/2/confirm?deed=delete',
  'admin-confirm-password': '/admin/users/2/confirm?deed=password',
  'admin-confirm-everyone': '/admin/confirm?deed=everyone',
  'admin-audit': '/admin/audit?cause=logout',
  'admin-audit-problem': '/admin/audit?from=2027-01-16&until=2027-01-15',
  'admin-no-such-user': '/admin/users/999',
  'admin-bad-link': '/admin/users/2/confirm?deed=explode',
};

async function adminTour(look, locale) {
  const place = await context({ ...LOOKS[look], locale });
  const page = await place.newPage();
  await page.goto('/');
  await fill(page, '/login', ADMIN);
  await page.waitForURL('/account');
  for (const [what, path] of Object.entries(ADMIN_PAGES)) {
    await page.goto(path);
    await take(page, `${what}-${look}-${locale}`);
  }
  await place.close();
}

try {
  await register('Ana Clara');
  for (const look of Object.keys(LOOKS)) {
    for (const locale of ['en-US', 'pt-BR']) {
      await tour(look, locale, 'Ana Clara');
      await adminTour(look, locale);
    }
  }
  const place = await context(LOOKS.light);
  const page = await place.newPage();
  await page.goto('/');
  await fill(page, '/login', 'Ana Clara');
  await page.waitForURL('/account');
  await take(page, 'account', false);
} finally {
  await browser.close();
  await server.stop();
}
