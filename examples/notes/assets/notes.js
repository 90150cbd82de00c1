// Owns two things: that a page shows the notes as they are now, and that no page shows the notes of a session that is over.
// Every page works without it. Only a page that can be seen listens: a browser opens few connections to a server.
{
  // For a new session's cookie to arrive, where another tab has just signed in anew.
  const GRACE_MS = 400;
  const { session } = document.documentElement.dataset;
  let source;
  let going = false;

  const hide = () => (document.body.hidden = true);
  // The server says where to: to the notes of whoever is signed in now, or to the first page.
  const leave = () => {
    hide();
    deaf();
    if (!going) setTimeout(() => location.replace('/'), GRACE_MS);
  };

  // What is asked for here is checked like any page, so it cannot show more than the person may see.
  async function look() {
    const answer = await fetch('/notes', { cache: 'no-store' });
    if (answer.status !== 200) return;
    const now = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (now.documentElement.dataset.session !== session) leave();
    else document.getElementById('notes')?.replaceWith(now.getElementById('notes'));
  }
  // Not to know changes nothing.
  const glance = () => look().catch(() => {});

  function deaf() {
    source?.close();
    source = undefined;
  }

  function listen() {
    deaf();
    if (document.hidden) return;
    source = new EventSource('/notes/events');
    // Something may have changed before it was open.
    source.onopen = glance;
    source.addEventListener('changed', glance);
    source.addEventListener('ended', leave);
    // A browser gives up on a stream that was refused; the page finds out why.
    source.onerror = () => source?.readyState === EventSource.CLOSED && glance();
  }

  document.addEventListener('visibilitychange', listen);
  addEventListener('beforeunload', () => {
    going = true;
    deaf();
  });
  // A page that is put away comes back hidden, and is asked for again.
  addEventListener('pagehide', hide);
  addEventListener('pageshow', ({ persisted }) => {
    going = false;
    if (persisted) location.reload();
    else listen();
  });
}
