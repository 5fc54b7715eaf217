/* Counting with a scanner that types: a code goes to its line, a serial number into its list, Enter in a quantity goes on. */
(() => {
  'use strict';
  const start = (form) => {
    if (form.dataset.counting_on) return;
    form.dataset.counting_on = '1';
    const lines = [...form.querySelectorAll('[data-line]')];
    const field = form.querySelector('[data-scan-field]');
    const said = form.querySelector('[data-scan-said]');
    const input = (line) => line.querySelector('input');
    const say = (text, tone) => { said.textContent = text; said.dataset.tone = tone; };
    const show = (line) => line.classList.toggle('found', input(line).value !== '');
    const left = () => lines.filter((line) => input(line).value === '' && !('optional' in line.dataset));
    const tell = () => { const open = left().length; say(open ? `${open} ${said.dataset.left}` : said.dataset.done, open ? '' : 'ok'); };
    const go = (line) => { line.scrollIntoView({ block: 'center' }); input(line).focus(); input(line).select(); };
    const numbers = (line) => form.querySelector(`[data-numbers="${line.dataset.serial}"] textarea`);
    const named = (line) => numbers(line).value.split('\n').map((each) => each.trim()).filter(Boolean);
    const told = (element) => element.dispatchEvent(new Event('input', { bubbles: true }));
    let serial = null; /* the line whose pieces are being scanned */
    const add = (line, number) => {
      const there = named(line);
      if (there.includes(number)) { say(`${number} ${said.dataset.twice}`, 's1'); return; }
      numbers(line).value = [...there, number].join('\n');
      told(numbers(line));
      input(line).value = Number(input(line).value || 0) + 1;
      told(input(line));
      line.scrollIntoView({ block: 'center' });
      say(`${number}: ${there.length + 1} ${said.dataset.pieces}`, 'ok');
    };
    const read = (text) => {
      const code = text.trim().toUpperCase();
      if (!code) return;
      const found = lines.filter((each) => each.dataset.codes.toUpperCase().split('|').includes(code));
      const line = found.find((each) => input(each).value === '') || found[0];
      const own = lines.filter((each) => each.dataset.serial);
      if (!line && (serial || own.length === 1)) { add(serial || own[0], text.trim()); return; }
      if (!line) { say(`${text} ${said.dataset.unknown}`, 's1'); return; }
      serial = line.dataset.serial ? line : null;
      if (serial) { line.scrollIntoView({ block: 'center' }); say(`${code}: ${said.dataset.numbers}`, 'ok'); return; }
      tell();
      go(line);
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
      const box = input(line);
      if (button.dataset.step) box.value = Math.max(0, Number(box.value || 0) + Number(button.dataset.step));
      if ('none' in button.dataset) box.value = 0;
      box.dispatchEvent(new Event('input', { bubbles: true }));
    });
    lines.forEach((line) => {
      show(line);
      if (line.dataset.serial && lines.filter((each) => each.dataset.serial === line.dataset.serial).length === 1) {
        numbers(line).addEventListener('input', (event) => {
          if (!event.isTrusted) return; /* typed, not scanned: the figure follows */
          input(line).value = named(line).length;
          told(input(line));
        });
      }
      input(line).addEventListener('input', () => { show(line); tell(); });
      input(line).addEventListener('keydown', (event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        const open = left();
        if (open.length) { field.focus(); tell(); } else form.querySelector('[data-scan-confirm]').focus();
      });
    });
  };
  const all = () => document.querySelectorAll('[data-counting]').forEach(start);
  document.addEventListener('htmx:load', all);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', all); else all();
})();
