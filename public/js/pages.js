/* How a page asks for more: with its token, renewed in time, with trouble told in words and the focus kept. */
(function () {
  'use strict';
  var meta = document.querySelector('meta[name=page-token]');
  var token = meta && meta.content;
  var expiresAt = meta ? Date.parse(meta.dataset.expiresAt) : 0;
  var RENEW_BEFORE_MS = 60000;
  var renewing = null;
  var lastHeightPx = 0;
  /* A part that is drawn beside where somebody is leaves the focus alone. */
  var mayMoveFocus = true;

  function byId(id) {
    return document.getElementById(id);
  }

  /* ---- The token ------------------------------------------------------------------------------------------------------- */

  /** A new page token by Pipedrive's word; rejects when the person's sign-in there has ended. Asked once for all who wait. */
  function renew() {
    renewing = renewing || fetchToken();
    return renewing.finally(function () {
      renewing = null;
    });
  }

  /** An error after which asking again is of no use, unlike a network that is away for a moment. */
  function signInEnded(words) {
    var error = new Error(words);
    error.isEnd = true;
    return error;
  }

  function fetchToken() {
    return window.pipedrive
      .signedToken()
      .then(function (signed) {
        if (signed === null) throw signInEnded('there is no Pipedrive to sign in with');
        var request = {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ token: signed }),
        };
        return fetch('/session', request);
      })
      .then(function (answer) {
        var words = 'the sign-in was answered with ' + answer.status;
        if (answer.status === 401 || answer.status === 403) throw signInEnded(words);
        if (!answer.ok) throw new Error(words);
        return answer.json();
      })
      .then(function (session) {
        token = session.token;
        expiresAt = Date.parse(session.expiresAt);
        document.querySelectorAll('input[name=pageToken]').forEach(function (input) {
          input.value = token;
        });
      });
  }

  document.addEventListener('htmx:configRequest', function (event) {
    if (token) event.detail.headers['Authorization'] = 'Bearer ' + token;
    delete event.detail.parameters.pageToken;
  });

  /* What looks for news does so only in sight, and keeps its trouble to itself: nobody asked. It ends with the sign-in. */
  function isLook(source) {
    return source.matches('[data-look]');
  }

  function tellExpired(source, error) {
    console.warn(error);
    if (isLook(source)) {
      if (error.isEnd) source.remove();
      return;
    }
    tellTrouble('expired-words');
    document.dispatchEvent(new Event('dealbell:sign-in-ended'));
  }

  /* Before a request: a question is asked in Pipedrive's dialog, and a token that is about to end is renewed. */
  document.addEventListener('htmx:confirm', function (event) {
    var detail = event.detail;
    var isOld = token && Date.now() > expiresAt - RENEW_BEFORE_MS;
    var source = detail.elt;
    var isAsked = detail.question && isTypedRight(source);
    /* Nor while a question is open: what it is about must still be there when it is answered. */
    var isUnseen = (document.hidden || questions > 0) && isLook(source);
    if (!detail.question && !isOld && !isUnseen) return;
    event.preventDefault();
    if (isUnseen) return;
    var asked = isAsked ? ask(detail.question, source.dataset) : Promise.resolve(true);
    asked
      .then(function (isAgreed) {
        if (!isAgreed) return;
        return (isOld ? renew() : Promise.resolve()).then(function () {
          detail.issueRequest(true);
        });
      })
      .catch(function (error) {
        tellExpired(source, error);
      });
  });

  var questions = 0;

  function ask(question, texts) {
    questions += 1;
    return window.pipedrive.confirm(question, texts.confirmText || '', texts.confirmOk || 'OK').finally(function () {
      questions -= 1;
    });
  }

  /** What the server would refuse anyway needs no question: a word that has to be typed to confirm. */
  function isTypedRight(form) {
    var field = form.querySelector('[data-confirms]');
    return !field || field.value.trim().toLowerCase() === field.dataset.confirms.trim().toLowerCase();
  }

  /* A token that the server does not take (any more): once a new one, then the same request again. Nothing was done by it. */
  document.addEventListener('htmx:responseError', function (event) {
    var detail = event.detail;
    if (detail.xhr.status !== 401) return;
    var source = detail.elt;
    if (source.dataset.isRetry) {
      delete source.dataset.isRetry;
      tellExpired(source, signInEnded('the new page token was refused'));
      return;
    }
    renew()
      .then(function () {
        source.dataset.isRetry = 'yes';
        if (isLook(source)) return;
        var cause = detail.requestConfig.triggeringEvent;
        htmx.trigger(source, cause ? cause.type : 'click');
      })
      .catch(function (error) {
        tellExpired(source, error);
      });
  });

  /* ---- Trouble and good news ------------------------------------------------------------------------------------------- */

  /** On the page, and by Pipedrive's snackbar: in a long page its beginning may be out of sight. */
  function tellTrouble(wordsId) {
    var words = byId(wordsId);
    var place = byId('trouble');
    if (!words || !place) return;
    place.replaceChildren(words.content.cloneNode(true));
    fit();
    if (window.parent !== window) window.pipedrive.say(place.textContent.replace(/\s+/g, ' ').trim());
  }

  document.addEventListener('dealbell:trouble', function (event) {
    tellTrouble(event.detail);
  });

  window.addEventListener('online', function () {
    byId('trouble').replaceChildren();
    fit();
  });

  /* What was pressed shows that it is at work, as the line at the top may be out of sight; it takes no second press meanwhile. */
  var pressed = new WeakMap();
  document.addEventListener('htmx:beforeRequest', function (event) {
    var cause = event.detail.requestConfig.triggeringEvent;
    var control = (cause && cause.submitter) || event.detail.elt;
    if (!control.matches('a, button')) return;
    /* The same words are said again only when they were gone meanwhile. */
    byId('live').textContent = '';
    pressed.set(event.detail.xhr, control);
    control.dataset.atWork = 'yes';
    control.setAttribute('aria-disabled', 'true');
  });
  document.addEventListener('htmx:afterRequest', function (event) {
    var control = pressed.get(event.detail.xhr);
    if (!control) return;
    delete control.dataset.atWork;
    control.removeAttribute('aria-disabled');
  });

  document.addEventListener('htmx:sendError', function (event) {
    if (!isLook(event.detail.elt)) tellTrouble('offline-words');
  });
  document.addEventListener('htmx:timeout', function (event) {
    if (!isLook(event.detail.elt)) tellTrouble('slow-words');
  });
  document.addEventListener('htmx:beforeSwap', function (event) {
    if (isLook(event.detail.requestConfig.elt)) {
      event.detail.shouldSwap = event.detail.xhr.status === 200;
      if (event.detail.xhr.status < 400) delete event.detail.requestConfig.elt.dataset.isRetry;
      return;
    }
    /* That is asked once more first (above), which has to know that it was. */
    if (event.detail.xhr.status === 401) return;
    var place = byId('trouble');
    var target = event.detail.target;
    if (place && target !== place) place.replaceChildren();
    mayMoveFocus = target.id === 'app' || target.contains(document.activeElement);
    focusNew = document.activeElement && document.activeElement.dataset.focusNew;
    neighbours = idsFrom(lastFocusedId);
    idsBefore = new Set(idsIn(document));
    delete event.detail.requestConfig.elt.dataset.isRetry;
  });

  /** What went well is said in Pipedrive's own way, and to screen readers. */
  function sayFlash() {
    var flash = byId('flash');
    if (!flash || flash.dataset.isSaid) return;
    flash.dataset.isSaid = 'yes';
    byId('live').textContent = flash.textContent;
    if (window.parent === window) return;
    flash.hidden = true;
    window.pipedrive.say(flash.textContent).then(function () {
      if (flash.dataset.closes) window.pipedrive.closeModal();
    });
  }

  /** What came of a press, to screen readers: a part that says so of itself would not be heard, as it is new. */
  function sayResult() {
    var result = document.querySelector('[data-result]');
    if (!result || result.dataset.isSaid) return;
    result.dataset.isSaid = 'yes';
    byId('live').textContent = result.textContent;
  }

  /** What comes by itself says to screen readers what it has to say (`data-said`): once, and not again whenever it is drawn anew. */
  var lastSaid = '';
  function sayNews(isByItself) {
    var part = document.querySelector('[data-said]');
    var words = part ? part.dataset.said : '';
    if (words && words !== lastSaid && isByItself) byId('live').textContent = words;
    lastSaid = words;
  }

  /* ---- Focus, size, small helps ---------------------------------------------------------------------------------------- */

  var CONTROLS = 'a[href], button, select, textarea, summary, input:not([type=hidden])';
  /* Before the exchange: the controls that follow the focus and then those before it, nearest first; and what was there at all. */
  var neighbours = [];
  var idsBefore = new Set();
  var focusNew = '';
  /* Pipedrive's own dialogs take the focus out of the frame. */
  var lastFocusedId = '';
  document.addEventListener('focusin', function (event) {
    lastFocusedId = event.target.id;
  });

  function idsIn(part) {
    return Array.from(part.querySelectorAll(CONTROLS), function (control) {
      return control.id;
    }).filter(Boolean);
  }

  function idsFrom(id) {
    var ids = idsIn(document.querySelector('main') || document);
    var at = id ? ids.indexOf(id) : -1;
    return at < 0 ? [] : ids.slice(at + 1).concat(ids.slice(0, at).reverse());
  }

  /**
   * htmx keeps the focus on an element of the same id. What was refused is read first; what a button added takes the focus where it
   * says so (`data-focus-new`: how the id begins); another page, or step, begins at its heading; where the pressed control is gone from
   * the same page, its nearest neighbour follows.
   */
  function keepFocus(isRefused, isSamePage) {
    if (!mayMoveFocus) return;
    var active = document.activeElement;
    var isLost = !active || active === document.body || active.id === 'page';
    var next = (isRefused && byId('refusal')) || (focusNew && added(focusNew));
    if (!next && (isLost || !isSamePage))
      next = document.querySelector('[autofocus]') || (isSamePage && neighbour()) || headingNow();
    if (!next) return;
    if (next.tabIndex < 0) next.tabIndex = -1;
    next.focus({ preventScroll: next === headingNow() });
  }

  function added(beginning) {
    var id = idsIn(document).find(function (each) {
      return each.startsWith(beginning) && !idsBefore.has(each);
    });
    return id && byId(id);
  }

  function neighbour() {
    var id = neighbours.find(function (each) {
      return byId(each);
    });
    return id && byId(id);
  }

  /* What was opened or closed by hand stays so when its part is drawn anew. */
  var byHand = new Map();
  document.addEventListener('click', function (event) {
    var summary = event.target.closest && event.target.closest('summary[id]');
    if (summary) byHand.set(summary.id, !summary.parentElement.open);
  });
  document.addEventListener('htmx:load', function (event) {
    event.detail.elt.querySelectorAll('summary[id]').forEach(function (summary) {
      if (byHand.has(summary.id)) summary.parentElement.open = byHand.get(summary.id);
    });
  });

  /** The frame is as high as the page, so that only Pipedrive's own page scrolls. */
  function fit() {
    if (window.parent === window) return;
    var limits = document.documentElement.dataset;
    var contentPx = Math.ceil(document.body.getBoundingClientRect().height);
    var heightPx = Math.min(Math.max(contentPx, Number(limits.height)), Number(limits.maxHeight));
    if (heightPx === lastHeightPx) return;
    lastHeightPx = heightPx;
    window.pipedrive.resize(heightPx);
  }

  var heading = headingText();

  /** Of the step, where the page goes by steps. */
  function headingNow() {
    return document.querySelector('[data-step-heading]') || document.querySelector('h1');
  }

  function headingText() {
    var now = headingNow();
    return now && now.textContent;
  }

  document.addEventListener('htmx:afterSettle', function (event) {
    /* What comes by itself while somebody fills in a form takes no focus. */
    var isQuiet = event.detail.target && event.detail.target.dataset.quiet;
    if (!isQuiet) keepFocus(event.detail.xhr && event.detail.xhr.status === 422, heading === headingText());
    if (heading !== headingText() && !isQuiet) byHand.clear();
    heading = headingText();
    sayNews(isQuiet);
    sayResult();
    sayFlash();
    fit();
  });
  document.addEventListener('DOMContentLoaded', function () {
    sayFlash();
    fit();
  });
  document.addEventListener('toggle', fit, true);

  /* What was refused is no longer so once it is changed: whether it is right, the next answer says. */
  document.addEventListener('input', function (event) {
    var field = event.target.closest('[aria-invalid="true"], [data-invalid]');
    if (!field) return;
    var link = document.querySelector('#refusal a[href="#' + field.id + '"]');
    field.removeAttribute('aria-invalid');
    field.removeAttribute('data-invalid');
    (field.getAttribute('aria-describedby') || '').split(' ').forEach(function (id) {
      var words = byId(id);
      if (words && words.classList.contains('field-error')) words.remove();
    });
    if (link) link.closest('li').remove();
    if (link && !document.querySelector('#refusal li')) byId('refusal').remove();
    fit();
  });

  document.addEventListener('click', function (event) {
    var button = event.target.closest && event.target.closest('[data-copy]');
    if (!button) return;
    var field = byId(button.dataset.copy);
    field.select();
    copy(field.value).then(function (isCopied) {
      byId('live').textContent = isCopied ? 'Copied' : 'Press Ctrl and C to copy';
      button.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
    });
  });

  /* Only in its frame, where Pipedrive can be asked. */
  document.addEventListener('DOMContentLoaded', function () {
    document.querySelectorAll('[data-reopen]').forEach(function (button) {
      button.hidden = window.parent === window;
    });
  });
  document.addEventListener('click', function (event) {
    if (!event.target.closest || !event.target.closest('[data-reopen]')) return;
    window.pipedrive.signedToken().then(function (signed) {
      if (signed === null) return;
      var address = new URL(location.href);
      address.searchParams.set('token', signed);
      location.replace(address);
    });
  });

  /* A text is saved as a file, and a file is read into a field: both stay in the browser. */
  document.addEventListener('click', function (event) {
    var button = event.target.closest && event.target.closest('[data-save]');
    if (!button) return;
    var link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([byId(button.dataset.save).value], { type: 'application/json' }));
    link.download = button.dataset.file;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  document.addEventListener('change', function (event) {
    var into = event.target.dataset && event.target.dataset.readInto;
    var file = into && event.target.files[0];
    if (!file) return;
    file.text().then(function (text) {
      byId(into).value = text;
    });
  });

  /** What is selected is copied the old way first: Pipedrive's frames do not allow the clipboard, and say so in the console. */
  function copy(text) {
    if (document.execCommand('copy')) return Promise.resolve(true);
    if (!navigator.clipboard) return Promise.resolve(false);
    return navigator.clipboard.writeText(text).then(
      function () {
        return true;
      },
      function (error) {
        console.warn(error);
        return false;
      },
    );
  }
})();
