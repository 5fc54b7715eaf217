/* A scanner that types: each code ends with Enter. Marks the line it belongs to, says what to take,
   and writes the serial numbers of its pieces, one a line, wherever the cursor is. */
(() => {
  'use strict';
  const start = (form) => {
    if (form.dataset.scanning) return;
    form.dataset.scanning = '1';
    const words = () => form.querySelector('[data-scan-said]').dataset;
    let into = null; /* the box of serial numbers that was used last */
    const lines = () => [...form.querySelectorAll('[data-line]')];
    const lineOf = (box) => box.closest('[data-line]');
    const planned = (line) => Number(line.dataset.planned);
    const codes = (line) => line.dataset.codes.toUpperCase().split('|');
    const say = (text, tone) => { const said = form.querySelector('[data-scan-said]'); said.textContent = text; said.dataset.tone = tone; };
    const input = (line) => line.querySelector('input');
    const boxes = (line) => [...line.querySelectorAll('[data-serials]')];
    const count = (box) => form.elements[box.dataset.serials];
    const numbers = (box) => box.value.split('\n').map((each) => each.trim()).filter(Boolean);
    const wanted = (box) => {
      if (!box.dataset.serials) return planned(lineOf(box));
      const given = Number(count(box)?.value || 0);
      return 'rest' in box.dataset ? Math.max(0, planned(lineOf(box)) - given) : given;
    };
    const typed = (element) => element.dispatchEvent(new Event('input', { bubbles: true }));
    const found = (line, is) => {
      line.classList.toggle('found', is);
      line.querySelector('[data-mark]').hidden = !is;
    };
    const tell = (box, text, tone) => {
      const id = `${box.id}_said`;
      let told = document.getElementById(id);
      if (!told) {
        told = document.createElement('p');
        told.id = id;
        told.className = 'said';
        box.after(told);
      }
      told.textContent = text;
      told.dataset.tone = tone;
    };
    const showPieces = (line) => {
      const own = boxes(line);
      own.forEach((box, place) => {
        const has = numbers(box).length, needs = wanted(box), frame = box.closest('.field');
        if (place) frame.hidden = !has && !needs && !frame.querySelector('.error');
        tell(box, has || needs ? `${has} ${words().of} ${needs}` : '', has === needs ? 'ok' : has > needs ? 's1' : '');
      });
      const named = own.reduce((sum, box) => sum + numbers(box).length, 0);
      found(line, named > 0 && own.every((box) => numbers(box).length === wanted(box) || ('rest' in box.dataset && !box.value.trim())));
    };
    const show = (line) => {
      const quantity = Number(input(line)?.value || 0);
      const why = line.querySelector('[data-why]');
      if (why) { line.classList.toggle('short', quantity < planned(line)); why.hidden = quantity >= planned(line); }
      if (boxes(line).length) showPieces(line);
    };
    const set = (line, value) => {
      input(line).value = Math.max(0, Math.min(planned(line), value));
      typed(input(line));
    };
    const mark = (line) => {
      if (!boxes(line).length) found(line, true);
      line.scrollIntoView({ block: 'center' });
    };

    /* One more piece: what is named counts, and what is damaged or lost did not come whole. */
    const countUp = (box, has) => {
      const line = lineOf(box), amount = count(box), main = input(line);
      if (has > wanted(box)) {
        if (!amount || 'rest' in box.dataset || (!('any' in box.dataset) && has > planned(line))) return false;
        amount.value = has;
        typed(amount);
      }
      if (!amount || amount === main || 'any' in box.dataset || 'rest' in box.dataset) return true;
      const beside = boxes(line).filter((each) => !('any' in each.dataset)).map(count).filter((each) => each !== main);
      const left = planned(line) - beside.reduce((sum, each) => sum + Number(each.value || 0), 0);
      if (Number(main.value || 0) > left) set(line, left);
      return true;
    };
    const alike = (line) => lines().filter((each) => each.dataset.codes === line.dataset.codes).flatMap(boxes);
    const refuse = (box, text) => { say(text, 's1'); tell(box, text, 's1'); };
    const add = (box, number) => {
      const line = lineOf(box), here = numbers(box);
      const known = 'known' in line.dataset ? line.dataset.known.split('|') : null;
      into = box;
      if (alike(line).some((each) => numbers(each).includes(number))) refuse(box, `${number} ${words().again}`);
      else if (known && !('any' in box.dataset) && !known.includes(number)) refuse(box, `${number} ${words().stranger}`);
      else if (!countUp(box, here.length + 1)) refuse(box, `${number} ${words().full}`);
      else {
        box.value = `${[...here, number].join('\n')}\n`;
        box.closest('.field').hidden = false;
        typed(box);
        box.scrollTop = box.scrollHeight;
        say(`${number}: ${here.length + 1} ${words().of} ${wanted(box)}`, 'ok');
      }
    };
    const boxFor = (number) => {
      const own = lines().filter((line) => boxes(line).length);
      const sent = own.filter((line) => (line.dataset.known || '').split('|').includes(number));
      const line = sent[0] || (into && into.isConnected ? lineOf(into) : null) || (own.length === 1 ? own[0] : null);
      if (!line) return null;
      return into && into.isConnected && lineOf(into) === line ? into : boxes(line)[0];
    };

    const readBin = (code) => {
      const at = lines().filter((each) => (each.dataset.bins || '').toUpperCase().split('|').includes(code));
      if (!at.length) return false;
      const next = at.find((each) => !each.classList.contains('found')) || at[0];
      const bins = next.querySelector('select[name^=bin_]');
      const index = next.dataset.bins.toUpperCase().split('|').indexOf(code);
      if (bins && !next.dataset.proposed.toUpperCase().split('|').includes(code)) bins.selectedIndex = index + 1;
      next.scrollIntoView({ block: 'center' });
      say(`${code}: ${words().at} ${next.dataset.planned} ${next.dataset.codes.split('|')[0]}`, 'ok');
      return true;
    };
    const readProduct = (code) => {
      const named = lines().filter((each) => codes(each).includes(code));
      const line = named.find((each) => !each.classList.contains('found')) || named[0];
      if (!line) return false;
      const again = line.classList.contains('found');
      mark(line);
      [into = null] = boxes(line);
      const pieces = into ? `. ${words().pieces} ${numbers(into).length} ${words().of} ${wanted(into)}` : '';
      say(again ? `${code} ${words().again}` : `${code}: ${words().take} ${line.dataset.planned}${pieces}`, again ? 's1' : 'ok');
      return true;
    };
    const read = (text) => {
      const code = text.trim().toUpperCase();
      if (!code) return;
      if (form.dataset.scan && code === form.dataset.scan.toUpperCase()) {
        const open = lines().filter((line) => !line.classList.contains('found')).length;
        if (open) say(`${open} ${words().open}`, 's1'); else form.requestSubmit(form.querySelector('[data-scan-confirm]'));
        return;
      }
      if (readBin(code) || readProduct(code)) return;
      const box = boxFor(text.trim());
      if (box) { add(box, text.trim()); return; }
      const several = lines().some((line) => boxes(line).length);
      say(`${text.trim()} ${several ? words().first : words().unknown}`, 's1');
    };

    form.addEventListener('keydown', (event) => {
      const field = event.target.closest('[data-scan-field]');
      if (!field || event.key !== 'Enter') return;
      event.preventDefault();
      read(field.value);
      field.value = '';
    });
    form.addEventListener('keydown', (event) => {
      const box = event.target.closest('[data-serials]');
      if (!box || event.key !== 'Enter' || box.selectionEnd < box.value.trimEnd().length) return;
      event.preventDefault();
      const before = box.value.trimEnd().split('\n');
      const number = before.pop().trim();
      if (!number) return;
      if (box.value.endsWith('\n')) return;
      box.value = before.map((each) => `${each}\n`).join('');
      add(box, number);
    });
    form.addEventListener('focusin', (event) => { into = event.target.closest('[data-serials]') || into; });
    form.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      const line = button && button.closest('[data-line]');
      if (!line) return;
      if (!input(line)) return;
      if (button.dataset.step) set(line, Number(input(line).value || 0) + Number(button.dataset.step));
      if ('all' in button.dataset) { set(line, planned(line)); mark(line); }
      if ('none' in button.dataset) set(line, 0);
    });
    form.addEventListener('input', (event) => { const line = event.target.closest('[data-line]'); if (line) show(line); });
    form.addEventListener('draft:restored', () => lines().forEach(show));
    form.addEventListener('htmx:load', () => lines().forEach(show));
    lines().forEach(show);
  };
  const all = () => document.querySelectorAll('[data-scan]').forEach(start);
  document.addEventListener('htmx:load', all);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', all); else all();
})();
