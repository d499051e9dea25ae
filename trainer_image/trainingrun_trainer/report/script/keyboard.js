// Moving in the confusion matrix, by keys and by pointer; one cell of it is in the order of tabs.

const MOVES = {
  ArrowUp: ([row, column]) => [row - 1, column],
  ArrowDown: ([row, column]) => [row + 1, column],
  ArrowLeft: ([row, column]) => [row, column - 1],
  ArrowRight: ([row, column]) => [row, column + 1],
  Home: ([row]) => [row, 0],
  End: ([row]) => [row, Infinity],
  PageUp: ([row, column]) => [row - 10, column],
  PageDown: ([row, column]) => [row + 10, column],
};

const within = (place) => Math.max(0, Math.min(place, matrix.shown.length - 1));
const targetAt = (row, column) => {
  const cell = matrix.table.tBodies[0].rows[row].cells[column + 1];
  return cell.firstElementChild ?? cell;
};

/** Row and column of the cell that `element` is in, or null for headings. */
function placeOf(element) {
  const cell = element.closest("tbody td");
  return cell && [cell.parentElement.sectionRowIndex, cell.cellIndex - 1];
}

function startOfGrid() {
  matrix.entry = null;
  if (matrix.shown.length) enterAt(targetAt(0, 0));
}

function enterAt(target) {
  if (matrix.entry) matrix.entry.tabIndex = -1;
  target.tabIndex = 0;
  matrix.entry = target;
}

function point(element) {
  const place = placeOf(element);
  for (const heading of matrix.table.querySelectorAll("th.pointed")) heading.classList.remove("pointed");
  if (!place) return null;
  const [row, column] = place;
  matrix.table.tBodies[0].rows[row].cells[0].classList.add("pointed");
  matrix.table.tHead.rows[0].cells[column + 1].classList.add("pointed");
  const pair = [matrix.shown[row], matrix.shown[column]];
  byId("matrix-read").textContent = sentence(...pair);
  return pair;
}

function startKeyboard(open) {
  const frame = byId("matrix-frame");
  frame.addEventListener("keydown", (event) => {
    const place = placeOf(event.target);
    if (!place || !MOVES[event.key]) return;
    event.preventDefault();
    const [row, column] = MOVES[event.key](event.ctrlKey && event.key === "Home" ? [0, 0] : place);
    targetAt(within(row), within(column)).focus();
  });
  frame.addEventListener("focusin", (event) => {
    const pair = point(event.target);
    if (!pair) return;
    if (event.target.matches("td")) event.target.setAttribute("aria-label", sentence(...pair));
    enterAt(event.target);
  });
  frame.addEventListener("pointerover", (event) => point(event.target));
  frame.addEventListener("click", (event) => {
    const pair = event.target.matches("button") && point(event.target);
    if (pair) open(...pair);
  });
}
