// Owns how a real program of Node is started for a test, and stopped. It asserts only that it has started.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Starts `node FILE` and waits for its first line, in which it says its address. Stops with the test. */
export async function startProgram(t, file, env, { cwd } = {}) {
  const child = spawn(process.execPath, [file], { cwd, env: { ...process.env, ...env } });
  const exit = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await exit;
  });
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value = '', done } = await said.next();
  assert(!done, `the program did not start:\n${log}`);
  return { url: value.match(/http:\/\/\S+/)[0], log: () => log };
}
