// A peer of the suite: Express 5, Passport 0.7 and express-session, as Passport's documentation teaches them.
//
// Owns four users and the routes that the suite asks for. STORE is `memory` or the address of Redis; the port is the only word.
import { timingSafeEqual } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import { createClient } from 'redis';

const users = ['ana', 'ben', 'mallory', 'eve'];
const password = Buffer.from('tall ships sail by night');
const isPassword = (given) => given.length === password.length && timingSafeEqual(given, password);

const { STORE = 'memory', IDLE_SECONDS, ABSOLUTE_SECONDS } = process.env;
let store;
if (STORE !== 'memory') {
  const client = createClient({ url: STORE });
  // Without a listener an error of the connection ends the process: so the documentation of redis says.
  client.on('error', (error) => console.error('redis', error.message));
  await client.connect();
  store = new RedisStore({ client, disableTouch: ABSOLUTE_SECONDS !== undefined });
}

passport.use(
  new LocalStrategy((username, given, done) =>
    users.includes(username) && isPassword(Buffer.from(given))
      ? done(null, { username })
      : done(null, false, { message: 'Incorrect username or password.' }),
  ),
);
passport.serializeUser((user, done) => process.nextTick(() => done(null, user)));
passport.deserializeUser((user, done) => process.nextTick(() => done(null, user)));

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(
  session({
    secret: 'of a deployment it would be a secret',
    resave: false,
    saveUninitialized: false,
    store,
    // An idle span is a cookie's age that every answer renews; a full age is one that a visit does not (`disableTouch` of the store).
    rolling: IDLE_SECONDS !== undefined,
    cookie: { sameSite: 'lax', maxAge: (IDLE_SECONDS ?? ABSOLUTE_SECONDS ?? 86400) * 1000 },
  }),
);
app.use(passport.authenticate('session'));

const signedIn = (req, res, next) => (req.user ? next() : res.redirect('/login'));

app.get('/', (req, res) => res.type('text').send('Home page'));
app.get('/login', (req, res) => res.type('text').send('Sign in'));
app.post('/login/password', passport.authenticate('local', { successReturnToOrRedirect: '/account', failureRedirect: '/login' }));
app.post('/logout', (req, res, next) =>
  req.logout((error) => {
    if (error) return next(error);
    res.redirect('/');
  }),
);
app.get('/account', signedIn, (req, res) => res.type('text').send(`Signed in as ${req.user.username}`));
app.get('/api/me', (req, res) => (req.user ? res.json(req.user.username) : res.status(401).json(null)));

// Counts, as the documentation of express-session does.
const count = (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1;
  res.type('text').send(`${req.session.views} views`);
};
app.post('/views', signedIn, count);

// Reads the session, is held by the suite, then counts.
app.get('/slow', signedIn, async (req, res) => {
  const gate = `${process.env.SUITE_GATES}/${req.query.gate}`;
  writeFileSync(`${gate}.in`, '');
  while (!existsSync(`${gate}.go`)) await pause(2);
  count(req, res);
});

app.listen(Number(process.argv[2]), '127.0.0.1');
