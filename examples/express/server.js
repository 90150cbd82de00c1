// The lesson's app: home, sign in, register, profile, sign out, and its own source. Express and Passport as one knows
// them; the sessions are kept by an exeunt server. It owns the routes and the pages, and decides nothing about
// sessions.

import { once } from 'node:events';

import express from 'express';
import { Exeunt } from 'exeunt-express';
import passport from 'passport';

/** Where the hints of the lesson are run. Nobody else's pages may read what this app answers. */
const LESSON_SITE = 'https://www.freecodecamp.org';

const { EXEUNT_SERVER = 'http://localhost:3000', ORIGIN, PORT = '4000' } = process.env;

const exeunt = new Exeunt({ server: EXEUNT_SERVER, origin: ORIGIN });
exeunt.plugInto(passport);

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(exeunt.session());

app.route('/').get(readableByLesson, (req, res) => {
  res.send(
    req.isAuthenticated() ? page('Home page', greeting(req.user)) : page('Home page', form('login') + form('register')),
  );
});

app.route('/login').post(passport.authenticate('exeunt', { failureRedirect: '/' }), (req, res) => {
  res.redirect('/profile');
});

app.route('/register').post(
  async (req, res, next) => {
    await exeunt.register(req.body.username, req.body.password, { from: req });
    next();
  },
  passport.authenticate('exeunt', { failureRedirect: '/' }),
  (req, res) => {
    res.redirect('/profile');
  },
);

app.route('/profile').get(ensureAuthenticated, (req, res) => {
  res.send(page('Profile', greeting(req.user)));
});

app.route('/logout').get(readableByLesson, (req, res) => {
  req.logout();
  res.redirect('/');
});

app.route('/_api/server.js').get(readableByLesson, (req, res) => {
  res.type('text').sendFile(import.meta.filename);
});

app.use((req, res, next) => {
  res.status(404).type('text').send('Not Found');
});

app.use(exeunt.errors());

const listening = app.listen(Number(PORT), 'localhost');
await once(listening, 'listening');
console.log(`The lesson's app listens on http://localhost:${listening.address().port}`);

function ensureAuthenticated(req, res, next) {
  if (req.isAuthenticated()) return next();
  return res.redirect('/');
}

/** Without credentials: what is read there is what a stranger sees. */
function readableByLesson(req, res, next) {
  if (req.get('Origin') === LESSON_SITE) res.set('Access-Control-Allow-Origin', LESSON_SITE);
  res.vary('Origin');
  next();
}

function page(title, content) {
  const head = `<meta charset="utf-8">\n<title>${title}</title>\n`;
  return `<!doctype html>\n<html lang="en">\n${head}<h1>${title}</h1>\n${content}</html>\n`;
}

function greeting({ username }) {
  const name = username.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<p>Welcome, ${name}!</p>\n<p><a href="/profile">Profile</a> <a href="/logout">Logout</a></p>\n`;
}

function form(action) {
  return (
    `<form action="/${action}" method="post">\n<label>Name <input name="username" required></label>\n` +
    `<label>Password <input name="password" type="password" required></label>\n<button>${action}</button>\n</form>\n`
  );
}
