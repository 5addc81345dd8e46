/** In the page itself, which asks for nothing. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ground: #f4f6f4; --card: #ffffff; --ink: #1b2928; --quiet: #566664; --line: #e0e6e3; --range: #d5e6e2; --flow: #1f6f68;
  --bad-ground: #fbeeec; --bad: #8f2f2c; --good: #14625b; --warn: #8a5a12;
  --t0: #2f6f8f; --t1: #4c9a90; --t2: #86ab63; --t3: #cf9a3e; --t4: #b0664c; --t5: #7c6a9c; --t6: #a85d7e; --t7: #6d7f8c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111716; --card: #19211f; --ink: #e4ebe8; --quiet: #9db0ab; --line: #2a3532; --range: #2f4641; --flow: #4bac9f;
    --bad-ground: #3a2220; --bad: #f3b3ad; --good: #7fd1c6; --warn: #e8b871;
    --t0: #5b9dbf; --t1: #5fb3a8; --t2: #9cc27a; --t3: #deb05c; --t4: #cf8369; --t5: #a493c4; --t6: #cf8aa8; --t7: #9aabb8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; overflow-wrap: anywhere; }
main { max-width: 1120px; margin: 0 auto; padding: 16px 24px 48px; }
h1 { margin: 16px 0 4px; font-size: clamp(24px, 4vw, 34px); line-height: 1.2; }
h2 { margin: 36px 0 12px; font-size: 21px; }
h3 { margin: 0 0 8px; font-size: 17px; }
h4 { margin: 14px 0 2px; color: var(--quiet); font-size: 14px; font-weight: 600; }
p, ul, ol { margin: 0 0 8px; }
ul, ol { padding-left: 20px; }
.quiet { color: var(--quiet); font-weight: 400; font-size: 14px; }
.note { padding: 12px 16px; border-radius: 10px; background: var(--bad-ground); color: var(--bad); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px 22px; min-width: 0; }
.card li::first-letter, .card p::first-letter { text-transform: uppercase; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 16px; }
.facts { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 0; }
.facts dt { color: var(--quiet); font-size: 14px; }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.big dd { font-size: 24px; line-height: 1.25; }
.picture { display: block; width: 100%; height: auto; margin: 12px 0 4px; font-size: 13px; }
#sizes .picture { max-width: 1000px; } #risk .picture, article .picture { max-width: 560px; } #migration .picture { max-width: 560px; }
.picture text { fill: var(--ink); }
.tone-0 { fill: var(--t0); } .tone-1 { fill: var(--t1); } .tone-2 { fill: var(--t2); } .tone-3 { fill: var(--t3); }
.tone-4 { fill: var(--t4); } .tone-5 { fill: var(--t5); } .tone-6 { fill: var(--t6); } .tone-7 { fill: var(--t7); }
.range { fill: var(--range); } .cell { fill: var(--ground); } .flow { fill: var(--flow); }
.average { stroke: var(--quiet); stroke-width: 2; fill: none; stroke-dasharray: 4 3; }
.whisker { stroke: var(--ink); stroke-width: 2; fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; list-style: none; font-size: 14px; }
.key { width: 12px; height: 12px; margin-right: 7px; }
.keys { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; max-width: 560px; font-size: 14px; }
.keys h3 { font-size: 14px; }
.gates { padding: 0; list-style: none; }
.gates li { padding: 8px 0; border-top: 1px solid var(--line); }
.gates strong { margin-right: 6px; }
.passed { color: var(--good); } .failed { color: var(--bad); } .alert { color: var(--warn); } .idle { color: var(--quiet); }
details { margin: 8px 0 0; }
summary { color: var(--quiet); font-size: 14px; cursor: pointer; }
:focus-visible { outline: 2px solid var(--good); outline-offset: 2px; border-radius: 4px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 14px 6px 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: normal; }
thead th { border: 0; color: var(--quiet); font-weight: 400; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
footer { margin-top: 36px; padding-top: 12px; border-top: 1px solid var(--line); font-size: 14px; }
@media (max-width: 560px) { main { padding: 8px 16px 32px; } .card { padding: 14px 16px; } #sizes .picture { font-size: 22px; } }
@media print { body { background: #ffffff; } .card { break-inside: avoid; } }
`;
