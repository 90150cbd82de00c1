// Signing in and out through an Express app, in every way a handler can be written. Every test ends by replaying the
// old cookie.

import assert from 'node:assert/strict';

import express from 'express';

import { isKept, isOver, member, PASSWORD, promise, stage, startApp, startServer, uniqueName } from './stage.mjs';

const set = stage();

const WAYS = {
  'with a callback': (req, res, next) => req.logout((error) => (error ? next(error) : res.redirect('/'))),
  'with options and a callback': (req, res, next) => {
    req.logOut({ keepSessionInfo: false }, (error) => (error ? next(error) : res.redirect('/')));
  },
  'with a promise': async (req, res) => {
    await req.logout();
    res.redirect('/');
  },
  'without waiting, as the lesson does': (req, res) => {
    req.logout();
    res.redirect('/');
  },
};

for (const [way, handler] of Object.entries(WAYS)) {
  promise(`after a logout ${way} the old cookie opens nothing, here and at the server`, async (t) => {
    const app = await startApp(t, set.server, (app) => app.route('/logout').get(handler).post(handler));
    for (const method of ['GET', 'POST']) {
      const visitor = await member(app, set.server);
      assert.equal(await visitor.whoami(), visitor.name);
      const { cookie } = visitor;
      const answer = await visitor.send('/logout', { method });
      assert.equal(answer.status, 302);
      assert.equal(answer.headers.location, '/');
      assert.deepEqual(answer.setCookies, ['exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0']);
      assert.equal(answer.headers['cache-control'], 'no-store');
      await isOver(app, set.server, cookie);
    }
  });
}

