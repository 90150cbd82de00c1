// Owns one thing: that the lists of the account page stay true while somebody looks at them.
// It asks for the page again and takes over what has changed. It ends nothing and decides nothing; whether the session goes
// on is exeunt.js's. A page that nobody attends to asks no more, so that it does not keep its session in use for ever.

{
  const EVERY_MS = 30_000;
  const UNATTENDED_MS = 10 * 60_000;
  const PATIENCE_MS = 5_000;
  const SIGNS = ['keydown', 'pointerdown', 'pointermove', 'scroll', 'pageshow'];

  let attended = Date.now();
  for (const sign of SIGNS) addEventListener(sign, () => (attended = Date.now()), { passive: true });
  setInterval(look, EVERY_MS);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    attended = Date.now();
    look();
  });

  async function look() {
    if (document.hidden || Date.now() - attended > UNATTENDED_MS) return;
    const fresh = await ask().catch(() => null);
    // Another session's page, should this browser have one by now, is not for this one.
    if (fresh?.documentElement.dataset.session !== document.documentElement.dataset.session) return;
    for (const old of document.querySelectorAll('[data-live]')) {
      const { innerHTML } = fresh.getElementById(old.id) ?? old;
      if (innerHTML !== old.innerHTML) keepingFocus(old, () => old.replaceChildren(...fresh.getElementById(old.id).childNodes));
    }
  }

  async function ask() {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch('/account', { cache: 'no-store', redirect: 'manual', signal });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), 'text/html') : null;
  }

  // A row that is gone leaves the focus with the first that stayed.
  function keepingFocus(part, change) {
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    change();
    if (focused) (document.getElementById(focused.id) ?? part.querySelector('button'))?.focus({ preventScroll: true });
  }
}
