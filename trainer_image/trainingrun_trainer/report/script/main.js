// What runs when the page has been read.

for (const table of document.querySelectorAll("table.sortable")) sortable(table);
if (byId("classes-find")) searchable(byId("classes-find"), byId("classes-table"));
if (byId("texts")) startTexts();
if (byId("matrix-frame") && size) {
  startMatrix();
  startKeyboard((trueLabel, predicted) => byId("texts") && openTexts(trueLabel, predicted));
}
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => event.preventDefault());
}
for (const button of document.querySelectorAll("button[data-true]")) {
  button.addEventListener("click", () => openTexts(Number(button.dataset.true), Number(button.dataset.predicted ?? -1)));
}
