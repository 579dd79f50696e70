// The look of a message and its cards (colours, shapes and sizes of Google Chat on the web), light and dark.

/** For any page that shows drawMessage's HTML. */
export const chatCss = `
:root { color-scheme: light dark;
  --gc-surface: #fff; --gc-text: #1f1f1f; --gc-muted: #444746; --gc-border: #c4c7c5; --gc-line: #e1e3e1; --gc-link: #0b57d0;
  --gc-primary: #0b57d0; --gc-on-primary: #fff; --gc-tonal: #c2e7ff; --gc-on-tonal: #001d35; --gc-outline: #747775; --gc-hover: #f1f3f4; --gc-chip: #f0f4f9; --gc-code: #f1f3f4; }
@media (prefers-color-scheme: dark) { :root {
  --gc-surface: #1b1b1b; --gc-text: #e3e3e3; --gc-muted: #c4c7c5; --gc-border: #5f6368; --gc-line: #444746; --gc-link: #a8c7fa;
  --gc-primary: #a8c7fa; --gc-on-primary: #062e6f; --gc-tonal: #004a77; --gc-on-tonal: #c2e7ff; --gc-outline: #8e918f; --gc-hover: #28292a; --gc-chip: #282a2c; --gc-code: #303134; } }
.gc-message, .gc-content { font: 14px/20px 'Google Sans Text', 'Google Sans', Roboto, 'Helvetica Neue', Arial, sans-serif; color: var(--gc-text); overflow-wrap: anywhere; }
.gc-message { display: flex; gap: 12px; padding: 8px 16px; border-radius: 12px; }
.gc-message:hover { background: var(--gc-hover); }
.gc-content { min-width: 0; flex: 1; }
.gc-content a { color: var(--gc-link); text-decoration: none; }
.gc-content a:hover { text-decoration: underline; }
.gc-avatar { width: 32px; height: 32px; border-radius: 50%; flex: none; display: grid; place-items: center; color: #fff; font-weight: 500; font-size: 16px; background: hsl(var(--hue) 45% 42%); }
.gc-sender { display: flex; align-items: center; gap: 6px; margin-bottom: 2px; }
.gc-name { font-weight: 600; }
.gc-badge { font-size: 11px; line-height: 16px; padding: 0 5px; border-radius: 4px; background: var(--gc-tonal); color: var(--gc-on-tonal); font-weight: 500; }
.gc-sender time { color: var(--gc-muted); font-size: 12px; }
.gc-icon { fill: currentColor; flex: none; vertical-align: middle; }
.gc-circle { border-radius: 50%; }
.gc-notification { display: none; align-items: center; gap: 6px; width: fit-content; max-width: 100%; margin-top: 6px; padding: 2px 10px; border-radius: 10px; background: var(--gc-chip); color: var(--gc-muted); font-size: 12px; }
.gc-notification::after { content: attr(data-words); }
.gc-mention { padding: 0 4px; border-radius: 4px; background: var(--gc-tonal); color: var(--gc-on-tonal); font-weight: 500; }
.gc-mention-all { background: #d93025; color: #fff; }
.gc-quote { display: inline-block; padding-left: 10px; border-left: 3px solid var(--gc-border); color: var(--gc-muted); }
.gc-item { display: inline-block; padding-left: 10px; }
.gc-code, .gc-content code { font: 13px/18px 'Roboto Mono', Menlo, monospace; background: var(--gc-code); border: 1px solid var(--gc-line); border-radius: 4px; padding: 0 4px; }
.gc-pre, .gc-content pre { font: 13px/18px 'Roboto Mono', Menlo, monospace; background: var(--gc-code); border: 1px solid var(--gc-line); border-radius: 8px; padding: 8px 12px; white-space: pre-wrap; margin: 4px 0; }

.gc-card { max-width: 520px; margin-top: 6px; border: 1px solid var(--gc-border); border-radius: 16px; background: var(--gc-surface); overflow: hidden; container-type: inline-size; }
.gc-header { display: flex; align-items: center; gap: 14px; padding: 14px 16px; }
.gc-header-image { width: 40px; height: 40px; object-fit: cover; flex: none; background: var(--gc-code); font-size: 8px; line-height: 10px; overflow: hidden; }
.gc-titles { min-width: 0; }
.gc-title { font-size: 16px; line-height: 22px; font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.gc-title.gc-two-lines { white-space: normal; display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; }
.gc-subtitle { font-size: 13px; line-height: 18px; color: var(--gc-muted); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.gc-section { display: flex; flex-direction: column; gap: 12px; padding: 14px 16px; }
.gc-section-line, .gc-divider { border: 0; border-top: 1px solid var(--gc-line); margin: 0; }
.gc-section-header { font-weight: 600; color: var(--gc-muted); font-size: 13px; }
.gc-decorated { display: flex; align-items: center; gap: 16px; min-width: 0; }
.gc-decorated.gc-icon-top { align-items: flex-start; }
.gc-decorated.gc-icon-bottom { align-items: flex-end; }
.gc-start, .gc-end { flex: none; color: var(--gc-muted); display: flex; align-items: center; gap: 8px; }
.gc-icon-image { width: 24px; height: 24px; object-fit: cover; }
.gc-labels { flex: 1; min-width: 0; position: relative; }
.gc-top-label, .gc-truncates { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.gc-top-label, .gc-bottom-label { font-size: 12px; line-height: 16px; color: var(--gc-muted); }
.gc-bottom-label, .gc-wraps { white-space: normal; }
.gc-row-link { position: absolute; inset: 0; }
.gc-labels > div a { position: relative; z-index: 1; }
.gc-clamped { display: -webkit-box; -webkit-line-clamp: var(--lines); -webkit-box-orient: vertical; overflow: hidden; }
.gc-switch:checked ~ .gc-clamped { display: block; }
.gc-switch { position: absolute; opacity: 0; pointer-events: none; }
.gc-hidden { display: none; flex-direction: column; gap: 12px; }
.gc-switch:checked ~ .gc-hidden { display: flex; }
.gc-when-open, .gc-switch:checked ~ label .gc-when-closed { display: none; }
.gc-when-closed, .gc-switch:checked ~ label .gc-when-open { display: inline-flex; align-items: center; gap: 2px; }
.gc-collapse, .gc-more { color: var(--gc-link); font-weight: 500; cursor: pointer; width: fit-content; }
.gc-switch:focus-visible ~ label { outline: 2px solid var(--gc-primary); outline-offset: 2px; border-radius: 4px; }
.gc-turned { display: inline-flex; transform: rotate(180deg); }
.gc-buttons, .gc-chips { display: flex; flex-wrap: wrap; gap: 8px; }
.gc-chips.gc-scrolls { flex-wrap: nowrap; overflow-x: auto; }
.gc-content .gc-button { display: inline-flex; align-items: center; gap: 8px; box-sizing: border-box; min-height: 36px; padding: 0 16px; border: 1px solid transparent; border-radius: 18px; font-weight: 500; text-decoration: none; max-width: 100%; cursor: pointer; }
.gc-content .gc-button:hover { text-decoration: none; filter: brightness(.95); }
.gc-content .gc-outlined { border-color: var(--gc-outline); color: var(--gc-primary); }
.gc-content .gc-filled { background: var(--gc-primary); color: var(--gc-on-primary); }
.gc-content .gc-filled-tonal { background: var(--gc-tonal); color: var(--gc-on-tonal); }
.gc-content .gc-borderless { color: var(--gc-primary); padding: 0 8px; }
.gc-content .gc-icon-only { padding: 0 9px; }
.gc-content .gc-chip { display: inline-flex; align-items: center; gap: 6px; min-height: 30px; padding: 0 12px; border: 1px solid var(--gc-border); border-radius: 8px; color: var(--gc-text); flex: none; max-width: 100%; box-sizing: border-box; }
.gc-disabled { opacity: .4; }
.gc-menu { position: relative; } .gc-menu summary { list-style: none; } .gc-menu ul { margin: 4px 0 0; padding: 8px 16px; border: 1px solid var(--gc-border); border-radius: 8px; list-style: none; }
.gc-columns { display: flex; flex-wrap: wrap; gap: 12px 16px; }
.gc-column { display: flex; flex-direction: column; gap: 12px; min-width: 0; box-sizing: border-box; }
.gc-available { flex: 1 1 0; }
.gc-minimum { flex: 0 1 auto; max-width: 30%; }
@container (max-width: 330px) { .gc-available, .gc-minimum { flex: 1 1 100%; max-width: none; } }
.gc-vertical-center { justify-content: center; } .gc-vertical-bottom { justify-content: flex-end; }
.gc-align-center { text-align: center; } .gc-align-end { text-align: end; }
.gc-align-center > .gc-buttons, .gc-align-center > .gc-chips { justify-content: center; } .gc-align-end > .gc-buttons, .gc-align-end > .gc-chips { justify-content: flex-end; }
label.gc-align-center { align-self: center; } label.gc-align-end { align-self: flex-end; }
.gc-image { display: block; width: 100%; border-radius: 8px; min-height: 40px; background: var(--gc-code); }
.gc-grid { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); gap: 8px; }
.gc-grid-title { font-weight: 600; margin-bottom: 8px; } .gc-content .gc-grid-link { color: inherit; }
.gc-grid-item { padding: 8px; border-radius: 8px; min-width: 0; }
.gc-grid-item img { width: 100%; object-fit: cover; aspect-ratio: 1; background: var(--gc-code); } .gc-grid-item .gc-crop-circle { border-radius: 50%; } .gc-grid-item .gc-crop-rectangle-4-3 { aspect-ratio: 4 / 3; } .gc-grid-item .gc-crop-rectangle-custom { aspect-ratio: auto; }
.gc-item-title { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .gc-item-subtitle { font-size: 12px; color: var(--gc-muted); }
`;
