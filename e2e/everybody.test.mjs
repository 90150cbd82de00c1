// Owns that the pages are for everybody: without scripts, without a mouse, on a narrow screen, in both languages.

import assert from 'node:assert/strict';
import {
  PASSWORD,
  cookieOf,
  enter,
  fill,
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

promise('without scripts everything works: registering, signing out, signing in', async (t) => {
  const ana = await enter(t, set, '/register', uniqueName(), { javaScriptEnabled: false });
  await signOutButton(ana.page).click();
  await isSignedOut(ana.page);
  await isOver(set, ana);
  await fill(ana.page, '/login', ana.name);
  await ana.page.waitForURL('/account');
  await ana.page.getByText(ana.name).waitFor();
  assert.equal(await set.server.replay(ana.cookie), 401);
});

promise('without a mouse one skips to the content, signs in and signs out', async (t) => {
  const ana = await member(t, set);
  const { context, page } = await visitor(t, set);
  const focused = () => page.evaluate(() => document.activeElement.outerHTML);
  const { keyboard } = page;

  await keyboard.press('Tab');
  assert.match(await focused(), /Skip to the content/);
  const skip = await page.getByText('Skip to the content').boundingBox();
  assert(skip.x >= 0 && skip.y >= 0, 'the skip link is seen while it has the focus');
  await keyboard.press('Enter');
  assert.match(await focused(), /^<main/);
  await keyboard.press('Tab');
  assert.match(await focused(), /id="sign-in-username"/);
  await keyboard.type(ana.name);
  await keyboard.press('Tab');
  await keyboard.type(PASSWORD);
  await keyboard.press('Enter');
  await page.waitForURL('/account');
  const cookie = await cookieOf(context);

  await signOutButton(page).waitFor();
  const onTheButton = () => page.evaluate(() => document.activeElement.matches('form[action="/logout"] button'));
  while (!(await onTheButton())) await keyboard.press('Tab');
  await keyboard.press('Enter');
  await isSignedOut(page);
  await isOver(set, { context, cookie });
});

promise('a Brazilian browser is spoken to in Portuguese, any other in English', async (t) => {
  const spoken = { 'pt-BR': ['pt-BR', 'Entrar', 'Suas sessões'], 'fr-FR': ['en', 'Sign in', 'Your sessions'] };
  for (const [locale, [lang, signIn, account]] of Object.entries(spoken)) {
    const { page } = await visitor(t, set, { locale });
    assert.equal(await signInForm(page).locator('button').innerText(), signIn);
    assert.match(await page.content(), /Home page/);
    const ana = await member(t, set, { locale });
    assert.equal(await ana.page.getByRole('heading', { level: 1 }).innerText(), account);
    for (const shown of [page, ana.page]) assert.equal(await shown.locator('html').getAttribute('lang'), lang);
  }
});

promise('on a screen of 320 pixels nothing has to be scrolled sideways, whatever the name', async (t) => {
  const viewport = { width: 320, height: 640 };
  for (const locale of ['en-US', 'pt-BR']) {
    const { page } = await visitor(t, set, { viewport, locale });
    const name = `${locale}-`.padEnd(64, 'W');
    const scrolling = page.locator('html');
    const fits = () => scrolling.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth);
    assert(await fits(), `home page, ${locale}`);
    await fill(page, '/login', name);
    await page.getByRole('alert').waitFor();
    assert(await fits(), `wrong password, ${locale}`);
    await fill(page, '/register', name);
    await page.waitForURL('/account');
    assert(await fits(), `account page, ${locale}`);
    await page.goto('/');
    assert(await fits(), `home page, signed in, ${locale}`);
  }
});
