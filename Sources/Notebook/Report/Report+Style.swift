extension Report {
  /// How a page looks: on a desk, on a phone, in the dark, on paper.
  static let style = """
    :root { color-scheme: light dark;
      --page: #fff; --ink: #1c2024; --quiet: #57606a; --line: #d0d7de; --block: #f4f6f8; --mark: #8c98a4; --link: #0a58ca;
      --keyword: #8a2468; --number: #0b5394; --string: #276b2f; --comment: #5f6a75; --function: #6b3fa0; --note: #7a4f00;
      --note-block: #fff3d6; --bad: #b3261e; --good: #0b6b3a; --even: #1f5f99; --open: #855300; }
    * { box-sizing: border-box; }
    html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
    body { margin: 0; font: 1rem/1.6 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; background: var(--page); color: var(--ink); }
    main { max-width: 54rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; overflow-wrap: break-word; }
    a { color: var(--link); }
    h1, h2, h3, h4 { line-height: 1.25; margin: 2.2rem 0 .8rem; scroll-margin-top: 1rem; }
    h1 { font-size: 1.9rem; margin-top: 0; } h2 { font-size: 1.4rem; } h3 { font-size: 1.1rem; }
    p, ul, ol { margin: .8rem 0; }
    .lead, .remark, figcaption { color: var(--quiet); font-size: .9rem; }
    nav { margin: 1.2rem 0; padding: .2rem 1rem; border: 1px solid var(--line); border-radius: 6px; font-size: .9rem; }
    nav ul { columns: 18rem 2; column-gap: 2rem; padding-left: 1.1rem; margin: .5rem 0; } nav li { break-inside: avoid; }
    pre, code { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; font-size: .84rem; }
    :not(pre) > code { font-size: .9em; background: var(--block); padding: .1em .3em; border-radius: 3px; }
    pre { margin: .6rem 0; padding: .7rem .9rem; line-height: 1.5; overflow-x: auto; border-radius: 4px; background: var(--block);
      tab-size: 4; white-space: pre-wrap; overflow-wrap: anywhere; }
    pre code { font-size: inherit; }
    pre.code { border-left: 3px solid var(--mark); }
    .output { margin: .6rem 0; padding: .2rem 0 .2rem .9rem; border-left: 3px solid var(--line); background: none; border-radius: 0; }
    .output + .output { margin-top: -.6rem; }
    pre.aligned { white-space: pre; overflow-wrap: normal; }
    .claim { font-size: .92rem; }
    .k { color: var(--keyword); font-weight: 600; } .m { color: var(--number); } .s { color: var(--string); }
    .c { color: var(--comment); font-style: italic; } .f { color: var(--function); }
    .note { margin-left: 1em; padding: 0 .4em; border-radius: 3px; color: var(--note); background: var(--note-block);
      font-family: system-ui, "DejaVu Sans", sans-serif; }
    pre.unrun { border-left-style: dashed; background: none; }
    .warning { border-left: 3px solid var(--open); padding-left: .9rem; } .warning strong { color: var(--open); }
    .failure, .interrupted { border-left: 3px solid var(--bad); padding-left: .9rem; color: var(--bad); }
    .interrupted { border-color: var(--open); color: var(--open); } .failure a, .interrupted a { color: inherit; }
    figure { margin: 1rem 0; }
    img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
    .wide { overflow-x: auto; } .wide:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
    table { border-collapse: collapse; font-size: .88rem; line-height: 1.45; font-variant-numeric: tabular-nums; }
    th, td { text-align: left; vertical-align: top; padding: .3rem 1.1rem .3rem 0; border-bottom: 1px solid var(--line); }
    th { font-weight: 600; } thead th { color: var(--quiet); vertical-align: bottom; }
    .wide td, .wide th { white-space: nowrap; } .wide .n { text-align: right; }
    .wide .w { white-space: normal; min-width: 15rem; overflow-wrap: anywhere; }
    .wide .claims td { white-space: normal; } .wide .claims .verdict { white-space: nowrap; } .claims [data-name=why] { min-width: 14rem; }
    .facts th { white-space: nowrap; } .facts td { overflow-wrap: anywhere; }
    .verdict { font-weight: 600; } .reproduced { color: var(--good); } .not-reproduced { color: var(--bad); }
    .consistent { color: var(--even); } .undecided { color: var(--open); } .not-judged { color: var(--quiet); }
    summary { cursor: pointer; color: var(--quiet); }
    @media screen and (min-width: 70rem) { .wide:has(.claims) { margin-inline: -6rem; } }
    @media screen and (max-width: 44rem) {
      main { padding: 1.2rem .9rem 3rem; } h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; }
      .claims thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
      .claims, .claims tbody, .claims tr, .claims td { display: block; }
      .claims tr { padding: .6rem 0; border-bottom: 1px solid var(--line); }
      .claims [data-name=why] { min-width: 0; }
      .claims td { display: grid; grid-template-columns: 6rem 1fr; border: 0; padding: .1rem 0; overflow-wrap: anywhere; }
      .claims td::before { content: attr(data-name); color: var(--quiet); font-weight: 400; } .claims td.empty { display: none; }
      .facts, .facts tbody, .facts tr, .facts th, .facts td { display: block; }
      .facts th { border: 0; padding-bottom: 0; } .facts td { padding-top: 0; }
    }
    @media screen and (prefers-color-scheme: dark) {
      :root { --page: #15181c; --ink: #e3e6ea; --quiet: #a0a9b4; --line: #363d46; --block: #1f242a; --mark: #6b7785; --link: #7fb2f5;
        --keyword: #e69ac8; --number: #8cc4f0; --string: #9fd3a2; --comment: #98a3af; --function: #c7a8f0; --note: #f0c674;
        --note-block: #3a3120; --bad: #ff8a80; --good: #5ad19a; --even: #8ab8e6; --open: #f0b85a; }
    }
    @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
    @media print {
      body { font-size: 10pt; } main { max-width: none; padding: 0; } nav { display: none; }
      pre, pre.aligned { white-space: pre-wrap; } .wide { overflow: visible; }
      h1, h2, h3, h4 { break-after: avoid; } figure, tr, .note { break-inside: avoid; } thead { display: table-header-group; }
      details:not([open])::details-content { content-visibility: visible; block-size: auto; } a { color: inherit; text-decoration: none; }
    }
    """
}
