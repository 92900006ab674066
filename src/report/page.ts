import { type Content, html, type Markup, trusted } from './markup.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

/** A page's Content-Security-Policy: nothing outside it is loaded, whatever its data holds. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** A part of a page, with a place in its list of contents. */
export interface Section {
  id: string;
  title: string;
  markup: Markup;
}

/** A part of a page. */
export function section(id: string, title: string, content: Content): Section {
  return {
    id,
    title,
    markup: html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>
`,
  };
}

/** What a page is made of. */
export interface Page {
  title: string;
  /** Below the title. */
  lead: Content;
  sections: readonly Section[];
  /** Where it comes from, at its end. */
  origin: string;
}

/** A page of a report: it needs no other file and no network; the same parts give the same bytes. */
export function pageHtml({ title, lead, sections, origin }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${title} – treadle report</title>
<link rel="icon" href="data:,">
<style>${trusted(STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="note">${lead}</p>
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(({ markup }) => markup)}
</main>
<footer>${origin}</footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.markup;
}

/** A figure in large type, with what it is set against. */
export function headlineFigure(title: string, value: string, against: string | null = null): Markup {
  const below = against === null ? null : html`<dd class="against">${against}</dd>`;
  return html`<div><dt>${title}</dt><dd class="value">${value}</dd>${below}</div>`;
}

/** Settings and facts in two columns. */
export function facts(entries: readonly (readonly [string, Content])[]): Markup {
  return html`<dl class="facts">${entries.map(([title, value]) => html`<dt>${title}</dt><dd>${value}</dd>\n`)}</dl>`;
}
