/** Served as files: the page's own policy allows nothing inline. */

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f6f68"/><path d="M9 7v18M23 7v18M9 16h14" stroke="#f4faf8" stroke-width="4" stroke-linecap="round" fill="none"/></svg>`;

export const STYLE = `:root {
  color-scheme: light dark;
  --ground: #f4f6f4; --card: #ffffff; --ink: #1b2928; --quiet: #566664; --line: #e0e6e3;
  --kept: #2a857c; --gone: #d5e6e2; --held: #c48a35; --focus: #14625b; --button: #1f6f68;
  --critical: #ad4340; --high: #cd8430; --medium: #5f8dae;
  --bad-ground: #fbeeec; --bad: #8f2f2c; --note-ground: #eaf2f6; --note: #2b5a76;
  --stage-0: #2f6f8f; --stage-1: #4c9a90; --stage-2: #86ab63; --stage-3: #cf9a3e; --stage-4: #b0664c; --stage-5: #7c6a9c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111716; --card: #19211f; --ink: #e4ebe8; --quiet: #9db0ab; --line: #2a3532;
    --kept: #4bac9f; --gone: #263c38; --held: #dca24e; --focus: #7fd1c6; --button: #23776f;
    --critical: #e2766f; --high: #dfa253; --medium: #79a9cc;
    --bad-ground: #3a2220; --bad: #f3b3ad; --note-ground: #1d2d37; --note: #a9cfe6;
    --stage-0: #5b9dbf; --stage-1: #5fb3a8; --stage-2: #9cc27a; --stage-3: #deb05c; --stage-4: #cf8369; --stage-5: #a493c4;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
a { color: inherit; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.top { display: flex; flex-wrap: wrap; gap: 12px 24px; align-items: center; justify-content: space-between; max-width: 1120px; margin: 0 auto; padding: 20px 24px 0; }
.brand { display: inline-flex; gap: 10px; align-items: center; font-weight: 600; letter-spacing: 0.01em; text-decoration: none; }
.brand img { display: block; border-radius: 7px; }
.chooser { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; min-width: 0; }
.chooser label { color: var(--quiet); font-size: 14px; }
select, button { font: inherit; font-size: 15px; min-height: 36px; padding: 4px 12px; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 8px; max-width: 100%; }
button { cursor: pointer; }
main { max-width: 1120px; margin: 0 auto; padding: 12px 24px 48px; }
h1 { margin: 20px 0 0; font-size: clamp(24px, 4vw, 32px); font-weight: 600; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 0 0 16px; font-size: 16px; font-weight: 600; }
h3 { margin: 20px 0 10px; color: var(--quiet); font-size: 14px; font-weight: 600; }
.quiet { color: var(--quiet); }
.asof { margin: 6px 0 20px; }
.note { margin: 0 0 20px; padding: 12px 16px; border-radius: 10px; background: var(--note-ground); color: var(--note); overflow-wrap: anywhere; }
.note.bad { background: var(--bad-ground); color: var(--bad); }
.card, .tile { background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.card { padding: 20px 24px 22px; min-width: 0; }
.card.lone { max-width: 620px; margin: 48px auto 0; }
.card.lone h1 { margin: 0 0 12px; font-size: 24px; }
pre { margin: 12px 0; padding: 12px 14px; overflow-x: auto; background: var(--ground); border-radius: 8px; }
code { font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.tiles { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 16px; margin: 0 0 16px; }
.tile { padding: 14px 18px 16px; }
.tile dt { color: var(--quiet); font-size: 14px; }
.tile dd { margin: 0; font-size: 28px; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile dd .quiet { display: block; font-size: 14px; font-weight: 400; }
.columns { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; margin-bottom: 16px; }
.wide { grid-column: 1 / -1; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
table.bars { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.bars th { padding: 5px 16px 5px 0; font-weight: 400; text-align: left; vertical-align: middle; }
.bars tbody th { white-space: nowrap; }
.bars td { padding: 5px 0; vertical-align: middle; }
.bars .drawing { width: 100%; }
.bars .number { padding-left: 16px; text-align: right; white-space: nowrap; }
.bar { display: block; width: 100%; height: 16px; border-radius: 4px; overflow: hidden; }
.kept { fill: var(--kept); } .gone { fill: var(--gone); } .held { fill: var(--held); }
.critical { fill: var(--critical); } .high { fill: var(--high); } .medium { fill: var(--medium); }
.stage-0 { fill: var(--stage-0); } .stage-1 { fill: var(--stage-1); } .stage-2 { fill: var(--stage-2); }
.stage-3 { fill: var(--stage-3); } .stage-4 { fill: var(--stage-4); } .stage-5 { fill: var(--stage-5); }
.histogram { display: block; width: 100%; height: 168px; border-bottom: 1px solid var(--quiet); }
.axis { display: flex; justify-content: space-between; margin: 4px 0 0; color: var(--quiet); font-size: 13px; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 14px 0 0; font-size: 14px; }
.legend div { display: flex; gap: 8px; align-items: baseline; }
.legend dt { display: inline-flex; gap: 7px; align-items: baseline; }
.legend dd { margin: 0; font-variant-numeric: tabular-nums; }
.key { flex: none; width: 11px; height: 11px; }
.runs th { padding-block: 9px; }
.runs .slot { display: block; color: var(--quiet); font-size: 14px; }
.runs .times { display: block; margin-top: 3px; font-size: 13px; }
.phase { font-weight: 600; }
.phase::before { content: "●"; margin-right: 7px; color: var(--kept); }
.phase.running::before { content: "◐"; color: var(--medium); }
.phase.failed::before { content: "▲"; color: var(--critical); }
.phase.interrupted::before { content: "■"; color: var(--high); }
.act { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin: 0 0 16px; font-size: 14px; }
.button { display: inline-block; padding: 7px 16px; border-radius: 8px; background: var(--button); color: #ffffff; font-size: 15px; font-weight: 600; text-decoration: none; }
.button:hover { text-decoration: underline; }
.back { font-size: 14px; }
.choices { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 0 0 16px; padding: 0; list-style: none; font-size: 15px; font-variant-numeric: tabular-nums; }
.choices a, .choices [aria-disabled] { display: inline-block; min-height: 36px; padding: 5px 14px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); text-decoration: none; }
.choices a:hover { text-decoration: underline; }
.choices [aria-disabled] { background: none; }
.choices [aria-current] { border-color: var(--focus); box-shadow: inset 0 0 0 1px var(--focus); font-weight: 600; }
.pages, .files .choices { margin: 16px 0 0; }
.files { margin-top: 16px; }
.files p { margin: 0; font-size: 14px; }
.people { width: 100%; table-layout: fixed; border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
.people th, .people td { padding: 8px 16px 8px 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.people thead th { border: 0; color: var(--quiet); font-size: 14px; font-weight: 400; }
.people tbody th { font-weight: 600; }
.people thead th:nth-child(1) { width: 20%; } .people thead th:nth-child(2) { width: 15%; } .people thead th:nth-child(4) { width: 13%; }
.people .risk { white-space: nowrap; }
.people .risk .key { margin-right: 7px; }
@media (max-width: 820px) { .columns { grid-template-columns: minmax(0, 1fr); } .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (max-width: 560px) {
  .top { padding: 16px 16px 0; } main { padding: 8px 16px 32px; } .card { padding: 16px; } .tiles { gap: 10px; } .tile { padding: 10px 14px 12px; }
  .tile dd { font-size: 24px; }
  table.bars, .bars tbody { display: block; }
  .bars tr { display: grid; grid-template-columns: minmax(0, 1fr) auto auto; align-items: baseline; padding: 5px 0; }
  .bars tbody th, .bars td { padding: 0; }
  .bars tbody th { grid-area: 1 / 1; white-space: normal; overflow-wrap: anywhere; }
  .bars .number { grid-area: 1 / 2; padding-left: 12px; }
  .bars .number + .number { grid-area: 1 / 3; }
  .bars .drawing { grid-area: 2 / 1 / 3 / 4; margin-top: 3px; }
  .people, .people tbody { display: block; }
  .people thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .people tbody tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 1px 12px; padding: 9px 0; border-top: 1px solid var(--line); }
  .people tbody th, .people td { padding: 0; border: 0; }
  .people td:nth-child(n + 3) { grid-column: 1 / -1; font-size: 14px; }
  .people td:nth-child(4)::before { content: "Recommended: "; color: var(--quiet); }
  .people td:empty { display: none; }
  .chooser { width: 100%; } .chooser select { flex: 1 1 0; min-width: 0; }
}
@media print { body { background: #ffffff; } .card, .tile { break-inside: avoid; } .chooser { display: none; } }
`;
