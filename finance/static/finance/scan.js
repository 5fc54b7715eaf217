/* A scanner that types: each code ends with Enter. Marks the line it belongs to, and says what to take. */
(() => {
  'use strict';
  const start = (form) => {
    if (form.dataset.scanning) return;
    form.dataset.scanning = '1';
    const lines = [...form.querySelectorAll('[data-line]')];
    const field = form.querySelector('[data-scan-field]');
    const said = form.querySelector('[data-scan-said]');
    const say = (text, tone) => { said.textContent = text; said.dataset.tone = tone; };
    const input = (line) => line.querySelector('input');
    const show = (line) => {
      const found = Number(input(line).value || 0), planned = Number(line.dataset.planned);
      const why = line.querySelector('[data-why]');
      line.classList.toggle('short', found < planned);
      if (why) why.hidden = found >= planned;
    };
    const set = (line, value) => {
      input(line).value = Math.max(0, Math.min(Number(line.dataset.planned), value));
      input(line).dispatchEvent(new Event('input', { bubbles: true }));
    };
    const mark = (line) => {
      line.classList.add('found');
      line.querySelector('[data-mark]').hidden = false;
      line.scrollIntoView({ block: 'center' });
    };
    const read = (text) => {
      const code = text.trim().toUpperCase();
      if (!code) return;
      if (code === form.dataset.scan.toUpperCase()) {
        const open = lines.filter((line) => !line.classList.contains('found')).length;
        if (open) say(`${open} ${said.dataset.open}`, 's1'); else form.requestSubmit(form.querySelector('[data-scan-confirm]'));
        return;
      }
      const at = lines.filter((each) => (each.dataset.bins || '').toUpperCase().split('|').includes(code));
      if (at.length) {
        const next = at.find((each) => !each.classList.contains('found')) || at[0];
        const bins = next.querySelector('select[name^=bin_]');
        const index = next.dataset.bins.toUpperCase().split('|').indexOf(code);
        if (bins && !next.dataset.proposed.toUpperCase().split('|').includes(code)) bins.selectedIndex = index + 1;
        next.scrollIntoView({ block: 'center' });
        say(`${code}: ${said.dataset.at} ${next.dataset.planned} ${next.dataset.codes.split('|')[0]}`, 'ok');
        return;
      }
      const line = lines.find((each) => each.dataset.codes.toUpperCase().split('|').includes(code));
      if (!line) { say(`${text} ${said.dataset.unknown}`, 's1'); return; }
      const again = line.classList.contains('found');
      mark(line);
      say(again ? `${code} ${said.dataset.again}` : `${code}: ${said.dataset.take} ${line.dataset.planned}`, again ? 's1' : 'ok');
    };
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      read(field.value);
      field.value = '';
    });
    form.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      const line = button && button.closest('[data-line]');
      if (!line) return;
      if (button.dataset.step) set(line, Number(input(line).value || 0) + Number(button.dataset.step));
      if ('all' in button.dataset) { set(line, Number(line.dataset.planned)); mark(line); }
      if ('none' in button.dataset) set(line, 0);
    });
    lines.forEach((line) => { input(line).addEventListener('input', () => show(line)); show(line); });
  };
  const all = () => document.querySelectorAll('[data-scan]').forEach(start);
  document.addEventListener('htmx:load', all);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', all); else all();
})();
