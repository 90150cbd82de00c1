// Owns one thing: that no page shows a session that is over. Any page of this origin may include it; every page works
// without it. One tab of a browser listens for all, since a browser opens few connections to a server.
{
  const PATIENCE_MS = 5_000;
  // For a new session's cookie to arrive, and for a page on its way out to go.
  const GRACE_MS = 400;
  const GOING_MS = 3_000;
  const DELAY_MS = 500;
  const DELAY_MAX_MS = 30_000;

  const { dataset } = document.documentElement;
  // The one the page names, or else the first that is found.
  let { session } = dataset;
  let turn = 0;
  let going = false;
  let stop = () => {};

  // The body and not the root: the dark or light canvas stays, so nothing flashes.
  const hide = (hidden) => (document.body.hidden = hidden);
  const isOver = (said) => session && (said === 'ended' || said === 'other');
  const verdict = () => ask().catch(() => 'unknown');

  const pause = (ms, signal) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms);
      signal?.addEventListener('abort', resolve);
    });

  async function ask() {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch('/api/session', { cache: 'no-store', signal });
    if (answer.status === 401) return 'ended';
    if (answer.status !== 200) return 'unknown';
    const { sid } = await answer.json();
    session ??= sid;
    // By now it may be another session, even another user's.
    return sid === session ? 'open' : 'other';
  }

  // Hides the page until it is known what to do: show it, leave it, or ask for it again.
  async function judge() {
    const mine = (turn += 1);
    hide(true);
    let said = await verdict();
    if (isOver(said)) {
      await pause(going ? GOING_MS : GRACE_MS);
      said = await verdict();
    }
    // Put away or judged again meanwhile.
    if (mine !== turn) return;
    if (said === 'open') hide(false);
    else if (said === 'ended') location.replace('/');
    else if (dataset.again) location.replace(dataset.again);
    else location.reload();
  }

  // Asks without hiding: not to know changes nothing.
  async function glance() {
    const over = isOver(await verdict());
    if (over) judge();
    return over;
  }

  const listen = (signal) =>
    new Promise((resolve) => {
      const source = new EventSource('/api/events');
      let heard = '';
      const finish = () => {
        source.close();
        resolve(heard);
      };
      source.onopen = () => (heard = 'open');
      source.addEventListener('ended', () => (heard = 'ended') && finish());
      source.onerror = finish;
      signal.addEventListener('abort', finish);
    });

  // Listens for all tabs until this page goes.
  async function lead(others, signal) {
    for (let delay = DELAY_MS; ; delay = Math.min(2 * delay, DELAY_MAX_MS)) {
      const heard = await listen(signal);
      if (signal.aborted) return;
      if (heard === 'ended') judge();
      if (heard === 'ended' || (await glance())) others.postMessage(heard);
      if (heard) delay = DELAY_MS;
      await pause(delay * (1 + Math.random()), signal);
      if (signal.aborted) return;
    }
  }

  async function start() {
    stop();
    if (!navigator.locks) return;
    const ending = new AbortController();
    const { signal } = ending;
    const others = new BroadcastChannel('exeunt');
    others.onmessage = () => session && judge();
    stop = () => {
      ending.abort();
      others.close();
    };
    if (!session) await verdict();
    // Where nobody is signed in there is nothing to watch.
    if (session) navigator.locks.request('exeunt', { signal }, () => lead(others, signal)).catch(() => {});
  }

  addEventListener('beforeunload', () => (going = true));
  addEventListener('pagehide', () => {
    turn += 1;
    hide(true);
    stop();
  });
  addEventListener('pageshow', ({ persisted }) => {
    going = false;
    if (persisted) judge();
    start();
  });
  document.addEventListener('visibilitychange', () => document.hidden || glance());
  if (document.readyState === 'complete') start();
}
