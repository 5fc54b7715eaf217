/* Stock of one order dragged onto another: opens what its owner would lose, before anything is asked for. */
(() => {
  'use strict';
  let giver = null;
  const ghost = document.createElement('div');
  ghost.className = 'ghost';
  const taker = (target) => {
    const row = giver && target.closest && target.closest('tr[data-take]');
    return row && row !== giver && row.dataset.entity === giver.dataset.entity ? row : null;
  };
  const mark = (chosen) => document.querySelectorAll('tr[data-take]').forEach((row) => row.classList.toggle('onto', row === chosen));
  const end = () => { giver = null; ghost.remove(); mark(null); document.body.classList.remove('giving'); };
  document.addEventListener('dragstart', (event) => {
    const row = event.target.closest && event.target.closest('tr[data-give]');
    if (!row) return;
    giver = row;
    ghost.textContent = row.dataset.give;
    document.body.append(ghost);
    document.body.classList.add('giving');
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', row.dataset.give);
    event.dataTransfer.setDragImage(ghost, -12, 12);
  });
  document.addEventListener('dragover', (event) => {
    const row = taker(event.target);
    mark(row);
    if (row) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    const row = taker(event.target);
    if (!row) return;
    event.preventDefault();
    const to = new URL(row.dataset.take, window.location);
    to.searchParams.set('from', giver.dataset.line);
    end();
    window.location.assign(to);
  });
  document.addEventListener('dragend', end);
  /* a page that renews itself would take the row out of the hand */
  document.addEventListener('htmx:beforeSwap', (event) => { if (giver) event.detail.shouldSwap = false; });
})();
