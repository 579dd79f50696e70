/* Rules: their order by drag (the buttons do it without), the preview while typing, what is not saved yet. */
(function () {
  'use strict';
  var loading = null;

  /** Sortable comes when there is something to sort. */
  function loadSortable(address) {
    loading =
      loading ||
      new Promise(function (resolve, reject) {
        var script = document.createElement('script');
        script.src = address;
        script.onload = resolve;
        script.onerror = reject;
        document.head.append(script);
      });
    return loading;
  }

  function makeSortable() {
    var list = document.querySelector('[data-sortable]:not([data-is-sortable])');
    if (!list) return;
    loadSortable(list.dataset.sortable)
      .then(function () {
        if (!list.isConnected || list.dataset.isSortable) return;
        list.dataset.isSortable = 'yes';
        new window.Sortable(list, {
          handle: '.grip',
          draggable: 'li',
          ghostClass: 'rule-dragged',
          animation: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 150,
          onEnd: function () {
            send(list);
          },
        });
      })
      .catch(function (error) {
        console.warn('rules cannot be dragged', error);
      });
  }

  function send(list) {
    var form = document.getElementById(list.dataset.order);
    var ids = Array.prototype.map.call(list.children, function (item) {
      return item.dataset.id;
    });
    form.elements.order.value = ids.join(',');
    form.requestSubmit();
  }

  /* The kinds of an event are shown with it; the names of the others' boxes say whose they are, so that they count for nothing. */
  document.addEventListener('change', function (event) {
    if (event.target.id !== 'rule-event') return;
    document.querySelectorAll('.only-kinds').forEach(function (kinds) {
      kinds.hidden = kinds.dataset.event !== event.target.value;
    });
  });

  /* Conditions that were drawn anew may be others. */
  document.addEventListener('htmx:afterSettle', function (event) {
    var target = event.detail.target;
    if (target && target.id === 'conditions') document.getElementById('rule-form').dispatchEvent(new Event('change'));
  });

  /* A rule that was changed and not saved is not left by a link without a question. */
  var isChanged = false;
  ['input', 'change'].forEach(function (name) {
    document.addEventListener(name, function (event) {
      if (event.isTrusted && event.target.closest('#rule-form')) isChanged = true;
    });
  });
  document.addEventListener('htmx:afterSettle', function () {
    if (!document.getElementById('rule-form')) isChanged = false;
  });
  document.addEventListener(
    'click',
    function (event) {
      var link = isChanged && event.target.closest && event.target.closest('a[href]');
      if (!link || link.id === 'cancel-rule' || link.target === '_blank' || link.getAttribute('href').charAt(0) === '#') return;
      event.preventDefault();
      event.stopPropagation();
      window.pipedrive
        .confirm('Leave without saving?', 'What you changed in this rule is lost.', 'Leave')
        .then(function (isAgreed) {
          if (!isAgreed) return;
          isChanged = false;
          link.click();
        })
        .catch(function (error) {
          console.warn('Pipedrive did not ask', error);
        });
    },
    true,
  );

  document.addEventListener('htmx:afterSettle', makeSortable);
  document.addEventListener('DOMContentLoaded', makeSortable);
})();
