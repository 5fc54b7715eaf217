/* Order entry by keyboard: search lists, new rows, columns pasted from a spreadsheet. */
(() => {
  'use strict';
  const form = document.querySelector('form[data-entry]');
  if (!form || form.dataset.ready) return;
  form.dataset.ready = '1';
  const lines = form.querySelector('#lines');
  const blank = document.getElementById('blank-row');
  const names = (form.dataset.columns || 'product quantity uom price discount').split(' ');
  const [key] = names;
  const cell = (row, name) => row.querySelector(`[name="${name}"]`);
  const list = (input) => input.closest('[data-combo]')?.querySelector('ul');

  const add = () => {
    const row = blank.content.firstElementChild.cloneNode(true);
    lines.append(row);
    if (window.htmx) window.htmx.process(row);
    return row;
  };
  /* a draft kept by the browser may have more rows than the page */
  try {
    const kept = JSON.parse(localStorage.getItem(`draft:${document.body.dataset.user || ''}:${form.dataset.draft}`)) || [];
    const rows = kept.filter(([name]) => name === key).length;
    while (lines.rows.length < Math.min(rows, 400)) add();
  } catch { /* nothing kept */ }

  const close = (input) => { const box = list(input); if (box) { box.hidden = true; box.replaceChildren(); } input.setAttribute('aria-expanded', 'false'); };
  const options = (input) => [...(list(input)?.querySelectorAll('[data-value]') || [])];
  const choose = (input, option) => {
    input.value = option.dataset.value;
    close(input);
    input.dispatchEvent(new Event('change', { bubbles: true }));
    const row = input.closest('tr');
    (row ? cell(row, 'quantity') : lines.querySelector(`[name="${key}"]`)).focus();
  };
  const mark = (input, step) => {
    const found = options(input);
    if (!found.length) return;
    const now = found.findIndex((o) => o.getAttribute('aria-selected') === 'true');
    const next = (now + step + found.length) % found.length;
    found.forEach((o, i) => o.setAttribute('aria-selected', String(i === next)));
    found[next].scrollIntoView({ block: 'nearest' });
  };
  /* what Enter means: the one marked by arrows, else the code as typed, else the first that still
     fits: the list may be older than what was typed since */
  const named = (input) => {
    const found = options(input);
    const typed = input.value.trim().toLowerCase();
    const marked = found.findIndex((o) => o.getAttribute('aria-selected') === 'true');
    if (marked > 0) return found[marked];
    return found.find((o) => o.dataset.value.toLowerCase() === typed)
      || found.find((o) => o.textContent.toLowerCase().includes(typed));
  };
  const nextRow = (row) => {
    const next = row.nextElementSibling || add();
    cell(next, key).focus();
  };

  form.addEventListener('keydown', (event) => {
    const input = event.target;
    if (input.tagName !== 'INPUT' || input.type === 'file' || input.type === 'checkbox') return;
    const combo = input.closest('[data-combo]');
    const open = combo && !list(input).hidden && options(input).length;
    if (combo && (event.key === 'ArrowDown' || event.key === 'ArrowUp') && open) {
      event.preventDefault();
      mark(input, event.key === 'ArrowDown' ? 1 : -1);
      return;
    }
    if (event.key === 'Escape' && open) { event.stopPropagation(); close(input); return; }
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const row = input.closest('tr');
    const meant = open && named(input);
    if (meant) { choose(input, meant); return; }
    if (row && input.name === key && input.value) { cell(row, 'quantity').focus(); return; }
    if (row) { nextRow(row); return; }
    const inputs = [...form.querySelectorAll('input:not([type=hidden]):not([type=file])')];
    (inputs[inputs.indexOf(input) + 1] || input).focus();
  });
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault(); // or the browser submits too, by the first button
    form.querySelector('button.primary').click(); // htmx names the button that was clicked
  });
  form.addEventListener('mousedown', (event) => {
    const option = event.target.closest('[data-combo] [data-value]');
    if (!option) return;
    event.preventDefault();
    choose(option.closest('[data-combo]').querySelector('input'), option);
  });
  form.addEventListener('focusout', (event) => { if (event.target.closest('[data-combo]')) setTimeout(() => close(event.target), 150); });
  form.addEventListener('htmx:afterSwap', (event) => {
    const box = event.detail.target;
    if (!box.matches?.('[data-combo] ul')) return;
    const input = box.closest('[data-combo]').querySelector('input');
    const shown = document.activeElement === input && input.value !== '' && box.children.length > 0;
    box.hidden = !shown;
    input.setAttribute('aria-expanded', String(shown));
    if (shown) options(input)[0]?.setAttribute('aria-selected', 'true');
  });
  form.addEventListener('click', (event) => {
    if (event.target.closest('[data-add]')) { cell(add(), key).focus(); return; }
    const remove = event.target.closest('[data-remove]');
    if (!remove) return;
    const row = remove.closest('tr');
    if (lines.rows.length > 1) row.remove(); else names.forEach((name) => { cell(row, name).value = ''; });
    form.dispatchEvent(new Event('change', { bubbles: true }));
    form.dispatchEvent(new Event('input', { bubbles: true }));
  });
  /* the figures of all rows arrive in one answer below the grid; each goes beside its row */
  form.addEventListener('htmx:afterSwap', (event) => {
    if (event.detail.target.id !== 'summary') return;
    const live = event.detail.target.querySelector('[data-live]');
    if (!live) return;
    const told = new Map([...live.querySelectorAll('[data-place]')].map((each) => [Number(each.dataset.place), each]));
    [...lines.rows].forEach((row, place) => {
      const each = told.get(place);
      const mine = each && each.dataset.code === cell(row, 'product').value.trim().slice(0, 40);
      if (cell(row, 'product').value.trim() && !mine) return; // typed on since: the next answer is near
      row.querySelector('.what').innerHTML = mine ? each.innerHTML : '';
      row.querySelector('.amount').textContent = mine ? each.dataset.amount || '' : '';
      cell(row, 'price').placeholder = mine ? each.dataset.price || '' : '';
    });
    const places = live.querySelector('[data-ship-tos]');
    if (places) document.getElementById('ship-tos').replaceChildren(...places.children);
    live.remove();
  });
  /* rows or columns copied from a spreadsheet, pasted into any product */
  form.addEventListener('paste', (event) => {
    const input = event.target;
    const text = event.clipboardData?.getData('text') || '';
    if (input.name !== key || !/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    let row = input.closest('tr');
    text.split(/\r?\n/).filter((line) => line.trim()).forEach((line) => {
      row = row || add();
      line.split('\t').slice(0, names.length).forEach((value, i) => { cell(row, names[i]).value = value.trim(); });
      row.dispatchEvent(new Event('change', { bubbles: true }));
      row = row.nextElementSibling;
    });
    form.dispatchEvent(new Event('input', { bubbles: true }));
  });
  document.body.addEventListener('lines:read', () => {
    const pasted = form.querySelector('#pasted'); const file = form.querySelector('#file');
    pasted.value = ''; file.value = '';
    [...lines.rows].filter((row) => !cell(row, 'product').value && row.nextElementSibling).forEach((row) => row.remove());
    add();
    form.dispatchEvent(new Event('input', { bubbles: true }));
  });
})();
