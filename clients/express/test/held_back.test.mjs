// What leaves in a response while a logout is under way, and what leaves when it comes to nothing. The gate decides
// when the server hears of the logout, so every schedule here is forced.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';

import { ask, isKept, isOver, member, open, PASSWORD, promise, stage, startApp, startGate } from './stage.mjs';

const set = stage();

/** Larger than what may be held back. */
const TOO_LARGE = 'x'.repeat(1024 * 1024 + 1);

/** Every way to answer without waiting for `req.logout()`. Each is called right after it. */
const ANSWERS = {
  redirect: (req, res) => res.redirect('/'),
  'redirect with a status': (req, res) => res.redirect(303, '/'),
  send: (req, res) => res.send('you are signed out'),
  json: (req, res) => res.json({ signedOut: true }),
  'send of a status': (req, res) => res.sendStatus(204),
  'send of a file': (req, res) => res.sendFile(import.meta.filename),
  end: (req, res) => res.end('you are signed out'),
  writeHead: (req, res) => res.writeHead(302, { Location: '/', 'Set-Cookie': 'a=b' }).end(),
  'writeHead with a list': (req, res) => res.writeHead(302, 'Away', ['Location', '/', 'Set-Cookie', 'a=b']).end('gone'),
  writeHeader: (req, res) => res.writeHeader(200).end('you are signed out'),
  'pieces one after another': (req, res) => {
    res.write('you are ');
    res.write('signed out');
    res.end();
  },
  'an early head': (req, res) => {
    res.flushHeaders();
    res.end('you are signed out');
  },
  'a pipe': (req, res) => Readable.from(['you are ', 'signed out']).pipe(res),
  'a pipeline': (req, res) => pipeline(Readable.from(['you are ', 'signed out']), res, () => {}),
  'a cookie that would be forgotten': (req, res) =>
    res.clearCookie('exeunt').set('Clear-Site-Data', '"cookies"').redirect('/'),
};

const leaving = (respond) => (app) => {
  app.get('/logout', (req, res) => {
    req.logout();
    respond(req, res);
  });
};

for (const [way, respond] of Object.entries(ANSWERS)) {
  promise(`nothing of an answer by ${way} leaves before the logout is over`, async (t) => {
    const gate = await startGate(t, set.server);
    const app = await startApp(t, gate, leaving(respond));
    const visitor = await member(app, set.server);
    const { cookie } = visitor;
    const shut = gate.shutFor('/api/logout');
    let left = false;
    const answering = visitor.get('/logout').finally(() => (left = true));
    await shut.arrived;
    // Everything that was ready to leave would have left by the time another answer comes by the same way.
    assert.equal((await app.visitor().get('/me')).status, 200);
    assert.equal(left, false);
    shut.pass();
    const answer = await answering;
    assert(answer.status < 400, `${answer.status}`);
    const ours = answer.setCookies.filter((line) => line.startsWith('exeunt='));
    assert.deepEqual(ours, ['exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0']);
    assert.equal(answer.headers['cache-control'], 'no-store');
    await isOver(app, set.server, cookie);
  });

  promise(
    `an answer by ${way} becomes "you are NOT signed out" if the logout cannot be known to be over`,
    async (t) => {
      const gate = await startGate(t, set.server);
      const app = await startApp(t, gate, leaving(respond));
      const visitor = await member(app, set.server);
      const { cookie } = visitor;
      const shut = gate.shutFor('/api/logout');
      const answering = visitor.get('/logout', { accept: 'text/html' });
      await shut.arrived;
      shut.cut();
      saysNotSignedOut(await answering);
      await isKept(set.server, visitor, cookie);
      gate.open();
      assert.equal(await visitor.whoami(), visitor.name);
      await visitor.get('/logout');
      await isOver(app, set.server, cookie);
    },
  );
}

function saysNotSignedOut(answer) {
  assert.equal(answer.status, 503);
  assert.match(answer.text, /you are NOT signed out/);
  assert.deepEqual(answer.setCookies, []);
  for (const field of ['location', 'clear-site-data', 'etag', 'last-modified', 'refresh']) {
    assert.equal(answer.headers[field], undefined, field);
  }
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.headers['retry-after'], '2');
  assert.match(answer.headers['content-type'], /^text\/html/);
}

