/* Rules: their order by drag (the buttons do it without), lists of several in which a click chooses or lets go, the preview while typing. */
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

  /** Nobody knows that Ctrl has to be held: a click chooses one more or one less. */
  document.addEventListener('mousedown', function (event) {
    var option = event.target;
    if (!(option instanceof HTMLOptionElement) || event.button !== 0) return;
    var select = option.closest('select[multiple]');
    if (!select || select.disabled || select.matches(':disabled')) return;
    event.preventDefault();
    var scrollTop = select.scrollTop;
    option.selected = !option.selected;
    select.focus();
    select.dispatchEvent(new Event('change', { bubbles: true }));
    requestAnimationFrame(function () {
      select.scrollTop = scrollTop;
    });
  });

  /* Conditions that were drawn anew may be others; a preview says to screen readers what it comes to, when that is something new. */
  document.addEventListener('htmx:afterSettle', function (event) {
    var target = event.detail.target;
    if (target && target.id === 'conditions') document.getElementById('rule-form').dispatchEvent(new Event('change'));
    var summary = target && target.id === 'preview' && document.getElementById('preview-summary');
    var live = document.getElementById('live');
    if (summary && live.textContent !== summary.dataset.said) live.textContent = summary.dataset.said;
  });

  document.addEventListener('htmx:afterSettle', makeSortable);
  document.addEventListener('DOMContentLoaded', makeSortable);
})();
