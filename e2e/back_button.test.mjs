// Owns what the Back button may show. The back/forward cache is really on here, and each test says whether the page
// came from it: without that a test of the Back button proves nothing.

import assert from 'node:assert/strict';
import { isOver, isSignedOut, member, promise, signOutButton, stage } from './stage.mjs';

const set = stage({ bfcache: true });

/** Notes every showing of a page: its path, whether it was restored, and whether a user's name could be read on it. */
function watch() {
  addEventListener('pageshow', (event) => {
    const showings = JSON.parse(sessionStorage.showings ?? '[]');
    const showing = { path: location.pathname, restored: event.persisted, private: false };
    showings.push(showing);
    let on = true;
    addEventListener('pagehide', () => (on = false), { once: true });
    // The frames before they are painted, from the first on.
    (function look() {
      if (!on) return;
      showing.private ||= document.querySelector('bdi')?.checkVisibility({ visibilityProperty: true }) ?? false;
      sessionStorage.showings = JSON.stringify(showings);
      requestAnimationFrame(look);
    })();
  });
}

/**
 * A page that has listened to the server is not restored at all, since what it heard is `no-store` too. What a restored page
 * does is seen in a browser that cannot agree on who listens.
 */
function deaf() {
  Object.defineProperty(navigator, 'locks', { value: undefined });
}

/** A member whose every showing is noted, on the home page with the account page behind it. */
async function passerBy(t, script = () => {}) {
  const person = await member(t, set);
  await person.context.addInitScript(deaf);
  await person.context.addInitScript(watch);
  await person.context.addInitScript(script);
  await person.page.reload();
  await person.page.goto('/');
  await signOutButton(person.page).waitFor();
  return person;
}

/** What was shown since the two pages that a passer-by has seen. */
const shownSince = async (page) => (await page.evaluate(() => JSON.parse(sessionStorage.showings))).slice(2);
const showsTheName = () => JSON.parse(sessionStorage.showings).at(-1).private;

const home = { path: '/', restored: false, private: false };
const accountRestoredHidden = { path: '/account', restored: true, private: false };
const accountAgain = { path: '/account', restored: false, private: true };

// A restored page fires no `load`, so only the commit can be waited for.
const back = (page) => page.goBack({ waitUntil: 'commit' });
const forward = (page) => page.goForward({ waitUntil: 'commit' });

promise('Back after signing out here never shows the name', async (t) => {
  const ana = await passerBy(t);
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await back(ana.page);
  await isSignedOut(ana.page);
  await back(ana.page);
  await isSignedOut(ana.page);
  const shown = await shownSince(ana.page);
  assert(shown.length >= 2 && shown.every((showing) => !showing.private), JSON.stringify(shown));
  await isOver(set, ana);
});

promise('Back and Forward after the session ended elsewhere never show the name of a restored page', async (t) => {
  const ana = await passerBy(t);
  await set.server.signOutElsewhere(ana.cookie);
  await back(ana.page);
  await isSignedOut(ana.page);
  assert.deepEqual(await shownSince(ana.page), [accountRestoredHidden, home]);
  await forward(ana.page);
  await isSignedOut(ana.page);
  const homeRestoredHidden = { ...home, restored: true };
  assert.deepEqual(await shownSince(ana.page), [accountRestoredHidden, home, homeRestoredHidden, home]);
  assert.equal(await set.server.replay(ana.cookie), 401);
});

promise('Back after the session ended elsewhere, with all that a page listens to, never shows the name', async (t) => {
  const ana = await member(t, set);
  await ana.context.addInitScript(watch);
  const { page } = ana;
  const stream = page.waitForResponse('/api/events');
  await page.reload();
  await stream;
  await page.goto('data:text/html,elsewhere');
  await set.server.signOutElsewhere(ana.cookie);
  await back(page);
  await isSignedOut(page);
  const shown = await page.evaluate(() => JSON.parse(sessionStorage.showings));
  assert(shown.length > 1 && shown.slice(1).every((showing) => !showing.private), JSON.stringify(shown));
  assert.equal(await set.server.replay(ana.cookie), 401);
});

promise('Back while signed in shows the restored page again', async (t) => {
  const ana = await passerBy(t);
  await back(ana.page);
  await ana.page.waitForFunction(showsTheName);
  assert.deepEqual(await shownSince(ana.page), [{ ...accountAgain, restored: true }]);
});

/**
 * What may come of the check instead of a clear yes or no. Faked within the page, since Playwright cannot intercept
 * what a restored page fetches.
 */
const UNCLEAR = {
  'the check cannot be made': () => (window.fetch = () => Promise.reject(new TypeError('no network'))),
  'the check fails': () => (window.fetch = async () => new Response('', { status: 503 })),
  'another session is open by now': () => (window.fetch = async () => Response.json({ sid: 's_another' })),
};

for (const [when, answer] of Object.entries(UNCLEAR)) {
  promise(`Back when ${when} shows nothing of the restored page, but asks for it again`, async (t) => {
    const ana = await passerBy(t, answer);
    await back(ana.page);
    await ana.page.waitForFunction(showsTheName);
    assert.deepEqual(await shownSince(ana.page), [accountRestoredHidden, accountAgain]);
  });
}
