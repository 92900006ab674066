import { TONES } from './theme.js';

function variables(form: 'light' | 'dark'): string {
  return Object.entries(TONES)
    .map(([role, tone]) => `--${role}: ${tone[form]};`)
    .join(' ');
}

/** The report's style sheet: light or dark as the reader's system is, readable from 320 pixels of width on. */
export const STYLE = `
:root { color-scheme: light dark; ${variables('light')} }
@media (prefers-color-scheme: dark) { :root { ${variables('dark')} } }
@media print { :root { color-scheme: light; print-color-adjust: exact; ${variables('light')} } }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: break-word;
}
main, header, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 36px; }
footer { padding-top: 8px; padding-bottom: 48px; color: var(--muted); font-size: 14px; }
h1, h2, h3 { line-height: 1.25; margin: 0; text-wrap: balance; }
h1 { font-size: 30px; letter-spacing: -0.01em; }
h2 { font-size: 22px; margin-bottom: 10px; }
h3 { font-size: 17px; margin-bottom: 4px; }
p { margin: 0 0 12px; max-width: 72ch; text-wrap: pretty; }
a { color: var(--series1); }
.note { color: var(--muted); font-size: 14px; max-width: 100ch; }
section { padding: 36px 0 8px; }
section + section { border-top: 1px solid var(--line); }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; margin: 14px 0 0; padding: 0; font-size: 14px; }
:focus-visible { outline: 3px solid var(--series1); outline-offset: 2px; border-radius: 3px; }

.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 18px 0 24px; padding: 0; }
.headline div { border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px 14px; }
.headline dt { font-size: 14px; color: var(--muted); }
.headline dd { margin: 0; }
.headline .value { font-size: 28px; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.headline .against { font-size: 13px; color: var(--muted); }

.scroll { overflow-x: auto; margin: 12px 0 20px; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); font-size: 14px; padding-bottom: 8px; }
caption > span { display: inline-block; position: sticky; left: 0; max-width: calc(100vw - 72px); }
.figures { width: 100%; }
.figures th, .figures td { padding: 6px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
.figures thead th { white-space: normal; }
.figures thead th { vertical-align: bottom; font-weight: 600; color: var(--muted); }
.figures thead tr:last-child th { border-bottom: 2px solid var(--line); }
.figures th[scope="row"], .figures thead .name { text-align: left; font-weight: 600; }
.figures thead th[scope="colgroup"] { text-align: center; border-bottom: 1px solid var(--line); }
.figures .group { border-left: 1px solid var(--line); }
.figures tbody tr.best { background: var(--band); }
.figures tbody tr:hover { background: var(--band); }
.figures tfoot th, .figures tfoot td { border-bottom: 0; font-weight: 600; }
.figures .words { text-align: left; }
.bars { max-width: 760px; }
.bars .bar { width: 60%; min-width: 120px; }
.bars .bar span { display: block; height: 12px; border-radius: 3px; background: var(--series1); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.badge { font-size: 12px; font-weight: 600; padding: 1px 7px; margin-left: 6px; border-radius: 99px; border: 1px solid currentColor; }
.badge.best { color: var(--series1); }
.badge.failed { color: var(--series6); }
.failures { padding-left: 20px; margin: 0 0 16px; }
th button {
  font: inherit; color: inherit; background: none; border: 0; margin: -6px -10px; padding: 6px 10px; cursor: pointer; text-align: inherit;
}
th button:hover { color: var(--ink); }
th button::after { content: "\\2195"; opacity: 0.55; margin-left: 5px; font-size: 12px; }
th[aria-sort] button { color: var(--ink); }
th[aria-sort] button::after { opacity: 1; }
th[aria-sort="ascending"] button::after { content: "\\2191"; }
th[aria-sort="descending"] button::after { content: "\\2193"; }

.pair { display: grid; grid-template-columns: minmax(0, auto) minmax(min(320px, 100%), 1fr); gap: 8px 40px; align-items: start; }
.matrix { border-collapse: separate; border-spacing: 2px; }
.matrix th { font-weight: 400; }
.matrix th[scope="row"] { text-align: right; padding: 0 8px 0 0; max-width: 132px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.matrix thead th[scope="col"] { vertical-align: bottom; padding: 0 0 6px; height: 88px; }
.matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 132px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.matrix .corner { color: var(--muted); font-size: 12px; text-align: right; vertical-align: bottom; padding: 0 8px 6px 0; line-height: 1.35; }
.matrix td {
  width: 42px; min-width: 42px; height: 36px; padding: 0; text-align: center; border-radius: 3px;
  color: var(--ink); background: var(--band); forced-color-adjust: none;
}
.matrix td[style] { background: color-mix(in srgb, var(--miss) calc(var(--s) * 1%), var(--paper)); }
.matrix td.hit[style] { background: color-mix(in srgb, var(--hit) calc(var(--s) * 1%), var(--paper)); font-weight: 600; }
.matrix td.none { color: var(--muted); }
.matrix.dense { border-spacing: 1px; font-size: 11px; }
.matrix.dense td { width: 14px; min-width: 14px; height: 14px; font-size: 0; border-radius: 1px; }

.curves { margin: 20px 0 32px; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(290px, 100%), 1fr)); gap: 16px; }
.panels.wide { grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }
figure { margin: 0; max-width: 520px; }
figure.whole { max-width: none; }
svg text { font-family: inherit !important; }
figure svg { display: block; width: 100%; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; margin: 4px 0 8px; padding: 0; font-size: 14px; }
.legend svg { width: 22px; height: 10px; margin-right: 7px; }

details { border: 1px solid var(--line); border-radius: 10px; margin: 0 0 10px; }
summary { cursor: pointer; padding: 10px 16px; font-weight: 600; }
summary span { font-weight: 400; color: var(--muted); font-size: 14px; margin-left: 10px; }
details > div { padding: 4px 16px 8px; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 20px; margin: 8px 0 20px; font-size: 15px; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 8px 40px; }
pre { background: var(--band); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; overflow-x: auto; font-size: 14px; line-height: 1.5; margin: 8px 0 14px; }
p code { white-space: nowrap; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }

.pair.stacked { grid-template-columns: minmax(0, 1fr); }
.short { max-height: 440px; overflow-y: auto; }
.short thead th, .short tfoot :is(th, td) { position: sticky; top: 0; bottom: 0; background: var(--paper); }
@media (max-width: 900px) { .pair { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 520px) {
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  h1 { font-size: 25px; }
  .headline { grid-template-columns: 1fr 1fr; gap: 8px; }
  .headline div { padding: 10px 12px; }
  .headline .value { font-size: 24px; }
  table { font-size: 13px; }
  .figures th, .figures td { padding: 5px 7px; }
  th button { margin: -5px -7px; padding: 5px 7px; }
  .figures th[scope="row"], .figures thead .name { position: sticky; left: 0; background: var(--paper); }
  .figures th[scope="row"] { white-space: normal; overflow-wrap: anywhere; min-width: 104px; }
  .figures tr.best th[scope="row"] { background: var(--band); }
  .matrix:not(.dense) { font-size: 11px; border-spacing: 1px; }
  .matrix:not(.dense) td { width: 25px; min-width: 25px; height: 26px; }
  .matrix th[scope="row"] { padding-right: 5px; max-width: 88px; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin-bottom: 8px; }
}
@media print {
  @page { margin: 12mm; }
  body { font-size: 13px; }
  nav, [data-hint], th button::after { display: none; }
  main, header, footer { max-width: none; padding-left: 0; padding-right: 0; }
  section { padding-top: 20px; }
  .scroll, .short { overflow: visible; max-height: none; }
  .short thead th, .short tfoot :is(th, td), caption > span { position: static; }
  caption > span { max-width: none; }
  table { font-size: 10px; }
  tfoot { display: table-row-group; }
  .figures th, .figures td { padding: 3px 4px; }
  .figures th[scope="row"] { white-space: normal; overflow-wrap: anywhere; min-width: 64px; }
  details > div { padding: 4px 8px; }
  .badge { font-size: 9px; padding: 0 4px; margin-left: 0; }
  .headline { grid-template-columns: repeat(5, 1fr); gap: 8px; }
  .headline div { padding: 8px 10px; }
  .headline .value { font-size: 22px; }
  th button { margin: 0; padding: 0; }
  .matrix.dense { width: 100%; table-layout: fixed; border-spacing: 0.5px; font-size: 7px; line-height: 1; }
  .matrix.dense .corner, .matrix.dense th[scope="row"] { width: 80px; }
  .matrix.dense .corner { font-size: 8px; }
  .matrix.dense thead th[scope="col"] { height: 40px; }
  .matrix.dense td { width: auto; min-width: 0; height: 9px; }
  pre { white-space: pre-wrap; }
  h2, h3, summary, caption, thead, .note, .legend { break-after: avoid; }
  tr, figure, .headline, .legend, .facts, .matrix { break-inside: avoid; }
}
`;
