// Owns the lesson's two hints, word for word: their code is taken out of the lesson's own file where that lies beside the
// checkout, and run with Node's `fetch` and chai's `assert` against `examples/lesson`. What they mean is tested in our own
// words in `examples/lesson/tests/lesson.rs`, wherever the file is.

import nodeAssert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { assert } from 'chai';
import { foreignSite } from './stage.mjs';

const SEEDS = path.resolve(import.meta.dirname, '../../shared/seeds');
const BINARY = process.env.LESSON_BIN ?? path.resolve(import.meta.dirname, '../target/debug/exeunt-example-lesson');

/** A hint asks two pages; more than this is a hang. */
const PATIENCE_MS = 15_000;

/** The hints of the lesson: what each asks for in words, and its code. Nothing, where the lesson is not there. */
async function hints() {
  const files = await readdir(SEEDS).catch(() => []);
  const texts = await Promise.all(files.map((file) => readFile(path.join(SEEDS, file), 'utf8')));
  const lesson = texts.find((text) => text.includes('dashedName: logging-a-user-out'));
  if (!lesson) return [];
  const [, section] = lesson.match(/^# --hints--$(.*?)^# --/ms);
  return [...section.matchAll(/^(\S[^\n]*)\n\n```js\n(.*?)^```$/gms)].map(([, words, code]) => ({ words, code }));
}

/** The app on a free port. Answers its address. */
async function start(t) {
  const data = await mkdtemp(path.join(tmpdir(), 'exeunt-lesson-'));
  const child = spawn(BINARY, ['--listen', '127.0.0.1:0', '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exit;
    await rm(data, { recursive: true });
  });
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return value.match(/http:\/\/\S+/)[0];
}

/** A hint is a function of the answer to "where is your app?". It may use what the lesson's page gives it, and no more. */
async function passes({ code }, url) {
  const hint = new Function('assert', 'fetch', `return (${code})`)(assert, fetch);
  await hint((field) => field === 'url' && url);
}

const found = await hints();
const skip = found.length === 0 && 'the lesson does not lie beside the checkout';

test('the two hints of the lesson pass word for word', { skip, timeout: PATIENCE_MS }, async (t) => {
  const url = await start(t);
  nodeAssert.equal(found.length, 2, 'there are two');
  for (const hint of found) await passes(hint, url);
});

test('each hint fails against a site that does neither', { skip, timeout: PATIENCE_MS }, async (t) => {
  const { neighbour } = await foreignSite(t, 'Some other page');
  for (const hint of found) await nodeAssert.rejects(passes(hint, neighbour), { name: 'AssertionError' }, hint.words);
});
