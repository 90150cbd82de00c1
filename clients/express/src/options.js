// Owns which options there are, and what each may be. A typo is told when the app starts, by its name, and not by what
// then fails for everybody, or is quietly not so.

import { ExeuntMisuse } from './errors.js';
import { isLoopback, isThisMachine } from './loopback.js';

const OF_EXEUNT = {
  server: 'string',
  origin: 'string',
  user: 'function',
  answer: 'function',
  answerWaitMs: 'number',
  plainHttpToServer: 'boolean',
  tls: 'object',
};
const OF_STRATEGY = { name: 'string', usernameField: 'string', passwordField: 'string' };

/** Letters that may be wrong, missing or too many in what is still taken for a slip: more would be another word. */
const SLIP_LETTERS_MAX = 2;

/** The options of an `Exeunt`, as they may be. */
export function optionsOfExeunt(options) {
  check(options, OF_EXEUNT, 'Exeunt');
  const { answerWaitMs } = options;
  if (answerWaitMs !== undefined && !(answerWaitMs > 0 && answerWaitMs < Infinity)) {
    throw new ExeuntMisuse(`the option \`answerWaitMs\` is ${answerWaitMs}: it should be milliseconds, such as 5000`);
  }
  return options;
}

/** The options of a strategy, as they may be. */
export function optionsOfStrategy(options) {
  check(options, OF_STRATEGY, 'ExeuntStrategy');
  return options;
}

/** How the world sees the app; undefined where that is not said. */
export function originOf(text) {
  if (text === undefined) return undefined;
  const wanted = 'how the world sees the app, such as https://app.example; http is for loopback only';
  const url = parsed(text);
  const plain = url?.protocol === 'http:' && isLoopback(url.hostname);
  if (url?.protocol !== 'https:' && !plain) {
    throw new ExeuntMisuse(`set \`origin\` to ${wanted}: ${shown(text)} is none`);
  }
  if (!isBare(url)) throw new ExeuntMisuse(notBare('origin', text, url));
  return url.origin;
}

/** Where the exeunt server is. */
export function addressOf(server, plainHttpToServer) {
  const url = server === undefined ? undefined : parsed(server);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    const what = server === undefined ? 'it is not set' : `${shown(server)} is none`;
    throw new ExeuntMisuse(`set \`server\` to the address of the exeunt server, such as http://localhost:3000: ${what}`);
  }
  if (!isBare(url)) throw new ExeuntMisuse(notBare('server', server, url));
  if (url.protocol === 'http:' && !isThisMachine(url.hostname) && !plainHttpToServer) {
    throw new ExeuntMisuse(
      'tokens would cross the network in the clear: give `server` an https address, or set `plainHttpToServer: true` ' +
        'where nobody else can listen',
    );
  }
  return url;
}

function check(options, kinds, whose) {
  if (options === null || typeof options !== 'object') {
    throw new ExeuntMisuse(`${whose} wants its options as an object, such as { ${Object.keys(kinds)[0]}: … }`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, name)) throw new ExeuntMisuse(unknown(name, Object.keys(kinds), whose));
    const is = value === null ? 'null' : typeof value;
    if (is !== 'undefined' && is !== kinds[name]) {
      throw new ExeuntMisuse(`the option \`${name}\` of ${whose} is ${is}: it should be a ${kinds[name]}`);
    }
  }
}

function unknown(name, names, whose) {
  const near = names.find((known) => slips(name.toLowerCase(), known.toLowerCase()) <= SLIP_LETTERS_MAX);
  const hint = near === undefined ? '' : ` Did you mean \`${near}\`?`;
  return `${whose} has no option \`${name}\`: it has ${names.join(', ')}.${hint}`;
}

/** How many letters have to be put in, taken out or changed (Levenshtein). */
function slips(from, to) {
  let row = [...Array(to.length + 1).keys()];
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (letter === to[j] ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1);
}

function parsed(text) {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isBare(url) {
  const { pathname, search, hash, username, password } = url;
  return pathname === '/' && `${search}${hash}${username}${password}` === '';
}

function notBare(name, text, url) {
  return `\`${name}\` is scheme, host and port alone, as in ${url.origin}: not ${shown(text)}`;
}

/** A setting, but for one that may hold a password. */
function shown(text) {
  return text.includes('@') ? 'what has a name or a password in it' : `\`${text}\``;
}
