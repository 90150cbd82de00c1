// Owns that browsers find nothing to complain about on any page: no script error, nothing that our own policy forbids.

import assert from 'node:assert/strict';
import {
  fill,
  foreignSite,
  isOver,
  isSignedOut,
  member,
  promise,
  signOutButton,
  stage,
  uniqueName,
  visitor,
} from './stage.mjs';

const set = stage();

/** What the browser complains about. That a page came with an error status is no complaint where it was meant to. */
function complaints(page) {
  const list = [];
  page.on('console', (message) => {
    const { url } = message.location();
    // A text page cannot say that we have no icon, so the browser looks for one.
    const isStatus = message.text().startsWith('Failed to load resource');
    const meant = isStatus && [page.url(), `${set.server.url}/favicon.ico`].includes(url);
    if (['error', 'warning'].includes(message.type()) && !meant) list.push(`${url}: ${message.text()}`);
  });
  page.on('pageerror', (error) => list.push(error.message));
  page.on('requestfailed', (request) => {
    const { errorText } = request.failure();
    // A page that goes takes its stream with it.
    const left = request.url().endsWith('/api/events') && errorText === 'net::ERR_ABORTED';
    if (!left) list.push(`${request.url()}: ${errorText}`);
  });
  return list;
}

promise('pages of somebody signed out', async (t) => {
  const { page } = await visitor(t, set);
  const list = complaints(page);
  await page.reload();
  await fill(page, '/login', uniqueName());
  await page.getByRole('alert').waitFor();
  await fill(page, '/register', 'with:colon');
  await page.getByRole('alert').waitFor();
  const answer = await page.goto('/no-such-page');
  assert.equal(answer.status(), 404);
  assert.equal(await page.locator('body').innerText(), 'Not Found');
  assert.deepEqual(list, []);
});

promise('pages of somebody signed in, up to the end', async (t) => {
  const ana = await member(t, set);
  const list = complaints(ana.page);
  await ana.page.reload();
  await ana.page.goto('/');

  const link = `<a href="${set.server.url}/logout">a kitten</a>`;
  const form = `<form method="post" action="${set.server.url}/logout"><button>a kitten</button></form>`;
  await ana.page.goto((await foreignSite(t, form)).otherSite);
  await ana.page.getByText('a kitten').click();
  await ana.page.getByRole('heading', { name: 'Refused' }).waitFor();
  await ana.page.goto((await foreignSite(t, link)).otherSite);
  await ana.page.getByText('a kitten').click();
  await ana.page.getByRole('heading', { name: 'Sign out?' }).waitFor();
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  assert.deepEqual(list, []);
  await isOver(set, ana);
});
