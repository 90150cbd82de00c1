// What a request offers to show who is asking, where it comes from, and what is refused before anything is asked.

import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { Cookie } from '../src/cookie.js';
import { approachOf, FOREIGN, OWN, SENT } from '../src/guard.js';
import { Exeunt, ExeuntMisuse } from '../src/index.js';
import { isLoopback, isThisMachine } from '../src/loopback.js';
import { offeredBy } from '../src/offered.js';
import { ask, isKept, isOver, member, PASSWORD, promise, stage, startApp, uniqueName } from './stage.mjs';

const set = stage();
const SERVER = 'http://localhost:3000';

const signOut = (app) => {
  app.all('/logout', async (req, res) => {
    await req.logout();
    res.redirect('/');
  });
};

/** What is offered by these fields, as one word or two. */
function offered(fields, secure = false) {
  const headersDistinct = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, [value].flat()]));
  try {
    const { token, carrier } = offeredBy({ headersDistinct }, new Cookie({ secure }));
    return token === null ? 'nothing' : `${carrier} ${token}`;
  } catch (error) {
    return error.code;
  }
}

promise('only the exact name is our cookie', () => {
  const secure = (cookie) => offered({ cookie }, true);
  assert.equal(secure('a=1; __Host-exeunt=x; b=2'), 'cookie x');
  assert.equal(secure('a=\u00e9; __Host-exeunt=x'), 'cookie x');
  for (const other of ['__host-exeunt=x', '__HOST-EXEUNT=x', '__Host-exeunt =x', 'exeunt=x', 'a__Host-exeunt=x', '']) {
    assert.equal(secure(other), 'nothing', other);
  }
  assert.equal(offered({ cookie: 'exeunt=x' }), 'cookie x');
  assert.equal(offered({ cookie: '__Host-exeunt=x' }), 'nothing');
});

promise('a name with a byte more is not ours, whatever else takes that byte for a blank', async (t) => {
  // What a browser takes for another name it keeps for another host, too: without `__Host-` in front of all, a sister
  // host may set it for ours.
  for (const byte of ['\u00a0', '\u0085', '\u000b', '\u000c']) {
    assert.equal(offered({ cookie: `${byte}__Host-exeunt=x` }, true), 'nothing');
    assert.equal(offered({ cookie: `__Host-exeunt=x; ${byte}__Host-exeunt=y` }, true), 'cookie x');
  }
  assert.equal(offered({ cookie: ' \t __Host-exeunt=x\t ;a=b' }, true), 'cookie x');
  const app = await startApp(t, set.server);
  const ana = await member(app, set.server);
  const whose = async (cookie) => JSON.parse((await ask(`${app.url}/me`, { headers: { cookie } })).text).user;
  assert.notEqual(await whose(`exeunt=${ana.token}`), null);
  // Written as the one byte 0xA0, and read so by Node.
  assert.equal(await whose(`\u00a0exeunt=${ana.token}`), null);
});

promise('what can be no token is not sent on', () => {
  for (const value of ['', '"x"', 'x y', 'x,y', 'x\u00e9', 'x'.repeat(257), 'x\ty']) {
    assert.equal(offered({ cookie: `exeunt=${value}` }), 'nothing', value);
  }
  for (const line of ['Digest x', 'Basic x', 'Bearers x', 'Bearer-x y', `Bearer ${'x'.repeat(257)}`, '']) {
    assert.equal(offered({ authorization: line }), 'nothing', line);
  }
  for (const line of ['Bearer', 'Bearer ', 'bearer  x', 'Bearer\tx', 'Bearer: x', 'Bearer,x', 'Bearer x y', 'Bearer x,y']) {
    assert.equal(offered({ authorization: line }), 'unclear-credentials', line);
    assert.equal(offered({ authorization: line, cookie: 'exeunt=x' }), 'unclear-credentials', line);
  }
  assert.equal(offered({ authorization: 'bEARER x' }), 'bearer x');
});

promise('two that differ are refused, wherever they stand, and the same twice is one', () => {
  assert.equal(offered({ cookie: 'exeunt=x; exeunt=y' }), 'two-credentials');
  assert.equal(offered({ cookie: ['exeunt=x', 'exeunt=y'] }), 'two-credentials');
  assert.equal(offered({ cookie: 'exeunt=x; exeunt=' }), 'two-credentials');
  assert.equal(offered({ cookie: 'exeunt=x; a=b; exeunt=x' }), 'cookie x');
  assert.equal(offered({ cookie: 'exeunt=x', authorization: 'Bearer y' }), 'two-credentials');
  assert.equal(offered({ cookie: 'exeunt=x', authorization: 'Bearer x' }), 'bearer x');
  assert.equal(offered({ cookie: 'exeunt=x', authorization: 'Basic y' }), 'cookie x');
  assert.equal(offered({ authorization: ['Bearer x', 'Bearer y'] }), 'two-credentials');
});

