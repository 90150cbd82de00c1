// Owns what Passport calls: who it is by a name and a password, as `passport-local` reads them. It verifies nothing
// itself.

import { ExeuntMisuse } from './errors.js';
import { optionsOfStrategy } from './options.js';

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
  const user = await context.open(username, password);
  if (user === false) return (passport) => passport.fail({ message: 'wrong name or password' });
  return (passport) => passport.success(user);
}

function isGiven(text) {
  return typeof text === 'string' && text !== '';
}

function missing() {
  return new ExeuntMisuse('put `app.use(exeunt.session())` before everything of Passport');
}
