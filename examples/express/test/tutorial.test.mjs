// The tutorial for Express, run from its own text: every block of `js` is written to the file that it names, every
// block of `sh` is run in one shell, and must print the block of `text` that follows it. So the text cannot rot.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { binary } from '../../../clients/express/test/stage.mjs';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
const TUTORIAL = path.join(CHECKOUT, 'docs/tutorials/express.md');
/** The ports of the text. Somebody else may be on them here, so free ones stand in for them. */
const PORTS = ['3000', '4000'];
/** It installs packages, which may take a while. It fails rather than hangs. */
const PATIENCE_MS = 240_000;
/** Marks the end of what a block has printed. */
const END = '----- end of block -----';

test('whoever follows the tutorial sees what it says', { timeout: PATIENCE_MS }, async (t) => {
  const blocks = blocksOf(await withFreePorts(await readFile(TUTORIAL, 'utf8')));
  assert(blocks.length > 10, 'the tutorial was not found');
  const shell = await startShell(t);
  for (const [at, { kind, file, text }] of blocks.entries()) {
    if (kind === 'js') await writeFile(path.join(shell.folder, 'playbill', file), text);
    if (kind !== 'sh') continue;
    const printed = await shell.run(text);
    const expected = blocks[at + 1]?.kind === 'text' ? blocks[at + 1].text : '';
    assert.equal(printed, expected, `after:\n${text}`);
  }
  assert.match(await readFile(path.join(shell.folder, 'playbill/answer'), 'utf8'), /you are NOT signed out/);
});

test('the text of the tutorial links to what is there', async () => {
  for (const page of [
    TUTORIAL,
    path.join(CHECKOUT, 'docs/coming-from-passport.md'),
    path.join(CHECKOUT, 'clients/express/README.md'),
  ]) {
    const text = await readFile(page, 'utf8');
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)/g))
      await access(path.resolve(path.dirname(page), link));
  }
});

/** Blocks in their order; those of `text` that follow no shell block are remarks. */
function blocksOf(text) {
  const found = [...text.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)];
  return found.map(([, kind, file, content]) => ({ kind, file, text: content }));
}

async function withFreePorts(text) {
  const servers = PORTS.map(() => net.createServer().listen(0, 'localhost'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const free = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  const changed = PORTS.reduce((now, port, at) => now.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), free[at]), text);
  // The server listens where the text says that it does by default.
  return changed.replaceAll(/^exeunt >/gm, `exeunt serve --listen localhost:${free[0]} >`);
}

/** One shell in a new folder, in which a block that fails ends the test. What it has started ends with it. */
async function startShell(t) {
  const folder = await mkdtemp(path.join(tmpdir(), 'exeunt-tutorial-'));
  await mkdir(path.join(folder, 'bin'));
  await symlink(path.resolve(binary), path.join(folder, 'bin/exeunt'));
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('EXEUNT') && !key.startsWith('NODE_TEST'));
  const env = { ...Object.fromEntries(own), EXEUNT: CHECKOUT, PATH: `${folder}/bin:${process.env.PATH}` };
  const shell = spawn('bash', ['-e', '-u', '-o', 'pipefail'], { cwd: folder, env, detached: true });
  const exit = once(shell, 'exit');
  let errors = '';
  shell.stderr.on('data', (text) => (errors += text));
  t.after(async () => {
    // The whole group: the server and the app run in its background.
    process.kill(-shell.pid, 'SIGKILL');
    await exit;
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, run: (text) => runBlock(shell, text, () => errors) };
}

function runBlock(shell, text, errors) {
  shell.stdin.write(`${text}echo '${END}'\n`);
  return new Promise((resolve, reject) => {
    let printed = '';
    const failed = () => reject(new Error(`the shell gave up:\n${text}\n${errors()}`));
    const read = (chunk) => {
      printed += chunk;
      if (!printed.endsWith(`${END}\n`)) return;
      shell.stdout.off('data', read);
      shell.off('exit', failed);
      resolve(printed.slice(0, -END.length - 1));
    };
    shell.stdout.setEncoding('utf8').on('data', read);
    shell.once('exit', failed);
  });
}
