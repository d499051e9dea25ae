// The confusion matrix: which labels, in which order, how large.

const CELLS = [4, 5, 6, 7, 8, 11, 15, 20, 26, 34, 44, 56, 72]; // pixels
const LABELS_FROM = 11; // smaller cells have no room for names
const NUMBERS_FROM = 26;
const MOST = 200; // labels drawn at once
const SIDE_BY_SIDE = 20; // with more labels the texts stand below the matrix, not beside it

const matrix = { cell: 26, shown: [], table: null };

const recall = (label) => (report.support[label] ? shareOf(label, label) : 2);

const mistakes = Array(size).fill(0);
for (const [key, count] of counts) {
  const [trueLabel, predicted] = [Math.floor(key / size), key % size];
  if (trueLabel !== predicted) {
    mistakes[trueLabel] += count;
    mistakes[predicted] += count;
  }
}

const ORDERS = {
  given: (one, other) => one - other,
  worst: (one, other) => recall(one) - recall(other),
  mistakes: (one, other) => mistakes[other] - mistakes[one],
  support: (one, other) => report.support[other] - report.support[one],
};

/** Labels in pairs that at least two texts confuse; those that one does where no two do. */
function confusedLabels() {
  const wrong = [...counts].filter(([key]) => Math.floor(key / size) !== key % size);
  const repeated = wrong.filter(([, count]) => count > 1);
  const keys = (repeated.length ? repeated : wrong).map(([key]) => key);
  return new Set(keys.flatMap((key) => [Math.floor(key / size), key % size]));
}

/** Labels whose name has `sought` in it, and those confused with them. */
function soughtLabels(sought) {
  const has = report.labels.map((label) => label.toLowerCase().includes(sought));
  const found = new Set([...report.labels.keys()].filter((label) => has[label]));
  for (const key of counts.keys()) {
    const pair = [Math.floor(key / size), key % size];
    if (pair.some((label) => has[label])) pair.forEach((label) => found.add(label));
  }
  return found;
}

function chosenLabels() {
  let labels = [...report.labels.keys()].sort(ORDERS[byId("matrix-order").value]);
  const show = byId("matrix-show").value;
  const sought = byId("matrix-find").value.trim().toLowerCase();
  if (show === "confused") {
    const confused = confusedLabels();
    labels = labels.filter((label) => confused.has(label));
  } else if (show !== "all") {
    labels = labels.slice(0, Number(show));
  }
  if (sought) {
    const found = soughtLabels(sought);
    labels = labels.filter((label) => found.has(label));
  }
  return labels;
}

function sentence(trueLabel, predicted) {
  const texts = several(countOf(trueLabel, predicted), "text");
  const share = percent(shareOf(trueLabel, predicted));
  const [one, other] = [report.labels[trueLabel], report.labels[predicted]];
  const what = trueLabel === predicted ? `${one}, rightly given` : `${one}, given ${other}`;
  return `${what}: ${texts}, ${share} of ${report.support[trueLabel]}`;
}

function cellOf(trueLabel, predicted, unit) {
  const cell = make("td");
  cell.setAttribute("role", "gridcell");
  if (trueLabel === predicted) cell.className = "diagonal";
  const count = countOf(trueLabel, predicted);
  if (!count) return cell;
  const share = shareOf(trueLabel, predicted);
  // A share of 1 % has to be seen too, hence the root.
  const strength = 0.18 + 0.82 * Math.sqrt(Math.min(share, 1));
  const shown = unit === "count" ? count : Math.round(100 * share) || "<1";
  const button = make("button", { type: "button", tabIndex: -1, className: strength > 0.62 ? "strong" : "" }, String(shown));
  button.style.setProperty("--strength", `${Math.round(100 * strength)}%`);
  button.setAttribute("aria-label", sentence(trueLabel, predicted));
  cell.append(button);
  return cell;
}

function rowOf(trueLabel, labels, unit) {
  const name = report.labels[trueLabel];
  const heading = make("th", { scope: "row", title: name, dir: "auto" }, make("span", {}, name));
  return make("tr", {}, heading, ...labels.map((predicted) => cellOf(trueLabel, predicted, unit)));
}

function drawMatrix() {
  const chosen = chosenLabels();
  const labels = chosen.slice(0, MOST);
  const headings = labels.map((label) =>
    make("th", { scope: "col", title: report.labels[label], dir: "auto" }, make("span", {}, report.labels[label])),
  );
  const corner = make("th", { className: "corner", scope: "col" }, make("span", {}, "true ↓ given →"));
  const unit = byId("matrix-unit").value;
  const table = make(
    "table",
    { className: "matrix" },
    make("thead", {}, make("tr", {}, corner, ...headings)),
    make("tbody", {}, ...labels.map((label) => rowOf(label, labels, unit))),
  );
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", `Confusion matrix of ${several(labels.length, "label")}; arrow keys move, Enter lists the texts`);
  Object.assign(matrix, { shown: labels, table });
  byId("matrix-frame").replaceChildren(labels.length ? table : make("p", { className: "note" }, "No label fits."));
  byId("matrix-note").textContent =
    labels.length < chosen.length ? `The first ${MOST} of ${chosen.length} labels in this order are drawn.` : "";
  resizeMatrix(matrix.cell);
  startOfGrid();
}

function headingWidth(cell) {
  if (cell < LABELS_FROM) return 14;
  const longest = Math.max(...matrix.shown.map((label) => report.labels[label].length), 6);
  return Math.min(10 + 7 * longest, byId("matrix-frame").clientWidth < 500 ? 96 : 180);
}

function resizeMatrix(cell) {
  matrix.cell = cell;
  const { table, shown } = matrix;
  const heading = headingWidth(cell);
  table.classList.toggle("named", cell >= LABELS_FROM);
  table.classList.toggle("numbered", cell >= NUMBERS_FROM);
  table.style.setProperty("--cell", `${cell}px`);
  table.style.setProperty("--heading", `${heading}px`);
  table.style.setProperty("--labels", String(shown.length));
  table.style.width = `${heading + shown.length * (cell + 1) + 1}px`;
  byId("zoom-out").disabled = cell === CELLS[0];
  byId("zoom-in").disabled = cell === CELLS.at(-1);
}

/** The largest cells with which the whole matrix is seen. */
function fitMatrix() {
  const width = byId("matrix-frame").clientWidth - 8;
  const fits = (cell) => headingWidth(cell) + matrix.shown.length * (cell + 1) < width;
  resizeMatrix(CELLS.filter(fits).at(-1) ?? CELLS[2]);
}

function zoomMatrix(steps) {
  const place = CELLS.indexOf(matrix.cell) + steps;
  resizeMatrix(CELLS[Math.max(0, Math.min(place, CELLS.length - 1))]);
}

function startMatrix() {
  byId("matrix-frame").closest(".pair").classList.toggle("stacked", size > SIDE_BY_SIDE);
  drawMatrix();
  fitMatrix();
  for (const id of ["matrix-order", "matrix-show", "matrix-unit"]) {
    byId(id).addEventListener("change", () => {
      drawMatrix();
      if (id === "matrix-show") fitMatrix();
      announce(`Matrix of ${several(matrix.shown.length, "label")}`);
    });
  }
  byId("matrix-find").addEventListener("input", () => {
    drawMatrix();
    fitMatrix();
  });
  byId("zoom-out").addEventListener("click", () => zoomMatrix(-1));
  byId("zoom-in").addEventListener("click", () => zoomMatrix(1));
  byId("zoom-fit").addEventListener("click", fitMatrix);
}
