// Decisions by sample: what each row of review.csv says. Whoever shows or saves them listens.
const KINDS = ["keep", "relabel", "ambiguous", "not_a_face"];
const decisions = new Map();
const listeners = [];
const past = [];
let reviewer = "";

const now = () => `${new Date().toISOString().slice(0, 19)}Z`;

function makeDecision(row, kind, code) {
  const id = page.ids[row], given = className(page.given[row]);
  const label = code === undefined ? "" : className(code);
  const decision = code === undefined ? kind : label === given ? "keep" : "relabel";
  return { sample_id: id, given, decision, label, reviewer: reviewer || "unnamed", time: now() };
}

// Set (or, with null, clear) some decisions at once; one undo takes all of them back.
function change(entries, source) {
  if (source !== "undo" && source !== "load") {
    past.push(entries.map(([id]) => [id, decisions.get(id) || null]));
  }
  for (const [id, decision] of entries) {
    const row = rowOf.get(id), before = counts(row);
    if (decision === null) decisions.delete(id);
    else decisions.set(id, decision);
    decidedRows += counts(row) - before;
  }
  listeners.forEach((listen) => listen(entries, source));
}

// Take the last change back; returns the sample to look at again.
function undo() {
  const entries = past.pop();
  if (!entries) return null;
  change(entries, "undo");
  return entries[0][0];
}

// A decision about another label than the row has now was made about other data.
function decisionOf(row) {
  const found = decisions.get(page.ids[row]);
  return found && found.given === className(page.given[row]) ? found : undefined;
}

// How many of the page's rows are decided; kept up with each change.
let decidedRows = 0;
const counts = (row) => Number(row !== undefined && decisionOf(row) !== undefined);

// Say what is wrong with a decision from elsewhere, or nothing.
function faultOf(decision) {
  const { sample_id: id, given, decision: kind, label, reviewer: who, time } = decision;
  if (!id || !given || !who) return "sample_id, given and reviewer must not be empty";
  if (!KINDS.includes(kind)) return `unknown decision "${kind}"`;
  if (kind === "keep" && label !== given) return "keep must name the given label";
  if (kind === "relabel" && (!label || label === given)) return "relabel must name another label";
  if (kind === "relabel" && !page.classes.includes(label)) return `unknown label "${label}"`;
  if ((kind === "ambiguous" || kind === "not_a_face") && label) return `${kind} takes no label`;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)$/.test(time)) return "time must be ISO 8601 in UTC";
  return null;
}
