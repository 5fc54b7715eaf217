/* Crossdock in the browser: search, keys, tables, forms, live updates. No build, no framework beside htmx. */
(() => {
  'use strict';
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const body = () => document.body;
  const typing = (target) => target.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]');
  const store = {
    get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set(key, value) { try { value === null ? localStorage.removeItem(key) : localStorage.setItem(key, JSON.stringify(value)); } catch { /* private window */ } },
  };
  const make = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  /* theme */
  const theme = (name) => {
    document.documentElement.dataset.theme = name;
    store.set('theme', name);
    document.cookie = `theme=${name};path=/;max-age=31536000;samesite=lax`;
    markTheme();
  };
  const markTheme = () => $$('[data-theme-set]').forEach((b) => b.setAttribute('aria-pressed', b.dataset.themeSet === (document.documentElement.dataset.theme || 'auto')));
  const kept = store.get('theme');
  if (kept && kept !== document.documentElement.dataset.theme) theme(kept);

  /* toasts: toast({text, tone, undo}); a server may send HX-Trigger: {"toast": {...}} */
  const fade = (toast) => { if (!('stay' in toast.dataset)) setTimeout(() => toast.remove(), 8000); };
  const toast = ({ text, tone = '', undo = '', stay = false }) => {
    const node = make('div', { className: `toast ${tone}` }, make('span', { textContent: text }));
    if (undo) {
      const button = make('button', { type: 'button', textContent: 'Undo' });
      button.setAttribute('hx-post', undo); button.setAttribute('hx-swap', 'none');
      button.addEventListener('click', () => setTimeout(() => node.remove()));
      node.append(button);
    }
    const close = make('button', { type: 'button', textContent: '×' });
    close.dataset.dismiss = ''; close.setAttribute('aria-label', 'Dismiss');
    node.append(close);
    if (stay) node.dataset.stay = '';
    $('#toasts').append(node);
    if (window.htmx) window.htmx.process(node);
    fade(node);
  };

  /* dialogs and menus */
  const openDialog = (id) => { const dialog = document.getElementById(id); if (dialog && !dialog.open) { if (id === 'keys') listKeys(); dialog.showModal(); } };
  const listKeys = () => {
    const list = $('[data-page-keys]');
    list.replaceChildren(...$$('[data-key]').filter((e) => !e.closest('dialog') && e.offsetParent).flatMap((e) => [
      make('dt', {}, make('kbd', { textContent: e.dataset.key })),
      make('dd', { textContent: e.dataset.keyLabel || e.getAttribute('aria-label') || e.textContent.trim() }),
    ]));
  };
  /* data-confirm="Really?" asks in a dialog of the page before the button or link acts */
  const ask = (element) => {
    const dialog = make('dialog', {}, make('div', { className: 'body', textContent: element.dataset.confirm }));
    const yes = make('button', { type: 'button', className: 'primary', textContent: element.textContent.trim() || 'Continue' });
    const no = make('button', { type: 'button', textContent: 'Cancel' });
    no.addEventListener('click', () => dialog.close());
    yes.addEventListener('click', () => { dialog.close(); element.dataset.confirmed = ''; element.click(); });
    dialog.append(make('div', { className: 'actions' }, no, yes));
    dialog.addEventListener('close', () => { dialog.remove(); element.focus(); });
    body().append(dialog);
    dialog.showModal();
    yes.focus();
  };
  const closeNav = () => { body().classList.remove('nav-open'); $('[data-nav-toggle]')?.setAttribute('aria-expanded', 'false'); };

  document.addEventListener('click', (event) => {
    const on = (selector) => event.target.closest(selector);
    let hit;
    $$('details.menu[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if ((hit = on('[data-confirm]')) && !hit.disabled) {
      if ('confirmed' in hit.dataset) delete hit.dataset.confirmed;
      else { event.preventDefault(); event.stopImmediatePropagation(); ask(hit); return; }
    }
    if ((hit = on('[data-nav-toggle]'))) {
      hit.setAttribute('aria-expanded', String(body().classList.toggle('nav-open')));
    } else if (body().classList.contains('nav-open') && !on('.nav')) closeNav();
    if ((hit = on('[data-theme-set]'))) theme(hit.dataset.themeSet);
    if (on('[data-palette]')) palette.open();
    if ((hit = on('[data-dialog]'))) openDialog(hit.dataset.dialog);
    if ((hit = on('[data-close]'))) hit.closest('dialog')?.close();
    if ((hit = on('[data-dismiss]'))) hit.closest('.toast, .alert')?.remove();
    if ((hit = on('[data-print]'))) window.print();
    if ((hit = on('[data-copy]'))) { const from = document.getElementById(hit.dataset.copy); from.select(); (navigator.clipboard ? navigator.clipboard.writeText(from.value) : Promise.reject()).catch(() => document.execCommand('copy')); hit.classList.add('done'); }
    if ((hit = on('[data-select-all]'))) { $$('[data-select]', hit.closest('table')).forEach((box) => { box.checked = hit.checked; }); selection(hit.closest('table')); }
    if ((hit = on('[data-select]'))) selection(hit.closest('table'));
    if (event.target.tagName === 'DIALOG') event.target.close();
  }, true);

  /* palette */
  const palette = {
    asked: 0,
    open() { openDialog('palette'); const input = $('#palette input'); input.select(); this.ask(input.value); },
    async ask(text) {
      const turn = ++this.asked;
      const answer = await fetch(`${body().dataset.search}?q=${encodeURIComponent(text)}`, { headers: { 'X-Palette': '1' } }).catch(() => null);
      if (turn !== this.asked) return;
      const box = $('#palette-results');
      if (answer?.ok && !answer.redirected) box.innerHTML = await answer.text();
      else box.replaceChildren(make('p', { className: 'empty', textContent: 'The search does not answer. Try again, or reload the page.' }));
      this.choose(0);
    },
    choose(step) {
      const links = $$('#palette-results a');
      const at = links.findIndex((link) => link.getAttribute('aria-selected') === 'true');
      const next = links.length ? (step === 0 ? 0 : (at + step + links.length) % links.length) : -1;
      links.forEach((link, i) => { link.id = `palette-${i}`; link.setAttribute('aria-selected', String(i === next)); });
      $('#palette input').setAttribute('aria-activedescendant', next < 0 ? '' : `palette-${next}`);
      links[next]?.scrollIntoView({ block: 'nearest' });
    },
    key(event) {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); this.choose(event.key === 'ArrowDown' ? 1 : -1); }
      if (event.key === 'Enter') { event.preventDefault(); $('#palette-results a[aria-selected="true"]')?.click(); }
    },
  };
  let pause;
  document.addEventListener('input', (event) => {
    if (event.target.closest('#palette')) { clearTimeout(pause); pause = setTimeout(() => palette.ask(event.target.value), 120); }
  });

  /* tables: j k Enter x on table[data-nav]; columns to choose on table[data-columns="name"] */
  const rows = () => $$('table[data-nav] tbody tr').filter((row) => row.offsetParent && !('skip' in row.dataset));
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.classList.contains('here'));
    const next = all[Math.max(0, Math.min(all.length - 1, at + step))];
    all.forEach((row) => row.classList.toggle('here', row === next));
    next.scrollIntoView({ block: 'nearest' });
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.dispatchEvent(new CustomEvent('row', { bubbles: true }));
  };
  const selection = (table) => {
    const boxes = $$('[data-select]', table);
    const chosen = boxes.filter((box) => box.checked);
    boxes.forEach((box) => box.closest('tr').setAttribute('aria-selected', String(box.checked)));
    const all = $('[data-select-all]', table);
    if (all) { all.checked = chosen.length === boxes.length && chosen.length > 0; all.indeterminate = chosen.length > 0 && !all.checked; }
    $$('[data-bulk]').forEach((bar) => { bar.hidden = !chosen.length; const count = $('[data-bulk-count]', bar); if (count) count.textContent = chosen.length; });
  };
  const columns = (table) => {
    const key = `columns:${table.dataset.columns}`;
    const heads = $$('thead th', table);
    const off = new Set(store.get(key) || []);
    const apply = () => heads.forEach((head, i) => {
      const hidden = off.has(head.dataset.col);
      $$('tr', table).forEach((row) => { if (row.cells[i] && row.cells.length === heads.length) row.cells[i].hidden = hidden; });
    });
    const place = document.querySelector(`[data-columns-for="${table.dataset.columns}"]`);
    if (place && !place.childElementCount) {
      const list = make('div');
      heads.filter((head) => head.dataset.col).forEach((head) => {
        const box = make('input', { type: 'checkbox', checked: !off.has(head.dataset.col) });
        box.addEventListener('change', () => { box.checked ? off.delete(head.dataset.col) : off.add(head.dataset.col); store.set(key, [...off]); apply(); });
        list.append(make('label', {}, box, head.textContent.trim()));
      });
      place.append(make('details', { className: 'menu' }, make('summary', { className: 'button small', textContent: 'Columns' }), list));
    }
    apply();
  };

  /* keys: data-key="a" presses its button or link; g then h goes home */
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k' && $('#palette')) { event.preventDefault(); palette.open(); return; }
    if (event.target.closest('#palette')) { palette.key(event); return; }
    if (event.key === 'Escape') { $$('details.menu[open]').forEach((menu) => { menu.open = false; $('summary', menu).focus(); }); closeNav(); if (typing(event.target)) event.target.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || $('dialog[open]')) return;
    if (event.key === '/' && $('#palette')) { event.preventDefault(); palette.open(); return; }
    if (event.key === '?') { openDialog('keys'); return; }
    const here = $('table[data-nav] tr.here');
    if (event.key === 'j') move(1);
    else if (event.key === 'k') move(-1);
    else if (event.key === 'Enter' && here && !event.target.closest('a, button, summary')) (here.dataset.href ? window.location.assign(here.dataset.href) : $('a', here)?.click());
    else if (event.key === 'x' && here && $('[data-select]', here)) { $('[data-select]', here).click(); }
    else {
      const bound = $$('[data-key]').find((e) => e.dataset.key === event.key && e.offsetParent && !e.disabled);
      if (!bound) return;
      if (typing(bound)) bound.focus(); else bound.click();
    }
    event.preventDefault();
  });

  /* forms: sent once, never lost. <form data-draft="orders.new"> keeps what was typed until it is accepted */
  const fields = (form) => $$('input, select, textarea', form).filter((f) => f.name && !['hidden', 'password', 'file', 'submit'].includes(f.type));
  const draftKey = (form) => `draft:${body().dataset.user || ''}:${form.dataset.draft}`;
  const saveDraft = (form) => store.set(draftKey(form), fields(form).map((f) => [f.name, f.type === 'checkbox' || f.type === 'radio' ? f.checked : f.value]));
  const restoreDraft = (form) => {
    const draft = store.get(draftKey(form));
    if (!draft || form.dataset.restored) return;
    form.dataset.restored = '1';
    const seen = {};
    const all = fields(form);
    let changed = false;
    draft.forEach(([name, value]) => {
      seen[name] = (seen[name] ?? -1) + 1;
      const field = all.filter((f) => f.name === name)[seen[name]];
      if (!field) return;
      const toggled = field.type === 'checkbox' || field.type === 'radio';
      if ((toggled ? field.checked : field.value) === value) return;
      if (toggled) field.checked = value; else field.value = value;
      changed = true;
    });
    if (changed) { form.dataset.dirty = '1'; setTimeout(() => form.dispatchEvent(new CustomEvent('draft:restored', { bubbles: true }))); toast({ text: 'What you typed here before was put back.' }); }
  };
  /* fields that the server adds to a form later get what was typed in them before */
  const restoreWithin = (root) => {
    const form = root.closest?.('form[data-draft]');
    const draft = form && form !== root && store.get(draftKey(form));
    if (draft) draft.forEach(([name, value]) => {
      const field = form.elements[name];
      if (typeof value !== 'string' || !field?.name || field.value || !value || !root.contains(field)) return;
      field.value = value;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    });
  };
  document.addEventListener('input', (event) => {
    const form = event.target.closest('form');
    if (!form || form.method !== 'post') return;
    form.dataset.dirty = '1';
    if (form.dataset.draft) saveDraft(form);
  });
  const busy = (form, on) => $$('button:not([type=button]), input[type=submit]', form).forEach((b) => on ? b.setAttribute('aria-busy', 'true') : b.removeAttribute('aria-busy'));
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.method !== 'post') return;
    if (form.dataset.sent) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    if (event.defaultPrevented) return;
    form.dataset.sent = '1';
    setTimeout(() => busy(form, true));
    if (form.dataset.draft) sessionStorage.setItem('sent-draft', draftKey(form));
  }, true);
  const released = (form) => { if (form?.tagName === 'FORM') { delete form.dataset.sent; busy(form, false); } };
  window.addEventListener('pageshow', () => $$('form[data-sent]').forEach(released));
  window.addEventListener('beforeunload', (event) => {
    if ($$('form[data-draft][data-dirty]').some((form) => !form.dataset.sent)) event.preventDefault();
  });
  document.addEventListener('htmx:afterRequest', (event) => {
    const { elt, xhr } = event.detail;
    released(elt);
    if (elt.tagName === 'FORM' && xhr.status < 300) { delete elt.dataset.dirty; if (elt.dataset.draft) store.set(draftKey(elt), null); sessionStorage.removeItem('sent-draft'); }
  });
  document.addEventListener('htmx:sendError', () => toast({ text: 'No connection. Nothing was lost: try again in a moment.', tone: 's1' }));
  document.addEventListener('htmx:responseError', (event) => toast({
    text: { 403: 'You may not do this. Ask an administrator for the role.', 404: 'This is no longer here. Reload the page.', 413: 'That is too large to send.' }[event.detail.xhr.status] || 'Something went wrong and was reported. Nothing was saved: try again.', tone: 's1', stay: true,
  }));
  document.addEventListener('toast', (event) => toast(event.detail));

  /* time: relative times and clocks stay true */
  const span = (seconds) => {
    const left = Math.floor(Math.abs(seconds));
    if (left >= 172800) return `${Math.floor(left / 86400)} d`;
    if (left >= 3600) return `${Math.floor(left / 3600)} h ${String(Math.floor((left % 3600) / 60)).padStart(2, '0')}`;
    return left >= 60 ? `${Math.floor(left / 60)} min` : `${left} s`;
  };
  const tick = () => {
    const now = Date.now();
    $$('time[data-relative]').forEach((node) => {
      const seconds = (now - Date.parse(node.dateTime)) / 1000;
      if (Math.abs(seconds) > 45 * 86400) return;
      node.textContent = Math.abs(seconds) < 45 ? 'just now' : seconds > 0 ? `${span(seconds)} ago` : `in ${span(seconds)}`;
    });
    $$('.clock[data-due]').forEach((node) => {
      const due = Date.parse(node.dataset.due);
      const from = Date.parse(node.dataset.from);
      const spent = Math.max(0, Math.min(100, Math.round((100 * (now - from)) / (due - from))));
      const tone = due - now < 3600000 ? 's1' : spent >= 75 ? 's2' : spent >= 50 ? 's3' : 'muted';
      node.className = `clock tone-${tone}`;
      node.firstElementChild.textContent = `${span((due - now) / 1000)} ${due >= now ? 'left' : 'late'}`;
      node.lastElementChild.className = `w-${spent}`;
    });
  };
  setInterval(tick, 20000);

  /* live: server-sent events become live:<topic> on the body; hx-trigger="live:orders from:body" */
  let connected = false;
  const say = (on) => {
    connected = on;
    const chip = $('.live');
    if (chip) { chip.dataset.live = on ? 'on' : 'off'; chip.classList.toggle('ok', on); chip.textContent = on ? 'live' : 'offline'; }
  };
  const live = () => {
    if (!body().dataset.events || !window.EventSource) return;
    const waiting = new Map();
    const tell = (topic, detail) => {
      if (waiting.has(topic)) { waiting.get(topic).push(detail); return; }
      waiting.set(topic, [detail]);
      setTimeout(() => { const refs = waiting.get(topic); waiting.delete(topic); body().dispatchEvent(new CustomEvent(`live:${topic}`, { detail: { refs } })); }, 300 + Math.random() * 500);
    };
    let lost = false;
    let patience = 5000;
    const listen = () => {
      const source = new EventSource(body().dataset.events);
      source.onopen = () => { say(true); if (lost) tell('resumed', {}); lost = false; patience = 5000; };
      source.onmessage = (event) => { const said = JSON.parse(event.data); tell(said.topic, said); if (said.topic !== 'navigation') tell('navigation', said); };
      source.onerror = () => {
        say(false);
        lost = true;
        if (source.readyState !== EventSource.CLOSED) return; /* the browser tries again by itself */
        setTimeout(listen, patience);
        patience = Math.min(patience * 2, 300000);
      };
      window.addEventListener('pagehide', () => source.close(), { once: true });
    };
    listen();
  };

  const dress = (root) => {
    $$('table[data-columns]', root).forEach(columns);
    $$('form[data-draft]', root).forEach(restoreDraft);
    restoreWithin(root);
    $('[data-focus]', root)?.focus();
    markTheme();
    say(connected);
    reachable();
  };
  /* a table wider than its card scrolls inside it, and can be scrolled by keyboard */
  const reachable = () => $$('.card:has(> table), .scroll, .window').forEach((box) => {
    const wide = $$(':scope > table', box).some((table) => table.scrollWidth > box.clientWidth + 1);
    box.classList.toggle('overflows', wide);
    if (wide || box.scrollHeight > box.clientHeight + 1) box.tabIndex = 0; else box.removeAttribute('tabindex');
  });
  window.addEventListener('resize', reachable);
  const start = () => {
    const sent = sessionStorage.getItem('sent-draft');
    if (sent) { sessionStorage.removeItem('sent-draft'); if (!$('.field .error, .alert.s1')) store.set(sent, null); }
    dress(document);
    $$('.toast').forEach(fade);
    document.addEventListener('htmx:afterSettle', (event) => { dress(event.detail.target || document); tick(); });
    document.addEventListener('htmx:oobAfterSwap', () => $$('.toast').forEach(fade));
    live();
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start); else start();
})();
