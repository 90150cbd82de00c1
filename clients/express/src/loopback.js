// Owns which hosts are on this machine: the same judgement as `crates/exeunt-axum/src/origin.rs`. It looks nothing up.

const ADDRESS = /^(127(\.\d{1,3}){3}|\[::1\]|\[::ffff:(127(\.\d{1,3}){3}|7f[0-9a-f]{2}:[0-9a-f]{1,4})\])$/;
/** Browsers look up no name below `localhost` (RFC 6761 section 6.3). */
const NAME = /^([a-z0-9_-]+\.)*localhost\.?$/;

/** Whether browsers hold the host of `host` or `host:port` for their own machine. */
export function isLoopback(authority) {
  const host = hostOf(authority);
  return NAME.test(host) || ADDRESS.test(host);
}

/**
 * Whether what we send there stays on this machine. For a name below `localhost` Node may ask the network, which may name
 * anybody.
 */
export function isThisMachine(authority) {
  const host = hostOf(authority);
  return host === 'localhost' || ADDRESS.test(host);
}

function hostOf(authority) {
  return authority.toLowerCase().replace(/:\d+$/, '');
}