promise('a bearer token that cannot be read is 400 and nobody is called signed out', async (t) => {
  const app = await startApp(t, set.server, signOut);
  const ana = await member(app, set.server);
  const otherwise = ['Token ', 'Basic ', 'Basic x, Bearer ', ''].map((scheme) => scheme + ana.token);
  for (const pair of [`${ana.token}:`, `ana:${ana.token}`, `ana:x:${ana.token}`]) {
    for (const scheme of ['Basic ', 'Basic  ', 'Basic\t', 'Basic, ', 'Basic', 'Token ']) otherwise.push(scheme + btoa(pair));
  }
  for (const line of [`Bearer  ${ana.token}`, `Bearer ${ana.token},`, `Bearer ${ana.token} x`, ...otherwise]) {
    for (const path of ['/me', '/logout']) {
      const answer = await ask(app.url + path, { headers: { authorization: line } });
      assert.deepEqual([answer.status, JSON.parse(answer.text).code], [400, 'unclear-credentials'], line);
    }
  }
  await isKept(set.server, ana, ana.cookie);
});

promise('a token with something around it opens nothing, and nobody is called signed out by it', async (t) => {
  const app = await startApp(t, set.server, signOut);
  const ana = await member(app, set.server);
  for (const wrapped of [`"${ana.token}"`, `${ana.token}=`, `${ana.token}.`, `x${ana.token}`, btoa(ana.token)]) {
    for (const headers of [{ authorization: `Bearer ${wrapped}` }, { cookie: `exeunt=${wrapped}` }]) {
      assert.notEqual((await ask(`${app.url}/me`, { headers })).text, 'ana', wrapped);
      const answer = await ask(`${app.url}/logout`, { headers });
      assert.deepEqual([answer.status, JSON.parse(answer.text).code], [400, 'unclear-credentials'], wrapped);
      assert.deepEqual(answer.setCookies, []);
    }
  }
  await isKept(set.server, ana, ana.cookie);
});

promise('two cookies, or a header and a cookie that disagree, are 400 and end nothing', async (t) => {
  const app = await startApp(t, set.server, signOut);
  const [ana, bea] = [await member(app, set.server), await member(app, set.server)];
  const both = [
    { cookie: `${ana.cookie}; ${bea.cookie}` },
    { cookie: ana.cookie, authorization: `Bearer ${bea.token}` },
    { cookie: `${ana.cookie}; exeunt=` },
  ];
  for (const headers of both) {
    for (const path of ['/me', '/logout']) {
      const answer = await ask(app.url + path, { headers });
      assert.deepEqual([answer.status, answer.setCookies], [400, []]);
      assert.equal(JSON.parse(answer.text).code, 'two-credentials');
    }
  }
  await isKept(set.server, ana, ana.cookie);
  await isKept(set.server, bea, bea.cookie);
  const { cookie } = ana;
  await ana.get('/logout', { authorization: `Bearer ${ana.token}` });
  await isOver(app, set.server, cookie);
});

/** The table of `crates/exeunt-axum/src/guard.rs`. */
const judge = (method, fields, origin) =>
  approachOf({ method, headers: { host: 'localhost:3000', ...fields } }, origin);

promise("going to the page is one's own and being sent is not", () => {
  const get = (fields) => judge('GET', fields);
  const go = (site) => ({
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    ...(site && { 'sec-fetch-site': site }),
  });
  assert.equal(get({}), OWN, 'a program');
  assert.equal(get(go('none')), OWN, 'typed or bookmarked');
  assert.equal(get(go('same-origin')), OWN);
  assert.equal(get(go('cross-site')), SENT);
  assert.equal(get(go('same-site')), SENT);
  assert.equal(get(go('sideways')), SENT, 'an unknown value is no pass');
  for (const method of ['HEAD', 'OPTIONS', 'TRACE'])
    assert.equal(judge(method, go('none')), FOREIGN, 'it asks and does nothing');
  for (const [field, value] of [
    ['sec-fetch-dest', 'image'],
    ['sec-fetch-dest', 'iframe'],
    ['sec-fetch-mode', 'cors'],
    ['sec-fetch-mode', 'no-cors'],
    ['sec-purpose', 'prefetch;prerender'],
    ['purpose', 'prefetch'],
    ['x-moz', 'prefetch'],
    ['x-purpose', 'preview'],
  ]) {
    assert.equal(get({ 'sec-fetch-site': 'same-origin', [field]: value }), FOREIGN, `${field}: ${value}`);
  }
});