promise('the fields that a handler gives to writeHead leave with ours', async (t) => {
  const ways = {
    object: ANSWERS.writeHead,
    list: ANSWERS['writeHead with a list'],
    pairs: (req, res) => {
      res
        .writeHead(302, [
          ['Location', '/'],
          ['Set-Cookie', 'a=b'],
        ])
        .end();
    },
  };
  const app = await startApp(t, set.server, (app) => {
    app.get('/:way', (req, res, next) => {
      if (!(req.params.way in ways)) return next();
      req.logout();
      return ways[req.params.way](req, res);
    });
  });
  for (const way of Object.keys(ways)) {
    const visitor = await member(app, set.server);
    const { cookie } = visitor;
    const answer = await visitor.get(`/${way}`);
    assert.deepEqual([answer.status, answer.headers.location], [302, '/'], way);
    assert.deepEqual(answer.setCookies, ['a=b', 'exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0'], way);
    await isOver(app, set.server, cookie);
  }
});

promise('a logout whose answer was lost is not called over, though the next try finds it so', async (t) => {
  const gate = await startGate(t, set.server);
  const app = await startApp(t, gate, leaving(ANSWERS.redirect));
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const shut = gate.shutFor('/api/logout');
  const answering = visitor.get('/logout', { accept: 'text/html' });
  await shut.arrived;
  shut.lose();
  saysNotSignedOut(await answering);
  assert.equal(visitor.cookie, cookie, 'the cookie is kept');
  gate.open();
  assert.equal((await visitor.get('/logout')).status, 302);
  assert.equal(visitor.cookie, null);
  await isOver(app, set.server, cookie);
});

