// Owns how an error of this package is shown: to a person as a page without scripts, to a program as problem+json (RFC
// 9457). It shows the sentence of the error and nothing that was sent, but for the path of a link to confirm with.

import { STATUS_CODES } from 'node:http';

import { ExeuntError } from './errors.js';

/** Sends the answer, at once. */
export function answer(error, req, res) {
  const known = error instanceof ExeuntError;
  const status = known ? error.status : 500;
  const detail = known && status !== 500 ? error.message : STATUS_CODES[500];
  res.statusCode = status;
  res.statusMessage = STATUS_CODES[status];
  for (const [name, value] of Object.entries(error.headers ?? {})) res.setHeader(name, value);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Security-Policy', "default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
  const html = (req.headers.accept ?? '').includes('text/html');
  res.setHeader('Content-Type', html ? 'text/html; charset=utf-8' : 'application/problem+json');
  res.end(html ? page(status, detail, linkFor(error, req)) : problem(status, detail, error.code));
}

function problem(status, detail, code) {
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, code });
}

function page(status, detail, link) {
  const title = escape(STATUS_CODES[status]);
  return (
    `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${title}</title>\n` +
    `<h1>${title}</h1>\n<p>${escape(detail)}</p>\n${link}</html>\n`
  );
}

/** From this page the same address is the person's own wish. */
function linkFor(error, req) {
  if (error.code !== 'unconfirmed') return '';
  // Two slashes would lead to another site.
  const path = `/${(req.originalUrl ?? req.url).replace(/^[/\\]+/, '')}`;
  return `<p><a href="${escape(path)}">Sign out</a></p>\n`;
}

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