promise('a deed of another site is foreign', () => {
  const post = (fields) => judge('POST', fields);
  assert.equal(post({}), OWN, 'a program');
  assert.equal(post({ 'sec-fetch-site': 'same-origin' }), OWN);
  assert.equal(post({ 'sec-fetch-site': 'cross-site' }), FOREIGN);
  assert.equal(post({ 'sec-fetch-site': 'same-site' }), FOREIGN);
  assert.equal(post({ 'sec-fetch-site': 'sideways' }), FOREIGN);
  assert.equal(post({ 'sec-fetch-site': 'sideways', origin: 'http://localhost:3000' }), FOREIGN);
  assert.equal(post({ 'sec-fetch-site': 'same-origin', origin: 'null' }), OWN);
  assert.equal(post({ origin: 'http://localhost:3000' }), OWN);
  const foreign = ['https://evil.example', 'null', 'http://localhost:3001', 'localhost:3000', 'http://localhost', ''];
  for (const origin of foreign) {
    assert.equal(post({ origin }), FOREIGN, origin);
    assert.equal(post({ 'sec-fetch-site': 'sideways', origin }), FOREIGN, 'an unknown value is no pass');
  }
});

promise('with an origin of its own only that one is the app', () => {
  const post = (origin) => judge('POST', { origin }, 'https://app.example');
  assert.equal(post('https://app.example'), OWN);
  assert.equal(post('http://app.example'), FOREIGN);
  assert.equal(post('http://localhost:3000'), FOREIGN, "the proxy's inner name is not ours");
});

