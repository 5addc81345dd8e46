import { type Html, html } from '../../base/text/html.ts';

/** A whole page: its title, what is at its top, and the rest. */
export function document(title: string, top: Html, main: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Holdfast</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<header class="top"><a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28">Holdfast</a>${top}</header>
<main>${main}</main>
</body>
</html>
`.html;
}
