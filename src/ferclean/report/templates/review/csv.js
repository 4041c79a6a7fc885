// review.csv: to text and back.
const COLUMNS = ["sample_id", "given", "decision", "label", "reviewer", "time"];

const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function toCsv() {
  const order = (a, b) => (a.sample_id < b.sample_id ? -1 : 1);
  const rows = [...decisions.values()].sort(order);
  const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((name) => row[name]))];
  return lines.map((line) => line.map(quoted).join(",") + "\n").join("");
}

// Split CSV into rows of values; quotes as in RFC 4180.
function splitCsv(text) {
  const rows = [];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;
  let values = [];
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    if (!found) throw new Error("the quotes do not match");
    const [, value, end] = found;
    values.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end !== ",") {
      rows.push(values);
      values = [];
    } else if (cell.lastIndex === text.length) {
      rows.push([...values, ""]);
    }
  }
  return rows.filter((row) => row.length > 1 || row[0] !== "");
}

function fromCsv(text) {
  const [header, ...rows] = splitCsv(text.replace(/^\ufeff/, ""));
  const places = COLUMNS.map((name) => (header || []).indexOf(name));
  if (places.includes(-1)) throw new Error(`it must have the columns ${COLUMNS.join(", ")}`);
  return rows.map((row, number) => {
    const decision = Object.fromEntries(COLUMNS.map((name, k) => [name, row[places[k]] || ""]));
    const fault = faultOf(decision);
    if (fault) throw new Error(`decision ${number + 1}: ${fault}`);
    return decision;
  });
}