promise('another site signs nobody out, by whatever it makes a browser do', async (t) => {
  const app = await startApp(t, set.server, signOut);
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const attacks = [
    ['GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['GET', { 'sec-fetch-site': 'same-origin', 'sec-purpose': 'prefetch' }],
    ['HEAD', {}],
    ['POST', { 'sec-fetch-site': 'cross-site' }],
    ['POST', { 'sec-fetch-site': 'same-site' }],
    ['POST', { 'sec-fetch-site': 'sideways' }],
    ['GET', { 'sec-fetch-site': 'sideways', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['POST', { origin: 'https://evil.example' }],
    ['POST', { origin: 'null' }],
  ];
  for (const [method, headers] of attacks) {
    const answer = await visitor.send('/logout', { method, headers });
    assert.deepEqual([answer.status, answer.setCookies], [403, []], `${method} ${inspect(headers)}`);
    if (headers['sec-fetch-site'] === 'same-origin') {
      assert.match(answer.text, /did not come from a click or a form on this site/, 'that is no other site');
    }
    await isKept(set.server, visitor, cookie);
  }
  const stranger = await app.visitor().post('/logout', {}, { 'sec-fetch-site': 'cross-site' });
  assert.deepEqual(
    [stranger.status, stranger.setCookies],
    [403, []],
    'nor does it clear the cookie of whoever has none',
  );
  const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  assert.equal((await visitor.get('/logout', own)).status, 302);
  await isOver(app, set.server, cookie);
});

promise('whoever was sent to sign out by a link elsewhere is asked, on a page of our own with one link', async (t) => {
  const app = await startApp(t, set.server, signOut);
  const visitor = await member(app, set.server);
  const sent = {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    accept: 'text/html',
  };
  const linkOf = async (path) => (await visitor.get(path, sent)).text.match(/<a href="([^"]*)">Sign out<\/a>/)?.[1];
  assert.equal(await linkOf('/logout'), '/logout');
  assert.equal(await linkOf('/logout?from=menu&then=page'), '/logout?from=menu&#38;then=page');
  const { cookie } = visitor;
  await visitor.get('/logout', { ...sent, 'sec-fetch-site': 'same-origin' });
  await isOver(app, set.server, cookie);
});

promise('another site signs nobody in: a session of its choice would be watched by it', async (t) => {
  const app = await startApp(t, set.server);
  const name = uniqueName();
  await set.server.register(name);
  const token = await set.server.signIn(name);
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
    const answer = await app.visitor().post('/login', { username: name, password: PASSWORD }, headers);
    assert.deepEqual([answer.status, answer.setCookies], [403, []]);
  }
  assert.equal(await set.server.countSessions(token), 1, 'nothing was opened');
});

promise('a typo in the options is told by its name when the app is put together', () => {
  const said = (options, make = (given) => new Exeunt(given)) => {
    try {
      make(options);
    } catch (error) {
      assert(error instanceof ExeuntMisuse, error);
      return error.message;
    }
    return 'nothing';
  };
  assert.match(said({ server: SERVER, orgin: 'https://app.example' }), /no option `orgin`.*Did you mean `origin`\?/);
  assert.match(said({ server: SERVER, answerWaitMS: 1 }), /Did you mean `answerWaitMs`\?/);
  assert.match(said({ server: SERVER, secret: 'x' }), /no option `secret`: it has server, origin, [^?]*$/);
  for (const origin of ['https://app.example/x', 'https://app.example?x', 'https://app.example/#x']) {
    const message = said({ server: SERVER, origin });
    assert(message.includes('`origin`') && message.includes('as in https://app.example:') && message.includes(origin));
  }
  for (const server of ['http://localhost:3000/api', 'http://localhost:3000/?x']) {
    const message = said({ server });
    assert(message.includes('`server`') && message.includes('as in http://localhost:3000:'), message);
  }
  assert(!said({ server: 'https://ana:tall@id.example' }).includes('tall'), 'a password is not repeated');
  assert.match(said({ server: SERVER, plainHttpToServer: 'false' }), /`plainHttpToServer` .* should be a boolean/);
  assert.match(said({ server: SERVER, answerWaitMs: -1 }), /`answerWaitMs` is -1/);
  assert.match(said('http://localhost:3000'), /as an object/);
  const exeunt = new Exeunt({ server: SERVER, origin: 'HTTPS://App.Example:443/', user: undefined });
  const strategy = (options) => said(options, (given) => exeunt.strategy(given));
  assert.match(strategy({ userNameField: 'email' }), /Did you mean `usernameField`\?/);
  assert.equal(strategy({ usernameField: 'email' }), 'nothing');
});

promise('loopback is what browsers look up nowhere', () => {
  const addresses = ['127.0.0.1', '127.9.9.9:80', '[::1]', '[::1]:3000', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]:3000'];
  for (const authority of ['localhost', 'LocalHost:4000', ...addresses]) {
    assert(isLoopback(authority) && isThisMachine(authority), authority);
  }
  for (const name of ['localhost.', 'notes.localhost', 'a.b.LocalHost.:3000']) {
    assert(isLoopback(name) && !isThisMachine(name), `${name}: a resolver may ask the network`);
  }
  const others = ['notes.example', '192.0.2.1:80', '0.0.0.0', 'localhost.evil.example', 'notlocalhost', '[::2]', ''];
  for (const authority of [...others, '127.0.0.1.evil.example', 'a b']) {
    assert(!isLoopback(authority) && !isThisMachine(authority), authority);
  }
});

promise('an app that is not on loopback must say its origin, and a plain one is refused', async (t) => {
  for (const origin of ['http://app.example', 'ftp://app.example', 'app.example', '']) {
    assert.throws(() => new Exeunt({ server: SERVER, origin }), ExeuntMisuse, origin);
  }
  for (const server of [undefined, 'localhost:3000', 'http://exeunt.example', 'http://id.localhost', 'file:///']) {
    assert.throws(() => new Exeunt({ server }), ExeuntMisuse, server);
  }
  for (const server of ['https://id.example', 'http://127.0.0.1:1', 'http://[::1]:1']) assert(new Exeunt({ server }));
  assert(new Exeunt({ server: 'http://exeunt.internal:3000', plainHttpToServer: true }));

  const app = await startApp(t, set.server);
  const said = (headers) => ask(`${app.url}/me`, { headers }).then(({ status }) => status);
  assert.equal(await said({}), 200);
  assert.equal(await said({ host: 'localhost:3000' }), 200);
  assert.equal(await said({ host: 'app.localhost:3000' }), 200);
  for (const headers of [{ host: 'app.example' }, { 'x-forwarded-proto': 'https' }, { forwarded: 'proto=https' }]) {
    assert.equal(await said(headers), 500, 'there would be a cookie without Secure');
  }
});
