/* The table editor's keys: in a row, Alt with an arrow moves it, with D copies, with Delete drops, with Enter adds below, with + adds a condition. */
(() => {
  'use strict';
  const verbs = { ArrowUp: 'up', ArrowDown: 'down', d: 'copy', D: 'copy', Delete: 'drop', Enter: 'add', '+': 'more', '=': 'more' };
  document.addEventListener('keydown', (event) => {
    const row = event.target.closest('[data-row]');
    const verb = event.altKey && verbs[event.key];
    const button = row && verb && row.querySelector(`[data-op="${verb}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
})();
