/** The page's script: makes the headings of a table buttons that sort it, and says what a cell of a matrix counts. */
export const SCRIPT = `
for (const table of document.querySelectorAll('table[data-sortable]')) {
  const body = table.tBodies[0];
  table.querySelector('[data-hint]').hidden = false;
  table.querySelectorAll('thead th').forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const first = head.dataset.first;
      const other = first === 'ascending' ? 'descending' : 'ascending';
      const order = head.getAttribute('aria-sort') === first ? other : first;
      table.querySelectorAll('[aria-sort]').forEach((sorted) => sorted.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', order);
      const key = (row) => row.cells[column].dataset.value;
      const sign = order === 'ascending' ? 1 : -1;
      const compare = (a, b) => {
        if (a === '' || b === '') return (a === '') - (b === '');
        const [x, y] = [Number(a), Number(b)];
        return sign * (Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, 'en', { numeric: true }) : x - y);
      };
      body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
    });
  });
}
document.addEventListener('pointerover', (event) => {
  const cell = event.target.closest?.('.matrix td');
  if (!cell || cell.title) return;
  const row = cell.parentElement;
  const heads = cell.closest('table').tHead.rows[0].cells;
  cell.title = row.cells[0].textContent + ' taken for ' + heads[cell.cellIndex].textContent + ': ' + cell.textContent;
});
`;
