// Owns what Passport calls: who it is by a name and a password, as `passport-local` reads them. It verifies nothing
// itself.

import { ExeuntMisuse } from './errors.js';
import { optionsOfStrategy } from './options.js';

/** Said to whoever has the right name and password, and is no user of the app. */
const STRANGER = 'signed in at the session server, but not a user of this app';

/** Once in a process: everybody may be such a stranger. */
let hasWarned = false;

/** The strategy for a name and a password. */
export class ExeuntStrategy {
  /** `name` is what `passport.authenticate` calls it by: with `local` an app need not change its routes. */
  constructor(exeunt, options = {}) {
    const { name = 'exeunt', usernameField = 'username', passwordField = 'password' } = optionsOfStrategy(options);
    this.name = name;
    // Passport calls it on an object that inherits from this and has `success`, `fail` and `error` besides.
    this.authenticate = function authenticate(req) {
      const given = { username: req.body?.[usernameField], password: req.body?.[passwordField] };
      decide(exeunt, req, given)
        .then((act) => act(this))
        .catch((error) => this.error(error));
    };
  }
}

/**
 * Stands where Passport's own strategy `session` stood, so that an app which still has `passport.session()` goes on.
 */
export class SessionStrategy {
  constructor(exeunt) {
    this.name = 'session';
    this.authenticate = function authenticate(req) {
      if (exeunt.contextOf(req) === undefined) this.error(missing());
      else this.pass();
    };
  }
}

/** Not from the query, as passport-local would: addresses are written into logs. */
async function decide(exeunt, req, { username, password }) {
  const context = exeunt.contextOf(req);
  if (context === undefined) throw missing();
  if (!isGiven(username) || !isGiven(password))
    return (passport) => passport.fail({ message: 'Missing credentials' }, 400);
  const opened = await context.open(username, password);
  if (opened === null) return (passport) => passport.fail({ message: 'wrong name or password' });
  if (opened.user !== undefined) return (passport) => passport.success(opened.user);
  warnOfStranger();
  return (passport) => passport.fail({ message: STRANGER });
}

/** To say "wrong" of a password that is right would send a person to look for a mistake of theirs. */
function warnOfStranger() {
  if (hasWarned) return;
  hasWarned = true;
  const why = 'the option `user` of Exeunt gave nothing for somebody whose name and password are right (said once only)';
  process.emitWarning(why, { type: 'ExeuntWarning', code: 'EXEUNT_NO_USER' });
}

function isGiven(text) {
  return typeof text === 'string' && text !== '';
}

function missing() {
  return new ExeuntMisuse('put `app.use(exeunt.session())` before everything of Passport');
}
