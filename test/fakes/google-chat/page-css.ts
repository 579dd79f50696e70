// The look of the pages around the messages: the list of spaces at the left, the space at the right.
export const pageCss = `
:root { --page: #f0f4f9; --panel: #fff; --active: #c2e7ff; --on-active: #001d35; }
@media (prefers-color-scheme: dark) { :root { --page: #131314; --panel: #1b1b1b; --active: #004a77; --on-active: #c2e7ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--gc-text); font: 14px/20px 'Google Sans Text', 'Google Sans', Roboto, 'Helvetica Neue', Arial, sans-serif; }
a { color: inherit; text-decoration: none; }
:focus-visible { outline: 2px solid var(--gc-primary); outline-offset: 2px; }
.frame { display: grid; grid-template-columns: 260px minmax(0, 1fr); min-height: 100vh; }
.rail { padding: 16px 12px; }
.brand { display: flex; align-items: center; gap: 10px; font-size: 20px; padding: 4px 8px 16px; }
.brand svg { fill: #00ac47; }
.brand small { font-size: 11px; color: var(--gc-muted); }
.rail h2 { font-size: 14px; margin: 12px 12px 6px; font-weight: 600; }
.rail ul { list-style: none; margin: 0; padding: 0; }
.rail li a { display: flex; align-items: center; gap: 10px; padding: 6px 12px; border-radius: 20px; }
.rail li a:hover { background: var(--gc-hover); }
.rail li a[aria-current] { background: var(--active); color: var(--on-active); font-weight: 500; }
.rail .unread { font-weight: 700; }
.tile { width: 24px; height: 24px; border-radius: 6px; display: grid; place-items: center; background: hsl(var(--hue) 55% 86%); color: #1f1f1f; font-size: 12px; font-weight: 600; flex: none; }
.space-name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.count { background: var(--gc-primary); color: var(--gc-on-primary); border-radius: 10px; padding: 0 7px; font-size: 12px; font-weight: 600; }
.room { background: var(--panel); margin: 12px 12px 12px 0; border-radius: 20px; display: flex; flex-direction: column; min-width: 0; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; padding: 12px 20px; border-bottom: 1px solid var(--gc-line); position: sticky; top: 0; background: var(--panel); border-radius: 20px 20px 0 0; z-index: 3; }
.bar .tile { width: 32px; height: 32px; font-size: 15px; }
.bar h1 { font-size: 18px; line-height: 24px; margin: 0; font-weight: 500; }
.bar p { margin: 0; color: var(--gc-muted); font-size: 12px; line-height: 16px; }
.bar .tools { margin-left: auto; display: flex; align-items: center; gap: 16px; flex-wrap: wrap; }
.tools label { display: flex; align-items: center; gap: 6px; font-size: 13px; color: var(--gc-muted); cursor: pointer; }
.apps > summary, .plain-button { list-style: none; cursor: pointer; border: 1px solid var(--gc-outline); color: var(--gc-primary); background: transparent; border-radius: 18px; padding: 7px 16px; font: inherit; font-weight: 500; }
.apps { position: relative; }
.apps > div { position: absolute; right: 0; top: calc(100% + 14px); width: min(520px, calc(100vw - 40px)); background: var(--panel); border: 1px solid var(--gc-border); border-radius: 16px; padding: 16px; box-shadow: 0 4px 16px rgb(0 0 0 / .2); }
.apps h2 { font-size: 16px; margin: 0 0 8px; } .apps ul { list-style: none; padding: 0; margin: 0 0 12px; display: grid; gap: 12px; }
.webhook { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 4px 8px; }
.webhook label { grid-column: 1 / -1; font-weight: 500; }
input[type=text], input[type=url] { font: inherit; width: 100%; padding: 7px 12px; border: 1px solid var(--gc-outline); border-radius: 8px; background: transparent; color: inherit; }
.inline-form { display: flex; gap: 8px; align-items: end; } .inline-form label { flex: 1; font-size: 12px; color: var(--gc-muted); }
.filled { background: var(--gc-primary); color: var(--gc-on-primary); border-color: transparent; }
.stream { padding: 12px 8px 28px; flex: 1; }
.day { display: flex; align-items: center; gap: 12px; color: var(--gc-muted); font-size: 12px; margin: 8px 16px; } .day::before, .day::after { content: ''; flex: 1; border-top: 1px solid var(--gc-line); }
.replies { margin: 0 0 6px 60px; } .replies > summary { list-style: none; cursor: pointer; width: fit-content; padding: 4px 12px; margin-left: 0; border-radius: 14px; color: var(--gc-link); font-weight: 500; }
.replies > summary:hover { background: var(--gc-hover); } .replies > summary time { color: var(--gc-muted); font-weight: 400; margin-left: 8px; font-size: 12px; }
.replies[open] > div { border-left: 2px solid var(--gc-line); margin-left: 12px; }
.nothing { color: var(--gc-muted); text-align: center; padding: 48px 16px; }
body:has(#notifications:checked) .gc-notification, .with-notifications .gc-notification { display: flex; }
@media (max-width: 720px) { .frame { grid-template-columns: minmax(0, 1fr); } .frame.in-space .rail { display: none; } .room { margin: 0; border-radius: 0; } .bar { border-radius: 0; } .replies { margin-left: 28px; } .stream { padding-inline: 0; } .apps > div { position: fixed; left: 12px; right: 12px; top: auto; width: auto; } }
.print .rail, .print .tools { display: none; } .print .frame { display: block; } .print .room { margin: 0; border-radius: 0; min-height: 100vh; }
`;
