/* Lists of boxes to tick: a filter above long ones, one stop of the Tab key and the arrow keys within, and in words what is chosen. */
(function () {
  'use strict';
  var STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

  function rowsOf(pick) {
    return Array.from(pick.querySelectorAll('.pick-rows > li'));
  }

  function boxOf(row) {
    return row.querySelector('input');
  }

  function shownBoxes(pick) {
    return rowsOf(pick)
      .filter(function (row) {
        return !row.hidden;
      })
      .map(boxOf);
  }

  /** With a hundred boxes Tab would never come to the end of the form. */
  function makeStop(pick, stop) {
    rowsOf(pick)
      .map(boxOf)
      .forEach(function (box) {
        box.tabIndex = box === stop ? 0 : -1;
      });
  }

  function firstStop(pick) {
    var boxes = shownBoxes(pick);
    return (
      boxes.find(function (box) {
        return box.checked;
      }) || boxes[0]
    );
  }

  function tellChosen(pick) {
    var names = rowsOf(pick)
      .filter(function (row) {
        return boxOf(row).checked;
      })
      .map(function (row) {
        return row.textContent;
      });
    pick.querySelector('.pick-chosen').textContent =
      names.length === 0 ? 'None chosen' : names.length + ' chosen: ' + names.join(', ');
  }

  /* What was looked for in a list, and how far down, is still so when it is drawn anew; a condition that moved up has another id. */
  var left = [];

  function lookOf(pick) {
    var boxes = Array.from(pick.querySelectorAll('.pick-rows input'), function (box) {
      return box.value + (box.checked ? '+' : '');
    });
    return {
      id: pick.id,
      boxes: boxes.join(),
      wanted: pick.querySelector('.pick-filter').value,
      top: pick.querySelector('.pick-list').scrollTop,
    };
  }

  function lookBefore(pick) {
    var same = left.filter(function (look) {
      return look.boxes === lookOf(pick).boxes;
    });
    return (
      same.find(function (look) {
        return look.id === pick.id;
      }) ||
      same.find(function (look) {
        var there = document.getElementById(look.id);
        return !there || !there.matches('.pick-long') || lookOf(there).boxes !== look.boxes;
      })
    );
  }

  document.addEventListener('htmx:beforeSwap', function () {
    left = Array.from(document.querySelectorAll('.pick-long'), lookOf);
  });

  document.addEventListener('htmx:load', function (event) {
    event.detail.elt.querySelectorAll('.pick-long').forEach(function (pick) {
      var look = lookBefore(pick);
      var list = pick.querySelector('.pick-list');
      var stop = firstStop(pick);
      makeStop(pick, stop);
      if (look) {
        pick.querySelector('.pick-filter').value = look.wanted;
        if (look.wanted) narrow(pick, look.wanted);
        list.scrollTop = look.top;
      } else if (stop && stop.checked) list.scrollTop = stop.closest('li').offsetTop;
    });
  });

  document.addEventListener('focusin', function (event) {
    var pick = event.target.matches('.pick-rows input') && event.target.closest('.pick-long');
    if (pick) makeStop(pick, event.target);
  });

  document.addEventListener('change', function (event) {
    var pick = event.target.closest('.pick');
    if (pick) tellChosen(pick);
  });

  document.addEventListener('keydown', function (event) {
    var pick = event.target.closest('.pick-long');
    if (!pick) return;
    var isFilter = event.target.matches('.pick-filter');
    /* The form is not sent by it. */
    if (isFilter && event.key === 'Enter') event.preventDefault();
    var boxes = shownBoxes(pick);
    var at = boxes.indexOf(event.target);
    var next = null;
    if (isFilter) next = event.key === 'ArrowDown' ? firstStop(pick) : null;
    else if (event.key === 'Home') next = boxes[0];
    else if (event.key === 'End') next = boxes[boxes.length - 1];
    else if (at >= 0 && STEPS[event.key]) next = boxes[at + STEPS[event.key]] || event.target;
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  /* Of the filter only the list hears: nothing of the form has changed. */
  ['input', 'change'].forEach(function (name) {
    document.addEventListener(
      name,
      function (event) {
        if (!event.target.matches('.pick-filter')) return;
        event.stopPropagation();
        if (name !== 'input') return;
        var pick = event.target.closest('.pick');
        narrow(pick, event.target.value);
        document.getElementById('live').textContent = shownBoxes(pick).length + ' of ' + rowsOf(pick).length + ' shown';
      },
      true,
    );
  });

  /** By the name of an option, or of its group. */
  function narrow(pick, typed) {
    var wanted = typed.trim().toLowerCase();
    rowsOf(pick).forEach(function (row) {
      var group = row.closest('.pick-group');
      var words = row.textContent + ' ' + (group ? group.querySelector('legend').textContent : '');
      row.hidden = boxOf(row).disabled || !words.toLowerCase().includes(wanted);
    });
    pick.querySelectorAll('.pick-group').forEach(function (group) {
      group.hidden = !group.querySelector('li:not([hidden])');
    });
    pick.querySelector('.pick-none').hidden = shownBoxes(pick).length > 0;
    pick.querySelector('.pick-list').scrollTop = 0;
    makeStop(pick, firstStop(pick));
  }

  /* What another field has chosen, its list does not offer. */
  document.addEventListener('change', function (event) {
    var pick = event.target.id && document.querySelector('.pick[data-without="' + CSS.escape(event.target.id) + '"]');
    if (!pick) return;
    rowsOf(pick).forEach(function (row) {
      var box = boxOf(row);
      var isTaken = box.value === event.target.value;
      row.hidden = box.disabled = isTaken;
      if (isTaken) box.checked = false;
    });
    tellChosen(pick);
  });
})();
