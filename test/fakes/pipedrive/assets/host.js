// The host side of Pipedrive's App Extensions SDK: answers the commands of framed app pages over message ports.
// Browser tests read window.calls (what the app asked) and use window.emit(event, data) (what the host tells it).
(() => {
  const INIT_TIMEOUT_MS = 10_000;
  const listeners = [];
  const calls = [];
  const as = document.body ? document.body.dataset.as : undefined;
  let openModal = null;
  window.calls = calls;

  window.emit = (event, data) => {
    for (const listener of listeners)
      if (listener.event === event && listener.frame.isConnected) listener.port.postMessage({ data });
  };

  function toast({ message, link }) {
    document.querySelector('.toast')?.remove();
    const box = element('div', { className: 'toast', role: 'status', textContent: message });
    if (link) box.append(element('a', { href: link.url, target: '_blank', rel: 'noopener', textContent: link.label }));
    document.body.append(box);
    setTimeout(() => box.remove(), 6000);
  }

  function confirmDialog({ title, description, okText, cancelText }) {
    return new Promise((resolve) => {
      const dialog = element(
        'dialog',
        {},
        element('h2', { textContent: title }),
        element('p', { textContent: description ?? '' }),
      );
      const close = (confirmed) => {
        dialog.remove();
        resolve({ confirmed });
      };
      const cancel = element('button', { type: 'button', textContent: cancelText ?? 'Cancel', onclick: () => close(false) });
      const ok = element('button', {
        type: 'button',
        className: 'primary',
        textContent: okText ?? 'OK',
        onclick: () => close(true),
      });
      dialog.append(element('div', { className: 'row end' }, cancel, ok));
      dialog.addEventListener('cancel', () => close(false));
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  /** About the same records as the frame that asks. */
  function modalDialog(args, opener) {
    const { searchParams } = new URL(opener.src);
    const about = ['resource', 'view', 'selectedIds'].map((name) => [name, searchParams.get(name) ?? '']);
    return openDialog(args, new URLSearchParams(about));
  }

  async function openDialog(args, about) {
    const dialog = element('dialog', {});
    if (args.type === 'custom_modal') dialog.append(await modalFrame(args, about));
    else
      dialog.append(
        element('h2', { textContent: `Pipedrive's own “${args.type}” form` }),
        element('p', { textContent: 'The stand-in has no such form.' }),
      );
    return new Promise((resolve) => {
      const finish = (status) => {
        if (!dialog.isConnected) return;
        dialog.remove();
        openModal = null;
        resolve({ status });
        if (args.type === 'custom_modal') window.emit('close_custom_modal', {});
      };
      dialog.append(
        element(
          'div',
          { className: 'row end' },
          element('button', { type: 'button', textContent: 'Close', onclick: () => finish('closed') }),
        ),
      );
      dialog.addEventListener('cancel', () => finish('closed'));
      openModal = finish;
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  async function modalFrame(args, about) {
    const { url } = await fetchJson(`/host/modal-url?as=${as}&${about}`);
    const target = new URL(url);
    if (args.data !== undefined)
      target.searchParams.set('data', typeof args.data === 'string' ? args.data : JSON.stringify(args.data));
    target.searchParams.set('theme', document.documentElement.dataset.theme);
    return watched(element('iframe', { className: 'app-frame', title: 'Dealbell', src: target.toString() }));
  }

  function resize(frame, size) {
    const limit = frame.dataset.surface === 'panel' ? [100, 750] : [120, 4000];
    if (size && size.height) frame.style.height = `${Math.min(Math.max(size.height, limit[0]), limit[1])}px`;
  }

  const places = { deals: '/deal/', leads: '/leads/inbox', contacts: '/persons/list', organizations: '/persons/list' };

  function redirect({ view, id }) {
    const settings = `/settings/marketplace/app/${document.body.dataset.clientId}/app-settings`;
    const path =
      view === 'settings' ? settings : view === 'deals' ? (id ? `/deal/${id}` : '/pipeline') : (places[view] ?? '/pipeline');
    location.assign(`${path}?as=${as}`);
  }

  const commands = {
    initialize: (args, frame) => {
      frame.dataset.ready = 'yes';
      resize(frame, args && args.size);
      return {};
    },
    get_signed_token: () => fetchJson(`/host/token?as=${as}`),
    show_snackbar: (args) => {
      toast(args);
      return {};
    },
    show_confirmation: confirmDialog,
    resize: (args, frame) => {
      resize(frame, args);
      return {};
    },
    open_modal: modalDialog,
    close_modal: () => {
      if (openModal) openModal('closed');
      return {};
    },
    redirect_to: (args) => {
      redirect(args);
      return {};
    },
    get_metadata: () => ({ windowHeight: innerHeight, windowWidth: innerWidth }),
    set_notification: (args) => {
      const badge = document.querySelector('[data-badge]');
      if (badge) {
        badge.hidden = !args || !args.number;
        badge.textContent = String((args && args.number) ?? '');
      }
      return {};
    },
  };

  addEventListener('message', async (event) => {
    const payload = event.data && event.data.payload;
    const frame = [...document.querySelectorAll('iframe')].find((candidate) => candidate.contentWindow === event.source);
    if (!payload || !frame) return;
    calls.push({ ...payload, surface: frame.dataset.surface ?? 'modal' });
    const port = event.ports[0];
    if (payload.type === 'listener') listeners.push({ event: payload.event, port, frame });
    if (payload.type !== 'command') return;
    const command = commands[payload.command];
    try {
      port.postMessage(
        command ? { data: await command(payload.args ?? {}, frame) } : { error: `unknown command ${payload.command}` },
      );
    } catch (error) {
      port.postMessage({ error: String(error) });
    }
  });

  /** Like Pipedrive, do not show an app that does not call initialize in time. */
  function watched(frame) {
    setTimeout(() => {
      if (frame.dataset.ready || !frame.isConnected) return;
      frame.replaceWith(
        element('p', { className: 'muted padded', textContent: 'Something went wrong: the app did not start in time.' }),
      );
    }, INIT_TIMEOUT_MS);
    return frame;
  }

  function element(tag, properties, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  async function fetchJson(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    return answer.json();
  }

  // The app's entry in a "..." menu opens its modal: over the record of the menu, or over those that are ticked in the list.
  document.addEventListener('click', (event) => {
    const entry = event.target.closest('[data-open-modal]');
    if (!entry) return;
    const ticked = [...document.querySelectorAll('input[name=selected]:checked')].map((box) => box.value);
    const ids = entry.dataset.ids ?? ticked.join(',');
    entry.closest('details').open = false;
    if (ids === '') toast({ message: 'Tick at least one row first.' });
    else {
      const { resource, view } = entry.dataset;
      openDialog({ type: 'custom_modal' }, new URLSearchParams({ resource, view, selectedIds: ids }));
    }
  });

  // Only now may the frames load: their first message must not come before the listener above.
  document.querySelectorAll('iframe[data-src]').forEach((frame) => {
    watched(frame).src = frame.dataset.src;
  });
  document.querySelector('#theme-switch')?.addEventListener('click', () => {
    const theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = theme;
    document.cookie = `crm_theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    window.emit('user_settings_change', { theme });
  });
})();
