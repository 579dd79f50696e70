// The small script of the pages: looks every second whether something new came, and copies webhook URLs.
export const pageScript = `
'use strict';
const frame = document.querySelector('[data-revision]');
const atBottom = () => window.innerHeight + window.scrollY > document.documentElement.scrollHeight - 80;

async function refresh() {
  const answer = await fetch('/live?' + new URLSearchParams({ space: frame.dataset.space ?? '', revision: frame.dataset.revision }));
  if (answer.status !== 200) return;
  const { revision, rail, stream } = await answer.json();
  const open = [...document.querySelectorAll('details[id][open], input.gc-switch:checked')].map((element) => element.id);
  const follow = atBottom();
  document.getElementById('rail').innerHTML = rail;
  const room = document.getElementById('stream');
  if (room) room.innerHTML = stream;
  for (const id of open) {
    const element = document.getElementById(id);
    if (element instanceof HTMLDetailsElement) element.open = true;
    else if (element) element.checked = true;
  }
  frame.dataset.revision = revision;
  if (follow) window.scrollTo(0, document.documentElement.scrollHeight);
}

async function keepLooking() {
  try {
    await refresh();
    document.title = document.title.replace(/^\\(offline\\) /, '');
  } catch {
    if (!document.title.startsWith('(offline)')) document.title = '(offline) ' + document.title;
  }
  setTimeout(keepLooking, 1000);
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copies]');
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  field.select();
  navigator.clipboard?.writeText(field.value).then(() => { button.textContent = 'Copied'; }, () => { button.textContent = 'Press Ctrl+C'; });
});

window.scrollTo(0, document.documentElement.scrollHeight);
setTimeout(keepLooking, 1000);
`;