promise(
  'the cookie that signs in is for this host, out of reach of scripts, and not sent along by others',
  async (t) => {
    const app = await startApp(t, set.server);
    const name = uniqueName();
    await set.server.register(name);
    const answer = await app.visitor().post('/login', { username: name, password: PASSWORD });
    assert.equal(answer.setCookies.length, 1);
    assert.match(answer.setCookies[0], /^exeunt=exn_[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/; Max-Age=25919\d\d$/);
    assert.equal(answer.headers['cache-control'], 'no-store');
  },
);

promise('behind https the cookie is __Host- and Secure, and only under that name is one ours', async (t) => {
  const logout = (app) => app.get('/logout', WAYS['with a promise']);
  const app = await startApp(t, set.server, logout, { origin: 'https://app.example' });
  const visitor = await member(app, set.server);
  assert.match(visitor.cookie, /^__Host-exeunt=exn_/);
  assert.equal(await visitor.whoami(), visitor.name);
  const plain = Object.assign(app.visitor(), { cookie: visitor.cookie.replace('__Host-', '') });
  assert.equal(await plain.whoami(), null);
  const { cookie } = visitor;
  const answer = await visitor.get('/logout');
  assert.deepEqual(answer.setCookies, ['__Host-exeunt=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0']);
  await isOver(app, set.server, cookie);
});

promise('a wrong name and a wrong password are one answer, and set no cookie', async (t) => {
  const app = await startApp(t, set.server);
  const name = uniqueName();
  await set.server.register(name);
  for (const form of [
    { username: name, password: 'wrong curtain' },
    { username: 'Ninguém', password: PASSWORD },
  ]) {
    const answer = await app.visitor().post('/login', form);
    assert.deepEqual([answer.status, answer.text, answer.setCookies], [401, 'Unauthorized', []]);
  }
});

promise('a logout elsewhere is over here with the next request', async (t) => {
  const app = await startApp(t, set.server);
  const visitor = await member(app, set.server);
  await set.server.signOut(visitor.token);
  await isOver(app, set.server, visitor.cookie);
});

promise('to sign out twice, or without a session, is a success with nothing to end', async (t) => {
  const app = await startApp(t, set.server, (app) => {
    app.get('/logout', WAYS['with a promise']);
    app.get('/twice', async (req, res) => {
      await Promise.all([req.logout(), req.logout()]);
      await req.logout();
      res.redirect('/');
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  for (const path of ['/twice', '/logout', '/logout']) {
    const old = Object.assign(app.visitor(), { cookie });
    const answer = await old.get(path);
    assert.equal(answer.status, 302);
    assert.equal(answer.setCookies.length, 1, 'exactly one deletes the cookie');
  }
  await isOver(app, set.server, cookie);
});

promise('after logout the same request has no user, and is told that its session lives no more', async (t) => {
  const seen = [];
  const app = await startApp(t, set.server, (app) => {
    app.get('/logout', async (req, res) => {
      seen.push(req.isAuthenticated(), await req.exeunt.isStillLive());
      const over = req.logout();
      seen.push(req.isAuthenticated());
      await over;
      seen.push(req.isUnauthenticated(), await req.exeunt.isStillLive(), req.exeunt.session);
      res.end();
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  await visitor.get('/logout');
  assert.deepEqual(seen, [true, true, false, true, false, null]);
  await isOver(app, set.server, cookie);
});

promise('a handler that works long can ask whether its session still lives', async (t) => {
  let elsewhere;
  const app = await startApp(t, set.server, (app) => {
    app.get('/long', async (req, res) => {
      await elsewhere();
      res.json(await req.exeunt.isStillLive());
    });
  });
  const visitor = await member(app, set.server);
  elsewhere = () => set.server.signOut(visitor.token);
  assert.equal((await visitor.get('/long')).text, 'false');
  await isOver(app, set.server, visitor.cookie);
});

promise('a handler that throws after logout does not undo it, and its error answer clears the cookie', async (t) => {
  const app = await startApp(t, set.server, (app) => {
    app.get('/waited', async (req) => {
      await req.logout();
      throw new Error('stage fright');
    });
    app.get('/not-waited', (req) => {
      req.logout();
      throw new Error('stage fright');
    });
  });
  for (const path of ['/waited', '/not-waited']) {
    const visitor = await member(app, set.server);
    const { cookie } = visitor;
    const answer = await visitor.get(path);
    assert.equal(answer.status, 500);
    assert.equal(visitor.cookie, null);
    await isOver(app, set.server, cookie);
  }
});

promise('it works in a router with a prefix and in a mounted app that brings the middleware again', async (t) => {
  const app = await startApp(t, set.server, (app, { exeunt }) => {
    const router = express.Router();
    router.get('/logout', WAYS['with a callback']);
    const inner = express();
    inner.use(exeunt.session());
    inner.get('/who', (req, res) => res.json(req.user ?? null));
    inner.get('/logout', WAYS['without waiting, as the lesson does']);
    app.use('/router', router);
    app.use('/mounted', inner);
  });
  for (const prefix of ['/router', '/mounted']) {
    const visitor = await member(app, set.server);
    assert.equal(JSON.parse((await visitor.get('/mounted/who')).text).username, visitor.name);
    const { cookie } = visitor;
    assert.equal((await visitor.get(`${prefix}/logout`)).headers.location, '/');
    assert.equal(visitor.cookie, null);
    await isOver(app, set.server, cookie);
  }
});

promise('a program that comes with a bearer token signs out with it, and no cookie is touched', async (t) => {
  const app = await startApp(t, set.server, (app) => app.post('/logout', WAYS['with a promise']));
  const name = uniqueName();
  await set.server.register(name);
  const token = await set.server.signIn(name);
  const program = app.visitor();
  const headers = { authorization: `Bearer ${token}` };
  assert.equal(JSON.parse((await program.get('/me', headers)).text).user.username, name);
  const answer = await program.post('/logout', {}, headers);
  assert.deepEqual([answer.status, answer.setCookies], [302, []]);
  await isOver(app, set.server, `exeunt=${token}`);
});

promise('a logout that was answered outlives the crash of the server', async (t) => {
  const server = await startServer();
  t.after(() => server.forget());
  const app = await startApp(t, server, (app) => app.get('/logout', WAYS['without waiting, as the lesson does']));
  const [left, stays] = [await member(app, server), await member(app, server)];
  const { cookie } = left;
  assert.equal((await left.get('/logout')).status, 302);
  await server.kill();
  const again = await server.again();
  t.after(() => again.stop());
  await isOver(app, again, cookie);
  await isKept(again, stays, stays.cookie);
  assert.equal(await stays.whoami(), stays.name);
});

const TABLES = {
  'fails': () => Promise.reject(new Error('the table is down')),
  'throws': () => {
    throw new Error('the table is down');
  },
  'hangs': () => new Promise(() => {}),
};

for (const [how, table] of Object.entries(TABLES)) {
  promise(`an app whose own table ${how} keeps nobody signed in, and takes nobody for a stranger`, async (t) => {
    let user = (session) => ({ name: session.username });
    const build = (app) => {
      app.post('/logout', WAYS['with a promise']);
      app.post('/password', async (req, res) => {
        await req.exeunt.changePassword(PASSWORD, 'another tall ship');
        res.end();
      });
      app.get('/in', (req, res) => res.json(req.isAuthenticated()));
    };
    const app = await startApp(t, set.server, build, { user: (session) => user(session) });
    const visitor = await member(app, set.server);
    user = table;
    const [me, isIn] = await Promise.all([visitor.get('/me'), visitor.get('/in')]);
    assert([me.status, isIn.status].every((status) => status >= 500), 'neither in nor out');
    const { cookie } = visitor;
    assert.equal((await visitor.post('/password')).status, 200);
    await isOver(app, set.server, cookie);
    const { cookie: next } = visitor;
    assert.notEqual(next, cookie);
    const answer = await visitor.post('/logout');
    assert.deepEqual([answer.status, visitor.cookie], [302, null]);
    user = (session) => ({ name: session.username });
    await isOver(app, set.server, next);
  });
}
