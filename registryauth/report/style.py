"""The page's stylesheet: the system's fonts, each colour named once, text against its ground with a contrast of 4.5 at least."""

from __future__ import annotations

import base64

from registryauth._sha256 import sha256

_LIGHT = """
  --ground: #ffffff; --panel: #f6f7f9; --text: #1b1f24; --quiet: #59626d; --line: #dfe3e8;
  --link: #0a58ca; --bad: #b42318; --warn: #8a4b00; --good: #1c6b3f; --soon: #fdf3e1;
"""
_DARK = """
  --ground: #14171b; --panel: #1c2026; --text: #e7eaee; --quiet: #a1aab5; --line: #2e343c;
  --link: #8ab4f8; --bad: #ff9d94; --warn: #f0b76b; --good: #7fd3a2; --soon: #2c2618;
"""

CSS = (
    """
:root { color-scheme: light dark;"""
    + _LIGHT
    + """}
@media (prefers-color-scheme: dark) { :root {"""
    + _DARK
    + """} }

* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; max-width: 72rem; padding: 3rem 2rem 5rem;
  background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3 { line-height: 1.25; text-wrap: balance; margin: 0; }
h1 { font-size: 1.9rem; font-weight: 650; letter-spacing: -0.02em; }
h2 { font-size: 1.3rem; font-weight: 650; letter-spacing: -0.01em; margin: 4rem 0 .4rem; }
h3 { font-size: 1rem; font-weight: 650; }
p { margin: .4rem 0 0; max-width: 46rem; text-wrap: pretty; }
header p { max-width: none; }
a { color: var(--link); text-underline-offset: .2em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.quiet { color: var(--quiet); }
.nowrap { white-space: nowrap; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; list-style: none; margin: 1.4rem 0 0; padding: 0; font-size: .925rem; }

.figures {
  display: grid; grid-template-columns: repeat(9, minmax(0, 1fr)); margin: 2rem 0 0; padding: 0;
  border-block: 1px solid var(--line);
}
.figures div { display: flex; flex-direction: column-reverse; justify-content: flex-end; padding: 1.1rem .75rem 1.1rem 0; }
.figures dt { font-size: .8125rem; line-height: 1.35; color: var(--quiet); }
.figures dd {
  margin: 0; font-size: 1.85rem; line-height: 1.2; font-weight: 600; letter-spacing: -0.02em; font-variant-numeric: tabular-nums;
}
.figures .bad dd { color: var(--bad); }
.figures .warn dd { color: var(--warn); }
.figures .none dd { color: var(--quiet); font-weight: 400; }

.issues { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: 0 2rem; margin-top: 1rem; border-top: 1px solid var(--line); }
.issues h3 { padding-top: .95rem; font-size: .95rem; }
.issues > p { grid-column: 2; padding-bottom: .9rem; }
.count { font-weight: 400; color: var(--quiet); font-variant-numeric: tabular-nums; }
.issues ul { list-style: none; margin: 0; padding: 0; }
.issues li {
  display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: .3rem 2rem; padding: .95rem 0; break-inside: avoid;
}
.issues li + li { border-top: 1px solid var(--line); }
.issues li p { margin: 0; font-size: .925rem; }
.issues li .mend { margin-top: .45rem; }
.who { font-weight: 600; }
code {
  font: .84rem/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "Segoe UI Mono", "Liberation Mono", Menlo, Consolas, monospace;
  white-space: pre-wrap;
}
.mend code { display: inline-block; padding: .25rem .6rem; background: var(--panel); border-radius: 5px; user-select: all; }
.mend code span { display: inline-block; }

table { width: 100%; border-collapse: collapse; margin-top: 1.2rem; font-size: .89rem; line-height: 1.45; }
caption { text-align: left; color: var(--quiet); padding-bottom: .6rem; max-width: 46rem; font-size: .925rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem 1.1rem .6rem 0; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-size: .8125rem; color: var(--quiet); border-bottom: 1px solid var(--line); vertical-align: bottom; }
tbody tr { border-top: 1px solid var(--line); break-inside: avoid; }
thead + tbody tr:first-child { border-top: 0; }
tbody .group th { padding-top: 1.7rem; font-weight: 650; font-size: .95rem; }
tbody .group th span { font-weight: 400; }
tbody .group { break-after: avoid; }
time { font-variant-numeric: tabular-nums; white-space: nowrap; }
.sub { display: block; color: var(--quiet); font-size: .84rem; font-weight: 400; }
.bad { color: var(--bad); } .warn { color: var(--warn); }
ul.plain { list-style: none; margin: 0; padding: 0; }
ul.plain li + li { margin-top: .35rem; }

.rights td.right { width: 5.7rem; white-space: nowrap; }
.rights thead th { width: 15%; } .rights thead th:first-child { width: 21%; }
.rights .action { white-space: nowrap; width: auto; }
.much, .missing { font-weight: 600; color: var(--bad); }
.much { text-decoration: underline; text-decoration-thickness: 1.5px; text-underline-offset: .25em; }
.missing { text-decoration: underline dotted; text-underline-offset: .25em; }
.yes { color: var(--good); font-weight: 600; }
.no, .unknown { color: var(--quiet); }

.months { margin: 1.2rem 0 0; }
.months svg { display: block; width: 100%; height: 7.5rem; overflow: visible; }
.months text { font-size: .75rem; fill: var(--quiet); text-anchor: middle; font-variant-numeric: tabular-nums; }
.months .value { fill: var(--text); font-weight: 600; }
.months rect { fill: var(--quiet); opacity: .75; }
.months .base { stroke: var(--line); }
figcaption { margin-top: .5rem; font-size: .925rem; color: var(--quiet); }

.timeline td, .timeline th { vertical-align: middle; }
.timeline .name { width: 34%; }
.timeline .when { width: 18%; }
.timeline td.strip { padding: 0; }
.timeline svg { display: block; width: 100%; height: 2.6rem; overflow: visible; }
.timeline thead svg { height: 1.1rem; }
.timeline svg text { font-size: .75rem; fill: var(--quiet); }
.strip .soon { fill: var(--soon); }
.strip .tick { stroke: var(--line); }
.strip .now { stroke: var(--text); stroke-width: 1.5; }
.strip .life { stroke-width: 4; stroke-linecap: round; }
.strip .life.ok, .strip .life.early { stroke: var(--good); } .strip .life.expiring { stroke: var(--warn); }
.strip .life.expired { stroke: var(--bad); stroke-dasharray: 2 7; }
.strip .mark { stroke: none; } .strip .mark.ok, .strip .mark.early { fill: var(--good); } .strip .mark.expiring { fill: var(--warn); }
.strip .mark.expired { stroke: var(--bad); stroke-width: 2.5; stroke-linecap: round; fill: none; }

.words {
  display: grid; grid-template-columns: minmax(8rem, max-content) minmax(0, 1fr); gap: .5rem 1.5rem; margin: 1rem 0 0; font-size: .925rem;
}
.words dt { font-weight: 600; } .words dd { margin: 0; color: var(--quiet); max-width: 46rem; }

@media (max-width: 60rem) and (min-width: 54rem) { .figures { grid-template-columns: repeat(5, minmax(0, 1fr)); } }
@media screen and (max-width: 54rem) {
  body { padding: 1.75rem 1.15rem 3.5rem; }
  h1 { font-size: 1.55rem; } h2 { margin-top: 3rem; }
  .figures { grid-template-columns: repeat(3, minmax(0, 1fr)); padding-block: .4rem; }
  .figures div { padding-block: .6rem; }
  .figures dd { font-size: 1.5rem; }
  .issues { display: block; padding-bottom: .4rem; }
  .issues li { grid-template-columns: minmax(0, 1fr); padding: .7rem 0; }
  table, caption, tbody, tr, th, td { display: block; }
  .cells thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .cells th, .cells td, .timeline th, .timeline td { padding: .1rem 0; width: auto; }
  .cells tbody th { font-weight: 600; }
  .cells tr, .timeline tbody tr { padding: .75rem 0; }
  .cells tr.more { border-top: 0; padding-top: 0; }
  .rights .word .sub, .timeline .when .sub, .cells .ends .sub { display: inline; margin-left: .5em; }
  .cells .group { padding: 1.4rem 0 .2rem; }
  .cells td[data-name]::before { content: attr(data-name) " "; color: var(--quiet); }
  .rights td.right { display: inline-block; width: auto; margin-right: 1rem; }
  .timeline .name, .timeline .when, .rights td.right { width: auto; }
  .timeline thead { display: block; } .timeline thead .name, .timeline thead .when { display: none; }
  .timeline svg { height: 1.5rem; }
  .words { grid-template-columns: minmax(0, 1fr); gap: .1rem; } .words dd { margin-bottom: .6rem; }
}
@media print {
  @page { size: A4; margin: 16mm 14mm; }
  :root { color-scheme: light;"""
    + _LIGHT
    + """}
  html { font-size: 9pt; }
  body { max-width: none; padding: 0; print-color-adjust: exact; }
  nav { display: none; }
  h2 { margin-top: 2.2rem; break-after: avoid; } h3, caption { break-after: avoid; }
  .figures { grid-template-columns: repeat(9, minmax(0, 1fr)); }
  .issues { grid-template-columns: 9.5rem minmax(0, 1fr); gap: 0 1.5rem; }
  .issues li { gap: .3rem 1.5rem; padding: .7rem 0; } .issues h3 { padding-top: .7rem; }
  th, td { padding-block: .45rem; padding-right: .9rem; }
  thead { display: table-header-group; }
  a { color: inherit; text-decoration: none; }
}
@media (forced-colors: active) { .strip .life, .strip .mark, .strip .now { stroke: CanvasText; } .months rect { fill: CanvasText; } }
"""
)


def policy(css: str) -> str:
    """The content security policy of a page with no more than *css*: nothing is loaded, nothing runs, nothing is sent."""
    # The hash is of the element's text as it is parsed (CSP3 §6.7.3.3): no carriage return may stand in it.
    digest = base64.b64encode(sha256(css.encode())).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
