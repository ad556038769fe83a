#include "app/optimize/report_parts.h"

namespace tachostat::app {

std::string_view report_style() {
  return R"css(
:root { color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --ink: #1c1e21; --soft: #5d6570; --line: #dfe2e6; --faint: #eef0f2;
  --chosen: #0b7a4b; --verified: #2560b8; --baseline: #6b7280; --refused: #b3402a; --limit: #b3402a;
  --c0: #0b7a4b; --c1: #2560b8; --c2: #9aa3af; --c3: #d97706; --c4: #a855a0; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14161a; --card: #1b1e23; --ink: #e7e9ec; --soft: #9aa3af; --line: #343940; --faint: #24282e;
  --chosen: #3ecf8e; --verified: #6ea4f4; --baseline: #9aa3af; --refused: #f08a72; --limit: #f08a72;
  --c0: #2fae76; --c1: #5b8fe0; --c2: #6b7482; --c3: #e09a3e; --c4: #c07fba; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 19px; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 44px 0 4px; }
h3 { font-size: 15px; margin: 24px 0 4px; }
p { margin: 6px 0 12px; max-width: 84ch; }
.soft, figcaption, .note { color: var(--soft); }
.note, figcaption { font-size: 13px; }
.answer { font-size: 22px; line-height: 1.35; font-weight: 600; margin: 14px 0 20px; max-width: 70ch; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 12px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; }
.tile b { display: block; font-size: 26px; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile .soft { font-size: 13px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; }
figure { margin: 12px 0; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
svg .tick { fill: var(--soft); font-size: 11px; }
svg .axis { stroke: var(--line); } svg .grid { stroke: var(--faint); }
svg .one { stroke: var(--soft); stroke-dasharray: 3 3; } svg .limit { stroke: var(--limit); stroke-width: 1.5; }
svg .path { fill: none; stroke: var(--chosen); stroke-opacity: .45; stroke-dasharray: 5 4; }
svg .chosen { fill: var(--chosen); stroke: var(--chosen); } svg .verified { fill: var(--verified); stroke: var(--verified); }
svg .baseline { fill: var(--baseline); stroke: var(--baseline); } svg .refused { fill: var(--refused); stroke: var(--refused); }
svg .worse { fill: var(--refused); stroke: var(--refused); } svg .better { fill: var(--chosen); stroke: var(--chosen); }
svg .number { fill: var(--card); stroke: none; font-size: 11px; font-weight: 700; text-anchor: middle; }
svg text.chosen, svg text.verified, svg text.baseline, svg text.refused { stroke: none; }
.c0 { fill: var(--c0); background: var(--c0); } .c1 { fill: var(--c1); background: var(--c1); }
.c2 { fill: var(--c2); background: var(--c2); } .c3 { fill: var(--c3); background: var(--c3); }
.c4 { fill: var(--c4); background: var(--c4); }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; margin: 6px 0; }
.key i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12.5px; padding: 6px 10px 6px 0;
  border-bottom: 1px solid var(--line); vertical-align: bottom; white-space: nowrap; }
td { padding: 7px 10px 7px 0; border-bottom: 1px solid var(--faint); vertical-align: top; }
th.n, td.n { text-align: right; white-space: nowrap; }
td.name { overflow-wrap: anywhere; min-width: 12em; } td.name b { font-weight: 600; }
td .soft { font-size: 12.5px; }
tr.tail td { padding-top: 0; } tr.lead td { border-bottom: 0; padding-bottom: 2px; }
.good { color: var(--chosen); } .bad { color: var(--refused); }
.verdict { font-size: 12px; font-weight: 650; border: 1px solid currentColor; border-radius: 99px; padding: 1px 9px; white-space: nowrap; }
.verdict.chosen { color: var(--card); background: var(--chosen); border-color: var(--chosen); }
.verdict.verified { color: var(--verified); } .verdict.baseline { color: var(--baseline); } .verdict.refused { color: var(--refused); }
.id { display: inline-block; min-width: 21px; text-align: center; border-radius: 99px; font-size: 12px; font-weight: 700;
  color: var(--card); padding: 0 5px; }
.id.chosen { background: var(--chosen); } .id.verified { background: var(--verified); }
.id.baseline { background: var(--baseline); } .id.refused { background: var(--refused); }
code { font: 12.5px ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 8px 0; font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--verified); font-size: 14px; }
ul { margin: 6px 0; padding-left: 22px; max-width: 84ch; } li { margin: 5px 0; }
footer { margin-top: 48px; border-top: 1px solid var(--line); padding-top: 12px; font-size: 13px; color: var(--soft); }
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --faint: #ddd;
    --chosen: #0b7a4b; --verified: #2560b8; --baseline: #6b7280; --refused: #b3402a; --limit: #b3402a;
    --c0: #0b7a4b; --c1: #2560b8; --c2: #9aa3af; --c3: #d97706; --c4: #a855a0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 12px; } main { max-width: none; padding: 0; } .wide { overflow: visible; }
  figure, .tile, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } }
)css";
}

}  // namespace tachostat::app
