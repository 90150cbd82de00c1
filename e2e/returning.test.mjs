// Owns that whoever another app has sent here comes back to it after signing in and after signing out, in a browser that
// holds every redirect of a form to our own policy; and that nobody is led to an app that the operator has not named.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before } from 'node:test';
import { closes, cookieOf, fill, isOver, launch, promise, signOutButton, startServer, uniqueName, visitor } from './stage.mjs';

/** An app on another port of our host, as one behind a proxy is; and one that nobody has named. */
const apps = {};
const set = {};

before(async () => {
  for (const which of ['named', 'stranger']) {
    const app = createServer((request, response) => {
      const out = `${set.server.url}/logout?${new URLSearchParams({ return_to: `${apps[which].url}/bye?x=1&y=2` })}`;
      response.setHeader('content-type', 'text/html').end(`<title>${which}</title><a href="${out}">Sign out</a>`);
    });
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    apps[which] = { app, url: `http://127.0.0.1:${app.address().port}` };
  }
  set.server = await startServer(['--return-origins', apps.named.url]);
  set.browser = await launch();
});
after(async () => {
  await closes(set.browser);
  await set.server?.stop();
  for (const { app } of Object.values(apps)) app.close();
});

/** Registers by the form, as somebody whom an app has sent here from this address of its own. */
async function register(t, address) {
  const { context, page } = await visitor(t, set);
  await page.goto(`/?${new URLSearchParams({ return_to: address })}`);
  const name = uniqueName();
  await fill(page, '/register', name);
  return { context, page, name };
}

promise('whom an app has sent here to sign in comes back to where they wanted to go', async (t) => {
  const address = `${apps.named.url}/notes?page=2&order=new#end`;
  const { context, page, name } = await register(t, address);
  await page.waitForURL(address);
  assert.equal(await page.title(), 'named');

  await context.clearCookies();
  await page.goto(`${set.server.url}/?${new URLSearchParams({ return_to: address })}`);
  await fill(page, '/login', name, 'the wrong password');
  await page.getByRole('alert').waitFor();
  await fill(page, '/login', name);
  await page.waitForURL(address);
});

promise('the link of an app asks, signs out and leads back to the app', async (t) => {
  const { context, page } = await register(t, `${apps.named.url}/notes`);
  await page.waitForURL(`${apps.named.url}/notes`);
  const cookie = await cookieOf(context);
  await page.getByText('Sign out').click();
  await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
  assert.equal(await set.server.replay(cookie), 200);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${apps.named.url}/bye?x=1&y=2`);
  await isOver(set, { context, cookie });
});

promise('nobody is led to an app that was not named', async (t) => {
  const { context, page } = await register(t, `${apps.stranger.url}/notes`);
  await page.waitForURL('/account');
  const cookie = await cookieOf(context);
  await page.goto(`${apps.stranger.url}/`);
  await page.getByText('Sign out').click();
  await signOutButton(page).click();
  await page.waitForURL('/');
  await isOver(set, { context, cookie });
});
