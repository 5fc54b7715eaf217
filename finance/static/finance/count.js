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
    const numbers = (line) => form.querySelector(`[data-numbers="${line.dataset.serial}"] textarea`);
    const named = (line) => numbers(line).value.split('\n').map((each) => each.trim()).filter(Boolean);
    const told = (element) => element.dispatchEvent(new Event('input', { bubbles: true }));
    const show = (line) => {
      line.classList.toggle('found', input(line).value !== '');
      if ('follows' in line.dataset) line.querySelector('[data-none]').hidden = named(line).length > 0;
    };
    const left = () => lines.filter((line) => input(line).value === '' && !('optional' in line.dataset));
    const tell = () => { const open = left().length; say(open ? `${open} ${open === 1 ? said.dataset.last : said.dataset.left}` : said.dataset.done, open ? '' : 'ok'); };
    const go = (line) => { line.scrollIntoView({ block: 'center' }); input(line).focus(); input(line).select(); };
    let serial = null; /* the line whose pieces are being scanned */

    /* A piece lies on one line of the sheet, whatever status or bin that is of. */
    const product = (line) => line.dataset.codes.split('|')[0];
    const own = lines.filter((line) => line.dataset.serial);
    const alike = (line) => own.filter((each) => product(each) === product(line));
    const follow = (line) => { /* the figure is how many are named; none named, it is not counted */
      input(line).value = named(line).length || '';
      told(input(line));
    };
    const add = (line, number) => {
      line.scrollIntoView({ block: 'center' });
      if (alike(line).some((each) => named(each).includes(number))) { say(`${number} ${said.dataset.twice}`, 's1'); return; }
      const there = named(line), box = numbers(line);
      box.value = `${[...there, number].join('\n')}\n`;
      box.scrollTop = box.scrollHeight;
      told(box);
      if ('follows' in line.dataset) follow(line);
      else { input(line).value = Number(input(line).value || 0) + 1; told(input(line)); }
      say(`${number}: ${there.length + 1} ${said.dataset.pieces}`, 'ok');
    };
    const read = (text) => {
      const code = text.trim().toUpperCase();
      if (!code) return;
      const found = lines.filter((each) => each.dataset.codes.toUpperCase().split('|').includes(code));
      const line = found.find((each) => input(each).value === '') || found[0];
      if (!line && (serial || own.length === 1)) { add(serial || own[0], text.trim()); return; }
      if (!line) { say(`${text.trim()} ${own.length ? said.dataset.first : said.dataset.unknown}`, 's1'); return; }
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
      told(box);
    });
    /* A scanner that types into a list itself: the same, said at once. */
    form.addEventListener('keydown', (event) => {
      const box = event.target.closest('[data-numbers] textarea');
      if (!box || event.key !== 'Enter' || box.selectionEnd < box.value.trimEnd().length) return;
      event.preventDefault();
      const before = box.value.trimEnd().split('\n');
      const number = before.pop().trim();
      if (!number || box.value.endsWith('\n')) return;
      const of = own.filter((each) => numbers(each) === box);
      box.value = before.map((each) => `${each}\n`).join('');
      if ('follows' in of[0].dataset) follow(of[0]);
      add(of.includes(serial) ? serial : of[0], number);
    });
    lines.forEach((line) => {
      show(line);
      if ('follows' in line.dataset) {
        numbers(line).addEventListener('input', (event) => { if (event.isTrusted) follow(line); });
      }
      input(line).addEventListener('input', () => { show(line); tell(); });
      input(line).addEventListener('keydown', (event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        const open = left();
        if (open.length) { field.focus(); tell(); } else form.querySelector('[data-scan-confirm]').focus();
      });
    });
    form.addEventListener('draft:restored', () => lines.forEach(show));
  };
  const all = () => document.querySelectorAll('[data-counting]').forEach(start);
  document.addEventListener('htmx:load', all);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', all); else all();
})();