promise('an answer that begins after the logout has failed says so too, whoever swallowed the error', async (t) => {
  const failed = [];
  const app = await gated(t, (app) => {
    app.get('/not-waited', async (req, res) => {
      const over = req.logout();
      await over.catch(() => {});
      res.redirect('/');
    });
    app.get('/callback', (req, res) => {
      req.logout((error) => {
        failed.push(error.name, req.user.username);
        res.json({ signedOut: true });
      });
    });
    app.get('/next', async (req, res, next) => {
      req.logout();
      next();
    });
    app.get('/next', (req, res) => res.redirect('/'));
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  app.gate.shutFor('/api/logout').cut();
  for (const path of ['/not-waited', '/callback', '/next']) {
    saysNotSignedOut(await visitor.get(path, { accept: 'text/html' }));
    await isKept(set.server, visitor, cookie);
  }
  assert.deepEqual(failed, ['ExeuntUnreachable', visitor.name]);
});

promise('a handler that says itself that it failed is left its own words', async (t) => {
  const app = await gated(t, (app) => {
    app.get('/logout', async (req, res) => {
      try {
        await req.logout();
        res.redirect('/');
      } catch {
        res.status(503).send('still here');
      }
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  app.gate.shutFor('/api/logout').cut();
  const answer = await visitor.get('/logout');
  assert.deepEqual([answer.status, answer.text, answer.setCookies], [503, 'still here', []]);
  await isKept(set.server, visitor, cookie);
});

promise('a second try in the same request counts', async (t) => {
  const app = await gated(t, (app) => {
    app.get('/logout', async (req, res) => {
      await req.logout().catch(() => app.gate.open());
      await req.logout();
      res.redirect('/');
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  app.gate.shutFor('/api/logout').cut();
  assert.equal((await visitor.get('/logout')).status, 302);
  assert.equal(visitor.cookie, null);
  await isOver(app, set.server, cookie);
});

/** A logout whose connection is cut, and then a sign-in in the same request. Whatever is asked for another token passes. */
const tryingAgain = (options, given) => (app, { passport }) => {
  app.post('/again', (req, res, next) => {
    req.logout();
    next();
  });
  app.post('/again', passport.authenticate('exeunt', options), (req, res) => res.redirect('/'));
};

const cutFor = (app, token) =>
  app.gate.shutFor('/api/logout', (req) => req.headers.authorization === `Bearer ${token}`).cut();

promise('a proof of who it is in the same request does not make good that the logout failed', async (t) => {
  const app = await gated(t, tryingAgain({ session: false }));
  const visitor = await member(app, set.server);
  const { cookie, name, token } = visitor;
  cutFor(app, token);
  const answer = await visitor.post('/again', { username: name, password: PASSWORD }, { accept: 'text/html' });
  saysNotSignedOut(answer);
  await isKept(set.server, visitor, cookie);
  assert.equal(await set.server.countSessions(token), 1, 'what was opened for the proof has ended');
});

promise('a sign-in in the same request makes it good, for it ends the old session itself', async (t) => {
  const app = await gated(t, (app, parts) => {
    app.use((req, res, next) => {
      const { logout } = req;
      req.logout = (...args) => logout.apply(req, args).catch(() => app.gate.open());
      next();
    });
    tryingAgain({})(app, parts);
  });
  const visitor = await member(app, set.server);
  const { cookie, name, token } = visitor;
  cutFor(app, token);
  assert.equal((await visitor.post('/again', { username: name, password: PASSWORD })).status, 302);
  assert.equal(await visitor.whoami(), name);
  await isOver(app, set.server, cookie);
});

promise('nor is it made good by a sign-in over a token of which not every node may have heard', async (t) => {
  const app = await gated(t, tryingAgain({}));
  const visitor = await member(app, set.server);
  const { cookie, name, token } = visitor;
  await set.server.signOut(token);
  cutFor(app, token);
  const answer = await visitor.post('/again', { username: name, password: PASSWORD }, { accept: 'text/html' });
  saysNotSignedOut(answer);
  assert.equal(visitor.cookie, cookie, 'nobody was signed in');
  app.gate.open();
  assert.equal((await visitor.post('/again', { username: name, password: PASSWORD })).status, 302);
  assert.equal(await visitor.whoami(), name);
  await isOver(app, set.server, cookie);
});

promise('what a program is told of it is problem+json', async (t) => {
  const app = await gated(t, leaving(ANSWERS.redirect));
  const visitor = await member(app, set.server);
  app.gate.shutFor('/api/logout').cut();
  const answer = await visitor.get('/logout');
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  const { status, code, detail } = JSON.parse(answer.text);
  assert.deepEqual([status, code], [503, 'unreachable']);
  assert.match(detail, /NOT signed out/);
  await isKept(set.server, visitor, visitor.cookie);
});

promise('an answer that is too large to wait is not sent, but what is so is said and done', async (t) => {
  const app = await gated(
    t,
    leaving((req, res) => res.send(TOO_LARGE)),
  );
  for (const order of ['pass', 'cut']) {
    const visitor = await member(app, set.server);
    const { cookie } = visitor;
    const shut = app.gate.shutFor('/api/logout');
    const answering = visitor.get('/logout');
    await shut.arrived;
    shut[order]();
    const answer = await answering;
    assert.equal(answer.status, order === 'pass' ? 500 : 503);
    if (order === 'pass') await isOver(app, set.server, cookie);
    else await isKept(set.server, visitor, cookie);
    app.gate.open();
  }
});

promise('an answer that had begun and is too large to wait breaks off, and the logout is done', async (t) => {
  const app = await gated(t, (app) => {
    app.get('/logout', (req, res) => {
      res.write('signing you out');
      req.logout();
      res.end(TOO_LARGE);
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  await assert.rejects(visitor.get('/logout'), { code: 'ECONNRESET' });
  await isOver(app, set.server, cookie);
});

promise('an answer that had begun before breaks off if the logout comes to nothing', async (t) => {
  const app = await gated(t, (app) => {
    app.get('/logout', (req, res) => {
      res.write('signing you out');
      req.logout();
      res.end(': done');
    });
  });
  const visitor = await member(app, set.server);
  const shut = app.gate.shutFor('/api/logout');
  const response = await open(`${app.url}/logout`, { headers: { cookie: visitor.cookie } });
  let text = '';
  response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  await shut.arrived;
  shut.cut();
  const [error] = await once(response, 'error');
  assert.equal(error.code, 'ECONNRESET');
  assert.equal(text, 'signing you out');
  await isKept(set.server, visitor, visitor.cookie);
});

promise('a logout that is over is not called failed because the head had left before it', async (t) => {
  const app = await gated(t, (app) => {
    app.get('/logout', async (req, res) => {
      res.write('signing you out');
      await req.logout();
      res.end(': done');
    });
  });
  const [byCookie, byBearer] = [await member(app, set.server), await member(app, set.server)];
  const ways = [
    [byCookie.cookie, { cookie: byCookie.cookie }],
    [byBearer.cookie, { authorization: `Bearer ${byBearer.token}` }],
  ];
  for (const [cookie, headers] of ways) {
    assert.equal((await ask(`${app.url}/logout`, { headers })).text, 'signing you out: done');
    await isOver(app, set.server, cookie);
  }
});

promise('a source of many pieces waits, and then goes on to its end', async (t) => {
  const pieces = Array.from({ length: 500 }, (_, at) => `${at} `.repeat(200));
  const app = await gated(
    t,
    leaving((req, res) => Readable.from(pieces).pipe(res)),
  );
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const shut = app.gate.shutFor('/api/logout');
  const answering = visitor.get('/logout');
  await shut.arrived;
  shut.pass();
  assert.equal((await answering).text, pieces.join(''));
  await isOver(app, set.server, cookie);
});

promise('an answer that cannot be sent is an error, and nobody waits for it', async (t) => {
  const impossible = {
    status: (req, res) => res.writeHead(20).end(),
    field: (req, res) => res.writeHead(302, { Location: 'a\nb' }).end(),
    number: (req, res) => res.write(7),
  };
  const app = await gated(t, (app) => {
    app.get('/:what', (req, res, next) => {
      if (!(req.params.what in impossible)) return next();
      req.logout();
      return impossible[req.params.what](req, res);
    });
  });
  for (const what of Object.keys(impossible)) {
    const visitor = await member(app, set.server);
    const { cookie } = visitor;
    assert.equal((await visitor.get(`/${what}`)).status, 500, what);
    assert.equal(visitor.cookie, null);
    await isOver(app, set.server, cookie);
  }
});

promise('what comes after the first answer does not change it', async (t) => {
  const app = await gated(t, (app) => {
    app.get('/logout', (req, res) => {
      req.logout();
      res.redirect('/');
      assert.deepEqual([res.headersSent, res.writableEnded], [true, true]);
      res.status(418).set('Location', '/elsewhere');
      res.end('another');
    });
  });
  const visitor = await member(app, set.server);
  const { cookie } = visitor;
  const answer = await visitor.get('/logout');
  assert.deepEqual([answer.status, answer.headers.location], [302, '/']);
  await isOver(app, set.server, cookie);
});

promise('whoever goes away meanwhile is signed out all the same', async (t) => {
  const app = await gated(t, leaving(ANSWERS.redirect));
  const visitor = await member(app, set.server);
  const shut = app.gate.shutFor('/api/logout');
  const gone = visitor.get('/logout').catch((error) => error.code);
  await shut.arrived;
  app.drop();
  assert.equal(await gone, 'ECONNRESET');
  shut.pass();
  // The server may not have answered yet; the next logout is answered after this one.
  app.gate.open();
  const again = Object.assign(app.visitor(), { cookie: visitor.cookie });
  await again.get('/logout');
  await isOver(app, set.server, visitor.cookie);
});

/** An app behind a gate that it knows. */
async function gated(t, build) {
  const gate = await startGate(t, set.server);
  const sockets = new Set();
  const app = await startApp(t, gate, (express, parts) => {
    express.gate = gate;
    express.use((req, res, next) => {
      sockets.add(req.socket);
      next();
    });
    build(express, parts);
  });
  return Object.assign(app, { gate, drop: () => sockets.forEach((socket) => socket.destroy()) });
}
