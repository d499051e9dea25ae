// Tables whose headings sort them and whose rows can be searched.

function sortable(table) {
  const headings = [...table.querySelectorAll("thead th")];
  for (const [column, heading] of headings.entries()) {
    heading.querySelector("button")?.addEventListener("click", () => {
      const falling = heading.getAttribute("aria-sort") === "ascending";
      sortRows(table, column, falling ? -1 : 1);
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
      announce(`Sorted by ${heading.textContent.trim()}, ${falling ? "falling" : "rising"}`);
    });
  }
}

function sortRows(table, column, direction) {
  const body = table.tBodies[0];
  const value = (row) => row.cells[column].dataset.value;
  const rows = [...body.rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    const numeric = Number(a) - Number(b);
    return direction * (Number.isNaN(numeric) ? a.localeCompare(b) : numeric);
  });
  body.append(...rows);
}

function searchable(input, table) {
  input.addEventListener("input", () => {
    const sought = input.value.trim().toLowerCase();
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(sought);
    }
  });
}

for (const table of document.querySelectorAll("table.sortable")) sortable(table);
if (byId("classes-find")) searchable(byId("classes-find"), byId("classes-table"));
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => event.preventDefault());
}
