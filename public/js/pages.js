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

  function fetchToken() {
    return window.pipedrive
      .signedToken()
      .then(function (signed) {
        if (signed === null) throw new Error('there is no Pipedrive to sign in with');
        var request = {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ token: signed }),
        };
        return fetch('/session', request);
      })
      .then(function (answer) {
        if (!answer.ok) throw new Error('the sign-in was answered with ' + answer.status);
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

  /* Before a request: a question is asked in Pipedrive's dialog, and a token that is about to end is renewed. */
  document.addEventListener('htmx:confirm', function (event) {
    var detail = event.detail;
    var isOld = token && Date.now() > expiresAt - RENEW_BEFORE_MS;
    if (!detail.question && !isOld) return;
    event.preventDefault();
    var source = detail.elt;
    var asked = detail.question
      ? window.pipedrive.confirm(detail.question, source.dataset.confirmText || '', source.dataset.confirmOk || 'OK')
      : Promise.resolve(true);
    asked
      .then(function (isAgreed) {
        if (!isAgreed) return;
        return (isOld ? renew() : Promise.resolve()).then(function () {
          detail.issueRequest(true);
        });
      })
      .catch(function (error) {
        console.warn(error);
        tellTrouble('expired-words');
      });
  });

  /* A token that the server does not take (any more): once a new one, then the same request again. Nothing was done by it. */
  document.addEventListener('htmx:responseError', function (event) {
    var detail = event.detail;
    if (detail.xhr.status !== 401) return;
    var source = detail.elt;
    if (source.dataset.isRetry) {
      delete source.dataset.isRetry;
      tellTrouble('expired-words');
      return;
    }
    renew()
      .then(function () {
        source.dataset.isRetry = 'yes';
        var cause = detail.requestConfig.triggeringEvent;
        htmx.trigger(source, cause ? cause.type : 'click');
      })
      .catch(function (error) {
        console.warn(error);
        tellTrouble('expired-words');
      });
  });

  /* ---- Trouble and good news ------------------------------------------------------------------------------------------- */

  function tellTrouble(wordsId) {
    var words = byId(wordsId);
    var place = byId('trouble');
    if (words && place) place.replaceChildren(words.content.cloneNode(true));
    fit();
  }

  document.addEventListener('htmx:sendError', function () {
    tellTrouble('offline-words');
  });
  document.addEventListener('htmx:timeout', function () {
    tellTrouble('slow-words');
  });
  document.addEventListener('htmx:beforeSwap', function (event) {
    /* That is asked once more first (above), which has to know that it was. */
    if (event.detail.xhr.status === 401) return;
    var place = byId('trouble');
    var target = event.detail.target;
    if (place && target !== place) place.replaceChildren();
    mayMoveFocus = target.id === 'app' || target.contains(document.activeElement);
    delete event.detail.requestConfig.elt.dataset.isRetry;
  });

  /** What went well is said in Pipedrive's own way, and to screen readers. */
  function sayFlash() {
    var flash = byId('flash');
    if (!flash) return;
    byId('live').textContent = flash.textContent;
    if (window.parent === window) return;
    flash.hidden = true;
    window.pipedrive.say(flash.textContent).then(function () {
      if (flash.dataset.closes) window.pipedrive.closeModal();
    });
  }

  /* ---- Focus, size, small helps ---------------------------------------------------------------------------------------- */

  /** htmx keeps the focus on an element of the same id; where that is gone, the page's beginning takes it. What was refused is read first. */
  function keepFocus(isRefused) {
    if (!mayMoveFocus) return;
    var active = document.activeElement;
    if (isRefused && byId('refusal')) active = null;
    if (active && active !== document.body) return;
    var first =
      (isRefused && byId('refusal')) || document.querySelector('[autofocus]') || byId('refusal') || document.querySelector('h1');
    if (!first) return;
    if (first.tabIndex < 0) first.tabIndex = -1;
    first.focus({ preventScroll: first.tagName === 'H1' });
  }

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

  document.addEventListener('htmx:afterSettle', function (event) {
    /* What comes by itself while somebody fills in a form takes no focus. */
    var isQuiet = event.detail.target && event.detail.target.dataset.quiet;
    if (!isQuiet) keepFocus(event.detail.xhr && event.detail.xhr.status === 422);
    sayFlash();
    fit();
  });
  document.addEventListener('DOMContentLoaded', function () {
    sayFlash();
    fit();
  });
  document.addEventListener('toggle', fit, true);

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

  /** Browsers may forbid the clipboard in frames: then the text stands selected, ready for the keyboard. */
  function copy(text) {
    if (!navigator.clipboard) return Promise.resolve(document.execCommand('copy'));
    return navigator.clipboard.writeText(text).then(
      function () {
        return true;
      },
      function () {
        return document.execCommand('copy');
      },
    );
  }
})();
