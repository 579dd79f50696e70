/*
 * The conditions of a rule, which the server draws anew as a whole when one comes or goes or another field is chosen: one answer after the
 * other, each to the form as it is by then, and what is filled in while an answer is on its way is kept in it. So are the conditions
 * themselves when an answer to the whole form, which was sent before, draws the page anew.
 */
(function () {
  'use strict';
  /* What is asked and not answered yet: of which form, how that was filled in, and the path of what is taken away, if any. */
  var asked = null;
  /* Keys of the controls that ask next. */
  var waiting = [];
  /* While an answer takes its place: what it does not know. */
  var meanwhile = null;
  /* How often they were drawn anew, and how often when a change of the page was sent. */
  var drawings = 0;
  var drawingsAt = new WeakMap();
  /* While the answer to such a change takes its place: the conditions that it does not know, and what is to be asked again. */
  var newer = null;

  function isOfConditions(event) {
    return event.detail.target.id === 'conditions';
  }

  /** The controls by keys that those of another drawing have too: their name, with the value of boxes and buttons, and else in their order. */
  function controls() {
    var found = new Map();
    document.querySelectorAll('#conditions [name]').forEach(function (control) {
      var isOneOfMany = control.type === 'checkbox' || control.tagName === 'BUTTON';
      var key = control.name + ' ' + (isOneOfMany ? control.value : '');
      while (found.has(key)) key += '+';
      found.set(key, control);
    });
    return found;
  }

  /** Of a control outside the conditions it is its id. */
  function keyOf(control) {
    var entry = Array.from(controls()).find(function (one) {
      return one[1] === control;
    });
    return entry ? entry[0] : '#' + control.id;
  }

  function controlOf(key) {
    return key.charAt(0) === '#' ? document.getElementById(key.slice(1)) : controls().get(key);
  }

  function contentOf(control) {
    return control.type === 'checkbox' ? control.checked : control.value;
  }

  /** The key once the condition or group at the path `gone` is away: null if it went with it, a place before if it stood behind it. */
  function moved(key, gone) {
    var path = (/:(r[\d.]*)/.exec(key) || [])[1];
    var parent = gone && gone.slice(0, gone.lastIndexOf('.') + 1);
    if (!parent || !path || !path.startsWith(parent)) return key;
    var steps = path.slice(parent.length).split('.').map(Number);
    var place = Number(gone.slice(parent.length));
    if (steps[0] === place) return null;
    if (steps[0] > place) steps[0] -= 1;
    return key.replace(path, parent + steps.join('.'));
  }

  /** True when an answer is on its way: whoever asks meanwhile asks again after it, when what is asked about may stand elsewhere. */
  function waits(event) {
    if (asked === null || !isOfConditions(event)) return false;
    event.preventDefault();
    event.stopPropagation();
    var control = event.detail.elt;
    var key = keyOf(control);
    if (control.tagName === 'BUTTON' || !waiting.includes(key)) waiting.push(key);
    return true;
  }

  document.addEventListener('htmx:confirm', waits, true);
  document.addEventListener(
    'htmx:beforeRequest',
    function (event) {
      if (!isOfConditions(event) || waits(event)) return;
      var before = new Map();
      controls().forEach(function (control, key) {
        before.set(key, contentOf(control));
      });
      var what = event.detail.requestConfig.formData.get('ask') || '';
      asked = {
        form: document.getElementById('rule-form'),
        before: before,
        gone: what.startsWith('remove:') ? what.slice('remove:'.length) : '',
        key: keyOf(event.detail.elt),
        xhr: event.detail.xhr,
      };
      event.detail.xhr.addEventListener('loadend', function (end) {
        if (asked !== null && asked.xhr === end.target) askNext();
      });
    },
    true,
  );

  function askNext() {
    if (!asked.form.isConnected) waiting = [];
    asked = null;
    askWaiting();
  }

  function askWaiting() {
    var control = null;
    while (!control && waiting.length > 0) control = controlOf(waiting.shift());
    if (control) htmx.trigger(control, control.tagName === 'BUTTON' ? 'click' : 'change');
  }

  document.addEventListener('htmx:beforeSwap', function (event) {
    if (!isOfConditions(event)) return;
    /* It was asked before the page was drawn anew, and is asked again. */
    if (asked === null || asked.xhr !== event.detail.xhr) {
      event.detail.shouldSwap = false;
      return;
    }
    var active = document.activeElement;
    meanwhile = { changes: [], focus: null, selection: [active.selectionStart, active.selectionEnd] };
    controls().forEach(function (control, key) {
      var now = moved(key, asked.gone);
      if (now === null) return;
      if (contentOf(control) !== asked.before.get(key)) meanwhile.changes.push([now, contentOf(control)]);
      if (control === active) meanwhile.focus = now;
    });
  });

  document.addEventListener('htmx:afterSwap', function (event) {
    if (meanwhile === null || !isOfConditions(event)) return;
    drawings += 1;
    var found = controls();
    meanwhile.changes.forEach(function (change) {
      fill(found.get(change[0]), change[1]);
    });
    holdFocus(found.get(meanwhile.focus), meanwhile.selection);
    waiting = waiting
      .map(function (key) {
        return moved(key, asked.gone);
      })
      .filter(Boolean);
    meanwhile = null;
  });

  /* ---- When the page is drawn anew --------------------------------------------------------------------------------------- */

  function isOfPage(event) {
    return event.detail.target.id === 'app';
  }

  function formNow() {
    return document.getElementById('rule-form');
  }

  document.addEventListener('htmx:beforeRequest', function (event) {
    if (isOfPage(event) && event.detail.requestConfig.verb !== 'get') drawingsAt.set(event.detail.xhr, drawings);
  });

  document.addEventListener('htmx:beforeSwap', function (event) {
    var sentAt = drawingsAt.get(event.detail.xhr);
    var isUnknown = sentAt !== undefined && (sentAt !== drawings || asked !== null);
    if (!isOfPage(event) || event.detail.xhr.status === 401 || !isUnknown || !formNow()) return;
    var active = document.activeElement;
    newer = {
      action: formNow().getAttribute('action'),
      conditions: sentAt === drawings ? null : document.getElementById('conditions'),
      active: active.closest('#conditions') ? active : null,
      selection: [active.selectionStart, active.selectionEnd],
      again: (asked === null ? [] : [asked.key]).concat(waiting),
    };
    asked = null;
    waiting = [];
  });

  /* Before what is filled in elsewhere is put back (`turns.js`). */
  document.addEventListener('htmx:afterSwap', function (event) {
    if (newer === null || !isOfPage(event)) return;
    var drawn = document.getElementById('conditions');
    if (!drawn || !formNow() || formNow().getAttribute('action') !== newer.action) {
      newer = null;
      return;
    }
    if (newer.conditions === null) return;
    drawn.replaceWith(newer.conditions);
    holdFocus(newer.active, newer.selection);
  });

  document.addEventListener('htmx:afterSettle', function (event) {
    if (newer === null || !isOfPage(event)) return;
    /* The card was drawn for what was sent. */
    if (newer.conditions !== null) formNow().dispatchEvent(new Event('change'));
    waiting = newer.again;
    newer = null;
    askWaiting();
  });

  /* ------------------------------------------------------------------------------------------------------------------------ */

  /** What does not fit any more is left out. */
  function fill(control, content) {
    if (!control) return;
    if (control.type === 'checkbox') {
      control.checked = content;
      control.dispatchEvent(new Event('change', { bubbles: true }));
    } else if (control.tagName !== 'SELECT' || hasOption(control, content)) control.value = content;
  }

  function hasOption(select, value) {
    return Array.from(select.options).some(function (option) {
      return option.value === value;
    });
  }

  /** On what has it, wherever that stands now; the cursor in it too. */
  function holdFocus(control, selection) {
    if (!control) return;
    if (control !== document.activeElement) control.focus({ preventScroll: true });
    if (typeof control.selectionStart === 'number' && typeof selection[0] === 'number')
      control.setSelectionRange(selection[0], selection[1]);
  }
})();
