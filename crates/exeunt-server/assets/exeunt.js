// Owns one thing: what the Back button may show of a page that belongs to a session.
// A page that is put away is hidden first, so it comes back hidden; it is shown again only when the server has said that
// its own session is still open. It decides nothing else, and every page works without it.

// The body and not the root: the dark or light canvas stays, so nothing flashes.
const { body, documentElement: root } = document;
let turn = 0;

addEventListener('pagehide', () => {
  turn += 1;
  body.hidden = true;
});

addEventListener('pageshow', async (event) => {
  if (!event.persisted) return;
  body.hidden = true;
  turn += 1;
  const mine = turn;
  const verdict = await ask().catch(() => 'unknown');
  // Put away and restored again meanwhile: an answer to the older question opens nothing.
  if (mine !== turn) return;
  if (verdict === 'open') body.hidden = false;
  else if (verdict === 'ended') location.replace('/');
  else location.reload();
});

async function ask() {
  const answer = await fetch('/api/session', {
    cache: 'no-store',
    credentials: 'same-origin',
    signal: AbortSignal.timeout(5000),
  });
  if (answer.status === 401) return 'ended';
  // Another session may be open in this browser by now, even another user's: the answer must name ours.
  const named = answer.status === 200 && (await answer.text()).includes(JSON.stringify(root.dataset.session));
  return named ? 'open' : 'unknown';
}
