// Which rows are in the list. A decision moves no row: the list changes with the filters only.
const view = { rows: [], at: 0 };
const form = find("filter");
let columns = [];

function fillFilters() {
  const count = (codes, size) => {
    const counts = new Array(size).fill(0);
    for (let row = 0; row < page.rows; row += 1) if (codes[row] >= 0) counts[codes[row]] += 1;
    return counts;
  };
  const add = (name, names, codes) => {
    count(codes, names.length).forEach((rows, code) => {
      if (rows) form.elements[name].append(new Option(`${names[code].replaceAll("_", " ")} (${rows})`, code));
    });
  };
  add("verdict", page.verdicts, page.verdict);
  add("given", page.classes, page.given);
  add("suggested", page.classes, page.suggested);
  columns = [["verdict", page.verdict], ["given", page.given], ["suggested", page.suggested]];
}

function filterRows() {
  const state = form.elements.state.value;
  const text = form.elements.text.value.trim().toLowerCase();
  const wanted = columns
    .filter(([name]) => form.elements[name].value !== "")
    .map(([name, codes]) => [codes, Number(form.elements[name].value)]);
  const fits = (row) =>
    wanted.every(([codes, code]) => codes[row] === code) &&
    (!state || (state === "decided") === Boolean(decisionOf(row))) &&
    (!text || page.ids[row].toLowerCase().includes(text) || page.paths[row].toLowerCase().includes(text));
  const before = view.rows[view.at];
  view.rows = [];
  for (let row = 0; row < page.rows; row += 1) if (fits(row)) view.rows.push(row);
  const place = view.rows.indexOf(before);
  view.at = place >= 0 ? place : Math.max(0, nextOpen(-1, 0));
  find("found").textContent = `${view.rows.length.toLocaleString("en")} of ${page.rows.toLocaleString("en")}`;
}

// The next place in the list without a decision, from the start again where none follows.
function nextOpen(from, otherwise) {
  const count = view.rows.length;
  for (let step = 1; step <= count; step += 1) {
    const place = (from + step) % count;
    if (!decisionOf(view.rows[place])) return place;
  }
  return otherwise;
}
