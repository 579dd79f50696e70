/*
 * One change after the other. What is pressed while the answer to a change is on its way waits for it and is then done; when it cannot be
 * any more, that is said. What was filled in and not sent stays when an answer draws the page anew.
 */
(function () {
  'use strict';
  /* The change that is not answered yet; without a request while it is to be sent once more. */
  var underWay = null;
  /* What was pressed meanwhile, in this order. */
  var waiting = [];
  /* While an answer takes its place: what it does not know. */
  var kept = null;

  function byId(id) {
    return document.getElementById(id);
  }

  function isOfPage(event) {
    return event.detail.target.id === 'app';
  }

  /* ---- Turns ----------------------------------------------------------------------------------------------------------- */

  /** True when it has to wait. A button that is pressed twice is meant once, but where each press goes a step further. */
  function waits(event, verb, cause) {
    var source = event.detail.elt;
    if (!isOfPage(event) || underWay === null || (underWay.xhr === null && underWay.source === source)) return false;
    event.preventDefault();
    event.stopPropagation();
    var control = (cause && cause.submitter) || source;
    var isStep = control.matches('[role=switch], [data-steps]');
    if (control === underWay.control && !isStep) return true;
    waiting = waiting.filter(function (press) {
      return press.isChange && (press.id !== control.id || control.matches('[data-steps]'));
    });
    waiting.push(pressOf(control, verb !== 'get'));
    mark(control, true);
    return true;
  }

  document.addEventListener(
    'htmx:confirm',
    function (event) {
      waits(event, event.detail.verb, event.detail.triggeringEvent);
    },
    true,
  );
  /* Once more: there may have been a question to answer, or a token to renew. */
  document.addEventListener(
    'htmx:beforeRequest',
    function (event) {
      var config = event.detail.requestConfig;
      if (!isOfPage(event) || waits(event, config.verb, config.triggeringEvent) || config.verb === 'get') return;
      var cause = config.triggeringEvent;
      var source = event.detail.elt;
      underWay = { source: source, control: (cause && cause.submitter) || source, xhr: event.detail.xhr, sent: contents() };
      underWay.xhr.addEventListener('loadend', goOn);
      /* A page that was asked for before is not what is wanted any more. */
      htmx.trigger('#root', 'htmx:abort');
    },
    true,
  );

  function goOn(event) {
    if (underWay === null || underWay.xhr !== event.target) return;
    /* It is sent once more with a new token (`pages.js`). */
    if (underWay.xhr.status === 401) {
      underWay.xhr = null;
      return;
    }
    var last = underWay;
    underWay = null;
    if (last.xhr.status === 0) putBack(last.control);
    var isToRead = last.xhr.status === 0 || document.querySelector('#app [data-read-first]');
    var next = waiting.shift();
    if (!next) return;
    var control = controlOf(next);
    if (isToRead || !control || meaningOf(control) !== next.meaning) {
      forget([next].concat(waiting), isToRead);
      return;
    }
    waiting.forEach(function (press) {
      mark(controlOf(press), true);
    });
    press(control, next);
  }

  document.addEventListener('dealbell:sign-in-ended', function () {
    if (underWay === null || (underWay.xhr !== null && underWay.xhr.status !== 401)) return;
    underWay = null;
    forget(waiting, true);
  });

  /** What may have become another thing: a button that says something else now, or belongs to another record. */
  function meaningOf(control) {
    var form = control.form || control;
    var words = control.getAttribute('aria-label') || control.textContent;
    return [form.getAttribute('action'), control.getAttribute('href'), words].join(' ');
  }

  function hiddenOf(control) {
    var form = control.form || control;
    return Array.from(form.querySelectorAll('input[type=hidden]:not([name=pageToken])'));
  }

  function pressOf(control, isChange) {
    var values = hiddenOf(control).map(function (field) {
      return field.value;
    });
    return {
      id: control.id,
      href: control.getAttribute('href'),
      isChange: isChange,
      meaning: meaningOf(control),
      hidden: values,
    };
  }

  /** In the page as it is drawn now. */
  function controlOf({ id, href }) {
    return byId(id) || (href && document.querySelector('#app a[href="' + CSS.escape(href) + '"]'));
  }

  function press(control, { hidden }) {
    hiddenOf(control).forEach(function (field, index) {
      if (hidden[index] !== undefined) field.value = hidden[index];
    });
    mark(control, false);
    if (control.matches('[role=switch]')) htmx.trigger(control, 'change');
    else if (control.matches('form')) control.requestSubmit();
    else control.click();
  }

  /** A page that was asked for is not missed where there is something to read first. */
  function forget(presses, isToRead) {
    waiting = [];
    presses.forEach(function (press) {
      var control = controlOf(press);
      mark(control, false);
      if (control) putBack(control);
    });
    var isLost = presses.some(function ({ isChange }) {
      return isChange || !isToRead;
    });
    if (isLost) document.dispatchEvent(new CustomEvent('dealbell:trouble', { detail: 'not-done-words' }));
  }

  function mark(control, isAtWork) {
    if (!control || !control.matches('a, button')) return;
    ['data-at-work', 'aria-disabled'].forEach(function (name) {
      if (isAtWork) control.setAttribute(name, 'true');
      else control.removeAttribute(name);
    });
  }

  /** A switch shows what is so. */
  function putBack(control) {
    if (control.matches('[role=switch]')) control.checked = control.defaultChecked;
  }

  /* ---- What is filled in ------------------------------------------------------------------------------------------------- */

  /** The fields by keys that those of another drawing have too. */
  function fields() {
    var found = new Map();
    document.querySelectorAll('#app form [name]:not([type=hidden], [type=file], button)').forEach(function (field) {
      var key = [field.form.id, field.form.getAttribute('action'), field.name, isBox(field) ? field.value : ''].join(' ');
      while (found.has(key)) key += '+';
      found.set(key, field);
    });
    return found;
  }

  function isBox(field) {
    return field.type === 'checkbox' || field.type === 'radio';
  }

  function contentOf(field) {
    return isBox(field) ? field.checked : field.value;
  }

  function contents() {
    var all = new Map();
    fields().forEach(function (field, key) {
      all.set(key, contentOf(field));
    });
    return all;
  }

  /** As the server drew it. */
  function drawnOf(field) {
    if (field.tagName !== 'SELECT') return isBox(field) ? field.defaultChecked : field.defaultValue;
    return (field.querySelector('option[selected]') || field.options[0] || { value: '' }).value;
  }

  document.addEventListener('htmx:beforeSwap', function (event) {
    if (underWay === null || event.detail.xhr !== underWay.xhr || event.detail.xhr.status === 401) return;
    var active = document.activeElement;
    kept = { changes: [], active: active.id, selection: [active.selectionStart, active.selectionEnd] };
    fields().forEach(function (field, key) {
      var isSent = field.form.contains(underWay.source);
      var content = contentOf(field);
      if (content !== (isSent ? underWay.sent.get(key) : drawnOf(field))) kept.changes.push([key, content]);
    });
  });

  document.addEventListener('htmx:afterSwap', function (event) {
    if (kept === null || !isOfPage(event)) return;
    var found = fields();
    kept.changes.forEach(function (change) {
      fill(found.get(change[0]), change[1]);
    });
    kept = null;
  });

  /** What does not fit any more is left out. */
  function fill(field, content) {
    if (!field) return;
    if (isBox(field)) field.checked = content;
    else if (field.tagName !== 'SELECT' || hasOption(field, content)) field.value = content;
    field.dispatchEvent(new Event('change', { bubbles: true }));
    if (field.id === kept.active && typeof kept.selection[0] === 'number')
      field.setSelectionRange(kept.selection[0], kept.selection[1]);
  }

  function hasOption(select, value) {
    return Array.from(select.options).some(function (option) {
      return option.value === value;
    });
  }
})();
