// The lesson's app as a real program on a real exeunt server: what its two hints ask, in our words and, where the
// lesson lies beside the checkout, in its own; and what the lesson does not ask: that the old cookie is dead.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { assert as chaiAssert } from 'chai';

import { ask, PASSWORD, promise, stage, uniqueName, Visitor } from '../../../clients/express/test/stage.mjs';
import { startProgram } from './program.mjs';

const set = stage();
const LESSON_SITE = 'https://www.freecodecamp.org';
const SEEDS = path.resolve(import.meta.dirname, '../../../../shared/seeds');
const PROGRAM = path.resolve(import.meta.dirname, '../server.js');

const startLesson = (t, env = {}) => startProgram(t, PROGRAM, { EXEUNT_SERVER: set.server.url, PORT: '0', ...env });

/** Somebody who has registered at the app, and so is signed in. */
async function registered(url) {
  const visitor = Object.assign(new Visitor(url), { name: uniqueName() });
  const answer = await visitor.post('/register', { username: visitor.name, password: PASSWORD });
  assert.deepEqual([answer.status, answer.headers.location], [302, '/profile'], answer.text);
  return visitor;
}

promise('the source that the app shows is its own, and its logout route calls req.logout', async (t) => {
  const { url } = await startLesson(t);
  const source = await (await fetch(`${url}/_api/server.js`)).text();
  assert.equal(source, await readFile(PROGRAM, 'utf8'));
  const route = source.slice(source.indexOf("'/logout'"), source.indexOf("'/_api/server.js'"));
  assert.match(route, /req\.logout\(\);\n\s*res\.redirect\('\/'\);/);
});

promise('whoever asks for /logout is led to the home page', async (t) => {
  const { url } = await startLesson(t);
  const answer = await fetch(`${url}/logout`);
  assert.equal(answer.url, `${url}/`);
  assert.match(await answer.text(), /Home page/);
});

promise('after the logout of the lesson the old cookie opens nothing, at the app and at the server', async (t) => {
  const { url } = await startLesson(t);
  const visitor = await registered(url);
  assert.match((await visitor.get('/profile')).text, new RegExp(`Welcome, ${visitor.name}!`));
  const { cookie, token } = visitor;
  const left = await visitor.get('/logout');
  assert.deepEqual([left.status, left.headers.location, visitor.cookie], [302, '/', null]);
  const old = Object.assign(new Visitor(url), { cookie });
  assert.equal((await old.get('/profile')).status, 302);
  assert.doesNotMatch((await old.get('/')).text, new RegExp(visitor.name));
  assert.equal(await set.server.replay(token), 401);
});

promise('the routes are those of the lesson, and any other is Not Found', async (t) => {
  const { url } = await startLesson(t);
  const visitor = await registered(url);
  await visitor.get('/logout');
  const form = { username: visitor.name, password: PASSWORD };
  const wrong = await visitor.post('/login', { ...form, password: 'wrong curtain' });
  assert.deepEqual([wrong.status, wrong.headers.location], [302, '/']);
  const entered = await visitor.post('/login', form);
  assert.deepEqual([entered.status, entered.headers.location], [302, '/profile']);
  assert.match((await visitor.get('/')).text, /Home page/);
  const missing = await visitor.get('/nowhere');
  assert.deepEqual([missing.status, missing.text], [404, 'Not Found']);
  assert.match(missing.headers['content-type'], /^text\/plain/);
});

promise("the lesson's own site may read what a stranger sees, and no other site anything", async (t) => {
  const { url } = await startLesson(t);
  const allowed = async (path, origin) => {
    const { headers } = await ask(url + path, { headers: { origin } });
    assert.equal(headers['access-control-allow-credentials'], undefined);
    if (path !== '/profile') assert.match(headers.vary, /Origin/);
    return headers['access-control-allow-origin'];
  };
  for (const path of ['/_api/server.js', '/logout', '/']) {
    assert.equal(await allowed(path, LESSON_SITE), LESSON_SITE);
    for (const other of [
      'https://evil.example',
      `${LESSON_SITE}.evil.example`,
      'http://www.freecodecamp.org',
      'null',
    ]) {
      assert.equal(await allowed(path, other), undefined, other);
    }
  }
  assert.equal(await allowed('/profile', LESSON_SITE), undefined);
});

promise('where the server is down the lesson says that nobody is signed out', async (t) => {
  const { url } = await startLesson(t, { EXEUNT_SERVER: 'http://localhost:9' });
  const visitor = Object.assign(new Visitor(url), { cookie: 'exeunt=exn_x' });
  const answer = await visitor.get('/logout', { accept: 'text/html' });
  assert.deepEqual([answer.status, answer.setCookies], [503, []]);
  assert.match(answer.text, /you are NOT signed out/);
});

/** The lesson's own hints, where its page lies beside the checkout. Not ours to copy. */
async function hints() {
  for (const name of await readdir(SEEDS).catch(() => [])) {
    const text = await readFile(path.join(SEEDS, name), 'utf8');
    if (!text.includes('dashedName: logging-a-user-out')) continue;
    const part = text.slice(text.indexOf('# --hints--'), text.indexOf('# --solutions--'));
    return [...part.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
  }
  return null;
}

test("the lesson's two hints pass word for word", async (t) => {
  const found = await hints();
  if (found === null) return t.skip('the lesson does not lie beside this checkout');
  assert.equal(found.length, 2);
  const { url } = await startLesson(t);
  for (const code of found) {
    const hint = new Function('assert', 'fetch', `return (${code})`)(chaiAssert, fetch);
    await hint(() => url);
  }
  return undefined;
});
