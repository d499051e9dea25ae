// The texts behind the numbers: filtered, ordered, some at a time.

const AT_ONCE = 50;
const list = { found: [], drawn: 0 };

const sure = (text) => Math.max(0, ...text.probable.map(({ share }) => share));

const TEXT_ORDERS = {
  loss: (one, other) => other.loss - one.loss,
  sure: (one, other) => sure(other) - sure(one),
  unsure: (one, other) => sure(one) - sure(other),
  row: (one, other) => one.row - other.row,
};

/** Whether the cell of the matrix counts the text; -1 stands for any label. */
function inCell(text, trueLabel, predicted) {
  const has = trueLabel < 0 || text.labels.includes(trueLabel);
  const given = predicted < 0 || text.predicted.includes(predicted);
  if (!has || !given || !report.several || trueLabel < 0 || predicted < 0) return has && given;
  if (trueLabel === predicted) return true;
  return !text.predicted.includes(trueLabel) && !text.labels.includes(predicted);
}

function findTexts() {
  const [trueLabel, predicted] = [Number(byId("texts-true").value), Number(byId("texts-predicted").value)];
  const kind = byId("texts-kind").value;
  const sought = byId("texts-find").value.trim().toLowerCase();
  return texts
    .filter((text) => inCell(text, trueLabel, predicted))
    .filter((text) => kind === "all" || text.right === (kind === "right"))
    .filter((text) => text.sought.includes(sought))
    .sort(TEXT_ORDERS[byId("texts-order").value]);
}

function probabilities(text) {
  const rows = text.probable.map(({ label, share }) => {
    const kind = text.labels.includes(label) ? "true" : text.predicted.includes(label) ? "wrong" : "";
    const bar = make("span", { className: "probability-bar", ariaHidden: "true" });
    bar.style.setProperty("--share", `${100 * share}%`);
    const name = make("dt", { className: kind, dir: "auto" }, report.labels[label]);
    return make("div", { className: kind }, name, make("dd", {}, bar, percent(share)));
  });
  return make("dl", { className: "probabilities" }, ...rows);
}

function itemOf(text) {
  const verdict = text.right
    ? [make("span", { className: "tag right" }, "right"), ` ${named(text.labels)}`]
    : [
        make("span", { className: "tag wrong" }, "wrong"),
        ` true: ${named(text.labels)} · given: ${named(text.predicted)}`,
      ];
  const about = [text.loss === null ? "" : `loss ${text.loss.toFixed(2)}`, `row ${text.row}`, ...text.context, text.source];
  return make(
    "li",
    {},
    make("p", { className: "verdict-line" }, ...verdict),
    make("p", { className: "text", dir: "auto" }, text.text + (text.cut ? " …" : "")),
    probabilities(text),
    make("p", { className: "about" }, about.filter(Boolean).join(" · ")),
  );
}

function drawMore() {
  const next = list.found.slice(list.drawn, list.drawn + AT_ONCE);
  byId("texts-list").append(...next.map(itemOf));
  list.drawn += next.length;
  byId("texts-more").hidden = list.drawn >= list.found.length;
}

function titleOf(trueLabel, predicted) {
  if (trueLabel < 0 && predicted < 0) return "Evaluation texts";
  if (predicted < 0) return `Texts of ${report.labels[trueLabel]}`;
  if (trueLabel < 0) return `Texts given ${report.labels[predicted]}`;
  if (trueLabel === predicted) return `Texts of ${report.labels[trueLabel]}, rightly given`;
  return `Texts of ${report.labels[trueLabel]}, given ${report.labels[predicted]}`;
}

function drawTexts() {
  const [trueLabel, predicted] = [Number(byId("texts-true").value), Number(byId("texts-predicted").value)];
  Object.assign(list, { found: findTexts(), drawn: 0 });
  byId("texts-list").replaceChildren();
  byId("texts-title").textContent = titleOf(trueLabel, predicted);
  const counted = trueLabel >= 0 && predicted >= 0 ? countOf(trueLabel, predicted) : 0;
  const missing = counted > list.found.length && byId("texts-kind").value === "all" && !byId("texts-find").value;
  byId("texts-count").textContent =
    several(list.found.length, "text") + (missing ? ` of ${counted}; the others are in predictions.parquet` : "");
  byId("texts-export").disabled = !list.found.length;
  drawMore();
}

/** Show the texts of a cell, or of a label, and go there. */
function openTexts(trueLabel, predicted = -1) {
  byId("texts-tools").reset();
  byId("texts-true").value = String(trueLabel);
  byId("texts-predicted").value = String(predicted);
  drawTexts();
  byId("texts-title").focus({ preventScroll: true });
  byId("texts").scrollIntoView({ block: "nearest" });
}

function startTexts() {
  const options = () => [
    make("option", { value: "-1" }, "any label"),
    ...report.labels.map((label, number) => make("option", { value: String(number) }, label)),
  ];
  byId("texts-true").append(...options());
  byId("texts-predicted").append(...options());
  byId("texts-kind").value = texts.some((text) => !text.right) ? "wrong" : "all";
  byId("texts-tools").addEventListener("input", drawTexts);
  byId("texts-clear").addEventListener("click", () => {
    byId("texts-tools").reset();
    drawTexts();
  });
  byId("texts-more").addEventListener("click", drawMore);
  onExport("texts-export", (format) => exportTexts(list.found, format));
  drawTexts();
}
