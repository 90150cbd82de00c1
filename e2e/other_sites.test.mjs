// Owns that nobody is signed out by another site, nor by a browser that looks ahead, but by their own decision.

import assert from 'node:assert/strict';
import { foreignSite, isAlive, isOver, isSignedOut, member, promise, signOutButton, stage, until } from './stage.mjs';

const set = stage();

/** What a page can do to `/logout` without anybody clicking. */
const ATTACKS = {
  'an image': (url) => `<img src="${url}">`,
  'a fetch with credentials': (url) => `<script>fetch('${url}', { mode: 'no-cors', credentials: 'include' })</script>`,
  'a form that sends itself': (url) =>
    `<form method="post" action="${url}"></form><script>document.forms[0].submit()</script>`,
  'a frame': (url) => `<iframe src="${url}"></iframe>`,
  'a prefetch': (url) => `<link rel="prefetch" href="${url}">`,
};

for (const from of ['otherSite', 'neighbour']) {
  const where = from === 'otherSite' ? 'on another site' : 'on another origin of the same site';

  promise(`a link ${where} only asks; the button then signs out`, async (t) => {
    const ana = await member(t, set);
    const site = await foreignSite(t, `<a href="${set.server.url}/logout">a kitten</a>`);
    await ana.page.goto(site[from]);
    await ana.page.getByText('a kitten').click();
    await ana.page.getByRole('heading', { name: 'Sign out?' }).waitFor();
    await isAlive(set, ana);
    await signOutButton(ana.page).click();
    await isSignedOut(ana.page);
    await isOver(set, ana);
  });

  for (const [what, attack] of Object.entries(ATTACKS)) {
    promise(`${what} ${where} signs nobody out`, async (t) => {
      const ana = await member(t, set);
      const before = await set.server.answered('/logout');
      const site = await foreignSite(t, attack(`${set.server.url}/logout`));
      await ana.page.goto(site[from], { waitUntil: 'commit' });
      await until('the attack arrives', async () => (await set.server.answered('/logout')) > before);
      await isStillSignedIn(ana);
    });
  }
}

promise('the question stays a question when it is declined, reloaded or come back to', async (t) => {
  const ana = await member(t, set);
  const question = ana.page.getByRole('heading', { name: 'Sign out?' });
  const site = await foreignSite(t, `<a href="${set.server.url}/logout">a kitten</a>`);
  await ana.page.goto(site.otherSite);
  await ana.page.getByText('a kitten').click();
  await question.waitFor();
  await ana.page.reload();
  await question.waitFor();
  await ana.page.getByRole('link', { name: 'Stay signed in' }).click();
  await signOutButton(ana.page).waitFor();
  await ana.page.waitForURL('/');
  await ana.page.goBack();
  await question.waitFor();
  await isStillSignedIn(ana);
});

const speculation = (how) =>
  `<script type="speculationrules">{"${how}":[{"urls":["/logout"],"eagerness":"immediate"}]}</script>`;

/** What a page of our own could do to it, if somebody put a careless tag there. */
const SLIPS = {
  'an image': '<img src="/logout">',
  'a script': '<script src="/logout"></script>',
  'a frame': '<iframe src="/logout"></iframe>',
  'a prefetch': '<link rel="prefetch" href="/logout">',
  'a speculative prefetch': speculation('prefetch'),
  'a prerendering': speculation('prerender'),
};

for (const [what, tag] of Object.entries(SLIPS)) {
  promise(`${what} on our own site signs nobody out`, async (t) => {
    const ana = await member(t, set);
    const before = await set.server.answered('/logout', '403');
    await ana.page.route('/careless', (route) => route.fulfill({ contentType: 'text/html', body: tag }));
    await ana.page.goto('/careless', { waitUntil: 'commit' });
    await until('it is refused', async () => (await set.server.answered('/logout', '403')) > before);
    await isStillSignedIn(ana);
  });
}

/** Seen from a second tab, since the first may be on its way somewhere. */
async function isStillSignedIn(person) {
  const tab = await person.context.newPage();
  await tab.goto('/account');
  await signOutButton(tab).waitFor();
  await isAlive(set, person);
}
