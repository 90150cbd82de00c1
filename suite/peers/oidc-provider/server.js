// A peer of the suite: oidc-provider before Express 5, as its documentation and the example in its repository teach it.
//
// Owns four accounts, one client, the pages of the interaction and the routes that the suite asks for. The port is the only word.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import express from 'express';
import { Provider } from 'oidc-provider';
import { Memory } from './memory.js';

const users = ['ana', 'ben', 'mallory', 'eve'];
const password = 'tall ships sail by night';

const [port] = process.argv.slice(2);
const { IDLE_SECONDS, ADAPTER } = process.env;

// The documentation looks accounts up here, in whatever table an app has. With a gate in the query the lookup is held by the suite: then
// the provider has read the session and has not written it yet.
const findAccount = async (ctx, id) => {
  if (ctx.query.gate) {
    const gate = `${process.env.SUITE_GATES}/${ctx.query.gate}`;
    writeFileSync(`${gate}.in`, '');
    while (!existsSync(`${gate}.go`)) await pause(2);
  }
  return users.includes(id) ? { accountId: id, claims: async () => ({ sub: id }) } : undefined;
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  // The adapter that it brings keeps some thousand entries and forgets the rest, sessions among them: enough for a suite, not for a load.
  ...(ADAPTER === 'memory' && { adapter: Memory }),
  clients: [
    {
      client_id: 'app',
      client_secret: 'of a deployment it would be a secret',
      token_endpoint_auth_method: 'client_secret_post',
      redirect_uris: ['https://app.example/callback'],
    },
  ],
  // A restart may change it here: the adapter in memory keeps nothing over a restart either.
  jwks: { keys: [{ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig' }] },
  cookies: { keys: ['of a deployment it would be a secret'] },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount,
  // The tolerance of 15 seconds for clocks that differ would hide a span of two.
  ...(IDLE_SECONDS && { ttl: { Session: Number(IDLE_SECONDS) }, clockTolerance: 0 }),
});

const app = express();
app.set('etag', false);
const form = express.urlencoded({ extended: false });
const noStore = (req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};

app.get('/', (req, res) => res.type('text').send('Home page'));

app.get('/interaction/:uid', noStore, async (req, res) => {
  const { uid, prompt, session } = await provider.interactionDetails(req, res);
  res.send(
    prompt.name === 'login'
      ? `<form method="post" action="/interaction/${uid}/login"><input name="username"><input name="password" type="password"></form>`
      : `<p>Signed in as ${session.accountId}</p><form method="post" action="/interaction/${uid}/confirm"></form>`,
  );
});

app.post('/interaction/:uid/login', noStore, form, async (req, res) => {
  const { uid, prompt } = await provider.interactionDetails(req, res);
  if (prompt.name !== 'login' || !users.includes(req.body.username) || req.body.password !== password) {
    return res.status(401).send(`<form method="post" action="/interaction/${uid}/login">Wrong name or password</form>`);
  }
  await provider.interactionFinished(req, res, { login: { accountId: req.body.username } }, { mergeWithLastSubmission: false });
});

app.post('/interaction/:uid/confirm', noStore, form, async (req, res) => {
  const { grantId, prompt, params, session } = await provider.interactionDetails(req, res);
  if (prompt.name !== 'consent') return res.status(400).send('There is nothing to consent to.');
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  const saved = await grant.save();
  await provider.interactionFinished(req, res, { consent: grantId ? {} : { grantId: saved } }, { mergeWithLastSubmission: true });
});

// An interaction that is over, or is another browser's, is the person's affair and not an error of the server.
app.use('/interaction', (error, req, res, next) =>
  error.name === 'SessionNotFound' ? res.status(400).send('This sign-in is over. Begin again.') : next(error),
);

app.use(provider.callback());
app.listen(Number(port), '127.0.0.1');
