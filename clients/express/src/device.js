// Owns how the browser or program that asks is shown to the session server. It verifies nothing: Express says whose
// address it is, by the app's setting `trust proxy`.

/** What the list of sessions shows, and what wrong passwords are counted by. */
export function deviceOf(req) {
  const device = {};
  const agent = req?.headers['user-agent'];
  const address = req?.ip ?? req?.socket?.remoteAddress;
  if (agent !== undefined) device['user-agent'] = agent;
  if (address !== undefined) device['x-forwarded-for'] = address;
  return device;
}
